//! `longtake check`: everything that is wrong with a graph.

use anyhow::Result;
use longtake_graph::Severity;
use longtake_nodes::{DiskFacts, Registry};
use longtake_plan::{Options, compile};

use crate::args::Check;
use crate::{Ended, document, machine};

/// Checks a graph the way a render would, down to files and memory.
///
/// # Errors
/// Not a graph, or a device that is not there.
pub fn run(args: &Check) -> Result<Ended> {
    let registry = Registry::new();
    let (project, mut found) = document::open(&args.choice)?;
    let opened = machine::open(&args.place)?;
    let facts = DiskFacts::new(opened.roots.clone(), opened.store.clone(), None);
    let options = Options {
        shots: args.choice.shots.clone(),
        ..Options::default()
    };
    found.extend(compile(&project, &registry, &facts, &opened.machine, &options).diagnostics);
    let errors = found
        .iter()
        .filter(|it| it.severity == Severity::Error)
        .count();
    if args.json {
        println!("{}", serde_json::to_string_pretty(&found)?);
    } else {
        document::print(&found);
        let warnings = found.len() - errors;
        match (errors, warnings) {
            (0, 0) => println!(
                "{}: {} nodes, nothing wrong",
                args.choice.file.display(),
                project.nodes.len()
            ),
            _ => println!(
                "{}: {errors} errors, {warnings} warnings",
                args.choice.file.display()
            ),
        }
    }
    Ok(if errors == 0 {
        Ended::Done
    } else {
        Ended::Unusable
    })
}

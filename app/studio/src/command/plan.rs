//! `longtake plan`: what a render would do.

use anyhow::Result;
use longtake_nodes::Registry;
use longtake_plan::Options;

use crate::args::Plan;
use crate::{Ended, document, machine};

/// Prints the plan.
///
/// # Errors
/// Not a graph, or a device that is not there.
pub fn run(args: &Plan) -> Result<Ended> {
    let registry = Registry::new();
    let (project, found) = document::open(&args.choice)?;
    let opened = machine::open(&args.place)?;
    let options = Options {
        shots: args.choice.shots.clone(),
        whole: true,
        ..Options::default()
    };
    let Some(plan) = document::plan(&project, found, &registry, &opened, &options, None) else {
        return Ok(Ended::Unusable);
    };
    if args.json {
        println!("{}", serde_json::to_string_pretty(&plan.to_json())?);
    } else {
        print!(
            "{}",
            if args.full {
                plan.to_full_text()
            } else {
                plan.to_text()
            }
        );
    }
    Ok(Ended::Done)
}

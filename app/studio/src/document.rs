//! Reading a graph for a command: the file, `--set`, what is wrong with it.

use std::path::Path;

use anyhow::{Context, Result, anyhow, bail};
use longtake_graph::{Diagnostic, Edit, Format, Input, NodeId, Project, Severity, apply, format};
use longtake_nodes::{DiskFacts, Registry};
use longtake_plan::{Plan, compile};
use serde_json::Value as Json;

use crate::args::Choice;
use crate::machine::Opened;
use crate::out;

/// Reads a graph: a project, a prompt, a ComfyUI workflow, or one that a picture, a film or a file
/// of tensors carries.
///
/// # Errors
/// Not a graph.
pub fn read(path: &Path) -> Result<(Project, Vec<Diagnostic>)> {
    let loaded = format::read_with(path, &Registry::new())?;
    Ok((loaded.project, loaded.diagnostics))
}

/// Reads a graph and applies `--set`.
///
/// # Errors
/// Not a graph, or an assignment that names nothing in it.
pub fn open(choice: &Choice) -> Result<(Project, Vec<Diagnostic>)> {
    let (mut project, found) = read(&choice.file)?;
    for assignment in &choice.set {
        set(&mut project, assignment).with_context(|| format!("--set {assignment}"))?;
    }
    Ok((project, found))
}

fn set(project: &mut Project, assignment: &str) -> Result<()> {
    let (target, value) = assignment
        .split_once('=')
        .ok_or_else(|| anyhow!("expected NODE.INPUT=JSON"))?;
    // Inputs may hold dots (`format.codec`), ids may not start an input: try every split.
    let mut splits = target
        .match_indices('.')
        .map(|(at, _)| (&target[..at], &target[at + 1..]));
    let found = splits.find_map(|(node, input)| Some((find_node(project, node)?, input)));
    let Some((node, input)) = found else {
        let ids: Vec<&str> = project.nodes.keys().take(12).map(NodeId::as_str).collect();
        bail!(
            "expected NODE.INPUT with the id or title of a node; the graph has {}",
            ids.join(", ")
        );
    };
    let value = serde_json::from_str(value).unwrap_or_else(|_| Json::String(value.to_owned()));
    let edit = Edit::SetInput {
        node,
        input: input.to_owned(),
        value: Some(Input::Literal(value)),
    };
    apply(project, edit)?;
    Ok(())
}

fn find_node(project: &Project, name: &str) -> Option<NodeId> {
    if let Some((id, _)) = project.nodes.get_key_value(name) {
        return Some(id.clone());
    }
    let titled = |node: &&longtake_graph::Node| node.title.as_deref() == Some(name);
    let mut matches = project.nodes.iter().filter(|(_, node)| titled(node));
    let first = matches.next()?;
    matches.next().is_none().then(|| first.0.clone())
}

/// The prompt JSON of a graph, for files that carry it.
pub fn prompt(project: &Project, registry: &Registry) -> Option<Json> {
    let (text, _) = format::to_text(project, Format::Prompt, registry);
    serde_json::from_str(&text).ok()
}

/// Compiles a graph and prints what is wrong with it to standard error. `None` when it cannot run.
pub fn plan(
    project: &Project,
    mut found: Vec<Diagnostic>,
    registry: &Registry,
    opened: &Opened,
    options: &longtake_plan::Options,
    output: Option<&Path>,
) -> Option<Plan> {
    let output = output.map(Path::to_path_buf);
    let facts = DiskFacts::new(opened.roots.clone(), opened.store.clone(), output);
    let compiled = compile(project, registry, &facts, &opened.machine, options);
    found.extend(compiled.diagnostics);
    print(&found);
    if found.iter().any(|it| it.severity == Severity::Error) {
        None
    } else {
        compiled.plan
    }
}

/// Prints findings to standard error, errors last so that they stand above the prompt.
pub fn print(found: &[Diagnostic]) {
    for severity in [Severity::Warning, Severity::Error] {
        for diagnostic in found.iter().filter(|it| it.severity == severity) {
            out::note(format_args!("{diagnostic}"));
        }
    }
}

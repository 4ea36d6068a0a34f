//! ComfyUI's workflow, as its editor saves it: nodes with positions and bare lists of values,
//! links in a table, notes and reroutes, subgraphs with their own small graphs. Versions 0.4 and 1
//! differ in where things stand and are read alike.
//!
//! Follows Comfy-Org/ComfyUI_frontend, `src/platform/workflow/validation/schemas/workflowSchema.ts`,
//! and what the published templates hold. Reading never fails: whatever is strange is left out or
//! kept as it is, with a finding that says so. Nothing here recurses over the file's structure.
//!
//! - [`shape`]: the file's fields, in every form they have had.
//! - [`widgets`]: which value belongs to which widget.
//! - [`sheet`]: one graph; [`node`]: one node of it; [`reroute`]: points on its links.
//! - [`definition`]: subgraphs, their ports and the values that instances take from within.

mod definition;
mod node;
mod reroute;
mod shape;
mod sheet;
mod widgets;

use std::collections::HashMap;

use indexmap::IndexMap;
use serde_json::{Map, Value};

use super::MAX_LITERAL_DEPTH;
use crate::literal::fits_depth;
use crate::{Catalog, Diagnostic, NodeId, Place, Project, Sentence, say};
use definition::Ports;
use shape::Sheet;

/// Where the original of an unknown node is kept in its `extra`.
pub(super) const KEPT: &str = "comfyui";

/// Reads the top object of a workflow. What is strange in it goes to `found`.
pub(super) fn from_json(
    mut top: Map<String, Value>,
    catalog: &dyn Catalog,
    found: &mut Vec<Diagnostic>,
) -> Project {
    let mut cx = Cx {
        catalog,
        ports: IndexMap::new(),
        scope: None,
        unknown: IndexMap::new(),
        found,
    };
    let definitions = definition::take(&mut top, &mut cx);
    let mut subgraphs = IndexMap::new();
    for (id, draft) in definitions {
        subgraphs.insert(id, draft.build(&mut cx));
    }
    cx.scope = None;
    let sheet = Sheet::take(&mut top);
    let mut project = sheet::build(sheet, &mut cx, None);
    project.subgraphs = subgraphs;
    definition::fill(&mut project, &cx.ports);
    // Where the checkpoints of the graph can be had.
    if let Some(models) = top.shift_remove("models").filter(keeps) {
        project.extra.insert("models".to_owned(), models);
    }
    cx.report_unknown();
    project
}

/// What is known while a workflow is read.
struct Cx<'a> {
    catalog: &'a dyn Catalog,
    /// The ports of every definition, by its id.
    ports: IndexMap<String, Ports>,
    /// The name of the definition being read; `None` at the root.
    scope: Option<String>,
    /// How often each class was met that nobody knows.
    unknown: IndexMap<String, usize>,
    found: &'a mut Vec<Diagnostic>,
}

impl Cx<'_> {
    /// A finding at a node, or at the graph as a whole.
    fn say(&mut self, code: &'static str, at: Option<(&str, &str)>, message: Sentence) {
        // An id inside a definition is nobody's in the whole graph: instances have their own.
        let (place, message) = match (&self.scope, at) {
            (None, Some((id, class))) => (Place::node(&NodeId::new(id), &short(class)), message),
            (None, None) => (Place::default(), message),
            (Some(scope), Some((id, class))) => {
                let (id, class, scope) = (short(id), short(class), short(scope));
                let message = say!(
                    "subgraph `{scope}`, node {id} ({class}): {message}",
                    "サブグラフ「{scope}」、ノード {id} ({class}): {message}";
                    message
                );
                (Place::default(), message)
            }
            (Some(scope), None) => (
                Place::default(),
                say!(
                    "subgraph `{}`: {message}",
                    "サブグラフ「{}」: {message}",
                    short(scope);
                    message
                ),
            ),
        };
        self.found.push(Diagnostic::warning(code, place, message));
    }

    fn report_unknown(&mut self) {
        for (class, count) in std::mem::take(&mut self.unknown) {
            let nodes = if count == 1 { "node" } else { "nodes" };
            let class = short(&class);
            let message = say!(
                "{count} {nodes} of the class `{class}`, which this program does not have: kept with \
                all that the workflow says of them, but they cannot run",
                "クラス「{class}」のノード {count} 個はこのプログラムにありません。\
                ワークフローの内容はすべて残しますが、実行できません。"
            );
            self.scope = None;
            self.say("unknown_class", None, message);
        }
    }
}

fn short(text: &str) -> String {
    crate::literal::shorten(text, 60)
}

/// Whether a value can be kept: no file of ours may hold deeper ones.
fn keeps(value: &Value) -> bool {
    fits_depth(value, MAX_LITERAL_DEPTH)
}

/// Gives out names that are not taken.
#[derive(Default)]
struct Names {
    taken: HashMap<String, usize>,
}

impl Names {
    /// `wanted`, or `wanted` with a number behind it.
    fn fresh(&mut self, wanted: &str) -> String {
        let mut name = wanted.to_owned();
        while self.taken.contains_key(&name) {
            // Counted on, so that a thousand of one name are not tried a thousand times each.
            let count = self.taken.entry(wanted.to_owned()).or_insert(1);
            *count += 1;
            name = format!("{wanted}_{count}");
        }
        self.taken.insert(name.clone(), 1);
        name
    }
}

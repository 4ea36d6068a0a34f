//! Several nodes: the parameters they share, edited together.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use egui::{Id, Ui};
use longtake_editor::shape::{InputShape, Origin, Shape};
use longtake_editor::{Action, Text, t};
use longtake_graph::{Edit, NodeId};

use super::parts;
use crate::Cx;
use crate::theme::UNIT;
use crate::widgets::{Room, parameters_ui};

const COUNT: Text = t("{} nodes", "{} ノード");
const COMMON: Text = t("Common parameters", "共通のパラメーター");
const NONE: Text = t(
    "These nodes share no parameter.",
    "共通のパラメーターはありません。",
);
const DIFFER: Text = t(
    "≠: the values differ; an edit sets all of them.",
    "≠: 値が異なります。編集するとすべて同じ値になります。",
);
const COLOUR: Text = t("Colour nodes", "ノードの色を変更");

/// Everything that several nodes have in common.
pub fn nodes_ui(ui: &mut Ui, cx: &mut Cx<'_>, nodes: &[NodeId]) {
    ui.heading(COUNT.with(cx.studio.language(), &[&nodes.len().to_string()]));
    ui.add_space(UNIT);
    parts::mode_ui(ui, cx, nodes);
    let graph = cx.studio.session.graph();
    let mut colours = nodes
        .iter()
        .map(|id| graph.nodes.get(id)?.colour.as_deref());
    let first = colours.next().flatten();
    let shared = first.filter(|first| colours.all(|it| it == Some(first)));
    if let Some(parts::Picked(colour)) = parts::colours_ui(ui, cx, shared) {
        let set = |id: &NodeId| Edit::Colour {
            id: id.clone(),
            colour: colour.clone(),
        };
        let edit = Edit::Batch(nodes.iter().map(set).collect());
        cx.act(Action::Edit(COLOUR, edit));
    }
    parts::section(ui, cx.tr(COMMON));
    let found = kept_common(ui, cx, nodes);
    let (common, differ) = (&found.0, found.1);
    if common.is_empty() {
        ui.weak(cx.tr(NONE));
    }
    ui.scope(|ui| {
        ui.spacing_mut().item_spacing.y = 0.0;
        for input in common {
            parameters_ui(ui, cx, nodes, input, Room::Inspector);
        }
    });
    if differ {
        ui.add_space(UNIT);
        ui.weak(cx.tr(DIFFER));
    }
}

/// What nodes share, and whether their values differ.
type Common = (Vec<InputShape>, bool);

#[derive(Clone)]
struct Kept {
    key: u64,
    common: Arc<Common>,
}

/// [`common`], made anew when the selection, the document or the language is another one: thousands of
/// nodes may be selected.
fn kept_common(ui: &Ui, cx: &Cx<'_>, nodes: &[NodeId]) -> Arc<Common> {
    let session = &cx.studio.session;
    let mut hash = DefaultHasher::new();
    let document = (session.opened(), session.revision(), session.subgraph());
    (document, cx.studio.language().name(), nodes).hash(&mut hash);
    let key = hash.finish();
    let id = Id::new("common parameters");
    if let Some(kept) = ui.data(|it| it.get_temp::<Kept>(id))
        && kept.key == key
    {
        return kept.common;
    }
    let kept = Kept {
        key,
        common: Arc::new(common(cx, nodes)),
    };
    ui.data_mut(|it| it.insert_temp(id, kept.clone()));
    kept.common
}

/// Parameters of one name and one type in all nodes, with `≠` before the label where values differ.
fn common(cx: &Cx<'_>, nodes: &[NodeId]) -> Common {
    let session = &cx.studio.session;
    let graph = session.graph();
    // Nodes of a declared class have one shape.
    let mut shapes: HashMap<&str, Arc<Shape>> = HashMap::new();
    let mut shape = |id: &NodeId| {
        let node = graph.nodes.get(id)?;
        if let Some(shape) = shapes.get(node.class.as_str()) {
            return Some((node, shape.clone()));
        }
        let (catalog, language) = (cx.studio.engine.catalog(), cx.studio.language());
        let shape = Arc::new(Shape::of(
            session.project(),
            session.subgraph(),
            node,
            catalog,
            language,
        ));
        if matches!(shape.origin, Origin::Known(_)) {
            shapes.insert(&node.class, shape.clone());
        }
        Some((node, shape))
    };
    let shapes: Vec<_> = nodes.iter().filter_map(&mut shape).collect();
    let Some(((first, shape), others)) = shapes.split_first() else {
        return (Vec::new(), false);
    };
    let mut any = false;
    let mut found = Vec::new();
    for input in shape.inputs.iter().filter(|it| it.is_parameter()) {
        let same = |other: &Shape| {
            let at = other.input_index(&input.name);
            let decl = at.and_then(|at| other.inputs[at].decl);
            decl.zip(input.decl).is_some_and(|(a, b)| {
                std::mem::discriminant(&a.ty) == std::mem::discriminant(&b.ty)
            })
        };
        if !others.iter().all(|(_, shape)| same(shape)) {
            continue;
        }
        let value = first.inputs.get(&input.name);
        let differ = others
            .iter()
            .any(|(node, _)| node.inputs.get(&input.name) != value);
        let mut input = input.clone();
        if differ {
            input.label = format!("≠ {}", input.label);
            any = true;
        }
        found.push(input);
    }
    (found, any)
}

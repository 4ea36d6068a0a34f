//! Several nodes: the parameters they share, edited together.

use egui::Ui;
use longtake_editor::shape::{InputShape, Shape};
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
    let (common, differ) = common(cx, nodes);
    if common.is_empty() {
        ui.weak(cx.tr(NONE));
    }
    ui.scope(|ui| {
        ui.spacing_mut().item_spacing.y = 0.0;
        for input in &common {
            parameters_ui(ui, cx, nodes, input, Room::Inspector);
        }
    });
    if differ {
        ui.add_space(UNIT);
        ui.weak(cx.tr(DIFFER));
    }
}

/// Parameters of one name and one type in all nodes, with `≠` before the label where values differ.
fn common(cx: &Cx<'_>, nodes: &[NodeId]) -> (Vec<InputShape>, bool) {
    let session = &cx.studio.session;
    let graph = session.graph();
    let shape = |id: &NodeId| {
        let node = graph.nodes.get(id)?;
        let (catalog, language) = (cx.studio.engine.catalog(), cx.studio.language());
        let shape = Shape::of(
            session.project(),
            session.subgraph(),
            node,
            catalog,
            language,
        );
        Some((node, shape))
    };
    let shapes: Vec<_> = nodes.iter().filter_map(shape).collect();
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

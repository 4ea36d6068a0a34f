//! One editor per kind of parameter, for the canvas and the inspector alike.
//!
//! **Invariant:** an interaction sends `Action::Live` edits and one `Action::Settle` at its end, so
//! that it is one undo unit. What is shown is always read from the document; an editor remembers
//! only what is under way (a drag's start, half-typed digits).
//!
//! - [`field`]: a parameter and what can be done with any of them; [`cell`]: how they are painted.
//! - [`number`], [`arithmetic`], [`seed`], [`text`], [`toggle`], [`colour`], [`curve`], [`shots`]: the
//!   kinds.
//! - [`combo`], [`model`], [`file`], [`names`]: one of a list.
//! - [`linked`]: a parameter that a link feeds. [`unfinished`]: half typed, and drawn no more.

pub mod arithmetic;
pub mod cell;
pub mod colour;
pub mod combo;
pub mod curve;
pub mod dropping;
pub mod field;
pub mod file;
mod findings;
pub mod linked;
pub mod model;
pub mod names;
pub mod number;
mod range;
pub mod seed;
mod shot_table;
pub mod shots;
#[cfg(test)]
mod tests;
pub mod text;
pub mod toggle;
pub mod unfinished;

use egui::{Rect, UiBuilder, Vec2};
use longtake_editor::shape::InputShape;
use longtake_graph::{Input, InputType, NodeId};

use crate::Cx;
use crate::theme::{ROW, UNIT};
use field::Field;

/// Tells assistive tools what a field is called that shows no label of its own.
pub fn name(response: &egui::Response, name: &str) {
    response
        .ctx
        .accesskit_node_builder(response.id, |node| node.set_label(name));
}

/// How much room there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Room {
    /// A row on a node.
    Node,
    /// The inspector.
    Inspector,
}

/// Draws the editor of one parameter of a node in the open graph, in the width of `ui`, and sends
/// its edits. Numbers drag; a finished interaction is one undo unit.
pub fn parameter_ui(
    ui: &mut egui::Ui,
    cx: &mut Cx<'_>,
    node: &NodeId,
    input: &InputShape,
    room: Room,
) {
    parameters_ui(ui, cx, std::slice::from_ref(node), input, room);
}

/// The same parameter of several nodes: shows the first one's value, edits all of them.
pub fn parameters_ui(
    ui: &mut egui::Ui,
    cx: &mut Cx<'_>,
    nodes: &[NodeId],
    input: &InputShape,
    room: Room,
) {
    let mut size = Vec2::new(ui.available_width(), parameter_height(input, room));
    let (Some(decl), Some((first, others))) = (input.decl, nodes.split_first()) else {
        ui.allocate_space(size);
        return;
    };
    let graph = cx.studio.session.graph();
    let value = graph
        .nodes
        .get(first)
        .and_then(|it| it.inputs.get(&input.name));
    let field = Field {
        node: first,
        others,
        input,
        decl,
        room,
        value: match value {
            Some(Input::Literal(value)) => Some(value),
            Some(Input::Link(_)) | None => None,
        },
    };
    let salt = ("parameter", first.as_str(), input.name.as_str());
    let link = match value {
        Some(Input::Link(link)) => Some(link.clone()),
        Some(Input::Literal(_)) | None => None,
    };
    if room == Room::Inspector && link.is_none() && grows(decl) {
        ui.push_id(salt, |ui| growing_ui(ui, cx, &field));
        return;
    }
    if link.is_some() {
        size.y = ROW;
    }
    let (_, rect) = ui.allocate_space(size);
    if !ui.is_rect_visible(rect) {
        return;
    }
    // A child that the parent does not advance after: the row has its place already.
    let mut child = ui.new_child(UiBuilder::new().id_salt(salt).max_rect(rect));
    let ui = &mut child;
    ui.spacing_mut().item_spacing = Vec2::ZERO;
    let rect = match room {
        Room::Node => rect,
        Room::Inspector => cell::beside_label(ui, cx, &field, rect),
    };
    let rect = rect.shrink2(Vec2::new(0.0, UNIT / 2.0));
    match &link {
        Some(link) => linked::linked_ui(ui, cx, &field, rect, link),
        None => editor_ui(ui, cx, &field, rect),
    }
}

/// Height of a parameter's row, points, without drawing it: node sizes are known before layout.
/// In the inspector, texts and shot lists grow beyond it.
pub fn parameter_height(input: &InputShape, room: Room) -> f32 {
    let Some(decl) = input.decl else {
        return ROW;
    };
    match (&decl.ty, room) {
        (
            InputType::Text {
                multiline: true, ..
            },
            Room::Node,
        ) => 3.0 * ROW,
        (InputType::Curve { .. }, Room::Node) => 4.0 * ROW,
        (_, Room::Node) => ROW,
        (_, Room::Inspector) => ROW + UNIT,
    }
}

/// Whether its editor in the inspector is as high as what it holds.
fn grows(decl: &longtake_graph::InputDecl) -> bool {
    matches!(
        decl.ty,
        InputType::Text {
            multiline: true,
            ..
        } | InputType::Curve { .. }
            | InputType::Shots
    )
}

fn growing_ui(ui: &mut egui::Ui, cx: &mut Cx<'_>, field: &Field<'_>) {
    cell::heading_ui(ui, cx, field);
    match field.decl.ty {
        InputType::Curve { .. } => curve::large_ui(ui, cx, field),
        InputType::Shots => shots::table_ui(ui, cx, field),
        InputType::Text { .. } => text::area_ui(ui, cx, field),
        // These do not grow: see above.
        InputType::Socket(_)
        | InputType::Int { .. }
        | InputType::Float { .. }
        | InputType::Bool { .. }
        | InputType::Choice { .. }
        | InputType::Model { .. }
        | InputType::File { .. }
        | InputType::Colour { .. } => {}
    }
}

fn editor_ui(ui: &mut egui::Ui, cx: &mut Cx<'_>, field: &Field<'_>, rect: Rect) {
    match &field.decl.ty {
        InputType::Int { seed: true, .. } => seed::seed_ui(ui, cx, field, rect),
        InputType::Int { .. } | InputType::Float { .. } => {
            number::number_ui(ui, cx, field, rect);
        }
        InputType::Text { multiline, .. } => text::text_ui(ui, cx, field, rect, *multiline),
        InputType::Bool { .. } => toggle::toggle_ui(ui, cx, field, rect),
        InputType::Choice { options, .. } => combo::choice_ui(ui, cx, field, rect, options),
        InputType::Model { folder } => model::model_ui(ui, cx, field, rect, *folder),
        InputType::File { what } => file::file_ui(ui, cx, field, rect, *what),
        InputType::Colour { .. } => colour::colour_ui(ui, cx, field, rect),
        InputType::Shots => shots::summary_ui(ui, cx, field, rect),
        InputType::Curve { .. } => curve::curve_ui(ui, cx, field, rect),
        InputType::Socket(_) => {}
    }
}

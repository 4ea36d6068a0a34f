//! One editor per kind of parameter, for the canvas and the inspector alike.

use longtake_editor::shape::InputShape;
use longtake_graph::NodeId;

use crate::Cx;

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
    let _ = (ui, cx, node, input, room);
}

/// Height of a parameter's row, points, without drawing it: node sizes are known before layout.
pub fn parameter_height(input: &InputShape, room: Room) -> f32 {
    let _ = (input, room);
    crate::theme::ROW
}

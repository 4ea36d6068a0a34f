//! What no edit may bring into a project: it could not be saved and read again.

use serde_json::Value;

use super::EditError;
use crate::format::MAX_LITERAL_DEPTH;
use crate::literal::fits_depth;
use crate::{Input, Node, Port, Project};

/// A whole node.
pub fn sound_node(node: &Node) -> Result<(), EditError> {
    finite(node.pos.as_ref().map(<[f32; 2]>::as_slice))?;
    finite(node.size.as_ref().map(<[f32; 2]>::as_slice))?;
    node.inputs.values().try_for_each(shallow_input)?;
    node.extra.values().try_for_each(shallow)
}

/// A whole graph.
pub fn sound_graph(graph: &Project) -> Result<(), EditError> {
    graph.nodes.values().try_for_each(sound_node)?;
    for group in graph.groups.values() {
        finite(Some(&group.bounds))?;
        group.extra.values().try_for_each(shallow)?;
    }
    for note in graph.notes.values() {
        finite(Some(&note.bounds))?;
        note.extra.values().try_for_each(shallow)?;
    }
    graph.extra.values().try_for_each(shallow)
}

/// Ports.
pub fn sound_ports(ports: &[Port]) -> Result<(), EditError> {
    let extras = ports.iter().flat_map(|port| port.extra.values());
    extras.into_iter().try_for_each(shallow)
}

/// A literal at an input.
pub fn shallow_input(input: &Input) -> Result<(), EditError> {
    match input {
        Input::Literal(value) => shallow(value),
        Input::Link(_) => Ok(()),
    }
}

/// Any value.
pub fn shallow(value: &Value) -> Result<(), EditError> {
    if fits_depth(value, MAX_LITERAL_DEPTH) {
        Ok(())
    } else {
        Err(EditError::TooDeep)
    }
}

/// Points on the canvas.
pub fn finite(numbers: Option<&[f32]>) -> Result<(), EditError> {
    match numbers {
        Some(numbers) if !numbers.iter().all(|it| it.is_finite()) => Err(EditError::NotFinite {
            found: format!("{numbers:?}"),
        }),
        _ => Ok(()),
    }
}

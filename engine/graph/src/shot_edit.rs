//! Edits of single shots, made as edits of the list that a `Storyboard` node holds.

use serde_json::Value;

use crate::edit::{Part, missing};
use crate::{Edit, EditError, Input, NodeId, Project, say};

/// The input of a `Storyboard` node that holds its shots.
const SHOTS: &str = "shots";

/// Changes fields of one shot (`None` removes a field), as an edit of the storyboard's `shots`.
///
/// # Errors
/// [`EditError::Missing`] without the node, [`EditError::Shots`] without the shot.
pub fn shot_edit(
    project: &Project,
    node: &NodeId,
    shot: &str,
    changes: &[(&str, Option<Value>)],
) -> Result<Edit, EditError> {
    let mut shots = shot_list(project, node)?;
    let at = shot_index(&shots, node, shot)?;
    if let Some(Value::Object(fields)) = shots.get_mut(at) {
        for (key, value) in changes {
            match value {
                Some(value) => {
                    fields.insert((*key).to_owned(), value.clone());
                }
                None => {
                    fields.shift_remove(*key);
                }
            }
        }
    }
    Ok(set_shots(node, shots))
}

/// Adds a shot (an object with `id` and `seconds`) at a position in the film.
///
/// # Errors
/// [`EditError::Missing`] without the node, [`EditError::Exists`] when a shot has that id,
/// [`EditError::Position`] behind the end.
pub fn add_shot(
    project: &Project,
    node: &NodeId,
    at: usize,
    shot: Value,
) -> Result<Edit, EditError> {
    let mut shots = shot_list(project, node)?;
    if let Some(id) = shot.get("id").and_then(Value::as_str)
        && shot_index(&shots, node, id).is_ok()
    {
        return Err(EditError::Exists {
            what: Part::Shot,
            id: id.to_owned(),
        });
    }
    if at > shots.len() {
        return Err(EditError::Position {
            at,
            len: shots.len(),
        });
    }
    shots.insert(at, shot);
    Ok(set_shots(node, shots))
}

/// Removes a shot.
///
/// # Errors
/// As [`shot_edit`].
pub fn remove_shot(project: &Project, node: &NodeId, shot: &str) -> Result<Edit, EditError> {
    let mut shots = shot_list(project, node)?;
    shots.remove(shot_index(&shots, node, shot)?);
    Ok(set_shots(node, shots))
}

/// Moves a shot to a position in the film.
///
/// # Errors
/// As [`shot_edit`], and [`EditError::Position`] behind the end.
pub fn move_shot(
    project: &Project,
    node: &NodeId,
    shot: &str,
    to: usize,
) -> Result<Edit, EditError> {
    let mut shots = shot_list(project, node)?;
    let moved = shots.remove(shot_index(&shots, node, shot)?);
    if to > shots.len() {
        return Err(EditError::Position {
            at: to,
            len: shots.len() + 1,
        });
    }
    shots.insert(to, moved);
    Ok(set_shots(node, shots))
}

fn set_shots(node: &NodeId, shots: Vec<Value>) -> Edit {
    let value = Some(Input::Literal(Value::Array(shots)));
    Edit::SetInput {
        node: node.clone(),
        input: SHOTS.to_owned(),
        value,
    }
}

fn shot_list(project: &Project, id: &NodeId) -> Result<Vec<Value>, EditError> {
    let node = project
        .nodes
        .get(id)
        .ok_or_else(|| missing(Part::Node, id.as_str()))?;
    match node.inputs.get(SHOTS) {
        Some(Input::Literal(Value::Array(shots))) => Ok(shots.clone()),
        None => Ok(Vec::new()),
        Some(_) => Err(EditError::Shots {
            node: id.clone(),
            reason: say!(
                "its shots are no list written in the graph, so they cannot be edited here",
                "ショットがグラフに書かれたリストではないため、ここでは編集できません。"
            ),
        }),
    }
}

fn shot_index(shots: &[Value], node: &NodeId, shot: &str) -> Result<usize, EditError> {
    let named = |it: &Value| it.get("id").and_then(Value::as_str) == Some(shot);
    shots
        .iter()
        .position(named)
        .ok_or_else(|| EditError::Shots {
            node: node.clone(),
            reason: say!(
                "there is no shot `{shot}`",
                "ショット「{shot}」はありません。"
            ),
        })
}

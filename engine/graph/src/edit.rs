//! Changes of a project as values; applying one gives back the change that undoes it.
//!
//! The inverse brings back everything, the order of nodes and inputs too, so that an undone file
//! is the same text. A half-built graph is normal: an edit may leave a link without a node at its
//! other end, which [`crate::check()`] reports.

use std::hash::Hash;

use indexmap::IndexMap;

use crate::format::MAX_LITERAL_DEPTH;
use crate::literal::fits_depth;
use crate::{Group, Input, Mode, Node, NodeId, Note, Project};

/// A change of a project.
#[derive(Clone, Debug, PartialEq)]
pub enum Edit {
    /// Adds a node, at a position in document order or at the end.
    AddNode {
        id: NodeId,
        node: Node,
        at: Option<usize>,
    },
    /// Removes a node and the links of others to it.
    RemoveNode { id: NodeId },
    /// Removes a node alone; links to it stay without an end. The inverse of [`Edit::AddNode`].
    TakeNode { id: NodeId },
    /// Moves a node to a position in document order.
    ReorderNode { id: NodeId, at: usize },
    /// Writes a literal or link at an input, or clears it.
    SetInput {
        node: NodeId,
        input: String,
        value: Option<Input>,
    },
    /// Adds an input at a position among the node's inputs; it must not be there yet.
    InsertInput {
        node: NodeId,
        input: String,
        value: Input,
        at: usize,
    },
    /// Gives a node a title, or its class's.
    SetTitle { id: NodeId, title: Option<String> },
    /// Activates, mutes or bypasses a node.
    SetMode { id: NodeId, mode: Mode },
    /// Moves a node on the canvas.
    Move { id: NodeId, pos: Option<[f32; 2]> },
    /// Gives a node a size on the canvas.
    Resize { id: NodeId, size: Option<[f32; 2]> },
    /// Gives a node a colour.
    Colour { id: NodeId, colour: Option<String> },
    /// Folds or unfolds a node.
    Collapse { id: NodeId, collapsed: bool },
    /// Adds a group, at a position or at the end.
    AddGroup {
        id: String,
        group: Group,
        at: Option<usize>,
    },
    /// Removes a group, not the nodes in it.
    RemoveGroup { id: String },
    /// Replaces a group.
    SetGroup { id: String, group: Group },
    /// Adds a note, at a position or at the end.
    AddNote {
        id: String,
        note: Note,
        at: Option<usize>,
    },
    /// Removes a note.
    RemoveNote { id: String },
    /// Replaces a note.
    SetNote { id: String, note: Note },
    /// Names the film or graph.
    SetProjectTitle { title: String },
    /// Several changes as one: all of them or none.
    Batch(Vec<Edit>),
}

/// Why an edit cannot be applied. The project is untouched then.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    /// There is nothing of that id.
    #[error("there is no {what} `{id}`")]
    Missing { what: &'static str, id: String },
    /// The id is in use.
    #[error("there is a {what} `{id}` already; choose another id")]
    Exists { what: &'static str, id: String },
    /// A position behind the end.
    #[error("position {at} is behind the end; there are {len}")]
    Position { at: usize, len: usize },
    /// Canvas points must be finite.
    #[error("expected finite numbers of points, found {found}")]
    NotFinite { found: String },
    /// A literal that the file's reader would refuse.
    #[error("the value is nested deeper than {MAX_LITERAL_DEPTH} levels, which no file could hold")]
    TooDeep,
    /// The shot list is not what the edit needs.
    #[error("node {node}: {reason}")]
    Shots { node: NodeId, reason: String },
}

/// Applies `edit` and returns the edit that takes it back.
///
/// # Errors
/// [`EditError`] when a thing named does not exist, or exists already; the project is untouched.
pub fn apply(project: &mut Project, edit: Edit) -> Result<Edit, EditError> {
    match edit {
        Edit::AddNode { id, node, at } => add_node(project, id, node, at),
        Edit::RemoveNode { id } => remove_node(project, id),
        Edit::TakeNode { id } => take_node(project, id),
        Edit::ReorderNode { id, at } => reorder_node(project, id, at),
        Edit::SetInput { node, input, value } => set_input(project, node, input, value),
        Edit::InsertInput {
            node,
            input,
            value,
            at,
        } => insert_input(project, node, input, value, at),
        Edit::SetTitle { id, title } => {
            let title = std::mem::replace(&mut node(project, &id)?.title, title);
            Ok(Edit::SetTitle { id, title })
        }
        Edit::SetMode { id, mode } => {
            let mode = std::mem::replace(&mut node(project, &id)?.mode, mode);
            Ok(Edit::SetMode { id, mode })
        }
        Edit::Move { id, pos } => {
            finite(pos.as_ref().map(<[f32; 2]>::as_slice))?;
            let pos = std::mem::replace(&mut node(project, &id)?.pos, pos);
            Ok(Edit::Move { id, pos })
        }
        Edit::Resize { id, size } => {
            finite(size.as_ref().map(<[f32; 2]>::as_slice))?;
            let size = std::mem::replace(&mut node(project, &id)?.size, size);
            Ok(Edit::Resize { id, size })
        }
        Edit::Colour { id, colour } => {
            let colour = std::mem::replace(&mut node(project, &id)?.colour, colour);
            Ok(Edit::Colour { id, colour })
        }
        Edit::Collapse { id, collapsed } => {
            let collapsed = std::mem::replace(&mut node(project, &id)?.collapsed, collapsed);
            Ok(Edit::Collapse { id, collapsed })
        }
        Edit::SetProjectTitle { title } => Ok(Edit::SetProjectTitle {
            title: std::mem::replace(&mut project.title, title),
        }),
        Edit::Batch(edits) => batch(project, edits),
        Edit::AddGroup { id, group, at } => {
            finite(Some(&group.bounds))?;
            insert(&mut project.groups, "group", id.clone(), group, at)?;
            Ok(Edit::RemoveGroup { id })
        }
        Edit::RemoveGroup { id } => {
            let (at, group) = remove(&mut project.groups, "group", &id)?;
            Ok(Edit::AddGroup {
                id,
                group,
                at: Some(at),
            })
        }
        Edit::SetGroup { id, group } => {
            finite(Some(&group.bounds))?;
            let group = replace(&mut project.groups, "group", &id, group)?;
            Ok(Edit::SetGroup { id, group })
        }
        Edit::AddNote { id, note, at } => {
            finite(Some(&note.bounds))?;
            insert(&mut project.notes, "note", id.clone(), note, at)?;
            Ok(Edit::RemoveNote { id })
        }
        Edit::RemoveNote { id } => {
            let (at, note) = remove(&mut project.notes, "note", &id)?;
            Ok(Edit::AddNote {
                id,
                note,
                at: Some(at),
            })
        }
        Edit::SetNote { id, note } => {
            finite(Some(&note.bounds))?;
            let note = replace(&mut project.notes, "note", &id, note)?;
            Ok(Edit::SetNote { id, note })
        }
    }
}

fn batch(project: &mut Project, edits: Vec<Edit>) -> Result<Edit, EditError> {
    let mut inverses = Vec::with_capacity(edits.len());
    for edit in edits {
        match apply(project, edit) {
            Ok(inverse) => inverses.push(inverse),
            Err(error) => {
                for inverse in inverses.into_iter().rev() {
                    let undone = apply(project, inverse);
                    debug_assert!(undone.is_ok(), "an inverse applies: {undone:?}");
                }
                return Err(error);
            }
        }
    }
    inverses.reverse();
    Ok(Edit::Batch(inverses))
}

fn add_node(
    project: &mut Project,
    id: NodeId,
    node: Node,
    at: Option<usize>,
) -> Result<Edit, EditError> {
    finite(node.pos.as_ref().map(<[f32; 2]>::as_slice))?;
    finite(node.size.as_ref().map(<[f32; 2]>::as_slice))?;
    node.inputs.values().try_for_each(shallow)?;
    insert(&mut project.nodes, "node", id.clone(), node, at)?;
    Ok(Edit::TakeNode { id })
}

fn take_node(project: &mut Project, id: NodeId) -> Result<Edit, EditError> {
    let (at, node) = remove(&mut project.nodes, "node", &id)?;
    Ok(Edit::AddNode {
        id,
        node,
        at: Some(at),
    })
}

/// Clears the links of others first; the node's own inputs go and come with it.
fn remove_node(project: &mut Project, id: NodeId) -> Result<Edit, EditError> {
    if !project.nodes.contains_key(&id) {
        return Err(missing("node", id.as_str()));
    }
    let ends_here = |input: &Input| matches!(input, Input::Link(link) if link.node == id);
    let mut edits: Vec<Edit> = project
        .nodes
        .iter()
        .filter(|(other, _)| **other != id)
        .flat_map(|(other, node)| {
            node.inputs
                .iter()
                .filter(|(_, input)| ends_here(input))
                .map(|(name, _)| Edit::SetInput {
                    node: other.clone(),
                    input: name.clone(),
                    value: None,
                })
        })
        .collect();
    edits.push(Edit::TakeNode { id });
    batch(project, edits)
}

fn reorder_node(project: &mut Project, id: NodeId, at: usize) -> Result<Edit, EditError> {
    let from = project
        .nodes
        .get_index_of(&id)
        .ok_or_else(|| missing("node", id.as_str()))?;
    let len = project.nodes.len();
    if at >= len {
        return Err(EditError::Position { at, len });
    }
    project.nodes.move_index(from, at);
    Ok(Edit::ReorderNode { id, at: from })
}

fn set_input(
    project: &mut Project,
    id: NodeId,
    input: String,
    value: Option<Input>,
) -> Result<Edit, EditError> {
    let inputs = &mut node(project, &id)?.inputs;
    let Some(value) = value else {
        return Ok(match inputs.shift_remove_full(&input) {
            Some((at, input, value)) => Edit::InsertInput {
                node: id,
                input,
                value,
                at,
            },
            None => Edit::SetInput {
                node: id,
                input,
                value: None,
            },
        });
    };
    shallow(&value)?;
    let value = inputs.insert(input.clone(), value);
    Ok(Edit::SetInput {
        node: id,
        input,
        value,
    })
}

fn insert_input(
    project: &mut Project,
    id: NodeId,
    input: String,
    value: Input,
    at: usize,
) -> Result<Edit, EditError> {
    shallow(&value)?;
    insert(
        &mut node(project, &id)?.inputs,
        "input",
        input.clone(),
        value,
        Some(at),
    )?;
    Ok(Edit::SetInput {
        node: id,
        input,
        value: None,
    })
}

fn insert<K: Hash + Eq + ToString, V>(
    map: &mut IndexMap<K, V>,
    what: &'static str,
    key: K,
    value: V,
    at: Option<usize>,
) -> Result<(), EditError> {
    let len = map.len();
    let at = at.unwrap_or(len);
    if map.contains_key(&key) {
        return Err(EditError::Exists {
            what,
            id: key.to_string(),
        });
    }
    if at > len {
        return Err(EditError::Position { at, len });
    }
    map.shift_insert(at, key, value);
    Ok(())
}

fn remove<K: Hash + Eq + ToString, V>(
    map: &mut IndexMap<K, V>,
    what: &'static str,
    key: &K,
) -> Result<(usize, V), EditError> {
    let (at, _, value) = map
        .shift_remove_full(key)
        .ok_or_else(|| missing(what, &key.to_string()))?;
    Ok((at, value))
}

fn replace<K: Hash + Eq + ToString, V>(
    map: &mut IndexMap<K, V>,
    what: &'static str,
    key: &K,
    value: V,
) -> Result<V, EditError> {
    let old = map
        .get_mut(key)
        .ok_or_else(|| missing(what, &key.to_string()))?;
    Ok(std::mem::replace(old, value))
}

fn node<'a>(project: &'a mut Project, id: &NodeId) -> Result<&'a mut Node, EditError> {
    project
        .nodes
        .get_mut(id)
        .ok_or_else(|| missing("node", id.as_str()))
}

pub(crate) fn missing(what: &'static str, id: &str) -> EditError {
    EditError::Missing {
        what,
        id: id.to_owned(),
    }
}

fn shallow(input: &Input) -> Result<(), EditError> {
    match input {
        Input::Literal(value) if !fits_depth(value, MAX_LITERAL_DEPTH) => Err(EditError::TooDeep),
        _ => Ok(()),
    }
}

fn finite(numbers: Option<&[f32]>) -> Result<(), EditError> {
    match numbers {
        Some(numbers) if !numbers.iter().all(|it| it.is_finite()) => Err(EditError::NotFinite {
            found: format!("{numbers:?}"),
        }),
        _ => Ok(()),
    }
}

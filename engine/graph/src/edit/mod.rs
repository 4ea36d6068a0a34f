//! Changes of a project as values; applying one gives back the change that undoes it.
//!
//! The inverse brings back everything, the order of nodes and inputs too, so that an undone file
//! is the same text. A half-built graph is normal: an edit may leave a link without a node at its
//! other end, which [`crate::check()`] reports.

mod check;
mod definitions;
mod error;
mod map;
mod nodes;

use serde_json::Value;

use self::check::finite;
pub(crate) use self::error::missing;
pub use self::error::{EditError, Part};
use self::map::{insert, remove, replace};
use self::nodes::node;
use crate::{Group, Input, Mode, Node, NodeId, Note, Port, Project, Subgraph};

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
    /// Names the film or graph; within a subgraph, the subgraph.
    SetProjectTitle { title: String },
    /// Writes a key that is no field of a node (`extra`), or clears it.
    SetExtra {
        id: NodeId,
        key: String,
        value: Option<Value>,
    },
    /// Adds such a key at a position; it must not be there yet.
    InsertExtra {
        id: NodeId,
        key: String,
        value: Value,
        at: usize,
    },
    /// Changes the graph of a subgraph's definition. Definitions themselves all lie at the root.
    Within { subgraph: String, edit: Box<Edit> },
    /// Adds a definition, at a position or at the end.
    AddSubgraph {
        id: String,
        subgraph: Box<Subgraph>,
        at: Option<usize>,
    },
    /// Removes a definition; its instances stay, as nodes of an unknown class.
    RemoveSubgraph { id: String },
    /// Replaces the ports of a definition. Links and inputs stay as they are, inside and outside.
    SetPorts {
        subgraph: String,
        inputs: Vec<Port>,
        outputs: Vec<Port>,
    },
    /// Several changes as one: all of them or none.
    Batch(Vec<Edit>),
}

impl Edit {
    /// Whether it changes only how the graph looks on the canvas: what runs, and what is found wrong
    /// with it, stays the same.
    pub fn only_looks(&self) -> bool {
        match self {
            Self::Move { .. }
            | Self::Resize { .. }
            | Self::Colour { .. }
            | Self::Collapse { .. }
            | Self::SetTitle { .. }
            | Self::AddGroup { .. }
            | Self::RemoveGroup { .. }
            | Self::SetGroup { .. }
            | Self::AddNote { .. }
            | Self::RemoveNote { .. }
            | Self::SetNote { .. } => true,
            Self::Within { edit, .. } => edit.only_looks(),
            Self::Batch(edits) => edits.iter().all(Self::only_looks),
            Self::AddNode { .. }
            | Self::RemoveNode { .. }
            | Self::TakeNode { .. }
            | Self::ReorderNode { .. }
            | Self::SetInput { .. }
            | Self::InsertInput { .. }
            | Self::SetMode { .. }
            | Self::SetProjectTitle { .. }
            | Self::SetExtra { .. }
            | Self::InsertExtra { .. }
            | Self::AddSubgraph { .. }
            | Self::RemoveSubgraph { .. }
            | Self::SetPorts { .. } => false,
        }
    }
}

/// Applies `edit` and returns the edit that takes it back.
///
/// # Errors
/// [`EditError`] when a thing named does not exist, or exists already; the project is untouched.
pub fn apply(project: &mut Project, edit: Edit) -> Result<Edit, EditError> {
    match edit {
        Edit::AddNode { id, node, at } => nodes::add(project, id, node, at),
        Edit::RemoveNode { id } => nodes::remove(project, id),
        Edit::TakeNode { id } => nodes::take(project, id),
        Edit::ReorderNode { id, at } => nodes::reorder(project, id, at),
        Edit::SetInput { node, input, value } => nodes::set_input(project, node, input, value),
        Edit::InsertInput {
            node,
            input,
            value,
            at,
        } => nodes::insert_input(project, node, input, value, at),
        Edit::SetExtra { id, key, value } => nodes::set_extra(project, id, key, value),
        Edit::InsertExtra { id, key, value, at } => {
            nodes::insert_extra(project, id, key, value, at)
        }
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
        Edit::Within { subgraph, edit } => definitions::within(project, subgraph, *edit),
        Edit::AddSubgraph { id, subgraph, at } => definitions::add(project, id, subgraph, at),
        Edit::RemoveSubgraph { id } => definitions::remove(project, id),
        Edit::SetPorts {
            subgraph,
            inputs,
            outputs,
        } => definitions::set_ports(project, subgraph, inputs, outputs),
        Edit::SetProjectTitle { title } => Ok(Edit::SetProjectTitle {
            title: std::mem::replace(&mut project.title, title),
        }),
        Edit::Batch(edits) => batch(project, edits),
        Edit::AddGroup { id, group, at } => {
            finite(Some(&group.bounds))?;
            insert(&mut project.groups, Part::Group, id.clone(), group, at)?;
            Ok(Edit::RemoveGroup { id })
        }
        Edit::RemoveGroup { id } => {
            let (at, group) = remove(&mut project.groups, Part::Group, &id)?;
            Ok(Edit::AddGroup {
                id,
                group,
                at: Some(at),
            })
        }
        Edit::SetGroup { id, group } => {
            finite(Some(&group.bounds))?;
            let group = replace(&mut project.groups, Part::Group, &id, group)?;
            Ok(Edit::SetGroup { id, group })
        }
        Edit::AddNote { id, note, at } => {
            finite(Some(&note.bounds))?;
            insert(&mut project.notes, Part::Note, id.clone(), note, at)?;
            Ok(Edit::RemoveNote { id })
        }
        Edit::RemoveNote { id } => {
            let (at, note) = remove(&mut project.notes, Part::Note, &id)?;
            Ok(Edit::AddNote {
                id,
                note,
                at: Some(at),
            })
        }
        Edit::SetNote { id, note } => {
            finite(Some(&note.bounds))?;
            let note = replace(&mut project.notes, Part::Note, &id, note)?;
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

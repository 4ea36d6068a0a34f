//! Edits of nodes and what stands at their inputs.

use serde_json::Value;

use super::check::{shallow, shallow_input, sound_node};
use super::{Edit, EditError, Part, batch, map, missing};
use crate::format::project::NODE_KEYS;
use crate::{Input, Node, NodeId, Project};

pub fn add(
    project: &mut Project,
    id: NodeId,
    node: Node,
    at: Option<usize>,
) -> Result<Edit, EditError> {
    sound_node(&node)?;
    map::insert(&mut project.nodes, Part::Node, id.clone(), node, at)?;
    Ok(Edit::TakeNode { id })
}

pub fn take(project: &mut Project, id: NodeId) -> Result<Edit, EditError> {
    let (at, node) = map::remove(&mut project.nodes, Part::Node, &id)?;
    Ok(Edit::AddNode {
        id,
        node,
        at: Some(at),
    })
}

/// Clears the links of others first; the node's own inputs go and come with it.
pub fn remove(project: &mut Project, id: NodeId) -> Result<Edit, EditError> {
    if !project.nodes.contains_key(&id) {
        return Err(missing(Part::Node, id.as_str()));
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

pub fn reorder(project: &mut Project, id: NodeId, at: usize) -> Result<Edit, EditError> {
    let from = project
        .nodes
        .get_index_of(&id)
        .ok_or_else(|| missing(Part::Node, id.as_str()))?;
    let len = project.nodes.len();
    if at >= len {
        return Err(EditError::Position { at, len });
    }
    project.nodes.move_index(from, at);
    Ok(Edit::ReorderNode { id, at: from })
}

pub fn set_input(
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
    shallow_input(&value)?;
    let value = inputs.insert(input.clone(), value);
    Ok(Edit::SetInput {
        node: id,
        input,
        value,
    })
}

pub fn insert_input(
    project: &mut Project,
    id: NodeId,
    input: String,
    value: Input,
    at: usize,
) -> Result<Edit, EditError> {
    shallow_input(&value)?;
    map::insert(
        &mut node(project, &id)?.inputs,
        Part::Input,
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

/// Keys of `extra` only: one of the node's own fields would not be written to a file from there.
fn foreign(key: &str) -> Result<(), EditError> {
    if NODE_KEYS.contains(&key) {
        let key = key.to_owned();
        return Err(EditError::FieldKey { key });
    }
    Ok(())
}

pub fn set_extra(
    project: &mut Project,
    id: NodeId,
    key: String,
    value: Option<Value>,
) -> Result<Edit, EditError> {
    foreign(&key)?;
    let extra = &mut node(project, &id)?.extra;
    let Some(value) = value else {
        let Some(at) = extra.keys().position(|it| *it == key) else {
            let value = None;
            return Ok(Edit::SetExtra { id, key, value });
        };
        let value = extra.shift_remove(&key).unwrap_or_default();
        return Ok(Edit::InsertExtra { id, key, value, at });
    };
    shallow(&value)?;
    let value = extra.insert(key.clone(), value);
    Ok(Edit::SetExtra { id, key, value })
}

pub fn insert_extra(
    project: &mut Project,
    id: NodeId,
    key: String,
    value: Value,
    at: usize,
) -> Result<Edit, EditError> {
    foreign(&key)?;
    shallow(&value)?;
    let extra = &mut node(project, &id)?.extra;
    if extra.contains_key(&key) {
        return Err(EditError::Exists {
            what: Part::Key,
            id: key,
        });
    }
    if at > extra.len() {
        let len = extra.len();
        return Err(EditError::Position { at, len });
    }
    extra.shift_insert(at, key.clone(), value);
    let value = None;
    Ok(Edit::SetExtra { id, key, value })
}

/// The node of that id.
pub fn node<'a>(project: &'a mut Project, id: &NodeId) -> Result<&'a mut Node, EditError> {
    project
        .nodes
        .get_mut(id)
        .ok_or_else(|| missing(Part::Node, id.as_str()))
}

//! Edits of subgraphs: their graphs, their ports, and the definitions as a whole.

use super::check::{shallow, sound_graph, sound_ports};
use super::{Edit, EditError, Part, apply, map, missing};
use crate::{Port, Project, Subgraph};

pub fn within(project: &mut Project, subgraph: String, edit: Edit) -> Result<Edit, EditError> {
    if changes_definitions(&edit) {
        return Err(EditError::NestedDefinition { subgraph });
    }
    let inverse = apply(&mut definition(project, &subgraph)?.graph, edit)?;
    let edit = Box::new(inverse);
    Ok(Edit::Within { subgraph, edit })
}

fn changes_definitions(edit: &Edit) -> bool {
    match edit {
        Edit::Within { .. }
        | Edit::AddSubgraph { .. }
        | Edit::RemoveSubgraph { .. }
        | Edit::SetPorts { .. } => true,
        Edit::Batch(edits) => edits.iter().any(changes_definitions),
        Edit::AddNode { .. }
        | Edit::RemoveNode { .. }
        | Edit::TakeNode { .. }
        | Edit::ReorderNode { .. }
        | Edit::SetInput { .. }
        | Edit::InsertInput { .. }
        | Edit::SetTitle { .. }
        | Edit::SetMode { .. }
        | Edit::Move { .. }
        | Edit::Resize { .. }
        | Edit::Colour { .. }
        | Edit::Collapse { .. }
        | Edit::AddGroup { .. }
        | Edit::RemoveGroup { .. }
        | Edit::SetGroup { .. }
        | Edit::AddNote { .. }
        | Edit::RemoveNote { .. }
        | Edit::SetNote { .. }
        | Edit::SetProjectTitle { .. }
        | Edit::SetExtra { .. }
        | Edit::InsertExtra { .. } => false,
    }
}

pub fn add(
    project: &mut Project,
    id: String,
    subgraph: Box<Subgraph>,
    at: Option<usize>,
) -> Result<Edit, EditError> {
    if !subgraph.graph.subgraphs.is_empty() {
        return Err(EditError::NestedDefinition { subgraph: id });
    }
    sound_graph(&subgraph.graph)?;
    sound_ports(&subgraph.inputs)?;
    sound_ports(&subgraph.outputs)?;
    subgraph.extra.values().try_for_each(shallow)?;
    map::insert(
        &mut project.subgraphs,
        Part::Subgraph,
        id.clone(),
        *subgraph,
        at,
    )?;
    Ok(Edit::RemoveSubgraph { id })
}

pub fn remove(project: &mut Project, id: String) -> Result<Edit, EditError> {
    let (at, subgraph) = map::remove(&mut project.subgraphs, Part::Subgraph, &id)?;
    Ok(Edit::AddSubgraph {
        id,
        subgraph: Box::new(subgraph),
        at: Some(at),
    })
}

pub fn set_ports(
    project: &mut Project,
    subgraph: String,
    inputs: Vec<Port>,
    outputs: Vec<Port>,
) -> Result<Edit, EditError> {
    sound_ports(&inputs)?;
    sound_ports(&outputs)?;
    let definition = definition(project, &subgraph)?;
    let inputs = std::mem::replace(&mut definition.inputs, inputs);
    let outputs = std::mem::replace(&mut definition.outputs, outputs);
    Ok(Edit::SetPorts {
        subgraph,
        inputs,
        outputs,
    })
}

fn definition<'a>(project: &'a mut Project, id: &str) -> Result<&'a mut Subgraph, EditError> {
    project
        .subgraphs
        .get_mut(id)
        .ok_or_else(|| missing(Part::Subgraph, id))
}

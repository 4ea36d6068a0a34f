//! All links of an output taken to another one; a node put into a link.

use longtake_graph::{Edit, Input, Link, NodeId, Project};

use crate::connect::{fits, fitting_inputs, fitting_outputs, put_link, take_link};
use crate::cycle::cycle;
use crate::draft::Draft;
use crate::language::{Text, t};
use crate::refusal::Refusal;
use crate::scene::Scene;
use crate::shape::Shape;
use crate::studio::Studio;

const MOVE_LINKS: Text = t("Move links", "リンクを移す");
const PUT_INTO: Text = t("Insert into link", "リンクに挿入");
const MOVE: Text = t("Move", "移動");

/// The inputs that an output feeds.
pub fn fed(graph: &Project, from: &Link) -> Vec<(NodeId, String)> {
    let nodes = graph.nodes.iter();
    nodes
        .flat_map(|(id, node)| {
            node.inputs
                .iter()
                .map(move |(name, input)| (id, name, input))
        })
        .filter(|(_, _, input)| matches!(input, Input::Link(link) if link == from))
        .map(|(id, name, _)| (id.clone(), name.clone()))
        .collect()
}

/// Where a node stands in a link that carries `carried` to an input that takes `wanted`: its input
/// and its output. Only sockets that are free; a parameter is none.
pub fn between(
    shape: &Shape,
    free: impl Fn(usize) -> bool,
    carried: &str,
    wanted: &str,
) -> Option<(usize, usize)> {
    let inputs = fitting_inputs(shape, carried);
    let input = inputs
        .into_iter()
        .find(|&it| !shape.inputs[it].is_parameter() && free(it))?;
    let output = fitting_outputs(shape, wanted).into_iter().next()?;
    Some((input, output))
}

/// The edit of the whole document that lets `to` feed all that `from` feeds.
///
/// # Errors
/// One of the inputs does not take it; then no link moves.
pub fn move_links(scene: &Scene<'_>, from: &Link, to: &Link) -> Result<Edit, Refusal> {
    if from == to {
        return Ok(Edit::Batch(Vec::new()));
    }
    let ends = fed(scene.graph(), from);
    let mut draft = Draft::of_all(scene);
    for (id, input) in &ends {
        take_link(&mut draft, id, input)?;
    }
    for (id, input) in &ends {
        link(scene, &mut draft, id, input, to.clone())?;
    }
    Ok(draft.finish())
}

/// The edit of the whole document that puts a node into the link at an input.
///
/// # Errors
/// There is no link, or the node has no free sockets for it.
pub fn put_into(scene: &Scene<'_>, id: &NodeId, to: &NodeId, at: &str) -> Result<Edit, Refusal> {
    let no_input = |node: &NodeId, input: &str| Refusal::NoInput {
        node: node.clone(),
        input: input.to_owned(),
    };
    let node = scene.node(id).ok_or_else(|| Refusal::NoNode(id.clone()))?;
    let end = scene.node(to).ok_or_else(|| Refusal::NoNode(to.clone()))?;
    let Some(Input::Link(from)) = end.inputs.get(at) else {
        return Err(no_input(to, at));
    };
    let carried = scene.output_kind(from).unwrap_or_else(|| "*".to_owned());
    let wanted = scene.shape(end).inputs.into_iter().find(|it| it.name == at);
    let wanted = wanted.map_or_else(|| "*".to_owned(), |it| it.kind);
    let shape = scene.shape(node);
    let free = |it: usize| {
        !matches!(
            node.inputs.get(&shape.inputs[it].name),
            Some(Input::Link(_))
        )
    };
    let (input, output) =
        between(&shape, free, &carried, &wanted).ok_or_else(|| no_input(id, &carried))?;
    let mut draft = Draft::of_all(scene);
    take_link(&mut draft, to, at)?;
    link(
        scene,
        &mut draft,
        id,
        &shape.inputs[input].name,
        from.clone(),
    )?;
    let through = Link {
        node: id.clone(),
        output: output as u32,
    };
    link(scene, &mut draft, to, at, through)?;
    Ok(draft.finish())
}

fn link(
    scene: &Scene<'_>,
    draft: &mut Draft,
    to: &NodeId,
    input: &str,
    from: Link,
) -> Result<(), Refusal> {
    let now = draft.scene(scene.catalog);
    fits(&now, to, input, &from)?;
    if let Some(nodes) = cycle(&now, to, input, &from) {
        return Err(Refusal::Cycle(nodes));
    }
    put_link(draft, to, input, from)?;
    Ok(())
}

impl Studio {
    /// Takes all links of an output to another one: one undo unit.
    pub(crate) fn move_links(&mut self, from: &Link, to: &Link) {
        let scene = self.session.scene(self.engine.catalog());
        let edit = move_links(&scene, from, to);
        self.change_root(MOVE_LINKS, edit);
    }

    /// Moves a node to a point and puts it into the link at an input: one undo unit. Where it does
    /// not fit it is moved only, and the reason told.
    pub(crate) fn put_into(&mut self, id: &NodeId, pos: [f32; 2], to: &NodeId, input: &str) {
        let scene = self.session.scene(self.engine.catalog());
        let moved = Edit::Move {
            id: id.clone(),
            pos: Some(pos),
        };
        let put = put_into(&scene, id, to, input);
        let scoped = self.session.scoped(moved.clone());
        let edit = put.map(|put| Edit::Batch(vec![scoped, put]));
        if !self.change_root(PUT_INTO, edit) {
            self.change(MOVE, Ok(moved));
        }
    }
}

//! Putting a subgraph's nodes in the place of its instance.

use std::collections::HashMap;

use longtake_graph::document::{REROUTE, REROUTE_INPUT};
use longtake_graph::{Edit, Input, Link, Mode, Node, NodeId, Project, Subgraph};

use crate::connect::take_link;
use crate::draft::{Draft, Ids};
use crate::group;
use crate::insert::put_frames;
use crate::refusal::Refusal;
use crate::scene::{Scene, is_border};
use crate::selection::Item;

/// The edit of the whole document that unpacks the instances among these nodes, and what stands
/// in their places. Definitions stay. `size` is how large an instance is drawn.
///
/// # Errors
/// None of the nodes is an instance.
pub fn unpack(
    scene: &Scene<'_>,
    ids: &[NodeId],
    size: impl Fn(&NodeId) -> [f32; 2],
) -> Result<(Edit, Vec<Item>), Refusal> {
    let mut draft = Draft::of_all(scene);
    let mut items = Vec::new();
    let mut any = false;
    for id in ids {
        let Some(instance) = draft.graph().nodes.get(id).cloned() else {
            continue;
        };
        if let Some(definition) = scene.root.subgraphs.get(&instance.class) {
            any = true;
            let unpacking = Unpacking::new(draft.graph(), id, instance, definition, size(id));
            items.extend(unpacking.run(&mut draft)?);
        }
    }
    if any {
        Ok((draft.finish(), items))
    } else {
        Err(Refusal::NothingSelected)
    }
}

struct Unpacking<'a> {
    id: &'a NodeId,
    instance: Node,
    definition: &'a Subgraph,
    /// New ids of the nodes inside.
    ids: HashMap<&'a NodeId, NodeId>,
    by: [f32; 2],
}

impl<'a> Unpacking<'a> {
    fn new(
        graph: &Project,
        id: &'a NodeId,
        instance: Node,
        definition: &'a Subgraph,
        size: [f32; 2],
    ) -> Self {
        let inner = &definition.graph;
        let mut fresh = Ids::of(graph);
        let own = inner.nodes.iter().filter(|(_, node)| !is_border(node));
        let ids = own.map(|(id, _)| (id, fresh.take())).collect();
        Self {
            by: shift(&instance, definition, size),
            id,
            instance,
            definition,
            ids,
        }
    }

    fn run(&self, draft: &mut Draft) -> Result<Vec<Item>, Refusal> {
        let mut items = self.frames(draft)?;
        let mut at = draft.graph().nodes.get_index_of(self.id);
        for (id, node) in &self.definition.graph.nodes {
            let Some(new) = self.ids.get(id) else {
                continue;
            };
            draft.push(Edit::AddNode {
                id: new.clone(),
                node: self.node(node),
                at,
            })?;
            at = at.map(|it| it + 1);
            items.push(Item::Node(new.clone()));
        }
        for (id, node) in &self.definition.graph.nodes {
            if let Some(new) = self.ids.get(id) {
                for (name, input) in &node.inputs {
                    if let Input::Link(link) = input {
                        let value = self.inner_value(link);
                        put(draft, new, name, value)?;
                    }
                }
            }
        }
        self.feed_outside(draft)?;
        draft.push(Edit::TakeNode {
            id: self.id.clone(),
        })?;
        Ok(items)
    }

    /// What the instance fed is fed by what is behind its output ports.
    fn feed_outside(&self, draft: &mut Draft) -> Result<(), Refusal> {
        let mut fed = Vec::new();
        for (id, node) in &draft.graph().nodes {
            for (name, input) in &node.inputs {
                if let Input::Link(link) = input
                    && link.node == *self.id
                {
                    fed.push((id.clone(), name.clone(), link.output));
                }
            }
        }
        for (id, name, output) in fed {
            if id == *self.id {
                continue;
            }
            let value = match self.behind(output, 0) {
                Some(Input::Link(link)) if link.node == id => Some(around(draft, link)?),
                value => value,
            };
            put(draft, &id, &name, value)?;
        }
        Ok(())
    }

    /// A node as it stands outside; its links are put in once all nodes are there.
    fn node(&self, node: &Node) -> Node {
        let mut node = node.clone();
        let pos = node.pos.unwrap_or_default();
        node.pos = Some([pos[0] + self.by[0], pos[1] + self.by[1]]);
        // As far as one mode can say: what is off as a whole is off in each part.
        if self.instance.mode != Mode::Active {
            node.mode = self.instance.mode;
        }
        node
    }

    /// What a link inside means outside. `None` where nothing stands.
    fn inner_value(&self, link: &Link) -> Option<Input> {
        self.value(link, 0)
    }

    fn value(&self, link: &Link, depth: usize) -> Option<Input> {
        if let Some(node) = self.ids.get(&link.node) {
            return Some(Input::Link(Link {
                node: node.clone(),
                output: link.output,
            }));
        }
        let border = self.definition.graph.nodes.get(&link.node)?;
        if border.class != Subgraph::INPUT_CLASS {
            return None;
        }
        let port = self.definition.inputs.get(link.output as usize)?;
        match self.instance.inputs.get(&port.name)? {
            // The instance fed by itself, around it.
            Input::Link(outer) if outer.node == *self.id => self.behind(outer.output, depth + 1),
            value @ (Input::Link(_) | Input::Literal(_)) => Some(value.clone()),
        }
    }

    /// What stands behind an output port.
    fn behind(&self, output: u32, depth: usize) -> Option<Input> {
        if depth > self.definition.inputs.len() {
            return None;
        }
        let port = self.definition.outputs.get(output as usize)?;
        let border = self.definition.graph.nodes.get(Subgraph::OUTPUT)?;
        match border.inputs.get(&port.name)? {
            Input::Link(link) => self.value(link, depth),
            literal @ Input::Literal(_) => Some(literal.clone()),
        }
    }

    fn frames(&self, draft: &mut Draft) -> Result<Vec<Item>, Refusal> {
        let mut items = Vec::new();
        put_frames(draft, &self.definition.graph, self.by, &mut items)?;
        Ok(items)
    }
}

/// A link from a node to itself, led over a reroute: what was unpacked fed an instance by another of
/// its own ports.
fn around(draft: &mut Draft, link: Link) -> Result<Input, Refusal> {
    let id = Ids::of(draft.graph()).take();
    let source = draft.graph().nodes.get(&link.node);
    let mut node = Node {
        class: REROUTE.to_owned(),
        pos: source.and_then(|it| it.pos),
        ..Node::default()
    };
    node.inputs
        .insert(REROUTE_INPUT.to_owned(), Input::Link(link));
    draft.push(Edit::AddNode {
        id: id.clone(),
        node,
        at: None,
    })?;
    Ok(Input::Link(Link {
        node: id,
        output: 0,
    }))
}

/// Writes a value where a link stood; without one the link goes and its old literal comes back.
fn put(draft: &mut Draft, id: &NodeId, name: &str, value: Option<Input>) -> Result<(), Refusal> {
    if value.is_none() {
        return Ok(take_link(draft, id, name)?);
    }
    draft.push(Edit::SetInput {
        node: id.clone(),
        input: name.to_owned(),
        value,
    })?;
    Ok(())
}

/// The middle of what is inside comes to the middle of the instance.
fn shift(instance: &Node, definition: &Subgraph, size: [f32; 2]) -> [f32; 2] {
    const USUAL: [f32; 2] = [220.0, 160.0];
    let own = definition.graph.nodes.values().filter(|it| !is_border(it));
    let rects = own.map(|node| {
        let ([x, y], [w, h]) = (node.pos.unwrap_or_default(), node.size.unwrap_or(USUAL));
        [x, y, w, h]
    });
    let Some([x, y, width, height]) = group::around(rects) else {
        return [0.0; 2];
    };
    let pos = instance.pos.unwrap_or_default();
    [
        (pos[0] + size[0] / 2.0 - x - width / 2.0).round(),
        (pos[1] + size[1] / 2.0 - y - height / 2.0).round(),
    ]
}

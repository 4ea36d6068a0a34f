//! Adding nodes and links, as the studio is asked to.

use longtake_graph::document::{REROUTE, is_virtual};
use longtake_graph::{Edit, Link, Node, NodeId};

use crate::action::LooseLink;
use crate::connect::{self, fitting_inputs, fitting_outputs, put_link};
use crate::draft::{Draft, Ids, is_empty};
use crate::language::{Text, t};
use crate::messages::Tone;
use crate::refusal::Refusal;
use crate::scene::Scene;
use crate::selection::{Item, Selection};
use crate::shape::Shape;
use crate::studio::Studio;

const ADD: Text = t("Add node", "ノードを追加");

/// A node to add, and why it could not be linked, if it could not.
struct Added {
    edit: Edit,
    id: NodeId,
    unlinked: Option<Refusal>,
}

/// A node without literals: a parameter that is not written has its default, and keeps it should
/// the class change.
fn added(
    scene: &Scene<'_>,
    class: &str,
    pos: [f32; 2],
    link: Option<&LooseLink>,
) -> Result<Added, Refusal> {
    let known = scene.root.subgraphs.contains_key(class)
        || class == REROUTE
        || (!is_virtual(class) && scene.catalog.declaration(class).is_some());
    if !known {
        return Err(Refusal::NoClass(class.to_owned()));
    }
    if scene.would_contain_itself(class) {
        return Err(Refusal::Recursion(class.to_owned()));
    }
    let id = Ids::of(scene.graph()).take();
    let node = Node {
        class: class.to_owned(),
        pos: Some(pos),
        ..Node::default()
    };
    let shape = scene.shape(&node);
    let mut draft = Draft::of(scene.graph());
    draft.push(Edit::AddNode {
        id: id.clone(),
        node,
        at: None,
    })?;
    let linked = link.map_or(Ok(()), |link| {
        join(scene, &mut draft, &id, class, &shape, link)
    });
    Ok(Added {
        edit: draft.finish(),
        id,
        unlinked: linked.err(),
    })
}

/// Links a new node to the end of a loose link.
fn join(
    scene: &Scene<'_>,
    draft: &mut Draft,
    id: &NodeId,
    class: &str,
    shape: &Shape,
    link: &LooseLink,
) -> Result<(), Refusal> {
    let nothing_fits = |kind: &str| Refusal::NothingFits {
        class: class.to_owned(),
        kind: kind.to_owned(),
    };
    match link {
        LooseLink::FromOutput { node, output } => {
            let from = Link {
                node: node.clone(),
                output: *output,
            };
            let kind = scene.output_kind(&from).ok_or_else(|| Refusal::NoOutput {
                node: node.clone(),
                output: *output,
            })?;
            let fitting = fitting_inputs(shape, &kind);
            let input = fitting.first().and_then(|at| shape.inputs.get(*at));
            let input = input.ok_or_else(|| nothing_fits(&kind))?;
            Ok(put_link(draft, id, &input.name, from)?)
        }
        LooseLink::FromInput { node, input } => {
            let socket = scene.input(node, input)?;
            let output = fitting_outputs(shape, &socket.kind).first().copied();
            let output = output.ok_or_else(|| nothing_fits(&socket.kind))?;
            let from = Link {
                node: id.clone(),
                output: output as u32,
            };
            Ok(put_link(draft, node, input, from)?)
        }
    }
}

impl Studio {
    /// Adds a node, links it and selects it.
    pub(crate) fn add_node(&mut self, class: &str, pos: [f32; 2], link: Option<&LooseLink>) {
        let scene = self.session.scene(self.engine.catalog());
        match added(&scene, class, pos, link) {
            Ok(added) => {
                if self.change(ADD, Ok(added.edit)) {
                    self.session.selection = Selection::of([Item::Node(added.id)]);
                }
                if let Some(refusal) = added.unlinked {
                    self.tell(Tone::Note, &refusal);
                }
            }
            Err(refusal) => self.tell(Tone::Error, &refusal),
        }
    }

    /// Links an output to an input.
    pub(crate) fn connect(&mut self, to: &NodeId, input: &str, from: Link) {
        let edit = connect::connect(&self.session, self.engine.catalog(), to, input, from);
        self.change(connect::CONNECT, edit);
    }

    /// Takes the link at an input away.
    pub(crate) fn disconnect(&mut self, to: &NodeId, input: &str) {
        let edit = connect::disconnect(&self.session, to, input);
        self.change(connect::DISCONNECT, edit);
    }

    /// Takes a link from one input to another: one undo unit.
    pub(crate) fn relink(&mut self, from: (&NodeId, &str), to: (&NodeId, &str)) {
        let scene = self.session.scene(self.engine.catalog());
        let edit = connect::relink(&scene, from, to);
        self.change_root(connect::CONNECT, edit);
    }

    /// Puts a reroute into a link and selects it.
    pub(crate) fn bend(&mut self, to: &NodeId, input: &str, pos: [f32; 2]) {
        let id = Ids::of(self.session.graph()).take();
        let edit = connect::bend(&self.session, to, input, pos);
        if self.change(connect::BEND, edit) {
            self.session.selection = Selection::of([Item::Node(id)]);
        }
    }

    /// Applies an edit of the open graph as one undo unit, or says why there is none. True when
    /// something changed.
    pub(crate) fn change(&mut self, label: Text, edit: Result<Edit, Refusal>) -> bool {
        let outcome = edit.and_then(|edit| {
            if is_empty(&edit) {
                return Ok(false);
            }
            self.session.edit(label, edit)?;
            Ok(true)
        });
        self.told(outcome)
    }

    /// The same for an edit of the whole document.
    pub(crate) fn change_root(&mut self, label: Text, edit: Result<Edit, Refusal>) -> bool {
        let outcome = edit.and_then(|edit| {
            if is_empty(&edit) {
                return Ok(false);
            }
            self.session.edit_root(label, edit)?;
            Ok(true)
        });
        self.told(outcome)
    }

    fn told(&mut self, outcome: Result<bool, Refusal>) -> bool {
        outcome.unwrap_or_else(|refusal| {
            self.tell(Tone::Error, &refusal);
            false
        })
    }

    /// Tells why something was not done.
    pub(crate) fn tell(&mut self, tone: Tone, refusal: &Refusal) {
        let text = refusal.text(&self.session, self.engine.catalog(), self.language());
        self.messages.tell(tone, text);
    }
}

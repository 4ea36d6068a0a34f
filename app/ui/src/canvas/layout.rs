//! Where everything stands, known without drawing it: sizes come from shapes and parameter heights,
//! so what is out of view costs one comparison per frame. Made once per change of the document, its
//! plan or the language.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use egui::{Color32, Pos2, Rect, Vec2, pos2, vec2};
use longtake_editor::shape::{self, Origin, Shape};
use longtake_editor::{Item, Studio};
use longtake_graph::document::REROUTE;
use longtake_graph::{Input, Mode, Node, NodeId, Project};

use super::measure::{self, Row};
use super::outlook::{Outlook, outlook};
use crate::theme::kind_colour;

/// A node, laid out. Heights of rows are relative to its top.
#[derive(Debug)]
pub struct Laid {
    /// In the open graph.
    pub id: NodeId,
    /// In plans, findings and statuses.
    pub flat: NodeId,
    /// On the canvas, points of the graph.
    pub rect: Rect,
    /// Sockets and parameters.
    pub shape: Arc<Shape>,
    /// The person's title, or the class's.
    pub title: String,
    /// Rows below the title.
    pub rows: Vec<Row>,
    /// Middle of each input's socket below the node's top.
    pub input_y: Vec<f32>,
    /// Middle of each output's socket below the node's top.
    pub output_y: Vec<f32>,
    /// Which inputs are linked.
    pub linked: Vec<bool>,
    /// Which outputs feed something.
    pub feeds: Vec<bool>,
    /// What the plan says of it, and what is wrong.
    pub outlook: Outlook,
    /// Drawn as its title only.
    pub collapsed: bool,
    /// Active, mute, bypass.
    pub mode: Mode,
    /// A colour given by a person.
    pub colour: Option<Color32>,
    /// The class is this program's, a subgraph, a reroute…
    pub reroute: bool,
}

impl Laid {
    /// Middle of an input's socket.
    pub fn input_at(&self, index: usize) -> Pos2 {
        let y = self.input_y.get(index).copied().unwrap_or(0.0);
        pos2(self.rect.left(), self.rect.top() + y)
    }

    /// Middle of an output's socket.
    pub fn output_at(&self, index: usize) -> Pos2 {
        let y = self.output_y.get(index).copied().unwrap_or(0.0);
        pos2(self.rect.right(), self.rect.top() + y)
    }

    /// Where its title stands.
    pub fn title_rect(&self) -> Rect {
        Rect::from_min_size(self.rect.min, vec2(self.rect.width(), measure::TITLE))
    }

    /// Whether it stands for a class this program does not know.
    pub fn unknown(&self) -> bool {
        matches!(self.shape.origin, Origin::Unknown)
    }
}

/// A link, laid out: positions in [`Layout::nodes`].
#[derive(Clone, Copy, Debug)]
pub struct Wire {
    /// Node and output it comes from.
    pub from: (usize, usize),
    /// Node and input it goes to.
    pub to: (usize, usize),
    /// Colour of what it carries, dark theme and light.
    pub colour: [Color32; 2],
}

/// A group or note, laid out.
#[derive(Debug)]
pub struct Frame {
    /// Its id.
    pub id: String,
    /// On the canvas.
    pub rect: Rect,
    /// A group's title; a note's text.
    pub text: String,
    /// A group's colour.
    pub colour: Option<Color32>,
}

/// Everything on the canvas.
#[derive(Debug, Default)]
pub struct Layout {
    key: Option<u64>,
    shapes: HashMap<String, Arc<Shape>>,
    shapes_of: Option<longtake_editor::Language>,
    /// Document order.
    pub nodes: Vec<Laid>,
    /// Position of a node.
    pub index: HashMap<NodeId, usize>,
    /// Links.
    pub wires: Vec<Wire>,
    /// Groups.
    pub groups: Vec<Frame>,
    /// Notes.
    pub notes: Vec<Frame>,
}

impl Layout {
    /// Makes it anew if something it depends on changed. `pictures`: heights wanted below nodes.
    /// Says whether it did.
    pub fn refresh(&mut self, studio: &Studio, pictures: &HashMap<NodeId, f32>, salt: u64) -> bool {
        let key = key_of(studio, salt);
        if self.key == Some(key) {
            return false;
        }
        self.key = Some(key);
        if self.shapes_of != Some(studio.language()) {
            self.shapes.clear();
            self.shapes_of = Some(studio.language());
        }
        self.build(studio, pictures);
        true
    }

    /// Makes it anew the next time.
    pub fn forget(&mut self) {
        self.key = None;
    }

    fn build(&mut self, studio: &Studio, pictures: &HashMap<NodeId, f32>) {
        let session = &studio.session;
        let graph = session.graph();
        let mut outlooks = outlook(&studio.planned, studio.language());
        let at_root = session.scope().is_empty();
        self.nodes.clear();
        self.index.clear();
        let mut unplaced = 0;
        for (id, node) in &graph.nodes {
            let shape = self.shape_of(studio, node);
            let flat = if at_root {
                id.clone()
            } else {
                session.flat_id(id)
            };
            let outlook = outlooks.remove(flat.as_str()).unwrap_or_default();
            let pos = node.pos.map_or_else(
                || {
                    unplaced += 1;
                    free_place(unplaced - 1)
                },
                Pos2::from,
            );
            let picture = pictures.get(&flat).copied().unwrap_or(0.0);
            let laid = lay(id, flat, node, shape, outlook, pos, picture);
            self.index.insert(id.clone(), self.nodes.len());
            self.nodes.push(laid);
        }
        self.wire(graph);
        self.frames(graph);
    }

    /// Nodes of one class share their shape, unless it depends on the node.
    fn shape_of(&mut self, studio: &Studio, node: &Node) -> Arc<Shape> {
        if let Some(shape) = self.shapes.get(&node.class) {
            return shape.clone();
        }
        let shape = Arc::new(Shape::of(
            studio.session.project(),
            studio.session.subgraph(),
            node,
            studio.engine.catalog(),
            studio.language(),
        ));
        if matches!(shape.origin, Origin::Known(_)) {
            self.shapes.insert(node.class.clone(), shape.clone());
        }
        shape
    }

    fn wire(&mut self, graph: &Project) {
        self.wires.clear();
        for (to, (_, node)) in graph.nodes.iter().enumerate() {
            for (name, value) in &node.inputs {
                let Input::Link(link) = value else { continue };
                let Some(&from) = self.index.get(&link.node) else {
                    continue;
                };
                let Some(input) = self.nodes[to].shape.input_index(name) else {
                    continue;
                };
                let output = link.output as usize;
                let kind = self.carried(graph, from, output, 0);
                let colour = [kind_colour(kind, true), kind_colour(kind, false)];
                self.nodes[to].linked[input] = true;
                if let Some(feeds) = self.nodes[from].feeds.get_mut(output) {
                    *feeds = true;
                }
                self.wires.push(Wire {
                    from: (from, output),
                    to: (to, input),
                    colour,
                });
            }
        }
    }

    /// What an output carries; a reroute carries what it is fed.
    fn carried<'a>(&'a self, graph: &Project, node: usize, output: usize, depth: usize) -> &'a str {
        let laid = &self.nodes[node];
        if laid.reroute && depth < 64 {
            let fed = graph
                .nodes
                .get(&laid.id)
                .and_then(|it| it.inputs.values().next());
            if let Some(Input::Link(link)) = fed
                && let Some(&from) = self.index.get(&link.node)
            {
                return self.carried(graph, from, link.output as usize, depth + 1);
            }
        }
        laid.shape.outputs.get(output).map_or("*", |it| &it.kind)
    }

    fn frames(&mut self, graph: &Project) {
        let rect = |b: [f32; 4]| Rect::from_min_size(pos2(b[0], b[1]), vec2(b[2], b[3]));
        let groups = graph.groups.iter().map(|(id, group)| Frame {
            id: id.clone(),
            rect: rect(group.bounds),
            text: group.title.clone(),
            colour: group.colour.as_deref().and_then(colour),
        });
        self.groups = groups.collect();
        let notes = graph.notes.iter().map(|(id, note)| Frame {
            id: id.clone(),
            rect: rect(note.bounds),
            text: note.text.clone(),
            colour: None,
        });
        self.notes = notes.collect();
    }

    /// Where an item stands.
    pub fn rect_of(&self, item: &Item) -> Option<Rect> {
        match item {
            Item::Node(id) => self.index.get(id).map(|&at| self.nodes[at].rect),
            Item::Group(id) => self.groups.iter().find(|it| it.id == *id).map(|it| it.rect),
            Item::Note(id) => self.notes.iter().find(|it| it.id == *id).map(|it| it.rect),
        }
    }

    /// Puts an item elsewhere for as long as this layout lives: the look of a drag.
    pub fn place(&mut self, item: &Item, rect: Rect) {
        let place = |frames: &mut Vec<Frame>, id: &str| {
            if let Some(frame) = frames.iter_mut().find(|it| it.id == id) {
                frame.rect = rect;
            }
        };
        match item {
            Item::Node(id) => {
                if let Some(&at) = self.index.get(id) {
                    self.nodes[at].rect = rect;
                }
            }
            Item::Group(id) => place(&mut self.groups, id),
            Item::Note(id) => place(&mut self.notes, id),
        }
    }

    /// Around everything; `None` when there is nothing.
    pub fn bounds(&self) -> Option<Rect> {
        let nodes = self.nodes.iter().map(|it| it.rect);
        let frames = self.groups.iter().chain(&self.notes).map(|it| it.rect);
        nodes.chain(frames).reduce(|a, b| a.union(b))
    }
}

/// Lays one node out.
fn lay(
    id: &NodeId,
    flat: NodeId,
    node: &Node,
    shape: Arc<Shape>,
    outlook: Outlook,
    pos: Pos2,
    picture: f32,
) -> Laid {
    let reroute = node.class == REROUTE;
    let mut outlook = outlook;
    for found in &mut outlook.findings {
        // What is not drawn cannot show its finding: the node does.
        found.input = found
            .input
            .take()
            .filter(|it| shape.input_index(it).is_some());
    }
    let measured = measure::measure(node, &shape, &outlook, picture);
    let size: Vec2 = measured.size;
    Laid {
        id: id.clone(),
        flat,
        rect: Rect::from_min_size(pos, size),
        title: shape::title(node, &shape).to_owned(),
        rows: measured.rows,
        input_y: measured.input_y,
        output_y: measured.output_y,
        linked: vec![false; shape.inputs.len()],
        feeds: vec![false; shape.outputs.len()],
        outlook,
        collapsed: node.collapsed,
        mode: node.mode,
        colour: node.colour.as_deref().and_then(colour),
        reroute,
        shape,
    }
}

/// Nodes without a place stand in rows until someone moves them.
fn free_place(count: usize) -> Pos2 {
    pos2((count % 6) as f32 * 320.0, (count / 6) as f32 * 360.0)
}

/// `#rrggbb`.
pub fn colour(text: &str) -> Option<Color32> {
    Color32::from_hex(text).ok()
}

/// Changes whenever the layout must be made anew.
fn key_of(studio: &Studio, salt: u64) -> u64 {
    let mut hash = DefaultHasher::new();
    let session = &studio.session;
    session.revision().hash(&mut hash);
    (Arc::as_ptr(session.project()) as usize).hash(&mut hash);
    for entered in session.scope() {
        entered.instance.hash(&mut hash);
    }
    studio.language().name().hash(&mut hash);
    studio.planned.revision.hash(&mut hash);
    (Arc::as_ptr(&studio.planned.diagnostics) as usize).hash(&mut hash);
    salt.hash(&mut hash);
    hash.finish()
}

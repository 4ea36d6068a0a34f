//! What the mouse is doing. A gesture holds what it shows; the document changes once, when it ends,
//! so that one drag is one undo unit and Escape costs nothing.

use egui::{Pos2, Rect, Vec2};
use longtake_editor::connect::{fitting_inputs, fitting_outputs};
use longtake_editor::shape::Origin;
use longtake_editor::{Item, LooseLink, Selection};
use longtake_graph::{Edit, Group, Link, NodeId, Note, Project, Subgraph, kind};

use super::guides::Guide;
use super::hit::Socket;
use super::layout::Layout;

/// Points of the grid things snap to.
pub const GRID: f32 = 8.0;
/// Smallest group, note and node.
const LEAST: Vec2 = Vec2::new(80.0, 48.0);

/// What the mouse is doing.
#[derive(Debug, Default)]
pub enum Gesture {
    /// Nothing.
    #[default]
    Idle,
    /// It moves the view.
    Panning,
    /// It draws a box: what is in it is selected, with what was before.
    Boxing { from: Pos2, before: Selection },
    /// It moves things from where they stood.
    Moving {
        items: Vec<(Item, Rect)>,
        from: Pos2,
        moved: Vec2,
        /// Lines along which they lie now.
        guides: Vec<Guide>,
        /// The link into which the node would go if let go now.
        into: Option<usize>,
    },
    /// It resizes something.
    Resizing {
        item: Item,
        from: Pos2,
        start: Rect,
        now: Rect,
    },
    /// It holds a link's loose end.
    Linking(Linking),
}

impl Gesture {
    /// The link in hand.
    pub fn linking(&self) -> Option<&Linking> {
        match self {
            Self::Linking(linking) => Some(linking),
            Self::Idle
            | Self::Panning
            | Self::Boxing { .. }
            | Self::Moving { .. }
            | Self::Resizing { .. } => None,
        }
    }

    /// Whether nothing goes on.
    pub fn idle(&self) -> bool {
        matches!(self, Self::Idle)
    }
}

/// A link in a person's hand.
#[derive(Clone, Debug, PartialEq)]
pub struct Linking {
    /// The end that is fixed.
    pub loose: LooseLink,
    /// What it carries, or takes.
    pub kind: String,
    /// The input it was taken off.
    pub taken: Option<(NodeId, String)>,
    /// The output whose links are all in the hand, and the inputs they go to.
    pub bundle: Option<Bundle>,
    /// Where it would land if let go now.
    pub target: Option<Socket>,
}

/// All links of an output.
#[derive(Clone, Debug, PartialEq)]
pub struct Bundle {
    /// The output.
    pub from: Link,
    /// The inputs it feeds: fixed while the other end is in the hand.
    pub ends: Vec<Socket>,
}

impl Linking {
    /// Takes the link at a socket into the hand: a linked input's own, else a new one.
    pub fn begin(layout: &Layout, graph: &Project, socket: Socket) -> Option<Self> {
        let node = &layout.nodes[socket.node()];
        match socket {
            Socket::Out(_, output) => Some(Self {
                loose: LooseLink::FromOutput {
                    node: node.id.clone(),
                    output: output as u32,
                },
                kind: node.shape.outputs.get(output)?.kind.clone(),
                taken: None,
                bundle: None,
                target: None,
            }),
            Socket::In(_, input) => {
                let input = node.shape.inputs.get(input)?;
                if let Some(longtake_graph::Input::Link(link)) =
                    graph.nodes.get(&node.id)?.inputs.get(&input.name)
                {
                    let from = layout.index.get(&link.node).map(|&at| &layout.nodes[at]);
                    let output = from.and_then(|it| it.shape.outputs.get(link.output as usize));
                    return Some(Self {
                        loose: LooseLink::FromOutput {
                            node: link.node.clone(),
                            output: link.output,
                        },
                        kind: output.map_or_else(|| "*".to_owned(), |it| it.kind.clone()),
                        taken: Some((node.id.clone(), input.name.clone())),
                        bundle: None,
                        target: None,
                    });
                }
                Some(Self {
                    loose: LooseLink::FromInput {
                        node: node.id.clone(),
                        input: input.name.clone(),
                    },
                    kind: input.kind.clone(),
                    taken: None,
                    bundle: None,
                    target: None,
                })
            }
        }
    }

    /// Takes all links of an output into the hand, by their other ends. `None` when it feeds nothing.
    pub fn all_of(layout: &Layout, socket: Socket) -> Option<Self> {
        let Socket::Out(node, output) = socket else {
            return None;
        };
        let wires = layout.wires.iter().filter(|it| it.from == (node, output));
        let ends: Vec<Socket> = wires.map(|it| Socket::In(it.to.0, it.to.1)).collect();
        let Socket::In(first, input) = *ends.first()? else {
            return None;
        };
        let (from, to) = (&layout.nodes[node], &layout.nodes[first]);
        Some(Self {
            loose: LooseLink::FromInput {
                node: to.id.clone(),
                input: to.shape.inputs.get(input)?.name.clone(),
            },
            kind: from.shape.outputs.get(output)?.kind.clone(),
            taken: None,
            bundle: Some(Bundle {
                from: Link {
                    node: from.id.clone(),
                    output: output as u32,
                },
                ends,
            }),
            target: None,
        })
    }

    /// Whether all links of a bundle can come from there.
    fn bundle_fits(layout: &Layout, bundle: &Bundle, socket: Socket) -> bool {
        let Socket::Out(at, output) = socket else {
            return false;
        };
        let Some(output) = layout.nodes[at].shape.outputs.get(output) else {
            return false;
        };
        bundle.ends.iter().all(|end| match *end {
            Socket::In(node, input) => {
                let input = layout.nodes[node].shape.inputs.get(input);
                node != at && input.is_some_and(|it| kind::accepts(&it.kind, &output.kind))
            }
            Socket::Out(..) => false,
        })
    }

    /// Whether it can land there.
    pub fn fits(&self, layout: &Layout, socket: Socket) -> bool {
        if let Some(bundle) = &self.bundle {
            return Self::bundle_fits(layout, bundle, socket);
        }
        let node = &layout.nodes[socket.node()];
        match (&self.loose, socket) {
            (LooseLink::FromOutput { node: from, .. }, Socket::In(_, input)) => {
                let input = node.shape.inputs.get(input);
                node.id != *from && input.is_some_and(|it| kind::accepts(&it.kind, &self.kind))
            }
            (LooseLink::FromInput { node: to, .. }, Socket::Out(_, output)) => {
                let output = node.shape.outputs.get(output);
                node.id != *to && output.is_some_and(|it| kind::accepts(&self.kind, &it.kind))
            }
            _ => false,
        }
    }

    /// Whether a node is the open subgraph's border on the side that this end can leave by: let go there
    /// beside its sockets, it makes a port.
    pub fn makes_port(&self, layout: &Layout, index: usize) -> bool {
        let border = match &self.loose {
            LooseLink::FromOutput { .. } => Subgraph::OUTPUT,
            LooseLink::FromInput { .. } => Subgraph::INPUT,
        };
        let node = &layout.nodes[index];
        let there = matches!(node.shape.origin, Origin::Border) && node.id.as_str() == border;
        there && self.bundle.is_none()
    }

    /// Where it lands when it is let go over a node: the socket that fits best.
    pub fn landing(&self, layout: &Layout, index: usize) -> Option<Socket> {
        if self.makes_port(layout, index) {
            return None;
        }
        let node = &layout.nodes[index];
        let mut candidates: Vec<Socket> = match &self.loose {
            LooseLink::FromOutput { .. } => fitting_inputs(&node.shape, &self.kind)
                .into_iter()
                .map(|it| Socket::In(index, it))
                .collect(),
            LooseLink::FromInput { .. } => fitting_outputs(&node.shape, &self.kind)
                .into_iter()
                .map(|it| Socket::Out(index, it))
                .collect(),
        };
        // Of sockets of the same rank a free one; a parameter never before a socket.
        candidates.sort_by_key(|it| match *it {
            Socket::In(_, at) => (node.shape.inputs[at].is_parameter(), node.linked[at]),
            Socket::Out(..) => (false, false),
        });
        candidates.into_iter().find(|&it| self.fits(layout, it))
    }

    /// The link it makes at a socket: node and input it goes to, and what feeds it.
    pub fn link(&self, layout: &Layout, socket: Socket) -> Option<(NodeId, String, Link)> {
        let node = &layout.nodes[socket.node()];
        match (&self.loose, socket) {
            (LooseLink::FromOutput { node: from, output }, Socket::In(_, input)) => {
                let name = node.shape.inputs.get(input)?.name.clone();
                let link = Link {
                    node: from.clone(),
                    output: *output,
                };
                Some((node.id.clone(), name, link))
            }
            (LooseLink::FromInput { node: to, input }, Socket::Out(_, output)) => {
                let link = Link {
                    node: node.id.clone(),
                    output: output as u32,
                };
                Some((to.clone(), input.clone(), link))
            }
            _ => None,
        }
    }
}

/// How far things move, snapped so that the first of them lands on the grid.
pub fn snapped(items: &[(Item, Rect)], moved: Vec2, snap: bool) -> Vec2 {
    match items.first() {
        Some((_, rect)) if snap => {
            let to = ((rect.min + moved).to_vec2() / GRID).round() * GRID;
            to - rect.min.to_vec2()
        }
        _ => moved.round(),
    }
}

/// The rectangle while a corner is dragged.
pub fn resized(start: Rect, by: Vec2, snap: bool) -> Rect {
    let mut size = start.size() + by;
    if snap {
        size = (size / GRID).round() * GRID;
    }
    Rect::from_min_size(start.min, size.max(LEAST).round())
}

/// What moves along: a group takes what stands in it, unless it moves alone.
pub fn moving(layout: &Layout, roots: &[Item], alone: bool) -> Vec<(Item, Rect)> {
    let mut items: Vec<Item> = roots.to_vec();
    let mut at = 0;
    while at < items.len() && !alone {
        if let Item::Group(_) = &items[at]
            && let Some(frame) = layout.rect_of(&items[at])
        {
            for inside in inside(layout, frame) {
                if !items.contains(&inside) {
                    items.push(inside);
                }
            }
        }
        at += 1;
    }
    let place = |item: Item| layout.rect_of(&item).map(|rect| (item, rect));
    items.into_iter().filter_map(place).collect()
}

/// What stands in a frame.
fn inside(layout: &Layout, frame: Rect) -> Vec<Item> {
    let nodes = layout.nodes.iter();
    let nodes = nodes
        .filter(|it| frame.contains(it.rect.center()))
        .map(|it| Item::Node(it.id.clone()));
    let whole = |rect: Rect| frame.contains_rect(rect) && frame != rect;
    let groups = layout.groups.iter().filter(|it| whole(it.rect));
    let groups = groups.map(|it| Item::Group(it.id.clone()));
    let notes = layout.notes.iter().filter(|it| whole(it.rect));
    let notes = notes.map(|it| Item::Note(it.id.clone()));
    nodes.chain(groups).chain(notes).collect()
}

/// What a box touches.
pub fn boxed(layout: &Layout, area: Rect) -> Vec<Item> {
    let nodes = layout.nodes.iter().filter(|it| area.intersects(it.rect));
    let nodes = nodes.map(|it| Item::Node(it.id.clone()));
    let groups = layout.groups.iter();
    let groups = groups.filter(|it| area.contains_rect(it.rect));
    let groups = groups.map(|it| Item::Group(it.id.clone()));
    let notes = layout.notes.iter().filter(|it| area.intersects(it.rect));
    let notes = notes.map(|it| Item::Note(it.id.clone()));
    groups.chain(notes).chain(nodes).collect()
}

/// Puts things where they were moved to.
pub fn move_edit(graph: &Project, items: &[(Item, Rect)], moved: Vec2) -> Edit {
    let edits = items.iter().filter_map(|(item, rect)| {
        let rect = rect.translate(moved);
        match item {
            Item::Node(id) => Some(Edit::Move {
                id: id.clone(),
                pos: Some(rect.min.into()),
            }),
            Item::Group(_) | Item::Note(_) => frame_edit(graph, item, rect),
        }
    });
    Edit::Batch(edits.collect())
}

/// Gives something another size.
pub fn resize_edit(graph: &Project, item: &Item, rect: Rect) -> Option<Edit> {
    match item {
        Item::Node(id) => Some(Edit::Resize {
            id: id.clone(),
            size: Some(rect.size().into()),
        }),
        Item::Group(_) | Item::Note(_) => frame_edit(graph, item, rect),
    }
}

fn frame_edit(graph: &Project, item: &Item, rect: Rect) -> Option<Edit> {
    let bounds = [rect.left(), rect.top(), rect.width(), rect.height()];
    match item {
        Item::Group(id) => {
            let group = Group {
                bounds,
                ..graph.groups.get(id)?.clone()
            };
            let id = id.clone();
            Some(Edit::SetGroup { id, group })
        }
        Item::Note(id) => {
            let note = Note {
                bounds,
                ..graph.notes.get(id)?.clone()
            };
            let id = id.clone();
            Some(Edit::SetNote { id, note })
        }
        Item::Node(_) => None,
    }
}

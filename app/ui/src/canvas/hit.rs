//! What is under a point of the canvas. Positions in the present [`Layout`]; they do not outlive it.

use egui::{Pos2, Rect, Vec2};
use longtake_editor::Item;

use super::layout::{Laid, Layout};
use super::lod::Detail;
use super::{links, measure};

/// A socket of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Socket {
    /// Input, by position in the shape.
    In(usize, usize),
    /// Output, by position.
    Out(usize, usize),
}

impl Socket {
    /// Its node.
    pub fn node(self) -> usize {
        match self {
            Self::In(node, _) | Self::Out(node, _) => node,
        }
    }
}

/// What is under a point.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Hit {
    /// The canvas.
    #[default]
    Nothing,
    /// A node's body.
    Node(usize),
    /// A node's title.
    Title(usize),
    /// The triangle that folds a node.
    Fold(usize),
    /// A node's lower right corner.
    Corner(usize),
    /// A socket.
    Socket(Socket),
    /// A link.
    Wire(usize),
    /// A group's title or edge.
    Group(usize),
    /// A group's lower right corner.
    GroupCorner(usize),
    /// A note.
    Note(usize),
    /// A note's lower right corner.
    NoteCorner(usize),
}

impl Hit {
    /// The node it belongs to.
    pub fn node(self) -> Option<usize> {
        match self {
            Self::Node(at) | Self::Title(at) | Self::Fold(at) | Self::Corner(at) => Some(at),
            Self::Socket(socket) => Some(socket.node()),
            Self::Nothing
            | Self::Wire(_)
            | Self::Group(_)
            | Self::GroupCorner(_)
            | Self::Note(_)
            | Self::NoteCorner(_) => None,
        }
    }

    /// The socket, if it is one.
    pub fn socket(self) -> Option<Socket> {
        match self {
            Self::Socket(socket) => Some(socket),
            Self::Nothing
            | Self::Node(_)
            | Self::Title(_)
            | Self::Fold(_)
            | Self::Corner(_)
            | Self::Wire(_)
            | Self::Group(_)
            | Self::GroupCorner(_)
            | Self::Note(_)
            | Self::NoteCorner(_) => None,
        }
    }

    /// The item it belongs to; none if it is gone.
    pub fn item(self, layout: &Layout) -> Option<Item> {
        match self {
            Self::Group(at) | Self::GroupCorner(at) => {
                let group = layout.groups.get(at)?;
                Some(Item::Group(group.id.clone()))
            }
            Self::Note(at) | Self::NoteCorner(at) => {
                let note = layout.notes.get(at)?;
                Some(Item::Note(note.id.clone()))
            }
            Self::Nothing
            | Self::Node(_)
            | Self::Title(_)
            | Self::Fold(_)
            | Self::Corner(_)
            | Self::Socket(_)
            | Self::Wire(_) => {
                let node = layout.nodes.get(self.node()?)?;
                Some(Item::Node(node.id.clone()))
            }
        }
    }
}

/// Size of a corner that resizes, points of the graph.
pub const CORNER: f32 = 14.0;
/// How near to a socket counts as on it.
const SOCKET_REACH: f32 = 9.0;
/// How near to a link counts as on it, points of the screen.
const WIRE_REACH: f32 = 6.0;

/// What is under `at`. `order`: positions of nodes, lowest first.
pub fn hit(layout: &Layout, order: &[usize], at: Pos2, zoom: f32) -> Hit {
    let detail = Detail::of(zoom);
    for &index in order.iter().rev() {
        let node = &layout.nodes[index];
        if !node.rect.expand(SOCKET_REACH).contains(at) {
            continue;
        }
        if detail == Detail::Full
            && let Some(socket) = socket_at(node, index, at)
        {
            return Hit::Socket(socket);
        }
        if node.rect.contains(at) {
            return on_node(node, index, at, detail);
        }
    }
    for (index, note) in layout.notes.iter().enumerate().rev() {
        if corner(note.rect).contains(at) {
            return Hit::NoteCorner(index);
        }
        if note.rect.contains(at) {
            return Hit::Note(index);
        }
    }
    if let Some(wire) = links::nearest(layout, at, WIRE_REACH / zoom) {
        return Hit::Wire(wire);
    }
    for (index, group) in layout.groups.iter().enumerate().rev() {
        if corner(group.rect).contains(at) {
            return Hit::GroupCorner(index);
        }
        let mut title = group.rect;
        title.max.y = title.min.y + super::groups::TITLE;
        if title.contains(at) {
            return Hit::Group(index);
        }
    }
    Hit::Nothing
}

fn on_node(node: &Laid, index: usize, at: Pos2, detail: Detail) -> Hit {
    if node.reroute || detail == Detail::Box {
        return Hit::Node(index);
    }
    if !node.collapsed && corner(node.rect).contains(at) {
        return Hit::Corner(index);
    }
    let title = node.title_rect();
    if fold_rect(title).contains(at) {
        return Hit::Fold(index);
    }
    if title.contains(at) {
        return Hit::Title(index);
    }
    Hit::Node(index)
}

/// The lower right corner.
pub fn corner(rect: Rect) -> Rect {
    Rect::from_min_max(rect.max - Vec2::splat(CORNER), rect.max)
}

/// The triangle in a title.
pub fn fold_rect(title: Rect) -> Rect {
    Rect::from_min_size(title.min, Vec2::splat(measure::TITLE)).shrink(2.0)
}

fn socket_at(node: &Laid, index: usize, at: Pos2) -> Option<Socket> {
    if node.collapsed && !node.reroute {
        return None;
    }
    let near = |socket: Pos2| (socket - at).length() <= SOCKET_REACH;
    let outputs = 0..node.output_y.len();
    if let Some(output) = outputs.clone().find(|&it| near(node.output_at(it))) {
        return Some(Socket::Out(index, output));
    }
    let input = (0..node.input_y.len()).find(|&it| near(node.input_at(it)))?;
    Some(Socket::In(index, input))
}

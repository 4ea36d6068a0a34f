//! What is selected on the canvas, in the order it was picked.

use indexmap::IndexSet;
use longtake_graph::{NodeId, Project};

/// Something on the canvas.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Item {
    /// A node.
    Node(NodeId),
    /// A group.
    Group(String),
    /// A note.
    Note(String),
}

/// The selected things. The newest is the *focus*, which the inspector shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    items: IndexSet<Item>,
}

impl Item {
    /// Whether a graph has it.
    pub fn exists(&self, graph: &Project) -> bool {
        match self {
            Self::Node(id) => graph.nodes.contains_key(id),
            Self::Group(id) => graph.groups.contains_key(id),
            Self::Note(id) => graph.notes.contains_key(id),
        }
    }
}

impl Selection {
    /// Exactly these.
    pub fn of(items: impl IntoIterator<Item = Item>) -> Self {
        Self {
            items: items.into_iter().collect(),
        }
    }

    /// Whether it is selected.
    pub fn has(&self, item: &Item) -> bool {
        self.items.contains(item)
    }

    /// Whether this node is selected.
    pub fn has_node(&self, id: &NodeId) -> bool {
        self.items.contains(&Item::Node(id.clone()))
    }

    /// The newest.
    pub fn focus(&self) -> Option<&Item> {
        self.items.last()
    }

    /// The newest node.
    pub fn focus_node(&self) -> Option<&NodeId> {
        self.items.iter().rev().find_map(|item| match item {
            Item::Node(id) => Some(id),
            Item::Group(_) | Item::Note(_) => None,
        })
    }

    /// Everything selected.
    pub fn items(&self) -> impl Iterator<Item = &Item> {
        self.items.iter()
    }

    /// The selected nodes.
    pub fn nodes(&self) -> impl Iterator<Item = &NodeId> {
        self.items.iter().filter_map(|item| match item {
            Item::Node(id) => Some(id),
            Item::Group(_) | Item::Note(_) => None,
        })
    }

    /// Nothing is selected.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Nothing.
    pub fn clear(&mut self) {
        self.items.clear();
    }

    /// Exactly this one.
    pub fn only(&mut self, item: Item) {
        self.items.clear();
        self.items.insert(item);
    }

    /// Adds it, as the focus.
    pub fn add(&mut self, item: Item) {
        self.items.shift_remove(&item);
        self.items.insert(item);
    }

    /// Adds what is not selected, drops what is.
    pub fn toggle(&mut self, item: Item) {
        if !self.items.shift_remove(&item) {
            self.items.insert(item);
        }
    }

    /// Drops what the graph no longer has.
    pub fn keep_existing(&mut self, graph: &Project) {
        self.items.retain(|item| item.exists(graph));
    }
}

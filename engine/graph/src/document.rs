//! The project: nodes, links, groups and notes, as plain data.

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A node's id as saved: any string (`"7"`, `"12:98"`). Cheap to copy.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NodeId(Arc<str>);

impl NodeId {
    /// An id with that text.
    pub fn new(text: impl AsRef<str>) -> Self {
        Self(Arc::from(text.as_ref()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Borrow<str> for NodeId {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl From<&str> for NodeId {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

/// One end of a link: an output of a node.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Link {
    /// The node that makes the value.
    pub node: NodeId,
    /// Which of its outputs, counted from 0.
    pub output: u32,
}

/// What stands at an input.
#[derive(Clone, Debug, PartialEq)]
pub enum Input {
    /// A value written in the document.
    Literal(Value),
    /// A value made by another node.
    Link(Link),
}

/// Whether a node takes part.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Runs.
    #[default]
    Active,
    /// As if absent, with everything that needs it.
    Mute,
    /// Each output passes on the first input of its own type.
    Bypass,
}

/// A node of the graph.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Node {
    /// Its class (`KSampler`). Unknown classes are kept as they came.
    pub class: String,
    /// A title given by a person.
    pub title: Option<String>,
    /// Inputs by name, in the order they stand in the file.
    pub inputs: IndexMap<String, Input>,
    /// Whether it takes part.
    pub mode: Mode,
    /// Top left corner on the canvas, points.
    pub pos: Option<[f32; 2]>,
    /// Size on the canvas, points.
    pub size: Option<[f32; 2]>,
    /// Colour on the canvas, `#rrggbb`.
    pub colour: Option<String>,
    /// Drawn as its title only.
    pub collapsed: bool,
    /// Whatever else the file held for this node; written back as it came.
    pub extra: Map<String, Value>,
}

/// A titled frame around nodes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Group {
    /// Title.
    pub title: String,
    /// `[x, y, width, height]`, points.
    pub bounds: [f32; 4],
    /// Colour, `#rrggbb`.
    pub colour: Option<String>,
    /// Whatever else the file held for this group; written back as it came.
    pub extra: Map<String, Value>,
}

/// Text on the canvas.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Note {
    /// The text, Markdown.
    pub text: String,
    /// `[x, y, width, height]`, points.
    pub bounds: [f32; 4],
    /// Whatever else the file held for this note; written back as it came.
    pub extra: Map<String, Value>,
}

/// The whole document.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Project {
    /// Title of the film or graph.
    pub title: String,
    /// Nodes in document order.
    pub nodes: IndexMap<NodeId, Node>,
    /// Frames around nodes, by a chosen id.
    pub groups: IndexMap<String, Group>,
    /// Notes, by a chosen id.
    pub notes: IndexMap<String, Note>,
    /// Whatever else the file held at its top; written back as it came.
    pub extra: Map<String, Value>,
}

impl Project {
    /// The text of this document's `*.longtake` file.
    pub fn to_json(&self) -> String {
        crate::format::project::to_text(self)
    }
}

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

impl Node {
    /// The literal that stood at an input before the link that stands there now.
    pub fn remembered(&self, input: &str) -> Option<&Value> {
        self.extra.get("values")?.get(input)
    }
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

/// A socket of a subgraph.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Port {
    /// Name in files: an instance's input is keyed by it.
    pub name: String,
    /// ComfyUI's name of what travels there (`IMAGE`); `*` for anything.
    pub kind: String,
    /// What a person sees; the name if none.
    pub label: Option<String>,
    /// Whatever else the file held for this port; written back as it came.
    pub extra: Map<String, Value>,
}

impl Port {
    /// What a person sees.
    pub fn shown(&self) -> &str {
        self.label.as_deref().unwrap_or(&self.name)
    }
}

/// A graph used as a node: an *instance* is a node whose class is the definition's id.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Subgraph {
    /// What an instance takes; the outputs of the node [`Subgraph::INPUT`], in this order.
    pub inputs: Vec<Port>,
    /// What an instance gives; the inputs of the node [`Subgraph::OUTPUT`], by name.
    pub outputs: Vec<Port>,
    /// The nodes, groups and notes; its title is the definition's name. Its own `subgraphs` stay
    /// empty: all definitions lie at the root of the project, so that any of them can use another.
    pub graph: Project,
    /// Whatever else the file held for this definition; written back as it came.
    pub extra: Map<String, Value>,
}

impl Subgraph {
    /// Id of the node in `graph` that has the input ports as its outputs (ComfyUI's id for it).
    pub const INPUT: &'static str = "-10";
    /// Id of the node in `graph` that has the output ports as its inputs.
    pub const OUTPUT: &'static str = "-20";
    /// Class of the node [`Subgraph::INPUT`].
    pub const INPUT_CLASS: &'static str = "SubgraphInput";
    /// Class of the node [`Subgraph::OUTPUT`].
    pub const OUTPUT_CLASS: &'static str = "SubgraphOutput";
}

/// The class of a bend in a link: passes on what stands at its only input.
pub const REROUTE: &str = "Reroute";

/// The input of a [`REROUTE`].
pub const REROUTE_INPUT: &str = "";

/// Whether nodes of that class only lead links somewhere: no step is made of them, and no catalog
/// has to know them.
pub fn is_virtual(class: &str) -> bool {
    matches!(
        class,
        REROUTE | Subgraph::INPUT_CLASS | Subgraph::OUTPUT_CLASS
    )
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
    /// Graphs used as nodes, by the class of their instances.
    pub subgraphs: IndexMap<String, Subgraph>,
    /// Whatever else the file held at its top; written back as it came.
    pub extra: Map<String, Value>,
}

impl Project {
    /// The text of this document's `*.longtake` file.
    pub fn to_json(&self) -> String {
        crate::format::project::to_text(self)
    }
}

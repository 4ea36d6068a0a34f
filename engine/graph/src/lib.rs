//! The document: a graph of nodes and links, the film's shots, and the files they live in.
//!
//! Plain data. **Invariant:** nothing here knows a GPU, a window or a video library, and the only
//! I/O is reading and writing a document's own file.
//!
//! - [`document`]: [`Project`], nodes, links, groups, notes, subgraphs.
//! - [`declare`]: what a node class says about itself (sockets, parameters, help).
//! - [`shots`], [`mod@storyboard`]: the shot list a `Storyboard` node holds, and reading it.
//! - [`edit`], [`mod@shot_edit`]: changes as values, each with its inverse.
//! - [`mod@format`]: project files and ComfyUI prompts, read and written.
//! - [`mod@check`], [`diagnostic`]: what is wrong with a graph, and where; [`Sentence`]: in which words.
//! - [`mod@lower`]: subgraphs expanded and reroutes followed; what follows works on that.
//! - [`live`]: what runs, with muted and bypassed nodes resolved.
//! - [`walk`]: order, ancestors, consumers, cycles.
//! - [`curve`]: curves through points, as drawn and as run.
//! - [`literal`], [`near`]: values coerced as ComfyUI does; names a person may have meant.

pub mod check;
pub mod curve;
pub mod declare;
pub mod diagnostic;
pub mod document;
pub mod edit;
pub mod format;
pub mod kind;
pub mod literal;
pub mod live;
pub mod lower;
pub mod near;
pub mod shot_edit;
pub mod shots;
pub mod storyboard;
pub mod walk;

pub use check::check;
pub use curve::Curve;
pub use declare::{Catalog, Declaration, InputDecl, InputType, ModelFolder, OutputDecl};
pub use diagnostic::{Diagnostic, Place, Severity};
pub use document::{Group, Input, Link, Mode, Node, NodeId, Note, Port, Project, Subgraph};
pub use edit::{Edit, EditError, apply};
pub use format::{
    Carrier, Format, Loaded, ReadError, ReadErrorKind, WriteError, read, read_bytes,
    read_bytes_with, read_with, write,
};
pub use kind::Kind;
pub use literal::coerce;
pub use live::resolve;
pub use longtake_sentence::{Sentence, say};
pub use lower::{Lowered, lower};
pub use shot_edit::{add_shot, move_shot, remove_shot, shot_edit};
pub use shots::{Shot, Storyboard, TransitionKind};
pub use storyboard::{parse_shots, storyboard};
pub use walk::{Cycle, topological_order};

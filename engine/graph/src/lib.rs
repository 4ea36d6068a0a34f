//! The document: a graph of nodes and links, the film's shots, and the files they live in.
//!
//! Plain data. **Invariant:** nothing here knows a GPU, a window or a video library, and the only
//! I/O is reading and writing a document's own file.
//!
//! - [`document`]: [`Project`], nodes, links, groups, notes.
//! - [`declare`]: what a node class says about itself (sockets, parameters, help).
//! - [`shots`]: the shot list a `Storyboard` node holds.
//! - [`diagnostic`]: what is wrong with a graph, and where.

pub mod declare;
pub mod diagnostic;
pub mod document;
pub mod kind;
pub mod shots;

pub use declare::{Catalog, Declaration, InputDecl, InputType, ModelFolder, OutputDecl};
pub use diagnostic::{Diagnostic, Place, Severity};
pub use document::{Group, Input, Link, Mode, Node, NodeId, Note, Project};
pub use kind::Kind;
pub use shots::{Shot, Storyboard, TransitionKind};

//! Every node: one file each, declaration, sizes, cost, code and tests together.
//!
//! [`all`] is the one list; [`Registry`] answers the compiler and the executor from it.
//! To add a node: write its file, add one line to [`all`].

pub mod camera;
pub mod conditioning;
pub mod facts;
pub mod failure;
pub mod film;
pub mod image;
pub mod inputs;
pub mod latent;
pub mod model;
pub mod node;
pub mod object_info;
pub mod options;
pub mod output;
pub mod picture;
pub mod pose;
pub mod primitive;
pub mod rate;
pub mod registry;
pub mod sampling;
pub mod video;

pub use facts::{DiskFacts, Looked};
pub use node::Node;
pub use registry::{Registry, all};

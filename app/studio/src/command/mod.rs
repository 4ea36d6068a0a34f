//! One file per subcommand.

pub mod check;
pub mod convert;
pub mod models;
pub mod nodes;
pub mod pin;
pub mod plan;
pub mod render;
pub mod store;

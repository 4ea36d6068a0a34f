//! Tests of the editor through [`crate::Studio`], as the window uses it.

mod arrange;
mod clipboard;
mod connect;
mod fake;
mod history;
mod items;
mod search;
mod seed;
mod shape;
mod soak;
mod splice;
mod subgraph;

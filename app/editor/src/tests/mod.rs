//! Tests of the editor through [`crate::Studio`], as the window uses it.

mod connect;
mod fake;
mod items;
mod search;
mod shape;

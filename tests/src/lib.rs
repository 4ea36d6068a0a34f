//! End-to-end tests of the program; the tests stand in `tests/`, what they share here.
//!
//! - [`place`]: a folder to render in, and the program run in it.
//! - [`compare`]: latents and frames beside their goldens.
//! - [`graphs`]: the small graphs that tests start from.
//! - [`published`]: what plans are told of published checkpoints.
#![allow(
    clippy::unwrap_used,
    reason = "a helper of tests: a panic is a failed test"
)]

pub mod compare;
pub mod graphs;
pub mod place;
pub mod published;

use std::path::PathBuf;

/// The repository's top folder.
pub fn root() -> PathBuf {
    PathBuf::from(env!("LONGTAKE_CHECKOUT"))
}

/// A file below `tests/data`.
pub fn data(name: &str) -> PathBuf {
    root().join("tests/data").join(name)
}

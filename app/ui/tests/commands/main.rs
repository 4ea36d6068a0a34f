//! Every command does something: asked for by its key, or from the palette, in a situation in which
//! it can be done. Where it cannot be done it is grey, and says why.

#![allow(clippy::unwrap_used, reason = "tests: a panic is a failed test")]

mod disabled;
mod paste;
mod results;
mod situations;
mod stage;
mod walk;
mod words;

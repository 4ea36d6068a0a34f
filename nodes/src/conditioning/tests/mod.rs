//! Nodes of this folder in graphs: compiled, and run step by step with the tiny Wan family.

mod control;
mod graphs;
mod image;
mod refused;
mod scail;

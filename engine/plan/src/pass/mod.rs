//! The passes before memory is planned, a file each.

pub(crate) mod expand;
pub(crate) mod film;
pub(crate) mod infer;
pub(crate) mod order;
mod pieces;
pub(crate) mod prune;
pub(crate) mod resolve;
pub(crate) mod sign;
pub(crate) mod stage;

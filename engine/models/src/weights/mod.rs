//! Checkpoints: safetensors and GGUF files and diffusers folders, opened without trusting them, and read
//! tensor by tensor onto a device.
//!
//! A module reads its sizes with [`Checkpoint::shape`] and [`Checkpoint::count_blocks`] and its
//! tensors with [`Checkpoint::tensor`]. Where a file has other names than the module's,
//! [`Checkpoint::rename`] and [`Checkpoint::prefix`] give a view that answers to the module's names.

mod checkpoint;
mod dtype;
mod error;
mod family;
mod folder;
mod ggml;
mod gguf;
mod header;
mod matrix;
mod packed;
mod probe;
mod read;

pub use checkpoint::{COMFY_PREFIX, Checkpoint, TensorInfo};
pub use dtype::{Dtype, FloatKind};
pub use error::{Action, Clash, WeightsError};
pub use family::{Family, FamilyKind, Umt5Dims, WanDims, check_family};
pub use header::{Header, MAX_HEADER_BYTES, Slot};
pub use matrix::{LowRank, Matrix};
pub use packed::{Packed, Raw, kept_bytes};
pub use probe::{Kept, Probe, Share, fingerprint, probe};

/// Where the weights of the blocks, nearly all of them, are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placement {
    /// On the device from the start.
    Resident,
    /// In the mapped file: each pass brings in one block, uses it and drops it. Slower, same
    /// numbers.
    Streamed,
}

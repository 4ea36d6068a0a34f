//! Runs a plan: lanes, events, cancel, retry, the out-of-memory ladder, and the store that makes
//! finished work stay finished.
//!
//! **Invariant:** nothing here knows Burn, a window or GStreamer. Models are opaque handles that
//! the node layer loads and reads; frames are plain pixels.
//!
//! - [`value`], [`frame`], [`clip`]: what flows between steps.
//! - [`cx`]: what a node's code sees while it runs.
//! - [`store`]: content-addressed results on disk.
//! - [`executor`]: the lanes; [`event`]: what they tell; [`report`]: what remains of it.
//! - [`mod@recall`]: what a step made, after the run.
//! - [`paths`]: where a graph's files may lie; [`places`]: where the program's own do.

pub mod clip;
pub mod cx;
pub mod error;
pub mod event;
pub mod executor;
pub mod files;
pub mod frame;
pub mod frames_file;
pub mod memory;
pub mod models;
pub mod paths;
pub mod places;
pub mod recall;
pub mod report;
pub mod seen;
pub mod store;
mod tensor_file;
pub mod value;

pub use clip::{Clip, FrameSource};
pub use cx::{Env, Loading, Nodes, RunCx, RunFn, Said};
pub use error::{Failure, RunError};
pub use event::{Cancel, DevicePicture, Event, Preview, Progress};
pub use executor::{Options, run};
pub use frame::{Frame, Pixels};
pub use models::{Device, Models, Resident};
pub use paths::{PathError, Roots};
pub use places::Places;
pub use recall::recall;
pub use report::Report;
pub use store::{Scratch, Store};
pub use value::{Array, Conditioning, Latent, Segment, Value};

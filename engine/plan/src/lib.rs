//! What a graph compiles into: an ordered list of steps with what each reads, writes, frees,
//! costs and keeps in memory.
//!
//! **Invariant:** this crate does no I/O and knows neither Burn nor wgpu. What it must learn of the
//! outside world (checkpoint headers, image sizes, what the store holds) it asks through
//! [`Facts`]. A plan can be built, printed and tested on a machine with no GPU.
//!
//! - [`spec`]: what a node class tells the compiler ([`NodeSpec`]): inference, cost, lane.
//! - [`info`]: what is known of a value before it exists ([`Info`]).
//! - [`facts`]: questions the compiler asks about files and the store.
//! - [`machine`]: the machine a plan is made for.
//! - [`mod@plan`]: the result ([`Plan`]).
//! - [`mod@compile`]: the passes in order ([`compile()`]); `pass` holds them, `fit` the last and largest.
//! - [`check`]: what must hold of a plan.
//! - [`usage`]: what it keeps where, and when; [`text`]: a plan as text and JSON.

pub mod check;
pub mod compile;
pub mod facts;
mod fit;
pub mod info;
pub mod machine;
mod pass;
pub mod plan;
pub mod spec;
#[cfg(test)]
mod tests;
pub mod text;
#[cfg(any(test, feature = "toy"))]
pub mod toy;
pub mod usage;
mod uses;

pub use compile::{Compiled, Options, compile};
pub use facts::{FactError, Facts, MediaFacts, Stored, WeightsFacts};
pub use info::{ClipInfo, ExtrasInfo, Fps, Info, LatentInfo, WeightsInfo};
pub use machine::{DeviceKind, Machine};
pub use pass::expand::internal;
pub use plan::{NodePath, Plan, Signature, Step, StepId, StepInput, Value, ValueId, WeightsId};
pub use spec::{
    Constants, Cost, CostCx, Front, InferCx, InferError, Keep, Lane, NodeSpec, Role, Rung, Specs,
    Work,
};

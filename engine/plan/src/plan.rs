//! The plan: steps in order, the values between them, the weights they need, memory over time.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use indexmap::IndexMap;
use longtake_graph::{NodeId, Sentence};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::{Cost, Info, Keep, Lane, Machine, WeightsInfo};

/// Content hash of a step: class and version, parameters, signatures of inputs, fingerprints of
/// weights and files. 32 bytes of BLAKE3, written as hex.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Signature(pub [u8; 32]);

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Signature {
    /// Reads 64 hex digits.
    pub fn from_hex(text: &str) -> Option<Self> {
        let mut bytes = [0; 32];
        if text.len() != 64 || !text.is_ascii() {
            return None;
        }
        for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
            let pair = std::str::from_utf8(pair).ok()?;
            *byte = u8::from_str_radix(pair, 16).ok()?;
        }
        Some(Self(bytes))
    }
}

/// Where a step comes from: the user's node, the shot it was repeated for, the piece of film.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodePath {
    /// The node in the document.
    pub node: NodeId,
    /// Position of the shot in the film, from 0, and its id.
    pub shot: Option<(u32, Arc<str>)>,
    /// What the compiler added (`body`, `join`, `encode`, …).
    pub part: Option<Arc<str>>,
}

impl fmt::Display for NodePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.node.as_str())?;
        if let Some((_, id)) = &self.shot {
            write!(f, "[{id}]")?;
        }
        if let Some(part) = &self.part {
            write!(f, ".{part}")?;
        }
        Ok(())
    }
}

/// Index into [`Plan::steps`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct StepId(pub u32);

/// Index into [`Plan::values`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ValueId(pub u32);

/// Index into [`Plan::weights`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct WeightsId(pub u32);

/// One thing made by a step.
#[derive(Clone, Debug, PartialEq)]
pub struct Value {
    /// What is known of it.
    pub info: Info,
    /// The step that makes it; `None` for constants.
    pub step: Option<StepId>,
    /// Which output of that step.
    pub output: u32,
    /// Bytes it takes on the host while alive (handles to stored frames take next to none).
    pub host_bytes: u64,
}

/// What stands at a step's input.
#[derive(Clone, Debug, PartialEq)]
pub enum StepInput {
    /// A constant.
    Literal(Json),
    /// A value.
    Value(ValueId),
    /// Several values, in order.
    List(Vec<ValueId>),
}

/// A model's move between disk, host and device, done before a step starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Move {
    /// Make resident on the device: from disk, or from the host when it was parked there.
    Load(WeightsId),
    /// Off the device, kept on the host for its next use.
    Park(WeightsId),
    /// Out of memory altogether.
    Drop(WeightsId),
}

/// One piece of work on one lane.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// Position in the plan.
    pub id: StepId,
    /// Where it comes from.
    pub path: NodePath,
    /// Class of the node that runs.
    pub class: String,
    /// Inputs by name, defaults filled in.
    pub inputs: IndexMap<String, StepInput>,
    /// Values made, one per declared output.
    pub writes: Vec<ValueId>,
    /// Values nobody needs after this step.
    pub frees: Vec<ValueId>,
    /// Who runs it.
    pub lane: Lane,
    /// A lazy recipe for frames: building it costs nothing.
    pub lazy: bool,
    /// What happens to the result.
    pub keep: Keep,
    /// Content hash.
    pub signature: Signature,
    /// Weights that must be resident while it runs.
    pub weights: Vec<WeightsId>,
    /// Weights it reads block by block instead.
    pub streamed: Vec<WeightsId>,
    /// Moves of weights before it starts.
    pub moves: Vec<Move>,
    /// The way chosen to do it, and its settings.
    pub rung: String,
    /// Settings of that way.
    pub settings: BTreeMap<String, Json>,
    /// Why a lesser way was chosen, if one was.
    pub why: Option<Sentence>,
    /// Lesser ways still open when memory runs out all the same.
    pub fallbacks: Vec<crate::Rung>,
    /// What the chosen way costs, the recipes it reads from included.
    pub cost: Cost,
    /// Predicted bytes while it runs: everything resident on the device (on a CPU: 0).
    pub device_bytes: u64,
    /// Predicted bytes while it runs: everything resident on the host.
    pub host_bytes: u64,
    /// Predicted seconds, loading included.
    pub seconds: f64,
    /// It is not run: the store has its result, or (with [`crate::Options::whole`]) that of all that
    /// reads it.
    pub cached: bool,
}

impl Step {
    /// Whether the store has its own result. A cached step of which it has none is not needed: what
    /// reads it is stored.
    pub fn is_stored(&self) -> bool {
        let kept = match self.keep {
            Keep::Store | Keep::Output => true,
            Keep::Memory => false,
        };
        self.cached && kept
    }
}

/// An ordered plan. Plain data: can be printed, compared and checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// The machine it is made for.
    pub machine: Machine,
    /// Every value, constants included.
    pub values: Vec<Value>,
    /// Steps in the order they start; each value is written before it is read.
    pub steps: Vec<Step>,
    /// Checkpoints.
    pub weights: Vec<Arc<WeightsInfo>>,
    /// Steps of output nodes.
    pub outputs: Vec<StepId>,
    /// Largest predicted device use, bytes.
    pub peak_device_bytes: u64,
    /// Largest predicted host use, bytes.
    pub peak_host_bytes: u64,
    /// Predicted seconds for what is not cached.
    pub seconds: f64,
}

impl Plan {
    /// A step.
    pub fn step(&self, id: StepId) -> &Step {
        &self.steps[id.0 as usize]
    }

    /// A value.
    pub fn value(&self, id: ValueId) -> &Value {
        &self.values[id.0 as usize]
    }

    /// A checkpoint.
    pub fn weight(&self, id: WeightsId) -> &WeightsInfo {
        &self.weights[id.0 as usize]
    }
}

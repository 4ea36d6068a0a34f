//! What a node class tells the compiler: how sizes flow through it, what it costs, who runs it.

use std::collections::BTreeMap;
use std::sync::Arc;

use indexmap::IndexMap;
use longtake_graph::{Declaration, Sentence, say};
use serde_json::Value as Json;

use crate::{ClipInfo, ExtrasInfo, Facts, Info, LatentInfo, Machine, NodePath, WeightsInfo};

/// A node class as the compiler sees it.
#[derive(Clone, Copy)]
pub struct NodeSpec {
    /// Sockets and parameters.
    pub decl: &'static Declaration,
    /// Outputs from inputs, without running. One [`Info`] per declared output.
    pub infer: fn(&InferCx<'_>) -> Result<Vec<Info>, InferError>,
    /// What has to be done.
    pub work: Work,
    /// Part the class plays in the expansion of a film.
    pub role: Role,
    /// Work of its own that comes before it.
    pub front: Option<Front>,
}

/// The constants at a node's inputs, by name.
pub type Constants<'a> = &'a dyn Fn(&str) -> Option<Json>;

/// The first of two steps that one node becomes, so that each needs only its own checkpoints:
/// over a film all first steps can run before all second ones, and each checkpoint is loaded once.
#[derive(Clone, Copy)]
pub struct Front {
    /// Class of the first step. It takes the node's inputs but `without`.
    pub class: &'static str,
    /// What the first step is called behind the node's name (`high`).
    pub part: &'static str,
    /// Inputs that only the second step takes.
    pub without: &'static [&'static str],
    /// Inputs that only the first step takes.
    pub only: &'static [&'static str],
    /// Input of the second step that takes the first one's output.
    pub input: &'static str,
    /// Whether there is anything to do in the first step, as far as the constants at the node's
    /// inputs tell; a constant that is not known yet is `None`.
    pub needed: fn(Constants<'_>) -> bool,
}

/// What has to be done for a node.
#[derive(Clone, Copy)]
pub enum Work {
    /// Nothing: inference says all there is to know (loaders, settings, constants). Such nodes
    /// become no step.
    Constant,
    /// A cheap recipe for frames: the step only builds it, and whoever reads the frames makes
    /// them chunk by chunk. Costs are per chunk, paid by the reader.
    Lazy { cost: fn(&CostCx<'_>) -> Cost },
    /// Real work.
    Run {
        /// Who does it.
        lane: Lane,
        /// What happens to the result.
        keep: Keep,
        /// Ways to do it, best first; each later one needs less memory. Never empty.
        rungs: fn(&CostCx<'_>) -> Vec<Rung>,
    },
}

/// Who runs a step.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Lane {
    /// The device models run on; one step at a time.
    Device,
    /// The processor pool.
    Cpu,
    /// Calls to services, with a rate limit.
    Api,
}

/// What happens to a step's result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// Dear to make: written to the store under the step's signature.
    Store,
    /// Kept only while someone in this run needs it.
    Memory,
    /// A file for the person (under `--output`); the store remembers which.
    Output,
}

/// Part a class plays in a film's expansion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// None.
    Plain,
    /// A bundle of inputs (a guider): whoever reads it gets its inputs in its place, under their
    /// own names.
    Bundle,
    /// `EachShot`: its outputs are one shot's fields; what depends on it is repeated per shot.
    EachShot,
    /// `CollectFilm`: gathers what was repeated.
    CollectFilm,
    /// Makes each output frame from the same frame of the named input: repeated per piece of film.
    FrameLocal { input: &'static str },
    /// Writes a stream of frames as encoded segments: one step of class `encode` per piece,
    /// with this node's other literals but `strip`; then this node, reading them all as
    /// `list`. The input that carries the frames is `input`.
    Assemble {
        encode: &'static str,
        input: &'static str,
        list: &'static str,
        strip: &'static [&'static str],
    },
}

/// Costs of a step, or of one chunk of a lazy recipe.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Cost {
    /// Floating-point operations.
    pub flops: f64,
    /// Bytes on the device beside weights, inputs and outputs (activations, scratch).
    pub device_bytes: u64,
    /// Bytes on the host beside inputs and outputs.
    pub host_bytes: u64,
    /// Seconds that do not come from `flops` (encoding, disk).
    pub seconds: f64,
}

/// One way to do a step.
#[derive(Clone, Debug, PartialEq)]
pub struct Rung {
    /// Name given to the step (`whole`, `tiled 256`, `streamed`).
    pub name: String,
    /// Settings the step's code reads.
    pub settings: BTreeMap<String, Json>,
    /// What it costs.
    pub cost: Cost,
    /// Weights that need not be resident on this rung (read block by block), by input name.
    pub streams: Vec<&'static str>,
}

/// Knows every class.
pub trait Specs: longtake_graph::Catalog {
    /// The spec of a class.
    fn spec(&self, class: &str) -> Option<&NodeSpec>;
}

/// One input as inference sees it.
#[derive(Clone, Debug, PartialEq)]
pub enum Known {
    /// A value written in the graph (defaults filled in, types coerced).
    Literal(Json),
    /// What is known of the linked value.
    Info(Info),
    /// Several linked values (a film's pieces).
    List(Vec<Info>),
}

/// Why outputs cannot be told. Becomes a diagnostic at that node.
#[derive(Clone, Debug, PartialEq)]
pub struct InferError {
    /// `size_not_multiple`, `length_not_4k1`, `file_missing`, …
    pub code: &'static str,
    /// The input to blame, if one is.
    pub input: Option<String>,
    /// Full sentence: expected, found, what to do.
    pub message: Sentence,
}

impl InferError {
    /// An error at an input.
    pub fn at(code: &'static str, input: &str, message: Sentence) -> Self {
        Self {
            code,
            input: Some(input.to_owned()),
            message,
        }
    }
}

/// What inference may look at.
pub struct InferCx<'a> {
    /// The node and shot.
    pub path: &'a NodePath,
    /// Its declaration.
    pub decl: &'static Declaration,
    /// Inputs by name. Optional inputs that are not given are absent.
    pub inputs: &'a IndexMap<String, Known>,
    /// Files and the store.
    pub facts: &'a dyn Facts,
    /// The machine planned for.
    pub machine: &'a Machine,
}

/// What a cost formula may look at.
pub struct CostCx<'a> {
    /// Inputs by name.
    pub inputs: &'a IndexMap<String, Known>,
    /// What inference said of the outputs.
    pub outputs: &'a [Info],
    /// The machine planned for.
    pub machine: &'a Machine,
}

/// Typed reading of inputs, shared by both contexts.
macro_rules! readers {
    ($cx:ident) => {
        impl $cx<'_> {
            /// The constant at an input, written or linked.
            pub fn json(&self, name: &str) -> Option<&Json> {
                match self.inputs.get(name)? {
                    Known::Literal(value) | Known::Info(Info::Constant(value)) => Some(value),
                    _ => None,
                }
            }

            /// Whether anything stands at an input.
            pub fn has(&self, name: &str) -> bool {
                self.inputs.contains_key(name)
            }

            /// A whole number.
            ///
            /// # Errors
            /// Absent or not a number known before the run.
            pub fn int(&self, name: &str) -> Result<i64, InferError> {
                self.json(name)
                    .and_then(|v| v.as_i64().or_else(|| v.as_f64().map(|f| f as i64)))
                    .ok_or_else(|| missing(name, &say!("a whole number", "整数")))
            }

            /// A 64-bit seed.
            ///
            /// # Errors
            /// Absent or not a number known before the run.
            pub fn seed(&self, name: &str) -> Result<u64, InferError> {
                self.json(name)
                    .and_then(Json::as_u64)
                    .ok_or_else(|| missing(name, &say!("a seed", "シード")))
            }

            /// A real number.
            ///
            /// # Errors
            /// Absent or not a number known before the run.
            pub fn float(&self, name: &str) -> Result<f64, InferError> {
                self.json(name)
                    .and_then(Json::as_f64)
                    .ok_or_else(|| missing(name, &say!("a number", "数値")))
            }

            /// Text, a choice or a file name.
            ///
            /// # Errors
            /// Absent or not a text known before the run.
            pub fn text(&self, name: &str) -> Result<&str, InferError> {
                self.json(name)
                    .and_then(Json::as_str)
                    .ok_or_else(|| missing(name, &say!("a text", "テキスト")))
            }

            /// A truth value.
            ///
            /// # Errors
            /// Absent or not a truth value known before the run.
            pub fn boolean(&self, name: &str) -> Result<bool, InferError> {
                self.json(name)
                    .and_then(Json::as_bool)
                    .ok_or_else(|| missing(name, &say!("true or false", "真偽値")))
            }

            /// What is known of a linked value.
            ///
            /// # Errors
            /// Nothing is linked.
            pub fn info(&self, name: &str) -> Result<&Info, InferError> {
                match self.inputs.get(name) {
                    Some(Known::Info(info)) => Ok(info),
                    _ => Err(missing(name, &say!("a link", "リンク"))),
                }
            }

            /// Frames.
            ///
            /// # Errors
            /// No frames are linked.
            pub fn clip(&self, name: &str) -> Result<ClipInfo, InferError> {
                match self.info(name)? {
                    Info::Clip(clip) | Info::Segment(clip) => Ok(*clip),
                    other => Err(unexpected(name, &say!("frames", "フレーム"), other)),
                }
            }

            /// A latent.
            ///
            /// # Errors
            /// No latent is linked.
            pub fn latent(&self, name: &str) -> Result<LatentInfo, InferError> {
                match self.info(name)? {
                    Info::Latent(latent) => Ok(*latent),
                    other => Err(unexpected(name, &say!("a latent", "潜在表現"), other)),
                }
            }

            /// A checkpoint.
            ///
            /// # Errors
            /// No checkpoint is linked.
            pub fn weights(&self, name: &str) -> Result<&WeightsInfo, InferError> {
                match self.info(name)? {
                    Info::Weights(weights) => Ok(weights),
                    other => Err(unexpected(
                        name,
                        &say!("a checkpoint", "チェックポイント"),
                        other,
                    )),
                }
            }

            /// What stands beside the text of a conditioning.
            ///
            /// # Errors
            /// No conditioning is linked.
            pub fn extras(&self, name: &str) -> Result<&Arc<ExtrasInfo>, InferError> {
                match self.info(name)? {
                    Info::Conditioning { extras, .. } => Ok(extras),
                    other => Err(unexpected(
                        name,
                        &say!("conditioning", "コンディショニング"),
                        other,
                    )),
                }
            }

            /// Rows and width of a conditioning.
            ///
            /// # Errors
            /// No conditioning is linked.
            pub fn text_size(&self, name: &str) -> Result<(u32, u32), InferError> {
                match self.info(name)? {
                    Info::Conditioning { tokens, dim, .. } => Ok((*tokens, *dim)),
                    other => Err(unexpected(
                        name,
                        &say!("conditioning", "コンディショニング"),
                        other,
                    )),
                }
            }

            /// All pieces linked to a list input.
            pub fn list(&self, name: &str) -> &[Info] {
                match self.inputs.get(name) {
                    Some(Known::List(list)) => list,
                    Some(Known::Info(info)) => std::slice::from_ref(info),
                    _ => &[],
                }
            }
        }
    };
}

readers!(InferCx);
readers!(CostCx);

fn missing(name: &str, expected: &Sentence) -> InferError {
    InferError::at(
        "required_input_missing",
        name,
        say!(
            "`{name}` needs {expected} that is known before the run, and has none",
            "「{name}」には、実行前に決まっている{expected}が必要ですが、ありません。";
            expected
        ),
    )
}

fn unexpected(name: &str, expected: &Sentence, found: &Info) -> InferError {
    let found = match found {
        Info::Clip(_) => say!("frames", "フレーム"),
        Info::Latent(_) => say!("a latent", "潜在表現"),
        Info::Conditioning { .. } => say!("conditioning", "コンディショニング"),
        Info::Weights(_) => say!("a checkpoint", "チェックポイント"),
        Info::Constant(_) => say!("a constant", "定数"),
        Info::Storyboard(_) => say!("a storyboard", "絵コンテ"),
        Info::Segment(_) => say!("an encoded segment", "エンコード済みの区間"),
        Info::Nothing => say!("nothing", "何もない値"),
    };
    InferError::at(
        "return_type_mismatch",
        name,
        say!(
            "`{name}` takes {expected}, and {found} is linked to it",
            "「{name}」は{expected}を受け取りますが、{found}がリンクされています。";
            expected, found
        ),
    )
}

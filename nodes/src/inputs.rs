//! Constants at a node's inputs, read alike before and during a run.

use longtake_graph::{Sentence, say};
use longtake_plan::{CostCx, InferCx, InferError, WeightsInfo};
use longtake_run::{RunCx, RunError};
use serde_json::Value as Json;

/// Typed reading of what is known at a node's inputs. The three contexts that node code meets
/// answer alike, so that a node reads its settings in one function.
///
/// Every reader fails with a sentence that names the input.
pub trait Inputs {
    /// The constant at an input.
    fn json(&self, name: &str) -> Option<&Json>;

    /// The checkpoint at an input.
    ///
    /// # Errors
    /// None there.
    fn weights(&self, name: &str) -> Result<&WeightsInfo, Sentence>;

    /// A whole number.
    ///
    /// # Errors
    /// Absent or another kind.
    fn int(&self, name: &str) -> Result<i64, Sentence> {
        self.json(name)
            .and_then(|it| it.as_i64().or_else(|| it.as_f64().map(|it| it as i64)))
            .ok_or_else(|| {
                say!(
                    "`{name}` needs a whole number",
                    "「{name}」には整数が必要です。"
                )
            })
    }

    /// A whole number that counts something; below 0 is 0.
    ///
    /// # Errors
    /// Absent or another kind.
    fn count(&self, name: &str) -> Result<usize, Sentence> {
        Ok(self.int(name)?.max(0) as usize)
    }

    /// A 64-bit seed.
    ///
    /// # Errors
    /// Absent or another kind.
    fn seed(&self, name: &str) -> Result<u64, Sentence> {
        self.json(name)
            .and_then(Json::as_u64)
            .ok_or_else(|| say!("`{name}` needs a seed", "「{name}」にはシードが必要です。"))
    }

    /// A real number.
    ///
    /// # Errors
    /// Absent or another kind.
    fn float(&self, name: &str) -> Result<f64, Sentence> {
        self.json(name)
            .and_then(Json::as_f64)
            .ok_or_else(|| say!("`{name}` needs a number", "「{name}」には数値が必要です。"))
    }

    /// Text, a choice or a file name.
    ///
    /// # Errors
    /// Absent or another kind.
    fn text(&self, name: &str) -> Result<&str, Sentence> {
        self.json(name).and_then(Json::as_str).ok_or_else(|| {
            say!(
                "`{name}` needs a text",
                "「{name}」にはテキストが必要です。"
            )
        })
    }
}

macro_rules! inputs {
    ($($context:ty => $say:expr),*) => {$(
        impl Inputs for $context {
            fn json(&self, name: &str) -> Option<&Json> {
                self.json(name)
            }

            fn weights(&self, name: &str) -> Result<&WeightsInfo, Sentence> {
                self.weights(name).map_err($say)
            }
        }
    )*};
}

inputs!(
    InferCx<'_> => |error: InferError| error.message,
    CostCx<'_> => |error: InferError| error.message,
    RunCx<'_> => |error: RunError| error.message
);

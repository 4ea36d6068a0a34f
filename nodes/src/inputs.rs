//! Constants at a node's inputs, read alike before and during a run.

use longtake_plan::{CostCx, InferCx, WeightsInfo};
use longtake_run::RunCx;
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
    fn weights(&self, name: &str) -> Result<&WeightsInfo, String>;

    /// A whole number.
    ///
    /// # Errors
    /// Absent or another kind.
    fn int(&self, name: &str) -> Result<i64, String> {
        self.json(name)
            .and_then(|it| it.as_i64().or_else(|| it.as_f64().map(|it| it as i64)))
            .ok_or_else(|| format!("`{name}` needs a whole number"))
    }

    /// A whole number that counts something; below 0 is 0.
    ///
    /// # Errors
    /// Absent or another kind.
    fn count(&self, name: &str) -> Result<usize, String> {
        Ok(self.int(name)?.max(0) as usize)
    }

    /// A 64-bit seed.
    ///
    /// # Errors
    /// Absent or another kind.
    fn seed(&self, name: &str) -> Result<u64, String> {
        self.json(name)
            .and_then(Json::as_u64)
            .ok_or_else(|| format!("`{name}` needs a seed"))
    }

    /// A real number.
    ///
    /// # Errors
    /// Absent or another kind.
    fn float(&self, name: &str) -> Result<f64, String> {
        self.json(name)
            .and_then(Json::as_f64)
            .ok_or_else(|| format!("`{name}` needs a number"))
    }

    /// Text, a choice or a file name.
    ///
    /// # Errors
    /// Absent or another kind.
    fn text(&self, name: &str) -> Result<&str, String> {
        self.json(name)
            .and_then(Json::as_str)
            .ok_or_else(|| format!("`{name}` needs a text"))
    }
}

macro_rules! inputs {
    ($($context:ty),*) => {$(
        impl Inputs for $context {
            fn json(&self, name: &str) -> Option<&Json> {
                self.json(name)
            }

            fn weights(&self, name: &str) -> Result<&WeightsInfo, String> {
                self.weights(name).map_err(|error| error.message)
            }
        }
    )*};
}

inputs!(InferCx<'_>, CostCx<'_>, RunCx<'_>);

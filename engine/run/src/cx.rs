//! What a node's code sees while it runs.

use std::any::Any;
use std::path::PathBuf;
use std::sync::Arc;

use indexmap::IndexMap;
use longtake_graph::Sentence;
use longtake_plan::{ExtrasInfo, Info, Plan, Specs, Step, StepInput, WeightsInfo};
use serde_json::Value as Json;

use crate::{
    Cancel, Clip, Conditioning, Device, Latent, Preview, Progress, Resident, Roots, RunError,
    Segment, Store, Value,
};

/// A node's code: reads inputs from the context, returns one value per declared output.
pub type RunFn = fn(&mut RunCx<'_>) -> Result<Vec<Value>, RunError>;

/// The node layer as the executor sees it.
pub trait Nodes: Specs + Sync {
    /// The code of a class, if it has any.
    fn runner(&self, class: &str) -> Option<RunFn>;

    /// Reads a checkpoint. `streamed` asks for a handle that reads its blocks when needed.
    ///
    /// # Errors
    /// Missing, damaged or foreign file; no memory.
    fn load_weights(
        &self,
        info: &WeightsInfo,
        device: &Device,
        streamed: bool,
        tell: &mut dyn FnMut(Loading),
    ) -> Result<Resident, RunError>;

    /// What a caught panic of the libraries below means, where they tell of a failure by panicking
    /// (device memory used up). `None`: a bug of ours.
    fn fault(&self, panic: &(dyn Any + Send)) -> Option<RunError> {
        let _ = panic;
        None
    }
}

/// What is told while a checkpoint is read.
#[derive(Debug)]
pub enum Loading {
    /// How much of it is there, 0 to 1.
    Part(f32),
    /// Something to know.
    Note(Sentence),
}

/// The world around a run.
pub struct Env {
    /// Where files lie.
    pub roots: Roots,
    /// Finished results.
    pub store: Store,
    /// Folder for frames on their way; emptied after the run.
    pub scratch: PathBuf,
    /// The device models run on.
    pub device: Device,
    /// The wish to stop.
    pub cancel: Cancel,
    /// The film's file when a person named one (`-o`); otherwise names are counted up.
    pub output_file: Option<PathBuf>,
    /// The prompt JSON written into outputs, so that a film carries its graph.
    pub prompt: Option<Json>,
}

/// One input at run time.
#[derive(Clone, Debug)]
pub enum Given {
    /// A constant.
    Literal(Json),
    /// Known before the run, and never made: weights, storyboards.
    Known(Info),
    /// Made by a step.
    Value(Value),
    /// Made by several steps.
    List(Vec<Value>),
}

/// What a node's code says while it runs.
#[derive(Debug)]
pub enum Said {
    /// How far it is.
    Progress(Progress),
    /// Something to know.
    Note(Sentence),
}

/// Everything a node's code may use.
pub struct RunCx<'a> {
    /// The step being run.
    pub step: &'a Step,
    /// The plan it belongs to.
    pub plan: &'a Plan,
    /// The world around it.
    pub env: &'a Env,
    /// Its inputs.
    pub inputs: IndexMap<String, Given>,
    /// Its weights, by input name.
    pub models: IndexMap<String, Resident>,
    /// Where progress goes.
    pub report: &'a mut dyn FnMut(Said),
}

impl RunCx<'_> {
    fn missing(&self, name: &str, expected: &str) -> RunError {
        let found = match self.inputs.get(name) {
            None => "nothing",
            Some(Given::Literal(_)) => "a constant",
            Some(Given::Known(_)) => "something known before the run",
            Some(Given::Value(value)) => value.kind(),
            Some(Given::List(_)) => "a list",
        };
        RunError::failed(format!("input `{name}`: expected {expected}, got {found}"))
    }

    /// The constant at an input.
    pub fn json(&self, name: &str) -> Option<&Json> {
        match self.inputs.get(name)? {
            Given::Literal(value)
            | Given::Known(Info::Constant(value))
            | Given::Value(Value::Json(value)) => Some(value),
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
    /// Absent or another kind.
    pub fn int(&self, name: &str) -> Result<i64, RunError> {
        self.json(name)
            .and_then(|v| v.as_i64().or_else(|| v.as_f64().map(|f| f as i64)))
            .ok_or_else(|| self.missing(name, "a whole number"))
    }

    /// A 64-bit seed.
    ///
    /// # Errors
    /// Absent or another kind.
    pub fn seed(&self, name: &str) -> Result<u64, RunError> {
        self.json(name)
            .and_then(Json::as_u64)
            .ok_or_else(|| self.missing(name, "a seed"))
    }

    /// A real number.
    ///
    /// # Errors
    /// Absent or another kind.
    pub fn float(&self, name: &str) -> Result<f64, RunError> {
        self.json(name)
            .and_then(Json::as_f64)
            .ok_or_else(|| self.missing(name, "a number"))
    }

    /// Text, a choice or a file name.
    ///
    /// # Errors
    /// Absent or another kind.
    pub fn text(&self, name: &str) -> Result<&str, RunError> {
        self.json(name)
            .and_then(Json::as_str)
            .ok_or_else(|| self.missing(name, "a text"))
    }

    /// A truth value.
    ///
    /// # Errors
    /// Absent or another kind.
    pub fn boolean(&self, name: &str) -> Result<bool, RunError> {
        self.json(name)
            .and_then(Json::as_bool)
            .ok_or_else(|| self.missing(name, "true or false"))
    }

    /// Frames.
    ///
    /// # Errors
    /// Absent or another kind.
    pub fn clip(&self, name: &str) -> Result<Clip, RunError> {
        match self.inputs.get(name) {
            Some(Given::Value(Value::Clip(clip))) => Ok(clip.clone()),
            _ => Err(self.missing(name, "frames")),
        }
    }

    /// Frames of every piece of a list.
    ///
    /// # Errors
    /// Absent or another kind.
    pub fn clips(&self, name: &str) -> Result<Vec<Clip>, RunError> {
        self.values(name)?
            .into_iter()
            .map(|value| match value {
                Value::Clip(clip) => Ok(clip),
                _ => Err(self.missing(name, "frames")),
            })
            .collect()
    }

    /// Encoded pieces of a list.
    ///
    /// # Errors
    /// Absent or another kind.
    pub fn segments(&self, name: &str) -> Result<Vec<Segment>, RunError> {
        self.values(name)?
            .into_iter()
            .map(|value| match value {
                Value::Segment(segment) => Ok(segment),
                _ => Err(self.missing(name, "encoded segments")),
            })
            .collect()
    }

    fn values(&self, name: &str) -> Result<Vec<Value>, RunError> {
        match self.inputs.get(name) {
            Some(Given::List(list)) => Ok(list.clone()),
            Some(Given::Value(value)) => Ok(vec![value.clone()]),
            _ => Err(self.missing(name, "a list")),
        }
    }

    /// A latent.
    ///
    /// # Errors
    /// Absent or another kind.
    pub fn latent(&self, name: &str) -> Result<Latent, RunError> {
        match self.inputs.get(name) {
            Some(Given::Value(Value::Latent(latent))) => Ok(latent.clone()),
            _ => Err(self.missing(name, "a latent")),
        }
    }

    /// Encoded text.
    ///
    /// # Errors
    /// Absent or another kind.
    pub fn conditioning(&self, name: &str) -> Result<Conditioning, RunError> {
        match self.inputs.get(name) {
            Some(Given::Value(Value::Conditioning(it))) => Ok(it.clone()),
            _ => Err(self.missing(name, "conditioning")),
        }
    }

    /// What the plan says stands beside the text of a conditioning: settings, a control net.
    ///
    /// # Errors
    /// Absent or another kind.
    pub fn extras(&self, name: &str) -> Result<Arc<ExtrasInfo>, RunError> {
        if let Some(StepInput::Value(id)) = self.step.inputs.get(name)
            && let Info::Conditioning { extras, .. } = &self.plan.value(*id).info
        {
            return Ok(Arc::clone(extras));
        }
        Err(self.missing(name, "conditioning"))
    }

    /// A loaded checkpoint as the type its loader made. `NAME.control` is the control net of the
    /// conditioning at input `NAME`.
    ///
    /// # Errors
    /// Not loaded, or of another family.
    pub fn model<T: Send + Sync + 'static>(&self, name: &str) -> Result<Arc<T>, RunError> {
        let resident = self
            .models
            .get(name)
            .ok_or_else(|| self.missing(name, "a checkpoint"))?;
        Arc::clone(resident).downcast::<T>().map_err(|_| {
            RunError::failed(format!(
                "input `{name}`: the checkpoint is of another family"
            ))
        })
    }

    /// What is known of the checkpoint at an input, with the settings put on it.
    ///
    /// # Errors
    /// No checkpoint there.
    pub fn weights(&self, name: &str) -> Result<&WeightsInfo, RunError> {
        match self.inputs.get(name) {
            Some(Given::Known(Info::Weights(weights))) => Ok(weights),
            _ => Err(self.missing(name, "a checkpoint")),
        }
    }

    /// What the plan says of an output.
    pub fn output_info(&self, index: usize) -> Option<&Info> {
        self.step
            .writes
            .get(index)
            .map(|id| &self.plan.value(*id).info)
    }

    /// A setting of the way chosen to do the step.
    pub fn setting(&self, name: &str) -> Option<&Json> {
        self.step.settings.get(name)
    }

    /// Tells how far the step is, and stops it when a person asked for that.
    ///
    /// # Errors
    /// Cancelled.
    pub fn progress(&mut self, done: u64, total: u64, unit: &'static str) -> Result<(), RunError> {
        self.progress_with(done, total, unit, None)
    }

    /// As [`RunCx::progress`], with a picture.
    ///
    /// # Errors
    /// Cancelled.
    pub fn progress_with(
        &mut self,
        done: u64,
        total: u64,
        unit: &'static str,
        preview: Option<Preview>,
    ) -> Result<(), RunError> {
        (self.report)(Said::Progress(Progress {
            done,
            total,
            unit,
            preview,
        }));
        self.env.cancel.check()
    }

    /// Tells a person something about this step: it is shown, and stands in the report.
    pub fn note(&mut self, text: impl Into<Sentence>) {
        (self.report)(Said::Note(text.into()));
    }
}

/// The inputs of a step from what is known and what was made.
///
/// # Errors
/// A value that should have been made is not there: a bug of the executor.
pub fn gather(
    plan: &Plan,
    step: &Step,
    made: impl Fn(longtake_plan::ValueId) -> Option<Value>,
) -> Result<IndexMap<String, Given>, RunError> {
    let one = |id: longtake_plan::ValueId| -> Result<Given, RunError> {
        let value = plan.value(id);
        match &value.info {
            Info::Constant(json) => return Ok(Given::Literal(json.clone())),
            info if value.step.is_none() => return Ok(Given::Known(info.clone())),
            _ => {}
        }
        made(id).map(Given::Value).ok_or_else(|| {
            RunError::failed(format!(
                "value {} of step {} was never made",
                id.0, step.path
            ))
        })
    };
    step.inputs
        .iter()
        .map(|(name, input)| {
            let given = match input {
                StepInput::Literal(json) => Given::Literal(json.clone()),
                StepInput::Value(id) => one(*id)?,
                StepInput::List(ids) => {
                    let values = ids.iter().map(|id| match one(*id)? {
                        Given::Value(value) => Ok(value),
                        Given::Literal(json) => Ok(Value::Json(json)),
                        _ => Err(RunError::failed(format!(
                            "input `{name}` lists a checkpoint"
                        ))),
                    });
                    Given::List(values.collect::<Result<_, _>>()?)
                }
            };
            Ok((name.clone(), given))
        })
        .collect()
}

//! What a node's code sees while it runs.

use std::any::Any;
use std::path::PathBuf;
use std::sync::Arc;

use indexmap::IndexMap;
use longtake_graph::{Sentence, say};
use longtake_plan::{ExtrasInfo, Info, Plan, Specs, Step, StepInput, WeightsInfo};
use serde_json::Value as Json;

use crate::{
    Cancel, Clip, Conditioning, Device, Latent, Preview, Progress, Resident, Roots, RunError,
    Scratch, Segment, Store, Value,
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
    /// Folder for frames on their way; gone with this.
    pub scratch: Scratch,
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
    fn missing(&self, name: &str, expected: Sentence) -> RunError {
        let found = match self.inputs.get(name) {
            None => say!("nothing", "何もありません"),
            Some(Given::Literal(_)) => say!("a constant", "定数です"),
            Some(Given::Known(_)) => say!("something known before the run", "実行前に決まる値です"),
            Some(Given::Value(value)) => {
                let kind = value.kind();
                say!("{kind}", "{kind}です"; kind)
            }
            Some(Given::List(_)) => say!("a list", "リストです"),
        };
        RunError::failed(say!(
            "input `{name}`: expected {expected}, got {found}",
            "入力「{name}」: {expected}が必要ですが、{found}";
            expected, found
        ))
    }

    /// The constant at an input.
    pub fn json(&self, name: &str) -> Option<&Json> {
        match self.inputs.get(name)? {
            Given::Literal(value)
            | Given::Known(Info::Constant(value))
            | Given::Value(Value::Json(value)) => Some(value),
            Given::Known(_) | Given::Value(_) | Given::List(_) => None,
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
            .and_then(|v| {
                let whole = |f: &f64| f.fract() == 0.0 && f.abs() < 9e15;
                v.as_i64()
                    .or_else(|| Some(v.as_f64().filter(whole)? as i64))
            })
            .ok_or_else(|| self.missing(name, say!("a whole number", "整数")))
    }

    /// A 64-bit seed.
    ///
    /// # Errors
    /// Absent or another kind.
    pub fn seed(&self, name: &str) -> Result<u64, RunError> {
        self.json(name)
            .and_then(Json::as_u64)
            .ok_or_else(|| self.missing(name, say!("a seed", "シード値")))
    }

    /// A real number.
    ///
    /// # Errors
    /// Absent or another kind.
    pub fn float(&self, name: &str) -> Result<f64, RunError> {
        self.json(name)
            .and_then(Json::as_f64)
            .ok_or_else(|| self.missing(name, say!("a number", "数値")))
    }

    /// Text, a choice or a file name.
    ///
    /// # Errors
    /// Absent or another kind.
    pub fn text(&self, name: &str) -> Result<&str, RunError> {
        self.json(name)
            .and_then(Json::as_str)
            .ok_or_else(|| self.missing(name, say!("a text", "テキスト")))
    }

    /// A truth value.
    ///
    /// # Errors
    /// Absent or another kind.
    pub fn boolean(&self, name: &str) -> Result<bool, RunError> {
        self.json(name)
            .and_then(Json::as_bool)
            .ok_or_else(|| self.missing(name, say!("true or false", "true か false ")))
    }

    /// Frames.
    ///
    /// # Errors
    /// Absent or another kind.
    pub fn clip(&self, name: &str) -> Result<Clip, RunError> {
        if let Some(Given::Value(Value::Clip(clip))) = self.inputs.get(name) {
            return Ok(clip.clone());
        }
        Err(self.missing(name, say!("frames", "フレーム")))
    }

    /// Frames of every piece of a list.
    ///
    /// # Errors
    /// Absent or another kind.
    pub fn clips(&self, name: &str) -> Result<Vec<Clip>, RunError> {
        self.values(name)?
            .into_iter()
            .map(|value| {
                if let Value::Clip(clip) = value {
                    Ok(clip)
                } else {
                    Err(self.missing(name, say!("frames", "フレーム")))
                }
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
            .map(|value| {
                if let Value::Segment(segment) = value {
                    Ok(segment)
                } else {
                    Err(self.missing(name, say!("encoded segments", "エンコード済みの区間")))
                }
            })
            .collect()
    }

    fn values(&self, name: &str) -> Result<Vec<Value>, RunError> {
        match self.inputs.get(name) {
            Some(Given::List(list)) => Ok(list.clone()),
            Some(Given::Value(value)) => Ok(vec![value.clone()]),
            None | Some(Given::Literal(_) | Given::Known(_)) => {
                Err(self.missing(name, say!("a list", "リスト")))
            }
        }
    }

    /// A latent.
    ///
    /// # Errors
    /// Absent or another kind.
    pub fn latent(&self, name: &str) -> Result<Latent, RunError> {
        if let Some(Given::Value(Value::Latent(latent))) = self.inputs.get(name) {
            return Ok(latent.clone());
        }
        Err(self.missing(name, say!("a latent", "潜在表現")))
    }

    /// Encoded text.
    ///
    /// # Errors
    /// Absent or another kind.
    pub fn conditioning(&self, name: &str) -> Result<Conditioning, RunError> {
        if let Some(Given::Value(Value::Conditioning(it))) = self.inputs.get(name) {
            return Ok(it.clone());
        }
        Err(self.missing(name, say!("conditioning", "コンディショニング")))
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
        Err(self.missing(name, say!("conditioning", "コンディショニング")))
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
            .ok_or_else(|| self.missing(name, say!("a checkpoint", "チェックポイント")))?;
        Arc::clone(resident).downcast::<T>().map_err(|_| {
            RunError::failed(say!(
                "input `{name}`: the checkpoint is of another family",
                "入力「{name}」: チェックポイントの系統が違います"
            ))
        })
    }

    /// What is known of the checkpoint at an input, with the settings put on it.
    ///
    /// # Errors
    /// No checkpoint there.
    pub fn weights(&self, name: &str) -> Result<&WeightsInfo, RunError> {
        if let Some(Given::Known(Info::Weights(weights))) = self.inputs.get(name) {
            return Ok(weights);
        }
        Err(self.missing(name, say!("a checkpoint", "チェックポイント")))
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
        if let Info::Constant(json) = &value.info {
            return Ok(Given::Literal(json.clone()));
        }
        if value.step.is_none() {
            return Ok(Given::Known(value.info.clone()));
        }
        made(id).map(Given::Value).ok_or_else(|| {
            RunError::failed(say!(
                "value {} of step {} was never made; this is a bug of Longtake",
                "値 {}（ステップ {}）が作られていません。Longtake の不具合です",
                id.0,
                step.path
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
                        Given::Known(_) | Given::List(_) => Err(RunError::failed(say!(
                            "input `{name}` lists a checkpoint",
                            "入力「{name}」のリストにチェックポイントが含まれています"
                        ))),
                    });
                    Given::List(values.collect::<Result<_, _>>()?)
                }
            };
            Ok((name.clone(), given))
        })
        .collect()
}

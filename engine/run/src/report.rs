//! What a run leaves to read: the `--report` file, also after a failure.

use std::collections::BTreeMap;

use longtake_graph::Sentence;
use longtake_plan::{Lane, Plan, StepId};
use serde::{Deserialize, Serialize};

use crate::{Event, Failure, Models};

/// The whole report.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Report {
    /// What was predicted.
    pub plan: Planned,
    /// Every step.
    pub steps: Vec<StepReport>,
    /// Every checkpoint and how often it was read.
    pub weights: Vec<WeightsReport>,
    /// Files written (or found written) for the person.
    pub outputs: Vec<OutputReport>,
    /// What was measured.
    pub measured: Measured,
    /// The first failure.
    pub error: Option<ErrorReport>,
    /// What is needed to do it again: machine, versions, arguments, the prompt itself.
    pub reproduce: serde_json::Value,
}

/// Prediction.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Planned {
    /// Number of steps.
    pub steps: usize,
    /// Of which the store had.
    pub cached: usize,
    /// Bytes.
    pub peak_device_bytes: u64,
    /// Bytes.
    pub peak_host_bytes: u64,
    /// Seconds.
    pub seconds: f64,
}

/// How a step ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Ran.
    Done,
    /// The store had it.
    Cached,
    /// Failed.
    Failed,
    /// Not tried.
    #[default]
    Skipped,
}

/// One step.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct StepReport {
    /// Where it comes from (`sampler[03]`).
    pub id: String,
    /// Id of the user's node.
    pub node: String,
    /// Class that ran.
    pub class: String,
    /// Shot id.
    pub shot: Option<String>,
    /// Who ran it.
    pub lane: Lane,
    /// How it ended.
    pub status: Status,
    /// Seconds it took.
    pub seconds: f64,
    /// Seconds predicted.
    pub predicted_seconds: f64,
    /// Bytes predicted on the device it runs on.
    pub predicted_bytes: u64,
    /// Highest use of memory seen while it ran.
    pub measured_bytes: u64,
    /// The way it was done.
    pub rung: String,
    /// Times it was tried.
    pub attempts: u32,
    /// Content hash.
    pub signature: String,
    /// What it had to say.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// One checkpoint.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct WeightsReport {
    /// Name as in the graph.
    pub name: String,
    /// Content hash.
    pub fingerprint: String,
    /// Times it was read from disk.
    pub loads: u32,
}

/// One output file.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct OutputReport {
    /// Id of the user's node.
    pub node: String,
    /// The file.
    pub path: std::path::PathBuf,
}

/// Measurement.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Measured {
    /// Bytes.
    pub peak_rss_bytes: u64,
    /// Bytes; 0 on the CPU and where the driver does not tell.
    pub peak_device_bytes: u64,
    /// Seconds.
    pub seconds: f64,
}

/// A failure.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ErrorReport {
    /// Id of the user's node.
    pub node: Option<String>,
    /// Its class.
    pub class: Option<String>,
    /// Shot id.
    pub shot: Option<String>,
    /// Kind.
    pub kind: Failure,
    /// Full sentence.
    pub message: String,
    /// The same in Japanese; empty in reports of older programs.
    #[serde(default)]
    pub message_ja: String,
}

impl Report {
    /// The report of a run that has not begun.
    pub fn new(plan: &Plan) -> Self {
        let steps: Vec<StepReport> = plan
            .steps
            .iter()
            .map(|step| StepReport {
                id: step.path.to_string(),
                node: step.path.node.to_string(),
                class: step.class.clone(),
                shot: step.path.shot.as_ref().map(|(_, id)| id.to_string()),
                lane: step.lane,
                status: Status::Skipped,
                seconds: 0.0,
                predicted_seconds: step.seconds,
                predicted_bytes: step.device_bytes.max(step.host_bytes),
                measured_bytes: 0,
                rung: step.rung.clone(),
                attempts: 0,
                signature: step.signature.to_string(),
                notes: Vec::new(),
                error: None,
            })
            .collect();
        Self {
            plan: Planned {
                steps: steps.len(),
                cached: plan.steps.iter().filter(|it| it.cached).count(),
                peak_device_bytes: plan.peak_device_bytes,
                peak_host_bytes: plan.peak_host_bytes,
                seconds: plan.seconds,
            },
            steps,
            weights: Vec::new(),
            outputs: Vec::new(),
            measured: Measured::default(),
            error: None,
            reproduce: serde_json::Value::Null,
        }
    }

    fn step(&mut self, id: StepId) -> &mut StepReport {
        &mut self.steps[id.0 as usize]
    }

    /// Takes an event in.
    pub fn see(&mut self, event: &Event) {
        match event {
            Event::Started { step } => self.step(*step).attempts += 1,
            Event::Retrying { step, attempt, .. } => self.step(*step).attempts = *attempt,
            Event::Note { step, text } => self.step(*step).notes.push(text.en.clone()),
            Event::Adapted { step, rung, .. } => self.step(*step).rung.clone_from(rung),
            Event::Done { step, seconds } => {
                let it = self.step(*step);
                it.status = Status::Done;
                it.seconds = *seconds;
            }
            Event::Cached { step } => self.step(*step).status = Status::Cached,
            Event::Failed {
                step,
                failure,
                message,
            } => self.fail(*step, *failure, message),
            Event::Finished { seconds, .. } => self.measured.seconds = *seconds,
            Event::Begun { .. }
            | Event::Loading { .. }
            | Event::Progress { .. }
            | Event::Store { .. }
            | Event::Skipped { .. } => {}
        }
    }

    fn fail(&mut self, id: StepId, failure: Failure, message: &Sentence) {
        let it = self.step(id);
        it.status = Status::Failed;
        it.error = Some(message.en.clone());
        let error = ErrorReport {
            node: Some(it.node.clone()),
            class: Some(it.class.clone()),
            shot: it.shot.clone(),
            kind: failure,
            message: message.en.clone(),
            message_ja: message.ja.clone(),
        };
        // What failed first is the cause; a cancel that follows it is not.
        if self
            .error
            .as_ref()
            .is_none_or(|first| first.kind == Failure::Cancelled)
        {
            self.error = Some(error);
        }
    }

    /// Adds what is known only at the end.
    pub fn close(&mut self, plan: &Plan, models: &Models, peaks: &BTreeMap<StepId, u64>) {
        self.weights = plan
            .weights
            .iter()
            .zip(0u32..)
            .map(|(weights, index)| WeightsReport {
                name: weights.name.clone(),
                fingerprint: weights.fingerprint.clone(),
                loads: models.loads(longtake_plan::WeightsId(index)),
            })
            .collect();
        for (step, bytes) in peaks {
            self.step(*step).measured_bytes = *bytes;
        }
        self.measured.peak_rss_bytes = crate::memory::peak_resident_bytes();
    }
}

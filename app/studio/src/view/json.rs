//! A JSON object per event, one line each, for programs.

use longtake_plan::{Plan, StepId};
use longtake_run::Event;
use serde_json::{Value, json};

use super::View;
use crate::out;

/// Prints JSON lines to standard output.
pub struct JsonLines<'a>(&'a Plan);

impl<'a> JsonLines<'a> {
    /// A view of that plan's run.
    pub fn new(plan: &'a Plan) -> Self {
        Self(plan)
    }

    fn step(&self, id: StepId) -> Value {
        let step = self.0.step(id);
        json!({
            "id": step.path.to_string(),
            "node": step.path.node,
            "class": step.class,
            "shot": step.path.shot.as_ref().map(|(_, id)| id.to_string()),
            "lane": step.lane,
        })
    }
}

impl View for JsonLines<'_> {
    fn see(&mut self, event: &Event) {
        let line = match event {
            Event::Begun { steps, cached } => {
                json!({"event": "begun", "steps": steps, "cached": cached})
            }
            Event::Loading { name, fraction } => {
                json!({"event": "loading", "weights": name, "fraction": fraction})
            }
            Event::Started { step } => json!({"event": "started", "step": self.step(*step)}),
            Event::Progress { step, progress } => json!({
                "event": "progress", "step": self.step(*step),
                "done": progress.done, "total": progress.total, "unit": progress.unit,
            }),
            Event::Note { step, text } => {
                json!({"event": "note", "step": self.step(*step), "text": text})
            }
            Event::Retrying {
                step,
                attempt,
                after,
                error,
            } => json!({
                "event": "retrying", "step": self.step(*step), "attempt": attempt,
                "after_seconds": after.as_secs_f64(), "error": error,
            }),
            Event::Adapted { step, rung, why } => json!({
                "event": "adapted", "step": self.step(*step), "rung": rung, "why": why,
            }),
            Event::Done { step, seconds } => {
                json!({"event": "done", "step": self.step(*step), "seconds": seconds})
            }
            Event::Cached { step } => json!({"event": "cached", "step": self.step(*step)}),
            Event::Failed {
                step,
                failure,
                message,
            } => json!({
                "event": "failed", "step": self.step(*step), "kind": failure, "message": message,
            }),
            Event::Skipped { step } => json!({"event": "skipped", "step": self.step(*step)}),
            Event::Store { text } => json!({"event": "store", "text": text}),
            Event::Finished {
                cancelled,
                failed,
                seconds,
            } => json!({
                "event": "finished", "cancelled": cancelled, "failed": failed, "seconds": seconds,
            }),
        };
        out::line(format_args!("{line}"));
    }
}

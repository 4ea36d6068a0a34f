//! A line per finished step, for logs.

use longtake_plan::Plan;
use longtake_run::Event;

use super::{View, step_name};
use crate::{out, units};

/// Prints lines to standard error.
pub struct Plain<'a> {
    plan: &'a Plan,
    done: usize,
    all: usize,
}

impl<'a> Plain<'a> {
    /// A view of that plan's run.
    pub fn new(plan: &'a Plan) -> Self {
        Self {
            plan,
            done: 0,
            all: 0,
        }
    }
}

impl View for Plain<'_> {
    fn see(&mut self, event: &Event) {
        match event {
            Event::Begun { steps, cached } => {
                self.all = *steps;
                self.done = *cached;
                out::note(format_args!("{steps} steps, {cached} from the store"));
            }
            Event::Done { step, seconds } => {
                self.done += 1;
                // Recipes cost nothing and say nothing.
                if !self.plan.step(*step).lazy {
                    let time = units::time(std::time::Duration::from_secs_f64(*seconds));
                    let (done, all) = (self.done, self.all);
                    out::note(format_args!(
                        "[{done}/{all}] {}  {time}",
                        step_name(self.plan, *step)
                    ));
                }
            }
            Event::Retrying {
                step,
                attempt,
                error,
                ..
            } => {
                out::note(format_args!(
                    "{}: {error}; attempt {attempt}",
                    step_name(self.plan, *step)
                ));
            }
            Event::Note { step, text } => {
                out::note(format_args!("{}: {text}", step_name(self.plan, *step)));
            }
            Event::Adapted { step, rung, why } => {
                out::note(format_args!(
                    "{}: {why}; going on: {rung}",
                    step_name(self.plan, *step)
                ));
            }
            Event::Store { text } => out::note(format_args!("{text}")),
            Event::Failed { message, .. } => out::note(format_args!("failed: {message}")),
            Event::Loading { name, fraction } => {
                if *fraction >= 1.0 {
                    out::note(format_args!("loaded {name}"));
                }
            }
            Event::Started { .. }
            | Event::Progress { .. }
            | Event::Cached { .. }
            | Event::Skipped { .. }
            | Event::Finished { .. } => {}
        }
    }
}

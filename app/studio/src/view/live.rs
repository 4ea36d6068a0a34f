//! The live view: one bar for the whole, one line per lane, calm.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use longtake_plan::{Lane, Plan, StepId};
use longtake_run::Event;

use super::{View, step_name};
use crate::units;

/// Draws on the terminal.
pub struct Live<'a> {
    plan: &'a Plan,
    bars: MultiProgress,
    overall: ProgressBar,
    lanes: BTreeMap<Lane, ProgressBar>,
    /// The step each lane's line shows, and since when.
    shown: BTreeMap<Lane, (StepId, Instant)>,
    begun: Instant,
    /// Predicted seconds of what is done, of all.
    predicted: (f64, f64),
}

/// Ten redraws a second are plenty.
const REDRAW: Duration = Duration::from_millis(100);

impl<'a> Live<'a> {
    /// A view of that plan's run.
    pub fn new(plan: &'a Plan) -> Self {
        let bars = MultiProgress::new();
        let overall = bars.add(ProgressBar::new(1000));
        overall.set_style(style("film    {bar:36.cyan/dim} {percent:>3} %  {msg}"));
        overall.enable_steady_tick(REDRAW);
        let all = plan
            .steps
            .iter()
            .filter(|it| !it.cached)
            .map(|it| it.seconds)
            .sum::<f64>();
        Self {
            plan,
            bars,
            overall,
            lanes: BTreeMap::new(),
            shown: BTreeMap::new(),
            begun: Instant::now(),
            predicted: (0.0, all.max(1e-9)),
        }
    }

    fn lane(&mut self, step: StepId) -> ProgressBar {
        let lane = self.plan.step(step).lane;
        let name = match lane {
            Lane::Device => "device",
            Lane::Cpu => "cpu",
            Lane::Api => "api",
        };
        let bars = &self.bars;
        let bar = self.lanes.entry(lane).or_insert_with(|| {
            let bar = bars.add(ProgressBar::new(1));
            bar.set_style(style(
                "{prefix:<7} {bar:36.dim/dim} {pos:>5}/{len:<5} {msg}",
            ));
            bar.set_prefix(name);
            bar
        });
        bar.clone()
    }

    fn show(&mut self, step: StepId, done: u64, total: u64, unit: &str) {
        let lane = self.plan.step(step).lane;
        let bar = self.lane(step);
        let now = Instant::now();
        let since = match self.shown.get(&lane) {
            Some((shown, since)) if *shown == step => *since,
            _ => {
                self.shown.insert(lane, (step, now));
                now
            }
        };
        bar.set_length(total.max(1));
        bar.set_position(done);
        let name = step_name(self.plan, step);
        let spent = now.duration_since(since).as_secs_f64();
        let message = if done > 0 && spent > 0.5 {
            let rate = done as f64 / spent;
            let left = Duration::from_secs_f64((total.saturating_sub(done)) as f64 / rate);
            let left = units::time(left);
            if rate >= 1.0 {
                format!("{name}  {rate:.1} {unit}/s, {left} left")
            } else {
                format!("{name}  {:.1} s/{unit}, {left} left", 1.0 / rate)
            }
        } else {
            name
        };
        bar.set_message(message);
        self.whole(step, done as f64 / total.max(1) as f64);
    }

    /// Moves the overall bar: finished steps by their predicted time, and part of the current one.
    fn whole(&mut self, step: StepId, fraction: f64) {
        let (done, all) = self.predicted;
        let part = (done + self.plan.step(step).seconds * fraction) / all;
        let part = part.clamp(0.0, 1.0);
        self.overall.set_position((part * 1000.0) as u64);
        let spent = self.begun.elapsed();
        let mut message = units::time(spent);
        if part > 0.02 && spent > Duration::from_secs(2) {
            let left = units::time(spent.mul_f64((1.0 - part) / part));
            message = format!("{message}, about {left} left");
        }
        self.overall.set_message(message);
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("━━─")
}

impl View for Live<'_> {
    fn see(&mut self, event: &Event) {
        let say = |text: String| {
            let _ = self.bars.println(text);
        };
        match event {
            Event::Begun { steps, cached } => {
                if *cached > 0 {
                    say(format!("{cached} of {steps} steps are in the store"));
                }
            }
            Event::Started { step } => {
                if !self.plan.step(*step).lazy {
                    self.show(*step, 0, 1, "");
                }
            }
            Event::Progress { step, progress } => {
                self.show(*step, progress.done, progress.total, progress.unit);
            }
            Event::Done { step, .. } => {
                self.predicted.0 += self.plan.step(*step).seconds;
                self.whole(*step, 0.0);
            }
            Event::Loading { name, fraction } => {
                self.overall
                    .set_message(format!("reading {name} {:.0} %", fraction * 100.0));
            }
            Event::Retrying {
                step,
                attempt,
                after,
                error,
            } => say(format!(
                "{}: {error}; attempt {attempt} in {}",
                step_name(self.plan, *step),
                units::time(*after)
            )),
            Event::Note { step, text } => {
                say(format!("{}: {text}", step_name(self.plan, *step)));
            }
            Event::Adapted { step, rung, why } => {
                say(format!(
                    "{}: {why}; going on: {rung}",
                    step_name(self.plan, *step)
                ));
            }
            Event::Store { text } => say(text.to_string()),
            Event::Failed { message, .. } => say(format!("failed: {message}")),
            Event::Finished { .. } => {
                for bar in self.lanes.values() {
                    bar.finish_and_clear();
                }
                self.overall.finish_and_clear();
            }
            Event::Cached { .. } | Event::Skipped { .. } => {}
        }
    }
}

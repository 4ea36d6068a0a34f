//! A plan made ready for drawing: memory and times of every step, what was measured, rows in order.

use std::cell::OnceCell;
use std::cmp::Ordering;
use std::collections::HashMap;
use std::sync::Arc;

use longtake_editor::queue::JobId;
use longtake_editor::{Studio, Text};
use longtake_plan::usage::{Span, Use};
use longtake_plan::{DeviceKind, Lane, Plan, Signature, Step};
use longtake_run::Report;
use longtake_run::report::Status;

use super::words;
use crate::titles::Titles;

/// What a step took when it ran last.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measured {
    /// Seconds.
    pub seconds: f64,
    /// Seconds that were predicted then.
    pub predicted: f64,
    /// Bytes of the host in use; 0: not seen.
    pub bytes: u64,
}

impl Measured {
    /// How many times the prediction it took; `None` where either is too short to compare.
    pub fn ratio(&self) -> Option<f64> {
        (self.predicted > 0.01 && self.seconds > 0.01).then(|| self.seconds / self.predicted)
    }
}

/// What the table is sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Column {
    Step,
    Node,
    Shot,
    Lane,
    Way,
    Seconds,
    Measured,
    Ratio,
    Device,
    Host,
    MeasuredHost,
}

/// Which rows are shown, and in which order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    /// Sorted by.
    pub column: Column,
    /// The largest first.
    pub down: bool,
    /// Rows hold this text.
    pub filter: String,
}

impl Default for View {
    fn default() -> Self {
        Self {
            column: Column::Step,
            down: false,
            filter: String::new(),
        }
    }
}

/// A plan made ready.
pub struct Model {
    /// The plan.
    pub plan: Arc<Plan>,
    /// Memory of every step.
    pub uses: Vec<Use>,
    /// Times of every step.
    pub spans: Vec<Span>,
    /// Lanes that do anything, in drawing order.
    pub lanes: Vec<Lane>,
    /// Steps shown in the table.
    pub rows: Vec<u32>,
    measured: HashMap<Signature, Measured>,
    /// Newest job looked at for it.
    measured_of: Option<JobId>,
    /// The newest report about it, once it was looked for.
    report: OnceCell<Option<Arc<Report>>>,
    /// What `rows` was made for.
    shown: Option<(View, u64)>,
}

impl Model {
    /// A plan made ready, without measurements yet.
    pub fn new(plan: Arc<Plan>) -> Self {
        let works = |lane: &Lane| {
            let mut steps = plan.steps.iter();
            steps.any(|it| it.lane == *lane && !it.lazy && !it.cached)
        };
        let lanes = [Lane::Device, Lane::Cpu, Lane::Api];
        Self {
            uses: plan.uses(),
            spans: plan.schedule(),
            lanes: lanes.into_iter().filter(works).collect(),
            rows: Vec::new(),
            measured: HashMap::new(),
            measured_of: None,
            report: OnceCell::new(),
            shown: None,
            plan,
        }
    }

    /// Takes a newer plan in. Nothing is made anew when it is the same, as after a node was moved.
    pub fn renew(&mut self, plan: &Arc<Plan>) {
        if Arc::ptr_eq(&self.plan, plan) {
            return;
        }
        if *self.plan == **plan {
            self.plan = plan.clone();
            return;
        }
        let mut new = Self::new(plan.clone());
        std::mem::swap(&mut new.measured, &mut self.measured);
        new.measured_of = self.measured_of;
        *self = new;
    }

    /// Looks for what was measured, when a job ended since.
    pub fn measure(&mut self, studio: &Studio) {
        let newest = studio.queue.ended.front().map(|it| it.id);
        if self.measured_of == newest {
            return;
        }
        self.measured_of = newest;
        self.measured.clear();
        self.report = OnceCell::new();
        self.shown = None;
        for report in studio.queue.ended.iter().filter_map(|it| it.report()) {
            for step in report.steps.iter().filter(|it| it.status == Status::Done) {
                let Some(signature) = Signature::from_hex(&step.signature) else {
                    continue;
                };
                self.measured.entry(signature).or_insert(Measured {
                    seconds: step.seconds,
                    predicted: step.predicted_seconds,
                    bytes: step.measured_bytes,
                });
            }
        }
    }

    /// What a step took when it ran last.
    pub fn measured(&self, step: &Step) -> Option<Measured> {
        self.measured.get(&step.signature).copied()
    }

    /// Whether anything of this plan ran before.
    pub fn has_measured(&self) -> bool {
        !self.measured.is_empty() && self.plan.steps.iter().any(|it| self.measured(it).is_some())
    }

    /// The newest report about steps of this plan.
    pub fn last_report(&self, studio: &Studio) -> Option<&Arc<Report>> {
        let look = || self.look_for_report(studio).cloned();
        self.report.get_or_init(look).as_ref()
    }

    fn look_for_report<'a>(&self, studio: &'a Studio) -> Option<&'a Arc<Report>> {
        let first = self
            .plan
            .steps
            .iter()
            .find(|it| self.measured(it).is_some())?;
        let signature = first.signature.to_string();
        let reports = studio.queue.ended.iter().filter_map(|it| it.report());
        reports
            .filter(|it| it.error.is_none())
            .find(|it| it.steps.iter().any(|step| step.signature == signature))
    }

    /// Whether models run in memory of their own.
    pub fn gpu(&self) -> bool {
        self.plan.machine.device != DeviceKind::Cpu
    }

    /// Puts the rows in order.
    pub fn arrange(&mut self, view: &View, studio: &Studio) {
        let revision = studio.session.revision();
        let depends = !view.filter.is_empty() || view.column == Column::Node;
        let fits = self
            .shown
            .as_ref()
            .is_some_and(|(shown, at)| shown == view && (!depends || *at == revision));
        if fits {
            return;
        }
        self.shown = Some((view.clone(), revision));
        let titles = Titles::new(studio);
        let wanted = view.filter.trim().to_lowercase();
        let mut rows: Vec<u32> = (0..self.plan.steps.len() as u32).collect();
        if !wanted.is_empty() {
            rows.retain(|&at| self.text(at, &titles).contains(&wanted));
        }
        let key = |at: &u32| &self.plan.steps[*at as usize];
        match view.column {
            Column::Step => {}
            Column::Node => rows.sort_by_cached_key(|at| titles.of(&key(at).path.node)),
            Column::Shot => rows.sort_by_key(|at| key(at).path.shot.as_ref().map(|it| it.0)),
            Column::Lane => rows.sort_by_key(|at| key(at).lane),
            Column::Way => rows.sort_by(|a, b| key(a).rung.cmp(&key(b).rung)),
            Column::Device => rows.sort_by_key(|at| self.device_bytes(*at)),
            Column::Host => rows.sort_by_key(|at| key(at).host_bytes),
            Column::MeasuredHost => {
                rows.sort_by_key(|at| self.measured(key(at)).map(|it| it.bytes));
            }
            Column::Seconds => {
                self.sort_by_number(
                    &mut rows,
                    |step, _| {
                        if step.cached { 0.0 } else { step.seconds }
                    },
                );
            }
            Column::Measured => self.sort_by_number(&mut rows, |_, measured| {
                measured.map_or(-1.0, |it| it.seconds)
            }),
            Column::Ratio => self.sort_by_number(&mut rows, |_, measured| {
                measured.and_then(|it| it.ratio()).unwrap_or(-1.0)
            }),
        }
        if view.down {
            rows.reverse();
        }
        self.rows = rows;
    }

    fn sort_by_number(&self, rows: &mut [u32], of: impl Fn(&Step, Option<Measured>) -> f64) {
        let number = |at: &u32| {
            let step = &self.plan.steps[*at as usize];
            of(step, self.measured(step))
        };
        rows.sort_by(|a, b| number(a).partial_cmp(&number(b)).unwrap_or(Ordering::Equal));
    }

    /// Bytes on the device while a step runs; `None` for steps that do not run there.
    pub fn device_bytes(&self, at: u32) -> Option<u64> {
        let step = &self.plan.steps[at as usize];
        let there = self.gpu() && step.lane == Lane::Device && !step.lazy && !step.cached;
        there.then_some(step.device_bytes)
    }

    fn text(&self, at: u32, titles: &Titles<'_>) -> String {
        let step = &self.plan.steps[at as usize];
        let title = titles.of(&step.path.node);
        let text = format!(
            "{} {} {title} {} {}",
            at + 1,
            step.path,
            step.class,
            step.rung
        );
        text.to_lowercase()
    }
}

/// The name of a lane.
pub const fn lane_name(lane: Lane) -> Text {
    match lane {
        Lane::Device => words::LANE_DEVICE,
        Lane::Cpu => words::LANE_CPU,
        Lane::Api => words::LANE_API,
    }
}

//! Steps along the width of a chart, by time or by order, gathered into pixel columns.

use egui::Rangef;
use longtake_plan::usage::Span;

use super::model::Model;

/// What stands along the width.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Along {
    /// Predicted time.
    #[default]
    Time,
    /// Steps, each as wide as the other.
    Steps,
}

/// Where steps lie.
#[derive(Clone, Copy, Debug)]
pub struct Axis {
    /// Points on the screen.
    pub range: Rangef,
    along: Along,
    total: f64,
}

/// Neighbouring columns with the same step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Run {
    /// The step.
    pub step: u32,
    /// It does not run here: it is the last that did.
    pub idle: bool,
    /// From the left of the axis, points.
    pub begin: f32,
    /// Where it ends.
    pub end: f32,
}

impl Axis {
    /// An axis over all steps.
    pub fn new(model: &Model, along: Along, range: Rangef) -> Self {
        let end = model.spans.iter().map(|it| it.end).fold(0.0, f64::max);
        // A plan that takes no time has an order still.
        let along = if end > 0.0 { along } else { Along::Steps };
        let total = match along {
            Along::Time => end,
            Along::Steps => model.spans.len() as f64,
        };
        Self {
            range,
            along,
            total: total.max(1e-9),
        }
    }

    /// Where a step lies, points on the screen.
    pub fn span(&self, at: u32, span: Span) -> Rangef {
        let (begin, end) = match self.along {
            Along::Time => (span.begin, span.end),
            Along::Steps => (f64::from(at), f64::from(at) + 1.0),
        };
        let x = |value: f64| self.range.min + (value / self.total) as f32 * self.range.span();
        Rangef::new(x(begin), x(end))
    }

    /// Gathers steps into columns one point wide: in each the step that weighs most. Gaps between
    /// are filled with the step before, marked idle, if `fill`.
    pub fn runs(&self, model: &Model, weight: impl Fn(u32) -> Option<u64>, fill: bool) -> Vec<Run> {
        let width = self.range.span().max(1.0) as usize;
        let mut columns: Vec<Option<(u64, u32)>> = vec![None; width];
        for at in 0..model.spans.len() as u32 {
            let Some(weight) = weight(at) else { continue };
            let span = self.span(at, model.spans[at as usize]);
            let first = ((span.min - self.range.min) as usize).min(width - 1);
            let last = ((span.max - self.range.min).ceil() as usize).clamp(first + 1, width);
            for column in &mut columns[first..last] {
                if column.is_none_or(|(most, _)| weight > most) {
                    *column = Some((weight, at));
                }
            }
        }
        let mut runs: Vec<Run> = Vec::new();
        let mut before = None;
        for (x, column) in columns.into_iter().enumerate() {
            let (step, idle) = match (column, before) {
                (Some((_, step)), _) => (step, false),
                (None, Some(step)) if fill => (step, true),
                _ => continue,
            };
            before = Some(step);
            let (begin, end) = (x as f32, x as f32 + 1.0);
            match runs.last_mut() {
                Some(run) if run.step == step && run.idle == idle && run.end >= begin => {
                    run.end = end;
                }
                _ => runs.push(Run {
                    step,
                    idle,
                    begin,
                    end,
                }),
            }
        }
        runs
    }
}

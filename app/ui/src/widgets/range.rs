//! The values a number can take, and the grid they lie on.

use longtake_graph::InputType;

use super::arithmetic::Num;

/// Ranges of at most this many steps are shown as a filled bar.
const FEW_STEPS: f64 = 200.0;

/// Steps that can still be counted from a minimum without losing any.
const FAR: f64 = 1e9;

/// The values a number can take.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Range {
    /// Whole numbers.
    Int { min: i128, max: i128, step: i128 },
    /// Reals.
    Real { min: f64, max: f64, step: f64 },
}

impl Range {
    /// The range a declaration gives.
    pub fn of(ty: &InputType) -> Option<Self> {
        match *ty {
            InputType::Int { min, max, step, .. } => Some(Self::Int {
                min,
                max,
                step: step.max(1),
            }),
            InputType::Float { min, max, step, .. } => {
                let step = if step > 0.0 { step } else { 0.01 };
                Some(Self::Real { min, max, step })
            }
            InputType::Socket(_)
            | InputType::Text { .. }
            | InputType::Bool { .. }
            | InputType::Choice { .. }
            | InputType::Model { .. }
            | InputType::File { .. }
            | InputType::Colour { .. }
            | InputType::Curve { .. }
            | InputType::Shots => None,
        }
    }

    /// Within the range, of its type.
    pub fn clamp(self, value: Num) -> Num {
        match self {
            Self::Int { min, max, .. } => Num::Int(value.whole().max(min).min(max)),
            Self::Real { min, max, .. } => Num::Real(value.real().max(min).min(max)),
        }
    }

    /// `start` and so many steps more, on the grid of the range. `fine` divides the steps of reals.
    pub fn moved(self, start: Num, steps: f64, fine: bool) -> Num {
        let moved = match self {
            Self::Int { min, step, .. } => {
                let to = start.whole() + steps.round() as i128 * step;
                // Counted from the minimum, as ComfyUI's widgets do.
                Num::Int(min + (to - min + step / 2).div_euclid(step) * step)
            }
            Self::Real { min, step, .. } => {
                let grid = if fine { step / 10.0 } else { step };
                let to = start.real() + steps * step;
                // From a minimum so far away single steps cannot be told apart.
                let from = if min.abs() / grid < FAR { min } else { 0.0 };
                let whole = from + ((to - from) / grid).round() * grid;
                Num::Real(tidy(whole, grid))
            }
        };
        self.clamp(moved)
    }

    /// Where in a small range the value stands, 0..=1.
    pub(super) fn fraction(self, value: Num) -> Option<f32> {
        let (min, max, step) = match self {
            Self::Int { min, max, step } => (min as f64, max as f64, step as f64),
            Self::Real { min, max, step } => (min, max, step),
        };
        let span = max - min;
        let few = span.is_finite() && span > 0.0 && span / step <= FEW_STEPS;
        few.then(|| ((value.real() - min) / span).clamp(0.0, 1.0) as f32)
    }

    /// How many steps lie between its ends.
    pub(super) fn span_steps(self) -> f64 {
        match self {
            Self::Int { min, max, step } => (max - min) as f64 / step as f64,
            Self::Real { min, max, step } => (max - min) / step,
        }
    }
}

/// Without the noise of binary fractions (0.30000000000000004).
fn tidy(value: f64, grid: f64) -> f64 {
    let digits = (1.0 - grid.log10().floor()).clamp(1.0, 12.0) as usize;
    format!("{value:.digits$}").parse().unwrap_or(value)
}

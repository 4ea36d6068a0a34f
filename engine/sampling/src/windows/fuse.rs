//! Weights of windows, and the sum of their predictions.

use super::{ContextWindows, Fuse};

/// Stands for 0 at the outer end of a ramp: a frame that only this window holds keeps its value.
const ALMOST_NOTHING: f32 = 1e-37;

pub(super) fn weights(context: &ContextWindows, window: &[usize], frames: usize) -> Vec<f32> {
    let length = window.len();
    match context.fuse {
        Fuse::Flat => vec![1.0; length],
        Fuse::Pyramid => (0..length)
            .map(|i| (i + 1).min(length - i) as f32)
            .collect(),
        Fuse::Relative => window.iter().map(|it| bias(window, *it) as f32).collect(),
        Fuse::OverlapLinear => overlap_linear(context.overlap, window, frames),
    }
}

fn overlap_linear(overlap: usize, window: &[usize], frames: usize) -> Vec<f32> {
    let mut weights = vec![1.0; window.len()];
    let overlap = overlap.min(window.len());
    let touches = |frame: usize| window.contains(&frame);
    if !touches(0) {
        for (i, weight) in weights[..overlap].iter_mut().enumerate() {
            *weight = ramp(i, overlap);
        }
    }
    if !touches(frames.saturating_sub(1)) {
        for (i, weight) in weights.iter_mut().rev().take(overlap).enumerate() {
            // A ramp of one value is its first, and this one starts at 1.
            *weight = if overlap == 1 { 1.0 } else { ramp(i, overlap) };
        }
    }
    weights
}

/// From almost nothing to 1 in `n` values; a single one is almost nothing, as `torch.linspace` has it.
fn ramp(i: usize, n: usize) -> f32 {
    let share = i as f32 / n.saturating_sub(1).max(1) as f32;
    ALMOST_NOTHING + share * (1.0 - ALMOST_NOTHING)
}

/// How near a frame is to the window's middle, 1 there, never below 0.01.
fn bias(window: &[usize], frame: usize) -> f64 {
    let (first, last) = (window[0] as f64, window[window.len() - 1] as f64);
    let half = 0.5 * (last - first + 1e-2);
    let bias = 1.0 - (frame as f64 - f64::midpoint(first, last)).abs() / half;
    bias.max(1e-2)
}

/// The predictions so far, weighed.
pub(super) struct Sum {
    fuse: Fuse,
    shape: [usize; 4],
    total: Vec<f32>,
    /// Of each frame; of [`Fuse::Relative`] the biases, in double as there.
    weights: Vec<f64>,
}

impl Sum {
    pub fn new(fuse: Fuse, shape: [usize; 4]) -> Self {
        Self {
            fuse,
            shape,
            total: vec![0.0; shape.iter().product()],
            weights: vec![0.0; shape[1]],
        }
    }

    /// Every occurrence of a frame counts. (ComfyUI's indexed assignment loses all but one of a
    /// frame that a looped window holds twice.)
    pub fn add(&mut self, window: &[usize], prediction: &[f32], weights: &[f32]) {
        for (position, (&frame, &weight)) in window.iter().zip(weights).enumerate() {
            let (old, new) = if self.fuse == Fuse::Relative {
                let bias = bias(window, frame);
                let before = self.weights[frame];
                self.weights[frame] = before + bias;
                (before / (before + bias), bias / (before + bias))
            } else {
                self.weights[frame] += f64::from(weight);
                (1.0, f64::from(weight))
            };
            let (old, new) = (old as f32, new as f32);
            self.mix(window.len(), position, frame, prediction, (old, new));
        }
    }

    fn mix(
        &mut self,
        length: usize,
        position: usize,
        frame: usize,
        prediction: &[f32],
        (old, new): (f32, f32),
    ) {
        let [channels, frames, height, width] = self.shape;
        let plane = height * width;
        for channel in 0..channels {
            let from = &prediction[(channel * length + position) * plane..][..plane];
            let to = &mut self.total[(channel * frames + frame) * plane..][..plane];
            for (to, from) in to.iter_mut().zip(from) {
                *to = *to * old + from * new;
            }
        }
    }

    pub fn finish(mut self) -> Vec<f32> {
        if self.fuse == Fuse::Relative {
            return self.total;
        }
        let [_, frames, height, width] = self.shape;
        for (i, plane) in self.total.chunks_mut((height * width).max(1)).enumerate() {
            let weight = self.weights[i % frames.max(1)] as f32;
            for value in plane {
                *value /= weight;
            }
        }
        self.total
    }
}

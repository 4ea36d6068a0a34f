//! Time embeddings, and which tokens each of them modulates.
//!
//! With one time per latent frame the modulation has a token axis in the authors' code,
//! `[b, tokens, 6, dim]`: 3 GB at 32 000 tokens of the 5B. There are few different times, two as a
//! rule, so each is embedded once and serves the run of frames that has it.

use std::ops::Range;

use burn::tensor::TensorData;
use longtake_shaders::{Tensor, gate_residual, layer_norm_modulate, silu};

use super::pass::Times;
use super::source::{Linear, Source};
use super::{EPS, FFN_ROWS};
use crate::Device;
use crate::weights::WeightsError;

/// Longest period of the sinusoidal time embedding.
const MAX_PERIOD: f64 = 10_000.0;

/// The layers that embed a time.
pub struct TimeLayers {
    linears: [Linear; 2],
    projection: Linear,
    freq_dim: usize,
}

/// Consecutive tokens of one time. `e` `[b or 1, 1, dim]` is for the head, `e0`
/// `[b or 1, 6, dim]` for the blocks.
pub struct TimeRun {
    tokens: Range<usize>,
    pub e: Tensor<3>,
    e0: Tensor<3>,
}

/// All tokens' time embeddings: runs that follow each other without gap.
pub struct TimeEmbedding {
    pub runs: Vec<TimeRun>,
    /// As a control takes it, see [`super::Control::begin`].
    pub for_control: Tensor<3>,
}

impl TimeLayers {
    pub fn load(source: &Source<'_>) -> Result<Self, WeightsError> {
        let (dim, freq_dim) = (source.dims.dim, source.dims.freq_dim);
        Ok(Self {
            linears: [
                source.linear("time_embedding.0", freq_dim, dim)?,
                source.linear("time_embedding.2", dim, dim)?,
            ],
            projection: source.linear("time_projection.1", dim, 6 * dim)?,
            freq_dim,
        })
    }

    /// Embeds the times of `tokens` tokens, `frames` latent frames in all.
    pub fn embed(
        &self,
        times: Times<'_>,
        frames: usize,
        tokens: usize,
        device: &Device,
    ) -> TimeEmbedding {
        match times {
            Times::PerItem(times) => {
                let (e, e0) = self.embed_each(times, device);
                TimeEmbedding {
                    runs: vec![TimeRun {
                        tokens: 0..tokens,
                        e: e.clone(),
                        e0,
                    }],
                    for_control: e,
                }
            }
            Times::PerFrame(times) => self.embed_frames(times, tokens / frames, device),
        }
    }

    fn embed_frames(&self, times: &[f32], per_frame: usize, device: &Device) -> TimeEmbedding {
        let mut different: Vec<f32> = Vec::new();
        let mut which = Vec::with_capacity(times.len());
        for time in times {
            let known = different
                .iter()
                .position(|it| it.to_bits() == time.to_bits());
            which.push(known.unwrap_or(different.len()));
            if known.is_none() {
                different.push(*time);
            }
        }
        let (e, e0) = self.embed_each(&different, device);
        let row = |from: &Tensor<3>, index: usize| from.clone().narrow(0, index, 1);
        let mut runs: Vec<TimeRun> = Vec::new();
        let mut first = 0;
        for same in which.chunk_by(|a, b| a == b) {
            runs.push(TimeRun {
                tokens: first..first + same.len() * per_frame,
                e: row(&e, same[0]),
                e0: row(&e0, same[0]),
            });
            first += same.len() * per_frame;
        }
        let frames = which.iter().map(|&index| row(&e, index)).collect();
        TimeEmbedding {
            runs,
            for_control: Tensor::cat(frames, 1),
        }
    }

    /// Sinusoids of each time (0 to 1000), cosines first, through the time MLP: `[n, 1, dim]` and,
    /// projected, `[n, 6, dim]`.
    fn embed_each(&self, times: &[f32], device: &Device) -> (Tensor<3>, Tensor<3>) {
        let half = self.freq_dim / 2;
        let mut values = Vec::with_capacity(times.len() * self.freq_dim);
        for t in times {
            let angle = |i: usize| f64::from(*t) * MAX_PERIOD.powf(-(i as f64) / half as f64);
            values.extend((0..half).map(|i| angle(i).cos() as f32));
            values.extend((0..half).map(|i| angle(i).sin() as f32));
        }
        let shape = [times.len(), 1, self.freq_dim];
        let [first, second] = &self.linears;
        let sinusoids =
            Tensor::<3>::from_data(TensorData::new(values, shape), device).cast(first.dtype());
        let e = second.apply(silu(first.apply(sinusoids)));
        let e0 = self.projection.apply(silu(e.clone()));
        let [count, _, wide] = e0.dims();
        (e, e0.reshape([count, 6, wide / 6]))
    }
}

/// The modulation of a block for a run of tokens.
pub struct Modulation {
    tokens: Range<usize>,
    /// `[b or 1, 6, dim]`.
    values: Tensor<3>,
}

/// Shift, scale or gate: an index into the six of [`Modulation`].
type Part = usize;

impl Modulation {
    /// A block's own parameter `[1, 6, dim]` on top of each run's time.
    pub fn of_runs(parameter: &Tensor<3>, runs: &[TimeRun]) -> Vec<Self> {
        let of_run = |run: &TimeRun| Self {
            tokens: run.tokens.clone(),
            values: parameter.clone() + run.e0.clone(),
        };
        runs.iter().map(of_run).collect()
    }

    pub fn part(&self, index: Part) -> Tensor<3> {
        self.values.clone().narrow(1, index, 1)
    }
}

/// The tokens in pieces of at most [`FFN_ROWS`] rows over the whole batch, none across two runs.
pub fn pieces(
    modulations: &[Modulation],
    batch: usize,
) -> impl Iterator<Item = (Range<usize>, &Modulation)> {
    let step = (FFN_ROWS / batch).max(1);
    modulations.iter().flat_map(move |run| {
        let end = run.tokens.end;
        let starts = run.tokens.clone().step_by(step);
        starts.map(move |start| (start..end.min(start + step), run))
    })
}

/// `LN(x) (1 + scale) + shift` with each token's own scale and shift.
pub fn modulate(x: &Tensor<3>, modulations: &[Modulation], [shift, scale]: [Part; 2]) -> Tensor<3> {
    let norm = |x, by: &Modulation| layer_norm_modulate(x, by.part(scale), by.part(shift), EPS);
    if let [all] = modulations {
        return norm(x.clone(), all);
    }
    let [batch, _, dim] = x.dims();
    let mut y = Tensor::zeros(x.dims(), (&x.device(), x.dtype()));
    for (rows, by) in pieces(modulations, batch) {
        let at = [0..batch, rows, 0..dim];
        y = y.slice_assign(at.clone(), norm(x.clone().slice(at), by));
    }
    y
}

/// `x + gate y` with each token's own gate.
pub fn gated(mut x: Tensor<3>, modulations: &[Modulation], gate: Part, y: Tensor<3>) -> Tensor<3> {
    if let [all] = modulations {
        return gate_residual(x, all.part(gate), y);
    }
    let [batch, _, dim] = x.dims();
    for (rows, by) in pieces(modulations, batch) {
        let at = [0..batch, rows, 0..dim];
        let part = |of: &Tensor<3>| of.clone().slice(at.clone());
        let sum = gate_residual(part(&x), by.part(gate), part(&y));
        x = x.slice_assign(at, sum);
    }
    x
}

/// Applies `work` to each run's rows of `x` `[b, tokens, dim]` and puts the results together.
pub fn each_run(
    x: Tensor<3>,
    runs: &[TimeRun],
    work: impl Fn(Tensor<3>, &TimeRun) -> Tensor<3>,
) -> Tensor<3> {
    if let [all] = runs {
        return work(x, all);
    }
    let of_run = |run: &TimeRun| {
        let rows = x.clone().narrow(1, run.tokens.start, run.tokens.len());
        work(rows, run)
    };
    Tensor::cat(runs.iter().map(of_run).collect(), 1)
}

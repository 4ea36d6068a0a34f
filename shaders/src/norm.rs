//! Normalisation: layer norm with modulation, RMS norm over tokens and over channels.

#![allow(
    unsafe_code,
    reason = "positions of one buffer, written by several workers"
)]

use rayon::prelude::*;

use crate::host::{self, Shared, Values};
use crate::pointwise::BroadcastRows;
use crate::{Tensor, portable, simd};

/// Least divisor of [`channel_rms_norm_silu`]: `eps` of `torch.nn.functional.normalize`.
pub(crate) const CHANNEL_NORM_FLOOR: f32 = 1e-12;

/// Positions that one worker normalises together: all channels of a block stay in cache.
const POSITIONS: usize = 256;

/// `LN(x) (1 + scale) + shift`, the norm without parameters of its own.
///
/// `x` `[batch, tokens, d]`; `scale`, `shift` `[batch or 1, tokens or 1, d]`.
pub fn layer_norm_modulate(
    x: Tensor<3>,
    scale: Tensor<3>,
    shift: Tensor<3>,
    eps: f64,
) -> Tensor<3> {
    if !(host::has(&x) && host::has(&scale) && host::has(&shift)) {
        return portable::layer_norm_modulate(x, scale, shift, eps);
    }
    let shape = x.dims();
    let scale = BroadcastRows::new(scale, shape, "layer_norm_modulate: scale");
    let shift = BroadcastRows::new(shift, shape, "layer_norm_modulate: shift");
    each_row(x, |i, row| {
        let (mean, inv) = moments(row, eps);
        simd::modulate(row, mean, inv, scale.get(i), shift.get(i));
    })
}

/// Layer norm over the last axis, `weight` and `bias` `[d]`.
pub fn layer_norm(
    x: Tensor<3>,
    weight: Option<Tensor<1>>,
    bias: Option<Tensor<1>>,
    eps: f64,
) -> Tensor<3> {
    let width = x.dims()[2];
    for parameter in [&weight, &bias].into_iter().flatten() {
        assert_eq!(
            parameter.dims(),
            [width],
            "layer_norm: parameter for {width} channels"
        );
    }
    if !(host::has(&x) && host::has_opt(weight.as_ref()) && host::has_opt(bias.as_ref())) {
        return portable::layer_norm(x, weight, bias, eps);
    }
    let plain = weight.is_none() && bias.is_none();
    let of = |x: Option<Tensor<1>>, fill: f32| {
        x.map_or_else(|| vec![fill; width], |x| Values::of(x).to_vec())
    };
    let (weight, bias) = (of(weight, 1.0), of(bias, 0.0));
    each_row(x, |_, row| {
        let (mean, inv) = moments(row, eps);
        if plain {
            simd::normalise(row, mean, inv);
        } else {
            simd::affine(row, mean, inv, &weight, &bias);
        }
    })
}

/// `x / sqrt(mean(x^2) + eps) * weight` over the last axis.
pub fn rms_norm(x: Tensor<3>, weight: Tensor<1>, eps: f64) -> Tensor<3> {
    assert_eq!(
        weight.dims(),
        [x.dims()[2]],
        "rms_norm: weight for x of {:?}",
        x.dims()
    );
    if !(host::has(&x) && host::has(&weight)) {
        return portable::rms_norm(x, weight, eps);
    }
    let weight = Values::of(weight);
    each_row(x, |_, row| rms_row(row, &weight, eps))
}

pub(crate) fn rms_row(row: &mut [f32], weight: &[f32], eps: f64) {
    let mean = simd::sum_squares(row) / row.len() as f32;
    simd::scale_by(row, (mean + eps as f32).sqrt().recip(), weight);
}

/// Mean and inverse standard deviation, in two passes over a row that is in cache.
fn moments(row: &[f32], eps: f64) -> (f32, f32) {
    let count = row.len() as f32;
    let mean = simd::sum(row) / count;
    let variance = simd::sum_deviations(row, mean) / count;
    (mean, (variance + eps as f32).sqrt().recip())
}

fn each_row(x: Tensor<3>, work: impl Fn(usize, &mut [f32]) + Sync) -> Tensor<3> {
    let width = x.dims()[2];
    host::map_rows(x, width, |first, rows| {
        for (i, row) in rows.chunks_mut(width).enumerate() {
            work(first + i, row);
        }
    })
}

/// `x / max(|x|, 1e-12) * sqrt(channels) * gamma` over the channels of `[b, c, t, h, w]`, then
/// SiLU if asked (Wan's VAE: `RMS_norm` in `wan/modules/vae2_1.py`).
///
/// Always writes a new buffer; no other workspace.
pub fn channel_rms_norm_silu(x: Tensor<5>, gamma: Tensor<1>, silu: bool) -> Tensor<5> {
    let shape = x.dims();
    let [batch, channels, frames, height, width] = shape;
    assert_eq!(
        gamma.dims(),
        [channels],
        "channel_rms_norm_silu: gamma for x of {shape:?}"
    );
    if !(host::has(&x) && host::has(&gamma)) {
        return portable::channel_rms_norm_silu(x, gamma, silu);
    }
    let (x, gamma) = (Values::of(x), Values::of(gamma));
    let plane = frames * height * width;
    let mut out = host::uninit(x.len());
    let shared = Shared::new(&mut out);
    let blocks = plane.div_ceil(POSITIONS);
    (0..batch * blocks).into_par_iter().for_each(|i| {
        let (item, first) = (i / blocks, i % blocks * POSITIONS);
        let len = POSITIONS.min(plane - first);
        let at = |channel: usize| (item * channels + channel) * plane + first;
        let mut norms = [0.0; POSITIONS];
        let norms = &mut norms[..len];
        for channel in 0..channels {
            simd::accumulate_squares(norms, &x[at(channel)..at(channel) + len]);
        }
        simd::inverse_norms(norms, (channels as f32).sqrt(), CHANNEL_NORM_FLOOR);
        for (channel, &gamma) in gamma.iter().enumerate() {
            // SAFETY: every worker has its own positions; the source is another buffer.
            let part = unsafe { shared.uninit(at(channel), len) };
            let part = part.write_copy_of_slice(&x[at(channel)..at(channel) + len]);
            if silu {
                simd::scale_each_silu(part, gamma, norms);
            } else {
                simd::scale_each(part, gamma, norms);
            }
        }
    });
    // SAFETY: the blocks cover all positions, and each writes all channels.
    host::give_values(unsafe { host::written(out) }, shape)
}

//! Normalisation: layer norm with modulation, RMS norm over tokens and over channels.

use crate::{Tensor, portable};

/// Least divisor of [`channel_rms_norm_silu`]: `eps` of `torch.nn.functional.normalize`.
pub(crate) const CHANNEL_NORM_FLOOR: f32 = 1e-12;

/// `LN(x) (1 + scale) + shift`, the norm without parameters of its own.
///
/// `x` `[batch, tokens, d]`; `scale`, `shift` `[batch or 1, tokens or 1, d]`.
pub fn layer_norm_modulate(
    x: Tensor<3>,
    scale: Tensor<3>,
    shift: Tensor<3>,
    eps: f64,
) -> Tensor<3> {
    portable::layer_norm_modulate(x, scale, shift, eps)
}

/// Layer norm over the last axis, `weight` and `bias` `[d]`.
pub fn layer_norm(
    x: Tensor<3>,
    weight: Option<Tensor<1>>,
    bias: Option<Tensor<1>>,
    eps: f64,
) -> Tensor<3> {
    portable::layer_norm(x, weight, bias, eps)
}

/// `x / sqrt(mean(x^2) + eps) * weight` over the last axis.
pub fn rms_norm(x: Tensor<3>, weight: Tensor<1>, eps: f64) -> Tensor<3> {
    portable::rms_norm(x, weight, eps)
}

/// `x / max(|x|, 1e-12) * sqrt(channels) * gamma` over the channels of `[b, c, t, h, w]`, then
/// SiLU if asked (Wan's VAE: `RMS_norm` in `wan/modules/vae2_1.py`).
pub fn channel_rms_norm_silu(x: Tensor<5>, gamma: Tensor<1>, silu: bool) -> Tensor<5> {
    portable::channel_rms_norm_silu(x, gamma, silu)
}

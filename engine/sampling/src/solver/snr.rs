//! Half the logarithm of the signal-to-noise ratio, the time of ComfyUI's SDE solvers.
//!
//! Source: ComfyUI `comfy/k_diffusion/sampling.py` (`sigma_to_half_log_snr`, `half_log_snr_to_sigma`,
//! `get_ancestral_step`), for a flow model: `ln((1 - sigma) / sigma)`.

/// `-logit(sigma)`; minus infinity at 1, infinite at 0.
pub(super) fn lambda(sigma: f32) -> f32 {
    -(sigma / (1.0 - sigma)).ln()
}

/// The sigma at which [`lambda`] is this.
pub(super) fn sigma_of(lambda: f32) -> f32 {
    1.0 / (1.0 + lambda.exp())
}

/// The signal's share, `1 - sigma`, by way of lambda as there.
pub(super) fn alpha(sigma: f32) -> f32 {
    sigma * lambda(sigma).exp()
}

/// `(down, up)`: how far to step down and how much noise to add so as to be at `to` again.
pub(super) fn ancestral(from: f32, to: f32, eta: f32) -> (f32, f32) {
    if eta == 0.0 {
        return (to, 0.0);
    }
    let fresh = (to.powi(2) * (from.powi(2) - to.powi(2)) / from.powi(2)).max(0.0);
    let up = to.min(eta * fresh.sqrt());
    ((to.powi(2) - up.powi(2)).sqrt(), up)
}

//! The rectified-flow convention as functions, and classifier-free guidance.
//!
//! Source: ComfyUI `comfy/model_sampling.py` (class `CONST`) and `comfy/samplers.py`
//! (`sampling_function`, `cfg_function`); same order of single-precision operations.

/// `sigma * noise + (1 - sigma) * latent`, elementwise. Both slices have the same length.
pub fn add_noise(sigma: f32, noise: &[f32], latent: &[f32]) -> Vec<f32> {
    debug_assert_eq!(noise.len(), latent.len());
    let keep = 1.0 - sigma;
    noise
        .iter()
        .zip(latent)
        .map(|(n, l)| sigma * n + keep * l)
        .collect()
}

/// Takes the noise scaling out of what a sampler returns at its last sigma: `x / (1 - sigma)`.
///
/// At sigma 0 nothing changes. With noise left over this is what the next KSampler, run with
/// `add_noise = disable`, puts back. At sigma 1 there is nothing but noise and no such scaling;
/// `x` is returned as it is.
pub fn remove_scaling(sigma: f32, mut x: Vec<f32>) -> Vec<f32> {
    let keep = 1.0 - sigma;
    if keep > 0.0 && keep != 1.0 {
        for value in &mut x {
            *value /= keep;
        }
    }
    x
}

/// The x0 prediction from a velocity: `x - sigma * v`.
pub fn x0_from_velocity(sigma: f32, x: &[f32], velocity: &[f32]) -> Vec<f32> {
    debug_assert_eq!(x.len(), velocity.len());
    x.iter().zip(velocity).map(|(x, v)| x - v * sigma).collect()
}

/// The sigma that is `percent` (0 to 1) of the way through a schedule of this shift:
/// `ModelSamplingDiscreteFlow.percent_to_sigma`. Not the share of steps.
pub fn percent_to_sigma(shift: f64, percent: f64) -> f64 {
    if percent <= 0.0 {
        return 1.0;
    }
    if percent >= 1.0 {
        return 0.0;
    }
    let t = 1.0 - percent;
    if shift == 1.0 {
        t
    } else {
        shift * t / (1.0 + (shift - 1.0) * t)
    }
}

/// Whether guidance at this scale needs the unconditional prediction. At 1 it cancels out, so
/// ComfyUI does not compute it (`math.isclose(cfg, 1.0)`), and neither do we.
pub fn needs_uncond(cfg: f64) -> bool {
    (cfg - 1.0).abs() > 1e-9 * cfg.abs().max(1.0)
}

/// Classifier-free guidance: `uncond + (cond - uncond) * cfg`. Without `uncond` (see
/// [`needs_uncond`]) it is `cond`. Works alike on x0 predictions and on velocities.
pub fn guide(cond: Vec<f32>, uncond: Option<&[f32]>, cfg: f32) -> Vec<f32> {
    let Some(uncond) = uncond else { return cond };
    debug_assert_eq!(cond.len(), uncond.len());
    let mut out = cond;
    for (c, u) in out.iter_mut().zip(uncond) {
        *c = u + (*c - u) * cfg;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn velocity_leads_from_noised_back_to_x0() {
        let (noise, latent) = ([1.0, -2.0, 0.5], [0.25, 4.0, -1.0]);
        let velocity: Vec<f32> = noise.iter().zip(&latent).map(|(n, l)| n - l).collect();
        for sigma in [0.0, 0.25, 1.0] {
            let x = add_noise(sigma, &noise, &latent);
            for (got, want) in x0_from_velocity(sigma, &x, &velocity).iter().zip(&latent) {
                assert!((got - want).abs() < 1e-6);
            }
        }
    }

    #[test]
    fn left_over_noise_goes_out_and_back_in() {
        let x = vec![0.5, -0.25];
        let stored = remove_scaling(0.75, x.clone());
        assert_eq!(add_noise(0.75, &[0.0, 0.0], &stored), x);
        assert_eq!(remove_scaling(1.0, x.clone()), x);
    }

    #[test]
    fn guidance() {
        assert!(!needs_uncond(1.0) && needs_uncond(1.001) && needs_uncond(0.0));
        assert_eq!(guide(vec![2.0], Some(&[1.0]), 4.0), [5.0]);
        assert_eq!(guide(vec![2.0], None, 1.0), [2.0]);
    }
}

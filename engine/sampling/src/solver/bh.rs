//! The coefficients of UniPC's predictor and corrector, <https://arxiv.org/abs/2302.04867>, B(h) form.
//!
//! Source: ComfyUI `comfy/extra_samplers/uni_pc.py` (`multistep_uni_pc_bh_update`); Wan and diffusers
//! have the same formulas. The right-hand sides are differences of near-equal terms when steps are
//! short, as they are with a high shift: they are made in double, as ComfyUI does since 2026.

/// What B(h) is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Variant {
    /// h
    Bh1,
    /// e^h - 1
    Bh2,
}

impl Variant {
    /// B(h) in single precision. `hh` is minus the step's length in lambda; minus infinity at sigma 1.
    pub fn b(self, hh: f32) -> f32 {
        match self {
            Self::Bh1 => hh,
            Self::Bh2 => hh.exp_m1(),
        }
    }
}

/// Weights of a step of order `ratios.len() + 1`.
///
/// `ratios` are the distances in lambda from the step's start back to older predictions, divided by
/// the step's length (so they are negative), nearest first.
pub(super) struct Weights {
    /// One for each older prediction's slope.
    pub predictor: Vec<f32>,
    /// The same and then one for the new prediction's difference.
    pub corrector: Vec<f32>,
}

pub(super) fn weights(variant: Variant, hh: f32, ratios: &[f32]) -> Weights {
    let order = ratios.len() + 1;
    let mut nodes: Vec<f64> = ratios.iter().map(|&it| f64::from(it)).collect();
    nodes.push(1.0);
    let right = right_sides(variant, f64::from(hh), order);
    let predictor = match order {
        1 => Vec::new(),
        2 => vec![0.5], // both papers' simplification
        _ => solve_vandermonde(&nodes[..order - 1], &right[..order - 1]),
    };
    let corrector = if order == 1 {
        vec![0.5]
    } else {
        solve_vandermonde(&nodes, &right)
    };
    let single = |weights: Vec<f64>| weights.into_iter().map(|it| it as f32).collect();
    Weights {
        predictor: single(predictor),
        corrector: single(corrector),
    }
}

/// `k! * h * phi_{k+1}(h) / B(h)` for k from 1 to `order`.
fn right_sides(variant: Variant, hh: f64, order: usize) -> Vec<f64> {
    let b = match variant {
        Variant::Bh1 => hh,
        Variant::Bh2 => hh.exp_m1(),
    };
    let mut phi = hh.exp_m1() / hh - 1.0;
    let mut factorial = 1.0;
    let mut out = Vec::with_capacity(order);
    for k in 1..=order {
        out.push(phi * factorial / b);
        factorial *= (k + 1) as f64;
        phi = phi / hh - 1.0 / factorial;
    }
    out
}

/// Solves `sum_j nodes[j]^i * w[j] = right[i]`, by Newton's divided differences of the dual problem
/// (Björck and Pereyra 1970). A node at minus infinity (a prediction made at sigma 1, seen from
/// lambda) has no weight.
pub(super) fn solve_vandermonde(nodes: &[f64], right: &[f64]) -> Vec<f64> {
    let finite: Vec<f64> = nodes.iter().copied().filter(|it| it.is_finite()).collect();
    let n = finite.len();
    let mut w = right[..n].to_vec();
    for (k, node) in finite.iter().enumerate() {
        for i in (k + 1..n).rev() {
            w[i] -= node * w[i - 1];
        }
    }
    for k in (0..n.saturating_sub(1)).rev() {
        for i in k + 1..n {
            w[i] /= finite[i] - finite[i - k - 1];
        }
        for i in k..n - 1 {
            w[i] -= w[i + 1];
        }
    }
    let mut weights = w.into_iter();
    let weight = |node: &f64| {
        if node.is_finite() {
            weights.next().unwrap_or(0.0)
        } else {
            0.0
        }
    };
    nodes.iter().map(weight).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vandermonde_systems_are_solved() {
        for nodes in [
            vec![1.0],
            vec![-0.8, 1.0],
            vec![-0.9, -2.1, 1.0],
            vec![-0.5, -1.5, -3.0, 1.0],
        ] {
            let right: Vec<f64> = (0..nodes.len()).map(|i| 0.3 + i as f64).collect();
            let weights = solve_vandermonde(&nodes, &right);
            for (i, want) in right.iter().enumerate() {
                let got: f64 = nodes
                    .iter()
                    .zip(&weights)
                    .map(|(x, w)| x.powi(i as i32) * w)
                    .sum();
                assert!(
                    (got - want).abs() < 1e-12,
                    "{nodes:?} row {i}: {got} {want}"
                );
            }
        }
    }

    #[test]
    fn an_infinitely_far_prediction_has_no_weight() {
        let weights = weights(Variant::Bh2, -0.5, &[f32::NEG_INFINITY]).corrector;
        assert_eq!(weights[0], 0.0);
        assert!(weights[1].is_finite());
    }
}

//! A Brownian path over sigma that does not depend on where it is asked: `torchsde`'s tree.
//!
//! Source: google-research/torchsde `torchsde/_brownian/{brownian_interval,derived}.py`
//! (`BrownianTree`: `halfway_tree`, tolerance 1e-6, pool of 24, no Lévy area) as ComfyUI calls it on
//! the CPU (`comfy/k_diffusion/sampling.py`, `BrownianTreeNoiseSampler`, `BatchedBrownianTree`). Same
//! seeds, same halving, same order of single-precision operations, so the same noise bit for bit.
//!
//! A request is answered by going down from the whole interval; every node's noise has a seed of its
//! own, so nothing is kept between requests. That costs about 35 draws of the latent's size for each
//! (for 81 frames of 832x480 a second or two of one core), where torchsde's cache saves some.

use super::TorchRng;
use super::seed_sequence::generate;

/// Pool of the seed sequences.
const POOL: usize = 24;

/// The path for one seed between the lowest and the highest sigma of a run. It belongs to the whole
/// latent, all samples of a batch in one, as `torch.zeros_like(x)` does there.
#[derive(Debug, Clone, Copy)]
pub struct BrownianPath {
    seed: u64,
    low: f64,
    high: f64,
}

/// A node: an interval and where it lies in the tree.
#[derive(Clone, Copy)]
struct Node {
    start: f64,
    end: f64,
    key: u64,
    depth: u64,
}

impl BrownianPath {
    /// `seed` is the run's own, `low` and `high` are its lowest sigma above 0 and its highest.
    pub fn new(seed: u64, low: f32, high: f32) -> Self {
        Self {
            seed,
            low: f64::from(low),
            high: f64::from(high),
        }
    }

    /// `BrownianTreeNoiseSampler(sigma, sigma_next)`: unit noise for the way from `from` down to
    /// `to`, for a latent of `n` elements.
    ///
    /// Two sigmas nearer than the tolerance have no increment between them; zeros then.
    pub fn noise(&self, from: f32, to: f32, n: usize) -> Vec<f32> {
        let root = Node {
            start: round(self.low),
            end: round(self.high),
            key: 0,
            depth: 0,
        };
        let inside = |sigma: f32| round(f64::from(sigma).clamp(root.start, root.end));
        let (ta, tb) = (inside(from.min(to)), inside(from.max(to)));
        if ta >= tb {
            return vec![0.0; n];
        }
        let [w_seed, ..] = generate::<POOL, 3>(self.seed, &[]);
        let mut w = TorchRng::new(u64::from(w_seed)).randn(n);
        let deviation = (self.high - self.low).sqrt() as f32;
        for value in &mut w {
            *value *= deviation;
        }
        let mut out = None;
        self.collect(root, w, (ta, tb), &mut out);
        let sign = if from < to { 1.0 } else { -1.0 };
        let length = (to - from).abs().sqrt();
        let mut out = out.unwrap_or_else(|| vec![0.0; n]);
        for value in &mut out {
            *value = *value * sign / length;
        }
        out
    }

    /// Adds the increments of the largest nodes that make up `wanted`, from left to right. `w` is
    /// the increment over `node`.
    fn collect(&self, node: Node, w: Vec<f32>, wanted: (f64, f64), out: &mut Option<Vec<f32>>) {
        let Node { start, end, .. } = node;
        if wanted.0 <= start && end <= wanted.1 {
            match out {
                None => *out = Some(w),
                Some(out) => out.iter_mut().zip(&w).for_each(|(sum, w)| *sum += w),
            }
            return;
        }
        let middle = round(0.5 * (end + start));
        if middle <= start || middle >= end {
            return; // at the tolerance; every wanted end lies on the grid, so this is not reached
        }
        let mut left = self.left(node, middle, &w);
        let child = |right: u64, start: f64, end: f64| Node {
            start,
            end,
            key: 2 * node.key + right,
            depth: node.depth + 1,
        };
        let (to_left, to_right) = (child(0, start, middle), child(1, middle, end));
        if wanted.1 <= middle {
            drop(w);
            return self.collect(to_left, left, wanted, out);
        }
        let mut right = w;
        for (right, left) in right.iter_mut().zip(&left) {
            *right -= left;
        }
        if wanted.0 < middle {
            self.collect(to_left, std::mem::take(&mut left), wanted, out);
        }
        drop(left);
        self.collect(to_right, right, wanted, out);
    }

    /// The increment over the left part of `node`, given that over the whole: the Brownian bridge.
    fn left(&self, node: Node, middle: f64, w: &[f32]) -> Vec<f32> {
        let [w_seed, ..] = generate::<POOL, 4>(self.seed, &[node.key, node.depth]);
        let mut noise = TorchRng::new(u64::from(w_seed)).randn(w.len());
        let (left, right) = (middle - node.start, node.end - middle);
        let inverse = 1.0 / (node.end - node.start);
        let deviation = (left * right * inverse).sqrt() as f32;
        let (left, inverse) = (left as f32, inverse as f32);
        for (noise, w) in noise.iter_mut().zip(w) {
            *noise = left * w * inverse + deviation * *noise;
        }
        noise
    }
}

/// Python's `round(x, 6)`: to the nearest decimal, exactly.
fn round(x: f64) -> f64 {
    format!("{x:.6}").parse().unwrap_or(x)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Python rounds the exact value, ties to even.
    #[test]
    fn rounds_as_python_does() {
        for (x, want) in [
            (0.0078125, 0.007812),
            (0.0234375, 0.023438),
            (0.0390625, 0.039062),
            (0.1234565, 0.123456),
            (0.9999995, 1.0),
            (1.0, 1.0),
        ] {
            assert_eq!(round(x), want, "{x}");
        }
    }

    /// Whatever steps one takes, the way between two sigmas adds up to the same.
    #[test]
    fn increments_add_up() {
        let tree = BrownianPath::new(9, 0.1, 1.0);
        let step = |from: f32, to: f32| -> Vec<f32> {
            let length = (from - to).sqrt();
            tree.noise(from, to, 4)
                .iter()
                .map(|it| it * length)
                .collect()
        };
        let whole = step(0.95, 0.2);
        let (first, second) = (step(0.95, 0.61), step(0.61, 0.2));
        for i in 0..4 {
            assert!((first[i] + second[i] - whole[i]).abs() < 1e-5);
        }
        assert_eq!(tree.noise(0.5, 0.5, 2), [0.0, 0.0]);
        let back: Vec<f32> = step(0.95, 0.61).iter().map(|it| -it).collect();
        assert_eq!(tree.noise(0.61, 0.95, 4)[0] * (0.34_f32).sqrt(), back[0]);
    }
}

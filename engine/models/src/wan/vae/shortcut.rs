//! Shortcuts around the levels of the Wan 2.2 VAE, and its patches; none of them has weights.
//!
//! `AvgDown3D`, `DupUp3D`, `patchify` and `unpatchify` of `wan/modules/vae2_2.py`
//! (Wan-Video/Wan2.2).

use crate::Tensor;

/// What is added beside a level that halves: means over blocks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Means {
    /// Frames, rows and columns of a block.
    pub block: [usize; 3],
    /// Of these, what becomes channels instead of being averaged; 1 for the others.
    pub kept: [usize; 3],
}

impl Means {
    /// `along`, the result of the level, plus the means of its input `x` `[1, c, n, h, w]`. A first
    /// chunk of one frame stands behind zero frames.
    pub fn add(self, along: Tensor<5>, x: Tensor<5>) -> Tensor<5> {
        let [time, rows, columns] = self.block;
        if self.block == [1; 3] {
            return along + x;
        }
        let [_, c, n, h, w] = x.dims();
        let missing = n.next_multiple_of(time) - n;
        let x = if missing == 0 {
            x
        } else {
            let zeros = Tensor::zeros([1, c, missing, h, w], &x.device()).cast(x.dtype());
            Tensor::cat(vec![zeros, x], 2)
        };
        let (n, h, w) = ((n + missing) / time, h / rows, w / columns);
        let mut blocks: Tensor<7> = x.reshape([c, n, time, h, rows, w, columns]);
        for (axis, kept) in [(6, self.kept[2]), (4, self.kept[1]), (2, self.kept[0])] {
            if kept == 1 && blocks.dims()[axis] > 1 {
                blocks = blocks.mean_dim(axis);
            }
        }
        let to = c * self.kept.iter().product::<usize>();
        let means = blocks.permute([0, 2, 4, 6, 1, 3, 5]);
        along + means.reshape([1, to, n, h, w])
    }
}

/// What is added beside a level that doubles: every value repeated over a block.
#[derive(Clone, Copy, Debug)]
pub(super) struct Repeats {
    /// Frames, rows and columns of a block.
    pub block: [usize; 3],
    /// Of these, what comes out of channels instead of being repeated; 1 for the others.
    pub kept: [usize; 3],
}

impl Repeats {
    /// `along`, the result of the level, plus its input `x` `[1, c, n, h, w]` spread over blocks. In
    /// a first chunk, which the level does not double in time, the last frame of the block is taken.
    pub fn add(self, along: Tensor<5>, x: Tensor<5>) -> Tensor<5> {
        let [_, to, frames, ..] = along.dims();
        let [_, _, n, h, w] = x.dims();
        let [time, rows, columns] = self.block;
        let [t, y, z] = self.kept;
        let mut spread: Tensor<7> = x
            .reshape([to, t, y, z, n, h, w])
            .permute([4, 1, 0, 5, 2, 6, 3]);
        let time = if frames == n { 1 } else { time };
        if time < t {
            spread = spread.narrow(1, t - 1, 1);
        }
        // The level's result lies frame by frame: seen so, nothing is copied but the sum.
        let along = along
            .swap_dims(1, 2)
            .reshape([n, time, to, h, rows, w, columns]);
        (along + spread)
            .reshape([1, frames, to, h * rows, w * columns])
            .swap_dims(1, 2)
    }
}

/// Pixels `[1, c, n, h, w]` to patches `[1, c p p, n, h / p, w / p]`; of the places in a patch, rows
/// count fastest.
pub(super) fn patchify(x: Tensor<5>, p: usize) -> Tensor<5> {
    if p == 1 {
        return x;
    }
    let [_, c, n, h, w] = x.dims();
    let (h, w) = (h / p, w / p);
    let patches: Tensor<6> = x.reshape([c, n, h, p, w, p]);
    patches
        .permute([0, 5, 3, 1, 2, 4])
        .reshape([1, c * p * p, n, h, w])
}

/// The inverse of [`patchify`].
pub(super) fn unpatchify(x: Tensor<5>, p: usize) -> Tensor<5> {
    if p == 1 {
        return x;
    }
    let [_, c, n, h, w] = x.dims();
    let c = c / (p * p);
    let patches: Tensor<6> = x.reshape([c, p, p, n, h, w]);
    patches
        .permute([0, 3, 4, 2, 5, 1])
        .reshape([1, c, n, h * p, w * p])
}

//! From latents, and from mask and camera rays where they are given, to the control network's tokens.

use burn::tensor::DType;
use longtake_shaders::{Tensor, silu};

use super::block::Source;
use super::dims::Uni3cDims;
use super::{ADD_PATCH, NORM_EPS, ROWS};
use crate::dense::Dense;
use crate::wan::dit::PATCH;
use crate::weights::WeightsError;

/// Channels of the geometric branch normed together (`GroupNorm(mid / 8, mid)`).
const GROUP: usize = 8;

/// The optional branch of mask and camera rays (`MaskCamEmbed` of the authors).
struct Geometry {
    /// Cells of 4×8×8 pixels to `mid_dim`.
    cells: Dense,
    /// Weight and bias of the group norm.
    norm: [Tensor<1>; 2],
    /// Patches of 2×2 cells to `conv_dim`.
    patches: Dense,
}

/// Everything before the blocks.
pub struct Embedding {
    patches: Dense,
    geometry: Option<Geometry>,
    /// `None` where the patches already have the blocks' width.
    inner: Option<Dense>,
}

impl Embedding {
    pub fn load(source: &Source<'_>) -> Result<Self, WeightsError> {
        let Uni3cDims {
            in_dim,
            conv_dim,
            dim,
            add_dim,
            mid_dim,
            ..
        } = source.dims;
        let (checkpoint, device) = (source.checkpoint, source.device);
        let [t, h, w] = ADD_PATCH;
        let name = |part: &str| format!("controlnet_mask_embedding.{part}");
        let geometry = if add_dim == 0 {
            None
        } else {
            let cell = [mid_dim, add_dim, t, h, w];
            let patch = [conv_dim, mid_dim, 1, PATCH, PATCH];
            Some(Geometry {
                cells: Dense::patches(checkpoint, &name("mask_proj.0"), cell, device)?,
                norm: [
                    source.vector(&name("mask_proj.1.weight"), mid_dim)?,
                    source.vector(&name("mask_proj.1.bias"), mid_dim)?,
                ],
                patches: Dense::patches(checkpoint, &name("mask_zero_proj"), patch, device)?,
            })
        };
        Ok(Self {
            patches: Dense::patches(
                checkpoint,
                "controlnet_patch_embedding",
                [conv_dim, in_dim, 1, PATCH, PATCH],
                device,
            )?,
            geometry,
            inner: if conv_dim == dim {
                None
            } else {
                Some(source.dense("proj_in", conv_dim, dim)?)
            },
        })
    }

    /// The type that the network computes in: that of its weights.
    pub fn dtype(&self) -> DType {
        self.patches.weight.dtype()
    }

    /// Latents `[b, in_dim, f, h, w]` with even sides, and mask and rays
    /// `[b, add_dim, 4f - 3, 8h, 8w]`, as tokens `[b, f*h/2*w/2, dim]`.
    pub fn tokens(&self, latent: Tensor<5>, add: Option<Tensor<5>>) -> Tensor<3> {
        let [b, c, f, h, w] = latent.dims();
        let (rows, columns) = (h / PATCH, w / PATCH);
        let tokens = f * rows * columns;
        let patches = latent
            .reshape([b, c, f, rows, PATCH, columns, PATCH])
            .permute([0, 2, 3, 5, 1, 4, 6])
            .reshape([b, tokens, c * PATCH * PATCH]);
        let geometry = add.and_then(|add| {
            let branch = self.geometry.as_ref()?;
            Some((branch, branch.cells(add, [f, h, w])))
        });
        // The embedding is five times as wide as the stream: never made for all tokens at once.
        let step = (ROWS / b).max(1);
        let mut parts = Vec::with_capacity(tokens.div_ceil(step));
        for start in (0..tokens).step_by(step) {
            let len = step.min(tokens - start);
            let mut part = self.patches.apply(patches.clone().narrow(1, start, len));
            if let Some((branch, cells)) = &geometry {
                part = part + branch.patches.apply(cells.clone().narrow(1, start, len));
            }
            parts.push(match &self.inner {
                Some(inner) => inner.apply(part),
                None => part,
            });
        }
        Tensor::cat(parts, 1)
    }
}

impl Geometry {
    /// Patches of normed cells, `[b, f*h/2*w/2, mid_dim * 4]`, for a latent grid `[f, h, w]`.
    fn cells(&self, add: Tensor<5>, [f, h, w]: [usize; 3]) -> Tensor<3> {
        let [b, c, _, height, width] = add.dims();
        let [t, ph, pw] = ADD_PATCH;
        let add = add.cast(self.cells.weight.dtype());
        // The first latent frame stands for one frame; zeros fill the three before it.
        let mut parts = Vec::with_capacity(f);
        for frame in 0..f {
            let taken = if frame == 0 {
                let zeros = Tensor::zeros([b, c, t - 1, height, width], &add.device());
                Tensor::cat(
                    vec![zeros.cast(add.dtype()), add.clone().narrow(2, 0, 1)],
                    2,
                )
            } else {
                add.clone().narrow(2, frame * t - (t - 1), t)
            };
            let cells = taken
                .reshape([b, c, t, h, ph, w, pw])
                .permute([0, 3, 5, 1, 2, 4, 6])
                .reshape([b, h * w, c * t * ph * pw]);
            parts.push(self.cells.apply(cells));
        }
        let cells = self.group_norm(Tensor::cat(parts, 1));
        let mid = cells.dims()[2];
        silu(cells)
            .reshape([b, f, h / PATCH, PATCH, w / PATCH, PATCH, mid])
            .permute([0, 1, 2, 4, 6, 3, 5])
            .reshape([b, f * h * w / (PATCH * PATCH), mid * PATCH * PATCH])
    }

    /// Mean and deviation over all positions and the channels of a group.
    fn group_norm(&self, x: Tensor<3>) -> Tensor<3> {
        let [b, positions, mid] = x.dims();
        let dtype = x.dtype();
        let x = x
            .cast(DType::F32)
            .reshape([b, positions, mid / GROUP, GROUP]);
        let mean = |x: Tensor<4>| x.mean_dim(1).mean_dim(3);
        let centred = x.clone() - mean(x);
        let variance = mean(centred.clone() * centred.clone());
        let x = centred / (variance + NORM_EPS).sqrt();
        let [weight, bias] = self.norm.clone();
        let row = |v: Tensor<1>| v.cast(DType::F32).unsqueeze::<3>();
        (x.reshape([b, positions, mid]) * row(weight) + row(bias)).cast(dtype)
    }
}

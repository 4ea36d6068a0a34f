//! The video diffusion transformer of Wan 2.1 (1.3B and 14B, text to video).
//!
//! One code path for every size: widths and depth are read off the checkpoint. Steps and constants
//! follow Wan2.1 `wan/modules/model.py`; odd latent sides are padded as ComfyUI's
//! `comfy/ldm/common_dit.py` does. Attention, norms and linear layers come from
//! `longtake-shaders`; this folder only says how they are put together.
//!
//! Not built yet: the CLIP image branch of Wan 2.1 image to video (`img_emb`, `k_img`), and
//! per-token timesteps of Wan 2.2 5B. A checkpoint that needs the former is refused.

mod block;
mod context;
mod cost;
mod dims;
mod ends;
mod names;
mod pass;
mod rope;
mod scail;
mod source;

use std::ops::ControlFlow;

use longtake_shaders::Tensor;

use self::block::Block;
pub use self::context::PreparedContext;
use self::context::PreparedText;
pub use self::cost::PassShape;
pub use self::dims::{DitDims, PATCH, TEXT_LEN};
use self::ends::Ends;
pub(crate) use self::names::Layout;
pub use self::pass::{Control, ForwardError, Hook, Pass, Times};
use self::rope::{RopeCache, RopeTables};
pub use self::scail::{PoseRope, ScailMode, ScailStreams};
use self::source::Source;
use crate::Device;
pub use crate::weights::Placement;
use crate::weights::{Checkpoint, WeightsError};

/// Added to variances and mean squares in every norm (Wan2.1 `wan/modules/model.py`).
const EPS: f64 = 1e-6;
/// Tokens, over the whole batch, that the feed-forward takes at once. Enough for full speed of the
/// matrix products, and at 14B a hidden layer of 57 MB.
const FFN_ROWS: usize = 1024;

enum Blocks {
    Resident(Vec<Block>),
    Streamed(Checkpoint, Layout),
}

/// The network with its weights.
pub struct WanDit {
    dims: DitDims,
    ends: Ends,
    blocks: Blocks,
    rope: RopeCache,
    device: Device,
}

impl WanDit {
    /// Reads a checkpoint in the authors' (ComfyUI's) or diffusers' layout onto `device`.
    /// `progress` hears `(blocks read, blocks)`.
    ///
    /// # Errors
    /// A tensor that is missing or has another shape than the sizes read off the others call for:
    /// the error names the file, the tensor, both shapes. Also a checkpoint that is no Wan
    /// transformer, or one with an image branch.
    pub fn load(
        checkpoint: &Checkpoint,
        device: &Device,
        placement: Placement,
        progress: &mut dyn FnMut(usize, usize),
    ) -> Result<Self, WeightsError> {
        let (layout, dims) = source::read_dims(checkpoint)?;
        let source = Source {
            checkpoint,
            layout,
            dims,
            device,
        };
        let ends = Ends::load(&source)?;
        progress(0, dims.layers);
        let blocks = match placement {
            Placement::Resident => Blocks::Resident(
                (0..dims.layers)
                    .map(|index| {
                        let block = Block::load(&source, index)?;
                        progress(index + 1, dims.layers);
                        Ok(block)
                    })
                    .collect::<Result<_, WeightsError>>()?,
            ),
            Placement::Streamed => Blocks::Streamed(checkpoint.clone(), layout),
        };
        Ok(Self {
            dims,
            ends,
            blocks,
            rope: RopeCache::default(),
            device: device.clone(),
        })
    }

    pub fn dims(&self) -> DitDims {
        self.dims
    }

    pub fn placement(&self) -> Placement {
        match self.blocks {
            Blocks::Resident(_) => Placement::Resident,
            Blocks::Streamed(..) => Placement::Streamed,
        }
    }

    /// Embeds the text encoder's output `[batch, rows, text_dim]` (fewer than 512 rows are padded
    /// with zero rows, more are kept), and for a model with an image branch the CLIP tokens
    /// `[1 or batch, 257 or 514, image_dim]`. Without them that branch adds nothing.
    ///
    /// # Errors
    /// [`ForwardError::Input`] if a width is not the network's, or it has no image branch
    /// ([`DitDims::image_dim`] is 0) and an image is given.
    pub fn prepare_context(
        &self,
        text: Tensor<3>,
        image: Option<Tensor<3>>,
    ) -> Result<PreparedContext, ForwardError> {
        let [batch, rows, width] = text.dims();
        if width != self.dims.text_dim {
            return Err(ForwardError::input(
                "text context",
                format!("[batch, rows, {}]", self.dims.text_dim),
                format!("[{batch}, {rows}, {width}]"),
            ));
        }
        if let Some(image) = image {
            return Err(ForwardError::input(
                "image context",
                "none: this checkpoint has no image branch",
                format!("{:?}", image.dims()),
            ));
        }
        let text = self.ends.embed_text(text);
        let text = match &self.blocks {
            Blocks::Resident(blocks) => {
                let keys = |block: &Block| block.text_keys(text.clone());
                PreparedText::Keys(blocks.iter().map(keys).collect())
            }
            Blocks::Streamed(..) => PreparedText::Embedded(text),
        };
        Ok(PreparedContext { batch, text })
    }

    /// The predicted velocity `noise - x0` `[b, out_dim, f, h, w]` of the noisy latent of `pass`.
    ///
    /// Odd `h` and `w` are padded with the opposite edge and cropped again.
    ///
    /// # Errors
    /// [`ForwardError::Interrupted`] if `hook` breaks, [`ForwardError::Input`] if the inputs do
    /// not fit, [`ForwardError::Weights`] if a streamed block cannot be read, and what the
    /// control says.
    pub fn forward(&self, pass: Pass<'_>, hook: &mut Hook<'_>) -> Result<Tensor<5>, ForwardError> {
        pass.check(&self.dims)?;
        let Times::PerItem(timestep) = pass.times else {
            return Err(ForwardError::input(
                "times",
                "one per item",
                "one per frame, not built yet",
            ));
        };
        if pass.control.is_some() {
            return Err(ForwardError::input("control", "none", "one, not built yet"));
        }
        let (latent, context) = (pass.latent, pass.context);
        let [b, _, f, h, w] = latent.dims();
        let grid = DitDims::grid(f, h, w);
        let rope = self.rope.get(grid, self.dims.head_dim(), &self.device);
        let time = self.ends.embed_time(timestep, &self.device);
        let latent = latent.cast(self.ends.dtype());
        let mut x = self.ends.embed_latent(pad_to_even(latent));
        for index in 0..self.dims.layers {
            let mut pause = || hook(index, self.dims.layers);
            if pause().is_break() {
                return Err(ForwardError::Interrupted);
            }
            match self.block(index, x, &time.e0, context, &rope, &mut pause)? {
                ControlFlow::Continue(y) => x = y,
                ControlFlow::Break(()) => return Err(ForwardError::Interrupted),
            }
        }
        if hook(self.dims.layers, self.dims.layers).is_break() {
            return Err(ForwardError::Interrupted);
        }
        let padded = self.ends.head(x, time.e, grid);
        Ok(padded.slice([0..b, 0..self.dims.out_dim, 0..f, 0..h, 0..w]))
    }

    fn block(
        &self,
        index: usize,
        x: Tensor<3>,
        e0: &Tensor<3>,
        context: &PreparedContext,
        rope: &RopeTables,
        pause: &mut dyn FnMut() -> ControlFlow<()>,
    ) -> Result<ControlFlow<(), Tensor<3>>, ForwardError> {
        let read;
        let block = match &self.blocks {
            Blocks::Resident(blocks) => &blocks[index],
            Blocks::Streamed(checkpoint, layout) => {
                let source = Source {
                    checkpoint,
                    layout: *layout,
                    dims: self.dims,
                    device: &self.device,
                };
                read = Block::load(&source, index)?;
                &read
            }
        };
        let keys = match &context.text {
            PreparedText::Keys(keys) => keys[index].clone(),
            PreparedText::Embedded(text) => block.text_keys(text.clone()),
        };
        Ok(block.forward(x, e0.clone(), keys, rope, pause))
    }
}

/// Repeats the first row and column behind the last where the number is odd (ComfyUI's circular
/// padding).
fn pad_to_even(mut latent: Tensor<5>) -> Tensor<5> {
    for axis in [3, 4] {
        if !latent.dims()[axis].is_multiple_of(PATCH) {
            let first = latent.clone().narrow(axis, 0, 1);
            latent = Tensor::cat(vec![latent, first], axis);
        }
    }
    latent
}

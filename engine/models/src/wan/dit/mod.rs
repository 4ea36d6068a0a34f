//! The video diffusion transformer of Wan 2.1 and 2.2: text to video, image to video (with the
//! CLIP branch of 2.1 or without), first and last frame, TI2V-5B, and SCAIL's reference and pose.
//!
//! One code path for every size: widths, depth and branches are read off the checkpoint. Steps and
//! constants follow Wan2.1 `wan/modules/model.py`; odd latent sides are padded as ComfyUI's
//! `comfy/ldm/common_dit.py` does. Attention, norms and linear layers come from
//! `longtake-shaders`; this folder only says how they are put together.

mod block;
mod context;
mod cost;
mod dims;
pub(in crate::wan) mod ends;
mod image;
mod names;
mod pass;
mod prefetch;
pub(in crate::wan) mod rope;
mod scail;
pub(in crate::wan) mod source;
mod time;

use std::ops::{ControlFlow, Deref};

use longtake_shaders::Tensor;

use self::block::Block;
pub use self::context::PreparedContext;
pub use self::cost::PassShape;
pub use self::dims::{DitDims, PATCH, TEXT_LEN};
use self::ends::Ends;
pub(crate) use self::names::Layout;
use self::pass::add_residual;
pub use self::pass::{Control, ForwardError, Hook, InputClash, Pass, Times};
use self::prefetch::{Reader, Streamed, Walk};
use self::rope::{RopeCache, Tokens};
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
    Streamed(Streamed),
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
    /// transformer, or one with a branch that is not built (VACE, Animate, S2V).
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
            Placement::Streamed => Blocks::Streamed(Streamed::new(Reader {
                checkpoint: checkpoint.clone(),
                layout,
                dims,
                device: device.clone(),
            })),
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
            Blocks::Streamed(_) => Placement::Streamed,
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
        let blocks = match &self.blocks {
            Blocks::Resident(blocks) => Some(blocks.as_slice()),
            Blocks::Streamed(_) => None,
        };
        PreparedContext::new(text, image, &self.dims, &self.ends, blocks)
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
        let (dims, layers) = (&self.dims, self.dims.layers);
        let [b, _, f, h, w] = pass.latent.dims();
        let grid = DitDims::grid(f, h, w);
        let tokens = pass
            .scail
            .map_or(Tokens::video(grid), |streams| streams.tokens(grid));
        let mut blocks = self.blocks.walk();
        let rope = self.rope.get(tokens, dims.head_dim(), &self.device);
        let times = &self.ends.time;
        let time = times.embed(pass.times, f, tokens.count(), &self.device);
        let mut x = self.ends.embed(pass.latent, pass.scail);
        let mut control = pass.control;
        if let Some(control) = &mut control {
            control.begin(&time.for_control, grid)?;
        }
        for index in 0..layers {
            let mut pause = || hook(index, layers);
            if pause().is_break() {
                return Err(ForwardError::Interrupted);
            }
            let block = blocks.take(index)?;
            let keys = pass.context.keys(index, &block);
            match block.forward(x, &time.runs, keys, &rope, &mut pause) {
                ControlFlow::Continue(y) => x = y,
                ControlFlow::Break(()) => return Err(ForwardError::Interrupted),
            }
            if let Some(control) = &mut control
                && let Some(residual) = control.after_block(index)?
            {
                x = add_residual(x, residual, &tokens)?;
            }
        }
        if hook(layers, layers).is_break() {
            return Err(ForwardError::Interrupted);
        }
        let video = tokens.video_range();
        let padded = self
            .ends
            .head(x.narrow(1, video.start, video.len()), &time.runs, grid);
        Ok(padded.slice([0..b, 0..dims.out_dim, 0..f, 0..h, 0..w]))
    }
}

impl Blocks {
    fn walk(&self) -> BlockWalk<'_> {
        match self {
            Self::Resident(blocks) => BlockWalk::Resident(blocks),
            Self::Streamed(streamed) => BlockWalk::Streamed(streamed.walk()),
        }
    }
}

/// One pass through the blocks, wherever they are.
enum BlockWalk<'a> {
    Resident(&'a [Block]),
    Streamed(Walk<'a>),
}

/// A block while it computes.
enum Held<'a> {
    Resident(&'a Block),
    Read(Box<Block>),
}

impl Deref for Held<'_> {
    type Target = Block;

    fn deref(&self) -> &Block {
        match self {
            Self::Resident(block) => block,
            Self::Read(block) => block,
        }
    }
}

impl<'a> BlockWalk<'a> {
    fn take(&mut self, index: usize) -> Result<Held<'a>, WeightsError> {
        match self {
            Self::Resident(blocks) => Ok(Held::Resident(&blocks[index])),
            Self::Streamed(walk) => Ok(Held::Read(Box::new(walk.take(index)?))),
        }
    }
}

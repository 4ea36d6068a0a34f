//! Context windows: a clip longer than the model's, sampled window by window at every step.
//!
//! Source: ComfyUI `comfy/context_windows.py` (after Kosinkadink/ComfyUI-AnimateDiff-Evolved) and
//! `comfy_extras/nodes_context_windows.py`. At each evaluation of the network the latent is cut into
//! windows of frames, each is denoised by itself (time starts at 0 in each), and the predictions are
//! put together with weights. ComfyUI fuses the conditional and the unconditional prediction apart
//! and guides then; both are linear, so here whatever the caller predicts is fused.

mod fuse;
mod noise;
mod schedule;

use longtake_sentence::{Sentence, say};

use crate::names::{self, NameKind, UnknownName};
use crate::solver::Stop;

pub use noise::free_noise;

/// Which windows a step has. Names are ComfyUI's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum WindowSchedule {
    /// The same at every step, from the first frame on; the last is pulled back to end at the last
    /// frame.
    #[default]
    StandardStatic,
    /// Moved on at every step, so that seams fall elsewhere; none reaches over the end.
    StandardUniform,
    /// The same, but running on from the last frame to the first.
    LoopedUniform,
    /// Side by side without overlap; the last may be shorter.
    Batched,
}

impl WindowSchedule {
    /// All of them, in ComfyUI's order.
    pub const ALL: [Self; 4] = [
        Self::StandardStatic,
        Self::StandardUniform,
        Self::LoopedUniform,
        Self::Batched,
    ];

    /// The name in files and menus.
    pub const fn name(self) -> &'static str {
        match self {
            Self::StandardStatic => "standard_static",
            Self::StandardUniform => "standard_uniform",
            Self::LoopedUniform => "looped_uniform",
            Self::Batched => "batched",
        }
    }
}

/// How windows' predictions are weighed against each other. Names are ComfyUI's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Fuse {
    /// 1, 2, … up to the middle and down again.
    #[default]
    Pyramid,
    /// A running mean weighed by the nearness to the window's middle.
    Relative,
    /// All alike.
    Flat,
    /// Ramps over the overlap, where the clip does not begin or end.
    OverlapLinear,
}

impl Fuse {
    /// All of them, in ComfyUI's order.
    pub const ALL: [Self; 4] = [
        Self::Pyramid,
        Self::Relative,
        Self::Flat,
        Self::OverlapLinear,
    ];

    /// The name in files and menus.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pyramid => "pyramid",
            Self::Relative => "relative",
            Self::Flat => "flat",
            Self::OverlapLinear => "overlap-linear",
        }
    }
}

impl std::str::FromStr for WindowSchedule {
    type Err = UnknownName;

    fn from_str(name: &str) -> Result<Self, UnknownName> {
        names::find(NameKind::WindowSchedule, name, &Self::ALL, Self::name)
    }
}

impl std::str::FromStr for Fuse {
    type Err = UnknownName;

    fn from_str(name: &str) -> Result<Self, UnknownName> {
        names::find(NameKind::FuseMethod, name, &Self::ALL, Self::name)
    }
}

/// The network as [`ContextWindows::denoise`] sees it: a window's frame numbers and its latent to the
/// prediction for it.
pub type WindowDenoiser<'a> = dyn FnMut(&[usize], &[f32]) -> Result<Vec<f32>, Stop> + 'a;

/// What a context windows node asks for, in latent frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ContextWindows {
    /// Frames of a window, at least 1.
    pub length: usize,
    /// Frames that neighbours share, below `length`.
    pub overlap: usize,
    /// Which windows.
    pub schedule: WindowSchedule,
    /// Of the uniform schedules: also windows of every second, fourth … frame, up to
    /// `2^(stride - 1)`, at least 1.
    pub stride: usize,
    /// Of the looped schedule: one window more, over the end.
    pub closed_loop: bool,
    /// How predictions are put together.
    pub fuse: Fuse,
}

/// Windows that cannot be laid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.sentence())]
pub enum WindowError {
    /// No frames, or none of their own.
    Overlap {
        /// Frames of a window.
        length: usize,
        /// Frames shared.
        overlap: usize,
    },
    /// `2^(stride - 1)` frames apart.
    Stride {
        /// As given.
        stride: usize,
    },
}

impl WindowError {
    /// The message in both languages.
    pub fn sentence(&self) -> Sentence {
        match self {
            Self::Overlap { length, overlap } => say!(
                "windows of {length} latent frames cannot overlap by {overlap}; the overlap must be smaller than the window, about a quarter of it",
                "潜在表現の {length} フレームのウィンドウを {overlap} フレーム重ねることはできません。重なりは\
                 ウィンドウより小さく、その四分の一ほどにしてください"
            ),
            Self::Stride { stride } => say!(
                "a stride of {stride} is not between 1 and 32",
                "ストライド {stride} は 1 から 32 までではありません"
            ),
        }
    }
}

impl ContextWindows {
    /// `WanContextWindowsManual`: lengths in frames of the film, of which Wan's latent has one for
    /// the first and one for every four more.
    pub fn wan(length: usize, overlap: usize) -> Self {
        // The node's (n - 1) // 4 + 1, which makes 0 of 0.
        let latent = |frames: usize| frames.div_ceil(4);
        Self {
            length: latent(length).max(1),
            overlap: latent(overlap),
            schedule: WindowSchedule::default(),
            stride: 1,
            closed_loop: false,
            fuse: Fuse::default(),
        }
    }

    /// Whether windows can be laid like this.
    ///
    /// # Errors
    /// [`WindowError`] names the input that is out of range.
    pub fn check(&self) -> Result<(), WindowError> {
        let Self {
            length,
            overlap,
            stride,
            ..
        } = *self;
        if overlap >= length {
            return Err(WindowError::Overlap { length, overlap });
        }
        if !(1..=32).contains(&stride) {
            return Err(WindowError::Stride { stride });
        }
        Ok(())
    }

    /// Whether a clip of so many latent frames needs windows at all.
    pub fn applies(&self, frames: usize) -> bool {
        frames > self.length
    }

    /// The windows of step number `step`, each a list of frame numbers below `frames`. Together they
    /// hold every frame. A looped window's numbers start again at 0 behind the last; a strided one
    /// may then hold a frame twice.
    ///
    /// # Errors
    /// As [`ContextWindows::check`].
    pub fn windows(&self, frames: usize, step: usize) -> Result<Vec<Vec<usize>>, WindowError> {
        self.check()?;
        Ok(schedule::windows(self, frames, step))
    }

    /// A weight above 0 for each frame of a window, of [`Fuse::Relative`] its bias.
    pub fn weights(&self, window: &[usize], frames: usize) -> Vec<f32> {
        fuse::weights(self, window, frames)
    }

    /// Denoises a long latent window by window and fuses the predictions.
    ///
    /// - `x`: `[channels, frames, height, width]`, row-major, one sample.
    /// - `step`: of the schedule; see [`step_at`].
    /// - `denoise`: given a window's frame numbers and its latent, `[channels, window, height,
    ///   width]`, returns the prediction for it, as long. Conditioning that runs along the clip is
    ///   cut alike, by [`take_frames`].
    ///
    /// A clip that fits in one window is denoised in one.
    ///
    /// # Errors
    /// What `denoise` returns; [`Stop::Invalid`] for windows that cannot be laid, an `x` that does
    /// not have the shape, and a prediction of another length.
    pub fn denoise(
        &self,
        x: &[f32],
        shape: [usize; 4],
        step: usize,
        denoise: &mut WindowDenoiser<'_>,
    ) -> Result<Vec<f32>, Stop> {
        let [_, frames, ..] = shape;
        if x.len() != shape.iter().product::<usize>() {
            return Err(Stop::Invalid(say!(
                "a latent of {} elements is not {shape:?}",
                "要素が {} 個の潜在表現は {shape:?} ではありません",
                x.len()
            )));
        }
        let windows = self.windows(frames, step);
        let windows = windows.map_err(|error| Stop::Invalid(error.sentence()))?;
        let mut sum = fuse::Sum::new(self.fuse, shape);
        for window in windows {
            let part = take_frames(x, shape, &window);
            let prediction = denoise(&window, &part)?;
            if prediction.len() != part.len() {
                return Err(Stop::Invalid(say!(
                    "a window of {} elements was given and {} came back",
                    "{} 個の要素のウィンドウを渡しましたが、{} 個が返りました",
                    part.len(),
                    prediction.len()
                )));
            }
            sum.add(&window, &prediction, &self.weights(&window, frames));
        }
        Ok(sum.finish())
    }
}

/// The frames `window` of a row-major `[channels, frames, height, width]`, in that order. Frame
/// numbers must be below `frames`.
pub fn take_frames(x: &[f32], shape: [usize; 4], window: &[usize]) -> Vec<f32> {
    let [channels, frames, height, width] = shape;
    let plane = height * width;
    let mut out = Vec::with_capacity(channels * window.len() * plane);
    for channel in x.chunks_exact((frames * plane).max(1)).take(channels) {
        for frame in window {
            out.extend_from_slice(&channel[frame * plane..][..plane]);
        }
    }
    out
}

/// The number of the step that starts at `sigma`, to a ten-thousandth
/// (`IndexListContextHandler.set_step`). Nothing for a sigma between steps, as solvers of several
/// stages ask for: the windows of the last step stay then.
pub fn step_at(sigmas: &[f32], sigma: f32) -> Option<usize> {
    let close = |it: &f32| (it - sigma).abs() <= 1e-8 + 1e-4 * sigma.abs();
    sigmas.iter().position(close)
}

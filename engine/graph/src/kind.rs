//! The types that travel over links, named as ComfyUI names them.

use std::fmt;

/// A socket's type: a name such as `LATENT`, a comma-separated set of names, or `*` for anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Kind(pub &'static str);

impl Kind {
    /// Frames, `[frames, height, width, channels]`, 0..1.
    pub const IMAGE: Self = Self::named("IMAGE");
    /// One channel of frames.
    pub const MASK: Self = Self::named("MASK");
    /// `[batch, channels, frames, height, width]` in the VAE's raw space.
    pub const LATENT: Self = Self::named("LATENT");
    /// A diffusion model with its settings.
    pub const MODEL: Self = Self::named("MODEL");
    /// A text encoder (ComfyUI's name for it).
    pub const CLIP: Self = Self::named("CLIP");
    /// A vision encoder.
    pub const CLIP_VISION: Self = Self::named("CLIP_VISION");
    /// What a vision encoder says of a picture.
    pub const CLIP_VISION_OUTPUT: Self = Self::named("CLIP_VISION_OUTPUT");
    /// A network that steers a diffusion model from beside it.
    pub const CONTROL_NET: Self = Self::named("CONTROL_NET");
    /// A video or image autoencoder.
    pub const VAE: Self = Self::named("VAE");
    /// Encoded text and what goes with it.
    pub const CONDITIONING: Self = Self::named("CONDITIONING");
    /// Frames with a frame rate.
    pub const VIDEO: Self = Self::named("VIDEO");
    /// Sound. Carried so that graphs keep it; nothing makes it yet.
    pub const AUDIO: Self = Self::named("AUDIO");
    /// Whole number.
    pub const INT: Self = Self::named("INT");
    /// Real number.
    pub const FLOAT: Self = Self::named("FLOAT");
    /// Text.
    pub const STRING: Self = Self::named("STRING");
    /// Truth value.
    pub const BOOLEAN: Self = Self::named("BOOLEAN");
    /// A curve through points, as ComfyUI's curve widget makes it.
    pub const CURVE: Self = Self::named("CURVE");
    /// A film's shot list.
    pub const STORYBOARD: Self = Self::named("STORYBOARD");
    /// People's joints over time.
    pub const POSE_KEYPOINT: Self = Self::named("POSE_KEYPOINT");
    /// Anything.
    pub const ANY: Self = Self::named("*");

    /// A kind with a fixed name.
    pub const fn named(name: &'static str) -> Self {
        Self(name)
    }

    /// The name as saved in files.
    pub fn as_str(&self) -> &'static str {
        self.0
    }

    /// Whether a value of kind `from` may be linked to a socket of this kind: the two sets of
    /// names meet, or one of them is `*` (ComfyUI's rule).
    pub fn accepts(&self, from: &Self) -> bool {
        accepts(self.0, from.0)
    }
}

/// Whether a value of kind `from` may be linked to a socket of kind `to`, by their names; see
/// [`Kind::accepts`].
pub fn accepts(to: &str, from: &str) -> bool {
    to == "*"
        || from == "*"
        || to
            .split(',')
            .any(|a| from.split(',').any(|b| a.trim() == b.trim()))
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

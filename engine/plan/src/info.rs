//! What is known of a value before it exists: sizes, rates, dimensions of weights, constants.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use longtake_graph::{ModelFolder, Sentence, Storyboard, say};
use serde_json::Value as Json;

/// Frames per second as a fraction in lowest terms (`24000/1001` stays exact).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fps {
    /// Numerator, above 0.
    pub num: u32,
    /// Denominator, above 0.
    pub den: u32,
}

/// Frames: an `IMAGE`, `MASK` or `VIDEO`. A still image has one frame and no rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClipInfo {
    /// Number of frames.
    pub frames: u64,
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
    /// 1, 3 or 4.
    pub channels: u8,
    /// Rate, where one is known.
    pub fps: Option<Fps>,
}

impl Fps {
    /// The fraction nearest to a rate written as a real number: `23.976` is 24000/1001, `29.97` is
    /// 30000/1001, whole rates are whole, and others are exact to a thousandth.
    ///
    /// `None` for rates that are not above 0 or beyond 100,000.
    pub fn from_f64(rate: f64) -> Option<Self> {
        if !rate.is_finite() || !(0.001..=100_000.0).contains(&rate) {
            return None;
        }
        let (num, den) = if (rate - rate.round()).abs() < 1e-6 {
            (rate.round() as u32, 1)
        } else if ((rate * 1.001).round() * 1000.0 / 1001.0 - rate).abs() < 0.005 {
            ((rate * 1.001).round() as u32 * 1000, 1001)
        } else {
            ((rate * 1000.0).round() as u32, 1000)
        };
        let mut divisor = (num, den);
        while divisor.1 != 0 {
            divisor = (divisor.1, divisor.0 % divisor.1);
        }
        Some(Self {
            num: num / divisor.0,
            den: den / divisor.0,
        })
    }

    /// The rate as a real number.
    pub fn as_f64(self) -> f64 {
        f64::from(self.num) / f64::from(self.den.max(1))
    }
}

impl ClipInfo {
    /// Bytes of one frame with 8 bits per channel.
    pub fn frame_bytes(&self) -> u64 {
        u64::from(self.width) * u64::from(self.height) * u64::from(self.channels)
    }

    /// Frames in one chunk: what the executor reads at once, so that a chunk of 8-bit frames stays
    /// under 24 MiB. Lazy costs are for this many frames.
    pub fn chunk_frames(&self) -> u64 {
        ((24 << 20) / self.frame_bytes().max(1)).clamp(1, 32)
    }
}

/// A latent `[batch, channels, frames, height, width]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LatentInfo {
    /// Independent samples.
    pub batch: u32,
    /// Latent channels (16 for the Wan 2.1 VAE).
    pub channels: u32,
    /// Latent frames.
    pub frames: u32,
    /// Latent rows.
    pub height: u32,
    /// Latent columns.
    pub width: u32,
}

impl LatentInfo {
    /// Number of values.
    pub fn elements(&self) -> u64 {
        [
            self.batch,
            self.channels,
            self.frames,
            self.height,
            self.width,
        ]
        .iter()
        .fold(1u64, |product, &n| product.saturating_mul(u64::from(n)))
    }
}

/// A checkpoint with the settings nodes have put on it. `MODEL`, `CLIP` and `VAE` sockets carry
/// this: it is known before anything runs, and the file is mapped only when a step needs it.
#[derive(Clone, Debug, PartialEq)]
pub struct WeightsInfo {
    /// Folder of the models tree.
    pub folder: ModelFolder,
    /// Name as in the graph.
    pub name: String,
    /// The file or folder found.
    pub path: PathBuf,
    /// Content hash of the file (hex); stands for it in signatures.
    pub fingerprint: String,
    /// Bytes when loaded on the device this plan is for.
    pub bytes: u64,
    /// Architecture (`wan-dit`, `wan-vae-2.1`, `umt5`).
    pub family: String,
    /// Dimensions read off the tensors (`dim`, `layers`, …).
    pub dims: BTreeMap<String, u64>,
    /// Settings: `shift`, `weight_dtype`, `type`, …
    pub options: BTreeMap<String, Json>,
}

/// Settings that change what is loaded. All others (`shift`, …) are read when a step runs, so
/// nodes that differ in them share one loaded checkpoint.
const LOADING: [&str; 3] = ["weight_dtype", "type", "loras"];

impl WeightsInfo {
    /// A dimension that its file tells.
    ///
    /// # Errors
    /// The file tells none of that name.
    pub fn dim(&self, name: &str) -> Result<usize, Sentence> {
        let size = self.dims.get(name).copied();
        size.and_then(|it| usize::try_from(it).ok()).ok_or_else(|| {
            say!(
                "{}: expected the size `{name}` of the model, and its file tells none; fetch the file \
                 again",
                "{}: モデルのサイズ「{name}」がファイルから分かりません。ファイルをもう一度入手してください。",
                self.name
            )
        })
    }

    /// Whether two checkpoints are one when loaded.
    pub fn loads_as(&self, other: &Self) -> bool {
        self.folder == other.folder
            && self.path == other.path
            && self.fingerprint == other.fingerprint
            && self.bytes == other.bytes
            && LOADING
                .iter()
                .all(|name| self.options.get(*name) == other.options.get(*name))
    }
}

/// What a conditioning carries beside its text, as ComfyUI's conditioning dictionaries do.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ExtrasInfo {
    /// Shapes of the arrays made with it, by name (`concat_latent`, `clip_vision`, …).
    pub arrays: BTreeMap<String, Vec<u32>>,
    /// Settings by name. They are literals of nodes, so all are known before the run.
    pub settings: BTreeMap<String, Json>,
    /// A control net that the sampler runs beside the model.
    pub control: Option<Arc<WeightsInfo>>,
}

impl ExtrasInfo {
    /// Bytes of all arrays, f32.
    pub fn bytes(&self) -> u64 {
        let of = |shape: &Vec<u32>| {
            let product = |all: u64, &n: &u32| all.saturating_mul(u64::from(n));
            shape.iter().fold(4, product)
        };
        self.arrays.values().map(of).fold(0, u64::saturating_add)
    }
}

/// What is known of a value.
#[derive(Clone, Debug, PartialEq)]
pub enum Info {
    /// Frames.
    Clip(ClipInfo),
    /// A latent.
    Latent(LatentInfo),
    /// Encoded text, rows × width, or what a vision encoder says of a picture; f32 on the host.
    Conditioning {
        tokens: u32,
        dim: u32,
        extras: Arc<ExtrasInfo>,
    },
    /// A checkpoint.
    Weights(Arc<WeightsInfo>),
    /// A constant (`INT`, `FLOAT`, `STRING`, `BOOLEAN`).
    Constant(Json),
    /// A shot list.
    Storyboard(Storyboard),
    /// An encoded piece of a film.
    Segment(ClipInfo),
    /// Nothing that a later node could use (an output node's end).
    Nothing,
}

impl Info {
    /// Encoded text alone.
    pub fn text(tokens: u32, dim: u32) -> Self {
        Self::Conditioning {
            tokens,
            dim,
            extras: Arc::default(),
        }
    }
}

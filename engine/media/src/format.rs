//! The picture format of a film: size, frame rate, codec and its settings.

use longtake_sentence::{Sentence, say};
use serde::{Deserialize, Serialize};

use crate::MediaError;

/// Counts up whenever the encoder settings in this crate change the bytes of a segment. Whoever stores segments
/// has it in what it files them under.
pub const SETTINGS: u32 = 2;

/// The largest CRF that `x264enc` takes. x264 itself goes to 51, but GStreamer keeps its default of 21 when its
/// property is given that.
const WORST_CRF: u8 = 50;

/// Frames between two key frames at most: exact seeks stay cheap (facts: gstreamer-egui §2).
const KEY_INTERVAL: u32 = 24;

/// Encoder threads. Fixed, because x264's decisions depend on the number, and the same frames must
/// give the same bytes on every machine.
const X264_THREADS: u32 = 8;

/// Size, rate and codec of a film and of each of its segments.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct VideoFormat {
    /// Pixels; even for H.264.
    pub width: u32,
    pub height: u32,
    /// Frames per second as a fraction: `(24, 1)`, `(24000, 1001)`.
    pub fps: (u32, u32),
    #[serde(default)]
    pub codec: Codec,
}

/// How frames are encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Codec {
    /// 8-bit 4:2:0 H.264 (x264), BT.709, no B-frames.
    H264 {
        /// Constant quality, 0 (4:2:0 without loss) to 50 (worst). 18 is visually transparent for most material.
        crf: u8,
        preset: Preset,
    },
    /// Lossless FFV1 version 3 in RGB: what comes out is what went in.
    Ffv1,
}

impl Default for Codec {
    fn default() -> Self {
        Self::H264 {
            crf: 18,
            preset: Preset::default(),
        }
    }
}

/// x264's speed against size, by x264's own names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Preset {
    Ultrafast,
    Superfast,
    #[default]
    Veryfast,
    Faster,
    Fast,
    Medium,
    Slow,
    Slower,
    Veryslow,
}

impl Preset {
    /// x264's name of the preset.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ultrafast => "ultrafast",
            Self::Superfast => "superfast",
            Self::Veryfast => "veryfast",
            Self::Faster => "faster",
            Self::Fast => "fast",
            Self::Medium => "medium",
            Self::Slow => "slow",
            Self::Slower => "slower",
            Self::Veryslow => "veryslow",
        }
    }
}

impl VideoFormat {
    /// H.264 with the default quality.
    pub fn h264(width: u32, height: u32, fps: (u32, u32)) -> Self {
        Self {
            width,
            height,
            fps,
            codec: Codec::default(),
        }
    }

    /// Lossless.
    pub fn ffv1(width: u32, height: u32, fps: (u32, u32)) -> Self {
        Self {
            width,
            height,
            fps,
            codec: Codec::Ffv1,
        }
    }

    /// A string that differs whenever the encoded bytes may differ; goes into signatures.
    pub fn id(&self) -> String {
        let Self {
            width,
            height,
            fps: (num, den),
            codec,
        } = self;
        let codec = match codec {
            Codec::H264 { crf, preset } => format!("h264 crf={crf} preset={}", preset.name()),
            Codec::Ffv1 => "ffv1".to_owned(),
        };
        format!("video/{SETTINGS} {codec} {width}x{height} {num}/{den}")
    }

    /// Bytes of one RGB24 frame.
    pub fn frame_bytes(&self) -> usize {
        self.width as usize * self.height as usize * 3
    }

    /// When frame `n` is shown, in nanoseconds from the start, rounded down.
    pub fn frame_time_ns(&self, n: u64) -> u64 {
        let (num, den) = self.fps;
        (n as u128 * 1_000_000_000 * den as u128 / (num.max(1)) as u128) as u64
    }

    /// # Errors
    /// [`MediaError::OddSize`] for H.264 with an odd side, [`MediaError::BadFormat`] for anything else no
    /// encoder takes.
    pub fn check(&self) -> Result<(), MediaError> {
        let Self {
            width,
            height,
            fps: (num, den),
            codec,
        } = *self;
        let bad = |what: Sentence| Err(MediaError::BadFormat(what));
        if !(4..=16384).contains(&width) || !(4..=16384).contains(&height) {
            return bad(say!(
                "size {width}×{height}; width and height go from 4 to 16384",
                "サイズ {width}×{height}。幅と高さは 4 から 16384 までです。"
            ));
        }
        // GStreamer holds fractions in signed 32-bit numbers; MP4's timescale is finite as well.
        if num == 0 || den == 0 || num > 1_000_000 || den > 1_000_000 || num / den > 1000 {
            return bad(say!(
                "frame rate {num}/{den}; give a fraction such as 24/1 or 24000/1001, at most 1000 frames a second",
                "フレームレート {num}/{den}。24/1 や 24000/1001 のような分数で、毎秒 1000 フレーム以下にしてください。"
            ));
        }
        if let Codec::H264 { crf, .. } = codec {
            if crf > WORST_CRF {
                return bad(say!(
                    "crf {crf}; it goes from 0 (lossless) to {WORST_CRF} (worst), 18 is usual",
                    "crf {crf}。0(可逆)から {WORST_CRF}(最低)までです。通常は 18 を指定します。"
                ));
            }
            if width % 2 != 0 || height % 2 != 0 {
                return Err(MediaError::OddSize {
                    width,
                    height,
                    even_width: width & !1,
                    even_height: height & !1,
                });
            }
        }
        Ok(())
    }

    /// The GStreamer text of what encodes pictures made by [`crate::picture`].
    ///
    /// H.264: no B-frames (decode order is display order, so joins need no time arithmetic), closed groups that
    /// open with an IDR frame, and one parameter set (`codec_data`) for all segments of the same format.
    /// Where a one-frame group meets the next segment's first frame, two IDR frames in a row may carry the same
    /// `idr_pic_id`, which H.264 §7.4.3 does not want; the delimiter before every frame keeps them apart.
    /// The BT.709 matrix is used at every size and always tagged, so that no player has to guess.
    ///
    /// No buffer (`vbv-buf-capacity=0`): `x264enc` otherwise takes its `bitrate`, 2,048 kbit/s unless told, for a
    /// ceiling on constant quality too, and rate control by a buffer depends on how far each thread has come.
    /// `cpu-independent`: x264's fast paths for some processors choose otherwise than its plain ones.
    pub(crate) fn encoder(&self) -> String {
        match self.codec {
            Codec::H264 { crf, preset } => format!(
                "x264enc pass=qual quantizer={crf} vbv-buf-capacity=0 speed-preset={} bframes=0 \
                   key-int-max={KEY_INTERVAL} threads={X264_THREADS} sliced-threads=false \
                   option-string=\"open-gop=0:scenecut=40:cpu-independent=1\" \
                 ! video/x-h264,stream-format=avc,alignment=au",
                preset.name()
            ),
            // Every frame stands alone (gop-size=1); more than one slice selects FFV1 version 3, whose slices
            // carry checksums and are encoded side by side without changing the bytes.
            Codec::Ffv1 => {
                let slices = if self.width * self.height >= 640 * 360 {
                    16
                } else {
                    4
                };
                format!(
                    "avenc_ffv1 gop-size=1 slices={slices} slicecrc=true thread-type=slice threads=auto"
                )
            }
        }
    }

    /// The GStreamer element that decodes it.
    pub(crate) fn decoder(&self) -> &'static str {
        match self.codec {
            Codec::H264 { .. } => "avdec_h264 max-threads=1",
            Codec::Ffv1 => "avdec_ffv1 max-threads=2",
        }
    }
}

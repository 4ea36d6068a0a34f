//! Mixing two frames, fading one, and easing.

use longtake_graph::say;
use longtake_run::{Frame, Pixels, RunError};

/// How a value goes from 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ease {
    /// Evenly.
    Linear,
    /// From rest: t².
    In,
    /// To rest: 1 − (1 − t)².
    Out,
    /// From rest to rest: 3t² − 2t³.
    InOut,
}

/// Names in files.
pub const EASES: &[&str] = &["linear", "ease-in", "ease-out", "ease-in-out"];

impl Ease {
    /// By its name in files.
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "linear" => Self::Linear,
            "ease-in" => Self::In,
            "ease-out" => Self::Out,
            "ease-in-out" => Self::InOut,
            _ => return None,
        })
    }

    /// Position at time `t`, both 0..1.
    pub fn at(self, t: f64) -> f64 {
        let t = t.clamp(0.0, 1.0);
        match self {
            Self::Linear => t,
            Self::In => t * t,
            Self::Out => t * (2.0 - t),
            Self::InOut => t * t * (3.0 - 2.0 * t),
        }
    }
}

/// `a` at 0, `b` at 1, a straight line between. Frames of one depth keep it; of two depths they
/// meet at 16 bits, or at floats when one holds floats.
///
/// # Errors
/// Sizes differ.
pub fn mix(a: &Frame, b: &Frame, t: f64) -> Result<Frame, RunError> {
    let size = |it: &Frame| (it.width, it.height, it.channels);
    if size(a) != size(b) {
        return Err(RunError::failed(say!(
            "blending frames: expected equal sizes (width, height, channels), got {:?} and {:?}; \
             scale one with ImageScale",
            "フレームを混ぜるには同じサイズ(幅、高さ、チャンネル)が必要ですが、{:?} と {:?} です。\
             ImageScale で大きさを合わせてください",
            size(a),
            size(b)
        )));
    }
    if t <= 0.0 {
        return Ok(a.clone());
    }
    if t >= 1.0 {
        return Ok(b.clone());
    }
    let pixels = match (&*a.pixels, &*b.pixels) {
        (Pixels::U8(x), Pixels::U8(y)) => Pixels::U8(mix_bytes(x, y, t)),
        (Pixels::F32(_), _) | (_, Pixels::F32(_)) => {
            let (x, y, t) = (a.to_f32(), b.to_f32(), t as f32);
            Pixels::F32(x.iter().zip(&y).map(|(x, y)| x + (y - x) * t).collect())
        }
        (Pixels::U8(_) | Pixels::U16(_), Pixels::U8(_) | Pixels::U16(_)) => {
            let (x, y, t) = (a.to_u16(), b.to_u16(), t as f32);
            let one = |(&x, &y): (&u16, &u16)| {
                let (x, y) = (f32::from(x), f32::from(y));
                (x + (y - x) * t + 0.5) as u16
            };
            Pixels::U16(x.iter().zip(&y).map(one).collect())
        }
    };
    Ok(Frame::new(a.width, a.height, a.channels, pixels))
}

/// Rounded to the nearest byte, in whole numbers.
fn mix_bytes(a: &[u8], b: &[u8], t: f64) -> Vec<u8> {
    let weight = (t * 65536.0).round() as u32;
    let rest = 65536 - weight;
    let one =
        |(&a, &b): (&u8, &u8)| ((u32::from(a) * rest + u32::from(b) * weight + 32768) >> 16) as u8;
    a.iter().zip(b).map(one).collect()
}

/// A frame at `level` of its brightness; 0 is black.
pub fn dim(frame: &Frame, level: f64) -> Frame {
    if level >= 1.0 {
        return frame.clone();
    }
    let level = level.max(0.0);
    let pixels = match &*frame.pixels {
        Pixels::U8(data) => Pixels::U8(mix_bytes(data, &vec![0; data.len()], 1.0 - level)),
        Pixels::U16(data) => {
            let level = level as f32;
            Pixels::U16(
                data.iter()
                    .map(|&v| (f32::from(v) * level + 0.5) as u16)
                    .collect(),
            )
        }
        Pixels::F32(data) => Pixels::F32(data.iter().map(|v| v * level as f32).collect()),
    };
    Frame::new(frame.width, frame.height, frame.channels, pixels)
}

/// Place of blended frame `index` of `count` between the two shots, 0..1 and neither end: the
/// frames beside a transition are the shots' own.
pub fn place(index: u64, count: u64) -> f64 {
    (index + 1) as f64 / (count + 1) as f64
}

/// Through black: down over the first half, up over the second.
///
/// # Errors
/// Sizes differ.
pub fn fade(a: &Frame, b: &Frame, t: f64) -> Result<Frame, RunError> {
    if t < 0.5 {
        Ok(dim(a, 1.0 - 2.0 * t))
    } else {
        Ok(dim(b, 2.0 * t - 1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(pixels: Pixels) -> Frame {
        Frame::new(2, 1, 1, pixels)
    }

    #[test]
    fn blends_are_rounded_and_keep_their_depth() {
        let (a, b) = (
            frame(Pixels::U8(vec![0, 200])),
            frame(Pixels::U8(vec![255, 100])),
        );
        assert_eq!(
            *mix(&a, &b, 0.5).unwrap().pixels,
            Pixels::U8(vec![128, 150])
        );
        assert_eq!(mix(&a, &b, 0.0).unwrap(), a);
        let deep = frame(Pixels::U16(vec![65535, 0]));
        assert_eq!(
            *mix(&a, &deep, 0.25).unwrap().pixels,
            Pixels::U16(vec![16384, 38550])
        );
        let float = frame(Pixels::F32(vec![1.5, -0.5]));
        assert_eq!(
            *mix(&float, &float, 0.3).unwrap().pixels,
            Pixels::F32(vec![1.5, -0.5])
        );
        assert!(mix(&a, &Frame::new(1, 1, 1, Pixels::U8(vec![0])), 0.5).is_err());
    }

    #[test]
    fn fades_are_black_in_the_middle() {
        let (a, b) = (
            frame(Pixels::U8(vec![255, 100])),
            frame(Pixels::U8(vec![50, 200])),
        );
        let at = |t| fade(&a, &b, t).unwrap().to_u8();
        assert_eq!(
            (at(0.25), at(0.5), at(0.75)),
            (vec![128, 50], vec![0, 0], vec![25, 100])
        );
        assert_eq!(
            (0..3).map(|i| place(i, 3)).collect::<Vec<_>>(),
            [0.25, 0.5, 0.75]
        );
    }

    #[test]
    fn eases_start_at_0_end_at_1_and_never_turn_back() {
        for name in EASES {
            let ease = Ease::named(name).unwrap();
            assert_eq!((ease.at(0.0), ease.at(1.0)), (0.0, 1.0), "{name}");
            let steps: Vec<f64> = (0..=100).map(|i| ease.at(f64::from(i) / 100.0)).collect();
            assert!(steps.windows(2).all(|pair| pair[0] < pair[1]), "{name}");
        }
    }
}

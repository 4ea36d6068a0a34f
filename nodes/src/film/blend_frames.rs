//! `BlendFrames`: another frame rate, by blending neighbouring frames.

use std::ops::Range;

use longtake_graph::declare::{float, output, socket};
use longtake_graph::{Declaration, Kind, say};
use longtake_plan::{ClipInfo, Fps, InferCx, InferError, Info};
use longtake_run::{Clip, Frame, FrameSource, RunCx, RunError, Value};

use super::recipe::floats_cost;
use crate::failure::{OrFail, no_frames};
use crate::picture::blend::mix;
use crate::{Node, rate};

const DECLARATION: Declaration = Declaration {
    class: "BlendFrames",
    title: "Blend frames",
    title_ja: "フレームブレンド",
    category: "film",
    category_ja: "映像",
    help: "Converts a clip to another frame rate. A new frame between two old ones is their mixture; times \
           are exact, so that nothing drifts.",
    help_ja: "クリップのフレームレートを変換します。新しいフレームは前後の 2 \
              枚を混ぜて作ります。時刻は正確で、ずれが積み重なりません。",
    inputs: &[
        socket("images", Kind::IMAGE).help("The clip", "クリップ"),
        float("fps", 16.0)
            .within_f(0.0, 1000.0)
            .step_f(0.001)
            .unit("fps")
            .help(
                "The clip's own rate; 0 takes what is known of it",
                "クリップ自身のフレームレート。0 なら分かっている値",
            ),
        float("target_fps", 24.0)
            .within_f(0.001, 1000.0)
            .step_f(0.001)
            .unit("fps")
            .help("The rate to make", "変換後のフレームレート"),
    ],
    outputs: &[output("IMAGE", Kind::IMAGE), output("fps", Kind::FLOAT)],
    ..Declaration::EMPTY
};

/// The node.
pub const NODE: Node = Node::lazy(&DECLARATION, infer, floats_cost, run);

fn rates(clip: ClipInfo, fps: f64, target: f64) -> Result<(Fps, Fps), InferError> {
    let from = if fps == 0.0 {
        let missing = || {
            say!(
                "the clip's rate is not known; write it here",
                "クリップのフレームレートが分かりません。ここに指定してください。"
            )
        };
        clip.fps
            .ok_or_else(|| InferError::at("fps_unknown", "fps", missing()))?
    } else {
        rate::from_float("fps", fps)?
    };
    Ok((from, rate::from_float("target_fps", target)?))
}

/// Old frames per new one, as an exact fraction.
#[derive(Clone, Copy, Debug)]
struct Ratio {
    num: u128,
    den: u128,
}

impl Ratio {
    fn new(from: Fps, to: Fps) -> Self {
        Self {
            num: u128::from(from.num) * u128::from(to.den),
            den: u128::from(from.den) * u128::from(to.num),
        }
    }

    /// New frames for as long a time as `frames` old ones, rounded to the nearest; at least one.
    fn frames(self, frames: u64) -> u64 {
        let doubled = 2 * u128::from(frames) * self.den + self.num;
        u64::try_from(doubled / (2 * self.num))
            .unwrap_or(u64::MAX)
            .max(1)
    }

    /// Old frame and the part of the way to the next, for a new frame.
    fn place(self, index: u64) -> (u64, f64) {
        let at = u128::from(index) * self.num;
        (
            (at / self.den) as u64,
            (at % self.den) as f64 / self.den as f64,
        )
    }
}

fn infer(cx: &InferCx<'_>) -> Result<Vec<Info>, InferError> {
    let clip = cx.clip("images")?;
    let (from, to) = rates(clip, cx.float("fps")?, cx.float("target_fps")?)?;
    let frames = Ratio::new(from, to).frames(clip.frames);
    let out = ClipInfo {
        frames,
        fps: Some(to),
        ..clip
    };
    Ok(vec![
        Info::Clip(out),
        Info::Constant(rate::to_float(to).into()),
    ])
}

fn run(cx: &mut RunCx<'_>) -> Result<Vec<Value>, RunError> {
    let clip = cx.clip("images")?;
    let (from, to) = rates(clip.info(), cx.float("fps")?, cx.float("target_fps")?).or_fail()?;
    let ratio = Ratio::new(from, to);
    let info = ClipInfo {
        frames: ratio.frames(clip.info().frames),
        fps: Some(to),
        ..clip.info()
    };
    let blended = Clip::new(Retimed { clip, info, ratio });
    Ok(vec![
        Value::Clip(blended),
        Value::Json(rate::to_float(to).into()),
    ])
}

struct Retimed {
    clip: Clip,
    info: ClipInfo,
    ratio: Ratio,
}

impl FrameSource for Retimed {
    fn info(&self) -> ClipInfo {
        self.info
    }

    fn read(&self, range: Range<u64>) -> Result<Vec<Frame>, RunError> {
        let last = self.clip.info().frames.saturating_sub(1);
        let first = self.ratio.place(range.start).0.min(last);
        let end = (self.ratio.place(range.end - 1).0 + 1).min(last) + 1;
        // A long stretch of a slow target spans many old frames: read them as they are needed.
        let mut held: Option<(u64, Vec<Frame>)> = None;
        let step = self.clip.chunk_len().max(2);
        range
            .map(|index| {
                let (at, part) = self.ratio.place(index);
                let (a, b) = (at.min(last), (at + 1).min(last));
                let inside =
                    |held: &(u64, Vec<Frame>)| held.0 <= a && b < held.0 + held.1.len() as u64;
                if !held.as_ref().is_some_and(inside) {
                    let start = a.max(first);
                    held = Some((start, self.clip.read(start..(start + step).min(end))?));
                }
                let Some((start, frames)) = &held else {
                    return Err(no_frames("images"));
                };
                mix(
                    &frames[(a - start) as usize],
                    &frames[(b - start) as usize],
                    part,
                )
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::recipe::tests::samples;
    use super::*;
    use longtake_run::Pixels;

    fn rate_of(fps: f64) -> Fps {
        rate::from_float("fps", fps).unwrap()
    }

    fn retime(frames: u8, from: f64, to: f64) -> Clip {
        let frame = |i: u8| Frame::new(2, 1, 1, Pixels::U8(vec![i * 10; 2]));
        let clip = Clip::from_frames((0..frames).map(frame).collect());
        let ratio = Ratio::new(rate_of(from), rate_of(to));
        let info = ClipInfo {
            frames: ratio.frames(frames.into()),
            ..clip.info()
        };
        Clip::new(Retimed { clip, info, ratio })
    }

    #[test]
    fn rates_go_up_and_down() {
        assert_eq!(
            samples(&retime(4, 12.0, 24.0)),
            [0, 5, 10, 15, 20, 25, 30, 30]
        );
        assert_eq!(samples(&retime(4, 16.0, 24.0)), [0, 7, 13, 20, 27, 30]);
        assert_eq!(samples(&retime(8, 24.0, 12.0)), [0, 20, 40, 60]);
        assert_eq!(samples(&retime(5, 24.0, 24.0)), [0, 10, 20, 30, 40]);
        let clip = retime(20, 60.0, 24.0);
        assert_eq!(clip.read(3..6).unwrap(), clip.read(0..8).unwrap()[3..6]);
    }

    #[test]
    fn ten_minutes_do_not_drift() {
        let ratio = Ratio::new(rate_of(24.0), rate_of(23.976));
        assert_eq!(ratio.frames(14_400), 14_386);
        assert_eq!(ratio.place(14_385).0, 14_399);
    }
}

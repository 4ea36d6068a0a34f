//! `ColourCurve`: tones changed by a curve, as photo editors do.

use std::sync::{Arc, OnceLock};

use longtake_graph::declare::{choice, curve, output, socket};
use longtake_graph::{Curve, Declaration, Kind};
use longtake_plan::{InferCx, InferError, Info, Role};
use longtake_run::{Frame, Pixels, RunCx, RunError, Value};

use crate::Node;
use crate::failure::{OrFail, at_input, not_one_of};
use crate::film::recipe::{floats_cost, map};

/// What the curve is laid on; but for the first, in the order of a pixel's samples.
const CHANNELS: &[&str] = &["all", "red", "green", "blue"];

const DECLARATION: Declaration = Declaration {
    class: "ColourCurve",
    title: "Tone curve",
    title_ja: "トーンカーブ",
    category: "image/colour",
    category_ja: "画像/色",
    help: "Changes tones by a curve: what was as bright as x becomes as bright as y. Alpha stays.",
    help_ja: "カーブで階調を変えます。明るさ x だった所が明るさ y になります。\
              アルファはそのままです。",
    inputs: &[
        socket("image", Kind::IMAGE).help("The frames", "フレーム"),
        curve("curve", &[[0.0, 0.0], [1.0, 1.0]]).help(
            "Points from dark to bright; the curve between them never overshoots",
            "暗い側から明るい側への点。間のカーブは行き過ぎません。",
        ),
        choice("channel", "all", CHANNELS)
            .help("The colour that the curve is laid on", "カーブを掛ける色"),
    ],
    outputs: &[output("IMAGE", Kind::IMAGE)],
    ..Declaration::EMPTY
};

/// The node.
pub const NODE: Node =
    Node::lazy(&DECLARATION, infer, floats_cost, run).role(Role::FrameLocal { input: "image" });

fn infer(cx: &InferCx<'_>) -> Result<Vec<Info>, InferError> {
    Ok(vec![Info::Clip(cx.clip("image")?)])
}

fn run(cx: &mut RunCx<'_>) -> Result<Vec<Value>, RunError> {
    let clip = cx.clip("image")?;
    let literal = cx.json("curve").unwrap_or(&serde_json::Value::Null);
    let curve = Curve::parse(literal).map_err(|why| at_input("curve", &why))?;
    let name = cx.text("channel")?;
    let channel = CHANNELS.iter().position(|it| *it == name);
    let channel = channel
        .ok_or_else(|| not_one_of("channel", CHANNELS, name))
        .or_fail()?;
    let tones = Arc::new(Tones::new(curve, channel.checked_sub(1)));
    let info = clip.info();
    Ok(vec![Value::Clip(map(clip, info, move |frame| {
        Ok(tones.change(&frame))
    }))])
}

/// A curve, with its values for every whole sample.
struct Tones {
    curve: Curve,
    /// The one channel changed; `None`: all but alpha.
    only: Option<usize>,
    bytes: OnceLock<Vec<u8>>,
    words: OnceLock<Vec<u16>>,
}

impl Tones {
    fn new(curve: Curve, only: Option<usize>) -> Self {
        Self {
            curve,
            only,
            bytes: OnceLock::new(),
            words: OnceLock::new(),
        }
    }

    fn change(&self, frame: &Frame) -> Frame {
        let channels = usize::from(frame.channels);
        let pixels = match &*frame.pixels {
            Pixels::U8(data) => {
                let table = self
                    .bytes
                    .get_or_init(|| self.table(u8::MAX.into(), |it| it as u8));
                Pixels::U8(self.each(data, channels, |it| table[usize::from(it)]))
            }
            Pixels::U16(data) => {
                let table = self
                    .words
                    .get_or_init(|| self.table(u16::MAX, |it| it as u16));
                Pixels::U16(self.each(data, channels, |it| table[usize::from(it)]))
            }
            Pixels::F32(data) => {
                let tone = |it| self.curve.at(f64::from(it)) as f32;
                Pixels::F32(self.each(data, channels, tone))
            }
        };
        Frame::new(frame.width, frame.height, frame.channels, pixels)
    }

    /// The curve at every whole sample up to `most`, rounded.
    fn table<T>(&self, most: u16, sample: fn(f64) -> T) -> Vec<T> {
        let scale = f64::from(most);
        let tone = |at: u16| sample((self.curve.at(f64::from(at) / scale) * scale).round());
        (0..=most).map(tone).collect()
    }

    fn each<T: Copy>(&self, data: &[T], channels: usize, tone: impl Fn(T) -> T) -> Vec<T> {
        let alpha = |at: usize| matches!(channels, 2 | 4) && at + 1 == channels;
        let changed = |at: usize| {
            self.only
                .map_or(!alpha(at), |only| at == only && !alpha(at))
        };
        let mut out = data.to_vec();
        for channel in (0..channels).filter(|at| changed(*at)) {
            for sample in out.iter_mut().skip(channel).step_by(channels) {
                *sample = tone(*sample);
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn changed(points: serde_json::Value, only: Option<usize>, frame: &Frame) -> Pixels {
        let curve = Curve::parse(&points).unwrap();
        (*Tones::new(curve, only).change(frame).pixels).clone()
    }

    fn pixels(channels: u8, pixels: Pixels) -> Frame {
        Frame::new(1, 1, channels, pixels)
    }

    #[test]
    fn tones_are_changed_in_every_format_and_alpha_is_not() {
        let down = || json!([[0, 1], [1, 0]]);
        let rgba = pixels(4, Pixels::U8(vec![0, 100, 255, 7]));
        for (only, wanted) in [
            (None, [255, 155, 0, 7]),
            (Some(0), [255, 100, 255, 7]),
            (Some(2), [0, 100, 0, 7]),
        ] {
            assert_eq!(changed(down(), only, &rgba), Pixels::U8(wanted.to_vec()));
        }
        let words = pixels(3, Pixels::U16(vec![0, 1000, 65535]));
        assert_eq!(
            changed(down(), Some(1), &words),
            Pixels::U16(vec![0, 64535, 65535])
        );
        // Brighter than white and darker than black are held at the ends.
        let floats = pixels(3, Pixels::F32(vec![-0.5, 0.25, 1.5]));
        assert_eq!(
            changed(down(), None, &floats),
            Pixels::F32(vec![1.0, 0.75, 0.0])
        );
        let grey = pixels(1, Pixels::U8(vec![3]));
        assert_eq!(changed(down(), Some(1), &grey), Pixels::U8(vec![3]));
    }

    #[test]
    fn a_straight_curve_changes_nothing() {
        let all: Vec<u8> = (0..=255).collect();
        let frame = Frame::new(256, 1, 1, Pixels::U8(all.clone()));
        let line = json!([[0, 0], [0.2, 0.2], [0.7, 0.7], [1, 1]]);
        assert_eq!(changed(line, None, &frame), Pixels::U8(all));
    }
}

//! `Transition`: one clip gives way to another by a cut, a fade through black or a dissolve.

use std::ops::Range;

use longtake_graph::declare::{boolean, choice, int, output, socket};
use longtake_graph::{Declaration, Kind, say};
use longtake_plan::{ClipInfo, InferCx, InferError, Info};
use longtake_run::{Clip, Frame, FrameSource, RunCx, RunError, Value};

use super::recipe::{Part, floats_cost, join, same_size};
use crate::Node;
use crate::failure::OrFail;
use crate::picture::blend;

const DECLARATION: Declaration = Declaration {
    class: "Transition",
    title: "Transition",
    title_ja: "トランジション",
    category: "film",
    category_ja: "映像",
    help: "Puts one clip behind another. During a fade or dissolve the two share `frames` frames, so the \
           result is that much shorter.",
    help_ja: "クリップをもう 1 つのクリップにつなぎます。フェードとディゾルブの間は両者が \
              `frames` フレームを共有するので、その分だけ短くなります。",
    inputs: &[
        socket("a", Kind::IMAGE).help("The first clip", "最初のクリップ"),
        socket("b", Kind::IMAGE).help("The second clip", "2 番目のクリップ"),
        choice("kind", "dissolve", &["cut", "fade", "dissolve"]).help(
            "At once, through black, or one melting into the other",
            "すぐに切り替える、黒を挟む、溶け合わせる",
        ),
        int("frames", 12)
            .within(0, 100_000)
            .unit("frames")
            .help("Length; a cut has none", "長さ。カットにはありません。"),
        boolean("join", false).help(
            "Only the shared frames, without the rest of both clips",
            "両方のクリップの残りを除き、重なるフレームだけにします。",
        ),
    ],
    outputs: &[output("IMAGE", Kind::IMAGE)],
    ..Declaration::EMPTY
};

/// The node.
pub const NODE: Node = Node::lazy(&DECLARATION, infer, floats_cost, run);

/// Frames shared by the two clips.
fn shared(kind: &str, frames: i64) -> u64 {
    if kind == "cut" {
        0
    } else {
        frames.max(0) as u64
    }
}

fn out_frames(a: ClipInfo, b: ClipInfo, shared: u64, join: bool) -> Result<u64, InferError> {
    same_size("b", a, b, &say!("the second clip", "2 番目のクリップ"))?;
    for (name, clip) in [("a", a), ("b", b)] {
        if shared > clip.frames {
            let message = say!(
                "the transition takes {shared} frames, and clip `{name}` has {}; make it shorter",
                "トランジションは {shared} フレームですが、クリップ「{name}」は {} フレームです。短くしてください。",
                clip.frames
            );
            return Err(InferError::at("transition_too_long", name, message));
        }
    }
    if join && shared == 0 {
        let message = say!(
            "`join` asks for the shared frames only, and there are none; raise `frames`",
            "「join」は重なるフレームだけを求めますが、重なりがありません。「frames」を増やしてください。"
        );
        return Err(InferError::at("transition_empty", "frames", message));
    }
    Ok(if join {
        shared
    } else {
        a.frames.saturating_add(b.frames) - shared
    })
}

fn infer(cx: &InferCx<'_>) -> Result<Vec<Info>, InferError> {
    let (a, b) = (cx.clip("a")?, cx.clip("b")?);
    let shared = shared(cx.text("kind")?, cx.int("frames")?);
    let frames = out_frames(a, b, shared, cx.boolean("join")?)?;
    Ok(vec![Info::Clip(ClipInfo { frames, ..a })])
}

fn run(cx: &mut RunCx<'_>) -> Result<Vec<Value>, RunError> {
    let (a, b) = (cx.clip("a")?, cx.clip("b")?);
    let shared = shared(cx.text("kind")?, cx.int("frames")?);
    let fade = cx.text("kind")? == "fade";
    build(a, b, shared, fade, cx.boolean("join")?).map(|clip| vec![Value::Clip(clip)])
}

fn build(a: Clip, b: Clip, shared: u64, fade: bool, only_join: bool) -> Result<Clip, RunError> {
    let (ia, ib) = (a.info(), b.info());
    let frames = out_frames(ia, ib, shared, only_join).or_fail()?;
    let start = ia.frames - shared;
    let blended = Clip::new(Blended {
        a: a.clone(),
        b: b.clone(),
        start,
        shared,
        fade,
    });
    if only_join {
        return Ok(blended);
    }
    let parts = vec![
        Part {
            clip: a,
            range: 0..start,
        },
        Part::whole(blended),
        Part {
            clip: b,
            range: shared..ib.frames,
        },
    ];
    Ok(join(ClipInfo { frames, ..ia }, parts))
}

struct Blended {
    a: Clip,
    b: Clip,
    /// First shared frame of `a`.
    start: u64,
    shared: u64,
    fade: bool,
}

impl FrameSource for Blended {
    fn info(&self) -> ClipInfo {
        ClipInfo {
            frames: self.shared,
            ..self.a.info()
        }
    }

    fn read(&self, range: Range<u64>) -> Result<Vec<Frame>, RunError> {
        let a = self
            .a
            .read(self.start + range.start..self.start + range.end)?;
        let b = self.b.read(range.clone())?;
        let mix = if self.fade { blend::fade } else { blend::mix };
        let places = range.map(|index| blend::place(index, self.shared));
        a.iter()
            .zip(&b)
            .zip(places)
            .map(|((a, b), t)| mix(a, b, t))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::recipe::tests::{counting, samples};
    use super::*;
    use crate::failure::says;

    #[test]
    fn clips_are_joined_and_the_join_alone_is_its_middle() {
        let (a, b) = (counting(0, 6), counting(100, 5));
        let build = |shared, fade, join| build(a.clone(), b.clone(), shared, fade, join);
        assert_eq!(
            samples(&build(0, false, false).unwrap()),
            [0, 1, 2, 3, 4, 5, 100, 101, 102, 103, 104]
        );
        let whole = samples(&build(3, false, false).unwrap());
        assert_eq!(whole, [0, 1, 2, 27, 53, 78, 103, 104]);
        assert_eq!(samples(&build(3, false, true).unwrap()), whole[3..6]);
        assert_eq!(samples(&build(3, true, true).unwrap()), [2, 0, 51]);
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let (a, b) = (counting(0, 6), counting(100, 5));
        let message = |shared, join| {
            build(a.clone(), b.clone(), shared, false, join)
                .unwrap_err()
                .message
        };
        says(&message(6, false), "clip `b` has 5");
        says(&message(0, true), "there are none");
        let wide = Clip::from_frames(vec![Frame::new(
            4,
            1,
            1,
            longtake_run::Pixels::U8(vec![0; 4]),
        )]);
        let error = build(a.clone(), wide, 0, false, false).unwrap_err();
        says(&error.message, "4×1");
    }
}

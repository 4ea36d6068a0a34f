//! `CameraMove`: a virtual camera pans or zooms over a picture or clip.

use std::ops::Range;

use longtake_graph::declare::{choice, float, int, output, socket, text};
use longtake_graph::{Declaration, Kind, say};
use longtake_plan::{ClipInfo, InferCx, InferError, Info};
use longtake_run::{Clip, Frame, FrameSource, RunCx, RunError, Value};

use super::recipe::bytes_cost;
use super::title_card::unknown;
use crate::Node;
use crate::failure::no_frames;
use crate::picture::blend::{EASES, Ease};
use crate::picture::camera::{MOVES, Move, shoot};

const DECLARATION: Declaration = Declaration {
    class: "CameraMove",
    title: "Camera move",
    title_ja: "カメラワーク",
    category: "film/animatic",
    category_ja: "映像/アニマティック",
    help: "Moves over a picture or clip, at exact sub-pixel positions. A source larger than the output \
           (a TitleCard with overscan) stays sharp all the way.",
    help_ja: "画像やクリップの上を、サブピクセル単位の正確な位置で動きます。\
              出力より大きい素材(オーバースキャン付きの TitleCard など)なら、最後まで鮮明です。",
    inputs: &[
        socket("image", Kind::IMAGE).help(
            "What the camera looks at; its last frame is held when it is too short",
            "カメラに映すもの。短い場合は最後のフレームを保ちます。",
        ),
        choice("move", "zoom-in", MOVES).help(
            "The move; pans go in the direction that the camera turns",
            "動き。pan はカメラが向く方向に進みます。",
        ),
        float("amount", 0.1).within_f(0.0, 4.0).help(
            "How much smaller the close view is: 0.1 shows 1/1.1 of the picture",
            "寄りの画面をどれだけ狭くするか。0.1 なら画像の 1/1.1 を映します。",
        ),
        choice("ease", "ease-in-out", EASES)
            .help("How the move starts and ends", "動きの始まり方と終わり方"),
        int("frames", 0).within(0, 10_000_000).unit("frames").help(
            "Length; 0 is as long as the input",
            "長さ。0 なら入力と同じ",
        ),
        int("width", 0).within(0, 16384).unit("px").help(
            "Width of the output; 0 keeps the input's",
            "出力の幅。0 なら入力と同じ",
        ),
        int("height", 0).within(0, 16384).unit("px").help(
            "Height of the output; 0 keeps the input's",
            "出力の高さ。0 なら入力と同じ",
        ),
        text("camera", "").optional().help(
            "Name of a move from a shot list; wins over `move`. Unknown names hold still",
            "ショットリストの動きの名前。`move` より優先されます。\
                 知らない名前なら動きません。",
        ),
    ],
    outputs: &[output("IMAGE", Kind::IMAGE)],
    ..Declaration::EMPTY
};

/// The node.
pub const NODE: Node = Node::lazy(&DECLARATION, infer, bytes_cost, run);

fn shape(clip: ClipInfo, frames: i64, width: i64, height: i64) -> ClipInfo {
    let side = |asked: i64, own: u32| {
        if asked > 0 {
            asked.min(16384) as u32
        } else {
            own
        }
    };
    ClipInfo {
        frames: if frames > 0 {
            frames as u64
        } else {
            clip.frames
        },
        width: side(width, clip.width),
        height: side(height, clip.height),
        ..clip
    }
}

fn infer(cx: &InferCx<'_>) -> Result<Vec<Info>, InferError> {
    let clip = cx.clip("image")?;
    let info = shape(clip, cx.int("frames")?, cx.int("width")?, cx.int("height")?);
    Ok(vec![Info::Clip(info)])
}

fn run(cx: &mut RunCx<'_>) -> Result<Vec<Value>, RunError> {
    let clip = cx.clip("image")?;
    let info = shape(
        clip.info(),
        cx.int("frames")?,
        cx.int("width")?,
        cx.int("height")?,
    );
    let (named, camera, ease) = (cx.text("move")?, cx.text("camera")?, cx.text("ease")?);
    let way = if camera.trim().is_empty() {
        Move::named(named).ok_or_else(|| unknown("move", MOVES, named))?
    } else {
        Move::named(camera).unwrap_or(Move::STILL)
    };
    let told = camera.trim();
    let unheard = (!told.is_empty() && Move::named(told).is_none()).then(|| {
        say!(
            "`{told}` is no move that CameraMove knows, so the picture holds still; it knows {}",
            "「{told}」は CameraMove の知らない動きのため、画面は動きません。使える動きは {} です",
            MOVES.join(", ")
        )
    });
    let ease = Ease::named(ease).ok_or_else(|| unknown("ease", EASES, ease))?;
    let amount = cx.float("amount")?;
    if let Some(why) = unheard {
        cx.note(why);
    }
    if clip.info().frames == 0 {
        return Err(no_frames("image"));
    }
    Ok(vec![Value::Clip(Clip::new(Shot {
        clip,
        info,
        way,
        ease,
        amount,
    }))])
}

struct Shot {
    clip: Clip,
    info: ClipInfo,
    way: Move,
    ease: Ease,
    amount: f64,
}

impl FrameSource for Shot {
    fn info(&self) -> ClipInfo {
        self.info
    }

    fn read(&self, range: Range<u64>) -> Result<Vec<Frame>, RunError> {
        let last = self.clip.info().frames - 1;
        let from = range.start.min(last);
        let sources = self.clip.read(from..(range.end - 1).min(last) + 1)?;
        let mut done: Option<(Frame, Frame)> = None;
        range
            .map(|index| {
                let source = &sources[(index.min(last) - from) as usize];
                // A still camera over one picture makes one frame, shared.
                if self.way.is_still()
                    && let Some((seen, made)) = &done
                    && std::sync::Arc::ptr_eq(&seen.pixels, &source.pixels)
                {
                    return Ok(made.clone());
                }
                let made = self.frame(index, source);
                done = Some((source.clone(), made.clone()));
                Ok(made)
            })
            .collect()
    }
}

impl Shot {
    fn frame(&self, index: u64, source: &Frame) -> Frame {
        let steps = (self.info.frames - 1).max(1) as f64;
        let t = self.ease.at(index as f64 / steps);
        let size = (self.info.width, self.info.height);
        let window = self
            .way
            .window(t, self.amount, (source.width, source.height), size);
        shoot(source, window, size)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use longtake_run::Pixels;

    #[test]
    fn any_stretch_of_a_move_is_the_same_and_stills_share_one_frame() {
        let data = (0..64 * 36 * 3).map(|i| (i * 7 % 251) as u8).collect();
        let clip = Clip::from_frames(vec![Frame::new(64, 36, 3, Pixels::U8(data))]);
        let info = shape(clip.info(), 9, 48, 27);
        let shot = |name: &str| {
            let way = Move::named(name).unwrap();
            Clip::new(Shot {
                clip: clip.clone(),
                info,
                way,
                ease: Ease::InOut,
                amount: 0.2,
            })
        };
        let (moving, still) = (shot("push-in-left"), shot("still"));
        let whole = moving.read(0..9).unwrap();
        assert_eq!(moving.read(3..6).unwrap(), whole[3..6]);
        assert_ne!(whole[3], whole[4]);
        assert_eq!((whole[0].width, whole[0].height), (48, 27));
        let still = still.read(0..9).unwrap();
        assert!(std::sync::Arc::ptr_eq(&still[0].pixels, &still[8].pixels));
    }
}

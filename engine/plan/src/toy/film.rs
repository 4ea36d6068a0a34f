//! Toy film nodes, and the classes that only the compiler makes steps of.

use longtake_graph::declare::{self, int, output, socket, text};
use longtake_graph::{Declaration, Kind, Place, say};

use super::{CHUNK, Infer, MIB, run, rung, spec};
use crate::{
    ClipInfo, Fps, InferCx, InferError, Info, Keep, Lane, NodeSpec, Role, Signature, Work,
};

/// Storyboard, shots, film, video file.
pub(super) fn film() -> Vec<NodeSpec> {
    let board = decl!(
        "Storyboard",
        [
            text("title", ""),
            int("width", 64).within(16, 8192),
            int("height", 64).within(16, 8192),
            declare::float("fps", 24.0).within_f(0.1, 240.0),
            declare::shots("shots"),
        ],
        [output("STORYBOARD", Kind::STORYBOARD)]
    );
    let each = decl!(
        "EachShot",
        [
            socket("storyboard", Kind::STORYBOARD),
            socket("first_frame", Kind::IMAGE).optional()
        ],
        [
            output("prompt", Kind::STRING),
            output("seed", Kind::INT),
            output("frames", Kind::INT),
            output("length", Kind::INT),
            output("width", Kind::INT),
            output("height", Kind::INT),
            output("previous_frame", Kind::IMAGE),
            output("image", Kind::STRING),
        ]
    );
    let collect = decl!(
        "CollectFilm",
        [
            socket("storyboard", Kind::STORYBOARD),
            socket("clip", Kind::IMAGE)
        ],
        [output("IMAGE", Kind::IMAGE)]
    );
    let save = decl!(
        "SaveVideo",
        [socket("images", Kind::IMAGE), text("prefix", "film"), int("quality", 20).within(0, 51)],
        [],
        output_node: true
    );
    let none: Infer = |_| Ok(Vec::new());
    let mut specs = vec![
        spec(board, Work::Constant, infer_board),
        spec(each, Work::Constant, none),
        spec(collect, Work::Constant, none),
        spec(
            save,
            run(Lane::Cpu, Keep::Output, |_| {
                vec![rung("copy", 0, 8 * MIB, 0.0, 0.2)]
            }),
            none,
        ),
    ];
    specs[1].role = Role::EachShot;
    specs[2].role = Role::CollectFilm;
    specs[3].role = Role::Assemble {
        encode: "EncodeSegment",
        input: "images",
        list: "segments",
        strip: &["prefix"],
    };
    specs
}

fn infer_board(cx: &InferCx<'_>) -> Result<Vec<Info>, InferError> {
    let fps = Fps::from_f64(cx.float("fps")?)
        .ok_or_else(|| InferError::at("bad_fps", "fps", say!("bad rate", "不正なレート")))?;
    let size = (cx.int("width")? as u32, cx.int("height")? as u32);
    let shots = cx.json("shots").cloned().unwrap_or_default();
    let board = longtake_graph::storyboard(
        &Place::default(),
        &shots,
        cx.text("title")?,
        size,
        (fps.num, fps.den),
    );
    let board =
        board.map_err(|found| InferError::at("bad_shots", "shots", found[0].message.clone()))?;
    Ok(vec![Info::Storyboard(board)])
}

/// Classes that only the compiler makes steps of.
pub(super) fn steps() -> Vec<NodeSpec> {
    let lazy = Work::Lazy { cost: |_| CHUNK };
    let body = decl!(
        "ShotBody",
        [socket("clip", Kind::IMAGE), int("trim_start", 0), int("trim_end", 0)],
        [output("IMAGE", Kind::IMAGE)],
        internal: true
    );
    let join = decl!(
        "Transition",
        [
            socket("a", Kind::IMAGE),
            socket("b", Kind::IMAGE),
            declare::choice("kind", "cut", &["cut", "fade", "dissolve"]),
            int("frames", 0),
            declare::boolean("join", false),
        ],
        [output("IMAGE", Kind::IMAGE)]
    );
    let encode = decl!(
        "EncodeSegment",
        [socket("images", Kind::IMAGE), int("quality", 20)],
        [output("SEGMENT", Kind::named("SEGMENT"))],
        internal: true
    );
    vec![
        spec(
            decl!("LastFrame", [socket("clip", Kind::IMAGE)], [output("IMAGE", Kind::IMAGE)], internal: true),
            run(Lane::Cpu, Keep::Memory, |_| {
                vec![rung("whole", 0, MIB, 0.0, 0.01)]
            }),
            |cx| {
                Ok(vec![Info::Clip(ClipInfo {
                    frames: 1,
                    ..cx.clip("clip")?
                })])
            },
        ),
        spec(
            decl!("StoredClip", [text("signature", "")], [output("IMAGE", Kind::IMAGE)], internal: true),
            lazy,
            |cx| {
                let stored =
                    Signature::from_hex(cx.text("signature")?).and_then(|it| cx.facts.stored(&it));
                let info = stored.and_then(|it| it.info);
                info.map(|info| vec![info]).ok_or_else(|| {
                    InferError::at(
                        "pinned_missing",
                        "signature",
                        say!("not stored", "保存されていません"),
                    )
                })
            },
        ),
        spec(body, lazy, |cx| {
            let clip = cx.clip("clip")?;
            let frames = clip.frames - cx.int("trim_start")? as u64 - cx.int("trim_end")? as u64;
            Ok(vec![Info::Clip(ClipInfo { frames, ..clip })])
        }),
        spec(join, lazy, |cx| {
            Ok(vec![Info::Clip(ClipInfo {
                frames: cx.int("frames")? as u64,
                ..cx.clip("a")?
            })])
        }),
        spec(
            decl!("ConcatClips", [socket("clips", Kind::IMAGE)], [output("IMAGE", Kind::IMAGE)], internal: true),
            lazy,
            |cx| {
                let clips: Vec<ClipInfo> = cx
                    .list("clips")
                    .iter()
                    .filter_map(|it| {
                        if let Info::Clip(clip) = it {
                            Some(*clip)
                        } else {
                            None
                        }
                    })
                    .collect();
                let frames = clips.iter().map(|clip| clip.frames).sum();
                Ok(vec![Info::Clip(ClipInfo { frames, ..clips[0] })])
            },
        ),
        spec(
            encode,
            run(Lane::Cpu, Keep::Store, |_| {
                vec![rung("h264", 0, 64 * MIB, 0.0, 0.5)]
            }),
            |cx| Ok(vec![Info::Segment(cx.clip("images")?)]),
        ),
    ]
}

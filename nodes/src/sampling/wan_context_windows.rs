//! `WanContextWindowsManual`: samples a long clip in overlapping windows of frames.

use std::sync::Arc;

use longtake_graph::declare::{boolean, choice, int, output, socket};
use longtake_graph::{Declaration, Kind};
use longtake_plan::{InferCx, InferError, Info};
use longtake_sampling::UnknownName;
use longtake_sampling::windows::{ContextWindows, Fuse, WindowError, WindowSchedule};

use super::names::names_of;
use super::settings::{WINDOWS, Windows};
use crate::Node;

const DECLARATION: Declaration = Declaration {
    class: "WanContextWindowsManual",
    title: "Wan context windows",
    title_ja: "Wan コンテキストウィンドウ",
    category: "advanced/model",
    category_ja: "詳細/モデル",
    help: "Every step sees the clip in windows that overlap, and blends what it makes of them. Memory \
           on the device is that of one window, however long the clip.",
    help_ja: "各ステップでクリップを重なり合うウィンドウに分けて見て、結果を混ぜ合わせます。\
              どんなに長いクリップでも、デバイスメモリは 1 ウィンドウ分です。",
    inputs: &[
        socket("model", Kind::MODEL).help("The diffusion model", "拡散モデル"),
        int("context_length", 81)
            .within(1, 16_384)
            .step(4)
            .unit("frames")
            .help(
                "Frames of a window, 4n + 1",
                "ウィンドウのフレーム数(4n + 1)",
            ),
        int("context_overlap", 30)
            .within(0, 16_384)
            .unit("frames")
            .help(
                "Frames that neighbours share; about a third of a window",
                "隣同士で共有するフレーム数。ウィンドウの 3 分の 1 程度",
            ),
        choice(
            "context_schedule",
            WindowSchedule::StandardUniform.name(),
            SCHEDULES,
        )
        .help(
            "Uniform windows move from step to step, which hides their edges; static ones stay",
            "uniform のウィンドウはステップごとに動いて境目を隠し、static は動きません。",
        ),
        int("context_stride", 1).within(1, 32).help(
            "Of uniform schedules: windows of every second, fourth … frame too",
            "uniform のスケジュール: 2 フレームおき、4 フレームおき…のウィンドウも使います。",
        ),
        boolean("closed_loop", false).help(
            "Of the looped schedule: one more window, over the end",
            "looped のスケジュール: 終わりをまたぐウィンドウを 1 つ加えます。",
        ),
        choice("fuse_method", Fuse::Pyramid.name(), FUSES)
            .help("How windows are blended", "ウィンドウの混ぜ方"),
        boolean("freenoise", true).help(
            "Later windows begin with the first one's noise, shuffled: they agree better",
            "後のウィンドウを、最初のウィンドウのノイズを並べ替えたものから始め、\
                 互いになじませます。",
        ),
        boolean("retain_first_frame", false).help(
            "Every window's picture condition begins with that of the first frame",
            "各ウィンドウの画像条件を、最初のフレームの画像条件から始めます。",
        ),
    ],
    outputs: &[output("MODEL", Kind::MODEL)],
    ..Declaration::EMPTY
};

const SCHEDULES: &[&str] = names_of!(WindowSchedule);
const FUSES: &[&str] = names_of!(Fuse);

/// The node.
pub const NODE: Node = Node::constant(&DECLARATION, infer);

fn infer(cx: &InferCx<'_>) -> Result<Vec<Info>, InferError> {
    let mut weights = cx.weights("model")?.clone();
    let frames = |name: &str| cx.int(name).map(|it| it.max(0) as usize);
    let unknown = |input: &str, error: &UnknownName| {
        InferError::at("value_not_in_list", input, error.sentence())
    };
    let context = ContextWindows {
        schedule: cx
            .text("context_schedule")?
            .parse()
            .map_err(|e| unknown("context_schedule", &e))?,
        stride: frames("context_stride")?,
        closed_loop: cx.boolean("closed_loop")?,
        fuse: cx
            .text("fuse_method")?
            .parse()
            .map_err(|e| unknown("fuse_method", &e))?,
        ..ContextWindows::wan(frames("context_length")?, frames("context_overlap")?)
    };
    context.check().map_err(|e| {
        let input = match e {
            WindowError::Overlap { .. } => "context_overlap",
            WindowError::Stride { .. } => "context_stride",
        };
        InferError::at("value_not_valid", input, e.sentence())
    })?;
    let windows = Windows {
        context,
        free_noise: cx.boolean("freenoise")?,
        retain_first: cx.boolean("retain_first_frame")?,
    };
    weights
        .options
        .insert(WINDOWS.to_owned(), windows.to_json());
    Ok(vec![Info::Weights(Arc::new(weights))])
}

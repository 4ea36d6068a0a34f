//! `ImageScale`: another size.

use longtake_graph::declare::{choice, int, output, socket};
use longtake_graph::{Declaration, Kind, say};
use longtake_plan::{ClipInfo, InferCx, InferError, Info, Role};
use longtake_run::{RunCx, RunError, Value};

use crate::Node;
use crate::failure::{OrFail, not_one_of};
use crate::film::recipe::{floats_cost, map};
use crate::picture::resize::{METHODS, Method, scale, target_size};

const DECLARATION: Declaration = Declaration {
    class: "ImageScale",
    title: "Scale image",
    title_ja: "画像を拡大縮小",
    category: "image/upscaling",
    category_ja: "画像/拡大縮小",
    help: "Scales frames as ComfyUI does, method by method.",
    help_ja: "ComfyUI と同じ方法でフレームを拡大縮小します。",
    inputs: &[
        socket("image", Kind::IMAGE).help("The frames", "フレーム"),
        choice("upscale_method", "nearest-exact", METHODS).help(
            "How new pixels are made; lanczos is antialiased",
            "新しいピクセルの作り方。lanczos はアンチエイリアス付き",
        ),
        int("width", 512).within(0, 16384).unit("px").help(
            "New width; 0 keeps the shape",
            "新しい幅。0 なら縦横比を保ちます。",
        ),
        int("height", 512).within(0, 16384).unit("px").help(
            "New height; 0 keeps the shape",
            "新しい高さ。0 なら縦横比を保ちます。",
        ),
        choice("crop", "disabled", &["disabled", "center"]).help(
            "center cuts off what does not fit the new shape; disabled stretches",
            "center: 新しい縦横比に収まらない部分を切り取る、disabled: 伸縮する",
        ),
    ],
    outputs: &[output("IMAGE", Kind::IMAGE)],
    ..Declaration::EMPTY
};

/// The node.
pub const NODE: Node =
    Node::lazy(&DECLARATION, infer, floats_cost, run).role(Role::FrameLocal { input: "image" });

fn size_of(clip: ClipInfo, width: i64, height: i64) -> Result<(u32, u32), InferError> {
    let side = |it: i64| it.clamp(0, 16384) as u32;
    let size = target_size((clip.width, clip.height), (side(width), side(height)));
    if size.0.max(size.1) > 32768 {
        let message = say!(
            "keeping the shape of {}×{} gives {}×{}; expected at most 32768 px",
            "{}×{} の比率を保つと {}×{} になります。32768 px 以下にしてください。",
            clip.width,
            clip.height,
            size.0,
            size.1
        );
        return Err(InferError::at(
            "value_out_of_range",
            if width == 0 { "height" } else { "width" },
            message,
        ));
    }
    Ok(size)
}

fn infer(cx: &InferCx<'_>) -> Result<Vec<Info>, InferError> {
    let clip = cx.clip("image")?;
    let (width, height) = size_of(clip, cx.int("width")?, cx.int("height")?)?;
    Ok(vec![Info::Clip(ClipInfo {
        width,
        height,
        ..clip
    })])
}

fn run(cx: &mut RunCx<'_>) -> Result<Vec<Value>, RunError> {
    let clip = cx.clip("image")?;
    let (asked_width, asked_height) = (cx.int("width")?, cx.int("height")?);
    let size = size_of(clip.info(), asked_width, asked_height).or_fail()?;
    let name = cx.text("upscale_method")?;
    let method = Method::named(name)
        .ok_or_else(|| not_one_of("upscale_method", METHODS, name))
        .or_fail()?;
    let crop = cx.text("crop")? == "center";
    let info = ClipInfo {
        width: size.0,
        height: size.1,
        ..clip.info()
    };
    // With neither side given ComfyUI hands the frames on as they are.
    if asked_width <= 0 && asked_height <= 0 {
        return Ok(vec![Value::Clip(clip)]);
    }
    Ok(vec![Value::Clip(map(clip, info, move |frame| {
        Ok(scale(&frame, size, method, crop))
    }))])
}

//! `CameraPathPreview`: a drawing of a camera path, to look at before anything dear is run.

use longtake_graph::declare::{choice, float, int, output, socket};
use longtake_graph::{Declaration, Kind};
use longtake_plan::{ClipInfo, Cost, CostCx, InferCx, InferError, Info};
use longtake_run::{RunCx, RunError, Value};

use super::CAMERA_PATH;
use super::depth::DEPTHS;
use super::point_cloud_guide::{Source, path_of};
use super::sketch::Sketch;
use crate::Node;
use crate::failure::at_input;
use crate::film::recipe::{Drawn, drawn_cost};

const DECLARATION: Declaration = Declaration {
    class: "CameraPathPreview",
    title: "Camera path preview",
    title_ja: "カメラ軌跡プレビュー",
    category: "conditioning/camera",
    category_ja: "コンディショニング/カメラ",
    help: "Draws a camera path from above and from the side, coloured by time. With a picture (and its \
           depth map) the scene is drawn as well, and five views along the path; without one, the \
           numbers that change.",
    help_ja: "カメラの軌跡を真上と横から、時間で色分けして描きます。\
              画像(と深度マップ)があればシーンと軌跡上の 5 つの眺めも描き、\
              なければ変化する数値を示します。",
    inputs: &[
        socket("camera_path", CAMERA_PATH).help("The path to draw", "描く軌跡"),
        int("width", 1280)
            .within(320, 4096)
            .unit("px")
            .help("Width of the drawing", "図の幅"),
        int("height", 720)
            .within(180, 4096)
            .unit("px")
            .help("Height of the drawing", "図の高さ"),
        choice("depth_is", "disparity", DEPTHS).help(
            "disparity: white is near (Depth Anything); depth: white is far, evenly; \
                 millimetres: a 16-bit picture, 0 is unknown",
            "disparity: 白が近い(Depth Anything)、depth: 白が遠く等間隔、millimetres: 16 \
                 ビット画像、0 は不明",
        ),
        float("near", 1.0)
            .within_f(0.001, 10_000.0)
            .help("Distance of the nearest sample", "最も近い点までの距離"),
        float("far", 10.0)
            .within_f(0.001, 100_000.0)
            .help("Distance of the farthest sample", "最も遠い点までの距離"),
        float("fov", 55.0)
            .within_f(5.0, 150.0)
            .step_f(0.5)
            .unit("°")
            .help("Angle that the picture spans across", "画像の横方向の画角"),
        float("radius", 0.0).within_f(0.0, 100_000.0).help(
            "Distance of the subject; 0 takes the median",
            "被写体までの距離。0 なら中央値",
        ),
        float("edge", 0.35).within_f(0.0, 1.0).help(
            "Cuts points where the depth tears; 0 keeps all",
            "深度が途切れる所の点を取り除きます。0 ならすべて残します。",
        ),
        socket("image", Kind::IMAGE)
            .optional()
            .help("The picture", "画像"),
        socket("depth", Kind::named("IMAGE,MASK"))
            .optional()
            .help("Its depth map", "その深度マップ"),
        socket("subject", Kind::MASK).optional().help(
            "1 on the subject: its median distance becomes the radius",
            "被写体の部分が 1。その距離の中央値が半径になります。",
        ),
    ],
    outputs: &[output("IMAGE", Kind::IMAGE)],
    ..Declaration::EMPTY
};

/// The node.
pub const NODE: Node = Node::lazy(&DECLARATION, infer, cost, run);

/// The drawing, and a small cloud while it is made.
fn cost(cx: &CostCx<'_>) -> Cost {
    let drawing = drawn_cost(cx);
    Cost {
        host_bytes: drawing.host_bytes + (16 << 20),
        ..drawing
    }
}

/// Width of the cloud behind the drawing, pixels.
const CLOUD_WIDTH: u32 = 480;

fn shape(width: i64, height: i64) -> ClipInfo {
    ClipInfo {
        frames: 1,
        width: width.clamp(320, 4096) as u32,
        height: height.clamp(180, 4096) as u32,
        channels: 3,
        fps: None,
    }
}

fn infer(cx: &InferCx<'_>) -> Result<Vec<Info>, InferError> {
    path_of(cx.json("camera_path"))
        .map_err(|message| InferError::at("return_type_mismatch", "camera_path", message))?;
    for name in ["image", "depth", "subject"] {
        if cx.has(name) {
            cx.clip(name)?;
        }
    }
    Ok(vec![Info::Clip(shape(cx.int("width")?, cx.int("height")?))])
}

fn run(cx: &mut RunCx<'_>) -> Result<Vec<Value>, RunError> {
    let path = path_of(cx.json("camera_path")).map_err(|e| at_input("camera_path", &e))?;
    let info = shape(cx.int("width")?, cx.int("height")?);
    let fov = cx.float("fov")?;
    let mut aspect = 16.0 / 9.0;
    let mut source = None;
    if cx.has("image") {
        let image = cx.clip("image")?.info();
        aspect = f64::from(image.width) / f64::from(image.height.max(1));
        let height = (f64::from(CLOUD_WIDTH) / aspect)
            .round()
            .clamp(16.0, 2048.0);
        source = Some(Source::read(
            cx,
            (CLOUD_WIDTH, height as u32),
            path.elevation,
        )?);
    }
    let drawn = Drawn::new(move || {
        let cloud = source.as_ref().map(Source::cloud).transpose()?;
        let sketch = Sketch {
            path: &path,
            cloud: cloud.as_ref(),
            fov,
            aspect,
            size: (info.width, info.height),
        };
        sketch.draw()
    });
    Ok(vec![Value::Clip(drawn.clip(info))])
}

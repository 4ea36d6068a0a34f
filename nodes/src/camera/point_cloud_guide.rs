//! `PointCloudGuide`: the film that Uni3C follows, made from one picture, its depth and a path.

use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use longtake_graph::declare::{boolean, choice, colour, float, int, output, socket};
use longtake_graph::{Declaration, Kind, Sentence, say};
use longtake_plan::{ClipInfo, Cost, CostCx, InferCx, InferError, Info};
use longtake_run::{Clip, Frame, FrameSource, Pixels, RunCx, RunError, Value};

use super::CAMERA_PATH;
use super::cloud::{Cloud, Settings, fit_map, fit_picture};
use super::depth::{DEPTHS, DepthIs};
use super::path::{CameraPath, MOST_FRAMES};
use super::splat::{Style, View};
use crate::Node;
use crate::failure::{OrFail, at_input, no_frames, not_a_colour, not_one_of};
use crate::picture::palette;

const DECLARATION: Declaration = Declaration {
    class: "PointCloudGuide",
    title: "Point cloud guide",
    title_ja: "点群ガイド",
    category: "conditioning/camera",
    category_ja: "コンディショニング/カメラ",
    help: "Turns one picture with a depth map into points in space and films them along a camera path: \
           the guide of Uni3C. The first frame is the picture itself. Without a depth map the picture \
           is a flat screen.",
    help_ja: "画像 1 枚と深度マップから空間の点群を作り、カメラの軌跡に沿って撮影します。Uni3C \
              のガイドになります。最初のフレームは画像そのものです。深度マップがなければ、\
              画像は平らなスクリーンになります。",
    inputs: &[
        socket("image", Kind::IMAGE).help(
            "The picture; its first frame counts",
            "画像。最初のフレームだけを使います。",
        ),
        socket("camera_path", CAMERA_PATH).help("Where the camera goes", "カメラの動き"),
        int("width", 832).within(16, 8192).unit("px").help(
            "Width of the guide; the picture fills it, edges are cut",
            "ガイドの幅。画像で全体を埋め、はみ出した端は切り取ります。",
        ),
        int("height", 480)
            .within(16, 8192)
            .unit("px")
            .help("Height of the guide", "ガイドの高さ"),
        int("length", 0)
            .within(0, MOST_FRAMES as i128)
            .unit("frames")
            .help(
                "Length; 0 is the path's own, others play the path faster or slower",
                "長さ。0 なら軌跡どおり、ほかの値なら軌跡を速く、または遅く再生します。",
            ),
        choice("depth_is", "disparity", DEPTHS).help(
            "disparity: white is near (Depth Anything); depth: white is far, evenly; \
                 millimetres: a 16-bit picture, 0 is unknown",
            "disparity: 白が近い(Depth Anything)、depth: 白が遠く等間隔、millimetres: 16 \
                 ビット画像、0 は不明",
        ),
        float("near", 1.0).within_f(0.001, 10_000.0).help(
            "Distance of the nearest sample. Only its ratio to `far` matters",
            "最も近い点までの距離。`far` との比だけが意味を持ちます。",
        ),
        float("far", 10.0).within_f(0.001, 100_000.0).help(
            "Distance of the farthest sample; larger gives more relief",
            "最も遠い点までの距離。大きいほど起伏が強くなります。",
        ),
        float("fov", 55.0)
            .within_f(5.0, 150.0)
            .step_f(0.5)
            .unit("°")
            .help(
                "Angle that the picture spans across: 40 for a portrait lens, 55 usual, 75 wide",
                "画像の横方向の画角。40: ポートレートレンズ、55: 標準、75: 広角",
            ),
        float("radius", 0.0).within_f(0.0, 100_000.0).help(
            "Distance of the subject, which orbits turn about; 0 takes the median",
            "被写体までの距離。orbit はここを中心に回ります。0 なら中央値",
        ),
        float("edge", 0.35).within_f(0.0, 1.0).help(
            "Cuts points where the depth tears; larger cuts more, 0 nothing",
            "深度が途切れる所の点を取り除きます。大きいほど多く取り除き、0 なら何もしません。",
        ),
        float("splat", 0.008)
            .within_f(0.001, 0.1)
            .step_f(0.001)
            .help(
                "Radius of a point, where the shorter side is 2",
                "点の半径。画像の短辺を 2 とします。",
            ),
        boolean("cover", true).help(
            "Lets points grow when the camera comes near, so that surfaces stay closed",
            "カメラが近づくと点を大きくし、面に隙間ができないようにします。",
        ),
        colour("background", "#808080").help(
            "Holes; Uni3C was trained with mid-grey, the zero of its values",
            "穴の色。Uni3C は中間の灰色(値の 0)で学習されています。",
        ),
        socket("depth", Kind::named("IMAGE,MASK")).optional().help(
            "Depth map of the picture, of the same shape; 16-bit PNG keeps more of it",
            "画像と同じ縦横比の深度マップ。16 ビット PNG なら精度が保たれます。",
        ),
        socket("subject", Kind::MASK).optional().help(
            "1 on the subject: its median distance becomes the radius",
            "被写体の部分が 1。その距離の中央値が半径になります。",
        ),
    ],
    outputs: &[output("IMAGE", Kind::IMAGE), output("MASK", Kind::MASK)],
    ..Declaration::EMPTY
};

/// The node.
pub const NODE: Node = Node::lazy(&DECLARATION, infer, cost, run);

fn infer(cx: &InferCx<'_>) -> Result<Vec<Info>, InferError> {
    cx.clip("image")?;
    for name in ["depth", "subject"] {
        if cx.has(name) {
            cx.clip(name)?;
        }
    }
    let (near, far) = (cx.float("near")?, cx.float("far")?);
    if near >= far && cx.text("depth_is")? != "millimetres" {
        let message = say!(
            "expected near below far, found near {near} and far {far}",
            "near は far より小さくしてください(現在: near {near}、far {far})。"
        );
        return Err(InferError::at("value_out_of_range", "near", message));
    }
    let background = cx.text("background")?;
    if palette::parse(background).is_none() {
        return Err(not_a_colour("background", background));
    }
    let path = path_of(cx.json("camera_path"))
        .map_err(|message| InferError::at("return_type_mismatch", "camera_path", message))?;
    let [image, mask] = infos(
        (cx.int("width")?, cx.int("height")?),
        cx.int("length")?,
        &path,
    );
    Ok(vec![Info::Clip(image), Info::Clip(mask)])
}

/// The path at the input of that name.
pub(super) fn path_of(json: Option<&serde_json::Value>) -> Result<CameraPath, Sentence> {
    let json = json.ok_or_else(|| {
        say!(
            "`camera_path` needs a path that is known before the run",
            "「camera_path」には実行前に決まっている軌跡が必要です。"
        )
    })?;
    CameraPath::from_json(json)
}

fn infos((width, height): (i64, i64), length: i64, path: &CameraPath) -> [ClipInfo; 2] {
    let frames = match length {
        0 => path.frames.len() as u64,
        frames => frames.max(1) as u64,
    };
    let image = ClipInfo {
        frames,
        width: width.clamp(1, 8192) as u32,
        height: height.clamp(1, 8192) as u32,
        channels: 3,
        fps: None,
    };
    [
        image,
        ClipInfo {
            channels: 1,
            ..image
        },
    ]
}

/// The cloud (28 bytes a point), a projected point (20 + 4) and the map on its way (12), beside one
/// chunk of frames.
fn cost(cx: &CostCx<'_>) -> Cost {
    let Some(Info::Clip(clip)) = cx.outputs.first() else {
        return Cost::default();
    };
    let pixels = u64::from(clip.width) * u64::from(clip.height);
    let frames = clip.chunk_frames().min(clip.frames.max(1));
    Cost {
        host_bytes: pixels * (3 * frames + 64),
        // Measured: 100 ns a pixel and frame on one core.
        seconds: (pixels * frames) as f64 * 1e-7,
        ..Cost::default()
    }
}

fn run(cx: &mut RunCx<'_>) -> Result<Vec<Value>, RunError> {
    let path = path_of(cx.json("camera_path")).map_err(|e| at_input("camera_path", &e))?;
    let size = (cx.int("width")?, cx.int("height")?);
    let [image, mask] = infos(size, cx.int("length")?, &path);
    let background = cx.text("background")?;
    let background = palette::parse(background)
        .ok_or_else(|| not_a_colour("background", background))
        .or_fail()?;
    let source = Source::read(cx, (image.width, image.height), path.elevation)?;
    let guide = Arc::new(Guide {
        source,
        path,
        style: Style {
            radius: cx.float("splat")? as f32,
            cover: cx.boolean("cover")?,
            background: background.map(|it| it * 255.0),
        },
        frames: image.frames,
        cloud: Mutex::new(None),
    });
    let film = |info, holes| {
        let guide = Arc::clone(&guide);
        Value::Clip(Clip::new(Film { guide, info, holes }))
    };
    Ok(vec![film(image, false), film(mask, true)])
}

/// What a cloud is made of, before anything is read.
pub(super) struct Source {
    image: Clip,
    depth: Option<(Clip, DepthIs, f32, f32)>,
    subject: Option<Clip>,
    settings: Settings,
}

impl Source {
    /// From the inputs that a guide and a preview share.
    pub(super) fn read(cx: &RunCx<'_>, size: (u32, u32), elevation: f64) -> Result<Self, RunError> {
        let depth = if cx.has("depth") {
            let name = cx.text("depth_is")?;
            let is = DepthIs::named(name)
                .ok_or_else(|| not_one_of("depth_is", DEPTHS, name))
                .or_fail()?;
            Some((
                cx.clip("depth")?,
                is,
                cx.float("near")? as f32,
                cx.float("far")? as f32,
            ))
        } else {
            None
        };
        Ok(Self {
            image: cx.clip("image")?,
            depth,
            subject: if cx.has("subject") {
                Some(cx.clip("subject")?)
            } else {
                None
            },
            settings: Settings {
                size,
                fov: cx.float("fov")?,
                elevation,
                radius: cx.float("radius")?,
                edge: cx.float("edge")? as f32,
            },
        })
    }

    /// Reads the pictures and makes the cloud.
    pub(super) fn cloud(&self) -> Result<Cloud, RunError> {
        let size = self.settings.size;
        let image = first(&self.image, "image")?;
        let shape = (image.width, image.height);
        let distances = match &self.depth {
            None => None,
            Some((clip, is, near, far)) => {
                let map = first(clip, "depth")?;
                // Between a known and an unknown sample there is nothing to mix.
                let map = fit_map(&map, shape, size, *is != DepthIs::Millimetres)?;
                Some(is.distances(&map, *near, *far)?)
            }
        };
        let subject = match &self.subject {
            None => None,
            Some(clip) => {
                let mask = first(clip, "subject")?;
                let mask = crate::picture::resize::scale(
                    &mask,
                    size,
                    crate::picture::resize::Method::NearestExact,
                    true,
                );
                let step = usize::from(mask.channels);
                Some(
                    mask.to_f32()
                        .iter()
                        .step_by(step)
                        .map(|it| *it > 0.5)
                        .collect::<Vec<_>>(),
                )
            }
        };
        Cloud::new(
            fit_picture(&image, size),
            distances,
            subject.as_deref(),
            &self.settings,
        )
    }
}

fn first(clip: &Clip, input: &str) -> Result<Frame, RunError> {
    if clip.info().frames == 0 {
        return Err(no_frames(input));
    }
    let frame = clip.read(0..1)?.pop();
    frame.ok_or_else(|| no_frames(input))
}

/// The guide: a cloud, made when the first frame is asked for, and a path.
struct Guide {
    source: Source,
    path: CameraPath,
    style: Style,
    frames: u64,
    cloud: Mutex<Option<Arc<Cloud>>>,
}

impl Guide {
    fn cloud(&self) -> Result<Arc<Cloud>, RunError> {
        let mut made = self.cloud.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(cloud) = &*made {
            return Ok(Arc::clone(cloud));
        }
        let cloud = Arc::new(self.source.cloud()?);
        *made = Some(Arc::clone(&cloud));
        Ok(cloud)
    }
}

/// One of the guide's two films.
struct Film {
    guide: Arc<Guide>,
    info: ClipInfo,
    holes: bool,
}

impl FrameSource for Film {
    fn info(&self) -> ClipInfo {
        self.info
    }

    fn read(&self, range: Range<u64>) -> Result<Vec<Frame>, RunError> {
        let cloud = self.guide.cloud()?;
        Ok(range.map(|index| self.frame(&cloud, index)).collect())
    }
}

impl Film {
    fn frame(&self, cloud: &Cloud, index: u64) -> Frame {
        let (width, height) = (self.info.width, self.info.height);
        let still = index == 0;
        if still && !self.holes {
            return cloud.picture.clone();
        }
        if still {
            return Frame::new(
                width,
                height,
                1,
                Pixels::U8(vec![0; cloud.width * cloud.height]),
            );
        }
        let pose = self.guide.path.pose(index, self.guide.frames);
        let view = View::new(cloud, &pose, self.guide.style);
        if self.holes {
            return Frame::new(width, height, 1, Pixels::U8(view.holes()));
        }
        Frame::new(width, height, 3, Pixels::U8(view.colours()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::camera::uni3c;

    /// A guide of an odd-sized picture: a near disc before a far wall.
    fn films(length: u64) -> [Clip; 2] {
        let (width, height) = (121, 77);
        let near = |i: u32| (i % width).abs_diff(60).pow(2) + (i / width).abs_diff(38).pow(2) < 400;
        let pixels = 0..width * height;
        let picture = pixels
            .clone()
            .flat_map(|i| [if near(i) { 240 } else { 30 }, (i % width) as u8, 90]);
        let picture = Frame::new(width, height, 3, Pixels::U8(picture.collect()));
        let map = pixels
            .map(|i| if near(i) { 60_000 } else { 8_000 })
            .collect();
        let map = Frame::new(width, height, 1, Pixels::U16(map));
        let path = CameraPath {
            name: String::new(),
            elevation: 5.0,
            frames: uni3c::frames("uni3c-free1", 9).unwrap(),
        };
        let [image, mask] = infos((i64::from(width), i64::from(height)), length as i64, &path);
        let source = Source {
            image: Clip::from_frames(vec![picture]),
            depth: Some((Clip::from_frames(vec![map]), DepthIs::Disparity, 1.0, 6.0)),
            subject: None,
            settings: Settings {
                size: (width, height),
                fov: 55.0,
                elevation: 5.0,
                radius: 1.1,
                edge: 0.35,
            },
        };
        let style = Style {
            radius: 0.008,
            cover: true,
            background: [127.5; 3],
        };
        let guide = Arc::new(Guide {
            source,
            path,
            style,
            frames: image.frames,
            cloud: Mutex::new(None),
        });
        [(image, false), (mask, true)].map(|(info, holes)| {
            let guide = Arc::clone(&guide);
            Clip::new(Film { guide, info, holes })
        })
    }

    #[test]
    fn any_stretch_is_the_same_and_the_first_frame_is_the_picture() {
        let [image, mask] = films(0);
        let (seen, holes) = (image.read(0..9).unwrap(), mask.read(0..9).unwrap());
        assert_eq!(image.read(3..6).unwrap(), seen[3..6]);
        assert_eq!(mask.read(8..9).unwrap(), holes[8..9]);
        assert_eq!(seen[0].to_u8()[..3], [30, 0, 90]);
        assert!(holes[0].to_u8().iter().all(|it| *it == 0));
        // The camera goes back: from some frame on the picture has a border of holes.
        let count = |frame: &Frame| {
            let holes = frame.to_u8();
            holes
                .iter()
                .map(|it| usize::from(*it == 255))
                .sum::<usize>()
        };
        let counts: Vec<usize> = holes.iter().map(count).collect();
        assert!(counts[8] > 2000 && counts.is_sorted(), "{counts:?}");
        // A hole is the background, and everything else is not.
        let (rgb, hole) = (seen[8].to_u8(), holes[8].to_u8());
        assert!(
            rgb.chunks(3)
                .zip(&hole)
                .all(|(px, hole)| *hole == 0 || px == [128; 3])
        );
    }

    #[test]
    fn a_path_can_be_played_slower() {
        let ([image, _], [slow, _]) = (films(0), films(17));
        assert_eq!((image.info().frames, slow.info().frames), (9, 17));
        assert_eq!(slow.read(16..17).unwrap(), image.read(8..9).unwrap());
        assert_eq!(slow.read(6..7).unwrap(), image.read(3..4).unwrap());
    }
}

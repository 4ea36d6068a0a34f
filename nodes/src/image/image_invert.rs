//! `ImageInvert`: the negative.

use longtake_graph::declare::{output, socket};
use longtake_graph::{Declaration, Kind};
use longtake_plan::{InferCx, InferError, Info, Role};
use longtake_run::{Frame, Pixels, RunCx, RunError, Value};

use crate::Node;
use crate::film::recipe::{floats_cost, map};

const DECLARATION: Declaration = Declaration {
    class: "ImageInvert",
    title: "Invert image",
    title_ja: "画像を反転",
    category: "image",
    category_ja: "画像",
    help: "Every sample becomes 1 minus itself.",
    help_ja: "各値を 1 から引いた値にします。",
    inputs: &[socket("image", Kind::IMAGE).help("The frames", "フレーム")],
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
    let info = clip.info();
    Ok(vec![Value::Clip(map(clip, info, |frame| {
        Ok(invert(&frame))
    }))])
}

fn invert(frame: &Frame) -> Frame {
    let pixels = match &*frame.pixels {
        Pixels::U8(data) => Pixels::U8(data.iter().map(|v| 255 - v).collect()),
        Pixels::U16(data) => Pixels::U16(data.iter().map(|v| 65535 - v).collect()),
        Pixels::F32(data) => Pixels::F32(data.iter().map(|v| 1.0 - v).collect()),
    };
    Frame::new(frame.width, frame.height, frame.channels, pixels)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twice_is_the_same() {
        let frame = Frame::new(2, 1, 1, Pixels::U8(vec![0, 100]));
        assert_eq!(invert(&frame).to_u8(), [255, 155]);
        assert_eq!(invert(&invert(&frame)), frame);
    }
}

//! `LoadImage`: a picture under `--input`, and its transparency as a mask.

use std::sync::Arc;

use longtake_graph::declare::{FileKind, input_file, output};
use longtake_graph::{Declaration, Kind, say};
use longtake_plan::{ClipInfo, InferCx, InferError, Info};
use longtake_run::{Frame, Pixels, RunCx, RunError, Value, paths};

use crate::Node;
use crate::failure::OrFail;
use crate::film::recipe::{Drawn, drawn_cost};
use crate::picture::load;

const DECLARATION: Declaration = Declaration {
    class: "LoadImage",
    title: "Load image",
    title_ja: "画像を読み込む",
    category: "image",
    category_ja: "画像",
    help: "A PNG, JPEG or WebP picture, turned upright. The mask is 1 where the picture is transparent; \
           without transparency it is 64×64 zeros, as in ComfyUI. 16-bit pictures keep their depth.",
    help_ja: "PNG、JPEG、WebP の画像を正しい向きで読み込みます。マスクは透明な所が 1 で、\
              透明部分がなければ ComfyUI と同じく 64×64 の 0 です。16 \
              ビットの画像は精度を保ちます。",
    inputs: &[
        input_file("image", FileKind::Image).help("File under --input", "--input の中のファイル")
    ],
    outputs: &[output("IMAGE", Kind::IMAGE), output("MASK", Kind::MASK)],
    ..Declaration::EMPTY
};

/// The node.
pub const NODE: Node = Node::lazy(&DECLARATION, infer, drawn_cost, run);

/// Side of ComfyUI's mask for pictures that have none.
const NO_MASK: u32 = 64;

fn infer(cx: &InferCx<'_>) -> Result<Vec<Info>, InferError> {
    let name = cx.text("image")?;
    let facts = cx
        .facts
        .media(FileKind::Image, name)
        .map_err(|e| crate::node::fact_error("image", e))?;
    let Info::Clip(found) = facts.info else {
        return Err(InferError::at(
            "image_unreadable",
            "image",
            say!("`{name}` is no picture", "「{name}」は画像ではありません。"),
        ));
    };
    Ok(infos(found.width, found.height, found.channels == 4)
        .map(Info::Clip)
        .to_vec())
}

fn infos(width: u32, height: u32, alpha: bool) -> [ClipInfo; 2] {
    let colour = ClipInfo {
        frames: 1,
        width,
        height,
        channels: 3,
        fps: None,
    };
    let (width, height) = if alpha {
        (width, height)
    } else {
        (NO_MASK, NO_MASK)
    };
    [
        colour,
        ClipInfo {
            width,
            height,
            channels: 1,
            ..colour
        },
    ]
}

fn run(cx: &mut RunCx<'_>) -> Result<Vec<Value>, RunError> {
    let name = cx.text("image")?;
    let path = paths::find(&cx.env.roots.input, name).or_fail()?;
    let header = load::header(&path)?;
    let [colour, mask] = infos(header.width, header.height, header.alpha);
    let path = Arc::new(path);
    let picture = {
        let path = Arc::clone(&path);
        Drawn::new(move || Ok(load::picture(&path)?.colour))
    };
    let mask_of = Drawn::new(move || {
        Ok(load::picture(&path)?
            .alpha
            .map_or_else(no_mask, |alpha| transparent(&alpha)))
    });
    Ok(vec![
        Value::Clip(picture.clip(colour)),
        Value::Clip(mask_of.clip(mask)),
    ])
}

fn no_mask() -> Frame {
    Frame::new(
        NO_MASK,
        NO_MASK,
        1,
        Pixels::U8(vec![0; (NO_MASK * NO_MASK) as usize]),
    )
}

/// 1 where the picture is transparent.
fn transparent(alpha: &Frame) -> Frame {
    let pixels = match &*alpha.pixels {
        Pixels::U8(data) => Pixels::U8(data.iter().map(|v| 255 - v).collect()),
        Pixels::U16(data) => Pixels::U16(data.iter().map(|v| 65535 - v).collect()),
        Pixels::F32(data) => Pixels::F32(data.iter().map(|v| 1.0 - v).collect()),
    };
    Frame::new(alpha.width, alpha.height, 1, pixels)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::says;
    use image::{ExtendedColorType, ImageEncoder, codecs::png::PngEncoder};

    #[test]
    fn alpha_becomes_an_inverted_mask_and_damage_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.png");
        let data = [10, 20, 30, 255, 40, 50, 60, 0];
        let mut bytes = Vec::new();
        PngEncoder::new(&mut bytes)
            .write_image(&data, 2, 1, ExtendedColorType::Rgba8)
            .unwrap();
        std::fs::write(&path, &bytes).unwrap();
        let header = load::header(&path).unwrap();
        assert_eq!((header.width, header.height, header.alpha), (2, 1, true));
        let picture = load::picture(&path).unwrap();
        assert_eq!(picture.colour.to_u8(), [10, 20, 30, 40, 50, 60]);
        assert_eq!(transparent(&picture.alpha.unwrap()).to_u8(), [0, 255]);
        std::fs::write(&path, &bytes[..bytes.len() - 20]).unwrap();
        assert!(load::picture(&path).is_err());
        std::fs::write(&path, b"not a picture").unwrap();
        says(
            &load::header(&path).unwrap_err().message,
            "PNG, JPEG or WebP",
        );
    }

    #[test]
    fn exif_turns_pictures_upright() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("turned.jpg");
        let mut bytes = Vec::new();
        let mut encoder = image::codecs::jpeg::JpegEncoder::new(&mut bytes);
        // A TIFF header with one entry: orientation (0x0112), SHORT, 6 (turned left).
        let exif = [
            b"II*\0\x08\0\0\0\x01\0".as_slice(),
            b"\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0",
        ]
        .concat();
        encoder.set_exif_metadata(exif).unwrap();
        encoder
            .write_image(&[0; 8 * 4 * 3], 8, 4, ExtendedColorType::Rgb8)
            .unwrap();
        std::fs::write(&path, &bytes).unwrap();
        let header = load::header(&path).unwrap();
        let colour = load::picture(&path).unwrap().colour;
        assert_eq!((header.width, header.height), (4, 8));
        assert_eq!((colour.width, colour.height), (4, 8));
    }
}

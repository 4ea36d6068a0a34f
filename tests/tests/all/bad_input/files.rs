//! Pictures, videos and latents that cannot be read.

use longtake_tests::graphs::tiny_prompt;
use longtake_tests::place::Workplace;
use serde_json::{Value as Json, json};

use super::{Row, args, check};

/// A graph that shows a picture.
fn picture(place: &Workplace, name: &str) -> Vec<String> {
    place.graph("bad.json", &json!({
        "1": {"class_type": "LoadImage", "inputs": {"image": name}},
        "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "x"}},
    }));
    args(&["bad.json"])
}

/// A graph that copies a video's frames.
fn video(place: &Workplace, name: &str) -> Vec<String> {
    place.graph("bad.json", &json!({
        "1": {"class_type": "LoadVideo", "inputs": {"file": name}},
        "2": {"class_type": "GetVideoComponents", "inputs": {"video": ["1", 0]}},
        "3": {"class_type": "SaveImage", "inputs": {"images": ["2", 0], "filename_prefix": "x"}},
    }));
    args(&["bad.json"])
}

/// A graph that decodes a latent file.
fn latent(place: &Workplace, name: &str) -> Vec<String> {
    let tiny = tiny_prompt();
    place.graph(
        "bad.json",
        &json!({
            "1": {"class_type": "LoadLatent", "inputs": {"latent": name}},
            "39": tiny["39"],
            "8": {"class_type": "VAEDecode", "inputs": {"samples": ["1", 0], "vae": ["39", 0]}},
            "10": tiny["10"],
        }),
    );
    args(&["bad.json"])
}

/// A latent file of this shape, whole.
fn latent_file(place: &Workplace, shape: &Json) {
    let count: u64 = shape
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it.as_u64().unwrap())
        .product();
    let header = json!({
        "latent_tensor": {"dtype": "F32", "shape": shape, "data_offsets": [0, count * 4]},
        "latent_format_version_0": {"dtype": "F32", "shape": [0], "data_offsets": [count * 4, count * 4]},
    })
    .to_string();
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend(header.as_bytes());
    bytes.resize(bytes.len() + (count * 4) as usize, 0);
    place.write("input/a.latent", bytes);
}

fn png(place: &Workplace, name: &str, keep: usize) {
    let picture =
        image::RgbImage::from_fn(64, 48, |x, y| image::Rgb([x as u8, y as u8, (x * y) as u8]));
    let mut bytes = std::io::Cursor::new(Vec::new());
    picture
        .write_to(&mut bytes, image::ImageFormat::Png)
        .unwrap();
    let bytes = bytes.into_inner();
    place.write(name, &bytes[..keep.min(bytes.len())]);
}

#[test]
fn pictures_videos_and_latents() {
    check(&[
        Row {
            name: "no picture",
            arrange: |p| picture(p, "nowhere.png"),
            code: 2,
            says: &["nowhere.png", "input"],
        },
        Row {
            name: "a text for a picture",
            arrange: |p| {
                p.write("input/a.png", "hello");
                picture(p, "a.png")
            },
            code: 2,
            says: &["a.png"],
        },
        Row {
            name: "an empty picture",
            arrange: |p| {
                p.write("input/a.png", "");
                picture(p, "a.png")
            },
            code: 2,
            says: &["a.png"],
        },
        Row {
            name: "a cut picture",
            arrange: |p| {
                png(p, "input/a.png", 200);
                picture(p, "a.png")
            },
            code: 1,
            says: &["a.png"],
        },
        Row {
            name: "a picture that claims to be huge",
            arrange: |p| {
                png(p, "input/a.png", usize::MAX);
                let mut bytes = std::fs::read(p.path("input/a.png")).unwrap();
                bytes[16..24].copy_from_slice(&[0x7f, 0xff, 0xff, 0xff, 0x7f, 0xff, 0xff, 0xff]);
                p.write("input/a.png", bytes);
                picture(p, "a.png")
            },
            code: 2,
            says: &["a.png"],
        },
        Row {
            name: "a picture outside",
            arrange: |p| {
                png(p, "a.png", usize::MAX);
                picture(p, "../a.png")
            },
            code: 2,
            says: &["refused"],
        },
        Row {
            name: "no video",
            arrange: |p| video(p, "nowhere.mp4"),
            code: 2,
            says: &["nowhere.mp4", "input"],
        },
        Row {
            name: "a text for a video",
            arrange: |p| {
                p.write("input/a.mp4", "hello, I am no film at all");
                video(p, "a.mp4")
            },
            code: 2,
            says: &["a.mp4"],
        },
        Row {
            name: "an empty video",
            arrange: |p| {
                p.write("input/a.mp4", "");
                video(p, "a.mp4")
            },
            code: 2,
            says: &["a.mp4"],
        },
        Row {
            name: "no latent",
            arrange: |p| latent(p, "nowhere.latent"),
            code: 2,
            says: &["nowhere.latent"],
        },
        Row {
            name: "a text for a latent",
            arrange: |p| {
                p.write("input/a.latent", "hello, latent");
                latent(p, "a.latent")
            },
            code: 2,
            says: &["a.latent"],
        },
        Row {
            name: "a latent of other channels",
            arrange: |p| {
                latent_file(p, &json!([1, 4, 1, 6, 8]));
                latent(p, "a.latent")
            },
            code: 2,
            says: &["16", "4"],
        },
        Row {
            name: "a latent of two axes",
            arrange: |p| {
                latent_file(p, &json!([16, 8]));
                latent(p, "a.latent")
            },
            code: 2,
            says: &["a.latent", "[16, 8]"],
        },
        Row {
            name: "a latent of nothing",
            arrange: |p| {
                latent_file(p, &json!([1, 16, 0, 6, 8]));
                latent(p, "a.latent")
            },
            code: 2,
            says: &["a.latent"],
        },
    ]);
}

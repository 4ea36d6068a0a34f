//! Checkpoints that are missing, damaged, hostile or of another family.

use std::fs;

use longtake_tests::graphs::tiny_prompt;
use longtake_tests::place::Workplace;
use serde_json::json;

use super::{Row, args, check};

const DIT: &str = "models/diffusion_models/wan_tiny_bf16.safetensors";

/// The tiny prompt with a checkpoint's bytes changed.
fn damaged(place: &Workplace, file: &str, change: impl FnOnce(&mut Vec<u8>)) -> Vec<String> {
    let mut bytes = fs::read(place.path(file)).unwrap();
    change(&mut bytes);
    place.write(file, bytes);
    place.graph("bad.json", &tiny_prompt());
    args(&["bad.json"])
}

/// The tiny prompt with a diffusion model that has this header and `data` bytes behind it.
fn header(place: &Workplace, header: &str, data: usize) -> Vec<String> {
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend(header.as_bytes());
    bytes.resize(bytes.len() + data, 0);
    place.write(DIT, bytes);
    place.graph("bad.json", &tiny_prompt());
    args(&["bad.json"])
}

/// The tiny prompt with another file named at an input.
fn named(place: &Workplace, node: &str, input: &str, name: &str) -> Vec<String> {
    let mut graph = tiny_prompt();
    graph[node]["inputs"][input] = json!(name);
    place.graph("bad.json", &graph);
    args(&["bad.json"])
}

#[test]
fn checkpoints_that_are_not_there() {
    check(&[
        Row {
            name: "missing, with a near name",
            arrange: |p| named(p, "37", "unet_name", "wan_tiny_fp16.safetensors"),
            code: 2,
            says: &[
                "wan_tiny_fp16.safetensors",
                "diffusion_models",
                "wan_tiny_bf16.safetensors",
            ],
        },
        Row {
            name: "no such folder",
            arrange: |p| {
                p.graph("bad.json", &tiny_prompt());
                args(&["bad.json", "--models", "nowhere"])
            },
            code: 2,
            says: &["nowhere", "does not exist"],
        },
        Row {
            name: "a DiT for a VAE",
            arrange: |p| {
                fs::copy(p.path(DIT), p.path("models/vae/dit.safetensors")).unwrap();
                named(p, "39", "vae_name", "dit.safetensors")
            },
            code: 2,
            says: &["diffusion model", "expected a Wan 2.1 VAE"],
        },
        Row {
            name: "a VAE for a text encoder",
            arrange: |p| {
                fs::copy(
                    p.path("models/vae/wan_tiny_vae.safetensors"),
                    p.path("models/text_encoders/v.safetensors"),
                )
                .unwrap();
                named(p, "38", "clip_name", "v.safetensors")
            },
            code: 2,
            says: &["VAE", "expected a UMT5 text encoder"],
        },
        Row {
            name: "a text encoder of another kind",
            arrange: |p| {
                let mut graph = tiny_prompt();
                graph["38"]["inputs"]["type"] = json!("sd3");
                p.graph("bad.json", &graph);
                args(&["bad.json"])
            },
            code: 2,
            says: &["sd3", "wan"],
        },
    ]);
}

#[test]
fn checkpoints_that_are_damaged() {
    const SOMETHING: &str =
        r#"{"head.modulation":{"dtype":"F32","shape":[1,2,128],"data_offsets":[0,1024]}}"#;
    check(&[
        Row {
            name: "empty",
            arrange: |p| damaged(p, DIT, Vec::clear),
            code: 2,
            says: &["wan_tiny_bf16.safetensors"],
        },
        Row {
            name: "four bytes",
            arrange: |p| damaged(p, DIT, |b| b.truncate(4)),
            code: 2,
            says: &["wan_tiny_bf16.safetensors"],
        },
        Row {
            name: "half",
            arrange: |p| damaged(p, DIT, |b| b.truncate(b.len() / 2)),
            code: 2,
            says: &["wan_tiny_bf16.safetensors"],
        },
        Row {
            name: "a byte short",
            arrange: |p| damaged(p, DIT, |b| b.truncate(b.len() - 1)),
            code: 2,
            says: &["wan_tiny_bf16.safetensors"],
        },
        Row {
            name: "header length 2^63",
            arrange: |p| {
                damaged(p, DIT, |b| {
                    b[..8].copy_from_slice(&(1_u64 << 63).to_le_bytes());
                })
            },
            code: 2,
            says: &["header"],
        },
        Row {
            name: "header length all ones",
            arrange: |p| damaged(p, DIT, |b| b[..8].fill(255)),
            code: 2,
            says: &["header"],
        },
        Row {
            name: "header is no JSON",
            arrange: |p| damaged(p, DIT, |b| b[8..40].fill(b'x')),
            code: 2,
            says: &["JSON"],
        },
        Row {
            name: "deep header",
            arrange: |p| header(p, &"{\"a\":".repeat(5000), 0),
            code: 2,
            says: &["JSON"],
        },
        Row {
            name: "a pickle",
            arrange: |p| {
                p.write(DIT, b"\x80\x02}q\x00.");
                p.graph("bad.json", &tiny_prompt());
                args(&["bad.json"])
            },
            code: 2,
            says: &["wan_tiny_bf16.safetensors"],
        },
        Row {
            name: "offsets past the end",
            arrange: |p| header(p, SOMETHING, 100),
            code: 2,
            says: &["head.modulation"],
        },
        Row {
            name: "offsets backwards",
            arrange: |p| header(p, &SOMETHING.replace("[0,1024]", "[1024,0]"), 1024),
            code: 2,
            says: &["head.modulation"],
        },
        Row {
            name: "offsets that overflow",
            arrange: |p| {
                header(
                    p,
                    &SOMETHING.replace("[0,1024]", "[0,18446744073709551615]"),
                    1024,
                )
            },
            code: 2,
            says: &["wan_tiny_bf16.safetensors"],
        },
        Row {
            name: "a shape that overflows",
            arrange: |p| {
                header(
                    p,
                    &SOMETHING.replace("[1,2,128]", "[4294967296,4294967296,4294967296]"),
                    1024,
                )
            },
            code: 2,
            says: &["head.modulation"],
        },
        Row {
            name: "a shape that lies",
            arrange: |p| header(p, &SOMETHING.replace("128", "127"), 1024),
            code: 2,
            says: &["head.modulation"],
        },
        Row {
            name: "an unknown dtype",
            arrange: |p| header(p, &SOMETHING.replace("F32", "Q4_K"), 1024),
            code: 2,
            says: &["Q4_K"],
        },
        Row {
            name: "a dtype of no float",
            arrange: |p| {
                header(
                    p,
                    &SOMETHING.replace("F32", "BOOL").replace("1024", "256"),
                    256,
                )
            },
            code: 2,
            says: &["wan_tiny_bf16.safetensors"],
        },
        Row {
            name: "one tensor only",
            arrange: |p| header(p, SOMETHING, 1024),
            code: 2,
            says: &["wan_tiny_bf16.safetensors"],
        },
        Row {
            name: "no tokenizer",
            arrange: |p| {
                damaged(p, "models/text_encoders/umt5_tiny_bf16.safetensors", |b| {
                    let at = b.windows(12).position(|it| it == b"spiece_model").unwrap();
                    b[at..at + 12].copy_from_slice(b"spiece_nodel");
                })
            },
            code: 1,
            says: &["umt5_tiny_bf16.safetensors", "spiece_model"],
        },
        Row {
            name: "a damaged tokenizer",
            arrange: |p| {
                damaged(p, "models/text_encoders/umt5_tiny_bf16.safetensors", |b| {
                    let end = b.len();
                    b[end - 4000..].fill(0xff);
                })
            },
            code: 1,
            says: &["umt5_tiny_bf16.safetensors"],
        },
    ]);
}

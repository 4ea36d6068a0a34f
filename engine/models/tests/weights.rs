//! Checkpoints: what is read, what is refused, and what the refusal says.
#![allow(clippy::unwrap_used)] // clippy takes only #[test] functions for tests, not their helpers

use std::fs;
use std::path::{Path, PathBuf};

use longtake_models::Device;
use longtake_models::device;
use longtake_models::weights::{
    Checkpoint, Dtype, Family, FamilyKind, FloatKind, Header, fingerprint, probe,
};
use proptest::prelude::*;

/// What an error says in English; the Japanese says as much.
fn said(error: &longtake_models::weights::WeightsError) -> String {
    let sentence = error.sentence();
    assert_eq!(sentence.lacks(), None);
    assert_eq!(sentence.en, error.to_string());
    sentence.en
}

/// A safetensors file from its JSON header and data.
fn write(dir: &Path, name: &str, header: &str, data: &[u8]) -> PathBuf {
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend(header.as_bytes());
    bytes.extend(data);
    let path = dir.join(name);
    fs::write(&path, bytes).unwrap();
    path
}

/// A header of tensors laid end to end, with data that counts up in f32.
fn f32_file(dir: &Path, name: &str, tensors: &[(&str, &[usize])]) -> PathBuf {
    let (mut entries, mut data) = (Vec::new(), Vec::new());
    for (name, shape) in tensors {
        let start = data.len();
        for _ in 0..shape.iter().product::<usize>() {
            data.extend(((data.len() / 4) as f32).to_le_bytes());
        }
        entries.push(format!(
            r#""{name}":{{"dtype":"F32","shape":{shape:?},"data_offsets":[{start},{}]}}"#,
            data.len()
        ));
    }
    write(dir, name, &format!("{{{}}}", entries.join(",")), &data)
}

fn cpu() -> Device {
    device::cpu()
}

/// Header, data, and what the message must say (one of them).
const HOSTILE: &[(&str, &[u8], &[&str])] = &[
    ("", &[], &["expected the end of the file", "JSON", "EOF"]),
    ("[]", &[], &["expected a JSON object"]),
    ("{", &[], &["EOF while parsing"]),
    (r#"{"a":1}"#, &[], &["byte 13"]),
    (
        r#"{"a":{"dtype":"F32","shape":[NaN],"data_offsets":[0,4]}}"#,
        &[0; 4],
        &["JSON"],
    ),
    (
        r#"{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}"#,
        &[0; 4],
        &["-1"],
    ),
    (
        r#"{"a":{"dtype":"F32","shape":[1e30],"data_offsets":[0,4]}}"#,
        &[0; 4],
        &["expected u64"],
    ),
    (
        r#"{"a":{"dtype":"F32","dtype":"F16","shape":[1],"data_offsets":[0,4]}}"#,
        &[0; 4],
        &["duplicate field"],
    ),
    (
        r#"{"a":{"shape":[1],"data_offsets":[0,4]}}"#,
        &[0; 4],
        &["missing field `dtype`"],
    ),
    (
        r#"{"a":{"dtype":"F4","shape":[1],"data_offsets":[0,4]}}"#,
        &[0; 4],
        &["tensor `a`", "dtype", "`F4`"],
    ),
    (
        r#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}"#,
        &[0; 4],
        &["tensor `a`", "8 bytes", "[0, 4]"],
    ),
    (
        r#"{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,4]}}"#,
        &[0; 4],
        &["below 2^64"],
    ),
    (
        r#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}"#,
        &[0; 4],
        &["in order", "[4, 0]"],
    ),
    (
        r#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[18446744073709551612,18446744073709551615]}}"#,
        &[0; 4],
        &["4 bytes", "3 bytes"],
    ),
    (
        r#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#,
        &[0; 4],
        &["cut short", "an end at 8"],
    ),
    (
        r#"{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}}"#,
        &[0; 3],
        &["tensor `b`", "an overlap", "`a` ends"],
    ),
    (
        r#"{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"U8","shape":[1],"data_offsets":[2,3]}}"#,
        &[0; 3],
        &["tensor `b`", "a hole"],
    ),
    (
        r#"{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}"#,
        &[0; 3],
        &["the end of the file", "2 more bytes"],
    ),
    (
        r#"{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}"#,
        &[0; 1],
        &["tensor `a`", "two entries"],
    ),
    (r#"{"__metadata__":{"a":1}}"#, &[], &["expected a string"]),
];

#[test]
fn hostile_files_are_refused_and_say_why() {
    let dir = tempfile::tempdir().unwrap();
    let deep = format!(
        r#"{{"a":{{"x":{}{}}}}}"#,
        "[".repeat(10_000),
        "]".repeat(10_000)
    );
    let long = "n".repeat(5_000);
    let rank = format!(
        r#"{{"a":{{"dtype":"U8","shape":{:?},"data_offsets":[0,1]}}}}"#,
        [1; 9]
    );
    let made = [
        (deep.as_str(), &[][..], &["missing field `dtype`"][..]),
        (&rank, &[0], &["at most 8 axes"]),
    ];
    let cases = HOSTILE.iter().copied().chain(made);
    for (i, (header, data, want)) in cases.enumerate() {
        let path = write(dir.path(), &format!("{i}.safetensors"), header, data);
        let error = said(&Checkpoint::open(&path).unwrap_err());
        assert!(
            error.contains(path.to_str().unwrap()),
            "names the file: {error}"
        );
        assert!(want.iter().any(|want| error.contains(want)), "{i}: {error}");
        assert!(error.len() < 1_000, "{i}: {} bytes of message", error.len());
        assert!(Header::read(&path).is_err() && probe(&path).is_err());
    }
    let long = write(
        dir.path(),
        "long",
        &format!(r#"{{"{long}":{{"dtype":"?","shape":[],"data_offsets":[0,0]}}}}"#),
        &[],
    );
    assert!(said(&Checkpoint::open(&long).unwrap_err()).len() < 1_000);
}

#[test]
fn truncated_at_every_length() {
    let dir = tempfile::tempdir().unwrap();
    let whole = fs::read(f32_file(
        dir.path(),
        "whole",
        &[("a", &[2, 3]), ("b", &[4])],
    ))
    .unwrap();
    for len in 0..whole.len() {
        let path = dir.path().join("part");
        fs::write(&path, &whole[..len]).unwrap();
        let error = said(&Checkpoint::open(&path).unwrap_err());
        assert!(error.contains("cut short"), "{len}: {error}");
    }
}

#[test]
fn lengths_beyond_reason_are_not_allocated() {
    let dir = tempfile::tempdir().unwrap();
    for (length, want) in [
        (u64::MAX, "at most 100000000"),
        (100_000_001, "at most 100000000"),
        (99_999_999, "cut short"),
    ] {
        let path = dir.path().join("huge");
        fs::write(&path, length.to_le_bytes()).unwrap();
        let error = said(&Checkpoint::open(&path).unwrap_err());
        assert!(error.contains(want), "{length}: {error}");
    }
    assert!(
        Checkpoint::open(&dir.path().join("none"))
            .unwrap_err()
            .to_string()
            .contains("cannot open")
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    /// Any change of any byte of the header gives a checkpoint or an error, never a panic, and what
    /// opens can be read.
    #[test]
    fn damaged_headers_never_panic(at in 0usize..200, byte: u8) {
        let dir = tempfile::tempdir().unwrap();
        let path = f32_file(dir.path(), "x", &[("a.weight", &[2, 3]), ("b", &[4]), ("c", &[])]);
        let mut bytes = fs::read(&path).unwrap();
        let at = at % bytes.len();
        bytes[at] = byte;
        fs::write(&path, bytes).unwrap();
        if let Ok(checkpoint) = Checkpoint::open(&path) {
            for name in checkpoint.names() {
                let shape = checkpoint.shape(name).unwrap();
                let _ = checkpoint.vec_f32(name, shape);
                prop_assert!(checkpoint.bytes_of(name).is_ok());
            }
        }
    }
}

#[test]
fn names_shapes_and_views() {
    let dir = tempfile::tempdir().unwrap();
    let path = f32_file(
        dir.path(),
        "m",
        &[
            ("model.diffusion_model.blocks.0.w", &[2, 2]),
            ("model.diffusion_model.blocks.1.w", &[1]),
            ("vae.w", &[3]),
        ],
    );
    let file = Checkpoint::open(&path).unwrap();
    assert_eq!(
        file.names().collect::<Vec<_>>(),
        ["blocks.0.w", "blocks.1.w", "vae.w"]
    );
    assert_eq!(
        (
            file.count_blocks("blocks."),
            file.total_bytes(),
            file.total_elements()
        ),
        (2, 32, 8)
    );
    assert_eq!(file.get("blocks.0.w").unwrap().dtype, Dtype::F32);
    assert_eq!(
        file.tensor("blocks.0.w", [2, 2], &cpu())
            .unwrap()
            .into_data()
            .to_vec::<f32>()
            .unwrap(),
        [0.0, 1.0, 2.0, 3.0]
    );
    let vae = file.prefix("vae.");
    assert_eq!(vae.vec_f32("w", &[3]).unwrap(), [5.0, 6.0, 7.0]);
    assert!(vae.has_prefix("w") && !vae.has_prefix("blocks"));
    let renamed = file
        .rename(|name| {
            name.strip_prefix("blocks.")
                .map(|rest| format!("layers.{rest}"))
        })
        .unwrap();
    assert!(renamed.has("layers.1.w") && !renamed.has("blocks.1.w") && renamed.has("vae.w"));
    let error = said(&file.rename(|_| Some("one".into())).unwrap_err());
    assert!(error.contains("stands twice"), "{error}");
    let error = file
        .tensor("blocks.0.w", [4], &cpu())
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("model.diffusion_model.blocks.0.w")
            && error.contains("expected shape [4], found [2, 2]"),
        "{error}"
    );
    let error = said(&file.vec_f32("blocks.2.w", &[1]).unwrap_err());
    assert!(
        error.contains("missing (nearest names: blocks.0.w, blocks.1.w)"),
        "{error}"
    );
}

#[test]
fn every_float_dtype_reads_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let values = [1.0f32, -0.5, 448.0, 0.0];
    let files: [(&str, Vec<u8>); 6] = [
        (
            "F64",
            values
                .iter()
                .flat_map(|&v| f64::from(v).to_le_bytes())
                .collect(),
        ),
        ("F32", values.iter().flat_map(|v| v.to_le_bytes()).collect()),
        (
            "F16",
            values
                .iter()
                .flat_map(|&v| half::f16::from_f32(v).to_le_bytes())
                .collect(),
        ),
        (
            "BF16",
            values
                .iter()
                .flat_map(|&v| half::bf16::from_f32(v).to_le_bytes())
                .collect(),
        ),
        ("F8_E4M3", vec![0x38, 0xb0, 0x7e, 0]),
        ("F8_E5M2", vec![0x3c, 0xb8, 0x5f, 0]),
    ];
    for (dtype, data) in files {
        let header = format!(
            r#"{{"a.weight":{{"dtype":"{dtype}","shape":[2,2],"data_offsets":[0,{}]}}}}"#,
            data.len()
        );
        let file = Checkpoint::open(&write(dir.path(), dtype, &header, &data))
            .unwrap()
            .with_dtype(FloatKind::Bf16);
        let tensor = file.tensor("a.weight", [2, 2], &cpu()).unwrap();
        assert_eq!(
            tensor.dtype(),
            burn::tensor::DType::F32,
            "the CPU keeps f32"
        );
        assert_eq!(file.rows_f32("a.weight", &[1]).unwrap()[1], 0.0);
        // e5m2 has no 448 but 2 mantissa bits around it: 0x5f is 448 (1.75 · 2^8).
        assert_eq!(
            tensor.into_data().to_vec::<f32>().unwrap(),
            values,
            "{dtype}"
        );
    }
    let header = r#"{"a":{"dtype":"I64","shape":[1],"data_offsets":[0,8]}}"#;
    let file = Checkpoint::open(&write(dir.path(), "int", header, &[0; 8])).unwrap();
    let error = said(&file.tensor("a", [1], &cpu()).unwrap_err());
    assert!(
        error.contains("floating-point weights, found I64"),
        "{error}"
    );
}

#[test]
fn fp8_scales_are_applied() {
    let dir = tempfile::tempdir().unwrap();
    for (scale, values, want) in [
        ("scale_weight", &[2.0f32][..], [2.0, 2.0, 2.0, 2.0]),
        ("weight_scale", &[2.0, 3.0], [2.0, 2.0, 3.0, 3.0]),
    ] {
        let n = values.len();
        let header = format!(
            r#"{{"l.weight":{{"dtype":"F8_E4M3","shape":[2,2],"data_offsets":[0,4]}},"l.{scale}":{{"dtype":"F32","shape":[{n}],"data_offsets":[4,{}]}}}}"#,
            4 + 4 * n
        );
        let mut data = vec![0x38; 4];
        data.extend(values.iter().flat_map(|v| v.to_le_bytes()));
        let file = Checkpoint::open(&write(dir.path(), scale, &header, &data)).unwrap();
        assert_eq!(file.vec_f32("l.weight", &[2, 2]).unwrap(), want);
        assert_eq!(
            file.rows_f32("l.weight", &[1, 0]).unwrap(),
            [want[2], want[3], want[0], want[1]]
        );
    }
}

#[test]
fn diffusers_folders() {
    let dir = tempfile::tempdir().unwrap();
    let (root, open) = (dir.path(), || Checkpoint::open(dir.path()));
    assert!(
        open()
            .unwrap_err()
            .to_string()
            .contains("expected a *.safetensors file, found none")
    );
    f32_file(root, "m-1-of-2.safetensors", &[("a", &[1])]);
    f32_file(root, "m-2-of-2.safetensors", &[("b", &[2])]);
    assert!(said(&open().unwrap_err()).contains("found 2 of them"));
    let index = |text: &str| fs::write(root.join("m.safetensors.index.json"), text).unwrap();
    index(r#"{"weight_map":{"a":"m-1-of-2.safetensors","b":"m-2-of-2.safetensors"}}"#);
    fs::write(root.join("config.json"), r#"{"num_attention_heads": 12}"#).unwrap();
    let both = open().unwrap();
    assert_eq!(
        (
            both.vec_f32("b", &[2]).unwrap(),
            both.config_usize("num_attention_heads")
        ),
        (vec![0.0, 1.0], Some(12))
    );
    assert_eq!(probe(root).unwrap().tensors, 2);
    for (text, want) in [
        (
            r#"{"weight_map":{"c":"m-1-of-2.safetensors"}}"#,
            "`c` is missing though the index names it",
        ),
        (
            r#"{"weight_map":{"a":"m-3-of-2.safetensors"}}"#,
            "no such file",
        ),
        (
            r#"{"weight_map":{"a":"../m.safetensors"}}"#,
            "expected shards in this folder",
        ),
        (r#"{"weight_map":{}}"#, "expected tensors in the index"),
        ("{", "EOF"),
    ] {
        index(text);
        let error = said(&open().unwrap_err());
        assert!(error.contains(want), "{error}");
    }
    f32_file(root, "m-2-of-2.safetensors", &[("a", &[2])]);
    index(r#"{"weight_map":{"a":"m-1-of-2.safetensors","b":"m-2-of-2.safetensors"}}"#);
    assert!(said(&open().unwrap_err()).contains("stands twice"));
}

#[test]
fn wrong_family_says_both() {
    let dir = tempfile::tempdir().unwrap();
    let vae: &[(&str, &[usize])] = &[
        ("conv2.weight", &[16, 16, 1, 1, 1]),
        ("encoder.conv1.weight", &[8, 3, 3, 3, 3]),
        ("decoder.upsamples.0.residual.2.weight", &[1]),
    ];
    let path = f32_file(dir.path(), "vae.safetensors", vae);
    let file = Checkpoint::open(&path).unwrap();
    assert_eq!(
        file.expect_family(FamilyKind::WanVae).unwrap(),
        Family::WanVae21 {
            latent_channels: 16,
            dim: 8,
        }
    );
    let error = file
        .expect_family(FamilyKind::WanDit)
        .unwrap_err()
        .to_string();
    assert!(error.ends_with("expected a checkpoint of a Wan diffusion model, found a Wan 2.1 VAE (16 channels); choose another file"), "{error}");
    let probe = probe(&path).unwrap();
    assert_eq!(
        (probe.family, probe.tensor_bytes_f32),
        (
            Some(Family::WanVae21 {
                latent_channels: 16,
                dim: 8,
            }),
            (257 + 648) * 4
        )
    );
}

#[test]
fn fingerprints_follow_content() {
    let dir = tempfile::tempdir().unwrap();
    // Above 64 × 64 KiB, so that samples and not the whole file are read.
    let path = f32_file(
        dir.path(),
        "big",
        &[("a", &[1_500_000]), ("small", &[8]), ("z", &[500_000])],
    );
    let first = fingerprint(&path).unwrap();
    let copy = dir.path().join("copy");
    fs::copy(&path, &copy).unwrap();
    assert_eq!(fingerprint(&copy).unwrap(), first, "a copy is the same");
    let bytes = fs::read(&path).unwrap();
    let small = Header::read(&path).unwrap().tensors["small"].clone();
    for at in [
        bytes.len() - 1,
        small.start as usize + 3,
        bytes.len() - 8_000_000,
    ] {
        let mut changed = bytes.clone();
        changed[at] ^= 0x40;
        fs::write(&copy, &changed).unwrap();
        assert_ne!(fingerprint(&copy).unwrap(), first, "byte {at}");
    }
    fs::write(&copy, &bytes[..bytes.len() - 1]).unwrap();
    assert!(fingerprint(&copy).is_err());
}

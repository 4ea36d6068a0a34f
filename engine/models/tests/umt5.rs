//! The text encoder and its tokenizer beside transformers and SentencePiece, on the small checkpoint
//! that `tests/reference/umt5.py` made.
#![allow(clippy::unwrap_used)] // clippy takes only #[test] functions for tests, not their helpers

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use half::{bf16, f16};
use longtake_models::tokenizer::{SPIECE_TENSOR, Tokenizer, TokenizerError};
use longtake_models::umt5::{MIN_ROWS, Umt5, Umt5Error, weight_bytes};
use longtake_models::weights::{Checkpoint, Dtype, Family, FloatKind, Placement, WeightsError};
use longtake_models::{Device, device};
use safetensors::tensor::{Dtype as StDtype, TensorView};

fn data(name: &str) -> PathBuf {
    Path::new(env!("LONGTAKE_CHECKOUT"))
        .join("tests/data/umt5")
        .join(name)
}

fn small() -> Checkpoint {
    Checkpoint::open(&data("umt5-small.safetensors")).unwrap()
}

fn goldens() -> Checkpoint {
    Checkpoint::open(&data("goldens.safetensors")).unwrap()
}

fn cpu() -> Device {
    device::cpu()
}

fn golden(name: &str) -> Vec<f32> {
    let goldens = goldens();
    goldens.vec_f32(name, goldens.shape(name).unwrap()).unwrap()
}

fn ids(case: &str) -> Vec<u32> {
    let goldens = goldens();
    let bytes = goldens.bytes_of(&format!("{case}.ids")).unwrap();
    bytes
        .chunks(4)
        .map(|b| u32::from_le_bytes(b.try_into().unwrap()))
        .collect()
}

/// Largest difference relative to the largest value of the reference.
fn max_error(got: &[f32], want: &[f32]) -> f32 {
    assert_eq!(got.len(), want.len());
    let scale = want.iter().fold(0f32, |m, v| m.max(v.abs()));
    got.iter()
        .zip(want)
        .fold(0f32, |m, (a, b)| m.max((a - b).abs()))
        / scale
}

fn encode(encoder: &Umt5, case: &str) -> Vec<f32> {
    encoder
        .encode(&ids(case))
        .unwrap()
        .into_data()
        .to_vec()
        .unwrap()
}

fn load(checkpoint: &Checkpoint) -> Result<Umt5, WeightsError> {
    Umt5::load(checkpoint, &cpu(), Placement::Resident, &mut |_| {})
}

const CASES: [&str; 5] = ["english", "japanese", "chinese", "empty", "long"];

#[test]
fn agrees_with_transformers() {
    let encoder = load(&small()).unwrap();
    for case in CASES {
        let error = max_error(&encode(&encoder, case), &golden(&format!("{case}.out")));
        println!("{case}: {error:e}");
        assert!(error <= 1e-4, "{case}: {error:e}");
    }
}

#[test]
fn streamed_layers_give_the_same_bits() {
    let resident = load(&small()).unwrap();
    let streamed = Umt5::load(&small(), &cpu(), Placement::Streamed, &mut |_| {}).unwrap();
    for case in CASES {
        assert_eq!(encode(&resident, case), encode(&streamed, case), "{case}");
    }
}

#[test]
fn tokens_equal_sentencepiece() {
    let tokenizer = Tokenizer::of_checkpoint(&small()).unwrap();
    let rows: Vec<serde_json::Value> =
        serde_json::from_slice(&fs::read(data("tokens.json")).unwrap()).unwrap();
    assert!(rows.len() > 20);
    for row in rows {
        let text = row["text"].as_str().unwrap();
        assert_eq!(
            tokenizer.normalize(text).unwrap(),
            row["normalized"].as_str().unwrap(),
            "{text:?}"
        );
        let want: Vec<u32> = serde_json::from_value(row["ids"].clone()).unwrap();
        assert_eq!(tokenizer.encode(text).unwrap(), want, "{text:?}");
    }
}

#[test]
fn conditioning_is_comfyuis() {
    let (encoder, tokenizer) = (
        load(&small()).unwrap(),
        Tokenizer::of_checkpoint(&small()).unwrap(),
    );
    for (prompt, case) in [
        (
            "A cat and a (red kite:1.3) in the (rain:0.5)",
            "weighted.out",
        ),
        ("(snow:1.6) in the village", "weighted_first.out"), // the first row has the empty prompt's to lean on
        ("", "empty.out"),
    ] {
        let want = golden(case);
        let got = encoder.encode_prompt(&tokenizer, prompt).unwrap();
        assert_eq!(
            (got.rows, got.dim, got.data.len()),
            (MIN_ROWS, 64, MIN_ROWS * 64)
        );
        let error = max_error(&got.data[..want.len()], &want);
        assert!(error <= 1e-4, "{case}: {error:e}");
        assert!(
            got.data[want.len()..].iter().all(|&v| v == 0.0),
            "rows past the prompt are zero"
        );
    }
    let long = "猫".repeat(700);
    let got = encoder.encode_prompt(&tokenizer, &long).unwrap();
    assert!(
        got.rows > 700 && got.data.len() == got.rows * 64,
        "longer prompts give more rows"
    );
    assert!(matches!(
        encoder.encode_prompt(&tokenizer, &"猫".repeat(9_000)),
        Err(Umt5Error::TooLong { .. })
    ));
}

/// The small checkpoint written anew: tensors renamed, in another dtype, some left out.
fn rewrite(
    dir: &Path,
    name: &str,
    rename: impl Fn(&str) -> Option<String>,
    convert: impl Fn(f32) -> Vec<u8>,
    dtype: StDtype,
) -> PathBuf {
    let source = small();
    let mut out: HashMap<String, (StDtype, Vec<usize>, Vec<u8>)> = HashMap::new();
    for stored in source.names() {
        let Some(new) = rename(stored) else { continue };
        let info = source.get(stored).unwrap();
        let entry = if info.dtype == Dtype::U8 {
            (
                StDtype::U8,
                info.shape,
                source.bytes_of(stored).unwrap().to_vec(),
            )
        } else {
            let values = source.vec_f32(stored, &info.shape).unwrap();
            (
                dtype,
                info.shape,
                values.into_iter().flat_map(&convert).collect(),
            )
        };
        out.insert(new, entry);
    }
    let views = out.iter().map(|(name, (dtype, shape, bytes))| {
        (name, TensorView::new(*dtype, shape.clone(), bytes).unwrap())
    });
    let path = dir.join(name);
    safetensors::serialize_to_file(views, None, &path).unwrap();
    path
}

fn f32_bytes(v: f32) -> Vec<u8> {
    v.to_le_bytes().to_vec()
}

/// HF name → the name in Wan's own checkpoint.
fn original(name: &str) -> String {
    let name = name
        .replace("encoder.block.", "blocks.")
        .replace("shared.", "token_embedding.");
    let name = name
        .replace("layer.0.layer_norm", "norm1")
        .replace("layer.1.layer_norm", "norm2");
    let name = name.replace(
        "layer.0.SelfAttention.relative_attention_bias",
        "pos_embedding.embedding",
    );
    let name = name
        .replace("layer.0.SelfAttention", "attn")
        .replace("encoder.final_layer_norm", "norm");
    let name = name.replace("layer.1.DenseReluDense.wi_0", "ffn.gate.0");
    name.replace("layer.1.DenseReluDense.wi_1", "ffn.fc1")
        .replace("layer.1.DenseReluDense.wo", "ffn.fc2")
}

#[test]
fn all_layouts_and_dtypes_load() {
    let dir = tempfile::tempdir().unwrap();
    let dims = load(&small()).unwrap().dims();
    assert_eq!(
        (
            dims.d,
            dims.d_ff,
            dims.heads,
            dims.d_kv,
            dims.layers,
            dims.buckets
        ),
        (64, 128, 4, 16, 2, 32)
    );
    let embed = |name: &str| Some(name.replace("shared.", "encoder.embed_tokens."));
    let bf = |v| bf16::from_f32(v).to_le_bytes().to_vec();
    let hf = |v| f16::from_f32(v).to_le_bytes().to_vec();
    // Half types lose digits of the weights; the bound is what their rounding makes of two layers.
    for (path, bound) in [
        (
            rewrite(
                dir.path(),
                "original",
                |n| Some(original(n)),
                f32_bytes,
                StDtype::F32,
            ),
            1e-4,
        ),
        (
            rewrite(dir.path(), "embed_tokens", embed, f32_bytes, StDtype::F32),
            1e-4,
        ),
        (
            rewrite(dir.path(), "f16", |n| Some(n.into()), hf, StDtype::F16),
            1e-2,
        ),
        (
            rewrite(dir.path(), "bf16", |n| Some(original(n)), bf, StDtype::BF16),
            1e-1,
        ),
    ] {
        let checkpoint = Checkpoint::open(&path).unwrap();
        assert_eq!(
            Family::detect(&checkpoint),
            Some(Family::Umt5(dims)),
            "{}",
            path.display()
        );
        let mut seen = Vec::new();
        let encoder = Umt5::load(&checkpoint, &cpu(), Placement::Resident, &mut |share| {
            seen.push(share);
        })
        .unwrap();
        assert_eq!(seen, [0.5, 1.0]);
        let error = max_error(&encode(&encoder, "english"), &golden("english.out"));
        assert!(error <= bound, "{}: {error:e}", path.display());
    }
    let stored: u64 = small()
        .names()
        .filter(|name| name.contains("encoder"))
        .map(|name| small().get(name).unwrap().bytes)
        .sum();
    assert_eq!(weight_bytes(&dims, FloatKind::F32), stored);
}

#[test]
fn what_cannot_be_loaded_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let without =
        |part: &'static str| move |name: &str| (!name.contains(part)).then(|| name.to_owned());
    let path = rewrite(
        dir.path(),
        "part",
        without("block.1.layer.1.DenseReluDense.wi_1"),
        f32_bytes,
        StDtype::F32,
    );
    let error = load(&Checkpoint::open(&path).unwrap())
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("encoder.block.1.layer.1.DenseReluDense.wi_1.weight` is missing"),
        "{error}"
    );
    // T5 has its position table in the first layer only.
    let path = rewrite(
        dir.path(),
        "t5",
        without("block.1.layer.0.SelfAttention.relative_attention_bias"),
        f32_bytes,
        StDtype::F32,
    );
    let error = load(&Checkpoint::open(&path).unwrap())
        .unwrap_err()
        .to_string();
    assert!(
        error.contains(
            "expected a checkpoint of a UMT5 text encoder, found a T5 text encoder (not UMT5)"
        ),
        "{error}"
    );
    let encoder = load(&small()).unwrap();
    assert!(matches!(
        encoder.encode(&[1, 9_999]),
        Err(Umt5Error::TokenOutside { id: 9_999, .. })
    ));
}

#[test]
fn tokenizers_are_found_beside_the_encoder() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("text_encoder");
    fs::create_dir_all(dir.path().join("tokenizer")).unwrap();
    fs::create_dir(&folder).unwrap();
    rewrite(
        &folder,
        "model.safetensors",
        |name| (name != SPIECE_TENSOR).then(|| name.to_owned()),
        f32_bytes,
        StDtype::F32,
    );
    let checkpoint = Checkpoint::open(&folder).unwrap();
    let error = Tokenizer::of_checkpoint(&checkpoint).unwrap_err();
    assert!(matches!(error, TokenizerError::Missing { .. }), "{error}");
    let model = dir.path().join("tokenizer/spiece.model");
    fs::write(&model, small().bytes_of(SPIECE_TENSOR).unwrap()).unwrap();
    let tokenizer = Tokenizer::of_checkpoint(&checkpoint).unwrap();
    assert_eq!(
        tokenizer.encode("A cat walks slowly.").unwrap(),
        Tokenizer::of_checkpoint(&small())
            .unwrap()
            .encode("A cat walks slowly.")
            .unwrap()
    );
    fs::remove_file(model).unwrap();
    let json = dir.path().join("tokenizer/tokenizer.json");
    fs::write(&json, "{\"version\": 1").unwrap();
    assert!(matches!(
        Tokenizer::of_checkpoint(&checkpoint),
        Err(TokenizerError::Damaged { .. })
    ));
    fs::write(&json, r#"{"version":"1.0","added_tokens":[],"normalizer":null,"pre_tokenizer":{"type":"Metaspace","replacement":"▁","prepend_scheme":"always","split":false},"post_processor":null,"decoder":null,"model":{"type":"Unigram","unk_id":2,"vocab":[["<pad>",0.0],["</s>",0.0],["<unk>",0.0],["▁a",-1.0],["b",-2.0]]}}"#).unwrap();
    assert_eq!(
        Tokenizer::of_checkpoint(&checkpoint)
            .unwrap()
            .encode("ab")
            .unwrap(),
        [3, 4, 1]
    );
}

#[test]
fn damaged_tokenizers_are_refused_at_every_length() {
    let checkpoint = small();
    let bytes = checkpoint.bytes_of(SPIECE_TENSOR).unwrap();
    let source = Path::new("x.safetensors");
    for len in (0..bytes.len()).step_by(997) {
        // A cut may fall between fields, and what is left be a smaller model: it must then work.
        if let Ok(tokenizer) = Tokenizer::from_sentencepiece(&bytes[..len], source) {
            tokenizer.encode("猫 cat ﾈｵﾝ").unwrap();
        }
    }
    for at in (0..bytes.len()).step_by(613) {
        let mut damaged = bytes.to_vec();
        damaged[at] ^= 0xff;
        if let Ok(tokenizer) = Tokenizer::from_sentencepiece(&damaged, source) {
            tokenizer.encode("The 猫 cat ﾈｵﾝ ＡＢＣ ガ").unwrap();
        }
    }
}

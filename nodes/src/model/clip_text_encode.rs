//! `CLIPTextEncode`: words to conditioning.

use longtake_graph::declare::{output, socket, text_area};
use longtake_graph::{Declaration, Kind, Sentence};
use longtake_models::umt5;
use longtake_models::weights::Umt5Dims;
use longtake_plan::{Cost, CostCx, InferCx, InferError, Info, Keep, Lane, Rung, WeightsInfo};
use longtake_run::{Conditioning, RunCx, RunError, Value};

use super::loading::TextEncoder;
use crate::Node;
use crate::failure::{OrFail, unreadable};
use crate::node::one_way;

const DECLARATION: Declaration = Declaration {
    class: "CLIPTextEncode",
    title: "Encode text",
    title_ja: "テキストをエンコード",
    category: "conditioning",
    category_ja: "コンディショニング",
    help: "Encodes a prompt. (word:1.2) weighs a word; longer prompts than 512 tokens are kept whole.",
    help_ja: "プロンプトをエンコードします。(word:1.2) のように書くと語に重みが付きます。512 \
              トークンを超えるプロンプトもすべて使います。",
    inputs: &[
        text_area("text", "").help("The prompt", "プロンプト"),
        socket("clip", Kind::CLIP).help("The text encoder", "テキストエンコーダー"),
    ],
    outputs: &[output("CONDITIONING", Kind::CONDITIONING)],
    ..Declaration::EMPTY
};

/// The node.
pub const NODE: Node = Node::work(&DECLARATION, infer, Lane::Device, Keep::Store, rungs, run);

/// Rows every prompt is padded to (ComfyUI `comfy/text_encoders/wan.py`, `min_length`).
const ROWS: u32 = 512;

fn infer(cx: &InferCx<'_>) -> Result<Vec<Info>, InferError> {
    let dims = dims(cx.weights("clip")?).map_err(unreadable("clip"))?;
    // A prompt that needs more rows is known only after tokenizing; it adds little.
    Ok(vec![Info::text(ROWS, dims.d as u32)])
}

/// Sizes of the encoder, as `facts.rs` tells them.
fn dims(weights: &WeightsInfo) -> Result<Umt5Dims, Sentence> {
    Ok(Umt5Dims {
        vocab: weights.dim("vocab")?,
        d: weights.dim("dim")?,
        d_ff: weights.dim("ffn_dim")?,
        heads: weights.dim("heads")?,
        d_kv: weights.dim("head_dim")?,
        layers: weights.dim("layers")?,
        buckets: weights.dim("buckets")?,
    })
}

fn rungs(cx: &CostCx<'_>) -> Vec<Rung> {
    let Ok(weights) = cx.weights("clip") else {
        return one_way(Cost::default());
    };
    let Ok(dims) = dims(weights) else {
        return one_way(Cost::default());
    };
    let parameters = weights.bytes / cx.machine.weight_bytes.max(1);
    let whole = Cost {
        // Two operations per weight and token.
        flops: 2.0 * parameters as f64 * f64::from(ROWS),
        device_bytes: umt5::workspace_bytes(&dims, ROWS as usize)
            + unpacked_bytes(weights, &dims, cx.machine.weight_bytes),
        ..Cost::default()
    };
    let streamed = Cost {
        // The layer in memory is counted by the planner. Every layer is read for every prompt.
        seconds: weights.bytes as f64 / cx.machine.load_bytes_per_second,
        ..whole
    };
    let mut rungs = one_way(whole);
    rungs.push(Rung {
        name: "streamed".to_owned(),
        settings: std::collections::BTreeMap::new(),
        cost: streamed,
        streams: vec!["clip"],
    });
    rungs
}

/// One matrix of a packed encoder, widened for the moment it is used.
fn unpacked_bytes(weights: &WeightsInfo, dims: &Umt5Dims, weight_bytes: u64) -> u64 {
    match weights.dims.get("packed") {
        Some(1) => (dims.d * dims.d_ff) as u64 * weight_bytes,
        _ => 0,
    }
}

fn run(cx: &mut RunCx<'_>) -> Result<Vec<Value>, RunError> {
    let text = cx.text("text")?.to_owned();
    let clip = cx.model::<TextEncoder>("clip")?;
    cx.progress(0, 1, "prompt")?;
    let encoded = clip
        .encoder
        .encode_prompt(&clip.tokenizer, &text)
        .or_fail()?;
    Ok(vec![Value::Conditioning(Conditioning::text(
        encoded.rows as u32,
        encoded.dim as u32,
        encoded.data,
    ))])
}

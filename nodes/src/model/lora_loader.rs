//! `LoraLoader`: puts a LoRA on a diffusion model and on its text encoder.

use std::sync::Arc;

use longtake_graph::declare::{float, model_file, output, socket};
use longtake_graph::{Declaration, Kind, ModelFolder};
use longtake_plan::{InferCx, InferError, Info, WeightsInfo};

use super::lora::Choice;
use crate::Node;

const DECLARATION: Declaration = Declaration {
    class: "LoraLoader",
    title: "Load LoRA",
    title_ja: "LoRA を読み込む",
    category: "loaders",
    category_ja: "読み込み",
    help: "Puts a LoRA on the diffusion model and, where it has keys for it, on the text encoder. Most \
           LoRAs for Wan change the model alone.",
    help_ja: "LoRA を拡散モデルに適用します。テキストエンコーダー用のキーがあれば、\
              そちらにも適用します。Wan 用の LoRA の多くはモデルだけを変えます。",
    inputs: &[
        socket("model", Kind::MODEL).help("The diffusion model", "拡散モデル"),
        socket("clip", Kind::CLIP).help("The text encoder", "テキストエンコーダー"),
        model_file("lora_name", ModelFolder::Loras)
            .help("File in models/loras", "models/loras のファイル"),
        float("strength_model", 1.0)
            .within_f(-100.0, 100.0)
            .step_f(0.01)
            .help(
                "How strongly it changes the diffusion model; may be negative",
                "拡散モデルへの強さ。負の値も使えます。",
            ),
        float("strength_clip", 1.0)
            .within_f(-100.0, 100.0)
            .step_f(0.01)
            .help(
                "How strongly it changes the text encoder; may be negative",
                "テキストエンコーダーへの強さ。負の値も使えます。",
            ),
    ],
    outputs: &[output("MODEL", Kind::MODEL), output("CLIP", Kind::CLIP)],
    ..Declaration::EMPTY
};

/// The node.
pub const NODE: Node = Node::constant(&DECLARATION, infer);

fn infer(cx: &InferCx<'_>) -> Result<Vec<Info>, InferError> {
    let (model, clip) = (cx.weights("model")?, cx.weights("clip")?);
    let (on_model, on_clip) = (cx.float("strength_model")?, cx.float("strength_clip")?);
    let lora = Choice::of(cx)?;
    // One for the text encoder alone leaves the model as it is, as in ComfyUI.
    if lora.dit_modules() > 0 || lora.umt5_modules() == 0 {
        lora.check(model)?;
    }
    let put = |weights: &WeightsInfo, input: &str, modules: usize, strength: f64| {
        let strength = if modules > 0 { strength } else { 0.0 };
        let put = lora.put(weights, input, strength, cx.machine.weight_bytes)?;
        Ok(Info::Weights(Arc::new(put)))
    };
    Ok(vec![
        put(model, "model", lora.dit_modules(), on_model)?,
        put(clip, "clip", lora.umt5_modules(), on_clip)?,
    ])
}

//! `LoraLoaderModelOnly`: puts a LoRA on a diffusion model.

use std::sync::Arc;

use longtake_graph::declare::{float, model_file, output, socket};
use longtake_graph::{Declaration, Kind, ModelFolder};
use longtake_plan::{InferCx, InferError, Info};

use super::lora::Choice;
use crate::Node;

const DECLARATION: Declaration = Declaration {
    class: "LoraLoaderModelOnly",
    title: "Load LoRA (model only)",
    title_ja: "LoRA を読み込む（モデルのみ）",
    category: "loaders",
    category_ja: "読み込み",
    help: "Puts a LoRA on the diffusion model. Several can follow one another. The high- and the \
           low-noise expert of Wan 2.2 each take their own.",
    help_ja: "LoRA を拡散モデルに適用します。いくつでも続けてつなげます。Wan 2.2 \
              の高ノイズと低ノイズのエキスパートには、それぞれ別の LoRA を使います。",
    inputs: &[
        socket("model", Kind::MODEL).help("The diffusion model", "拡散モデル"),
        model_file("lora_name", ModelFolder::Loras)
            .help("File in models/loras", "models/loras のファイル"),
        float("strength_model", 1.0)
            .within_f(-100.0, 100.0)
            .step_f(0.01)
            .help(
                "How strongly it changes the model; may be negative",
                "モデルへの強さ。負の値も使えます。",
            ),
    ],
    outputs: &[output("MODEL", Kind::MODEL)],
    ..Declaration::EMPTY
};

/// The node.
pub const NODE: Node = Node::constant(&DECLARATION, infer);

fn infer(cx: &InferCx<'_>) -> Result<Vec<Info>, InferError> {
    let model = cx.weights("model")?;
    let strength = cx.float("strength_model")?;
    let lora = Choice::of(cx)?;
    lora.check(model)?;
    let model = lora.put(model, "model", strength, cx.machine.weight_bytes)?;
    Ok(vec![Info::Weights(Arc::new(model))])
}

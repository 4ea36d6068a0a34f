//! `ControlNetLoader`: names a control network.

use longtake_graph::declare::{model_file, output};
use longtake_graph::{Declaration, Kind, ModelFolder, Sentence, say};
use longtake_models::wan::uni3c::Uni3cDims;
use longtake_plan::{InferCx, InferError, Info, WeightsInfo};

use super::loading::checkpoint;
use crate::Node;

const DECLARATION: Declaration = Declaration {
    class: "ControlNetLoader",
    title: "Load control network",
    title_ja: "コントロールネットを読み込む",
    category: "loaders",
    category_ja: "読み込み",
    help: "A control network from models/controlnet: Uni3C, which makes Wan 14B follow a camera.",
    help_ja: "models/controlnet にあるコントロールネットです。Wan 14B をカメラの動きに従わせる \
              Uni3C を使えます。",
    inputs: &[
        model_file("control_net_name", ModelFolder::Controlnet).help(
            "File, such as Wan21_Uni3C_controlnet_fp16.safetensors",
            "ファイル(Wan21_Uni3C_controlnet_fp16.safetensors など)",
        ),
    ],
    outputs: &[output("CONTROL_NET", Kind::CONTROL_NET)],
    ..Declaration::EMPTY
};

/// The node.
pub const NODE: Node = Node::constant(&DECLARATION, infer);

fn infer(cx: &InferCx<'_>) -> Result<Vec<Info>, InferError> {
    let folder = ModelFolder::Controlnet;
    let weights = checkpoint(cx, "control_net_name", folder, &["uni3c"], &[]).map_err(|error| {
        if error.code != "wrong_family" {
            return error;
        }
        let found = &error.message;
        let message = say!(
            "{found}. Of control networks only Uni3C can be run; others, for images or other models, \
             cannot",
            "{found}コントロールネットで実行できるのは Uni3C だけです。画像用やほかのモデル用のものは使えません。";
            found
        );
        InferError { message, ..error }
    })?;
    Ok(vec![Info::Weights(weights.into())])
}

/// Sizes of a Uni3C network, as `facts.rs` tells them: for its cost, and to see whether it fits a
/// diffusion model ([`Uni3cDims::misfit`]).
///
/// # Errors
/// The file does not tell one of them.
pub fn uni3c_dims(weights: &WeightsInfo) -> Result<Uni3cDims, Sentence> {
    let get = |name: &str| weights.dim(name);
    Ok(Uni3cDims {
        in_dim: get("in_dim")?,
        conv_dim: get("conv_dim")?,
        dim: get("dim")?,
        ffn_dim: get("ffn_dim")?,
        heads: get("heads")?,
        layers: get("layers")?,
        time_dim: get("time_dim")?,
        out_dim: get("out_dim")?,
        add_dim: get("add_dim")?,
        mid_dim: get("mid_dim")?,
    })
}

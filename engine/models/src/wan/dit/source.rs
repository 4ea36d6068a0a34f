//! Reading the network's weights and sizes out of a checkpoint of either layout.

use burn::tensor::DType;
use longtake_shaders::{Activation, Tensor};

use super::dims::{DitDims, PATCH, TEXT_LEN};
use super::names::Layout;
use crate::Device;
use crate::weights::{Checkpoint, Matrix, WeightsError};

/// Head width of every published Wan model; smaller test models say theirs (see [`heads`]).
const HEAD_DIM: usize = 128;

/// Metadata entry with the number of heads.
const HEADS_ENTRY: &str = "longtake.heads";

/// Beginnings of tensor names (both layouts) of parts that are not built: without them such a
/// model would run and give nonsense.
const UNSUPPORTED: &[(&str, &str)] = &[
    ("vace_patch_embedding.", "the VACE control branch"),
    ("control_adapter.", "the camera adapter of Wan Fun"),
    ("ref_conv.", "the reference input of Wan Fun"),
    ("pose_patch_embedding.", "the pose input of Wan Animate"),
    ("casual_audio_encoder.", "the audio input of Wan S2V"),
    ("audio_proj.", "an audio input"),
];

/// Weight `[out, in]` and bias `[out]` of a linear layer.
#[derive(Clone)]
pub struct Linear {
    weight: Matrix,
    bias: Tensor<1>,
}

impl Linear {
    /// Of tensors that are at hand.
    pub fn dense(weight: Tensor<2>, bias: Tensor<1>) -> Self {
        Self {
            weight: weight.into(),
            bias,
        }
    }

    pub fn apply(&self, x: Tensor<3>) -> Tensor<3> {
        self.act(x, Activation::None)
    }

    /// Followed by the tanh form of GELU.
    pub fn apply_gelu(&self, x: Tensor<3>) -> Tensor<3> {
        self.act(x, Activation::GeluTanh)
    }

    /// Followed by `act`.
    pub fn act(&self, x: Tensor<3>, act: Activation) -> Tensor<3> {
        self.weight.apply(x, Some(self.bias.clone()), act)
    }

    /// The same layer, its weight dense: for one that is applied several times in a row.
    pub fn ready(&self) -> Self {
        Self {
            weight: self.weight.ready(),
            bias: self.bias.clone(),
        }
    }

    /// The type that it computes in.
    pub fn dtype(&self) -> DType {
        self.weight.dtype()
    }
}

/// A checkpoint of known layout and sizes, and where its tensors shall go.
pub struct Source<'a> {
    pub checkpoint: &'a Checkpoint,
    pub layout: Layout,
    pub dims: DitDims,
    pub device: &'a Device,
}

impl Source<'_> {
    /// The tensor with the authors' name `name`, whatever the file calls it.
    pub fn get<const D: usize>(
        &self,
        name: &str,
        shape: [usize; D],
    ) -> Result<Tensor<D>, WeightsError> {
        self.checkpoint
            .tensor(&self.layout.name(name), shape, self.device)
    }

    pub fn linear(&self, name: &str, from: usize, to: usize) -> Result<Linear, WeightsError> {
        let weight = self.layout.name(&format!("{name}.weight"));
        Ok(Linear {
            weight: self.checkpoint.matrix(&weight, [to, from], self.device)?,
            bias: self.get(&format!("{name}.bias"), [to])?,
        })
    }
}

/// Layout and sizes of a checkpoint.
pub fn read_dims(checkpoint: &Checkpoint) -> Result<(Layout, DitDims), WeightsError> {
    let refuse = |found: &str| WeightsError::WrongFamily {
        file: checkpoint.path().into(),
        expected: "a Wan video transformer".to_owned(),
        found: found.to_owned(),
    };
    let layout = Layout::detect(|name| checkpoint.has(name)).ok_or_else(|| {
        refuse("neither `head.modulation` nor `condition_embedder.time_proj.weight`")
    })?;
    for (name, what) in UNSUPPORTED {
        if checkpoint.has_prefix(name) {
            return Err(refuse(&format!(
                "`{name}`: {what}, which is not supported yet"
            )));
        }
    }
    let axis = |name: &str, axis: usize| {
        let name = layout.name(name);
        checkpoint.bytes_of(&name)?; // says so if it is missing
        let shape = checkpoint.shape(&name).unwrap_or_default();
        shape
            .get(axis)
            .copied()
            .ok_or_else(|| WeightsError::BadTensor {
                file: checkpoint.path().into(),
                tensor: name,
                expected: format!("at least {} axes", axis + 1),
                found: format!("shape {shape:?}"),
                remedy: "the file is of another model",
            })
    };
    let part = |name: &str, index: usize| {
        if checkpoint.has(&layout.name(name)) {
            axis(name, index)
        } else {
            Ok(0)
        }
    };
    let dim = axis("time_embedding.2.bias", 0)?;
    let dims = DitDims {
        dim,
        ffn_dim: axis("blocks.0.ffn.0.bias", 0)?,
        heads: heads(checkpoint, &layout.name("time_embedding.2.bias"), dim)?,
        layers: checkpoint.count_blocks("blocks."),
        in_dim: axis("patch_embedding.weight", 1)?,
        out_dim: axis("head.head.bias", 0)? / (PATCH * PATCH),
        text_dim: axis("text_embedding.0.weight", 1)?,
        text_len: TEXT_LEN,
        freq_dim: axis("time_embedding.0.weight", 1)?,
        image_dim: part("img_emb.proj.0.bias", 0)?,
        image_positions: part("img_emb.emb_pos", 1)?,
        pose_dim: part("patch_embedding_pose.weight", 1)?,
        mask_dim: part("patch_embedding_mask.weight", 1)?,
    };
    Ok((layout, dims))
}

/// What the file says (`num_attention_heads` of a diffusers config, or the metadata entry
/// `longtake.heads` of our test models), else one head per 128 channels.
fn heads(checkpoint: &Checkpoint, tensor: &str, dim: usize) -> Result<usize, WeightsError> {
    let written = checkpoint.metadata().get(HEADS_ENTRY);
    let heads = checkpoint
        .config_usize("num_attention_heads")
        .or_else(|| written.and_then(|heads| heads.parse().ok()))
        .unwrap_or(if dim.is_multiple_of(HEAD_DIM) {
            dim / HEAD_DIM
        } else {
            0
        });
    // The rotary embedding turns pairs, at least one on each of three axes.
    if heads > 0 && dim.is_multiple_of(2 * heads) && dim / heads >= 6 {
        return Ok(heads);
    }
    Err(WeightsError::BadTensor {
        file: checkpoint.path().into(),
        tensor: tensor.to_owned(),
        expected: format!(
            "a width of whole heads, each even and of 6 channels or more ({HEAD_DIM} unless the file says otherwise)"
        ),
        found: format!("width {dim} and {heads} heads"),
        remedy: "set `num_attention_heads` in config.json, or the metadata entry `longtake.heads`",
    })
}

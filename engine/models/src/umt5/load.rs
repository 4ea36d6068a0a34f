//! Loading the encoder from its two key layouts.

use super::Umt5;
use super::layer::Layer;
use crate::device;
use crate::weights::{
    Checkpoint, Family, FamilyKind, FloatKind, Placement, Umt5Dims, WeightsError, check_family,
};
use crate::{Device, Tensor};

/// The embedding table, in the names of HF and ComfyUI.
pub(super) const EMBEDDING: &str = "shared.weight";

/// Original name → HF name of what follows `blocks.N.` and `encoder.block.N.` (Wan-Video/Wan2.2,
/// `wan/modules/t5.py` against huggingface/transformers, `modeling_umt5.py`).
const LAYER_NAMES: &[(&str, &str)] = &[
    ("norm1.weight", "layer.0.layer_norm.weight"),
    ("attn.q.weight", "layer.0.SelfAttention.q.weight"),
    ("attn.k.weight", "layer.0.SelfAttention.k.weight"),
    ("attn.v.weight", "layer.0.SelfAttention.v.weight"),
    ("attn.o.weight", "layer.0.SelfAttention.o.weight"),
    (
        "pos_embedding.embedding.weight",
        "layer.0.SelfAttention.relative_attention_bias.weight",
    ),
    ("norm2.weight", "layer.1.layer_norm.weight"),
    ("ffn.gate.0.weight", "layer.1.DenseReluDense.wi_0.weight"),
    ("ffn.fc1.weight", "layer.1.DenseReluDense.wi_1.weight"),
    ("ffn.fc2.weight", "layer.1.DenseReluDense.wo.weight"),
];

/// HF's name for an original one; `None` for all others.
fn hf_name(name: &str) -> Option<String> {
    match name {
        "token_embedding.weight" => return Some(EMBEDDING.into()),
        "norm.weight" => return Some("encoder.final_layer_norm.weight".into()),
        _ => {}
    }
    let (block, rest) = name.strip_prefix("blocks.")?.split_once('.')?;
    // fp8 files keep a scale beside each weight: the same name with another ending.
    let (stem, ending) = rest.rsplit_once('.')?;
    let (_, hf) = LAYER_NAMES
        .iter()
        .find(|(original, _)| original.strip_suffix(".weight") == Some(stem))?;
    Some(format!(
        "encoder.block.{block}.{}.{ending}",
        hf.strip_suffix(".weight")?
    ))
}

/// The checkpoint under HF's names.
///
/// # Errors
/// [`WeightsError::Duplicate`] if it has a tensor in both layouts.
pub fn as_hf(checkpoint: &Checkpoint) -> Result<Checkpoint, WeightsError> {
    let embed = "encoder.embed_tokens.weight"; // HF exports may have the table under this name too
    if checkpoint.has("token_embedding.weight") {
        checkpoint.rename(hf_name)
    } else if !checkpoint.has(EMBEDDING) && checkpoint.has(embed) {
        checkpoint.rename(|name| (name == embed).then(|| EMBEDDING.into()))
    } else {
        Ok(checkpoint.clone())
    }
}

/// Sizes of the encoder in `checkpoint`.
///
/// # Errors
/// [`WeightsError::WrongFamily`] if it is something else.
pub fn required_dims(checkpoint: &Checkpoint) -> Result<Umt5Dims, WeightsError> {
    let found = Family::detect(checkpoint);
    match check_family(checkpoint.path(), found, FamilyKind::Umt5)? {
        // Half a table for each direction, and half of that for exact distances.
        Family::Umt5(dims) if dims.buckets >= 4 => Ok(dims),
        other => Err(WeightsError::WrongFamily {
            file: checkpoint.path().into(),
            expected: FamilyKind::Umt5.sentence(),
            found: other.sentence(),
        }),
    }
}

/// Bytes on the device once loaded: everything but the embedding table, which stays in its file.
pub fn weight_bytes(dims: &Umt5Dims, kind: FloatKind) -> u64 {
    // Wide enough for whatever a hostile header claims.
    let [d, d_ff, heads, d_kv, layers, buckets] = [
        dims.d,
        dims.d_ff,
        dims.heads,
        dims.d_kv,
        dims.layers,
        dims.buckets,
    ]
    .map(|n| n as u128);
    let layer = 4 * d * heads * d_kv + 3 * d * d_ff + 2 * d + buckets * heads;
    let bytes = layers
        .saturating_mul(layer)
        .saturating_add(d)
        .saturating_mul(kind.size().into());
    u64::try_from(bytes).unwrap_or(u64::MAX)
}

impl Umt5 {
    /// Loads the encoder onto `device`, in the dtype of [`Checkpoint::with_dtype`] (f32 on the CPU),
    /// telling `progress` the share that is done, 0 to 1, after each layer.
    ///
    /// # Errors
    /// [`WeightsError`] if the file is of another family, or lacks a tensor, or has it in another shape.
    pub fn load(
        checkpoint: &Checkpoint,
        device: &Device,
        placement: Placement,
        progress: &mut dyn FnMut(f32),
    ) -> Result<Self, WeightsError> {
        let dims = required_dims(checkpoint)?;
        let checkpoint = as_hf(checkpoint)?;
        let layers = match placement {
            Placement::Streamed => None,
            Placement::Resident => {
                let mut layers = Vec::with_capacity(dims.layers);
                for i in 0..dims.layers {
                    layers.push(layer(&checkpoint, i, &dims, device)?);
                    progress((i + 1) as f32 / dims.layers as f32);
                }
                Some(layers)
            }
        };
        let norm = checkpoint.tensor("encoder.final_layer_norm.weight", [dims.d], device)?;
        let kind = if device::is_cpu(device) {
            FloatKind::F32
        } else {
            checkpoint.float_kind()
        };
        Ok(Self {
            dims,
            layers,
            norm,
            device: device.clone(),
            dtype: kind.burn(),
            checkpoint,
        })
    }
}

/// One layer, read onto the device.
pub(super) fn layer(
    checkpoint: &Checkpoint,
    i: usize,
    dims: &Umt5Dims,
    device: &Device,
) -> Result<Layer, WeightsError> {
    let Umt5Dims {
        d,
        d_ff,
        heads,
        d_kv,
        buckets,
        ..
    } = *dims;
    let inner = heads * d_kv;
    let full = |name: &str| format!("encoder.block.{i}.{name}.weight");
    let matrix = |name: &str, shape: [usize; 2]| checkpoint.matrix(&full(name), shape, device);
    let vector = |name: &str| -> Result<Tensor<1>, WeightsError> {
        checkpoint.tensor(&full(name), [d], device)
    };
    Ok(Layer {
        norm1: vector("layer.0.layer_norm")?,
        q: matrix("layer.0.SelfAttention.q", [inner, d])?,
        k: matrix("layer.0.SelfAttention.k", [inner, d])?,
        v: matrix("layer.0.SelfAttention.v", [inner, d])?,
        o: matrix("layer.0.SelfAttention.o", [d, inner])?,
        positions: checkpoint.tensor(
            &full("layer.0.SelfAttention.relative_attention_bias"),
            [buckets, heads],
            device,
        )?,
        norm2: vector("layer.1.layer_norm")?,
        gate: matrix("layer.1.DenseReluDense.wi_0", [d_ff, d])?,
        up: matrix("layer.1.DenseReluDense.wi_1", [d_ff, d])?,
        down: matrix("layer.1.DenseReluDense.wo", [d, d_ff])?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn original_names_map_to_hf() {
        for (original, hf) in [
            (
                "blocks.3.pos_embedding.embedding.weight",
                Some("encoder.block.3.layer.0.SelfAttention.relative_attention_bias.weight"),
            ),
            (
                "blocks.0.ffn.gate.0.weight",
                Some("encoder.block.0.layer.1.DenseReluDense.wi_0.weight"),
            ),
            (
                "blocks.0.attn.q.scale_weight",
                Some("encoder.block.0.layer.0.SelfAttention.q.scale_weight"),
            ),
            ("norm.weight", Some("encoder.final_layer_norm.weight")),
            ("spiece_model", None),
            ("blocks.0.other.weight", None),
        ] {
            assert_eq!(hf_name(original).as_deref(), hf);
        }
    }

    /// google/umt5-xxl has 5,680,910,336 parameters, 256,384 × 4,096 of them in the table.
    #[test]
    fn bytes_of_the_real_one() {
        let dims = Umt5Dims {
            vocab: 256_384,
            d: 4096,
            d_ff: 10_240,
            heads: 64,
            d_kv: 64,
            layers: 24,
            buckets: 32,
        };
        assert_eq!(
            weight_bytes(&dims, FloatKind::Bf16),
            (5_680_910_336 - 256_384 * 4096) * 2
        );
    }
}

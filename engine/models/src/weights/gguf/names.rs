//! Names and shapes of GGUF files, brought to those of the models' own checkpoints.

use std::collections::BTreeMap;

use crate::weights::header::Slot;

/// llama.cpp's name of a T5 tensor → HF's, part by part (city96/ComfyUI-GGUF, `loader.py`,
/// `T5_SD_MAP`).
const T5_BLOCK: &[(&str, &str)] = &[
    ("attn_q", "layer.0.SelfAttention.q"),
    ("attn_k", "layer.0.SelfAttention.k"),
    ("attn_v", "layer.0.SelfAttention.v"),
    ("attn_o", "layer.0.SelfAttention.o"),
    ("attn_norm", "layer.0.layer_norm"),
    (
        "attn_rel_b",
        "layer.0.SelfAttention.relative_attention_bias",
    ),
    ("ffn_gate", "layer.1.DenseReluDense.wi_0"),
    ("ffn_up", "layer.1.DenseReluDense.wi_1"),
    ("ffn_down", "layer.1.DenseReluDense.wo"),
    ("ffn_norm", "layer.1.layer_norm"),
];

/// The names that modules ask for: those of a T5 encoder translated, all others as they are.
pub(super) fn translated(slots: BTreeMap<String, Slot>) -> BTreeMap<String, Slot> {
    if !slots.keys().any(|name| name.starts_with("enc.blk.")) {
        return slots;
    }
    let named = slots.into_iter();
    named
        .map(|(name, slot)| (t5_name(&name).unwrap_or(name), slot))
        .collect()
}

fn t5_name(name: &str) -> Option<String> {
    match name {
        "token_embd.weight" => return Some("shared.weight".to_owned()),
        "enc.output_norm.weight" => return Some("encoder.final_layer_norm.weight".to_owned()),
        _ => {}
    }
    let (block, part) = name.strip_prefix("enc.blk.")?.split_once('.')?;
    let (stem, ending) = part.rsplit_once('.')?;
    let (_, hf) = T5_BLOCK.iter().find(|(theirs, _)| *theirs == stem)?;
    Some(format!("encoder.block.{block}.{hf}.{ending}"))
}

/// Gives tensors their own shapes back: those that the converter noted, and those that its tools
/// lose. `llama-quantize` drops leading axes of one; five axes are more than ggml knows, so some files
/// have the patch convolution flattened.
pub(super) fn restore_shapes(
    slots: &mut BTreeMap<String, Slot>,
    noted: &BTreeMap<String, Vec<usize>>,
) {
    let widths: BTreeMap<String, usize> = slots
        .iter()
        .filter_map(|(name, slot)| {
            let stem = name.strip_suffix(".bias")?;
            Some((stem.to_owned(), *slot.shape.first()?))
        })
        .collect();
    for (name, slot) in slots {
        let count = |shape: &[usize]| {
            shape
                .iter()
                .try_fold(1_usize, |n, &axis| n.checked_mul(axis))
        };
        let size = count(&slot.shape);
        if let Some(shape) = noted.get(name).filter(|it| count(it) == size) {
            slot.shape.clone_from(shape);
        }
        let stem = name.strip_suffix(".weight").unwrap_or(name);
        let part = stem.rsplit('.').next().unwrap_or(stem);
        if slot.shape.len() == 2 && (part == "modulation" || part == "emb_pos") {
            slot.shape.insert(0, 1);
        }
        // Convolutions of 1×2×2, the patches of Wan.
        if part.starts_with("patch_embedding")
            && slot.shape.len() != 5
            && let (Some(&out), Some(size)) = (widths.get(stem), size)
            && out > 0
            && size.is_multiple_of(4 * out)
        {
            slot.shape = vec![out, size / (4 * out), 1, 2, 2];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::weights::Dtype;

    #[test]
    fn encoder_names_are_translated() {
        for (theirs, hf) in [
            ("token_embd.weight", Some("shared.weight")),
            (
                "enc.output_norm.weight",
                Some("encoder.final_layer_norm.weight"),
            ),
            (
                "enc.blk.11.attn_rel_b.weight",
                Some("encoder.block.11.layer.0.SelfAttention.relative_attention_bias.weight"),
            ),
            (
                "enc.blk.0.ffn_down.weight",
                Some("encoder.block.0.layer.1.DenseReluDense.wo.weight"),
            ),
            ("dec.blk.0.ffn_down.weight", None),
        ] {
            assert_eq!(t5_name(theirs).as_deref(), hf);
        }
    }

    #[test]
    fn lost_shapes_come_back() {
        let slot = |shape: &[usize]| Slot {
            dtype: Dtype::F32,
            shape: shape.to_vec(),
            start: 0,
            bytes: 0,
        };
        let mut slots: BTreeMap<String, Slot> = [
            ("patch_embedding.weight", &[3072, 1, 2, 2][..]),
            ("patch_embedding.bias", &[192]),
            ("blocks.0.modulation", &[6, 192]),
            ("blocks.0.ffn.0.weight", &[9, 256]),
            ("blocks.0.ffn.2.weight", &[9, 256]),
        ]
        .into_iter()
        .map(|(name, shape)| (name.to_owned(), slot(shape)))
        .collect();
        let noted = [
            ("blocks.0.ffn.0.weight".to_owned(), vec![48, 48]),
            ("blocks.0.ffn.2.weight".to_owned(), vec![7, 7]),
        ];
        restore_shapes(&mut slots, &noted.into());
        let shape = |name: &str| slots[name].shape.clone();
        assert_eq!(shape("patch_embedding.weight"), [192, 16, 1, 2, 2]);
        assert_eq!(shape("blocks.0.modulation"), [1, 6, 192]);
        assert_eq!(shape("blocks.0.ffn.0.weight"), [48, 48]);
        assert_eq!(
            shape("blocks.0.ffn.2.weight"),
            [9, 256],
            "of another size: not believed"
        );
    }
}

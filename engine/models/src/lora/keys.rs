//! The many spellings of LoRA keys, brought to one: the module's own name with underscores.
//!
//! Families are those of facts collected from ComfyUI (`comfy/lora.py`, `comfy/lora_convert.py`),
//! diffusers (`loaders/lora_conversion_utils.py`) and musubi-tuner (`networks/lora_wan.py`).

/// What one tensor of a LoRA file does to its module.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// `[rank, in]`
    Down,
    /// `[out, rank]`
    Up,
    /// Between the two, of convolutions: `[rank, rank, kernel…]`.
    Mid,
    /// The scale is alpha / rank.
    Alpha,
    /// Magnitudes of a weight-decomposed adapter.
    Dora,
    /// Added to the weight.
    Diff,
    /// Added to the bias.
    DiffBias,
    /// Added to a block's modulation.
    DiffModulation,
    /// Takes the weight's place.
    Set,
    /// The shape that the weight is padded to first.
    Reshape,
}

const ENDINGS: &[(&str, Role)] = &[
    (".lora_down.weight", Role::Down),
    (".lora_up.weight", Role::Up),
    (".lora_mid.weight", Role::Mid),
    (".lora_A.weight", Role::Down),
    (".lora_B.weight", Role::Up),
    (".lora.down.weight", Role::Down),
    (".lora.up.weight", Role::Up),
    ("_lora.down.weight", Role::Down),
    ("_lora.up.weight", Role::Up),
    (".lora_linear_layer.down.weight", Role::Down),
    (".lora_linear_layer.up.weight", Role::Up),
    (".lora_A", Role::Down),
    (".lora_B", Role::Up),
    (".alpha", Role::Alpha),
    (".dora_scale", Role::Dora),
    (".diff_b", Role::DiffBias),
    (".diff_m", Role::DiffModulation),
    (".diff", Role::Diff),
    (".set_weight", Role::Set),
    (".reshape_weight", Role::Reshape),
];

/// What trainers put before a module's name. Longer ones stand before their own beginnings.
const PREFIXES: &[&str] = &[
    "base_model.model.",
    "model.diffusion_model.",
    "diffusion_model.",
    "pipe.dit.",
    "dit.",
    "transformer_2.",
    "transformer.",
    "unet.",
    "lora_unet__",
    "lora_unet_",
    "lora_transformer_",
    "lycoris_",
    "text_encoders.umt5xxl.transformer.",
    "text_encoders.",
    "text_encoder.",
    "umt5xxl.transformer.",
    "lora_te1_",
    "lora_te3_",
    "lora_te_",
];

/// A tensor name of a LoRA file, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// The module with underscores for dots, all prefixes taken off: `blocks_0_self_attn_q`.
    pub module: String,
    pub role: Role,
    /// The key says `transformer_2`: diffusers' name for the low-noise expert of Wan 2.2 A14B.
    pub second_expert: bool,
}

/// Takes a tensor name apart; `None` if it has no ending that any family uses.
pub fn split(name: &str) -> Option<Key> {
    let (stem, role) = ending(name)?;
    let (mut stem, mut second_expert) = (stem, false);
    while let Some(prefix) = PREFIXES.iter().find(|it| stem.starts_with(**it)) {
        second_expert |= *prefix == "transformer_2.";
        stem = &stem[prefix.len()..];
    }
    Some(Key {
        module: spelling(&stem.replace(".processor.", ".")),
        role,
        second_expert,
    })
}

/// Dots to underscores: some families lose the difference, so nobody keeps it.
pub fn spelling(module: &str) -> String {
    module.replace('.', "_")
}

fn ending(name: &str) -> Option<(&str, Role)> {
    let plain = ENDINGS
        .iter()
        .find_map(|&(ending, role)| Some((name.strip_suffix(ending)?, role)));
    plain.or_else(|| {
        // PEFT writes an adapter's name in between: `lora_A.default.weight`.
        let stem = name.strip_suffix(".weight")?;
        let (stem, adapter) = stem.rsplit_once('.')?;
        let (stem, part) = stem.rsplit_once('.')?;
        let role = match part {
            "lora_A" => Role::Down,
            "lora_B" => Role::Up,
            _ => return None,
        };
        (!adapter.is_empty()).then_some((stem, role))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_come_to_one_spelling() {
        let q = "blocks_7_self_attn_q";
        let cases = [
            (
                "diffusion_model.blocks.7.self_attn.q.lora_down.weight",
                q,
                Role::Down,
            ),
            (
                "diffusion_model.blocks.7.self_attn.q.lora_A.weight",
                q,
                Role::Down,
            ),
            ("diffusion_model.blocks.7.self_attn.q.alpha", q, Role::Alpha),
            ("lora_unet_blocks_7_self_attn_q.lora_up.weight", q, Role::Up),
            (
                "lora_unet__blocks_7_self_attn_q.lora_up.weight",
                q,
                Role::Up,
            ),
            ("lycoris_blocks_7_self_attn_q.alpha", q, Role::Alpha),
            (
                "pipe.dit.blocks.7.self_attn.q.lora_B.default.weight",
                q,
                Role::Up,
            ),
            ("blocks.7.self_attn.q.lora_A.default.weight", q, Role::Down),
            (
                "base_model.model.blocks.7.self_attn.q.lora_B.weight",
                q,
                Role::Up,
            ),
            (
                "base_model.model.diffusion_model.blocks.7.self_attn.q.dora_scale",
                q,
                Role::Dora,
            ),
            (
                "diffusion_model.blocks.7.self_attn.q.diff_b",
                q,
                Role::DiffBias,
            ),
            (
                "diffusion_model.blocks.7.diff_m",
                "blocks_7",
                Role::DiffModulation,
            ),
            (
                "diffusion_model.patch_embedding.reshape_weight",
                "patch_embedding",
                Role::Reshape,
            ),
            (
                "transformer.blocks.7.attn1.to_q.lora_A.weight",
                "blocks_7_attn1_to_q",
                Role::Down,
            ),
            (
                "transformer.blocks.7.attn1.processor.to_q_lora.down.weight",
                "blocks_7_attn1_to_q",
                Role::Down,
            ),
        ];
        for (name, module, role) in cases {
            let key = split(name).unwrap();
            assert_eq!((key.module.as_str(), key.role), (module, role), "{name}");
            assert!(!key.second_expert);
        }
        let second = split("transformer_2.blocks.7.ffn.net.0.proj.lora_B.weight").unwrap();
        assert!(second.second_expert && second.module == "blocks_7_ffn_net_0_proj");
        assert_eq!(split("blocks.0.self_attn.q.weight"), None);
        assert_eq!(split("network_alphas"), None);
    }
}

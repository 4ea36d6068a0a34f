//! The three ways files name the vision tower's weights.

/// Naming of a checkpoint. Code asks for transformers' names below `vision_model.`;
/// [`Layout::name`] translates. Queries, keys and values, which are one matrix in the other two,
/// are asked for as `self_attn.qkv`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// transformers and ComfyUI: `vision_model.encoder.layers.0.self_attn.q_proj.weight`.
    Hf,
    /// Wan2.1 `wan/modules/clip.py`: `visual.transformer.0.attn.to_qkv.weight`.
    Wan,
    /// open_clip: `visual.transformer.resblocks.0.attn.in_proj_weight`.
    OpenClip,
}

/// transformers' name, Wan's and open_clip's of each weight outside the blocks.
const OUTSIDE: &[[&str; 3]] = &[
    [
        "embeddings.patch_embedding.weight",
        "patch_embedding.weight",
        "conv1.weight",
    ],
    [
        "embeddings.class_embedding",
        "cls_embedding",
        "class_embedding",
    ],
    [
        "embeddings.position_embedding.weight",
        "pos_embedding",
        "positional_embedding",
    ],
    // The slip of the pen is transformers' own.
    ["pre_layrnorm.weight", "pre_norm.weight", "ln_pre.weight"],
    ["pre_layrnorm.bias", "pre_norm.bias", "ln_pre.bias"],
];

/// The same within a block.
const INSIDE: &[[&str; 3]] = &[
    ["layer_norm1.weight", "norm1.weight", "ln_1.weight"],
    ["layer_norm1.bias", "norm1.bias", "ln_1.bias"],
    ["layer_norm2.weight", "norm2.weight", "ln_2.weight"],
    ["layer_norm2.bias", "norm2.bias", "ln_2.bias"],
    [
        "self_attn.qkv.weight",
        "attn.to_qkv.weight",
        "attn.in_proj_weight",
    ],
    [
        "self_attn.qkv.bias",
        "attn.to_qkv.bias",
        "attn.in_proj_bias",
    ],
    [
        "self_attn.out_proj.weight",
        "attn.proj.weight",
        "attn.out_proj.weight",
    ],
    [
        "self_attn.out_proj.bias",
        "attn.proj.bias",
        "attn.out_proj.bias",
    ],
    ["mlp.fc1.weight", "mlp.0.weight", "mlp.c_fc.weight"],
    ["mlp.fc1.bias", "mlp.0.bias", "mlp.c_fc.bias"],
    ["mlp.fc2.weight", "mlp.2.weight", "mlp.c_proj.weight"],
    ["mlp.fc2.bias", "mlp.2.bias", "mlp.c_proj.bias"],
];

/// Where transformers keeps the blocks.
const BLOCKS: &str = "encoder.layers.";

impl Layout {
    /// The layout of a checkpoint, judged by its patch embedding.
    pub fn detect(has: impl Fn(&str) -> bool) -> Option<Self> {
        [Self::Hf, Self::Wan, Self::OpenClip]
            .into_iter()
            .find(|layout| has(&layout.name(OUTSIDE[0][0])))
    }

    /// What this layout calls the weight with transformers' name `hf`.
    pub fn name(self, hf: &str) -> String {
        let (column, blocks) = match self {
            Self::Hf => return format!("vision_model.{hf}"),
            Self::Wan => (1, "transformer."),
            Self::OpenClip => (2, "transformer.resblocks."),
        };
        let translated = |table: &[[&str; 3]], name: &str| {
            let row = table.iter().find(|row| row[0] == name);
            row.map_or_else(|| name.to_owned(), |row| row[column].to_owned())
        };
        match hf.strip_prefix(BLOCKS).and_then(|it| it.split_once('.')) {
            Some((index, inner)) => format!("visual.{blocks}{index}.{}", translated(INSIDE, inner)),
            None => format!("visual.{}", translated(OUTSIDE, hf)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_translate() {
        for (hf, wan, open_clip) in [
            (
                "embeddings.patch_embedding.weight",
                "visual.patch_embedding.weight",
                "visual.conv1.weight",
            ),
            (
                "pre_layrnorm.bias",
                "visual.pre_norm.bias",
                "visual.ln_pre.bias",
            ),
            (
                "encoder.layers.31.self_attn.qkv.bias",
                "visual.transformer.31.attn.to_qkv.bias",
                "visual.transformer.resblocks.31.attn.in_proj_bias",
            ),
            (
                "encoder.layers.0.mlp.fc2.weight",
                "visual.transformer.0.mlp.2.weight",
                "visual.transformer.resblocks.0.mlp.c_proj.weight",
            ),
        ] {
            assert_eq!(Layout::Hf.name(hf), format!("vision_model.{hf}"));
            assert_eq!(Layout::Wan.name(hf), wan);
            assert_eq!(Layout::OpenClip.name(hf), open_clip);
        }
    }
}

//! The two ways checkpoints name the same weights: the authors' (ComfyUI keeps it) and diffusers'.

/// Naming of a checkpoint. Code asks for the authors' names; [`Layout::name`] translates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// `blocks.0.self_attn.q.weight`, as in Wan2.1 and ComfyUI's files.
    Original,
    /// `blocks.0.attn1.to_q.weight`, as `scripts/convert_wan_to_diffusers.py` writes.
    Diffusers,
}

/// The authors' name and diffusers' name of each weight outside the blocks, without the ending
/// `.weight` or `.bias`.
const OUTSIDE: &[(&str, &str)] = &[
    (
        "text_embedding.0",
        "condition_embedder.text_embedder.linear_1",
    ),
    (
        "text_embedding.2",
        "condition_embedder.text_embedder.linear_2",
    ),
    (
        "time_embedding.0",
        "condition_embedder.time_embedder.linear_1",
    ),
    (
        "time_embedding.2",
        "condition_embedder.time_embedder.linear_2",
    ),
    ("time_projection.1", "condition_embedder.time_proj"),
    ("img_emb.proj.0", "condition_embedder.image_embedder.norm1"),
    (
        "img_emb.proj.1",
        "condition_embedder.image_embedder.ff.net.0.proj",
    ),
    (
        "img_emb.proj.3",
        "condition_embedder.image_embedder.ff.net.2",
    ),
    ("img_emb.proj.4", "condition_embedder.image_embedder.norm2"),
    (
        "img_emb.emb_pos",
        "condition_embedder.image_embedder.pos_embed",
    ),
    ("head.modulation", "scale_shift_table"),
    ("head.head", "proj_out"),
];

/// The same within a block. diffusers renumbers the norms: its `norm2` stands before the
/// cross-attention, which is `norm3` of the authors; neither layout's other norms have weights.
const INSIDE: &[(&str, &str)] = &[
    ("modulation", "scale_shift_table"),
    ("self_attn.q", "attn1.to_q"),
    ("self_attn.k", "attn1.to_k"),
    ("self_attn.v", "attn1.to_v"),
    ("self_attn.o", "attn1.to_out.0"),
    ("self_attn.norm_q", "attn1.norm_q"),
    ("self_attn.norm_k", "attn1.norm_k"),
    ("cross_attn.q", "attn2.to_q"),
    ("cross_attn.k", "attn2.to_k"),
    ("cross_attn.v", "attn2.to_v"),
    ("cross_attn.o", "attn2.to_out.0"),
    ("cross_attn.norm_q", "attn2.norm_q"),
    ("cross_attn.norm_k", "attn2.norm_k"),
    ("cross_attn.k_img", "attn2.add_k_proj"),
    ("cross_attn.v_img", "attn2.add_v_proj"),
    ("cross_attn.norm_k_img", "attn2.norm_added_k"),
    ("norm3", "norm2"),
    ("ffn.0", "ffn.net.0.proj"),
    ("ffn.2", "ffn.net.2"),
];

impl Layout {
    /// The layout of a checkpoint, judged by a name that only it has: the weight ComfyUI itself
    /// looks for in the original layout, and the time projection in diffusers'.
    pub fn detect(has: impl Fn(&str) -> bool) -> Option<Self> {
        if has("head.modulation") {
            Some(Self::Original)
        } else if has("condition_embedder.time_proj.weight") {
            Some(Self::Diffusers)
        } else {
            None
        }
    }

    /// The authors' name of a weight that diffusers calls `diffusers`.
    pub fn original(diffusers: &str) -> String {
        let (block, inner) = split_block(diffusers);
        let table = if block.is_empty() { OUTSIDE } else { INSIDE };
        let (stem, ending) = split_ending(inner);
        let stem = table
            .iter()
            .find(|(_, theirs)| *theirs == stem)
            .map_or(stem, |(original, _)| original);
        format!("{block}{stem}{ending}")
    }

    /// What this layout calls the weight with the authors' name `original`.
    pub fn name(self, original: &str) -> String {
        if self == Self::Original {
            return original.to_owned();
        }
        let (block, inner) = split_block(original);
        let table = if block.is_empty() { OUTSIDE } else { INSIDE };
        let (stem, ending) = split_ending(inner);
        let stem = table
            .iter()
            .find(|(theirs, _)| *theirs == stem)
            .map_or(stem, |(_, diffusers)| diffusers);
        format!("{block}{stem}{ending}")
    }
}

/// `blocks.3.ffn.0.weight` into `blocks.3.` and `ffn.0.weight`.
fn split_block(name: &str) -> (&str, &str) {
    let end = name
        .strip_prefix("blocks.")
        .and_then(|rest| rest.find('.'))
        .map_or(0, |dot| "blocks.".len() + dot + 1);
    name.split_at(end)
}

fn split_ending(name: &str) -> (&str, &str) {
    let stem = name
        .strip_suffix(".weight")
        .or_else(|| name.strip_suffix(".bias"))
        .unwrap_or(name);
    (stem, &name[stem.len()..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_translate() {
        let cases = [
            ("patch_embedding.weight", "patch_embedding.weight"),
            ("head.modulation", "scale_shift_table"),
            ("head.head.bias", "proj_out.bias"),
            (
                "time_projection.1.weight",
                "condition_embedder.time_proj.weight",
            ),
            ("blocks.12.modulation", "blocks.12.scale_shift_table"),
            ("blocks.12.norm3.bias", "blocks.12.norm2.bias"),
            (
                "blocks.0.self_attn.norm_k.weight",
                "blocks.0.attn1.norm_k.weight",
            ),
            (
                "blocks.0.cross_attn.o.weight",
                "blocks.0.attn2.to_out.0.weight",
            ),
            ("blocks.7.ffn.0.weight", "blocks.7.ffn.net.0.proj.weight"),
            (
                "blocks.39.cross_attn.norm_k_img.weight",
                "blocks.39.attn2.norm_added_k.weight",
            ),
            (
                "img_emb.emb_pos",
                "condition_embedder.image_embedder.pos_embed",
            ),
        ];
        for (original, diffusers) in cases {
            assert_eq!(Layout::Original.name(original), original);
            assert_eq!(Layout::Diffusers.name(original), diffusers);
            assert_eq!(Layout::original(diffusers), original);
        }
    }

    #[test]
    fn layouts_are_told_apart() {
        let detect = |name: &str| Layout::detect(|asked| asked == name);
        assert_eq!(detect("head.modulation"), Some(Layout::Original));
        assert_eq!(
            detect("condition_embedder.time_proj.weight"),
            Some(Layout::Diffusers)
        );
        assert_eq!(detect("decoder.conv1.weight"), None);
    }
}

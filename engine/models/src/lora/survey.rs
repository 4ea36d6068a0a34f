//! What a LoRA file is made for, told from its keys and shapes alone: what the compiler asks before
//! any checkpoint is read.

use std::collections::BTreeMap;

use longtake_sentence::{Sentence, say};

use super::{Lora, Role};

/// Linear layers of a Wan block whose two sides are both the width of the stream, in both layouts.
const SQUARE: &[&str] = &[
    "self_attn_q",
    "self_attn_k",
    "self_attn_v",
    "self_attn_o",
    "cross_attn_q",
    "cross_attn_k",
    "cross_attn_v",
    "cross_attn_o",
    "cross_attn_k_img",
    "cross_attn_v_img",
    "attn1_to_q",
    "attn1_to_k",
    "attn1_to_v",
    "attn1_to_out_0",
    "attn2_to_q",
    "attn2_to_k",
    "attn2_to_v",
    "attn2_to_out_0",
    "attn2_add_k_proj",
    "attn2_add_v_proj",
];
/// First layer of the feed-forward: from the stream's width to the hidden one.
const WIDE: &[&str] = &["ffn_0", "ffn_net_0_proj"];
/// The rest of what Wan's DiT has.
const BLOCK_OTHERS: &[&str] = &[
    "ffn_2",
    "ffn_net_2",
    "norm",
    "modulation",
    "scale_shift_table",
];
const OUTSIDE: &[&str] = &[
    "patch_embedding",
    "text_embedding_",
    "time_embedding_",
    "time_projection_",
    "head",
    "img_emb_",
    "condition_embedder_",
    "proj_out",
];

/// Parts of names that give other architectures away, and what to call those.
const OTHERS: &[(&str, &str)] = &[
    ("double_blocks", "Flux or HunyuanVideo"),
    ("single_transformer_blocks", "Flux"),
    ("single_blocks", "Flux or HunyuanVideo"),
    ("joint_blocks", "Stable Diffusion 3"),
    (
        "transformer_blocks",
        "LTX-Video, Qwen-Image or Stable Diffusion",
    ),
    ("down_blocks", "Stable Diffusion"),
    ("input_blocks", "Stable Diffusion"),
    ("up_blocks", "Stable Diffusion"),
];

/// A LoRA seen from outside.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Survey {
    /// Modules of any kind.
    pub modules: usize,
    /// Those that Wan's DiT has by name.
    pub dit: usize,
    /// Those that the UMT5 encoder has by name.
    pub umt5: usize,
    /// Width of the token stream that it was trained on.
    pub dim: Option<usize>,
    /// Width of the feed-forward's hidden layer.
    pub ffn_dim: Option<usize>,
    /// One more than the highest block it names.
    pub layers: usize,
    /// Numbers in all its low-rank matrices.
    pub elements: u64,
    /// Numbers in the low-rank matrices of its largest block.
    pub block_elements: u64,
    /// Channels that it widens the patch embedding to.
    pub in_dim: Option<usize>,
    /// The architecture that other names point to.
    pub other: Option<&'static str>,
}

impl Survey {
    /// Looks at names and shapes; reads no weights.
    pub fn of(lora: &Lora) -> Self {
        let mut survey = Self::default();
        let mut blocks = BTreeMap::<usize, u64>::new();
        for (module, parts) in lora.modules.iter().chain(&lora.second) {
            survey.modules += 1;
            let shape = |role: Role| {
                let name = parts.get(&role)?;
                lora.file.shape(name).map(<[usize]>::to_vec)
            };
            let (down, up) = (shape(Role::Down), shape(Role::Up));
            let size = |shape: &Option<Vec<usize>>| {
                let shape = shape.iter().flatten();
                shape.fold(1_u64, |n, &axis| n.saturating_mul(axis as u64))
            };
            let elements = match (&down, &up) {
                (Some(_), Some(_)) => size(&down).saturating_add(size(&up)),
                _ => 0,
            };
            survey.elements = survey.elements.saturating_add(elements);
            if module.starts_with("encoder_block_") {
                survey.umt5 += 1;
            }
            let inner = down.as_ref().and_then(|shape| shape.get(1)).copied();
            let outer = up.as_ref().and_then(|shape| shape.first()).copied();
            if let Some((block, part)) = block_of(module) {
                survey.see_part(part, inner, outer);
                survey.layers = survey.layers.max(block + 1);
                let sum = blocks.entry(block).or_default();
                *sum = sum.saturating_add(elements);
            } else if OUTSIDE.iter().any(|it| module.starts_with(it)) {
                survey.dit += 1;
            }
            if module == "patch_embedding" {
                survey.in_dim = survey.in_dim.or_else(|| widened(lora, parts));
            }
            survey.other = survey.other.or_else(|| {
                let found = OTHERS.iter().find(|(part, _)| module.contains(part));
                found.map(|&(_, name)| name)
            });
        }
        survey.block_elements = blocks.into_values().max().unwrap_or(0);
        survey
    }

    fn see_part(&mut self, part: &str, inner: Option<usize>, outer: Option<usize>) {
        if SQUARE.contains(&part) {
            self.dit += 1;
            self.dim = self.dim.or(inner);
        } else if WIDE.contains(&part) {
            self.dit += 1;
            self.dim = self.dim.or(inner);
            self.ffn_dim = self.ffn_dim.or(outer);
        } else if part.is_empty() || BLOCK_OTHERS.iter().any(|it| part.contains(it)) {
            self.dit += 1;
        }
    }

    /// As the named numbers that the compiler carries.
    pub fn to_dims(&self) -> BTreeMap<String, u64> {
        let other = self
            .other
            .and_then(|name| OTHERS.iter().position(|it| it.1 == name));
        let or_zero = |n: Option<usize>| n.unwrap_or(0) as u64;
        let pairs = [
            ("modules", self.modules as u64),
            ("dit_modules", self.dit as u64),
            ("umt5_modules", self.umt5 as u64),
            ("dim", or_zero(self.dim)),
            ("ffn_dim", or_zero(self.ffn_dim)),
            ("layers", self.layers as u64),
            ("adapter_elements", self.elements),
            ("block_elements", self.block_elements),
            ("in_dim", or_zero(self.in_dim)),
            ("other", other.map_or(0, |at| at as u64 + 1)),
        ];
        pairs.map(|(name, n)| (name.to_owned(), n)).into()
    }

    /// The survey that [`Survey::to_dims`] wrote.
    pub fn from_dims(dims: &BTreeMap<String, u64>) -> Self {
        let number = |name: &str| dims.get(name).copied().unwrap_or(0);
        let count = |name: &str| usize::try_from(number(name)).unwrap_or(usize::MAX);
        let some = |name: &str| Some(count(name)).filter(|&n| n > 0);
        let other = some("other").and_then(|at| OTHERS.get(at - 1));
        Self {
            modules: count("modules"),
            dit: count("dit_modules"),
            umt5: count("umt5_modules"),
            dim: some("dim"),
            ffn_dim: some("ffn_dim"),
            layers: count("layers"),
            elements: number("adapter_elements"),
            block_elements: number("block_elements"),
            in_dim: some("in_dim"),
            other: other.map(|it| it.1),
        }
    }

    /// Why it cannot be put on a DiT of these widths, if so.
    pub fn misfit(&self, dim: usize, ffn_dim: usize) -> Option<Sentence> {
        let wrong = |ours: usize, theirs: Option<usize>| theirs.is_some_and(|it| it != ours);
        if self.dit == 0 {
            Some(self.described())
        } else if wrong(dim, self.dim) {
            let described = self.described();
            Some(
                say!("{described}; this model is {dim} wide", "{described}。このモデルの幅は {dim} です"; described),
            )
        } else if wrong(ffn_dim, self.ffn_dim) {
            let theirs = self.ffn_dim.unwrap_or(0);
            Some(say!(
                "It is made for a feed-forward {theirs} wide; this model's is {ffn_dim}",
                "幅 {theirs} のフィードフォワード用です。このモデルの幅は {ffn_dim} です"
            ))
        } else {
            None
        }
    }

    /// What it is for, in words.
    pub fn described(&self) -> Sentence {
        let layers = self.layers;
        match (self.dit, self.umt5, self.dim, self.other) {
            (0, 0, _, Some(other)) => say!("It is made for {other}", "{other} 用の LoRA です"),
            (0, 0, _, None) => say!(
                "Its keys are of no model that Longtake runs",
                "Longtake で動くどのモデルのキーでもありません"
            ),
            (0, _, _, _) => say!(
                "It is made for the text encoder",
                "テキストエンコーダー用の LoRA です"
            ),
            (_, _, Some(dim), _) => say!(
                "It is made for a Wan model {dim} wide with {layers} blocks or more",
                "幅 {dim}、{layers} ブロック以上の Wan モデル用の LoRA です"
            ),
            (_, _, None, _) => {
                say!("It is made for a Wan model", "Wan モデル用の LoRA です")
            }
        }
    }
}

/// `blocks_12_ffn_0` → (12, `ffn_0`).
fn block_of(module: &str) -> Option<(usize, &str)> {
    let rest = module.strip_prefix("blocks_")?;
    let (number, part) = rest.split_once('_').unwrap_or((rest, ""));
    // Nobody has a million blocks; a larger number is a hostile name.
    let number = number.parse().ok().filter(|&n: &usize| n < 1_000_000)?;
    Some((number, part))
}

fn widened(lora: &Lora, parts: &super::Parts) -> Option<usize> {
    let shape = super::bind::numbers(&lora.file, parts.get(&Role::Reshape)?)?;
    shape.get(1).copied()
}

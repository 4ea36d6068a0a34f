//! Checkpoints as they are published: what a plan is told of them without a byte of them being here.
//!
//! Sizes are those of Wan-AI's, Kijai's and Comfy-Org's files; parameters are counted from the
//! published dimensions, so that a plan's memory is what a real run would take.

use std::collections::BTreeMap;
use std::path::PathBuf;

use longtake_graph::ModelFolder;
use longtake_plan::WeightsFacts;

type Dims = Vec<(&'static str, u64)>;

/// Weights of one block's linear layers, and its other numbers.
struct Block {
    linear: u64,
    dense: u64,
}

/// Dimensions of a Wan transformer, its parameters and its block. `image` is the CLIP branch.
fn wan(dim: u64, ffn: u64, layers: u64, taken: u64, out: u64, image: bool) -> (u64, Dims, Block) {
    let dims = vec![
        ("dim", dim),
        ("ffn_dim", ffn),
        ("heads", dim / 128),
        ("layers", layers),
        ("in_dim", taken),
        ("out_dim", out),
        ("text_dim", 4096),
        ("i2v", u64::from(image)),
        ("image_dim", if image { 1280 } else { 0 }),
        ("image_positions", 0),
        ("pose_dim", 0),
        ("mask_dim", 0),
    ];
    let block = Block {
        linear: 8 * dim * dim + 2 * dim * ffn + if image { 2 * dim * dim } else { 0 },
        dense: 21 * dim + ffn + if image { 3 * dim } else { 0 },
    };
    let linear = |to: u64, from: u64| to * from + to;
    let clip = 2 * 1280 + linear(1280, 1280) + linear(dim, 1280) + 2 * dim;
    let ends = linear(dim, 4 * taken)
        + linear(dim, 4096)
        + 2 * linear(dim, dim)
        + linear(dim, 256)
        + linear(6 * dim, dim)
        + linear(4 * out, dim)
        + 2 * dim
        + if image { clip } else { 0 };
    (ends + layers * (block.linear + block.dense), dims, block)
}

/// Says that the linear layers of `blocks` blocks are kept as fp8; gives what is left of `elements`.
fn packed(elements: u64, blocks: u64, block: &Block, dims: &mut Dims) -> u64 {
    let bytes = blocks * block.linear;
    dims.extend([
        ("packed", 1),
        ("packed_bytes", bytes),
        ("packed_bytes_gpu", bytes),
        ("linear_elements", 0),
        ("block_elements", block.dense),
        ("block_packed_bytes", block.linear),
        ("block_packed_bytes_gpu", block.linear),
        ("block_linear_elements", 0),
    ]);
    elements - bytes
}

fn diffusion(name: &str) -> (u64, Dims) {
    let (mut elements, mut dims, block) = match name {
        it if it.contains("1.3B") => wan(1536, 8960, 30, 16, 16, false),
        it if it.contains("5B") => wan(3072, 14_336, 30, 48, 48, false),
        it if it.contains("SCAIL") => wan(5120, 13_824, 40, 20, 16, true),
        it if it.contains("wan2.2_i2v") => wan(5120, 13_824, 40, 36, 16, false),
        _ => wan(5120, 13_824, 40, 16, 16, false),
    };
    if name.contains("SCAIL") {
        elements += 5120 * (4 * 20 + 1);
        dims.push(("pose_dim", 20));
    }
    if name.contains("fp8") {
        elements = packed(elements, 40, &block, &mut dims);
    }
    (elements, dims)
}

/// What is known of a published file; `None` in a folder where no preset has one.
pub fn published(folder: ModelFolder, name: &str) -> Option<WeightsFacts> {
    let (family, elements, dims) = match folder {
        ModelFolder::DiffusionModels => {
            let (elements, dims) = diffusion(name);
            ("wan-dit", elements, dims)
        }
        ModelFolder::TextEncoders => (
            "umt5",
            // Without the token table, which is read row by row.
            5_680_910_336 - 256_384 * 4096,
            vec![
                ("vocab", 256_384),
                ("dim", 4096),
                ("ffn_dim", 10_240),
                ("heads", 64),
                ("head_dim", 64),
                ("layers", 24),
                ("buckets", 32),
            ],
        ),
        ModelFolder::Vae if name.contains("2.2") => (
            "wan-vae-2.2",
            705_000_000,
            vec![("dim", 160), ("decoder_dim", 256), ("z_dim", 48)],
        ),
        ModelFolder::Vae => ("wan-vae-2.1", 126_892_531, vec![("dim", 96), ("z_dim", 16)]),
        ModelFolder::ClipVision => (
            "clip-vision",
            632_076_800,
            vec![
                ("dim", 1280),
                ("ffn_dim", 5120),
                ("heads", 16),
                ("layers", 32),
                ("patch", 14),
                ("tokens", 257),
            ],
        ),
        ModelFolder::Controlnet => (
            "uni3c",
            1_165_741_824,
            vec![
                ("in_dim", 36),
                ("conv_dim", 5120),
                ("dim", 1024),
                ("ffn_dim", 8192),
                ("heads", 16),
                ("layers", 20),
                ("time_dim", 5120),
                ("out_dim", 5120),
                ("add_dim", 7),
                ("mid_dim", 256),
            ],
        ),
        _ => return None,
    };
    let dims: BTreeMap<String, u64> = dims
        .into_iter()
        .map(|(name, n)| (name.to_owned(), n))
        .collect();
    Some(WeightsFacts {
        path: PathBuf::from("models").join(folder.names()[0]).join(name),
        fingerprint: format!("{name:?}"),
        file_bytes: elements * 2 + dims.get("packed_bytes").unwrap_or(&0),
        elements,
        family: family.to_owned(),
        dims,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_those_counted_from_the_published_shapes() {
        for (sizes, counted) in [
            (wan(1536, 8960, 30, 16, 16, false), 1_418_996_800),
            (wan(5120, 13_824, 40, 16, 16, false), 14_288_491_584),
            (wan(5120, 13_824, 40, 36, 16, true), 16_394_878_784),
            (wan(3072, 14_336, 30, 48, 48, false), 4_999_787_712),
        ] {
            assert_eq!(sizes.0, counted);
        }
    }
}

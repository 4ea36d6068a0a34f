//! Checkpoints of random weights for the memory test: a vision tower and a control network.

#![allow(clippy::unwrap_used, reason = "test code, though not inside the tests")]

use std::path::Path;

use crate::dit_support::write_random;

/// Names and shapes of a file.
struct Plan(Vec<(String, Vec<usize>)>);

impl Plan {
    fn add(&mut self, name: impl Into<String>, shape: &[usize]) {
        self.0.push((name.into(), shape.to_vec()));
    }

    fn linear(&mut self, name: &str, shape: &[usize]) {
        self.add(format!("{name}.weight"), shape);
        self.add(format!("{name}.bias"), &shape[..1]);
    }

    fn write(&self, heads: usize, path: &Path) {
        write_random(&self.0, heads, path);
    }
}

/// 257 tokens of 160, as many as the real tower has.
pub fn write_clip(path: &Path) {
    let mut plan = Plan(Vec::new());
    let (w, m) = (160, 640);
    let name = |part: &str| format!("vision_model.{part}");
    plan.add(name("embeddings.patch_embedding.weight"), &[w, 3, 4, 4]);
    plan.add(name("embeddings.class_embedding"), &[w]);
    plan.add(name("embeddings.position_embedding.weight"), &[257, w]);
    plan.linear(&name("pre_layrnorm"), &[w]);
    for i in 0..4 {
        let name = |part: &str| format!("vision_model.encoder.layers.{i}.{part}");
        plan.linear(&name("layer_norm1"), &[w]);
        plan.linear(&name("layer_norm2"), &[w]);
        for part in ["q_proj", "k_proj", "v_proj", "out_proj"] {
            plan.linear(&name(&format!("self_attn.{part}")), &[w, w]);
        }
        plan.linear(&name("mlp.fc1"), &[m, w]);
        plan.linear(&name("mlp.fc2"), &[w, m]);
    }
    plan.write(2, path);
}

/// Widths in the proportions of the published network, with the geometric branch.
pub fn write_uni3c(path: &Path) {
    let mut plan = Plan(Vec::new());
    let (wide, d, f, mid) = (640, 128, 512, 64);
    plan.linear("controlnet_patch_embedding", &[wide, 36, 1, 2, 2]);
    plan.linear("controlnet_mask_embedding.mask_proj.0", &[mid, 7, 4, 8, 8]);
    plan.linear("controlnet_mask_embedding.mask_proj.1", &[mid]);
    plan.linear(
        "controlnet_mask_embedding.mask_zero_proj",
        &[wide, mid, 1, 2, 2],
    );
    plan.linear("proj_in", &[d, wide]);
    for i in 0..3 {
        let name = |part: &str| format!("controlnet_blocks.{i}.{part}");
        for norm in ["norm1", "norm2"] {
            plan.linear(&name(&format!("{norm}.linear")), &[3 * d, wide]);
            plan.linear(&name(&format!("{norm}.norm")), &[d]);
        }
        for part in ["q", "k", "v", "o"] {
            plan.linear(&name(&format!("self_attn.{part}")), &[d, d]);
        }
        plan.add(name("self_attn.norm_q.weight"), &[d]);
        plan.add(name("self_attn.norm_k.weight"), &[d]);
        plan.linear(&name("ffn.0"), &[f, d]);
        plan.linear(&name("ffn.2"), &[d, f]);
        plan.linear(&format!("proj_out.{i}"), &[wide, d]);
    }
    plan.write(2, path);
}

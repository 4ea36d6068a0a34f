//! What the DiT's tests share: golden files, one pass, and how far two results lie apart.

#![allow(dead_code, reason = "each test binary uses its part")]
#![allow(clippy::unwrap_used, reason = "test code, though not inside the tests")]

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use burn::tensor::TensorData;
use longtake_models::Device;
use longtake_models::wan::dit::{Pass, Placement, Times, WanDit};
use longtake_models::weights::Checkpoint;
use longtake_shaders::Tensor;
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};

pub struct Case {
    pub latent: Tensor<5>,
    pub timestep: Vec<f32>,
    pub context: Tensor<3>,
    pub output: Vec<f32>,
}

pub fn data(name: &str) -> PathBuf {
    Path::new(env!("LONGTAKE_CHECKOUT"))
        .join("tests/data/dit")
        .join(name)
}

#[allow(
    clippy::default_trait_access,
    reason = "Burn does not export the type's name"
)]
pub fn cpu() -> Device {
    Device::Flex(Default::default())
}

pub fn checkpoint(path: &Path) -> Checkpoint {
    Checkpoint::open(path).unwrap()
}

pub fn load(path: &Path, placement: Placement) -> WanDit {
    WanDit::load(&checkpoint(path), &cpu(), placement, &mut |_, _| {}).unwrap()
}

/// All tensors of a safetensors file of f32: shape and values.
pub fn read(path: &Path) -> HashMap<String, (Vec<usize>, Vec<f32>)> {
    let bytes = std::fs::read(path).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    file.iter()
        .map(|(name, view)| {
            assert_eq!(view.dtype(), Dtype::F32, "{name}");
            (
                name.to_owned(),
                (
                    view.shape().to_vec(),
                    bytemuck::pod_collect_to_vec(view.data()),
                ),
            )
        })
        .collect()
}

pub fn tensor<const D: usize>((shape, values): &(Vec<usize>, Vec<f32>)) -> Tensor<D> {
    Tensor::from_data(TensorData::new(values.clone(), shape.clone()), &cpu())
}

pub fn case(path: &Path, name: &str) -> Case {
    let file = read(path);
    let get = |part: &str| &file[&format!("{name}.{part}")];
    Case {
        latent: tensor(get("latent")),
        timestep: get("timestep").1.clone(),
        context: tensor(get("context")),
        output: get("output").1.clone(),
    }
}

pub fn run(dit: &WanDit, case: &Case) -> Tensor<5> {
    let text = dit.prepare_context(case.context.clone(), None).unwrap();
    let mut go_on = |_, _| ControlFlow::Continue(());
    dit.forward(
        Pass::new(case.latent.clone(), Times::PerItem(&case.timestep), &text),
        &mut go_on,
    )
    .unwrap()
}

pub fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().to_vec().unwrap()
}

/// `max |a - b| / max |b|`.
pub fn max_relative_error(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    let largest = b.iter().fold(0.0_f32, |most, b| most.max(b.abs()));
    let apart = a
        .iter()
        .zip(b)
        .fold(0.0_f32, |most, (a, b)| most.max((a - b).abs()));
    assert!(apart.is_finite() && largest > 0.0);
    apart / largest
}

/// A tensor as it stands in a file.
pub struct Stored {
    pub name: String,
    pub dtype: Dtype,
    pub shape: Vec<usize>,
    pub bytes: Vec<u8>,
}

/// Copies a file, its metadata too; `edit` changes its tensors.
pub fn rewrite(from: &Path, to: &Path, edit: impl FnOnce(&mut Vec<Stored>)) {
    let bytes = std::fs::read(from).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let (_, header) = SafeTensors::read_metadata(&bytes).unwrap();
    let mut tensors: Vec<Stored> = file
        .iter()
        .map(|(name, view)| Stored {
            name: name.to_owned(),
            dtype: view.dtype(),
            shape: view.shape().to_vec(),
            bytes: view.data().to_vec(),
        })
        .collect();
    edit(&mut tensors);
    let views = tensors.iter().map(|it| {
        let view = TensorView::new(it.dtype, it.shape.clone(), &it.bytes).unwrap();
        (it.name.as_str(), view)
    });
    safetensors::serialize_to_file(views, header.metadata().clone(), to).unwrap();
}

/// Turns bfloat16 tensors into float16.
pub fn to_f16(tensors: &mut Vec<Stored>) {
    for it in tensors {
        assert_eq!(it.dtype, Dtype::BF16, "{}", it.name);
        it.dtype = Dtype::F16;
        for pair in it.bytes.as_chunks_mut::<2>().0 {
            let wide = half::bf16::from_le_bytes(*pair).to_f32();
            *pair = half::f16::from_f32(wide).to_le_bytes();
        }
    }
}

/// Sizes of a model of random weights, in the order of [`DitDims`]'s fields.
#[derive(Clone, Copy)]
pub struct RandomModel {
    pub dim: usize,
    pub ffn_dim: usize,
    pub heads: usize,
    pub layers: usize,
    pub in_dim: usize,
    pub text_dim: usize,
    pub image_dim: usize,
    pub pose_dim: usize,
}

impl RandomModel {
    /// Text to video, quick to run.
    pub const SMALL: Self = Self {
        dim: 48,
        ffn_dim: 96,
        heads: 2,
        layers: 2,
        in_dim: 16,
        text_dim: 64,
        image_dim: 0,
        pose_dim: 0,
    };

    /// Writes it in the authors' layout, float32.
    pub fn write(&self, path: &Path) {
        let (d, f) = (self.dim, self.ffn_dim);
        let mut tensors: Vec<(String, Vec<usize>)> = Vec::new();
        let mut linear = |name: String, from: usize, to: usize| {
            tensors.push((format!("{name}.weight"), vec![to, from]));
            tensors.push((format!("{name}.bias"), vec![to]));
        };
        for (name, from, to) in [
            ("text_embedding.0", self.text_dim, d),
            ("text_embedding.2", d, d),
            ("time_embedding.0", 256, d),
            ("time_embedding.2", d, d),
            ("time_projection.1", d, 6 * d),
            ("head.head", d, 64),
        ] {
            linear(name.to_owned(), from, to);
        }
        let image = self.image_dim;
        if image > 0 {
            linear("img_emb.proj.1".to_owned(), image, image);
            linear("img_emb.proj.3".to_owned(), image, d);
        }
        for block in 0..self.layers {
            for attention in ["self_attn", "cross_attn"] {
                for part in ["q", "k", "v", "o"] {
                    linear(format!("blocks.{block}.{attention}.{part}"), d, d);
                }
            }
            for part in ["k_img", "v_img"].iter().filter(|_| image > 0) {
                linear(format!("blocks.{block}.cross_attn.{part}"), d, d);
            }
            linear(format!("blocks.{block}.ffn.0"), d, f);
            linear(format!("blocks.{block}.ffn.2"), f, d);
        }
        for block in 0..self.layers {
            let vectors = ["norm3.weight", "norm3.bias"]
                .into_iter()
                .map(str::to_owned);
            let norms = ["self_attn", "cross_attn"]
                .into_iter()
                .flat_map(|a| ["q", "k"].map(|part| format!("{a}.norm_{part}.weight")));
            for name in vectors.chain(norms) {
                tensors.push((format!("blocks.{block}.{name}"), vec![d]));
            }
            if image > 0 {
                let name = format!("blocks.{block}.cross_attn.norm_k_img.weight");
                tensors.push((name, vec![d]));
            }
            tensors.push((format!("blocks.{block}.modulation"), vec![1, 6, d]));
        }
        for (name, width) in [("img_emb.proj.0", image), ("img_emb.proj.4", d)] {
            for part in ["weight", "bias"].iter().filter(|_| image > 0) {
                tensors.push((format!("{name}.{part}"), vec![width]));
            }
        }
        tensors.push(("head.modulation".to_owned(), vec![1, 2, d]));
        let patches = [("", self.in_dim), ("_pose", self.pose_dim)];
        for (name, channels) in patches.into_iter().filter(|(_, channels)| *channels > 0) {
            let name = format!("patch_embedding{name}");
            tensors.push((format!("{name}.weight"), vec![d, channels, 1, 2, 2]));
            tensors.push((format!("{name}.bias"), vec![d]));
        }

        write_random(&tensors, self.heads, path);
    }
}

/// A file of random f32 tensors, and the number of heads in its metadata.
pub fn write_random(tensors: &[(String, Vec<usize>)], heads: usize, path: &Path) {
    let bytes: Vec<Vec<u8>> = tensors
        .iter()
        .map(|(_, shape)| random_bytes(shape))
        .collect();
    let views = tensors.iter().zip(&bytes).map(|((name, shape), bytes)| {
        (
            name,
            TensorView::new(Dtype::F32, shape.clone(), bytes).unwrap(),
        )
    });
    let heads = HashMap::from([("longtake.heads".to_owned(), heads.to_string())]);
    safetensors::serialize_to_file(views, Some(heads), path).unwrap();
}

/// Uniform in +-1/sqrt(fan-in); the numbers only have to be neither equal nor large.
fn random_bytes(shape: &[usize]) -> Vec<u8> {
    let count: usize = shape.iter().product();
    let scale = 1.0 / ((count / shape[0]).max(4) as f32).sqrt();
    let mut state = count as u64 | 1;
    let mut next = || {
        state = state
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        (state >> 40) as f32 / (1 << 23) as f32 - 1.0
    };
    (0..count)
        .flat_map(|_| (next() * scale).to_le_bytes())
        .collect()
}

/// The inputs that `pattern` of the reference script makes, to the bit.
pub fn pattern<const D: usize>(shape: [usize; D]) -> Tensor<D> {
    let count: usize = shape.iter().product();
    let value = |index: usize| (index * 7919 % 1000) as f32 / 500.0 - 1.0;
    let values: Vec<f32> = (0..count).map(value).collect();
    Tensor::from_data(TensorData::new(values, shape), &cpu())
}

/// Waves over the elements: an input without randomness.
pub fn waves<const D: usize>(shape: [usize; D]) -> Tensor<D> {
    let count: usize = shape.iter().product();
    let values: Vec<f32> = (0..count).map(|i| (i as f32 * 0.7).sin()).collect();
    Tensor::from_data(TensorData::new(values, shape), &cpu())
}

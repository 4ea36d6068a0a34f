//! What the tests of the VAEs share: the two small models, their goldens, ways to compare.

#![allow(clippy::unwrap_used, dead_code)] // tests; not every test uses all

use std::path::{Path, PathBuf};

use burn::backend::flex::FlexDevice;
use longtake_models::wan::vae::{Parts, VaeDims, WanVae};
use longtake_models::weights::Checkpoint;
use longtake_models::{Device, Tensor};

/// A small random VAE that diffusers made, with what it decoded and encoded.
pub struct Model {
    pub folder: &'static str,
    /// Latent frames of the decodings.
    pub decoded: &'static [usize],
    /// Frames of the encodings, up to those of `video`.
    pub encoded: &'static [usize],
}

pub const WAN21: Model = Model {
    folder: "vae",
    decoded: &[1, 2, 4],
    encoded: &[1, 5, 9, 13],
};

pub const WAN22: Model = Model {
    folder: "vae22",
    decoded: &[1, 2, 3],
    encoded: &[1, 5, 9],
};

pub fn cpu() -> Device {
    Device::Flex(FlexDevice)
}

impl Model {
    pub fn dims(&self) -> VaeDims {
        match self.folder {
            "vae" => VaeDims::wan21(4, 4),
            _ => VaeDims::wan22(2, 4, 4),
        }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        let data = Path::new(env!("LONGTAKE_CHECKOUT")).join("tests/data");
        data.join(self.folder).join(name)
    }

    pub fn checkpoint(&self) -> Checkpoint {
        Checkpoint::open(&self.path("original.safetensors")).unwrap()
    }

    pub fn vae_from(&self, name: &str, parts: Parts) -> WanVae {
        let checkpoint = Checkpoint::open(&self.path(name)).unwrap();
        WanVae::load(&checkpoint, parts, &cpu(), |_, _| {}).unwrap()
    }

    pub fn vae(&self) -> WanVae {
        self.vae_from("original.safetensors", Parts::Both)
    }

    pub fn golden(&self, name: &str) -> Tensor<5> {
        let file = Checkpoint::open(&self.path("goldens.safetensors")).unwrap();
        let shape = file.shape(name).unwrap().try_into().unwrap();
        file.tensor(name, shape, &cpu()).unwrap()
    }
}

pub fn values<const D: usize>(x: &Tensor<D>) -> Vec<f32> {
    x.to_data().to_vec().unwrap()
}

/// `max|a - b| / max|b|`.
pub fn relative_error<const D: usize>(a: &Tensor<D>, b: &Tensor<D>) -> f32 {
    assert_eq!(a.dims(), b.dims());
    let (a, b) = (values(a), values(b));
    let most = |it: &mut dyn Iterator<Item = f32>| {
        it.fold(0.0_f32, |m, x| if x.abs() > m { x.abs() } else { m })
    };
    assert!(a.iter().all(|x| x.is_finite()));
    most(&mut a.iter().zip(&b).map(|(a, b)| a - b)) / most(&mut b.iter().copied())
}

/// Peak signal-to-noise ratio in dB of pictures in -1..1, after mapping to 0..1.
pub fn psnr<const D: usize>(a: &Tensor<D>, b: &Tensor<D>) -> f64 {
    let (a, b) = (values(a), values(b));
    let mse: f64 = a
        .iter()
        .zip(&b)
        .map(|(a, b)| f64::from((a - b) / 2.0).powi(2))
        .sum::<f64>()
        / a.len() as f64;
    -10.0 * mse.max(1e-30).log10()
}

pub fn decode(vae: &WanVae, latent: Tensor<5>, tiling: Option<(usize, usize)>) -> Tensor<5> {
    let decoder = match tiling {
        None => vae.decode(latent),
        Some((tile, overlap)) => vae.decode_tiled(latent, tile, overlap),
    };
    let chunks: Result<_, _> = decoder.unwrap().collect();
    Tensor::cat(chunks.unwrap(), 2)
}

pub fn encode(vae: &WanVae, video: &Tensor<5>, portions: &[usize]) -> Tensor<5> {
    let mut encoder = vae.encode().unwrap();
    let mut at = 0;
    for n in portions {
        encoder.push(video.clone().narrow(2, at, *n)).unwrap();
        at += n;
    }
    encoder.finish().unwrap()
}

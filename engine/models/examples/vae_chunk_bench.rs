//! One decode chunk of the Wan VAE, timed on request; `engine/models/bench/vae_chunk.py` drives it.
//!
//! `vae_chunk_bench VAE LATENT_HEIGHT LATENT_WIDTH` loads the decoder, decodes two chunks to reach
//! the steady state (one latent frame in, four frames out) and then, for every line on standard
//! input, decodes one more and prints its seconds. The line `profile` prints instead the seconds of
//! each kind of operation, run alone at the sizes that the chunk has.

use std::collections::BTreeMap;
use std::io::{BufRead, Write};
use std::path::Path;
use std::time::Instant;

use burn::backend::flex::FlexDevice;
use longtake_models::wan::vae::{Decoder, Layer, Parts, VaeDims, WanVae};
use longtake_models::weights::Checkpoint;
use longtake_models::{Device, Tensor};
use longtake_shaders::{
    attention, causal_conv3d, channel_rms_norm_silu, upsample_nearest2x_conv2d,
};

/// More chunks than any benchmark asks for.
const CHUNKS: usize = 200;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [file, height, width] = &args[..] else {
        return Err("usage: vae_chunk_bench VAE LATENT_HEIGHT LATENT_WIDTH".into());
    };
    let (height, width): (usize, usize) = (height.parse()?, width.parse()?);
    let device = Device::Flex(FlexDevice);
    let vae = WanVae::load(
        &Checkpoint::open(Path::new(file))?,
        Parts::Decoder,
        &device,
        |_, _| {},
    )?;
    let dims = vae.dims().clone();
    let latent = wave([1, dims.z, CHUNKS, height, width], &device);
    let mut decoder = Decoder::new(&vae, latent, None)?;
    decoder.next_chunk()?;
    decoder.next_chunk()?;
    println!("ready {}", longtake_shaders::blas_name());
    for line in std::io::stdin().lock().lines() {
        if line?.trim() == "profile" {
            for (name, seconds) in profile(&dims, height, width, &device) {
                println!("{name}={seconds:.4}");
            }
            println!("end");
        } else {
            let start = Instant::now();
            let chunk = decoder.next_chunk()?.ok_or("no more chunks")?;
            let first: f32 = chunk.slice([0..1, 0..1, 0..1, 0..1, 0..1]).into_scalar();
            println!("{:.6} {first}", start.elapsed().as_secs_f64());
        }
        std::io::stdout().flush()?;
    }
    Ok(())
}

/// Values of order one.
fn wave<const D: usize>(shape: [usize; D], device: &Device) -> Tensor<D> {
    let count: usize = shape.iter().product();
    let values: Vec<f32> = (0..count).map(|i| (i as f32 * 0.7).sin()).collect();
    Tensor::from_data(burn::tensor::TensorData::new(values, shape), device)
}

/// Seconds of each kind of operation, summed over the layers of a steady chunk.
fn profile(dims: &VaeDims, h: usize, w: usize, device: &Device) -> BTreeMap<String, f64> {
    let mut clock = Clock {
        spent: BTreeMap::new(),
        device,
    };
    let (mut n, mut h, mut w) = (1, h, w);
    for layer in &dims.decoder {
        match *layer {
            Layer::Conv { from, to } => clock.conv([from, to], [3; 3], [n, h, w]),
            Layer::Head { from, to } => {
                clock.norm(from, [n, h, w]);
                clock.conv([from, to], [3; 3], [n, h, w]);
            }
            Layer::Res { from, to } => {
                clock.norm(from, [n, h, w]);
                clock.conv([from, to], [3; 3], [n, h, w]);
                clock.norm(to, [n, h, w]);
                clock.conv([to, to], [3; 3], [n, h, w]);
                if from != to {
                    clock.conv([from, to], [1; 3], [n, h, w]);
                }
                clock.add(to, [n, h, w]);
            }
            Layer::Attention { channels } => clock.attention(channels, h * w),
            Layer::Up { from, to, time } => {
                if time {
                    clock.conv([from, 2 * from], [3, 1, 1], [n, h, w]);
                    n *= 2;
                }
                clock.up([from, to], [n, h, w]);
                (h, w) = (2 * h, 2 * w);
            }
            _ => {}
        }
    }
    clock.spent
}

struct Clock<'a> {
    spent: BTreeMap<String, f64>,
    device: &'a Device,
}

impl Clock<'_> {
    fn time(&mut self, name: String, work: impl FnOnce()) {
        let start = Instant::now();
        work();
        *self.spent.entry(name).or_default() += start.elapsed().as_secs_f64();
    }

    fn conv(&mut self, [from, to]: [usize; 2], kernel: [usize; 3], [n, h, w]: [usize; 3]) {
        let [kt, kh, kw] = kernel;
        let (x, cache) = (
            wave([1, from, n, h, w], self.device),
            wave([1, from, 2, h, w], self.device),
        );
        let (weight, bias) = (
            wave([to, from, kt, kh, kw], self.device),
            wave([to], self.device),
        );
        let cache = (kt == 3).then_some(cache);
        self.time(format!("conv {kt}x{kh}x{kw} {from}->{to}"), || {
            causal_conv3d(x, cache, weight, Some(bias), [1; 3], kh / 2, kt - 1);
        });
    }

    fn norm(&mut self, channels: usize, [n, h, w]: [usize; 3]) {
        let x = wave([1, channels, n, h, w], self.device);
        let (gamma, kept) = (wave([channels], self.device), x.clone());
        self.time("norm+silu".to_owned(), || {
            channel_rms_norm_silu(x, gamma, true);
        });
        drop(kept);
    }

    fn add(&mut self, channels: usize, [n, h, w]: [usize; 3]) {
        let (a, b) = (
            wave([1, channels, n, h, w], self.device),
            wave([1, channels, n, h, w], self.device),
        );
        self.time("residual add".to_owned(), || drop::<Tensor<5>>(a + b));
    }

    fn attention(&mut self, channels: usize, tokens: usize) {
        let [q, k, v] = [0; 3].map(|_| wave([1, tokens, 1, channels], self.device));
        self.time("attention".to_owned(), || {
            attention(q, k, v, (channels as f32).powf(-0.5), None);
        });
    }

    fn up(&mut self, [from, to]: [usize; 2], [n, h, w]: [usize; 3]) {
        let x = wave([n, from, h, w], self.device);
        let (weight, bias) = (wave([to, from, 3, 3], self.device), wave([to], self.device));
        self.time(format!("upsample 2x + conv 3x3 {from}->{to}"), || {
            upsample_nearest2x_conv2d(x, weight, Some(bias));
        });
    }
}

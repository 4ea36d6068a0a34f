//! Times the CPU kernels at the sizes of Wan 1.3B, for `shaders/bench/kernels.py`.
//!
//! Reads the name of a case from each line of its input, runs the case once and prints the
//! seconds it took; the script alternates with PyTorch so that both see the same noise.
//! `kernel_bench NAME [RUNS]` times one case alone, on the clock and in processor time (of all
//! threads), which tells more on a busy machine.

use std::collections::BTreeMap;
use std::io::{BufRead, Write, stdin, stdout};
use std::time::Instant;

use burn::DispatchDevice;
use burn::tensor::Distribution;
use longtake_shaders::{self as shaders, Activation, Tensor};

const TOKENS: usize = 2048;
const WIDTH: usize = 1536;
const HIDDEN: usize = 8960;
const HEADS: usize = 12;
const HEAD: usize = WIDTH / HEADS;

fn random<const D: usize>(shape: [usize; D]) -> Tensor<D> {
    let device = DispatchDevice::Flex(burn::backend::flex::FlexDevice);
    Tensor::random(shape, Distribution::Uniform(-0.05, 0.05), &device)
}

type Case = Box<dyn Fn()>;

fn cases() -> BTreeMap<&'static str, Case> {
    let mut cases: BTreeMap<&'static str, Case> = BTreeMap::new();
    let x = random([1, TOKENS, WIDTH]);
    let (up, up_bias) = (random([HIDDEN, WIDTH]), random([HIDDEN]));
    {
        let (x, w, b) = (x.clone(), up.clone(), up_bias.clone());
        cases.insert(
            "linear",
            Box::new(move || {
                shaders::linear(x.clone(), w.clone(), Some(b.clone()));
            }),
        );
        let (x, w, b) = (random([1, TOKENS, WIDTH]), up.clone(), up_bias.clone());
        cases.insert(
            "linear_gelu",
            Box::new(move || {
                shaders::linear_gelu(x.clone(), w.clone(), Some(b.clone()));
            }),
        );
    }
    let [q, k, v] = [(); 3].map(|()| random([1, TOKENS, HEADS, HEAD]));
    let scale = 1.0 / (HEAD as f32).sqrt();
    cases.insert(
        "attention",
        Box::new(move || {
            shaders::attention(q.clone(), k.clone(), v.clone(), scale, None);
        }),
    );
    for (name, act) in [("gelu", Activation::GeluTanh), ("silu", Activation::Silu)] {
        let x = random([TOKENS, HIDDEN]);
        cases.insert(
            name,
            Box::new(move || {
                shaders::activate(x.clone(), act);
            }),
        );
    }
    {
        let (x, scale, shift) = (x.clone(), random([1, 1, WIDTH]), random([1, 1, WIDTH]));
        cases.insert(
            "layer_norm_modulate",
            Box::new(move || {
                shaders::layer_norm_modulate(x.clone(), scale.clone(), shift.clone(), 1e-6);
            }),
        );
        let (x, w) = (random([1, TOKENS, WIDTH]), random([WIDTH]));
        let (cos, sin) = (random([TOKENS, HEAD / 2]), random([TOKENS, HEAD / 2]));
        cases.insert(
            "rms_norm_rope",
            Box::new(move || {
                let (w, cos, sin) = (w.clone(), cos.clone(), sin.clone());
                shaders::rms_norm_rope(x.clone(), w, 1e-6, cos, sin, HEADS);
            }),
        );
    }
    convolutions(&mut cases);
    let block = Block::new();
    cases.insert(
        "block",
        Box::new(move || {
            block.forward(x.clone());
        }),
    );
    cases
}

/// The VAE's widest level: four frames of 120x208 at 96 channels.
fn convolutions(cases: &mut BTreeMap<&'static str, Case>) {
    let x = random([1, 96, 4, 120, 208]);
    let cache = random([1, 96, 2, 120, 208]);
    let (w, b) = (random([96, 96, 3, 3, 3]), random([96]));
    {
        let x = x.clone();
        cases.insert(
            "conv3d",
            Box::new(move || {
                let (cache, w, b) = (cache.clone(), w.clone(), b.clone());
                shaders::causal_conv3d(x.clone(), Some(cache), w, Some(b), [1; 3], 1, 2);
            }),
        );
    }
    let gamma = random([96]);
    cases.insert(
        "channel_norm_silu",
        Box::new(move || {
            shaders::channel_rms_norm_silu(x.clone(), gamma.clone(), true);
        }),
    );
    let x = random([4, 192, 60, 104]);
    let (w, b) = (random([96, 192, 3, 3]), random([96]));
    cases.insert(
        "upsample_conv2d",
        Box::new(move || {
            shaders::upsample_nearest2x_conv2d(x.clone(), w.clone(), Some(b.clone()));
        }),
    );
}

/// Self-attention and feed-forward of one DiT block, without the cross-attention.
struct Block {
    qkvo: [(Tensor<2>, Tensor<1>); 4],
    norms: [Tensor<1>; 2],
    tables: [Tensor<2>; 2],
    modulation: [Tensor<3>; 6],
    up: (Tensor<2>, Tensor<1>),
    down: (Tensor<2>, Tensor<1>),
}

impl Block {
    fn new() -> Self {
        Self {
            qkvo: [(); 4].map(|()| (random([WIDTH, WIDTH]), random([WIDTH]))),
            norms: [(); 2].map(|()| random([WIDTH])),
            tables: [(); 2].map(|()| random([TOKENS, HEAD / 2])),
            modulation: [(); 6].map(|()| random([1, 1, WIDTH])),
            up: (random([HIDDEN, WIDTH]), random([HIDDEN])),
            down: (random([WIDTH, HIDDEN]), random([WIDTH])),
        }
    }

    fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        let linear = |x: Tensor<3>, (w, b): &(Tensor<2>, Tensor<1>)| {
            shaders::linear(x, w.clone(), Some(b.clone()))
        };
        let [shift1, scale1, gate1, shift2, scale2, gate2] = self.modulation.clone();
        let h = shaders::layer_norm_modulate(x.clone(), scale1, shift1, 1e-6);
        let rotated = |i: usize| {
            let [cos, sin] = self.tables.clone();
            let y = linear(h.clone(), &self.qkvo[i]);
            shaders::rms_norm_rope(y, self.norms[i].clone(), 1e-6, cos, sin, HEADS)
        };
        let (q, k) = (rotated(0), rotated(1));
        let v = linear(h, &self.qkvo[2]).reshape([1, TOKENS, HEADS, HEAD]);
        let y = shaders::attention(q, k, v, 1.0 / (HEAD as f32).sqrt(), None);
        let y = linear(y.reshape([1, TOKENS, WIDTH]), &self.qkvo[3]);
        let x = shaders::gate_residual(x, gate1, y);
        let h = shaders::layer_norm_modulate(x.clone(), scale2, shift2, 1e-6);
        let (w, b) = self.up.clone();
        let y = linear(shaders::linear_gelu(h, w, Some(b)), &self.down);
        shaders::gate_residual(x, gate2, y)
    }
}

/// User and system time of this process so far, from Linux's `/proc/self/stat` (proc(5)), in
/// its unit of 10 ms.
fn processor_ms() -> Option<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    let mut fields = stat.rsplit(')').next()?.split_whitespace().skip(11);
    let mut ticks = || fields.next()?.parse::<f64>().ok();
    Some((ticks()? + ticks()?) * 10.0)
}

fn seconds(case: &Case) -> f64 {
    let start = Instant::now();
    case();
    start.elapsed().as_secs_f64()
}

fn main() {
    let cases = cases();
    let mut args = std::env::args().skip(1);
    if let Some(name) = args.next() {
        let Some(case) = cases.get(name.as_str()) else {
            eprintln!(
                "no case {name}; there are {:?}",
                cases.keys().collect::<Vec<_>>()
            );
            std::process::exit(2);
        };
        let runs = args
            .next()
            .and_then(|runs| runs.parse().ok())
            .unwrap_or(5_u32);
        let before = processor_ms();
        for _ in 0..runs {
            println!("{:.2} ms", seconds(case) * 1e3);
        }
        if let (Some(before), Some(after)) = (before, processor_ms()) {
            println!(
                "{:.1} ms of processor time a run",
                (after - before) / f64::from(runs)
            );
        }
        return;
    }
    println!("{}", shaders::blas_name());
    for line in stdin().lock().lines() {
        let Some(case) = line.ok().as_deref().and_then(|name| cases.get(name)) else {
            return;
        };
        println!("{}", seconds(case));
        if stdout().flush().is_err() {
            return;
        }
    }
}

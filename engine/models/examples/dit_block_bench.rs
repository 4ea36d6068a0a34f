//! Times one transformer block of Wan 1.3B on the CPU, and its parts.
//!
//! Driven by `engine/models/bench/dit_block.py`, which alternates it with PyTorch: reads words
//! from standard input, `run` (seconds of one pass), `gflop` (its size) or `profile` (seconds of
//! each part), and answers on standard output. Argument: number of tokens. The pass is that of a
//! one-layer model, so patch embedding and head are in it; they are 0.3 % of its operations.

#[path = "../tests/dit_support/mod.rs"]
mod dit_support;

use std::cell::RefCell;
use std::hint::black_box;
use std::io::{self, BufRead, Write};
use std::ops::ControlFlow;
use std::time::Instant;

use dit_support::{RandomModel, load, waves};
use longtake_models::wan::dit::{Pass, PassShape, Placement, PreparedContext, Times, WanDit};
use longtake_shaders as ops;
use longtake_shaders::Tensor;

/// Tokens in a row, as in the Python half.
const COLUMNS: usize = 26;
const MODEL: RandomModel = RandomModel {
    dim: 1536,
    ffn_dim: 8960,
    heads: 12,
    layers: 1,
    text_dim: 64,
    ..RandomModel::SMALL
};

struct Bench {
    dit: WanDit,
    text: PreparedContext,
    latent: Tensor<5>,
}

impl Bench {
    fn new(rows: usize) -> io::Result<Self> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("block.safetensors");
        MODEL.write(&path);
        let dit = load(&path, Placement::Resident);
        let text = dit
            .prepare_context(waves([1, 512, MODEL.text_dim]), None)
            .map_err(io::Error::other)?;
        let latent = waves([1, 16, 1, 2 * rows, 2 * COLUMNS]);
        Ok(Self { dit, text, latent })
    }

    /// Moments at which the hook was called: the start, after each part of the block, the end.
    fn run(&self) -> Vec<f64> {
        let start = Instant::now();
        let mut moments = Vec::new();
        let mut hook = |_, _| {
            moments.push(start.elapsed().as_secs_f64());
            ControlFlow::Continue(())
        };
        let result = self.dit.forward(
            Pass::new(self.latent.clone(), Times::PerItem(&[500.0]), &self.text),
            &mut hook,
        );
        black_box(result.expect("the inputs fit").into_data());
        moments.push(start.elapsed().as_secs_f64());
        moments
    }
}

fn seconds<T>(work: impl Fn() -> T) -> f64 {
    black_box(work());
    let times = (0..3).map(|_| {
        let start = Instant::now();
        black_box(work());
        start.elapsed().as_secs_f64()
    });
    let mut times: Vec<f64> = times.collect();
    times.sort_by(f64::total_cmp);
    times[1]
}

/// [`seconds`] of work on a tensor that nobody else holds, as in the block, where the buffer is
/// then reused.
fn seconds_owned(tensor: &Tensor<3>, work: impl Fn(Tensor<3>)) -> f64 {
    let copies = (0..4).map(|_| tensor.clone().mul_scalar(1.0));
    let copies = RefCell::new(copies.collect::<Vec<_>>());
    seconds(|| copies.borrow_mut().pop().map(&work))
}

/// Every kind of operation in the block at its size: name, times it occurs, seconds of one.
fn operations(tokens: usize) -> Vec<(&'static str, f64, f64)> {
    let (d, f, h) = (MODEL.dim, MODEL.ffn_dim, MODEL.heads);
    let chunk = tokens.min(1024);
    let chunks = tokens as f64 / chunk as f64;
    let (stream, rows) = (waves([1, tokens, d]), waves([1, chunk, d]));
    let (square, wide, narrow) = (waves([d, d]), waves([f, d]), waves([d, f]));
    let (small, large) = (waves([d]), waves([f]));
    let hidden = waves([1, chunk, f]);
    let part = waves([1, 1, d]);
    let heads = waves([1, tokens, h, d / h]);
    let text = waves([1, 512, h, d / h]);
    let table = waves([tokens, d / h / 2]);
    let scale = 0.09;
    vec![
        (
            "linear d->d",
            6.0,
            seconds(|| ops::linear(stream.clone(), square.clone(), Some(small.clone()))),
        ),
        (
            "self-attention",
            1.0,
            seconds(|| ops::attention(heads.clone(), heads.clone(), heads.clone(), scale, None)),
        ),
        (
            "text attention",
            1.0,
            seconds(|| ops::attention(heads.clone(), text.clone(), text.clone(), scale, None)),
        ),
        (
            "linear d->ffn, gelu",
            chunks,
            seconds(|| ops::linear_gelu(rows.clone(), wide.clone(), Some(large.clone()))),
        ),
        (
            "linear ffn->d",
            chunks,
            seconds(|| ops::linear(hidden.clone(), narrow.clone(), Some(small.clone()))),
        ),
        (
            "norm + modulate",
            2.0,
            seconds(|| ops::layer_norm_modulate(stream.clone(), part.clone(), part.clone(), 1e-6)),
        ),
        (
            "rms norm + rope",
            2.0,
            seconds_owned(&stream, |x| {
                black_box(ops::rms_norm_rope(
                    x,
                    small.clone(),
                    1e-6,
                    table.clone(),
                    table.clone(),
                    h,
                ));
            }),
        ),
        (
            "gate + residual",
            2.0,
            seconds_owned(&stream, |x| {
                black_box(ops::gate_residual(x, part.clone(), stream.clone()));
            }),
        ),
    ]
}

fn profile(bench: &Bench, tokens: usize, out: &mut impl Write) -> io::Result<()> {
    let moments = bench.run();
    let last = moments.len() - 1;
    let parts = [
        ("embeddings", 0.0, moments[0]),
        ("self-attention part", moments[0], moments[1]),
        ("text attention part", moments[1], moments[2]),
        ("feed-forward part", moments[2], moments[last - 1]),
        ("head", moments[last - 1], moments[last]),
    ];
    for (name, from, to) in parts {
        writeln!(out, "{name:<24}{:9.1} ms", (to - from) * 1e3)?;
    }
    for (name, times, each) in operations(tokens) {
        let total = times * each * 1e3;
        writeln!(
            out,
            "  {name:<22}{total:9.1} ms = {times:.1} x {:.1}",
            each * 1e3
        )?;
    }
    writeln!(out, "matrix products by {}", ops::blas_name())
}

fn main() -> io::Result<()> {
    let tokens: usize = std::env::args()
        .nth(1)
        .and_then(|word| word.parse().ok())
        .unwrap_or(2080);
    let rows = (tokens / COLUMNS).max(1);
    let bench = Bench::new(rows)?;
    let mut out = io::stdout().lock();
    for word in io::stdin().lock().lines() {
        match word?.as_str() {
            "run" => {
                let start = Instant::now();
                bench.run();
                writeln!(out, "{}", start.elapsed().as_secs_f64())?;
            }
            "gflop" => {
                let flops = bench
                    .dit
                    .dims()
                    .flops(&PassShape::new(1, 1, 2 * rows, 2 * COLUMNS));
                writeln!(out, "{}", flops as f64 / 1e9)?;
            }
            "profile" => profile(&bench, rows * COLUMNS, &mut out)?,
            other => writeln!(out, "unknown word `{other}`: run, gflop or profile")?,
        }
        out.flush()?;
    }
    Ok(())
}

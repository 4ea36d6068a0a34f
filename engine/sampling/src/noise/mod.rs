//! PyTorch's CPU noise, so that a seed means the same film here as in ComfyUI.
//!
//! Sources: pytorch/pytorch, `aten/src/ATen/native/cpu/DistributionTemplates.h` (`normal_fill`),
//! `ATen/core/DistributionsHelper.h`, `ATen/core/MT19937RNGEngine.h`; its use in ComfyUI:
//! `comfy/sample.py` (`prepare_noise`) and `comfy/k_diffusion/sampling.py` (`default_noise_sampler`).

mod brownian;
mod cephes;
mod mt19937;
mod seed_sequence;

pub use brownian::BrownianPath;
use mt19937::Mt19937;

/// `torch.Generator("cpu").manual_seed(seed)`.
///
/// State runs on from call to call as in PyTorch, the cached second normal of the small form
/// included: two calls here equal two `torch.randn` on one generator.
#[derive(Debug, Clone)]
pub struct TorchRng {
    engine: Mt19937,
    cached_normal: Option<f64>,
}

impl TorchRng {
    /// PyTorch reads only the low 32 bits of the seed.
    pub fn new(seed: u64) -> Self {
        Self {
            engine: Mt19937::new(seed),
            cached_normal: None,
        }
    }

    /// `torch.randn(n, generator=self)` in f32, bit for bit as PyTorch on x86-64 with AVX2.
    ///
    /// `n` is the number of elements of the whole tensor, whatever its shape: the order is
    /// row-major. 16 elements and more use another algorithm than fewer, so the first 15 numbers
    /// of `randn(16)` are not `randn(15)`, and those of `randn(17)` are not `randn(16)`.
    pub fn randn(&mut self, n: usize) -> Vec<f32> {
        if n < 16 {
            return (0..n).map(|_| self.next_normal() as f32).collect();
        }
        let mut data: Vec<f32> = (0..n).map(|_| self.uniform()).collect();
        for block in data.chunks_exact_mut(16) {
            normal_block(block);
        }
        if !n.is_multiple_of(16) {
            let tail = &mut data[n - 16..];
            for value in tail.iter_mut() {
                *value = self.uniform();
            }
            normal_block(tail);
        }
        data
    }

    /// `torch.randperm(n, generator=self)`: the numbers below `n`, shuffled; for `n` up to 200
    /// million, above which PyTorch draws differently.
    pub fn randperm(&mut self, n: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..n).collect();
        for i in 0..n.saturating_sub(1) {
            let other = i + self.engine.draw() as usize % (n - i);
            order.swap(i, other);
        }
        order
    }

    /// Words of the generator's state.
    pub(crate) const WORDS: usize = mt19937::WORDS;

    /// State, index of the next word, second normal of the small form.
    pub(crate) fn parts(&self) -> (&[u32; Self::WORDS], usize, Option<f64>) {
        let (words, next) = self.engine.parts();
        (words, next, self.cached_normal)
    }

    /// What [`TorchRng::parts`] took apart; nothing when `next` is no index.
    pub(crate) fn from_parts(
        words: Box<[u32; Self::WORDS]>,
        next: usize,
        cached_normal: Option<f64>,
    ) -> Option<Self> {
        let engine = Mt19937::from_parts(words, next)?;
        Some(Self {
            engine,
            cached_normal,
        })
    }

    /// In `[0, 1)`, 24 bits.
    fn uniform(&mut self) -> f32 {
        (self.engine.draw() & 0x00ff_ffff) as f32 * (1.0 / 16_777_216.0)
    }

    /// In `[0, 1)`, 53 bits.
    fn uniform64(&mut self) -> f64 {
        (self.engine.draw64() & ((1 << 53) - 1)) as f64 * (1.0 / 9_007_199_254_740_992.0)
    }

    fn next_normal(&mut self) -> f64 {
        if let Some(cached) = self.cached_normal.take() {
            return cached;
        }
        let turn = self.uniform64();
        let radius = (-2.0 * (-self.uniform64()).ln_1p()).sqrt();
        let (sin, cos) = (std::f64::consts::TAU * turn).sin_cos();
        self.cached_normal = Some(radius * sin);
        radius * cos
    }
}

/// Box–Muller over 16 uniforms in place: element `j` pairs with `j + 8`.
fn normal_block(block: &mut [f32]) {
    let (radii, turns) = block.split_at_mut(8);
    for (first, second) in radii.iter_mut().zip(turns) {
        // 1 - u is in (0, 1], so that the logarithm is finite.
        let radius = (-2.0 * cephes::ln(1.0 - *first)).sqrt();
        let (sin, cos) = cephes::sin_cos(std::f32::consts::TAU * *second);
        *first = radius * cos;
        *second = radius * sin;
    }
}

/// The noise a run starts from: `torch.randn(shape, generator=manual_seed(seed))` on the CPU,
/// row-major, e.g. shape `[1, 16, frames, height, width]` in latent units.
///
/// Returns nothing for a shape with a zero; the caller has checked that its product fits in memory.
pub fn initial_noise(seed: u64, shape: &[usize]) -> Vec<f32> {
    TorchRng::new(seed).randn(shape.iter().product())
}

/// How samplers that add noise on the way seed their own generator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SeedOffset {
    /// The run's own seed (ComfyUI up to autumn 2025): the first fresh draw equals the initial noise.
    Zero,
    /// The seed plus one (newer ComfyUI when sampling on the CPU).
    #[default]
    One,
}

/// Noise for samplers that need it on the way; one generator per run. The DPM++ SDE family takes the
/// seed alone and follows a Brownian path over sigma, as in ComfyUI.
#[derive(Debug, Clone)]
pub struct FreshNoise {
    seed: u64,
    rng: TorchRng,
}

impl FreshNoise {
    /// `seed` is the run's seed, the same that [`initial_noise`] got.
    pub fn new(seed: u64, offset: SeedOffset) -> Self {
        // PyTorch refuses 2^64; only the low 32 bits count, so wrapping is its natural extension.
        let first = match offset {
            SeedOffset::Zero => seed,
            SeedOffset::One => seed.wrapping_add(1),
        };
        Self {
            seed,
            rng: TorchRng::new(first),
        }
    }

    /// The run's own seed, as `torchsde`'s tree takes it.
    pub(crate) fn seed(&self) -> u64 {
        self.seed
    }

    /// The run's seed and the generator where it stands.
    pub(crate) fn parts(&self) -> (u64, &TorchRng) {
        (self.seed, &self.rng)
    }

    /// What [`FreshNoise::parts`] took apart.
    pub(crate) fn from_parts(seed: u64, rng: TorchRng) -> Self {
        Self { seed, rng }
    }

    /// One draw for the whole latent of `n` elements.
    pub fn draw(&mut self, n: usize) -> Vec<f32> {
        self.rng.randn(n)
    }
}

//! Inner loops on slices, compiled for AVX-512, for AVX2 and for the build's baseline, and
//! chosen at run time.
//!
//! The bodies are plain arithmetic that LLVM vectorises; there are no intrinsics. Reductions
//! keep one partial result per lane, since floats may not be reordered on the compiler's own.

#![allow(unsafe_code, reason = "instructions that were detected")]
#![allow(
    clippy::excessive_precision,
    reason = "published constants keep their digits"
)]

/// Partial results of a reduction: four 512-bit registers, enough to hide the adder's latency.
const LANES: usize = 64;

#[cfg(target_arch = "x86_64")]
#[derive(Clone, Copy, PartialEq)]
enum Level {
    Avx512,
    Avx2,
    Baseline,
}

#[cfg(target_arch = "x86_64")]
fn level() -> Level {
    use std::sync::OnceLock;
    static LEVEL: OnceLock<Level> = OnceLock::new();
    *LEVEL.get_or_init(|| {
        let v4 = is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512vl")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512dq");
        if v4 {
            Level::Avx512
        } else if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
            Level::Avx2
        } else {
            Level::Baseline
        }
    })
}

/// Defines functions in three versions; `FMA` in a body says whether fused multiply-add exists
/// (without the instruction, `mul_add` is a slow library call).
macro_rules! vectorised {
    ($($(#[$meta:meta])* pub fn $name:ident($($arg:ident: $ty:ty),* $(,)?) $(-> $ret:ty)? $body:block)*) => {$(
        $(#[$meta])*
        pub fn $name($($arg: $ty),*) $(-> $ret)? {
            #[inline(always)]
            fn body<const FMA: bool>($($arg: $ty),*) $(-> $ret)? $body

            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx512f,avx512vl,avx512bw,avx512dq,avx2,fma")]
                fn avx512($($arg: $ty),*) $(-> $ret)? { body::<true>($($arg),*) }
                #[target_feature(enable = "avx2,fma")]
                fn avx2($($arg: $ty),*) $(-> $ret)? { body::<true>($($arg),*) }
                match $crate::simd::level() {
                    // SAFETY: the features were detected.
                    $crate::simd::Level::Avx512 => return unsafe { avx512($($arg),*) },
                    // SAFETY: the features were detected.
                    $crate::simd::Level::Avx2 => return unsafe { avx2($($arg),*) },
                    $crate::simd::Level::Baseline => {}
                }
            }
            body::<{ cfg!(target_arch = "aarch64") }>($($arg),*)
        }
    )*};
}

#[inline(always)]
fn fma<const FMA: bool>(a: f32, b: f32, c: f32) -> f32 {
    if FMA { a.mul_add(b, c) } else { a * b + c }
}

/// `e^x` to about 1e-7 relative. Below -87.3 the result stays at the least normal number and
/// above 88.3 at the largest power: callers want a limit there, never an infinity.
///
/// Cody-Waite reduction by `ln 2` in two parts, then the Taylor polynomial of degree 6 on
/// `|r| <= ln(2) / 2` with the coefficients of Cephes `expf.c`.
#[inline(always)]
fn exp<const FMA: bool>(x: f32) -> f32 {
    const LN2_HIGH: f32 = 0.693359375;
    const LN2_LOW: f32 = -2.12194440e-4;
    /// `1.5 * 2^23`: adding it rounds to the nearest integer, held in the low bits.
    const ROUND: f32 = 12582912.0;
    let x = x.clamp(-87.3, 88.3);
    let shifted = fma::<FMA>(x, std::f32::consts::LOG2_E, ROUND);
    let n = shifted - ROUND;
    let r = fma::<FMA>(n, -LN2_LOW, fma::<FMA>(n, -LN2_HIGH, x));
    let mut p = 1.9875691500e-4;
    for c in [
        1.3981999507e-3,
        8.3334519073e-3,
        4.1665795894e-2,
        1.6666665459e-1,
        5.0000001201e-1,
    ] {
        p = fma::<FMA>(p, r, c);
    }
    let p = fma::<FMA>(p, r * r, r) + 1.0;
    // The low bits of `shifted` are n: with the bias added they are the exponent of 2^n. The
    // product, unlike an addition to the bits of `p`, lets a NaN through.
    p * f32::from_bits(shifted.to_bits().wrapping_shl(23).wrapping_add(0x3f80_0000))
}

#[inline(always)]
fn silu_of<const FMA: bool>(x: f32) -> f32 {
    x / (1.0 + exp::<FMA>(-x))
}

/// `0.5 x (1 + tanh u) = x / (1 + e^(-2u))` with `u = sqrt(2/pi) (x + 0.044715 x^3)`.
#[inline(always)]
fn gelu_tanh_of<const FMA: bool>(x: f32) -> f32 {
    const TWICE_SQRT_2_OVER_PI: f32 = 1.5957691216;
    let u = fma::<FMA>(0.044715 * x * x, x, x);
    x / (1.0 + exp::<FMA>(-TWICE_SQRT_2_OVER_PI * u))
}

/// `x Phi(x)`, with the rational minimax approximation of `erf` on [-4, 4] that Eigen uses
/// (`generic_fast_erf_float`, a few units in the last place).
#[inline(always)]
fn gelu_erf_of<const FMA: bool>(x: f32) -> f32 {
    let z = (x * std::f32::consts::FRAC_1_SQRT_2).clamp(-4.0, 4.0);
    let z2 = z * z;
    let mut num = -2.72614225801306e-10;
    for c in [
        2.77068142495902e-08,
        -2.10102402082508e-06,
        -5.69250639462346e-05,
        -7.34990630326855e-04,
        -2.95459980854025e-03,
        -1.60960333262415e-02,
    ] {
        num = fma::<FMA>(num, z2, c);
    }
    let mut den = -1.45660718464996e-05;
    for c in [
        -2.13374055278905e-04,
        -1.68282697438203e-03,
        -7.37332916720468e-03,
        -1.42647390514189e-02,
    ] {
        den = fma::<FMA>(den, z2, c);
    }
    0.5 * x * (1.0 + z * num / den)
}

/// Folds a slice lane by lane, then the lanes.
#[inline(always)]
fn reduce(
    values: &[f32],
    start: f32,
    step: impl Fn(f32, f32) -> f32,
    join: impl Fn(f32, f32) -> f32,
) -> f32 {
    let mut lanes = [start; LANES];
    let (chunks, rest) = values.as_chunks::<LANES>();
    for chunk in chunks {
        for (lane, &x) in lanes.iter_mut().zip(chunk) {
            *lane = step(*lane, x);
        }
    }
    let tail = rest.iter().fold(start, |acc, &x| step(acc, x));
    let mut width = LANES / 2;
    while width > 0 {
        for i in 0..width {
            lanes[i] = join(lanes[i], lanes[i + width]);
        }
        width /= 2;
    }
    join(lanes[0], tail)
}

vectorised! {
    pub fn silu(x: &mut [f32]) {
        for x in x {
            *x = silu_of::<FMA>(*x);
        }
    }

    pub fn gelu_tanh(x: &mut [f32]) {
        for x in x {
            *x = gelu_tanh_of::<FMA>(*x);
        }
    }

    pub fn gelu_erf(x: &mut [f32]) {
        for x in x {
            *x = gelu_erf_of::<FMA>(*x);
        }
    }

    pub fn add(x: &mut [f32], y: &[f32]) {
        for (x, &y) in x.iter_mut().zip(y) {
            *x += y;
        }
    }

    pub fn add_silu(x: &mut [f32], y: &[f32]) {
        for (x, &y) in x.iter_mut().zip(y) {
            *x = silu_of::<FMA>(*x + y);
        }
    }

    pub fn add_gelu_tanh(x: &mut [f32], y: &[f32]) {
        for (x, &y) in x.iter_mut().zip(y) {
            *x = gelu_tanh_of::<FMA>(*x + y);
        }
    }

    pub fn add_gelu_erf(x: &mut [f32], y: &[f32]) {
        for (x, &y) in x.iter_mut().zip(y) {
            *x = gelu_erf_of::<FMA>(*x + y);
        }
    }

    pub fn add_value(x: &mut [f32], y: f32) {
        for x in x {
            *x += y;
        }
    }

    /// `gate <- gelu_tanh(gate) * up`.
    pub fn gated_gelu(gate: &mut [f32], up: &[f32]) {
        for (g, &u) in gate.iter_mut().zip(up) {
            *g = gelu_tanh_of::<FMA>(*g) * u;
        }
    }

    /// `x <- x + gate * y`.
    pub fn add_gated(x: &mut [f32], gate: &[f32], y: &[f32]) {
        for ((x, &g), &y) in x.iter_mut().zip(gate).zip(y) {
            *x = fma::<FMA>(g, y, *x);
        }
    }

    pub fn scale(x: &mut [f32], k: f32) {
        for x in x {
            *x *= k;
        }
    }

    /// `x <- x * k * weight`.
    pub fn scale_by(x: &mut [f32], k: f32, weight: &[f32]) {
        for (x, &w) in x.iter_mut().zip(weight) {
            *x = *x * k * w;
        }
    }

    pub fn max(x: &[f32]) -> f32 {
        reduce(x, f32::NEG_INFINITY, |m, x| if x > m { x } else { m }, |a, b| if a > b { a } else { b })
    }

    pub fn sum(x: &[f32]) -> f32 {
        reduce(x, 0.0, |s, x| s + x, |a, b| a + b)
    }

    pub fn sum_squares(x: &[f32]) -> f32 {
        reduce(x, 0.0, |s, x| fma::<FMA>(x, x, s), |a, b| a + b)
    }

    /// Sum of `(x - mean)^2`.
    pub fn sum_deviations(x: &[f32], mean: f32) -> f32 {
        reduce(x, 0.0, |s, x| fma::<FMA>(x - mean, x - mean, s), |a, b| a + b)
    }

    /// `x <- e^(scale (x - top))`; returns the sum. Values 87 below the top count as nothing.
    pub fn exp_sum(x: &mut [f32], scale: f32, top: f32) -> f32 {
        let mut lanes = [0.0; LANES];
        let offset = -scale * top;
        let term = |x: f32| {
            let y = fma::<FMA>(x, scale, offset);
            if y < -87.0 { 0.0 } else { exp::<FMA>(y) }
        };
        let (chunks, rest) = x.as_chunks_mut::<LANES>();
        for chunk in chunks {
            for (lane, x) in lanes.iter_mut().zip(chunk) {
                *x = term(*x);
                *lane += *x;
            }
        }
        let mut total = 0.0;
        for x in rest {
            *x = term(*x);
            total += *x;
        }
        total + lanes.iter().sum::<f32>()
    }

    /// `x <- (x - mean) inv`.
    pub fn normalise(x: &mut [f32], mean: f32, inv: f32) {
        for x in x {
            *x = (*x - mean) * inv;
        }
    }

    /// `x <- (x - mean) inv (1 + scale) + shift`.
    pub fn modulate(x: &mut [f32], mean: f32, inv: f32, scale: &[f32], shift: &[f32]) {
        for ((x, &scale), &shift) in x.iter_mut().zip(scale).zip(shift) {
            *x = fma::<FMA>((*x - mean) * inv, 1.0 + scale, shift);
        }
    }

    /// `x <- (x - mean) inv weight + bias`.
    pub fn affine(x: &mut [f32], mean: f32, inv: f32, weight: &[f32], bias: &[f32]) {
        for ((x, &w), &b) in x.iter_mut().zip(weight).zip(bias) {
            *x = fma::<FMA>((*x - mean) * inv, w, b);
        }
    }

    /// `acc <- acc + x^2`.
    pub fn accumulate_squares(acc: &mut [f32], x: &[f32]) {
        for (acc, &x) in acc.iter_mut().zip(x) {
            *acc = fma::<FMA>(x, x, *acc);
        }
    }

    /// `norms <- factor / max(sqrt(norms), floor)`.
    pub fn inverse_norms(norms: &mut [f32], factor: f32, floor: f32) {
        for n in norms {
            *n = factor / n.sqrt().max(floor);
        }
    }

    /// `x <- x k inv`.
    pub fn scale_each(x: &mut [f32], k: f32, inv: &[f32]) {
        for (x, &inv) in x.iter_mut().zip(inv) {
            *x = *x * k * inv;
        }
    }

    /// `x <- silu(x k inv)`.
    pub fn scale_each_silu(x: &mut [f32], k: f32, inv: &[f32]) {
        for (x, &inv) in x.iter_mut().zip(inv) {
            *x = silu_of::<FMA>(*x * k * inv);
        }
    }

    /// Rotates the pairs of one head: `(a, b) -> (a cos - b sin, a sin + b cos)`.
    pub fn rotate(x: &mut [f32], cos: &[f32], sin: &[f32]) {
        let (pairs, _) = x.as_chunks_mut::<2>();
        for ((pair, &cos), &sin) in pairs.iter_mut().zip(cos).zip(sin) {
            let [a, b] = *pair;
            *pair = [fma::<FMA>(a, cos, -(b * sin)), fma::<FMA>(a, sin, b * cos)];
        }
    }
}

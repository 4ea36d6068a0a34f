//! Logarithm, sine and cosine in single precision exactly as PyTorch's noise uses them.
//!
//! PyTorch turns uniforms into normals eight at a time with the AVX2 functions of
//! `aten/src/ATen/native/cpu/avx_mathfun.h`: the polynomials of Moshier's Cephes library
//! (`logf.c`, `sinf.c`). They differ from libm in the last bit, and the compiler's fused
//! multiply-adds matter too, so both are kept here: where it says `mul_add`, PyTorch's builds
//! (GCC, `-mfma`) fuse. Checked bit for bit against PyTorch 2.15; see `tests/goldens.rs`.

/// Natural logarithm for normal, positive `x`.
pub(crate) fn ln(x: f32) -> f32 {
    const P: [f32; 9] = [
        7.037_683_6e-2,
        -1.151_461e-1,
        1.167_699_84e-1,
        -1.242_014_1e-1,
        1.424_932_3e-1,
        -1.666_805_7e-1,
        2.000_071_4e-1,
        -2.499_999_4e-1,
        3.333_333e-1,
    ];
    let bits = x.to_bits();
    // x = mantissa * 2^exponent with the mantissa in [0.5, 1).
    let mut exponent = ((bits >> 23) as i32 - 0x7f) as f32 + 1.0;
    let mut x = f32::from_bits((bits & 0x007f_ffff) | 0x3f00_0000);
    if x < std::f32::consts::FRAC_1_SQRT_2 {
        exponent -= 1.0;
        x = (x - 1.0) + x;
    } else {
        x -= 1.0;
    }
    let square = x * x;
    let mut y = P[0];
    for p in &P[1..] {
        y = y.mul_add(x, *p);
    }
    y *= x;
    y = y.mul_add(square, exponent * -2.121_944_4e-4);
    y = (-square).mul_add(0.5, y);
    exponent.mul_add(0.693_359_4, x + y)
}

/// Sine and cosine for `x` in `[0, 2 pi]`.
pub(crate) fn sin_cos(x: f32) -> (f32, f32) {
    const FOUR_OVER_PI: f32 = 1.273_239_5;
    // Which eighth of the turn, rounded up to even; the rest is in [-pi/4, pi/4].
    let octant = ((x * FOUR_OVER_PI) as i32 + 1) & !1;
    let turns = octant as f32;
    let x = turns.mul_add(-0.78515625, x);
    let x = turns.mul_add(-2.418_756_5e-4, x);
    let x = turns.mul_add(-3.774_895e-8, x);

    let z = x * x;
    let mut even = 2.443_315_7e-5_f32.mul_add(z, -1.388_731_6e-3);
    even = even.mul_add(z, 4.166_664_6e-2);
    even *= z;
    even = even.mul_add(z, -(z * 0.5)) + 1.0;
    let mut odd = (-1.951_529_6e-4_f32).mul_add(z, 8.332_161e-3);
    odd = odd.mul_add(z, -1.666_665_5e-1);
    odd *= z;
    odd = odd.mul_add(x, x);

    let (sin, cos) = if octant & 2 == 0 {
        (odd, even)
    } else {
        (even, odd)
    };
    let sin = if octant & 4 == 0 { sin } else { -sin };
    let cos = if (octant - 2) & 4 == 0 { -cos } else { cos };
    (sin, cos)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agree_with_libm_to_single_precision() {
        for i in 1..=20_000 {
            let u = i as f32 / 20_000.0;
            assert!(
                (f64::from(ln(u)) - f64::from(u).ln()).abs() < 1e-6,
                "ln {u}"
            );
            let angle = u * std::f32::consts::TAU;
            let (sin, cos) = sin_cos(angle);
            assert!(
                (f64::from(sin) - f64::from(angle).sin()).abs() < 2e-7,
                "sin {angle}"
            );
            assert!(
                (f64::from(cos) - f64::from(angle).cos()).abs() < 2e-7,
                "cos {angle}"
            );
        }
    }
}

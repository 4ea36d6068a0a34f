//! Quantiles of the symmetric beta distribution (`scipy.stats.beta.ppf(p, a, a)`).

/// Lanczos' approximation of ln Gamma(x) for x > 0, g = 7, nine terms (Godfrey's coefficients);
/// relative error around 1e-15.
fn ln_gamma(x: f64) -> f64 {
    const TERMS: [f64; 8] = [
        676.5203681218851,
        -1259.1392167224028,
        771.323_428_777_653_1,
        -176.615_029_162_140_6,
        12.507343278686905,
        -0.13857109526572012,
        9.984_369_578_019_572e-6,
        1.5056327351493116e-7,
    ];
    let x = x - 1.0;
    let sum = (1_u32..)
        .zip(TERMS)
        .fold(0.999_999_999_999_809_9, |sum, (i, term)| {
            sum + term / (x + f64::from(i))
        });
    let t = x + 7.5;
    0.5 * std::f64::consts::TAU.ln() + (x + 0.5) * t.ln() - t + sum.ln()
}

/// Regularised incomplete beta function I_x(a, a) for x in [0, 1/2], by its continued fraction
/// (Abramowitz and Stegun 26.5.8) with Lentz's method; it converges fast on this side.
fn incomplete_beta(x: f64, a: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    let front = (ln_gamma(2.0 * a) - 2.0 * ln_gamma(a) + a * (x.ln() + (-x).ln_1p())).exp() / a;
    let (mut c, mut d) = (1.0, 1.0 / (1.0 - x * 2.0 * a / (a + 1.0)));
    let mut fraction = d;
    for m in 1..200 {
        let m = f64::from(m);
        let even = m * (a - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        let odd = -(a + m) * (2.0 * a + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        let before = fraction;
        for term in [even, odd] {
            d = 1.0 / (1.0 + term * d);
            c = 1.0 + term / c;
            fraction *= c * d;
        }
        if (fraction - before).abs() <= 1e-16 * fraction.abs() {
            break;
        }
    }
    front * fraction
}

/// The x with I_x(a, a) = p, for p in [0, 1]. Symmetric about 1/2, where it is exact.
pub(super) fn beta_quantile(p: f64, a: f64) -> f64 {
    if p > 0.5 {
        return 1.0 - beta_quantile(1.0 - p, a);
    }
    if p <= 0.0 || p == 0.5 {
        return p.max(0.0);
    }
    let ln_norm = ln_gamma(2.0 * a) - 2.0 * ln_gamma(a);
    let (mut low, mut high) = (0.0, 0.5);
    // Near 0 the function is close to norm * x^a / a, a good place to start.
    let mut x = ((p * a).ln() - ln_norm).min(0.0) / a;
    x = x.exp().min(0.5);
    for _ in 0..100 {
        let excess = incomplete_beta(x, a) - p;
        if excess > 0.0 {
            high = x;
        } else {
            low = x;
        }
        let density = (ln_norm + (a - 1.0) * (x.ln() + (-x).ln_1p())).exp();
        let newton = x - excess / density;
        let next = if newton > low && newton < high {
            newton
        } else {
            0.5 * (low + high)
        };
        if (next - x).abs() <= 1e-15 * x {
            return next;
        }
        x = next;
    }
    x
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `scipy.stats.beta.ppf(p, 0.6, 0.6)`, SciPy 1.17.
    #[test]
    fn agrees_with_scipy() {
        let table = include_str!("../../../../tests/data/sampling/beta.txt");
        for line in table.lines().filter(|line| !line.starts_with('#')) {
            let (p, want) = line.split_once(' ').expect("two columns");
            let (p, want): (f64, f64) = (p.parse().unwrap(), want.parse().unwrap());
            let got = beta_quantile(p, 0.6);
            assert!(
                (got - want).abs() <= 1e-12 * want.max(1e-3),
                "p {p}: {got}, scipy {want}"
            );
        }
    }
}

//! Frame rates as people write them, turned into exact fractions.

use longtake_plan::Fps;

/// Highest rate taken.
pub const MAX_FPS: f64 = 1000.0;

/// The exact rate that a number such as `23.976` stands for: whole rates, NTSC's `n·1000/1001`
/// (SMPTE ST 12-1) within 0.005, else the number in thousandths.
pub fn fraction(fps: f64) -> Option<Fps> {
    if !fps.is_finite() || fps < 0.001 || fps > MAX_FPS {
        return None;
    }
    let whole = fps.round();
    if (fps - whole).abs() < 1e-6 {
        return Some(Fps { num: whole as u32, den: 1 });
    }
    let ntsc = (fps * 1.001).round();
    if ntsc >= 12.0 && (fps - ntsc / 1.001).abs() < 0.005 {
        return Some(reduced(ntsc as u64 * 1000, 1001));
    }
    Some(reduced(((fps * 1000.0).round() as u64).max(1), 1000))
}

fn reduced(num: u64, den: u64) -> Fps {
    let (mut a, mut b) = (num, den);
    while b != 0 {
        (a, b) = (b, a % b);
    }
    Fps { num: (num / a) as u32, den: (den / a) as u32 }
}

/// A rate as a number.
pub fn number(fps: Fps) -> f64 {
    f64::from(fps.num) / f64::from(fps.den)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_exact() {
        for (fps, num, den) in [
            (24.0, 24, 1),
            (23.976, 24000, 1001),
            (23.98, 24000, 1001),
            (24000.0 / 1001.0, 24000, 1001),
            (29.97, 30000, 1001),
            (59.94, 60000, 1001),
            (119.88, 120_000, 1001),
            (12.5, 25, 2),
            (0.5, 1, 2),
            (7.123, 7123, 1000),
        ] {
            assert_eq!(fraction(fps), Some(Fps { num, den }), "{fps}");
        }
        for bad in [0.0, -1.0, f64::NAN, f64::INFINITY, 1e9] {
            assert_eq!(fraction(bad), None, "{bad}");
        }
    }
}

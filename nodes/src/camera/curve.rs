//! A smooth line through a few numbers set at a few times.

/// How a number goes from one key to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Curve {
    /// Smooth, and never beyond the keys: a hold stays a hold.
    Smooth,
    /// Smooth with swing: Catmull-Rom, which may go a little beyond the keys.
    Swing,
    /// Straight.
    Linear,
}

/// Names in files.
pub const CURVES: &[&str] = &["smooth", "swing", "linear"];

impl Curve {
    /// By its name in files.
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "smooth" => Self::Smooth,
            "swing" => Self::Swing,
            "linear" => Self::Linear,
            _ => return None,
        })
    }

    /// The number at time `t`. Keys are (time, number) in rising time, at least one; before the
    /// first and after the last the line is level.
    pub fn at(self, keys: &[(f64, f64)], t: f64) -> f64 {
        let last = keys.len() - 1;
        if t <= keys[0].0 || last == 0 {
            return keys[0].1;
        }
        if t >= keys[last].0 {
            return keys[last].1;
        }
        let i = keys.partition_point(|key| key.0 <= t) - 1;
        let ((t0, a), (t1, b)) = (keys[i], keys[i + 1]);
        let (width, u) = (t1 - t0, (t - t0) / (t1 - t0));
        if self == Self::Linear {
            return a + (b - a) * u;
        }
        let (from, to) = (self.slope(keys, i), self.slope(keys, i + 1));
        // Cubic Hermite.
        let (u2, u3) = (u * u, u * u * u);
        (2.0 * u3 - 3.0 * u2 + 1.0) * a
            + (u3 - 2.0 * u2 + u) * width * from
            + (3.0 * u2 - 2.0 * u3) * b
            + (u3 - u2) * width * to
    }

    /// Slope of the line at a key.
    fn slope(self, keys: &[(f64, f64)], i: usize) -> f64 {
        let secant = |i: usize| {
            let ((t0, a), (t1, b)) = (keys[i], keys[i + 1]);
            (b - a) / (t1 - t0)
        };
        if i == 0 {
            return secant(0);
        }
        if i == keys.len() - 1 {
            return secant(i - 1);
        }
        let (before, after) = (secant(i - 1), secant(i));
        if self == Self::Swing {
            return (keys[i + 1].1 - keys[i - 1].1) / (keys[i + 1].0 - keys[i - 1].0);
        }
        // Weighted harmonic mean: F. N. Fritsch and J. Butland, "A Method for Constructing Local
        // Monotone Piecewise Cubic Interpolants", SIAM J. Sci. Stat. Comput. 5 (1984).
        if before * after <= 0.0 {
            return 0.0;
        }
        let (w, v) = (keys[i].0 - keys[i - 1].0, keys[i + 1].0 - keys[i].0);
        let (w1, w2) = (2.0 * v + w, v + 2.0 * w);
        (w1 + w2) / (w1 / before + w2 / after)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEYS: [(f64, f64); 4] = [(0.0, 0.0), (0.25, 10.0), (0.5, 10.0), (1.0, -5.0)];

    #[test]
    fn every_curve_meets_its_keys_and_is_level_outside() {
        for name in CURVES {
            let curve = Curve::named(name).unwrap();
            for (t, value) in KEYS {
                assert!((curve.at(&KEYS, t) - value).abs() < 1e-12, "{name} at {t}");
            }
            assert_eq!((curve.at(&KEYS, -1.0), curve.at(&KEYS, 2.0)), (0.0, -5.0));
            assert_eq!(curve.at(&KEYS[..1], 0.7), 0.0);
            let line = [(0.0, 1.0), (0.3, 1.6), (1.0, 3.0)];
            assert!(
                (curve.at(&line, 0.8) - 2.6).abs() < 1e-12,
                "{name} on a line"
            );
        }
    }

    #[test]
    fn smooth_never_goes_beyond_its_keys_and_swing_does() {
        let beyond = |curve: Curve| {
            let highest = (0..=100).map(|i| curve.at(&KEYS, f64::from(i) / 100.0));
            highest.fold(0.0, f64::max) > 10.0 + 1e-9
        };
        assert!(!beyond(Curve::Smooth) && beyond(Curve::Swing) && !beyond(Curve::Linear));
    }
}

//! Curves through points: what a person draws, and what a node runs with.
//!
//! Between two points the curve is cubic and never leaves the rectangle they span, so that a rising
//! row of points gives a rising curve (F. N. Fritsch and R. E. Carlson, *Monotone Piecewise Cubic
//! Interpolation*, SIAM J. Numer. Anal. 17(2), 1980). Before the first point and behind the last it
//! is level.

use std::ops::RangeInclusive;

use serde_json::Value;

use crate::literal::describe;
use crate::{Sentence, say};

/// Fewest and most points.
pub const POINTS: RangeInclusive<usize> = 2..=32;

/// A function from 0..1 to 0..1.
#[derive(Clone, Debug, PartialEq)]
pub struct Curve {
    points: Vec<[f64; 2]>,
    /// Rise of the curve at each point.
    slopes: Vec<f64>,
}

impl Curve {
    /// Reads a literal: a list of 2 to 32 points `[x, y]`, both within 0..1, each `x` greater than
    /// the one before.
    ///
    /// # Errors
    /// A sentence with what was expected and what came.
    pub fn parse(value: &Value) -> Result<Self, Sentence> {
        let items = value.as_array().filter(|it| POINTS.contains(&it.len()));
        let Some(items) = items else {
            let found = describe(value);
            return Err(say!(
                "expected a curve, a list of {} to {} points `[x, y]`, found {found}",
                "カーブ(点 `[x, y]` を {}〜{} 個並べたリスト)を指定してください(現在: {found})。",
                POINTS.start(),
                POINTS.end();
                found
            ));
        };
        let mut points = Vec::with_capacity(items.len());
        for item in items {
            points.push(point(item, &points)?);
        }
        let slopes = slopes(&points);
        Ok(Self { points, slopes })
    }

    /// The points it goes through.
    pub fn points(&self) -> &[[f64; 2]] {
        &self.points
    }

    /// Its literal. Equal curves have equal text, however their numbers were written.
    pub fn to_value(&self) -> Value {
        let point = |it: &[f64; 2]| Value::from(it.to_vec());
        self.points.iter().map(point).collect()
    }

    /// Its height over `x`.
    pub fn at(&self, x: f64) -> f64 {
        let after = self.points.partition_point(|point| point[0] <= x);
        let last = self.points.len() - 1;
        if after == 0 {
            return self.points[0][1];
        }
        if after > last {
            return self.points[last][1];
        }
        let ([x0, y0], [x1, y1]) = (self.points[after - 1], self.points[after]);
        let width = x1 - x0;
        let t = (x - x0) / width;
        // Hermite's basis, with `y0` taken out so that a level piece is level to the last bit.
        let (t2, t3) = (t * t, t * t * t);
        let rise = (3.0 * t2 - 2.0 * t3) * (y1 - y0)
            + (t3 - 2.0 * t2 + t) * width * self.slopes[after - 1]
            + (t3 - t2) * width * self.slopes[after];
        (y0 + rise).clamp(y0.min(y1), y0.max(y1)) // against rounding only
    }
}

/// Reads the point that stands behind `before`.
fn point(item: &Value, before: &[[f64; 2]]) -> Result<[f64; 2], Sentence> {
    let place = before.len() + 1;
    let numbers = match item.as_array().map(Vec::as_slice) {
        Some([x, y]) => x.as_f64().zip(y.as_f64()),
        _ => None,
    };
    let Some((x, y)) = numbers else {
        let found = describe(item);
        return Err(say!(
            "expected two numbers `[x, y]` at point {place} of the curve, found {found}",
            "カーブの点 {place} には 2 つの数値 `[x, y]` を指定してください(現在: {found})。";
            found
        ));
    };
    if ![x, y].iter().all(|it| (0.0..=1.0).contains(it)) {
        return Err(say!(
            "expected numbers from 0 to 1 at point {place} of the curve, found [{x}, {y}]",
            "カーブの点 {place} の数値は 0 から 1 までにしてください(現在: [{x}, {y}])。"
        ));
    }
    match before.last() {
        Some([left, _]) if *left >= x => Err(say!(
            "expected points from left to right: point {place} of the curve is at {x}, the one \
            before it at {left}",
            "点は左から右へ並べてください。カーブの点 {place} は {x}、その前の点は {left} にあります。"
        )),
        // Adding 0 turns -0 into 0.
        _ => Ok([x + 0.0, y + 0.0]),
    }
}

/// Fritsch and Carlson's slopes: the mean of the secants beside a point, level at a peak or a
/// valley, then cut back where `α² + β² > 9` would let the curve overshoot.
fn slopes(points: &[[f64; 2]]) -> Vec<f64> {
    let secants: Vec<f64> = points
        .windows(2)
        .map(|pair| (pair[1][1] - pair[0][1]) / (pair[1][0] - pair[0][0]))
        .collect();
    let (first, last) = (secants[0], secants[secants.len() - 1]);
    let inner = secants.windows(2).map(|pair| match pair {
        [a, b] if a * b > 0.0 => f64::midpoint(*a, *b),
        _ => 0.0,
    });
    let mut slopes: Vec<f64> = std::iter::once(first)
        .chain(inner)
        .chain(std::iter::once(last))
        .collect();
    for (at, secant) in secants.iter().enumerate() {
        // A level piece has level ends already, but for the first and last of a curve: 0 too.
        if *secant == 0.0 {
            continue;
        }
        let (alpha, beta) = (slopes[at] / secant, slopes[at + 1] / secant);
        let length = alpha.hypot(beta);
        if length > 3.0 {
            slopes[at] = 3.0 / length * alpha * secant;
            slopes[at + 1] = 3.0 / length * beta * secant;
        }
    }
    slopes
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::Curve;

    #[test]
    fn a_curve_goes_through_its_points_and_is_level_outside() {
        let curve = Curve::parse(&json!([[0.25, 0.1], [0.5, 0.8], [0.75, 0.7]])).unwrap();
        for (x, y) in [
            (0.0, 0.1),
            (0.25, 0.1),
            (0.5, 0.8),
            (0.75, 0.7),
            (1.0, 0.7),
            (-9.0, 0.1),
            (9.0, 0.7),
        ] {
            assert_eq!(curve.at(x), y, "{x}");
        }
        let line = Curve::parse(&json!([[0, 0], [0.3, 0.3], [1, 1]])).unwrap();
        for step in 0..=100 {
            let x = f64::from(step) / 100.0;
            assert!((line.at(x) - x).abs() < 1e-12, "a line stays a line at {x}");
        }
        // By hand: secants 0.5 and 1.5, slopes 0.5, 1, 1.5; at 1/4 of the whole the Hermite basis
        // gives 0.5 · 0.25 + 0.125 · 0.5 · 0.5 − 0.125 · 0.5 · 1.
        let bent = Curve::parse(&json!([[0, 0], [0.5, 0.25], [1, 1]])).unwrap();
        assert!((bent.at(0.25) - (0.125 + 0.03125 - 0.0625)).abs() < 1e-12);
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

        /// Between two points the curve is between their heights and never turns.
        #[test]
        fn a_curve_never_overshoots(heights in proptest::collection::vec((1u32..1000, 0u32..=1000), 2..12)) {
            let whole: u32 = heights.iter().map(|it| it.0).sum();
            let mut x = 0;
            let points: Vec<_> = heights.iter().map(|&(width, y)| {
                x += width;
                json!([f64::from(x) / f64::from(whole), f64::from(y) / 1000.0])
            }).collect();
            let curve = Curve::parse(&points.into()).map_err(|why| TestCaseError::fail(why.en))?;
            prop_assert_eq!(&Curve::parse(&curve.to_value()), &Ok(curve.clone()));
            for pair in curve.points().windows(2) {
                let ([x0, y0], [x1, y1]) = (pair[0], pair[1]);
                let mut last = y0;
                for step in 1..=40 {
                    let y = curve.at(x0 + (x1 - x0) * f64::from(step) / 40.0);
                    let rises = (y - last) * (y1 - y0).signum();
                    prop_assert!(rises >= -1e-12, "turns at {last} → {y} in {pair:?}");
                    last = y;
                }
            }
        }
    }
}

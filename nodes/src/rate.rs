//! Frame rates: what people write (23.976) and what it means (24000/1001).

use longtake_graph::say;
use longtake_plan::{Fps, InferError};

/// The fraction a rate stands for, see [`Fps::from_f64`].
///
/// # Errors
/// `value_out_of_range`: not a number, not above 0, or above 1000.
pub fn from_float(input: &str, rate: f64) -> Result<Fps, InferError> {
    let known = Fps::from_f64(rate).filter(|_| rate <= 1000.0);
    known.ok_or_else(|| {
        InferError::at(
            "value_out_of_range",
            input,
            say!(
                "expected a frame rate above 0 and up to 1000, found {rate}",
                "フレームレートは 0 より大きく 1000 以下にしてください(現在: {rate})。"
            ),
        )
    })
}

/// Frames per second as a number.
pub fn to_float(fps: Fps) -> f64 {
    fps.as_f64()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates() {
        for (rate, num, den) in [
            (24.0, 24, 1),
            (23.976, 24000, 1001),
            (29.97, 30000, 1001),
            (59.94, 60000, 1001),
            (12.5, 25, 2),
            (16.0, 16, 1),
            (23.9, 239, 10),
        ] {
            assert_eq!(from_float("fps", rate).unwrap(), Fps { num, den }, "{rate}");
        }
        for bad in [0.0, -1.0, f64::NAN, f64::INFINITY, 1e9] {
            assert!(from_float("fps", bad).is_err(), "{bad}");
        }
    }
}

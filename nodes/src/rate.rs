//! Frame rates: what people write (23.976) and what it means (24000/1001).

use longtake_plan::{Fps, InferError};

/// The fraction a rate stands for: whole numbers as they are, the NTSC rates exactly, anything else
/// to a thousandth.
///
/// # Errors
/// `value_out_of_range`: not a number, not above 0, or above 1000.
pub fn from_float(input: &str, rate: f64) -> Result<Fps, InferError> {
    if !(rate > 0.0 && rate <= 1000.0) {
        return Err(InferError::at(
            "value_out_of_range",
            input,
            format!("expected a frame rate above 0 and up to 1000, found {rate}"),
        ));
    }
    let whole = rate.round();
    if (rate - whole).abs() < 1e-9 {
        return Ok(Fps {
            num: whole as u32,
            den: 1,
        });
    }
    let ntsc = whole * 1000.0 / 1001.0;
    if (rate - ntsc).abs() < 0.005 && (rate - ntsc).abs() < (rate - whole).abs() / 4.0 {
        return Ok(Fps {
            num: whole as u32 * 1000,
            den: 1001,
        });
    }
    let thousandths = (rate * 1000.0).round().max(1.0) as u32;
    let divisor = gcd(thousandths, 1000);
    Ok(Fps {
        num: thousandths / divisor,
        den: 1000 / divisor,
    })
}

/// Frames per second as a number.
pub fn to_float(fps: Fps) -> f64 {
    f64::from(fps.num) / f64::from(fps.den.max(1))
}

fn gcd(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { gcd(b, a % b) }
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

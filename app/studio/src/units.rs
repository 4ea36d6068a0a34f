//! Sizes and times as people write and read them.

use std::time::Duration;

/// Reads `2GiB`, `12G`, `900MB`, `1.5g` or a plain number of bytes. `K M G T` and `KiB` … count in
/// 1024s, `KB` … in 1000s.
///
/// # Errors
/// Not such a size.
pub fn parse_size(text: &str) -> Result<u64, String> {
    let wrong = || format!("expected a size such as 12GiB, found `{text}`");
    let trimmed = text.trim();
    let split = trimmed
        .find(|c: char| !(c.is_ascii_digit() || c == '.'))
        .unwrap_or(trimmed.len());
    let (number, unit) = trimmed.split_at(split);
    let number: f64 = number.parse().map_err(|_| wrong())?;
    let unit = unit.trim().to_ascii_lowercase();
    let power = match unit.chars().next() {
        None | Some('b') => 0,
        Some('k') => 1,
        Some('m') => 2,
        Some('g') => 3,
        Some('t') => 4,
        Some(_) => return Err(wrong()),
    };
    let base: f64 = match unit.get(1..).unwrap_or("") {
        "b" => 1000.0,
        "" | "ib" => 1024.0,
        _ => return Err(wrong()),
    };
    let bytes = number * base.powi(power);
    if bytes >= 1.0 && bytes < u64::MAX as f64 {
        Ok(bytes as u64)
    } else {
        Err(wrong())
    }
}

/// Reads `30d`, `12h`, `2w`, `90m` or `45s`.
///
/// # Errors
/// Not such a time.
pub fn parse_age(text: &str) -> Result<Duration, String> {
    let wrong = || format!("expected a time such as 30d, 12h or 2w, found `{text}`");
    let trimmed = text.trim();
    let split = trimmed.char_indices().next_back().ok_or_else(wrong)?.0;
    let (number, unit) = trimmed.split_at(split);
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 24 * 3600,
        "w" => 7 * 24 * 3600,
        _ => return Err(wrong()),
    };
    let number: u32 = number.trim().parse().map_err(|_| wrong())?;
    Ok(Duration::from_secs(u64::from(number) * seconds))
}

/// `12 d`, `3 h`, `5 min` or `now`, rounded down.
pub fn age(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0..60 => "now".to_owned(),
        60..3600 => format!("{} min", seconds / 60),
        3600..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} d", seconds / 86_400),
    }
}

/// `3.2 GiB`.
pub fn size(bytes: u64) -> String {
    let mut value = bytes as f64;
    for unit in ["B", "KiB", "MiB", "GiB"] {
        if value < 1000.0 {
            return if unit == "B" || value >= 100.0 {
                format!("{value:.0} {unit}")
            } else {
                format!("{value:.1} {unit}")
            };
        }
        value /= 1024.0;
    }
    format!("{value:.1} TiB")
}

/// `1:02:03`, `4:05` or `6.7 s`.
pub fn time(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0..=9 => format!("{:.1} s", time.as_secs_f64()),
        10..=59 => format!("{seconds} s"),
        60..=3599 => format!("{}:{:02}", seconds / 60, seconds % 60),
        _ => format!(
            "{}:{:02}:{:02}",
            seconds / 3600,
            seconds / 60 % 60,
            seconds % 60
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        for (text, bytes) in [
            ("2GiB", 2 << 30),
            ("12G", 12 << 30),
            ("900MB", 900_000_000),
            ("1.5g", 3 << 29),
            ("4096", 4096),
            ("64 KiB", 65536),
        ] {
            assert_eq!(parse_size(text), Ok(bytes), "{text}");
        }
        for bad in ["", "x", "12Q", "-3G", "0", "1e99G", "3GGG"] {
            assert!(parse_size(bad).is_err(), "{bad}");
        }
        assert_eq!(size(1536 << 20), "1.5 GiB");
        assert_eq!(size(999), "999 B");
    }

    #[test]
    fn ages() {
        for (text, seconds) in [
            ("45s", 45),
            ("90m", 5400),
            ("12h", 43_200),
            ("30d", 2_592_000),
            ("2w", 1_209_600),
            ("0d", 0),
        ] {
            assert_eq!(parse_age(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        for bad in ["", "d", "30", "-1d", "1.5d", "3日", "99999999999d"] {
            assert!(parse_age(bad).is_err(), "{bad}");
        }
        for (seconds, text) in [(59, "now"), (61, "1 min"), (7300, "2 h"), (172_800, "2 d")] {
            assert_eq!(age(Duration::from_secs(seconds)), text);
        }
    }

    #[test]
    fn times() {
        for (seconds, text) in [
            (3.25, "3.2 s"),
            (42.0, "42 s"),
            (185.0, "3:05"),
            (3723.0, "1:02:03"),
        ] {
            assert_eq!(time(Duration::from_secs_f64(seconds)), text);
        }
    }
}

//! Colours: parsing `#rrggbb`, mixing, and the palettes that backdrops are drawn in.

/// Red, green, blue, 0..1, in the picture's own (sRGB) encoding.
pub type Rgb = [f32; 3];

/// Reads `#rrggbb` or `#rrggbbaa` (the alpha is left out).
pub fn parse(text: &str) -> Option<Rgb> {
    let digits = text.strip_prefix('#')?;
    if !(digits.len() == 6 || digits.len() == 8) || !digits.is_ascii() {
        return None;
    }
    let value = u32::from_str_radix(&digits[..6], 16).ok()?;
    u32::from_str_radix(digits, 16).ok()?;
    Some(hex(value))
}

/// A colour from its number.
pub const fn hex(value: u32) -> Rgb {
    [
        ((value >> 16) & 255) as f32 / 255.0,
        ((value >> 8) & 255) as f32 / 255.0,
        (value & 255) as f32 / 255.0,
    ]
}

/// A straight line from `a` to `b`.
#[inline]
pub fn mix(a: Rgb, b: Rgb, t: f32) -> Rgb {
    [
        a[0] + (b[0] - a[0]) * t,
        a[1] + (b[1] - a[1]) * t,
        a[2] + (b[2] - a[2]) * t,
    ]
}

/// The colours of one backdrop.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Palette {
    /// Top of the sky.
    pub top: Rgb,
    /// Sky at the horizon.
    pub low: Rgb,
    /// Sun, moon, lamps.
    pub glow: Rgb,
    /// Land far away.
    pub far: Rgb,
    /// Land at our feet.
    pub near: Rgb,
    /// Rules and numbers.
    pub accent: Rgb,
}

const fn palette(top: u32, low: u32, glow: u32, far: u32, near: u32, accent: u32) -> Palette {
    Palette {
        top: hex(top),
        low: hex(low),
        glow: hex(glow),
        far: hex(far),
        near: hex(near),
        accent: hex(accent),
    }
}

/// Names in files. `auto` goes by the seed, `custom` is made of two colours.
pub const NAMES: &[&str] = &[
    "auto", "custom", "dusk", "dawn", "night", "storm", "noon", "forest", "ember", "violet",
];

const PALETTES: [Palette; 8] = [
    palette(0x1b1f3a, 0xd9795b, 0xffd9a0, 0x7a5470, 0x15122a, 0xffb86b),
    palette(0x4d6f9f, 0xf2bd98, 0xfff1d6, 0x7d8fae, 0x1a2436, 0xffd08a),
    palette(0x070b18, 0x1d3354, 0xdbe7ff, 0x1a2a46, 0x04060d, 0x8fb8ff),
    palette(0x1a2229, 0x566871, 0xd7e3e6, 0x3e4d56, 0x0d1317, 0x9fd3d8),
    palette(0x2c6aa6, 0xaed3e4, 0xffffff, 0x6c98ae, 0x123142, 0xffe08a),
    palette(0x16302b, 0x86a582, 0xf2f0c9, 0x466a5a, 0x0a1814, 0xd8e28a),
    palette(0x1a0d12, 0xa83a2a, 0xffc27a, 0x57202a, 0x12070b, 0xff8f5a),
    palette(0x1d1430, 0x7b5aa6, 0xffd7f2, 0x4a3670, 0x0f0a1d, 0xe7a8ff),
];

impl Palette {
    /// By name; `auto` takes one by `seed`, `custom` derives one from a background and an accent.
    pub fn named(name: &str, seed: u64, background: Rgb, accent: Rgb) -> Option<Self> {
        let index = NAMES.iter().position(|it| *it == name)?;
        Some(match index {
            0 => PALETTES[(seed % PALETTES.len() as u64) as usize],
            1 => Self::custom(background, accent),
            _ => PALETTES[index - 2],
        })
    }

    fn custom(background: Rgb, accent: Rgb) -> Self {
        let (black, white) = ([0.0; 3], [1.0; 3]);
        Self {
            top: mix(background, black, 0.25),
            low: mix(background, mix(accent, white, 0.2), 0.22),
            glow: mix(accent, white, 0.5),
            far: mix(background, accent, 0.12),
            near: mix(background, black, 0.6),
            accent,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_read_or_refused() {
        assert_eq!(parse("#ff8000"), Some([1.0, 128.0 / 255.0, 0.0]));
        assert_eq!(parse("#FF800080"), parse("#ff8000"));
        for bad in ["", "ff8000", "#ff800", "#ff80zz", "#ff8000zz", "#あああ"] {
            assert_eq!(parse(bad), None, "{bad}");
        }
        for name in NAMES {
            assert!(
                Palette::named(name, 3, [0.1; 3], [0.9; 3]).is_some(),
                "{name}"
            );
        }
    }
}

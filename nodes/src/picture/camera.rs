//! A virtual camera over a picture: which part of it each frame shows, resampled without shimmer.
//!
//! Each frame is one antialiased cubic resampling of the source at exact sub-pixel positions, so
//! that text glides instead of jumping from pixel to pixel.

use longtake_run::Frame;

use super::axis::{Axis, Depth, resample};
use super::resize::cubic_weight;

/// A rectangle of the source, in source pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Window {
    /// Left edge.
    pub x: f64,
    /// Upper edge.
    pub y: f64,
    /// Width.
    pub width: f64,
    /// Height.
    pub height: f64,
}

/// A camera move: size of the window and its place at the start and the end. Sizes are 0 for the
/// close view and 1 for the whole picture; places are 0..1 of the room that the window leaves.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Move {
    from: (f64, f64, f64),
    to: (f64, f64, f64),
}

/// Names in files.
pub const MOVES: &[&str] = &[
    "still",
    "pan-left",
    "pan-right",
    "pan-up",
    "pan-down",
    "zoom-in",
    "zoom-out",
    "push-in-left",
    "push-in-right",
    "pull-out-left",
    "pull-out-right",
];

impl Move {
    /// The whole picture, all the time.
    pub const STILL: Self = Self {
        from: (1.0, 0.5, 0.5),
        to: (1.0, 0.5, 0.5),
    };

    /// By its name in files. Case, spaces and underscores do not matter: people write this word
    /// into their shot lists.
    pub fn named(name: &str) -> Option<Self> {
        let name = name.trim().to_lowercase().replace([' ', '_'], "-");
        // A zoom keeps the centre; a push goes towards a third of the picture.
        let (from, to) = match name.as_str() {
            "still" => return Some(Self::STILL),
            "pan-left" => ((0.0, 1.0, 0.5), (0.0, 0.0, 0.5)),
            "pan-right" => ((0.0, 0.0, 0.5), (0.0, 1.0, 0.5)),
            "pan-up" => ((0.0, 0.5, 1.0), (0.0, 0.5, 0.0)),
            "pan-down" => ((0.0, 0.5, 0.0), (0.0, 0.5, 1.0)),
            "zoom-in" => ((1.0, 0.5, 0.5), (0.0, 0.5, 0.5)),
            "zoom-out" => ((0.0, 0.5, 0.5), (1.0, 0.5, 0.5)),
            "push-in-left" => ((1.0, 0.5, 0.5), (0.0, 0.15, 0.5)),
            "push-in-right" => ((1.0, 0.5, 0.5), (0.0, 0.85, 0.5)),
            "pull-out-left" => ((0.0, 0.15, 0.5), (1.0, 0.5, 0.5)),
            "pull-out-right" => ((0.0, 0.85, 0.5), (1.0, 0.5, 0.5)),
            _ => return None,
        };
        Some(Self { from, to })
    }

    /// Whether nothing moves.
    pub fn is_still(&self) -> bool {
        self.from == self.to
    }

    /// What the camera sees at `t` (0..1, eased already) of a `source`-sized picture, in the shape
    /// of `output`. `amount` is how much smaller the close view is: 0.1 shows 1/1.1 of the picture.
    pub fn window(&self, t: f64, amount: f64, source: (u32, u32), output: (u32, u32)) -> Window {
        let between = |a: f64, b: f64| a + (b - a) * t;
        let wide = between(self.from.0, self.to.0);
        // Zoom steps are equal ratios: a linear one seems to slow down.
        let part = (1.0 + amount.max(0.0)).powf(wide - 1.0);
        let (w, h) = (f64::from(source.0), f64::from(source.1));
        let shape = f64::from(output.0) / f64::from(output.1);
        let (full_w, full_h) = if w / h > shape {
            (h * shape, h)
        } else {
            (w, w / shape)
        };
        let (width, height) = (full_w * part, full_h * part);
        let (px, py) = self.place(t);
        Window {
            x: (w - full_w) / 2.0 + (full_w - width) * px,
            y: (h - full_h) / 2.0 + (full_h - height) * py,
            width,
            height,
        }
    }

    /// Where the window lies in its room. The wide end of a zoom has no room at all, so a zoom
    /// heads for its close end's place from the start.
    fn place(&self, t: f64) -> (f64, f64) {
        if self.from.0 == self.to.0 {
            let between = |a: f64, b: f64| a + (b - a) * t;
            return (
                between(self.from.1, self.to.1),
                between(self.from.2, self.to.2),
            );
        }
        let close = if self.from.0 < self.to.0 {
            self.from
        } else {
            self.to
        };
        (close.1, close.2)
    }
}

/// A window of a frame, resampled to `size`, in the frame's depth.
pub fn shoot(frame: &Frame, window: Window, size: (u32, u32)) -> Frame {
    let whole = window
        == Window {
            x: 0.0,
            y: 0.0,
            width: f64::from(frame.width),
            height: f64::from(frame.height),
        };
    if whole && size == (frame.width, frame.height) {
        return frame.clone();
    }
    let across = axis(frame.width, window.x, window.width, size.0);
    let down = axis(frame.height, window.y, window.height, size.1);
    resample(frame, &across, &down, Depth::Same)
}

/// Catmull-Rom taps (a = -0.5), widened by the reduction so that nothing aliases.
fn axis(len: u32, start: f64, extent: f64, out: u32) -> Axis {
    let ratio = extent / f64::from(out);
    let stretch = ratio.max(1.0);
    let support = 2.0 * stretch;
    let taps = |i: u32| {
        let centre = start + (f64::from(i) + 0.5) * ratio;
        let first = (centre - support + 0.5).floor() as i64;
        let last = (centre + support + 0.5).floor() as i64;
        let weight = |index: i64| cubic_weight((index as f64 + 0.5 - centre) / stretch, -0.5);
        let mut taps: Vec<(i64, f64)> = (first..last).map(|i| (i, weight(i))).collect();
        let sum: f64 = taps.iter().map(|tap| tap.1).sum();
        for tap in &mut taps {
            tap.1 /= sum;
        }
        taps
    };
    Axis::new(len, &(0..out).map(taps).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use longtake_run::Pixels;

    #[test]
    fn windows_stay_in_the_picture_and_keep_the_shape() {
        for name in MOVES {
            let camera = Move::named(name).unwrap();
            for source in [(2400, 1350), (1000, 1000), (3000, 700)] {
                for t in [0.0, 0.3, 1.0] {
                    let it = camera.window(t, 0.12, source, (1920, 1080));
                    assert!((it.width / it.height - 16.0 / 9.0).abs() < 1e-9, "{name}");
                    assert!(
                        it.x > -1e-9 && it.x + it.width < f64::from(source.0) + 1e-9,
                        "{name}"
                    );
                    assert!(
                        it.y > -1e-9 && it.y + it.height < f64::from(source.1) + 1e-9,
                        "{name}"
                    );
                }
            }
        }
        assert_eq!(Move::named("Zoom In"), Move::named("zoom-in"));
        assert_eq!(Move::named("sideways"), None);
    }

    #[test]
    fn a_ramp_glides_by_fractions_of_a_pixel() {
        let row: Vec<u8> = (0..64).map(|x| x * 4).collect();
        let frame = Frame::new(64, 8, 1, Pixels::U8(row.repeat(8)));
        let at = |x| {
            let window = Window {
                x,
                y: 0.0,
                width: 32.0,
                height: 8.0,
            };
            shoot(&frame, window, (32, 8)).to_u8()[10]
        };
        assert_eq!((at(4.0), at(4.25), at(4.5), at(5.0)), (56, 57, 58, 60));
    }

    #[test]
    fn sharpness_does_not_pulse_when_the_source_is_larger() {
        // A fine pattern, moved by sub-pixel steps: its contrast must stay about the same.
        let row: Vec<u8> = (0..400)
            .map(|x| if x / 4 % 2 == 0 { 30 } else { 220 })
            .collect();
        let frame = Frame::new(400, 4, 1, Pixels::U8(row.repeat(4)));
        let contrast = |x| {
            let window = Window {
                x,
                y: 0.0,
                width: 250.0,
                height: 4.0,
            };
            let line = shoot(&frame, window, (200, 4)).to_u8()[..200].to_vec();
            let mean = line.iter().map(|&v| f64::from(v)).sum::<f64>() / 200.0;
            (line
                .iter()
                .map(|&v| (f64::from(v) - mean).powi(2))
                .sum::<f64>()
                / 200.0)
                .sqrt()
        };
        let all: Vec<f64> = (0..16)
            .map(|i| contrast(20.0 + f64::from(i) / 16.0))
            .collect();
        let (low, high) = (
            all.iter().copied().fold(f64::MAX, f64::min),
            all.iter().copied().fold(0.0, f64::max),
        );
        assert!(high / low < 1.02, "{low}..{high}");
    }
}

//! Decoded frames around the one on show, in bounded memory.

use std::collections::BTreeMap;
use std::sync::Arc;

use egui::ColorImage;

/// Frames by number. What lies furthest from the frame on show goes first, and what lies behind it
/// before what lies ahead.
pub struct Ring {
    frames: BTreeMap<u64, Arc<ColorImage>>,
    bytes: usize,
    limit: usize,
}

impl Ring {
    /// Holds at most so many bytes, and always one frame.
    pub fn new(limit: usize) -> Self {
        Self {
            frames: BTreeMap::new(),
            bytes: 0,
            limit,
        }
    }

    /// A frame.
    pub fn get(&self, frame: u64) -> Option<&Arc<ColorImage>> {
        self.frames.get(&frame)
    }

    /// The newest frame not after that one.
    pub fn at_or_before(&self, frame: u64) -> Option<(u64, &Arc<ColorImage>)> {
        let found = self.frames.range(..=frame).next_back();
        found.map(|(at, image)| (*at, image))
    }

    /// Puts a frame in; `at` is on show. `total`: frames of the clip when it plays in a loop.
    pub fn put(&mut self, frame: u64, image: Arc<ColorImage>, at: u64, total: Option<u64>) {
        self.bytes += bytes(&image);
        if let Some(before) = self.frames.insert(frame, image) {
            self.bytes -= bytes(&before);
        }
        while self.bytes > self.limit && self.frames.len() > 1 {
            let furthest = self.frames.keys().copied();
            let Some(last) = furthest.max_by_key(|&it| distance(it, at, total)) else {
                return;
            };
            self.bytes -= self.frames.remove(&last).map_or(0, |it| bytes(&it));
        }
    }

    /// How many frames of that size may be read ahead, so that what was read is not dropped for
    /// what is read next: behind counts double, so two thirds lie ahead.
    pub fn ahead(&self, size: [u32; 2]) -> u64 {
        let frame = size[0] as usize * size[1] as usize * 4;
        (self.limit / frame.max(1)) as u64 * 3 / 5
    }

    /// Bytes held.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Runs of frames that are held, as `first..end`.
    pub fn runs(&self) -> Vec<std::ops::Range<u64>> {
        let mut runs: Vec<std::ops::Range<u64>> = Vec::new();
        for &frame in self.frames.keys() {
            match runs.last_mut() {
                Some(run) if run.end == frame => run.end += 1,
                _ => runs.push(frame..frame + 1),
            }
        }
        runs
    }
}

fn bytes(image: &ColorImage) -> usize {
    image.pixels.len() * 4
}

/// How little a frame is wanted.
fn distance(frame: u64, at: u64, total: Option<u64>) -> u64 {
    match total {
        None if frame >= at => frame - at,
        None => (at - frame) * 2,
        Some(total) => {
            let total = total.max(1);
            let ahead = (frame + total - at % total) % total;
            ahead.min((total - ahead) * 2)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image() -> Arc<ColorImage> {
        Arc::new(ColorImage::filled([4, 4], egui::Color32::RED))
    }

    #[test]
    fn bytes_stay_bounded_and_what_lies_ahead_is_kept() {
        let mut ring = Ring::new(10 * 64);
        for frame in 0..100 {
            ring.put(frame, image(), frame, None);
            assert!(ring.bytes() <= 10 * 64);
        }
        assert_eq!(ring.runs(), vec![90..100]);
        let ahead = ring.ahead([4, 4]);
        for frame in 50..50 + ahead {
            ring.put(frame, image(), 50, None);
        }
        for frame in 50..50 + ahead {
            assert!(ring.get(frame).is_some(), "{frame} was read for nothing");
        }
    }

    #[test]
    fn one_frame_is_always_held() {
        let mut ring = Ring::new(1);
        ring.put(3, image(), 3, None);
        assert!(ring.get(3).is_some());
        ring.put(4, image(), 4, None);
        assert_eq!(ring.runs(), vec![4..5]);
    }

    #[test]
    fn in_a_loop_the_start_lies_ahead_of_the_end() {
        assert_eq!(distance(0, 99, Some(100)), 1);
        assert_eq!(distance(98, 99, Some(100)), 2);
        assert_eq!(distance(98, 99, None), 2);
    }
}

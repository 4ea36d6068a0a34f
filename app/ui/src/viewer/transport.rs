//! Which frame is on show: stepping, playing at the clip's rate, timecode. No pictures here.

use longtake_plan::Fps;

/// Rate of clips that have none (a row of images), frames per second.
pub const USUAL: f64 = 16.0;

/// Which frame is on show.
#[derive(Clone, Debug)]
pub struct Transport {
    frame: u64,
    /// When playing began, seconds, and at which frame.
    since: Option<(f64, u64)>,
    /// Whether the end is followed by the start.
    pub looping: bool,
}

impl Default for Transport {
    fn default() -> Self {
        Self {
            frame: 0,
            since: None,
            looping: true,
        }
    }
}

impl Transport {
    /// The frame on show, from 0.
    pub fn frame(&self) -> u64 {
        self.frame
    }

    /// Whether it plays.
    pub fn playing(&self) -> bool {
        self.since.is_some()
    }

    /// Stops at a frame.
    pub fn go(&mut self, frame: u64) {
        self.since = None;
        self.frame = frame;
    }

    /// Stops so many frames further; in a loop the end is followed by the start.
    pub fn step(&mut self, by: i64, frames: u64) {
        let last = frames.saturating_sub(1);
        let next = self.frame as i64 + by;
        self.go(if self.looping && frames > 0 {
            next.rem_euclid(frames as i64) as u64
        } else {
            (next.max(0) as u64).min(last)
        });
    }

    /// Plays, or stops. At the end it begins anew.
    pub fn toggle(&mut self, now: f64, frames: u64) {
        if self.since.take().is_some() {
            return;
        }
        if self.frame + 1 >= frames {
            self.frame = 0;
        }
        self.since = Some((now, self.frame));
    }

    /// Goes with the clock: frames that come too late are passed over. Seconds until the next frame
    /// is due, while it plays.
    pub fn advance(&mut self, now: f64, rate: f64, frames: u64) -> Option<f64> {
        let last = frames.saturating_sub(1);
        let Some((began, from)) = self.since else {
            self.frame = self.frame.min(last);
            return None;
        };
        if frames < 2 {
            self.go(0);
            return None;
        }
        let passed = ((now - began).max(0.0) * rate + 1e-6).floor();
        let reached = from + passed as u64;
        if reached > last && !self.looping {
            self.go(last);
            return None;
        }
        self.frame = reached % frames;
        Some((began + (passed + 1.0) / rate - now).max(0.0))
    }
}

/// The rate to play at.
pub fn rate(fps: Option<Fps>) -> f64 {
    fps.map_or(USUAL, Fps::as_f64).clamp(0.1, 240.0)
}

/// `hh:mm:ss:ff` of a frame counted from 0, at the rate rounded to whole frames.
pub fn timecode(frame: u64, rate: f64) -> String {
    let base = (rate.round() as u64).max(1);
    let seconds = frame / base;
    let (minutes, hours) = (seconds / 60, seconds / 3600);
    let (m, s, f) = (minutes % 60, seconds % 60, frame % base);
    format!("{hours:02}:{m:02}:{s:02}:{f:02}")
}

/// The frame of another clip at the same moment: the same number, unless both have rates that
/// differ.
pub fn same_moment(frame: u64, of: Option<Fps>, in_clip: Option<Fps>, frames: u64) -> u64 {
    let at = match (of, in_clip) {
        (Some(a), Some(b)) if a != b => {
            let moment = (frame as f64 + 0.5) / rate(Some(a));
            (moment * rate(Some(b))) as u64
        }
        _ => frame,
    };
    at.min(frames.saturating_sub(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn late_frames_are_passed_over() {
        let mut transport = Transport::default();
        transport.toggle(10.0, 81);
        assert_eq!(transport.advance(10.0, 16.0, 81), Some(1.0 / 16.0));
        transport.advance(10.5, 16.0, 81);
        assert_eq!(transport.frame(), 8);
        transport.advance(13.0, 16.0, 81);
        assert_eq!(transport.frame(), 48);
        transport.advance(10.0 + 81.0 / 16.0, 16.0, 81);
        assert_eq!(transport.frame(), 0, "the start follows the end");
        assert!(transport.playing());
    }

    #[test]
    fn without_a_loop_it_stops_at_the_end_and_plays_from_the_start() {
        let mut transport = Transport {
            looping: false,
            ..Transport::default()
        };
        transport.toggle(0.0, 10);
        assert_eq!(transport.advance(5.0, 16.0, 10), None);
        assert_eq!((transport.frame(), transport.playing()), (9, false));
        transport.step(1, 10);
        assert_eq!(transport.frame(), 9);
        transport.toggle(6.0, 10);
        assert_eq!((transport.frame(), transport.playing()), (0, true));
    }

    #[test]
    fn steps_wrap_in_a_loop() {
        let mut transport = Transport::default();
        transport.step(-1, 81);
        assert_eq!(transport.frame(), 80);
        transport.step(1, 81);
        assert_eq!(transport.frame(), 0);
        transport.step(-1, 0);
        assert_eq!(transport.frame(), 0);
    }

    #[test]
    fn times_are_told_in_frames() {
        for (frame, rate, code) in [
            (0, 24.0, "00:00:00:00"),
            (23, 23.976, "00:00:00:23"),
            (24, 23.976, "00:00:01:00"),
            (16 * 3661 + 5, 16.0, "01:01:01:05"),
        ] {
            assert_eq!(timecode(frame, rate), code);
        }
        let (slow, fast) = (Fps::from_f64(12.0), Fps::from_f64(24.0));
        assert_eq!(same_moment(6, slow, fast, 100), 13);
        assert_eq!(same_moment(6, slow, None, 4), 3);
    }
}

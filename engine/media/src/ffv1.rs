//! Just enough of FFV1 (RFC 9043) to see that a frame is as it was written.
//!
//! libavcodec fills a slice whose checksum is wrong with the frame before, and says so in its log alone.

use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, PoisonError};

use gst::prelude::*;
use gstreamer as gst;

/// Bytes behind a slice that has a checksum (§4.9): 3 size, 1 status, 4 checksum.
const FOOTER: usize = 8;

/// What the checksums of a frame's slices say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Slices {
    Whole,
    Damaged,
    /// No chain of slices with checksums: a version without them, or the chain itself is damaged.
    NoChain,
}

/// Steps from the last slice to the first, as each one's size stands behind it.
fn check(frame: &[u8]) -> Slices {
    let (mut end, mut whole) = (frame.len(), true);
    while end > 0 {
        let Some(footer) = end.checked_sub(FOOTER).map(|at| &frame[at..end]) else {
            return Slices::NoChain;
        };
        let size = u32::from_be_bytes([0, footer[0], footer[1], footer[2]]) as usize;
        let Some(start) = end.checked_sub(size + FOOTER) else {
            return Slices::NoChain;
        };
        whole &= checksum(&frame[start..end]) == 0;
        end = start;
    }
    if whole {
        Slices::Whole
    } else {
        Slices::Damaged
    }
}

/// CRC-32 with the polynomial of IEEE 802.3, highest bit first, nothing inverted (§4.9.3): 0 with its own
/// checksum behind.
fn checksum(bytes: &[u8]) -> u32 {
    const TABLE: [u32; 256] = {
        let mut table = [0; 256];
        let mut n = 0;
        while n < 256 {
            let (mut it, mut bit) = ((n as u32) << 24, 0);
            while bit < 8 {
                it = it << 1 ^ if it >> 31 == 1 { 0x04C1_1DB7 } else { 0 };
                bit += 1;
            }
            table[n] = it;
            n += 1;
        }
        table
    };
    bytes.iter().fold(0, |sum: u32, byte| {
        sum << 8 ^ TABLE[((sum >> 24) as u8 ^ byte) as usize]
    })
}

/// The frames, by their times, that went into a decoder damaged.
#[derive(Clone, Debug, Default)]
pub(crate) struct Damage(Arc<Mutex<Found>>);

#[derive(Debug, Default)]
struct Found {
    times: Vec<gst::ClockTime>,
    /// Some frame's slices had checksums: then all must.
    checked: bool,
    /// The first frame, until then.
    unchecked: Option<gst::ClockTime>,
}

impl Damage {
    /// Looks at every frame that goes into an FFV1 decoder.
    pub fn watch(&self, decoder: &gst::Element) {
        let Some(pad) = decoder.static_pad("sink") else {
            return;
        };
        let this = self.clone();
        pad.add_probe(gst::PadProbeType::BUFFER, move |_, info| {
            if let Some(buffer) = info.buffer()
                && let Ok(data) = buffer.map_readable()
            {
                // A frame without a time is the first one.
                this.see(&data, buffer.pts().unwrap_or(gst::ClockTime::ZERO));
            }
            gst::PadProbeReturn::Ok
        });
    }

    fn see(&self, frame: &[u8], time: gst::ClockTime) {
        let mut found = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match check(frame) {
            Slices::Whole => {
                found.checked = true;
                if let Some(before) = found.unchecked.take() {
                    found.times.push(before);
                }
            }
            Slices::Damaged => found.times.push(time),
            Slices::NoChain if found.checked => found.times.push(time),
            // A stream without checksums stays like this.
            Slices::NoChain => found.unchecked = found.unchecked.or(Some(time)),
        }
    }

    /// Whether there is one among the frames of these times.
    pub fn within(&self, times: RangeInclusive<gst::ClockTime>) -> bool {
        let found = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        found.times.iter().any(|it| times.contains(it))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slice(content: &[u8]) -> Vec<u8> {
        let mut slice = content.to_vec();
        slice.extend(&(content.len() as u32).to_be_bytes()[1..]);
        slice.push(0);
        let sum = checksum(&slice);
        slice.extend(sum.to_be_bytes());
        slice
    }

    #[test]
    fn the_checksum_is_the_one_of_the_standard() {
        // CRC-32/MPEG-2's check value of "123456789" is with all bits set at the start; this one is the same
        // polynomial from 0 (CRC-32/CKSUM's without length and inversion).
        assert_eq!(checksum(b"123456789"), 0x89A1_897F);
        assert_eq!(checksum(&slice(b"123456789")), 0);
    }

    #[test]
    fn every_changed_byte_is_seen() {
        let frame = [slice(b"one slice"), slice(b"and another one"), slice(b"")].concat();
        assert_eq!(check(&frame), Slices::Whole);
        for at in 0..frame.len() {
            let mut damaged = frame.clone();
            damaged[at] ^= 0x55;
            assert_ne!(check(&damaged), Slices::Whole, "byte {at}");
        }
        assert_eq!(check(b"no footers"), Slices::NoChain);
        assert_eq!(check(b"short"), Slices::NoChain);
    }

    #[test]
    fn a_stream_without_checksums_is_let_through_and_one_with_them_is_not() {
        let time = gst::ClockTime::from_nseconds;
        let (good, none) = (slice(b"frame"), b"no footers".to_vec());
        let damage = Damage::default();
        (0..9).for_each(|n| damage.see(&none, time(n)));
        assert!(!damage.within(time(0)..=time(99)));
        // The chain of the first frame was damaged.
        damage.see(&good, time(9));
        assert!(damage.within(time(0)..=time(0)));
        damage.see(&good, time(10));
        damage.see(&none, time(11));
        assert!(!damage.within(time(1)..=time(10)) && damage.within(time(1)..=time(11)));
    }
}

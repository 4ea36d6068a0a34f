//! A longer film takes no more memory to join. Its own program, since it measures the whole process.

#![allow(clippy::unwrap_used)] // a test that cannot go on should stop

mod support;

use longtake_media::{Metadata, VideoFormat};
use support::{encode, small};

/// Bytes of memory the process has resident.
fn resident() -> u64 {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap();
    text.split(' ').nth(1).unwrap().parse::<u64>().unwrap() * 4096
}

#[test]
fn memory_does_not_grow_with_the_film() {
    let folder = tempfile::tempdir().unwrap();
    // Lossless frames are large (about 30 kB here), so that keeping them would show.
    let lossless = VideoFormat::ffv1(support::W, support::H, (24, 1));
    for (format, name) in [(small(), "film.mp4"), (lossless, "film.mkv")] {
        let part = folder.path().join("a.seg");
        encode(&part, &format, 0..100);
        let film = folder.path().join(name);
        let peak_of = |parts: usize| {
            let mut peak = 0;
            let mut n = 0;
            let container = if name.ends_with("mkv") {
                longtake_media::Container::Mkv
            } else {
                longtake_media::Container::Mp4
            };
            let info = longtake_media::assemble(
                &film,
                &vec![part.clone(); parts],
                &format,
                container,
                &Metadata::default(),
                &mut |_| {
                    n += 1;
                    if n % 50 == 0 {
                        peak = peak.max(resident());
                    }
                    std::ops::ControlFlow::Continue(())
                },
            );
            assert_eq!(info.unwrap().frames, 100 * parts as u64);
            peak
        };
        let _ = peak_of(2); // what is loaded once
        let (short, long) = (peak_of(2), peak_of(20));
        assert!(
            long < short + 4_000_000,
            "{name}: {short} bytes for 200 frames, {long} for 2,000"
        );
    }
}

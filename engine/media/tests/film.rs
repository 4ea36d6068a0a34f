//! Frames → segments → film → frames.

#![allow(clippy::unwrap_used)] // a test that cannot go on should stop

mod support;

use longtake_media::{Codec, Metadata, VideoFormat, VideoReader, decode_segment};
use support::{code, encode, encoded, frame, join, segments, small};

fn all_codes(path: &std::path::Path, format: &VideoFormat) -> Vec<u16> {
    let mut reader = VideoReader::open(path).unwrap();
    std::iter::from_fn(|| reader.next_rgb().unwrap())
        .map(|it| code(format, &it))
        .collect()
}

#[test]
fn every_frame_arrives_in_order() {
    let folder = tempfile::tempdir().unwrap();
    for (format, name) in [
        (small(), "film.mp4"),
        (small(), "film.mkv"),
        (
            VideoFormat::ffv1(support::W, support::H, (24, 1)),
            "lossless.mkv",
        ),
        (VideoFormat::h264(130, 74, (24000, 1001)), "odd.mp4"),
    ] {
        // One frame, two key intervals and one, an arbitrary number: the joins of every kind.
        let parts = segments(folder.path(), &format, &[0..1, 1..50, 50..51, 51..88]);
        let film = folder.path().join(name);
        let info = join(&film, &parts, &format, &Metadata::default()).unwrap();
        assert_eq!(info.frames, 88, "{name}");
        assert_eq!(info.bytes, film.metadata().unwrap().len());
        let reader = VideoReader::open(&film).unwrap();
        assert_eq!(
            (reader.info.frames, reader.info.fps),
            (88, format.fps),
            "{name}"
        );
        assert_eq!(
            (reader.info.width, reader.info.height),
            (format.width, format.height)
        );
        drop(reader);
        assert_eq!(
            all_codes(&film, &format),
            (0..88).collect::<Vec<_>>(),
            "{name}"
        );
    }
}

/// The numbers after a box's name, wherever in the file it first is.
fn box_words(file: &[u8], name: [u8; 4], count: usize) -> Vec<u32> {
    let at = file.windows(4).position(|it| *it == name).unwrap() + 4;
    let words = file[at..].as_chunks::<4>().0.iter().take(count);
    words.map(|it| u32::from_be_bytes(*it)).collect()
}

#[test]
fn every_frame_lasts_exactly_its_time() {
    let folder = tempfile::tempdir().unwrap();
    for (num, den) in [
        (24, 1),
        (24000, 1001),
        (25, 2),
        (16, 1),
        (60000, 1001),
        (1000, 1),
        (7, 3),
    ] {
        let format = VideoFormat::h264(64, 64, (num, den));
        let parts = segments(folder.path(), &format, &[0..5, 5..18]);
        let film = folder.path().join("film.mp4");
        join(&film, &parts, &format, &Metadata::default()).unwrap();
        let file = std::fs::read(&film).unwrap();
        let scale = box_words(&file, *b"mdhd", 4)[3];
        let [_, runs, frames, ticks] = box_words(&file, *b"stts", 4)[..] else {
            unreachable!()
        };
        // One run: all 18 frames last the same whole number of ticks, and that number is exactly den / num seconds.
        assert_eq!(
            (runs, frames, ticks * num),
            (1, 18, scale * den),
            "{num}/{den}"
        );
        let place = |name: &[u8]| file.windows(4).position(|it| it == name).unwrap();
        assert!(place(b"moov") < place(b"mdat"), "the index comes first");
    }
}

#[test]
fn ffv1_is_lossless() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.seg");
    for (width, height) in [
        (128, 72),
        (33, 21),
        (4, 4),
        (5, 7),
        (16, 4),
        (4, 16),
        (640, 360),
    ] {
        let format = VideoFormat::ffv1(width, height, (25, 1));
        let info = encode(&path, &format, 0..5);
        assert_eq!(info.frames, 5);
        let mut frames = decode_segment(&path).unwrap();
        for n in 0..5 {
            assert!(
                frames.next_rgb().unwrap().unwrap() == frame(&format, n),
                "{width}×{height} frame {n}"
            );
        }
        assert_eq!(frames.next_rgb().unwrap(), None);
        let film = folder.path().join("film.mkv");
        join(
            &film,
            std::slice::from_ref(&path),
            &format,
            &Metadata::default(),
        )
        .unwrap();
        let mut reader = VideoReader::open(&film).unwrap();
        for n in 0..5 {
            assert!(
                reader.next_rgb().unwrap().unwrap() == frame(&format, n),
                "{width}×{height} frame {n} of the film"
            );
        }
        assert_eq!(reader.next_rgb().unwrap(), None);
    }
}

#[test]
fn the_same_frames_give_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    for format in [small(), VideoFormat::ffv1(support::W, support::H, (24, 1))] {
        let paths: Vec<_> = (0..4)
            .map(|i| folder.path().join(format!("{i}.seg")))
            .collect();
        std::thread::scope(|scope| {
            for path in &paths[1..] {
                scope.spawn(|| encode(path, &format, 0..60));
            }
        });
        encode(&paths[0], &format, 0..60);
        let first = std::fs::read(&paths[0]).unwrap();
        for path in &paths {
            assert!(std::fs::read(path).unwrap() == first, "{}", format.id());
        }
    }
}

#[test]
fn changing_one_shot_changes_only_its_frames() {
    let folder = tempfile::tempdir().unwrap();
    let format = small();
    let parts = segments(
        folder.path(),
        &format,
        &[0..30, 30..60, 60..90, 90..120, 120..150],
    );
    let before: Vec<_> = parts.iter().map(|it| encoded(it)).collect();
    let film = folder.path().join("film.mp4");
    join(&film, &parts, &format, &Metadata::default()).unwrap();
    let whole = std::fs::read(&film).unwrap();

    encode(&parts[2], &format, 1060..1090);
    join(&film, &parts, &format, &Metadata::default()).unwrap();
    let changed = std::fs::read(&film).unwrap();
    let find = |file: &[u8], frame: &[u8]| file.windows(frame.len()).position(|it| it == frame);
    for (shot, frames) in before.iter().enumerate() {
        for (n, frame) in frames.iter().enumerate().step_by(7) {
            assert!(
                find(&whole, frame).is_some(),
                "shot {shot} frame {n} is not in the film as it was stored"
            );
            assert_eq!(
                find(&changed, frame).is_some(),
                shot != 2,
                "shot {shot} frame {n}"
            );
        }
    }
    let expected: Vec<u16> = (0..60).chain(1060..1090).chain(90..150).collect();
    assert_eq!(all_codes(&film, &format), expected);
}

#[test]
fn seeking_finds_the_very_frame() {
    let folder = tempfile::tempdir().unwrap();
    for (fps, name) in [
        ((24, 1), "a.mp4"),
        ((24000, 1001), "b.mp4"),
        ((30, 1), "c.mkv"),
    ] {
        let format = VideoFormat::h264(support::W, support::H, fps);
        let parts = segments(folder.path(), &format, &[0..40, 40..100]);
        let film = folder.path().join(name);
        join(&film, &parts, &format, &Metadata::default()).unwrap();
        let mut reader = VideoReader::open(&film).unwrap();
        for n in [99, 0, 40, 39, 41, 23, 24, 98, 7] {
            reader.seek(n).unwrap();
            for m in n..(n + 2).min(100) {
                assert_eq!(
                    u64::from(code(&format, &reader.next_rgb().unwrap().unwrap())),
                    m,
                    "{name} after seeking {n}"
                );
            }
        }
        let error = reader.seek(100).unwrap_err().to_string();
        assert!(
            error.contains("frame 100") && error.contains("0 to 99"),
            "{error}"
        );
    }
}

#[test]
fn full_hd_keeps_its_picture() {
    let folder = tempfile::tempdir().unwrap();
    let format = VideoFormat::h264(1920, 1080, (24, 1));
    assert_eq!(
        format.codec,
        Codec::H264 {
            crf: 18,
            preset: longtake_media::Preset::Veryfast
        }
    );
    let parts = segments(folder.path(), &format, &[0..4, 4..6]);
    let film = folder.path().join("film.mp4");
    join(&film, &parts, &format, &Metadata::default()).unwrap();
    let mut reader = VideoReader::open(&film).unwrap();
    for n in 0..6 {
        let (got, sent) = (reader.next_rgb().unwrap().unwrap(), frame(&format, n));
        let square = |(a, b): (&u8, &u8)| f64::from(i32::from(*a) - i32::from(*b)).powi(2);
        // The lower half: flat bars, whose colour must not shift by the matrix or the range.
        let half = sent.len() / 2;
        let error = got[half..]
            .iter()
            .zip(&sent[half..])
            .map(square)
            .sum::<f64>()
            / half as f64;
        assert!(error < 2.0, "frame {n}: mean square error {error}");
    }
    assert_eq!(reader.next_rgb().unwrap(), None);
}

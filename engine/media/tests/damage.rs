//! Films whose packets were damaged: an error where the file can tell, never a hang or a panic.

#![allow(clippy::unwrap_used)] // a test that cannot go on should stop

mod support;

use std::fs;
use std::path::{Path, PathBuf};

use longtake_media::{MediaError, Metadata, VideoFormat, VideoReader, decode_segment};
use support::{encode_texture, encoded, join};

const FRAMES: u32 = 30;

fn all(path: &Path) -> Result<Vec<Vec<u8>>, MediaError> {
    let mut reader = VideoReader::open(path)?;
    let mut frames = Vec::new();
    while let Some(frame) = reader.next_rgb()? {
        frames.push(frame);
    }
    Ok(frames)
}

/// A film of the texture, its bytes, and where in it each packet lies.
fn film(
    name: &str,
    format: &VideoFormat,
    folder: &Path,
) -> (PathBuf, Vec<u8>, Vec<std::ops::Range<usize>>) {
    let part = folder.join("a.seg");
    encode_texture(&part, format, FRAMES);
    let film = folder.join(name);
    join(
        &film,
        std::slice::from_ref(&part),
        format,
        &Metadata::default(),
    )
    .unwrap();
    let bytes = fs::read(&film).unwrap();
    let places = encoded(&part).into_iter().map(|packet| {
        let at = bytes
            .windows(packet.len())
            .position(|it| it == packet)
            .unwrap();
        at..at + packet.len()
    });
    let places = places.collect();
    (film, bytes, places)
}

#[test]
fn a_lossless_film_with_one_changed_byte_says_which_frame_is_damaged() {
    let folder = tempfile::tempdir().unwrap();
    let format = VideoFormat::ffv1(160, 96, (24, 1));
    let (path, whole, places) = film("film.mkv", &format, folder.path());
    assert_eq!(all(&path).unwrap().len(), FRAMES as usize);
    for n in [0, 1, 7, 29] {
        // The last byte is of the last slice's checksum, the ones before of its size.
        let place = &places[n];
        let inside = (0..8).map(|k| place.start + place.len() * k / 8);
        for at in inside.chain(place.end - 8..place.end) {
            let mut bytes = whole.clone();
            bytes[at] ^= 0x55;
            fs::write(&path, &bytes).unwrap();
            let error = all(&path).unwrap_err();
            // Where the first frame's own chain is broken, the second tells that there should be one.
            let fits = |frame: u64| frame == n as u64 || (n == 0 && frame == 1);
            assert!(
                matches!(error, MediaError::Damaged { frame, .. } if fits(frame)),
                "frame {n}, byte {} of {}: {error}",
                at - place.start,
                place.len()
            );
        }
    }
}

#[test]
fn an_h264_film_that_lost_a_packet_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let format = VideoFormat::h264(160, 96, (24, 1));
    for name in ["film.mp4", "film.mkv"] {
        let (path, whole, places) = film(name, &format, folder.path());
        assert_eq!(all(&path).unwrap().len(), FRAMES as usize);
        for n in [0, 1, 24, 29] {
            for fill in [0, 0xFF] {
                let mut bytes = whole.clone();
                bytes[places[n].clone()].fill(fill);
                fs::write(&path, &bytes).unwrap();
                let error = all(&path).map(|it| it.len()).unwrap_err();
                // The MP4's index tells where, as its frames are shown equally long; behind a lost key frame
                // nothing can be decoded.
                let lost = n as u64;
                let fits = match error {
                    MediaError::Damaged { frame, .. } => frame == lost,
                    MediaError::Truncated { found, .. } if name == "film.mp4" => found == lost,
                    MediaError::Truncated { found, .. } => found < u64::from(FRAMES),
                    _ => false,
                };
                assert!(fits, "frame {n}: {error}");
            }
        }
    }
}

#[test]
fn a_damaged_segment_is_never_decoded_to_its_end() {
    let folder = tempfile::tempdir().unwrap();
    let part = folder.path().join("a.seg");
    for format in [
        VideoFormat::h264(160, 96, (24, 1)),
        VideoFormat::ffv1(160, 96, (24, 1)),
    ] {
        encode_texture(&part, &format, FRAMES);
        let whole = fs::read(&part).unwrap();
        let packet = encoded(&part).remove(17);
        let at = whole
            .windows(packet.len())
            .position(|it| it == packet)
            .unwrap();
        let mut bytes = whole.clone();
        bytes[at + packet.len() / 2] ^= 1;
        fs::write(&part, &bytes).unwrap();
        let mut frames = decode_segment(&part).unwrap();
        let error = loop {
            match frames.next_rgb() {
                Ok(Some(_)) => {}
                Ok(None) => panic!("{}: the damage was not seen", format.id()),
                Err(error) => break error,
            }
        };
        assert!(error.to_string().contains("frame 17 of 30"), "{error}");
    }
}

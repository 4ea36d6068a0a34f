//! The quality asked for is the quality given, and the same frames give the same bytes.

#![allow(clippy::unwrap_used)] // a test that cannot go on should stop

mod support;

use std::fs;
use std::path::Path;

use longtake_media::{Codec, Metadata, Preset, VideoFormat, VideoReader, decode_segment};
use support::{encode_texture, encoded, join, texture};

fn with_crf(width: u32, height: u32, crf: u8) -> VideoFormat {
    let preset = Preset::Veryfast;
    VideoFormat {
        codec: Codec::H264 { crf, preset },
        ..VideoFormat::h264(width, height, (24, 1))
    }
}

/// The settings that x264 writes into its first frame: `name=value`, in any file that has that frame.
fn x264_options(bytes: &[u8]) -> Vec<String> {
    let mark = b" - options: ";
    let at = bytes.windows(mark.len()).position(|it| it == mark).unwrap() + mark.len();
    let text: Vec<u8> = bytes[at..]
        .iter()
        .copied()
        .take_while(|it| (b' '..=b'~').contains(it))
        .collect();
    let text = String::from_utf8(text).unwrap();
    text.split(' ').map(str::to_owned).collect()
}

#[test]
fn x264_is_told_a_quality_and_no_ceiling() {
    let folder = tempfile::tempdir().unwrap();
    let part = folder.path().join("a.seg");
    for crf in [1, 18, 30, 50] {
        let format = with_crf(64, 64, crf);
        encode_texture(&part, &format, 3);
        let mut found = vec![x264_options(&encoded(&part)[0])];
        for name in ["film.mp4", "film.mkv"] {
            let film = folder.path().join(name);
            let parts = std::slice::from_ref(&part);
            join(&film, parts, &format, &Metadata::default()).unwrap();
            found.push(x264_options(&fs::read(film).unwrap()));
        }
        for options in found {
            let has = |it: &str| options.iter().any(|option| option == it);
            assert!(has("rc=crf") && has(&format!("crf={crf}.0")), "{options:?}");
            for capped in ["vbv", "bitrate", "nal_hrd"] {
                let one = options.iter().find(|it| it.starts_with(capped));
                assert_eq!(one, None, "crf {crf}");
            }
        }
    }
}

/// Mean over the frames of the peak signal-to-noise ratio of grey, dB.
fn mean_psnr(format: &VideoFormat, decoded: impl Iterator<Item = Vec<u8>>) -> f64 {
    let each: Vec<f64> = decoded
        .enumerate()
        .map(|(n, got)| {
            let sent = texture(format, n as u32);
            let square = |(a, b): (&u8, &u8)| f64::from(a.abs_diff(*b)).powi(2);
            let error: f64 = got.iter().zip(&sent).map(square).sum();
            10.0 * (255.0_f64.powi(2) * sent.len() as f64 / error).log10()
        })
        .collect();
    each.iter().sum::<f64>() / each.len() as f64
}

/// Frames of the texture, 640 × 360, that the figures below stand for.
const FRAMES: u32 = 48;

/// Beside the x264 program of Debian 12 (0.164.3095), run on 2026-12-01 on the texture's luma:
/// `x264 --crf C --preset veryfast --bframes 0 --keyint 24 --threads 8 -o plain.mkv texture.y4m`,
/// its film decoded by `VideoReader`.
#[test]
fn hard_pictures_come_out_as_well_as_plain_x264_makes_them() {
    let folder = tempfile::tempdir().unwrap();
    let part = folder.path().join("a.seg");
    for (crf, plain) in [(18, 35.64), (30, 25.94)] {
        let format = with_crf(640, 360, crf);
        encode_texture(&part, &format, FRAMES);
        let mut frames = decode_segment(&part).unwrap();
        let frames = std::iter::from_fn(|| frames.next_rgb().unwrap());
        let ours = mean_psnr(&format, frames);
        assert!(
            (ours - plain).abs() < 0.1,
            "crf {crf}: {ours} dB, plain x264 {plain} dB"
        );
    }
}

/// Makes the figures above anew: writes `texture.y4m` for the x264 program and looks at the films it made.
#[test]
#[ignore = "takes the x264 program"]
fn plain_x264() {
    let format = with_crf(640, 360, 18);
    let folder = std::env::temp_dir();
    let mut y4m = b"YUV4MPEG2 W640 H360 F24:1 Ip C420mpeg2\n".to_vec();
    for n in 0..FRAMES {
        y4m.extend(b"FRAME\n");
        let grey = texture(&format, n);
        let luma = |v: u8| (16.0 + f64::from(v) * 219.0 / 255.0).round() as u8;
        y4m.extend(grey.iter().step_by(3).map(|v| luma(*v)));
        y4m.extend([128].repeat(640 * 360 / 2));
    }
    fs::write(folder.join("texture.y4m"), y4m).unwrap();
    for crf in [18, 30] {
        let film = folder.join(format!("plain{crf}.mkv"));
        let status = std::process::Command::new("x264")
            .args(["--quiet", "--crf", &crf.to_string(), "--preset", "veryfast"])
            .args(["--bframes", "0", "--keyint", "24", "--threads", "8", "-o"])
            .args([&film, &folder.join("texture.y4m")])
            .status();
        assert!(status.unwrap().success());
        let mut reader = VideoReader::open(&film).unwrap();
        let frames = std::iter::from_fn(|| reader.next_rgb().unwrap());
        println!("crf {crf}: {} dB", mean_psnr(&format, frames));
    }
}

/// Keeps the cores busy, so that x264's threads come in turns that differ from run to run.
fn under_load<T>(work: impl FnOnce() -> T) -> T {
    let stop = std::sync::atomic::AtomicBool::new(false);
    let order = std::sync::atomic::Ordering::Relaxed;
    std::thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| {
                while !stop.load(order) {
                    std::hint::spin_loop();
                }
            });
        }
        let done = work();
        stop.store(true, order);
        done
    })
}

#[test]
fn the_same_hard_frames_give_the_same_packets_again_and_under_load() {
    let folder = tempfile::tempdir().unwrap();
    for preset in [Preset::Ultrafast, Preset::Veryfast, Preset::Medium] {
        let format = VideoFormat {
            codec: Codec::H264 { crf: 18, preset },
            ..VideoFormat::h264(320, 180, (24, 1))
        };
        let packets = |name: &str| {
            let path = folder.path().join(name);
            encode_texture(&path, &format, 120);
            encoded(&path)
        };
        let first = packets("a.seg");
        for (n, again) in [packets("b.seg"), under_load(|| packets("c.seg"))]
            .iter()
            .enumerate()
        {
            let same = first.iter().zip(again).take_while(|(a, b)| a == b).count();
            assert_eq!((same, again.len()), (120, 120), "{preset:?}, run {}", n + 2);
        }
    }
}

/// What the file's index says of its pictures' colour: H.273 numbers of primaries, transfer and matrix.
fn colour_box(mp4: &[u8]) -> Vec<u8> {
    let at = mp4.windows(8).position(|it| it == b"colrnclx").unwrap() + 8;
    mp4[at..at + 7].to_vec()
}

#[test]
fn the_container_tells_the_colours_too() {
    let folder = tempfile::tempdir().unwrap();
    let (part, film) = (folder.path().join("a.seg"), folder.path().join("film.mp4"));
    for (width, height) in [(64, 64), (1280, 720)] {
        let format = with_crf(width, height, 30);
        encode_texture(&part, &format, 2);
        join(
            &film,
            std::slice::from_ref(&part),
            &format,
            &Metadata::default(),
        )
        .unwrap();
        // BT.709 thrice, limited range.
        assert_eq!(colour_box(&fs::read(&film).unwrap()), [0, 1, 0, 1, 0, 1, 0]);
        assert_eq!(frames_of(&film), 2);
    }
}

fn frames_of(film: &Path) -> u64 {
    let mut reader = VideoReader::open(film).unwrap();
    std::iter::from_fn(|| reader.next_rgb().unwrap()).count() as u64
}

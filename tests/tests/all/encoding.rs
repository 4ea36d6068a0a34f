//! What a film's encoder was told, and that it makes the same film every time.

use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use longtake_media::{Container, Metadata, VideoFormat, assemble};
use longtake_tests::compare::{film as frames, psnr};
use longtake_tests::place::Workplace;
use serde_json::{Value as Json, json};

/// Frames that are hard to encode, which media's own tests use too.
#[path = "../../../engine/media/tests/support/mod.rs"]
mod support;

const SIZE: (u32, u32) = (640, 360);

/// A workplace with `frames` hard frames as a lossless film in `input`.
fn place(frames: u32) -> Workplace {
    let place = Workplace::new();
    let format = VideoFormat::ffv1(SIZE.0, SIZE.1, (24, 1));
    let part = place.path("texture.seg");
    support::encode_texture(&part, &format, frames);
    assemble(
        &place.path("input").join("texture.mkv"),
        &[part],
        &format,
        Container::Mkv,
        &Metadata::default(),
        &mut |_| std::ops::ControlFlow::Continue(()),
    )
    .unwrap();
    place.graph("film.json", &graph(18));
    place
}

fn graph(crf: u32) -> Json {
    json!({
        "load": {"class_type": "LoadVideo", "inputs": {"file": "texture.mkv"}},
        "save": {"class_type": "SaveVideo", "inputs": {
            "video": ["load", 0], "filename_prefix": "film", "format": "mp4", "codec": "h264",
            "crf": crf, "preset": "veryfast",
        }},
    })
}

/// The packets of an MP4, one after another: all that it holds but the index, which has the time of writing.
fn packets(mp4: &Path) -> Vec<u8> {
    let bytes = std::fs::read(mp4).unwrap();
    let mut rest = &bytes[..];
    while rest.len() >= 16 {
        let size = u64::from(u32::from_be_bytes(rest[..4].try_into().unwrap()));
        let (head, size) = match size {
            1 => (16, u64::from_be_bytes(rest[8..16].try_into().unwrap())),
            size => (8, size),
        };
        let (whole, after) = rest.split_at(usize::try_from(size).unwrap());
        if &whole[4..8] == b"mdat" {
            return whole[head..].to_vec();
        }
        rest = after;
    }
    panic!("{}: no mdat", mp4.display());
}

#[test]
fn a_rendered_film_has_the_quality_its_graph_asks_for() {
    // What plain x264 makes of these frames: see `engine/media/tests/quality.rs`.
    let (frames_in, plain) = (48, 35.64);
    let place = place(frames_in);
    place.rendered(&["film.json"]);
    let film = place.only(".mp4");
    let options = packets(&film);
    let options = String::from_utf8_lossy(&options[..2000]).into_owned();
    assert!(
        options.contains(" rc=crf ") && options.contains(" crf=18.0 "),
        "{options}"
    );
    for capped in ["vbv", "bitrate"] {
        assert!(!options.contains(capped), "{options}");
    }
    let format = VideoFormat::h264(SIZE.0, SIZE.1, (24, 1));
    let decoded = frames(&film);
    let each = decoded
        .iter()
        .zip(0..)
        .map(|(got, n)| psnr(got, &support::texture(&format, n)));
    let mean = each.sum::<f64>() / f64::from(frames_in);
    assert_eq!(decoded.len(), frames_in as usize);
    assert!(
        (mean - plain).abs() < 0.1,
        "{mean} dB, plain x264 {plain} dB"
    );
}

#[test]
fn an_mp4_killed_and_resumed_has_the_packets_of_an_unbroken_one() {
    let straight = place(144);
    let began = Instant::now();
    straight.rendered(&["film.json"]);
    let whole_run = began.elapsed();
    let wanted = packets(&straight.only(".mp4"));

    let broken = place(144);
    for at in [3, 8, 5, 9, 7] {
        let mut child = broken.spawn("render", &["film.json"]);
        sleep(
            whole_run
                .mul_f64(f64::from(at) / 10.0)
                .min(Duration::from_secs(20)),
        );
        // It may have ended before: then there is nothing to kill.
        let _ = child.kill();
        child.wait().unwrap();
    }
    broken.rendered(&["film.json"]);
    // Killed between the film's name and the store's entry, it is written once more: the same film.
    let films = broken.files("output");
    let films: Vec<_> = films.keys().filter(|it| it.ends_with(".mp4")).collect();
    assert!((1..=2).contains(&films.len()), "{films:?}");
    for film in films {
        let found = packets(&broken.path("output").join(film));
        let same = wanted
            .iter()
            .zip(&found)
            .take_while(|(a, b)| a == b)
            .count();
        assert_eq!((same, found.len()), (wanted.len(), wanted.len()), "{film}");
    }
}

#[test]
fn a_quality_that_the_encoder_does_not_know_is_refused_before_the_render() {
    let place = place(2);
    place.graph("film.json", &graph(51));
    let (ran, _) = place.render(&["film.json"]);
    assert_ne!(ran.code, 0);
    let said = format!("{}{}", ran.stdout, ran.stderr);
    assert!(said.contains("crf") && said.contains("50"), "{said}");
    assert!(place.files("output").is_empty());
}

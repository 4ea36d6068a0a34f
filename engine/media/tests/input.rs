//! Bad input and bad luck: clear errors, nothing left half-written.

#![allow(clippy::single_range_in_vec_init)] // a film of one segment
#![allow(clippy::unwrap_used)] // a test that cannot go on should stop

mod support;

use std::fs;
use std::ops::ControlFlow;
use std::path::Path;

use longtake_media::{
    Codec, Container, MediaError, Metadata, Preset, SegmentReader, SegmentWriter, VideoFormat,
    VideoReader, assemble, decode_segment, probe, read_metadata,
};
use support::{encode, frame, join, names, segments, small};

/// Opens and decodes to the end.
fn read_all(path: &Path) -> Result<u64, MediaError> {
    let mut reader = VideoReader::open(path)?;
    let mut frames = 0;
    while reader.next_rgb()?.is_some() {
        frames += 1;
    }
    Ok(frames)
}

#[test]
fn files_that_are_no_video_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let noise: Vec<u8> = noise(50_000);
    let tone = wav();
    for (name, content, expected) in [
        ("empty.mp4", Some(&b""[..]), "empty (0 bytes)"),
        (
            "text.mp4",
            Some(b"Once upon a time there was a text file.\n"),
            "not a video",
        ),
        ("noise.mp4", Some(&noise), "not a video"),
        ("sound.wav", Some(&tone), "not a video"),
        ("short.mp4", Some(b"\0\0\0\x18ftypisom"), "damaged"),
        ("missing.mp4", None, "no such file"),
    ] {
        let path = folder.path().join(name);
        if let Some(content) = content {
            fs::write(&path, content).unwrap();
        }
        for error in [read_all(&path).unwrap_err(), probe(&path).unwrap_err()] {
            let text = error.to_string();
            assert!(
                text.contains(name) && text.contains(expected),
                "{name}: {error:?}: {text}"
            );
        }
        let error = SegmentReader::open(&path).unwrap_err().to_string();
        assert!(error.contains(name), "{error}");
    }
    assert!(matches!(
        read_all(folder.path()),
        Err(MediaError::NotVideo { .. })
    ));
}

#[test]
fn a_film_cut_short_is_found_out() {
    let folder = tempfile::tempdir().unwrap();
    let format = small();
    let parts = segments(folder.path(), &format, &[0..60, 60..120]);
    for name in ["film.mp4", "film.mkv"] {
        let film = folder.path().join(name);
        join(&film, &parts, &format, &Metadata::default()).unwrap();
        assert_eq!(read_all(&film).unwrap(), 120);
        let whole = fs::read(&film).unwrap();
        for keep in [whole.len() / 3, whole.len() / 2, whole.len() - 1, 100] {
            fs::write(&film, &whole[..keep]).unwrap();
            let error = read_all(&film).unwrap_err();
            match &error {
                MediaError::Truncated {
                    expected: 120,
                    found,
                    ..
                } => assert!(*found < 120, "{error}"),
                MediaError::Corrupt { byte, .. } => assert!(*byte <= keep as u64, "{error}"),
                other => panic!("{name} cut to {keep}: {other:?}"),
            }
        }
        // Whole in length, but a stretch of it overwritten: fewer frames come out than the index counts,
        // or all do and some look wrong, which no reader can see.
        let mut holed = whole.clone();
        let third = whole.len() / 3;
        holed[third..2 * third].fill(0xA5);
        fs::write(&film, &holed).unwrap();
        match read_all(&film) {
            Ok(frames) => assert_eq!(frames, 120),
            Err(error) => assert!(error.to_string().contains(name), "{error}"),
        }
    }
}

#[test]
fn a_damaged_segment_is_found_out() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.seg");
    encode(&path, &small(), 0..30);
    let whole = fs::read(&path).unwrap();
    let drain = |path: &Path| {
        let mut reader = SegmentReader::open(path)?;
        while reader.next_frame()?.is_some() {}
        Ok(())
    };
    drain(&path).unwrap();
    for keep in (1..whole.len())
        .step_by(whole.len() / 40)
        .chain([whole.len() - 1])
    {
        fs::write(&path, &whole[..keep]).unwrap();
        assert!(
            SegmentReader::open(&path).is_err(),
            "cut to {keep} of {}",
            whole.len()
        );
    }
    for at in (0..whole.len()).step_by(whole.len() / 150) {
        let mut flipped = whole.clone();
        flipped[at] ^= 0x10;
        fs::write(&path, &flipped).unwrap();
        match drain(&path) {
            Err(MediaError::Corrupt { byte, .. }) => assert!(byte as usize <= whole.len()),
            Err(MediaError::NotVideo { .. }) => assert!(at < 8, "byte {at}"),
            other => panic!("byte {at}: {other:?}"),
        }
    }
    let out = folder.path().join("film.mp4");
    let error = join(
        &out,
        std::slice::from_ref(&path),
        &small(),
        &Metadata::default(),
    )
    .unwrap_err();
    assert!(error.to_string().contains("a.seg"), "{error}");
    assert!(
        decode_segment(&path)
            .and_then(|mut it| {
                while it.next_rgb()?.is_some() {}
                Ok(())
            })
            .is_err()
    );
    assert_eq!(names(folder.path()), ["a.seg"]);
}

#[test]
fn segments_must_fit_the_film() {
    let folder = tempfile::tempdir().unwrap();
    let format = small();
    let fits = folder.path().join("fits.seg");
    encode(&fits, &format, 0..3);
    let out = folder.path().join("film.mp4");
    for (other, says) in [
        (VideoFormat::h264(64, 72, (24, 1)), "64×72"),
        (VideoFormat::h264(128, 72, (25, 1)), "25/1"),
        (VideoFormat::ffv1(128, 72, (24, 1)), "ffv1"),
        (
            VideoFormat {
                codec: Codec::H264 {
                    crf: 18,
                    preset: Preset::Slow,
                },
                ..format.clone()
            },
            "preset=slow",
        ),
    ] {
        let path = folder.path().join("other.seg");
        encode(&path, &other, 0..3);
        let error = join(&out, &[fits.clone(), path], &format, &Metadata::default())
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("other.seg") && error.contains(says),
            "{error}"
        );
    }
    let error = join(&out, &[], &format, &Metadata::default()).unwrap_err();
    assert!(matches!(error, MediaError::NoFrames { .. }));
    let lossless = VideoFormat::ffv1(128, 72, (24, 1));
    let error = join(&out, &[], &lossless, &Metadata::default())
        .unwrap_err()
        .to_string();
    assert!(error.contains(".mkv"), "{error}");
    assert!(!out.exists());
}

#[test]
fn formats_no_encoder_takes_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.seg");
    let with_crf = |crf| VideoFormat {
        codec: Codec::H264 {
            crf,
            preset: Preset::Fast,
        },
        ..small()
    };
    for (format, says) in [
        (VideoFormat::h264(853, 480, (24, 1)), "852×480"),
        (VideoFormat::h264(854, 481, (24, 1)), "854×480"),
        (VideoFormat::h264(0, 480, (24, 1)), "0×480"),
        (VideoFormat::ffv1(u32::MAX, u32::MAX, (24, 1)), "16384"),
        (VideoFormat::h264(64, 64, (0, 1)), "0/1"),
        (VideoFormat::h264(64, 64, (24, 0)), "24/0"),
        (VideoFormat::h264(64, 64, (u32::MAX, 1)), "frame rate"),
        (with_crf(51), "crf 51"),
    ] {
        let error = SegmentWriter::create(&path, &format)
            .err()
            .expect(says)
            .to_string();
        assert!(error.contains(says), "{error}");
    }
    let mut writer = SegmentWriter::create(&path, &small()).unwrap();
    let error = writer.push_rgb(&[0; 100]).unwrap_err().to_string();
    assert!(error.contains("27648 bytes, got 100"), "{error}");
    assert!(matches!(writer.finish(), Err(MediaError::NoFrames { .. })));
    assert_eq!(names(folder.path()), Vec::<String>::new());
}

#[test]
fn what_is_not_finished_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.seg");
    encode(&path, &small(), 0..30);
    let before = fs::read(&path).unwrap();
    let mut writer = SegmentWriter::create(&path, &small()).unwrap();
    (100..140).for_each(|n| writer.push_rgb(&frame(&small(), n)).unwrap());
    drop(writer);
    assert_eq!(names(folder.path()), ["a.seg"]);
    assert!(fs::read(&path).unwrap() == before);

    let out = folder.path().join("film.mp4");
    let mut seen = 0;
    let cancelled = assemble(
        &out,
        &[path],
        &small(),
        Container::Mp4,
        &Metadata::default(),
        &mut |n| {
            seen = n;
            if n == 10 {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        },
    );
    assert!(matches!(cancelled, Err(MediaError::Cancelled { .. })) && seen == 10);
    assert_eq!(names(folder.path()), ["a.seg"]);
}

#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let part = folder.path().join("a.seg");
    encode(&part, &small(), 0..3);
    // A file in the folder's place: nobody, root neither, can write below it.
    let blocked = part.join("sub").join("film.mp4");
    let absent = folder.path().join("none").join("film.mp4");
    for path in [blocked, absent] {
        let writing = SegmentWriter::create(&path, &small()).err().unwrap();
        let joining = join(
            &path,
            std::slice::from_ref(&part),
            &small(),
            &Metadata::default(),
        )
        .unwrap_err();
        for error in [writing, joining] {
            assert!(matches!(error, MediaError::Unwritable { .. }), "{error:?}");
            assert!(
                error.to_string().contains("film.mp4")
                    && error.to_string().contains("folder exists"),
                "{error}"
            );
        }
    }
}

#[test]
fn metadata_comes_back_character_for_character() {
    let folder = tempfile::tempdir().unwrap();
    let parts = segments(folder.path(), &small(), &[0..3]);
    let long: Vec<String> = (0..3000)
        .map(|i| format!(r#""{i}": {{"text": "雨の路地, rue Ünïcôde \"\\\n🎬"}}"#))
        .collect();
    let long = format!("{{{}}}", long.join(", "));
    assert!(long.len() > 167_000);
    for (prompt, workflow, title) in [
        (
            Some(long.as_str()),
            Some(r#"{ "a" : 1.0e3, "b":12345678901234567890123 }"#),
            Some("夜の列車 – “draft”"),
        ),
        (Some("{}"), None, None),
        (None, None, Some("plain")),
        (None, None, None),
    ] {
        let own = |text: Option<&str>| text.map(str::to_owned);
        let sent = Metadata {
            prompt_json: own(prompt),
            workflow_json: own(workflow),
            title: own(title),
        };
        for name in ["film.mp4", "film.mkv"] {
            let film = folder.path().join(name);
            join(&film, &parts, &small(), &sent).unwrap();
            let found = read_metadata(&film).unwrap();
            assert!(
                found.clone().unwrap_or_default() == sent,
                "{name} {title:?}: {:?}",
                found.map(|it| it.title)
            );
            assert_eq!(read_all(&film).unwrap(), 3);
        }
    }
    let bad = Metadata {
        prompt_json: Some("{oops".into()),
        ..Metadata::default()
    };
    let error = join(&folder.path().join("bad.mp4"), &parts, &small(), &bad)
        .unwrap_err()
        .to_string();
    assert!(error.contains("`prompt` is not valid JSON"), "{error}");
    fs::write(folder.path().join("notes.txt"), "no film").unwrap();
    assert_eq!(
        read_metadata(&folder.path().join("notes.txt")).unwrap(),
        None
    );
    assert!(matches!(
        read_metadata(&folder.path().join("no")),
        Err(MediaError::Missing { .. })
    ));
}

#[test]
fn hostile_indexes_do_no_harm() {
    let folder = tempfile::tempdir().unwrap();
    let parts = segments(folder.path(), &small(), &[0..8]);
    let meta = Metadata {
        prompt_json: Some("{}".into()),
        ..Metadata::default()
    };
    for name in ["film.mp4", "film.mkv"] {
        let film = folder.path().join(name);
        join(&film, &parts, &small(), &meta).unwrap();
        let whole = fs::read(&film).unwrap();
        // The index of the MP4 and the headers of the MKV lie in the first kilobyte.
        for at in (0..whole.len().min(1000)).step_by(7) {
            let mut broken = whole.clone();
            broken[at] = !broken[at];
            fs::write(&film, &broken).unwrap();
            let _ = read_metadata(&film); // an error or an answer, in no time, and no panic
        }
    }
}

/// What a person may name by mistake: a pipe that nobody writes to, a socket, a device, a folder.
fn no_files(folder: &Path) -> [(std::path::PathBuf, &'static str); 4] {
    let pipe = folder.join("pipe.mp4");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.unwrap().success());
    let socket = folder.join("socket.mp4");
    std::os::unix::net::UnixListener::bind(&socket).unwrap();
    [
        (pipe, "a named pipe"),
        (socket, "a socket"),
        ("/dev/zero".into(), "a device"),
        (folder.to_owned(), "a folder"),
    ]
}

#[test]
fn what_is_no_file_is_named_and_never_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    for (path, is) in no_files(folder.path()) {
        for error in [
            read_all(&path).unwrap_err(),
            probe(&path).unwrap_err(),
            SegmentReader::open(&path).unwrap_err(),
            decode_segment(&path).err().unwrap(),
            read_metadata(&path).unwrap_err(),
            join(
                &folder.path().join("film.mp4"),
                std::slice::from_ref(&path),
                &small(),
                &Metadata::default(),
            )
            .unwrap_err(),
        ] {
            assert!(
                error.to_string().ends_with(&format!("it is {is}")),
                "{error}"
            );
        }
    }
}

#[test]
fn what_is_no_file_is_not_replaced_by_one() {
    let folder = tempfile::tempdir().unwrap();
    let part = folder.path().join("a.seg");
    encode(&part, &small(), 0..3);
    for (path, is) in no_files(folder.path()) {
        let parts = std::slice::from_ref(&part);
        for error in [
            SegmentWriter::create(&path, &small()).err().unwrap(),
            join(&path, parts, &small(), &Metadata::default()).unwrap_err(),
        ] {
            let said = format!("cannot write here: it is {is}; give the name of a file");
            assert!(error.to_string().ends_with(&said), "{error}");
        }
        assert!(!path.metadata().unwrap().is_file(), "{}", path.display());
    }
}

#[test]
fn everything_needed_is_installed() {
    longtake_media::check_installation().unwrap();
}

/// Reproducible noise.
fn noise(len: usize) -> Vec<u8> {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let step = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 56) as u8
    };
    std::iter::repeat_with(step).take(len).collect()
}

/// A tenth of a second of silence: a media file without pictures.
fn wav() -> Vec<u8> {
    let mut bytes = b"RIFF\x64\x03\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1f\0\0\x80\x3e\0\0\x02\0\x10\0data\x40\x03\0\0".to_vec();
    bytes.resize(bytes.len() + 832, 0);
    bytes
}

//! What is read from other programs' files: the corpus, file by file.

#[path = "common/comfy.rs"]
mod comfy;

use std::fmt::Write as _;

use comfy::{Comfy, corpus};
use expect_test::expect_file;
use longtake_graph::format::carrier::Carrier;
use longtake_graph::{Format, Loaded, Project, read_bytes_with, read_with, write};

fn load(path: &std::path::Path) -> Loaded {
    read_with(path, &Comfy).unwrap_or_else(|error| panic!("{error}"))
}

fn inside(kind: &str, name: &str) -> Loaded {
    let path = corpus(kind).into_iter().find(|it| it.ends_with(name));
    load(&path.unwrap_or_else(|| panic!("{kind}/{name}")))
}

/// The whole project that each workflow becomes, and what is said of it.
#[test]
fn workflows_become_projects() {
    for (name, wanted) in [
        ("empty.json", expect_file!["goldens/empty.longtake"]),
        ("flat.json", expect_file!["goldens/flat.longtake"]),
        ("odd.json", expect_file!["goldens/odd.longtake"]),
        ("subgraphs.json", expect_file!["goldens/subgraphs.longtake"]),
        ("version1.json", expect_file!["goldens/version1.longtake"]),
    ] {
        let loaded = inside("workflow", name);
        assert_eq!((loaded.format, loaded.carrier), (Format::Workflow, None));
        let mut text = loaded.project.to_json();
        for finding in &loaded.diagnostics {
            assert_eq!(finding.message.lacks(), None);
            writeln!(text, "{finding}").unwrap();
        }
        wanted.assert_eq(&text);
        let again = read_bytes_with("again", loaded.project.to_json().as_bytes(), &Comfy);
        assert_eq!(again.unwrap().project, loaded.project, "{name}");
    }
}

#[test]
fn carriers_give_their_best_graph() {
    let workflow = inside("workflow", "version1.json").project;
    let flat = inside("workflow", "flat.json").project;
    let prompt = inside("prompt", "wan22-ti2v-5b.json").project;
    let rows: &[(&str, &str, Carrier, Format, &Project)] = &[
        (
            "png",
            "comfyui.png",
            Carrier::Png,
            Format::Workflow,
            &workflow,
        ),
        ("png", "packed.png", Carrier::Png, Format::Workflow, &flat),
        (
            "webp",
            "comfyui.webp",
            Carrier::WebP,
            Format::Workflow,
            &workflow,
        ),
        (
            "webp",
            "little.webp",
            Carrier::WebP,
            Format::Prompt,
            &prompt,
        ),
        (
            "mp4",
            "comfyui.mp4",
            Carrier::Mp4,
            Format::Workflow,
            &workflow,
        ),
        (
            "mp4",
            "freeform.mp4",
            Carrier::Mp4,
            Format::Workflow,
            &workflow,
        ),
        ("mp4", "longtake.mp4", Carrier::Mp4, Format::Prompt, &prompt),
        (
            "mp4",
            "quicktime.mov",
            Carrier::Mp4,
            Format::Prompt,
            &prompt,
        ),
        (
            "mkv",
            "comfyui.webm",
            Carrier::Mkv,
            Format::Workflow,
            &workflow,
        ),
        ("mkv", "escaped.mkv", Carrier::Mkv, Format::Prompt, &prompt),
        ("mkv", "longtake.mkv", Carrier::Mkv, Format::Prompt, &prompt),
        (
            "safetensors",
            "comfyui.latent",
            Carrier::Safetensors,
            Format::Workflow,
            &workflow,
        ),
    ];
    for (kind, name, carrier, format, project) in rows {
        let loaded = inside(kind, name);
        assert_eq!(
            (loaded.carrier, loaded.format),
            (Some(*carrier), *format),
            "{name}"
        );
        assert_eq!(loaded.project, **project, "{name}");
    }
}

#[test]
fn a_damaged_graph_gives_way_to_the_next_one() {
    let loaded = inside("png", "nan.png");
    assert_eq!(loaded.format, Format::Prompt);
    assert_eq!(
        loaded.project.nodes["99"].extra["comfyui"]["is_changed"],
        serde_json::json!([null])
    );
    let said = loaded.diagnostics[0].to_string();
    assert!(
        said.contains("(workflow):1:") && said.contains("its prompt is read"),
        "{said}"
    );
}

/// A graph read from a picture is not written over it.
#[test]
fn carriers_are_never_written_over() {
    let folder = tempfile::tempdir().unwrap();
    for kind in ["png", "webp", "mp4", "mkv", "safetensors"] {
        for file in corpus(kind) {
            let copy = folder.path().join(file.file_name().unwrap());
            std::fs::copy(&file, &copy).unwrap();
            let loaded = load(&copy);
            assert!(!loaded.is_file());
            let error = write(&copy, &loaded.project, loaded.format, &Comfy).unwrap_err();
            assert!(
                error.to_string().contains("which a graph would replace"),
                "{error}"
            );
            assert_eq!(std::fs::read(&copy).unwrap(), std::fs::read(&file).unwrap());
        }
    }
}

#[test]
fn what_carries_nothing_says_so() {
    for bytes in [
        &b"\x89PNG\r\n\x1a\n"[..],
        b"RIFF\x04\0\0\0WEBP",
        b"\0\0\0\x08ftyp",
        b"\x1A\x45\xDF\xA3\x80",
        b"\x02\0\0\0\0\0\0\0{}",
    ] {
        let error = read_bytes_with("x", bytes, &Comfy).unwrap_err();
        assert!(error.message.en.contains("carries no graph"), "{error}");
        assert_eq!(error.sentence().lacks(), None);
    }
}

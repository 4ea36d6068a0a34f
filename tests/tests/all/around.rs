//! What lies around a render: readers that go away, the program's own folders, inputs that are no files,
//! and the last lines, which say what was written.

use std::io::{BufRead, BufReader};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use longtake_tests::graphs::{film, shot, tiny_prompt};
use longtake_tests::place::{Workplace, program, run};
use serde_json::{Value as Json, json};

/// Waits for a program that must end by itself; one that hangs is killed, and the test fails.
#[track_caller]
fn end(mut child: Child, most: Duration) -> ExitStatus {
    let began = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        if began.elapsed() > most {
            child.kill().unwrap();
            panic!("it hangs");
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn short() -> Json {
    let mut graph = tiny_prompt();
    graph["3"]["inputs"]["steps"] = json!(1);
    graph
}

#[test]
fn a_render_outlives_its_readers() {
    for progress in ["json", "plain"] {
        let place = Workplace::new();
        place.graph("a.json", &short());
        let mut child = place
            .command("render", &["a.json", "--progress", progress])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        if progress == "json" {
            let mut line = String::new();
            BufReader::new(child.stdout.as_mut().unwrap())
                .read_line(&mut line)
                .unwrap();
            assert!(line.contains("begun"), "{line}");
        }
        drop((child.stdout.take(), child.stderr.take()));
        let status = end(child, Duration::from_mins(2));
        assert_eq!(status.code(), Some(0), "{progress}: {status:?}");
        assert!(!place.files("output").is_empty());
    }
}

#[test]
fn a_list_ends_quietly_when_its_reader_goes() {
    let mut child = Command::new(program())
        .args(["nodes", "--json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let stderr = child.stderr.take().unwrap();
    let status = end(child, Duration::from_mins(1));
    assert_eq!(status.signal(), Some(libc::SIGPIPE), "{status:?}");
    let said = std::io::read_to_string(stderr).unwrap();
    assert_eq!(said, "");
}

#[test]
fn the_store_lies_where_the_one_rule_says() {
    let place = Workplace::new();
    let at = |name: &str| place.path(name);
    for (variables, expected) in [
        (vec![("LONGTAKE_HOME", at("own"))], at("own/cache/store")),
        (
            vec![("XDG_CACHE_HOME", at("xdg"))],
            at("xdg/longtake/store"),
        ),
        // What is not absolute counts as not set, as the base directory specification asks.
        (
            vec![("XDG_CACHE_HOME", "here".into())],
            at("home/.cache/longtake/store"),
        ),
        (
            vec![("XDG_CACHE_HOME", "".into())],
            at("home/.cache/longtake/store"),
        ),
        (vec![], at("home/.cache/longtake/store")),
    ] {
        let mut command = Command::new(program());
        command
            .args(["models", "--device", "cpu", "--models", "none"])
            .current_dir(place.folder())
            .env("HOME", at("home"))
            .env_remove("XDG_CACHE_HOME")
            .env_remove("LONGTAKE_HOME")
            .env_remove("LONGTAKE_STORE")
            .envs(variables.iter().map(|(name, value)| (*name, value)));
        run(&mut command).exits(0);
        assert!(expected.is_dir(), "{variables:?}: {}", expected.display());
        std::fs::remove_dir_all(expected).unwrap();
    }
}

/// A graph that reads the file of that name.
type Graph<'a> = &'a dyn Fn(&str) -> Json;

fn pipe(path: &Path) {
    let made = Command::new("mkfifo").arg(path).status().unwrap();
    assert!(made.success());
}

#[test]
fn what_is_no_file_is_refused_and_not_read() {
    let saved = |loader: Json, output: usize| {
        json!({
            "1": loader,
            "2": {"class_type": "SaveImage", "inputs": {"images": ["1", output], "filename_prefix": "a"}},
        })
    };
    let image = |name: &str| {
        let loader = json!({"class_type": "LoadImage", "inputs": {"image": name}});
        saved(loader, 0)
    };
    let video = |name: &str| {
        json!({
            "1": {"class_type": "LoadVideo", "inputs": {"file": name}},
            "2": {"class_type": "GetVideoComponents", "inputs": {"video": ["1", 0]}},
            "3": {"class_type": "SaveImage", "inputs": {"images": ["2", 0], "filename_prefix": "a"}},
        })
    };
    let latent = |name: &str| {
        json!({
            "1": {"class_type": "LoadLatent", "inputs": {"latent": name}},
            "2": {"class_type": "SaveLatent", "inputs": {"samples": ["1", 0], "filename_prefix": "a"}},
        })
    };
    let pose = |name: &str| {
        json!({
            "1": {"class_type": "LoadPoseKeypoints", "inputs": {"file": name}},
            "2": {"class_type": "DrawPose", "inputs": {"pose": ["1", 0], "width": 64, "height": 48}},
            "3": {"class_type": "SaveImage", "inputs": {"images": ["2", 0], "filename_prefix": "a"}},
        })
    };
    let model = |name: &str| {
        let mut graph = short();
        graph["37"]["inputs"]["unet_name"] = json!(name);
        graph
    };
    let kinds: [(&str, &str, Graph<'_>); 5] = [
        ("input", "png", &image),
        ("input", "mp4", &video),
        ("input", "latent", &latent),
        ("input", "json", &pose),
        ("models/diffusion_models", "safetensors", &model),
    ];
    let place = Workplace::new().with_own_models();
    for (folder, ending, graph) in kinds {
        for (kind, make) in [
            ("pipe", pipe as fn(&Path)),
            ("folder", |path| std::fs::create_dir(path).unwrap()),
        ] {
            let name = format!("{kind}.{ending}");
            make(&place.path(folder).join(&name));
            place.graph("a.json", &graph(&name));
            for command in ["check", "plan", "render"] {
                let output = place.path("said.txt");
                let file = std::fs::File::create(&output).unwrap();
                let child = place
                    .command(command, &["a.json"])
                    .stdout(file.try_clone().unwrap())
                    .stderr(file)
                    .spawn()
                    .unwrap();
                let status = end(child, Duration::from_mins(1));
                let said = std::fs::read_to_string(&output).unwrap();
                assert_eq!(status.code(), Some(2), "{command} {name}: {said}");
                assert!(said.contains(&name), "{command} {name}: {said}");
                assert!(!said.contains("panicked"), "{said}");
            }
        }
    }
    assert!(place.files("output").is_empty());
}

#[test]
fn a_render_ends_with_what_it_wrote() {
    let place = Workplace::new();
    let shots = [shot("a", "A cat.", 9), shot("b", "A dog.", 5)];
    place.graph("film.json", &film(&shots));
    for from in ["made", "stored"] {
        let ran = place.run("render", &["film.json"]).exits(0);
        let path = ran.stdout.lines().last().unwrap();
        assert!(Path::new(path).is_file(), "{from}: {}", ran.stdout);
        let told = "14 frames of 64×48 at 16 fps";
        assert!(ran.stderr.contains(told), "{from}: {}", ran.stderr);
        assert!(ran.stderr.contains("KiB"), "{from}: {}", ran.stderr);
    }
}

//! The command line: reports, dry runs, lists, conversion, the prompt inside a film.

use longtake_tests::graphs::{film, shot, tiny_prompt};
use longtake_tests::place::{Workplace, run, steps};
use serde_json::{Value as Json, json};

fn keys(value: &Json) -> Vec<&str> {
    let mut keys: Vec<&str> = value
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    keys.sort_unstable();
    keys
}

#[test]
fn a_report_tells_everything() {
    let place = Workplace::new();
    place.graph("a.json", &tiny_prompt());
    let report = place.rendered(&["a.json", "--set", "3.steps=1"]);
    assert_eq!(
        keys(&report),
        [
            "error",
            "measured",
            "outputs",
            "plan",
            "reproduce",
            "steps",
            "weights"
        ]
    );
    assert_eq!(
        keys(&report["plan"]),
        [
            "cached",
            "peak_device_bytes",
            "peak_host_bytes",
            "seconds",
            "steps"
        ]
    );
    assert_eq!(report["plan"]["steps"], 7);
    for step in report["steps"].as_array().unwrap() {
        assert_eq!(step["status"], "done", "{step}");
        assert!(step["seconds"].as_f64().unwrap() >= 0.0);
        assert!(step["predicted_bytes"].as_u64().unwrap() > 0, "{step}");
        assert!(step["measured_bytes"].as_u64().unwrap() > 0, "{step}");
        assert_eq!(step["attempts"], 1, "{step}");
        assert!(["device", "cpu"].contains(&step["lane"].as_str().unwrap()));
        assert_eq!(step["signature"].as_str().unwrap().len(), 64);
    }
    for weights in report["weights"].as_array().unwrap() {
        assert_eq!(weights["loads"], 1, "{weights}");
    }
    for output in report["outputs"].as_array().unwrap() {
        assert!(
            std::path::Path::new(output["path"].as_str().unwrap()).is_file(),
            "{output}"
        );
        assert!(["9", "10"].contains(&output["node"].as_str().unwrap()));
    }
    let measured = &report["measured"];
    assert!(
        measured["peak_rss_bytes"].as_u64().unwrap() > 1 << 20,
        "{measured}"
    );
    assert!(measured["seconds"].as_f64().unwrap() > 0.0);

    // Everything needed to do it again: its prompt gives the same work.
    let reproduce = &report["reproduce"];
    place.graph("again.json", &reproduce["prompt"]);
    let again = place.rendered(&["again.json"]);
    assert_eq!(steps(&again, "done"), Vec::<String>::new());
    for key in ["version", "arguments", "machine", "folder"] {
        assert!(!reproduce[key].is_null(), "{key}");
    }
}

#[test]
fn a_report_of_a_failure_names_node_and_cause() {
    let place = Workplace::new();
    let mut graph = tiny_prompt();
    graph["9"]["inputs"]["filename_prefix"] = json!("blocked/escaped");
    graph["3"]["inputs"]["steps"] = json!(1);
    place.write("output/blocked", "a file");
    place.graph("a.json", &graph);
    let (ran, report) = place.render(&["a.json"]);
    ran.exits(1);
    assert_eq!(report["error"]["node"], "9", "{}", report["error"]);
    assert_eq!(report["error"]["class"], "SaveLatent");
    assert!(
        report["error"]["message"]
            .as_str()
            .unwrap()
            .contains("blocked")
    );
    assert_eq!(steps(&report, "failed"), ["9 SaveLatent"]);
    // What does not hang on it was made all the same, and is kept.
    assert!(steps(&report, "done").contains(&"3 KSampler".to_owned()));
    graph["9"]["inputs"]["filename_prefix"] = json!("ok");
    place.graph("a.json", &graph);
    let mended = place.rendered(&["a.json"]);
    assert!(!steps(&mended, "done").contains(&"3 KSampler".to_owned()));
}

#[test]
fn a_report_is_written_for_a_graph_that_cannot_run() {
    let place = Workplace::new();
    let mut graph = tiny_prompt();
    graph["3"]["inputs"]["steps"] = json!("many");
    place.graph("a.json", &graph);
    let (ran, report) = place.render(&["a.json"]);
    ran.exits(2);
    assert!(!report["error"].is_null());
    for key in [
        "plan",
        "steps",
        "weights",
        "outputs",
        "measured",
        "reproduce",
    ] {
        assert!(report.get(key).is_some(), "{key}");
    }
    assert!(place.files("output").is_empty());
}

#[test]
fn a_dry_run_does_nothing() {
    let place = Workplace::new();
    place.graph("a.json", &tiny_prompt());
    let ran = place.run("render", &["a.json", "--dry-run"]).exits(0);
    for word in ["KSampler", "VAEDecode", "peak"] {
        assert!(ran.stdout.contains(word), "{}", ran.stdout);
    }
    assert!(place.files("output").is_empty());
    assert!(
        place.files("store").is_empty(),
        "{:?}",
        place.files("store")
    );
}

#[test]
fn a_plan_of_a_finished_render_is_shown_whole() {
    let place = Workplace::new();
    place.graph("a.json", &tiny_prompt());
    let before = place.run("plan", &["a.json", "--json"]).exits(0);
    let before: Json = serde_json::from_str(&before.stdout).unwrap();
    place.rendered(&["a.json", "--set", "3.steps=1"]);
    place.graph("b.json", &{
        let mut graph = tiny_prompt();
        graph["3"]["inputs"]["steps"] = json!(1);
        graph
    });
    let ran = place.run("plan", &["b.json", "--json"]).exits(0);
    let after: Json = serde_json::from_str(&ran.stdout).unwrap();
    let paths = |plan: &Json| {
        let mut paths: Vec<String> = (plan["steps"].as_array().unwrap().iter())
            .map(|it| format!("{} {}", it["node"], it["class"]))
            .collect();
        paths.sort();
        paths
    };
    assert_eq!(paths(&after), paths(&before));
    for step in after["steps"].as_array().unwrap() {
        assert_eq!(step["cached"], true, "{step}");
    }
    for arguments in [&["plan", "b.json"][..], &["render", "b.json", "--dry-run"]] {
        let text = place.run(arguments[0], &arguments[1..]).exits(0).stdout;
        for word in ["KSampler", "VAEDecode", "stored"] {
            assert!(text.contains(word), "{text}");
        }
    }
}

#[test]
fn a_plan_is_text_for_people_and_json_for_programs() {
    let place = Workplace::new();
    place.graph("a.json", &tiny_prompt());
    let text = place.run("plan", &["a.json"]).exits(0).stdout;
    assert!(
        text.contains("KSampler") && text.contains("wan_tiny_bf16.safetensors"),
        "{text}"
    );
    let plan = place.run("plan", &["a.json", "--json"]).exits(0).json();
    assert_eq!(plan["steps"].as_array().unwrap().len(), 7);
    assert!(plan["peak_host_bytes"].as_u64().unwrap() > 0);
    // What was rendered is shown as stored.
    place.rendered(&["a.json", "--set", "3.steps=1"]);
    let plan = place
        .run("plan", &["a.json", "--set", "3.steps=1", "--json"])
        .exits(0)
        .json();
    assert!(
        plan["steps"]
            .as_array()
            .unwrap()
            .iter()
            .all(|it| it["cached"] == true),
        "{plan}"
    );
}

#[test]
fn check_finds_everything_at_once() {
    let place = Workplace::new();
    let mut graph = tiny_prompt();
    place.graph("good.json", &graph);
    let good = place.run("check", &["good.json"]).exits(0);
    assert!(good.stdout.contains("nothing wrong"), "{}", good.stdout);
    graph["3"]["inputs"]["steps"] = json!(0);
    graph["40"]["inputs"]["width"] = json!(65);
    graph["39"]["inputs"]["vae_name"] = json!("nothing.safetensors");
    graph["6"]["class_type"] = json!("CLIPTextEncod");
    place.graph("bad.json", &graph);
    let found = place.run("check", &["bad.json", "--json"]).exits(2).json();
    let text = found.to_string();
    for word in ["steps", "65", "nothing.safetensors", "CLIPTextEncod"] {
        assert!(text.contains(word), "{word}: {text}");
    }
    let plain = place.run("check", &["bad.json"]).exits(2);
    assert!(plain.stdout.contains("errors"), "{}", plain.stdout);
}

#[test]
fn progress_as_json_is_a_line_per_event() {
    let place = Workplace::new();
    place.graph("a.json", &tiny_prompt());
    let args = ["a.json", "--set", "3.steps=2", "--progress", "json"];
    let ran = place.run("render", &args).exits(0);
    let events: Vec<Json> = ran
        .stdout
        .lines()
        .map(|it| serde_json::from_str(it).unwrap())
        .collect();
    let kinds: Vec<&str> = events
        .iter()
        .map(|it| it["event"].as_str().unwrap())
        .collect();
    assert_eq!(
        (kinds[0], kinds[kinds.len() - 1]),
        ("begun", "finished"),
        "{kinds:?}"
    );
    assert_eq!(
        kinds.iter().filter(|it| **it == "done").count(),
        7,
        "{kinds:?}"
    );
    let of_sampler = |it: &&Json| it["event"] == "progress" && it["step"]["class"] == "KSampler";
    let progress: Vec<_> = events
        .iter()
        .filter(of_sampler)
        .map(|it| (&it["done"], &it["total"]))
        .collect();
    assert!(!progress.is_empty(), "{kinds:?}");
    assert!(
        progress.iter().all(|(_, total)| **total == 2),
        "{progress:?}"
    );
}

#[test]
fn nodes_and_models_are_listed() {
    let place = Workplace::new();
    let info = place.run("nodes", &["--json"]).exits(0).json();
    for class in [
        "KSampler",
        "UNETLoader",
        "CLIPTextEncode",
        "VAEDecode",
        "SaveVideo",
        "Storyboard",
    ] {
        assert!(info.get(class).is_some(), "{class}");
    }
    assert!(
        info.get("EncodeSegment").is_none(),
        "steps of the compiler are not offered"
    );
    let names = &info["UNETLoader"]["input"]["required"]["unet_name"][0];
    let names = names.as_array().unwrap();
    assert!(
        names.contains(&json!("wan_tiny_bf16.safetensors")),
        "{names:?}"
    );
    assert!(
        !names.contains(&json!("wan_tiny_vae.safetensors")),
        "{names:?}"
    );
    let list = place.run("nodes", &["sampler"]).exits(0).stdout;
    assert!(
        list.contains("KSamplerAdvanced") && !list.contains("VAELoader"),
        "{list}"
    );

    let models = place.run("models", &[]).exits(0).stdout;
    for name in [
        "wan_tiny_bf16.safetensors",
        "umt5_tiny_bf16.safetensors",
        "wan_tiny_vae.safetensors",
    ] {
        assert!(models.contains(name), "{models}");
    }
    place.run("models", &["--json"]).exits(0).json();
}

#[test]
fn a_film_carries_its_prompt() {
    let place = Workplace::new();
    let graph = film(&[shot("a", "A cat. 猫", 1), shot("b", "A dog.", 1)]);
    place.graph("film.json", &graph);
    for name in ["film.mkv", "film.mp4"] {
        let (format, codec) = if name.ends_with("mkv") {
            ("mkv", "ffv1")
        } else {
            ("mp4", "h264")
        };
        let (format, codec) = (
            format!("save.format={format}"),
            format!("save.codec={codec}"),
        );
        place.rendered(&["film.json", "-o", name, "--set", &format, "--set", &codec]);
        let inside = place.run("convert", &[name, "-"]).exits(0).json();
        assert_eq!(inside["positive"], graph["positive"], "{name}");
        assert_eq!(
            inside["board"]["inputs"]["shots"], graph["board"]["inputs"]["shots"],
            "{name}"
        );
        place.run("convert", &[name, "back.longtake"]).exits(0);
        // A film renders itself again: nothing is left to do but the file's own name.
        let again = place.rendered(&[name, "-o", &format!("again-{name}")]);
        assert_eq!(steps(&again, "done"), ["save SaveVideo"], "{name}");
    }
}

#[test]
fn a_film_goes_where_it_is_told() {
    let place = Workplace::new();
    place.graph("film.json", &film(&[shot("a", "A cat.", 1)]));
    place.rendered(&["film.json"]);
    assert!(
        place.path("output/film_00001_.mkv").is_file(),
        "{:?}",
        place.files("output")
    );
    place.rendered(&["film.json", "-o", "named.mkv"]);
    assert!(place.path("named.mkv").is_file());
    assert_eq!(place.files("output").len(), 1);
    // Another film under the same prefix gets the next number.
    place.rendered(&["film.json", "--set", "negative.text=dark"]);
    assert!(
        place.path("output/film_00002_.mkv").is_file(),
        "{:?}",
        place.files("output")
    );
}

#[test]
fn conversion_refuses_what_it_cannot_read_and_leaves_nothing() {
    let place = Workplace::new();
    place.write("bad.json", "{");
    place.run("convert", &["bad.json", "out.longtake"]).exits(2);
    assert!(!place.path("out.longtake").exists());
    place.graph("a.json", &tiny_prompt());
    place
        .run("convert", &["a.json", "nowhere/out.longtake"])
        .exits(2);
    let printed = place.run("convert", &["a.json", "-"]).exits(0).json();
    assert_eq!(printed["3"]["class_type"], "KSampler");
}

#[test]
fn bad_usage_is_told_apart() {
    let place = Workplace::new();
    place.graph("a.json", &tiny_prompt());
    for args in [
        &["a.json", "--no-such-flag"][..],
        &["a.json", "--progress", "loud"],
        &["a.json", "--ram", "-5G"],
        &[],
    ] {
        place.run("render", args).exits(2);
    }
    let place_of = |args: &[&str]| {
        run(std::process::Command::new(longtake_tests::place::program()).args(args))
    };
    place_of(&["no-such-command"]).exits(2);
    assert!(place_of(&["--help"]).exits(0).stdout.contains("render"));
    assert!(
        place_of(&["--version"])
            .exits(0)
            .stdout
            .starts_with("longtake ")
    );
}

#[test]
fn a_device_that_is_not_there_is_a_clear_error() {
    let place = Workplace::new();
    place.graph("a.json", &tiny_prompt());
    for device in ["cuda:63", "vulkan", "toaster"] {
        // Where the device is there, the render goes through.
        let ran = place.run(
            "render",
            &["a.json", "--set", "3.steps=1", "--device", device],
        );
        assert!(!ran.stderr.contains("panicked"), "{}", ran.stderr);
        assert!(
            ran.code == 2 || (ran.code == 0 && device == "vulkan"),
            "{}",
            ran.stderr
        );
        assert!(
            ran.code == 0 || ran.stderr.contains(device.split(':').next().unwrap()),
            "{}",
            ran.stderr
        );
    }
}

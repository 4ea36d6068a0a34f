//! Graphs that are no JSON, no graph, or a graph that cannot be.

use longtake_tests::graphs::tiny_prompt;
use longtake_tests::place::Workplace;
use serde_json::{Value as Json, json};

use super::{Row, args, check};

/// A graph file with this text.
fn text(place: &Workplace, text: &str) -> Vec<String> {
    place.write("bad.json", text);
    args(&["bad.json"])
}

/// The tiny prompt, changed.
fn changed(place: &Workplace, change: impl FnOnce(&mut Json)) -> Vec<String> {
    let mut graph = tiny_prompt();
    change(&mut graph);
    place.graph("bad.json", &graph);
    args(&["bad.json"])
}

/// The tiny prompt with one input set.
fn set(place: &Workplace, node: &str, input: &str, value: Json) -> Vec<String> {
    changed(place, |graph| graph[node]["inputs"][input] = value)
}

#[test]
fn files_that_are_no_graph() {
    check(&[
        Row {
            name: "absent",
            arrange: |_| args(&["nowhere.json"]),
            code: 2,
            says: &["nowhere.json", "cannot read"],
        },
        Row {
            name: "a folder",
            arrange: |_| args(&["input"]),
            code: 2,
            says: &["input"],
        },
        Row {
            name: "empty",
            arrange: |p| text(p, ""),
            code: 2,
            says: &["bad.json"],
        },
        Row {
            name: "truncated",
            arrange: |p| {
                let whole = tiny_prompt().to_string();
                text(p, &whole[..400])
            },
            code: 2,
            says: &["bad.json:1:"],
        },
        Row {
            name: "deep lists",
            arrange: |p| text(p, &"[".repeat(10_000)),
            code: 2,
            says: &["bad.json", "deep"],
        },
        Row {
            name: "deep objects",
            arrange: |p| text(p, &format!("{{\"1\":{}", "{\"a\":".repeat(10_000))),
            code: 2,
            says: &["bad.json", "deep"],
        },
        Row {
            name: "NaN",
            arrange: |p| {
                text(
                    p,
                    r#"{"1": {"class_type": "KSampler", "inputs": {"cfg": NaN}}}"#,
                )
            },
            code: 2,
            says: &["bad.json:1:"],
        },
        Row {
            name: "Infinity",
            arrange: |p| {
                text(
                    p,
                    r#"{"1": {"class_type": "KSampler", "inputs": {"cfg": -Infinity}}}"#,
                )
            },
            code: 2,
            says: &["bad.json:1:"],
        },
        Row {
            name: "one id twice",
            arrange: |p| {
                text(
                    p,
                    r#"{"1": {"class_type": "VAELoader", "inputs": {}}, "1": {"class_type": "VAELoader", "inputs": {}}}"#,
                )
            },
            code: 2,
            says: &["bad.json:1:", "duplicate key \"1\""],
        },
        Row {
            name: "one input twice",
            arrange: |p| {
                text(
                    p,
                    r#"{"1": {"class_type": "VAELoader", "inputs": {"vae_name": "a", "vae_name": "b"}}}"#,
                )
            },
            code: 2,
            says: &["bad.json:1:", "duplicate key \"vae_name\""],
        },
        Row {
            name: "a list",
            arrange: |p| text(p, "[1, 2, 3]"),
            code: 2,
            says: &["bad.json"],
        },
        Row {
            name: "a number",
            arrange: |p| text(p, "42"),
            code: 2,
            says: &["bad.json"],
        },
        Row {
            name: "no UTF-8",
            arrange: |p| {
                p.write("bad.json", b"{\"\xff\xfe\": 1}");
                args(&["bad.json"])
            },
            code: 2,
            says: &["bad.json"],
        },
        Row {
            name: "zero bytes",
            arrange: |p| {
                p.write("bad.json", [0; 4096]);
                args(&["bad.json"])
            },
            code: 2,
            says: &["bad.json"],
        },
        Row {
            name: "a newer project",
            arrange: |p| {
                p.write("bad.longtake", r#"{"longtake": 999, "nodes": {}}"#);
                args(&["bad.longtake"])
            },
            code: 2,
            says: &["bad.longtake", "999"],
        },
        Row {
            name: "a graph of nothing",
            arrange: |p| text(p, "{}"),
            code: 2,
            says: &[],
        },
        Row {
            name: "a video that is none",
            arrange: |p| {
                p.write("bad.mp4", b"not a film");
                args(&["bad.mp4"])
            },
            code: 2,
            says: &["bad.mp4"],
        },
    ]);
}

#[test]
fn values_that_do_not_fit() {
    check(&[
        Row {
            name: "text for a number",
            arrange: |p| set(p, "3", "steps", json!("many")),
            code: 2,
            says: &["steps", "many"],
        },
        Row {
            name: "a list for a number",
            arrange: |p| set(p, "3", "cfg", json!({"a": [1]})),
            code: 2,
            says: &["cfg"],
        },
        Row {
            name: "null",
            arrange: |p| set(p, "3", "seed", json!(null)),
            code: 2,
            says: &["seed"],
        },
        Row {
            name: "a negative seed",
            arrange: |p| set(p, "3", "seed", json!(-1)),
            code: 2,
            says: &["seed", "-1"],
        },
        Row {
            name: "a huge seed",
            arrange: |p| {
                changed_text(
                    p,
                    r#""seed":1125899906842624123"#,
                    r#""seed":340282366920938463463374607431768211456"#,
                )
            },
            code: 2,
            says: &["seed"],
        },
        Row {
            name: "steps past i64",
            arrange: |p| set(p, "3", "steps", json!(u64::MAX)),
            code: 2,
            says: &["steps", "10000"],
        },
        Row {
            name: "1e999",
            arrange: |p| changed_text(p, r#""cfg":4.0"#, r#""cfg":1e999"#),
            code: 2,
            says: &["bad.json"],
        },
        Row {
            name: "unknown sampler",
            arrange: |p| set(p, "3", "sampler_name", json!("eular")),
            code: 2,
            says: &["sampler_name", "did you mean `euler`"],
        },
        Row {
            name: "missing input",
            arrange: |p| {
                changed(p, |g| {
                    g["3"]["inputs"].as_object_mut().unwrap().remove("positive");
                })
            },
            code: 2,
            says: &["positive", "3"],
        },
        Row {
            name: "unknown class",
            arrange: |p| changed(p, |g| g["3"]["class_type"] = json!("KSamplerr")),
            code: 2,
            says: &["KSamplerr", "did you mean `KSampler`"],
        },
        Row {
            name: "link to nothing",
            arrange: |p| set(p, "3", "model", json!(["77", 0])),
            code: 2,
            says: &["77", "model"],
        },
        Row {
            name: "link to an output that is not there",
            arrange: |p| set(p, "3", "model", json!(["48", 5])),
            code: 2,
            says: &["model", "48"],
        },
        Row {
            name: "link of the wrong kind",
            arrange: |p| set(p, "3", "model", json!(["39", 0])),
            code: 2,
            says: &["MODEL", "VAE"],
        },
        Row {
            name: "a cycle",
            arrange: |p| set(p, "40", "width", json!(["3", 0])),
            code: 2,
            says: &["40"],
        },
        Row {
            name: "a cycle of two",
            arrange: |p| set(p, "48", "model", json!(["48", 0])),
            code: 2,
            says: &["48"],
        },
        Row {
            name: "--set of an unknown node",
            arrange: |p| {
                p.graph("a.json", &tiny_prompt());
                args(&["a.json", "--set", "77.steps=1"])
            },
            code: 2,
            says: &["--set 77.steps=1", "3"],
        },
        Row {
            name: "--set without a value",
            arrange: |p| {
                p.graph("a.json", &tiny_prompt());
                args(&["a.json", "--set", "3.steps"])
            },
            code: 2,
            says: &["NODE.INPUT=JSON"],
        },
        Row {
            name: "--set of a wrong value",
            arrange: |p| {
                p.graph("a.json", &tiny_prompt());
                args(&["a.json", "--set", "3.steps=-4"])
            },
            code: 2,
            says: &["steps", "-4"],
        },
        Row {
            name: "--device nonsense",
            arrange: |p| {
                p.graph("a.json", &tiny_prompt());
                args(&["a.json", "--vram", "lots"])
            },
            code: 2,
            says: &["--vram", "lots"],
        },
        Row {
            name: "--shots nonsense",
            arrange: |p| {
                p.graph("a.json", &tiny_prompt());
                args(&["a.json", "--shots", "9-7"])
            },
            code: 2,
            says: &["9-7"],
        },
        Row {
            name: "nothing fits",
            arrange: |p| {
                p.graph("a.json", &tiny_prompt());
                args(&["a.json", "--ram", "1M"])
            },
            code: 2,
            says: &["MiB"],
        },
    ]);
}

/// The tiny prompt's text with a piece replaced, for numbers that JSON values cannot hold.
fn changed_text(place: &Workplace, from: &str, to: &str) -> Vec<String> {
    let whole = tiny_prompt().to_string();
    assert!(whole.contains(from), "{whole}");
    text(place, &whole.replace(from, to))
}

#[test]
fn sizes_that_cannot_be() {
    check(&[
        Row {
            name: "off the grid",
            arrange: |p| set(p, "40", "width", json!(65)),
            code: 2,
            says: &["width", "65", "64", "80"],
        },
        Row {
            name: "not 4k + 1",
            arrange: |p| set(p, "40", "length", json!(10)),
            code: 2,
            says: &["length", "10", "9", "13"],
        },
        Row {
            name: "nothing",
            arrange: |p| set(p, "40", "height", json!(0)),
            code: 2,
            says: &["height", "16"],
        },
        Row {
            name: "less than nothing",
            arrange: |p| set(p, "40", "height", json!(-48)),
            code: 2,
            says: &["height"],
        },
        Row {
            name: "past the range",
            arrange: |p| set(p, "40", "width", json!(1_000_000)),
            code: 2,
            says: &["width", "16384"],
        },
        Row {
            name: "more than any memory",
            arrange: |p| {
                changed(
                    p,
                    |g| g["40"]["inputs"] = json!({"width": 16384, "height": 16384, "length": 16381, "batch_size": 4096}),
                )
            },
            code: 2,
            says: &["40", "length"],
        },
        Row {
            name: "more than this memory",
            arrange: |p| {
                changed(p, |g| {
                    g["40"]["inputs"] =
                        json!({"width": 4096, "height": 4096, "length": 401, "batch_size": 1});
                })
            },
            code: 2,
            says: &["GiB"],
        },
    ]);
}

#[test]
fn names_that_leave_their_folder() {
    check(&[
        Row {
            name: "prefix with ..",
            arrange: |p| set(p, "9", "filename_prefix", json!("../escaped")),
            code: 2,
            says: &["..", "refused"],
        },
        Row {
            name: "absolute prefix",
            arrange: |p| set(p, "9", "filename_prefix", json!("/tmp/escaped")),
            code: 2,
            says: &["absolute"],
        },
        Row {
            name: "a link out of the output folder",
            arrange: |p| {
                std::os::unix::fs::symlink(p.folder(), p.path("output/away")).unwrap();
                changed(p, |graph| {
                    graph["9"]["inputs"]["filename_prefix"] = json!("away/escaped");
                    graph.as_object_mut().unwrap().remove("10");
                })
            },
            code: 1,
            says: &["refused"],
        },
        Row {
            name: "model with ..",
            arrange: |p| {
                set(
                    p,
                    "37",
                    "unet_name",
                    json!("../vae/wan_tiny_vae.safetensors"),
                )
            },
            code: 2,
            says: &["..", "refused"],
        },
        Row {
            name: "absolute model",
            arrange: |p| set(p, "37", "unet_name", json!("/etc/passwd")),
            code: 2,
            says: &["absolute"],
        },
        Row {
            name: "absolute model, other system",
            arrange: |p| set(p, "37", "unet_name", json!("C:\\models\\wan.safetensors")),
            code: 2,
            says: &["drive"],
        },
        Row {
            name: "a model linked from elsewhere",
            arrange: |p| {
                std::fs::write(p.path("secret.safetensors"), b"x").unwrap();
                std::os::unix::fs::symlink(
                    p.path("secret.safetensors"),
                    p.path("models/vae/leak.safetensors"),
                )
                .unwrap();
                set(p, "39", "vae_name", json!("leak.safetensors"))
            },
            code: 2,
            says: &["a link leads out"],
        },
        Row {
            name: "zero byte",
            arrange: |p| set(p, "39", "vae_name", json!("a\u{0}b")),
            code: 2,
            says: &["zero byte"],
        },
        Row {
            name: "no name",
            arrange: |p| set(p, "39", "vae_name", json!("")),
            code: 2,
            says: &["vae_name"],
        },
    ]);
}

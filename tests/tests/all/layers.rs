//! Dependencies go one way: who may never reach what, over the resolved crate graph.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use longtake_tests::root;
use serde_json::Value as Json;

const GRAPHICS: &[&str] = &["egui", "eframe", "winit"];
const BURN: &[&str] = &[
    "wgpu",
    "burn",
    "burn-flex",
    "burn-tensor",
    "cubecl",
    "cubecl-core",
];
const GSTREAMER: &[&str] = &["gstreamer", "gstreamer-sys"];

/// A crate, and what must not be found among all it depends on. The sentences are those of
/// ARCHITECTURE.md.
const NEVER: &[(&str, &[&[&str]])] = &[
    // The document is plain data.
    (
        "longtake-graph",
        &[
            BURN,
            GRAPHICS,
            GSTREAMER,
            &[
                "longtake-plan",
                "longtake-run",
                "longtake-models",
                "longtake-nodes",
            ],
        ],
    ),
    // A plan can be built, printed and tested on a machine with no GPU.
    (
        "longtake-plan",
        &[
            BURN,
            GRAPHICS,
            GSTREAMER,
            &[
                "longtake-run",
                "longtake-models",
                "longtake-media",
                "longtake-nodes",
            ],
        ],
    ),
    // Running knows steps and values, not models.
    (
        "longtake-run",
        &[
            BURN,
            GRAPHICS,
            GSTREAMER,
            &[
                "longtake-models",
                "longtake-media",
                "longtake-nodes",
                "longtake-shaders",
            ],
        ],
    ),
    // Noise and solvers work on slices.
    (
        "longtake-sampling",
        &[
            BURN,
            GRAPHICS,
            GSTREAMER,
            &[
                "longtake-graph",
                "longtake-plan",
                "longtake-run",
                "longtake-models",
            ],
        ],
    ),
    // Video files know nothing of graphs or models.
    (
        "longtake-media",
        &[
            BURN,
            GRAPHICS,
            &[
                "longtake-graph",
                "longtake-plan",
                "longtake-run",
                "longtake-models",
                "longtake-nodes",
            ],
        ],
    ),
    // Models know nothing of graphs.
    (
        "longtake-models",
        &[
            GRAPHICS,
            GSTREAMER,
            &[
                "longtake-graph",
                "longtake-plan",
                "longtake-run",
                "longtake-media",
                "longtake-nodes",
            ],
        ],
    ),
    (
        "longtake-shaders",
        &[
            GRAPHICS,
            GSTREAMER,
            &[
                "longtake-graph",
                "longtake-plan",
                "longtake-run",
                "longtake-models",
                "longtake-media",
                "longtake-nodes",
            ],
        ],
    ),
    // Nodes know no window and no command line.
    ("longtake-nodes", &[GRAPHICS, &["clap", "longtake"]]),
    // The editor knows no window: its rules are tested without one.
    (
        "longtake-editor",
        &[
            BURN,
            GRAPHICS,
            GSTREAMER,
            &["longtake-models", "longtake-media", "longtake-nodes"],
        ],
    ),
    // Panels know neither the window system nor what renders: changing one rebuilds no model.
    (
        "longtake-ui",
        &[
            BURN,
            GSTREAMER,
            &[
                "eframe",
                "winit",
                "longtake-models",
                "longtake-media",
                "longtake-nodes",
            ],
        ],
    ),
];

/// The program without its window needs no display: what it must not reach then.
const HEADLESS: &[&str] = &[
    "egui",
    "eframe",
    "winit",
    "wgpu",
    "longtake-ui",
    "longtake-editor",
];

/// A crate from outside, and the only ones of ours that may name it in their manifest.
const ONLY: &[(&[&str], &[&str])] = &[
    (
        &[
            "gstreamer",
            "gstreamer-app",
            "gstreamer-video",
            "gstreamer-pbutils",
        ],
        &["longtake-media"],
    ),
    (
        &["burn", "burn-flex", "cubecl", "gemm"],
        &["longtake-models", "longtake-shaders"],
    ),
    (&["clap", "indicatif", "ctrlc"], &["longtake"]),
    (&["egui", "egui_tiles"], &["longtake-ui"]),
    (&["eframe", "rfd"], &["longtake"]),
    (
        &["longtake-sampling"],
        &["longtake-models", "longtake-nodes"],
    ),
];

/// `cargo metadata` of this machine's kind of system, without the network.
fn metadata() -> Json {
    let host = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let output = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args([
            "metadata",
            "--format-version",
            "1",
            "--offline",
            "--locked",
            "--filter-platform",
        ])
        .arg(host)
        .current_dir(root())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).unwrap()
}

fn text<'a>(value: &'a Json, key: &str) -> &'a str {
    value[key].as_str().unwrap()
}

/// Direct dependencies in the finished program, by package id: no test or build dependencies.
fn edges(metadata: &Json) -> BTreeMap<&str, Vec<&str>> {
    let nodes = metadata["resolve"]["nodes"].as_array().unwrap();
    let normal = |dep: &&Json| {
        dep["dep_kinds"]
            .as_array()
            .unwrap()
            .iter()
            .any(|it| it["kind"].is_null())
    };
    nodes
        .iter()
        .map(|node| {
            let deps = node["deps"].as_array().unwrap();
            (
                text(node, "id"),
                deps.iter()
                    .filter(normal)
                    .map(|it| text(it, "pkg"))
                    .collect(),
            )
        })
        .collect()
}

/// Names of all that a crate depends on in the finished program.
fn reached<'a>(metadata: &'a Json, from: &str) -> BTreeSet<&'a str> {
    let packages = metadata["packages"].as_array().unwrap();
    let names: BTreeMap<&str, &str> = packages
        .iter()
        .map(|it| (text(it, "id"), text(it, "name")))
        .collect();
    let edges = edges(metadata);
    let start = names
        .iter()
        .find(|(_, name)| **name == from)
        .map(|(id, _)| *id);
    let mut seen = BTreeSet::new();
    let mut open = vec![start.unwrap_or_else(|| panic!("no crate {from}"))];
    while let Some(id) = open.pop() {
        if seen.insert(id) {
            open.extend(edges.get(id).into_iter().flatten());
        }
    }
    let reached: BTreeSet<&str> = seen.iter().map(|id| names[id]).collect();
    assert!(reached.len() > 3, "{from}: the walk found only {reached:?}");
    reached
}

#[test]
fn nobody_reaches_what_they_must_not_know() {
    let metadata = metadata();
    for (from, never) in NEVER {
        let reached = reached(&metadata, from);
        let never = never.iter().copied().flatten();
        let found: Vec<_> = never.filter(|it| reached.contains(**it)).collect();
        assert!(found.is_empty(), "{from} must not depend on {found:?}");
    }
}

#[test]
fn a_headless_build_needs_no_display() {
    let output = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args([
            "tree",
            "-p",
            "longtake",
            "--no-default-features",
            "--features",
            "media",
        ])
        .args(["-e", "normal", "--prefix", "none", "--offline", "--locked"])
        .current_dir(root())
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let reached: BTreeSet<&str> = text.lines().filter_map(|it| it.split(' ').next()).collect();
    let found: Vec<_> = HEADLESS
        .iter()
        .filter(|it| reached.contains(**it))
        .collect();
    assert!(
        found.is_empty(),
        "without its window the program depends on {found:?}"
    );
    assert!(
        reached.contains("gstreamer"),
        "the walk found only {reached:?}"
    );
}

#[test]
fn what_one_crate_may_name_no_other_does() {
    let metadata = metadata();
    let packages = metadata["packages"].as_array().unwrap();
    let ours = packages
        .iter()
        .filter(|it| it["source"].is_null() && text(it, "name") != "longtake-tests");
    let mut found = 0;
    for package in ours {
        // Optional dependencies count: a feature must not open a door.
        let deps = package["dependencies"].as_array().unwrap().iter();
        for dep in deps.filter(|it| it["kind"].is_null()) {
            for (names, may) in ONLY {
                if names.contains(&text(dep, "name")) {
                    found += 1;
                    assert!(
                        may.contains(&text(package, "name")),
                        "{} names {}, which only {may:?} may",
                        text(package, "name"),
                        text(dep, "name"),
                    );
                }
            }
        }
    }
    assert!(found > 8, "the rules met only {found} dependencies");
}

#[test]
fn there_is_one_copy_of_what_must_be_shared() {
    let metadata = metadata();
    let packages = metadata["packages"].as_array().unwrap();
    for name in [
        "burn",
        "burn-tensor",
        "egui",
        "gstreamer",
        "wgpu",
        "serde_json",
    ] {
        let copies: Vec<_> = packages
            .iter()
            .filter(|it| it["name"] == name)
            .map(|it| text(it, "version"))
            .collect();
        assert_eq!(copies.len(), 1, "{name}: {copies:?}");
    }
}

//! What every file of the repository keeps to.

use std::path::PathBuf;
use std::process::Command;

use longtake_tests::root;

/// All that the top folder may hold.
const TOP: &[&str] = &[
    "ARCHITECTURE.md",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE",
    "Makefile",
    "README.md",
    "app",
    "engine",
    "nodes",
    "presets",
    "shaders",
    "tests",
];
/// Longest source file, lines before its tests.
const LINES: usize = 500;
/// Largest file in the repository, bytes.
const LARGEST: u64 = 3 << 20;
/// All checkpoints together, bytes.
const CHECKPOINTS: u64 = 20 << 20;

/// Files that git knows, by name relative to the top.
fn tracked() -> Vec<String> {
    let output = Command::new("git")
        .args(["ls-files", "-z"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let names = String::from_utf8(output.stdout).unwrap();
    let names: Vec<String> = names
        .split('\0')
        .filter(|it| !it.is_empty() && root().join(it).exists())
        .map(str::to_owned)
        .collect();
    assert!(names.len() > 100, "git names only {}", names.len());
    names
}

fn sources() -> Vec<(String, String)> {
    let rust = |name: &String| name.ends_with(".rs");
    let read = |name: String| {
        let text = std::fs::read_to_string(root().join(&name)).unwrap();
        (name, text)
    };
    tracked().into_iter().filter(rust).map(read).collect()
}

/// Collects complaints and tells them all at once.
fn none(complaints: Vec<String>) {
    assert!(complaints.is_empty(), "\n{}", complaints.join("\n"));
}

#[test]
fn every_source_file_says_what_is_in_it() {
    let bad = |(name, text): (String, String)| {
        let first = text.lines().next().unwrap_or_default();
        let said = first.strip_prefix("//! ").is_some_and(|it| it.len() > 10);
        (!said).then(|| format!("{name}: the first line must be `//! ` and what is in the file"))
    };
    none(sources().into_iter().filter_map(bad).collect());
}

#[test]
fn source_files_are_short() {
    let bad = |(name, text): (String, String)| {
        let lines = text.lines().take_while(|it| *it != "#[cfg(test)]").count();
        let test = name.contains("/tests/");
        (lines > LINES && !test)
            .then(|| format!("{name}: {lines} lines; split it ({LINES} at most)"))
    };
    none(sources().into_iter().filter_map(bad).collect());
}

#[test]
fn nothing_is_left_unfinished() {
    // Written in pieces, so that this file does not find itself.
    let marks = [
        ("to", "do!("),
        ("unimple", "mented!("),
        ("db", "g!("),
        ("FIX", "ME"),
        ("XX", "X:"),
    ];
    let marks = marks.map(|(a, b)| format!("{a}{b}"));
    let mut bad = Vec::new();
    for (name, text) in sources() {
        for (number, line) in text.lines().enumerate() {
            bad.extend(
                marks
                    .iter()
                    .filter(|mark| line.contains(mark.as_str()))
                    .map(|mark| format!("{name}:{}: {mark}", number + 1)),
            );
        }
    }
    none(bad);
}

#[test]
fn the_top_folder_holds_only_what_belongs_there() {
    let top: std::collections::BTreeSet<String> = tracked()
        .iter()
        .map(|it| it.split('/').next().unwrap().to_owned())
        .collect();
    let strange = top
        .iter()
        .filter(|it| !it.starts_with('.') && !TOP.contains(&it.as_str()));
    none(
        strange
            .map(|it| format!("{it}: not one of {TOP:?}"))
            .collect(),
    );
    for needed in TOP {
        assert!(top.contains(*needed), "{needed} is missing");
    }
}

#[test]
fn the_repository_stays_small() {
    let mut checkpoints = 0;
    let mut bad = Vec::new();
    for name in tracked() {
        let bytes = std::fs::metadata(root().join(&name)).unwrap().len();
        if PathBuf::from(&name)
            .extension()
            .is_some_and(|it| it == "safetensors")
        {
            checkpoints += bytes;
        }
        if bytes > LARGEST {
            bad.push(format!("{name}: {bytes} bytes, more than {LARGEST}"));
        }
    }
    if checkpoints > CHECKPOINTS {
        bad.push(format!(
            "checkpoints take {checkpoints} bytes together, more than {CHECKPOINTS}"
        ));
    }
    none(bad);
}

#[test]
fn every_crate_takes_the_lints_and_versions_of_the_workspace() {
    let mut bad = Vec::new();
    let mut crates = 0;
    for name in tracked().iter().filter(|it| it.ends_with("/Cargo.toml")) {
        let text = std::fs::read_to_string(root().join(name)).unwrap();
        crates += 1;
        if !text.contains("[lints]\nworkspace = true") {
            bad.push(format!("{name}: expected `[lints] workspace = true`"));
        }
        // A version stands once, in the top Cargo.toml.
        let versions = text
            .lines()
            .filter(|it| !it.starts_with('#') && it.contains("version = \""));
        bad.extend(
            versions.map(|it| format!("{name}: `{it}` names a version; use workspace = true")),
        );
    }
    assert!(crates > 8);
    none(bad);
}

//! The store through the program: what it shows, what goes when room is made, and what never does.

use std::collections::BTreeSet;
use std::fs::File;
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime};

use longtake_tests::graphs::{film, shot};
use longtake_tests::place::{Ran, Workplace, program, run, steps};
use serde_json::{Value as Json, json};

fn store(place: &Workplace, args: &[&str]) -> Ran {
    let mut command = Command::new(program());
    command.current_dir(place.folder()).arg("store").args(args);
    run(command.arg("--store").arg(place.path("store")))
}

fn shown(place: &Workplace) -> Json {
    store(place, &["--json"]).exits(0).json()
}

/// Signatures of the entries that are there.
fn entries(place: &Workplace) -> BTreeSet<String> {
    let files = place.files("store").into_keys();
    let manifests = files.filter(|it| it.starts_with("objects/"));
    manifests
        .filter_map(|it| Some(it.rsplit('/').next()?.strip_suffix(".json")?.to_owned()))
        .collect()
}

/// All entries were last used that long ago.
fn unused(place: &Workplace, days: u64) {
    let then = SystemTime::now() - Duration::from_hours(24 * days);
    for name in place.files("store").into_keys() {
        let file = File::open(place.path("store").join(name)).unwrap();
        file.set_modified(then).unwrap();
    }
}

fn signatures(report: &Json, status: &str) -> BTreeSet<String> {
    let all = report["steps"].as_array().unwrap().iter();
    all.filter(|it| it["status"] == status)
        .map(|it| it["signature"].as_str().unwrap().to_owned())
        .collect()
}

fn two_films(place: &Workplace) {
    let of = |prompts: [&str; 2]| film(&[shot("a", prompts[0], 5), shot("b", prompts[1], 5)]);
    place.graph("one.json", &of(["A cat walks slowly.", "Snow falls."]));
    place.graph("two.json", &of(["A dog runs.", "夜の海辺。"]));
}

#[test]
fn only_what_was_pruned_is_made_again() {
    let place = Workplace::new();
    two_films(&place);
    place.rendered(&["one.json"]);
    let one = entries(&place);
    unused(&place, 10);
    place.rendered(&["two.json"]);
    let all = entries(&place);
    let shown_before = shown(&place);
    assert_eq!(shown_before["entries"], all.len());
    assert!(shown_before["bytes"].as_u64().unwrap() > 1000);
    assert!(shown_before["limit"].as_u64().unwrap() >= 4 << 30);
    assert!(shown_before["oldest_use_seconds_ago"].as_u64().unwrap() > 9 * 86_400);

    let dry = ["prune", "--older-than", "5d", "--dry-run", "--json"];
    let would = store(&place, &dry).exits(0).json();
    assert_eq!(entries(&place), all, "a dry run removes nothing");
    let pruned = store(&place, &["prune", "--older-than", "5d", "--json"]);
    assert_eq!(pruned.exits(0).json(), would);
    let left = entries(&place);
    let gone: BTreeSet<String> = all.difference(&left).cloned().collect();
    assert!(!gone.is_empty() && gone.is_subset(&one), "{gone:?}");
    // What both films use was used again by the second.
    assert!(gone.len() < one.len());

    let two = place.rendered(&["two.json"]);
    assert_eq!(steps(&two, "done"), Vec::<String>::new());
    let again = place.rendered(&["one.json"]);
    let stored: BTreeSet<String> = signatures(&again, "done")
        .intersection(&one)
        .cloned()
        .collect();
    assert_eq!(stored, gone, "made again is what went, and nothing else");
    assert_eq!(entries(&place), all);
    store(&place, &["verify"]).exits(0);
}

#[test]
fn a_run_makes_room_at_its_end_and_keeps_what_is_its_own() {
    let place = Workplace::new();
    two_films(&place);
    let (ran, _) = place.render(&["one.json", "--store-limit", "1K"]);
    let told = ran.exits(0).stderr;
    assert!(told.contains("more than its limit"), "{told}");
    let one = entries(&place);
    let bytes = shown(&place)["bytes"].as_u64().unwrap();
    let most = bytes + bytes / 3;
    let limit = most.to_string();
    let (ran, _) = place.render(&["two.json", "--store-limit", &limit]);
    let told = ran.exits(0).stderr;
    assert!(told.contains("the store made room"), "{told}");
    assert!(shown(&place)["bytes"].as_u64().unwrap() <= most);
    assert!(!one.is_subset(&entries(&place)));
    let report = place.rendered(&["two.json", "--store-limit", "none"]);
    assert_eq!(steps(&report, "done"), Vec::<String>::new());
    place.rendered(&["one.json", "--store-limit", "none"]);
}

#[test]
#[allow(unsafe_code, reason = "a signal to a child of the test")]
fn what_a_render_under_way_has_made_stays() {
    let place = Workplace::new();
    let mut graph = film(&[shot("a", "A cat walks slowly.", 9)]);
    // Long enough to be caught at it: hours, if nothing stopped it.
    graph["sampler"]["inputs"]["steps"] = json!(5000);
    place.graph("film.json", &graph);
    let mut child = place.spawn("render", &["film.json"]);
    let began = Instant::now();
    while entries(&place).len() < 2 && began.elapsed() < Duration::from_mins(1) {
        sleep(Duration::from_millis(20));
    }
    let made = entries(&place);
    assert!(made.len() >= 2, "the prompts are encoded first");
    assert_eq!(shown(&place)["in_use"]["entries"], made.len());
    let said = store(&place, &["prune", "--to", "0"]).exits(0).stdout;
    assert_eq!(entries(&place), made, "{said}");
    assert!(said.contains("running programs"), "{said}");
    // SAFETY: plain system call; the child has not been waited for, so its id is its own.
    let killed = unsafe { libc::kill(i32::try_from(child.id()).unwrap(), libc::SIGKILL) };
    assert_eq!(killed, 0);
    child.wait().unwrap();
    store(&place, &["prune", "--to", "0"]).exits(0);
    assert_eq!(entries(&place), BTreeSet::new());
}

#[test]
fn a_pinned_shot_outlives_every_pruning_until_it_is_released() {
    let place = Workplace::new();
    let shots = [
        shot("a", "A cat walks slowly.", 5),
        shot("b", "Snow falls.", 5),
    ];
    place.graph("film.json", &film(&shots));
    place
        .run("convert", &["film.json", "film.longtake"])
        .exits(0);
    place
        .run("pin", &["film.longtake", "--shots", "2"])
        .exits(0);
    store(&place, &["prune", "--to", "0"]).exits(0);
    let told = shown(&place);
    assert_eq!(told["pins"].as_array().unwrap().len(), 1, "{told}");
    assert!(told["pinned"]["bytes"].as_u64().unwrap() > 0, "{told}");
    let made = place.rendered(&["film.longtake"]);
    let shots: BTreeSet<&str> = made["steps"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|it| it["class"] == "KSampler")
        .filter_map(|it| it["shot"].as_str())
        .collect();
    assert_eq!(
        shots,
        BTreeSet::from(["a"]),
        "the pinned one is not sampled"
    );

    let release = ["film.longtake", "--shots", "2", "--release"];
    place.run("pin", &release).exits(0);
    store(&place, &["prune", "--to", "0"]).exits(0);
    let told = shown(&place);
    assert_eq!(told["pins"], json!([]));
    let data = |it: &String| it.starts_with("objects/") && !it.ends_with(".json");
    let files: Vec<String> = place.files("store").into_keys().filter(data).collect();
    assert_eq!(files, Vec::<String>::new());
    assert_eq!(told["bytes"], json_bytes(&place));
}

fn json_bytes(place: &Workplace) -> u64 {
    let files = place.files("store").into_iter();
    files
        .filter(|(it, _)| it.starts_with("objects/"))
        .map(|(_, bytes)| bytes)
        .sum()
}

#[test]
fn options_that_do_not_belong_together_are_told() {
    let place = Workplace::new();
    for args in [
        &["--to", "1G"][..],
        &["verify", "--dry-run"],
        &["show", "--older-than", "3d"],
    ] {
        let told = store(&place, args).exits(2).stderr;
        assert!(told.contains("store prune"), "{told}");
    }
    for args in [["prune", "--to", "some"], ["prune", "--older-than", "3"]] {
        store(&place, &args).exits(2);
    }
}

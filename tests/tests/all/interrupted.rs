//! Renders that are killed or cancelled: what was finished stays, and the film is the same.

use std::collections::BTreeSet;
use std::process::Child;
use std::thread::sleep;
use std::time::{Duration, Instant};

use longtake_tests::compare::film as frames;
use longtake_tests::graphs::{dissolving, film, shot};
use longtake_tests::place::{Workplace, steps};
use serde_json::{Value as Json, json};

fn graph() -> Json {
    film(&[
        dissolving(shot("a", "A cat walks slowly.", 9), 2),
        shot("b", "Snow covers the small village.", 9),
        shot("c", "夜の海辺で猫がカメラを追いかける。", 9),
    ])
}

#[allow(unsafe_code, reason = "signals to a child of the test")]
fn signal(child: &Child, signal: i32) {
    let id = i32::try_from(child.id()).unwrap();
    // SAFETY: plain system call; the child has not been waited for, so its id is its own.
    assert_eq!(unsafe { libc::kill(id, signal) }, 0);
}

/// Manifests in the store: one per finished, kept step.
fn finished(place: &Workplace) -> BTreeSet<String> {
    place
        .files("store")
        .into_keys()
        .filter(|it| it.ends_with(".json"))
        .collect()
}

/// Nothing half-written where a person would see it.
fn whole(place: &Workplace) {
    for (name, bytes) in place.files("output") {
        let hidden = name.rsplit('/').next().unwrap().starts_with('.');
        if !hidden {
            assert!(
                !name.ends_with(".tmp") && bytes > 0,
                "{name} is half-written"
            );
            assert_eq!(
                frames(&place.path("output").join(&name)).len(),
                25,
                "{name}"
            );
        }
    }
}

#[test]
fn a_render_killed_anywhere_goes_on_where_it_was() {
    let straight = Workplace::new();
    straight.graph("film.json", &graph());
    let began = Instant::now();
    straight.rendered(&["film.json"]);
    let whole_run = began.elapsed();
    let wanted = frames(&straight.only(".mkv"));

    let place = Workplace::new();
    place.graph("film.json", &graph());
    let mut before = BTreeSet::new();
    // Ten moments spread over the run; a fixed stride that hits other places each time.
    for at in 1..=10_u32 {
        let mut child = place.spawn("render", &["film.json"]);
        sleep(whole_run.mul_f64(f64::from(at * 7 % 11) / 11.0));
        // It may have ended before: then there is nothing to kill.
        if child.try_wait().unwrap().is_none() {
            signal(&child, libc::SIGKILL);
        }
        child.wait().unwrap();
        let now = finished(&place);
        assert!(now.is_superset(&before), "finished work was lost");
        before = now;
        whole(&place);
    }
    let report = place.rendered(&["film.json"]);
    // Killed between the film's name and the store's entry, it is written once more: the same film.
    let films = place.files("output");
    assert!((1..=2).contains(&films.len()), "{films:?}");
    for film in films.keys().filter(|it| it.ends_with(".mkv")) {
        assert_eq!(frames(&place.path("output").join(film)), wanted, "{film}");
    }
    let signatures: BTreeSet<&str> = report["steps"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|it| it["status"] == "done")
        .map(|it| it["signature"].as_str().unwrap())
        .collect();
    let again: Vec<_> = before
        .iter()
        .filter_map(|it| it.rsplit('/').next()?.strip_suffix(".json"))
        .filter(|it| signatures.contains(it))
        .collect();
    assert!(again.is_empty(), "done twice: {again:?}");
    // The last run leaves no scratch behind, its own or that of the killed ones.
    let scratch: Vec<_> = place
        .files("store")
        .into_keys()
        .filter(|it| it.starts_with("scratch"))
        .collect();
    assert!(scratch.is_empty(), "{scratch:?}");
}

#[test]
fn ctrl_c_stops_within_a_step_and_the_next_run_goes_on() {
    let place = Workplace::new();
    let mut long = graph();
    // Long enough to be caught at it: hours, if nothing stopped it.
    long["sampler"]["inputs"]["steps"] = json!(5000);
    place.graph("film.json", &long);
    let mut child = place.spawn("render", &["film.json", "--report", "stopped.json"]);
    let began = Instant::now();
    while finished(&place).len() < 4 && began.elapsed() < Duration::from_mins(1) {
        sleep(Duration::from_millis(20));
    }
    assert!(finished(&place).len() >= 4, "the prompts are encoded first");
    sleep(Duration::from_millis(300));
    let asked = Instant::now();
    signal(&child, libc::SIGINT);
    let status = child.wait().unwrap();
    assert_eq!(status.code(), Some(130));
    assert!(
        asked.elapsed() < Duration::from_secs(5),
        "took {:?}",
        asked.elapsed()
    );
    let report = std::fs::read(place.path("stopped.json")).unwrap();
    let report: Json = serde_json::from_slice(&report).unwrap();
    assert_eq!(report["error"]["kind"], "cancelled", "{}", report["error"]);
    let done = steps(&report, "done");
    assert!(done.iter().all(|it| !it.contains("KSampler")), "{done:?}");
    assert!(place.files("output").is_empty());

    place.graph("film.json", &graph());
    let report = place.rendered(&["film.json"]);
    assert_eq!(
        steps(&report, "cached").len(),
        4,
        "{:?}",
        steps(&report, "cached")
    );
    assert_eq!(frames(&place.only(".mkv")).len(), 25);
}

#[test]
fn two_renders_may_share_a_store() {
    let place = Workplace::new();
    place.graph("film.json", &graph());
    let mut first = place.spawn("render", &["film.json", "-o", "one.mkv"]);
    let mut second = place.spawn("render", &["film.json", "-o", "two.mkv"]);
    assert!(first.wait().unwrap().success());
    assert!(second.wait().unwrap().success());
    assert_eq!(
        frames(&place.path("one.mkv")),
        frames(&place.path("two.mkv"))
    );
}

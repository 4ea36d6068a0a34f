//! Films through the program: each checkpoint once, one changed shot alone, continuity, pins.

use longtake_tests::compare::film as frames;
use longtake_tests::graphs::{dissolving, film, out, shot};
use longtake_tests::place::{Workplace, loads, steps};
use serde_json::{Value as Json, json};

/// Three shots of nine frames; a dissolve of two leads from the first to the second.
fn three() -> Vec<Json> {
    vec![
        dissolving(shot("a", "A cat walks slowly.", 9), 2),
        shot("b", "Snow covers the small village.", 9),
        shot("c", "夜の海辺で猫がカメラを追いかける。", 9),
    ]
}

/// Steps done, without those of the named classes.
fn done_of(report: &Json, classes: &[&str]) -> Vec<String> {
    let mut done = steps(report, "done");
    done.retain(|it| classes.iter().any(|class| it.ends_with(class)));
    done
}

#[test]
fn a_film_loads_each_checkpoint_once() {
    let place = Workplace::new();
    place.graph("film.json", &film(&three()));
    let report = place.rendered(&["film.json"]);
    assert_eq!(
        loads(&report).into_values().collect::<Vec<_>>(),
        [1, 1, 1],
        "{}",
        report["weights"]
    );
    assert_eq!(done_of(&report, &["KSampler"]).len(), 3);
    let film = frames(&place.only(".mkv"));
    assert_eq!(film.len(), 9 + 9 + 9 - 2);
    assert_eq!(film[0].len(), 64 * 48 * 3);

    let again = place.rendered(&["film.json"]);
    assert_eq!(steps(&again, "done"), Vec::<String>::new());
}

#[test]
fn a_film_goes_where_it_is_told_and_the_folder_is_made() {
    let place = Workplace::new();
    place.graph("film.json", &film(&[shot("a", "A cat.", 5)]));
    let report = place.rendered(&["film.json", "-o", "not/there/yet.mkv"]);
    let path = place.path("not/there/yet.mkv");
    assert_eq!(frames(&path).len(), 5);
    assert_eq!(report["outputs"][0]["path"], json!(path));
    // The film is there and as it was written, so there is nothing left to do.
    let again = place.rendered(&["film.json", "-o", "not/there/yet.mkv"]);
    assert_eq!(steps(&again, "done"), Vec::<String>::new());
}

#[test]
fn the_shots_of_a_film_are_what_they_are_alone() {
    let place = Workplace::new();
    place.graph("film.json", &film(&three()));
    place.rendered(&["film.json"]);
    let whole = frames(&place.only(".mkv"));
    // Shot c has no transition: its frames in the film are those rendered alone.
    let alone = Workplace::new();
    alone.graph("film.json", &film(&three()));
    alone.rendered(&["film.json", "--shots", "3"]);
    let last = frames(&alone.only(".mkv"));
    assert_eq!(last.len(), 9);
    assert_eq!(
        whole[16..],
        last[..],
        "the shot changed with its neighbours"
    );
    // The dissolve lies between its two shots, and is neither.
    alone.rendered(&["film.json", "--shots", "1", "-o", "one.mkv"]);
    alone.rendered(&["film.json", "--shots", "2", "-o", "two.mkv"]);
    let (one, two) = (
        frames(&alone.path("one.mkv")),
        frames(&alone.path("two.mkv")),
    );
    assert_eq!(whole[..7], one[..7]);
    assert_eq!(whole[9..16], two[2..]);
    for at in [7, 8] {
        let mixed = whole[at].iter().zip(&one[at]).zip(&two[at - 7]);
        for ((film, a), b) in mixed {
            assert!(
                *film >= (*a).min(*b).saturating_sub(1) && *film <= (*a).max(*b).saturating_add(1)
            );
        }
        assert!(whole[at] != one[at] && whole[at] != two[at - 7]);
    }
}

#[test]
fn one_changed_shot_is_one_shot_and_its_joins() {
    let place = Workplace::new();
    let mut shots = vec![
        dissolving(shot("a", "A cat.", 9), 2),
        dissolving(shot("b", "A dog barks.", 9), 2),
        dissolving(shot("c", "Snow.", 9), 2),
        shot("d", "Waves.", 9),
    ];
    place.graph("film.json", &film(&shots));
    let first = place.rendered(&["film.json", "-o", "film.mkv"]);
    assert_eq!(
        done_of(&first, &["EncodeSegment"]).len(),
        4 + 3,
        "{:?}",
        steps(&first, "done")
    );
    let before = frames(&place.path("film.mkv"));

    shots[1]["prompt"] = json!("The robot opens the door.");
    place.graph("film.json", &film(&shots));
    let changed = place.rendered(&["film.json", "-o", "film.mkv"]);
    assert_eq!(
        done_of(&changed, &["CLIPTextEncode", "KSampler", "VAEDecode"])
            .iter()
            .filter(|it| it.contains("KSampler"))
            .collect::<Vec<_>>(),
        ["sampler[b] KSampler"]
    );
    assert_eq!(
        done_of(&changed, &["CLIPTextEncode"]),
        ["positive[b] CLIPTextEncode"]
    );
    let encoded = done_of(&changed, &["EncodeSegment"]);
    assert_eq!(encoded.len(), 3, "the shot and its two joins: {encoded:?}");
    assert_eq!(done_of(&changed, &["SaveVideo"]), ["save SaveVideo"]);

    let after = frames(&place.path("film.mkv"));
    assert_eq!(after.len(), before.len());
    // Shot b is frames 7..16 of the film, its dissolves included.
    assert_eq!(after[..7], before[..7]);
    assert_eq!(after[16..], before[16..]);
    assert!((7..16).all(|at| after[at] != before[at]));
}

#[test]
fn words_that_change_no_picture_make_nothing_again() {
    let place = Workplace::new();
    let mut shots = three();
    place.graph("film.json", &film(&shots));
    place.rendered(&["film.json"]);
    shots[1]["caption"] = json!("Silence.");
    shots[1]["title"] = json!("The village");
    let mut graph = film(&shots);
    graph["board"]["inputs"]["title"] = json!("Another name");
    place.graph("film.json", &graph);
    let report = place.rendered(&["film.json"]);
    assert_eq!(steps(&report, "done"), Vec::<String>::new());
}

#[test]
fn moving_a_shot_renders_nothing_anew() {
    let place = Workplace::new();
    let shots = [
        shot("a", "A cat.", 5),
        shot("b", "A dog.", 5),
        shot("c", "Rain.", 5),
    ];
    place.graph("film.json", &film(&shots));
    place.rendered(&["film.json", "-o", "film.mkv"]);
    let before = frames(&place.path("film.mkv"));
    let [a, b, c] = shots;
    place.graph("film.json", &film(&[c, a, b]));
    let moved = place.rendered(&["film.json", "-o", "film.mkv"]);
    assert_eq!(
        done_of(&moved, &["KSampler", "CLIPTextEncode", "EncodeSegment"]),
        Vec::<String>::new()
    );
    let after = frames(&place.path("film.mkv"));
    assert_eq!(after[..5], before[10..]);
    assert_eq!(after[5..], before[..10]);
}

/// The film with each shot begun from the last frame of the one before, re-noised by half.
fn continuous(shots: &[Json]) -> Json {
    let mut graph = film(shots);
    graph["grey"] = json!({"class_type": "EmptyImage", "inputs": {
        "width": 64, "height": 48, "batch_size": 1, "color": 8_421_504,
    }});
    graph["each"]["inputs"]["first_frame"] = json!(["grey", 0]);
    let previous = out(&graph, "each", "previous_frame");
    graph["from"] =
        json!({"class_type": "VAEEncode", "inputs": {"pixels": previous, "vae": ["vae", 0]}});
    graph["sampler"]["inputs"]["latent_image"] = json!(["from", 0]);
    graph["sampler"]["inputs"]["denoise"] = json!(0.5);
    graph.as_object_mut().unwrap().remove("empty");
    graph
}

#[test]
fn shots_that_follow_each_other_change_from_the_changed_one_on() {
    let place = Workplace::new();
    let mut shots: Vec<Json> = ["a", "b", "c"]
        .iter()
        .map(|id| shot(id, "A cat.", 1))
        .collect();
    place.graph("film.json", &continuous(&shots));
    let first = place.rendered(&["film.json", "-o", "film.mkv"]);
    assert_eq!(done_of(&first, &["KSampler"]).len(), 3);
    let before = frames(&place.path("film.mkv"));
    assert!(
        before[0] != before[1] && before[1] != before[2],
        "same words and seed, other start"
    );

    shots[1]["seed"] = json!(99);
    place.graph("film.json", &continuous(&shots));
    let changed = place.rendered(&["film.json", "-o", "film.mkv"]);
    assert_eq!(
        done_of(&changed, &["KSampler"]),
        ["sampler[b] KSampler", "sampler[c] KSampler"]
    );
    let after = frames(&place.path("film.mkv"));
    assert_eq!(after[0], before[0]);
    assert!(after[1] != before[1] && after[2] != before[2]);
}

#[test]
fn a_pinned_shot_stays_whatever_changes_before_it() {
    let place = Workplace::new();
    place.graph("film.json", &film(&three()));
    place
        .run("convert", &["film.json", "film.longtake"])
        .exits(0);
    place.rendered(&["film.longtake", "-o", "film.mkv"]);
    let before = frames(&place.path("film.mkv"));
    place
        .run("pin", &["film.longtake", "--shots", "3"])
        .exits(0);

    let all = [
        "film.longtake",
        "-o",
        "film.mkv",
        "--set",
        "sampler.steps=1",
    ];
    let report = place.rendered(&all);
    let sampled = done_of(&report, &["KSampler"]);
    assert_eq!(sampled, ["sampler[a] KSampler", "sampler[b] KSampler"]);
    let after = frames(&place.path("film.mkv"));
    assert_eq!(after[16..], before[16..], "the pinned shot");
    assert!(after[..16] != before[..16]);

    place
        .run("pin", &["film.longtake", "--shots", "3", "--release"])
        .exits(0);
    let released = place.rendered(&all);
    assert_eq!(done_of(&released, &["KSampler"]), ["sampler[c] KSampler"]);
}

#[test]
fn a_film_of_some_shots_is_made_of_those() {
    let place = Workplace::new();
    let shots = [
        shot("a", "A cat.", 5),
        shot("b", "A dog.", 5),
        shot("c", "Rain.", 5),
    ];
    place.graph("film.json", &film(&shots));
    let report = place.rendered(&["film.json", "--shots", "1,3", "-o", "film.mkv"]);
    assert_eq!(
        done_of(&report, &["KSampler"]),
        ["sampler[a] KSampler", "sampler[c] KSampler"]
    );
    assert_eq!(frames(&place.path("film.mkv")).len(), 10);
    place.render(&["film.json", "--shots", "4"]).0.exits(2);
}

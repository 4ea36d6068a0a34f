//! Findings, the store, equal work.

use expect_test::expect;
use serde_json::json;

use super::{compiled, film, plan, said, signatures, steps, t2v};
use crate::Options;
use crate::toy::{GIB, World, cpu, gpu};

#[test]
fn what_the_store_has_is_not_made_again() {
    let film = film(&[(2.0, 0.5), (2.0, 0.0)], false);
    let whole = plan(&film, &gpu(24 * GIB));
    let mut world = World::default();
    for step in &whole.steps {
        if ["d[01]", "o[02].encode"].contains(&step.path.to_string().as_str()) {
            world.stored.insert(step.signature, None);
        }
    }
    let result = compiled(&film, &world, &gpu(24 * GIB), &Options::default());
    expect![[r#"
        p[02] = Encode const
        s[02] = Sample const p[02]
        d[02] = Decode const s[02]
        d[01] = Decode const (cached)
        f[01].join = Transition d[01] d[02]
        t[01].join = Tint f[01].join
        o[01].join.encode = EncodeSegment t[01].join
        f[01].body = ShotBody d[01]
        t[01].body = Tint f[01].body
        o[01].encode = EncodeSegment t[01].body
        o[02].encode = EncodeSegment  (cached)
        o = SaveVideo [o[01].encode o[01].join.encode o[02].encode]
    "#]]
    .assert_eq(&steps(&result.plan.expect("a plan")));
}

#[test]
fn a_finished_film_is_shown_whole() {
    let film = film(&[(2.0, 0.0)], false);
    let unmade = plan(&film, &gpu(24 * GIB));
    let mut world = World::default();
    for step in &unmade.steps {
        world.stored.insert(step.signature, None);
    }
    let whole = Options {
        whole: true,
        ..Options::default()
    };
    let left = compiled(&film, &world, &gpu(24 * GIB), &Options::default());
    expect![[r#"
        o = SaveVideo  (cached)
    "#]]
    .assert_eq(&steps(&left.plan.expect("a plan")));
    let shown = compiled(&film, &world, &gpu(24 * GIB), &whole);
    let shown = shown.plan.expect("a plan");
    expect![[r#"
        p[01] = Encode const (cached)
        s[01] = Sample const (cached)
        d[01] = Decode const (cached)
        t[01].body = Tint  (cached)
        o[01].encode = EncodeSegment  (cached)
        o = SaveVideo  (cached)
    "#]]
    .assert_eq(&steps(&shown));
    assert!(shown.steps.iter().all(|it| it.cached));
    assert_eq!(shown.seconds, 0.0);
    let text = shown.to_text();
    assert!(text.contains("stored") && !text.contains("lazy"), "{text}");
    expect!["6 steps (5 in the store, 1 not needed) on Toy GPU, at once"]
        .assert_eq(text.lines().next().unwrap());
}

#[test]
fn what_is_shown_whole_runs_no_more_than_what_is_left() {
    let film = film(&[(2.0, 0.5), (2.0, 0.0)], false);
    let unmade = plan(&film, &gpu(24 * GIB));
    for lost in &unmade.steps {
        let mut world = World::default();
        for step in unmade.steps.iter().filter(|it| it.id != lost.id) {
            world.stored.insert(step.signature, None);
        }
        let runs = |whole| {
            let options = Options {
                whole,
                ..Options::default()
            };
            let plan = compiled(&film, &world, &gpu(24 * GIB), &options).plan;
            let mut runs: Vec<String> = (plan.expect("a plan").steps.iter())
                .filter(|it| !it.cached)
                .map(|it| it.path.to_string())
                .collect();
            runs.sort();
            runs
        };
        assert_eq!(runs(true), runs(false), "without {}", lost.path);
    }
}

#[test]
fn findings() {
    let mut no_file = t2v();
    no_file["x"] = json!({"class_type": "LoadImage", "inputs": {"image": "gone.png"}});
    let mut world = World::default();
    world
        .missing
        .extend(["dit".to_owned(), "gone.png".to_owned()]);
    let result = compiled(&no_file, &world, &gpu(24 * GIB), &Options::default());
    expect![[r#"
        [file_missing] error: node m (LoadModel), input `name`: There is no dit in diffusion_models.
    "#]]
    .assert_eq(&said(&result));

    let mut odd = t2v();
    odd["s"]["inputs"]["width"] = json!(833);
    let result = compiled(&odd, &World::default(), &gpu(GIB), &Options::default());
    expect![[r#"
        [size_not_multiple] error: node s (Sample), input `width`: width must be a multiple of 16, got 833
    "#]].assert_eq(&said(&result));
    let result = compiled(&t2v(), &World::default(), &gpu(GIB), &Options::default());
    expect![[r#"
        [does_not_fit] error: node p (Encode): Step p (Encode) needs 10.1 GiB of device memory, 10.0 GiB of it t5; the budget is 1.0 GiB. Use a smaller checkpoint, or raise --vram.
        [does_not_fit] error: node s (Sample): Step s (Sample) needs 1.4 GiB of device memory even as `streamed`; the budget is 1.0 GiB. Lower the width, the height or the length, or raise --vram.
    "#]].assert_eq(&said(&result));
    let result = compiled(
        &t2v(),
        &World::default(),
        &cpu(5 * GIB),
        &Options::default(),
    );
    expect![[r#"
        [does_not_fit] error: node p (Encode): Step p (Encode) needs 20.3 GiB of host memory, 20.0 GiB of it t5, 208 MiB the program and values kept for later; the budget is 5.0 GiB. Use a smaller checkpoint, or raise --ram.
    "#]].assert_eq(&said(&result));

    let result = compiled(
        &film(&[(1.0, 1.0), (1.0, 1.0), (1.0, 0.0)], false),
        &World::default(),
        &gpu(24 * GIB),
        &Options::default(),
    );
    expect![[r#"
        [transition_too_long] error: node b (Storyboard), input `shots`, shot 02: transitions take 1 s at its start and 1 s at its end, more than the 1 s it lasts; shorten them or lengthen the shot
    "#]].assert_eq(&said(&result));

    let mut first = film(&[(1.0, 0.0); 2], true);
    first["e"]["inputs"]
        .as_object_mut()
        .expect("inputs")
        .remove("first_frame");
    let result = compiled(
        &first,
        &World::default(),
        &gpu(24 * GIB),
        &Options::default(),
    );
    expect![[r#"
        [required_input_missing] error: node l (VaeEncode), input `pixels`, shot 01: The first shot has no frame before it: link an image to `first_frame` of `EachShot`.
    "#]].assert_eq(&said(&result));
}

#[test]
fn half_a_graph_still_plans_the_other_half() {
    let mut both = t2v();
    both["x"] = json!({"class_type": "LoadImage", "inputs": {}});
    both["y"] = json!({"class_type": "Save", "inputs": {"images": ["x", 0]}});
    let options = Options {
        outputs: Some(vec!["o".into()]),
        ..Options::default()
    };
    let result = compiled(&both, &World::default(), &gpu(24 * GIB), &options);
    assert!(result.plan.is_some());
    assert!(!result.diagnostics.is_empty());
    let all = compiled(
        &both,
        &World::default(),
        &gpu(24 * GIB),
        &Options::default(),
    );
    assert!(all.plan.is_none());
}

#[test]
fn equal_work_is_shared_whatever_its_name() {
    let mut twice = t2v();
    twice["s2"] = twice["s"].clone();
    twice["m2"] = twice["m"].clone();
    twice["s2"]["inputs"]["model"] = json!(["m2", 0]);
    twice["d2"] =
        json!({"class_type": "Decode", "inputs": {"vae": ["v", 0], "samples": ["s2", 0]}});
    twice["o2"] = json!({"class_type": "Save", "inputs": {"images": ["d2", 0]}});
    let plan = plan(&twice, &gpu(24 * GIB));
    expect![[r#"
        p = Encode const
        s = Sample const p
        d = Decode const s
        o.encode = EncodeSegment d
        o = SaveVideo [o.encode]
        o2 = Save d
    "#]]
    .assert_eq(&steps(&plan));
}

#[test]
fn settings_share_a_checkpoint_and_change_signatures() {
    let mut shifted = t2v();
    shifted["h"] = json!({"class_type": "Shift", "inputs": {"model": ["m", 0], "shift": 3}});
    shifted["s2"] = shifted["s"].clone();
    shifted["s2"]["inputs"]["model"] = json!(["h", 0]);
    shifted["d2"] =
        json!({"class_type": "Decode", "inputs": {"vae": ["v", 0], "samples": ["s2", 0]}});
    shifted["o2"] = json!({"class_type": "Save", "inputs": {"images": ["d2", 0]}});
    let plan = plan(&shifted, &gpu(24 * GIB));
    assert_eq!(plan.weights.len(), 3);
    let signatures = signatures(&plan);
    assert_ne!(signatures["s"], signatures["s2"]);
}

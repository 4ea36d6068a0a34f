//! Films: pieces, continuity, pins, chosen shots.

use expect_test::expect;
use serde_json::json;

use super::{compiled, film, plan, said, signatures, steps};
use crate::toy::{GIB, World, gpu};
use crate::{ClipInfo, Info, Options};

#[test]
fn film_with_transitions() {
    let plan = plan(
        &film(&[(2.0, 0.5), (2.0, 0.0), (1.0, 0.0)], false),
        &gpu(24 * GIB),
    );
    expect![[r#"
        p[01] = Encode const
        p[02] = Encode const
        p[03] = Encode const
        s[01] = Sample const p[01]
        s[02] = Sample const p[02]
        s[03] = Sample const p[03]
        d[01] = Decode const s[01]
        f[01].body = ShotBody d[01]
        t[01].body = Tint f[01].body
        o[01].encode = EncodeSegment t[01].body
        d[02] = Decode const s[02]
        f[01].join = Transition d[01] d[02]
        t[01].join = Tint f[01].join
        o[01].join.encode = EncodeSegment t[01].join
        f[02].body = ShotBody d[02]
        t[02].body = Tint f[02].body
        o[02].encode = EncodeSegment t[02].body
        d[03] = Decode const s[03]
        t[03].body = Tint d[03]
        o[03].encode = EncodeSegment t[03].body
        o = SaveVideo [o[01].encode o[01].join.encode o[02].encode o[03].encode]
    "#]]
    .assert_eq(&steps(&plan));
}

#[test]
fn film_with_continuity() {
    let plan = plan(
        &film(&[(2.0, 0.5), (2.0, 0.0), (1.0, 0.0)], true),
        &gpu(24 * GIB),
    );
    expect![[r#"
        p[01] = Encode const
        p[02] = Encode const
        p[03] = Encode const
        i = LoadImage
        l[01] = VaeEncode const i
        s[01] = Sample const p[01] l[01]
        d[01] = Decode const s[01]
        e[01].last_frame = LastFrame d[01]
        f[01].body = ShotBody d[01]
        t[01].body = Tint f[01].body
        o[01].encode = EncodeSegment t[01].body
        l[02] = VaeEncode const e[01].last_frame
        s[02] = Sample const p[02] l[02]
        d[02] = Decode const s[02]
        f[01].join = Transition d[01] d[02]
        t[01].join = Tint f[01].join
        o[01].join.encode = EncodeSegment t[01].join
        e[02].last_frame = LastFrame d[02]
        f[02].body = ShotBody d[02]
        t[02].body = Tint f[02].body
        o[02].encode = EncodeSegment t[02].body
        l[03] = VaeEncode const e[02].last_frame
        s[03] = Sample const p[03] l[03]
        d[03] = Decode const s[03]
        t[03].body = Tint d[03]
        o[03].encode = EncodeSegment t[03].body
        o = SaveVideo [o[01].encode o[01].join.encode o[02].encode o[03].encode]
    "#]]
    .assert_eq(&steps(&plan));
}

#[test]
fn one_prompt_changes_one_shot_and_two_joins() {
    let shots = [(2.0, 0.5); 5];
    let before = film(&shots, false);
    let mut after = before.clone();
    after["b"]["inputs"]["shots"][2]["prompt"] = json!("another");
    let (before, after) = (plan(&before, &gpu(24 * GIB)), plan(&after, &gpu(24 * GIB)));
    let (before, after) = (signatures(&before), signatures(&after));
    let changed: Vec<&str> = (before.iter())
        .filter(|(path, signature)| after[*path] != **signature)
        .map(|(path, _)| path.as_str())
        .collect();
    let expected = [
        "d[03]",
        "f[02].join",
        "f[03].body",
        "f[03].join",
        "o",
        "o[02].join.encode",
        "o[03].encode",
        "o[03].join.encode",
        "p[03]",
        "s[03]",
        "t[02].join",
        "t[03].body",
        "t[03].join",
    ];
    assert_eq!(changed, expected);
}

#[test]
fn chosen_shots() {
    let options = Options {
        shots: Some([2, 3].into()),
        ..Options::default()
    };
    let shots = [(2.0, 0.5), (2.0, 0.5), (2.0, 0.5)];
    let result = compiled(
        &film(&shots, false),
        &World::default(),
        &gpu(24 * GIB),
        &options,
    );
    expect![[r#"
        p[02] = Encode const
        p[03] = Encode const
        s[02] = Sample const p[02]
        s[03] = Sample const p[03]
        d[02] = Decode const s[02]
        f[02].body = ShotBody d[02]
        t[02].body = Tint f[02].body
        o[02].encode = EncodeSegment t[02].body
        d[03] = Decode const s[03]
        f[02].join = Transition d[02] d[03]
        t[02].join = Tint f[02].join
        o[02].join.encode = EncodeSegment t[02].join
        f[03].body = ShotBody d[03]
        t[03].body = Tint f[03].body
        o[03].encode = EncodeSegment t[03].body
        o = SaveVideo [o[02].encode o[02].join.encode o[03].encode]
    "#]]
    .assert_eq(&steps(&result.plan.expect("a plan")));
    // With continuity the shots before are made too, but are no part of the film.
    let result = compiled(
        &film(&shots, true),
        &World::default(),
        &gpu(24 * GIB),
        &options,
    );
    expect![[r#"
        p[01] = Encode const
        p[02] = Encode const
        p[03] = Encode const
        i = LoadImage
        l[01] = VaeEncode const i
        s[01] = Sample const p[01] l[01]
        d[01] = Decode const s[01]
        e[01].last_frame = LastFrame d[01]
        l[02] = VaeEncode const e[01].last_frame
        s[02] = Sample const p[02] l[02]
        d[02] = Decode const s[02]
        e[02].last_frame = LastFrame d[02]
        f[02].body = ShotBody d[02]
        t[02].body = Tint f[02].body
        o[02].encode = EncodeSegment t[02].body
        l[03] = VaeEncode const e[02].last_frame
        s[03] = Sample const p[03] l[03]
        d[03] = Decode const s[03]
        f[02].join = Transition d[02] d[03]
        t[02].join = Tint f[02].join
        o[02].join.encode = EncodeSegment t[02].join
        f[03].body = ShotBody d[03]
        t[03].body = Tint f[03].body
        o[03].encode = EncodeSegment t[03].body
        o = SaveVideo [o[02].encode o[02].join.encode o[03].encode]
    "#]]
    .assert_eq(&steps(&result.plan.expect("a plan")));
    let options = Options {
        shots: Some([9].into()),
        ..Options::default()
    };
    let result = compiled(
        &film(&shots, true),
        &World::default(),
        &gpu(24 * GIB),
        &options,
    );
    expect![[r#"
        [unknown_shot] error: node b (Storyboard), input `shots`: --shots names 9, and the film has shots 1 to 3.
    "#]].assert_eq(&said(&result));
}

#[test]
fn pinned_shot() {
    let clip = Info::Clip(ClipInfo {
        frames: 33,
        width: 64,
        height: 64,
        channels: 3,
        fps: None,
    });
    let mut film = film(&[(2.0, 0.5), (2.0, 0.0)], false);
    let free = plan(&film, &gpu(24 * GIB));
    let made = free
        .steps
        .iter()
        .find(|it| it.path.to_string() == "d[01]")
        .expect("decoded");
    film["b"]["inputs"]["shots"][0]["pinned"] = json!(made.signature.to_string());
    let mut world = World::default();
    let missing = compiled(&film, &world, &gpu(24 * GIB), &Options::default());
    assert!(missing.plan.is_none());
    assert_eq!(missing.diagnostics[0].code, "pinned_missing");
    assert_eq!(missing.diagnostics[0].place.shot.as_deref(), Some("01"));
    world.stored.insert(made.signature, Some(clip));
    let pinned = compiled(&film, &world, &gpu(24 * GIB), &Options::default())
        .plan
        .expect("a plan");
    expect![[r#"
        p[02] = Encode const
        s[02] = Sample const p[02]
        d[02] = Decode const s[02]
        f[01].pinned = StoredClip
        f[01].join = Transition f[01].pinned d[02]
        t[01].join = Tint f[01].join
        o[01].join.encode = EncodeSegment t[01].join
        f[02].body = ShotBody d[02]
        t[02].body = Tint f[02].body
        o[02].encode = EncodeSegment t[02].body
        f[01].body = ShotBody f[01].pinned
        t[01].body = Tint f[01].body
        o[01].encode = EncodeSegment t[01].body
        o = SaveVideo [o[01].encode o[01].join.encode o[02].encode]
    "#]]
    .assert_eq(&steps(&pinned));
    // Nothing is encoded again because of the pin.
    let (free, pinned) = (signatures(&free), signatures(&pinned));
    assert_eq!(free["o"], pinned["o"]);
}

#[test]
fn film_whole_and_in_pieces() {
    let mut mixed = film(&[(2.0, 0.5), (2.0, 0.0)], false);
    mixed["w"] = json!({"class_type": "Wave", "inputs": {"image": ["t", 0]}});
    mixed["o"]["inputs"]["images"] = json!(["w", 0]);
    let plan = plan(&mixed, &gpu(24 * GIB));
    let steps = steps(&plan);
    let tail: Vec<&str> = steps.lines().rev().take(4).collect();
    expect![[r#"
        o = SaveVideo [o.encode]
        o.encode = EncodeSegment w
        w = Wave t.film
        t.film = ConcatClips [t[01].body t[01].join t[02].body]"#]]
    .assert_eq(&tail.join("\n"));
}

#[test]
fn body_without_frames_is_left_out() {
    // 9 frames, all of them in the two transitions around.
    let mut prompt = film(
        &[(2.0, 4.0 / 16.0), (9.0 / 16.0, 5.0 / 16.0), (2.0, 0.0)],
        false,
    );
    prompt["o"]["inputs"]["images"] = json!(["f", 0]);
    let plan = plan(&prompt, &gpu(24 * GIB));
    let steps = steps(&plan);
    expect!["o = SaveVideo [o[01].encode o[01].join.encode o[02].join.encode o[03].encode]"]
        .assert_eq(steps.lines().last().unwrap_or_default());
}

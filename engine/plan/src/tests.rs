//! Whole compilations of small toy graphs.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use crate::plan::Move;

use crate::toy::{GIB, MIB, Toy, World, cpu, gpu, project};
use crate::{ClipInfo, Compiled, Info, Machine, Options, Plan, compile};

fn compiled(prompt: &Json, world: &World, machine: &Machine, options: &Options) -> Compiled {
    compile(&project(prompt), &Toy::default(), world, machine, options)
}

fn plan(prompt: &Json, machine: &Machine) -> Plan {
    let result = compiled(prompt, &World::default(), machine, &Options::default());
    assert!(result.diagnostics.is_empty(), "{:#?}", result.diagnostics);
    result.plan.expect("a plan")
}

/// One line per step: path, class, what it reads by path.
fn steps(plan: &Plan) -> String {
    let name = |id: &crate::ValueId| {
        plan.value(*id)
            .step
            .map_or("const".to_owned(), |it| plan.step(it).path.to_string())
    };
    let mut text = String::new();
    for step in &plan.steps {
        let reads: Vec<String> = step
            .inputs
            .values()
            .flat_map(|input| match input {
                crate::StepInput::Literal(_) => Vec::new(),
                crate::StepInput::Value(id) => vec![name(id)],
                crate::StepInput::List(ids) => vec![format!(
                    "[{}]",
                    ids.iter().map(name).collect::<Vec<_>>().join(" ")
                )],
            })
            .collect();
        let cached = if step.cached { " (cached)" } else { "" };
        text += &format!(
            "{} = {} {}{cached}\n",
            step.path,
            step.class,
            reads.join(" ")
        )
        .replace(" \n", "\n");
    }
    text
}

fn t2v() -> Json {
    json!({
        "m": {"class_type": "LoadModel", "inputs": {"name": "dit"}},
        "c": {"class_type": "LoadClip", "inputs": {"name": "t5"}},
        "v": {"class_type": "LoadVae", "inputs": {"name": "vae"}},
        "p": {"class_type": "Encode", "inputs": {"clip": ["c", 0], "text": "a cat"}},
        "s": {"class_type": "Sample", "inputs": {"model": ["m", 0], "cond": ["p", 0], "seed": 7}},
        "d": {"class_type": "Decode", "inputs": {"vae": ["v", 0], "samples": ["s", 0]}},
        "o": {"class_type": "SaveVideo", "inputs": {"images": ["d", 0]}}
    })
}

/// A film: prompt, sample, decode per shot; tinted; written as a video. `shots`: seconds and
/// transition seconds of each.
fn film(shots: &[(f64, f64)], continuity: bool) -> Json {
    let shots: Vec<Json> = (shots.iter().enumerate())
        .map(|(at, (seconds, transition))| {
            let kind = if *transition > 0.0 { "dissolve" } else { "cut" };
            json!({
                "id": format!("{:02}", at + 1), "prompt": format!("shot {}", at + 1), "seed": at,
                "seconds": seconds, "transition": kind, "transition_seconds": transition,
            })
        })
        .collect();
    let mut prompt = json!({
        "b": {"class_type": "Storyboard", "inputs": {"width": 64, "height": 64, "fps": 16.0, "shots": shots}},
        "e": {"class_type": "EachShot", "inputs": {"storyboard": ["b", 0]}},
        "m": {"class_type": "LoadModel", "inputs": {"name": "dit"}},
        "c": {"class_type": "LoadClip", "inputs": {"name": "t5"}},
        "v": {"class_type": "LoadVae", "inputs": {"name": "vae"}},
        "p": {"class_type": "Encode", "inputs": {"clip": ["c", 0], "text": ["e", 0]}},
        "s": {"class_type": "Sample", "inputs": {
            "model": ["m", 0], "cond": ["p", 0], "seed": ["e", 1],
            "length": ["e", 3], "width": ["e", 4], "height": ["e", 5]}},
        "d": {"class_type": "Decode", "inputs": {"vae": ["v", 0], "samples": ["s", 0]}},
        "f": {"class_type": "CollectFilm", "inputs": {"storyboard": ["b", 0], "clip": ["d", 0]}},
        "t": {"class_type": "Tint", "inputs": {"image": ["f", 0]}},
        "o": {"class_type": "SaveVideo", "inputs": {"images": ["t", 0]}}
    });
    if continuity {
        prompt["i"] = json!({"class_type": "LoadImage", "inputs": {"image": "first.png"}});
        prompt["e"]["inputs"]["first_frame"] = json!(["i", 0]);
        prompt["l"] =
            json!({"class_type": "VaeEncode", "inputs": {"vae": ["v", 0], "pixels": ["e", 6]}});
        prompt["s"]["inputs"]["start"] = json!(["l", 0]);
    }
    prompt
}

#[test]
fn one_clip() {
    let plan = plan(&t2v(), &gpu(24 * GIB));
    expect_test::expect![[r#"
        5 steps on Toy GPU, about 8.9 s
        peak on the device 10.1 GiB of 24.0 GiB
        peak on the host 272 MiB of 64.0 GiB

        weights      size  loads  family
        t5       10.0 GiB      1  umt5
        dit       3.0 GiB      1  dit
        vae       256 MiB      1  vae

        step  lane    class          from      makes              way      device     host   time
              load t5 (10.0 GiB)
           1  device  Encode         p         text 512×4096      whole  10.1 GiB  208 MiB  5.4 s
              drop t5, load dit (3.0 GiB)
           2  device  Sample         s         16×21×60×104       whole   4.3 GiB  216 MiB  2.6 s
              drop dit, load vae (256 MiB)
           3  device  Decode         d         81 frames 832×480  whole   2.5 GiB  272 MiB  0.2 s
           4  cpu     EncodeSegment  o.encode  81 frames 832×480  h264             264 MiB  0.5 s
           5  cpu     SaveVideo      o         file               copy             208 MiB  0.2 s

        device memory: █ weights, ▒ work and values, full width 12.6 GiB, budget 24.0 GiB
        1 ███████████████████████████████████████████████████ 10.1 GiB
        2 ███████████████▒▒▒▒▒▒▒ 4.3 GiB
        3 █▒▒▒▒▒▒▒▒▒▒▒▒ 2.5 GiB
    "#]]
    .assert_eq(&plan.to_text());
}

#[test]
fn tight_memory() {
    let mut world = World::default();
    world.elements.insert("t5".to_owned(), GIB / 2);
    let result = compiled(&t2v(), &world, &gpu(2 * GIB), &Options::default());
    expect_test::expect![[r#"
        5 steps on Toy GPU, about 33 s
        peak on the device 1.4 GiB of 2.0 GiB
        peak on the host 272 MiB of 64.0 GiB

        weights     size  loads  family
        t5       1.0 GiB      1  umt5
        dit      3.0 GiB      1  dit
        vae      256 MiB      1  vae

        step  lane    class          from      makes              way         device     host   time
              load t5 (1.0 GiB)
           1  device  Encode         p         text 512×4096      whole      1.1 GiB  208 MiB  0.6 s
              drop t5, stream dit
              streamed: whole needs 1.3 GiB, 0 B are free beside dit
           2  device  Sample         s         16×21×60×104       streamed   1.4 GiB  216 MiB   31 s
              drop dit, load vae (256 MiB)
              tiled 256: whole needs 2.3 GiB, 1.8 GiB are free beside vae
           3  device  Decode         d         81 frames 832×480  tiled 256  556 MiB  272 MiB  0.3 s
           4  cpu     EncodeSegment  o.encode  81 frames 832×480  h264                264 MiB  0.5 s
           5  cpu     SaveVideo      o         file               copy                208 MiB  0.2 s

        device memory: █ weights, ▒ work and values, │ budget 2.0 GiB
        1 ████████████████████████████████▒▒▒                             │ 1.1 GiB
        2 ▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒                    │ 1.4 GiB
        3 ████████▒▒▒▒▒▒▒▒▒                                               │ 556 MiB
    "#]]
    .assert_eq(&result.plan.expect("a plan").to_text());
}

#[test]
fn on_the_processor() {
    let plan = plan(&t2v(), &cpu(40 * GIB));
    expect_test::expect![[r#"
        5 steps on Toy CPU, about 2 min 08 s
        peak on the host 20.3 GiB of 40.0 GiB

        weights      size  loads  family
        t5       20.0 GiB      1  umt5
        dit       6.0 GiB      1  dit
        vae       512 MiB      1  vae

        step  lane    class          from      makes              way        host        time
              load t5 (20.0 GiB)
           1  device  Encode         p         text 512×4096      whole  20.3 GiB        16 s
              drop t5, load dit (6.0 GiB)
           2  device  Sample         s         16×21×60×104       whole   7.5 GiB  1 min 42 s
              drop dit, load vae (512 MiB)
           3  device  Decode         d         81 frames 832×480  whole   3.1 GiB        10 s
           4  cpu     EncodeSegment  o.encode  81 frames 832×480  h264    776 MiB       0.5 s
           5  cpu     SaveVideo      o         file               copy    720 MiB       0.2 s

        host memory: █ weights, ▒ work and values, │ budget 40.0 GiB
        1 ████████████████████████████████                                │ 20.3 GiB
        2 ██████████▒▒                                                    │ 7.5 GiB
        3 █▒▒▒▒                                                           │ 3.1 GiB
        4 █                                                               │ 776 MiB
        5 █                                                               │ 720 MiB
    "#]]
    .assert_eq(&plan.to_text());
}

#[test]
fn film_with_transitions() {
    let plan = plan(
        &film(&[(2.0, 0.5), (2.0, 0.0), (1.0, 0.0)], false),
        &gpu(24 * GIB),
    );
    expect_test::expect![[r#"
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
    expect_test::expect![[r#"
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
fn long_film_loads_each_checkpoint_once() {
    let plan = plan(&film(&vec![(2.0, 0.5); 120], false), &gpu(11 * GIB));
    assert_eq!(plan.loads(), [1, 1, 1]);
    expect_test::expect![[r#"
        1078 steps (478 lazy) on Toy GPU, about 2 min 37 s
        peak on the device 10.1 GiB of 11.0 GiB
        peak on the host 1.1 GiB of 64.0 GiB

        weights      size  loads  family
        t5       10.0 GiB      1  umt5
        dit       3.0 GiB      1  dit
        vae       256 MiB      1  vae

        step  lane    class          from                makes               way      device     host        time
              load t5 (10.0 GiB)
           1  device  Encode         p ×120              text 512×4096       whole  10.1 GiB  1.1 GiB        11 s
              drop t5, load dit (3.0 GiB)
         121  device  Sample         s ×120              16×9×8×8            whole   3.0 GiB  1.1 GiB       2.1 s
              drop dit, load vae (256 MiB)
         241  device  Decode         d ×120              33 frames 64×64     whole   280 MiB  332 MiB       0.2 s
         242          ShotBody       f.body ×120         17–25 frames 64×64  lazy
         243          Tint           t.body ×120         17–25 frames 64×64  lazy
         244  cpu     EncodeSegment  o.encode ×120       17–25 frames 64×64  h264             332 MiB  1 min 12 s
         246          Transition     f.join ×119         8 frames 64×64      lazy
         247          Tint           t.join ×119         8 frames 64×64      lazy
         248  cpu     EncodeSegment  o.join.encode ×119  8 frames 64×64      h264             332 MiB  1 min 11 s
        1078  cpu     SaveVideo      o                   file                copy             208 MiB       0.2 s

        device memory: █ weights, ▒ work and values, │ budget 11.0 GiB
           1–120  ██████████████████████████████████████████████████████████▒     │ 10.1 GiB
         121–240  █████████████████▒                                              │ 3.0 GiB
         241–1071 █▒                                                              │ 280 MiB
    "#]].assert_eq(&plan.to_text());
}

#[test]
fn continuity_alternates_as_little_as_it_can() {
    // The sampler fits beside the decoder, but not beside the encoding of the previous frame.
    let mut world = World::default();
    world.elements.insert("t5".to_owned(), GIB);
    let film = film(&[(2.0, 0.0); 5], true);
    let result = compiled(
        &film,
        &world,
        &gpu(3 * GIB + 300 * MIB),
        &Options::default(),
    );
    let plan = result.plan.expect("a plan");
    expect_test::expect![[r#"
        36 steps (5 lazy) on Toy GPU, about 6.3 s
        peak on the device 3.3 GiB of 3.3 GiB
        peak on the host 3.3 GiB of 64.0 GiB

        weights     size  loads  family
        t5       2.0 GiB      1  umt5
        vae      256 MiB      1  vae
        dit      3.0 GiB      1  dit

        step  lane    class          from              makes            way     device     host   time
              load t5 (2.0 GiB)
           1  device  Encode         p[01]             text 512×4096    whole  2.1 GiB  208 MiB  1.1 s
           2  device  Encode         p[02]             text 512×4096    whole  2.1 GiB  216 MiB  0.1 s
           3  device  Encode         p[03]             text 512×4096    whole  2.1 GiB  224 MiB  0.1 s
           4  device  Encode         p[04]             text 512×4096    whole  2.1 GiB  232 MiB  0.1 s
           5  device  Encode         p[05]             text 512×4096    whole  2.1 GiB  256 MiB  0.1 s
           6  cpu     LoadImage      i                 1 frame 832×480  whole           261 MiB  0.1 s
              drop t5, load vae (256 MiB)
           7  device  VaeEncode      l[01]             16×1×60×104      whole  1.3 GiB  261 MiB  0.1 s
              load dit (3.0 GiB)
           8  device  Sample         s[01]             16×9×8×8         whole  3.3 GiB  240 MiB  1.6 s
           9  device  Decode         d[01]             33 frames 64×64  whole  3.3 GiB  328 MiB  0.0 s
          10  cpu     LastFrame      e[01].last_frame  1 frame 64×64    whole           233 MiB  0.0 s
          11          Tint           t[01].body        33 frames 64×64  lazy
          12  cpu     EncodeSegment  o[01].encode      33 frames 64×64  h264            328 MiB  0.6 s
              park dit
              dit parked on the host: 1.3 GiB are needed here, its next use is furthest (step 14)
          13  device  VaeEncode      l[02]             16×1×8×8         whole  1.3 GiB  3.3 GiB  0.0 s
              load dit (3.0 GiB)
          14  device  Sample         s[02]             16×9×8×8         whole  3.3 GiB  232 MiB  0.2 s
          15  device  Decode         d[02]             33 frames 64×64  whole  3.3 GiB  320 MiB  0.0 s
          16  cpu     LastFrame      e[02].last_frame  1 frame 64×64    whole           225 MiB  0.0 s
          17          Tint           t[02].body        33 frames 64×64  lazy
          18  cpu     EncodeSegment  o[02].encode      33 frames 64×64  h264            320 MiB  0.6 s
              park dit
              dit parked on the host: 1.3 GiB are needed here, its next use is furthest (step 20)
          19  device  VaeEncode      l[03]             16×1×8×8         whole  1.3 GiB  3.3 GiB  0.0 s
              load dit (3.0 GiB)
          20  device  Sample         s[03]             16×9×8×8         whole  3.3 GiB  224 MiB  0.2 s
          21  device  Decode         d[03]             33 frames 64×64  whole  3.3 GiB  312 MiB  0.0 s
          22  cpu     LastFrame      e[03].last_frame  1 frame 64×64    whole           217 MiB  0.0 s
          23          Tint           t[03].body        33 frames 64×64  lazy
          24  cpu     EncodeSegment  o[03].encode      33 frames 64×64  h264            312 MiB  0.6 s
              park dit
              dit parked on the host: 1.3 GiB are needed here, its next use is furthest (step 26)
          25  device  VaeEncode      l[04]             16×1×8×8         whole  1.3 GiB  3.3 GiB  0.0 s
              load dit (3.0 GiB)
          26  device  Sample         s[04]             16×9×8×8         whole  3.3 GiB  216 MiB  0.2 s
          27  device  Decode         d[04]             33 frames 64×64  whole  3.3 GiB  304 MiB  0.0 s
          28  cpu     LastFrame      e[04].last_frame  1 frame 64×64    whole           209 MiB  0.0 s
          29          Tint           t[04].body        33 frames 64×64  lazy
          30  cpu     EncodeSegment  o[04].encode      33 frames 64×64  h264            304 MiB  0.6 s
              park dit
              dit parked on the host: 1.3 GiB are needed here, its next use is furthest (step 32)
          31  device  VaeEncode      l[05]             16×1×8×8         whole  1.3 GiB  3.3 GiB  0.0 s
              load dit (3.0 GiB)
          32  device  Sample         s[05]             16×9×8×8         whole  3.3 GiB  208 MiB  0.2 s
              drop dit
          33  device  Decode         d[05]             33 frames 64×64  whole  280 MiB  296 MiB  0.0 s
          34          Tint           t[05].body        33 frames 64×64  lazy
          35  cpu     EncodeSegment  o[05].encode      33 frames 64×64  h264            296 MiB  0.6 s
          36  cpu     SaveVideo      o                 file             copy            208 MiB  0.2 s

        device memory: █ weights, ▒ work and values, │ budget 3.3 GiB
         1 ███████████████████████████████████████▒▒                       │ 2.1 GiB
         2 ███████████████████████████████████████▒▒                       │ 2.1 GiB
         3 ███████████████████████████████████████▒▒                       │ 2.1 GiB
         4 ███████████████████████████████████████▒▒                       │ 2.1 GiB
         5 ███████████████████████████████████████▒▒                       │ 2.1 GiB
         7 █████▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒                                        │ 1.3 GiB
         8 ███████████████████████████████████████████████████████████████ │ 3.3 GiB
         9 ███████████████████████████████████████████████████████████████▒│ 3.3 GiB
        13 █████▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒                                        │ 1.3 GiB
        14 ███████████████████████████████████████████████████████████████ │ 3.3 GiB
        15 ███████████████████████████████████████████████████████████████▒│ 3.3 GiB
        19 █████▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒                                        │ 1.3 GiB
        20 ███████████████████████████████████████████████████████████████ │ 3.3 GiB
        21 ███████████████████████████████████████████████████████████████▒│ 3.3 GiB
        25 █████▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒                                        │ 1.3 GiB
        26 ███████████████████████████████████████████████████████████████ │ 3.3 GiB
        27 ███████████████████████████████████████████████████████████████▒│ 3.3 GiB
        31 █████▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒                                        │ 1.3 GiB
        32 ███████████████████████████████████████████████████████████████ │ 3.3 GiB
        33 █████                                                           │ 280 MiB
    "#]].assert_eq(&plan.to_text());
    let brought_in = |name: &str| {
        let moves = plan.steps.iter().flat_map(|step| &step.moves);
        moves
            .filter(|it| matches!(it, Move::Load(id) if plan.weight(*id).name == name))
            .count()
    };
    assert_eq!(
        (brought_in("t5"), brought_in("vae"), brought_in("dit")),
        (1, 1, 5)
    );
    assert_eq!(plan.loads(), [1, 1, 1], "parked on the host in between");
}

/// Signatures by path.
fn signatures(plan: &Plan) -> BTreeMap<String, String> {
    plan.steps
        .iter()
        .map(|it| (it.path.to_string(), it.signature.to_string()))
        .collect()
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
    expect_test::expect![[r#"
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
    expect_test::expect![[r#"
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
    expect_test::expect![[r#"
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
    expect_test::expect![[r#"
        [unknown_shot] error: node b (Storyboard), input `shots`: --shots names 9, and the film has shots 1 to 3.
    "#]].assert_eq(&said(&result));
}

/// Findings, a line each.
fn said(result: &Compiled) -> String {
    result
        .diagnostics
        .iter()
        .map(|it| format!("[{}] {it}\n", it.code))
        .collect()
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
    expect_test::expect![[r#"
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
fn findings() {
    let mut no_file = t2v();
    no_file["x"] = json!({"class_type": "LoadImage", "inputs": {"image": "gone.png"}});
    let mut world = World::default();
    world
        .missing
        .extend(["dit".to_owned(), "gone.png".to_owned()]);
    let result = compiled(&no_file, &world, &gpu(24 * GIB), &Options::default());
    expect_test::expect![[r#"
        [file_missing] error: node m (LoadModel), input `name`: There is no dit in diffusion_models.
    "#]]
    .assert_eq(&said(&result));

    let mut odd = t2v();
    odd["s"]["inputs"]["width"] = json!(833);
    let result = compiled(&odd, &World::default(), &gpu(GIB), &Options::default());
    expect_test::expect![[r#"
        [size_not_multiple] error: node s (Sample), input `width`: width must be a multiple of 16, got 833
    "#]].assert_eq(&said(&result));
    let result = compiled(&t2v(), &World::default(), &gpu(GIB), &Options::default());
    expect_test::expect![[r#"
        [does_not_fit] error: node p (Encode): Step p (Encode) needs 10.1 GiB of device memory, 10.0 GiB of it t5; the budget is 1.0 GiB. Lower the width, the height or the length, or raise --vram.
        [does_not_fit] error: node s (Sample): Step s (Sample) needs 1.4 GiB of device memory even as `streamed`; the budget is 1.0 GiB. Lower the width, the height or the length, or raise --vram.
    "#]].assert_eq(&said(&result));
    let result = compiled(
        &t2v(),
        &World::default(),
        &cpu(5 * GIB),
        &Options::default(),
    );
    expect_test::expect![[r#"
        [does_not_fit] error: node p (Encode): Step p (Encode) needs 20.3 GiB of host memory, 20.0 GiB of it t5, 208 MiB the program and values kept for later; the budget is 5.0 GiB. Lower the width, the height or the length, or raise --ram.
    "#]].assert_eq(&said(&result));

    let result = compiled(
        &film(&[(1.0, 1.0), (1.0, 1.0), (1.0, 0.0)], false),
        &World::default(),
        &gpu(24 * GIB),
        &Options::default(),
    );
    expect_test::expect![[r#"
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
    expect_test::expect![[r#"
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
    expect_test::expect![[r#"
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

#[test]
fn film_whole_and_in_pieces() {
    let mut mixed = film(&[(2.0, 0.5), (2.0, 0.0)], false);
    mixed["w"] = json!({"class_type": "Wave", "inputs": {"image": ["t", 0]}});
    mixed["o"]["inputs"]["images"] = json!(["w", 0]);
    let plan = plan(&mixed, &gpu(24 * GIB));
    let steps = steps(&plan);
    let tail: Vec<&str> = steps.lines().rev().take(4).collect();
    expect_test::expect![[r#"
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
    expect_test::expect![
        "o = SaveVideo [o[01].encode o[01].join.encode o[02].join.encode o[03].encode]"
    ]
    .assert_eq(steps.lines().last().unwrap_or_default());
}

#[test]
fn json_has_every_step() {
    let plan = plan(&t2v(), &gpu(24 * GIB));
    let json = plan.to_json();
    assert_eq!(
        json["steps"].as_array().map(Vec::len),
        Some(plan.steps.len())
    );
    assert_eq!(json["peak_device_bytes"], json!(plan.peak_device_bytes));
    assert_eq!(json["weights"][0]["loads"], json!(1));
}

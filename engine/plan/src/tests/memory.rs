//! Order and memory: goldens of the text form.

use expect_test::expect;
use serde_json::json;

use super::{compiled, film, plan, t2v};
use crate::Options;
use crate::plan::Move;
use crate::toy::{GIB, MIB, World, cpu, gpu};
use crate::usage::Place;

#[test]
fn one_clip() {
    let plan = plan(&t2v(), &gpu(24 * GIB));
    expect![[r#"
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
    expect![[r#"
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
              streamed: whole needs dit and 1.3 GiB at once, the budget is 2.0 GiB
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
    expect![[r#"
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
fn long_film_loads_each_checkpoint_once() {
    let plan = plan(&film(&vec![(2.0, 0.5); 120], false), &gpu(11 * GIB));
    assert_eq!(plan.loads(), [1, 1, 1]);
    expect![[r#"
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
    let film = film(&[(2.0, 0.0); 3], true);
    let result = compiled(
        &film,
        &world,
        &gpu(3 * GIB + 300 * MIB),
        &Options::default(),
    );
    let plan = result.plan.expect("a plan");
    expect![[r#"
        22 steps (3 lazy) on Toy GPU, about 5.0 s
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
           3  device  Encode         p[03]             text 512×4096    whole  2.1 GiB  240 MiB  0.1 s
           4  cpu     LoadImage      i                 1 frame 832×480  whole           245 MiB  0.1 s
              drop t5, load vae (256 MiB)
           5  device  VaeEncode      l[01]             16×1×60×104      whole  1.3 GiB  245 MiB  0.1 s
              load dit (3.0 GiB)
           6  device  Sample         s[01]             16×9×8×8         whole  3.3 GiB  224 MiB  1.6 s
           7  device  Decode         d[01]             33 frames 64×64  whole  3.3 GiB  312 MiB  0.0 s
           8  cpu     LastFrame      e[01].last_frame  1 frame 64×64    whole           217 MiB  0.0 s
           9          Tint           t[01].body        33 frames 64×64  lazy
          10  cpu     EncodeSegment  o[01].encode      33 frames 64×64  h264            312 MiB  0.6 s
              park dit
              dit parked on the host: 1.3 GiB are needed here, its next use is furthest (step 12)
          11  device  VaeEncode      l[02]             16×1×8×8         whole  1.3 GiB  3.3 GiB  0.0 s
              load dit (3.0 GiB)
          12  device  Sample         s[02]             16×9×8×8         whole  3.3 GiB  216 MiB  0.2 s
          13  device  Decode         d[02]             33 frames 64×64  whole  3.3 GiB  304 MiB  0.0 s
          14  cpu     LastFrame      e[02].last_frame  1 frame 64×64    whole           209 MiB  0.0 s
          15          Tint           t[02].body        33 frames 64×64  lazy
          16  cpu     EncodeSegment  o[02].encode      33 frames 64×64  h264            304 MiB  0.6 s
              park dit
              dit parked on the host: 1.3 GiB are needed here, its next use is furthest (step 18)
          17  device  VaeEncode      l[03]             16×1×8×8         whole  1.3 GiB  3.3 GiB  0.0 s
              load dit (3.0 GiB)
          18  device  Sample         s[03]             16×9×8×8         whole  3.3 GiB  208 MiB  0.2 s
              drop dit
          19  device  Decode         d[03]             33 frames 64×64  whole  280 MiB  296 MiB  0.0 s
          20          Tint           t[03].body        33 frames 64×64  lazy
          21  cpu     EncodeSegment  o[03].encode      33 frames 64×64  h264            296 MiB  0.6 s
          22  cpu     SaveVideo      o                 file             copy            208 MiB  0.2 s

        device memory: █ weights, ▒ work and values, │ budget 3.3 GiB
         1 ███████████████████████████████████████▒▒                       │ 2.1 GiB
         2 ███████████████████████████████████████▒▒                       │ 2.1 GiB
         3 ███████████████████████████████████████▒▒                       │ 2.1 GiB
         5 █████▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒                                        │ 1.3 GiB
         6 ███████████████████████████████████████████████████████████████ │ 3.3 GiB
         7 ███████████████████████████████████████████████████████████████▒│ 3.3 GiB
        11 █████▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒                                        │ 1.3 GiB
        12 ███████████████████████████████████████████████████████████████ │ 3.3 GiB
        13 ███████████████████████████████████████████████████████████████▒│ 3.3 GiB
        17 █████▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒                                        │ 1.3 GiB
        18 ███████████████████████████████████████████████████████████████ │ 3.3 GiB
        19 █████                                                           │ 280 MiB
    "#]].assert_eq(&plan.to_text());
    let brought_in = |name: &str| {
        let moves = plan.steps.iter().flat_map(|step| &step.moves);
        moves
            .filter(|it| matches!(it, Move::Load(id) if plan.weight(*id).name == name))
            .count()
    };
    assert_eq!(
        (brought_in("t5"), brought_in("vae"), brought_in("dit")),
        (1, 1, 3)
    );
    assert_eq!(plan.loads(), [1, 1, 1], "parked on the host in between");
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

#[test]
fn what_is_held_and_when() {
    let plan = plan(&t2v(), &gpu(24 * GIB));
    let (uses, spans) = (plan.uses(), plan.schedule());
    let held = |at: usize| -> Vec<(&str, Place)> {
        let name = |id| plan.weight(id).name.as_str();
        uses[at]
            .held
            .iter()
            .map(|(id, it)| (name(*id), *it))
            .collect()
    };
    assert_eq!(held(0), [("t5", Place::Resident)]);
    assert_eq!(held(1), [("dit", Place::Resident)]);
    assert_eq!(held(4), held(2), "nothing moves after the last load");
    assert_eq!(uses[0].device_weights, 10 * GIB);
    assert_eq!((uses[1].device_weights, uses[1].host_weights), (3 * GIB, 0));
    // One follows the other here, and the last ends when the plan does.
    assert!(spans.windows(2).all(|it| it[0].end <= it[1].begin));
    assert!((spans[4].end - plan.seconds).abs() < 1e-9);

    // On a CPU what is resident lies on the host, and nothing is parked.
    let plan = super::plan(&t2v(), &cpu(64 * GIB));
    let all = plan.uses();
    assert!(all.iter().all(|it| it.device_weights == 0));
    assert_eq!(all[0].host_weights, plan.weight(all[0].held[0].0).bytes);
    for (step, held) in plan.steps.iter().zip(&all) {
        assert!(step.host_bytes >= held.host_weights, "{}", step.path);
    }
}

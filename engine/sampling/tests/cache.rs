//! EasyCache and LazyCache against ComfyUI's, restated in `tests/reference/sampling_windows.py`
//! (`tests/data/sampling/cache.json`), and what must hold of them.

#![expect(clippy::unwrap_used, reason = "helpers of tests are tests too")]

use longtake_sampling::{EasyCache, EasyCacheSettings, initial_noise};
use serde_json::Value;

const SHAPE: [usize; 4] = [2, 3, 9, 17];

/// `velocity` of the script.
fn velocity(x: &[f32], sigma: f32, pass: usize) -> Vec<f32> {
    let k = pass as f32;
    x.iter()
        .map(|x| (x * (1.2 - 0.2 * k)).tanh() * (0.5 + sigma) - 0.3 * k)
        .collect()
}

/// A guided Euler run of `steps`; what came out and which evaluations were left out.
fn run(cache: &mut EasyCache, passes: usize, steps: usize, shift: f64) -> (Vec<f32>, Vec<u64>) {
    let sigma = |i: usize| {
        let t = 1.0 - i as f64 / steps as f64;
        (shift * t / (1.0 + (shift - 1.0) * t)) as f32
    };
    let mut x = initial_noise(11, &SHAPE);
    let mut skips = Vec::new();
    for i in 0..steps {
        let before = cache.report().skipped;
        cache.begin(sigma(i));
        let mut outs: Vec<Vec<f32>> = Vec::new();
        for pass in 0..passes {
            let network = || Ok::<_, ()>(velocity(&x, sigma(i), pass));
            outs.push(cache.pass(pass, &x, network).unwrap());
        }
        skips.push((cache.report().skipped - before) as u64);
        let length = sigma(i + 1) - sigma(i);
        for (j, x) in x.iter_mut().enumerate() {
            let v = match &outs[..] {
                [cond, uncond] => uncond[j] + (cond[j] - uncond[j]) * 3.0,
                outs => outs[0][j],
            };
            *x += length * v;
        }
    }
    (x, skips)
}

fn cache(lazy: bool, settings: EasyCacheSettings, shift: f64) -> EasyCache {
    let plane = [SHAPE[2], SHAPE[3]];
    if lazy {
        EasyCache::lazy(settings, shift, plane)
    } else {
        EasyCache::new(settings, shift, plane)
    }
}

#[test]
fn the_same_steps_are_left_out_as_in_comfyui() {
    let path = concat!(env!("LONGTAKE_CHECKOUT"), "/tests/data/sampling/cache.json");
    let golden: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    for case in golden["cases"].as_array().unwrap() {
        let settings = EasyCacheSettings {
            reuse_threshold: case["threshold"].as_f64().unwrap(),
            ..EasyCacheSettings::default()
        };
        let (steps, shift) = (
            case["steps"].as_u64().unwrap(),
            case["shift"].as_f64().unwrap(),
        );
        let lazy = case["lazy"].as_bool().unwrap();
        let mut cache = cache(lazy, settings, shift);
        let passes = if lazy { 1 } else { 2 };
        let (out, skips) = run(&mut cache, passes, steps as usize, shift);
        let list = |key: &str| case[key].as_array().unwrap().clone();
        let want: Vec<u64> = list("skips")
            .iter()
            .map(|it| it.as_u64().unwrap())
            .collect();
        assert_eq!(skips, want, "{case}");
        let sample = out.iter().step_by(41).copied();
        for (got, want) in sample.zip(list("out")) {
            let want = want.as_f64().unwrap() as f32;
            assert!((got - want).abs() < 2e-5, "{got} {want}");
        }
        let report = cache.report();
        assert_eq!(
            (report.evaluations as u64, report.skipped as u64),
            (steps, want.iter().sum())
        );
    }
}

#[test]
fn measuring_changes_nothing_but_the_report() {
    let settings = EasyCacheSettings::default();
    let mut plain = cache(false, settings, 8.0);
    let mut measured = cache(
        false,
        EasyCacheSettings {
            measure: true,
            ..settings
        },
        8.0,
    );
    assert_eq!(run(&mut plain, 2, 20, 8.0), run(&mut measured, 2, 20, 8.0));
    let report = measured.report();
    assert_eq!(report.errors.len(), 2 * report.skipped);
    let (mean, most) = report.error().unwrap();
    assert!(0.0 < mean && mean <= most && most < 0.5, "{mean} {most}");
    assert_eq!(
        (plain.report().error(), plain.report().skipped),
        (None, report.skipped)
    );
    let speed_up = report.speed_up();
    assert!((speed_up - 20.0 / (20 - report.skipped) as f64).abs() < 1e-12 && speed_up > 1.3);
}

#[test]
fn nothing_is_left_out_before_the_start_after_the_end_or_after_a_reset() {
    let settings = EasyCacheSettings {
        reuse_threshold: 3.0,
        start_percent: 0.5,
        end_percent: 0.75,
        ..EasyCacheSettings::default()
    };
    // At shift 1 sigma is what is left of the schedule: 0.5 down to above 0.25 may be left out.
    let mut cache = cache(false, settings, 1.0);
    let (_, skips) = run(&mut cache, 2, 20, 1.0);
    // Two evaluations are needed to know a rate.
    let want: Vec<u64> = (0..20).map(|i| u64::from((12..15).contains(&i))).collect();
    assert_eq!(skips, want);
    cache.reset();
    cache.begin(0.4);
    assert_eq!(cache.decide(0, &[0.0; 918]), None);
    assert_eq!(
        EasyCache::new(settings, 1.0, [1, 1]).report().speed_up(),
        1.0
    );
}

#[test]
fn another_size_is_run() {
    let mut cache = cache(false, EasyCacheSettings::default(), 8.0);
    run(&mut cache, 1, 12, 8.0);
    cache.begin(0.8);
    assert_eq!(cache.decide(0, &[0.5; 7]), None);
    cache.record(0, &[0.5; 7], &[0.5; 7]);
}

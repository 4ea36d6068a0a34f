//! Context windows against ComfyUI's formulas (`tests/data/sampling/windows.json`, written by
//! `tests/reference/sampling_windows.py`), and what must hold of any windows.

#![expect(clippy::unwrap_used, reason = "helpers of tests are tests too")]

use longtake_sampling::windows::{WindowDenoiser, free_noise, step_at, take_frames};
use longtake_sampling::{ContextWindows, Fuse, Stop, WindowError, WindowSchedule, initial_noise};
use serde_json::Value;

fn golden() -> Value {
    let path = concat!(
        env!("LONGTAKE_CHECKOUT"),
        "/tests/data/sampling/windows.json"
    );
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn items<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value[key].as_array().unwrap()
}

fn count(value: &Value, key: &str) -> usize {
    value[key].as_u64().map_or(0, |it| it as usize)
}

fn floats(value: &Value, key: &str) -> Vec<f32> {
    let read = |it: &Value| it.as_f64().unwrap() as f32;
    items(value, key).iter().map(read).collect()
}

fn context(case: &Value) -> ContextWindows {
    let name = |key: &str| case[key].as_str();
    ContextWindows {
        length: count(case, "length"),
        overlap: count(case, "overlap"),
        schedule: name("schedule").map_or_else(WindowSchedule::default, |it| it.parse().unwrap()),
        stride: count(case, "stride").max(1),
        closed_loop: case["closed_loop"].as_bool().unwrap_or(false),
        fuse: name("fuse").map_or_else(Fuse::default, |it| it.parse().unwrap()),
    }
}

/// `[first, distance, count]`, or all of them.
fn unpack(window: &Value) -> Vec<usize> {
    let numbers = |value: &Value| -> Vec<usize> {
        let list = value.as_array().unwrap();
        list.iter()
            .map(|it| it.as_u64().unwrap() as usize)
            .collect()
    };
    if let Some(frames) = window.get("frames") {
        return numbers(frames);
    }
    let packed = numbers(window);
    (0..packed[2]).map(|i| packed[0] + i * packed[1]).collect()
}

#[test]
fn windows_are_comfyuis() {
    for case in items(&golden(), "cases") {
        let laid = context(case).windows(count(case, "frames"), count(case, "step"));
        let want: Vec<_> = items(case, "windows").iter().map(unpack).collect();
        assert_eq!(laid.unwrap(), want, "{case}");
    }
}

#[test]
fn sums_are_comfyuis() {
    for case in items(&golden(), "sums") {
        let shape = [2, count(case, "frames"), 1, 2];
        let x = initial_noise(3, &shape);
        let mut k = 0.0;
        let mut network = |_: &[usize], x: &[f32]| {
            let out = x.iter().map(|x| (x * (1.0 + 0.25 * k)).tanh() + 0.1 * k);
            let out = Ok(out.collect());
            k += 1.0;
            out
        };
        let got = context(case)
            .denoise(&x, shape, count(case, "step"), &mut network)
            .unwrap();
        for (got, want) in got.iter().zip(floats(case, "out")) {
            assert!((got - want).abs() < 2e-6, "{got} {want} {case}");
        }
    }
}

#[test]
fn free_noise_is_comfyuis() {
    for case in items(&golden(), "noises") {
        let frames = count(case, "frames");
        let mut noise: Vec<f32> = (0..2 * frames).map(|i| i as f32).collect();
        let seed = case["seed"].as_str().unwrap().parse().unwrap();
        free_noise(&mut noise, [2, frames, 1], &context(case), seed);
        assert_eq!(noise, floats(case, "noise"));
    }
}

/// All windows of all kinds for some lengths, with their clip and step.
fn for_each(mut check: impl FnMut(&ContextWindows, usize, usize, &[Vec<usize>])) {
    for schedule in WindowSchedule::ALL {
        for (length, overlap) in [(1, 0), (5, 0), (5, 4), (21, 8), (8, 3)] {
            for (stride, closed_loop) in [(1, false), (1, true), (3, false), (32, true)] {
                for fuse in Fuse::ALL {
                    let context = ContextWindows {
                        length,
                        overlap,
                        schedule,
                        stride,
                        closed_loop,
                        fuse,
                    };
                    for frames in [1, 4, 5, 6, 9, 20, 21, 22, 61] {
                        for step in [0, 1, 2, 3, 7, 40] {
                            let windows = context.windows(frames, step).unwrap();
                            check(&context, frames, step, &windows);
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn every_frame_is_in_a_window_with_weight() {
    for_each(|context, frames, step, windows| {
        let what = || format!("{context:?}, {frames} frames, step {step}: {windows:?}");
        let mut weights = vec![0.0; frames];
        for window in windows {
            let all = context.weights(window, frames);
            assert_eq!(all.len(), window.len());
            for (frame, weight) in window.iter().zip(all) {
                assert!(weight > 0.0, "{}", what());
                weights[*frame] += weight;
            }
        }
        assert!(weights.iter().all(|it| *it > 0.0), "{}", what());
        let last = &windows[windows.len() - 1];
        match context.schedule {
            WindowSchedule::StandardStatic => {
                assert_eq!(last.last(), Some(&(frames - 1)), "{}", what());
                assert!(
                    windows
                        .iter()
                        .all(|it| it.len() == context.length.min(frames))
                );
            }
            WindowSchedule::Batched => assert_eq!(last.last(), Some(&(frames - 1))),
            _ => {}
        }
        if !context.applies(frames) && context.schedule != WindowSchedule::LoopedUniform {
            assert_eq!(windows, [(0..frames).collect::<Vec<_>>()]);
        }
    });
}

#[test]
fn what_all_windows_agree_on_stays() {
    for fuse in Fuse::ALL {
        for schedule in WindowSchedule::ALL {
            let context = ContextWindows {
                schedule,
                fuse,
                ..ContextWindows::wan(21, 9)
            };
            let shape = [3, 17, 2, 1];
            let x = initial_noise(4, &shape);
            let mut same = |_: &[usize], part: &[f32]| Ok(part.to_vec());
            let out = context.denoise(&x, shape, 5, &mut same).unwrap();
            for (out, x) in out.iter().zip(&x) {
                assert!((out - x).abs() <= 2e-6 * x.abs(), "{context:?}: {out} {x}");
            }
        }
    }
}

#[test]
fn lengths_of_the_film_and_bad_ones() {
    let wan = |length, overlap| {
        let context = ContextWindows::wan(length, overlap);
        (context.length, context.overlap)
    };
    assert_eq!(
        (wan(81, 30), wan(80, 0), wan(1, 1)),
        ((21, 8), (20, 0), (1, 1))
    );
    let bad = ContextWindows::wan(17, 17);
    let error = bad.windows(40, 0).unwrap_err();
    assert_eq!(
        error,
        WindowError::Overlap {
            length: 5,
            overlap: 5
        }
    );
    let mut noise = vec![1.0; 40];
    free_noise(&mut noise, [1, 40, 1], &bad, 1);
    let stride = ContextWindows {
        stride: 0,
        ..ContextWindows::wan(17, 4)
    };
    assert!(stride.check().is_err());

    let context = ContextWindows::wan(17, 4);
    let mut short = |_: &[usize], _: &[f32]| Ok(vec![0.0]);
    let denoise = |shape, network: &mut WindowDenoiser<'_>| {
        context
            .denoise(&[0.0; 16], shape, 0, network)
            .unwrap_err()
            .to_string()
    };
    let message = denoise([1, 8, 2, 1], &mut short);
    assert_eq!(message, "a window of 10 elements was given and 1 came back");
    let message = denoise([1, 8, 2, 2], &mut short);
    assert_eq!(message, "a latent of 16 elements is not [1, 8, 2, 2]");
    let mut stops = |_: &[usize], _: &[f32]| Err(Stop::Cancelled);
    let stopped = context.denoise(&[0.0; 16], [1, 8, 2, 1], 0, &mut stops);
    assert!(matches!(stopped, Err(Stop::Cancelled)));
}

#[test]
fn frames_and_steps_are_found() {
    let x: Vec<f32> = (0..12).map(|i| i as f32).collect();
    let taken = take_frames(&x, [2, 3, 1, 2], &[2, 0]);
    assert_eq!(taken, [4.0, 5.0, 0.0, 1.0, 10.0, 11.0, 6.0, 7.0]);
    let sigmas = [1.0, 0.9375, 0.625, 0.0];
    assert_eq!(step_at(&sigmas, 0.62501), Some(2));
    assert_eq!(step_at(&sigmas, 0.8), None);
}

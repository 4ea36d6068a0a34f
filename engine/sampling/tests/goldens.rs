//! Against PyTorch, SciPy, k-diffusion and diffusers: `tests/data/sampling`, written by
//! `tests/reference/sampling.py`.

#![expect(clippy::unwrap_used, reason = "helpers of tests are tests too")]

use std::ops::ControlFlow;

use longtake_sampling::{
    BrownianPath, Denoiser, FreshNoise, Sampler, Schedule, ScheduleRequest, Scheduler, SeedOffset,
    Solver, Stop, TorchRng, initial_noise, sample_latent,
};
use serde_json::Value;

fn golden(name: &str) -> Value {
    let path = format!("{}/tests/data/sampling/{name}", env!("LONGTAKE_CHECKOUT"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    serde_json::from_str(&text).unwrap()
}

fn items<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value[key]
        .as_array()
        .unwrap_or_else(|| panic!("no list `{key}`"))
}

fn floats(value: &Value, key: &str) -> Vec<f32> {
    items(value, key)
        .iter()
        .map(|it| it.as_f64().unwrap() as f32)
        .collect()
}

fn seed(value: &Value) -> u64 {
    value["seed"].as_str().unwrap().parse().unwrap()
}

fn count(value: &Value, key: &str) -> Option<usize> {
    value[key].as_u64().map(|it| it as usize)
}

#[test]
fn noise_is_pytorchs_bit_for_bit() {
    let golden = golden("noise.json");
    for case in items(&golden, "cases") {
        let size = count(case, "size").unwrap();
        let noise = initial_noise(seed(case), &[1, size]);
        let (values, last) = (floats(case, "values"), floats(case, "last"));
        assert_eq!(
            noise[..values.len()],
            values,
            "seed {} size {size}",
            case["seed"]
        );
        assert_eq!(
            noise[size - last.len()..],
            last,
            "seed {} size {size}",
            case["seed"]
        );
        let sum = noise
            .iter()
            .fold(0_u32, |sum, it| sum.wrapping_add(it.to_bits()));
        assert_eq!(
            u64::from(sum),
            case["bits_sum"].as_u64().unwrap(),
            "all bits of size {size}"
        );
    }
}

/// torchsde's tree: same seeds, same halving, same sums.
#[test]
fn brownian_paths_are_torchsdes_bit_for_bit() {
    for case in items(&golden("brownian.json"), "cases") {
        let [low, high, from, to] =
            ["low", "high", "from", "to"].map(|key| case[key].as_f64().unwrap() as f32);
        let want = floats(case, "noise");
        let path = BrownianPath::new(seed(case), low, high);
        let got = path.noise(from, to, want.len());
        assert_eq!(got, want, "seed {} from {from} to {to}", case["seed"]);
    }
}

#[test]
fn one_generator_goes_on_from_call_to_call() {
    let golden = golden("noise.json");
    let mut rng = TorchRng::new(seed(&golden["calls"]));
    for (i, call) in items(&golden["calls"], "calls").iter().enumerate() {
        let values = floats(call, "values");
        assert_eq!(rng.randn(values.len()), values, "call {i}");
    }
}

#[test]
fn fresh_noise_and_the_initial_noise() {
    let initial = initial_noise(7, &[2, 20]);
    assert_eq!(FreshNoise::new(7, SeedOffset::Zero).draw(40), initial);
    assert_eq!(FreshNoise::new(6, SeedOffset::One).draw(40), initial);
    FreshNoise::new(u64::MAX, SeedOffset::One).draw(40);
}

#[track_caller]
fn assert_close(got: &[f32], want: &[f32], tolerance: f32, what: &str) {
    assert_eq!(got.len(), want.len(), "{what}: got {got:?}, want {want:?}");
    for (i, (got, want)) in got.iter().zip(want).enumerate() {
        assert!(
            (got - want).abs() <= tolerance,
            "{what}, {i}: got {got}, want {want}"
        );
    }
}

#[test]
fn schedules() {
    let golden = golden("schedules.json");
    for case in items(&golden, "cases") {
        let scheduler: Scheduler = case["scheduler"].as_str().unwrap().parse().unwrap();
        let (steps, shift) = (
            count(case, "steps").unwrap(),
            case["shift"].as_f64().unwrap(),
        );
        let schedule = scheduler.schedule(steps, shift).unwrap();
        let what = format!("{scheduler} {steps} steps, shift {shift}");
        assert_close(&schedule.sigmas, &floats(case, "sigmas"), 1e-6, &what);
    }
    for case in items(&golden, "wan_timesteps") {
        let scheduler: Scheduler = case["scheduler"].as_str().unwrap().parse().unwrap();
        let (steps, shift) = (
            count(case, "steps").unwrap(),
            case["shift"].as_f64().unwrap(),
        );
        let schedule = scheduler.schedule(steps, shift).unwrap();
        let got: Vec<f32> = schedule.sigmas[..steps]
            .iter()
            .map(|&sigma| schedule.timestep(sigma))
            .collect();
        assert_eq!(
            got,
            floats(case, "timesteps"),
            "{scheduler} {steps} steps, shift {shift}"
        );
    }
}

/// The numbers of the fact sheet (`models.md` 4.1), reckoned by hand there.
#[test]
fn schedules_of_the_fact_sheet() {
    use Scheduler::{Simple, WanUniPc};
    let check =
        |scheduler: Scheduler, steps: usize, shift: f64, want: &[f32], timesteps: &[f32]| {
            let schedule = scheduler.schedule(steps, shift).unwrap();
            assert_close(&schedule.sigmas[..steps], want, 6e-6, scheduler.name());
            assert_eq!(schedule.sigmas[steps], 0.0);
            if !timesteps.is_empty() {
                assert_eq!(&schedule.timesteps[..steps], timesteps);
            }
        };
    let sigmas = [
        0.999800, 0.972006, 0.937265, 0.892602, 0.833055, 0.749700, 0.624687, 0.416389,
    ];
    check(
        WanUniPc,
        8,
        5.0,
        &sigmas,
        &[999.0, 972.0, 937.0, 892.0, 833.0, 749.0, 624.0, 416.0],
    );
    check(
        WanUniPc,
        4,
        5.0,
        &[0.9998, 0.937265, 0.833055, 0.624687],
        &[999.0, 937.0, 833.0, 624.0],
    );
    let sigmas = [
        0.999666, 0.963941, 0.922722, 0.874635, 0.817810, 0.749625, 0.666296, 0.562148, 0.428265,
        0.249792,
    ];
    check(WanUniPc, 10, 3.0, &sigmas, &[]);
    check(
        Simple,
        8,
        5.0,
        &[1.0, 0.97222, 0.9375, 0.89286, 0.83333, 0.75, 0.625, 0.41667],
        &[],
    );
    let sigmas = [
        1.0, 0.99346, 0.98630, 0.97842, 0.96970, 0.96, 0.94915, 0.93694, 0.92308, 0.90722, 0.88889,
        0.86747, 0.84211, 0.81159, 0.77419, 0.72727, 0.66667, 0.58537, 0.47059, 0.29630,
    ];
    check(Simple, 20, 8.0, &sigmas, &[]);
}

/// Fact sheet 4.3, from LightX2V's and CausVid's published lists.
#[test]
fn schedules_of_distilled_models() {
    let four = Scheduler::Distilled.schedule(4, 5.0).unwrap();
    assert_close(
        &four.sigmas,
        &[1.0, 0.9375, 0.833333, 0.625, 0.0],
        1e-6,
        "4",
    );
    assert_close(
        &four.timesteps,
        &[1000.0, 937.5, 833.3333, 625.0, 0.0],
        1e-3,
        "4",
    );
    let eight = Scheduler::Distilled.schedule(8, 5.0).unwrap();
    assert_close(
        &eight.sigmas[..8],
        &Scheduler::Simple.schedule(8, 5.0).unwrap().sigmas[..8],
        1e-6,
        "8",
    );
    let causvid = Scheduler::DistilledCausvid.schedule(9, 8.0).unwrap();
    let list = [
        999.0, 934.0, 862.0, 756.0, 603.0, 410.0, 250.0, 140.0, 74.0, 0.0,
    ];
    assert_eq!(causvid.timesteps, list);
    assert_eq!(causvid.timestep(causvid.sigmas[3]), 756.0);
    let three = Scheduler::DistilledCausvid.schedule(3, 8.0).unwrap();
    assert_eq!(three.timesteps, [999.0, 756.0, 250.0, 0.0]);
}

#[test]
fn sigmas_by_hand() {
    let schedule = Schedule::manual("1.0, .9375,\n0.625 0").unwrap();
    assert_eq!(schedule.sigmas, [1.0, 0.9375, 0.625, 0.0]);
    let (high, low) = schedule.split(2);
    assert_eq!(
        (high.sigmas, low.sigmas),
        (vec![1.0, 0.9375, 0.625], vec![0.625, 0.0])
    );
    let (high, low) = schedule.split_denoise(0.5);
    assert_eq!((high.steps(), low.steps()), (1, 2)); // round(1.5) is 2
    let (high, low) = schedule.split_denoise(0.0);
    assert_eq!((high.steps(), low.steps()), (3, 0));
    let (high, low) = schedule.split(9);
    assert_eq!((high.steps(), low.sigmas.len()), (3, 0));
    for (text, index) in [("1, 0.5, 0.6", 2), ("14.6, 0", 0), ("0.5 -0.1", 1)] {
        let error = Schedule::manual(text).unwrap_err().to_string();
        assert!(error.starts_with(&format!("sigma {index} is")), "{error}");
    }
    assert_eq!(Schedule::manual("").unwrap().steps(), 0);
}

fn request(
    case: &Value,
    solver: Solver,
    scheduler: Scheduler,
    steps: usize,
    shift: f64,
) -> Schedule {
    let mut request = ScheduleRequest::new(solver, scheduler, steps, shift);
    request.denoise = case["denoise"].as_f64().unwrap_or(1.0);
    request.start_step = count(case, "start");
    request.last_step = count(case, "last");
    request.force_full_denoise = case["force"].as_bool().unwrap_or(false);
    request.build().unwrap()
}

#[test]
fn windows_of_a_schedule() {
    for case in items(&golden("schedules.json"), "windows") {
        let solver: Solver = case["solver"].as_str().unwrap().parse().unwrap();
        let schedule = request(case, solver, Scheduler::Simple, 8, 8.0);
        assert_close(
            &schedule.sigmas,
            &floats(case, "sigmas"),
            1e-6,
            &case.to_string(),
        );
        assert_eq!(schedule.sigmas.len(), schedule.timesteps.len());
    }
}

/// `toy` of the script.
struct Toy;

impl Denoiser for Toy {
    fn denoise(&mut self, x: &[f32], sigma: f32) -> Result<Vec<f32>, Stop> {
        let at = |(i, x): (usize, &f32)| {
            let a = 0.05 * (i % 7) as f32 - 0.15;
            let b = (i % 5) as f32 - 2.0;
            (0.7 * x + a).tanh() * (1.0 - 0.3 * sigma) + 0.2 * b
        };
        Ok(x.iter().enumerate().map(at).collect())
    }
}

#[test]
fn trajectories() {
    let golden = golden("runs.json");
    let elements = count(&golden, "elements").unwrap();
    let seed = golden["seed"].as_u64().unwrap();
    let mut worst = (0.0, String::new());
    for case in items(&golden, "cases") {
        let solver: Solver = case["solver"].as_str().unwrap().parse().unwrap();
        let scheduler: Scheduler = case["scheduler"].as_str().unwrap().parse().unwrap();
        let (steps, shift) = (
            count(case, "steps").unwrap(),
            case["shift"].as_f64().unwrap(),
        );
        let sigmas = request(case, solver, scheduler, steps, shift).sigmas;
        let latent: Vec<f32> = match case["from_latent"].as_bool() {
            Some(true) => (0..elements).map(|i| (i as f32).sin()).collect(),
            _ => vec![0.0; elements],
        };
        let initial = match case["no_noise"].as_bool() {
            Some(true) => vec![0.0; elements],
            _ => initial_noise(seed, &[elements]),
        };
        let mut fresh = FreshNoise::new(seed, SeedOffset::One);
        let go_on = &mut |_: longtake_sampling::StepInfo<'_>| ControlFlow::Continue(());
        let sampler = Sampler::new(solver, shift);
        let got = sample_latent(
            sampler, &mut Toy, &sigmas, &mut fresh, latent, &initial, go_on,
        )
        .unwrap();

        let want = floats(case, "out");
        let norm = |values: &mut dyn Iterator<Item = f32>| {
            values.map(|it| f64::from(it).powi(2)).sum::<f64>()
        };
        let off = norm(&mut got.iter().zip(&want).map(|(got, want)| got - want));
        let error = (off / norm(&mut want.iter().copied())).sqrt();
        let what = format!(
            "{solver} {scheduler} {steps} steps, shift {shift}, {:?}",
            case["denoise"]
        );
        println!("{error:.2e} {what}");
        if error > worst.0 || error.is_nan() {
            worst = (error, what);
        }
    }
    assert!(worst.0 <= 1e-5, "relative L2 {:.2e}: {}", worst.0, worst.1);
}

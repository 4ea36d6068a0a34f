//! What must hold whatever the numbers: exact flows are solved exactly, nothing is not a number,
//! cancelling takes effect at once, bad input is refused by name.

use std::ops::ControlFlow;

use longtake_sampling::schedule::{MAX_STEPS, WAN_SHIFT};
use longtake_sampling::{
    Denoiser, FreshNoise, ScheduleError, ScheduleRequest, Scheduler, SeedOffset, Solver, StepInfo,
    Stop, flow, initial_noise, model_evaluations, sample, sample_latent,
};

/// A flow with one picture in it: the prediction is that picture, the path a straight line.
struct Straight {
    x0: Vec<f32>,
    calls: usize,
}

impl Straight {
    fn new(len: usize) -> Self {
        Self {
            x0: (0..len).map(|i| (i as f32 * 0.7).cos()).collect(),
            calls: 0,
        }
    }
}

impl Denoiser for Straight {
    fn denoise(&mut self, _: &[f32], sigma: f32) -> Result<Vec<f32>, Stop> {
        assert!(sigma > 0.0 && sigma <= 1.0, "asked at sigma {sigma}");
        self.calls += 1;
        Ok(self.x0.clone())
    }
}

const LEN: usize = 32;

fn fresh() -> FreshNoise {
    FreshNoise::new(3, SeedOffset::One)
}

fn go_on(_: StepInfo<'_>) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

#[track_caller]
fn assert_near(got: &[f32], want: &[f32], tolerance: f32, what: &str) {
    for (got, want) in got.iter().zip(want) {
        assert!(
            (got - want).abs() <= tolerance,
            "{what}: {got} is not {want}"
        );
    }
}

#[test]
fn a_straight_flow_ends_at_its_picture() {
    let noise = initial_noise(1, &[LEN]);
    for solver in Solver::ALL {
        for steps in [1, 2, 3, 4, 6, 20, 50] {
            let sigmas = ScheduleRequest::new(solver, Scheduler::Simple, steps, 8.0)
                .build()
                .unwrap()
                .sigmas;
            let mut flow = Straight::new(LEN);
            let zeros = vec![0.0; LEN];
            let out = sample_latent(
                solver,
                &mut flow,
                &sigmas,
                &mut fresh(),
                zeros,
                &noise,
                &mut go_on,
            )
            .unwrap();
            // UniPC stops at 0.001, so a thousandth of the noise stays; nobody else leaves any.
            let left = if solver.end_sigma(0.0) > 0.0 {
                5e-3
            } else {
                2e-6
            };
            assert_near(&out, &flow.x0, left, &format!("{solver} {steps}"));
            assert_eq!(
                flow.calls,
                model_evaluations(solver, &sigmas),
                "{solver} {steps} evaluations"
            );
        }
    }
}

#[test]
fn a_straight_flow_is_on_its_line_where_the_window_ends() {
    let noise = initial_noise(1, &[LEN]);
    for solver in Solver::ALL.into_iter().filter(|it| !it.draws_noise()) {
        let mut request = ScheduleRequest::new(solver, Scheduler::Simple, 8, 5.0);
        request.last_step = Some(5);
        let sigmas = request.build().unwrap().sigmas;
        let mut denoiser = Straight::new(LEN);
        let x = sample(
            solver,
            &mut denoiser,
            &sigmas,
            &mut fresh(),
            noise.clone(),
            &mut go_on,
        )
        .unwrap();
        let line = flow::add_noise(sigmas[5], &noise, &denoiser.x0);
        assert_near(&x, &line, 2e-5, solver.name());
    }
}

/// A flow that bends: the prediction depends on x and sigma, smoothly.
struct Bent;

impl Denoiser for Bent {
    fn denoise(&mut self, x: &[f32], sigma: f32) -> Result<Vec<f32>, Stop> {
        Ok(x.iter()
            .enumerate()
            .map(|(i, x)| (0.8 * x + 0.1 * i as f32).tanh() * (1.0 - 0.5 * sigma))
            .collect())
    }
}

/// Twice the steps, a half or a quarter of the error: no formula is off by a factor.
#[test]
fn solvers_converge_at_their_order() {
    let solve = |solver: Solver, steps: usize| {
        // Away from both ends, where some lower their order.
        let sigmas: Vec<f32> = (0..=steps)
            .map(|i| 0.9 - 0.7 * i as f32 / steps as f32)
            .collect();
        sample(
            solver,
            &mut Bent,
            &sigmas,
            &mut fresh(),
            initial_noise(1, &[LEN]),
            &mut go_on,
        )
        .unwrap()
    };
    let exact = solve(Solver::Heun, 1000);
    let error = |solver, steps| {
        let squares = solve(solver, steps)
            .iter()
            .zip(&exact)
            .map(|(a, b)| f64::from(a - b).powi(2))
            .sum::<f64>();
        squares.sqrt()
    };
    for solver in Solver::ALL.into_iter().filter(|it| !it.draws_noise()) {
        let (few, many) = (error(solver, 8), error(solver, 16));
        let least = match solver {
            Solver::Euler | Solver::Ddim => 1.8,
            // First order too; at few steps the second-order part of its error has the other sign.
            Solver::GradientEstimation => 1.25,
            _ => 3.0,
        };
        assert!(
            few / many > least,
            "{solver}: error {few:.2e} at 8 steps, {many:.2e} at 16"
        );
    }
}

/// With nothing but noise in the flow, x at sigma is noise of deviation sigma, however it got there.
#[test]
fn fresh_noise_keeps_the_noise_level() {
    const MANY: usize = 20_000;
    struct Nothing;
    impl Denoiser for Nothing {
        fn denoise(&mut self, x: &[f32], _: f32) -> Result<Vec<f32>, Stop> {
            Ok(vec![0.0; x.len()])
        }
    }
    let sigmas = &Scheduler::Simple.schedule(8, 5.0).unwrap().sigmas[..6];
    for solver in Solver::ALL.into_iter().filter(|it| it.draws_noise()) {
        let x = initial_noise(11, &[MANY]);
        let x = sample(solver, &mut Nothing, sigmas, &mut fresh(), x, &mut go_on).unwrap();
        let deviation =
            (x.iter().map(|it| f64::from(*it).powi(2)).sum::<f64>() / MANY as f64).sqrt();
        let want = f64::from(sigmas[5]);
        assert!(
            (deviation / want - 1.0).abs() < 0.02,
            "{solver}: {deviation} at sigma {want}"
        );
    }
}

/// Whatever is asked for, it ends in numbers, with as many evaluations as planned.
#[test]
fn no_pair_of_solver_and_scheduler_makes_nan() {
    let noise = initial_noise(2, &[LEN]);
    for solver in Solver::ALL {
        for scheduler in Scheduler::ALL {
            for (steps, shift, denoise) in [
                (1, 8.0, 1.0),
                (2, 8.0, 1.0),
                (3, 1.0, 1.0),
                (9, 5.0, 0.4),
                (20, 12.0, 1.0),
                (30, 1e-3, 1.0),
                (30, 1e9, 1.0),
            ] {
                let what =
                    format!("{solver} {scheduler} {steps} steps, shift {shift}, denoise {denoise}");
                let mut request = ScheduleRequest::new(solver, scheduler, steps, shift);
                request.denoise = denoise;
                let sigmas = request.build().unwrap().sigmas;
                let falls = sigmas.windows(2).all(|pair| pair[0] >= pair[1]);
                // `ddim_uniform` and `normal` may end at a table entry of less than 0.00001.
                assert!(
                    falls && sigmas[sigmas.len() - 1] <= 1e-5,
                    "{what}: {sigmas:?}"
                );
                let mut denoiser = Straight::new(LEN);
                let zeros = vec![0.0; LEN];
                let out = sample_latent(
                    solver,
                    &mut denoiser,
                    &sigmas,
                    &mut fresh(),
                    zeros,
                    &noise,
                    &mut go_on,
                )
                .unwrap();
                assert!(out.iter().all(|it| it.is_finite()), "{what}: {out:?}");
                assert_eq!(denoiser.calls, model_evaluations(solver, &sigmas), "{what}");
            }
        }
    }
}

/// More steps than the table has sigmas repeats some; ComfyUI's multistep solvers divide by zero there.
#[test]
fn repeated_sigmas_do_no_harm() {
    let noise = initial_noise(2, &[LEN]);
    let repeated = [1.0, 1.0, 0.8, 0.8, 0.8, 0.5, 0.5, 0.2, 0.0, 0.0];
    for solver in Solver::ALL {
        let mut denoiser = Straight::new(LEN);
        let out = sample(
            solver,
            &mut denoiser,
            &repeated,
            &mut fresh(),
            noise.clone(),
            &mut go_on,
        )
        .unwrap();
        assert_near(&out, &denoiser.x0, 5e-3, solver.name());
        assert_eq!(
            denoiser.calls,
            model_evaluations(solver, &repeated),
            "{solver}"
        );
    }
}

#[test]
fn cancelling_takes_effect_before_the_next_evaluation() {
    let sigmas = Scheduler::Simple.schedule(10, 8.0).unwrap().sigmas;
    for solver in Solver::ALL {
        let mut denoiser = Straight::new(LEN);
        let mut seen = Vec::new();
        let mut stop_at_third = |info: StepInfo<'_>| {
            seen.push((info.step, info.steps));
            if info.step == 2 {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        };
        let x = initial_noise(2, &[LEN]);
        let end = sample(
            solver,
            &mut denoiser,
            &sigmas,
            &mut fresh(),
            x,
            &mut stop_at_third,
        );
        assert!(matches!(end, Err(Stop::Cancelled)), "{solver}");
        assert_eq!(seen, [(0, 10), (1, 10), (2, 10)], "{solver}");
        // Before the step's prediction, two whole steps were taken.
        let two = model_evaluations(solver, &sigmas[..3]);
        assert_eq!(denoiser.calls, two + 1, "{solver}");
    }
}

#[test]
fn nothing_to_do_leaves_the_latent_alone() {
    let latent: Vec<f32> = (0..LEN).map(|i| i as f32).collect();
    let noise = initial_noise(2, &[LEN]);
    for (denoise, start) in [
        (0.0, None),
        (-1.0, None),
        (1.0, Some(9)),
        (1.0, Some(usize::MAX)),
    ] {
        let mut request = ScheduleRequest::new(Solver::Euler, Scheduler::Simple, 8, 8.0);
        (request.denoise, request.start_step) = (denoise, start);
        let sigmas = request.build().unwrap().sigmas;
        assert!(sigmas.is_empty());
        let mut denoiser = Straight::new(LEN);
        let out = sample_latent(
            Solver::Euler,
            &mut denoiser,
            &sigmas,
            &mut fresh(),
            latent.clone(),
            &noise,
            &mut go_on,
        );
        assert_eq!((out.unwrap(), denoiser.calls), (latent.clone(), 0));
    }
}

#[test]
fn bad_input_is_refused() {
    let build = |steps, shift, denoise| {
        let request = ScheduleRequest {
            denoise,
            ..ScheduleRequest::new(Solver::UniPc, Scheduler::Beta, steps, shift)
        };
        request.build().map(|it| it.sigmas.len())
    };
    assert_eq!(build(0, WAN_SHIFT, 1.0), Ok(0));
    for shift in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        assert!(
            matches!(build(4, shift, 1.0), Err(ScheduleError::BadShift { .. })),
            "{shift}"
        );
    }
    assert!(matches!(
        build(4, 8.0, f64::NAN),
        Err(ScheduleError::BadDenoise { .. })
    ));
    assert!(matches!(
        build(4, 8.0, 1e-300),
        Err(ScheduleError::TooManySteps { .. })
    ));
    assert!(matches!(
        build(MAX_STEPS + 1, 8.0, 1.0),
        Err(ScheduleError::TooManySteps { .. })
    ));
    assert!(matches!(
        build(usize::MAX, 8.0, 1.0),
        Err(ScheduleError::TooManySteps { .. })
    ));

    let message = |sigmas: &[f32], len: usize| {
        let mut denoiser = Straight::new(LEN);
        match sample(
            Solver::Euler,
            &mut denoiser,
            sigmas,
            &mut fresh(),
            vec![0.0; len],
            &mut go_on,
        ) {
            Err(Stop::Invalid(why)) => {
                assert_eq!(why.lacks(), None);
                why.en
            }
            other => panic!("{other:?}"),
        }
    };
    assert!(message(&[1.0, f32::NAN, 0.0], LEN).contains("sigma 1 is NaN"));
    assert!(message(&[14.6, 0.0], LEN).contains("sigma 0 is 14.6"));
    assert!(message(&[0.5, 0.7, 0.0], LEN).contains("from 0.5 to 0.7"));
    assert!(message(&[1.0, 0.0], LEN - 1).contains("given 31 elements and returned 32"));
}

#[test]
fn names() {
    for solver in Solver::ALL {
        assert_eq!(solver.name().parse(), Ok(solver));
    }
    for scheduler in Scheduler::ALL {
        assert_eq!(scheduler.name().parse(), Ok(scheduler));
    }
    let message = |name: &str| name.parse::<Solver>().unwrap_err().to_string();
    assert_eq!(
        message("uni_pc_bh3"),
        "unknown sampler `uni_pc_bh3`; did you mean uni_pc_bh2?"
    );
    assert_eq!(
        message("DPMPP_2M"),
        "unknown sampler `DPMPP_2M`; did you mean dpmpp_2m or dpmpp_sde or dpmpp_2m_sde?"
    );
    assert!(message("plms").starts_with("unknown sampler `plms`; known: euler, euler_ancestral,"));
    let unknown = "karass".parse::<Scheduler>().unwrap_err().to_string();
    assert_eq!(unknown, "unknown scheduler `karass`; did you mean karras?");
}

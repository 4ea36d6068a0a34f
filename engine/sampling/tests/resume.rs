//! A run in pieces is the run in one, bit for bit, for every solver, also by way of bytes.

#![expect(clippy::unwrap_used, reason = "helpers of tests are tests too")]

use std::ops::ControlFlow;

use longtake_sampling::{
    Denoiser, FreshNoise, ScheduleRequest, Scheduler, SeedOffset, Solver, SolverState, StepInfo,
    Stop, begin_latent, finish_latent, initial_noise, sample, sample_latent,
};

const LEN: usize = 40;

/// Predicts something that depends on x and sigma; each instance counts its calls.
#[derive(Default)]
struct Bent {
    calls: usize,
    fails_at: Option<usize>,
}

impl Denoiser for Bent {
    fn denoise(&mut self, x: &[f32], sigma: f32) -> Result<Vec<f32>, Stop> {
        self.calls += 1;
        if self.fails_at == Some(self.calls) {
            return Err(Stop::Failed("out of memory".into()));
        }
        let at = |(i, x): (usize, &f32)| (0.8 * x + 0.1 * i as f32).tanh() * (1.0 - 0.5 * sigma);
        Ok(x.iter().enumerate().map(at).collect())
    }
}

fn go_on(_: StepInfo<'_>) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

fn fresh() -> FreshNoise {
    FreshNoise::new(3, SeedOffset::One)
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|it| it.to_bits()).collect()
}

fn schedule(solver: Solver, steps: usize, last: Option<usize>) -> Vec<f32> {
    let mut request = ScheduleRequest::new(solver, Scheduler::Simple, steps, 5.0);
    request.last_step = last;
    request.build().unwrap().sigmas
}

#[test]
fn a_run_cut_anywhere_is_the_whole_run() {
    let x = initial_noise(1, &[LEN]);
    for solver in Solver::ALL {
        for (steps, last) in [(1, None), (2, None), (7, None), (9, Some(6))] {
            let sigmas = schedule(solver, steps, last);
            let whole = sample(
                solver,
                &mut Bent::default(),
                &sigmas,
                &mut fresh(),
                x.clone(),
                &mut go_on,
            );
            let whole = bits(&whole.unwrap());
            for cut in 0..=sigmas.len() {
                let mut state = SolverState::start(solver, &sigmas, fresh(), x.clone()).unwrap();
                state.run(&mut Bent::default(), cut, &mut go_on).unwrap();
                assert_eq!(state.step(), cut.min(state.steps()));
                let mut state = SolverState::from_bytes(&state.to_bytes()).unwrap();
                assert!(state.latent().iter().all(|it| it.is_finite()));
                let mut seen = Vec::new();
                let mut on_step = |info: StepInfo<'_>| {
                    seen.push(info.step);
                    ControlFlow::Continue(())
                };
                state
                    .run(&mut Bent::default(), usize::MAX, &mut on_step)
                    .unwrap();
                let what = format!("{solver}, {steps} steps, cut at {cut}");
                assert!(
                    seen.iter().copied().eq(cut..state.steps()),
                    "{what}: {seen:?}"
                );
                assert_eq!(bits(&state.into_latent()), whole, "{what}");
            }
        }
    }
}

/// A step that failed or was cancelled has not happened.
#[test]
fn a_stopped_run_goes_on_where_it_was() {
    let x = initial_noise(1, &[LEN]);
    for solver in Solver::ALL {
        let sigmas = schedule(solver, 6, None);
        let mut whole = SolverState::start(solver, &sigmas, fresh(), x.clone()).unwrap();
        let mut state = whole.clone();
        let mut network = Bent::default();
        whole.run(&mut network, 6, &mut go_on).unwrap();
        for fails_at in 1..=network.calls {
            let mut stopped = state.clone();
            let mut failing = Bent {
                fails_at: Some(fails_at),
                ..Bent::default()
            };
            assert!(stopped.run(&mut failing, 6, &mut go_on).is_err());
            stopped.run(&mut Bent::default(), 6, &mut go_on).unwrap();
            let what = format!("{solver}, failed at evaluation {fails_at}");
            assert_eq!(
                bits(&stopped.into_latent()),
                bits(&whole.latent()),
                "{what}"
            );
        }
        let mut at_third = |info: StepInfo<'_>| match info.step {
            2 => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        };
        let stop = state.run(&mut Bent::default(), 6, &mut at_third);
        assert!(matches!(stop, Err(Stop::Cancelled)) && state.step() == 2);
        state.run(&mut Bent::default(), 6, &mut go_on).unwrap();
        assert_eq!(
            bits(&state.into_latent()),
            bits(&whole.latent()),
            "{solver}"
        );
    }
}

#[test]
fn noise_goes_in_and_out_as_in_one_run() {
    let latent: Vec<f32> = (0..LEN).map(|i| (i as f32).sin()).collect();
    let noise = initial_noise(1, &[LEN]);
    for solver in Solver::ALL {
        for last in [None, Some(5)] {
            let sigmas = schedule(solver, 8, last);
            let whole = sample_latent(
                solver,
                &mut Bent::default(),
                &sigmas,
                &mut fresh(),
                latent.clone(),
                &noise,
                &mut go_on,
            );
            let mut state = begin_latent(solver, &sigmas, fresh(), latent.clone(), &noise).unwrap();
            state.run(&mut Bent::default(), 3, &mut go_on).unwrap();
            state.run(&mut Bent::default(), 8, &mut go_on).unwrap();
            assert_eq!(
                bits(&finish_latent(state)),
                bits(&whole.unwrap()),
                "{solver}"
            );
        }
        let nothing = begin_latent(solver, &[0.5], fresh(), latent.clone(), &noise).unwrap();
        assert_eq!(
            (nothing.steps(), finish_latent(nothing)),
            (0, latent.clone())
        );
    }
}

#[test]
fn experts_change_at_the_boundary() {
    let start = |scheduler: Scheduler, steps, shift| {
        let sigmas = scheduler.schedule(steps, shift).unwrap().sigmas;
        SolverState::start(Solver::WanUniPc, &sigmas, fresh(), vec![0.0; LEN]).unwrap()
    };
    // The four distilled steps: two for each expert, for T2V's boundary and for I2V's.
    let four = start(Scheduler::Simple, 4, 5.0);
    assert_eq!((four.steps_from(0.875), four.steps_from(0.9)), (2, 2));
    assert_eq!((four.steps_from(2.0), four.steps_from(0.0)), (0, 4));
    // Wan 2.2 I2V, 40 steps at shift 5: raw sigmas 0.999 * (1 - i / 40) above 0.9 / (5 - 4 * 0.9).
    let forty = start(Scheduler::WanUniPc, 40, 5.0);
    assert_eq!(forty.steps_from(0.9), 15);
}

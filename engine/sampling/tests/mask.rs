//! A latent's noise mask: what is kept comes back, what is made is made as without a mask.

#![expect(clippy::unwrap_used, reason = "helpers of tests are tests too")]

use std::ops::ControlFlow;

use longtake_sampling::{
    Denoiser, FreshNoise, Kept, Masked, Scheduler, SeedOffset, Solver, SolverState, StepInfo, Stop,
    flow, initial_noise, model_evaluations, sample_latent, sample_latent_masked,
};

const LEN: usize = 48;

/// Predicts something that mixes neighbours, and remembers what it was shown.
#[derive(Default)]
struct Mixing {
    shown: Vec<(f32, Vec<f32>)>,
}

impl Denoiser for Mixing {
    fn denoise(&mut self, x: &[f32], sigma: f32) -> Result<Vec<f32>, Stop> {
        self.shown.push((sigma, x.to_vec()));
        let at = |i: usize| (0.6 * x[i] + 0.3 * x[(i + 1) % x.len()]).tanh() * (1.0 - 0.4 * sigma);
        Ok((0..x.len()).map(at).collect())
    }
}

fn latent() -> Vec<f32> {
    (0..LEN).map(|i| (i as f32 * 0.9).sin() + 0.1).collect()
}

fn masked_run(
    solver: Solver,
    mask: &[f32],
    kept: Kept,
    last: Option<usize>,
) -> (Vec<f32>, Vec<(f32, Vec<f32>)>) {
    let mut network = Mixing::default();
    let sigmas = Scheduler::Simple.schedule(6, 5.0).unwrap().sigmas;
    let out = sample_latent_masked(
        solver,
        &mut network,
        &sigmas[..last.unwrap_or(sigmas.len())],
        &mut FreshNoise::new(1, SeedOffset::One),
        latent(),
        &initial_noise(1, &[LEN]),
        (mask, kept),
        &mut |_: StepInfo<'_>| ControlFlow::Continue(()),
    );
    (out.unwrap(), network.shown)
}

fn plain(solver: Solver) -> Vec<f32> {
    let sigmas = Scheduler::Simple.schedule(6, 5.0).unwrap().sigmas;
    let out = sample_latent(
        solver,
        &mut Mixing::default(),
        &sigmas,
        &mut FreshNoise::new(1, SeedOffset::One),
        latent(),
        &initial_noise(1, &[LEN]),
        &mut |_: StepInfo<'_>| ControlFlow::Continue(()),
    );
    out.unwrap()
}

#[test]
fn a_mask_of_ones_changes_nothing_and_one_of_zeros_keeps_all() {
    for solver in Solver::ALL {
        for kept in [Kept::Noised, Kept::Clean] {
            assert_eq!(
                masked_run(solver, &[1.0; LEN], kept, None).0,
                plain(solver),
                "{solver}"
            );
            assert_eq!(
                masked_run(solver, &[0.0; LEN], kept, None).0,
                latent(),
                "{solver}"
            );
        }
    }
}

#[test]
fn the_kept_half_comes_back_and_is_seen_by_the_other() {
    let mask: Vec<f32> = (0..LEN).map(|i| f32::from(i >= LEN / 2)).collect();
    let noise = initial_noise(1, &[LEN]);
    for solver in Solver::ALL {
        for kept in [Kept::Noised, Kept::Clean] {
            let (out, shown) = masked_run(solver, &mask, kept, None);
            assert_eq!(out[..LEN / 2], latent()[..LEN / 2], "{solver} {kept:?}");
            assert_ne!(
                out[LEN / 2..],
                plain(solver)[LEN / 2..],
                "{solver} {kept:?}"
            );
            assert!(out.iter().all(|it| it.is_finite()));
            let sigmas = Scheduler::Simple.schedule(6, 5.0).unwrap().sigmas;
            assert_eq!(shown.len(), model_evaluations(solver, &sigmas));
            for (sigma, x) in shown {
                let want = match kept {
                    Kept::Noised => flow::add_noise(sigma, &noise, &latent()),
                    Kept::Clean => latent(),
                };
                assert_eq!(
                    x[..LEN / 2],
                    want[..LEN / 2],
                    "{solver} {kept:?} at {sigma}"
                );
            }
        }
    }
}

/// ComfyUI's two lines by hand, for a mask between 0 and 1.
#[test]
fn a_soft_mask_mixes() {
    let (x, latent, noise, mask) = ([0.5, -1.0], [2.0, 4.0], [1.0, -1.0], [0.25, 0.75]);
    let mut inner = Mixing::default();
    let mut wrapped = Masked::new(&mut inner, &mask, &latent, &noise, Kept::Noised).unwrap();
    let out = wrapped.denoise(&x, 0.5).unwrap();
    // 0.5 * 0.25 + 1.5 * 0.75 and -1 * 0.75 + 1.5 * 0.25
    let shown = [1.25, -0.375];
    assert_eq!(inner.shown, [(0.5, shown.to_vec())]);
    let x0 = Mixing::default().denoise(&shown, 0.5).unwrap();
    let want = [x0[0] * 0.25 + 2.0 * 0.75, x0[1] * 0.75 + 4.0 * 0.25];
    assert_eq!(out, want);
}

/// A run with a mask can change its network in the middle too.
#[test]
fn a_masked_run_in_two_pieces() {
    let mask: Vec<f32> = (0..LEN).map(|i| (i % 3) as f32 / 2.0).collect();
    let (latent, noise) = (latent(), initial_noise(1, &[LEN]));
    let sigmas = Scheduler::Simple.schedule(6, 5.0).unwrap().sigmas;
    let fresh = FreshNoise::new(1, SeedOffset::One);
    let x = flow::add_noise(sigmas[0], &noise, &latent);
    let mut state = SolverState::start(Solver::WanUniPc, &sigmas[..6], fresh, x).unwrap();
    for to in [2, 5] {
        let mut network = Mixing::default();
        let mut masked = Masked::new(&mut network, &mask, &latent, &noise, Kept::Clean).unwrap();
        let go_on = &mut |_: StepInfo<'_>| ControlFlow::Continue(());
        state.run(&mut masked, to, go_on).unwrap();
    }
    let (whole, _) = masked_run(Solver::WanUniPc, &mask, Kept::Clean, Some(6));
    let halves = flow::remove_scaling(sigmas[5], state.into_latent());
    assert_eq!(halves, whole);
}

#[test]
fn another_length_is_refused() {
    let mut network = Mixing::default();
    let result = Masked::new(&mut network, &[1.0; 2], &[0.0; 3], &[0.0; 3], Kept::Noised);
    let message = result.err().unwrap().to_string();
    assert!(
        message.contains("3 elements, its noise mask 2"),
        "{message}"
    );
}

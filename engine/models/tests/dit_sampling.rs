//! A whole KSampler run around the tiny Wan DiT, from seed to raw latent, against ComfyUI's chain
//! around diffusers' model (`tests/reference/wan_sampling.py`).

#![allow(clippy::unwrap_used, reason = "test code, also in its helpers")]

mod dit_support;

use std::ops::ControlFlow;

use burn::tensor::TensorData;
use dit_support::{cpu, data, load, read, tensor, values};
use longtake_models::wan::dit::{Pass, Placement, PreparedContext, Times, WanDit};
use longtake_models::wan::vae::latent_stats::process_out;
use longtake_sampling::flow::{guide, x0_from_velocity};
use longtake_sampling::schedule::{Schedule, ScheduleRequest, Scheduler, WAN_SHIFT};
use longtake_sampling::{
    Denoiser, FreshNoise, SeedOffset, Solver, Stop, initial_noise, sample_latent,
};
use longtake_shaders::Tensor;

const SHAPE: [usize; 5] = [1, 16, 3, 6, 10];
const SEED: u64 = 1_234_567_890_123;
const STEPS: usize = 6;
const CFG: f32 = 4.0;

struct Guided<'a> {
    dit: &'a WanDit,
    texts: [PreparedContext; 2],
    schedule: Schedule,
}

impl Denoiser for Guided<'_> {
    fn denoise(&mut self, x: &[f32], sigma: f32) -> Result<Vec<f32>, Stop> {
        let latent = Tensor::<5>::from_data(TensorData::new(x.to_vec(), SHAPE), &cpu());
        let timestep = [self.schedule.timestep(sigma)];
        let [positive, negative] = self.texts.each_ref().map(|text| {
            let mut go_on = |_, _| ControlFlow::Continue(());
            let velocity = self.dit.forward(
                Pass::new(latent.clone(), Times::PerItem(&timestep), text),
                &mut go_on,
            );
            x0_from_velocity(sigma, x, &values(velocity.unwrap()))
        });
        Ok(guide(positive, Some(&negative), CFG))
    }
}

fn raw_latent(dit: &WanDit, texts: [PreparedContext; 2], solver: Solver) -> Vec<f32> {
    let request = ScheduleRequest::new(solver, Scheduler::Simple, STEPS, WAN_SHIFT);
    let schedule = request.build().unwrap();
    let sigmas = schedule.sigmas.clone();
    let noise = initial_noise(SEED, &SHAPE);
    let mut x = sample_latent(
        solver,
        &mut Guided {
            dit,
            texts,
            schedule,
        },
        &sigmas,
        &mut FreshNoise::new(SEED, SeedOffset::default()),
        vec![0.0; noise.len()],
        &noise,
        &mut |_| ControlFlow::Continue(()),
    )
    .unwrap();
    process_out(&mut x, 16).unwrap();
    x
}

/// `|a - b| / |b|` in the Euclidean norm.
fn relative_distance(a: &[f32], b: &[f32]) -> f64 {
    assert_eq!(a.len(), b.len());
    let square = |x: f32| f64::from(x) * f64::from(x);
    let apart: f64 = a.iter().zip(b).map(|(a, b)| square(a - b)).sum();
    (apart / b.iter().map(|b| square(*b)).sum::<f64>()).sqrt()
}

#[test]
fn whole_runs_end_where_comfyui_does() {
    let golden = read(&data("sampling.safetensors"));
    let dit = load(&data("tiny_diffusers"), Placement::Resident);
    let texts = ["positive", "negative"]
        .map(|name| dit.prepare_context(tensor(&golden[name]), None).unwrap());
    assert_eq!(initial_noise(SEED, &SHAPE), golden["noise"].1);
    for (name, solver) in [("euler", Solver::Euler), ("uni_pc", Solver::UniPc)] {
        let request = ScheduleRequest::new(solver, Scheduler::Simple, STEPS, WAN_SHIFT);
        assert_eq!(
            request.build().unwrap().sigmas,
            golden[&format!("{name}.sigmas")].1
        );
        let distance = relative_distance(
            &raw_latent(&dit, texts.clone(), solver),
            &golden[&format!("{name}.latent")].1,
        );
        println!("{name}: relative distance {distance:e}");
        // ComfyUI's quirks are larger: the last sigma alone (see the script) makes 1e-3.
        assert!(distance <= 1e-4, "{name}: relative distance {distance:e}");
    }
}

//! SCAIL, SCAIL-2 and residuals of a control against a restatement in PyTorch
//! (`tests/reference/wan_scail.py`).

#![allow(clippy::unwrap_used, reason = "test code, also in its helpers")]

mod dit_support;

use std::collections::HashMap;
use std::ops::ControlFlow;

use dit_support::{data, load, max_relative_error, read, rewrite, tensor, values, waves};
use longtake_models::wan::dit::{
    Control, ForwardError, Pass, Placement, PoseRope, PreparedContext, ScailMode, ScailStreams,
    Times, WanDit,
};
use longtake_shaders::Tensor;

/// What an error says in English; the Japanese says as much.
fn said(error: &ForwardError) -> String {
    let sentence = error.sentence();
    assert_eq!(sentence.lacks(), None);
    assert_eq!(sentence.en, error.to_string());
    sentence.en
}

const SCAIL: &str = "scail_original_bf16.safetensors";

struct Golden(HashMap<String, (Vec<usize>, Vec<f32>)>);

impl Golden {
    fn read() -> Self {
        Self(read(&data("scail_cases.safetensors")))
    }

    fn opt<const D: usize>(&self, case: &str, part: &str) -> Option<Tensor<D>> {
        self.0.get(&format!("{case}.{part}")).map(tensor)
    }

    fn get<const D: usize>(&self, case: &str, part: &str) -> Tensor<D> {
        self.opt(case, part).unwrap()
    }

    fn values(&self, case: &str, part: &str) -> &[f32] {
        &self.0[&format!("{case}.{part}")].1
    }

    fn streams(&self, case: &str) -> ScailStreams {
        ScailStreams {
            reference: self.opt(case, "reference"),
            pose: self.opt(case, "pose"),
            reference_mask: self.opt(case, "reference_mask"),
            pose_mask: self.opt(case, "pose_mask"),
            mode: match case {
                "replacement" => ScailMode::Replacement,
                _ => ScailMode::Animation,
            },
            pose_rope: match case {
                "preview_midpoint" => PoseRope::Midpoint,
                _ => PoseRope::Pooled,
            },
        }
    }

    fn context(&self, dit: &WanDit, case: &str) -> PreparedContext {
        let (text, image) = (self.get(case, "context"), self.opt(case, "image"));
        dit.prepare_context(text, image).unwrap()
    }

    fn run(&self, dit: &WanDit, case: &str, control: Option<&mut Given>) -> Vec<f32> {
        let (context, streams) = (self.context(dit, case), self.streams(case));
        let times = Times::PerItem(self.values(case, "timestep"));
        let pass = Pass {
            scail: Some(&streams),
            control: control.map(|it| it as &mut dyn Control),
            ..Pass::new(self.get(case, "latent"), times, &context)
        };
        let mut go_on = |_, _| ControlFlow::Continue(());
        values(dit.forward(pass, &mut go_on).unwrap())
    }

    fn check(&self, dit: &WanDit, case: &str, control: Option<&mut Given>) {
        let found = self.run(dit, case, control);
        let error = max_relative_error(&found, self.values(case, "output"));
        println!("{case}: relative error {error:e}");
        assert!(error <= 1e-4, "{case}: relative error {error:e}");
    }
}

/// Residuals as they are given, and what it was told.
#[derive(Default)]
struct Given {
    residuals: Vec<Option<Tensor<3>>>,
    begun: Option<(Vec<f32>, [usize; 3])>,
}

impl Control for Given {
    fn begin(&mut self, e: &Tensor<3>, grid: [usize; 3]) -> Result<(), ForwardError> {
        self.begun = Some((values(e.clone()), grid));
        Ok(())
    }

    fn after_block(&mut self, block: usize) -> Result<Option<Tensor<3>>, ForwardError> {
        Ok(self.residuals.get(block).cloned().flatten())
    }
}

#[test]
fn streams_match_the_reference() {
    let golden = Golden::read();
    for placement in [Placement::Resident, Placement::Streamed] {
        let dit = load(&data(SCAIL), placement);
        for case in [
            "preview",
            "preview_midpoint",
            "preview_batch",
            "reference_alone",
            "pose_alone",
            "animation",
            "replacement",
        ] {
            golden.check(&dit, case, None);
        }
    }
}

/// Each choice has to show: what the goldens tell apart must not lie within their tolerance.
#[test]
fn modes_and_rope_forms_differ() {
    let golden = Golden::read();
    let dit = load(&data(SCAIL), Placement::Resident);
    let with = |case: &str, change: &dyn Fn(&mut ScailStreams)| {
        let mut streams = golden.streams(case);
        change(&mut streams);
        let context = golden.context(&dit, case);
        let times = Times::PerItem(golden.values(case, "timestep"));
        let pass = Pass {
            scail: Some(&streams),
            ..Pass::new(golden.get(case, "latent"), times, &context)
        };
        let found = dit.forward(pass, &mut |_, _| ControlFlow::Continue(()));
        max_relative_error(&values(found.unwrap()), golden.values(case, "output"))
    };
    for (case, apart) in [
        (
            "preview",
            with("preview", &|it| it.pose_rope = PoseRope::Midpoint),
        ),
        (
            "animation",
            with("animation", &|it| it.mode = ScailMode::Replacement),
        ),
        (
            "animation",
            with("animation", &|it| it.reference_mask = None),
        ),
        (
            "replacement",
            with("replacement", &|it| it.pose_mask = None),
        ),
    ] {
        assert!(apart > 1e-3, "{case}: {apart:e}");
    }
}

#[test]
fn a_preview_checkpoint_has_no_masks() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("preview.safetensors");
    rewrite(&data(SCAIL), &path, |tensors| {
        tensors.retain(|it| !it.name.starts_with("patch_embedding_mask"));
    });
    let preview = load(&path, Placement::Resident);
    let dims = preview.dims();
    assert_eq!((dims.in_dim, dims.pose_dim, dims.mask_dim), (20, 20, 0));
    Golden::read().check(&preview, "preview", None);
}

#[test]
fn residuals_are_added_to_the_video() {
    let golden = Golden::read();
    for placement in [Placement::Resident, Placement::Streamed] {
        let dit = load(&data(SCAIL), placement);
        let residual = |index: usize| golden.opt("control", &format!("residual_{index}"));
        let mut control = Given {
            residuals: vec![residual(0), residual(1)],
            ..Given::default()
        };
        golden.check(&dit, "control", Some(&mut control));
        let (e, grid) = control.begun.unwrap();
        assert_eq!(grid, [2, 4, 2]);
        assert!(max_relative_error(&e, golden.values("control", "e")) < 1e-4);
    }
}

#[test]
fn no_residual_and_zero_residuals_change_nothing() {
    let golden = Golden::read();
    let dit = load(&data(SCAIL), Placement::Resident);
    let plain = golden.run(&dit, "preview", None);
    let zero = Tensor::zeros([1, 72, 48], &dit_support::cpu());
    for residuals in [vec![], vec![None, Some(zero.clone())], vec![Some(zero); 2]] {
        let mut control = Given {
            residuals,
            begun: None,
        };
        assert!(golden.run(&dit, "preview", Some(&mut control)) == plain);
        assert!(control.begun.is_some());
    }

    // Without streams all tokens are the video's, also those that odd sides add.
    let dit = load(&data("tiny_diffusers"), Placement::Resident);
    let context = dit.prepare_context(waves([2, 3, 32]), None).unwrap();
    let run = |control: Option<&mut Given>| {
        let times = Times::PerFrame(&[0.0, 500.0]);
        let pass = Pass {
            control: control.map(|it| it as &mut dyn Control),
            ..Pass::new(waves([2, 16, 2, 5, 7]), times, &context)
        };
        values(
            dit.forward(pass, &mut |_, _| ControlFlow::Continue(()))
                .unwrap(),
        )
    };
    let zero = Tensor::zeros([1, 2 * 3 * 4, 48], &dit_support::cpu());
    let mut control = Given {
        residuals: vec![Some(zero); 3],
        begun: None,
    };
    assert!(run(None) == run(Some(&mut control)));
    let (e, grid) = control.begun.unwrap();
    assert_eq!((e.len(), grid), (2 * 48, [2, 3, 4]));
    assert!(e[..48] != e[48..]);
}

#[test]
fn a_batch_of_two_is_two_of_one() {
    let golden = Golden::read();
    let dit = load(&data(SCAIL), Placement::Resident);
    let together = golden.run(&dit, "preview_batch", None);
    let context = golden.get::<3>("preview_batch", "context");
    let apart = [0, 1].map(|item| {
        let text = context.clone().narrow(0, item, 1);
        let image = golden.opt("preview_batch", "image");
        let context = dit.prepare_context(text, image).unwrap();
        let streams = golden.streams("preview_batch");
        let times = &golden.values("preview_batch", "timestep")[item..=item];
        let latent = golden
            .get::<5>("preview_batch", "latent")
            .narrow(0, item, 1);
        let pass = Pass {
            scail: Some(&streams),
            ..Pass::new(latent, Times::PerItem(times), &context)
        };
        values(
            dit.forward(pass, &mut |_, _| ControlFlow::Continue(()))
                .unwrap(),
        )
    });
    assert!(max_relative_error(&together, &apart.concat()) <= 1e-5);
}

/// The message for a pass whose parts `edit` changes; latent 1x20x2x8x8 to begin with.
fn refusal(file: &str, edit: impl FnOnce(&mut Tensor<5>, &mut Option<ScailStreams>)) -> String {
    let dit = load(&data(file), Placement::Streamed);
    let dims = dit.dims();
    let context = dit
        .prepare_context(waves([1, 3, dims.text_dim]), None)
        .unwrap();
    let mut latent = waves([1, dims.in_dim, 2, 8, 8]);
    let mut streams = Some(ScailStreams {
        reference: Some(waves([1, 20, 1, 8, 8])),
        pose: Some(waves([1, 20, 2, 4, 4])),
        ..ScailStreams::default()
    });
    edit(&mut latent, &mut streams);
    let pass = Pass {
        scail: streams.as_ref(),
        ..Pass::new(latent, Times::PerItem(&[1.0]), &context)
    };
    let refused = dit.forward(pass, &mut |_, _| ControlFlow::Continue(()));
    said(&refused.unwrap_err())
}

#[test]
fn streams_that_do_not_fit_are_named() {
    let missing = refusal(SCAIL, |_, streams| *streams = None);
    assert!(
        missing.starts_with("SCAIL streams: expected a reference or a pose video"),
        "{missing}"
    );
    let other = refusal("tiny_diffusers", |_, _| ());
    assert!(other.contains("has no `patch_embedding_pose`"), "{other}");
    let change =
        |edit: fn(&mut ScailStreams)| refusal(SCAIL, |_, streams| edit(streams.as_mut().unwrap()));
    assert_eq!(
        change(|it| it.pose = Some(waves([1, 20, 2, 8, 8]))),
        "SCAIL pose latent: expected [1 or 1, 20, 2, 4, 4], got [1, 20, 2, 8, 8]"
    );
    assert_eq!(
        change(|it| it.pose = Some(waves([1, 16, 2, 4, 4]))),
        "SCAIL pose latent: expected [1 or 1, 20, 2, 4, 4], got [1, 16, 2, 4, 4]"
    );
    assert_eq!(
        change(|it| it.reference = Some(waves([3, 20, 1, 8, 8]))),
        "SCAIL reference: expected [1 or 1, 20, 1, 8, 8], got [3, 20, 1, 8, 8]"
    );
    assert_eq!(
        change(|it| it.reference_mask = Some(waves([1, 28, 2, 8, 8]))),
        "SCAIL reference mask: expected [1 or 1, 28, 3, 8, 8], got [1, 28, 2, 8, 8]"
    );
    let odd = refusal(SCAIL, |latent, _| *latent = waves([1, 20, 2, 6, 8]));
    assert_eq!(
        odd,
        "latent of a SCAIL pass: expected sides divisible by 4 (pixels by 32), such as 8x8, got 8x6"
    );
}

#[test]
fn a_control_that_fails_ends_the_pass() {
    let golden = Golden::read();
    let dit = load(&data(SCAIL), Placement::Streamed);
    let (context, streams) = (golden.context(&dit, "preview"), golden.streams("preview"));
    let mut control = Given {
        residuals: vec![None, Some(waves([1, 71, 48]))],
        begun: None,
    };
    let times = Times::PerItem(&[1.0]);
    let pass = Pass {
        scail: Some(&streams),
        control: Some(&mut control),
        ..Pass::new(golden.get("preview", "latent"), times, &context)
    };
    let failed = dit.forward(pass, &mut |_, _| ControlFlow::Continue(()));
    assert_eq!(
        said(&failed.unwrap_err()),
        "residual of the control: expected [1 or 1, 72, 48], got [1, 71, 48]"
    );
}

#[test]
fn times_per_frame_are_refused() {
    let golden = Golden::read();
    let dit = load(&data(SCAIL), Placement::Streamed);
    let (context, streams) = (golden.context(&dit, "preview"), golden.streams("preview"));
    let pass = Pass {
        scail: Some(&streams),
        ..Pass::new(
            golden.get("preview", "latent"),
            Times::PerFrame(&[1.0; 3]),
            &context,
        )
    };
    let refused = dit.forward(pass, &mut |_, _| ControlFlow::Continue(()));
    assert_eq!(
        said(&refused.unwrap_err()),
        "times: expected one per item, as SCAIL was trained, got one per frame"
    );
}

//! The Wan DiT against diffusers' model (`tests/reference/wan_dit.py`), and its own promises:
//! layouts and types agree, streaming changes nothing, a batch is its items.

#![allow(clippy::unwrap_used, reason = "test code, also in its helpers")]

mod dit_support;

use std::ops::ControlFlow;

use dit_support::{
    Case, Stored, case, data, max_relative_error, pattern, read, rewrite, run, to_f16, values,
};
use longtake_models::wan::dit::{ForwardError, Pass, Placement, Times, WanDit};
use longtake_models::weights::Checkpoint;

const TINY: [&str; 2] = ["tiny_diffusers", "tiny_original_bf16.safetensors"];

fn load(file: &str, placement: Placement) -> WanDit {
    dit_support::load(&data(file), placement)
}

fn assert_close(dit: &WanDit, file: &str, name: &str) {
    let case = case(&data(file), name);
    let error = max_relative_error(&values(run(dit, &case)), &case.output);
    assert!(error <= 1e-4, "{name}: relative error {error:e}");
    println!("{file} {name}: {error:e}");
}

#[test]
fn tiny_model_matches_diffusers_in_both_layouts() {
    for file in TINY {
        let dit = load(file, Placement::Resident);
        for name in ["even", "held_out", "odd", "long_text"] {
            assert_close(&dit, "tiny_cases.safetensors", name);
        }
    }
}

/// More tokens than the feed-forward takes at once.
#[test]
fn many_tokens_match_diffusers() {
    let output = &read(&data("tiny_cases.safetensors"))["many_tokens.output"].1;
    for placement in [Placement::Resident, Placement::Streamed] {
        let case = Case {
            latent: pattern([1, 16, 5, 30, 30]),
            timestep: vec![250.0],
            context: pattern([1, 20, 32]),
            output: Vec::new(),
        };
        let all = values(run(&load(TINY[0], placement), &case));
        let some: Vec<f32> = all.into_iter().step_by(37).collect();
        let error = max_relative_error(&some, output);
        assert!(error <= 1e-4, "{placement:?}: relative error {error:e}");
        println!("many_tokens: {error:e}");
    }
}

#[test]
fn wide_head_matches_diffusers() {
    let dit = load("wide_original_bf16.safetensors", Placement::Resident);
    let dims = dit.dims();
    assert_eq!((dims.dim, dims.heads, dims.layers), (128, 1, 1));
    for name in ["even", "held_out"] {
        assert_close(&dit, "wide_cases.safetensors", name);
    }
}

/// Lanes and caches share a loaded model.
#[test]
fn a_model_can_be_shared_between_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<WanDit>();
    shared::<longtake_models::wan::dit::PreparedContext>();
}

#[test]
fn sizes_are_read_off_the_file() {
    for file in TINY {
        let dims = load(file, Placement::Streamed).dims();
        assert_eq!(
            (dims.dim, dims.ffn_dim, dims.heads, dims.layers),
            (48, 96, 2, 3)
        );
        assert_eq!(
            (dims.in_dim, dims.out_dim, dims.text_dim, dims.freq_dim),
            (16, 16, 32, 256)
        );
    }
}

/// The stored weights are exact in every type, so nothing may differ.
#[test]
fn layouts_types_and_placements_agree_to_the_last_bit() {
    let folder = tempfile::tempdir().unwrap();
    let halves = folder.path().join("tiny_f16.safetensors");
    rewrite(&data(TINY[1]), &halves, to_f16);
    let case = case(&data("tiny_cases.safetensors"), "even");
    let expected = values(run(&load(TINY[0], Placement::Resident), &case));
    for placement in [Placement::Resident, Placement::Streamed] {
        for path in [data(TINY[0]), data(TINY[1]), halves.clone()] {
            let dit = dit_support::load(&path, placement);
            assert_eq!(dit.placement(), placement);
            assert!(
                values(run(&dit, &case)) == expected,
                "{placement:?} {}",
                path.display()
            );
        }
    }
}

#[test]
fn a_batch_of_two_is_two_of_one() {
    let dit = load(TINY[0], Placement::Resident);
    let both = case(&data("tiny_cases.safetensors"), "even");
    let together = values(run(&dit, &both));
    let item = |index: usize| Case {
        latent: both.latent.clone().narrow(0, index, 1),
        timestep: vec![both.timestep[index]],
        context: both.context.clone().narrow(0, index, 1),
        output: Vec::new(),
    };
    let apart = [values(run(&dit, &item(0))), values(run(&dit, &item(1)))].concat();
    let error = max_relative_error(&together, &apart);
    assert!(error <= 1e-5, "relative error {error:e}");
}

#[test]
fn a_prepared_text_serves_many_passes() {
    let dit = load(TINY[0], Placement::Resident);
    let case = case(&data("tiny_cases.safetensors"), "odd");
    let text = dit.prepare_context(case.context.clone(), None).unwrap();
    let mut go_on = |_, _| ControlFlow::Continue(());
    let pass = |hook: &mut _| {
        values(
            dit.forward(
                Pass::new(case.latent.clone(), Times::PerItem(&case.timestep), &text),
                hook,
            )
            .unwrap(),
        )
    };
    assert!(pass(&mut go_on) == pass(&mut go_on));
}

#[test]
fn a_pass_can_be_watched_and_stopped_within_a_block() {
    let dit = load(TINY[0], Placement::Resident);
    let case = case(&data("tiny_cases.safetensors"), "odd");
    let text = dit.prepare_context(case.context.clone(), None).unwrap();
    let mut heard = Vec::new();
    let done = dit.forward(
        Pass::new(case.latent.clone(), Times::PerItem(&case.timestep), &text),
        &mut |done, of| {
            heard.push((done, of));
            ControlFlow::Continue(())
        },
    );
    assert!(done.is_ok());
    assert!(
        heard.is_sorted() && heard.last() == Some(&(3, 3)),
        "{heard:?}"
    );

    // Every call is a place to stop, and there are several in a block.
    assert!(heard.iter().filter(|(done, _)| *done == 1).count() >= 3);
    for stop in 0..heard.len() {
        let mut calls = 0;
        let result = dit.forward(
            Pass::new(case.latent.clone(), Times::PerItem(&case.timestep), &text),
            &mut |_, _| {
                calls += 1;
                if calls > stop {
                    ControlFlow::Break(())
                } else {
                    ControlFlow::Continue(())
                }
            },
        );
        assert!(
            matches!(result, Err(ForwardError::Interrupted)),
            "stop at call {stop}"
        );
        assert_eq!(calls, stop + 1);
    }
}

#[test]
fn inputs_that_do_not_fit_are_named() {
    let dit = load(TINY[0], Placement::Resident);
    let case = case(&data("tiny_cases.safetensors"), "odd");
    let text = dit.prepare_context(case.context.clone(), None).unwrap();
    let mut go_on = |_, _| ControlFlow::Continue(());
    let narrow = case.latent.clone().narrow(1, 0, 15);
    let messages = [
        dit.forward(
            Pass::new(narrow, Times::PerItem(&case.timestep), &text),
            &mut go_on,
        )
        .unwrap_err()
        .to_string(),
        dit.forward(
            Pass::new(case.latent.clone(), Times::PerItem(&[1.0, 2.0]), &text),
            &mut go_on,
        )
        .unwrap_err()
        .to_string(),
        dit.prepare_context(case.context.narrow(2, 0, 31), None)
            .map(|_| ())
            .unwrap_err()
            .to_string(),
    ];
    assert_eq!(
        messages,
        [
            "latent: expected [batch, 16, frames, h, w], none zero, got [1, 15, 2, 5, 7]",
            "number of timesteps: expected 1, the latent's batch, got 2",
            "text context: expected [batch, rows, 32], got [1, 9, 31]",
        ]
    );
}

/// What loading says about the tiny original file after `edit`, the folder's name taken out.
fn refusal(edit: impl FnOnce(&mut Vec<Stored>)) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("edited.safetensors");
    rewrite(&data(TINY[1]), &path, edit);
    let checkpoint = Checkpoint::open(&path).unwrap();
    let loaded = WanDit::load(
        &checkpoint,
        &dit_support::cpu(),
        Placement::Resident,
        &mut |_, _| {},
    );
    let message = loaded.map(|_| ()).unwrap_err().to_string();
    message.replace(&format!("{}/", folder.path().display()), "")
}

fn find<'a>(tensors: &'a mut [Stored], name: &str) -> &'a mut Stored {
    tensors
        .iter_mut()
        .find(|it| it.name.ends_with(name))
        .unwrap()
}

#[test]
fn files_that_do_not_fit_are_refused_with_the_tensor_named() {
    let missing = refusal(|tensors| tensors.retain(|it| !it.name.ends_with("blocks.1.ffn.2.bias")));
    assert!(
        missing.contains("edited.safetensors") && missing.contains("`blocks.1.ffn.2.bias`"),
        "{missing}"
    );

    let shape =
        refusal(|tensors| find(tensors, "blocks.2.cross_attn.k.weight").shape = vec![24, 96]);
    assert!(
        shape.contains("blocks.2.cross_attn.k.weight`: expected shape [48, 48], found [24, 96]"),
        "{shape}"
    );

    let axes = refusal(|tensors| find(tensors, "patch_embedding.weight").shape = vec![48 * 64]);
    assert!(
        axes.contains("`patch_embedding.weight`: expected at least 2 axes, found shape [3072]"),
        "{axes}"
    );

    let vace = refusal(|tensors| {
        find(tensors, "blocks.0.norm3.bias").name = "vace_patch_embedding.bias".to_owned();
    });
    assert!(
        vace.contains("the VACE control branch, which is not supported yet"),
        "{vace}"
    );

    let other = refusal(|tensors| tensors.truncate(0));
    assert!(
        other.contains("expected a checkpoint of a Wan video transformer, found neither"),
        "{other}"
    );
}

/// 48 channels are not heads of 128, and without metadata nothing says what they are.
#[test]
fn heads_that_nothing_tells_are_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("no_config.safetensors");
    let inner = data(TINY[0]).join("diffusion_pytorch_model.safetensors");
    std::fs::copy(inner, &path).unwrap();
    let checkpoint = Checkpoint::open(&path).unwrap();
    let loaded = WanDit::load(
        &checkpoint,
        &dit_support::cpu(),
        Placement::Resident,
        &mut |_, _| {},
    );
    let message = loaded.map(|_| ()).unwrap_err().to_string();
    assert!(
        message.contains("found width 48 and 0 heads; set `num_attention_heads`"),
        "{message}"
    );
}

//! Wan's image-to-video transformers and times per frame against diffusers
//! (`tests/reference/wan_dit_image.py`), and how streamed blocks are read.

#![allow(clippy::unwrap_used, reason = "test code, also in its helpers")]

mod dit_support;

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::path::Path;

use dit_support::{
    RandomModel, data, load, max_relative_error, pattern, read, rewrite, tensor, values, waves,
};
use longtake_models::wan::dit::{ForwardError, Pass, Placement, Times, WanDit};
use longtake_shaders::Tensor;
use safetensors::Dtype;

/// What an error says in English; the Japanese says as much.
fn said(error: &ForwardError) -> String {
    let sentence = error.sentence();
    assert_eq!(sentence.lacks(), None);
    assert_eq!(sentence.en, error.to_string());
    sentence.en
}

const I2V: &str = "i2v_original_bf16.safetensors";
const FLF2V: &str = "flf2v_diffusers";
const TI2V: &str = "ti2v_original_bf16.safetensors";
const PLACEMENTS: [Placement; 2] = [Placement::Resident, Placement::Streamed];

type Golden = HashMap<String, (Vec<usize>, Vec<f32>)>;

fn cases() -> Golden {
    read(&data("image_cases.safetensors"))
}

fn get<const D: usize>(golden: &Golden, case: &str, part: &str) -> Tensor<D> {
    tensor(&golden[&format!("{case}.{part}")])
}

fn pass(
    dit: &WanDit,
    latent: Tensor<5>,
    times: Times<'_>,
    text: Tensor<3>,
    image: Option<Tensor<3>>,
) -> Vec<f32> {
    let context = dit.prepare_context(text, image).unwrap();
    let mut go_on = |_, _| ControlFlow::Continue(());
    values(
        dit.forward(Pass::new(latent, times, &context), &mut go_on)
            .unwrap(),
    )
}

fn check(what: &str, found: &[f32], expected: &[f32]) {
    let error = max_relative_error(found, expected);
    println!("{what}: relative error {error:e}");
    assert!(error <= 1e-4, "{what}: relative error {error:e}");
}

fn run_image(dit: &WanDit, golden: &Golden, case: &str, image: bool) -> Vec<f32> {
    let times = &golden[&format!("{case}.timestep")].1;
    let image = image.then(|| get(golden, case, "image"));
    pass(
        dit,
        get(golden, case, "latent"),
        Times::PerItem(times),
        get(golden, case, "context"),
        image,
    )
}

#[test]
fn image_to_video_matches_diffusers() {
    let golden = cases();
    for (file, names) in [(I2V, &["i2v", "i2v_odd"][..]), (FLF2V, &["flf2v"])] {
        for placement in PLACEMENTS {
            let dit = load(&data(file), placement);
            for name in names {
                let found = run_image(&dit, &golden, name, true);
                let expected = &golden[&format!("{name}.output")].1;
                check(&format!("{name} {placement:?}"), &found, expected);
            }
        }
    }
}

#[test]
fn branches_are_read_off_the_file() {
    let dims = |file| load(&data(file), Placement::Streamed).dims();
    let of = |file| {
        let it = dims(file);
        [it.in_dim, it.out_dim, it.image_dim, it.image_positions]
    };
    assert_eq!(of(I2V), [36, 16, 20, 0]);
    assert_eq!(of(FLF2V), [36, 16, 20, 514]);
    assert_eq!(of(TI2V), [48, 48, 0, 0]);
    assert_eq!(of("tiny_diffusers"), [16, 16, 0, 0]);
}

/// Wan 2.2's image to video has the channels and not the branch; 2.1's without an image is that.
#[test]
fn without_an_image_the_branch_is_as_if_not_there() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a14b.safetensors");
    rewrite(&data(I2V), &path, |tensors| {
        tensors.retain(|it| !it.name.contains("img"));
    });
    let golden = cases();
    let [with, without] = [data(I2V), path].map(|path| {
        let dit = load(&path, Placement::Resident);
        (dit.dims().image_dim, run_image(&dit, &golden, "i2v", false))
    });
    assert_eq!((with.0, without.0), (20, 0));
    assert!(with.1 == without.1);
    assert!(with.1 != run_image(&load(&data(I2V), Placement::Resident), &golden, "i2v", true));
}

/// Products of other heights are summed in another order by some kernels.
const OTHER_SHAPES: f32 = 1e-5;

#[test]
fn one_image_serves_a_batch() {
    let dit = load(&data(I2V), Placement::Resident);
    let golden = cases();
    let one = get::<3>(&golden, "i2v_odd", "image");
    let two = Tensor::cat(vec![one.clone(), one.clone()], 0);
    let [once, twice] = [one, two].map(|image| {
        let latent = get(&golden, "i2v", "latent");
        let text = get(&golden, "i2v", "context");
        pass(
            &dit,
            latent,
            Times::PerItem(&[3.0, 900.0]),
            text,
            Some(image),
        )
    });
    let error = max_relative_error(&once, &twice);
    assert!(error <= OTHER_SHAPES, "relative error {error:e}");
}

#[test]
fn images_that_do_not_fit_are_named() {
    let refusal = |file, image: [usize; 3]| {
        let dit = load(&data(file), Placement::Streamed);
        let text = waves([2, 5, dit.dims().text_dim]);
        let refused = dit.prepare_context(text, Some(waves(image)));
        said(&refused.map(|_| ()).unwrap_err())
    };
    assert_eq!(
        refusal("tiny_diffusers", [1, 257, 20]),
        "image context: expected none: this checkpoint has no image branch (`img_emb`), got [1, 257, 20]"
    );
    assert_eq!(
        refusal(I2V, [1, 257, 21]),
        "image context: expected [1 or 2, rows, 20], got [1, 257, 21]"
    );
    assert_eq!(
        refusal(FLF2V, [3, 771, 20]),
        "image context: expected [1 or 2, 1 to 514, 20], got [3, 771, 20]"
    );
}

#[test]
fn times_per_frame_match_diffusers() {
    let golden = cases();
    for placement in PLACEMENTS {
        let dit = load(&data(TI2V), placement);
        for name in ["ti2v", "ti2v_batch"] {
            let found = pass(
                &dit,
                get(&golden, name, "latent"),
                Times::PerFrame(&golden[&format!("{name}.timestep")].1),
                get(&golden, name, "context"),
                None,
            );
            let expected = &golden[&format!("{name}.output")].1;
            check(&format!("{name} {placement:?}"), &found, expected);
        }
        let all = pass(
            &dit,
            pattern([1, 48, 4, 40, 60]),
            Times::PerFrame(&[0.0, 0.0, 812.5, 812.5]),
            pattern([1, 20, 24]),
            None,
        );
        let some: Vec<f32> = all.into_iter().step_by(97).collect();
        check("ti2v_many", &some, &golden["ti2v_many.output"].1);
    }
}

/// Equal times per frame are one time per item, whatever the batch, the sides and the length.
#[test]
fn equal_times_of_frames_are_one_time() {
    let dit = load(&data(TI2V), Placement::Resident);
    for [batch, frames, height, width] in [[1, 1, 2, 2], [2, 3, 5, 4], [1, 5, 7, 9], [3, 2, 6, 3]] {
        let run = |times| {
            let latent = waves([batch, 48, frames, height, width]);
            pass(&dit, latent, times, waves([batch, 3, 24]), None)
        };
        let times = [frames, batch].map(|count| vec![417.5; count]);
        let per_frame = run(Times::PerFrame(&times[0]));
        let error = max_relative_error(&per_frame, &run(Times::PerItem(&times[1])));
        assert!(error <= OTHER_SHAPES, "relative error {error:e}");
        assert_eq!(per_frame.len(), batch * 48 * frames * height * width);
    }
}

#[test]
fn the_number_of_times_must_be_that_of_frames() {
    let dit = load(&data(TI2V), Placement::Resident);
    let context = dit.prepare_context(waves([1, 3, 24]), None).unwrap();
    let times = Times::PerFrame(&[1.0, 2.0]);
    let pass = Pass::new(waves([1, 48, 3, 4, 4]), times, &context);
    let refused = dit.forward(pass, &mut |_, _| ControlFlow::Continue(()));
    assert_eq!(
        said(&refused.unwrap_err()),
        "number of timesteps: expected 3, the latent's frames, got 2"
    );
}

fn random(path: &Path) {
    RandomModel {
        layers: 4,
        ..RandomModel::SMALL
    }
    .write(path);
}

#[test]
fn streamed_and_resident_passes_agree_also_side_by_side() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("random.safetensors");
    random(&path);
    let run = |dit: &WanDit| {
        let times = Times::PerItem(&[500.0]);
        pass(dit, waves([1, 16, 2, 6, 8]), times, waves([1, 5, 64]), None)
    };
    let expected = run(&load(&path, Placement::Resident));
    let streamed = load(&path, Placement::Streamed);
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| assert!(run(&streamed) == expected));
        }
    });
    assert!(run(&streamed) == expected);
}

/// Read ahead or not, a block that cannot be read ends the pass when its turn comes.
#[test]
fn a_block_that_cannot_be_read_is_told_in_its_turn() {
    let folder = tempfile::tempdir().unwrap();
    let [whole, broken] = ["whole", "broken"].map(|name| folder.path().join(name));
    let [whole, broken] = [whole, broken].map(|path| path.with_extension("safetensors"));
    random(&whole);
    rewrite(&whole, &broken, |tensors| {
        let name = "blocks.2.cross_attn.v.weight";
        let found = tensors.iter_mut().find(|it| it.name == name);
        found.unwrap().dtype = Dtype::I32;
    });
    let dit = load(&broken, Placement::Streamed);
    let context = dit.prepare_context(waves([1, 5, 64]), None).unwrap();
    for _ in 0..2 {
        let mut furthest = 0;
        let pass = Pass::new(waves([1, 16, 1, 4, 4]), Times::PerItem(&[1.0]), &context);
        let failed = dit.forward(pass, &mut |done, _| {
            furthest = done;
            ControlFlow::Continue(())
        });
        let error = failed.unwrap_err();
        assert!(matches!(error, ForwardError::Weights(_)), "{error}");
        assert!(
            error.to_string().contains("blocks.2.cross_attn.v.weight"),
            "{error}"
        );
        assert_eq!(furthest, 2);
    }
}

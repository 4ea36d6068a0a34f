//! Uni3C's control network against its restatement in PyTorch (`tests/reference/uni3c.py`), and
//! its own promises: layouts and placements agree, a batch is its items, misfits are told.

#![allow(clippy::unwrap_used, reason = "test code, also in its helpers")]

mod dit_support;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use dit_support::{Stored, checkpoint, cpu, max_relative_error, rewrite, values, waves};
use longtake_models::Tensor;
use longtake_models::wan::dit::Control;
use longtake_models::wan::uni3c::{Uni3c, Uni3cControl, Uni3cInputs};
use longtake_models::weights::{Family, FamilyKind, Placement, WeightsError, probe};
use safetensors::{Dtype, SafeTensors};

const TINY: [&str; 2] = ["tiny_authors.safetensors", "tiny_comfy.safetensors"];
const CASES: [&str; 4] = ["tiny.even", "tiny.held_out", "tiny.odd", "tiny.geometry"];

fn data(name: &str) -> PathBuf {
    Path::new(env!("LONGTAKE_CHECKOUT"))
        .join("tests/data/uni3c")
        .join(name)
}

fn load(path: &Path, placement: Placement) -> Result<Arc<Uni3c>, WeightsError> {
    Uni3c::load(&checkpoint(path), &cpu(), placement, &mut |_, _| {}).map(Arc::new)
}

struct Case {
    inputs: Uni3cInputs,
    e: Tensor<3>,
    residuals: Vec<f32>,
}

fn case(name: &str) -> Case {
    let bytes = std::fs::read(data("cases.safetensors")).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let get = |part: &str| {
        let view = file.tensor(&format!("{name}.{part}")).ok()?;
        let floats: Vec<f32> = match view.dtype() {
            Dtype::F32 => bytemuck::pod_collect_to_vec(view.data()),
            _ => view
                .data()
                .as_chunks::<2>()
                .0
                .iter()
                .map(|it| half::f16::from_le_bytes(*it).to_f32())
                .collect(),
        };
        Some((view.shape().to_vec(), floats))
    };
    let five = |part: &str| Some(dit_support::tensor::<5>(&get(part)?));
    Case {
        inputs: Uni3cInputs {
            latent: five("first").unwrap(),
            render: five("render").unwrap(),
            geometry: five("geometry"),
        },
        e: dit_support::tensor(&get("e").unwrap()),
        residuals: get("residuals").unwrap().1,
    }
}

fn residuals(net: &Arc<Uni3c>, case: &Case, strength: f32) -> Vec<f32> {
    let mut pass = net.begin(&case.inputs, &case.e).unwrap();
    let mut all = Vec::new();
    for _ in 0..net.dims().layers {
        all.extend(values(pass.residual(strength).unwrap().unwrap()));
    }
    assert!(pass.residual(strength).unwrap().is_none(), "after the last");
    all
}

fn assert_close(net: &Arc<Uni3c>, name: &str) {
    let case = case(name);
    let error = max_relative_error(&residuals(net, &case, 1.0), &case.residuals);
    assert!(error <= 1e-4, "{name}: relative error {error:e}");
    println!("{name}: {error:e}");
}

#[test]
fn tiny_network_matches_pytorch_in_both_layouts() {
    for file in TINY {
        let net = load(&data(file), Placement::Resident).unwrap();
        for name in CASES {
            assert_close(&net, name);
        }
    }
}

/// One head of 64 as every real one: the rotary embedding's split depends on it.
#[test]
fn head_of_64_matches_pytorch() {
    let net = load(&data("wide.safetensors"), Placement::Streamed).unwrap();
    assert_eq!((net.dims().heads, net.dims().layers), (1, 2));
    for name in ["wide.even", "wide.held_out"] {
        assert_close(&net, name);
    }
}

#[test]
fn layouts_and_placements_agree_to_the_last_bit() {
    let case = case("tiny.geometry");
    let first = residuals(
        &load(&data(TINY[0]), Placement::Resident).unwrap(),
        &case,
        1.0,
    );
    for file in TINY {
        let streamed = load(&data(file), Placement::Streamed).unwrap();
        assert!(residuals(&streamed, &case, 1.0) == first, "{file}");
    }
}

#[test]
fn strength_multiplies_and_a_render_serves_the_whole_batch() {
    let net = load(&data(TINY[0]), Placement::Resident).unwrap();
    let mut case = case("tiny.even");
    let whole = residuals(&net, &case, 1.0);
    let scaled: Vec<f32> = whole.iter().map(|it| it * -2.5).collect();
    let error = max_relative_error(&residuals(&net, &case, -2.5), &scaled);
    assert!(error <= 1e-5, "{error:e}");

    case.inputs.render = case.inputs.render.narrow(0, 1, 1);
    let together = residuals(&net, &case, 1.0);
    case.inputs.latent = case.inputs.latent.narrow(0, 1, 1);
    case.e = case.e.narrow(0, 1, 1);
    let alone = residuals(&net, &case, 1.0);
    let each = together.len() / net.dims().layers;
    let second: Vec<f32> = together
        .chunks(each)
        .flat_map(|block| &block[each / 2..])
        .copied()
        .collect();
    let error = max_relative_error(&second, &alone);
    assert!(error <= 1e-5, "{error:e}");
}

/// As the transformer calls it: once begun, a residual after each block, then none; again for the
/// pass without the prompt; out of order or with a foreign transformer an error.
#[test]
fn the_control_gives_its_residuals_in_order() {
    let net = load(&data("wide.safetensors"), Placement::Resident).unwrap();
    let case = case("wide.even");
    let expected = residuals(&net, &case, 0.7);
    let mut control = Uni3cControl::new(net, case.inputs.clone(), 0.7);
    assert!(control.after_block(0).is_err(), "not begun");
    let grid = [2, 3, 4];
    for _ in 0..2 {
        control.begin(&case.e, grid).unwrap();
        let mut all = Vec::new();
        for block in 0..2 {
            all.extend(values(control.after_block(block).unwrap().unwrap()));
        }
        assert!(all == expected);
        assert!(control.after_block(2).unwrap().is_none());
    }
    control.begin(&case.e, grid).unwrap();
    assert!(control.after_block(1).is_err(), "block 0 left out");
    let wrong = control.begin(&case.e, [2, 3, 3]).unwrap_err().to_string();
    assert!(wrong.contains("[2, 3, 3]"), "{wrong}");
    let foreign = control.begin(&waves([1, 1, 56]), grid).unwrap_err();
    assert!(foreign.to_string().contains("width 56"), "{foreign}");
}

/// Text to video has no mask: its channels count as zeros. A wider latent's last channels are the
/// image condition, which the network does not see.
#[test]
fn channels_are_cut_and_filled() {
    let net = load(&data(TINY[0]), Placement::Resident).unwrap();
    let mut case = case("tiny.held_out");
    let [b, _, f, h, w] = case.inputs.latent.dims();
    let noisy = case.inputs.latent.clone().narrow(1, 0, 16);
    let mask = Tensor::<5>::zeros([b, 4, f, h, w], &cpu());
    case.inputs.latent = Tensor::cat(vec![noisy.clone(), mask.clone()], 1);
    let expected = residuals(&net, &case, 1.0);
    case.inputs.latent = noisy.clone();
    assert!(residuals(&net, &case, 1.0) == expected, "filled");
    let condition = waves([b, 16, f, h, w]);
    case.inputs.latent = Tensor::cat(vec![noisy, mask, condition], 1);
    assert!(residuals(&net, &case, 1.0) == expected, "cut");
}

#[test]
fn sizes_are_read_off_the_file_and_told_before_loading() {
    for file in TINY {
        let net = load(&data(file), Placement::Streamed).unwrap();
        let dims = net.dims();
        assert_eq!(
            (dims.in_dim, dims.conv_dim, dims.dim, dims.ffn_dim),
            (36, 40, 32, 48)
        );
        assert_eq!(
            (dims.heads, dims.layers, dims.time_dim, dims.out_dim),
            (2, 3, 40, 56)
        );
        assert_eq!((dims.add_dim, dims.mid_dim), (7, 16));
        let found = probe(&data(file)).unwrap();
        assert_eq!(found.family, Some(Family::Uni3c(dims)), "{file}");
        assert_eq!(found.tensor_bytes_f32, dims.weight_bytes(4));
        assert!(
            checkpoint(&data(file))
                .expect_family(FamilyKind::Uni3c)
                .is_ok()
        );
    }
}

#[test]
fn inputs_that_do_not_fit_are_told() {
    let net = load(&data("wide.safetensors"), Placement::Streamed).unwrap();
    let given = || Uni3cInputs {
        latent: waves([1, 20, 2, 4, 4]),
        render: waves([1, 16, 2, 4, 4]),
        geometry: None,
    };
    let e = || waves([1, 1, 128]);
    let refused = |inputs: Uni3cInputs, e: Tensor<3>| match net.begin(&inputs, &e) {
        Ok(_) => panic!("accepted"),
        Err(error) => error.to_string(),
    };
    let render = |shape: [usize; 5]| Uni3cInputs {
        render: waves(shape),
        ..given()
    };
    for (inputs, e, says) in [
        (render([1, 16, 3, 4, 4]), e(), "render latent"),
        (render([2, 16, 2, 4, 4]), e(), "render latent"),
        (render([1, 36, 2, 4, 4]), e(), "render latent"),
        (given(), waves([1, 1, 64]), "time for the control"),
        (given(), waves([1, 2, 128]), "one time per item"),
        (
            Uni3cInputs {
                geometry: Some(waves([1, 7, 5, 32, 32])),
                ..given()
            },
            e(),
            "no geometric branch",
        ),
    ] {
        let text = refused(inputs, e);
        assert!(text.contains(says), "expected `{says}` in: {text}");
    }
    let with = load(&data(TINY[0]), Placement::Streamed).unwrap();
    let wrong = Uni3cInputs {
        geometry: Some(waves([1, 7, 5, 32, 24])),
        ..given()
    };
    let Err(error) = with.begin(&wrong, &waves([1, 1, 40])) else {
        panic!("accepted");
    };
    assert!(error.to_string().contains("[7, 5, 32, 32]"), "{error}");
}

/// How a file is spoilt.
type Spoil = fn(&mut Vec<Stored>);

#[test]
fn broken_and_foreign_files_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("edited.safetensors");
    let cases: [(Spoil, &str); 2] = [
        (
            |tensors| tensors.retain(|it| !it.name.ends_with("1.self_attn.to_out.0.bias")),
            "controlnet_blocks.1.self_attn.o.bias",
        ),
        (
            |tensors| tensors.retain(|it| !it.name.contains("patch_embedding")),
            "controlnet_patch_embedding",
        ),
    ];
    for (edit, says) in cases {
        rewrite(&data(TINY[0]), &path, edit);
        let Err(error) = load(&path, Placement::Resident) else {
            panic!("loaded");
        };
        assert!(error.to_string().contains(says), "{error}");
    }
    // Without heads in the metadata a width of 32 is no whole number of heads of 64.
    let bytes = std::fs::read(data(TINY[1])).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    safetensors::serialize_to_file(file.iter(), None, &path).unwrap();
    let error = load(&path, Placement::Resident).err().unwrap().to_string();
    assert!(error.contains("longtake.heads"), "{error}");
}

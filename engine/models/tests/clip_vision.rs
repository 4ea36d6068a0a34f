//! CLIP's vision tower against transformers' (`tests/reference/clip_vision.py`), and its own
//! promises: layouts and placements agree, sizes are read off the file, what is foreign is told.

#![allow(clippy::unwrap_used, reason = "test code, also in its helpers")]

mod dit_support;

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use dit_support::{Stored, checkpoint, cpu, max_relative_error, read, rewrite, tensor, values};
use longtake_models::clip::{ClipError, ClipVision};
use longtake_models::weights::{Family, FamilyKind, Placement, WeightsError, probe};

const FILES: [&str; 3] = [
    "tiny_hf.safetensors",
    "tiny_wan.safetensors",
    "tiny_openclip.safetensors",
];

fn data(name: &str) -> PathBuf {
    Path::new(env!("LONGTAKE_CHECKOUT"))
        .join("tests/data/clip")
        .join(name)
}

fn load(path: &Path, placement: Placement) -> Result<ClipVision, WeightsError> {
    ClipVision::load(&checkpoint(path), &cpu(), placement, &mut |_, _| {})
}

fn encode(clip: &ClipVision, case: &str) -> Vec<f32> {
    let file = read(&data("cases.safetensors"));
    let pixels = tensor(&file[&format!("{case}.pixels")]);
    let mut go_on = |_, _| ControlFlow::Continue(());
    values(clip.encode(pixels, &mut go_on).unwrap())
}

#[test]
fn the_tower_matches_transformers_in_every_layout() {
    let file = read(&data("cases.safetensors"));
    for name in FILES {
        for placement in [Placement::Resident, Placement::Streamed] {
            let clip = load(&data(name), placement).unwrap();
            for case in ["one", "held_out"] {
                let (shape, expected) = &file[&format!("{case}.penultimate")];
                assert_eq!(shape[1..], [17, 48]);
                let error = max_relative_error(&encode(&clip, case), expected);
                // f32 on both sides; sums of up to 147 products in another order.
                assert!(error <= 1e-5, "{name} {case}: relative error {error:e}");
                println!("{name} {placement:?} {case}: {error:e}");
            }
        }
    }
}

/// The stored weights are exact in every type, and the same products are made.
#[test]
fn layouts_and_placements_agree_to_the_last_bit() {
    let first = encode(&load(&data(FILES[0]), Placement::Resident).unwrap(), "one");
    for name in FILES {
        let streamed = load(&data(name), Placement::Streamed).unwrap();
        assert!(encode(&streamed, "one") == first, "{name}");
    }
}

#[test]
fn sizes_are_read_off_the_file_and_told_before_loading() {
    for name in FILES {
        let clip = load(&data(name), Placement::Streamed).unwrap();
        let dims = clip.dims();
        assert_eq!((dims.width, dims.mlp, dims.heads), (48, 80, 2));
        assert_eq!((dims.layers, dims.patch, dims.tokens), (3, 7, 17));
        assert_eq!(dims.image_side(), 28);
        let found = probe(&data(name)).unwrap();
        assert_eq!(found.family, Some(Family::ClipVision(dims)), "{name}");
        assert_eq!(found.tensor_bytes_f32, dims.weight_bytes(4));
        assert!(
            checkpoint(&data(name))
                .expect_family(FamilyKind::ClipVision)
                .is_ok()
        );
    }
}

#[test]
fn wrong_pixels_and_a_break_are_errors() {
    let clip = load(&data(FILES[0]), Placement::Resident).unwrap();
    let mut go_on = |_, _| ControlFlow::Continue(());
    let pixels = || dit_support::waves([1, 3, 28, 28]);
    let wrong = clip.encode(dit_support::waves([1, 3, 28, 27]), &mut go_on);
    let error = wrong.unwrap_err();
    assert!(
        matches!(error, ClipError::Pixels { side: 28, .. }),
        "{error}"
    );
    let mut stop = |done: usize, _| {
        if done == 1 {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    };
    let stopped = clip.encode(pixels(), &mut stop);
    assert!(matches!(stopped, Err(ClipError::Interrupted)));
}

/// How a file is spoilt.
type Spoil = fn(&mut Vec<Stored>);

#[test]
fn broken_and_foreign_files_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("edited.safetensors");
    let cases: [(&str, Spoil, &str); 3] = [
        (
            "a block's tensor is missing",
            |tensors| tensors.retain(|it| !it.name.ends_with("layers.1.mlp.fc2.bias")),
            "layers.1.mlp.fc2.bias",
        ),
        (
            "a table of 16 rows is no class and a square",
            |tensors| {
                let it = tensors
                    .iter_mut()
                    .find(|it| it.name.ends_with("position_embedding.weight"))
                    .unwrap();
                it.shape[0] = 16;
                it.bytes.truncate(16 * 48 * 2);
            },
            "16 rows",
        ),
        (
            "no tower at all",
            |tensors| tensors.retain(|it| it.name.contains("mlp")),
            "vision_model",
        ),
    ];
    for (what, edit, says) in cases {
        rewrite(&data(FILES[0]), &path, edit);
        let Err(error) = load(&path, Placement::Resident) else {
            panic!("{what}: loaded");
        };
        let text = error.to_string();
        assert!(
            text.contains(says) && text.contains("edited"),
            "{what}: {text}"
        );
    }
}

/// A transformers folder: its `config.json` says the heads and the activation.
#[test]
fn a_folder_with_another_activation_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::copy(data(FILES[0]), folder.path().join("model.safetensors")).unwrap();
    let config = folder.path().join("config.json");
    let write = |act: &str, heads: usize| {
        let text = format!(
            r#"{{"vision_config": {{"hidden_act": "{act}", "num_attention_heads": {heads}}}}}"#
        );
        std::fs::write(&config, text).unwrap();
        load(folder.path(), Placement::Streamed)
    };
    assert_eq!(write("gelu", 4).unwrap().dims().heads, 4);
    let refused = write("quick_gelu", 2).err().unwrap().to_string();
    assert!(refused.contains("quick_gelu"), "{refused}");
    let heads = write("gelu", 5).err().unwrap().to_string();
    assert!(heads.contains("5 heads"), "{heads}");
}

//! Quantised checkpoints: kept as stored, the same numbers as widening the whole file on load.

#![allow(clippy::unwrap_used, reason = "test code, also in its helpers")]

mod dit_support;

use std::path::Path;

use dit_support::{Stored, case, cpu, data, load, rewrite, run, values};
use longtake_models::wan::dit::{Placement, WanDit};
use longtake_models::weights::{Checkpoint, Raw};
use safetensors::Dtype;

/// What an error says in English; the Japanese says as much.
fn said(error: &longtake_models::weights::WeightsError) -> String {
    let sentence = error.sentence();
    assert_eq!(sentence.lacks(), None);
    assert_eq!(sentence.en, error.to_string());
    sentence.en
}

type Ours = longtake_models::weights::Dtype;

/// What a file's quantised layers have beside their weights.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Beside {
    Nothing,
    /// `scaled_fp8` at the root, `scale_weight` and `scale_input` beside each weight.
    OldScale,
    /// `weight_scale` and the `comfy_quant` description.
    NewScale,
    /// `weight_scale` `[out, 1]`.
    RowScale,
}

fn is_quantised(it: &Stored) -> bool {
    it.shape.len() == 2 && it.name.contains("blocks.") && it.name.ends_with(".weight")
}

fn f32s(it: &Stored) -> Vec<f32> {
    let pairs = it.bytes.as_chunks::<2>().0.iter();
    pairs
        .map(|&pair| half::bf16::from_le_bytes(pair).to_f32())
        .collect()
}

fn stored(name: String, shape: Vec<usize>, values: &[f32]) -> Stored {
    Stored {
        name,
        dtype: Dtype::F32,
        shape,
        bytes: values.iter().flat_map(|it| it.to_le_bytes()).collect(),
    }
}

/// One weight in a quantised type: what stands in the file, and the same widened.
fn quantise(it: &Stored, dtype: Ours, beside: Beside) -> (Raw, Vec<f32>) {
    let shape = [it.shape[0], it.shape[1]];
    let scale: Vec<f32> = match beside {
        Beside::Nothing => Vec::new(),
        Beside::RowScale => (0..shape[0]).map(|row| 0.01 + row as f32 * 1e-3).collect(),
        _ => vec![0.0173],
    };
    let mut scaled = f32s(it);
    for (at, value) in scaled.iter_mut().enumerate() {
        if !scale.is_empty() {
            *value /= scale[at / shape[1] % scale.len()];
        }
    }
    let mut raw = if dtype == Ours::I8 {
        let bytes = scaled
            .iter()
            .map(|v| (v.round().clamp(-127.0, 127.0) as i8) as u8);
        Raw {
            dtype,
            shape,
            bytes: bytes.collect(),
            scale: Vec::new(),
        }
    } else {
        Raw::cast(&scaled, shape, dtype)
    };
    raw.scale = scale;
    let wide = raw.widen();
    (raw, wide)
}

/// Writes the tiny model with quantised blocks, and the same with these blocks widened to f32.
fn pair(folder: &Path, dtype: Ours, beside: Beside) -> [std::path::PathBuf; 2] {
    let [packed, wide] = ["packed", "wide"].map(|it| folder.join(format!("{it}.safetensors")));
    let source = data("tiny_original_bf16.safetensors");
    rewrite(&source, &packed, |tensors| {
        let mut scales = Vec::new();
        for it in tensors.iter_mut().filter(|it| is_quantised(it)) {
            let (raw, _) = quantise(it, dtype, beside);
            it.bytes = raw.bytes;
            it.dtype = match dtype {
                Ours::F8E4M3 => Dtype::F8_E4M3,
                Ours::F8E5M2 => Dtype::F8_E5M2,
                _ => Dtype::I8,
            };
            let layer = it.name.strip_suffix(".weight").unwrap();
            let near = |part: &str| format!("{layer}.{part}");
            match beside {
                Beside::Nothing => {}
                Beside::OldScale => {
                    scales.push(stored(near("scale_weight"), vec![], &raw.scale));
                    scales.push(stored(near("scale_input"), vec![], &[0.5]));
                }
                Beside::NewScale => {
                    scales.push(stored(near("weight_scale"), vec![], &raw.scale));
                    let json = br#"{"format": "float8_e4m3fn"}"#;
                    scales.push(Stored {
                        name: near("comfy_quant"),
                        dtype: Dtype::U8,
                        shape: vec![json.len()],
                        bytes: json.to_vec(),
                    });
                }
                Beside::RowScale => {
                    let shape = vec![raw.scale.len(), 1];
                    scales.push(stored(near("weight_scale"), shape, &raw.scale));
                }
            }
        }
        if beside == Beside::OldScale {
            scales.push(Stored {
                name: "model.diffusion_model.scaled_fp8".to_owned(),
                dtype: Dtype::F8_E4M3,
                shape: vec![2],
                bytes: vec![0; 2],
            });
        }
        tensors.extend(scales);
    });
    rewrite(&source, &wide, |tensors| {
        for it in tensors.iter_mut().filter(|it| is_quantised(it)) {
            let (_, values) = quantise(it, dtype, beside);
            *it = stored(it.name.clone(), it.shape.clone(), &values);
        }
    });
    [packed, wide]
}

#[test]
fn packed_and_widened_files_agree_to_the_bit() {
    use Beside::{NewScale, Nothing, OldScale, RowScale};
    let case = case(&data("tiny_cases.safetensors"), "even");
    let kinds = [
        (Ours::F8E4M3, Nothing),
        (Ours::F8E5M2, Nothing),
        (Ours::F8E4M3, OldScale),
        (Ours::F8E4M3, NewScale),
        (Ours::F8E4M3, RowScale),
        (Ours::F8E5M2, RowScale),
        (Ours::I8, RowScale),
    ];
    for (dtype, beside) in kinds {
        let folder = tempfile::tempdir().unwrap();
        let [packed, wide] = pair(folder.path(), dtype, beside);
        let expected = values(run(&load(&wide, Placement::Resident), &case));
        assert!(expected.iter().all(|it| it.is_finite()));
        for placement in [Placement::Resident, Placement::Streamed] {
            let got = values(run(&load(&packed, placement), &case));
            assert!(got == expected, "{dtype:?} {beside:?} {placement:?}");
        }
    }
}

/// `weight_dtype`: what ComfyUI's cast on load gives is what a file of that type gives.
#[test]
fn a_cast_on_load_is_a_cast_file() {
    let case = case(&data("tiny_cases.safetensors"), "odd");
    for dtype in [Ours::F8E4M3, Ours::F8E5M2] {
        let folder = tempfile::tempdir().unwrap();
        let [packed, _] = pair(folder.path(), dtype, Beside::Nothing);
        let expected = values(run(&load(&packed, Placement::Resident), &case));
        for placement in [Placement::Resident, Placement::Streamed] {
            let file = data("tiny_original_bf16.safetensors");
            let file = Checkpoint::open(&file).unwrap().with_cast(Some(dtype));
            let dit = WanDit::load(&file, &cpu(), placement, &mut |_, _| {}).unwrap();
            assert!(
                values(run(&dit, &case)) == expected,
                "{dtype:?} {placement:?}"
            );
        }
    }
}

fn refusal(edit: impl FnOnce(&mut Vec<Stored>)) -> String {
    let folder = tempfile::tempdir().unwrap();
    let [packed, _] = pair(folder.path(), Ours::F8E4M3, Beside::NewScale);
    let edited = folder.path().join("edited.safetensors");
    rewrite(&packed, &edited, edit);
    let file = Checkpoint::open(&edited).unwrap();
    let loaded = WanDit::load(&file, &cpu(), Placement::Resident, &mut |_, _| {});
    said(&loaded.map(|_| ()).unwrap_err())
}

#[test]
fn quantisations_that_cannot_be_read_are_refused() {
    let find = |tensors: &mut Vec<Stored>, ending: &str| {
        tensors
            .iter()
            .position(|it| it.name.ends_with(ending))
            .unwrap()
    };
    let nvfp4 = refusal(|tensors| {
        let at = find(tensors, "blocks.0.ffn.0.comfy_quant");
        tensors[at].bytes = br#"{"format":"nvfp4"}"#.to_vec();
        tensors[at].shape = vec![tensors[at].bytes.len()];
    });
    assert!(
        nvfp4.contains("blocks.0.ffn.0.weight") && nvfp4.contains("format `nvfp4`"),
        "{nvfp4}"
    );
    let scales = refusal(|tensors| {
        let at = find(tensors, "blocks.1.self_attn.q.weight_scale");
        tensors[at] = stored(tensors[at].name.clone(), vec![7], &[1.0; 7]);
    });
    assert!(
        scales.contains("expected shape [48], found [7]"),
        "{scales}"
    );
    let bare = refusal(|tensors| {
        let at = find(tensors, "blocks.1.self_attn.q.weight");
        tensors[at].dtype = Dtype::I8;
        let scale = find(tensors, "blocks.1.self_attn.q.weight_scale");
        tensors.remove(scale);
    });
    assert!(
        bare.contains("self_attn.q.weight") && bare.contains("found I8"),
        "{bare}"
    );
}

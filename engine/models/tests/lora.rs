//! LoRAs: every family of keys gives what merging by hand gives.

#![allow(clippy::unwrap_used, reason = "test code, also in its helpers")]

mod dit_support;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use dit_support::{Case, case, cpu, data, load, max_relative_error, rewrite, run, values};
use longtake_models::lora::{Lora, Report, Survey, Wish, put_on};
use longtake_models::wan::dit::{Placement, WanDit};
use longtake_models::weights::{Checkpoint, Family, probe};
use safetensors::tensor::TensorView;

/// What an error says in English; the Japanese says as much.
fn said(error: &longtake_models::lora::LoraError) -> String {
    let sentence = error.sentence();
    assert_eq!(sentence.lacks(), None);
    assert_eq!(sentence.en, error.to_string());
    sentence.en
}

const PREFIX: &str = "model.diffusion_model.";

/// A tensor: shape and values.
type Values = (Vec<usize>, Vec<f32>);
type Tensors = BTreeMap<String, Values>;

fn noise(seed: usize, shape: &[usize]) -> Values {
    let count = shape.iter().product();
    let mut state = (seed as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut next = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        ((state >> 40) as f32 / (1 << 23) as f32 - 1.0) * 0.2
    };
    (shape.to_vec(), (0..count).map(|_| next()).collect())
}

fn write(path: &Path, tensors: &Tensors) {
    let bytes: Vec<Vec<u8>> = tensors
        .values()
        .map(|(_, values)| values.iter().flat_map(|it| it.to_le_bytes()).collect())
        .collect();
    let views = tensors
        .iter()
        .zip(&bytes)
        .map(|((name, (shape, _)), bytes)| {
            let view = TensorView::new(safetensors::Dtype::F32, shape.clone(), bytes).unwrap();
            (name.as_str(), view)
        });
    safetensors::serialize_to_file(views, None, path).unwrap();
}

/// `a [n, k] · b [k, m]`, in f64.
fn product((a_shape, a): &Values, (b_shape, b): &Values) -> Vec<f32> {
    let (n, k) = (a_shape[0], a_shape[1]);
    let m: usize = b_shape[1..].iter().product();
    let at = |row: usize, column: usize| {
        let sum = (0..k).map(|i| f64::from(a[row * k + i]) * f64::from(b[i * m + column]));
        sum.sum::<f64>() as f32
    };
    (0..n * m).map(|i| at(i / m, i % m)).collect()
}

/// The tiny model with `edit` done to its tensors by their authors' names, widened to f32.
fn edited(path: &Path, edit: impl Fn(&str, &mut Vec<f32>)) {
    rewrite(&data("tiny_original_bf16.safetensors"), path, |tensors| {
        for it in tensors {
            let pairs = it.bytes.as_chunks::<2>().0.iter();
            let mut values: Vec<f32> = pairs
                .map(|&pair| half::bf16::from_le_bytes(pair).to_f32())
                .collect();
            edit(it.name.strip_prefix(PREFIX).unwrap(), &mut values);
            it.dtype = safetensors::Dtype::F32;
            it.bytes = values.iter().flat_map(|it| it.to_le_bytes()).collect();
        }
    });
}

fn put(base: &Path, loras: &[(&Path, f32)], placement: Placement) -> (WanDit, Vec<Report>) {
    let opened: Vec<Lora> = loras
        .iter()
        .map(|(path, _)| Lora::open(path).unwrap())
        .collect();
    let wishes: Vec<Wish<'_>> = opened
        .iter()
        .zip(loras)
        .map(|(lora, &(_, strength))| Wish { lora, strength })
        .collect();
    let (view, reports) = put_on(&Checkpoint::open(base).unwrap(), &wishes).unwrap();
    let dit = WanDit::load(&view, &cpu(), placement, &mut |_, _| {}).unwrap();
    (dit, reports)
}

/// The tiny model, as it is and in diffusers' layout, with the LoRAs on, against `merged`.
fn check(what: &str, loras: &[(&Path, f32)], merged: &Path) {
    let case: Case = case(&data("tiny_cases.safetensors"), "odd");
    let expected = values(run(&load(merged, Placement::Resident), &case));
    let plain = data("tiny_original_bf16.safetensors");
    let untouched = values(run(&load(&plain, Placement::Resident), &case));
    let change = max_relative_error(&untouched, &expected);
    assert!(change > 1e-3, "{what}: the LoRA does nothing ({change:e})");
    for base in [plain, data("tiny_diffusers")] {
        for placement in [Placement::Resident, Placement::Streamed] {
            let (dit, reports) = put(&base, loras, placement);
            let error = max_relative_error(&values(run(&dit, &case)), &expected);
            assert!(
                error <= 1e-5,
                "{what} {placement:?} {}: {error:e}",
                base.display()
            );
            assert!(
                reports.iter().all(|it| it.unmatched.is_empty()),
                "{reports:?}"
            );
        }
    }
}

/// Module, inputs, outputs.
const MODULES: [(&str, usize, usize); 5] = [
    ("blocks.0.self_attn.q", 48, 48),
    ("blocks.1.cross_attn.v", 48, 48),
    ("blocks.1.self_attn.o", 48, 48),
    ("blocks.2.ffn.0", 48, 96),
    ("blocks.2.ffn.2", 96, 48),
];
const RANK: usize = 4;

fn in_diffusers(module: &str) -> String {
    let mut name = module
        .replace("self_attn.", "attn1.")
        .replace("cross_attn.", "attn2.");
    for (from, to) in [
        (".q", ".to_q"),
        (".v", ".to_v"),
        ("attn1.o", "attn1.to_out.0"),
    ] {
        name = name.replace(from, to);
    }
    name.replace("ffn.0", "ffn.net.0.proj")
        .replace("ffn.2", "ffn.net.2")
}

fn underscores(module: &str) -> String {
    module.replace('.', "_")
}

/// A family: its name, how it writes a module, and the endings of down, up and alpha.
struct Dialect(
    &'static str,
    fn(&str) -> String,
    [&'static str; 2],
    Option<f32>,
);

const PEFT: [&str; 2] = [".lora_A.weight", ".lora_B.weight"];
const KOHYA: [&str; 2] = [".lora_down.weight", ".lora_up.weight"];

const DIALECTS: [Dialect; 11] = [
    Dialect(
        "comfy",
        |m| format!("diffusion_model.{m}"),
        KOHYA,
        Some(2.0),
    ),
    Dialect("comfy A/B", |m| format!("diffusion_model.{m}"), PEFT, None),
    Dialect(
        "diffusers",
        |m| format!("transformer.{}", in_diffusers(m)),
        PEFT,
        None,
    ),
    Dialect(
        "low noise",
        |m| format!("transformer_2.{}", in_diffusers(m)),
        PEFT,
        None,
    ),
    Dialect(
        "musubi",
        |m| format!("lora_unet_{}", underscores(m)),
        KOHYA,
        Some(1.0),
    ),
    Dialect(
        "Wan-Fun",
        |m| format!("lora_unet__{}", underscores(m)),
        KOHYA,
        Some(8.0),
    ),
    Dialect(
        "DiffSynth",
        |m| format!("pipe.dit.{m}"),
        [".lora_A.default.weight", ".lora_B.default.weight"],
        None,
    ),
    Dialect("bare", str::to_owned, PEFT, None),
    Dialect("PEFT", |m| format!("base_model.model.{m}"), PEFT, None),
    Dialect(
        "lycoris",
        |m| format!("lycoris_{}", underscores(m)),
        KOHYA,
        Some(4.0),
    ),
    Dialect(
        "old diffusers",
        in_diffusers,
        ["_lora.down.weight", "_lora.up.weight"],
        None,
    ),
];

/// A LoRA in a dialect; its matrices depend on the seed alone.
fn adapter(path: &Path, dialect: &Dialect, seed: usize) {
    let mut tensors = Tensors::new();
    for (at, (module, inner, outer)) in MODULES.into_iter().enumerate() {
        let name = (dialect.1)(module);
        let (down, up) = matrices(seed + at, inner, outer);
        tensors.insert(format!("{name}{}", dialect.2[0]), down);
        tensors.insert(format!("{name}{}", dialect.2[1]), up);
        if let Some(alpha) = dialect.3 {
            tensors.insert(format!("{name}.alpha"), (vec![], vec![alpha]));
        }
    }
    write(path, &tensors);
}

fn matrices(seed: usize, inner: usize, outer: usize) -> (Values, Values) {
    (
        noise(2 * seed, &[RANK, inner]),
        noise(2 * seed + 1, &[outer, RANK]),
    )
}

/// Adds `strength · alpha / rank · up · down` of the adapter with this seed.
fn merge(name: &str, values: &mut [f32], seed: usize, factor: f32) {
    let found = MODULES
        .iter()
        .position(|(module, ..)| name == format!("{module}.weight"));
    let Some(at) = found else { return };
    let (_, inner, outer) = MODULES[at];
    let (down, up) = matrices(seed + at, inner, outer);
    for (value, added) in values.iter_mut().zip(product(&up, &down)) {
        *value += factor * added;
    }
}

#[test]
fn every_family_gives_the_merged_weights() {
    let folder = tempfile::tempdir().unwrap();
    for dialect in &DIALECTS {
        let path = folder.path().join("lora.safetensors");
        let merged = folder.path().join("merged.safetensors");
        adapter(&path, dialect, 7);
        let factor = 0.75 * dialect.3.map_or(1.0, |alpha| alpha / RANK as f32);
        edited(&merged, |name, values| merge(name, values, 7, factor));
        check(dialect.0, &[(&path, 0.75)], &merged);
        assert_eq!(
            probe(&path).unwrap().family,
            Some(Family::Lora),
            "{}",
            dialect.0
        );
        let survey = Survey::of(&Lora::open(&path).unwrap());
        let seen = (survey.dim, survey.ffn_dim, survey.layers, survey.dit);
        assert_eq!(
            seen,
            (Some(48), Some(96), 3, MODULES.len()),
            "{}",
            dialect.0
        );
        assert_eq!(Survey::from_dims(&survey.to_dims()), survey);
        assert_eq!(survey.misfit(48, 96), None);
        assert!(
            survey
                .misfit(1536, 8960)
                .unwrap()
                .en
                .contains("48 wide with 3 blocks or more; this model is 1536 wide")
        );
        assert_eq!(survey.elements, (RANK * (48 * 6 + 2 * (48 + 96))) as u64);
    }
}

#[test]
fn several_add_up_and_strength_zero_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let (one, two, merged) = (
        path("one.safetensors"),
        path("two.safetensors"),
        path("m.safetensors"),
    );
    adapter(&one, &DIALECTS[0], 7);
    adapter(&two, &DIALECTS[4], 100);
    edited(&merged, |name, values| {
        merge(name, values, 7, 0.5 * 2.0 / RANK as f32);
        merge(name, values, 100, -1.5 / RANK as f32);
    });
    let loras: [(&Path, f32); 3] = [(&one, 0.5), (&two, -1.5), (&one, 0.0)];
    check("two", &loras, &merged);
}

/// On a packed base the additions stay apart: the base alone is fp8.
#[test]
fn packed_weights_keep_their_loras_beside_them() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let (lora, wide, merged) = (
        path("l.safetensors"),
        path("w.safetensors"),
        path("m.safetensors"),
    );
    adapter(&lora, &DIALECTS[0], 7);
    let mut extra = Tensors::new();
    extra.insert(
        "diffusion_model.blocks.0.ffn.0.diff".into(),
        noise(50, &[96, 48]),
    );
    extra.insert(
        "diffusion_model.blocks.1.self_attn.q.set_weight".into(),
        noise(51, &[48, 48]),
    );
    let full = path("f.safetensors");
    write(&full, &extra);
    let cast = longtake_models::weights::Dtype::F8E4M3;
    let case = case(&data("tiny_cases.safetensors"), "even");
    // What the cast base weighs, widened; the LoRAs are added to that.
    let rounded = |name: &str, values: &mut Vec<f32>| {
        if name.starts_with("blocks.") && name.ends_with(".weight") && values.len() > 48 {
            let raw = longtake_models::weights::Raw::cast(values, [1, values.len()], cast);
            *values = raw.widen();
        }
    };
    edited(&wide, rounded);
    edited(&merged, |name, values| {
        rounded(name, values);
        merge(name, values, 7, 0.75 * 2.0 / RANK as f32);
        for (key, (_, change)) in &extra {
            let module = key.strip_prefix("diffusion_model.").unwrap();
            if name == module.replace(".diff", ".weight") {
                values
                    .iter_mut()
                    .zip(change)
                    .for_each(|(it, diff)| *it += 0.5 * diff);
            } else if name == module.replace(".set_weight", ".weight") {
                values.clone_from(change);
            }
        }
    });
    let expected = values(run(&load(&merged, Placement::Resident), &case));
    let (lora, full) = (Lora::open(&lora).unwrap(), Lora::open(&full).unwrap());
    let wishes = [
        Wish {
            lora: &lora,
            strength: 0.75,
        },
        Wish {
            lora: &full,
            strength: 0.5,
        },
    ];
    for placement in [Placement::Resident, Placement::Streamed] {
        let base = Checkpoint::open(&data("tiny_original_bf16.safetensors")).unwrap();
        let (view, _) = put_on(&base.with_cast(Some(cast)), &wishes).unwrap();
        let dit = WanDit::load(&view, &cpu(), placement, &mut |_, _| {}).unwrap();
        let error = max_relative_error(&values(run(&dit, &case)), &expected);
        assert!(error <= 1e-5, "{placement:?}: {error:e}");
    }
}

/// `.diff`, `.diff_b`, `.diff_m`, `.set_weight`, DoRA on both axes, `lora_mid`, a conv pair.
#[test]
fn full_changes_of_every_kind() {
    let folder = tempfile::tempdir().unwrap();
    let (path, merged) = (
        folder.path().join("l.safetensors"),
        folder.path().join("m.safetensors"),
    );
    let strength = 0.6;
    let mut tensors = Tensors::new();
    let mut add = |name: &str, seed: usize, shape: &[usize]| {
        let values = noise(seed, shape);
        tensors.insert(format!("diffusion_model.{name}"), values.clone());
        values
    };
    let diff = add("blocks.0.norm3.diff", 1, &[48]);
    let bias = add("blocks.0.ffn.2.diff_b", 2, &[48]);
    let modulation = add("blocks.1.diff_m", 3, &[1, 6, 48]);
    let head = add("head.head.diff", 4, &[64, 48]);
    let set = add("blocks.1.cross_attn.k.set_weight", 5, &[48, 48]);
    // DoRA, magnitudes per output.
    let out_pair = (
        add("blocks.0.self_attn.v.lora_down.weight", 6, &[4, 48]),
        add("blocks.0.self_attn.v.lora_up.weight", 7, &[48, 4]),
    );
    let out_size = add("blocks.0.self_attn.v.dora_scale", 8, &[48, 1]);
    add("blocks.0.self_attn.v.alpha", 0, &[1]);
    // DoRA, magnitudes per input.
    let in_pair = (
        add("blocks.2.ffn.0.lora_down.weight", 9, &[4, 48]),
        add("blocks.2.ffn.0.lora_up.weight", 10, &[96, 4]),
    );
    let in_size = add("blocks.2.ffn.0.dora_scale", 11, &[1, 48]);
    // A convolution with a core: up [48, 2, 1, 1, 1], mid [2, 3, 1, 2, 2], down [3, 16, 1, 1, 1].
    let up = add("patch_embedding.lora_up.weight", 12, &[48, 2, 1, 1, 1]).1;
    let mid = add("patch_embedding.lora_mid.weight", 13, &[2, 3, 1, 2, 2]).1;
    let down = add("patch_embedding.lora_down.weight", 14, &[3, 16, 1, 1, 1]).1;
    let alpha = tensors["diffusion_model.blocks.0.self_attn.v.alpha"].1[0];
    write(&path, &tensors);

    let plus = |values: &mut Vec<f32>, (_, change): &Values| {
        values
            .iter_mut()
            .zip(change)
            .for_each(|(it, diff)| *it += strength * diff);
    };
    let dora = |values: &mut Vec<f32>,
                (down, up): &(Values, Values),
                scale: f32,
                size: &Values,
                per_output: bool| {
        let columns = 48;
        let rows = values.len() / columns;
        let sum: Vec<f32> = values
            .iter()
            .zip(product(up, down))
            .map(|(w, d)| w + scale * d)
            .collect();
        let norm = |i: usize| {
            let place = |j: usize| {
                if per_output {
                    values[i * columns + j]
                } else {
                    sum[j * columns + i]
                }
            };
            let count = if per_output { columns } else { rows };
            (0..count).map(|j| place(j).powi(2)).sum::<f32>().sqrt() + f32::EPSILON
        };
        let count = if per_output { rows } else { columns };
        let norms: Vec<f32> = (0..count).map(norm).collect();
        for (at, value) in values.iter_mut().enumerate() {
            let i = if per_output {
                at / columns
            } else {
                at % columns
            };
            *value += strength * (sum[at] * size.1[i] / norms[i] - *value);
        }
    };
    edited(&merged, |name, values| match name {
        "blocks.0.norm3.weight" => plus(values, &diff),
        "blocks.0.ffn.2.bias" => plus(values, &bias),
        "blocks.1.modulation" => plus(values, &modulation),
        "head.head.weight" => plus(values, &head),
        "blocks.1.cross_attn.k.weight" => values.clone_from(&set.1),
        "blocks.0.self_attn.v.weight" => dora(values, &out_pair, alpha / 4.0, &out_size, true),
        "blocks.2.ffn.0.weight" => dora(values, &in_pair, 1.0, &in_size, false),
        "patch_embedding.weight" => {
            for (at, value) in values.iter_mut().enumerate() {
                let (o, i, k) = (at / 64, at / 4 % 16, at % 4);
                for (r, s) in (0..2).flat_map(|r| (0..3).map(move |s| (r, s))) {
                    *value +=
                        strength * up[o * 2 + r] * mid[(r * 3 + s) * 4 + k] * down[s * 16 + i];
                }
            }
        }
        _ => {}
    });
    check("full changes", &[(&path, strength)], &merged);
}

/// `reshape_weight` pads with zeros first: a LoRA that widens the patch embedding.
#[test]
fn a_weight_is_padded_before_it_is_changed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("l.safetensors");
    let diff = noise(3, &[48, 20, 1, 2, 2]);
    let bytes: Vec<u8> = diff.1.iter().flat_map(|it| it.to_le_bytes()).collect();
    let shape: Vec<u8> = [48_i64, 20, 1, 2, 2]
        .iter()
        .flat_map(|it| it.to_le_bytes())
        .collect();
    let views = [
        (
            "diffusion_model.patch_embedding.diff",
            TensorView::new(safetensors::Dtype::F32, diff.0.clone(), &bytes).unwrap(),
        ),
        (
            "diffusion_model.patch_embedding.reshape_weight",
            TensorView::new(safetensors::Dtype::I64, vec![5], &shape).unwrap(),
        ),
    ];
    safetensors::serialize_to_file(views, None, &path).unwrap();
    let lora = Lora::open(&path).unwrap();
    let base = Checkpoint::open(&data("tiny_original_bf16.safetensors")).unwrap();
    let (view, _) = put_on(
        &base,
        &[Wish {
            lora: &lora,
            strength: 1.0,
        }],
    )
    .unwrap();
    let old = base
        .vec_f32("patch_embedding.weight", &[48, 16, 1, 2, 2])
        .unwrap();
    let new = view
        .vec_f32("patch_embedding.weight", &[48, 20, 1, 2, 2])
        .unwrap();
    for (at, value) in new.iter().enumerate() {
        let (o, i, k) = (at / 80, at / 4 % 20, at % 4);
        let before = if i < 16 { old[o * 64 + i * 4 + k] } else { 0.0 };
        assert!((value - before - diff.1[at]).abs() < 1e-6);
    }
    assert_eq!(Survey::of(&lora).in_dim, Some(20));
}

/// What putting this LoRA on says, the folder's name taken out.
fn refusal(tensors: &[(&str, &[usize])]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bad.safetensors");
    let tensors = tensors
        .iter()
        .map(|(name, shape)| ((*name).to_owned(), noise(1, shape)));
    write(&path, &tensors.collect());
    let base = data("tiny_original_bf16.safetensors");
    let result = Lora::open(&path).and_then(|lora| {
        put_on(
            &Checkpoint::open(&base)?,
            &[Wish {
                lora: &lora,
                strength: 1.0,
            }],
        )
        .map(|_| ())
    });
    let text = said(&result.unwrap_err());
    text.replace(&format!("{}/", folder.path().display()), "")
}

/// Names and shapes.
type Shapes<'a> = &'a [(&'a str, &'a [usize])];

#[test]
fn loras_that_do_not_fit_are_refused() {
    let q = "diffusion_model.blocks.0.self_attn.q";
    let [down, up, dora] =
        ["lora_down.weight", "lora_up.weight", "dora_scale"].map(|it| format!("{q}.{it}"));
    let flux = "transformer.single_transformer_blocks.0.attn.to_q.lora_A.weight";
    let cases: [(Shapes<'_>, &[&str]); 8] = [
        (
            &[("blocks.0.self_attn.q.weight", &[4, 4])],
            &["bad.safetensors", "expected LoRA keys"],
        ),
        (
            &[(&down, &[4, 48])],
            &["has a down matrix but the up matrix is missing"],
        ),
        (
            &[(&down, &[4, 48]), (&up, &[48, 3])],
            &["blocks_0_self_attn_q", "[48, 3] and [4, 48]"],
        ),
        (
            &[(&down, &[4, 64]), (&up, &[64, 4])],
            &["for a weight [48, 48]", "another model"],
        ),
        (&[(&down, &[0, 48]), (&up, &[48, 0])], &["rank"]),
        (
            &[(&down, &[4, 48]), (&up, &[48, 4]), (&dora, &[7])],
            &["dora_scale [7]"],
        ),
        (
            &[("diffusion_model.head.head.diff", &[3, 3])],
            &["the weight's shape [64, 48]", "[3, 3]"],
        ),
        (
            &[(flux, &[4, 3072])],
            &["none of its 1 modules", "made for Flux"],
        ),
    ];
    for (tensors, wants) in cases {
        let said = refusal(tensors);
        for want in wants {
            assert!(said.contains(want), "{want:?} is not in: {said}");
        }
    }
}

#[test]
fn modules_that_match_nothing_are_counted() {
    let folder = tempfile::tempdir().unwrap();
    let path: PathBuf = folder.path().join("l.safetensors");
    adapter(&path, &DIALECTS[0], 7);
    let bytes = std::fs::read(&path).unwrap();
    let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let mut views: Vec<_> = file
        .iter()
        .map(|(name, view)| (name.to_owned(), view))
        .collect();
    for (name, view) in &mut views {
        *name = name.replace("blocks.2.", "blocks.9.");
        assert!(view.shape().len() < 3);
    }
    let other = folder.path().join("o.safetensors");
    safetensors::serialize_to_file(views, None, &other).unwrap();
    let lora = Lora::open(&other).unwrap();
    let base = Checkpoint::open(&data("tiny_original_bf16.safetensors")).unwrap();
    let (_, reports) = put_on(
        &base,
        &[Wish {
            lora: &lora,
            strength: 1.0,
        }],
    )
    .unwrap();
    assert_eq!(reports[0].matched, 3);
    assert_eq!(reports[0].unmatched, ["blocks_9_ffn_0", "blocks_9_ffn_2"]);
    let warning = reports[0].warning(&lora).unwrap();
    assert!(
        warning.en.contains("2 of 5 modules are not in this model"),
        "{warning}"
    );
}

//! GGUF files beside llama.cpp's `gguf` package (`tests/reference/gguf_files.py`), whole models read
//! from them, and what broken ones say.

#![allow(clippy::unwrap_used, reason = "test code, also in its helpers")]

mod dit_support;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use dit_support::{RandomModel, cpu, load, max_relative_error, read, run, values, waves};
use longtake_models::tokenizer::Tokenizer;
use longtake_models::umt5::Umt5;
use longtake_models::wan::dit::Placement;

/// What an error says in English; the Japanese says as much.
fn said(error: &longtake_models::weights::WeightsError) -> String {
    let sentence = error.sentence();
    assert_eq!(sentence.lacks(), None);
    assert_eq!(sentence.en, error.to_string());
    sentence.en
}
use longtake_models::weights::{Checkpoint, Family, probe};

fn data(name: &str) -> PathBuf {
    Path::new(env!("LONGTAKE_CHECKOUT"))
        .join("tests/data")
        .join(name)
}

#[test]
fn every_block_type_widens_as_ggml_does() {
    let file = Checkpoint::open(&data("gguf/types.gguf")).unwrap();
    let wide = read(&data("gguf/types.safetensors"));
    assert_eq!(wide.len(), 12);
    let wide: BTreeMap<_, _> = wide.into_iter().collect();
    for (name, (shape, want)) in wide {
        assert_eq!(file.get(&name).unwrap().dtype.name(), name);
        let got = file.vec_f32(&name, &shape).unwrap();
        assert!(got == want, "{name}");
        let row = file.rows_f32(&name, &[2]).unwrap();
        assert!(row == want[2 * shape[1]..], "row of {name}");
        // The matrix that a layer holds, widened when it is used.
        let matrix = file.matrix(&name, [shape[0], shape[1]], &cpu()).unwrap();
        assert_eq!(matrix.is_packed(), name.starts_with('Q'), "{name}");
        let unit = burn::tensor::Tensor::<burn::Dispatch, 2>::eye(shape[1], &cpu());
        let columns = matrix.apply(unit.unsqueeze(), None, longtake_shaders::Activation::None);
        let got = values(columns.reshape([shape[1], shape[0]]).transpose());
        assert!(got == want, "matrix of {name}");
    }
}

#[test]
fn the_encoder_and_its_tokenizer_come_from_one_file() {
    let path = data("gguf/umt5-small.gguf");
    let file = Checkpoint::open(&path).unwrap();
    let Some(Family::Umt5(dims)) = probe(&path).unwrap().family else {
        panic!("not known as UMT5");
    };
    assert_eq!(
        (dims.d, dims.d_ff, dims.heads, dims.layers),
        (64, 128, 4, 2)
    );
    let goldens = Checkpoint::open(&data("gguf/umt5-small.safetensors")).unwrap();
    for placement in [Placement::Resident, Placement::Streamed] {
        let encoder = Umt5::load(&file, &cpu(), placement, &mut |_| {}).unwrap();
        for case in ["english", "japanese"] {
            let ids = goldens.bytes_of(&format!("{case}.ids")).unwrap();
            let ids: Vec<u32> = ids
                .as_chunks::<4>()
                .0
                .iter()
                .map(|&b| u32::from_le_bytes(b))
                .collect();
            let name = format!("{case}.out");
            let want = goldens
                .vec_f32(&name, goldens.shape(&name).unwrap())
                .unwrap();
            let error = max_relative_error(&values(encoder.encode(&ids).unwrap()), &want);
            assert!(error <= 1e-4, "{case} {placement:?}: {error:e}");
        }
    }
    let ours = Tokenizer::of_checkpoint(&file).unwrap();
    let whole = Checkpoint::open(&data("umt5/umt5-small.safetensors")).unwrap();
    let theirs = Tokenizer::of_checkpoint(&whole).unwrap();
    let json = std::fs::read_to_string(data("umt5/tokens.json")).unwrap();
    let cases: Vec<serde_json::Value> = serde_json::from_str(&json).unwrap();
    assert!(cases.len() > 10);
    for case in &cases {
        let text = case["text"].as_str().unwrap();
        assert_eq!(
            ours.encode(text).unwrap(),
            theirs.encode(text).unwrap(),
            "{text:?}"
        );
    }
    assert_eq!(ours.eos(), theirs.eos());
}

/// A GGUF file, byte by byte.
#[derive(Default)]
struct Writer {
    pairs: Vec<Vec<u8>>,
    tensors: Vec<(String, Vec<u64>, u32, Vec<u8>)>,
}

fn text(text: &str) -> Vec<u8> {
    let mut bytes = (text.len() as u64).to_le_bytes().to_vec();
    bytes.extend(text.as_bytes());
    bytes
}

impl Writer {
    fn string(&mut self, key: &str, value: &str) {
        self.pairs
            .push([text(key), 8_u32.to_le_bytes().to_vec(), text(value)].concat());
    }

    fn ints(&mut self, key: &str, values: &[i32]) {
        let mut pair = [
            text(key),
            9_u32.to_le_bytes().to_vec(),
            5_u32.to_le_bytes().to_vec(),
        ]
        .concat();
        pair.extend((values.len() as u64).to_le_bytes());
        pair.extend(values.iter().flat_map(|it| it.to_le_bytes()));
        self.pairs.push(pair);
    }

    /// `shape` in PyTorch's order.
    fn tensor(&mut self, name: &str, shape: &[usize], ty: u32, bytes: Vec<u8>) {
        let axes = shape.iter().rev().map(|&axis| axis as u64).collect();
        self.tensors.push((name.to_owned(), axes, ty, bytes));
    }

    fn bytes(&self) -> Vec<u8> {
        let mut out = b"GGUF".to_vec();
        out.extend(3_u32.to_le_bytes());
        out.extend((self.tensors.len() as u64).to_le_bytes());
        out.extend((self.pairs.len() as u64).to_le_bytes());
        out.extend(self.pairs.concat());
        let mut offset = 0_u64;
        for (name, axes, ty, bytes) in &self.tensors {
            out.extend(text(name));
            out.extend((axes.len() as u32).to_le_bytes());
            out.extend(axes.iter().flat_map(|it| it.to_le_bytes()));
            out.extend(ty.to_le_bytes());
            out.extend(offset.to_le_bytes());
            offset += (bytes.len() as u64).next_multiple_of(32);
        }
        for (_, _, _, bytes) in &self.tensors {
            out.resize(out.len().next_multiple_of(32), 0);
            out.extend(bytes);
        }
        out
    }
}

/// Rounds to `Q8_0`: a half-precision scale and 32 signed bytes.
fn q8_0(values: &[f32]) -> Vec<u8> {
    let blocks = values.chunks_exact(32).map(|block| {
        let most = block.iter().fold(0_f32, |most, it| most.max(it.abs()));
        let scale = half::f16::from_f32(most / 127.0);
        let mut bytes = scale.to_le_bytes().to_vec();
        let inverse = if most > 0.0 {
            1.0 / scale.to_f32()
        } else {
            0.0
        };
        bytes.extend(
            block
                .iter()
                .map(|it| (it * inverse).round().clamp(-127.0, 127.0) as i8 as u8),
        );
        bytes
    });
    blocks.collect::<Vec<_>>().concat()
}

/// Random bits under small scales.
fn q4_k(count: usize) -> Vec<u8> {
    let mut state = count as u32 | 1;
    let mut bytes: Vec<u8> = std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        (state >> 11) as u8
    })
    .take(count / 256 * 144)
    .collect();
    for block in bytes.chunks_exact_mut(144) {
        block[..2].copy_from_slice(&half::f16::from_f32(1.3e-4).to_le_bytes());
        block[2..4].copy_from_slice(&half::f16::from_f32(1.1e-3).to_le_bytes());
    }
    bytes
}

/// A whole DiT in GGUF, as converters leave it (axes of one dropped, the patch convolution flattened
/// or noted), against safetensors of the widened numbers.
#[test]
fn a_wan_model_runs_from_gguf() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let model = RandomModel {
        dim: 256,
        ffn_dim: 512,
        heads: 2,
        layers: 2,
        ..RandomModel::SMALL
    };
    model.write(&at("plain.safetensors"));
    let plain = Checkpoint::open(&at("plain.safetensors")).unwrap();
    for noted in [false, true] {
        let mut writer = Writer::default();
        writer.string("general.architecture", "wan");
        writer.string("longtake.heads", "2");
        for name in plain.names() {
            let shape = plain.shape(name).unwrap();
            let floats = plain.vec_f32(name, shape).unwrap();
            let in_block = shape.len() == 2 && name.starts_with("blocks.");
            if in_block && name.contains("attn") {
                writer.tensor(name, shape, 8, q8_0(&floats));
            } else if in_block && name.contains(".ffn.") {
                writer.tensor(name, shape, 12, q4_k(floats.len()));
            } else {
                let bytes = floats.iter().flat_map(|it| it.to_le_bytes()).collect();
                let shape = match (name, noted) {
                    ("patch_embedding.weight", false) => vec![shape[0] * shape[1], 2, 2],
                    ("patch_embedding.weight", true) => vec![floats.len()],
                    (_, false) if name.ends_with("modulation") => shape[1..].to_vec(),
                    _ => shape.to_vec(),
                };
                writer.tensor(name, &shape, 0, bytes);
            }
        }
        if noted {
            writer.ints(
                "comfy.gguf.orig_shape.patch_embedding.weight",
                &[256, 16, 1, 2, 2],
            );
        }
        std::fs::write(at("model.gguf"), writer.bytes()).unwrap();
        let gguf = Checkpoint::open(&at("model.gguf")).unwrap();
        // The same numbers in f32.
        dit_support::rewrite(
            &at("plain.safetensors"),
            &at("wide.safetensors"),
            |tensors| {
                for it in tensors {
                    assert_eq!(gguf.shape(&it.name).unwrap(), it.shape, "{}", it.name);
                    let wide = gguf.vec_f32(&it.name, &it.shape).unwrap();
                    it.bytes = wide.iter().flat_map(|it| it.to_le_bytes()).collect();
                }
            },
        );
        let case = dit_support::Case {
            latent: waves([1, 16, 2, 6, 8]),
            timestep: vec![600.0],
            context: waves([1, 9, 64]),
            output: Vec::new(),
        };
        let expected = values(run(
            &load(&at("wide.safetensors"), Placement::Resident),
            &case,
        ));
        assert!(expected.iter().all(|it| it.is_finite()));
        for placement in [Placement::Resident, Placement::Streamed] {
            let got = values(run(&load(&at("model.gguf"), placement), &case));
            assert!(got == expected, "{placement:?}");
        }
        let probe = probe(&at("model.gguf")).unwrap();
        assert!(matches!(probe.family, Some(Family::WanDit(dims)) if dims.heads == 2));
        // Eight square layers and two wide ones per block, as many bytes as in the file.
        let (square, wide) = (8 * 256 * 256, 2 * 256 * 512);
        let packed = square / 32 * 34 + wide / 256 * 144;
        assert_eq!(probe.kept.block.packed, packed);
        assert_eq!(probe.kept.whole.packed, 2 * packed);
        assert_eq!(
            probe.kept.block.dense,
            8 * 256 + 256 + 512 + 4 * 256 + 2 * 256 + 6 * 256
        );
    }
}

/// A sound file of one tensor, then damaged.
fn refusal(damage: impl FnOnce(&mut Vec<u8>)) -> String {
    let mut writer = Writer::default();
    writer.string("general.name", "x");
    writer.tensor("a", &[2, 32], 8, vec![0; 68]);
    let mut bytes = writer.bytes();
    damage(&mut bytes);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bad.gguf");
    std::fs::write(&path, bytes).unwrap();
    let error = said(&Checkpoint::open(&path).unwrap_err());
    assert!(error.starts_with(path.to_str().unwrap()), "{error}");
    error
}

/// Offset of the first occurrence of `needle`.
fn find(bytes: &[u8], needle: &[u8]) -> usize {
    bytes
        .windows(needle.len())
        .position(|it| it == needle)
        .unwrap()
}

/// What happens to a file's bytes.
type Damage = Box<dyn FnOnce(&mut Vec<u8>)>;

#[test]
fn damaged_files_are_refused_and_say_where() {
    let entry = |bytes: &[u8]| find(bytes, b"\x01\0\0\0\0\0\0\0a") + 9;
    let put = |at: usize, new: &'static [u8]| -> Damage {
        Box::new(move |bytes| bytes[at..at + new.len()].copy_from_slice(new))
    };
    let put_entry = |at: usize, new: &'static [u8]| -> Damage {
        Box::new(move |bytes| {
            let at = entry(bytes) + at;
            bytes[at..at + new.len()].copy_from_slice(new);
        })
    };
    let cases: Vec<(Damage, &str)> = vec![
        (
            put(4, &[1]),
            "byte 4: expected GGUF version 2 or 3, found 1",
        ),
        (put(4, &[0, 0, 0, 3]), "found 50331648"),
        (put(8, &[0xff; 8]), "byte 8: expected a number of tensors"),
        (
            put(16, &[0xff; 8]),
            "byte 16: expected a number of metadata entries",
        ),
        (
            put(24, &[0xff; 8]),
            "byte 24: expected a key of at most 65535",
        ),
        (
            put(44, &[99]),
            "byte 44: expected a value type of 0 to 12, found 99",
        ),
        (put(48, &[0xff, 0xff, 0, 0]), "a text of 65535 bytes"),
        (
            put_entry(0, &[9]),
            "tensor `a`: expected at most 8 axes, found 9",
        ),
        (
            put_entry(4, &[33]),
            "rows of whole blocks of 32 for Q8_0, found rows of 33",
        ),
        (put_entry(12, &[0xff; 8]), "a size below 2^64"),
        (put_entry(12, &[3]), "expected 102 bytes from offset 0"),
        (put_entry(20, &[99]), "found ggml type 99"),
        (put_entry(24, &[1]), "an offset of whole 32 bytes, found 1"),
        (put_entry(24, &[0xe0; 8]), "from offset"),
        (
            Box::new(|bytes| bytes.truncate(bytes.len() - 1)),
            "the file is cut short",
        ),
        (
            Box::new(|bytes| bytes.truncate(40)),
            "the file is cut short",
        ),
        (Box::new(|bytes| bytes.truncate(6)), "8 bytes"),
    ];
    for (damage, want) in cases {
        let said = refusal(damage);
        assert!(said.contains(want), "{want:?} is not in: {said}");
    }
}

#[test]
fn any_cut_is_an_error_and_never_a_panic() {
    let whole = std::fs::read(data("gguf/umt5-small.gguf")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cut.gguf");
    for length in (0..2000)
        .step_by(7)
        .chain((2000..whole.len()).step_by(9973))
    {
        std::fs::write(&path, &whole[..length]).unwrap();
        assert!(Checkpoint::open(&path).is_err(), "{length} bytes");
    }
    // A flipped bit in the header is either harmless or told.
    for at in (0..4000).step_by(5) {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x41;
        std::fs::write(&path, &bytes).unwrap();
        if let Ok(file) = Checkpoint::open(&path) {
            let _ = Tokenizer::of_checkpoint(&file);
            let _ = probe(&path);
        }
    }
}

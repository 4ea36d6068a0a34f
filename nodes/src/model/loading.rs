//! From a file on disk to a model on a device.

use std::sync::Arc;

use longtake_models::clip::ClipVision;
use longtake_models::tokenizer::Tokenizer;
use longtake_models::umt5::{Umt5, as_hf};
use longtake_models::wan::dit::WanDit;
use longtake_models::wan::uni3c::Uni3c;
use longtake_models::wan::vae::{Parts, WanVae};
use longtake_models::weights::{Checkpoint, Dtype, Placement};
use longtake_plan::{DeviceKind, InferCx, InferError, Machine, WeightsInfo};
use longtake_run::{Device, Loading, Resident, RunError};

use longtake_graph::{ModelFolder, Sentence, say};
use serde_json::Value as Json;

use super::lora;
use crate::failure::{OrFail, unreadable};
use crate::node::fact_error;
use crate::options::Options;

/// A text encoder with its tokenizer.
pub struct TextEncoder {
    /// Words to ids.
    pub tokenizer: Tokenizer,
    /// Ids to conditioning.
    pub encoder: Umt5,
}

/// Reads a checkpoint into the type its family's nodes expect: [`WanDit`], [`WanVae`],
/// [`TextEncoder`], [`ClipVision`] or [`Uni3c`].
///
/// # Errors
/// Missing, damaged or foreign file.
pub fn load(
    info: &WeightsInfo,
    device: &Device,
    streamed: bool,
    tell: &mut dyn FnMut(Loading),
) -> Result<Resident, RunError> {
    let device = super::device::handle(device)?;
    let mut checkpoint = Checkpoint::open(&info.path).or_fail()?;
    if info.family == "umt5" {
        checkpoint = as_hf(&checkpoint).or_fail()?;
    }
    let (checkpoint, warnings) = lora::put_on(checkpoint.with_cast(cast(info).or_fail()?), info)?;
    for warning in warnings {
        tell(Loading::Note(warning));
    }
    let mut progress = |fraction: f32| tell(Loading::Part(fraction));
    if info.family == "umt5" {
        return text_encoder(&checkpoint, device, streamed, &mut progress);
    }
    let mut part = |done: usize, all: usize| progress(done as f32 / all.max(1) as f32);
    let placement = placement(streamed);
    match info.family.as_str() {
        "wan-dit" => {
            let model = WanDit::load(&checkpoint, device, placement, &mut part).or_fail()?;
            Ok(Arc::new(model))
        }
        "wan-vae-2.1" | "wan-vae-2.2" => {
            let vae = WanVae::load(&checkpoint, Parts::Both, device, &mut part).or_fail()?;
            Ok(Arc::new(vae))
        }
        "clip-vision" => {
            let model = ClipVision::load(&checkpoint, device, placement, &mut part).or_fail()?;
            Ok(Arc::new(model))
        }
        "uni3c" => {
            let model = Uni3c::load(&checkpoint, device, placement, &mut part).or_fail()?;
            Ok(Arc::new(model))
        }
        other => Err(RunError::failed(say!(
            "{}: expected a checkpoint that Longtake can run, found the family {other}; choose \
             another file",
            "{}: {other} 系のチェックポイントは実行できません。別のファイルを選んでください",
            info.path.display()
        ))),
    }
}

fn placement(streamed: bool) -> Placement {
    if streamed {
        Placement::Streamed
    } else {
        Placement::Resident
    }
}

fn text_encoder(
    checkpoint: &Checkpoint,
    device: &longtake_models::Device,
    streamed: bool,
    progress: &mut dyn FnMut(f32),
) -> Result<Resident, RunError> {
    let tokenizer = Tokenizer::of_checkpoint(checkpoint).or_fail()?;
    let encoder = Umt5::load(checkpoint, device, placement(streamed), progress).or_fail()?;
    Ok(Arc::new(TextEncoder { tokenizer, encoder }))
}

/// A loader node's answer: the facts of a file of one of these families.
///
/// # Errors
/// Missing or unreadable file, or a checkpoint of another family.
pub fn checkpoint(
    cx: &InferCx<'_>,
    input: &str,
    folder: ModelFolder,
    families: &[&str],
    options: &[(&str, Json)],
) -> Result<WeightsInfo, InferError> {
    let name = cx.text(input)?;
    let facts = cx
        .facts
        .weights(folder, name)
        .map_err(|e| fact_error(input, e))?;
    if !families.contains(&facts.family.as_str()) {
        let found = described(&facts.family);
        let wanted: Vec<Sentence> = families.iter().map(|it| described(it)).collect();
        let words = |side: fn(&Sentence) -> &str| wanted.iter().map(side).collect::<Vec<_>>();
        let wanted = Sentence {
            en: words(|it| &it.en).join(" or "),
            ja: words(|it| &it.ja).join("」か「"),
        };
        return Err(InferError::at(
            "wrong_family",
            input,
            say!(
                "{} holds {found}; expected {wanted}",
                "{} は「{found}」です。「{wanted}」を指定してください。",
                facts.path.display();
                found, wanted
            ),
        ));
    }
    let mut info = WeightsInfo {
        folder,
        name: name.to_owned(),
        path: facts.path.clone(),
        fingerprint: facts.fingerprint.clone(),
        bytes: facts.elements.saturating_mul(cx.machine.weight_bytes),
        family: facts.family.clone(),
        dims: facts.dims.clone(),
        options: options
            .iter()
            .map(|(key, value)| ((*key).to_owned(), value.clone()))
            .collect(),
    };
    count_bytes(&mut info, facts.elements, cx.machine).map_err(unreadable(input))?;
    Ok(info)
}

/// Bytes in memory of a checkpoint whose linear layers may stay packed, and of its largest block,
/// which is what the planner counts while it streams.
///
/// # Errors
/// A type of weights that is not known, a size that the file does not tell.
fn count_bytes(info: &mut WeightsInfo, elements: u64, machine: &Machine) -> Result<(), Sentence> {
    let dim = |name: &str| info.dim(name).map(|it| it as u64);
    if !info.dims.contains_key("packed") {
        return Ok(());
    }
    let gpu = machine.device != DeviceKind::Cpu;
    let packed = |cpu: &str, on_gpu: &str| dim(if gpu { on_gpu } else { cpu });
    // A cast packs the dense linear layers of blocks, a byte per weight.
    let casts = cast(info)?.is_some();
    let bytes = |dense: u64, linear: u64, packed: u64| {
        let linear = if casts { linear.min(dense) } else { 0 };
        let dense = (dense - linear).saturating_mul(machine.weight_bytes);
        dense.saturating_add(linear).saturating_add(packed)
    };
    let whole = bytes(
        elements,
        dim("linear_elements")?,
        packed("packed_bytes", "packed_bytes_gpu")?,
    );
    let block = bytes(
        dim("block_elements")?,
        dim("block_linear_elements")?,
        packed("block_packed_bytes", "block_packed_bytes_gpu")?,
    );
    info.bytes = whole;
    if block > 0 {
        info.dims.insert("block_bytes".to_owned(), block);
    }
    if casts && whole > 0 {
        info.dims.insert("packed".to_owned(), 1);
    }
    Ok(())
}

/// The names of types that blocks' weights can be rounded to; the first leaves them as they are.
pub(super) const WEIGHT_DTYPES: &[&str] = &["default", "fp8_e4m3fn", "fp8_e4m3fn_fast", "fp8_e5m2"];

/// The type that `weight_dtype` rounds the blocks' weights to.
///
/// # Errors
/// One that is not known.
fn cast(info: &WeightsInfo) -> Result<Option<Dtype>, Sentence> {
    const NAME: &str = "weight_dtype";
    let options = Options::of(&info.options);
    match options.text(NAME)? {
        None | Some("default") => Ok(None),
        Some("fp8_e4m3fn" | "fp8_e4m3fn_fast") => Ok(Some(Dtype::F8E4M3)),
        Some("fp8_e5m2") => Ok(Some(Dtype::F8E5M2)),
        Some(other) => {
            let names = WEIGHT_DTYPES.join(", ");
            let expected = say!("one of {names}", "{names} のいずれか");
            let found = say!("`{other}`", "「{other}」");
            Err(options.wrong(NAME, &expected, &found))
        }
    }
}

pub(super) fn described(family: &str) -> Sentence {
    match family {
        "wan-dit" => say!("a Wan diffusion model", "Wan の拡散モデル"),
        "wan-vae-2.1" => say!("a Wan 2.1 VAE", "Wan 2.1 の VAE"),
        "wan-vae-2.2" => say!(
            "a Wan 2.2 VAE (48 channels)",
            "Wan 2.2 の VAE(48 チャンネル)"
        ),
        "umt5" => say!("a UMT5 text encoder", "UMT5 のテキストエンコーダー"),
        "t5" => say!(
            "a T5 text encoder (Wan needs UMT5)",
            "T5 のテキストエンコーダー(Wan には UMT5 が必要)"
        ),
        "clip-vision" => say!("a CLIP vision encoder", "CLIP ビジョンエンコーダー"),
        "uni3c" => say!("a Uni3C control network", "Uni3C のコントロールネット"),
        "lora" => say!("a LoRA", "LoRA"),
        _ => say!(
            "a model that Longtake does not know",
            "Longtake が知らないモデル"
        ),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::failure::says;

    fn info(option: Json) -> WeightsInfo {
        WeightsInfo {
            folder: ModelFolder::DiffusionModels,
            name: "wan.safetensors".to_owned(),
            path: "wan.safetensors".into(),
            fingerprint: String::new(),
            bytes: 0,
            family: "wan-dit".to_owned(),
            dims: <_>::default(),
            options: [("weight_dtype".to_owned(), option)].into(),
        }
    }

    #[test]
    fn every_offered_type_of_weights_is_known_and_no_other() {
        for (at, name) in WEIGHT_DTYPES.iter().enumerate() {
            let cast = cast(&info(json!(name))).unwrap();
            assert_eq!(cast.is_some(), at > 0, "{name}");
        }
        for bad in [json!("fp4"), json!(8), json!(null), json!(["default"])] {
            says(&cast(&info(bad)).unwrap_err(), "option `weight_dtype`");
        }
    }
}

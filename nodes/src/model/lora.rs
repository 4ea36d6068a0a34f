//! LoRAs on a model: noted in its options before the run, put on when it is loaded.

use std::path::Path;
use std::sync::Arc;

use longtake_graph::literal::describe;
use longtake_graph::{ModelFolder, Sentence, say};
use longtake_models::lora::{self, Lora, Survey, Wish};
use longtake_models::weights::Checkpoint;
use longtake_plan::facts::WeightsFacts;
use longtake_plan::{InferCx, InferError, WeightsInfo};
use longtake_run::RunError;
use serde_json::{Value as Json, json};

use super::loading::described;
use crate::failure::{OrFail, unreadable};
use crate::node::fact_error;
use crate::options::Options;

/// Option under which a model lists its LoRAs, in order:
/// `{"name", "path", "fingerprint", "strength"}`.
const OPTION: &str = "loras";

/// A LoRA file as the compiler knows it.
pub(super) struct Choice {
    name: String,
    facts: Arc<WeightsFacts>,
    survey: Survey,
}

impl Choice {
    /// The LoRA named at `lora_name`.
    ///
    /// # Errors
    /// Missing or unreadable file, or one that is no LoRA.
    pub fn of(cx: &InferCx<'_>) -> Result<Self, InferError> {
        const INPUT: &str = "lora_name";
        let name = cx.text(INPUT)?.to_owned();
        let facts = cx.facts.weights(ModelFolder::Loras, &name);
        let facts = facts.map_err(|e| fact_error(INPUT, e))?;
        if facts.family != "lora" {
            let path = facts.path.display();
            let found = described(&facts.family);
            let message = say!(
                "{path} holds {found}; expected a LoRA",
                "{path} は「{found}」です。LoRA を指定してください。";
                found
            );
            return Err(InferError::at("wrong_family", INPUT, message));
        }
        let survey = Survey::from_dims(&facts.dims);
        Ok(Self {
            name,
            facts,
            survey,
        })
    }

    /// Modules of the text encoder in it.
    pub fn umt5_modules(&self) -> usize {
        self.survey.umt5
    }

    /// Modules of the diffusion model in it.
    pub fn dit_modules(&self) -> usize {
        self.survey.dit
    }

    /// Says why it cannot be put on `model`.
    ///
    /// # Errors
    /// `lora_does_not_fit`.
    pub fn check(&self, model: &WeightsInfo) -> Result<(), InferError> {
        let dim = |name: &str| model.dim(name).map_err(unreadable("model"));
        match self.survey.misfit(dim("dim")?, dim("ffn_dim")?) {
            None => Ok(()),
            Some(why) => Err(self.refused(&model.name, &why)),
        }
    }

    /// The diagnostic that it does not fit `model`.
    pub fn refused(&self, model: &str, why: &Sentence) -> InferError {
        let message = say!(
            "the LoRA {} does not fit {model}. {why}; choose a LoRA trained on this model's family and size",
            "LoRA {} は {model} に合いません({why})。このモデルと同じ系列・サイズで学習した LoRA を選んでください。",
            self.name;
            why
        );
        InferError::at("lora_does_not_fit", "lora_name", message)
    }

    /// `model`, which stands at `input`, with it on, its low-rank matrices counted.
    ///
    /// # Errors
    /// What was put on the model before is no list of LoRAs.
    pub fn put(
        &self,
        model: &WeightsInfo,
        input: &str,
        strength: f64,
        weight_bytes: u64,
    ) -> Result<WeightsInfo, InferError> {
        let mut model = model.clone();
        if strength == 0.0 {
            return Ok(model);
        }
        let survey = &self.survey;
        let bytes = survey.elements.saturating_mul(weight_bytes);
        model.bytes = model.bytes.saturating_add(bytes);
        if let Some(block) = model.dims.get_mut("block_bytes") {
            *block = block.saturating_add(survey.block_elements.saturating_mul(weight_bytes));
        }
        // A LoRA that widens the patch embedding changes what the model takes in.
        if let (Some(wide), Some(now)) = (survey.in_dim, model.dims.get_mut("in_dim")) {
            *now = (*now).max(wide as u64);
        }
        let entry = json!({
            "name": self.name,
            "path": self.facts.path,
            "fingerprint": self.facts.fingerprint,
            "strength": strength,
        });
        let before = listed(&model).map_err(|why| InferError::at("value_not_valid", input, why))?;
        let mut list = before.to_vec();
        list.push(entry);
        model.options.insert(OPTION.to_owned(), Json::from(list));
        Ok(model)
    }
}

/// The LoRAs on a model.
fn listed(model: &WeightsInfo) -> Result<&[Json], Sentence> {
    let list = Options::of(&model.options).list(OPTION)?;
    Ok(list.unwrap_or_default())
}

/// File and strength of a LoRA on a model.
fn read(entry: &Json) -> Result<(&Path, f64), Sentence> {
    let path = entry.get("path").and_then(Json::as_str);
    let strength = entry.get("strength").and_then(Json::as_f64);
    path.map(Path::new).zip(strength).ok_or_else(|| {
        let found = describe(entry);
        say!(
            "option `{OPTION}`: expected a file and a strength, found {found}; load the LoRA anew",
            "オプション「{OPTION}」にはファイルと強さが必要です(現在: {found})。LoRA を読み込み直してください";
            found
        )
    })
}

/// `checkpoint` with the LoRAs of `info` on, and what a person should know of them.
///
/// # Errors
/// A file that is missing, damaged or of another model.
pub(super) fn put_on(
    checkpoint: Checkpoint,
    info: &WeightsInfo,
) -> Result<(Checkpoint, Vec<Sentence>), RunError> {
    let list = listed(info).or_fail()?;
    if list.is_empty() {
        return Ok((checkpoint, Vec::new()));
    }
    let mut opened = Vec::new();
    for entry in list {
        let (path, strength) = read(entry).or_fail()?;
        opened.push((Lora::open(path).or_fail()?, strength as f32));
    }
    let wishes: Vec<Wish<'_>> = opened
        .iter()
        .map(|(lora, strength)| Wish {
            lora,
            strength: *strength,
        })
        .collect();
    let (view, reports) = lora::put_on(&checkpoint, &wishes).or_fail()?;
    let warnings = reports
        .iter()
        .zip(&wishes)
        .filter_map(|(report, wish)| report.warning(wish.lora))
        .collect();
    Ok((view, warnings))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::says;

    #[test]
    fn malformed_loras_on_a_model_are_told() {
        let model = |option: Json| WeightsInfo {
            folder: ModelFolder::DiffusionModels,
            name: "wan.safetensors".to_owned(),
            path: "wan.safetensors".into(),
            fingerprint: String::new(),
            bytes: 0,
            family: "wan-dit".to_owned(),
            dims: <_>::default(),
            options: [(OPTION.to_owned(), option)].into(),
        };
        for bad in [json!("x"), json!({}), json!(null), json!(1)] {
            says(&listed(&model(bad)).unwrap_err(), "option `loras`");
        }
        for bad in [
            json!({}),
            json!("x"),
            json!({"path": "a.safetensors"}),
            json!({"path": "a.safetensors", "strength": "strong"}),
            json!({"path": 7, "strength": 1.0}),
        ] {
            says(&read(&bad).unwrap_err(), "expected a file and a strength");
        }
        let good = json!({"path": "a.safetensors", "strength": -0.5});
        assert_eq!(read(&good), Ok((Path::new("a.safetensors"), -0.5)));
    }
}

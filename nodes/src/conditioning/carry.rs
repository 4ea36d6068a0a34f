//! Adding to both conditionings: shapes and settings before the run, arrays in it.

use std::collections::BTreeMap;
use std::sync::Arc;

use longtake_graph::literal::describe;
use longtake_graph::{Sentence, say};
use longtake_plan::{ExtrasInfo, InferCx, InferError, Info, WeightsInfo};
use longtake_run::{Array, Latent, RunCx, RunError, Value};
use serde_json::{Value as Json, json};

use super::order;
use crate::failure::unplanned;
use crate::options::Options;

/// The two conditionings that every such node takes and gives.
pub const BOTH: [&str; 2] = ["positive", "negative"];

/// What a node adds, as far as it is known before the run.
#[derive(Default)]
pub struct Added {
    /// Shapes of arrays.
    pub arrays: BTreeMap<&'static str, Vec<u32>>,
    /// Settings.
    pub settings: BTreeMap<&'static str, Json>,
    /// A control net.
    pub control: Option<Arc<WeightsInfo>>,
}

/// Arrays of one step, by name.
pub type Arrays = BTreeMap<&'static str, Array>;

/// Classes a conditioning has gone through.
///
/// # Errors
/// Something else stands there.
pub fn steps(extras: &ExtrasInfo) -> Result<Vec<String>, Sentence> {
    const NAME: &str = "steps";
    let options = Options::of(&extras.settings);
    let list = options.list(NAME)?.unwrap_or_default();
    let names = list.iter().map(|it| {
        let name = it.as_str().map(str::to_owned);
        name.ok_or_else(|| {
            options.wrong(
                NAME,
                &say!("names of classes", "クラスの名前"),
                &describe(it),
            )
        })
    });
    names.collect()
}

/// `[frames, rows, columns]` of the latent that a conditioning was made for, where a node noted it.
///
/// # Errors
/// Something else stands there.
pub fn latent_size(extras: &ExtrasInfo) -> Result<Option<[u32; 3]>, Sentence> {
    const NAME: &str = "latent_size";
    let options = Options::of(&extras.settings);
    let Some(list) = options.list(NAME)? else {
        return Ok(None);
    };
    let sizes = list.iter().map(|it| u32::try_from(it.as_u64()?).ok());
    let sizes: Option<Vec<u32>> = sizes.collect();
    let sizes = sizes.and_then(|it| <[u32; 3]>::try_from(it).ok());
    sizes.map(Some).ok_or_else(|| {
        let expected = say!(
            "three sizes [frames, rows, columns]",
            "3 つのサイズ [フレーム, 行, 列]"
        );
        options.wrong(NAME, &expected, &Sentence::same(Json::from(list)))
    })
}

/// Both conditionings with `added`; the class of the node is noted in `steps`.
///
/// # Errors
/// `order_breaks_meaning` at the conditioning that does not allow this class any more.
pub fn infer(cx: &InferCx<'_>, added: &Added) -> Result<Vec<Info>, InferError> {
    let one = |input: &'static str| {
        let class = cx.decl.class;
        let (tokens, dim) = cx.text_size(input)?;
        let mut extras = ExtrasInfo::clone(cx.extras(input)?);
        let mut gone =
            steps(&extras).map_err(|why| InferError::at("value_not_valid", input, why))?;
        order::check(&gone, class).map_err(|error| InferError {
            input: Some(input.to_owned()),
            ..error
        })?;
        gone.push(class.to_owned());
        for (name, shape) in &added.arrays {
            extras.arrays.insert((*name).to_owned(), shape.clone());
        }
        for (name, value) in &added.settings {
            extras.settings.insert((*name).to_owned(), value.clone());
        }
        extras.settings.insert("steps".to_owned(), json!(gone));
        if added.control.is_some() {
            extras.control.clone_from(&added.control);
        }
        Ok(Info::Conditioning {
            tokens,
            dim,
            extras: Arc::new(extras),
        })
    };
    BOTH.into_iter().map(one).collect()
}

/// Both conditionings with `arrays`, which they share.
///
/// # Errors
/// No conditioning there.
pub fn run(cx: &RunCx<'_>, arrays: &Arrays) -> Result<Vec<Value>, RunError> {
    let one = |input: &'static str| {
        let mut it = cx.conditioning(input)?;
        if !arrays.is_empty() {
            let mut all = BTreeMap::clone(&it.arrays);
            let new = arrays.iter();
            all.extend(new.map(|(name, array)| ((*name).to_owned(), array.clone())));
            it.arrays = Arc::new(all);
        }
        Ok(Value::Conditioning(it))
    };
    BOTH.into_iter().map(one).collect()
}

/// Rows and width of what a vision encoder said, at an optional input.
///
/// # Errors
/// Something else is linked.
pub fn vision_shape(cx: &InferCx<'_>, input: &str) -> Result<Option<[u32; 2]>, InferError> {
    if !cx.has(input) {
        return Ok(None);
    }
    let (tokens, dim) = cx.text_size(input)?;
    Ok(Some([tokens, dim]))
}

/// What a vision encoder said, at an optional input: `[257, dim]`.
///
/// # Errors
/// Something else is linked.
pub fn vision(cx: &RunCx<'_>, input: &str) -> Result<Option<Array>, RunError> {
    if !cx.has(input) {
        return Ok(None);
    }
    let it = cx.conditioning(input)?;
    Ok(Some(Array {
        shape: vec![it.tokens, it.dim],
        data: it.data,
    }))
}

/// A latent of zeros in the size the plan says of an output.
///
/// # Errors
/// The plan says something else: a bug of ours.
pub fn empty_latent(cx: &RunCx<'_>, output: usize) -> Result<Latent, RunError> {
    match cx.output_info(output) {
        Some(Info::Latent(info)) => {
            let zeros = vec![0.0; info.elements() as usize];
            Ok(Latent::new(*info, zeros))
        }
        _ => Err(unplanned(&say!("this latent's size", "潜在表現のサイズ"))),
    }
}

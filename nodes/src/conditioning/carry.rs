//! Adding to both conditionings: shapes and settings before the run, arrays in it.

use std::collections::BTreeMap;
use std::sync::Arc;

use longtake_plan::{ExtrasInfo, InferCx, InferError, Info, WeightsInfo};
use longtake_run::{Array, Latent, RunCx, RunError, Value};
use serde_json::{Value as Json, json};

use super::order;

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
pub fn steps(extras: &ExtrasInfo) -> Vec<String> {
    let list = extras.settings.get("steps").and_then(Json::as_array);
    let names = list.into_iter().flatten().filter_map(Json::as_str);
    names.map(str::to_owned).collect()
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
        let mut gone = steps(&extras);
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
        _ => Err(RunError::failed(
            "the plan does not know this latent's size",
        )),
    }
}

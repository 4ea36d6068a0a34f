//! Values as nodes, so that one number or text can stand at many inputs. They are known before a
//! run and make no steps.

pub mod primitive_boolean;
pub mod primitive_float;
pub mod primitive_int;
pub mod primitive_string;
pub mod primitive_string_multiline;

use longtake_graph::say;
use longtake_plan::{InferCx, InferError, Info};

use crate::Node;

/// Nodes of this folder.
pub const NODES: &[Node] = &[
    primitive_boolean::NODE,
    primitive_float::NODE,
    primitive_int::NODE,
    primitive_string::NODE,
    primitive_string_multiline::NODE,
];

/// The value as it stands.
fn infer(cx: &InferCx<'_>) -> Result<Vec<Info>, InferError> {
    let value = cx.json("value").ok_or_else(|| {
        let message = say!(
            "expected a value known before the run",
            "実行前に決まっている値が必要です。"
        );
        InferError::at("value_unknown", "value", message)
    })?;
    Ok(vec![Info::Constant(value.clone())])
}

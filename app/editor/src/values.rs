//! Parameters: their values, their defaults, and whether they show as inputs.

use longtake_graph::{Edit, Input, InputDecl, Node, NodeId};
use serde_json::Value;

use crate::connect::take_link;
use crate::draft::Draft;
use crate::items::chosen;
use crate::language::{Text, t};
use crate::refusal::Refusal;
use crate::scene::Scene;
use crate::shape::InputShape;
use crate::studio::Studio;

/// Label of the undo unit of a changed parameter.
pub const SET: Text = t("Change value", "値を変更");
/// Label of the undo unit that shows a parameter as an input.
pub const EXPOSE: Text = t("Value to input", "値を入力に変える");
/// Label of the undo unit that turns such an input back.
pub const HIDE: Text = t("Input to value", "入力を値に戻す");
const RESET: Text = t("Restore default values", "値を既定に戻す");

/// Names of the parameters that show as inputs though nothing is linked.
const EXPOSED: &str = "exposed";

/// The value a parameter has: what is written, or its default. `None` for a linked one, and for a
/// file that was never chosen.
pub fn value(node: &Node, decl: &InputDecl, name: &str) -> Option<Value> {
    match node.inputs.get(name) {
        Some(Input::Literal(value)) => Some(value.clone()),
        Some(Input::Link(_)) => None,
        None => decl.default_value(),
    }
}

/// The edit that writes a parameter.
pub fn set(node: &NodeId, name: &str, value: Value) -> Edit {
    Edit::SetInput {
        node: node.clone(),
        input: name.to_owned(),
        value: Some(Input::Literal(value)),
    }
}

/// Whether a parameter differs from its default.
pub fn is_changed(node: &Node, decl: &InputDecl, name: &str) -> bool {
    match node.inputs.get(name) {
        Some(Input::Literal(value)) => decl.default_value().as_ref() != Some(value),
        Some(Input::Link(_)) | None => false,
    }
}

/// Whether a parameter shows as an input: it is linked, or a person asked for it.
pub fn is_exposed(node: &Node, name: &str) -> bool {
    let linked = matches!(node.inputs.get(name), Some(Input::Link(_)));
    linked || exposed(node).iter().any(|it| it == name)
}

/// The edit that shows a parameter as an input. Its value stays until a link is there.
pub fn expose(id: &NodeId, node: &Node, name: &str) -> Edit {
    let mut names = exposed(node);
    if !names.iter().any(|it| it == name) {
        names.push(name.to_owned());
    }
    set_exposed(id, names)
}

/// The edit that turns an input back into a parameter: a link goes, its old value comes back.
///
/// # Errors
/// There is no such node.
pub fn hide(scene: &Scene<'_>, id: &NodeId, name: &str) -> Result<Edit, Refusal> {
    let node = scene.node(id).ok_or_else(|| Refusal::NoNode(id.clone()))?;
    let mut draft = Draft::of(scene.graph());
    take_link(&mut draft, id, name)?;
    let mut names = exposed(node);
    if names.iter().any(|it| it == name) {
        names.retain(|it| it != name);
        draft.push(set_exposed(id, names))?;
    }
    Ok(draft.finish())
}

fn exposed(node: &Node) -> Vec<String> {
    let names = node.extra.get(EXPOSED).and_then(Value::as_array);
    let texts = names.into_iter().flatten().filter_map(Value::as_str);
    texts.map(str::to_owned).collect()
}

fn set_exposed(id: &NodeId, names: Vec<String>) -> Edit {
    Edit::SetExtra {
        id: id.clone(),
        key: EXPOSED.to_owned(),
        value: (!names.is_empty()).then(|| Value::from(names)),
    }
}

/// Takes the literals of a node's parameters away, so that each has its default. Files and
/// checkpoints, which have none, stay chosen; so do links.
pub fn reset(scene: &Scene<'_>, ids: &[NodeId]) -> Edit {
    let mut edits = Vec::new();
    for id in ids {
        let Some(node) = scene.node(id) else { continue };
        for input in scene.shape(node).inputs {
            let has_default = input.decl.is_some_and(|it| it.default_value().is_some());
            let written = matches!(node.inputs.get(&input.name), Some(Input::Literal(_)));
            if has_default && written {
                edits.push(Edit::SetInput {
                    node: id.clone(),
                    input: input.name,
                    value: None,
                });
            }
        }
    }
    Edit::Batch(edits)
}

impl Studio {
    pub(crate) fn reset_values(&mut self) {
        let scene = self.session.scene(self.engine.catalog());
        let ids = chosen(scene.graph(), &self.session.selection);
        let edit = reset(&scene, &ids);
        self.change(RESET, Ok(edit));
    }

    /// Shows a parameter as an input, or turns it back.
    pub(crate) fn expose(&mut self, id: &NodeId, name: &str, wanted: bool) {
        let scene = self.session.scene(self.engine.catalog());
        if wanted {
            let edit = match scene.node(id) {
                Some(node) => {
                    let sockets = scene.shape(node).inputs;
                    let parameter = |it: &InputShape| it.name == name && it.is_parameter();
                    if !sockets.iter().any(parameter) {
                        return; // a socket shows in any case
                    }
                    Ok(expose(id, node, name))
                }
                None => Err(Refusal::NoNode(id.clone())),
            };
            self.change(EXPOSE, edit);
        } else {
            let edit = hide(&scene, id, name);
            self.change(HIDE, edit);
        }
    }
}

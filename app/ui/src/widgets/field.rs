//! A parameter of a node, and what can be done with any of them: set, restore, copy, paste, unlink;
//! its findings and its tooltip.

use std::fmt::Write as _;

use egui::{Id, Response};
use longtake_editor::shape::InputShape;
use longtake_editor::{Action, CanvasAction, LooseLink, Text, t};
use longtake_graph::{
    Diagnostic, Edit, Input, InputDecl, InputType, NodeId, Severity, coerce, literal,
};
use serde_json::Value;

use super::{Room, findings};
use crate::Cx;

/// What a change of a value is called.
pub(super) const CHANGE: Text = t("Change a value", "値を変更");
const RESTORE: Text = t("Restore default", "既定に戻す");
const COPY: Text = t("Copy value", "値をコピー");
const PASTE: Text = t("Paste value", "値を貼り付け");
const TO_INPUT: Text = t("Feed from a node…", "ノードから入力…");
const NAME: Text = t("{} of {}", "{} / {}");
const RANGE: Text = t("From {} to {}", "{} から {} まで");
const STEP: Text = t("step {}", "刻み {}");
const DEFAULT: Text = t("Default: {}", "既定: {}");

/// A parameter of a node, or the same one of several.
pub struct Field<'a> {
    /// The node.
    pub node: &'a NodeId,
    /// Further nodes that every edit goes to.
    pub others: &'a [NodeId],
    /// The input's look.
    pub input: &'a InputShape,
    /// What it takes.
    pub decl: &'static InputDecl,
    /// How much room there is.
    pub room: Room,
    /// The literal in the document, if there is one.
    pub value: Option<&'a Value>,
}

/// What *Copy value* took, for *Paste value* (programs cannot read the desktop's clipboard at will).
#[derive(Clone)]
struct Copied(Value);

impl Field<'_> {
    /// The literal, or the default, or null.
    pub fn shown(&self) -> Value {
        self.value
            .cloned()
            .or_else(|| self.decl.default_value())
            .unwrap_or(Value::Null)
    }

    /// [`Self::shown`] as text.
    pub fn shown_text(&self) -> String {
        literal::text(&self.shown()).unwrap_or_default()
    }

    /// Whether what is shown is the default rather than something written.
    pub fn is_default(&self) -> bool {
        self.value.is_none_or(|value| {
            self.decl
                .default_value()
                .is_some_and(|it| coerce(self.decl, value).is_ok_and(|value| value == it))
        })
    }

    /// The label to paint inside the editor: in the inspector it stands beside it.
    pub fn inner_label(&self) -> Option<&str> {
        (self.room == Room::Node).then_some(self.input.label.as_str())
    }

    /// What accessibility calls it: `steps of KSampler`.
    pub fn name(&self, cx: &Cx<'_>) -> String {
        let language = cx.studio.language();
        let title = node_title(cx, self.node);
        NAME.with(language, &[&self.input.name, &title])
    }

    /// Writes a value to the node and the others; `None` takes it away.
    pub(super) fn edit(&self, value: Option<Value>) -> Edit {
        let set = |node: &NodeId| Edit::SetInput {
            node: node.clone(),
            input: self.input.name.clone(),
            value: value.clone().map(Input::Literal),
        };
        if self.others.is_empty() {
            return set(self.node);
        }
        Edit::Batch(
            std::iter::once(self.node)
                .chain(self.others)
                .map(set)
                .collect(),
        )
    }

    /// Writes a value while an interaction goes on.
    pub fn live(&self, cx: &mut Cx<'_>, value: Value) {
        if self.value != Some(&value) || !self.others.is_empty() {
            cx.act(Action::Live(CHANGE, self.edit(Some(value))));
        }
    }

    /// Ends the interaction.
    pub fn settle(&self, cx: &mut Cx<'_>) {
        cx.act(Action::Settle);
    }

    /// Writes a value at once: one undo unit.
    pub fn set(&self, cx: &mut Cx<'_>, value: Value) {
        if self.value != Some(&value) || !self.others.is_empty() {
            cx.act(Action::Edit(CHANGE, self.edit(Some(value))));
        }
    }

    /// What was found wrong at this parameter.
    pub fn findings<'a>(&self, cx: &Cx<'a>) -> Vec<&'a Diagnostic> {
        let found = &cx.studio.planned.diagnostics;
        if found.is_empty() {
            return Vec::new();
        }
        let id = cx.studio.session.flat_id(self.node);
        let here = |it: &&Diagnostic| it.place.input.as_deref() == Some(self.input.name.as_str());
        let at = findings::at(found, &id);
        at.into_iter().map(|it| &found[it]).filter(here).collect()
    }

    /// The worst of [`Self::findings`].
    pub fn severity(&self, cx: &Cx<'_>) -> Option<Severity> {
        self.findings(cx).iter().map(|it| it.severity).max()
    }

    /// What stands in the tooltip: findings first, then help, range, default, unit.
    pub fn tooltip(&self, cx: &Cx<'_>) -> String {
        let language = cx.studio.language();
        let mut text = String::new();
        for finding in self.findings(cx) {
            let _ = writeln!(text, "{}", language.sentence(&finding.message));
        }
        let help = language.input_help(self.decl);
        if !help.is_empty() {
            let _ = writeln!(text, "{help}");
        }
        let (range, step) = match &self.decl.ty {
            InputType::Int { seed: true, .. } => {
                // All of its digits: a narrow row cuts them.
                let _ = writeln!(text, "{}", self.shown_text());
                (None, None)
            }
            InputType::Int { min, max, step, .. } => (
                Some((min.to_string(), max.to_string())),
                (*step != 1).then(|| step.to_string()),
            ),
            InputType::Float { min, max, step, .. } => (
                Some((min.to_string(), max.to_string())),
                Some(step.to_string()),
            ),
            InputType::Socket(_)
            | InputType::Text { .. }
            | InputType::Bool { .. }
            | InputType::Choice { .. }
            | InputType::Model { .. }
            | InputType::File { .. }
            | InputType::Colour { .. }
            | InputType::Curve { .. }
            | InputType::Shots => (None, None),
        };
        let unit = match self.decl.unit {
            "" => String::new(),
            unit => format!(" {unit}"),
        };
        if let Some((low, high)) = range {
            let high = format!("{high}{unit}");
            text.push_str(&RANGE.with(language, &[&low, &high]));
            if let Some(step) = step {
                let _ = write!(text, ", {}", STEP.with(language, &[&step]));
            }
            text.push('\n');
        }
        if let Some(default) = self.decl.default_value().and_then(|it| literal::text(&it))
            && !default.is_empty()
        {
            let default = format!("{default}{unit}");
            text.push_str(&DEFAULT.with(language, &[&literal::shorten(&default, 200)]));
        }
        text.trim_end().to_owned()
    }

    /// Adds the tooltip and the context menu to an editor's main part.
    pub fn finish(&self, cx: &mut Cx<'_>, response: &Response) {
        // Written only for the one under the mouse.
        if response.contains_pointer() && !response.dragged() {
            let tip = self.tooltip(cx);
            if !tip.is_empty() {
                response.clone().on_hover_text(tip);
            }
        }
        // Its own id: a combo's list has the response's.
        egui::Popup::context_menu(response)
            .id(response.id.with("context menu"))
            .show(|ui| self.menu_ui(ui, cx));
    }

    fn menu_ui(&self, ui: &mut egui::Ui, cx: &mut Cx<'_>) {
        let written = self.value.is_some();
        if ui
            .add_enabled(written, egui::Button::new(cx.tr(RESTORE)))
            .clicked()
        {
            cx.act(Action::Edit(RESTORE, self.edit(None)));
            ui.close();
        }
        ui.separator();
        if ui.button(cx.tr(COPY)).clicked() {
            let value = self.shown();
            let text = literal::text(&value).unwrap_or_else(|| value.to_string());
            ui.ctx().copy_text(text);
            ui.data_mut(|it| it.insert_temp(Id::new("copied parameter"), Copied(value)));
            ui.close();
        }
        let copied = ui
            .data(|it| it.get_temp::<Copied>(Id::new("copied parameter")))
            .and_then(|it| coerce(self.decl, &it.0).ok());
        if ui
            .add_enabled(copied.is_some(), egui::Button::new(cx.tr(PASTE)))
            .clicked()
        {
            if let Some(value) = copied {
                cx.act(Action::Edit(PASTE, self.edit(Some(value))));
            }
            ui.close();
        }
        if self.others.is_empty() {
            ui.separator();
            if ui.button(cx.tr(TO_INPUT)).clicked() {
                let kind = self.input.kind.clone();
                let link = LooseLink::FromInput {
                    node: self.node.clone(),
                    input: self.input.name.clone(),
                };
                cx.act(CanvasAction::SearchFor(link, kind).into());
                ui.close();
            }
        }
    }
}

/// The title a person sees of a node in the open graph.
pub fn node_title(cx: &Cx<'_>, id: &NodeId) -> String {
    let session = &cx.studio.session;
    let Some(node) = session.graph().nodes.get(id) else {
        return id.to_string();
    };
    if let Some(title) = &node.title {
        return title.clone();
    }
    if let Some(subgraph) = session.project().subgraphs.get(&node.class) {
        return subgraph.graph.title.clone();
    }
    let declaration = cx.studio.engine.catalog().declaration(&node.class);
    declaration.map_or_else(
        || node.class.clone(),
        |it| cx.studio.language().title(it).to_owned(),
    )
}

//! Writing on the canvas: titles of nodes and groups, the text of notes.

use egui::{FontId, Key, Rect, TextEdit, Ui, UiBuilder};
use longtake_editor::{Action, Item, Text};
use longtake_graph::Project;

use super::paint;
use crate::Cx;
use crate::widgets::name;

/// What is being written.
#[derive(Clone, Debug, PartialEq)]
pub struct Editing {
    /// Whose title or text.
    pub item: Item,
    /// As it stands.
    pub text: String,
    before: String,
    /// The field has not been drawn yet.
    fresh: bool,
    /// It was drawn in this frame.
    drawn: bool,
}

impl Editing {
    /// Begins with what stands there; `fallback`: a node's own title.
    pub fn begin(graph: &Project, item: Item, fallback: &str) -> Option<Self> {
        let text = match &item {
            Item::Node(id) => {
                let title = graph.nodes.get(id)?.title.clone();
                title.unwrap_or_else(|| fallback.to_owned())
            }
            Item::Group(id) => graph.groups.get(id)?.title.clone(),
            Item::Note(id) => graph.notes.get(id)?.text.clone(),
        };
        Some(Self {
            item,
            before: text.clone(),
            text,
            fresh: true,
            drawn: false,
        })
    }

    /// Whether its field was drawn in this frame, or comes into view (`coming`).
    pub fn seen(&mut self, coming: bool) -> bool {
        std::mem::take(&mut self.drawn) || (self.fresh && coming)
    }

    /// What it wrote, if that is new.
    pub fn done(self) -> Option<Action> {
        (self.text != self.before).then_some(Action::Rename(self.item, self.text))
    }

    /// Draws the field of an item's title, if it is being written. Says whether it is.
    pub fn title_ui(
        editing: &mut Option<Self>,
        ui: &mut Ui,
        cx: &mut Cx<'_>,
        item: &Item,
        rect: Rect,
    ) -> bool {
        Self::field_ui(
            editing,
            ui,
            cx,
            item,
            (rect, super::texts::RENAME),
            |text| {
                TextEdit::singleline(text)
                    .font(FontId::proportional(paint::TITLE_SIZE))
                    .margin(egui::Margin::symmetric(4, 1))
            },
        )
    }

    /// Draws the field of a note's text, if it is being written. Says whether it is.
    pub fn note_ui(
        editing: &mut Option<Self>,
        ui: &mut Ui,
        cx: &mut Cx<'_>,
        item: &Item,
        rect: Rect,
    ) -> bool {
        Self::field_ui(
            editing,
            ui,
            cx,
            item,
            (rect, super::texts::WRITE_NOTE),
            |text| TextEdit::multiline(text).font(FontId::proportional(paint::LABEL_SIZE)),
        )
    }

    fn field_ui(
        editing: &mut Option<Self>,
        ui: &mut Ui,
        cx: &mut Cx<'_>,
        item: &Item,
        (rect, label): (Rect, Text),
        field: impl FnOnce(&mut String) -> TextEdit<'_>,
    ) -> bool {
        let Some(now) = editing.as_mut().filter(|it| it.item == *item) else {
            return false;
        };
        let mut child = ui.new_child(UiBuilder::new().id_salt("rename").max_rect(rect));
        let field = field(&mut now.text).desired_width(rect.width());
        let response = child.add_sized(rect.size(), field);
        name(&response, cx.tr(label));
        Self::after(editing, cx, &child, &response);
        true
    }

    /// Takes focus at first; writes what stands there when focus goes, unless Escape took it.
    fn after(editing: &mut Option<Self>, cx: &mut Cx<'_>, ui: &Ui, response: &egui::Response) {
        let Some(now) = editing else { return };
        now.drawn = true;
        if now.fresh {
            now.fresh = false;
            response.request_focus();
            return;
        }
        if response.has_focus() {
            return;
        }
        let dropped = ui.input(|input| input.key_pressed(Key::Escape));
        let done = editing.take().filter(|_| !dropped);
        if let Some(action) = done.and_then(Editing::done) {
            cx.act(action);
        }
    }
}

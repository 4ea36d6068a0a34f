//! Groups and notes: a frame around what is selected, a text at the mouse.

use longtake_graph::{Edit, Group, Note};

use crate::draft::fresh_key;
use crate::language::{Text, t};
use crate::refusal::Refusal;
use crate::selection::{Item, Selection};
use crate::studio::Studio;

const GROUP: Text = t("Group", "グループ");
const ADD_NOTE: Text = t("Add note", "メモを追加");

/// Between a group's frame and what is in it, points.
const PADDING: f32 = 20.0;
/// Height of a group's title, points.
const TITLE: f32 = 28.0;
/// Size of a new note, points.
const NOTE: [f32; 2] = [240.0, 120.0];

/// The smallest rectangle `[x, y, width, height]` around others.
pub(crate) fn around(rects: impl IntoIterator<Item = [f32; 4]>) -> Option<[f32; 4]> {
    rects.into_iter().reduce(|a, b| {
        let (x, y) = (a[0].min(b[0]), a[1].min(b[1]));
        let right = (a[0] + a[2]).max(b[0] + b[2]);
        let bottom = (a[1] + a[3]).max(b[1] + b[3]);
        [x, y, right - x, bottom - y]
    })
}

/// A group's frame around what is in it.
pub(crate) fn frame([x, y, width, height]: [f32; 4]) -> [f32; 4] {
    [
        x - PADDING,
        y - PADDING - TITLE,
        width + 2.0 * PADDING,
        height + 2.0 * PADDING + TITLE,
    ]
}

impl Studio {
    /// Where something on the canvas is and how large, `[x, y, width, height]`.
    pub(crate) fn rect(&self, item: &Item) -> Option<[f32; 4]> {
        let graph = self.session.graph();
        match item {
            Item::Node(id) => {
                let [x, y] = graph.nodes.get(id)?.pos.unwrap_or_default();
                let [width, height] = self.size(id);
                Some([x, y, width, height])
            }
            Item::Group(id) => Some(graph.groups.get(id)?.bounds),
            Item::Note(id) => Some(graph.notes.get(id)?.bounds),
        }
    }

    /// A frame around what is selected.
    pub(crate) fn group_selected(&mut self) {
        let rects = self
            .session
            .selection
            .items()
            .filter_map(|it| self.rect(it));
        let Some(bounds) = around(rects) else {
            self.change(GROUP, Err(Refusal::NothingSelected));
            return;
        };
        let groups = &self.session.graph().groups;
        let id = fresh_key("g", |key| groups.contains_key(key));
        let group = Group {
            title: self.tr(GROUP).to_owned(),
            bounds: frame(bounds),
            ..Group::default()
        };
        let edit = Edit::AddGroup {
            id: id.clone(),
            group,
            at: None,
        };
        if self.change(GROUP, Ok(edit)) {
            self.session.selection = Selection::of([Item::Group(id)]);
        }
    }

    /// An empty note at the mouse.
    pub(crate) fn add_note(&mut self) {
        let notes = &self.session.graph().notes;
        let id = fresh_key("n", |key| notes.contains_key(key));
        let [x, y] = self.mouse;
        let note = Note {
            bounds: [x, y, NOTE[0], NOTE[1]],
            ..Note::default()
        };
        let edit = Edit::AddNote {
            id: id.clone(),
            note,
            at: None,
        };
        if self.change(ADD_NOTE, Ok(edit)) {
            self.session.selection = Selection::of([Item::Note(id)]);
        }
    }
}

//! The node search: a field and a list at the mouse. What is chosen is put where the mouse was, and
//! joined to the link in hand if there is one.

use std::sync::Arc;

use egui::text::LayoutJob;
use egui::{
    Area, FontId, Frame, Galley, Id, Key, Modifiers, Order, Pos2, Rect, ScrollArea, Sense,
    TextEdit, TextFormat, Ui, WidgetInfo, WidgetType, pos2, vec2,
};
use longtake_editor::search::{Filter, Hit, find};
use longtake_editor::{Action, Language, LooseLink};

use super::{paint, texts};
use crate::Cx;
use crate::theme::{self, UNIT, kind_colour};
use crate::widgets::name;

/// Width of the list.
const WIDTH: f32 = 400.0;
/// Height of an entry.
const ENTRY: f32 = 40.0;
/// Entries that show at once.
const SHOWN: usize = 9;

/// The node search, open.
#[derive(Debug)]
pub struct Search {
    /// Where the new node goes, points of the graph.
    at: [f32; 2],
    /// Where the list stands, points of the screen.
    corner: Pos2,
    /// The link it takes, and what that carries.
    link: Option<(LooseLink, String)>,
    query: String,
    chosen: usize,
    hits: Option<Vec<Hit>>,
    fresh: bool,
}

impl Search {
    /// Opens at a point of the screen, for a node at a point of the graph.
    pub fn open(at: Pos2, corner: Pos2, link: Option<(LooseLink, String)>) -> Self {
        Self {
            at: at.into(),
            corner,
            link,
            query: String::new(),
            chosen: 0,
            hits: None,
            fresh: true,
        }
    }

    /// The end of the link that stays on the canvas, while the list is open.
    pub fn link(&self) -> Option<&(LooseLink, String)> {
        self.link.as_ref()
    }

    /// Where the new node goes.
    pub fn at(&self) -> Pos2 {
        self.at.into()
    }

    /// Draws it. False when it is over.
    pub fn ui(&mut self, ui: &Ui, cx: &mut Cx<'_>, area: Rect) -> bool {
        if self.hits.is_none() {
            self.hits = Some(self.find(cx));
            self.chosen = 0;
        }
        let hits = self.hits.take().unwrap_or_default();
        let height = 52.0 + ENTRY * SHOWN as f32;
        let corner = pos2(
            self.corner
                .x
                .min(area.right() - WIDTH - 12.0)
                .max(area.left()),
            self.corner.y.min(area.bottom() - height).max(area.top()),
        );
        let keys = Keys::read(ui);
        let mut picked = None;
        let mut typed = false;
        let shown = Area::new(Id::new("node search"))
            .order(Order::Foreground)
            .fixed_pos(corner)
            .show(ui.ctx(), |ui| {
                Frame::popup(ui.style())
                    .inner_margin(2.0 * UNIT)
                    .show(ui, |ui| {
                        ui.set_width(WIDTH);
                        typed = self.field_ui(ui, cx);
                        self.walk(&keys, hits.len());
                        picked = self.list_ui(ui, cx, &hits, &keys);
                    });
            });
        let outside = ui.input(|input| {
            let pressed = input.pointer.any_pressed();
            let at = input.pointer.interact_pos();
            pressed && at.is_some_and(|at| !shown.response.rect.contains(at))
        });
        if picked.is_none() && keys.enter {
            picked = Some(self.chosen);
        }
        if let Some(hit) = picked.and_then(|at| hits.get(at)) {
            cx.act(Action::AddNode {
                class: hit.class.clone(),
                pos: self.at,
                link: self.link.take().map(|(link, _)| link),
            });
            return false;
        }
        self.hits = (!typed).then_some(hits);
        let fresh = std::mem::take(&mut self.fresh);
        !(keys.escape || (outside && !fresh))
    }

    fn find(&self, cx: &Cx<'_>) -> Vec<Hit> {
        let studio = cx.studio;
        let filter = self.link.as_ref().map(|(link, kind)| match link {
            LooseLink::FromOutput { .. } => Filter::Takes(kind.clone()),
            LooseLink::FromInput { .. } => Filter::Gives(kind.clone()),
        });
        find(
            studio.session.project(),
            studio.engine.catalog(),
            studio.language(),
            &self.query,
            filter.as_ref(),
        )
    }

    fn field_ui(&mut self, ui: &mut Ui, cx: &Cx<'_>) -> bool {
        let field = TextEdit::singleline(&mut self.query)
            .hint_text(cx.tr(texts::SEARCH))
            .font(FontId::proportional(15.0))
            .margin(vec2(8.0, 6.0))
            .desired_width(f32::INFINITY);
        let response = ui.add(field);
        name(&response, cx.tr(texts::SEARCH));
        if !response.has_focus() {
            response.request_focus();
        }
        response.changed()
    }

    fn walk(&mut self, keys: &Keys, len: usize) {
        if len == 0 {
            self.chosen = 0;
            return;
        }
        if keys.down {
            self.chosen = (self.chosen + 1) % len;
        }
        if keys.up {
            self.chosen = (self.chosen + len - 1) % len;
        }
        self.chosen = self.chosen.min(len - 1);
    }

    fn list_ui(&mut self, ui: &mut Ui, cx: &Cx<'_>, hits: &[Hit], keys: &Keys) -> Option<usize> {
        if hits.is_empty() {
            let text = if self.link.is_some() && self.query.is_empty() {
                texts::NOTHING_FITS
            } else {
                texts::NOTHING_FOUND
            };
            ui.add_space(UNIT);
            ui.weak(cx.tr(text));
            return None;
        }
        let mut picked = None;
        ui.spacing_mut().item_spacing.y = 0.0;
        // Else it stays as low as the list before was.
        let room = ENTRY * hits.len().min(SHOWN) as f32;
        let mut scroll = ScrollArea::vertical()
            .min_scrolled_height(room)
            .max_height(room);
        if keys.down || keys.up {
            let first = (self.chosen + 1).saturating_sub(SHOWN);
            scroll = scroll.vertical_scroll_offset(first as f32 * ENTRY);
        }
        scroll.show_rows(ui, ENTRY, hits.len(), |ui, rows| {
            for at in rows {
                let (rect, response) =
                    ui.allocate_exact_size(vec2(ui.available_width(), ENTRY), Sense::click());
                response
                    .widget_info(|| WidgetInfo::labeled(WidgetType::Button, true, &hits[at].title));
                let moved = ui.input(|input| input.pointer.delta() != egui::Vec2::ZERO);
                if response.hovered() && moved {
                    self.chosen = at;
                }
                if response.clicked() {
                    picked = Some(at);
                }
                entry(ui, cx, rect, &hits[at], at == self.chosen);
            }
        });
        picked
    }
}

/// Title, other title and class; category at the right; a dot in the colour of what it gives.
fn entry(ui: &Ui, cx: &Cx<'_>, rect: Rect, hit: &Hit, chosen: bool) {
    let palette = theme::of(ui);
    let painter = ui.painter();
    if chosen {
        painter.rect_filled(rect, 4, palette.accent.gamma_multiply(0.28));
    }
    let declaration = cx.studio.engine.catalog().declaration(&hit.class);
    let dark = ui.visuals().dark_mode;
    let gives = declaration.and_then(|it| it.outputs.first());
    let colour = gives.map_or(palette.weak, |it| kind_colour(it.kind.as_str(), dark));
    let (upper, lower) = (rect.top() + 13.0, rect.top() + 28.0);
    painter.circle_filled(pos2(rect.left() + 12.0, upper), 4.0, colour);
    let left = rect.left() + 24.0;
    let right = rect.right() - 8.0;
    let category = paint::text(ui, &hit.category, 11.0, palette.weak, 130.0, 1);
    let room = right - left - category.size().x - 12.0;
    paint::right(painter, pos2(right, upper), category);
    let title = title(ui, hit, room);
    paint::left(painter, pos2(left, upper), title);
    let other = match (declaration, cx.studio.language()) {
        (Some(it), Language::Ja) => it.title,
        (Some(it), Language::En) => it.title_ja,
        (None, _) => "",
    };
    let names = [other, hit.alias.unwrap_or_default(), &hit.class];
    let mut below: Vec<&str> = Vec::new();
    for name in names {
        if !name.is_empty() && name != hit.title && !below.contains(&name) {
            below.push(name);
        }
    }
    let below = paint::text(ui, &below.join("   "), 11.0, palette.weak, right - left, 1);
    paint::left(painter, pos2(left, lower), below);
}

/// The title, with what the query names in the accent's colour.
fn title(ui: &Ui, hit: &Hit, room: f32) -> Arc<Galley> {
    let palette = theme::of(ui);
    let mut job = LayoutJob::default();
    for (at, character) in hit.title.chars().enumerate() {
        let colour = if hit.matched.contains(&at) {
            palette.accent
        } else {
            palette.text
        };
        let format = TextFormat::simple(FontId::proportional(14.0), colour);
        job.append(character.encode_utf8(&mut [0; 4]), 0.0, format);
    }
    job.wrap.max_width = room;
    job.wrap.max_rows = 1;
    job.wrap.break_anywhere = true;
    ui.painter().layout_job(job)
}

/// Keys that steer the list; taken, so that nothing else hears them.
struct Keys {
    down: bool,
    up: bool,
    enter: bool,
    escape: bool,
}

impl Keys {
    fn read(ui: &Ui) -> Self {
        let take = |key| {
            ui.ctx()
                .input_mut(|input| input.consume_key(Modifiers::NONE, key))
        };
        Self {
            down: take(Key::ArrowDown),
            up: take(Key::ArrowUp),
            enter: take(Key::Enter),
            escape: take(Key::Escape),
        }
    }
}

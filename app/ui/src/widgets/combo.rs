//! One of a list: a cell that opens a popup, with a filter when the list is long.

use egui::{
    Align2, Id, Key, Modifiers, Popup, PopupCloseBehavior, Pos2, Rect, Response, ScrollArea, Sense,
    Ui, Vec2, WidgetInfo, WidgetType,
};
use longtake_editor::{Text, t};
use serde_json::Value;

use super::cell;
use super::field::Field;
use crate::Cx;
use crate::theme::{self, ROW};

/// Lists longer than this have a filter.
const FEW: usize = 8;
const FILTER: Text = t("Filter", "絞り込み");
const NONE_FIT: Text = t("Nothing fits", "該当なし");

/// The editor of a choice.
pub fn choice_ui(ui: &mut Ui, cx: &mut Cx<'_>, field: &Field<'_>, rect: Rect, options: &[&str]) {
    let now = field.shown_text();
    let colour = if options.contains(&now.as_str()) {
        cell::value_colour(ui, field.is_default())
    } else {
        theme::of(ui).bad
    };
    let name = field.name(cx);
    let response = button_ui(ui, rect, field.inner_label(), &now, colour, &name);
    outline(ui, cx, field, rect);
    let picked = Popped::new(&response, rect.width()).show(ui, cx, options, &now, &mut plain);
    if let Some(picked) = picked {
        field.set(cx, Value::from(picked));
    }
    field.finish(cx, &response);
}

/// The findings' outline around a cell.
pub fn outline(ui: &Ui, cx: &Cx<'_>, field: &Field<'_>, rect: Rect) {
    if let Some(severity) = field.severity(cx) {
        let stroke = egui::Stroke::new(1.0, cell::severity_colour(ui, severity));
        ui.painter()
            .rect_stroke(rect, cell::CORNERS, stroke, egui::StrokeKind::Inside);
    }
}

/// The closed cell with a triangle at its right end.
pub fn button_ui(
    ui: &Ui,
    rect: Rect,
    label: Option<&str>,
    value: &str,
    colour: egui::Color32,
    name: &str,
) -> Response {
    let response = ui.interact(rect, ui.id().with(("combo", name)), Sense::click());
    response.widget_info(|| {
        let mut info = WidgetInfo::labeled(WidgetType::ComboBox, ui.is_enabled(), name);
        info.current_text_value = Some(value.to_owned());
        info
    });
    cell::paint_ground(ui, rect, Some(&response));
    let mut inner = rect;
    inner.max.x -= 12.0;
    cell::texts(ui, inner, label, value, colour);
    let at = Pos2::new(rect.right() - 10.0, rect.center().y);
    cell::triangle(ui.painter(), at, Vec2::Y, theme::of(ui).weak);
    response
}

/// Draws one option beside its name: a thumbnail, or nothing. Gives the width it took.
pub type Decorate<'a> = dyn FnMut(&mut Ui, &mut Cx<'_>, &str, Rect) -> f32 + 'a;

/// Draws what stands below the list.
pub type Foot<'a> = dyn FnMut(&mut Ui, &mut Cx<'_>) + 'a;

/// No decoration.
pub fn plain(_: &mut Ui, _: &mut Cx<'_>, _: &str, _: Rect) -> f32 {
    0.0
}

/// What a person typed and where the keys stand, while the list is open.
#[derive(Clone, Default)]
struct Open {
    filter: String,
    at: usize,
}

/// The list of a combo.
pub struct Popped<'a> {
    button: &'a Response,
    width: f32,
    row: f32,
    foot: Option<&'a mut Foot<'a>>,
}

impl<'a> Popped<'a> {
    /// The list that a click on `button` opens.
    pub fn new(button: &'a Response, width: f32) -> Self {
        Self {
            button,
            width: width.max(160.0),
            row: ROW,
            foot: None,
        }
    }

    /// Height of a row.
    #[must_use]
    pub fn row(mut self, row: f32) -> Self {
        self.row = row;
        self
    }

    /// Something below the list.
    #[must_use]
    pub fn foot(mut self, foot: &'a mut Foot<'a>) -> Self {
        self.foot = Some(foot);
        self
    }

    /// Shows it while it is open; gives what was picked.
    pub fn show<'s>(
        self,
        ui: &mut Ui,
        cx: &mut Cx<'_>,
        options: &[&'s str],
        now: &str,
        decorate: &mut Decorate<'_>,
    ) -> Option<&'s str> {
        let (button, width, row, foot) = (self.button, self.width, self.row, self.foot);
        let id = Popup::default_response_id(button);
        let popup = Popup::from_toggle_button_response(button)
            .close_behavior(PopupCloseBehavior::CloseOnClickOutside)
            .width(width);
        // A click opens it only once it is shown.
        if !popup.is_open() && !button.clicked() {
            ui.data_mut(|it| it.remove::<Open>(id));
            return None;
        }
        let inner = popup.show(|ui| {
            let picked = list_ui(ui, cx, id, options, now, row, decorate);
            if let Some(foot) = foot {
                foot(ui, cx);
            }
            picked
        });
        let picked = inner.and_then(|it| it.inner);
        if picked.is_some() {
            Popup::close_id(ui.ctx(), id);
            ui.data_mut(|it| it.remove::<Open>(id));
            if ui.input(|it| it.key_down(Key::Enter) || it.key_released(Key::Enter)) {
                button.request_focus();
            }
        }
        picked
    }
}

fn list_ui<'s>(
    ui: &mut Ui,
    cx: &mut Cx<'_>,
    id: Id,
    options: &[&'s str],
    now: &str,
    row: f32,
    decorate: &mut Decorate<'_>,
) -> Option<&'s str> {
    let kept = ui.data(|it| it.get_temp::<Open>(id));
    let fresh = kept.is_none();
    let mut open = kept.unwrap_or_else(|| Open {
        filter: String::new(),
        at: options.iter().position(|it| *it == now).unwrap_or(0),
    });
    let keys = if fresh {
        Keys::default()
    } else {
        Keys::take(ui)
    };
    if options.len() > FEW {
        filter_ui(ui, cx, id, &mut open, fresh);
    }
    let fitting = fitting(options, &open.filter);
    open.at = (open.at + keys.down)
        .saturating_sub(keys.up)
        .min(fitting.len().saturating_sub(1));
    let mut picked = keys.enter.then(|| fitting.get(open.at).copied()).flatten();
    if fitting.is_empty() {
        ui.weak(cx.tr(NONE_FIT));
    }
    let mut area = ScrollArea::vertical()
        .max_height(row * 12.0)
        .auto_shrink([false, true]);
    if fresh || keys.down + keys.up > 0 {
        area = area.vertical_scroll_offset((open.at as f32 - 5.0).max(0.0) * row);
    }
    ui.spacing_mut().item_spacing.y = 0.0;
    area.show_rows(ui, row, fitting.len(), |ui, shown| {
        for at in shown {
            let option = fitting[at];
            let response = row_ui(
                ui,
                cx,
                option,
                [option == now, at == open.at],
                row,
                decorate,
            );
            if response.clicked() {
                picked = Some(option);
            }
        }
    });
    ui.data_mut(|it| it.insert_temp(id, open));
    picked
}

fn filter_ui(ui: &mut Ui, cx: &Cx<'_>, id: Id, open: &mut Open, fresh: bool) {
    let edit = egui::TextEdit::singleline(&mut open.filter)
        .id(id.with("filter"))
        .hint_text(cx.tr(FILTER))
        .desired_width(f32::INFINITY);
    let response = ui.add(edit);
    if fresh {
        response.request_focus();
    }
    if response.changed() {
        open.at = 0;
    }
}

fn row_ui(
    ui: &mut Ui,
    cx: &mut Cx<'_>,
    option: &str,
    [chosen, keyed]: [bool; 2],
    row: f32,
    decorate: &mut Decorate<'_>,
) -> Response {
    let size = Vec2::new(ui.available_width(), row);
    let (rect, response) = ui.allocate_exact_size(size, Sense::click());
    response.widget_info(|| WidgetInfo::selected(WidgetType::Button, true, chosen, option));
    let colours = theme::of(ui);
    if keyed || response.hovered() {
        let fill = colours
            .accent
            .gamma_multiply(if keyed { 0.35 } else { 0.18 });
        ui.painter().rect_filled(rect, cell::CORNERS, fill);
    }
    let mut inner = rect.shrink2(Vec2::new(cell::PAD, 0.0));
    inner.min.x += decorate(ui, cx, option, inner);
    let colour = if chosen { colours.accent } else { colours.text };
    let galley = cell::elided(ui, option, colour, inner.width());
    cell::paint_galley(ui.painter(), inner, Align2::LEFT_CENTER, galley, colour);
    response
}

/// The options that hold every word of the filter.
fn fitting<'s>(options: &[&'s str], filter: &str) -> Vec<&'s str> {
    let words: Vec<String> = filter.split_whitespace().map(str::to_lowercase).collect();
    let fits = |option: &&&str| {
        let option = option.to_lowercase();
        words.iter().all(|word| option.contains(word.as_str()))
    };
    options.iter().filter(fits).copied().collect()
}

/// Keys of an open list, taken so that the filter does not see them.
#[derive(Clone, Copy, Default)]
struct Keys {
    up: usize,
    down: usize,
    enter: bool,
}

impl Keys {
    fn take(ui: &Ui) -> Self {
        ui.input_mut(|it| Self {
            up: it.count_and_consume_key(Modifiers::NONE, Key::ArrowUp),
            down: it.count_and_consume_key(Modifiers::NONE, Key::ArrowDown),
            enter: it.consume_key(Modifiers::NONE, Key::Enter),
        })
    }
}

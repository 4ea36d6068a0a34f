//! The presets, with pictures, and the files that were open last: what a window without a document
//! shows.

use std::path::{Path, PathBuf};

use crossbeam::channel::{Receiver, bounded};
use egui::text::{LayoutJob, TextWrapping};
use egui::{
    Align2, Button, Color32, FontId, Galley, Rect, Response, RichText, ScrollArea, Sense, Stroke,
    StrokeKind, TextFormat, Ui, Vec2, WidgetInfo, WidgetType, vec2,
};
use longtake_editor::engine::Preset;
use longtake_editor::{Action, Command, Language, Text, t};

use crate::pictures::{Picture, picture_ui};
use crate::{Cx, theme};

/// Least width of a card, points; cards share what is left.
const CARD: f32 = 236.0;
/// Space between cards.
const GAP: f32 = 4.0 * theme::UNIT;
/// Height of a card below its picture.
const WORDS: f32 = 128.0;
/// Width of the column with the recent files.
const SIDE: f32 = 248.0;
/// Most recent files shown.
const RECENT: usize = 12;

const TITLE: Text = t("Presets", "プリセット");
const START: Text = t("Start", "スタート");
const NEW: Text = t("New, empty graph", "新しい空のグラフ");
const OPEN: Text = t("Open a file…", "ファイルを開く…");
const BACK: Text = t("Back to the graph", "グラフに戻る");
const RECENTS: Text = t("Recent", "最近使ったファイル");
const NO_RECENTS: Text = t(
    "Files you open appear here.",
    "開いたファイルがここに並びます。",
);
const GONE: Text = t(
    "The file is not there any more.",
    "ファイルが見つかりません。",
);
const FORGET: Text = t("Remove from this list", "一覧から削除");
const LOADING: Text = t("Looking for presets…", "プリセットを探しています…");
const NONE: Text = t("No presets were found.", "プリセットが見つかりません。");
const READY: Text = t("Runs without downloads", "ダウンロード不要");
const ONE_MISSING: Text = t("Needs 1 checkpoint", "モデルが1個必要");
const MISSING: Text = t("Needs {} checkpoints", "モデルが{}個必要");

/// The presets, with pictures.
#[derive(Default)]
pub struct Gallery {
    presets: Option<Vec<Preset>>,
    coming: Option<Receiver<Vec<Preset>>>,
    /// They are read again.
    old: bool,
}

impl Gallery {
    /// Draws it.
    pub fn ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        self.load(ui, cx);
        let margin = 6.0 * theme::UNIT;
        let wide = ui.available_width() > 3.0 * CARD + SIDE;
        ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
            ui.add_space(margin);
            if wide {
                ui.horizontal_top(|ui| {
                    ui.add_space(margin);
                    ui.allocate_ui(vec2(SIDE, 0.0), |ui| {
                        ui.vertical(|ui| {
                            ui.set_width(SIDE);
                            side_ui(ui, cx);
                        });
                    });
                    ui.add_space(margin);
                    let room = ui.available_width() - margin;
                    ui.vertical(|ui| self.presets_ui(ui, cx, room));
                });
            } else {
                egui::Frame::NONE
                    .inner_margin(egui::Margin::symmetric(margin as i8, 0))
                    .show(ui, |ui| {
                        side_ui(ui, cx);
                        ui.add_space(margin);
                        let room = ui.available_width();
                        self.presets_ui(ui, cx, room);
                    });
            }
            ui.add_space(margin);
        });
    }

    /// The presets are compared with the models tree anew: files may have been put there.
    pub fn again(&mut self) {
        self.old = true;
    }

    /// Presets are read on a thread: each is compared with the models tree. What was known shows until
    /// then.
    fn load(&mut self, ui: &Ui, cx: &Cx<'_>) {
        if self.presets.is_some() && !self.old && self.coming.is_none() {
            return;
        }
        if self.coming.is_none() {
            self.old = false;
        }
        let coming = self.coming.get_or_insert_with(|| {
            let (send, coming) = bounded(1);
            let (engine, ctx) = (cx.studio.engine.clone(), ui.ctx().clone());
            let work = move || {
                let _ = send.send(engine.presets());
                ctx.request_repaint();
            };
            let _ = std::thread::Builder::new()
                .name("presets".to_owned())
                .stack_size(16 << 20)
                .spawn(work);
            coming
        });
        match coming.try_recv() {
            Ok(presets) => {
                self.presets = Some(presets);
                self.coming = None;
            }
            Err(error) if error.is_disconnected() => {
                self.presets.get_or_insert_default();
                self.coming = None;
            }
            Err(_) => {}
        }
    }

    fn presets_ui(&self, ui: &mut Ui, cx: &mut Cx<'_>, room: f32) {
        ui.label(RichText::new(cx.tr(TITLE)).size(22.0).strong());
        ui.add_space(GAP);
        let presets = match &self.presets {
            Some(presets) if !presets.is_empty() => presets,
            other => {
                let words = if other.is_some() { NONE } else { LOADING };
                ui.weak(cx.tr(words));
                return;
            }
        };
        let columns = (((room + GAP) / (CARD + GAP)) as usize).max(1);
        let width = (room - GAP * (columns - 1) as f32) / columns as f32;
        ui.spacing_mut().item_spacing = Vec2::splat(GAP);
        for row in presets.chunks(columns) {
            ui.horizontal(|ui| {
                for preset in row {
                    if card_ui(ui, cx, preset, width).clicked() {
                        cx.act(Action::OpenPreset(preset.path.clone()));
                    }
                }
            });
        }
    }
}

/// A preset: picture, title, what it is, what it needs.
fn card_ui(ui: &mut Ui, cx: &mut Cx<'_>, preset: &Preset, width: f32) -> Response {
    let palette = theme::of(ui);
    let size = vec2(width, width * 9.0 / 16.0 + WORDS);
    let (rect, response) = ui.allocate_exact_size(size, Sense::click());
    let language = cx.studio.language();
    let (title, about) = (
        side_of(&preset.title, language),
        side_of(&preset.about, language),
    );
    let needs = needs(preset.missing, language);
    response.widget_info(|| {
        WidgetInfo::labeled(
            WidgetType::Button,
            true,
            format!("{title}. {about} {needs}"),
        )
    });
    if !ui.is_rect_visible(rect) {
        return response;
    }
    let awake = response.hovered() || response.has_focus();
    if response.gained_focus() {
        response.scroll_to_me(None);
    }
    let fill = if awake { palette.head } else { palette.node };
    ui.painter().rect_filled(rect, theme::RADIUS, fill);
    let picture = Rect::from_min_size(rect.min, vec2(width, width * 9.0 / 16.0));
    face_ui(ui, cx, preset, title, picture);
    let edge = if awake { palette.accent } else { palette.edge };
    let stroke = Stroke::new(if awake { 1.5 } else { 1.0 }, edge);
    ui.painter()
        .rect_stroke(rect, theme::RADIUS, stroke, StrokeKind::Inside);
    let inner = Rect::from_min_max(picture.left_bottom(), rect.max).shrink(3.0 * theme::UNIT);
    let painter = ui.painter_at(inner);
    let head = lines(ui, title, 14.5, palette.text, inner.width(), 1);
    let below = inner.min + vec2(0.0, head.size().y + theme::UNIT);
    painter.galley(inner.min, head, palette.text);
    let text = lines(ui, about, 12.0, palette.weak, inner.width(), 3);
    painter.galley(below, text, palette.weak);
    let colour = if preset.missing == 0 {
        palette.good
    } else {
        palette.warn
    };
    let dot = inner.left_bottom() + vec2(3.0, -7.0);
    painter.circle_filled(dot, 3.0, colour);
    painter.text(
        dot + vec2(3.0 * theme::UNIT - 2.0, 0.0),
        Align2::LEFT_CENTER,
        needs,
        FontId::proportional(12.0),
        colour,
    );
    response
}

/// The card's picture; without one, the title's first letter on a colour of its own.
fn face_ui(ui: &mut Ui, cx: &mut Cx<'_>, preset: &Preset, title: &str, rect: Rect) {
    let palette = theme::of(ui);
    let round = egui::CornerRadius {
        nw: theme::RADIUS,
        ne: theme::RADIUS,
        sw: 0,
        se: 0,
    };
    let ctx = ui.ctx().clone();
    let picture = preset.picture.as_ref();
    let picture = picture.map_or(Picture::None, |path| cx.pictures.file(&ctx, path, 512));
    if let Picture::Ready { texture, size } = &picture {
        // Covers the face: what is too wide or too tall is cut at both ends.
        let [w, h] = size.map(|it| it.max(1) as f32);
        let part = vec2((16.0 / 9.0) / (w / h), (w / h) / (16.0 / 9.0)).min(Vec2::splat(1.0));
        let uv = Rect::from_center_size(egui::pos2(0.5, 0.5), part);
        egui::Image::from_texture((texture.id(), rect.size()))
            .uv(uv)
            .corner_radius(round)
            .paint_at(ui, rect);
        return;
    }
    let hash = title
        .bytes()
        .fold(7u32, |h, b| h.wrapping_mul(31) ^ u32::from(b));
    let hue = (hash % 360) as f32 / 360.0;
    let value = if ui.visuals().dark_mode { 0.10 } else { 0.72 };
    let colour: Color32 = egui::ecolor::Hsva::new(hue, 0.35, value, 1.0).into();
    ui.painter().rect_filled(rect, round, colour);
    let letter = title.chars().next().map(String::from).unwrap_or_default();
    let font = FontId::proportional(rect.height() * 0.42);
    let ink = palette.text.gamma_multiply(0.3);
    ui.painter()
        .text(rect.center(), Align2::CENTER_CENTER, letter, font, ink);
    if matches!(picture, Picture::Failed(_)) {
        picture_ui(ui, cx.studio.language(), rect, &picture);
    }
}

/// New, open, and the recent files.
fn side_ui(ui: &mut Ui, cx: &mut Cx<'_>) {
    ui.label(RichText::new(cx.tr(START)).size(22.0).strong());
    ui.add_space(GAP - theme::UNIT);
    if !cx.studio.session.project().nodes.is_empty() {
        wide_button(ui, cx, BACK, Action::Command(Command::Gallery));
    }
    wide_button(ui, cx, NEW, Action::Command(Command::New));
    wide_button(ui, cx, OPEN, Action::Command(Command::Open));
    ui.add_space(GAP);
    ui.strong(cx.tr(RECENTS));
    let studio = cx.studio;
    if studio.files.recent.is_empty() {
        ui.weak(cx.tr(NO_RECENTS));
    }
    for file in studio.files.recent.iter().take(RECENT) {
        recent_ui(ui, cx, &file.path, file.missing);
    }
}

fn wide_button(ui: &mut Ui, cx: &mut Cx<'_>, face: Text, action: Action) {
    let size = vec2(ui.available_width().min(SIDE), theme::ROW + theme::UNIT);
    if ui.add(Button::new(cx.tr(face)).min_size(size)).clicked() {
        cx.act(action);
    }
}

fn recent_ui(ui: &mut Ui, cx: &mut Cx<'_>, path: &Path, missing: bool) {
    let palette = theme::of(ui);
    let width = ui.available_width().min(SIDE);
    let (rect, response) = ui.allocate_exact_size(vec2(width, 40.0), Sense::click());
    let name = path.file_name().unwrap_or(path.as_os_str());
    let name = name.to_string_lossy().into_owned();
    response.widget_info(|| WidgetInfo::labeled(WidgetType::Button, !missing, &name));
    if response.hovered() || response.has_focus() {
        ui.painter().rect_filled(rect, theme::RADIUS, palette.head);
    }
    let inner = rect.shrink2(vec2(2.0 * theme::UNIT, theme::UNIT));
    let ink = if missing { palette.weak } else { palette.text };
    let head = lines(ui, &name, 13.0, ink, inner.width(), 1);
    let folder = path.parent().map(|it| it.display().to_string());
    let folder = lines(
        ui,
        &folder.unwrap_or_default(),
        11.0,
        palette.weak,
        inner.width(),
        1,
    );
    let painter = ui.painter();
    painter.galley(inner.min, head, ink);
    painter.galley(inner.left_center() + vec2(0.0, 2.0), folder, palette.weak);
    let tip = if missing {
        format!("{}\n{}", path.display(), cx.tr(GONE))
    } else {
        path.display().to_string()
    };
    let response = response.on_hover_text(tip);
    if response.clicked() && !missing {
        cx.act(Action::Open(path.to_owned()));
    }
    let path: PathBuf = path.to_owned();
    response.context_menu(|ui| {
        if ui.button(cx.tr(FORGET)).clicked() {
            cx.act(Action::ForgetRecent(path.clone()));
            ui.close();
        }
    });
}

/// A text in at most `rows` rows, cut with an ellipsis.
fn lines(
    ui: &Ui,
    text: &str,
    size: f32,
    colour: Color32,
    width: f32,
    rows: usize,
) -> std::sync::Arc<Galley> {
    let format = TextFormat::simple(FontId::proportional(size), colour);
    let mut job = LayoutJob::single_section(text.to_owned(), format);
    job.wrap = TextWrapping {
        max_width: width,
        max_rows: rows,
        ..TextWrapping::default()
    };
    ui.painter().layout_job(job)
}

fn needs(missing: usize, language: Language) -> String {
    match missing {
        0 => READY.get(language).to_owned(),
        1 => ONE_MISSING.get(language).to_owned(),
        more => MISSING.with(language, &[&more.to_string()]),
    }
}

fn side_of(text: &[String; 2], language: Language) -> &str {
    match language {
        Language::Ja if !text[1].is_empty() => &text[1],
        Language::Ja | Language::En => &text[0],
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::sync::Arc;
    use std::time::{Duration, Instant};

    use egui_kittest::Harness;
    use egui_kittest::kittest::Queryable;
    use longtake_editor::testing::Fake;
    use longtake_editor::{Settings, Studio};

    use super::*;
    use crate::Pictures;

    fn preset(name: &str, missing: usize) -> Preset {
        Preset {
            path: PathBuf::from(format!("/presets/{name}.longtake")),
            title: [name.to_owned(), String::new()],
            about: ["Twelve shots.".to_owned(), String::new()],
            picture: None,
            missing,
        }
    }

    #[test]
    fn presets_open_by_mouse_and_by_keyboard() {
        let engine = Arc::new(Fake {
            presets: vec![preset("animatic", 0), preset("wan", 3)],
            ..Fake::default()
        });
        let settings = Settings {
            language: Some(Language::En),
            ..Settings::default()
        };
        let studio = Studio::new(engine, settings, Arc::new(|| {}));
        let mut gallery = Gallery::default();
        let ui = |ui: &mut Ui, actions: &mut Vec<Action>| {
            let mut cx = Cx {
                studio: &studio,
                actions,
                pictures: &mut Pictures::default(),
                lit: &mut HashSet::new(),
            };
            gallery.ui(ui, &mut cx);
        };
        let mut harness = Harness::builder()
            .with_size([1200.0, 800.0])
            .build_ui_state(ui, Vec::new());
        let start = Instant::now();
        while harness.query_by_label_contains("animatic").is_none() {
            assert!(start.elapsed() < Duration::from_secs(10), "never came");
            std::thread::sleep(Duration::from_millis(2));
            harness.step();
        }
        harness
            .get_by_label_contains("Runs without downloads")
            .click();
        harness.run_steps(2);
        harness.get_by_label_contains("Needs 3 checkpoints").focus();
        harness.run_steps(2);
        harness.key_press(egui::Key::Enter);
        harness.run_steps(2);
        let opened: Vec<&Path> = harness
            .state()
            .iter()
            .filter_map(|it| match it {
                Action::OpenPreset(path) => Some(path.as_path()),
                _ => None,
            })
            .collect();
        let names = ["/presets/animatic.longtake", "/presets/wan.longtake"];
        assert_eq!(opened, names.map(Path::new));
    }
}

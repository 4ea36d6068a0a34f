//! The picture itself: drawn, zoomed, panned, compared.

use std::sync::Arc;

use egui::{
    Align2, Color32, ColorImage, CursorIcon, EventFilter, FontId, Key, Pos2, Rect, Response, Sense,
    Stroke, TextureId, Ui, Vec2, WidgetInfo, WidgetType, pos2, vec2,
};

use longtake_editor::Language;

use super::side::node_title;
use super::view::Stand;
use super::{Compare, Viewer, words};
use crate::pictures::Picture;
use crate::{Cx, theme};

/// A whole texture.
const WHOLE: Rect = Rect::from_min_max(pos2(0.0, 0.0), pos2(1.0, 1.0));
/// How far from the divider it can still be caught, points.
const CATCH: f32 = 5.0;
/// Points of the wheel that double the zoom.
const WHEEL: f32 = 240.0;

impl Viewer {
    pub(super) fn stage_ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, area: Rect) {
        let palette = theme::of(ui);
        ui.painter().rect_filled(area, 0.0, palette.canvas);
        let response = ui.interact(area, ui.id().with("stage"), Sense::click_and_drag());
        let live = self.live.as_ref().map(|it| (it.size, it.image.clone()));
        let [a, b] = [0, 1].map(|at| self.shown[at].as_ref().map(|it| it.image.clone()));
        let of_a = || a.clone().map(|it| (it.size.map(|it| it as u32), Some(it)));
        let Some((size, main)) = live.clone().or_else(of_a) else {
            self.wordless_ui(ui, cx, area);
            return;
        };
        let stand = Stand {
            area: self.left_area(area, live.is_none() && b.is_some()),
            size: vec2(size[0] as f32, size[1] as f32),
            ppp: ui.ctx().pixels_per_point(),
        };
        self.gestures(ui, &response, stand, area, cx.tr(words::STAGE));
        match (live, a, b) {
            (Some(_), ..) => self.live_ui(ui, cx, stand),
            (None, Some(a), Some(b)) => self.both_ui(ui, cx, area, stand, (&a, &b)),
            (None, Some(a), None) => {
                let scale = self.view.scale(stand);
                if let Some(side) = &mut self.a {
                    let texture = side.screen.texture(ui.ctx(), &a, scale);
                    paint(ui, stand.area, self.view.rect(stand), texture);
                }
            }
            (None, None, _) => {}
        }
        self.failure_ui(ui, cx.studio.language(), area);
        if let Some(main) = main.filter(|_| self.values) {
            self.values_ui(ui, &response, area, stand, &main);
        }
    }

    /// Beside each other, A has the left half.
    fn left_area(&self, area: Rect, both: bool) -> Rect {
        if both && self.compare == Compare::Beside {
            Rect::from_min_size(area.min, vec2(area.width() * 0.5 - 1.0, area.height()))
        } else {
            area
        }
    }

    fn wordless_ui(&self, ui: &Ui, cx: &Cx<'_>, area: Rect) {
        let words = match &self.a {
            None => cx.tr(words::EMPTY).to_owned(),
            Some(side) => side.wordless(cx.studio),
        };
        let palette = theme::of(ui);
        let room = (area.width() - 8.0 * theme::UNIT).max(40.0);
        let font = FontId::proportional(13.0);
        let text = ui.painter().layout(words, font, palette.weak, room);
        let at = area.center() - text.size() * 0.5;
        ui.painter_at(area).galley(at, text, palette.weak);
    }

    fn gestures(&mut self, ui: &Ui, response: &Response, stand: Stand, area: Rect, name: &str) {
        if response.clicked() || response.drag_started() {
            response.request_focus();
        }
        response.widget_info(|| WidgetInfo::labeled(WidgetType::Image, true, name));
        if let Some(mouse) = response.hover_pos() {
            let (wheel, pinch) = ui.input(|it| (it.smooth_scroll_delta().y, it.zoom_delta()));
            let factor = (wheel / WHEEL).exp2() * pinch;
            if factor != 1.0 {
                self.view.zoom_at(stand, self.to_left(mouse, area), factor);
            }
        }
        if let Some(mouse) = response
            .interact_pointer_pos()
            .filter(|_| response.double_clicked())
        {
            if self.view.fits() {
                let factor = 1.0 / self.view.scale(stand);
                self.view.zoom_at(stand, self.to_left(mouse, area), factor);
            } else {
                self.view.fit();
            }
        }
        if response.dragged() {
            self.view.pan(stand, response.drag_delta());
        }
        if std::mem::take(&mut self.one_to_one) {
            self.view.one_to_one(stand);
        }
        if response.has_focus() || response.hovered() {
            self.keys(ui, response);
        }
    }

    /// Arrows step, Space plays, Home and End go to the ends. Only arrows work under the mouse
    /// alone: the others mean something else to the window.
    fn keys(&mut self, ui: &Ui, response: &Response) {
        let focused = response.has_focus();
        if !focused && ui.ctx().egui_wants_keyboard_input() {
            return;
        }
        let filter = EventFilter {
            horizontal_arrows: true,
            ..EventFilter::default()
        };
        ui.memory_mut(|it| it.set_focus_lock_filter(response.id, filter));
        let pressed = |key| ui.input(|it| it.num_presses(key)) as i64;
        let frames = self.frames();
        let by = pressed(Key::ArrowRight) - pressed(Key::ArrowLeft);
        if by != 0 {
            self.transport.step(by, frames);
        }
        if !focused || frames == 0 {
            return;
        }
        if pressed(Key::Space) > 0 {
            let now = ui.input(|it| it.time);
            self.transport.toggle(now, frames);
        }
        if pressed(Key::Home) > 0 {
            self.transport.go(0);
        }
        if pressed(Key::End) > 0 {
            self.transport.go(frames - 1);
        }
    }

    fn live_ui(&self, ui: &Ui, cx: &Cx<'_>, stand: Stand) {
        if let Some(live) = &self.live {
            // Previews have few pixels: enlarged they are soft, not blocks.
            if let Picture::Ready { texture, .. } = &live.picture {
                paint(ui, stand.area, self.view.rect(stand), texture.id());
            }
            let title = node_title(cx.studio, &live.node);
            let label = format!("{title} · {}", cx.tr(words::LIVE));
            chip(ui, stand.area.left_top(), Align2::LEFT_TOP, &label);
        }
    }

    fn both_ui(
        &mut self,
        ui: &mut Ui,
        cx: &Cx<'_>,
        area: Rect,
        stand: Stand,
        (a, b): (&Arc<ColorImage>, &Arc<ColorImage>),
    ) {
        let (scale, rect) = (self.view.scale(stand), self.view.rect(stand));
        if self.compare == Compare::Difference {
            let image = self.difference.image(a, b, self.gain);
            let texture = self.difference_screen.texture(ui.ctx(), &image, scale);
            paint(ui, area, rect, texture);
            return;
        }
        let (Some(side_a), Some(side_b)) = (&mut self.a, &mut self.b) else {
            return;
        };
        // B is stretched onto A, so that the same places lie on each other.
        let stretch = a.size[0] as f32 / b.size[0].max(1) as f32;
        let texture_a = side_a.screen.texture(ui.ctx(), a, scale);
        let texture_b = side_b.screen.texture(ui.ctx(), b, scale * stretch);
        let labels = [side_a.label(cx.studio), side_b.label(cx.studio)];
        let middle = if self.compare == Compare::Beside {
            let half = vec2(area.width() * 0.5 + 1.0, 0.0);
            paint(ui, stand.area, rect, texture_a);
            paint(
                ui,
                stand.area.translate(half),
                rect.translate(half),
                texture_b,
            );
            area.center().x
        } else {
            let x = self.divider_ui(ui, cx, area);
            let left = Rect::from_min_max(area.min, pos2(x, area.bottom()));
            let right = Rect::from_min_max(pos2(x, area.top()), area.max);
            paint(ui, left, rect, texture_a);
            paint(ui, right, rect, texture_b);
            x
        };
        divider(ui, area, middle, self.compare == Compare::Wipe);
        chip(
            ui,
            area.left_top(),
            Align2::LEFT_TOP,
            &format!("A  {}", labels[0]),
        );
        chip(
            ui,
            area.right_top(),
            Align2::RIGHT_TOP,
            &format!("B  {}", labels[1]),
        );
    }

    /// The divider in a person's hand; where it stands.
    fn divider_ui(&mut self, ui: &mut Ui, cx: &Cx<'_>, area: Rect) -> f32 {
        let x = area.left() + self.wipe * area.width();
        let grip = Rect::from_x_y_ranges(x - CATCH..=x + CATCH, area.y_range());
        let response = ui
            .interact(grip, ui.id().with("divider"), Sense::drag())
            .on_hover_cursor(CursorIcon::ResizeHorizontal);
        if let Some(at) = response
            .interact_pointer_pos()
            .filter(|_| response.dragged())
        {
            self.wipe = ((at.x - area.left()) / area.width().max(1.0)).clamp(0.0, 1.0);
        }
        let (wipe, name) = (self.wipe, cx.tr(words::DIVIDER));
        response.widget_info(|| WidgetInfo::slider(true, f64::from(wipe), name));
        area.left() + self.wipe * area.width()
    }

    fn failure_ui(&self, ui: &Ui, language: Language, area: Rect) {
        let sides = [
            (&self.a, Align2::LEFT_BOTTOM),
            (&self.b, Align2::RIGHT_BOTTOM),
        ];
        for (side, align) in sides {
            let reel = side.as_ref().and_then(|it| it.reel());
            if let Some(error) = reel.and_then(|it| it.failure(self.transport.frame())) {
                let text = format!("⚠ {}", language.sentence(error));
                chip(ui, align.pos_in_rect(&area), align, &text);
            }
        }
    }

    /// Position and values under the mouse, of what lies there.
    fn values_ui(&self, ui: &Ui, response: &Response, area: Rect, stand: Stand, main: &ColorImage) {
        let Some(mouse) = response.hover_pos() else {
            return;
        };
        let Some([x, y]) = self.view.pixel(stand, self.to_left(mouse, area)) else {
            return;
        };
        let mut text = format!("{x}, {y}   {}", values(main, [x, y], main.size));
        if let (Some(b), None) = (&self.shown[1], &self.live) {
            text.push_str("   B ");
            text.push_str(&values(&b.image, [x, y], main.size));
        }
        chip(ui, area.center_bottom(), Align2::CENTER_BOTTOM, &text);
    }

    /// A point of the right half as one of the left.
    fn to_left(&self, at: Pos2, area: Rect) -> Pos2 {
        let beside = self.compare == Compare::Beside && self.b.is_some() && self.live.is_none();
        if beside && at.x > area.center().x {
            at - vec2(area.width() * 0.5 + 1.0, 0.0)
        } else {
            at
        }
    }
}

/// `r g b  #rrggbb` of a pixel; of an image of another size, of the same place.
fn values(image: &ColorImage, [x, y]: [u32; 2], of: [usize; 2]) -> String {
    let at = |at: u32, axis: usize| at as usize * image.size[axis] / of[axis].max(1);
    let index = at(y, 1) * image.size[0] + at(x, 0);
    let Some(px) = image.pixels.get(index) else {
        return String::new();
    };
    let [r, g, b, a] = px.to_srgba_unmultiplied();
    let alpha = if a == 255 {
        String::new()
    } else {
        format!(" α{a}")
    };
    format!("{r:>3} {g:>3} {b:>3}{alpha}  #{r:02x}{g:02x}{b:02x}")
}

fn paint(ui: &Ui, area: Rect, rect: Rect, texture: TextureId) {
    let painter = ui.painter_at(area);
    painter.image(texture, rect, WHOLE, Color32::WHITE);
}

fn divider(ui: &Ui, area: Rect, x: f32, grip: bool) {
    let painter = ui.painter_at(area);
    let palette = theme::of(ui);
    painter.vline(
        x,
        area.y_range(),
        Stroke::new(3.0, Color32::from_black_alpha(120)),
    );
    painter.vline(x, area.y_range(), Stroke::new(1.0, Color32::WHITE));
    if grip {
        let at = pos2(x, area.center().y);
        painter.circle(at, 7.0, palette.accent, Stroke::new(1.5, Color32::WHITE));
    }
}

/// A line of text at an edge of the picture, readable on anything.
fn chip(ui: &Ui, at: Pos2, align: Align2, text: &str) {
    let font = FontId::monospace(11.0);
    let text = ui
        .painter()
        .layout_no_wrap(text.to_owned(), font, Color32::WHITE);
    let margin = Vec2::splat(theme::UNIT);
    let size = text.size() + margin * 2.0;
    let rect = align.anchor_size(at, size + margin * 2.0).shrink2(margin);
    let rect = Rect::from_center_size(rect.center(), size);
    let painter = ui.painter();
    painter.rect_filled(rect, 3.0, Color32::from_black_alpha(170));
    painter.galley(rect.min + margin, text, Color32::WHITE);
}

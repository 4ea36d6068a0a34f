//! A picture within a rectangle: whole, in the middle, with a calm face for what is not there.

use egui::{Align2, Color32, FontId, Rect, Sense, Ui, Vec2, pos2};
use longtake_editor::Language;

use super::Picture;
use crate::theme;

/// Where a picture of that size lies in a rectangle: whole, in the middle, never enlarged beyond
/// `most` times.
pub fn fitted(rect: Rect, size: [u32; 2], most: f32) -> Rect {
    let size = Vec2::new(size[0].max(1) as f32, size[1].max(1) as f32);
    let scale = (rect.size() / size).min_elem().min(most);
    Rect::from_center_size(rect.center(), size * scale)
}

/// Paints a picture into a rectangle of the `ui`. Says what it could not read when the mouse rests
/// on it.
pub fn picture_ui(ui: &mut Ui, language: Language, rect: Rect, picture: &Picture) {
    let palette = theme::of(ui);
    let painter = ui.painter();
    match picture {
        Picture::Ready { texture, size } => {
            let whole = Rect::from_min_max(pos2(0.0, 0.0), pos2(1.0, 1.0));
            let at = fitted(rect, *size, f32::INFINITY);
            painter.image(texture.id(), at, whole, Color32::WHITE);
        }
        Picture::Loading | Picture::None => {}
        Picture::Failed(error) => {
            painter.text(
                rect.center(),
                Align2::CENTER_CENTER,
                "⚠",
                FontId::proportional((rect.height() * 0.3).clamp(10.0, 24.0)),
                palette.warn,
            );
            ui.interact(rect, ui.id().with("unread"), Sense::hover())
                .on_hover_text(language.sentence(error));
        }
    }
}

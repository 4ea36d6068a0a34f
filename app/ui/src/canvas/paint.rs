//! Small things painted in many places.

use std::sync::Arc;

use egui::text::{LayoutJob, TextWrapping};
use egui::{Color32, FontId, Galley, Painter, Pos2, Rect, Shape, Stroke, TextFormat, Ui, pos2};

use crate::theme::RADIUS;

/// Size of a node's title.
pub const TITLE_SIZE: f32 = 13.5;
/// Size of a socket's label.
pub const LABEL_SIZE: f32 = 12.5;
/// Size of small text.
pub const SMALL_SIZE: f32 = 10.5;

/// Text of at most `rows` lines, cut with an ellipsis.
pub fn text(
    ui: &Ui,
    text: &str,
    size: f32,
    colour: Color32,
    width: f32,
    rows: usize,
) -> Arc<Galley> {
    let mut job = LayoutJob::single_section(
        text.to_owned(),
        TextFormat::simple(FontId::proportional(size), colour),
    );
    job.wrap = TextWrapping {
        max_width: width.max(1.0),
        max_rows: rows,
        break_anywhere: rows == 1,
        overflow_character: Some('…'),
    };
    ui.painter().layout_job(job)
}

/// Paints a galley with its left middle at a point.
pub fn left(painter: &Painter, at: Pos2, galley: Arc<Galley>) {
    let pos = pos2(at.x, at.y - galley.size().y / 2.0);
    painter.galley(pos, galley, Color32::WHITE);
}

/// Paints a galley with its right middle at a point.
pub fn right(painter: &Painter, at: Pos2, galley: Arc<Galley>) {
    let pos = pos2(at.x - galley.size().x, at.y - galley.size().y / 2.0);
    painter.galley(pos, galley, Color32::WHITE);
}

/// A dashed frame with cut corners.
pub fn dashed(painter: &Painter, rect: Rect, stroke: Stroke) {
    let r = f32::from(RADIUS) * 0.6;
    let corners = [
        pos2(rect.left() + r, rect.top()),
        pos2(rect.right() - r, rect.top()),
        pos2(rect.right(), rect.top() + r),
        pos2(rect.right(), rect.bottom() - r),
        pos2(rect.right() - r, rect.bottom()),
        pos2(rect.left() + r, rect.bottom()),
        pos2(rect.left(), rect.bottom() - r),
        pos2(rect.left(), rect.top() + r),
        pos2(rect.left() + r, rect.top()),
    ];
    painter.extend(Shape::dashed_line(&corners, stroke, 6.0, 4.0));
}

/// Two short lines in a corner that can be dragged.
pub fn grip(painter: &Painter, corner: Pos2, colour: Color32) {
    for reach in [5.0, 9.0] {
        let from = pos2(corner.x - reach, corner.y - 3.0);
        let to = pos2(corner.x - 3.0, corner.y - reach);
        painter.line_segment([from, to], Stroke::new(1.0, colour));
    }
}

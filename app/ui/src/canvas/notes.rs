//! Notes: text on the canvas. Headings and bold lines stand out; other Markdown shows as written.

use egui::text::LayoutJob;
use egui::{
    Color32, CornerRadius, FontId, Painter, Rect, Stroke, StrokeKind, TextFormat, Ui, WidgetInfo,
    WidgetType,
};
use longtake_editor::Item;

use super::hit::Hit;
use super::node::Near;
use super::rename::Editing;
use super::{lod, paint, texts};
use crate::Cx;
use crate::theme::{Palette, RADIUS};

fn fill(palette: &Palette) -> Color32 {
    lod::mix(palette.node, Color32::from_rgb(222, 190, 92), 0.16)
}

/// The box alone, for far views. Points of the screen.
pub fn draw_far(painter: &Painter, rect: Rect, palette: &Palette) {
    painter.rect_filled(rect, CornerRadius::same(2), fill(palette));
}

/// Draws a note in the nodes' layer.
pub fn note_ui(ui: &mut Ui, cx: &mut Cx<'_>, near: &mut Near<'_>, index: usize) {
    let note = &near.layout.notes[index];
    let palette = near.palette;
    let item = Item::Note(note.id.clone());
    let selected = cx.studio.session.selection.has(&item);
    let hovered = matches!(near.hover, Hit::Note(at) | Hit::NoteCorner(at) if at == index);
    let stroke = match (selected, hovered) {
        (true, _) => Stroke::new(2.0, palette.accent),
        (_, true) => Stroke::new(1.0, lod::mix(palette.edge, palette.text, 0.35)),
        _ => Stroke::new(1.0, palette.edge),
    };
    let rounding = CornerRadius::same(RADIUS);
    ui.painter().rect(
        note.rect,
        rounding,
        fill(&palette),
        stroke,
        StrokeKind::Outside,
    );
    let id = ui.id().with(("note", note.id.as_str()));
    let reach = ui.interact(note.rect, id, egui::Sense::hover());
    reach.widget_info(|| WidgetInfo::labeled(WidgetType::Other, true, &note.text));
    let inside = note.rect.shrink(10.0);
    if Editing::note_ui(near.editing, ui, cx, &item, note.rect.shrink(4.0)) {
        return;
    }
    let job = if note.text.trim().is_empty() {
        plain(cx.tr(texts::EMPTY_NOTE), palette.weak)
    } else {
        marked(&note.text, &palette)
    };
    let painter = ui
        .painter()
        .with_clip_rect(ui.clip_rect().intersect(note.rect.shrink(2.0)));
    let mut job = job;
    job.wrap.max_width = inside.width();
    let galley = painter.layout_job(job);
    painter.galley(inside.min, galley, palette.text);
    if hovered || selected {
        paint::grip(ui.painter(), note.rect.max, palette.weak);
    }
}

fn plain(text: &str, colour: Color32) -> LayoutJob {
    let format = TextFormat::simple(FontId::proportional(paint::LABEL_SIZE), colour);
    LayoutJob::single_section(text.to_owned(), format)
}

/// Headings larger, `**bold**` brighter, list marks as dots.
fn marked(text: &str, palette: &Palette) -> LayoutJob {
    let mut job = LayoutJob::default();
    let body = lod::mix(palette.text, palette.weak, 0.35);
    for (at, line) in text.lines().enumerate() {
        if at > 0 {
            job.append(
                "\n",
                0.0,
                TextFormat::simple(FontId::proportional(paint::LABEL_SIZE), body),
            );
        }
        let depth = line.chars().take_while(|&c| c == '#').count();
        if (1..=6).contains(&depth) && line[depth..].starts_with(' ') {
            let size = paint::LABEL_SIZE + (7 - depth.min(6)) as f32 * 0.9;
            let format = TextFormat::simple(FontId::proportional(size), palette.text);
            job.append(line[depth..].trim_start(), 0.0, format);
            continue;
        }
        let (lead, rest) = match line.strip_prefix("- ").or_else(|| line.strip_prefix("* ")) {
            Some(rest) => ("•  ", rest),
            None => ("", line),
        };
        let format = |colour| TextFormat::simple(FontId::proportional(paint::LABEL_SIZE), colour);
        job.append(lead, 0.0, format(body));
        for (part, piece) in rest.split("**").enumerate() {
            let colour = if part % 2 == 1 { palette.text } else { body };
            job.append(piece, 0.0, format(colour));
        }
    }
    job
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_read() {
        let palette = crate::theme::palette(true);
        let job = marked("# Look\n- a **b** c", &palette);
        assert_eq!(job.text, "Look\n•  a b c");
        assert!(job.sections[0].format.font_id.size > paint::LABEL_SIZE);
    }
}

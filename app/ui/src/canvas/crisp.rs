//! Crisp text at every zoom.
//!
//! Nodes are drawn at 1:1 in a layer of their own, which egui transforms: so every widget works at
//! every zoom, without knowing of it. But egui would scale the *pixels* of its text. Here the
//! layer's shapes are taken out, transformed, and each text is laid out anew at the size it has on
//! the screen; egui's galley cache makes that cheap while the zoom rests.

use std::sync::Arc;

use egui::emath::TSTransform;
use egui::epaint::{ClippedShape, TextShape};
use egui::{Context, Galley, LayerId, Shape};

/// Font sizes are rounded to this, points: a glyph atlas holds few sizes rather than every one a
/// zoom passes through.
const STEP: f32 = 0.25;

/// Moves everything drawn in `layer` to `onto`, transformed. Interaction stays where it was.
pub fn move_layer(ctx: &Context, layer: LayerId, onto: LayerId, to_screen: TSTransform) {
    let list = ctx.graphics_mut(|graphics| std::mem::take(graphics.entry(layer)));
    let scaled = (to_screen.scaling - 1.0).abs() > 1e-3;
    let mut shapes: Vec<ClippedShape> = list.all_entries().cloned().collect();
    for clipped in &mut shapes {
        clipped.clip_rect = to_screen * clipped.clip_rect;
        transform(ctx, &mut clipped.shape, to_screen, scaled);
    }
    ctx.graphics_mut(|graphics| {
        let list = graphics.entry(onto);
        for clipped in shapes {
            list.add(clipped.clip_rect, clipped.shape);
        }
    });
}

#[expect(clippy::wildcard_enum_match_arm, reason = "egui's own")]
fn transform(ctx: &Context, shape: &mut Shape, to_screen: TSTransform, scaled: bool) {
    match shape {
        Shape::Text(text) if !scaled => text.pos = to_screen * text.pos,
        Shape::Text(text) => match at_size(ctx, text, to_screen.scaling) {
            Some(galley) => {
                text.pos = to_screen * text.pos;
                text.underline.width *= to_screen.scaling;
                text.galley = galley;
            }
            None => text.transform(to_screen),
        },
        Shape::Vec(shapes) => {
            for shape in shapes {
                transform(ctx, shape, to_screen, scaled);
            }
        }
        other => other.transform(to_screen),
    }
}

/// The same text, laid out at another size; `None` when it would not be the same: other line breaks,
/// or something drawn into it (a selection).
fn at_size(ctx: &Context, text: &TextShape, scale: f32) -> Option<Arc<Galley>> {
    let old = &text.galley;
    let mut job = (*old.job).clone();
    for section in &mut job.sections {
        let size = section.format.font_id.size * scale;
        section.format.font_id.size = ((size / STEP).round() * STEP).max(STEP);
        section.format.extra_letter_spacing *= scale;
        section.format.line_height = section.format.line_height.map(|it| it * scale);
        section.leading_space *= scale;
    }
    // Rounding may make a line a little longer: it must not break for that.
    if job.wrap.max_width.is_finite() {
        job.wrap.max_width = job.wrap.max_width * scale + 1.0;
    }
    let new = ctx.fonts_mut(|fonts| fonts.layout_job(job));
    let vertices = |galley: &Galley| -> usize {
        let rows = galley.rows.iter();
        rows.map(|row| row.row.visuals.mesh.vertices.len()).sum()
    };
    let same = new.rows.len() == old.rows.len()
        && (new.elided == old.elided)
        && (old.elided || vertices(&new) == vertices(old));
    same.then_some(new)
}

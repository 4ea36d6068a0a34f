//! The picture below a node: what it is making, else what it made. Resting on a clip scrubs it.

use egui::{Align2, Color32, CornerRadius, FontId, Rect, Sense, Ui, Vec2, pos2, vec2};
use longtake_editor::ViewerAction;
use longtake_editor::status::State;

use super::layout::Laid;
use super::measure::PAD;
use super::node::Near;
use super::texts;
use crate::pictures::Picture;
use crate::{Cx, Pictures};

/// Longest side of a thumbnail, pixels.
const SIDE: u32 = 384;
/// Tallest a picture may be, points.
const TALLEST: f32 = 260.0;
/// Stops of a clip that is scrubbed here.
const STOPS: u64 = 24;

/// The picture of a node at a frame, and how many frames there are.
fn of(ui: &Ui, cx: &mut Cx<'_>, node: &Laid, frame: u64) -> (Picture, u64) {
    let status = cx.studio.status.node(&node.flat);
    let running = status.is_some_and(|it| {
        it.preview.is_some() && matches!(it.state, State::Running | State::Queued)
    });
    if running {
        return (Pictures::preview(cx, ui.ctx(), &node.flat), 1);
    }
    // Until a run has something new, what the last one made stays.
    let made = status.is_some_and(|it| !matches!(it.state, State::Idle | State::Failed(_)));
    let stored = node.outlook.planned && node.outlook.cached;
    if made || stored {
        return Pictures::result(cx, ui.ctx(), &node.flat, frame, SIDE);
    }
    (Picture::None, 0)
}

/// Asks whether a node has a picture, and makes room for it from the next frame on.
pub fn ask(ui: &Ui, cx: &mut Cx<'_>, near: &mut Near<'_>, node: &Laid) {
    let status = cx.studio.status.node(&node.flat);
    let running = status.is_some_and(|it| matches!(it.state, State::Running | State::Queued));
    let height = match of(ui, cx, node, 0).0 {
        Picture::Ready { size, .. } if size[0] > 0 => {
            let width = node.rect.width() - 2.0 * PAD;
            (width * size[1] as f32 / size[0] as f32)
                .min(TALLEST)
                .round()
        }
        // On its way: the room it had stays, so that nothing jumps.
        Picture::Loading => return,
        Picture::None if running => return,
        Picture::None | Picture::Ready { .. } | Picture::Failed(_) => 0.0,
    };
    let room = near.pictures.get(&node.flat).copied().unwrap_or(0.0);
    if (room - height).abs() < 1.0 {
        return;
    }
    if height > 0.0 {
        near.pictures.insert(node.flat.clone(), height);
    } else {
        near.pictures.remove(&node.flat);
    }
    ui.ctx().request_repaint();
}

/// Draws it.
pub fn picture_ui(ui: &mut Ui, cx: &mut Cx<'_>, near: &Near<'_>, node: &Laid, rect: Rect) {
    let id = ui.id().with(("picture", node.id.as_str()));
    // Clicks and drags stay the node's; only resting here is ours.
    let response = ui.interact(rect, id, Sense::hover());
    let (first, frames) = of(ui, cx, node, 0);
    let mut shown = first;
    let mut at = None;
    let mouse = response.hover_pos().filter(|_| frames > 1);
    if let Some(mouse) = mouse {
        let part = ((mouse.x - rect.left()) / rect.width()).clamp(0.0, 1.0);
        let stops = frames.min(STOPS);
        let stop = ((part * stops as f32) as u64).min(stops - 1);
        let frame = stop * (frames - 1) / (stops - 1).max(1);
        if let (Picture::Ready { texture, size }, _) = of(ui, cx, node, frame) {
            shown = Picture::Ready { texture, size };
        }
        at = Some(part);
    }
    let painter = ui.painter();
    painter.rect_filled(rect, CornerRadius::same(3), Color32::from_black_alpha(60));
    let Picture::Ready { texture, size } = shown else {
        return;
    };
    let size = vec2(size[0] as f32, size[1] as f32);
    let scale = (rect.size() / size).min_elem();
    let place = Rect::from_center_size(rect.center(), size * scale);
    let whole = Rect::from_min_max(pos2(0.0, 0.0), pos2(1.0, 1.0));
    painter.image(texture.id(), place, whole, Color32::WHITE);
    if frames > 1 {
        let text = texts::FRAMES.with(cx.studio.language(), &[&frames.to_string()]);
        badge(ui, place, &text);
    }
    if let Some(part) = at {
        let x = place.left() + place.width() * part;
        let mark = Rect::from_min_max(
            pos2(x - 0.75, place.bottom() - 6.0),
            pos2(x + 0.75, place.bottom()),
        );
        painter.rect_filled(mark, 0, near.palette.accent);
    }
}

/// A word over the lower left corner of a picture.
fn badge(ui: &Ui, place: Rect, text: &str) {
    let painter = ui.painter();
    let at = place.left_bottom() + vec2(6.0, -5.0);
    let font = FontId::proportional(super::paint::SMALL_SIZE);
    let galley = painter.layout_no_wrap(text.to_owned(), font, Color32::from_white_alpha(230));
    let area = Align2::LEFT_BOTTOM.anchor_size(at, galley.size());
    let pad: Vec2 = vec2(4.0, 1.0);
    painter.rect_filled(
        area.expand2(pad),
        CornerRadius::same(3),
        Color32::from_black_alpha(150),
    );
    painter.galley(area.min, galley, Color32::WHITE);
}

/// Shows what a node made in the viewer.
pub fn view(cx: &mut Cx<'_>, node: &Laid) {
    cx.act(
        ViewerAction::Node {
            node: node.flat.clone(),
            second: false,
        }
        .into(),
    );
}

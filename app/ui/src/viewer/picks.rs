//! Choosing what a side shows: the nodes that have results, with thumbnails, and their shots.

use egui::{Button, ComboBox, Image, ScrollArea, Ui, Vec2, load::SizedTexture};
use longtake_graph::NodeId;

use super::side::{What, node_title};
use super::words;
use crate::pictures::{Picture, Pictures};
use crate::{Cx, theme};

/// Height of a row with a thumbnail, points.
const THUMB: f32 = 32.0;

/// A button that opens the list of what can be looked at; says what was chosen.
pub fn pick_ui(ui: &mut Ui, cx: &mut Cx<'_>, face: &str) -> Option<What> {
    let mut chosen = None;
    ui.menu_button(face, |ui| {
        ui.set_min_width(240.0);
        ScrollArea::vertical().max_height(360.0).show(ui, |ui| {
            let nodes = cx.pictures.finder().nodes(cx.studio);
            let mut any = false;
            for node in nodes {
                any |= row_ui(ui, cx, &node, &mut chosen);
            }
            if !any {
                ui.weak(cx.tr(words::NO_RESULTS));
            }
        });
        if chosen.is_some() {
            ui.close();
        }
    });
    chosen
}

/// A row per node that has something to show; false when it has not.
fn row_ui(ui: &mut Ui, cx: &mut Cx<'_>, node: &NodeId, chosen: &mut Option<What>) -> bool {
    let ctx = ui.ctx().clone();
    let (picture, frames) = Pictures::result(cx, &ctx, node, 0, 64);
    let Picture::Ready { texture, size } = picture else {
        return matches!(picture, Picture::Loading);
    };
    let size = Vec2::new(size[0].max(1) as f32, size[1].max(1) as f32);
    let image = Image::from_texture(SizedTexture::new(texture.id(), size * (THUMB / size.y)))
        .max_size(Vec2::new(THUMB * 2.0, THUMB));
    let mut title = node_title(cx.studio, node);
    if frames > 1 {
        title = format!("{title}  ·  {frames}");
    }
    let button = Button::image_and_text(image, title)
        .frame_when_inactive(false)
        .min_size(Vec2::new(ui.available_width(), THUMB + theme::UNIT));
    let response = ui.add(button);
    if response.hovered() {
        cx.lit.insert(node.clone());
    }
    if response.clicked() {
        *chosen = Some(What::Node {
            node: node.clone(),
            shot: None,
        });
    }
    true
}

/// The shots of the node a side shows; says which was chosen.
pub fn shot_ui(ui: &mut Ui, cx: &mut Cx<'_>, what: &What, salt: &str) -> Option<What> {
    let What::Node { node, shot } = what else {
        return None;
    };
    let shots = Pictures::shots(cx, node);
    let first = shots.first()?;
    let now = shot.as_ref().unwrap_or(first);
    let mut chosen = None;
    ComboBox::from_id_salt((salt, "shot"))
        .width(72.0)
        .selected_text(&**now)
        .show_ui(ui, |ui| {
            for it in &shots {
                if ui.selectable_label(it == now, &**it).clicked() {
                    chosen = Some(What::Node {
                        node: node.clone(),
                        shot: Some(it.clone()),
                    });
                }
            }
        })
        .response
        .on_hover_text(cx.tr(words::SHOT));
    chosen
}

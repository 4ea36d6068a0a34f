//! The whole graph in a corner, with what shows; clicking or dragging in it moves the view.

use egui::emath::TSTransform;
use egui::{
    Area, Color32, CornerRadius, Id, Order, Rect, Sense, Stroke, StrokeKind, Ui, Vec2, WidgetInfo,
    WidgetType, vec2,
};

use super::layout::Layout;
use super::lod::{self, Marks};
use super::strokes::Strokes;
use super::view::View;
use crate::theme::{Palette, RADIUS};

/// Its size, points.
const SIZE: Vec2 = vec2(176.0, 116.0);
/// From the canvas' corner.
const GAP: f32 = 12.0;

/// What the minimap shows.
pub struct Map<'a> {
    /// Everything.
    pub layout: &'a Layout,
    /// The canvas, points of the screen.
    pub area: Rect,
    /// What shows.
    pub view: View,
    /// Colours.
    pub palette: Palette,
    /// Dark theme.
    pub dark: bool,
    /// What assistive tools call it.
    pub name: &'a str,
    /// Marks of a node.
    pub marks: &'a dyn Fn(usize) -> Marks<'a>,
}

/// Draws it; gives the point of the graph to put in the middle of the view.
pub fn minimap_ui(ui: &Ui, map: &Map<'_>) -> Option<egui::Pos2> {
    let bounds = map.layout.bounds()?;
    if map.area.width() < SIZE.x * 2.5 || map.area.height() < SIZE.y * 2.5 {
        return None;
    }
    let place = Rect::from_min_size(map.area.max - SIZE - Vec2::splat(GAP), SIZE);
    let shown = map.view.shown(map.area.size());
    let whole = bounds
        .union(shown.intersect(bounds.expand2(bounds.size())))
        .expand(40.0);
    let inside = place.shrink(6.0);
    let scale = (inside.size() / whole.size()).min_elem();
    let to_map = TSTransform::new(
        inside.center().to_vec2() - whole.center().to_vec2() * scale,
        scale,
    );
    let id: Id = ui.id().with("minimap");
    let shown_area = Area::new(id)
        .order(Order::Middle)
        .fixed_pos(place.min)
        .constrain(false)
        .show(ui.ctx(), |ui| {
            let (_, response) = ui.allocate_exact_size(SIZE, Sense::click_and_drag());
            response.widget_info(|| WidgetInfo::labeled(WidgetType::Other, true, map.name));
            draw(ui, map, place, to_map, shown);
            response
        });
    let response = shown_area.inner;
    let at = response.interact_pointer_pos()?;
    (response.dragged() || response.clicked() || response.is_pointer_button_down_on())
        .then(|| to_map.inverse() * at)
}

fn draw(ui: &Ui, map: &Map<'_>, place: Rect, to_map: TSTransform, shown: Rect) {
    let palette = &map.palette;
    let painter = ui.painter().with_clip_rect(place);
    let back = lod::mix(palette.canvas, palette.node, 0.5).gamma_multiply(0.94);
    let edge = Stroke::new(1.0, palette.edge);
    painter.rect(
        place,
        CornerRadius::same(RADIUS),
        back,
        edge,
        StrokeKind::Inside,
    );
    let mut strokes = Strokes::new(ui.ctx().pixels_per_point());
    for group in &map.layout.groups {
        let colour = group.colour.unwrap_or(palette.weak).gamma_multiply(0.25);
        strokes.area(to_map * group.rect, colour);
    }
    for (index, node) in map.layout.nodes.iter().enumerate() {
        let mut rect = to_map * node.rect;
        rect = Rect::from_center_size(rect.center(), rect.size().max(Vec2::splat(1.5)));
        // What is done is the rule: only what stands out is coloured here.
        let edge = lod::edge(node, (map.marks)(index), palette).filter(|it| *it != palette.good);
        let (_, head) = lod::fills(node, palette, map.dark);
        strokes.area(rect, edge.unwrap_or(lod::mix(head, palette.text, 0.3)));
    }
    painter.add(strokes.shape());
    let window = (to_map * shown).intersect(place.shrink(1.0));
    if window.is_positive() {
        let fill: Color32 = palette.accent.gamma_multiply(0.10);
        let edge = Stroke::new(1.0, palette.accent);
        painter.rect(
            window,
            CornerRadius::same(2),
            fill,
            edge,
            StrokeKind::Inside,
        );
    }
}

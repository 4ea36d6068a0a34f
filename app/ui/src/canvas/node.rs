//! A node seen near: frame, title, state, and its rows. Drawn at 1:1 in the nodes' layer.

use std::collections::HashMap;

use egui::epaint::{RectShape, Shadow};
use egui::{
    CornerRadius, Id, Pos2, Rect, Sense, Shape, Stroke, StrokeKind, Ui, WidgetInfo, WidgetType,
    pos2, vec2,
};
use longtake_graph::{Mode, NodeId};

use super::gestures::Linking;
use super::hit::Hit;
use super::layout::{Laid, Layout};
use super::measure::PAD;
use super::rename::Editing;
use super::{hit, lod, paint, rows, status, texts};
use crate::Cx;
use crate::theme::{Palette, RADIUS};

/// What a near node is drawn with.
pub struct Near<'a> {
    /// Where everything stands.
    pub layout: &'a Layout,
    /// Colours.
    pub palette: Palette,
    /// Dark theme.
    pub dark: bool,
    /// Under the mouse.
    pub hover: Hit,
    /// The link in hand.
    pub linking: Option<&'a Linking>,
    /// What is being written.
    pub editing: &'a mut Option<Editing>,
    /// Heights of the pictures below nodes, by lowered id.
    pub pictures: &'a mut HashMap<NodeId, f32>,
}

/// Id of a node's body.
pub fn id_of(canvas: Id, node: &Laid) -> Id {
    canvas.with(("node", node.id.as_str()))
}

/// Draws a node; gives the id of its body, which takes the mouse.
pub fn node_ui(ui: &mut Ui, cx: &mut Cx<'_>, near: &mut Near<'_>, index: usize, canvas: Id) -> Id {
    let node = &near.layout.nodes[index];
    let id = id_of(canvas, node);
    let body = ui.interact(node.rect, id, Sense::click_and_drag());
    body.widget_info(|| WidgetInfo::labeled(WidgetType::Other, true, &node.title));
    let faded = near
        .linking
        .is_some_and(|linking| !takes_part(linking, near.layout, index));
    if faded {
        ui.set_opacity(0.45);
    }
    if node.reroute {
        reroute(ui, cx, near, index);
    } else {
        frame(ui, cx, near, index);
        title(ui, cx, near, index);
        rows::rows_ui(ui, cx, near, index);
    }
    ui.set_opacity(1.0);
    id
}

/// Whether the link in hand begins or could land here.
fn takes_part(linking: &Linking, layout: &Layout, index: usize) -> bool {
    use longtake_editor::LooseLink;
    let (LooseLink::FromOutput { node, .. } | LooseLink::FromInput { node, .. }) = &linking.loose;
    let bundle = linking.bundle.as_ref();
    let held = bundle.is_some_and(|it| it.ends.iter().any(|end| end.node() == index));
    held || layout.nodes[index].id == *node
        || linking.makes_port(layout, index)
        || linking.landing(layout, index).is_some()
}

/// Shadow, body and edge.
fn frame(ui: &Ui, cx: &Cx<'_>, near: &Near<'_>, index: usize) {
    let node = &near.layout.nodes[index];
    let palette = &near.palette;
    let painter = ui.painter();
    let radius = CornerRadius::same(RADIUS);
    let shadow = Shadow {
        offset: [0, 3],
        blur: 12,
        spread: 0,
        color: egui::Color32::from_black_alpha(if near.dark { 90 } else { 34 }),
    };
    painter.add(shadow.as_shape(node.rect, radius));
    let selected = cx.studio.session.selection.has_node(&node.id);
    let lit = cx.lit.contains(&node.flat);
    if lit && !selected {
        let glow = RectShape::filled(
            node.rect.expand(5.0),
            CornerRadius::same(RADIUS + 5),
            palette.accent.gamma_multiply(0.55),
        );
        painter.add(glow.with_blur_width(12.0));
    }
    let (fill, head) = lod::fills(node, palette, near.dark);
    painter.rect_filled(node.rect, radius, fill);
    let round = CornerRadius {
        nw: RADIUS,
        ne: RADIUS,
        sw: if node.collapsed { RADIUS } else { 0 },
        se: if node.collapsed { RADIUS } else { 0 },
    };
    painter.rect_filled(node.title_rect(), round, head);
    let failed = cx.studio.status.node(&node.flat);
    let failed =
        failed.is_some_and(|it| matches!(it.state, longtake_editor::status::State::Failed(_)));
    let (width, colour) = match () {
        () if selected => (2.0, palette.accent),
        () if node.outlook.broken() || failed => (1.5, palette.bad),
        () if near.hover.node() == Some(index) => (1.0, lod::mix(palette.edge, palette.text, 0.35)),
        () => (1.0, palette.edge),
    };
    let stroke = Stroke::new(width, colour);
    if node.unknown() && !selected {
        paint::dashed(painter, node.rect, Stroke::new(1.5, palette.warn));
    } else {
        painter.rect_stroke(node.rect, radius, stroke, StrokeKind::Outside);
    }
    let corner = near.hover == Hit::Corner(index);
    if !node.collapsed && (corner || near.hover.node() == Some(index)) {
        let colour = if corner { palette.text } else { palette.weak };
        paint::grip(painter, node.rect.max, colour);
    }
}

/// Triangle, title, state.
fn title(ui: &mut Ui, cx: &mut Cx<'_>, near: &mut Near<'_>, index: usize) {
    let node = &near.layout.nodes[index];
    let bar = node.title_rect();
    let palette = near.palette;
    let hovered = near.hover == Hit::Fold(index);
    triangle(
        ui,
        bar,
        node.collapsed,
        if hovered { palette.text } else { palette.weak },
    );
    let language = cx.studio.language();
    let status = cx.studio.status.node(&node.flat);
    let cached = node.outlook.planned && node.outlook.cached;
    let badge = status::badge(status, cached, language, &palette);
    let mut right = bar.right() - PAD;
    let word = match node.mode {
        Mode::Mute => Some((texts::MUTED.get(language).to_owned(), palette.weak)),
        Mode::Bypass => Some((texts::BYPASSED.get(language).to_owned(), palette.weak)),
        Mode::Active if node.unknown() => {
            Some((texts::UNKNOWN.get(language).to_owned(), palette.warn))
        }
        Mode::Active => badge.as_ref().map(|it| (it.text.clone(), it.colour)),
    };
    if let Some((word, colour)) = word {
        let galley = paint::text(ui, &word, paint::SMALL_SIZE, colour, bar.width() * 0.55, 1);
        let wide = galley.size().x;
        paint::right(ui.painter(), pos2(right, bar.center().y), galley);
        right -= wide + 8.0;
    }
    if let Some(badge) = badge {
        let line = Rect::from_min_max(pos2(bar.left(), bar.bottom() - 2.0), bar.max);
        let mut filled = line;
        filled.set_width(line.width() * badge.filled);
        ui.painter()
            .rect_filled(line, 0, badge.colour.gamma_multiply(0.25));
        ui.painter().rect_filled(filled, 0, badge.colour);
    }
    let left = bar.left() + 26.0;
    let field = Rect::from_min_max(pos2(left, bar.top() + 3.0), pos2(right, bar.bottom() - 3.0));
    if Editing::title_ui(
        near.editing,
        ui,
        cx,
        &longtake_editor::Item::Node(node.id.clone()),
        field,
    ) {
        return;
    }
    let colour = if node.mode == Mode::Mute {
        palette.weak
    } else {
        palette.text
    };
    let galley = paint::text(ui, &node.title, paint::TITLE_SIZE, colour, right - left, 1);
    paint::left(ui.painter(), pos2(left, bar.center().y), galley);
}

fn triangle(ui: &Ui, bar: Rect, collapsed: bool, colour: egui::Color32) {
    let middle = hit::fold_rect(bar).center() + vec2(1.0, 0.0);
    let at = |x: f32, y: f32| middle + vec2(x, y);
    let points: Vec<Pos2> = if collapsed {
        vec![at(-2.5, -4.0), at(3.5, 0.0), at(-2.5, 4.0)]
    } else {
        vec![at(-4.0, -2.5), at(4.0, -2.5), at(0.0, 3.5)]
    };
    ui.painter()
        .add(Shape::convex_polygon(points, colour, Stroke::NONE));
}

/// A bend in a link: a dot, with sockets at its sides while the mouse is near.
fn reroute(ui: &mut Ui, cx: &Cx<'_>, near: &Near<'_>, index: usize) {
    let node = &near.layout.nodes[index];
    let (palette, painter) = (&near.palette, ui.painter());
    let middle = node.rect.center();
    let wire = near
        .layout
        .wires
        .iter()
        .find(|it| it.from.0 == index || it.to.0 == index);
    let colour = wire.map_or(palette.weak, |it| it.colour[usize::from(!near.dark)]);
    let selected = cx.studio.session.selection.has_node(&node.id);
    let hovered = near.hover.node() == Some(index);
    if selected || hovered || cx.lit.contains(&node.flat) {
        painter.circle_stroke(middle, 9.0, Stroke::new(2.0, palette.accent));
    }
    painter.circle(middle, 6.0, colour, Stroke::new(1.5, palette.canvas));
    if hovered || near.linking.is_some() {
        rows::socket(ui, near, hit::Socket::In(index, 0), node.input_at(0), 3.5);
        rows::socket(ui, near, hit::Socket::Out(index, 0), node.output_at(0), 3.5);
    }
}

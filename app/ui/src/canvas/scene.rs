//! Draws the canvas from back to front.

use egui::emath::TSTransform;
use egui::{
    Align2, Area, Color32, CornerRadius, FontId, Id, LayerId, Order, Rangef, Rect, Sense, Stroke,
    StrokeKind, Ui, UiBuilder, pos2, vec2,
};
use longtake_editor::Action;

use super::gestures::Gesture;
use super::hit::{Hit, Socket};
use super::links;
use super::lod::{self, Detail, Marks};
use super::minimap::{self, Map};
use super::node::{self, Near};
use super::strokes::Strokes;
use super::{Canvas, crisp, groups, guides, notes, texts};
use crate::Cx;
use crate::theme::{self, Palette, kind_colour};

/// Points of the graph between two dots of the grid.
const DOTS: f32 = 24.0;

/// Draws everything, and registers what takes the mouse.
pub fn draw(canvas: &mut Canvas, ui: &mut Ui, cx: &mut Cx<'_>, background: Id) {
    let palette = theme::of(ui);
    let dark = ui.visuals().dark_mode;
    let to_screen = canvas
        .view
        .transform(canvas.area(), ui.ctx().pixels_per_point());
    let painter = ui.painter_at(canvas.area());
    painter.rect_filled(canvas.area(), 0, palette.canvas);
    let mut strokes = Strokes::new(ui.ctx().pixels_per_point());
    grid(&mut strokes, canvas, to_screen, &palette);
    painter.add(strokes.shape());
    if canvas.layout.bounds().is_none() {
        hint(ui, cx, canvas.area(), &palette);
    }
    let detail = Detail::of(canvas.view.zoom);
    if detail < Detail::Full {
        for group in &canvas.layout.groups {
            groups::draw_far(&painter, group, to_screen * group.rect, &palette);
        }
        for note in &canvas.layout.notes {
            notes::draw_far(&painter, to_screen * note.rect, &palette);
        }
        wires(canvas, cx, &painter, to_screen, dark);
        far(canvas, cx, &painter, to_screen, &palette, dark, detail);
    }
    near(canvas, ui, cx, background, to_screen, detail);
    in_hand(canvas, ui, to_screen, dark, &palette);
    over(canvas, ui, cx, &palette, dark);
}

fn grid(strokes: &mut Strokes, canvas: &Canvas, to_screen: TSTransform, palette: &Palette) {
    let mut step = DOTS;
    while step * to_screen.scaling < 16.0 {
        step *= 4.0;
    }
    let area = canvas.area();
    let size = (1.6 * to_screen.scaling.sqrt()).clamp(1.0, 2.4);
    let apart = step * to_screen.scaling;
    for y in dots(to_screen.translation.y, apart, area.y_range()) {
        for x in dots(to_screen.translation.x, apart, area.x_range()) {
            let dot = Rect::from_center_size(pos2(x, y), vec2(size, size));
            strokes.area(dot, palette.grid);
        }
    }
}

/// Where dots stand along a side of the screen, counted from where the graph's origin stands. Counted
/// in points of the screen: in the graph's own, far from its origin, a step can be less than the next
/// number that can be told from the last.
fn dots(origin: f32, apart: f32, side: Rangef) -> impl Iterator<Item = f32> + Clone {
    let (origin, apart) = (f64::from(origin), f64::from(apart).max(1.0));
    let first = origin + ((f64::from(side.min) - origin) / apart).floor() * apart;
    let count = (f64::from(side.span()).max(0.0) / apart).min(4096.0) as usize + 2;
    let count = if first.is_finite() { count } else { 0 };
    (0..count).map(move |it| (first + it as f64 * apart) as f32)
}

/// What to do with an empty canvas.
fn hint(ui: &Ui, cx: &Cx<'_>, area: Rect, palette: &Palette) {
    let painter = ui.painter_at(area);
    let at = area.center();
    let font = FontId::proportional;
    let first = cx.tr(texts::EMPTY_HINT);
    painter.text(at, Align2::CENTER_BOTTOM, first, font(16.0), palette.weak);
    let below = at + vec2(0.0, 8.0);
    let second = cx.tr(texts::EMPTY_HINT_2);
    painter.text(
        below,
        Align2::CENTER_TOP,
        second,
        font(12.5),
        palette.weak.gamma_multiply(0.7),
    );
}

fn wires(
    canvas: &Canvas,
    cx: &Cx<'_>,
    painter: &egui::Painter,
    to_screen: TSTransform,
    dark: bool,
) {
    let layout = &canvas.layout;
    let selection = &cx.studio.session.selection;
    let linking = canvas.gesture.linking();
    let taken = linking
        .and_then(|it| it.taken.as_ref())
        .and_then(|(id, input)| {
            let at = *layout.index.get(id)?;
            Some((at, layout.nodes[at].shape.input_index(input)?))
        });
    let look = links::Look {
        to_screen,
        shown: canvas.view.shown(canvas.area().size()),
        dark,
        hovered: match (&canvas.gesture, canvas.hover) {
            // Where a node that is dragged would go, not what lies below it.
            (Gesture::Moving { into, .. }, _) => *into,
            (_, Hit::Wire(wire)) if linking.is_none() => Some(wire),
            _ => None,
        },
        selected: &|node| !selection.is_empty() && selection.has_node(&layout.nodes[node].id),
        taken,
        taken_from: linking.and_then(|it| {
            let from = &it.bundle.as_ref()?.from;
            Some((*layout.index.get(&from.node)?, from.output as usize))
        }),
        faint: linking.is_some(),
    };
    let mut strokes = Strokes::new(painter.ctx().pixels_per_point());
    links::draw(layout, &mut strokes, &look);
    painter.add(strokes.shape());
    if let Some(wire) = look.hovered.and_then(|it| layout.wires.get(it)) {
        let middle = to_screen * links::middle(layout, wire);
        let colour = wire.colour[usize::from(!dark)];
        painter.circle(
            middle,
            5.0,
            colour,
            Stroke::new(2.0, theme::palette(dark).canvas),
        );
    }
}

fn marks_of<'a>(canvas: &Canvas, cx: &'a Cx<'_>, index: usize) -> Marks<'a> {
    let node = &canvas.layout.nodes[index];
    let selection = &cx.studio.session.selection;
    Marks {
        selected: !selection.is_empty() && selection.has_node(&node.id),
        lit: !cx.lit.is_empty() && cx.lit.contains(&node.flat),
        state: cx.studio.status.node(&node.flat).map(|it| &it.state),
    }
}

/// Nodes from far.
fn far(
    canvas: &Canvas,
    cx: &Cx<'_>,
    painter: &egui::Painter,
    to_screen: TSTransform,
    palette: &Palette,
    dark: bool,
    detail: Detail,
) {
    let shown = canvas.view.shown(canvas.area().size());
    let mut strokes = Strokes::new(painter.ctx().pixels_per_point());
    for &index in &canvas.order {
        let node = &canvas.layout.nodes[index];
        if !node.rect.intersects(shown) {
            continue;
        }
        let marks = marks_of(canvas, cx, index);
        if detail == Detail::Box {
            lod::draw_box(&mut strokes, node, to_screen, palette, dark, marks);
        } else {
            lod::draw_titled(painter, node, to_screen, palette, dark, marks);
        }
    }
    painter.add(strokes.shape());
}

/// What is drawn at 1:1 and then transformed: the background that takes the mouse, and from near the
/// groups, notes and nodes.
fn near(
    canvas: &mut Canvas,
    ui: &mut Ui,
    cx: &mut Cx<'_>,
    background: Id,
    to_screen: TSTransform,
    detail: Detail,
) {
    let layer = LayerId::new(ui.layer_id().order, background.with("nodes"));
    let shown = to_screen.inverse() * canvas.area();
    ui.ctx().set_sublayer(ui.layer_id(), layer);
    ui.ctx().set_transform_layer(layer, to_screen);
    let builder = UiBuilder::new()
        .id_salt("nodes")
        .layer_id(layer)
        .max_rect(shown);
    let mut inner = ui.new_child(builder);
    inner.set_clip_rect(shown);
    tell_transform(&inner, to_screen);
    inner.interact(shown, background, Sense::click_and_drag());
    canvas.parts.clear();
    if detail < Detail::Full {
        return;
    }
    let dark = ui.visuals().dark_mode;
    let mut editing = canvas.editing.take();
    let mut pictures = std::mem::take(&mut canvas.pictures);
    let mut look = Near {
        layout: &canvas.layout,
        palette: theme::of(ui),
        dark,
        hover: canvas.hover,
        linking: canvas.gesture.linking(),
        editing: &mut editing,
        pictures: &mut pictures,
    };
    frames(&mut inner, cx, &mut look, shown);
    crisp::move_layer(ui.ctx(), layer, ui.layer_id(), to_screen);
    let painter = ui.painter_at(canvas.area());
    wires(canvas, cx, &painter, to_screen, dark);
    let margin = shown.expand(16.0);
    for &index in &canvas.order {
        if canvas.layout.nodes[index].rect.intersects(margin) {
            let part = node::node_ui(&mut inner, cx, &mut look, index, background);
            canvas.parts.push(part);
        }
    }
    crisp::move_layer(ui.ctx(), layer, ui.layer_id(), to_screen);
    canvas.editing = editing;
    canvas.pictures = pictures;
}

/// Groups, and notes over them.
fn frames(ui: &mut Ui, cx: &mut Cx<'_>, look: &mut Near<'_>, shown: Rect) {
    for index in 0..look.layout.groups.len() {
        if look.layout.groups[index].rect.intersects(shown) {
            groups::group_ui(ui, cx, look, index);
        }
    }
    for index in 0..look.layout.notes.len() {
        if look.layout.notes[index].rect.intersects(shown) {
            notes::note_ui(ui, cx, look, index);
        }
    }
}

/// Screen readers and tests see where the transformed widgets really are.
fn tell_transform(ui: &Ui, to_screen: TSTransform) {
    let (scale, by) = (f64::from(to_screen.scaling), to_screen.translation);
    ui.ctx().accesskit_node_builder(ui.unique_id(), |node| {
        let affine = [scale, 0.0, 0.0, scale, f64::from(by.x), f64::from(by.y)];
        node.set_transform(egui::accesskit::Affine::new(affine));
    });
}

/// The link or box in a person's hand.
fn in_hand(canvas: &Canvas, ui: &Ui, to_screen: TSTransform, dark: bool, palette: &Palette) {
    let painter = ui.painter_at(canvas.area());
    let mouse = canvas.last_mouse;
    if let Gesture::Boxing { from, .. } = &canvas.gesture {
        let area = Rect::from_two_pos(to_screen * *from, mouse);
        let edge = Stroke::new(1.0, palette.accent);
        let fill = palette.accent.gamma_multiply(0.12);
        painter.rect(area, CornerRadius::same(2), fill, edge, StrokeKind::Inside);
    }
    if let Gesture::Moving { guides, .. } = &canvas.gesture {
        guides::draw(guides, &painter, to_screen, palette);
    }
    let held = canvas
        .gesture
        .linking()
        .map(|it| (&it.loose, &it.kind, it.target, mouse));
    let searched = canvas.search.as_ref().and_then(|search| {
        let (link, kind) = search.link()?;
        Some((link, kind, None, to_screen * search.at()))
    });
    let Some((loose, kind, target, end)) = held.or(searched) else {
        return;
    };
    let at = |socket: Socket| {
        to_screen
            * match socket {
                Socket::In(node, input) => canvas.layout.nodes[node].input_at(input),
                Socket::Out(node, output) => canvas.layout.nodes[node].output_at(output),
            }
    };
    let Some(fixed) = canvas.loose_socket(loose) else {
        return;
    };
    let end = target.map_or(end, at);
    let colour: Color32 = kind_colour(kind, dark);
    let mut strokes = Strokes::new(ui.ctx().pixels_per_point());
    let bundle = canvas.gesture.linking().and_then(|it| it.bundle.as_ref());
    for &fixed in bundle.map_or(&[fixed][..], |it| &it.ends) {
        let (from, to) = match fixed {
            Socket::Out(..) => (at(fixed), end),
            Socket::In(..) => (end, at(fixed)),
        };
        links::draw_loose(&mut strokes, from, to, to_screen.scaling, colour);
    }
    painter.add(strokes.shape());
    painter.circle_filled(end, 4.0, colour);
}

/// What lies over the graph: the minimap, and the way back out of a subgraph.
fn over(canvas: &mut Canvas, ui: &mut Ui, cx: &mut Cx<'_>, palette: &Palette, dark: bool) {
    if cx.studio.settings.minimap {
        let to = {
            let marks = |index| marks_of(canvas, cx, index);
            let map = Map {
                layout: &canvas.layout,
                area: canvas.area(),
                view: canvas.view,
                palette: *palette,
                dark,
                name: cx.tr(texts::MINIMAP),
                marks: &marks,
            };
            minimap::minimap_ui(ui, &map)
        };
        if let Some(to) = to {
            canvas.glide = None;
            let (size, zoom) = (canvas.area().size(), canvas.view.zoom);
            let view = canvas.view.centred(to, size, zoom);
            if view != canvas.view {
                canvas.view = view;
                ui.ctx().request_repaint();
            }
        }
    }
    if !cx.studio.session.scope().is_empty() {
        breadcrumb(canvas, ui, cx);
    }
}

fn breadcrumb(canvas: &Canvas, ui: &Ui, cx: &mut Cx<'_>) {
    let session = &cx.studio.session;
    let mut names = vec![
        session
            .name()
            .unwrap_or_else(|| cx.tr(texts::MAIN).to_owned()),
    ];
    names.extend(session.scope().iter().map(|it| {
        let definition = session.project().subgraphs.get(&it.subgraph);
        let title = definition.map(|it| it.graph.title.clone());
        title
            .filter(|it| !it.is_empty())
            .unwrap_or_else(|| it.subgraph.clone())
    }));
    let last = names.len() - 1;
    Area::new(ui.id().with("breadcrumb"))
        .order(Order::Middle)
        .fixed_pos(canvas.area().min + vec2(12.0, 12.0))
        .constrain(false)
        .show(ui.ctx(), |ui| {
            egui::Frame::popup(ui.style())
                .shadow(egui::Shadow::NONE)
                .show(ui, |ui| {
                    ui.horizontal(|ui| {
                        for (depth, name) in names.iter().enumerate() {
                            if depth > 0 {
                                ui.weak("▸");
                            }
                            if depth == last {
                                ui.strong(name);
                            } else if ui.link(name).clicked() {
                                cx.act(Action::LeaveTo(depth));
                            }
                        }
                    });
                });
        });
}

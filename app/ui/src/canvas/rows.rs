//! What stands in a node below its title: sockets, parameters, findings, a picture, a footer.

use egui::{
    Align, Color32, Id, Layout as Flow, Pos2, Rect, Sense, Stroke, Ui, UiBuilder, WidgetInfo,
    WidgetType, pos2, vec2,
};
use longtake_editor::language::Language;
use longtake_graph::Mode;

use super::hit::{Hit, Socket};
use super::layout::Laid;
use super::measure::{Content, PAD};
use super::node::Near;
use super::outlook::{bytes_text, seconds_text};
use super::{paint, picture};
use crate::Cx;
use crate::theme::kind_colour;
use crate::widgets::{Room, parameter_ui};

/// Radius of a socket.
const SOCKET: f32 = 5.0;

/// Draws the rows of a node, then its sockets over them.
pub fn rows_ui(ui: &mut Ui, cx: &mut Cx<'_>, near: &mut Near<'_>, index: usize) {
    let node = &near.layout.nodes[index];
    let muted = node.mode == Mode::Mute;
    for row in &node.rows {
        let rect = Rect::from_min_size(
            pos2(node.rect.left(), node.rect.top() + row.y),
            vec2(node.rect.width(), row.height),
        );
        if !ui.is_rect_visible(rect) {
            continue;
        }
        match &row.content {
            Content::Sockets(input, output) => labels(ui, near, node, *input, *output, rect),
            Content::Parameter(at) => parameter(ui, cx, near, index, *at, rect, muted),
            Content::Finding(at) => finding(ui, near, node, *at, rect),
            Content::Picture => {
                picture::picture_ui(ui, cx, near, node, rect.shrink2(vec2(PAD, 0.0)));
            }
            Content::Footer => footer(ui, near, node, rect),
        }
    }
    picture::ask(ui, cx, near, node);
    if !node.collapsed {
        sockets(ui, near, index, cx.studio.language());
    }
}

fn labels(
    ui: &Ui,
    near: &Near<'_>,
    node: &Laid,
    input: Option<usize>,
    output: Option<usize>,
    rect: Rect,
) {
    let shape = &node.shape;
    let half = rect.width() / 2.0 - PAD;
    let palette = &near.palette;
    if let Some(input) = input.and_then(|at| shape.inputs.get(at)) {
        let colour = if input.required {
            palette.text
        } else {
            palette.weak
        };
        let width = if output.is_some() { half } else { 2.0 * half };
        let galley = paint::text(ui, &input.label, paint::LABEL_SIZE, colour, width, 1);
        paint::left(
            ui.painter(),
            pos2(rect.left() + PAD, rect.center().y),
            galley,
        );
    }
    if let Some(output) = output.and_then(|at| shape.outputs.get(at)) {
        let width = if input.is_some() { half } else { 2.0 * half };
        let galley = paint::text(ui, &output.label, paint::LABEL_SIZE, palette.text, width, 1);
        paint::right(
            ui.painter(),
            pos2(rect.right() - PAD, rect.center().y),
            galley,
        );
    }
}

fn parameter(
    ui: &mut Ui,
    cx: &mut Cx<'_>,
    near: &Near<'_>,
    index: usize,
    at: usize,
    rect: Rect,
    muted: bool,
) {
    let node = &near.layout.nodes[index];
    let input = &node.shape.inputs[at];
    let inside = rect.shrink2(vec2(PAD, 0.0));
    let builder = UiBuilder::new()
        .id_salt(("parameter", node.id.as_str(), at))
        .max_rect(inside)
        .layout(Flow::top_down(Align::Min));
    let mut child = ui.new_child(builder);
    child.shrink_clip_rect(rect);
    if muted {
        child.multiply_opacity(0.6);
    }
    parameter_ui(&mut child, cx, &node.id, input, Room::Node);
}

/// What is wrong, under what caused it.
fn finding(ui: &mut Ui, near: &Near<'_>, node: &Laid, at: usize, rect: Rect) {
    let Some(found) = node.outlook.findings.get(at) else {
        return;
    };
    let palette = &near.palette;
    let colour = if found.error {
        palette.bad
    } else {
        palette.warn
    };
    let inside = rect.shrink2(vec2(PAD, 0.0));
    let bar = Rect::from_min_max(
        rect.left_top() + vec2(4.0, 0.0),
        pos2(rect.left() + 6.0, rect.bottom() - 2.0),
    );
    ui.painter().rect_filled(bar, 1, colour);
    let galley = paint::text(
        ui,
        &found.text,
        paint::SMALL_SIZE,
        colour,
        inside.width(),
        2,
    );
    ui.painter().galley(inside.min, galley, colour);
    let id = ui.id().with(("finding", node.id.as_str(), at));
    let line = ui.interact(rect, id, Sense::hover());
    line.widget_info(|| WidgetInfo::labeled(WidgetType::Label, true, &found.text));
    line.on_hover_text(&found.text);
}

/// Predicted memory and time.
fn footer(ui: &Ui, near: &Near<'_>, node: &Laid, rect: Rect) {
    let outlook = &node.outlook;
    let mut parts: Vec<String> = Vec::new();
    if outlook.bytes > 0 {
        parts.push(bytes_text(outlook.bytes));
    }
    if !outlook.cached {
        parts.push(seconds_text(outlook.seconds));
    }
    let text = parts.join(" · ");
    let colour = near.palette.weak;
    let galley = paint::text(
        ui,
        &text,
        paint::SMALL_SIZE,
        colour,
        rect.width() - 2.0 * PAD,
        1,
    );
    paint::left(
        ui.painter(),
        pos2(rect.left() + PAD, rect.center().y),
        galley,
    );
}

fn sockets(ui: &mut Ui, near: &Near<'_>, index: usize, language: Language) {
    let node = &near.layout.nodes[index];
    let hovered = near.hover.node() == Some(index);
    for (at, input) in node.shape.inputs.iter().enumerate() {
        let socket = Socket::In(index, at);
        let fits = near.linking.is_some_and(|it| it.fits(near.layout, socket));
        let small = input.is_parameter();
        reachable(ui, node, near, socket, language);
        if !small || node.linked[at] || hovered || fits {
            let radius = if small { SOCKET - 1.5 } else { SOCKET };
            self::socket(ui, near, socket, node.input_at(at), radius);
        }
    }
    for at in 0..node.shape.outputs.len() {
        let socket = Socket::Out(index, at);
        reachable(ui, node, near, socket, language);
        self::socket(ui, near, socket, node.output_at(at), SOCKET);
    }
}

/// Lets screen readers and tests find a socket.
fn reachable(ui: &Ui, node: &Laid, near: &Near<'_>, socket: Socket, language: Language) {
    let (at, id, label, side): (Pos2, Id, &str, &str) = match socket {
        Socket::In(_, index) => (
            node.input_at(index),
            ui.id().with(("in", node.id.as_str(), index)),
            &node.shape.inputs[index].label,
            "input",
        ),
        Socket::Out(_, index) => (
            node.output_at(index),
            ui.id().with(("out", node.id.as_str(), index)),
            &node.shape.outputs[index].label,
            "output",
        ),
    };
    let rect = Rect::from_center_size(at, vec2(16.0, 16.0));
    let response = ui.interact(rect, id, Sense::hover());
    response.widget_info(|| {
        let label = format!("{label} {side} of {}", node.title);
        WidgetInfo::labeled(WidgetType::Other, true, label)
    });
    if near.hover == Hit::Socket(socket) && near.linking.is_none() {
        tooltip(response, node, socket, language);
    }
}

fn tooltip(response: egui::Response, node: &Laid, socket: Socket, language: Language) {
    let (kind, help) = match socket {
        Socket::In(_, at) => {
            let input = &node.shape.inputs[at];
            (
                &input.kind,
                input.decl.map_or("", |it| language.input_help(it)),
            )
        }
        Socket::Out(_, at) => (&node.shape.outputs[at].kind, ""),
    };
    response.on_hover_ui(|ui| {
        ui.label(kind.as_str());
        if !help.is_empty() {
            ui.weak(help);
        }
    });
}

/// Draws a socket: filled when linked, a ring when free; larger where the link in hand fits.
pub fn socket(ui: &Ui, near: &Near<'_>, socket: Socket, at: Pos2, radius: f32) {
    let node = &near.layout.nodes[socket.node()];
    let (kind, linked) = match socket {
        Socket::In(_, index) => (
            node.shape.inputs.get(index).map(|it| it.kind.as_str()),
            node.linked.get(index) == Some(&true),
        ),
        Socket::Out(_, index) => (
            node.shape.outputs.get(index).map(|it| it.kind.as_str()),
            node.feeds.get(index) == Some(&true),
        ),
    };
    let mut colour = kind_colour(kind.unwrap_or("*"), near.dark);
    let mut radius = radius;
    let painter = ui.painter();
    match near.linking {
        Some(linking) if linking.fits(near.layout, socket) => {
            let aimed = linking.target == Some(socket);
            radius += if aimed { 3.0 } else { 1.5 };
            let glow = radius + if aimed { 5.0 } else { 3.0 };
            painter.circle_filled(at, glow, colour.gamma_multiply(0.28));
        }
        Some(_) => colour = colour.gamma_multiply(0.35),
        None if near.hover == Hit::Socket(socket) => radius += 2.0,
        None => {}
    }
    let inner: Color32 = if linked { colour } else { near.palette.node };
    painter.circle_filled(at, radius + 1.5, near.palette.canvas);
    painter.circle(at, radius, inner, Stroke::new(1.8, colour));
    if !linked {
        painter.circle_filled(at, radius * 0.38, colour);
    }
}

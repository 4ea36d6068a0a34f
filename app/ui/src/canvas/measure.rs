//! Sizes of nodes without drawing them.

use egui::{Vec2, vec2};
use longtake_editor::shape::{Origin, Shape};
use longtake_graph::document::REROUTE;
use longtake_graph::{Input, InputType, Node};

use super::outlook::Outlook;
use crate::theme::{ROW, UNIT};
use crate::widgets::{Room, parameter_height};

/// Height of a node's title.
pub const TITLE: f32 = 28.0;
/// Height of a row of sockets.
pub const SOCKETS: f32 = 22.0;
/// Height of a line of small text.
pub const LINE: f32 = 15.0;
/// From a node's edge to its widgets.
pub const PAD: f32 = 3.0 * UNIT;
/// Size of a reroute.
pub const REROUTE_SIZE: Vec2 = vec2(28.0, 20.0);
/// Narrowest a node may be.
pub const NARROWEST: f32 = 120.0;
/// Width of a character of small text, about.
const SMALL_CHAR: f32 = 5.6;

/// What stands in a row.
#[derive(Clone, Debug, PartialEq)]
pub enum Content {
    /// An input socket at the left, an output socket at the right.
    Sockets(Option<usize>, Option<usize>),
    /// A parameter.
    Parameter(usize),
    /// What is wrong with what stands above: position among the findings.
    Finding(usize),
    /// A picture of what the node made or makes.
    Picture,
    /// Predicted memory and time.
    Footer,
}

/// A row of a node.
#[derive(Clone, Debug)]
pub struct Row {
    /// What stands in it.
    pub content: Content,
    /// Its top, below the node's top.
    pub y: f32,
    /// Its height.
    pub height: f32,
}

/// A node, measured.
#[derive(Debug, Default)]
pub struct Measured {
    /// The whole node.
    pub size: Vec2,
    /// Rows below the title.
    pub rows: Vec<Row>,
    /// Middle of each input's socket.
    pub input_y: Vec<f32>,
    /// Middle of each output's socket.
    pub output_y: Vec<f32>,
}

/// Measures a node. `picture`: height of the picture below it, 0 for none.
pub fn measure(node: &Node, shape: &Shape, outlook: &Outlook, picture: f32) -> Measured {
    let (ins, outs) = (shape.inputs.len(), shape.outputs.len());
    if node.class == REROUTE {
        return folded(REROUTE_SIZE, ins, outs);
    }
    let wanted = node.size.map(Vec2::from).filter(|size| size.is_finite());
    let width = wanted.map_or_else(|| own_width(shape), |it| it.x.max(NARROWEST));
    if node.collapsed {
        return folded(vec2(width.min(220.0), TITLE), ins, outs);
    }
    let mut made = Measured {
        input_y: vec![TITLE / 2.0; ins],
        output_y: vec![TITLE / 2.0; outs],
        ..Measured::default()
    };
    let mut y = TITLE + UNIT;
    let width_inside = width - 2.0 * PAD;
    node_findings(&mut made, outlook, None, width_inside, &mut y);
    socket_rows(&mut made, shape, outlook, width_inside, &mut y);
    parameter_rows(&mut made, (node, shape), outlook, width_inside, &mut y);
    y += UNIT;
    let spare = wanted.map_or(0.0, |it| it.y - y - LINE - UNIT);
    if picture > 0.0 {
        let height = picture.max(spare).min(width_inside * 2.0);
        push(&mut made.rows, Content::Picture, height, &mut y);
        y += UNIT;
    }
    let footer_at = wanted.map_or(y, |it| y.max(it.y - LINE - UNIT));
    if outlook.planned {
        y = footer_at;
        push(&mut made.rows, Content::Footer, LINE, &mut y);
        y += UNIT;
    }
    made.size = vec2(width, wanted.map_or(y, |it| y.max(it.y)));
    made
}

/// Only a title: all sockets in its middle.
fn folded(size: Vec2, ins: usize, outs: usize) -> Measured {
    Measured {
        size,
        rows: Vec::new(),
        input_y: vec![size.y / 2.0; ins],
        output_y: vec![size.y / 2.0; outs],
    }
}

fn socket_rows(made: &mut Measured, shape: &Shape, outlook: &Outlook, width: f32, y: &mut f32) {
    let inputs = shape.inputs.iter().enumerate();
    let sockets: Vec<usize> = inputs
        .filter(|(_, input)| !input.is_parameter())
        .map(|(at, _)| at)
        .collect();
    for row in 0..sockets.len().max(shape.outputs.len()) {
        let input = sockets.get(row).copied();
        let output = (row < shape.outputs.len()).then_some(row);
        let middle = *y + SOCKETS / 2.0;
        push(&mut made.rows, Content::Sockets(input, output), SOCKETS, y);
        if let Some(at) = output {
            made.output_y[at] = middle;
        }
        if let Some(at) = input {
            made.input_y[at] = middle;
            let name = &shape.inputs[at].name;
            node_findings(made, outlook, Some(name), width, y);
        }
    }
}

fn parameter_rows(
    made: &mut Measured,
    (node, shape): (&Node, &Shape),
    outlook: &Outlook,
    width: f32,
    y: &mut f32,
) {
    let parameters = shape.inputs.iter().enumerate();
    for (at, input) in parameters.filter(|(_, input)| input.is_parameter()) {
        let linked = matches!(node.inputs.get(&input.name), Some(Input::Link(_)));
        // A linked text is a line that says from where.
        let height = if linked {
            ROW
        } else {
            parameter_height(input, Room::Node)
        };
        made.input_y[at] = *y + height.min(ROW) / 2.0;
        push(&mut made.rows, Content::Parameter(at), height, y);
        node_findings(made, outlook, Some(&input.name), width, y);
        *y += UNIT / 2.0;
    }
}

/// A row for each finding at that input (`None`: at the node itself, or at something not drawn).
fn node_findings(
    made: &mut Measured,
    outlook: &Outlook,
    input: Option<&str>,
    width: f32,
    y: &mut f32,
) {
    for (at, found) in outlook.findings.iter().enumerate() {
        if found.input.as_deref() == input {
            let height = LINE * lines(&found.text, width) as f32 + UNIT / 2.0;
            push(&mut made.rows, Content::Finding(at), height, y);
        }
    }
}

/// Lines a finding takes: two at most, the rest shows when the mouse rests on it.
fn lines(text: &str, width: f32) -> usize {
    let wide = text.chars().filter(|c| !c.is_ascii()).count();
    let long = (text.len().min(400) + wide) as f32 * SMALL_CHAR;
    if long > width { 2 } else { 1 }
}

fn push(rows: &mut Vec<Row>, content: Content, height: f32, y: &mut f32) {
    rows.push(Row {
        content,
        y: *y,
        height,
    });
    *y += height;
}

/// The width of a node nobody resized.
fn own_width(shape: &Shape) -> f32 {
    let of = |text: &str| {
        let wide = text.chars().filter(|c| !c.is_ascii()).count();
        (text.chars().count() + wide) as f32 * 7.0
    };
    let title = of(&shape.title) + 80.0;
    let input = |at: &longtake_editor::shape::InputShape| match at.decl.map(|it| it.ty) {
        Some(
            InputType::Text {
                multiline: true, ..
            }
            | InputType::Shots,
        ) => 320.0,
        Some(InputType::Socket(_)) | None => 0.0,
        Some(_) => 250.0,
    };
    let widest = shape.inputs.iter().map(input).fold(0.0, f32::max);
    let sockets = shape.inputs.iter().filter(|it| !it.is_parameter());
    let left = sockets.map(|it| of(&it.label)).fold(0.0, f32::max);
    let right = shape
        .outputs
        .iter()
        .map(|it| of(&it.label))
        .fold(0.0, f32::max);
    let least = if matches!(shape.origin, Origin::Border) {
        NARROWEST
    } else {
        160.0
    };
    let width = widest
        .max(title)
        .max(left + right + 48.0)
        .clamp(least, 360.0);
    (width / UNIT).ceil() * UNIT
}

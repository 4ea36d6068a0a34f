//! What a node looks like: its sockets and parameters, wherever they come from (a declaration, a
//! subgraph's ports, what an unknown node's file said).

use longtake_graph::{Catalog, Declaration, Input, InputDecl, InputType, Node, NodeId, Project};

use crate::language::Language;
use crate::ports::virtual_shape;
use crate::scene::Scene;

/// One input of a node on the canvas.
#[derive(Clone, Debug)]
pub struct InputShape {
    /// Name in the file.
    pub name: String,
    /// Text beside the socket.
    pub label: String,
    /// What a link must carry, as ComfyUI names it.
    pub kind: String,
    /// The parameter it is, if it can hold a literal.
    pub decl: Option<&'static InputDecl>,
    /// Missing is an error.
    pub required: bool,
}

impl InputShape {
    /// Whether it holds a literal (a widget), rather than taking links only.
    pub fn is_parameter(&self) -> bool {
        self.decl
            .is_some_and(|decl| !matches!(decl.ty, InputType::Socket(_)))
    }
}

/// One output of a node on the canvas.
#[derive(Clone, Debug)]
pub struct OutputShape {
    /// Text beside the socket.
    pub label: String,
    /// What it carries, as ComfyUI names it.
    pub kind: String,
}

/// Where a shape comes from.
#[derive(Clone, Copy, Debug)]
pub enum Origin {
    /// A class this program knows.
    Known(&'static Declaration),
    /// An instance of a subgraph of this project.
    Subgraph,
    /// The border of the open subgraph.
    Border,
    /// A point on a link.
    Reroute,
    /// A class this program does not know: kept, drawn as a placeholder.
    Unknown,
}

/// A node's sockets.
#[derive(Clone, Debug)]
pub struct Shape {
    /// The class's own title.
    pub title: String,
    /// Inputs in the order they are drawn.
    pub inputs: Vec<InputShape>,
    /// Outputs by position.
    pub outputs: Vec<OutputShape>,
    /// Where it comes from.
    pub origin: Origin,
}

impl Shape {
    /// The shape of a node of `graph`, which is `root` itself or the graph of one of its subgraphs.
    pub fn of(
        root: &Project,
        scope: Option<&str>,
        node: &Node,
        catalog: &dyn Catalog,
        language: Language,
    ) -> Self {
        if let Some(declaration) = catalog.declaration(&node.class) {
            return known(declaration, language);
        }
        let scene = Scene {
            root,
            scope,
            catalog,
        };
        virtual_shape(&scene, node, language).unwrap_or_else(|| unknown(&scene, node))
    }

    /// Position of an input.
    pub fn input_index(&self, name: &str) -> Option<usize> {
        self.inputs.iter().position(|input| input.name == name)
    }
}

fn known(declaration: &'static Declaration, language: Language) -> Shape {
    let inputs = declaration.inputs.iter().map(|decl| InputShape {
        name: decl.name.to_owned(),
        label: decl.name.replace('_', " "),
        kind: decl.kind().as_str().to_owned(),
        decl: Some(decl),
        required: decl.required,
    });
    let outputs = declaration.outputs.iter().map(|output| OutputShape {
        label: output.name.replace('_', " "),
        kind: output.kind.as_str().to_owned(),
    });
    Shape {
        title: language.title(declaration).to_owned(),
        inputs: inputs.collect(),
        outputs: outputs.collect(),
        origin: Origin::Known(declaration),
    }
}

/// Sockets as the file names them: what its inputs hold, and what ComfyUI wrote of it.
fn unknown(scene: &Scene<'_>, node: &Node) -> Shape {
    let slots = |key: &str| {
        let comfyui = node
            .extra
            .get("comfyui")
            .unwrap_or(&serde_json::Value::Null);
        let listed = comfyui.get(key).and_then(|it| it.as_array());
        let read = |slot: &serde_json::Value| {
            let text = |key: &str| slot.get(key).and_then(|it| it.as_str()).map(str::to_owned);
            Some((
                text("name")?,
                text("type").unwrap_or_else(|| "*".to_owned()),
            ))
        };
        listed
            .map(|it| it.iter().filter_map(read).collect::<Vec<_>>())
            .unwrap_or_default()
    };
    let mut inputs: Vec<InputShape> = Vec::new();
    let of_file = node.inputs.iter().map(|(name, value)| {
        let literal = matches!(value, Input::Literal(_));
        (name.clone(), "*".to_owned(), literal)
    });
    let named = slots("inputs")
        .into_iter()
        .map(|(name, kind)| (name, kind, false));
    for (name, kind, literal) in named.chain(of_file) {
        if literal || inputs.iter().any(|it| it.name == name) {
            continue;
        }
        inputs.push(InputShape {
            label: name.replace('_', " "),
            name,
            kind,
            decl: None,
            required: false,
        });
    }
    let mut outputs: Vec<OutputShape> = slots("outputs")
        .into_iter()
        .map(|(name, kind)| OutputShape { label: name, kind })
        .collect();
    while outputs.len() < linked_outputs(scene.graph(), node) {
        outputs.push(OutputShape {
            label: outputs.len().to_string(),
            kind: "*".to_owned(),
        });
    }
    Shape {
        title: node.class.clone(),
        inputs,
        outputs,
        origin: Origin::Unknown,
    }
}

/// How many outputs the links that name a node ask for. A node that is not of this graph has none.
fn linked_outputs(graph: &Project, node: &Node) -> usize {
    /// More than any node has; a file may say anything.
    const MOST: u32 = 64;
    let Some((id, _)) = graph.nodes.iter().find(|(_, it)| std::ptr::eq(*it, node)) else {
        return 0;
    };
    let inputs = graph.nodes.values().flat_map(|it| it.inputs.values());
    let named = inputs.filter_map(|input| match input {
        Input::Link(link) => (link.node == *id && link.output < MOST).then_some(link.output + 1),
        Input::Literal(_) => None,
    });
    named.max().unwrap_or(0) as usize
}

/// The title of a node on the canvas: the person's, or its class's.
pub fn title<'a>(node: &'a Node, shape: &'a Shape) -> &'a str {
    node.title.as_deref().unwrap_or(&shape.title)
}

/// The id a node of the open scope has once subgraphs are expanded.
pub fn flat_id(scope: &[NodeId], id: &NodeId) -> NodeId {
    if scope.is_empty() {
        return id.clone();
    }
    let mut text = String::new();
    for outer in scope {
        text.push_str(outer.as_str());
        text.push(':');
    }
    text.push_str(id.as_str());
    NodeId::new(text)
}

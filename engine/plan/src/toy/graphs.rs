//! Large toy graphs for benchmarks and tests of scale.

use longtake_graph::{Input, Link, Node, NodeId, Project};

/// A project under construction.
#[derive(Default)]
struct Builder {
    project: Project,
}

impl Builder {
    fn node(
        &mut self,
        class: &str,
        links: &[(&str, &NodeId)],
        text: Option<(&str, &str)>,
    ) -> NodeId {
        let id = NodeId::new(self.project.nodes.len().to_string());
        let mut node = Node {
            class: class.to_owned(),
            ..Node::default()
        };
        for (name, from) in links {
            let link = Link {
                node: (*from).clone(),
                output: 0,
            };
            node.inputs.insert((*name).to_owned(), Input::Link(link));
        }
        if let Some((name, value)) = text {
            node.inputs
                .insert(name.to_owned(), Input::Literal(value.into()));
        }
        self.project.nodes.insert(id.clone(), node);
        id
    }
}

/// A source, filters one after the other, an output: `nodes` in all.
pub fn chain(nodes: usize) -> Project {
    let mut builder = Builder::default();
    let mut last = builder.node("Card", &[], None);
    for _ in 0..nodes.saturating_sub(2) {
        last = builder.node("Wave", &[("image", &last)], None);
    }
    builder.node("Save", &[("images", &last)], None);
    builder.project
}

/// One source and `nodes - 1` outputs that read it, all different.
pub fn fan_out(nodes: usize) -> Project {
    let mut builder = Builder::default();
    let source = builder.node("Card", &[], None);
    for at in 1..nodes {
        builder.node(
            "Save",
            &[("images", &source)],
            Some(("prefix", &at.to_string())),
        );
    }
    builder.project
}

/// Layers of two filters that meet again: 2^layers ways from end to end, three nodes a layer.
pub fn diamonds(nodes: usize) -> Project {
    let mut builder = Builder::default();
    let mut last = builder.node("Card", &[], None);
    for _ in 0..nodes.saturating_sub(2) / 3 {
        let red = builder.node("Tint", &[("image", &last)], Some(("colour", "red")));
        let blue = builder.node("Tint", &[("image", &last)], Some(("colour", "blue")));
        last = builder.node("Over", &[("a", &red), ("b", &blue)], None);
    }
    builder.node("Save", &[("images", &last)], None);
    builder.project
}

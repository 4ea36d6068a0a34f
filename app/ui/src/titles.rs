//! What a node is called, wherever it is.

use longtake_editor::{Session, Studio, shape};
use longtake_graph::NodeId;

/// Titles of nodes by lowered id.
pub struct Titles<'a> {
    session: &'a Session,
    studio: &'a Studio,
}

impl<'a> Titles<'a> {
    /// Titles of a studio's open document.
    pub fn new(studio: &'a Studio) -> Self {
        Self {
            session: &studio.session,
            studio,
        }
    }

    /// The title as the canvas shows it; inside of subgraphs the instances' before it.
    pub fn of(&self, id: &NodeId) -> String {
        let project = self.session.project();
        let mut graph = &**project;
        let mut scope: Option<&str> = None;
        let mut rest = id.as_str();
        let mut title = String::new();
        loop {
            let whole = graph.nodes.get(rest);
            let outer = rest.match_indices(':').find_map(|(at, _)| {
                let node = graph.nodes.get(&rest[..at])?;
                Some((node, project.subgraphs.get(&node.class)?, at))
            });
            let Some(node) = whole.or(outer.map(|it| it.0)) else {
                return title + rest;
            };
            let language = self.studio.language();
            let catalog = self.studio.engine.catalog();
            if let Some(own) = &node.title {
                title += own;
            } else {
                let shape = shape::Shape::of(project, scope, node, catalog, language);
                title += &shape.title;
            }
            match outer {
                Some((node, subgraph, at)) if whole.is_none() => {
                    title += " › ";
                    scope = Some(node.class.as_str());
                    (graph, rest) = (&subgraph.graph, &rest[at + 1..]);
                }
                _ => return title,
            }
        }
    }
}

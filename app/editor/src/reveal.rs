//! The way to a node that a plan, a finding or a result speaks of, wherever it is.

use longtake_graph::NodeId;

use crate::action::{Action, CanvasAction};
use crate::session::Session;

/// What brings a node (lowered id) into view: out of the subgraphs that do not hold it, into those
/// that do. Where a part of the way is gone it ends at the last instance that is there.
pub fn way_to(session: &Session, id: &NodeId) -> Vec<Action> {
    let project = session.project();
    let mut graph = &**project;
    let mut rest = id.as_str();
    let mut instances: Vec<NodeId> = Vec::new();
    let last = loop {
        // A file may hold a node of such an id as it is.
        if graph.nodes.contains_key(rest) {
            break Some(NodeId::new(rest));
        }
        let mut inner = None;
        for (at, _) in rest.match_indices(':') {
            let node = graph.nodes.get_key_value(&rest[..at]);
            let found = node.and_then(|(id, node)| Some((id, project.subgraphs.get(&node.class)?)));
            if let Some((instance, subgraph)) = found {
                inner = Some((instance.clone(), &subgraph.graph, &rest[at + 1..]));
                break;
            }
        }
        match inner {
            Some((instance, inside, left)) => {
                instances.push(instance);
                (graph, rest) = (inside, left);
            }
            None => break instances.pop(),
        }
    };
    let Some(last) = last else { return Vec::new() };
    let scope = session.scope();
    let shared = scope
        .iter()
        .zip(&instances)
        .take_while(|(entered, instance)| entered.instance == **instance)
        .count();
    let mut way = Vec::new();
    if shared < scope.len() {
        way.push(Action::LeaveTo(shared));
    }
    way.extend(instances.drain(shared..).map(Action::Enter));
    way.push(CanvasAction::Reveal(last).into());
    way
}

#[cfg(test)]
mod tests {
    use longtake_graph::{Node, Project, Subgraph};

    use super::*;
    use crate::action::WindowAction;

    fn graph(nodes: &[(&str, &str)]) -> Project {
        let mut project = Project::default();
        for (id, class) in nodes {
            let node = Node {
                class: (*class).to_owned(),
                ..Node::default()
            };
            project.nodes.insert(NodeId::new(id), node);
        }
        project
    }

    fn nested() -> Session {
        let mut project = graph(&[("1", "Outer"), ("2", "KSampler"), ("7:8", "KSampler")]);
        for (name, inside) in [
            ("Outer", graph(&[("3", "Inner"), ("4", "VAEDecode")])),
            ("Inner", graph(&[("5", "VAEDecode")])),
        ] {
            let subgraph = Subgraph {
                graph: inside,
                ..Subgraph::default()
            };
            project.subgraphs.insert(name.to_owned(), subgraph);
        }
        Session::new(project, None)
    }

    fn way(session: &Session, id: &str) -> String {
        let show = |action: Action| match action {
            Action::LeaveTo(depth) => format!("leave {depth}"),
            Action::Enter(node) => format!("enter {node}"),
            Action::Window(WindowAction::Canvas(CanvasAction::Reveal(node))) => {
                format!("reveal {node}")
            }
            other => format!("{other:?}"),
        };
        let way = way_to(session, &NodeId::new(id));
        way.into_iter().map(show).collect::<Vec<_>>().join(", ")
    }

    #[test]
    fn in_and_out() {
        let mut session = nested();
        assert_eq!(way(&session, "2"), "reveal 2");
        assert_eq!(way(&session, "7:8"), "reveal 7:8");
        assert_eq!(way(&session, "1:3:5"), "enter 1, enter 3, reveal 5");
        assert_eq!(way(&session, "1:9"), "reveal 1", "what is gone");
        assert_eq!(way(&session, "99"), "");
        session.enter(&NodeId::new("1"));
        session.enter(&NodeId::new("3"));
        assert_eq!(way(&session, "1:3:5"), "reveal 5");
        assert_eq!(way(&session, "1:4"), "leave 1, reveal 4");
        assert_eq!(way(&session, "2"), "leave 0, reveal 2");
    }
}

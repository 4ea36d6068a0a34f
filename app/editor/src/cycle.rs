//! Whether a link would make nodes need each other. Seen port by port through subgraphs: an
//! instance may feed a node that feeds another port of the same instance.

use std::collections::{HashMap, HashSet};

use longtake_graph::{Input, Link, Node, NodeId, Project, Subgraph};

use crate::scene::Scene;

/// The nodes that would need each other if `from` stood at that input: from `to` along the links,
/// back to `to`.
pub fn cycle(scene: &Scene<'_>, to: &NodeId, input: &str, from: &Link) -> Option<Vec<NodeId>> {
    let graph = scene.graph();
    let mut behind = Behind::new(scene.root);
    let mut after: HashMap<Link, Link> = HashMap::new();
    let mut open = vec![from.clone()];
    let mut seen: HashSet<Link> = open.iter().cloned().collect();
    while let Some(link) = open.pop() {
        let Some(node) = graph.nodes.get(&link.node) else {
            continue;
        };
        let ports = behind.of(&node.class, link.output, 0);
        if link.node == *to && ports.as_ref().is_none_or(|ports| ports.contains(input)) {
            return Some(path(link, &after, to));
        }
        for source in sources(node, ports.as_ref()) {
            if seen.insert(source.clone()) {
                after.insert(source.clone(), link.clone());
                open.push(source.clone());
            }
        }
    }
    None
}

fn path(mut link: Link, after: &HashMap<Link, Link>, to: &NodeId) -> Vec<NodeId> {
    let mut nodes = vec![link.node.clone()];
    while let Some(next) = after.get(&link) {
        nodes.push(next.node.clone());
        link = next.clone();
    }
    nodes.push(to.clone());
    nodes
}

/// The links at a node's inputs; only those at `ports`, if given.
fn sources<'a>(
    node: &'a Node,
    ports: Option<&'a HashSet<String>>,
) -> impl Iterator<Item = &'a Link> {
    let inputs = node.inputs.iter();
    inputs.filter_map(move |(name, input)| match input {
        Input::Link(link) => ports
            .is_none_or(|ports| ports.contains(name))
            .then_some(link),
        Input::Literal(_) => None,
    })
}

/// Which input ports each output port of a definition depends on.
struct Behind<'a> {
    root: &'a Project,
    known: HashMap<(String, u32), Option<HashSet<String>>>,
}

/// Deeper than documents nest; a definition that contains itself ends here.
const DEEPEST: usize = 32;

impl<'a> Behind<'a> {
    fn new(root: &'a Project) -> Self {
        Self {
            root,
            known: HashMap::new(),
        }
    }

    /// The inputs behind an output of a node of that class; `None`: all of them.
    fn of(&mut self, class: &str, output: u32, depth: usize) -> Option<HashSet<String>> {
        let definition = self.root.subgraphs.get(class)?;
        let key = (class.to_owned(), output);
        if let Some(known) = self.known.get(&key) {
            return known.clone();
        }
        // Known as "all" while it is being found out, in case it contains itself.
        self.known.insert(key.clone(), None);
        let found = if depth < DEEPEST {
            Some(self.walk(definition, output, depth))
        } else {
            None
        };
        self.known.insert(key, found.clone());
        found
    }

    fn walk(&mut self, definition: &'a Subgraph, output: u32, depth: usize) -> HashSet<String> {
        let nodes = &definition.graph.nodes;
        let end = definition
            .outputs
            .get(output as usize)
            .and_then(|port| nodes.get(Subgraph::OUTPUT)?.inputs.get(&port.name));
        let mut open: Vec<&Link> = match end {
            Some(Input::Link(link)) => vec![link],
            Some(Input::Literal(_)) | None => Vec::new(),
        };
        let mut seen: HashSet<&Link> = open.iter().copied().collect();
        let mut found = HashSet::new();
        while let Some(link) = open.pop() {
            let Some(node) = nodes.get(&link.node) else {
                continue;
            };
            if node.class == Subgraph::INPUT_CLASS {
                let port = definition.inputs.get(link.output as usize);
                found.extend(port.map(|it| it.name.clone()));
                continue;
            }
            let ports = self.of(&node.class, link.output, depth + 1);
            for (name, input) in &node.inputs {
                if let Input::Link(source) = input
                    && ports.as_ref().is_none_or(|ports| ports.contains(name))
                    && seen.insert(source)
                {
                    open.push(source);
                }
            }
        }
        found
    }
}

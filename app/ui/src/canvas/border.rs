//! The border of an open subgraph, and the ends of links: what a hit on them stands for.

use longtake_editor::shape::Origin;
use longtake_editor::subgraph::Side;
use longtake_graph::NodeId;

use super::Canvas;
use super::hit::{Hit, Socket};

impl Canvas {
    /// The port of the open subgraph whose socket this is, and what it is called.
    pub(super) fn port_at(&self, hit: Hit) -> Option<(Side, usize, String)> {
        let Hit::Socket(socket) = hit else {
            return None;
        };
        let node = self.layout.nodes.get(socket.node())?;
        if !matches!(node.shape.origin, Origin::Border) {
            return None;
        }
        let (side, index, label) = match socket {
            Socket::In(_, at) => (Side::Output, at, &node.shape.inputs.get(at)?.label),
            Socket::Out(_, at) => (Side::Input, at, &node.shape.outputs.get(at)?.label),
        };
        Some((side, index, label.clone()))
    }

    /// The input a link stands at.
    pub(super) fn wire_end(&self, wire: usize) -> Option<(NodeId, String)> {
        let (node, input) = self.layout.wires.get(wire)?.to;
        let node = &self.layout.nodes[node];
        Some((node.id.clone(), node.shape.inputs.get(input)?.name.clone()))
    }
}

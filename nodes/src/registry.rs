//! The list of all nodes, and what the compiler and the executor ask of it.

use std::any::Any;
use std::collections::BTreeMap;

use longtake_graph::{Catalog, Declaration};
use longtake_models::device::DeviceFault;
use longtake_plan::{NodeSpec, Specs, WeightsInfo};
use longtake_run::{Device, Loading, Nodes, Resident, RunError, RunFn};

use crate::Node;
use crate::failure::IntoRunError;

/// Every node, sorted by folder.
pub fn all() -> Vec<Node> {
    let mut nodes = Vec::new();
    nodes.extend(crate::camera::NODES);
    nodes.extend(crate::conditioning::NODES);
    nodes.extend(crate::film::NODES);
    nodes.extend(crate::image::NODES);
    nodes.extend(crate::latent::NODES);
    nodes.extend(crate::model::NODES);
    nodes.extend(crate::pose::NODES);
    nodes.extend(crate::primitive::NODES);
    nodes.extend(crate::sampling::NODES);
    nodes.extend(crate::sampling::custom::NODES);
    nodes.extend(crate::video::NODES);
    nodes
}

/// Nodes by class.
pub struct Registry {
    nodes: BTreeMap<&'static str, Node>,
}

impl Registry {
    /// The registry of [`all`] nodes.
    pub fn new() -> Self {
        Self {
            nodes: all().into_iter().map(|node| (node.class(), node)).collect(),
        }
    }

    /// Every node, sorted by class.
    pub fn nodes(&self) -> impl Iterator<Item = &Node> {
        self.nodes.values()
    }
}

impl Default for Registry {
    fn default() -> Self {
        Self::new()
    }
}

impl Catalog for Registry {
    fn declaration(&self, class: &str) -> Option<&'static Declaration> {
        self.nodes.get(class).map(|node| node.spec.decl)
    }

    fn classes(&self) -> Vec<&'static str> {
        self.nodes.keys().copied().collect()
    }
}

impl Specs for Registry {
    fn spec(&self, class: &str) -> Option<&NodeSpec> {
        self.nodes.get(class).map(|node| &node.spec)
    }
}

impl Nodes for Registry {
    fn runner(&self, class: &str) -> Option<RunFn> {
        self.nodes.get(class)?.run
    }

    fn load_weights(
        &self,
        info: &WeightsInfo,
        device: &Device,
        streamed: bool,
        tell: &mut dyn FnMut(Loading),
    ) -> Result<Resident, RunError> {
        crate::model::load(info, device, streamed, tell)
    }

    fn fault(&self, panic: &(dyn Any + Send)) -> Option<RunError> {
        DeviceFault::of_panic(panic).map(IntoRunError::into_run_error)
    }
}

#[cfg(test)]
mod tests {
    use longtake_run::Failure;

    use super::*;

    /// What the executor asks of each panic it catches.
    #[test]
    fn a_full_device_leads_to_a_lesser_way_and_a_bug_does_not() {
        let registry = Registry::new();
        let failure = |text: &str| registry.fault(&text.to_owned()).map(|it| it.failure);
        let unwrapped = |what: &str| format!("called `Result::unwrap()` on an `Err` value: {what}");
        let full = unwrapped("can't allocate buffer of size: 51527024640\n");
        assert_eq!(failure(&full), Some(Failure::OutOfMemory));
        assert_eq!(failure(&unwrapped("CallError")), Some(Failure::Failed));
        assert_eq!(failure("no room for the bloom pass"), None);
    }
}

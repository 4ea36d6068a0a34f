//! A made-up world and machines for it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use longtake_graph::declare::FileKind;
use longtake_graph::{ModelFolder, Project, say};

use super::{GIB, MIB};
use crate::{
    ClipInfo, DeviceKind, FactError, Facts, Info, Machine, MediaFacts, Signature, Stored,
    WeightsFacts,
};

/// A made-up world: three checkpoints, any image, a store of named signatures.
#[derive(Default)]
pub struct World {
    /// Signatures the store has, with sizes.
    pub stored: BTreeMap<Signature, Option<Info>>,
    /// Number of values of checkpoints that differ from their folder's usual.
    pub elements: BTreeMap<String, u64>,
    /// Files that are missing.
    pub missing: BTreeSet<String>,
}

impl Facts for World {
    fn weights(&self, folder: ModelFolder, name: &str) -> Result<Arc<WeightsFacts>, FactError> {
        if self.missing.contains(name) {
            let message = say!(
                "There is no {name} in {}.",
                "{name} は {} にありません。",
                folder.names()[0]
            );
            return Err(FactError {
                code: "file_missing",
                message,
            });
        }
        let (family, elements, layers) = match folder {
            ModelFolder::TextEncoders => ("umt5", 5 * GIB, 24),
            ModelFolder::Vae => ("vae", GIB / 8, 12),
            _ => ("dit", 3 * GIB / 2, 30),
        };
        let elements = self.elements.get(name).copied().unwrap_or(elements);
        Ok(Arc::new(WeightsFacts {
            path: PathBuf::from(format!("/models/{}/{name}", folder.names()[0])),
            fingerprint: blake3::hash(name.as_bytes()).to_hex().to_string(),
            file_bytes: elements * 2,
            elements,
            family: family.to_owned(),
            dims: BTreeMap::from([("layers".to_owned(), layers)]),
        }))
    }

    fn media(&self, _: FileKind, name: &str) -> Result<Arc<MediaFacts>, FactError> {
        if self.missing.contains(name) {
            return Err(FactError {
                code: "file_missing",
                message: say!("There is no {name}.", "{name} はありません。"),
            });
        }
        let info = Info::Clip(ClipInfo {
            frames: 1,
            width: 832,
            height: 480,
            channels: 3,
            fps: None,
        });
        let hash = blake3::hash(name.as_bytes()).to_hex().to_string();
        Ok(Arc::new(MediaFacts {
            path: PathBuf::from(name),
            hash,
            info,
        }))
    }

    fn stored(&self, signature: &Signature) -> Option<Stored> {
        self.stored
            .get(signature)
            .map(|info| Stored { info: info.clone() })
    }
}

/// A GPU of `vram` bytes beside 64 GiB of host memory.
pub fn gpu(vram: u64) -> Machine {
    Machine {
        device: DeviceKind::Cuda,
        device_name: "Toy GPU".to_owned(),
        device_budget: vram,
        host_budget: 64 * GIB,
        weight_bytes: 2,
        flops_per_second: 1e14,
        load_bytes_per_second: 2e9,
        base_host_bytes: 200 * MIB,
    }
}

/// A machine without a GPU.
pub fn cpu(ram: u64) -> Machine {
    Machine {
        device: DeviceKind::Cpu,
        device_name: "Toy CPU".to_owned(),
        device_budget: 0,
        host_budget: ram,
        weight_bytes: 4,
        flops_per_second: 1e12,
        ..gpu(0)
    }
}

/// A project from prompt JSON: `{"id": {"class_type", "inputs"}}`.
///
/// # Panics
/// On JSON of another shape; for tests.
pub fn project(prompt: &serde_json::Value) -> Project {
    use longtake_graph::{Input, Link, Node, NodeId};
    let mut project = Project::default();
    for (id, node) in prompt.as_object().expect("an object") {
        let mut made = Node {
            class: node["class_type"].as_str().expect("a class").to_owned(),
            ..Node::default()
        };
        for (name, value) in node["inputs"].as_object().into_iter().flatten() {
            let link = value
                .as_array()
                .filter(|it| it.len() == 2 && it[0].is_string() && it[1].is_u64());
            let input = match link {
                Some(link) => Input::Link(Link {
                    node: NodeId::new(link[0].as_str().unwrap_or_default()),
                    output: link[1].as_u64().unwrap_or_default() as u32,
                }),
                None => Input::Literal(value.clone()),
            };
            made.inputs.insert(name.clone(), input);
        }
        project.nodes.insert(NodeId::new(id), made);
    }
    project
}

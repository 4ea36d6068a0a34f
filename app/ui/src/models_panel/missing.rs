//! Which checkpoints a document names, and which of them the models tree lacks.

use std::collections::BTreeMap;

use longtake_editor::engine::ModelFile;
use longtake_graph::near::near;
use longtake_graph::{Catalog, Edit, Input, InputType, ModelFolder, NodeId, Project};
use serde_json::Value;

/// Where a document names a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Use {
    /// The subgraph whose definition it is in; `None`: the root graph.
    pub subgraph: Option<String>,
    /// The node.
    pub node: NodeId,
    /// The parameter.
    pub input: String,
}

/// A checkpoint that a document names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// Its folder.
    pub folder: ModelFolder,
    /// The name.
    pub name: String,
    /// Every place that names it.
    pub uses: Vec<Use>,
}

/// Every checkpoint that a document names, by folder and name.
pub fn named(project: &Project, catalog: &dyn Catalog) -> Vec<Named> {
    let mut found: BTreeMap<(ModelFolder, String), Vec<Use>> = BTreeMap::new();
    let inner = project.subgraphs.iter();
    let inner = inner.map(|(key, subgraph)| (Some(key), &subgraph.graph));
    for (key, graph) in std::iter::once((None, project)).chain(inner) {
        for (id, node) in &graph.nodes {
            let Some(declaration) = catalog.declaration(&node.class) else {
                continue;
            };
            for decl in declaration.inputs {
                let (InputType::Model { folder }, Some(Input::Literal(Value::String(name)))) =
                    (decl.ty, node.inputs.get(decl.name))
                else {
                    continue;
                };
                if name.is_empty() {
                    continue;
                }
                let uses = found.entry((folder, name.clone())).or_default();
                uses.push(Use {
                    subgraph: key.cloned(),
                    node: id.clone(),
                    input: decl.name.to_owned(),
                });
            }
        }
    }
    let named = found
        .into_iter()
        .map(|((folder, name), uses)| Named { folder, name, uses });
    named.collect()
}

/// Whether a file is the one that a graph names. Graphs made on Windows write `\`.
pub fn is(file: &ModelFile, named: &Named) -> bool {
    file.folder == named.folder
        && (file.name == named.name || file.name == named.name.replace('\\', "/"))
}

/// Files of its folder that may be meant, nearest first: slips of the keyboard, then the same file
/// in another folder, then names that begin alike.
pub fn candidates<'a>(named: &Named, files: &'a [ModelFile]) -> Vec<&'a str> {
    const MOST: usize = 3;
    let plain = named.name.replace('\\', "/");
    let base = |name: &str| name.rsplit('/').next().unwrap_or(name).to_lowercase();
    let own = base(&plain);
    let names: Vec<&str> = files
        .iter()
        .filter(|it| it.folder == named.folder)
        .map(|it| it.name.as_str())
        .collect();
    let mut found: Vec<&str> = near(&plain, names.iter().copied());
    let mut others: Vec<(usize, &str)> = names
        .iter()
        .map(|name| {
            let other = base(name);
            let alike = own.chars().zip(other.chars()).take_while(|(a, b)| a == b);
            let alike = if other == own {
                usize::MAX
            } else {
                alike.count()
            };
            (alike, *name)
        })
        .filter(|(alike, name)| *alike >= own.len().div_ceil(2).min(8) && !found.contains(name))
        .collect();
    others.sort_unstable_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(b.1)));
    found.extend(others.into_iter().map(|it| it.1));
    found.truncate(MOST);
    found
}

/// The edit of the whole document that writes another name wherever this one stands.
pub fn replace(named: &Named, name: &str) -> Edit {
    let edits = named.uses.iter().map(|place| {
        let edit = Edit::SetInput {
            node: place.node.clone(),
            input: place.input.clone(),
            value: Some(Input::Literal(Value::from(name))),
        };
        match &place.subgraph {
            None => edit,
            Some(subgraph) => Edit::Within {
                subgraph: subgraph.clone(),
                edit: Box::new(edit),
            },
        }
    });
    Edit::Batch(edits.collect())
}

#[cfg(test)]
mod tests {
    use longtake_editor::testing::{Classes, node, small};
    use longtake_graph::{Subgraph, apply};
    use serde_json::json;

    use super::*;

    fn file(folder: ModelFolder, name: &str) -> ModelFile {
        ModelFile {
            folder,
            name: name.to_owned(),
            path: name.into(),
            bytes: 1,
            what: Ok("Wan".to_owned()),
        }
    }

    #[test]
    fn names_are_found_in_subgraphs_too_and_replaced_everywhere() {
        let mut project = small();
        let mut inner = Subgraph::default();
        let loader = node(
            "UNETLoader",
            [0.0; 2],
            &[("unet_name", json!("wan.safetensors"))],
        );
        inner.graph.nodes.insert(NodeId::new("3"), loader);
        project.subgraphs.insert("inner".to_owned(), inner);
        let all = named(&project, &Classes);
        let names: Vec<(&str, usize)> = all.iter().map(|it| (&*it.name, it.uses.len())).collect();
        assert_eq!(names, [("wan.safetensors", 2), ("umt5.safetensors", 1)]);
        let before = project.clone();
        let undo = apply(&mut project, replace(&all[0], "other.safetensors")).unwrap();
        let now = named(&project, &Classes);
        assert_eq!((&*now[0].name, now[0].uses.len()), ("other.safetensors", 2));
        apply(&mut project, undo).unwrap();
        assert_eq!(project, before);
    }

    #[test]
    fn likely_files_of_the_same_folder_are_offered() {
        use ModelFolder::{DiffusionModels, Vae};
        let files = [
            file(DiffusionModels, "wan2.1_t2v_1.3B_bf16.safetensors"),
            file(DiffusionModels, "wan2.1_t2v_14B_fp8.safetensors"),
            file(DiffusionModels, "sub/flux.safetensors"),
            file(Vae, "wan2.1_t2v_1.3B_fp16.safetensors"),
        ];
        let wanted = |name: &str| Named {
            folder: DiffusionModels,
            name: name.to_owned(),
            uses: Vec::new(),
        };
        for (name, offered) in [
            (
                "wan2.1_t2v_1.3B_fp16.safetensors",
                &[
                    "wan2.1_t2v_1.3B_bf16.safetensors",
                    "wan2.1_t2v_14B_fp8.safetensors",
                ][..],
            ),
            ("flux.safetensors", &["sub/flux.safetensors"]),
            ("something-else.ckpt", &[]),
        ] {
            assert_eq!(candidates(&wanted(name), &files), offered, "{name}");
        }
        assert!(is(&files[2], &wanted("sub\\flux.safetensors")));
        assert!(!is(&files[3], &wanted("wan2.1_t2v_1.3B_fp16.safetensors")));
    }
}

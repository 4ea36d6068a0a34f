//! The presets as the gallery shows them.

use std::path::{Path, PathBuf};

use longtake_editor::engine::{ModelFile, Preset};
use longtake_graph::{Catalog, Input, InputType, ModelFolder, Project};
use longtake_nodes::DiskFacts;
use longtake_plan::Facts;
use longtake_run::{Roots, Store};

use super::engine::Machinery;
use crate::library;

/// Every preset, in the order of their names, those that need nothing first.
pub fn list(machinery: &Machinery) -> Vec<Preset> {
    let Some(folder) = library::presets_folder() else {
        return Vec::new();
    };
    let Ok(entries) = std::fs::read_dir(&folder) else {
        return Vec::new();
    };
    let mut paths: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| {
            path.extension()
                .is_some_and(|it| it == "longtake" || it == "json")
        })
        .collect();
    paths.sort();
    let mut presets: Vec<Preset> = paths
        .iter()
        .filter_map(|path| preset(machinery, path))
        .collect();
    presets.sort_by_key(|it| it.missing > 0);
    presets
}

fn preset(machinery: &Machinery, path: &Path) -> Option<Preset> {
    let (project, _) = crate::document::read(path).ok()?;
    let stem = path.file_stem()?.to_string_lossy().into_owned();
    let picture = path.parent()?.join("pictures").join(format!("{stem}.png"));
    Some(Preset {
        path: path.to_path_buf(),
        title: if project.title.is_empty() {
            stem
        } else {
            project.title.clone()
        },
        about: about(&project),
        picture: picture.is_file().then_some(picture),
        missing: missing(machinery, &project),
    })
}

/// The sentences a preset says of itself: `about` in its file, `[English, Japanese]`.
fn about(project: &Project) -> [String; 2] {
    let texts = project.extra.get("about").and_then(|it| it.as_array());
    let text = |at: usize| {
        texts
            .and_then(|it| it.get(at)?.as_str())
            .unwrap_or_default()
            .to_owned()
    };
    [text(0), text(1)]
}

/// Checkpoints that the graph names and the models tree lacks.
fn missing(machinery: &Machinery, project: &Project) -> usize {
    let models = &machinery.opened.roots.models;
    let mut names: Vec<(ModelFolder, &str)> = Vec::new();
    for node in project.nodes.values() {
        let Some(declaration) = machinery.registry.declaration(&node.class) else {
            continue;
        };
        for decl in declaration.inputs {
            if let (InputType::Model { folder }, Some(Input::Literal(value))) =
                (decl.ty, node.inputs.get(decl.name))
            {
                names.extend(value.as_str().map(|name| (folder, name)));
            }
        }
    }
    names.sort_unstable();
    names.dedup();
    names
        .iter()
        .filter(|(folder, name)| longtake_nodes::facts::find_model(models, *folder, name).is_err())
        .count()
}

/// The whole models tree.
pub fn models(roots: &Roots, store: &Store) -> Vec<ModelFile> {
    let facts = DiskFacts::new(roots.clone(), store.clone(), None);
    let mut files = Vec::new();
    for folder in ModelFolder::ALL {
        for name in library::model_names(&roots.models, folder) {
            let found = longtake_nodes::facts::find_model(&roots.models, folder, &name);
            let Ok(path) = found else { continue };
            let known = facts.weights(folder, &name);
            files.push(ModelFile {
                folder,
                bytes: known
                    .as_ref()
                    .map_or_else(|_| on_disk(&path), |it| it.file_bytes),
                what: known.map(|it| it.family.clone()).map_err(|e| e.to_string()),
                name,
                path,
            });
        }
    }
    files
}

fn on_disk(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |it| it.len())
}

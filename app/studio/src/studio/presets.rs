//! The presets as the gallery shows them.

use std::path::{Path, PathBuf};

use indexmap::IndexMap;
use longtake_editor::engine::{ModelFile, Preset};
use longtake_graph::{ModelFolder, Project};
use longtake_nodes::DiskFacts;
use longtake_plan::Facts;
use longtake_run::{Roots, Store};
use serde::Deserialize;

use super::engine::Machinery;
use crate::library;

/// What the gallery says of a preset, `[English, Japanese]`; `presets/pictures/gallery.json` holds them by name.
#[derive(Deserialize)]
struct Card {
    title: [String; 2],
    about: [String; 2],
}

/// Every preset in the gallery's order, those that need nothing first; then graphs that someone put
/// beside them.
pub fn list(machinery: &Machinery) -> Vec<Preset> {
    let Some(folder) = library::presets_folder() else {
        return Vec::new();
    };
    let cards: IndexMap<String, Card> = std::fs::read(folder.join("pictures/gallery.json"))
        .ok()
        .and_then(|bytes| serde_json::from_slice(&bytes).ok())
        .unwrap_or_default();
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
    let mut presets: Vec<(usize, Preset)> = paths
        .iter()
        .filter_map(|path| preset(machinery, path, &cards))
        .collect();
    presets.sort_by_key(|(place, it)| (it.missing > 0, *place));
    presets.into_iter().map(|(_, preset)| preset).collect()
}

fn preset(
    machinery: &Machinery,
    path: &Path,
    cards: &IndexMap<String, Card>,
) -> Option<(usize, Preset)> {
    let (project, _) = crate::document::read(path).ok()?;
    let stem = path.file_stem()?.to_string_lossy().into_owned();
    let picture = path.parent()?.join("pictures").join(format!("{stem}.png"));
    let card = cards.get_full(&stem);
    let own = if project.title.is_empty() {
        &stem
    } else {
        &project.title
    };
    let preset = Preset {
        path: path.to_path_buf(),
        title: card.map_or_else(|| [own.clone(), own.clone()], |it| it.2.title.clone()),
        about: card.map(|it| it.2.about.clone()).unwrap_or_default(),
        picture: picture.is_file().then_some(picture),
        missing: missing(machinery, &project),
    };
    Some((card.map_or(usize::MAX, |it| it.0), preset))
}

/// Checkpoints that the graph names and the models tree lacks.
fn missing(machinery: &Machinery, project: &Project) -> usize {
    let models = &machinery.opened.roots.models;
    let find = longtake_nodes::facts::find_model;
    longtake_ui::models_panel::named(project, &machinery.registry)
        .iter()
        .filter(|it| find(models, it.folder, &it.name).is_err())
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
                what: known.map(|it| it.family.clone()).map_err(|e| e.message),
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

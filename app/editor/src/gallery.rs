//! Opening presets: their own files are never written to.

use std::path::{Component, Path, PathBuf};

use longtake_graph::{Input, Project};
use serde_json::Value;

use crate::engine::Engine;
use crate::files::Wanted;
use crate::studio::Studio;

impl Studio {
    /// Opens a copy of a preset that has no file yet; asks first when work would be lost.
    pub(crate) fn open_preset(&mut self, path: PathBuf) {
        self.read(path, Wanted::Copy);
    }
}

/// Pictures and poses that a preset names lie beside it, in `input`: those that the input folder
/// lacks are copied there, so that the preset runs as it is. What cannot be copied is missing then,
/// and the checker says so.
pub(crate) fn bring_files(engine: &dyn Engine, preset: &Path, project: &mut Project) {
    let (from, to) = (preset.with_file_name("input"), engine.folders().input);
    let mut bring = |name: &mut String| {
        let mut parts = Path::new(name.as_str()).components();
        let plain = !name.is_empty() && parts.all(|it| matches!(it, Component::Normal(_)));
        let (source, missing) = (from.join(&*name), !to.join(&*name).exists());
        if plain
            && missing
            && source.is_file()
            && let Ok(brought) = engine.import_file(&source)
        {
            *name = brought;
        }
    };
    let inside = project.subgraphs.values_mut().map(|it| &mut it.graph.nodes);
    let graphs = inside.chain([&mut project.nodes]);
    for input in graphs
        .flat_map(|it| it.values_mut())
        .flat_map(|it| it.inputs.values_mut())
    {
        if let Input::Literal(value) = input {
            each_text(value, &mut bring);
        }
    }
}

/// A text, or those in a table of shots.
fn each_text(value: &mut Value, f: &mut impl FnMut(&mut String)) {
    match value {
        Value::String(text) => f(text),
        Value::Array(items) => items.iter_mut().for_each(|it| each_text(it, f)),
        Value::Object(fields) => fields.values_mut().for_each(|it| each_text(it, f)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use longtake_graph::{Format, format};

    use crate::Action;
    use crate::testing::{Classes, small, studio};

    #[test]
    fn a_preset_opens_as_a_document_without_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("first.longtake");
        let (text, _) = format::to_text(&small(), Format::Project, &Classes);
        std::fs::write(&path, text).unwrap();
        let mut studio = studio(longtake_graph::Project::default());
        studio.act(Action::OpenPreset(path.clone()));
        studio.finish_files();
        assert_eq!(studio.session.project().nodes.len(), 8);
        assert_eq!(studio.session.path, None);
        assert!(!studio.session.dirty());
        studio.act(Action::OpenPreset(folder.path().join("absent.longtake")));
        studio.finish_files();
        assert_eq!(studio.messages.list.len(), 1, "told, and nothing lost");
        assert_eq!(studio.session.project().nodes.len(), 8);
    }
}

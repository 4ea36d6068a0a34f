//! Opening presets: their own files are never written to.

use std::path::PathBuf;

use crate::files::Wanted;
use crate::studio::Studio;

impl Studio {
    /// Opens a copy of a preset that has no file yet; asks first when work would be lost.
    pub(crate) fn open_preset(&mut self, path: PathBuf) {
        self.read(path, Wanted::Copy);
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

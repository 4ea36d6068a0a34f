//! A graph that came without places (a prompt), or whose nodes lie over each other since they were
//! placed for other sizes, is laid out once when it is opened.

use longtake_graph::{Edit, Project};

use super::{layout, moves};
use crate::command::Command;
use crate::language::{Text, t};
use crate::selection::Item;
use crate::studio::Studio;

/// Gap between the nodes and the notes below them, points.
const GAP: f32 = 60.0;
/// More nodes than this are left as they are: finding overlaps takes too long.
const MOST: usize = 2000;
/// A node this far (part of its area) below another is hidden rather than touched.
const HIDDEN: f32 = 0.25;
const OVERLAP: Text = t(
    "Some nodes lie over each other.",
    "重なっているノードがあります。",
);

impl Studio {
    /// Lays out the open document if it was just opened and needs it: a copy or a preset whose nodes
    /// lie over each other, or a file that was never laid out. Places that a person saved stay; where
    /// nodes hide each other there, laying out is offered. True when nothing more is to be done.
    pub fn untangle(&mut self) -> bool {
        let graph = self.session.graph();
        if self.session.dirty() || graph.nodes.is_empty() || graph.nodes.len() > MOST {
            return true;
        }
        if graph.nodes.keys().any(|id| !self.sizes.contains_key(id)) {
            return false;
        }
        let rects: Vec<[f32; 4]> = graph
            .nodes
            .keys()
            .filter_map(|id| self.rect(&Item::Node(id.clone())))
            .collect();
        let placed = graph.nodes.values().all(|node| node.pos.is_some());
        let touches = overlap(&rects, 0.0);
        if placed && !touches {
            return true;
        }
        if self.session.path.is_none() || self.is_preset() || never_placed(graph) {
            self.lay_out_opened();
        } else if overlap(&rects, HIDDEN) {
            self.messages.offer(self.tr(OVERLAP), Command::AutoLayout);
        }
        true
    }

    /// Whether the document's file lies among the presets.
    fn is_preset(&self) -> bool {
        let folder = self.engine.folders().presets;
        let folder = folder.and_then(|it| it.canonicalize().ok());
        let path = self.session.path.as_deref();
        folder
            .zip(path)
            .is_some_and(|(folder, path)| path.starts_with(folder))
    }

    fn lay_out_opened(&mut self) {
        let graph = self.session.graph();
        let ids: Vec<_> = graph.nodes.keys().cloned().collect();
        let rect = |id| self.rect(&Item::Node(id)).unwrap_or_default();
        let edit = layout::layout(graph, &ids, rect);
        self.session.place(edit);
        let below = self.notes_below();
        self.session.place(below);
    }

    /// Moves all notes below the nodes, as they lie to each other, if one covers a node.
    fn notes_below(&self) -> Edit {
        let graph = self.session.graph();
        let nodes: Vec<[f32; 4]> = graph
            .nodes
            .keys()
            .filter_map(|id| self.rect(&Item::Node(id.clone())))
            .collect();
        let covers = |graph: &Project| {
            let notes = graph.notes.values();
            notes
                .into_iter()
                .any(|note| nodes.iter().any(|node| meet(&note.bounds, node)))
        };
        if !covers(graph) {
            return Edit::Batch(Vec::new());
        }
        let left = nodes.iter().map(|it| it[0]).fold(f32::MAX, f32::min);
        let bottom = nodes
            .iter()
            .map(|it| it[1] + it[3])
            .fold(f32::MIN, f32::max);
        let notes = graph.notes.values();
        let (x, y) = notes.fold((f32::MAX, f32::MAX), |(x, y), note| {
            (x.min(note.bounds[0]), y.min(note.bounds[1]))
        });
        let corners = graph.notes.iter().map(|(id, note)| {
            let corner = [note.bounds[0] - x + left, note.bounds[1] - y + bottom + GAP];
            (Item::Note(id.clone()), corner)
        });
        moves(graph, corners)
    }
}

fn meet(a: &[f32; 4], b: &[f32; 4]) -> bool {
    a[0] < b[0] + b[2] && b[0] < a[0] + a[2] && a[1] < b[1] + b[3] && b[1] < a[1] + a[3]
}

/// Whether two cover each other by more than that part of the smaller one.
fn overlap(rects: &[[f32; 4]], part: f32) -> bool {
    let covers = |a: &[f32; 4], b: &[f32; 4]| {
        let width = (a[0] + a[2]).min(b[0] + b[2]) - a[0].max(b[0]);
        let height = (a[1] + a[3]).min(b[1] + b[3]) - a[1].max(b[1]);
        let smaller = (a[2] * a[3]).min(b[2] * b[3]);
        meet(a, b) && width * height > smaller * part
    };
    rects
        .iter()
        .enumerate()
        .any(|(at, a)| rects[at + 1..].iter().any(|b| covers(a, b)))
}

/// Whether nobody ever gave the nodes places: none has one, or most lie at the same.
fn never_placed(graph: &Project) -> bool {
    let places = graph.nodes.values().filter_map(|it| it.pos);
    let places: Vec<[f32; 2]> = places.collect();
    let same = |at: &[f32; 2]| places.iter().filter(|it| *it == at).count();
    let most = places.iter().map(same).max().unwrap_or(0);
    places.is_empty() || (most > 2 && most * 2 > graph.nodes.len())
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};
    use std::sync::Arc;

    use longtake_graph::Project;

    use crate::testing::{Fake, small, studio};
    use crate::{Command, Studio};

    #[test]
    fn a_prompt_without_places_is_laid_out_and_stays_unchanged() {
        let mut project = small();
        for node in project.nodes.values_mut() {
            node.pos = None;
        }
        let mut studio = studio(project);
        assert!(!studio.untangle(), "sizes are not known yet");
        let ids: Vec<_> = studio.session.graph().nodes.keys().cloned().collect();
        studio.sizes = ids.into_iter().map(|id| (id, [220.0, 160.0])).collect();
        assert!(studio.untangle());
        let graph = studio.session.graph();
        assert!(graph.nodes.values().all(|node| node.pos.is_some()));
        assert!(!studio.session.dirty(), "nobody changed it");
        let pos = |id: &str| graph.nodes[id].pos.unwrap_or_default();
        assert!(pos("6")[0] > pos("1")[0], "links go to the right");
        let before = graph.clone();
        assert!(studio.untangle());
        assert_eq!(&before, studio.session.graph(), "once is enough");
    }

    /// As opened from that file, every node of a usual size.
    fn opened(folder: &Path, project: Project, path: Option<PathBuf>) -> Studio {
        let mut studio = studio(Project::default());
        studio.engine = Arc::new(Fake {
            folder: folder.to_path_buf(),
            ..Fake::default()
        });
        studio.session = crate::Session::new(project, path);
        let ids: Vec<_> = studio.session.graph().nodes.keys().cloned().collect();
        studio.sizes = ids.into_iter().map(|id| (id, [220.0, 160.0])).collect();
        studio
    }

    fn at(project: &mut Project, id: &str, pos: Option<[f32; 2]>) {
        project.nodes[id].pos = pos;
    }

    #[test]
    fn presets_and_what_was_never_placed_are_laid_out_and_a_persons_places_stay() {
        let folder = tempfile::tempdir().unwrap();
        let presets = folder.path().join("presets");
        std::fs::create_dir_all(&presets).unwrap();
        let preset = presets.canonicalize().unwrap().join("x.longtake");
        let own = folder.path().join("own.longtake");
        let mut hidden = small();
        at(&mut hidden, "7", Some([690.0, 90.0]));
        let mut heap = small();
        for node in heap.nodes.values_mut() {
            node.pos = Some([10.0, 10.0]);
        }
        let mut touching = small();
        at(&mut touching, "7", Some([890.0, 200.0]));
        let mut one_new = small();
        at(&mut one_new, "7", None);
        for (name, project, path, moved, offered) in [
            ("a preset by its path", &hidden, &preset, true, false),
            ("a preset that is fine", &small(), &preset, false, false),
            ("a person's own", &hidden, &own, false, true),
            ("a person's, only touching", &touching, &own, false, false),
            ("a heap", &heap, &own, true, false),
            ("one without a place", &one_new, &own, false, true),
        ] {
            let mut studio = opened(folder.path(), project.clone(), Some(path.clone()));
            assert!(studio.untangle(), "{name}");
            assert_eq!(studio.session.graph() != project, moved, "{name}");
            assert!(!studio.session.dirty(), "{name}");
            let offer = studio.messages.list.back().and_then(|it| it.offer);
            assert_eq!(offer, offered.then_some(Command::AutoLayout), "{name}");
        }
    }
}

//! A graph that came without places (a prompt), or whose nodes lie over each other since they were
//! placed for other sizes, is laid out once when it is opened.

use longtake_graph::{Edit, Project};

use super::{layout, moves};
use crate::selection::Item;
use crate::studio::Studio;

/// Gap between the nodes and the notes below them, points.
const GAP: f32 = 60.0;
/// More nodes than this are left as they are: finding overlaps takes too long.
const MOST: usize = 2000;

impl Studio {
    /// Lays out the open document if it was just opened as a copy and needs it. What a person's own
    /// file says of places stays. True when nothing more is to be done.
    pub fn untangle(&mut self) -> bool {
        let graph = self.session.graph();
        let own = self.session.path.is_some() || self.session.dirty();
        if own || graph.nodes.is_empty() || graph.nodes.len() > MOST {
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
        if placed && !overlap(&rects) {
            return true;
        }
        let ids: Vec<_> = graph.nodes.keys().cloned().collect();
        let rect = |id| self.rect(&Item::Node(id)).unwrap_or_default();
        let edit = layout::layout(graph, &ids, rect);
        self.session.place(edit);
        let below = self.notes_below();
        self.session.place(below);
        true
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

fn overlap(rects: &[[f32; 4]]) -> bool {
    rects
        .iter()
        .enumerate()
        .any(|(at, a)| rects[at + 1..].iter().any(|b| meet(a, b)))
}

#[cfg(test)]
mod tests {
    use crate::testing::{small, studio};

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
}

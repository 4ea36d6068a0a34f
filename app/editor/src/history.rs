//! Undo and redo: units of inverse edits with a label.
//!
//! One unit is one interaction. What a drag or typing changes frame by frame joins the open unit
//! until [`History::settle`].

use longtake_graph::{Edit, EditError, Project, apply};

use crate::language::Text;

/// Most units kept. The oldest are forgotten first.
const MOST: usize = 1000;

/// One undoable interaction.
#[derive(Clone, Debug)]
pub struct Unit {
    /// What was done, for the history panel and the menu.
    pub label: Text,
    /// Inverses, in the order the edits were made.
    inverses: Vec<Edit>,
    /// Distinguishes states: a document is clean when its state is the saved one.
    state: u64,
}

impl Unit {
    /// Whether it changed only how the graph looks.
    pub fn only_looks(&self) -> bool {
        self.inverses.iter().all(Edit::only_looks)
    }
}

/// What was done, and what was taken back.
#[derive(Clone, Debug, Default)]
pub struct History {
    done: Vec<Unit>,
    undone: Vec<Unit>,
    /// The newest unit still takes edits.
    open: bool,
    states: u64,
    /// State below the oldest unit.
    base: u64,
}

impl History {
    /// Applies `edit` as one unit.
    ///
    /// # Errors
    /// The edit does not fit the project, which is untouched then.
    pub fn edit(
        &mut self,
        project: &mut Project,
        label: Text,
        edit: Edit,
    ) -> Result<(), EditError> {
        self.settle();
        self.live(project, label, edit)?;
        self.settle();
        Ok(())
    }

    /// Applies `edit` as part of the interaction `label`, which goes on until [`Self::settle`] or
    /// an edit of another label.
    ///
    /// # Errors
    /// As [`Self::edit`].
    pub fn live(
        &mut self,
        project: &mut Project,
        label: Text,
        edit: Edit,
    ) -> Result<(), EditError> {
        let inverse = apply(project, edit)?;
        self.undone.clear();
        self.states += 1;
        match self.done.last_mut() {
            Some(unit) if self.open && unit.label == label => {
                merge(&mut unit.inverses, inverse);
                unit.state = self.states;
            }
            _ => {
                self.done.push(Unit {
                    label,
                    inverses: vec![inverse],
                    state: self.states,
                });
                self.open = true;
                if self.done.len() > MOST {
                    self.base = self.done.remove(0).state;
                }
            }
        }
        Ok(())
    }

    /// Ends the interaction: the next edit begins a unit of its own.
    pub fn settle(&mut self) {
        self.open = false;
    }

    /// Takes the newest unit back; says which.
    pub fn undo(&mut self, project: &mut Project) -> Option<Text> {
        self.settle();
        let unit = self.done.pop()?;
        let label = unit.label;
        self.undone.push(turn(project, unit));
        Some(label)
    }

    /// Does the unit taken back last again; says which.
    pub fn redo(&mut self, project: &mut Project) -> Option<Text> {
        self.settle();
        let unit = self.undone.pop()?;
        let label = unit.label;
        self.done.push(turn(project, unit));
        Some(label)
    }

    /// What was done, oldest first.
    pub fn done(&self) -> &[Unit] {
        &self.done
    }

    /// What was taken back, the next to redo last.
    pub fn undone(&self) -> &[Unit] {
        &self.undone
    }

    /// A number that stands for the document's present state: equal numbers, equal documents.
    pub fn state(&self) -> u64 {
        self.done.last().map_or(self.base, |unit| unit.state)
    }
}

/// Applies a unit's inverses, newest first, and gives the unit that turns it again.
fn turn(project: &mut Project, unit: Unit) -> Unit {
    let mut inverses = Vec::with_capacity(unit.inverses.len());
    for edit in unit.inverses.into_iter().rev() {
        match apply(project, edit) {
            Ok(inverse) => inverses.push(inverse),
            Err(error) => debug_assert!(false, "an inverse applies: {error}"),
        }
    }
    Unit { inverses, ..unit }
}

/// Adds an inverse to a unit. Of several moves of one thing the first inverse undoes them all, so a
/// drag of a thousand frames keeps one.
fn merge(inverses: &mut Vec<Edit>, inverse: Edit) {
    if inverses
        .last()
        .is_none_or(|last| !same_target(last, &inverse))
    {
        inverses.push(inverse);
    }
}

/// Whether both edits overwrite exactly the same places.
fn same_target(a: &Edit, b: &Edit) -> bool {
    match (a, b) {
        (Edit::Move { id: a, .. }, Edit::Move { id: b, .. })
        | (Edit::Resize { id: a, .. }, Edit::Resize { id: b, .. })
        | (Edit::SetTitle { id: a, .. }, Edit::SetTitle { id: b, .. })
        | (Edit::Colour { id: a, .. }, Edit::Colour { id: b, .. }) => a == b,
        (Edit::SetGroup { id: a, .. }, Edit::SetGroup { id: b, .. })
        | (Edit::SetNote { id: a, .. }, Edit::SetNote { id: b, .. }) => a == b,
        (
            Edit::SetInput {
                node: a,
                input: x,
                value: Some(_),
            },
            Edit::SetInput {
                node: b,
                input: y,
                value: Some(_),
            },
        ) => a == b && x == y,
        (
            Edit::Within {
                subgraph: a,
                edit: x,
            },
            Edit::Within {
                subgraph: b,
                edit: y,
            },
        ) => a == b && same_target(x, y),
        (Edit::Batch(a), Edit::Batch(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same_target(a, b))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use longtake_graph::{Node, Subgraph};

    use super::*;
    use crate::language::t;

    #[test]
    fn a_drag_inside_a_subgraph_keeps_one_inverse() {
        let mut project = Project::default();
        let mut inner = Subgraph::default();
        inner.graph.nodes.insert("1".into(), Node::default());
        project.subgraphs.insert("a".to_owned(), inner);
        let start = project.clone();
        let mut history = History::default();
        for frame in 0..600 {
            let step = Edit::Move {
                id: "1".into(),
                pos: Some([frame as f32, 0.0]),
            };
            let edit = Edit::Within {
                subgraph: "a".to_owned(),
                edit: Box::new(Edit::Batch(vec![step])),
            };
            let label = t("Move", "移動");
            history.live(&mut project, label, edit).unwrap();
        }
        assert_eq!(history.done[0].inverses.len(), 1);
        history.undo(&mut project);
        assert_eq!(project, start);
    }
}

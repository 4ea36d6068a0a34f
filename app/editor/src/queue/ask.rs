//! What a person asks of the queue, through the studio.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use longtake_graph::{Diagnostic, NodeId, Project, Severity, lower, walk};

use longtake_plan::Options;

use super::{JobId, Queue, QueueAction, words};
use crate::messages::Tone;
use crate::reveal::way_to;
use crate::studio::Studio;

/// A run asked for, whose plan is still being made.
pub(super) struct Asked {
    /// [`crate::Session::revision`] of the document.
    revision: u64,
    /// Which of the open documents it is.
    document: u64,
    title: String,
    project: Arc<Project>,
    outputs: Option<Vec<NodeId>>,
    /// What was known spoke against it: the files it needs may be there by now.
    looks_again: bool,
}

impl Studio {
    /// Keeps the queue in a folder from now on, and takes in what an earlier run of the program
    /// left there.
    pub fn open_queue(&mut self, folder: &Path) {
        let language = self.language();
        let restored = match self.queue.open(folder) {
            Ok(restored) => restored,
            Err(error) => {
                let text = words::NO_DISK.with(language, &[language.sentence(&error)]);
                self.messages.error(text);
                return;
            }
        };
        if restored.waiting > 0 {
            let text = match restored.interrupted {
                0 => words::RESTORED,
                1.. => words::INTERRUPTED,
            };
            let text = text.with(language, &[&restored.waiting.to_string()]);
            self.messages.tell(Tone::Note, text);
        }
        if !restored.broken.is_empty() {
            let names = restored.broken.iter().map(|it| it.display().to_string());
            let names = names.collect::<Vec<_>>().join(", ");
            self.messages.error(words::BROKEN.with(language, &[&names]));
        }
    }

    /// Once per frame: what the queue's threads and the disk said.
    pub(crate) fn tick_queue(&mut self) {
        let newest = |queue: &Queue| queue.ended.front().map(|it| it.id);
        let before = newest(&self.queue);
        self.queue.tick(&mut self.status);
        if newest(&self.queue) != before {
            self.compiler.again();
        }
        for error in std::mem::take(&mut self.queue.complaints) {
            let language = self.language();
            let text = words::NOT_KEPT.with(language, &[language.sentence(&error)]);
            self.messages.error(text);
        }
        for said in std::mem::take(&mut self.queue.of_store) {
            let text = self.language().sentence(&said).to_owned();
            self.messages.tell(Tone::Note, text);
        }
    }

    /// Another document is put in the place of the open one: what runs is not about it.
    pub(crate) fn leave_runs(&mut self) {
        self.queue.document += 1;
        self.status.detach();
    }

    /// Queues the whole graph.
    pub(crate) fn run_all(&mut self) {
        self.ask_run(None);
    }

    /// Queues what the selected outputs need.
    pub(crate) fn run_selected(&mut self) {
        match self.selected_outputs() {
            outputs if outputs.is_empty() => self.tell_note(words::NOTHING_SELECTED),
            outputs => self.ask_run(Some(outputs)),
        }
    }

    /// Stops the running job.
    pub(crate) fn cancel_running(&mut self) {
        if let Some(id) = self.queue.running().map(|it| it.id) {
            self.queue_act(&QueueAction::Cancel(id));
        }
    }

    /// Holds the queue, or goes on with it.
    pub(crate) fn pause_or_resume(&mut self) {
        let paused = !self.queue.paused;
        self.queue_act(&QueueAction::Pause(paused));
    }

    /// Does something to the queue; what fails is told.
    pub(crate) fn queue_act(&mut self, action: &QueueAction) {
        if let QueueAction::Reopen(id) = action {
            self.reopen(*id);
        } else if let Err(error) = self.queue.act(action) {
            let language = self.language();
            let text = words::CANNOT_RETRY.with(language, &[language.sentence(&error)]);
            self.messages.error(text);
        }
    }

    fn reopen(&mut self, id: JobId) {
        match self.queue.project(id) {
            Ok(project) => {
                let title = self.queue.job(id).map(|it| it.title.clone());
                self.show(project, title);
            }
            Err(error) => {
                let language = self.language();
                let text = words::CANNOT_REOPEN.with(language, &[language.sentence(&error)]);
                self.messages.error(text);
            }
        }
    }

    fn tell_note(&mut self, text: crate::Text) {
        self.messages.tell(Tone::Note, self.tr(text));
    }

    /// Asks for a run of the document as it is now. It is queued when its plan is known, so that
    /// errors are told here and not by a job.
    fn ask_run(&mut self, outputs: Option<Vec<NodeId>>) {
        self.session.settle();
        let title = self.session.name();
        let title = title.unwrap_or_else(|| self.tr(words::UNTITLED).to_owned());
        let known = self.compiler.holds_for(&self.session);
        let looks_again = known && self.planned.errors() > 0;
        if looks_again {
            self.compiler.again();
        }
        self.queue.asked.push(Asked {
            revision: self.session.revision(),
            document: self.queue.document,
            title,
            project: self.session.project().clone(),
            outputs,
            looks_again,
        });
        self.begin_asked();
    }

    /// Queues what was asked for, once its plan is known.
    pub(crate) fn begin_asked(&mut self) {
        let known = self.planned.revision;
        let busy = self.compiler.is_busy();
        let has_plan = self.planned.plan.is_some() || !self.planned.diagnostics.is_empty();
        let (ready, wait) = std::mem::take(&mut self.queue.asked)
            .into_iter()
            .partition(|it| has_plan && it.revision <= known && !(it.looks_again && busy));
        self.queue.asked = wait;
        let ready: Vec<Asked> = ready;
        let mut moved_on = None;
        for mut asked in ready {
            // Asked twice before the plan was there: each has seeds of its own.
            if moved_on == Some(asked.revision) {
                asked.project = self.session.project().clone();
            }
            // Of a document that was changed since, the worker finds out itself.
            let refused = asked.revision == known && self.refuse(&asked);
            if !refused {
                let text = words::QUEUED.with(self.language(), &[&asked.title]);
                let present = asked.document == self.queue.document;
                if present && asked.revision == self.session.revision() {
                    moved_on = Some(asked.revision);
                }
                let options = Options {
                    outputs: asked.outputs,
                    ..Options::default()
                };
                self.queue
                    .add_of(asked.document, asked.title, asked.project, options);
                self.messages.tell(Tone::Good, text);
                if present {
                    self.move_seeds();
                }
            }
        }
    }

    /// What was queued keeps its seeds; the document goes on to the next.
    fn move_seeds(&mut self) {
        let engine = self.engine.clone();
        if let Err(error) = crate::seed::after_queue(&mut self.session, engine.catalog()) {
            self.tell_error(&error.sentence());
        }
    }

    /// Tells why a run cannot be, and shows where. False when it can.
    fn refuse(&mut self, asked: &Asked) -> bool {
        let found = self.planned.diagnostics.clone();
        let mut errors = found.iter().filter(|it| it.severity == Severity::Error);
        let bad: Vec<&Diagnostic> = match (&self.planned.plan, &asked.outputs) {
            (Some(plan), None) if plan.outputs.is_empty() => {
                self.tell_note(words::NO_OUTPUT);
                return true;
            }
            (Some(_), _) => return false,
            (None, None) => errors.collect(),
            // Errors elsewhere in the graph do not matter to these outputs.
            (None, Some(outputs)) => {
                let catalog = self.engine.catalog();
                let lowered = lower(&asked.project, catalog);
                let above = walk::ancestors(&lowered.project, outputs.iter());
                errors
                    .by_ref()
                    .filter(|it| it.place.node.as_ref().is_none_or(|id| above.contains(id)))
                    .collect()
            }
        };
        let Some(first) = bad.first() else {
            return false;
        };
        let text = self.language().told(first);
        let text = match bad.len() {
            1 => words::ERRORS.with(self.language(), &[&text]),
            n => words::ERRORS_MORE.with(self.language(), &[&text, &(n - 1).to_string()]),
        };
        self.messages.error(text);
        if let Some(node) = &first.place.node {
            for action in way_to(&self.session, node) {
                self.act(action);
            }
        }
        true
    }

    /// Output nodes (lowered ids) among what is selected; when there are none, those that depend on
    /// it.
    fn selected_outputs(&self) -> Vec<NodeId> {
        let catalog = self.engine.catalog();
        let lowered = lower(self.session.project(), catalog);
        let project = &lowered.project;
        let wanted: Vec<NodeId> = self
            .session
            .selection
            .nodes()
            .map(|id| self.session.flat_id(id))
            .collect();
        // A subgraph stands for all that is inside.
        let selected = |id: &NodeId| {
            wanted.iter().any(|it| {
                let rest = id.as_str().strip_prefix(it.as_str());
                rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(':'))
            })
        };
        let is_output = |id: &NodeId| {
            let class = project.nodes.get(id).map(|it| it.class.as_str());
            let declaration = class.and_then(|it| catalog.declaration(it));
            declaration.is_some_and(|it| it.output_node)
        };
        let outputs = || project.nodes.keys().filter(|id| is_output(id));
        let own: Vec<NodeId> = outputs().filter(|id| selected(id)).cloned().collect();
        if !own.is_empty() {
            return own;
        }
        let depends = |id: &&NodeId| {
            let above: HashSet<NodeId> = walk::ancestors(project, [*id]).into_iter().collect();
            above.iter().any(selected)
        };
        outputs().filter(depends).cloned().collect()
    }
}

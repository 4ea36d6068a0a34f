//! Everything the window shows, and the one place that changes it.

use std::collections::HashMap;
use std::sync::Arc;

use longtake_graph::NodeId;
use longtake_plan::Options;

use crate::action::WindowAction;
use crate::engine::Engine;
use crate::files::{Files, Question};
use crate::language::{Language, Text};
use crate::messages::Messages;
use crate::planned::{Compiler, Planned, Wake};
use crate::queue::Queue;
use crate::selection::{Item, Selection};
use crate::session::Session;
use crate::settings::Settings;
use crate::status::Status;

/// Everything the window shows.
pub struct Studio {
    /// The machine.
    pub engine: Arc<dyn Engine>,
    /// The open document.
    pub session: Session,
    /// Its plan.
    pub planned: Planned,
    /// What waits, runs, and ran.
    pub queue: Queue,
    /// What each node does in the newest run.
    pub status: Status,
    /// What the person chose.
    pub settings: Settings,
    /// The document's file, and what the program keeps.
    pub files: Files,
    /// What must be decided before anything else: shown as a modal, answered by [`crate::Action::Answer`].
    pub question: Option<Question>,
    /// What is told in passing.
    pub messages: Messages,
    /// Where the mouse last was on the canvas, points of the graph: where things are pasted.
    pub mouse: [f32; 2],
    /// How large the nodes of the open graph are drawn, as the canvas told last.
    pub sizes: HashMap<NodeId, [f32; 2]>,
    /// What was copied last; the window puts the desktop's clipboard in.
    pub clipboard: Option<String>,
    pub(crate) compiler: Compiler,
    pub(crate) window: Vec<WindowAction>,
    pub(crate) locale: Language,
}

impl Studio {
    /// A studio with an empty document. `wake` is called on other threads when there is something
    /// new to draw.
    pub fn new(engine: Arc<dyn Engine>, settings: Settings, wake: Wake) -> Self {
        let locale = ["LC_ALL", "LC_MESSAGES", "LANG"]
            .iter()
            .find_map(|name| std::env::var(name).ok().filter(|it| !it.is_empty()));
        Self {
            session: Session::default(),
            planned: Planned::default(),
            queue: Queue::new(engine.clone(), wake.clone()),
            files: Files::new(&settings, wake.clone()),
            question: None,
            status: Status::default(),
            settings,
            messages: Messages::default(),
            mouse: [0.0; 2],
            sizes: HashMap::new(),
            clipboard: None,
            compiler: Compiler::new(engine.clone(), wake),
            window: Vec::new(),
            locale: locale.map_or(Language::En, |it| Language::of_locale(&it)),
            engine,
        }
    }

    /// The language of the window.
    pub fn language(&self) -> Language {
        self.settings.language.unwrap_or(self.locale)
    }

    /// A text in the language of the window.
    pub fn tr(&self, text: Text) -> &'static str {
        text.get(self.language())
    }

    /// How large a node of the open graph is: as the canvas told, as its file says, or a guess.
    pub fn size(&self, id: &NodeId) -> [f32; 2] {
        const USUAL: [f32; 2] = [220.0, 160.0];
        let saved = || self.session.graph().nodes.get(id)?.size;
        let drawn = self.sizes.get(id).copied();
        drawn.or_else(saved).unwrap_or(USUAL)
    }

    /// Once per frame, before drawing: takes in what other threads made.
    pub fn tick(&mut self) {
        self.tick_queue();
        // What stands behind stored results is shown as well; a job compiles what is left to do.
        let shown = Options {
            whole: true,
            ..Options::default()
        };
        self.compiler.ask(&self.session, &shown);
        let answer = self.compiler.answer();
        // One that was under way when another document was opened says nothing of this one.
        if let Some(planned) = answer.filter(|it| self.session.owns(it.revision)) {
            self.planned = planned;
        }
        if self.compiler.holds_for(&self.session) {
            self.planned.revision = self.session.revision();
        }
        self.begin_asked();
        self.files_tick();
    }

    /// The person comes back from elsewhere, where files may have been copied or removed: what was
    /// found in the document is found anew.
    pub fn look_again(&mut self) {
        self.compiler.again();
    }

    /// What only the window can do, asked for since the last call.
    pub fn window_wishes(&mut self) -> Vec<WindowAction> {
        std::mem::take(&mut self.window)
    }

    pub(crate) fn history_to(&mut self, done: usize) {
        while self.session.history().done().len() > done && self.session.undo().is_some() {}
        while self.session.history().done().len() < done && self.session.redo().is_some() {}
    }

    pub(crate) fn select_all(&mut self) {
        let graph = self.session.graph();
        let nodes = graph.nodes.keys().cloned().map(Item::Node);
        let groups = graph.groups.keys().cloned().map(Item::Group);
        let notes = graph.notes.keys().cloned().map(Item::Note);
        self.session.selection = Selection::of(groups.chain(notes).chain(nodes));
    }
}

//! Everything the window shows, and the one place that changes it.

use std::collections::HashMap;
use std::sync::Arc;

use longtake_graph::NodeId;
use longtake_plan::Options;

use crate::action::{Action, WindowAction};
use crate::command::Command;
use crate::engine::Engine;
use crate::files::{Files, Question};
use crate::language::{Language, Text};
use crate::messages::{Messages, Tone};
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
    /// What must be decided before anything else: shown as a modal, answered by [`Action::Answer`].
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
        self.compiler.ask(&self.session, &Options::default());
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

    /// Does what a panel asked for. What cannot be done is told in [`Self::messages`].
    pub fn act(&mut self, action: Action) {
        let outcome = match action {
            Action::Edit(label, edit) => self.session.edit(label, edit),
            Action::Live(label, edit) => self.session.live(label, edit),
            Action::EditRoot(label, edit) => self.session.edit_root(label, edit),
            Action::Settle => {
                self.session.settle();
                Ok(())
            }
            other => {
                self.act_otherwise(other);
                Ok(())
            }
        };
        if let Err(error) = outcome {
            self.messages.error(error.to_string());
        }
    }

    fn act_otherwise(&mut self, action: Action) {
        let Some(action) = self.document_action(action) else {
            return;
        };
        match action {
            Action::Select(selection) => self.session.selection = selection,
            Action::Toggle(item) => self.session.selection.toggle(item),
            Action::Command(command) => self.command(command),
            Action::Enter(node) => {
                self.session.enter(&node);
            }
            Action::LeaveTo(depth) => self.session.leave_to(depth),
            Action::HistoryTo(done) => self.history_to(done),
            Action::Queue(action) => self.queue_act(&action),
            Action::Tell(text) => self.messages.error(text),
            Action::Told(text) => self.messages.tell(Tone::Good, text),
            Action::SetLanguage(language) => self.settings.language = Some(language),
            Action::SetSettings(settings) => self.settings = *settings,
            Action::CloseMessage(index) => self.messages.close(index),
            Action::Mouse(at) => self.mouse = at,
            Action::Window(wish) => self.window.push(wish),
            Action::Open(path) => self.file_open(path),
            Action::OpenPreset(path) => self.open_preset(path),
            Action::SaveAs(path) => self.file_save_as(&path),
            Action::ExportPrompt(path) => self.file_export(&path),
            Action::Answer(choice) => self.file_answer(choice),
            Action::ForgetRecent(path) => self.file_forget(&path),
            _ => {}
        }
    }

    /// What only the window can do, asked for since the last call.
    pub fn window_wishes(&mut self) -> Vec<WindowAction> {
        std::mem::take(&mut self.window)
    }

    fn history_to(&mut self, done: usize) {
        while self.session.history().done().len() > done && self.session.undo().is_some() {}
        while self.session.history().done().len() < done && self.session.redo().is_some() {}
    }

    /// Runs a named command.
    pub fn command(&mut self, command: Command) {
        if self.document_command(command) {
            return;
        }
        match command {
            Command::Undo => {
                self.session.undo();
            }
            Command::Redo => {
                self.session.redo();
            }
            Command::SelectAll => self.select_all(),
            Command::Run | Command::RunSelected | Command::Cancel | Command::Pause => {
                self.run_command(command);
            }
            Command::LeaveSubgraph => {
                let depth = self.session.scope().len();
                self.session.leave_to(depth.saturating_sub(1));
            }
            Command::Fit => self.window.push(WindowAction::Fit),
            Command::FitSelection => self.window.push(WindowAction::FitSelection),
            Command::ZoomOne => self.window.push(WindowAction::ZoomOne),
            Command::AddNode => self.window.push(WindowAction::SearchNode),
            Command::Palette => self.window.push(WindowAction::Palette),
            Command::Rename => self.window.push(WindowAction::Rename),
            Command::Settings => self.window.push(WindowAction::Settings),
            Command::New => self.file_new(),
            Command::Save => self.file_save(),
            Command::Quit => self.file_quit(),
            Command::Open => self.window.push(WindowAction::AskOpen),
            Command::SaveAs => self.file_ask_save_as(),
            Command::Export => self.window.push(WindowAction::AskExport),
            Command::ToggleInspector => self.toggle("inspector"),
            Command::TogglePlan => self.toggle("plan"),
            Command::ToggleQueue => self.toggle("queue"),
            Command::ToggleViewer => self.toggle("viewer"),
            Command::ToggleModels => self.toggle("models"),
            Command::ToggleHistory => self.toggle("history"),
            Command::Gallery => self.toggle("gallery"),
            Command::ResetPanels => self.window.push(WindowAction::ResetPanels),
            Command::ToggleMinimap => self.settings.minimap = !self.settings.minimap,
            _ => {}
        }
    }

    fn toggle(&mut self, panel: &'static str) {
        self.window.push(WindowAction::TogglePanel(panel));
    }

    fn select_all(&mut self) {
        let graph = self.session.graph();
        let nodes = graph.nodes.keys().cloned().map(Item::Node);
        let groups = graph.groups.keys().cloned().map(Item::Group);
        let notes = graph.notes.keys().cloned().map(Item::Note);
        self.session.selection = Selection::of(groups.chain(notes).chain(nodes));
    }
}

//! What a panel or a person asks for, handed to the module that does it. Both lists are whole: what
//! is added to [`Action`] or [`Command`] does not compile until something is done about it here.

use longtake_graph::Mode;

use crate::action::{Action, CanvasAction, Panel, WindowAction};
use crate::arrange::Align;
use crate::command::Command;
use crate::messages::Tone;
use crate::studio::Studio;

impl Studio {
    /// Does what a panel asked for. What cannot be done is told in [`Self::messages`].
    pub fn act(&mut self, action: Action) {
        match action {
            Action::Edit(label, edit) => {
                let outcome = self.session.edit(label, edit);
                self.edited(outcome);
            }
            Action::Live(label, edit) => {
                let outcome = self.session.live(label, edit);
                self.edited(outcome);
            }
            Action::EditRoot(label, edit) => {
                let outcome = self.session.edit_root(label, edit);
                self.edited(outcome);
            }
            Action::Settle => self.session.settle(),
            Action::Select(selection) => self.session.selection = selection,
            Action::Toggle(item) => self.session.selection.toggle(item),
            Action::AddNode { class, pos, link } => self.add_node(&class, pos, link.as_ref()),
            Action::Connect { to, input, from } => self.connect(&to, &input, from),
            Action::Disconnect { to, input } => self.disconnect(&to, &input),
            Action::Relink { from, to } => self.relink((&from.0, &from.1), (&to.0, &to.1)),
            Action::MoveLinks { from, to } => self.move_links(&from, &to),
            Action::PutInto {
                node,
                pos,
                to,
                input,
            } => self.put_into(&node, pos, &to, &input),
            Action::Bend { to, input, pos } => self.bend(&to, &input, pos),
            Action::Expose {
                node,
                input,
                exposed,
            } => self.expose(&node, &input, exposed),
            Action::Colour(colour) => self.colour_selected(colour.as_deref()),
            Action::Rename(item, title) => self.rename(&item, &title),
            Action::AddPort(end) => self.add_port(&end),
            Action::RemovePort(side, index) => self.remove_port(side, index),
            Action::RenamePort(side, index, label) => self.rename_port(side, index, &label),
            Action::Sizes(sizes) => self.sizes = sizes,
            Action::Command(command) => self.command(command),
            Action::Enter(node) => {
                self.session.enter(&node);
            }
            Action::LeaveTo(depth) => self.session.leave_to(depth),
            Action::HistoryTo(done) => self.history_to(done),
            Action::Open(path) => self.file_open(path),
            Action::OpenPreset(path) => self.open_preset(path),
            Action::SaveAs(path) => self.file_save_as(&path),
            Action::ExportPrompt(path) => self.file_export(&path),
            Action::Insert(path, at) => self.insert_file(path, at),
            Action::TakeFile { node, input, path } => self.take_file(node, input, path),
            Action::Answer(choice) => self.file_answer(choice),
            Action::ForgetRecent(path) => self.file_forget(&path),
            Action::Queue(action) => self.queue_act(&action),
            Action::Tell(text) => self.messages.error(text),
            Action::SetLanguage(language) => self.settings.language = Some(language),
            Action::Told(text) => self.messages.tell(Tone::Good, text),
            Action::SetSettings(settings) => self.settings = *settings,
            Action::CloseMessage(index) => self.messages.close(index),
            Action::Paste { text, linked } => self.paste(&text, linked),
            Action::Mouse(at) => self.mouse = at,
            Action::OpenOutside(path) => self.open_outside(path),
            Action::ShowInFolder(path) => self.show_in_folder(path),
            Action::ShowFolder(path) => self.show_folder(path),
            Action::Window(wish) => self.window.push(wish),
        }
    }

    /// Runs a named command, or says why that cannot be now.
    pub fn command(&mut self, command: Command) {
        if let Some(why) = self.unavailable(command) {
            let text = self.tr(why);
            return self.messages.tell(Tone::Note, text);
        }
        let wish = match command {
            Command::New => return self.file_new(),
            Command::Open => WindowAction::AskOpen,
            Command::Gallery => WindowAction::ToggleGallery,
            Command::Save => return self.file_save(),
            Command::SaveAs => return self.file_ask_save_as(),
            Command::Export => WindowAction::AskExport,
            Command::Quit => return self.file_quit(),

            Command::Undo => {
                self.session.undo();
                return;
            }
            Command::Redo => {
                self.session.redo();
                return;
            }
            Command::Cut => return self.cut(),
            Command::Copy => return self.copy(),
            Command::Paste => WindowAction::Paste { linked: false },
            Command::PasteLinked => WindowAction::Paste { linked: true },
            Command::Duplicate => return self.duplicate(),
            Command::Delete => return self.delete_selected(false),
            Command::DeleteHeal => return self.delete_selected(true),
            Command::SelectAll => return self.select_all(),
            Command::Settings => WindowAction::Settings,

            Command::AddNode => WindowAction::Canvas(CanvasAction::SearchNode),
            Command::AddNote => return self.add_note(),
            Command::Rename => WindowAction::Canvas(CanvasAction::Rename),
            Command::Mute => return self.toggle_mode(Mode::Mute),
            Command::Bypass => return self.toggle_mode(Mode::Bypass),
            Command::Collapse => return self.toggle_collapsed(),
            Command::ResetValues => return self.reset_values(),
            Command::Group => return self.group_selected(),
            Command::MakeSubgraph => return self.make_subgraph(),
            Command::UnpackSubgraph => return self.unpack_subgraphs(),
            Command::EnterSubgraph => return self.enter_focused(),
            Command::RemoveUnused => return self.remove_unused(),
            Command::LeaveSubgraph => {
                let depth = self.session.scope().len();
                return self.session.leave_to(depth.saturating_sub(1));
            }

            Command::AutoLayout => return self.auto_layout(),
            Command::AlignLeft => return self.align_selected(Align::Left),
            Command::AlignRight => return self.align_selected(Align::Right),
            Command::AlignTop => return self.align_selected(Align::Top),
            Command::AlignBottom => return self.align_selected(Align::Bottom),
            Command::SpaceAcross => return self.distribute_selected(false),
            Command::SpaceDown => return self.distribute_selected(true),

            Command::Palette => WindowAction::Palette,
            Command::Fit => WindowAction::Canvas(CanvasAction::Fit),
            Command::FitSelection => WindowAction::Canvas(CanvasAction::FitSelection),
            Command::ZoomOne => WindowAction::Canvas(CanvasAction::ZoomOne),
            Command::ViewResult => return self.view_result(false),
            Command::CompareResult => return self.view_result(true),
            Command::ToggleInspector => WindowAction::TogglePanel(Panel::Inspector),
            Command::TogglePlan => WindowAction::TogglePanel(Panel::Plan),
            Command::ToggleQueue => WindowAction::TogglePanel(Panel::Queue),
            Command::ToggleViewer => WindowAction::TogglePanel(Panel::Viewer),
            Command::ToggleModels => WindowAction::TogglePanel(Panel::Models),
            Command::ToggleHistory => WindowAction::TogglePanel(Panel::History),
            Command::ResetPanels => WindowAction::ResetPanels,
            Command::ToggleMinimap => {
                self.settings.minimap = !self.settings.minimap;
                return;
            }
            Command::ToggleTheme => WindowAction::ToggleTheme,

            Command::Run => return self.run_all(),
            Command::RunSelected => return self.run_selected(),
            Command::Cancel => return self.cancel_running(),
            Command::Pause => return self.pause_or_resume(),
        };
        self.window.push(wish);
    }

    fn edited(&mut self, outcome: Result<(), longtake_graph::EditError>) {
        if let Err(error) = outcome {
            self.tell_error(&error.sentence());
        }
    }
}

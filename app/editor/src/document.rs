//! The commands and actions that change the document, each handed to the module that does it.

use longtake_graph::Mode;

use crate::action::Action;
use crate::arrange::Align;
use crate::command::Command;
use crate::studio::Studio;

impl Studio {
    /// Does a command that changes the document. False when it is another kind of command.
    pub(crate) fn document_command(&mut self, command: Command) -> bool {
        match command {
            Command::Delete => self.delete_selected(false),
            Command::DeleteHeal => self.delete_selected(true),
            Command::Mute => self.toggle_mode(Mode::Mute),
            Command::Bypass => self.toggle_mode(Mode::Bypass),
            Command::Collapse => self.toggle_collapsed(),
            Command::ResetValues => self.reset_values(),
            Command::Group => self.group_selected(),
            Command::AddNote => self.add_note(),
            Command::Cut => self.cut(),
            Command::Copy => {
                self.copy();
            }
            Command::Paste => self.paste_last(false),
            Command::PasteLinked => self.paste_last(true),
            Command::Duplicate => self.duplicate(),
            Command::MakeSubgraph => self.make_subgraph(),
            Command::UnpackSubgraph => self.unpack_subgraphs(),
            Command::EnterSubgraph => self.enter_focused(),
            Command::RemoveUnused => self.remove_unused(),
            Command::AutoLayout => self.auto_layout(),
            Command::AlignLeft => self.align_selected(Align::Left),
            Command::AlignRight => self.align_selected(Align::Right),
            Command::AlignTop => self.align_selected(Align::Top),
            Command::AlignBottom => self.align_selected(Align::Bottom),
            Command::SpaceAcross => self.distribute_selected(false),
            Command::SpaceDown => self.distribute_selected(true),
            _ => return false,
        }
        true
    }

    /// Does an action that changes the document; gives back one that does not.
    pub(crate) fn document_action(&mut self, action: Action) -> Option<Action> {
        match action {
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
            Action::Paste { text, linked } => self.paste(&text, linked),
            Action::Insert(path, at) => self.insert_file(path, at),
            Action::TakeFile { node, input, path } => self.take_file(node, input, path),
            Action::AddPort(end) => self.add_port(&end),
            Action::RemovePort(side, index) => self.remove_port(side, index),
            Action::RenamePort(side, index, label) => self.rename_port(side, index, &label),
            Action::Sizes(sizes) => self.sizes = sizes,
            other => return Some(other),
        }
        None
    }
}

//! The commands and actions that change the document, each handed to the module that does it.

use longtake_graph::Mode;

use crate::action::Action;
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
            Action::Bend { to, input, pos } => self.bend(&to, &input, pos),
            Action::Expose {
                node,
                input,
                exposed,
            } => self.expose(&node, &input, exposed),
            Action::Colour(colour) => self.colour_selected(colour.as_deref()),
            Action::Rename(item, title) => self.rename(&item, &title),
            Action::Sizes(sizes) => self.sizes = sizes,
            other => return Some(other),
        }
        None
    }
}

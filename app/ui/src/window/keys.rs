//! Keys to commands, as the settings say. What is drawn hears its keys first, and the window takes what
//! is left: Escape closes a list or takes a drag back before it leaves a subgraph. Only commands that
//! work while typing are taken before.

use egui::{Event, Id, Key, KeyboardShortcut, Modifiers};
use longtake_editor::keys::Chord;
use longtake_editor::{Action, Command, Studio};

/// Commands that leave alone what is being typed: they work in a text field too.
fn works_while_typing(command: Command) -> bool {
    matches!(
        command,
        Command::Save
            | Command::SaveAs
            | Command::Open
            | Command::New
            | Command::Export
            | Command::Quit
            | Command::Run
            | Command::RunSelected
            | Command::Cancel
            | Command::Palette
            | Command::Settings
    )
}

/// A chord of the settings as egui knows it.
fn shortcut(chord: &Chord) -> Option<KeyboardShortcut> {
    let mut modifiers = Modifiers::NONE;
    for (held, modifier) in [
        (chord.ctrl, Modifiers::COMMAND),
        (chord.shift, Modifiers::SHIFT),
        (chord.alt, Modifiers::ALT),
    ] {
        if held {
            modifiers |= modifier;
        }
    }
    Some(KeyboardShortcut::new(
        modifiers,
        Key::from_name(&chord.key)?,
    ))
}

/// Who has the keyboard in a frame, as it stood before anything was drawn: what closes or is left in
/// that frame has had the key already.
#[derive(Clone, Copy, Debug, Default)]
pub struct Held {
    /// Something that takes every key: a question, a list to pick from, keys being recorded.
    pub all: bool,
    /// Something that Escape ends: a gesture, a menu, a field.
    pub escape: bool,
    /// A menu or a combo's list is open: it is steered by plain keys.
    pub popup: bool,
    /// The gallery covers the canvas.
    pub gallery: bool,
    /// A text is being written.
    pub typing: bool,
    /// A widget has the focus; it may be steered by keys.
    pub focused: bool,
}

impl Held {
    /// With what egui knows. `before`: what had the focus when the last frame ended. egui drops the
    /// focus on Escape before anyone can see it.
    #[must_use]
    pub fn see(self, ctx: &egui::Context, before: Option<Id>) -> Self {
        let popup = egui::Popup::is_any_open(ctx);
        Self {
            escape: self.escape || popup || before.is_some(),
            popup,
            typing: ctx.text_edit_focused(),
            focused: ctx.egui_wants_keyboard_input(),
            ..self
        }
    }

    /// Whether a chord is for what has the keyboard rather than for the window.
    fn keeps(self, chord: KeyboardShortcut, command: Command) -> bool {
        let key = chord.logical_key;
        let plain = !chord.modifiers.command && !chord.modifiers.alt;
        if self.all || (self.escape && key == Key::Escape) || (self.popup && plain) {
            return true;
        }
        if works_while_typing(command) {
            // A letter without Ctrl is text.
            return self.typing && plain && !is_function(key);
        }
        self.typing || self.gallery || (self.focused && plain && STEER.contains(&key))
    }
}

/// Keys that steer the widget that has the focus, and those that leave it. What else it takes (a curve's
/// Delete) it has taken by now.
const STEER: [Key; 9] = [
    Key::ArrowDown,
    Key::ArrowLeft,
    Key::ArrowRight,
    Key::ArrowUp,
    Key::End,
    Key::Enter,
    Key::Home,
    Key::Space,
    Key::Tab,
];

fn is_function(key: Key) -> bool {
    let name = key.name();
    name.len() > 1 && name.starts_with('F') && name[1..].bytes().all(|it| it.is_ascii_digit())
}

/// Takes commands that work in a text field too, before the field can hear their keys.
pub fn first(ctx: &egui::Context, studio: &Studio, held: Held) -> Vec<Command> {
    take(ctx, studio, held, true)
}

/// Takes what the window's own keys ask for, from what is left after everything was drawn.
pub fn rest(ctx: &egui::Context, studio: &Studio, held: Held) -> Vec<Action> {
    let commands = take(ctx, studio, held, false);
    let mut actions: Vec<Action> = commands.into_iter().map(Action::Command).collect();
    if !held.all && !held.typing && !held.gallery {
        ctx.input_mut(|input| clipboard(input, &mut actions));
    }
    actions
}

fn take(ctx: &egui::Context, studio: &Studio, held: Held, typing: bool) -> Vec<Command> {
    if !ctx.input(|input| {
        input
            .events
            .iter()
            .any(|it| matches!(it, Event::Key { .. }))
    }) {
        return Vec::new();
    }
    // Longer chords first: Ctrl+Shift+S must not be eaten by Ctrl+S.
    let commands = Command::ALL.iter().copied();
    let mut chords: Vec<(KeyboardShortcut, Command)> = commands
        .filter(|&it| works_while_typing(it) == typing)
        .flat_map(|command| {
            let chords = studio.settings.chords(command).into_iter();
            chords.filter_map(move |it| Some((shortcut(&it)?, command)))
        })
        .filter(|(chord, command)| !held.keeps(*chord, *command))
        // Escape ends whatever there is to end: where there is nothing, nothing is said.
        .filter(|(chord, command)| {
            chord.logical_key != Key::Escape || studio.unavailable(*command).is_none()
        })
        .collect();
    chords.sort_by_key(|(chord, _)| {
        let m = chord.modifiers;
        std::cmp::Reverse(u8::from(m.shift) + u8::from(m.alt) + u8::from(m.command))
    });
    let pressed = |(chord, command): (KeyboardShortcut, Command)| {
        let pressed = ctx.input_mut(|input| input.consume_shortcut(&chord));
        pressed.then_some(command)
    };
    chords.into_iter().filter_map(pressed).collect()
}

/// The window system tells copy, cut and paste apart by itself, and brings the text.
#[expect(clippy::wildcard_enum_match_arm, reason = "egui's own")]
fn clipboard(input: &mut egui::InputState, commands: &mut Vec<Action>) {
    let linked = input.modifiers.shift;
    input.events.retain(|event| {
        let action = match event {
            Event::Copy => Action::Command(Command::Copy),
            Event::Cut => Action::Command(Command::Cut),
            Event::Paste(text) => Action::Paste {
                text: text.clone(),
                linked,
            },
            _ => return true,
        };
        commands.push(action);
        false
    });
}

#[cfg(test)]
mod tests {
    use longtake_editor::Settings;

    use super::*;

    #[test]
    fn every_default_key_can_be_read() {
        for &command in Command::ALL {
            for chord in Settings::default().chords(command) {
                assert!(shortcut(&chord).is_some(), "{command:?}: {chord}");
            }
        }
    }
}

//! Keys to commands, as the settings say.

use egui::{Event, Key, KeyboardShortcut, Modifiers};
use longtake_editor::keys::Chord;
use longtake_editor::{Action, Command, Studio};

use crate::widgets::curve;

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

/// Keys by which a focused widget is used: pressed, stepped, left. Delete is one where a curve has a
/// point to remove.
fn is_widgets(key: Key, deletes: bool) -> bool {
    match key {
        Key::Space
        | Key::Enter
        | Key::Escape
        | Key::Tab
        | Key::Home
        | Key::End
        | Key::ArrowLeft
        | Key::ArrowRight
        | Key::ArrowUp
        | Key::ArrowDown => true,
        Key::Delete | Key::Backspace => deletes,
        _ => false,
    }
}

/// What the keys pressed since the last frame ask for.
pub fn pressed(ctx: &egui::Context, studio: &Studio, gallery: bool) -> Vec<Action> {
    let typing = ctx.text_edit_focused();
    // Any other widget that has the focus (a button, a number, a curve) takes its own keys only.
    let focused = ctx.memory(|it| it.focused().is_some());
    let deletes = focused && curve::takes_delete(ctx);
    let mut commands = Vec::new();
    // Longer chords first: Ctrl+Shift+S must not be eaten by Ctrl+S.
    let mut chords: Vec<(KeyboardShortcut, Command)> = Command::ALL
        .iter()
        .flat_map(|&command| {
            let chords = studio.settings.chords(command);
            let chords = chords.into_iter();
            chords.filter_map(move |it| Some((shortcut(&it)?, command)))
        })
        .collect();
    chords.sort_by_key(|(chord, _)| {
        let m = chord.modifiers;
        std::cmp::Reverse(u8::from(m.shift) + u8::from(m.alt) + u8::from(m.command))
    });
    ctx.input_mut(|input| {
        for (chord, command) in chords {
            if (typing || gallery) && !works_while_typing(command) {
                continue;
            }
            let plain = !chord.modifiers.command && !chord.modifiers.alt;
            if focused && plain && is_widgets(chord.logical_key, deletes) {
                continue;
            }
            if input.consume_shortcut(&chord) {
                commands.push(Action::Command(command));
            }
        }
        if !typing && !gallery {
            clipboard(input, &mut commands);
        }
    });
    commands
}

/// The window system tells copy, cut and paste apart by itself, and brings the text.
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

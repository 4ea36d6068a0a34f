//! Keys as plain data: `Ctrl+Shift+G` read and written, checked, and compared between commands.

use std::fmt;
use std::str::FromStr;

use crate::command::Command;
use crate::language::{Text, t};
use crate::settings::Settings;

/// A key with its modifiers. `Ctrl` is Cmd on a Mac.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Chord {
    /// Ctrl, or Cmd.
    pub ctrl: bool,
    /// Shift.
    pub shift: bool,
    /// Alt, or Option.
    pub alt: bool,
    /// The key, spelt as in [`NAMES`], or a capital letter, a digit, `F1` to `F24`.
    pub key: String,
}

/// Keys that are no letter, digit or function key.
pub const NAMES: [&str; 26] = [
    "Backslash",
    "Backspace",
    "Backtick",
    "CloseBracket",
    "Comma",
    "Delete",
    "Down",
    "End",
    "Enter",
    "Equals",
    "Escape",
    "Home",
    "Insert",
    "Left",
    "Minus",
    "OpenBracket",
    "PageDown",
    "PageUp",
    "Period",
    "Plus",
    "Quote",
    "Right",
    "Semicolon",
    "Slash",
    "Space",
    "Tab",
];

/// Other ways to write a key.
const ALIASES: [(&str, &str); 22] = [
    ("ArrowDown", "Down"),
    ("ArrowLeft", "Left"),
    ("ArrowRight", "Right"),
    ("ArrowUp", "Up"),
    ("Del", "Delete"),
    ("Esc", "Escape"),
    ("Ins", "Insert"),
    ("PgDn", "PageDown"),
    ("PgUp", "PageUp"),
    ("Return", "Enter"),
    ("\\", "Backslash"),
    ("`", "Backtick"),
    ("]", "CloseBracket"),
    (",", "Comma"),
    ("=", "Equals"),
    ("-", "Minus"),
    ("[", "OpenBracket"),
    (".", "Period"),
    ("'", "Quote"),
    (";", "Semicolon"),
    ("/", "Slash"),
    ("Up", "Up"),
];

/// Why a text is no key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChordError {
    /// Nothing, or modifiers alone.
    NoKey(String),
    /// A part that is no modifier stands before the key.
    Modifier(String),
    /// No key of that name.
    Unknown(String),
}

const NO_KEY: Text = t(
    "`{}` names no key; write modifiers, then a key: Ctrl+Shift+G",
    "「{}」にはキーがありません。修飾キーの後にキーを書きます: Ctrl+Shift+G",
);
const MODIFIER: Text = t(
    "`{}` is no modifier; they are Ctrl, Shift and Alt",
    "「{}」は修飾キーではありません。使えるのは Ctrl、Shift、Alt です",
);
const UNKNOWN: Text = t(
    "there is no key `{}`; write a letter, a digit, F1 to F24, or a name such as Comma, Space, PageUp",
    "「{}」というキーはありません。英字、数字、F1〜F24、または Comma、Space、PageUp などの名前を書きます",
);

impl ChordError {
    /// The sentence a person reads.
    pub fn text(&self, language: crate::Language) -> String {
        match self {
            Self::NoKey(it) => NO_KEY.with(language, &[it]),
            Self::Modifier(it) => MODIFIER.with(language, &[it]),
            Self::Unknown(it) => UNKNOWN.with(language, &[it]),
        }
    }
}

impl FromStr for Chord {
    type Err = ChordError;

    fn from_str(text: &str) -> Result<Self, ChordError> {
        let mut chord = Self {
            ctrl: false,
            shift: false,
            alt: false,
            key: String::new(),
        };
        // `Ctrl++` is a plus with Ctrl.
        let (modifiers, key) = match text.strip_suffix('+') {
            Some("") => ("", "Plus"),
            Some(rest) if rest.ends_with('+') => (&rest[..rest.len() - 1], "Plus"),
            Some(_) => return Err(ChordError::NoKey(text.to_owned())),
            None => text.rsplit_once('+').unwrap_or(("", text)),
        };
        for part in modifiers.split('+').filter(|it| !it.is_empty()) {
            match part.trim().to_ascii_lowercase().as_str() {
                "ctrl" | "control" | "cmd" | "command" | "meta" => chord.ctrl = true,
                "shift" => chord.shift = true,
                "alt" | "option" => chord.alt = true,
                _ => return Err(ChordError::Modifier(part.to_owned())),
            }
        }
        let key = key.trim();
        let alone = ["Ctrl", "Shift", "Alt"]
            .iter()
            .any(|it| it.eq_ignore_ascii_case(key));
        if key.is_empty() || alone {
            return Err(ChordError::NoKey(text.to_owned()));
        }
        chord.key = key_name(key).ok_or_else(|| ChordError::Unknown(key.to_owned()))?;
        Ok(chord)
    }
}

/// The one spelling of a key.
fn key_name(key: &str) -> Option<String> {
    if key.len() == 1 && key.as_bytes()[0].is_ascii_alphanumeric() {
        return Some(key.to_ascii_uppercase());
    }
    if let Some(number) = key.strip_prefix(['F', 'f'])
        && let Ok(number @ 1..=24) = number.parse::<u8>()
    {
        return Some(format!("F{number}"));
    }
    let plain = NAMES
        .iter()
        .find(|it| it.eq_ignore_ascii_case(key))
        .copied();
    let alias = || ALIASES.iter().find(|(it, _)| it.eq_ignore_ascii_case(key));
    plain
        .or_else(|| alias().map(|(_, name)| *name))
        .map(str::to_owned)
}

impl fmt::Display for Chord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (held, name) in [
            (self.ctrl, "Ctrl+"),
            (self.shift, "Shift+"),
            (self.alt, "Alt+"),
        ] {
            if held {
                f.write_str(name)?;
            }
        }
        f.write_str(&self.key)
    }
}

/// Reads keys separated by spaces.
///
/// # Errors
/// The first that is none.
pub fn parse(keys: &str) -> Result<Vec<Chord>, ChordError> {
    keys.split_whitespace().map(Chord::from_str).collect()
}

impl Settings {
    /// The keys of a command. What cannot be read is left out ([`wrong`] names it).
    pub fn chords(&self, command: Command) -> Vec<Chord> {
        let keys = self.keys_of(command).split_whitespace();
        keys.filter_map(|it| it.parse().ok()).collect()
    }

    /// Gives a command other keys (several separated by a space, none: an empty text), or its
    /// default ones again.
    ///
    /// # Errors
    /// No keys; nothing changed.
    pub fn set_keys(&mut self, command: Command, keys: Option<&str>) -> Result<(), ChordError> {
        let chosen = match keys {
            None => None,
            Some(keys) => {
                let chords = parse(keys)?;
                let text: Vec<String> = chords.iter().map(Chord::to_string).collect();
                Some(text.join(" "))
            }
        };
        match chosen {
            Some(keys) if keys != command.default_keys() => {
                self.keys.insert(command.id().to_owned(), keys);
            }
            _ => {
                self.keys.remove(command.id());
            }
        }
        Ok(())
    }
}

/// Pairs of commands that want the same keys, in menu order.
pub fn conflicts(settings: &Settings) -> Vec<(Command, Command, Chord)> {
    let mut taken: Vec<(Command, Chord)> = Vec::new();
    let mut conflicts = Vec::new();
    for &command in Command::ALL {
        for chord in settings.chords(command) {
            match taken.iter().find(|(_, it)| *it == chord) {
                Some(&(first, _)) if first != command => conflicts.push((first, command, chord)),
                Some(_) => {}
                None => taken.push((command, chord)),
            }
        }
    }
    conflicts
}

/// Commands whose keys in the settings cannot be read, with the reason.
pub fn wrong(settings: &Settings) -> Vec<(Command, ChordError)> {
    let error = |&command: &Command| Some((command, parse(settings.keys_of(command)).err()?));
    Command::ALL.iter().filter_map(error).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_in_every_spelling_and_written_in_one() {
        for (text, expected) in [
            ("Ctrl+Shift+G", "Ctrl+Shift+G"),
            ("shift+ctrl+g", "Ctrl+Shift+G"),
            ("cmd+option+f12", "Ctrl+Alt+F12"),
            ("Ctrl+,", "Ctrl+Comma"),
            ("esc", "Escape"),
            ("Ctrl++", "Ctrl+Plus"),
            ("+", "Plus"),
            ("ArrowUp", "Up"),
            ("7", "7"),
        ] {
            let chord: Chord = text.parse().unwrap();
            assert_eq!(chord.to_string(), expected);
            assert_eq!(chord.to_string().parse::<Chord>().unwrap(), chord);
        }
        for text in [
            "", "Ctrl", "Ctrl+", "Hyper+G", "Ctrl+Foo", "F25", "é", "F", "+G",
        ] {
            let outcome = text.parse::<Chord>();
            let fine = text == "F" || text == "+G";
            assert_eq!(outcome.is_ok(), fine, "{text}: {outcome:?}");
        }
    }

    #[test]
    fn the_default_keys_are_keys_and_do_not_collide() {
        let settings = Settings::default();
        assert_eq!(wrong(&settings), []);
        assert_eq!(conflicts(&settings), []);
    }

    #[test]
    fn a_chosen_key_that_is_taken_is_named() {
        let mut settings = Settings::default();
        settings.set_keys(Command::Mute, Some("ctrl+s")).unwrap();
        let save: Chord = "Ctrl+S".parse().unwrap();
        assert_eq!(conflicts(&settings), [(Command::Save, Command::Mute, save)]);
        assert!(settings.set_keys(Command::Mute, Some("Ctrl+Nope")).is_err());
        assert_eq!(settings.keys_of(Command::Mute), "Ctrl+S");
        settings.set_keys(Command::Mute, Some("")).unwrap();
        assert_eq!(settings.chords(Command::Mute), []);
        settings.set_keys(Command::Mute, None).unwrap();
        assert_eq!(settings, Settings::default());
    }
}

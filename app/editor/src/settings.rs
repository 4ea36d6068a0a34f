//! What a person chose once and for all, kept in a file of its own.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::command::Command;
use crate::language::Language;

/// Light or dark.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Theme {
    /// Dark.
    #[default]
    Dark,
    /// Light.
    Light,
    /// What the desktop says.
    System,
}

/// The settings. Unknown keys of a newer version are kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// Language of the window; `None`: what the desktop says.
    pub language: Option<Language>,
    /// Light or dark.
    pub theme: Theme,
    /// Scale of the whole window, 0.5..=3.
    pub scale: f32,
    /// Keys chosen for commands, by [`Command::id`]; an empty text: no keys.
    pub keys: BTreeMap<String, String>,
    /// Whether the minimap is shown.
    pub minimap: bool,
    /// Nodes snap to a grid.
    pub snap: bool,
    /// A node that is dragged lines up with others, with a thin line that shows it.
    pub guides: bool,
    /// Seconds between autosaves; 0: never.
    pub autosave_secs: u32,
    /// What newer versions wrote.
    #[serde(flatten)]
    pub extra: serde_json::Map<String, serde_json::Value>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            language: None,
            theme: Theme::default(),
            scale: 1.0,
            keys: BTreeMap::new(),
            minimap: true,
            snap: false,
            guides: true,
            autosave_secs: 10,
            extra: serde_json::Map::new(),
        }
    }
}

impl Settings {
    /// Brings values that a hand may have written into their range.
    pub fn tidy(&mut self) {
        self.scale = if self.scale.is_finite() {
            self.scale.clamp(0.5, 3.0)
        } else {
            1.0
        };
    }

    /// The keys of a command: the person's, or the default. Several are separated by a space.
    pub fn keys_of(&self, command: Command) -> &str {
        self.keys
            .get(command.id())
            .map_or(command.default_keys(), String::as_str)
    }
}

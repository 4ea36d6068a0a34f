//! The settings on the disk.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use longtake_graph::{Sentence, say};
use serde_json::{Map, Value};

use super::keeper::{self, Failed};
use super::system::{file_error, system_error};
use super::words;
use crate::language::Language;
use crate::settings::Settings;

/// What was wrong with the settings' file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// The file.
    pub path: PathBuf,
    /// Where it was put, unless even that failed.
    pub kept: Option<PathBuf>,
    /// What was wrong.
    pub reason: Sentence,
}

impl Broken {
    /// The sentence a person reads.
    pub fn text(&self, language: Language) -> String {
        let path = self.path.display().to_string();
        let reason = language.sentence(&self.reason);
        match &self.kept {
            Some(kept) => {
                let kept = kept.display().to_string();
                words::SETTINGS_BROKEN.with(language, &[&path, reason, &kept])
            }
            None => words::SETTINGS_UNREADABLE.with(language, &[&path, reason]),
        }
    }
}

/// Reads the settings. Of a broken file, all that can be understood is taken, and the file is kept
/// aside as `settings.json.broken`.
pub fn load(path: &Path) -> (Settings, Option<Broken>) {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == ErrorKind::NotFound => return (Settings::default(), None),
        Err(error) => {
            let broken = Broken {
                path: path.to_path_buf(),
                kept: None,
                reason: system_error(&error),
            };
            return (Settings::default(), Some(broken));
        }
    };
    let (settings, reason) = read(&bytes);
    let broken = reason.map(|reason| {
        let aside = path.with_added_extension("broken");
        let kept = fs::copy(path, &aside).is_ok();
        Broken {
            path: path.to_path_buf(),
            kept: kept.then_some(aside),
            reason,
        }
    });
    (settings, broken)
}

/// The settings in a file, and the first thing wrong with it.
fn read(bytes: &[u8]) -> (Settings, Option<Sentence>) {
    let top: Map<String, Value> = match serde_json::from_slice(bytes) {
        Ok(top) => top,
        Err(error) => {
            let reason = say!("not JSON: {error}", "JSON として正しくありません: {error}");
            return (Settings::default(), Some(reason));
        }
    };
    let (mut settings, wrong) = match parse(top.clone()) {
        Ok(settings) => (settings, None),
        Err(_) => salvage(top),
    };
    settings.tidy();
    (settings, wrong)
}

fn parse(top: Map<String, Value>) -> serde_json::Result<Settings> {
    serde_json::from_value(Value::Object(top))
}

/// One wrong value costs that value alone.
fn salvage(top: Map<String, Value>) -> (Settings, Option<Sentence>) {
    let mut good = Map::new();
    let mut wrong = None;
    for (key, value) in top {
        good.insert(key.clone(), value);
        if let Err(error) = parse(good.clone()) {
            good.shift_remove(&key);
            wrong.get_or_insert(say!(
                "`{key}`: {error}",
                "`{key}` の値を使えません: {error}"
            ));
        }
    }
    (parse(good).unwrap_or_default(), wrong)
}

/// Writes the settings.
pub(crate) fn to_bytes(settings: &Settings) -> Vec<u8> {
    serde_json::to_vec_pretty(settings).unwrap_or_default()
}

/// Writes the settings now.
///
/// # Errors
/// A sentence with the path.
pub fn save(path: &Path, settings: &Settings) -> Result<(), Sentence> {
    keeper::write(path, &to_bytes(settings))
        .map_err(|Failed { path, error }| file_error(&path, &error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_chosen_comes_back_and_so_do_keys_of_newer_versions() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("config/settings.json");
        assert_eq!(load(&path), (Settings::default(), None));
        let mut settings = Settings {
            language: Some(Language::Ja),
            scale: 1.5,
            ..Settings::default()
        };
        settings.extra.insert("later".to_owned(), Value::from(7));
        save(&path, &settings).unwrap();
        assert_eq!(load(&path), (settings, None));
    }

    #[test]
    fn a_broken_file_is_kept_aside_and_what_is_good_in_it_taken() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("settings.json");
        for (text, scale, language) in [
            ("", 1.0, None),
            ("{ no", 1.0, None),
            ("[]", 1.0, None),
            (
                r#"{"scale": 2, "theme": 5, "language": "ja"}"#,
                2.0,
                Some(Language::Ja),
            ),
        ] {
            fs::write(&path, text).unwrap();
            let (settings, broken) = load(&path);
            assert_eq!(
                (settings.scale, settings.language),
                (scale, language),
                "{text}"
            );
            let kept = broken.unwrap().kept.unwrap();
            assert_eq!(kept, dir.path().join("settings.json.broken"));
            assert_eq!(fs::read_to_string(kept).unwrap(), text);
        }
    }

    #[test]
    fn values_out_of_range_are_brought_into_it() {
        for (text, scale) in [(r#"{"scale": 99}"#, 3.0), (r#"{"scale": -1}"#, 0.5)] {
            let (settings, wrong) = read(text.as_bytes());
            assert_eq!((settings.scale, wrong), (scale, None));
        }
    }
}

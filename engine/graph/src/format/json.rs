//! JSON text to a [`Value`], more strictly than `serde_json` alone: duplicate keys are refused,
//! every error has a line and a column, and integers that lose digits are reported.
//!
//! Nesting is bounded by `serde_json`'s limit of 128 levels, so hostile depth is an error and never
//! a stack overflow, here or in any later walk over the value.

use std::fmt;

use serde::de::{
    DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor,
};
use serde_json::error::Category;
use serde_json::{Map, Number, Value};

use super::{ReadError, ReadErrorKind};
use crate::{Sentence, say};

/// Line and column in a file, both counted from 1; columns in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    pub line: usize,
    pub column: usize,
}

impl Position {
    /// The position of a byte offset.
    fn of(bytes: &[u8], offset: usize) -> Self {
        let before = &bytes[..offset.min(bytes.len())];
        let line_start = before
            .iter()
            .rposition(|b| *b == b'\n')
            .map_or(0, |at| at + 1);
        Self {
            line: before.split(|b| *b == b'\n').count(),
            column: before.len() - line_start + 1,
        }
    }
}

/// Parses one JSON text.
///
/// # Errors
/// [`ReadErrorKind::Text`] for bytes that are not UTF-8, [`ReadErrorKind::DuplicateKey`],
/// [`ReadErrorKind::TooDeep`] and [`ReadErrorKind::Syntax`], each with its position.
pub fn parse(file: &str, bytes: &[u8]) -> Result<Value, ReadError> {
    if let Err(error) = std::str::from_utf8(bytes) {
        let utf16 = bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]);
        let hint = if utf16 {
            say!(
                "; it looks like UTF-16: save it as UTF-8",
                "。UTF-16 のようです。UTF-8 で保存してください"
            )
        } else {
            Sentence::default()
        };
        let message = say!(
            "expected JSON in UTF-8, found a byte that is not{hint}",
            "UTF-8 の JSON が必要ですが、UTF-8 ではないバイトがあります{hint}";
            hint
        );
        return Err(ReadError::new(file, ReadErrorKind::Text, message)
            .at(Position::of(bytes, error.valid_up_to())));
    }
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    Strict
        .deserialize(&mut deserializer)
        .and_then(|value| deserializer.end().map(|()| value))
        .map_err(|error| explain(file, bytes, &error))
}

/// Where the value at `path` stands (keys, or indices as digits). `None` when it is not there.
pub fn locate(bytes: &[u8], path: &[String]) -> Option<Position> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let found = Locate { path }.deserialize(&mut deserializer).err()?;
    Some(Position {
        line: found.line(),
        column: found.column(),
    })
}

/// Integers that do not fit in 64 bits, which JSON readers round to 53 bits: digits and position.
pub fn rounded_integers(bytes: &[u8]) -> Vec<(String, Position)> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'"' => at = after_string(bytes, at),
            b'-' | b'0'..=b'9' => {
                let end = bytes[at..]
                    .iter()
                    .position(|b| !matches!(b, b'-' | b'+' | b'.' | b'e' | b'E' | b'0'..=b'9'))
                    .map_or(bytes.len(), |length| at + length);
                let digits = String::from_utf8_lossy(&bytes[at..end]);
                let whole = !digits.contains(['.', 'e', 'E']);
                if whole && digits.parse::<u64>().is_err() && digits.parse::<i64>().is_err() {
                    found.push((digits.chars().take(40).collect(), Position::of(bytes, at)));
                    if found.len() == 20 {
                        return found; // one cause, usually: twenty are plenty to see it
                    }
                }
                at = end;
            }
            _ => at += 1,
        }
    }
    found
}

/// The offset behind the string that opens at `at`.
fn after_string(bytes: &[u8], mut at: usize) -> usize {
    at += 1;
    while at < bytes.len() {
        match bytes[at] {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    at
}

const DUPLICATE: &str = "duplicate key ";

fn explain(file: &str, bytes: &[u8], error: &serde_json::Error) -> ReadError {
    let full = error.to_string();
    let tail = format!(" at line {} column {}", error.line(), error.column());
    let text = full.strip_suffix(&tail).unwrap_or(&full);
    let (kind, message) = if let Some(key) = text.strip_prefix(DUPLICATE) {
        let message = say!(
            "duplicate key {key}: a second value would silently replace the first; remove one of them",
            "キー {key} が 2 回あります。後の値が前の値を置き換えてしまうため、どちらかを消してください"
        );
        (ReadErrorKind::DuplicateKey, message)
    } else if text.starts_with("recursion limit") {
        let message = say!(
            "lists and objects are nested more than 128 levels deep; no graph needs that",
            "リストとオブジェクトの入れ子が 128 段を超えています。グラフには必要のない深さです"
        );
        (ReadErrorKind::TooDeep, message)
    } else if error.classify() == Category::Eof {
        let message = say!(
            "the file ends too early ({text}); it may have been cut off",
            "ファイルが途中で終わっています({text})。切り詰められた可能性があります"
        );
        (ReadErrorKind::Syntax, message)
    } else {
        let hint = not_a_number(bytes, error);
        let message = say!(
            "this is not JSON: {text}{hint}",
            "JSON として正しくありません: {text}{hint}";
            hint
        );
        (ReadErrorKind::Syntax, message)
    };
    ReadError::new(file, kind, message).at(Position {
        line: error.line(),
        column: error.column(),
    })
}

/// Python writes `NaN` and `Infinity` into what it calls JSON: name the cause.
fn not_a_number(bytes: &[u8], error: &serde_json::Error) -> Sentence {
    let line = bytes
        .split(|b| *b == b'\n')
        .nth(error.line().saturating_sub(1))
        .unwrap_or_default();
    let from = error.column().saturating_sub(2).min(line.len());
    let near = &line[from..line.len().min(from + 12)];
    let has = |word: &[u8]| near.windows(word.len()).any(|at| at == word);
    if has(b"NaN") || has(b"Infinity") || has(b"nan") {
        say!(
            "; JSON has no NaN and no Infinity: write a finite number or null",
            "。JSON に NaN と Infinity はありません。有限の数か null にしてください"
        )
    } else {
        Sentence::default()
    }
}

/// Builds a [`Value`] and refuses duplicate keys.
struct Strict;

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value)
            .map(Value::Number)
            .ok_or_else(|| E::custom("number out of range"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(Self)? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            if map.contains_key(&key) {
                return Err(A::Error::custom(format_args!("{DUPLICATE}{key:?}")));
            }
            map.insert(key, entries.next_value_seed(Self)?);
        }
        Ok(Value::Object(map))
    }
}

/// Fails on purpose when it arrives at `path`: `serde_json` then says where it stands.
struct Locate<'a> {
    path: &'a [String],
}

impl<'de> DeserializeSeed<'de> for Locate<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl Locate<'_> {
    fn scalar<E: serde::de::Error>(&self) -> Result<(), E> {
        if self.path.is_empty() {
            Err(E::custom("here"))
        } else {
            Ok(())
        }
    }
}

impl<'de> Visitor<'de> for Locate<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E: serde::de::Error>(self, _: bool) -> Result<(), E> {
        self.scalar()
    }

    fn visit_i64<E: serde::de::Error>(self, _: i64) -> Result<(), E> {
        self.scalar()
    }

    fn visit_u64<E: serde::de::Error>(self, _: u64) -> Result<(), E> {
        self.scalar()
    }

    fn visit_f64<E: serde::de::Error>(self, _: f64) -> Result<(), E> {
        self.scalar()
    }

    fn visit_str<E: serde::de::Error>(self, _: &str) -> Result<(), E> {
        self.scalar()
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<(), E> {
        self.scalar()
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let Some((first, rest)) = self.path.split_first() else {
            return self.scalar();
        };
        let wanted: Option<usize> = first.parse().ok();
        let mut at = 0;
        loop {
            let more = if Some(at) == wanted {
                items.next_element_seed(Locate { path: rest })?
            } else {
                items.next_element::<IgnoredAny>()?.map(|_| ())
            };
            if more.is_none() {
                return Ok(());
            }
            at += 1;
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        let Some((first, rest)) = self.path.split_first() else {
            return self.scalar();
        };
        while let Some(key) = entries.next_key::<String>()? {
            if key == *first {
                entries.next_value_seed(Locate { path: rest })?;
            } else {
                entries.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}

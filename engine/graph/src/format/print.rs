//! Prints JSON so that a change of one thing is a change of one line: a list of objects takes a
//! line each, short values stay on their line, long ones are opened up.

use serde_json::{Map, Value};

/// Values whose text is longer than this are opened over several lines.
const WIDTH: usize = 100;

/// Writes JSON text with two spaces per level.
#[derive(Default)]
pub struct Printer {
    out: String,
    /// One entry per open object or list: whether it has held something yet.
    open: Vec<bool>,
}

impl Printer {
    /// Opens an object or list with its bracket.
    pub fn begin(&mut self, bracket: char) {
        self.out.push(bracket);
        self.open.push(false);
    }

    /// Closes what [`Self::begin`] opened.
    pub fn end(&mut self, bracket: char) {
        if self.open.pop() == Some(true) {
            self.line();
        }
        self.out.push(bracket);
    }

    /// Starts an element on its own line.
    pub fn item(&mut self) {
        if let Some(used) = self.open.last_mut() {
            if *used {
                self.out.push(',');
            }
            *used = true;
        }
        self.line();
    }

    /// Starts a field on its own line.
    pub fn key(&mut self, key: &str) {
        self.item();
        self.quoted(key);
        self.out.push_str(": ");
    }

    /// Starts a field behind the last one on the same line.
    pub fn key_beside(&mut self, key: &str) {
        if self.open.last() == Some(&true) {
            self.out.push_str(", ");
            self.quoted(key);
            self.out.push_str(": ");
        } else {
            self.key(key);
        }
    }

    /// Text as it stands.
    pub fn raw(&mut self, text: &str) {
        self.out.push_str(text);
    }

    /// A string with JSON's escapes.
    pub fn quoted(&mut self, text: &str) {
        quote(text, &mut self.out);
    }

    /// Points on the canvas: as few digits as bring the same `f32` back.
    pub fn points(&mut self, numbers: &[f32]) {
        self.out.push('[');
        for (at, number) in numbers.iter().enumerate() {
            if at > 0 {
                self.out.push_str(", ");
            }
            // No number of JSON stands for NaN and infinity; the edits keep them out.
            let number = if number.is_finite() { *number } else { 0.0 };
            let huge = number.abs() >= 1e15; // as an integer it would not fit in 64 bits
            let text = if huge {
                format!("{number:e}")
            } else {
                number.to_string()
            };
            self.out.push_str(&text);
        }
        self.out.push(']');
    }

    /// A value, on one line if it is short.
    pub fn value(&mut self, value: &Value) {
        match value {
            Value::Array(items) if !items.is_empty() && !self.stays_on_line(value) => {
                self.begin('[');
                for item in items {
                    self.item();
                    self.value(item);
                }
                self.end(']');
            }
            Value::Object(map) if !map.is_empty() && !self.stays_on_line(value) => {
                self.begin('{');
                self.fields(map);
                self.end('}');
            }
            _ => compact(value, &mut self.out),
        }
    }

    /// Every field of a map, each on its own line.
    pub fn fields(&mut self, map: &Map<String, Value>) {
        for (key, value) in map {
            self.key(key);
            self.value(value);
        }
    }

    /// The text, with a newline at its end.
    pub fn finish(mut self) -> String {
        self.out.push('\n');
        self.out
    }

    fn line(&mut self) {
        self.out.push('\n');
        for _ in 0..self.open.len() {
            self.out.push_str("  ");
        }
    }

    fn stays_on_line(&self, value: &Value) -> bool {
        if let Value::Array(items) = value
            && items.iter().any(Value::is_object)
        {
            return false;
        }
        remaining(value, WIDTH.saturating_sub(2 * self.open.len())).is_some()
    }
}

/// Room left of `room` columns behind the value, or `None` as soon as it does not fit: a long
/// value costs no more than a short one.
fn remaining(value: &Value, room: usize) -> Option<usize> {
    match value {
        Value::Null | Value::Bool(true) => room.checked_sub(4),
        Value::Bool(false) => room.checked_sub(5),
        Value::Number(number) => room.checked_sub(number.to_string().len()),
        Value::String(text) => room.checked_sub(text.len() + 2),
        Value::Array(items) => {
            let inner = items
                .iter()
                .try_fold(room, |room, item| remaining(item, room)?.checked_sub(2));
            inner?.checked_sub(2)
        }
        Value::Object(map) => {
            let inner = map.iter().try_fold(room, |room, (key, item)| {
                remaining(item, room)?.checked_sub(key.len() + 6)
            });
            inner?.checked_sub(2)
        }
    }
}

fn quote(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c < ' ' => {
                let code = format!("\\u{:04x}", u32::from(c));
                out.push_str(&code);
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

fn compact(value: &Value, out: &mut String) {
    match value {
        Value::String(text) => quote(text, out),
        Value::Array(items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                out.push_str(if at > 0 { ", " } else { "" });
                compact(item, out);
            }
            out.push(']');
        }
        Value::Object(map) => {
            out.push('{');
            for (at, (key, item)) in map.iter().enumerate() {
                out.push_str(if at > 0 { ", " } else { "" });
                quote(key, out);
                out.push_str(": ");
                compact(item, out);
            }
            out.push('}');
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => out.push_str(&value.to_string()),
    }
}

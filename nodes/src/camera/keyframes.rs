//! Keyframes as people write them: a line per key, a time and what the camera does then.
//!
//! ```text
//! # time   what
//! 0%       phi 0
//! 40%      phi -35  theta -10
//! 100%     phi -60  distance 0.7  focal 1.2   # closer, and a longer lens
//! ```
//!
//! A time is a part of the path, `0` to `1` or `0%` to `100%`; times rise. Names are those of
//! [`FIELDS`] or Uni3C's spelling (`d_phi`, `x_offset`, `focal_length`, …). Between two keys that
//! name it a number follows the curve; keys that leave it out do not bend it. `:`, `=` and `,` may
//! stand between words, `°` behind a number.

use std::fmt;

use super::curve::Curve;
use super::pose::{FIELDS, Params};
use longtake_graph::{Sentence, say};

/// A key: its time, and the numbers it names, in the order of [`FIELDS`].
#[derive(Clone, Debug, PartialEq)]
pub struct Key {
    /// 0..1.
    pub time: f64,
    /// None where the key is silent.
    pub values: [Option<f64>; 9],
}

/// What is wrong with a text, and where. Lines and columns count from 1, columns in characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyError {
    /// Line.
    pub line: usize,
    /// Column.
    pub column: usize,
    /// What was expected and what came.
    pub message: Sentence,
}

impl KeyError {
    /// Place and reason in both languages.
    pub fn sentence(&self) -> Sentence {
        let (line, column, why) = (self.line, self.column, &self.message);
        say!(
            "line {line}, column {column}: {why}",
            "{line} 行 {column} 列: {why}";
            why
        )
    }
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.sentence().fmt(f)
    }
}

/// Least and greatest value of each of [`FIELDS`].
const LIMITS: [(f64, f64); 9] = [
    (-360.0, 360.0),
    (-3600.0, 3600.0),
    (0.02, 50.0),
    (-50.0, 50.0),
    (-50.0, 50.0),
    (-50.0, 50.0),
    (0.02, 50.0),
    (-3600.0, 3600.0),
    (-360.0, 360.0),
];

/// Most keys of a path.
const MOST_KEYS: usize = 10_000;

/// A word with the column that it starts at.
type Word<'a> = (usize, &'a str);

fn words(line: &str) -> Vec<Word<'_>> {
    let line = line.split('#').next().unwrap_or_default();
    let between = |c: char| c.is_whitespace() || ":=,;".contains(c);
    let (mut found, mut start) = (Vec::new(), None);
    for (column, (at, c)) in line.char_indices().enumerate() {
        match (between(c), start) {
            (false, None) => start = Some((column + 1, at)),
            (true, Some((column, from))) => {
                found.push((column, &line[from..at]));
                start = None;
            }
            _ => {}
        }
    }
    if let Some((column, from)) = start {
        found.push((column, &line[from..]));
    }
    found
}

/// Reads a text.
///
/// # Errors
/// The first place that is not understood.
pub fn parse(text: &str) -> Result<Vec<Key>, KeyError> {
    let mut keys: Vec<Key> = Vec::new();
    for (line, content) in (1..).zip(text.lines()) {
        let at = |(column, message): (usize, Sentence)| KeyError {
            line,
            column,
            message,
        };
        let words = words(content);
        let Some((&first, rest)) = words.split_first() else {
            continue;
        };
        let key = key(first, rest).map_err(at)?;
        if let Some(before) = keys.last().filter(|it| it.time >= key.time) {
            let message = say!(
                "times rise from key to key; {} comes after {}",
                "時刻はキーごとに増やしてください。{} が {} の後にあります。",
                percent(key.time),
                percent(before.time)
            );
            return Err(at((first.0, message)));
        }
        if keys.len() == MOST_KEYS {
            return Err(at((
                first.0,
                say!(
                    "more than {MOST_KEYS} keys",
                    "キーが {MOST_KEYS} 個を超えています。"
                ),
            )));
        }
        keys.push(key);
    }
    if keys.is_empty() {
        let message = say!(
            "expected at least one key, such as `100% phi 30`",
            "`100% phi 30` のようなキーが 1 つ以上必要です。"
        );
        return Err(KeyError {
            line: 1,
            column: 1,
            message,
        });
    }
    Ok(keys)
}

fn percent(time: f64) -> String {
    format!("{}%", (time * 1e6).round() / 1e4)
}

fn key(first: Word<'_>, rest: &[Word<'_>]) -> Result<Key, (usize, Sentence)> {
    let mut key = Key {
        time: time(first)?,
        values: [None; 9],
    };
    let mut rest = rest.iter();
    while let Some(&(column, name)) = rest.next() {
        let Some(field) = field(name) else {
            let message = say!(
                "expected one of {}, found `{name}`",
                "{} のいずれかを書いてください(現在: 「{name}」)。",
                FIELDS.join(", ")
            );
            return Err((column, message));
        };
        if key.values[field].is_some() {
            return Err((
                column,
                say!(
                    "`{name}` stands twice in this key",
                    "このキーに「{name}」が 2 回あります。"
                ),
            ));
        }
        let Some(&(number_column, number)) = rest.next() else {
            let end = column + name.chars().count();
            return Err((
                end,
                say!(
                    "expected a number after `{name}`, found the end of the line",
                    "「{name}」の後に数値が必要ですが、行が終わっています。"
                ),
            ));
        };
        let plain = number.strip_suffix('°').unwrap_or(number);
        let Some(value) = real(plain) else {
            let message = say!(
                "expected a number after `{name}`, found `{number}`",
                "「{name}」の後に数値が必要です(現在: 「{number}」)。"
            );
            return Err((number_column, message));
        };
        let (low, high) = LIMITS[field];
        if !(low..=high).contains(&value) {
            let message = say!(
                "`{name}` goes from {low} to {high}, found {value}",
                "「{name}」は {low} から {high} までです(現在: {value})。"
            );
            return Err((number_column, message));
        }
        key.values[field] = Some(value);
    }
    Ok(key)
}

fn time((column, word): Word<'_>) -> Result<f64, (usize, Sentence)> {
    let value = match word.strip_suffix('%') {
        Some(number) => real(number).map(|it| it / 100.0),
        None => real(word),
    };
    match value {
        Some(value) if (0.0..=1.0).contains(&value) => Ok(value),
        _ => {
            let message = say!(
                "expected a time from 0 to 1 or from 0% to 100%, found `{word}`",
                "時刻は 0〜1 または 0%〜100% で書いてください(現在: 「{word}」)。"
            );
            Err((column, message))
        }
    }
}

/// A finite number; Rust's own reader would take `inf` and `nan`.
fn real(word: &str) -> Option<f64> {
    word.parse().ok().filter(|it: &f64| it.is_finite())
}

/// Index of a field by its name or Uni3C's.
fn field(name: &str) -> Option<usize> {
    let plain = match name {
        "focal_length" => "focal",
        "d_r" => "distance",
        "x_offset" => "x",
        "y_offset" => "y",
        "z_offset" => "z",
        other => other
            .strip_prefix("d_")
            .filter(|it| ["theta", "phi"].contains(it))
            .unwrap_or(other),
    };
    FIELDS.iter().position(|it| *it == plain)
}

/// The numbers at time `t`. A number that no key names stays at rest; one that keys name goes from
/// rest at 0, unless a key at 0 says otherwise.
pub fn at(keys: &[Key], curve: Curve, t: f64) -> Params {
    let rest = Params::REST.to_array();
    Params::from_array(std::array::from_fn(|field| {
        let named = keys
            .iter()
            .filter_map(|key| Some((key.time, key.values[field]?)));
        let mut points: Vec<(f64, f64)> = named.collect();
        if points.first().is_none_or(|first| first.0 > 0.0) {
            points.insert(0, (0.0, rest[field]));
        }
        curve.at(&points, t)
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_and_silent_numbers_follow_their_own_keys() {
        let text = "# a move\n0: phi=0\n\n50%  theta -10°\r\n1, d_phi -60, distance 0.5 # end\n";
        let keys = parse(text).unwrap();
        assert_eq!(
            keys.iter().map(|it| it.time).collect::<Vec<_>>(),
            [0.0, 0.5, 1.0]
        );
        let half = at(&keys, Curve::Linear, 0.5);
        // Keys at 50 % say nothing of phi and distance; theta holds after its last key.
        assert_eq!((half.phi, half.theta, half.distance), (-30.0, -10.0, 0.75));
        assert_eq!(at(&keys, Curve::Smooth, 1.0).theta, -10.0);
        assert_eq!(at(&keys, Curve::Smooth, 0.0), Params::REST);
    }

    #[test]
    fn bad_texts_are_told_with_line_and_column() {
        for (text, line, column, said) in [
            ("", 1, 1, "at least one key"),
            ("# only words\n\n", 1, 1, "at least one key"),
            ("phi 30", 1, 1, "a time from 0 to 1"),
            ("120% phi 30", 1, 1, "found `120%`"),
            ("-0.1 phi 30", 1, 1, "found `-0.1`"),
            ("nan phi 1", 1, 1, "found `nan`"),
            ("% phi 1", 1, 1, "found `%`"),
            ("0 phi 0\n  1 phy 30", 2, 5, "found `phy`"),
            ("1 phi", 1, 6, "the end of the line"),
            ("1 phi fast", 1, 7, "found `fast`"),
            ("1 phi inf", 1, 7, "found `inf`"),
            ("1 phi 1e999", 1, 7, "found `1e999`"),
            ("1 phi 3 phi 4", 1, 9, "twice"),
            ("1 distance 0", 1, 12, "from 0.02 to 50"),
            ("1 focal=-1", 1, 9, "found -1"),
            ("0.5 phi 1\n0.5 phi 2", 2, 1, "50% comes after 50%"),
            ("１ phi 1", 1, 1, "found `１`"),
            ("1 phi ３０", 1, 7, "found `３０`"),
            ("1 左 3", 1, 3, "found `左`"),
            ("1 phi 3°°", 1, 7, "a number"),
            ("1 d_x 3", 1, 3, "found `d_x`"),
        ] {
            let error = parse(text).unwrap_err();
            let told = error.to_string();
            assert_eq!(
                (error.line, error.column),
                (line, column),
                "{text:?}: {told}"
            );
            assert!(told.contains(said), "{text:?}: {told}");
        }
    }
}

//! Reads the shot list that a `Storyboard` node holds, with a finding for each thing wrong in it.

use std::collections::HashSet;
use std::sync::Arc;

use serde_json::{Map, Value};

use crate::literal::{describe, integer, real, shorten};
use crate::near::did_you_mean;
use crate::{Diagnostic, Place, Sentence, Severity, Shot, Storyboard, TransitionKind, say};

/// Longest shot, in seconds: a day. Keeps every count of frames far from overflow.
pub const MAX_SHOT_SECONDS: f64 = 86_400.0;

const TEXTS: [&str; 7] = [
    "title", "prompt", "negative", "caption", "camera", "image", "pose",
];
const KEYS: [&str; 13] = [
    "id",
    "title",
    "prompt",
    "negative",
    "caption",
    "camera",
    "image",
    "pose",
    "seed",
    "seconds",
    "transition",
    "transition_seconds",
    "pinned",
];

/// A whole storyboard. `fps` is a fraction, frames over seconds.
///
/// # Errors
/// Every error found in the list, placed at `place` and the shot's name.
pub fn storyboard(
    place: &Place,
    shots: &Value,
    title: &str,
    (width, height): (u32, u32),
    fps: (u32, u32),
) -> Result<Storyboard, Vec<Diagnostic>> {
    let (shots, mut found) = parse_shots(place, shots);
    found.retain(|it| it.severity == Severity::Error);
    if fps.0 == 0 || fps.1 == 0 {
        let message = say!(
            "expected a positive frame rate, found {}/{}",
            "フレームレートは正の値にしてください(現在: {}/{})。",
            fps.0,
            fps.1
        );
        found.push(Diagnostic::error(
            "invalid_input_type",
            place.clone(),
            message,
        ));
    }
    if found.is_empty() {
        Ok(Storyboard {
            title: title.to_owned(),
            width,
            height,
            fps,
            shots: Arc::new(shots),
        })
    } else {
        Err(found)
    }
}

/// The shots of a `shots` literal, and everything wrong with them. A shot with an error is in the
/// list only as far as it could be read.
pub fn parse_shots(place: &Place, value: &Value) -> (Vec<Shot>, Vec<Diagnostic>) {
    let mut found = Vec::new();
    let Value::Array(items) = value else {
        let found = describe(value);
        let message = say!(
            "expected a list of shots, found {found}",
            "ショットのリストを指定してください(現在: {found})。";
            found
        );
        return (
            Vec::new(),
            vec![Diagnostic::error(
                "invalid_input_type",
                place.clone(),
                message,
            )],
        );
    };
    let mut seen = HashSet::new();
    let mut shots = Vec::with_capacity(items.len());
    for (at, item) in items.iter().enumerate() {
        let mut reader = Reader {
            place: place.clone().shot(&format!("#{}", at + 1)),
            found: &mut found,
        };
        let Value::Object(fields) = item else {
            let found = describe(item);
            reader.wrong(say!(
                "expected a shot (an object), found {found}",
                "ショット(オブジェクト)を指定してください(現在: {found})。";
                found
            ));
            continue;
        };
        let shot = reader.shot(fields);
        if !shot.id.is_empty() && !seen.insert(shot.id.clone()) {
            reader.error(
                "duplicate_shot",
                say!(
                    "another shot before this one has the same id; shots are addressed by id, so each needs its own",
                    "前のショットと ID が同じです。ショットは ID で区別されるので、それぞれ別の ID を付けてください。"
                ),
            );
        }
        shots.push(shot);
    }
    check_transitions(place, &shots, &mut found);
    (shots, found)
}

struct Reader<'a> {
    place: Place,
    found: &'a mut Vec<Diagnostic>,
}

impl Reader<'_> {
    fn error(&mut self, code: &'static str, message: Sentence) {
        self.found
            .push(Diagnostic::error(code, self.place.clone(), message));
    }

    fn wrong(&mut self, message: Sentence) {
        self.error("invalid_input_type", message);
    }

    fn shot(&mut self, fields: &Map<String, Value>) -> Shot {
        let id = match fields.get("id") {
            Some(Value::String(id)) if !id.is_empty() => {
                self.place = self.place.clone().shot(&shorten(id, 60));
                id.clone()
            }
            None => {
                self.error(
                    "required_input_missing",
                    say!(
                        "`id` is missing: give the shot a short name, unique in the film",
                        "「id」がありません。映像の中で重ならない短い名前をショットに付けてください。"
                    ),
                );
                String::new()
            }
            Some(other) => {
                let found = describe(other);
                self.wrong(say!(
                    "`id`: expected a text that is not empty, found {found}",
                    "「id」: 空でないテキストを指定してください(現在: {found})。";
                    found
                ));
                String::new()
            }
        };
        let mut texts = TEXTS.map(|key| self.text(fields, key)).into_iter();
        let mut next = || texts.next().unwrap_or_default();
        let shot = Shot {
            id,
            title: next(),
            prompt: next(),
            negative: next(),
            caption: next(),
            camera: next(),
            image: next(),
            pose: next(),
            seed: self.seed(fields),
            seconds: self.seconds(fields),
            transition: self.transition(fields),
            transition_seconds: self.transition_seconds(fields),
            pinned: fields
                .get("pinned")
                .filter(|it| !it.is_null())
                .map(|_| self.text(fields, "pinned")),
            extra: self.extra(fields),
        };
        if shot.transition == TransitionKind::Cut && shot.transition_seconds > 0.0 {
            let message = say!(
                "`transition_seconds` has no effect on a cut; choose fade or dissolve",
                "カット(cut)では「transition_seconds」は効果がありません。fade か dissolve を選んでください。"
            );
            self.found.push(Diagnostic::warning(
                "unused_value",
                self.place.clone(),
                message,
            ));
        }
        shot
    }

    fn text(&mut self, fields: &Map<String, Value>, key: &str) -> String {
        match fields.get(key) {
            None => String::new(),
            Some(Value::String(text)) => text.clone(),
            Some(other) => {
                let found = describe(other);
                self.wrong(say!(
                    "`{key}`: expected a text, found {found}",
                    "「{key}」: テキストを指定してください(現在: {found})。";
                    found
                ));
                String::new()
            }
        }
    }

    fn seed(&mut self, fields: &Map<String, Value>) -> u64 {
        let Some(value) = fields.get("seed") else {
            return 0;
        };
        integer(value)
            .and_then(|seed| u64::try_from(seed).ok())
            .unwrap_or_else(|| {
                let found = describe(value);
                self.wrong(say!(
                    "`seed`: expected a whole number from 0 to {}, found {found}",
                    "「seed」: 0 から {} までの整数を指定してください(現在: {found})。",
                    u64::MAX;
                    found
                ));
                0
            })
    }

    fn seconds(&mut self, fields: &Map<String, Value>) -> f64 {
        let Some(value) = fields.get("seconds") else {
            self.error(
                "required_input_missing",
                say!(
                    "`seconds` is missing: how long is the shot?",
                    "「seconds」がありません。ショットの長さを指定してください。"
                ),
            );
            return 1.0;
        };
        match real(value) {
            Some(seconds) if seconds > 0.0 && seconds <= MAX_SHOT_SECONDS => seconds,
            Some(seconds) if seconds > 0.0 => {
                self.error("value_bigger_than_max", say!(
                    "`seconds`: expected at most {MAX_SHOT_SECONDS} s (a day), found {seconds:e} s",
                    "「seconds」: {MAX_SHOT_SECONDS} 秒(1 日)以下にしてください(現在: {seconds:e} 秒)。"));
                1.0
            }
            Some(seconds) => {
                self.error(
                    "value_smaller_than_min",
                    say!(
                        "`seconds`: expected a length above 0 s, found {seconds} s",
                        "「seconds」: 0 秒より長くしてください(現在: {seconds} 秒)。"
                    ),
                );
                1.0
            }
            None => {
                let found = describe(value);
                self.wrong(say!(
                    "`seconds`: expected a number of seconds, found {found}",
                    "「seconds」: 秒数を数値で指定してください(現在: {found})。";
                    found
                ));
                1.0
            }
        }
    }

    fn transition(&mut self, fields: &Map<String, Value>) -> TransitionKind {
        let Some(value) = fields.get("transition") else {
            return TransitionKind::Cut;
        };
        match value.as_str() {
            Some("cut") => TransitionKind::Cut,
            Some("fade") => TransitionKind::Fade,
            Some("dissolve") => TransitionKind::Dissolve,
            other => {
                let hint = did_you_mean(other.unwrap_or_default(), ["cut", "fade", "dissolve"]);
                let found = describe(value);
                self.error(
                    "value_not_in_list",
                    say!(
                        "`transition`: expected cut, fade or dissolve, found {found}{hint}",
                        "「transition」: cut、fade、dissolve のいずれかにしてください(現在: {found})。{hint}";
                        found, hint
                    ),
                );
                TransitionKind::Cut
            }
        }
    }

    fn transition_seconds(&mut self, fields: &Map<String, Value>) -> f64 {
        let Some(value) = fields.get("transition_seconds") else {
            return 0.0;
        };
        real(value)
            .filter(|seconds| *seconds >= 0.0)
            .unwrap_or_else(|| {
                let found = describe(value);
                self.wrong(say!(
                    "`transition_seconds`: expected 0 or more seconds, found {found}",
                    "「transition_seconds」: 0 秒以上にしてください(現在: {found})。";
                    found
                ));
                0.0
            })
    }

    /// Unknown keys are kept; one that looks like a slip of a known key is pointed out.
    fn extra(&mut self, fields: &Map<String, Value>) -> Map<String, Value> {
        let mut extra = Map::new();
        for (key, value) in fields
            .iter()
            .filter(|(key, _)| !KEYS.contains(&key.as_str()))
        {
            let hint = did_you_mean(key, KEYS);
            if !hint.en.is_empty() {
                let message = say!(
                    "`{}` is not a field of a shot and is not used{hint}",
                    "「{}」はショットの項目ではないため使われません。{hint}",
                    shorten(key, 60);
                    hint
                );
                self.found.push(Diagnostic::warning(
                    "unknown_input",
                    self.place.clone(),
                    message,
                ));
            }
            extra.insert(key.clone(), value.clone());
        }
        extra
    }
}

/// Both ends of a shot may melt into its neighbours, but not for longer than the shot lasts.
fn check_transitions(place: &Place, shots: &[Shot], found: &mut Vec<Diagnostic>) {
    let length = |shot: &Shot| match shot.transition {
        TransitionKind::Cut => 0.0,
        TransitionKind::Fade | TransitionKind::Dissolve => shot.transition_seconds,
    };
    let mut into = 0.0;
    for shot in shots {
        let out = length(shot);
        // Times typed in decimals (0.4 + 0.6) may miss their sum by a rounding error.
        if into + out > shot.seconds + 1e-9 {
            let message = say!(
                "transitions take {into} s at its start and {out} s at its end, more than the \
                {} s it lasts; shorten them or lengthen the shot",
                "トランジションが先頭で {into} 秒、末尾で {out} 秒かかり、ショットの長さ {} 秒を超えています。\
                トランジションを短くするか、ショットを長くしてください。",
                shot.seconds
            );
            let place = place.clone().shot(&shorten(&shot.id, 60));
            found.push(Diagnostic::error("transition_too_long", place, message));
        }
        into = out;
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{parse_shots, storyboard};
    use crate::Place;

    #[test]
    fn each_mistake_is_named() {
        let ok = json!({"id": "01", "seconds": 2});
        let rows: &[(Value, &str)] = &[
            (json!([ok]), ""),
            (json!([]), ""),
            (json!({}), "expected a list of shots"),
            (json!([5]), "shot #1: expected a shot"),
            (json!([{"seconds": 1}]), "`id` is missing"),
            (json!([{"id": "", "seconds": 1}]), "text that is not empty"),
            (json!([{"id": "a"}]), "shot a: `seconds` is missing"),
            (json!([{"id": "a", "seconds": 0}]), "above 0 s, found 0 s"),
            (json!([{"id": "a", "seconds": -1.5}]), "found -1.5 s"),
            (json!([{"id": "a", "seconds": 1e300}]), "found 1e300 s"),
            (
                json!([{"id": "a", "seconds": "long"}]),
                "found the text \"long\"",
            ),
            (
                json!([{"id": "a", "seconds": 1, "seed": -1}]),
                "`seed`: expected",
            ),
            (
                json!([{"id": "a", "seconds": 1, "seed": 1e20}]),
                "`seed`: expected",
            ),
            (
                json!([{"id": "a", "seconds": 1, "prompt": ["x"]}]),
                "`prompt`: expected a text, found a list",
            ),
            (
                json!([{"id": "a", "seconds": 1, "transition": "disolve"}]),
                "did you mean `dissolve`?",
            ),
            (
                json!([{"id": "a", "seconds": 1, "promt": "x"}]),
                "did you mean `prompt`?",
            ),
            (json!([{"id": "a", "seconds": 1, "lens": "x"}]), ""),
            (json!([ok, ok]), "shot 01: another shot"),
            (
                json!([{"id": "a", "seconds": 1, "transition_seconds": 1}]),
                "no effect on a cut",
            ),
            (
                json!([{"id": "a", "seconds": 2, "transition": "fade", "transition_seconds": 1}, ok]),
                "",
            ),
            (
                json!([{"id": "a", "seconds": 4, "transition": "fade", "transition_seconds": 3}, ok]),
                "shot 01: transitions take 3 s at its start and 0 s at its end, more than the 2 s",
            ),
        ];
        for (shots, wanted) in rows {
            let (_, found) = parse_shots(&Place::default(), shots);
            let text: Vec<String> = found.iter().map(ToString::to_string).collect();
            let lacking = found.iter().find_map(|it| it.message.lacks());
            assert_eq!(lacking, None);
            if wanted.is_empty() {
                assert_eq!(text, Vec::<String>::new(), "{shots}");
            } else {
                assert!(
                    text.iter().any(|it| it.contains(wanted)),
                    "{shots}: {text:?}"
                );
            }
        }
    }

    #[test]
    fn a_shot_agrees_with_its_saved_form() {
        let full = json!({
            "id": "rain-3", "title": "雨", "prompt": "p", "negative": "n", "caption": "c", "seed": u64::MAX,
            "seconds": 2.5, "camera": "pan-left", "image": "i.png", "pose": "p.mp4", "transition": "fade",
            "transition_seconds": 0.5, "pinned": "abc", "lens": {"mm": 35},
        });
        let board = storyboard(&Place::default(), &json!([full]), "t", (64, 32), (24, 1)).unwrap();
        assert_eq!(serde_json::to_value(&board.shots[0]).unwrap(), full);
        assert!(storyboard(&Place::default(), &json!([full]), "t", (64, 32), (0, 1)).is_err());
    }
}

//! Literal values: turned into what an input takes, as ComfyUI turns them.
//!
//! ComfyUI coerces each literal while it validates a prompt (`validate_inputs` in its
//! `execution.py`): `INT` through Python's `int()`, `FLOAT` through `float()`, `STRING` through
//! `str()`, `BOOLEAN` by truth. The same is done here, with two differences: a number that is not
//! finite is refused, and so is text made from a list, an object or null.

use serde_json::Value;

use crate::near::did_you_mean;
use crate::{Curve, InputDecl, InputType, Sentence, say};

/// Why a literal does not fit its input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misfit {
    /// ComfyUI's `node_errors` type.
    pub code: &'static str,
    /// Expected and found, without the place.
    pub message: Sentence,
}

/// The value that a node runs with: coerced, within range, in the list.
///
/// # Errors
/// A sentence with what was expected and what came.
pub fn coerce(input: &InputDecl, value: &Value) -> Result<Value, Sentence> {
    fit(input, value).map_err(|misfit| misfit.message)
}

/// [`coerce`] with the error's code.
///
/// # Errors
/// [`Misfit`] for a literal of the wrong type, out of range or not in the list.
pub fn fit(input: &InputDecl, value: &Value) -> Result<Value, Misfit> {
    match &input.ty {
        InputType::Socket(kind) => Err(wrong_type(
            &say!(
                "a link to a {kind} output, since no value can be written here",
                "{kind} の出力へのリンク(ここに値は書けません)"
            ),
            value,
        )),
        InputType::Int { min, max, .. } => {
            let number =
                integer(value).ok_or_else(|| wrong_type(&say!("a whole number", "整数"), value))?;
            bounded(input, number, *min, *max, |a, b| a < b)?;
            integer_value(number).ok_or_else(|| {
                wrong_type(&say!("a whole number of 64 bits", "64 ビットの整数"), value)
            })
        }
        InputType::Float { min, max, .. } => {
            let number = real(value).ok_or_else(|| wrong_type(&say!("a number", "数値"), value))?;
            bounded(input, number, *min, *max, |a, b| a < b)?;
            Ok(Value::from(number))
        }
        InputType::Text { .. } => text(value)
            .map(Value::from)
            .ok_or_else(|| wrong_type(&say!("a text", "テキスト"), value)),
        InputType::Bool { .. } => Ok(Value::from(truth(value))),
        InputType::Choice { options, .. } => choice(value, options),
        InputType::Model { .. } | InputType::File { .. } => match value.as_str() {
            Some(name) if !name.is_empty() => Ok(value.clone()),
            _ => Err(wrong_type(&say!("a file's name", "ファイル名"), value)),
        },
        InputType::Colour { .. } => match value.as_str() {
            Some(text) if is_colour(text) => Ok(value.clone()),
            _ => Err(wrong_type(
                &say!(
                    "a colour, #rrggbb or #rrggbbaa",
                    "色(#rrggbb または #rrggbbaa)"
                ),
                value,
            )),
        },
        InputType::Curve { .. } => match Curve::parse(value) {
            Ok(curve) => Ok(curve.to_value()),
            Err(message) => Err(Misfit {
                code: "invalid_input_type",
                message,
            }),
        },
        InputType::Shots => match value {
            Value::Array(_) => Ok(value.clone()),
            _ => Err(wrong_type(
                &say!("a list of shots", "ショットのリスト"),
                value,
            )),
        },
    }
}

fn bounded<N: Copy + std::fmt::Display>(
    input: &InputDecl,
    number: N,
    min: N,
    max: N,
    less: fn(N, N) -> bool,
) -> Result<(), Misfit> {
    let unit = if input.unit.is_empty() {
        String::new()
    } else {
        format!(" {}", input.unit)
    };
    let (code, message) = if less(number, min) {
        let message = say!(
            "expected at least {min}{unit}, found {number}{unit}",
            "{min}{unit} 以上にしてください(現在: {number}{unit})。"
        );
        ("value_smaller_than_min", message)
    } else if less(max, number) {
        let message = say!(
            "expected at most {max}{unit}, found {number}{unit}",
            "{max}{unit} 以下にしてください(現在: {number}{unit})。"
        );
        ("value_bigger_than_max", message)
    } else {
        return Ok(());
    };
    Err(Misfit { code, message })
}

fn choice(value: &Value, options: &[&str]) -> Result<Value, Misfit> {
    let misfit = |hint: Sentence| {
        let found = describe(value);
        let shown = options
            .iter()
            .take(20)
            .copied()
            .collect::<Vec<_>>()
            .join(", ");
        let more = if options.len() > 20 { ", …" } else { "" };
        let message = say!(
            "expected one of {shown}{more}; found {found}{hint}",
            "{shown}{more} のいずれかを選んでください(現在: {found})。{hint}";
            found, hint
        );
        Err(Misfit {
            code: "value_not_in_list",
            message,
        })
    };
    match value.as_str() {
        Some(text) if options.contains(&text) => Ok(value.clone()),
        Some(text) => misfit(did_you_mean(text, options.iter().copied())),
        None => misfit(Sentence::default()),
    }
}

fn wrong_type(expected: &Sentence, found: &Value) -> Misfit {
    let found = describe(found);
    Misfit {
        code: "invalid_input_type",
        message: say!(
            "expected {expected}, found {found}",
            "{expected}を指定してください(現在: {found})。";
            expected, found
        ),
    }
}

/// Python's `int()`: whole text, and reals cut towards zero.
pub fn integer(value: &Value) -> Option<i128> {
    match value {
        Value::Bool(truth) => Some(i128::from(*truth)),
        Value::Number(number) => match (number.as_i64(), number.as_u64(), number.as_f64()) {
            (Some(small), ..) => Some(i128::from(small)),
            (_, Some(large), _) => Some(i128::from(large)),
            // Saturates far outside every range, which then reports it.
            (.., Some(real)) => Some(real.trunc() as i128),
            _ => None,
        },
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// Python's `float()`, finite.
pub fn real(value: &Value) -> Option<f64> {
    let number = match value {
        Value::Bool(truth) => f64::from(u8::from(*truth)),
        Value::Number(number) => number.as_f64()?,
        Value::String(text) => text.trim().parse().ok()?,
        _ => return None,
    };
    number.is_finite().then_some(number)
}

/// Python's `str()` of a scalar.
pub fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(true) => Some("True".to_owned()),
        Value::Bool(false) => Some("False".to_owned()),
        _ => None,
    }
}

/// Python's `bool()`: everything but zero, null and the empty is true, `"false"` too.
pub fn truth(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(truth) => *truth,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(map) => !map.is_empty(),
    }
}

fn integer_value(number: i128) -> Option<Value> {
    let signed = i64::try_from(number).ok().map(Value::from);
    signed.or_else(|| u64::try_from(number).ok().map(Value::from))
}

fn is_colour(text: &str) -> bool {
    text.strip_prefix('#')
        .is_some_and(|hex| matches!(hex.len(), 6 | 8) && hex.bytes().all(|b| b.is_ascii_hexdigit()))
}

/// Whether lists and objects are nested at most `levels` deep.
pub fn fits_depth(value: &Value, levels: usize) -> bool {
    match value {
        Value::Array(items) => levels > 0 && items.iter().all(|it| fits_depth(it, levels - 1)),
        Value::Object(map) => levels > 0 && map.values().all(|it| fits_depth(it, levels - 1)),
        _ => true,
    }
}

/// A value in a few words, for messages: never long, whatever the value.
pub fn describe(value: &Value) -> Sentence {
    match value {
        Value::Null => Sentence::same("null"),
        Value::Bool(_) | Value::Number(_) => Sentence::same(value),
        Value::String(text) => say!("the text {:?}", "テキスト {:?}", shorten(text, 60)),
        Value::Array(items) if items.is_empty() => say!("an empty list", "空のリスト"),
        Value::Array(items) => say!("a list of {}", "{} 項目のリスト", items.len()),
        Value::Object(map) => match map.keys().next() {
            None => say!("an empty object", "空のオブジェクト"),
            Some(key) => say!(
                "an object (`{}`, …)",
                "オブジェクト(「{}」など)",
                shorten(key, 30)
            ),
        },
    }
}

/// The first `most` characters, with an ellipsis if there were more.
pub fn shorten(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{describe, fit};
    use crate::InputDecl;
    use crate::declare::{
        FileKind, boolean, choice, colour, curve, float, input_file, int, seed, shots, socket, text,
    };
    use crate::kind::Kind;

    const LINE: InputDecl = curve("curve", &[[0.0, 0.0], [0.1, 0.7], [1.0, 1.0]]);

    #[test]
    fn a_curve_says_which_point_is_wrong_and_has_a_plain_default() {
        for (value, wanted) in [
            (
                json!({"a": 1}),
                "expected a curve, a list of 2 to 32 points `[x, y]`, found an object (`a`, …)",
            ),
            (
                json!([[0, 0], 5]),
                "expected two numbers `[x, y]` at point 2 of the curve, found 5",
            ),
            (
                json!([[0, 0], [0.5, 2]]),
                "expected numbers from 0 to 1 at point 2 of the curve, found [0.5, 2]",
            ),
            (
                json!([[0.5, 0], [0.5, 1]]),
                "expected points from left to right: point 2 of the curve is at 0.5, the one before it at 0.5",
            ),
        ] {
            assert_eq!(fit(&LINE, &value).unwrap_err().message.en, wanted);
        }
        let default = LINE.default_value().unwrap();
        assert_eq!(default.to_string(), "[[0.0,0.0],[0.1,0.7],[1.0,1.0]]");
        assert_eq!(fit(&LINE, &default).unwrap(), default);
    }

    #[test]
    fn literals_are_coerced_as_comfyui_does() {
        let steps = int("steps", 20).within(1, 100);
        let cfg = float("cfg", 8.0).within_f(0.0, 100.0);
        let rows: &[(InputDecl, Value, Result<Value, &str>)] = &[
            (steps, json!("20"), Ok(json!(20))),
            (steps, json!(" 7 "), Ok(json!(7))),
            (steps, json!(7.9), Ok(json!(7))),
            (steps, json!(true), Ok(json!(1))),
            (steps, json!("7.9"), Err("invalid_input_type")),
            (steps, json!(null), Err("invalid_input_type")),
            (steps, json!([1]), Err("invalid_input_type")),
            (steps, json!(0), Err("value_smaller_than_min")),
            (steps, json!(101), Err("value_bigger_than_max")),
            (steps, json!(1e300), Err("value_bigger_than_max")),
            (seed("seed"), json!(u64::MAX), Ok(json!(u64::MAX))),
            (
                seed("seed"),
                json!("18446744073709551615"),
                Ok(json!(u64::MAX)),
            ),
            (
                seed("seed"),
                json!(18446744073709551616.0),
                Err("value_bigger_than_max"),
            ),
            (seed("seed"), json!(-1), Err("value_smaller_than_min")),
            (cfg, json!("1e1"), Ok(json!(10.0))),
            (cfg, json!(6), Ok(json!(6.0))),
            (cfg, json!("nan"), Err("invalid_input_type")),
            (cfg, json!("inf"), Err("invalid_input_type")),
            (cfg, json!(100.5), Err("value_bigger_than_max")),
            (text("t", ""), json!(5), Ok(json!("5"))),
            (text("t", ""), json!(true), Ok(json!("True"))),
            (text("t", ""), json!({}), Err("invalid_input_type")),
            (boolean("b", false), json!("false"), Ok(json!(true))),
            (boolean("b", false), json!(0.0), Ok(json!(false))),
            (choice("c", "a", &["a", "b"]), json!("b"), Ok(json!("b"))),
            (
                choice("c", "a", &["a", "b"]),
                json!("B"),
                Err("value_not_in_list"),
            ),
            (
                choice("c", "a", &["a", "b"]),
                json!(1),
                Err("value_not_in_list"),
            ),
            (
                colour("c", "#000000"),
                json!("#12aBef"),
                Ok(json!("#12aBef")),
            ),
            (
                colour("c", "#000000"),
                json!("#12é45"),
                Err("invalid_input_type"),
            ),
            (
                input_file("f", FileKind::Image),
                json!(""),
                Err("invalid_input_type"),
            ),
            (
                LINE,
                json!([[0, -0.0], [0.5, 1], [1, 0.25]]),
                Ok(json!([[0.0, 0.0], [0.5, 1.0], [1.0, 0.25]])),
            ),
            (LINE, json!("[[0, 0], [1, 1]]"), Err("invalid_input_type")),
            (LINE, json!([[0, 0]]), Err("invalid_input_type")),
            (LINE, json!(vec![[0, 0]; 33]), Err("invalid_input_type")),
            (LINE, json!([[0, 0], [0, 1]]), Err("invalid_input_type")),
            (
                LINE,
                json!([[0.5, 0], [0.25, 1]]),
                Err("invalid_input_type"),
            ),
            (LINE, json!([[0, 0], [1, 1.5]]), Err("invalid_input_type")),
            (LINE, json!([[0, 0], [1]]), Err("invalid_input_type")),
            (LINE, json!([[0, 0], [1, "1"]]), Err("invalid_input_type")),
            (shots("s"), json!([]), Ok(json!([]))),
            (shots("s"), json!({}), Err("invalid_input_type")),
            (
                socket("model", Kind::MODEL),
                json!(3),
                Err("invalid_input_type"),
            ),
        ];
        for (input, value, wanted) in rows {
            let got = fit(input, value).map_err(|misfit| misfit.code);
            assert_eq!(got, wanted.clone(), "{} {value}", input.name);
        }
    }

    #[test]
    fn descriptions_stay_short() {
        assert!(describe(&json!("あ".repeat(10_000))).ja.len() < 300);
        assert!(describe(&json!({"k".repeat(10_000): 1})).ja.len() < 100);
    }
}

//! What happens to a prompt before it is tokenised: ComfyUI's `(word:1.2)` weights, and the
//! cleaning of Wan's own pipeline.

/// Factor of a bracket without a number.
const BRACKET: f64 = 1.1;

/// Splits a prompt into runs with weights as ComfyUI does (`comfy/sd1_clip.py`, `token_weights`):
/// `(text)` multiplies by 1.1 per level, `(text:1.3)` sets 1.3, `\(` and `\)` are plain brackets.
/// A "number" that is not finite counts as text, unlike upstream, where it would poison the film.
///
/// An empty prompt gives no runs.
pub fn parse_weights(text: &str) -> Vec<(String, f32)> {
    let escaped = text.replace("\\)", "\0\x01").replace("\\(", "\0\x02");
    let mut out = Vec::new();
    // A stack instead of upstream's recursion, so that nesting is only limited by memory.
    let mut todo = vec![(escaped.as_str(), 1.0, false)];
    while let Some((part, weight, plain)) = todo.pop() {
        if plain {
            let text = part.replace("\0\x01", ")").replace("\0\x02", "(");
            out.push((text, weight as f32));
            continue;
        }
        let runs = top_level_runs(part);
        for &run in runs.iter().rev() {
            match run
                .strip_prefix('(')
                .and_then(|inner| inner.strip_suffix(')'))
            {
                Some(inner) => {
                    let (inner, weight) = bracket(inner, weight);
                    todo.push((inner, weight, false));
                }
                None => todo.push((run, weight, true)),
            }
        }
    }
    out
}

/// Content and weight of a bracket, given what stands in it and the weight around it.
fn bracket(inner: &str, around: f64) -> (&str, f64) {
    let number = inner.rfind(':').filter(|&at| at > 0).and_then(|at| {
        let weight = inner[at + 1..].trim().parse::<f64>().ok()?;
        weight.is_finite().then_some((&inner[..at], weight))
    });
    number.unwrap_or((inner, around * BRACKET))
}

/// Cuts at the outermost brackets, which stay with their content. An unmatched `)` makes what
/// follows one level lower, as upstream.
fn top_level_runs(text: &str) -> Vec<&str> {
    let mut runs = Vec::new();
    let (mut level, mut start) = (0i64, 0);
    for (at, ch) in text.char_indices() {
        match ch {
            '(' => {
                if level == 0 && at > start {
                    runs.push(&text[start..at]);
                    start = at;
                }
                level += 1;
            }
            ')' => {
                level -= 1;
                if level == 0 {
                    runs.push(&text[start..=at]);
                    start = at + 1;
                }
            }
            _ => {}
        }
    }
    if start < text.len() {
        runs.push(&text[start..]);
    }
    runs
}

/// Cleans a prompt as Wan's own pipeline does (`wan/modules/tokenizers.py`, `whitespace_clean` and
/// `basic_clean`): repairs, HTML entities twice, runs of space to one, ends trimmed. ComfyUI does
/// none of this.
///
/// Of ftfy's repairs only straight quotes and dropped control characters are done: width and
/// ligatures are normalised by the tokenizer anyway, wrongly decoded text is left as it is. Of
/// HTML's entities the numeric ones and the dozen that occur in prose are known.
pub fn clean_prompt(text: &str) -> String {
    let repaired: String = text
        .chars()
        .filter(|ch| !ch.is_control() || ch.is_whitespace())
        .map(|ch| match ch {
            '\u{2018}'..='\u{201b}' => '\'',
            '\u{201c}'..='\u{201f}' => '"',
            ch => ch,
        })
        .collect();
    let plain = unescape_html(&unescape_html(&repaired));
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}

const ENTITIES: &[(&str, &str)] = &[
    ("amp", "&"),
    ("lt", "<"),
    ("gt", ">"),
    ("quot", "\""),
    ("apos", "'"),
    ("nbsp", "\u{a0}"),
    ("hellip", "…"),
    ("mdash", "—"),
    ("ndash", "–"),
    ("copy", "©"),
    ("reg", "®"),
    ("trade", "™"),
    ("deg", "°"),
    ("times", "×"),
];

fn unescape_html(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        let tail = &rest[at + 1..];
        // The longest entity names here have six characters, numbers of sense at most eight.
        let end = tail.bytes().take(10).position(|b| b == b';');
        if let Some((new, end)) = end.and_then(|end| Some((entity(&tail[..end])?, end))) {
            out.push_str(&new);
            rest = &tail[end + 1..];
        } else {
            out.push('&');
            rest = tail;
        }
    }
    out + rest
}

fn entity(name: &str) -> Option<String> {
    if let Some(number) = name.strip_prefix('#') {
        let code = match number.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16),
            None => number.parse(),
        };
        return code.ok().and_then(char::from_u32).map(String::from);
    }
    ENTITIES
        .iter()
        .find(|(n, _)| *n == name)
        .map(|&(_, new)| new.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_as_comfyui_parses_them() {
        for (text, want) in [
            ("", &[][..]),
            ("a cat", &[("a cat", 1.0)]),
            ("a (cat) b", &[("a ", 1.0), ("cat", 1.1), (" b", 1.0)]),
            ("a (cat:1.3), b", &[("a ", 1.0), ("cat", 1.3), (", b", 1.0)]),
            ("((x))", &[("x", 1.21)]),
            ("((x:2) y:0.5)", &[("x", 2.0), (" y", 0.5)]),
            ("((x) y:0.5)", &[("x", 0.55), (" y", 0.5)]),
            ("(a: b)", &[("a: b", 1.1)]),
            ("(:1.5)", &[(":1.5", 1.1)]),
            ("(a: 1.5 )", &[("a", 1.5)]),
            ("(a:-1e-1)", &[("a", -0.1)]),
            ("(a:inf)", &[("a:inf", 1.1)]),
            (
                "\\(plain\\) (in \\(side\\):2)",
                &[("(plain) ", 1.0), ("in (side)", 2.0)],
            ),
            ("(open", &[("(open", 1.0)]),
            ("close) (after)", &[("close) (after)", 1.0)]),
            ("()", &[]),
            ("a:1.5", &[("a:1.5", 1.0)]),
            ("(猫:1.2)が", &[("猫", 1.2), ("が", 1.0)]),
        ] {
            let got = parse_weights(text);
            let got: Vec<(&str, f32)> = got
                .iter()
                .map(|(text, weight)| (text.as_str(), *weight))
                .collect();
            assert_eq!(got, want, "{text}");
        }
    }

    #[test]
    fn deep_nesting_ends() {
        let text = "(".repeat(5_000) + "x" + &")".repeat(5_000);
        assert_eq!(parse_weights(&text)[0].0, "x");
    }

    #[test]
    fn cleaning() {
        for (text, want) in [
            ("  a \n\t b\u{3000}c ", "a b c"),
            (
                "it&amp;#39;s &lt;b&gt; &unknown; & &#x732b;",
                "it's <b> &unknown; & 猫",
            ),
            ("\u{201c}quote\u{201d} it\u{2019}s\u{7}", "\"quote\" it's"),
        ] {
            assert_eq!(clean_prompt(text), want);
        }
    }
}

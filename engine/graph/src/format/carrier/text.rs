//! From the texts of a carrier to the graphs in them: comments opened, escapes undone.

use serde_json::Value;

/// What a text of that name is to us: its place in the order of preference. `None`: nothing.
pub(super) fn rank(name: &str) -> Option<usize> {
    NAMES.iter().position(|it| name.eq_ignore_ascii_case(it))
}

/// Our own project first, then the editor's workflow, which says more than the prompt.
const NAMES: [&str; 6] = [
    "longtake", "workflow", "prompt", "comment", "comments", "©cmt",
];
/// The names from here on hold graphs under the names before.
const COMMENTS: usize = 3;

/// The graphs, best first.
pub(super) fn graphs(texts: Vec<(String, Vec<u8>)>) -> Vec<(&'static str, Vec<u8>)> {
    let mut found: Vec<(usize, Vec<u8>)> = Vec::new();
    for (name, text) in texts {
        match rank(&name) {
            Some(rank) if rank >= COMMENTS => found.extend(comment(&text)),
            Some(rank) => found.push((rank, plain(text))),
            None => {}
        }
    }
    found.sort_by_key(|(rank, _)| *rank); // stable: the first of a name stays first
    found
        .into_iter()
        .map(|(rank, text)| (NAMES[rank], text))
        .collect()
}

/// A text as JSON: what GStreamer escaped, and what our MKV files hold in base64url, undone.
fn plain(text: Vec<u8>) -> Vec<u8> {
    let end = text.iter().rposition(|it| *it != 0).map_or(0, |it| it + 1);
    let text = &text[..end];
    if looks_like_object(text) {
        if text.get(1) == Some(&b'\\') {
            return unescaped(text);
        }
        return text.to_vec();
    }
    match base64url(text).filter(|it| looks_like_object(it)) {
        Some(json) => json,
        None => text.to_vec(),
    }
}

fn looks_like_object(text: &[u8]) -> bool {
    text.iter().find(|it| !it.is_ascii_whitespace()) == Some(&b'{')
}

/// `{\"a\": \"\\n\"}` as GStreamer writes texts it takes for its own.
fn unescaped(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' => out.extend(bytes.next()),
            _ => out.push(*byte),
        }
    }
    out
}

/// The graphs in a comment: an object with the texts, or the graphs themselves, under their names.
fn comment(text: &[u8]) -> Vec<(usize, Vec<u8>)> {
    let text = plain(text.to_vec());
    if !looks_like_object(&text) {
        return Vec::new(); // somebody's words
    }
    let Ok(Value::Object(mut map)) = super::super::json::parse("", &without_nan(&text)) else {
        // A graph that is damaged is told as one; what never was any is somebody's words too.
        let damaged = NAMES[..COMMENTS].iter().any(|name| quotes(&text, name));
        return damaged.then_some((COMMENTS, text)).into_iter().collect();
    };
    let mut found = Vec::new();
    for (rank, name) in NAMES[..COMMENTS].iter().enumerate() {
        match map.shift_remove(*name) {
            Some(Value::String(text)) => found.push((rank, text.into_bytes())),
            // ComfyUI writes null where it has none.
            None | Some(Value::Null) => {}
            // An object is a graph; anything else will be refused as none.
            Some(graph) => found.push((rank, graph.to_string().into_bytes())),
        }
    }
    found
}

/// Whether a name stands in quotes in a text.
fn quotes(text: &[u8], name: &str) -> bool {
    let quoted = format!("\"{name}\"");
    text.windows(quoted.len()).any(|it| it == quoted.as_bytes())
}

/// Python's JSON has `NaN` and `Infinity`, and ComfyUI writes them into prompts (what it remembers
/// of changed nodes); its own editor reads them as `null`.
pub fn without_nan(text: &[u8]) -> Vec<u8> {
    const WORDS: [&[u8]; 3] = [b"-Infinity", b"Infinity", b"NaN"];
    let mut out = Vec::with_capacity(text.len());
    let (mut at, mut in_text) = (0, false);
    while let Some(byte) = text.get(at) {
        let word = WORDS
            .iter()
            .find(|it| !in_text && text[at..].starts_with(it));
        if let Some(word) = word {
            out.extend(b"null");
            at += word.len();
            continue;
        }
        match byte {
            b'\\' if in_text => {
                out.extend(text.iter().skip(at).take(2));
                at += 2;
                continue;
            }
            b'"' => in_text = !in_text,
            _ => {}
        }
        out.push(*byte);
        at += 1;
    }
    out
}

/// RFC 4648 §5, with or without padding.
fn base64url(text: &[u8]) -> Option<Vec<u8>> {
    let end = text
        .iter()
        .rposition(|it| *it != b'=')
        .map_or(0, |it| it + 1);
    let mut bytes = Vec::with_capacity(end / 4 * 3 + 2);
    for chunk in text[..end].chunks(4) {
        let mut group = 0;
        for byte in chunk {
            let digit = match byte {
                b'A'..=b'Z' => byte - b'A',
                b'a'..=b'z' => byte - b'a' + 26,
                b'0'..=b'9' => byte - b'0' + 52,
                b'-' | b'+' => 62,
                b'_' | b'/' => 63,
                _ => return None,
            };
            group = group << 6 | u32::from(digit);
        }
        match chunk.len() {
            4 => bytes.extend(&group.to_be_bytes()[1..]),
            3 => bytes.extend(&(group >> 2).to_be_bytes()[2..]),
            2 => bytes.push((group >> 4) as u8),
            _ => return None,
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(texts: &[(&str, &str)], wanted: &[(&str, &str)]) {
        let texts = texts
            .iter()
            .map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec()));
        let found = graphs(texts.collect());
        let found: Vec<_> = found
            .iter()
            .map(|(name, text)| (*name, String::from_utf8_lossy(text)))
            .collect();
        let found: Vec<_> = found.iter().map(|(name, text)| (*name, &**text)).collect();
        assert_eq!(found, wanted);
    }

    #[test]
    fn the_best_graph_comes_first() {
        check(
            &[
                ("PROMPT", "{\"p\":1}\0\0"),
                ("author", "{}"),
                ("Workflow", "{\"w\":1}"),
            ],
            &[("workflow", "{\"w\":1}"), ("prompt", "{\"p\":1}")],
        );
        check(
            &[("comment", "shot on a phone"), ("comment", "{\"made\":1}")],
            &[],
        );
        // An object of objects (ours), of texts (VideoHelperSuite's), in base64url, escaped.
        let ours = r#"{"prompt":{"a":1.5},"workflow":{"w":[]}}"#;
        let wanted = [("workflow", r#"{"w":[]}"#), ("prompt", r#"{"a":1.5}"#)];
        check(&[("COMMENT", ours)], &wanted);
        check(
            &[("©cmt", r#"{"prompt":"{\"a\":1.5}","workflow":{"w":[]}}"#)],
            &wanted,
        );
        check(
            &[("comment", "eyJwcm9tcHQiOnsiYSI6MX19")],
            &[("prompt", r#"{"a":1}"#)],
        );
        check(
            &[("comment", r#"{\"prompt\":{\"a\":\"\\n\"}}"#)],
            &[("prompt", r#"{"a":"\n"}"#)],
        );
    }

    #[test]
    fn a_damaged_graph_is_handed_on_to_be_told_and_somebodys_words_are_not() {
        // Cut short; of the wrong kind; ComfyUI's null; words in braces.
        check(
            &[("comment", r#"{"prompt":{"a":1"#)],
            &[("comment", r#"{"prompt":{"a":1"#)],
        );
        check(&[("comment", r#"{"prompt":5}"#)], &[("prompt", "5")]);
        check(&[("comment", r#"{"prompt":null}"#)], &[]);
        check(&[("comment", "{shot on a phone}")], &[]);
    }

    #[test]
    fn nan_is_null_outside_texts() {
        let text = br#"{"a": NaN, "b\"": [-Infinity, "NaN \" Infinity"], "c": Infinity}"#;
        let wanted = r#"{"a": null, "b\"": [null, "NaN \" Infinity"], "c": null}"#;
        assert_eq!(String::from_utf8_lossy(&without_nan(text)), wanted);
    }
}

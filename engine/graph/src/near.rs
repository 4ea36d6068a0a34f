//! Names that a person may have meant.

use crate::Sentence;

/// Longest name compared; beyond this nobody mistyped, somebody attacks.
const LONGEST: usize = 80;

/// Up to three of `known` that are a slip of the keyboard away from `name`, nearest first.
pub fn near<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let wanted: Vec<char> = name
        .chars()
        .take(LONGEST + 1)
        .flat_map(char::to_lowercase)
        .collect();
    if wanted.is_empty() || wanted.len() > LONGEST {
        return Vec::new();
    }
    let allowed = (wanted.len() / 3).clamp(1, 4);
    let mut found: Vec<(usize, &str)> = known
        .into_iter()
        .filter_map(|word| {
            let other: Vec<char> = word.chars().flat_map(char::to_lowercase).collect();
            if other.len().abs_diff(wanted.len()) > allowed {
                return None;
            }
            let slips = distance(&wanted, &other);
            (slips <= allowed && slips < other.len()).then_some((slips, word))
        })
        .collect();
    found.sort_unstable();
    found.dedup();
    found.into_iter().take(3).map(|(_, word)| word).collect()
}

/// `; did you mean …?`, or nothing. In Japanese a sentence of its own, to stand behind a full stop.
pub fn did_you_mean<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Sentence {
    let names = near(name, known);
    if names.is_empty() {
        return Sentence::default();
    }
    let quoted = |left, right| move |word: &&str| format!("{left}{word}{right}");
    let en: Vec<String> = names.iter().map(quoted("`", "`")).collect();
    let ja: Vec<String> = names.iter().map(quoted("「", "」")).collect();
    Sentence {
        en: format!("; did you mean {}?", en.join(" or ")),
        ja: format!("{}のことですか？", ja.join("または")),
    }
}

/// Inserted, removed, changed and swapped neighbouring letters (optimal string alignment).
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before = vec![0; b.len() + 1];
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut next = vec![i; b.len() + 1];
        for j in 1..=b.len() {
            let change = row[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            next[j] = change.min(row[j] + 1).min(next[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                next[j] = next[j].min(before[j - 2] + 1);
            }
        }
        before = row;
        row = next;
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::near;

    #[test]
    fn slips_are_found_and_strangers_are_not() {
        let known = [
            "KSampler",
            "KSamplerAdvanced",
            "VAEDecode",
            "VAEEncode",
            "SaveVideo",
        ];
        for (typed, meant) in [
            ("KSamper", &["KSampler"][..]),
            ("ksampler", &["KSampler"]),
            ("VAEEcode", &["VAEDecode", "VAEEncode"]),
            ("SvaeVideo", &["SaveVideo"]),
            ("Elephant", &[]),
            ("", &[]),
        ] {
            assert_eq!(near(typed, known), meant, "{typed}");
        }
        assert!(near(&"x".repeat(1 << 20), known).is_empty());
    }
}

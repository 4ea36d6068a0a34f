//! What a person is told, in English and Japanese.
//!
//! A sentence is made where both languages have the same names and numbers at hand: [`say!`]
//! takes the two texts side by side, so that a finding without its translation does not compile.

use std::fmt;

use serde::{Serialize, Serializer};

/// A sentence in both languages. Programs and terminals read the English one.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sentence {
    /// English.
    pub en: String,
    /// Japanese.
    pub ja: String,
}

impl Sentence {
    /// What the Japanese text lacks: Japanese at all, or a number or a quoted name that stands in the
    /// English one. `None` when it says the same, as far as a machine can tell. For tests.
    pub fn lacks(&self) -> Option<String> {
        let japanese = |c: char| ('\u{3041}'..='\u{9fff}').contains(&c);
        if !self.ja.contains(japanese) {
            return Some(format!("no Japanese: {self} | {}", self.ja));
        }
        let known: Vec<&str> = numbers(&self.ja).collect();
        let number = numbers(&self.en).find(|it| !known.contains(it));
        let mut names = self.en.split('`').skip(1).step_by(2);
        let name = names.find(|it| !self.ja.contains(it));
        let lost = number.or(name)?;
        Some(format!("`{lost}` is lost: {self} | {}", self.ja))
    }

    /// Sentences behind each other: `; ` in English, `。` in Japanese.
    pub fn joined(sentences: &[Self]) -> Self {
        let texts = |of: fn(&Self) -> &str| sentences.iter().map(of).collect::<Vec<_>>();
        Self {
            en: texts(|it| &it.en).join("; "),
            ja: texts(|it| &it.ja).join("。"),
        }
    }

    /// What reads the same in both languages: a number, a name, a text from outside.
    pub fn same(text: impl fmt::Display) -> Self {
        let en = text.to_string();
        Self { ja: en.clone(), en }
    }
}

/// Runs of digits, with the point within a number.
fn numbers(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_ascii_digit() && c != '.')
        .map(|it| it.trim_matches('.'))
        .filter(|it| !it.is_empty())
}

impl fmt::Display for Sentence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.en)
    }
}

impl Serialize for Sentence {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&self.en)
    }
}

/// The English text, where nothing else can be shown.
impl From<Sentence> for String {
    fn from(sentence: Sentence) -> Self {
        sentence.en
    }
}

/// A [`Sentence`] from its English and its Japanese format text.
///
/// Both take the same values: variables named in the texts, or values behind them. Variables behind
/// a `;` are sentences themselves, each of which stands in its own language.
///
/// ```
/// use longtake_sentence::say;
/// let (id, most) = ("12", 8);
/// let why = say!("at most {most}", "最大 {most}");
/// let told = say!("node {id} takes {}: {why}", "ノード {id} には {} までです: {why}", most; why);
/// assert_eq!(told.en, "node 12 takes 8: at most 8");
/// assert_eq!(told.ja, "ノード 12 には 8 までです: 最大 8");
/// ```
#[macro_export]
macro_rules! say {
    ($en:literal, $ja:literal $(, $value:expr)* $(,)? $(; $($part:ident),+)?) => {
        $crate::Sentence {
            en: {
                $($(let $part = &$part.en;)+)?
                ::std::format!($en $(, $value)*)
            },
            ja: {
                $($(let $part = &$part.ja;)+)?
                ::std::format!($ja $(, $value)*)
            },
        }
    };
}

#[cfg(test)]
mod tests {
    use crate::Sentence;

    #[test]
    fn what_a_translation_lacks_is_told() {
        let steps = 20;
        for (said, fine) in [
            (say!("`a` has {steps}", "「a」は {steps} です"), true),
            (
                say!("`a` has 2.5 of 3.", "3 のうち 2.5 が「a」です。"),
                true,
            ),
            (say!("`a` has 2", "「a」は 3 です"), false),
            (say!("`a` has 2", "「b」は 2 です"), false),
            (say!("nothing", ""), false),
            (Sentence::same("nothing"), false),
        ] {
            assert_eq!(said.lacks().is_none(), fine, "{said:?}");
        }
    }
}

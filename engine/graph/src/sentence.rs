//! What a person is told of a graph, in English and Japanese.
//!
//! A sentence is made where both languages have the same names and numbers at hand: [`say!`](crate::say)
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
    /// What reads the same in both languages: a number, a name, a text from outside.
    pub fn same(text: impl fmt::Display) -> Self {
        let en = text.to_string();
        Self { ja: en.clone(), en }
    }
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
/// use longtake_graph::say;
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

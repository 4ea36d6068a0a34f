//! Everything a person reads, in English and Japanese.
//!
//! A text is a constant that stands beside the code that shows it; [`t`] refuses an empty side when
//! the program is compiled, so that no string can miss its translation.

use serde::{Deserialize, Serialize};

/// The language of the window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// English.
    #[default]
    En,
    /// Japanese.
    Ja,
}

impl Language {
    /// Every language.
    pub const ALL: [Self; 2] = [Self::En, Self::Ja];

    /// Its own name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::En => "English",
            Self::Ja => "日本語",
        }
    }

    /// The language that a locale such as `ja_JP.UTF-8` asks for.
    pub fn of_locale(locale: &str) -> Self {
        if locale.starts_with("ja") {
            Self::Ja
        } else {
            Self::En
        }
    }

    /// What is said of a graph.
    pub fn sentence(self, sentence: &longtake_graph::Sentence) -> &str {
        match self {
            Self::En => &sentence.en,
            Self::Ja => &sentence.ja,
        }
    }

    /// A finding with its place, for where that is not to be seen.
    pub fn told(self, finding: &longtake_graph::Diagnostic) -> String {
        let place = finding.place.sentence();
        format!(
            "{}: {}",
            self.sentence(&place),
            self.sentence(&finding.message)
        )
    }

    /// A declaration's title.
    pub fn title(self, declaration: &longtake_graph::Declaration) -> &'static str {
        match self {
            Self::Ja if !declaration.title_ja.is_empty() => declaration.title_ja,
            Self::Ja | Self::En => declaration.title,
        }
    }

    /// What a declared node is for.
    pub fn help(self, declaration: &longtake_graph::Declaration) -> &'static str {
        match self {
            Self::Ja if !declaration.help_ja.is_empty() => declaration.help_ja,
            Self::Ja | Self::En => declaration.help,
        }
    }

    /// What a declared input is for.
    pub fn input_help(self, input: &longtake_graph::InputDecl) -> &'static str {
        match self {
            Self::Ja if !input.help_ja.is_empty() => input.help_ja,
            Self::Ja | Self::En => input.help,
        }
    }

    /// A declaration's menu path.
    pub fn category(self, declaration: &longtake_graph::Declaration) -> &'static str {
        match self {
            Self::Ja if !declaration.category_ja.is_empty() => declaration.category_ja,
            Self::Ja | Self::En => declaration.category,
        }
    }
}

/// A text in every language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Text {
    /// English.
    pub en: &'static str,
    /// Japanese.
    pub ja: &'static str,
}

impl Text {
    /// The text in a language.
    pub const fn get(self, language: Language) -> &'static str {
        match language {
            Language::En => self.en,
            Language::Ja => self.ja,
        }
    }

    /// The text as a sentence, for where the language is not known yet.
    pub fn sentence(self) -> longtake_graph::Sentence {
        longtake_graph::Sentence {
            en: self.en.to_owned(),
            ja: self.ja.to_owned(),
        }
    }

    /// The text with `{}` replaced by `value`, once per value.
    pub fn with(self, language: Language, values: &[&str]) -> String {
        values
            .iter()
            .fold(self.get(language).to_owned(), |text, value| {
                text.replacen("{}", value, 1)
            })
    }
}

/// A text. Declare it `const`.
///
/// # Panics
/// When a side is empty: while compiling, for a constant.
pub const fn t(en: &'static str, ja: &'static str) -> Text {
    assert!(
        !en.is_empty() && !ja.is_empty(),
        "a text needs both languages"
    );
    Text { en, ja }
}

#[cfg(test)]
mod tests {
    use longtake_graph::{Diagnostic, NodeId, Place, say};

    use super::Language;

    #[test]
    fn a_finding_is_told_with_its_place() {
        let place = Place::node(&NodeId::new("3"), "KSampler").input("cfg");
        let finding = Diagnostic::error("x", place, say!("too large", "大きすぎます。"));
        for (language, told) in [
            (Language::En, "node 3 (KSampler), input `cfg`: too large"),
            (
                Language::Ja,
                "ノード 3 (KSampler)、入力「cfg」: 大きすぎます。",
            ),
        ] {
            assert_eq!(language.told(&finding), told);
        }
    }
}

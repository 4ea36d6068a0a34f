//! What a step counts, in the language of the window: nodes name their units in English.

use longtake_editor::Language;

/// A unit of progress (`step`, `frame`).
pub fn unit(name: &'static str, language: Language) -> &'static str {
    match (language, name) {
        (Language::Ja, "step") => "ステップ",
        (Language::Ja, "frame") => "フレーム",
        (Language::Ja, "tile") => "タイル",
        (Language::Ja, "picture") => "画像",
        (Language::Ja, "prompt") => "プロンプト",
        (Language::En | Language::Ja, name) => name,
    }
}

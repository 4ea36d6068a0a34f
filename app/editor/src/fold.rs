//! Text made comparable: case, width and kana do not matter.

/// A folded text, and for each of its characters the one of the original it stands for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Folded {
    /// The text.
    pub text: String,
    /// Positions in the original, in characters.
    pub source: Vec<usize>,
}

/// Half-width katakana from U+FF61 on, as full-width characters.
const HALF_WIDTH: &str = "。「」、・ヲァィゥェォャュョッーアイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモヤユヨラリルレロワン゛゜";

/// Lower case; full-width Latin as half-width; katakana of any width as hiragana, without the mark
/// that makes a vowel long (サンプラー and サンプラ are both written).
pub fn fold(text: &str) -> Folded {
    let mut folded = Folded::default();
    let mut chars: Vec<(char, usize)> = Vec::new();
    for (at, found) in text.chars().enumerate() {
        let wide = full_width(found);
        match (wide, chars.last_mut()) {
            ('゛' | '\u{3099}', Some((last, _))) => *last = voiced(*last),
            ('゜' | '\u{309A}', Some((last, _))) => *last = half_voiced(*last),
            ('ー', _) => {}
            _ => chars.push((hiragana(wide), at)),
        }
    }
    for (found, at) in chars {
        for lower in found.to_lowercase() {
            folded.text.push(lower);
            folded.source.push(at);
        }
    }
    folded
}

fn full_width(found: char) -> char {
    match found {
        '\u{FF61}'..='\u{FF9F}' => {
            let at = found as usize - 0xFF61;
            HALF_WIDTH.chars().nth(at).unwrap_or(found)
        }
        '\u{FF01}'..='\u{FF5E}' => char::from_u32(found as u32 - 0xFEE0).unwrap_or(found),
        '\u{3000}' => ' ',
        _ => found,
    }
}

fn hiragana(found: char) -> char {
    match found {
        'ァ'..='ヶ' => char::from_u32(found as u32 - 0x60).unwrap_or(found),
        _ => found,
    }
}

fn voiced(kana: char) -> char {
    match kana {
        'う' => 'ゔ',
        'か'..='と' | 'は'..='ほ' => char::from_u32(kana as u32 + 1).unwrap_or(kana),
        _ => kana,
    }
}

fn half_voiced(kana: char) -> char {
    match kana {
        'は'..='ほ' => char::from_u32(kana as u32 + 2).unwrap_or(kana),
        _ => kana,
    }
}

#[cfg(test)]
mod tests {
    use super::fold;

    #[test]
    fn width_kana_and_case_do_not_matter() {
        for (text, wanted) in [
            ("KSampler", "ksampler"),
            ("ＫＳａｍｐｌｅｒ　１", "ksampler 1"),
            ("サンプラー", "さんぷら"),
            ("ｻﾝﾌﾟﾗｰ", "さんぷら"),
            ("ﾋﾞﾃﾞｵ", "びでお"),
            ("ヴ", "ゔ"),
            ("動画を保存", "動画を保存"),
        ] {
            assert_eq!(fold(text).text, wanted, "{text}");
        }
    }

    #[test]
    fn positions_lead_back() {
        assert_eq!(fold("ﾋﾞデオ").source, [0, 2, 3]);
    }
}

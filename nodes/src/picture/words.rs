//! What a card says, and how the line at its top puts it.

/// What a card says. Empty texts and zeros are left out.
#[derive(Clone, Debug, PartialEq)]
pub struct Words {
    /// Small line at the top, usually the film's title.
    pub label: String,
    /// Shot number.
    pub number: u64,
    /// Number of shots.
    pub total: u64,
    /// Length of the shot, seconds.
    pub seconds: f64,
    /// Camera move.
    pub camera: String,
    /// Title; further lines are set smaller (a second language).
    pub title: String,
    /// What is to be seen.
    pub body: String,
    /// Dialogue or narration.
    pub caption: String,
}

/// The first line of a title, and the rest.
pub fn two_titles(title: &str) -> (&str, &str) {
    let title = title.trim();
    title
        .split_once('\n')
        .map_or((title, ""), |(first, rest)| (first.trim(), rest.trim()))
}

/// `03 / 12 · 4.5 s · zoom-in →`.
pub fn slate_facts(words: &Words) -> String {
    let mut facts = Vec::new();
    if words.number > 0 && words.total > 0 {
        let digits = words.total.to_string().len().max(2);
        facts.push(format!(
            "{:0digits$} / {:0digits$}",
            words.number, words.total
        ));
    } else if words.number > 0 {
        facts.push(format!("{:02}", words.number));
    }
    if words.seconds > 0.0 {
        facts.push(format!("{:.1} s", words.seconds));
    }
    let camera = words.camera.trim();
    if !camera.is_empty() && camera != "still" {
        let arrow = match camera {
            it if it.ends_with("left") => "← ",
            it if it.ends_with("right") => "→ ",
            it if it.ends_with("up") => "↑ ",
            it if it.ends_with("down") => "↓ ",
            _ => "",
        };
        facts.push(format!(
            "{arrow}{}",
            camera.replace('-', " ").to_uppercase()
        ));
    }
    facts.join("   ·   ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slates_say_what_is_known() {
        let words = Words {
            label: String::new(),
            number: 3,
            total: 120,
            seconds: 4.5,
            camera: "pan-left".into(),
            title: " One\nひとつ ".into(),
            body: String::new(),
            caption: String::new(),
        };
        assert_eq!(
            slate_facts(&words),
            "003 / 120   ·   4.5 s   ·   ← PAN LEFT"
        );
        assert_eq!(two_titles(&words.title), ("One", "ひとつ"));
        let words = Words {
            number: 0,
            seconds: 0.0,
            camera: "still".into(),
            ..words
        };
        assert_eq!(slate_facts(&words), "");
    }
}

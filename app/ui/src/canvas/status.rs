//! How far a node is: a colour, a word, a bar.

use egui::Color32;
use longtake_editor::status::{NodeStatus, State};
use longtake_editor::{Language, Text};

use super::outlook::seconds_text;
use super::texts;
use crate::theme::Palette;

/// How far a node is, for its title bar.
#[derive(Clone, Debug, PartialEq)]
pub struct Badge {
    /// Of the line and the word.
    pub colour: Color32,
    /// A word, or a speed.
    pub text: String,
    /// The part of the line that is filled, 0..=1.
    pub filled: f32,
}

/// The badge of a node; `None` when there is nothing to say.
pub fn badge(
    status: Option<&NodeStatus>,
    cached: bool,
    language: Language,
    palette: &Palette,
) -> Option<Badge> {
    let say = |text: Text| text.get(language).to_owned();
    let whole = |colour, text| Badge {
        colour,
        text,
        filled: 1.0,
    };
    let idle = NodeStatus::default();
    let node = status.unwrap_or(&idle);
    Some(match &node.state {
        State::Idle if cached => whole(palette.good.gamma_multiply(0.6), say(texts::CACHED)),
        State::Idle => return None,
        State::Queued => whole(palette.weak, over_text(node, say(texts::QUEUED))),
        State::Running => Badge {
            colour: palette.accent,
            text: running_text(node, language),
            filled: progress(node),
        },
        State::Cached => whole(palette.good.gamma_multiply(0.6), say(texts::CACHED)),
        State::Done if node.seconds < 0.1 => whole(palette.good, say(texts::DONE)),
        State::Done => {
            let time = seconds_text(node.seconds);
            whole(palette.good, format!("{} {time}", say(texts::DONE)))
        }
        State::Failed(_) => whole(palette.bad, say(texts::FAILED)),
        State::Skipped => whole(palette.weak, say(texts::SKIPPED)),
    })
}

/// The part of a node's work that is over.
pub fn progress(node: &NodeStatus) -> f32 {
    let step = node
        .progress
        .map_or(0.0, |(done, total, _)| done as f32 / total.max(1) as f32);
    ((node.over as f32 + step) / node.steps.max(1) as f32).clamp(0.0, 1.0)
}

fn over_text(node: &NodeStatus, word: String) -> String {
    if node.over == 0 || node.steps < 2 {
        return word;
    }
    format!("{word} {}/{}", node.over, node.steps)
}

fn running_text(node: &NodeStatus, language: Language) -> String {
    let Some((done, total, _)) = node.progress else {
        return over_text(node, texts::RUNNING.get(language).to_owned());
    };
    match node.rate {
        Some(rate) if rate >= 1.0 => format!("{done}/{total} · {rate:.1} it/s"),
        Some(rate) if rate > 0.0 => format!("{done}/{total} · {:.1} s/it", 1.0 / rate),
        _ => format!("{done}/{total}"),
    }
}

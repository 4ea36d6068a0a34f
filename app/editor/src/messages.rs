//! What the studio tells a person in passing: short notes that fade, errors that stay until they are
//! closed.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// How a message is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// Done as asked.
    Good,
    /// Worth knowing.
    Note,
    /// Something went wrong; stays until closed.
    Error,
}

/// A message.
#[derive(Clone, Debug)]
pub struct Message {
    /// How it is meant.
    pub tone: Tone,
    /// The text.
    pub text: String,
    /// When it came.
    pub at: Instant,
}

/// The messages, oldest first.
#[derive(Clone, Debug, Default)]
pub struct Messages {
    /// All that still show.
    pub list: VecDeque<Message>,
}

/// How long a note shows.
const SHOWN: Duration = Duration::from_secs(6);

/// Most kept.
const MOST: usize = 20;

impl Messages {
    /// Tells something. The same text twice in a row shows once.
    pub fn tell(&mut self, tone: Tone, text: impl Into<String>) {
        let text = text.into();
        if self.list.back().is_some_and(|last| last.text == text) {
            self.list.pop_back();
        }
        self.list.push_back(Message {
            tone,
            text,
            at: Instant::now(),
        });
        while self.list.len() > MOST {
            self.list.pop_front();
        }
    }

    /// Something went wrong.
    pub fn error(&mut self, text: impl Into<String>) {
        self.tell(Tone::Error, text);
    }

    /// Drops what has shown long enough; says after how long to ask again. Errors stay.
    pub fn expire(&mut self, now: Instant) -> Option<Duration> {
        let left = |it: &Message| match it.tone {
            Tone::Error => None,
            Tone::Good | Tone::Note => Some((it.at + SHOWN).saturating_duration_since(now)),
        };
        self.list.retain(|it| left(it) != Some(Duration::ZERO));
        self.list.iter().filter_map(left).min()
    }

    /// Closes one, by its place in the list.
    pub fn close(&mut self, index: usize) {
        self.list.remove(index);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_fade_and_errors_stay_until_closed() {
        let mut messages = Messages::default();
        messages.tell(Tone::Good, "saved");
        messages.error("no room");
        messages.error("no room");
        let now = Instant::now();
        assert!(messages.expire(now).is_some_and(|it| it <= SHOWN));
        assert_eq!(messages.list.len(), 2);
        assert_eq!(messages.expire(now + SHOWN), None);
        assert_eq!(messages.list.len(), 1);
        messages.close(0);
        assert!(messages.list.is_empty());
    }
}

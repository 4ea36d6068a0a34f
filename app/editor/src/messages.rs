//! What the studio tells a person in passing: short notes that fade, errors that stay until they are
//! closed.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::command::Command;

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
    /// What a click on it does.
    pub offer: Option<Command>,
}

impl Message {
    /// How long it shows; an error shows until it is closed.
    pub fn stays(&self) -> Option<Duration> {
        match (self.tone, self.offer) {
            (Tone::Error, _) => None,
            (_, None) => Some(Duration::from_secs(6)),
            // Long enough to read it, look, and decide.
            (_, Some(_)) => Some(Duration::from_secs(20)),
        }
    }
}

/// The messages, oldest first.
#[derive(Clone, Debug, Default)]
pub struct Messages {
    /// All that still show.
    pub list: VecDeque<Message>,
}

/// Most kept.
const MOST: usize = 20;

impl Messages {
    /// Tells something. The same text twice in a row shows once.
    pub fn tell(&mut self, tone: Tone, text: impl Into<String>) {
        self.push(tone, text.into(), None);
    }

    /// Tells something, with a button beside it.
    pub fn offer(&mut self, text: impl Into<String>, command: Command) {
        self.push(Tone::Note, text.into(), Some(command));
    }

    /// Takes back what was offered: it was about another document.
    pub(crate) fn withdraw(&mut self) {
        self.list.retain(|it| it.offer.is_none());
    }

    fn push(&mut self, tone: Tone, text: String, offer: Option<Command>) {
        if self.list.back().is_some_and(|last| last.text == text) {
            self.list.pop_back();
        }
        self.list.push_back(Message {
            tone,
            text,
            at: Instant::now(),
            offer,
        });
        while self.list.len() > MOST {
            // Notes go first: an error stays until it is closed.
            let note = self.list.iter().position(|it| it.tone != Tone::Error);
            self.list.remove(note.unwrap_or(0));
        }
    }

    /// Something went wrong.
    pub fn error(&mut self, text: impl Into<String>) {
        self.tell(Tone::Error, text);
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
    fn many_notes_do_not_push_an_error_out() {
        let mut messages = Messages::default();
        messages.error("no room");
        messages.error("no room");
        for n in 0..2 * MOST {
            messages.tell(Tone::Note, n.to_string());
        }
        assert_eq!(messages.list.len(), MOST);
        assert_eq!(messages.list[0].text, "no room");
        messages.close(0);
        messages.close(MOST);
        assert!(messages.list.iter().all(|it| it.tone == Tone::Note));
    }
}

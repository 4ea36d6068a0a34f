//! What the studio tells a person in passing: short notes that fade, errors that stay until they are
//! closed.

use std::collections::VecDeque;
use std::time::Instant;

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
}

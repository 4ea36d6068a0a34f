//! The graph that made a film, carried in the film.
//!
//! Written as one comment, `{"prompt": …, "workflow": …}`: as it is in MP4, as unpadded base64url in MKV, where
//! GStreamer would otherwise put a backslash before every quote. Read back from there, and from the two
//! separate tags `prompt` and `workflow` that ComfyUI writes (its `SaveVideo` and `SaveWEBM`).
//! Reading takes no decoder, so it also works on a film whose picture is damaged.

use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::mkv::Mkv;
use crate::mp4::Mp4;
use crate::regular::check_readable;
use crate::{Container, MediaError};

/// What a film says of its making. The two texts are JSON and come back character for character.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Metadata {
    /// ComfyUI's API format: what was rendered.
    pub prompt_json: Option<String>,
    /// The document as the user arranged it.
    pub workflow_json: Option<String>,
    pub title: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct Comment {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    prompt: Option<Box<RawValue>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    workflow: Option<Box<RawValue>>,
    /// In MKV only: GStreamer would put quotes and backslashes into its title tag.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    title: Option<String>,
}

impl Metadata {
    /// The comment to write; `None` when there is nothing to say.
    ///
    /// # Errors
    /// [`MediaError::BadMetadata`] for text that is not JSON.
    pub(crate) fn comment(&self, container: Container) -> Result<Option<String>, MediaError> {
        let title = self.title.clone().filter(|_| container == Container::Mkv);
        if self.prompt_json.is_none() && self.workflow_json.is_none() && title.is_none() {
            return Ok(None);
        }
        let raw = |field, text: &Option<String>| match text {
            None => Ok(None),
            // RawValue keeps the text between the outer spaces.
            Some(text) => match serde_json::from_str::<Box<RawValue>>(text) {
                Ok(value) => Ok(Some(value)),
                Err(error) => Err(MediaError::BadMetadata {
                    field,
                    reason: error.to_string(),
                }),
            },
        };
        let comment = Comment {
            prompt: raw("prompt", &self.prompt_json)?,
            workflow: raw("workflow", &self.workflow_json)?,
            title,
        };
        let text = serde_json::to_string(&comment).map_err(|error| MediaError::BadMetadata {
            field: "prompt",
            reason: error.to_string(),
        })?;
        Ok(Some(match container {
            Container::Mp4 => text,
            Container::Mkv => to_base64url(text.as_bytes()),
        }))
    }

    /// Puts together what the tags of a file say; names are compared without case.
    fn from_tags(tags: &[(String, String)]) -> Option<Self> {
        let find = |name: &str| {
            tags.iter()
                .find(|(it, _)| it.eq_ignore_ascii_case(name))
                .map(|(_, text)| text.as_str())
        };
        let json = |text: &str| {
            serde_json::from_str::<Box<RawValue>>(text)
                .is_ok()
                .then(|| text.to_owned())
        };
        let comment = tags
            .iter()
            .filter(|(name, _)| is_comment(name))
            .find_map(|(_, text)| parse_comment(text));
        let (prompt, workflow, title) =
            comment.map_or((None, None, None), |it| (it.prompt, it.workflow, it.title));
        let found = Self {
            prompt_json: prompt
                .map(|it| it.get().to_owned())
                .or_else(|| find("prompt").and_then(json)),
            workflow_json: workflow
                .map(|it| it.get().to_owned())
                .or_else(|| find("workflow").and_then(json)),
            title: title.or_else(|| find("title").map(str::to_owned)),
        };
        (found != Self::default()).then_some(found)
    }
}

/// Reads what a film says of its making; `None` when it says nothing (or is neither MP4/MOV nor MKV/WebM).
///
/// # Errors
/// [`MediaError::Missing`], [`MediaError::Empty`], [`MediaError::NotVideo`] for what is no file,
/// [`MediaError::Io`], [`MediaError::Corrupt`].
pub fn read_metadata(path: &Path) -> Result<Option<Metadata>, MediaError> {
    check_readable(path)?;
    if let Some(mp4) = Mp4::read(path)? {
        return Ok(Metadata::from_tags(&mp4.tags));
    }
    if let Some(mkv) = Mkv::read(path)? {
        return Ok(Metadata::from_tags(&mkv.tags));
    }
    Ok(None)
}

fn is_comment(name: &str) -> bool {
    ["comment", "comments"]
        .iter()
        .any(|it| name.eq_ignore_ascii_case(it))
}

/// Our comment, or none: other people's comments are just text.
fn parse_comment(text: &str) -> Option<Comment> {
    let comment: Comment = match serde_json::from_str(text) {
        Ok(comment) => comment,
        Err(_) => serde_json::from_slice(&from_base64url(text)?).ok()?,
    };
    (comment.prompt.is_some() || comment.workflow.is_some() || comment.title.is_some())
        .then_some(comment)
}

const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// RFC 4648 §5, without padding.
fn to_base64url(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let group = chunk
            .iter()
            .fold(0, |group: u32, byte| group << 8 | u32::from(*byte))
            << (8 * (3 - chunk.len()));
        text.extend(
            (0..=chunk.len()).map(|i| char::from(DIGITS[(group >> (18 - 6 * i)) as usize & 63])),
        );
    }
    text
}

fn from_base64url(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3 + 2);
    for chunk in text.as_bytes().chunks(4) {
        let mut group = 0;
        for byte in chunk {
            let digit = match byte {
                b'A'..=b'Z' => byte - b'A',
                b'a'..=b'z' => byte - b'a' + 26,
                b'0'..=b'9' => byte - b'0' + 52,
                b'-' => 62,
                b'_' => 63,
                _ => return None,
            };
            group = group << 6 | u32::from(digit);
        }
        match chunk.len() {
            4 => bytes.extend(&group.to_be_bytes()[1..]),
            3 => bytes.extend(&(group >> 2).to_be_bytes()[2..]),
            2 => bytes.push((group >> 4) as u8),
            _ => return None,
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64url_is_the_rfcs() {
        for (bytes, text) in [
            ("", ""),
            ("f", "Zg"),
            ("fo", "Zm8"),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg"),
            ("??>", "Pz8-"),
            ("???", "Pz8_"),
        ] {
            assert_eq!(to_base64url(bytes.as_bytes()), text);
            assert_eq!(from_base64url(text).unwrap(), bytes.as_bytes());
        }
        for bad in ["A", "Zg==", "Z g", "Zm9v!"] {
            assert_eq!(from_base64url(bad), None, "{bad}");
        }
    }

    #[test]
    fn tags_of_all_kinds_are_understood() {
        let meta = |tags: &[(&str, &str)]| {
            let tags: Vec<_> = tags
                .iter()
                .map(|(name, text)| (name.to_string(), text.to_string()))
                .collect();
            Metadata::from_tags(&tags).map(|it| (it.prompt_json, it.workflow_json, it.title))
        };
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(
            meta(&[("comment", r#"{"prompt":{"a":1.0}}"#)]),
            Some((some(r#"{"a":1.0}"#), None, None))
        );
        assert_eq!(
            meta(&[("COMMENTS", &to_base64url(br#"{"workflow":[ 1 ]}"#))]),
            Some((None, some("[ 1 ]"), None))
        );
        assert_eq!(
            meta(&[("PROMPT", "{}"), ("workflow", "[]")]),
            Some((some("{}"), some("[]"), None))
        );
        assert_eq!(
            meta(&[
                ("prompt", "a cat"),
                ("comment", "shot on a phone"),
                ("title", "x")
            ]),
            Some((None, None, some("x")))
        );
        assert_eq!(
            meta(&[("comment", r#"{"made":"elsewhere"}"#), ("comment", "AAAA")]),
            None
        );
    }
}

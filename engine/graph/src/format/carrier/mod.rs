//! Graphs inside other files: pictures, films and tensors that carry the graph they were made by.
//!
//! ComfyUI puts two texts into what it saves, `workflow` and `prompt`; Longtake's films hold them
//! in one comment. Files are told apart by their first bytes and read by stepping over all that is
//! no text, so that a film of an hour takes no longer than a picture. What a file claims (lengths,
//! counts, compressed sizes) is never believed further than the file is long, nor beyond
//! [`MAX_TEXT`]; damage past the texts does not matter.

mod exif;
mod mkv;
mod mp4;
mod png;
mod safetensors;
mod text;
mod webp;

use std::fmt;
use std::io::{self, Read, Seek, SeekFrom};

use crate::{Sentence, say};

/// Largest text taken out of a carrier, also after decompression.
pub const MAX_TEXT: u64 = 64 << 20;
/// Most texts looked at in one file; together they may be twice [`MAX_TEXT`].
const MAX_TEXTS: usize = 256;
/// Most parts stepped over in one file.
const MAX_PARTS: usize = 1 << 20;
/// Bytes that [`Carrier::of`] wants to see.
pub const HEAD: usize = 16;

/// A file that can carry a graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carrier {
    Png,
    WebP,
    /// MP4, QuickTime.
    Mp4,
    /// Matroska, WebM.
    Mkv,
    /// Tensors, and ComfyUI's `.latent`.
    Safetensors,
}

impl fmt::Display for Carrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.sentence().fmt(f)
    }
}

impl Carrier {
    /// What it is called in both languages.
    pub fn sentence(self) -> Sentence {
        match self {
            Self::Png => say!("PNG picture", "PNG 画像"),
            Self::WebP => say!("WebP picture", "WebP 画像"),
            Self::Mp4 => say!("MP4 film", "MP4 動画"),
            Self::Mkv => say!("Matroska film", "Matroska 動画"),
            Self::Safetensors => say!("safetensors file", "safetensors ファイル"),
        }
    }

    /// The carrier that a file begins as; `head` holds its first [`HEAD`] bytes or all of it.
    pub fn of(head: &[u8]) -> Option<Self> {
        let at = |range| head.get(range).unwrap_or_default();
        if at(0..8) == png::SIGNATURE {
            return Some(Self::Png);
        }
        if at(0..4) == b"RIFF" && at(8..12) == b"WEBP" {
            return Some(Self::WebP);
        }
        // Old QuickTime files have no `ftyp`.
        if matches!(at(4..8), b"ftyp" | b"moov" | b"mdat" | b"wide") {
            return Some(Self::Mp4);
        }
        if at(0..4) == mkv::SIGNATURE {
            return Some(Self::Mkv);
        }
        safetensors::begins(head).then_some(Self::Safetensors)
    }

    /// The graphs that the file carries, best first: names and texts.
    ///
    /// # Errors
    /// The system's, while reading. Damage is none: what cannot be understood is left out.
    pub fn graphs(self, file: &mut (impl Read + Seek)) -> io::Result<Vec<(&'static str, Vec<u8>)>> {
        let mut texts = Texts::default();
        let mut source = Source::of(file)?;
        match self {
            Self::Png => png::read(&mut source, &mut texts),
            Self::WebP => webp::read(&mut source, &mut texts),
            Self::Mp4 => mp4::read(&mut source, &mut texts),
            Self::Mkv => mkv::read(&mut source, &mut texts),
            Self::Safetensors => safetensors::read(&mut source, &mut texts),
        }?;
        Ok(text::graphs(texts.found))
    }
}

/// JSON without the words that Python has for numbers that are none; the text itself if it has none.
pub(super) fn without_nan(text: Vec<u8>) -> Vec<u8> {
    let has = |word: &[u8]| text.windows(word.len()).any(|it| it == word);
    if has(b"NaN") || has(b"Infinity") {
        text::without_nan(&text)
    } else {
        text
    }
}

/// Texts found in a carrier, by name.
#[derive(Default)]
struct Texts {
    found: Vec<(String, Vec<u8>)>,
    bytes: u64,
}

impl Texts {
    /// Whether a text of that name could be a graph or hold one.
    fn wants(name: &str) -> bool {
        text::rank(name).is_some()
    }

    /// Takes a text, unless there are too many.
    fn take(&mut self, name: &str, text: Vec<u8>) {
        let bytes = self.bytes + text.len() as u64;
        if Self::wants(name) && self.found.len() < MAX_TEXTS && bytes <= 2 * MAX_TEXT {
            self.bytes = bytes;
            self.found.push((name.to_owned(), text));
        }
    }
}

/// A file with its length, read at places.
struct Source<'a, F> {
    file: &'a mut F,
    len: u64,
    parts: usize,
}

impl<'a, F: Read + Seek> Source<'a, F> {
    fn of(file: &'a mut F) -> io::Result<Self> {
        let len = file.seek(SeekFrom::End(0))?;
        Ok(Self {
            file,
            len,
            parts: 0,
        })
    }

    /// Up to `N` bytes at a place, fewer at the end of the file. Counts as a part.
    fn head<const N: usize>(&mut self, at: u64) -> io::Result<Vec<u8>> {
        self.parts += 1;
        if at >= self.len || self.parts > MAX_PARTS {
            return Ok(Vec::new());
        }
        self.bytes(at, N as u64)
    }

    /// Up to `count` bytes at a place: what the file has of them, and never more than
    /// [`MAX_TEXT`]. The room grows with what is read, not with what was claimed.
    fn bytes(&mut self, at: u64, count: u64) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        if at < self.len {
            self.file.seek(SeekFrom::Start(at))?;
            let most = count.min(self.len - at).min(MAX_TEXT);
            self.file.by_ref().take(most).read_to_end(&mut bytes)?;
        }
        Ok(bytes)
    }

    /// All `count` bytes at a place, or none when the file or the limit is shorter.
    fn whole(&mut self, at: u64, count: u64) -> io::Result<Option<Vec<u8>>> {
        let end = at.checked_add(count);
        if count > MAX_TEXT || end.is_none_or(|end| end > self.len) {
            return Ok(None);
        }
        Ok(Some(self.bytes(at, count)?).filter(|it| it.len() as u64 == count))
    }
}

/// A number of 4 bytes, its greatest first.
fn be32(bytes: &[u8], at: usize) -> Option<u32> {
    let bytes = bytes.get(at..at.checked_add(4)?)?;
    Some(u32::from_be_bytes(bytes.try_into().ok()?))
}

/// A number of 4 bytes, its least first.
fn le32(bytes: &[u8], at: usize) -> Option<u32> {
    be32(bytes, at).map(u32::swap_bytes)
}

//! MP4 and QuickTime (ISO/IEC 14496-12, Apple's QuickTime File Format): the tags of a film.
//!
//! They stand under `moov`, in `udta` or beside it, in one of three forms: iTunes' list (`ilst`
//! with `©cmt`, or `----` with a name of its own), the list with a table of names (`keys`; what
//! ffmpeg writes for tags of any name), and QuickTime's plain texts (`udta` with `©cmt`).

use std::io::{self, Read, Seek};

use super::{Source, Texts, be32};

/// Deepest nesting of the boxes opened: `moov`, `udta`, `meta`, `ilst`, an item.
const MAX_DEPTH: usize = 8;
/// Longest name of a tag, and largest table of names, in bytes.
const MAX_NAMES: u64 = 1 << 20;

pub(super) fn read<F: Read + Seek>(
    source: &mut Source<'_, F>,
    texts: &mut Texts,
) -> io::Result<()> {
    let mut film = Film {
        source,
        texts,
        names: Vec::new(),
    };
    film.boxes(0, film.source.len, Inside::File, 0)
}

/// What the boxes looked at lie in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Inside {
    File,
    Moov,
    Udta,
    Meta,
    Ilst,
}

/// A box: its kind, where its content begins and where it ends.
struct Part {
    kind: [u8; 4],
    start: u64,
    end: u64,
}

struct Film<'s, 'a, 't, F> {
    source: &'s mut Source<'a, F>,
    texts: &'t mut Texts,
    /// The table of names of the `meta` box being read.
    names: Vec<String>,
}

impl<F: Read + Seek> Film<'_, '_, '_, F> {
    fn boxes(&mut self, mut at: u64, end: u64, inside: Inside, depth: usize) -> io::Result<()> {
        if depth > MAX_DEPTH {
            return Ok(());
        }
        while let Some(part) = self.part(at, end)? {
            at = part.end;
            let next = match (inside, &part.kind) {
                (Inside::File, b"moov") => Some((part.start, Inside::Moov)),
                (Inside::Moov, b"udta") => Some((part.start, Inside::Udta)),
                (Inside::Moov | Inside::Udta | Inside::File, b"meta") => {
                    self.names.clear();
                    Some((self.inside_meta(part.start)?, Inside::Meta))
                }
                (Inside::Meta, b"ilst") => Some((part.start, Inside::Ilst)),
                (Inside::Meta, b"keys") => {
                    self.names = self.keys(&part)?;
                    None
                }
                (Inside::Udta, b"\xa9cmt") => {
                    self.plain(&part)?;
                    None
                }
                (Inside::Ilst, _) => {
                    self.item(&part)?;
                    None
                }
                _ => None,
            };
            if let Some((start, inside)) = next {
                self.boxes(start, part.end, inside, depth + 1)?;
            }
        }
        Ok(())
    }

    /// The box at a place; `None` where there is none that fits in `end`.
    fn part(&mut self, at: u64, end: u64) -> io::Result<Option<Part>> {
        let head = self.source.head::<16>(at)?;
        let (Some(size), Some(kind)) = (be32(&head, 0), head.get(4..8)) else {
            return Ok(None);
        };
        let (header, size) = match size {
            0 => (8, end.saturating_sub(at)), // to the end of what it lies in
            1 => match (be32(&head, 8), be32(&head, 12)) {
                (Some(high), Some(low)) => (16, u64::from(high) << 32 | u64::from(low)),
                _ => return Ok(None),
            },
            size => (8, u64::from(size)),
        };
        let part_end = at
            .checked_add(size)
            .filter(|it| size >= header && *it <= end);
        let kind = [kind[0], kind[1], kind[2], kind[3]];
        Ok(part_end.map(|part_end| Part {
            kind,
            start: at + header,
            end: part_end,
        }))
    }

    /// Where the boxes of a `meta` begin: behind its version, which QuickTime leaves out.
    fn inside_meta(&mut self, start: u64) -> io::Result<u64> {
        let head = self.source.head::<8>(start)?;
        let plain = head.get(4..8) == Some(b"hdlr");
        Ok(if plain {
            start
        } else {
            start.saturating_add(4)
        })
    }

    /// The table of names; an item's kind is a number in it, counted from 1.
    fn keys(&mut self, part: &Part) -> io::Result<Vec<String>> {
        let len = (part.end - part.start).min(MAX_NAMES);
        let bytes = self.source.bytes(part.start, len)?;
        let mut names = Vec::new();
        let mut rest = bytes.get(8..).unwrap_or_default(); // version, count
        while let Some(size) = be32(rest, 0) {
            let Some(name) = rest.get(8..size as usize) else {
                break;
            };
            names.push(String::from_utf8_lossy(name).into_owned());
            rest = &rest[size as usize..];
        }
        Ok(names)
    }

    /// An item of a list: its name, and the text in its `data` box.
    fn item(&mut self, item: &Part) -> io::Result<()> {
        let mut name = match &item.kind {
            b"\xa9cmt" => Some("comment".to_owned()),
            kind => {
                let number = u32::from_be_bytes(*kind) as usize;
                let name = number.checked_sub(1).and_then(|at| self.names.get(at));
                name.map(|it| last_word(it).to_owned())
            }
        };
        let mut at = item.start;
        while let Some(part) = self.part(at, item.end)? {
            at = part.end;
            match &part.kind {
                b"name" if &item.kind == b"----" => {
                    let text = self
                        .source
                        .bytes(part.start + 4, (part.end - part.start).min(256))?;
                    let text = text.get(..(part.end - part.start).saturating_sub(4) as usize);
                    name = text.map(|it| String::from_utf8_lossy(it).into_owned());
                }
                b"data" => {
                    let Some(name) = name.as_ref().filter(|it| Texts::wants(it)) else {
                        continue;
                    };
                    let start = part.start.saturating_add(8); // type, language
                    let len = part.end.saturating_sub(start);
                    if let Some(text) = self.source.whole(start, len)? {
                        self.texts.take(name, text);
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// QuickTime's text: length and language in two bytes each, then the bytes.
    fn plain(&mut self, part: &Part) -> io::Result<()> {
        let head = self.source.head::<4>(part.start)?;
        let (Some(high), Some(low)) = (head.first(), head.get(1)) else {
            return Ok(());
        };
        let len = u64::from(*high) << 8 | u64::from(*low);
        if part.start + 4 + len <= part.end
            && let Some(text) = self.source.whole(part.start + 4, len)?
        {
            self.texts.take("comment", text);
        }
        Ok(())
    }
}

/// `com.apple.quicktime.comment` is a comment.
fn last_word(name: &str) -> &str {
    name.strip_prefix("com.apple.quicktime.").unwrap_or(name)
}

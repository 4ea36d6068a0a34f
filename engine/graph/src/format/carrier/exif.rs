//! Exif (TIFF 6): texts `workflow:{…}` and `prompt:{…}`, as ComfyUI puts them into the tags for a
//! camera's maker and model, and into the tags below them.

use super::{MAX_TEXT, Texts, be32, le32};

const ASCII: u16 = 2;
/// The tag that points to a further list of tags.
const EXIF_LIST: u16 = 0x8769;
/// Most tags looked at in one list.
const MAX_TAGS: u16 = 512;

pub(super) fn read(chunk: &[u8], texts: &mut Texts) {
    let tiff = chunk.strip_prefix(b"Exif\0\0").unwrap_or(chunk);
    let little = match tiff.get(..4) {
        Some(b"II*\0") => true,
        Some(b"MM\0*") => false,
        _ => return,
    };
    let tiff = Tiff {
        bytes: tiff,
        little,
    };
    let Some(first) = tiff.u32(4) else { return };
    // One list below the first, never further: lists may point at each other.
    if let Some(next) = list(&tiff, first, texts) {
        list(&tiff, next, texts);
    }
}

/// Reads a list of tags; gives where the list below it begins.
fn list(tiff: &Tiff<'_>, at: u32, texts: &mut Texts) -> Option<u32> {
    let at = at as usize;
    let mut below = None;
    let mut room = MAX_TEXT as usize; // tags may all point at the same bytes
    for tag in 0..tiff.u16(at)?.min(MAX_TAGS) {
        let entry = at.checked_add(2 + 12 * usize::from(tag))?;
        let (Some(name), Some(kind), Some(count)) =
            (tiff.u16(entry), tiff.u16(entry + 2), tiff.u32(entry + 4))
        else {
            break;
        };
        let count = count as usize;
        if name == EXIF_LIST {
            below = tiff.u32(entry + 8);
        }
        if kind != ASCII || count > room {
            continue;
        }
        let start = if count <= 4 {
            Some(entry + 8)
        } else {
            tiff.u32(entry + 8).map(|it| it as usize)
        };
        let Some(text) = start.and_then(|it| tiff.bytes.get(it..it.checked_add(count)?)) else {
            continue;
        };
        if let Some((name, text)) = named(text) {
            room -= text.len();
            texts.take(name, text.to_vec());
        }
    }
    below
}

/// The name before the first colon, and what stands behind it.
fn named(text: &[u8]) -> Option<(&str, &[u8])> {
    let at = text.iter().take(32).position(|it| *it == b':')?;
    let name = std::str::from_utf8(&text[..at]).ok()?.trim();
    Texts::wants(name).then_some((name, &text[at + 1..]))
}

struct Tiff<'a> {
    bytes: &'a [u8],
    little: bool,
}

impl Tiff<'_> {
    fn u16(&self, at: usize) -> Option<u16> {
        let bytes: [u8; 2] = self.bytes.get(at..at.checked_add(2)?)?.try_into().ok()?;
        Some(if self.little {
            u16::from_le_bytes(bytes)
        } else {
            u16::from_be_bytes(bytes)
        })
    }

    fn u32(&self, at: usize) -> Option<u32> {
        if self.little {
            le32(self.bytes, at)
        } else {
            be32(self.bytes, at)
        }
    }
}

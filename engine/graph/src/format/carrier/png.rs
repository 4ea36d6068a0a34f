//! PNG (W3C PNG 3, §11.3.3): `tEXt`, `zTXt` and `iTXt` chunks, before or behind the picture.

use std::io::{self, Read, Seek};

use miniz_oxide::inflate::decompress_to_vec_zlib_with_limit;

use super::{MAX_TEXT, Source, Texts, be32};

pub(super) const SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";
/// Longest keyword that the format allows.
const MAX_KEYWORD: usize = 79;

pub(super) fn read<F: Read + Seek>(
    source: &mut Source<'_, F>,
    texts: &mut Texts,
) -> io::Result<()> {
    let mut at = SIGNATURE.len() as u64;
    loop {
        let head = source.head::<8>(at)?;
        let (Some(len), Some(kind)) = (be32(&head, 0), head.get(4..8)) else {
            return Ok(());
        };
        let len = u64::from(len);
        match kind {
            b"tEXt" | b"zTXt" | b"iTXt" => {
                if let Some(chunk) = source.whole(at + 8, len)? {
                    text(kind, &chunk, texts);
                }
            }
            b"IEND" => return Ok(()),
            _ => {}
        }
        at += 12 + len; // length, kind, checksum
    }
}

fn text(kind: &[u8], chunk: &[u8], texts: &mut Texts) -> Option<()> {
    let (keyword, rest) = split(chunk)?;
    let keyword = std::str::from_utf8(keyword).ok()?;
    if keyword.len() > MAX_KEYWORD || !Texts::wants(keyword) {
        return None;
    }
    let text = match kind {
        b"tEXt" => utf8(rest),
        b"zTXt" => utf8(&inflate(rest.strip_prefix(&[0])?)?),
        _ => {
            let [compressed, _, rest @ ..] = rest else {
                return None;
            };
            let (_language, rest) = split(rest)?;
            let (_translated, rest) = split(rest)?;
            if *compressed == 1 {
                inflate(rest)?
            } else {
                rest.to_vec()
            }
        }
    };
    texts.take(keyword, text);
    Some(())
}

/// The bytes before and behind the first zero.
fn split(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = bytes.iter().position(|it| *it == 0)?;
    Some((&bytes[..at], &bytes[at + 1..]))
}

/// Nothing for what is damaged, or larger than a graph may be.
fn inflate(bytes: &[u8]) -> Option<Vec<u8>> {
    decompress_to_vec_zlib_with_limit(bytes, MAX_TEXT as usize).ok()
}

/// These chunks are Latin-1, but programs put UTF-8 into them as well.
fn utf8(bytes: &[u8]) -> Vec<u8> {
    if std::str::from_utf8(bytes).is_ok() {
        bytes.to_vec()
    } else {
        let text: String = bytes.iter().map(|it| char::from(*it)).collect();
        text.into_bytes()
    }
}

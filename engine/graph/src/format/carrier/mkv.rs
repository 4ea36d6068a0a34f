//! Matroska and WebM (RFC 9559): the tags of a film, before or behind its clusters.

use std::io::{self, Read, Seek};

use super::{Source, Texts};

/// The id of the first element.
pub(super) const SIGNATURE: &[u8] = &[0x1A, 0x45, 0xDF, 0xA3];
const SEGMENT: u32 = 0x1853_8067;
const CLUSTER: u32 = 0x1F43_B675;
const TAGS: u32 = 0x1254_C367;
const TAG: u32 = 0x7373;
const SIMPLE_TAG: u32 = 0x67C8;
const TAG_NAME: u32 = 0x45A3;
const TAG_STRING: u32 = 0x4487;
/// Deepest nesting of tags within tags.
const MAX_DEPTH: usize = 8;
/// Longest name of a tag.
const MAX_NAME: u64 = 256;

/// An element: its id, where its content begins and where it ends.
struct Element {
    id: u32,
    start: u64,
    /// `None` where the length is not said (recordings that were still going on).
    end: Option<u64>,
}

pub(super) fn read<F: Read + Seek>(
    source: &mut Source<'_, F>,
    texts: &mut Texts,
) -> io::Result<()> {
    let mut at = 0;
    while let Some(element) = element(source, at)? {
        at = match (element.id, element.end) {
            // A segment is opened, and so is a cluster of unknown length: what follows it is told
            // by its id.
            (SEGMENT, _) | (CLUSTER, None) => element.start,
            (TAGS, Some(end)) => {
                tags(source, texts, element.start, end)?;
                end
            }
            (_, Some(end)) => end,
            (_, None) => return Ok(()),
        };
    }
    Ok(())
}

/// The elements within [`TAGS`], in those within them that hold further ones.
fn tags<F: Read + Seek>(
    source: &mut Source<'_, F>,
    texts: &mut Texts,
    start: u64,
    end: u64,
) -> io::Result<()> {
    // Where to go on after what is open, innermost last, with the name of the tag that is open.
    let mut open: Vec<(u64, Option<String>)> = vec![(end, None)];
    let mut at = start;
    while let Some((end, _)) = open.last() {
        if at >= *end {
            open.pop();
            continue;
        }
        let inner = element(source, at)?;
        let Some((element, next)) = inner.and_then(|it| it.end.map(|end| (it, end))) else {
            return Ok(());
        };
        let len = next - element.start;
        match element.id {
            TAG | SIMPLE_TAG if open.len() < MAX_DEPTH => {
                open.push((next.min(*end), None));
                at = element.start;
                continue;
            }
            TAG_NAME => {
                let name = source.bytes(element.start, len.min(MAX_NAME))?;
                let name = String::from_utf8_lossy(&name);
                if let Some((_, open)) = open.last_mut() {
                    *open = Some(name.trim_end_matches('\0').to_owned());
                }
            }
            TAG_STRING => {
                let name = open.last().and_then(|it| it.1.as_deref());
                if let Some(name) = name.filter(|it| Texts::wants(it))
                    && let Some(text) = source.whole(element.start, len)?
                {
                    texts.take(name, text);
                }
            }
            _ => {}
        }
        at = next;
    }
    Ok(())
}

/// The element at a place; `None` at the end of the file and where there is none.
fn element<F: Read + Seek>(source: &mut Source<'_, F>, at: u64) -> io::Result<Option<Element>> {
    let head = source.head::<12>(at)?;
    let parsed = || {
        let id_len = head.first()?.leading_zeros() as usize + 1;
        let id = head.get(..id_len).filter(|_| id_len <= 4)?;
        let id = id
            .iter()
            .fold(0, |id: u32, byte| id << 8 | u32::from(*byte));
        let rest = &head[id_len..];
        let size_len = rest.first()?.leading_zeros() as usize + 1;
        let size = rest.get(..size_len).filter(|_| size_len <= 8)?;
        let marked = size
            .iter()
            .fold(0, |size: u64, byte| size << 8 | u64::from(*byte));
        let all = (1 << (7 * size_len)) - 1;
        let start = at + (id_len + size_len) as u64;
        let size = marked & all;
        let end = if size == all {
            None
        } else {
            Some(start.checked_add(size)?)
        };
        Some(Element { id, start, end })
    };
    Ok(parsed())
}

//! Just enough of Matroska and WebM (RFC 9559) to see that a file is whole and to read its tags.

use std::fs::File;
use std::io::{ErrorKind, Read, Seek, SeekFrom};
use std::path::Path;

use crate::MediaError;

const EBML: u32 = 0x1A45_DFA3;
const SEGMENT: u32 = 0x1853_8067;
const TRACKS: u32 = 0x1654_AE6B;
const TRACK_ENTRY: u32 = 0xAE;
const TAGS: u32 = 0x1254_C367;
const TAG: u32 = 0x7373;
const SIMPLE_TAG: u32 = 0x67C8;
const TAG_NAME: u32 = 0x45A3;
const TAG_STRING: u32 = 0x4487;
/// Tags or track lists larger than this are not read.
const MAX_PART: u64 = 1 << 28;

pub(crate) struct Mkv {
    pub tracks: usize,
    pub tags: Vec<(String, String)>,
    /// Where the segment says it ends; `None` for a live recording.
    end: Option<u64>,
    file_len: u64,
}

impl Mkv {
    /// Reads track list and tags; `None` if the file is of another kind.
    pub fn read(path: &Path) -> Result<Option<Self>, MediaError> {
        let failed = |error| MediaError::io(path, "reading the file", error);
        let mut file = File::open(path).map_err(failed)?;
        let file_len = file.metadata().map_err(failed)?.len();
        let Some((EBML, at, Some(size))) = read_header(&mut file, 0).map_err(failed)? else {
            return Ok(None);
        };
        let Some((SEGMENT, mut at, size)) =
            read_header(&mut file, at.saturating_add(size)).map_err(failed)?
        else {
            return Ok(None);
        };
        let end = size.map(|size| at.saturating_add(size));
        let mut this = Self {
            tracks: 0,
            tags: Vec::new(),
            end,
            file_len,
        };
        while at < end.unwrap_or(file_len).min(file_len) {
            // An element of unknown length (live recordings) cannot be stepped over: what follows stays unread.
            let Some((id, content, Some(size))) = read_header(&mut file, at).map_err(failed)?
            else {
                break;
            };
            let Some(next) = content.checked_add(size).filter(|next| *next <= file_len) else {
                break;
            };
            if (id == TRACKS || id == TAGS) && size <= MAX_PART {
                let mut part = vec![0; size as usize];
                file.seek(SeekFrom::Start(content))
                    .and_then(|_| file.read_exact(&mut part))
                    .map_err(failed)?;
                if id == TRACKS {
                    this.tracks = Elements(&part).filter(|(id, _)| *id == TRACK_ENTRY).count();
                } else {
                    this.tags.extend(simple_tags(&part));
                }
            }
            at = next;
        }
        Ok(Some(this))
    }

    /// # Errors
    /// [`MediaError::Corrupt`] when the file is shorter than it says.
    pub fn check_whole(&self, path: &Path) -> Result<(), MediaError> {
        match self.end {
            Some(end) if end > self.file_len => {
                let what = format!(
                    "the file ends here, but should go on to byte {end}: its copying was cut off"
                );
                Err(MediaError::corrupt(path, self.file_len, what))
            }
            _ => Ok(()),
        }
    }
}

/// Id, where the content begins, and its size (`None`: unknown) of the element at `at`.
fn read_header(file: &mut File, at: u64) -> std::io::Result<Option<(u32, u64, Option<u64>)>> {
    let mut head = Vec::with_capacity(12);
    file.seek(SeekFrom::Start(at))?;
    match file.take(12).read_to_end(&mut head) {
        Ok(_) => {}
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(None),
        Err(error) => return Err(error),
    }
    Ok(header(&head).map(|(id, len, size)| (id, at + len as u64, size)))
}

/// Id, length of the header, size of the content (`None`: unknown).
fn header(bytes: &[u8]) -> Option<(u32, usize, Option<u64>)> {
    let id_len = bytes.first()?.leading_zeros() as usize + 1;
    if id_len > 4 {
        return None;
    }
    let id = bytes
        .get(..id_len)?
        .iter()
        .fold(0, |id: u32, byte| id << 8 | u32::from(*byte));
    let rest = &bytes[id_len..];
    let size_len = rest.first()?.leading_zeros() as usize + 1;
    if size_len > 8 {
        return None;
    }
    let marked = rest
        .get(..size_len)?
        .iter()
        .fold(0, |size: u64, byte| size << 8 | u64::from(*byte));
    let mask = (1u64 << (7 * size_len)) - 1;
    let size = marked & mask;
    Some((id, id_len + size_len, (size != mask).then_some(size)))
}

/// The elements lying side by side in a slice; stops where they stop making sense.
struct Elements<'a>(&'a [u8]);

impl<'a> Iterator for Elements<'a> {
    type Item = (u32, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (id, head, size) = header(self.0)?;
        let end = head.checked_add(usize::try_from(size?).ok()?)?;
        let content = self.0.get(head..end)?;
        self.0 = &self.0[end..];
        Some((id, content))
    }
}

fn simple_tags(tags: &[u8]) -> impl Iterator<Item = (String, String)> {
    let tags = Elements(tags).filter(|(id, _)| *id == TAG);
    let simple = tags
        .flat_map(|(_, tag)| Elements(tag))
        .filter(|(id, _)| *id == SIMPLE_TAG);
    simple.filter_map(|(_, it)| Some((text(it, TAG_NAME)?, text(it, TAG_STRING)?)))
}

fn text(simple_tag: &[u8], id: u32) -> Option<String> {
    let (_, bytes) = Elements(simple_tag).find(|(it, _)| *it == id)?;
    let end = bytes
        .iter()
        .rposition(|byte| *byte != 0)
        .map_or(0, |last| last + 1); // padding
    String::from_utf8(bytes[..end].to_vec()).ok()
}

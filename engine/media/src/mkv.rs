//! Just enough of Matroska and WebM (RFC 9559) to see that a file is whole and to read its tags.

use std::fs::File;
use std::io::{ErrorKind, Read, Seek, SeekFrom};
use std::path::Path;

use longtake_sentence::{Sentence, say};

use crate::MediaError;
use crate::error::Doing;
use crate::regular;

const EBML: u32 = 0x1A45_DFA3;
const SEGMENT: u32 = 0x1853_8067;
const TRACKS: u32 = 0x1654_AE6B;
const TRACK_ENTRY: u32 = 0xAE;
const TRACK_NUMBER: u32 = 0xD7;
const TRACK_TYPE: u32 = 0x83;
const CODEC_ID: u32 = 0x86;
const CLUSTER: u32 = 0x1F43_B675;
const SIMPLE_BLOCK: u32 = 0xA3;
const BLOCK_GROUP: u32 = 0xA0;
const TAGS: u32 = 0x1254_C367;
const TAG: u32 = 0x7373;
const SIMPLE_TAG: u32 = 0x67C8;
const TAG_NAME: u32 = 0x45A3;
const TAG_STRING: u32 = 0x4487;
/// Tags or track lists larger than this are not read.
const MAX_PART: u64 = 1 << 28;

pub(crate) struct Mkv {
    /// Number of the first video track, and its codec.
    video: Option<(u64, Vec<u8>)>,
    clusters: Vec<(u64, u64)>,
    /// Nothing was left unread.
    complete: bool,
    /// Where something begins that is no part of such a file.
    broken: Option<u64>,
    pub tags: Vec<(String, String)>,
    /// Where the segment says it ends; `None` for a live recording.
    end: Option<u64>,
    file_len: u64,
}

impl Mkv {
    /// Reads track list and tags; `None` if the file is of another kind.
    pub fn read(path: &Path) -> Result<Option<Self>, MediaError> {
        let failed = |error| MediaError::io(path, Doing::ReadingFile, error);
        let (mut file, file_len) = regular::open(path)?;
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
            video: None,
            clusters: Vec::new(),
            complete: false,
            broken: None,
            tags: Vec::new(),
            end,
            file_len,
        };
        while at < end.unwrap_or(file_len).min(file_len) {
            let (id, content, next) =
                match step(&mut file, at, file_len, is_top_level).map_err(failed)? {
                    Step::Element(id, content, next) => (id, content, next),
                    Step::Endless => break,
                    Step::Broken => {
                        this.broken = Some(at);
                        break;
                    }
                };
            let size = next - content;
            if (id == TRACKS || id == TAGS) && size <= MAX_PART {
                let mut part = vec![0; size as usize];
                file.seek(SeekFrom::Start(content))
                    .and_then(|_| file.read_exact(&mut part))
                    .map_err(failed)?;
                if id == TRACKS {
                    this.video = Elements(&part)
                        .filter(|(id, _)| *id == TRACK_ENTRY)
                        .find_map(|(_, it)| video_track(it));
                } else {
                    this.tags.extend(simple_tags(&part));
                }
            }
            if id == CLUSTER {
                this.clusters.push((content, next));
            }
            at = next;
        }
        this.complete = at >= end.unwrap_or(file_len);
        Ok(Some(this))
    }

    /// Counts the frames of the first video track by stepping over them. `None` when that cannot be told:
    /// parts of unknown length, or VP8, whose frames are not all shown.
    ///
    /// # Errors
    /// [`MediaError::Corrupt`] where the frames stop being such.
    pub fn count_frames(&self, path: &Path) -> Result<Option<u64>, MediaError> {
        let Some((track, _)) = self
            .video
            .as_ref()
            .filter(|(_, codec)| self.complete && codec != b"V_VP8")
        else {
            return Ok(None);
        };
        let failed = |error| MediaError::io(path, Doing::ReadingFile, error);
        let (mut file, _) = regular::open(path)?;
        let mut frames = 0;
        for (start, end) in &self.clusters {
            let mut at = *start;
            while at < *end {
                let (id, content, next) =
                    match step(&mut file, at, *end, is_in_cluster).map_err(failed)? {
                        Step::Element(id, content, next) => (id, content, next),
                        Step::Endless => return Ok(None),
                        Step::Broken => return Err(MediaError::corrupt(path, at, broken())),
                    };
                let block = match id {
                    SIMPLE_BLOCK => Some(content),
                    // The block is the first thing in its group as all known programs write it.
                    BLOCK_GROUP => read_header(&mut file, content)
                        .map_err(failed)?
                        .map(|(_, block, _)| block),
                    _ => None,
                };
                if let Some(block) = block {
                    frames +=
                        u64::from(block_track(&mut file, block).map_err(failed)? == Some(*track));
                }
                at = next;
            }
        }
        Ok(Some(frames))
    }

    /// # Errors
    /// [`MediaError::Corrupt`] when the file is shorter than it says, or not made of the parts it should be.
    pub fn check_whole(&self, path: &Path) -> Result<(), MediaError> {
        match self.end {
            Some(end) if end > self.file_len => {
                let what = say!(
                    "the file ends here, but should go on to byte {end}: its copying was cut off",
                    "ファイルは {end} バイト目まで続くはずですが、ここで終わっています(コピーの中断)"
                );
                Err(MediaError::corrupt(path, self.file_len, what))
            }
            _ => self.broken.map_or(Ok(()), |byte| {
                Err(MediaError::corrupt(path, byte, broken()))
            }),
        }
    }
}

fn broken() -> Sentence {
    say!(
        "what begins here is no part of a Matroska file: the file was overwritten or badly copied",
        "ここからは Matroska ファイルの一部ではありません(上書きされたか、コピーに失敗したファイル)"
    )
}

/// What lies at a place in the file.
enum Step {
    /// Id, where its content begins, and where the next one does.
    Element(u32, u64, u64),
    /// An element of unknown length (live recordings), which cannot be stepped over.
    Endless,
    Broken,
}

fn step(file: &mut File, at: u64, end: u64, known: fn(u32) -> bool) -> std::io::Result<Step> {
    Ok(match read_header(file, at)?.filter(|(id, ..)| known(*id)) {
        Some((_, _, None)) => Step::Endless,
        Some((id, content, Some(size))) => match content.checked_add(size) {
            Some(next) if next <= end => Step::Element(id, content, next),
            _ => Step::Broken,
        },
        None => Step::Broken,
    })
}

/// All parts of a segment have four-byte ids, but for padding and checksums.
fn is_top_level(id: u32) -> bool {
    id >= 0x1000_0000 || matches!(id, 0xEC | 0xBF)
}

/// Blocks; time, places and sizes; padding and checksums (RFC 9559 §5.1.3, and what it has made obsolete).
fn is_in_cluster(id: u32) -> bool {
    matches!(
        id,
        SIMPLE_BLOCK | BLOCK_GROUP | 0xE7 | 0xA7 | 0xAB | 0xAF | 0x5854 | 0xEC | 0xBF
    )
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
    let (size, size_len) = number(&bytes[id_len..])?;
    Some((
        id,
        id_len + size_len,
        (size != mask(size_len)).then_some(size),
    ))
}

/// Number and codec of a track, if it is video.
fn video_track(entry: &[u8]) -> Option<(u64, Vec<u8>)> {
    let find = |id: u32| {
        Elements(entry)
            .find(|(it, _)| *it == id)
            .map(|(_, content)| content)
    };
    let number = find(TRACK_NUMBER)?
        .iter()
        .fold(0, |number: u64, byte| number << 8 | u64::from(*byte));
    (find(TRACK_TYPE)? == [1]).then(|| (number, find(CODEC_ID).unwrap_or_default().to_vec()))
}

/// The track number at the head of a block.
fn block_track(file: &mut File, at: u64) -> std::io::Result<Option<u64>> {
    let mut head = Vec::with_capacity(8);
    file.seek(SeekFrom::Start(at))?;
    file.take(8).read_to_end(&mut head)?;
    Ok(number(&head).map(|(number, _)| number))
}

/// A number of 1 to 8 bytes, with its length in bytes; one with all bits set stands for `unknown`.
fn number(bytes: &[u8]) -> Option<(u64, usize)> {
    let len = bytes.first()?.leading_zeros() as usize + 1;
    let marked = bytes
        .get(..len)?
        .iter()
        .fold(0, |number: u64, byte| number << 8 | u64::from(*byte));
    Some((marked & mask(len), len)).filter(|_| len <= 8)
}

/// All bits a number of `len` bytes can hold.
fn mask(len: usize) -> u64 {
    (1 << (7 * len.min(8))) - 1
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

#[cfg(test)]
mod tests {
    use super::*;

    fn element(id: u32, content: &[&[u8]]) -> Vec<u8> {
        let content = content.concat();
        let mut bytes: Vec<u8> = id
            .to_be_bytes()
            .into_iter()
            .skip_while(|it| *it == 0)
            .collect();
        bytes.extend((content.len() as u32 | 0x1000_0000).to_be_bytes());
        bytes.extend(content);
        bytes
    }

    #[test]
    fn frames_and_tags_are_found() {
        let track = |number: u8, kind: u8, codec: &[u8]| {
            element(
                TRACK_ENTRY,
                &[
                    &element(TRACK_NUMBER, &[&[number]]),
                    &element(TRACK_TYPE, &[&[kind]]),
                    &element(CODEC_ID, &[codec]),
                ],
            )
        };
        let block = |track: u8| [0x80 | track, 0, 0, 0, 1, 2, 3];
        let cluster = element(
            CLUSTER,
            &[
                &element(0xE7, &[&[0]]),
                &element(SIMPLE_BLOCK, &[&block(2)]),
                &element(SIMPLE_BLOCK, &[&block(1)]),
                &element(
                    BLOCK_GROUP,
                    &[&element(0xA1, &[&block(2)]), &element(0x9B, &[&[41]])],
                ),
            ],
        );
        let tag = element(
            SIMPLE_TAG,
            &[
                &element(TAG_NAME, &[b"PROMPT"]),
                &element(TAG_STRING, &["{\"雨\":1}\0".as_bytes()]),
            ],
        );
        let file = |codec: &[u8]| {
            let tracks = element(TRACKS, &[&track(1, 2, b"A_OPUS"), &track(2, 1, codec)]);
            let tags = element(TAGS, &[&element(TAG, &[&tag])]);
            [
                element(EBML, &[b"doctype"]),
                element(SEGMENT, &[&tracks, &cluster, &cluster, &tags]),
            ]
            .concat()
        };
        let path = tempfile::NamedTempFile::new().unwrap().into_temp_path();
        for (bytes, frames) in [(file(b"V_VP9"), Some(4)), (file(b"V_VP8"), None)] {
            std::fs::write(&path, &bytes).unwrap();
            let mkv = Mkv::read(&path).unwrap().unwrap();
            assert_eq!(mkv.tags, [("PROMPT".to_owned(), "{\"雨\":1}".to_owned())]);
            assert_eq!(mkv.count_frames(&path).unwrap(), frames);
            mkv.check_whole(&path).unwrap();

            std::fs::write(&path, &bytes[..bytes.len() - 1]).unwrap();
            let error = Mkv::read(&path)
                .unwrap()
                .unwrap()
                .check_whole(&path)
                .unwrap_err();
            assert!(
                matches!(error, MediaError::Corrupt { byte, .. } if byte as usize == bytes.len() - 1)
            );
        }
        std::fs::write(&path, b"\x1A\x45\xDF").unwrap();
        assert!(Mkv::read(&path).unwrap().is_none());
    }
}

//! Just enough of MP4 and QuickTime (ISO/IEC 14496-12) to count a film's frames and read its tags.
//!
//! GStreamer plays a file that was cut short to wherever it ends, without an error, and hides tags it has no
//! name for; the index at hand says both.

use std::fs::File;
use std::io::{ErrorKind, Read, Seek, SeekFrom};
use std::path::Path;

use longtake_sentence::say;

use crate::MediaError;
use crate::error::Doing;
use crate::regular;

/// An index larger than this is not read: a film of a day has less.
const MAX_INDEX: u64 = 1 << 28;

pub(crate) struct Mp4 {
    pub video: Option<Track>,
    /// Comes in pieces with an index each; the main index counts no frames.
    pub fragmented: bool,
    /// Name and text; iTunes' four-letter names are translated.
    pub tags: Vec<(String, String)>,
    file_len: u64,
    has_index: bool,
}

pub(crate) struct Track {
    pub samples: u64,
    /// Samples that lie wholly inside the file.
    pub present: u64,
    /// No edit list hides some of them.
    pub plays_all: bool,
    /// How long it plays.
    pub seconds: f64,
    /// The average rate as a fraction, when some frames last much longer than others.
    pub varying_fps: Option<(u32, u32)>,
}

impl Mp4 {
    /// Reads the index; `None` if the file is of another kind.
    pub fn read(path: &Path) -> Result<Option<Self>, MediaError> {
        let failed = |error| MediaError::io(path, Doing::ReadingFile, error);
        let (mut file, file_len) = regular::open(path)?;
        let mut this = Self {
            video: None,
            fragmented: false,
            tags: Vec::new(),
            file_len,
            has_index: false,
        };
        let (mut at, mut known) = (0, false);
        while let Some((kind, head, size)) = read_header(&mut file, at, file_len).map_err(failed)? {
            known = at > 0
                || matches!(
                    &kind,
                    b"ftyp" | b"moov" | b"mdat" | b"wide" | b"free" | b"skip"
                );
            if !known {
                return Ok(None);
            }
            if &kind == b"moov" {
                let len = size.saturating_sub(head);
                if at.saturating_add(size) > file_len || len > MAX_INDEX {
                    let what = say!(
                        "the index (moov) of {size} bytes goes beyond the end of the file",
                        "{size} バイトの索引(moov)がファイルの終わりを越えています"
                    );
                    return Err(MediaError::corrupt(path, at, what));
                }
                let mut moov = vec![0; len as usize];
                file.seek(SeekFrom::Start(at + head))
                    .and_then(|_| file.read_exact(&mut moov))
                    .map_err(failed)?;
                this.has_index = true;
                this.read_moov(&moov);
            }
            // A size below its own header would stand still.
            match at.checked_add(size) {
                Some(next) if size >= head && next < file_len => at = next,
                _ => break,
            }
        }
        Ok(known.then_some(this))
    }

    /// # Errors
    /// [`MediaError::Truncated`] when the index speaks of frames beyond the end of the file,
    /// [`MediaError::Corrupt`] when there is no index at all, [`MediaError::NotVideo`] when it has no pictures.
    pub fn check_whole(&self, path: &Path) -> Result<(), MediaError> {
        if !self.has_index {
            let what = say!(
                "the file ends before its index (moov): its writing or copying was cut off",
                "索引(moov)の前でファイルが終わっています(書き込みかコピーの中断)"
            );
            return Err(MediaError::corrupt(path, self.file_len, what));
        }
        match &self.video {
            Some(track) if track.present < track.samples && !self.fragmented => {
                Err(MediaError::Truncated {
                    path: path.to_owned(),
                    expected: track.samples,
                    found: track.present,
                })
            }
            None if !self.fragmented => {
                let reason = say!("it has no video track", "映像トラックがありません");
                Err(MediaError::not_video(path, reason))
            }
            _ => Ok(()),
        }
    }

    fn read_moov(&mut self, moov: &[u8]) {
        let movie_scale = child(moov, *b"mvhd")
            .and_then(header_times)
            .map(|(scale, _)| scale);
        for (kind, content) in Boxes(moov) {
            match &kind {
                b"trak" if self.video.is_none() => {
                    self.video = read_track(content, movie_scale, self.file_len);
                }
                b"mvex" => self.fragmented = true,
                b"udta" => {
                    if let Some(meta) = child(content, *b"meta") {
                        read_meta(meta, &mut self.tags);
                    }
                }
                b"meta" => read_meta(content, &mut self.tags),
                _ => {}
            }
        }
    }
}

/// Kind, header length and whole size of the box at `at`; `None` at the end of the file.
fn read_header(
    file: &mut File,
    at: u64,
    file_len: u64,
) -> std::io::Result<Option<([u8; 4], u64, u64)>> {
    let mut head = [0; 16];
    file.seek(SeekFrom::Start(at))?;
    let short = |error: std::io::Error| {
        if error.kind() == ErrorKind::UnexpectedEof {
            Ok(None)
        } else {
            Err(error)
        }
    };
    if let Err(error) = file.read_exact(&mut head[..8]) {
        return short(error);
    }
    let kind = [head[4], head[5], head[6], head[7]];
    match be32(&head, 0).unwrap_or(0) {
        0 => Ok(Some((kind, 8, file_len - at))), // to the end of the file
        1 => match file.read_exact(&mut head[8..]) {
            Ok(()) => Ok(Some((kind, 16, be64(&head, 8).unwrap_or(0)))),
            Err(error) => short(error),
        },
        size => Ok(Some((kind, 8, u64::from(size)))),
    }
}

/// The boxes lying side by side in a slice; stops where they stop making sense.
struct Boxes<'a>(&'a [u8]);

impl<'a> Iterator for Boxes<'a> {
    type Item = ([u8; 4], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let kind = self.0.get(4..8)?.try_into().ok()?;
        let (head, size) = match be32(self.0, 0)? {
            0 => (8, self.0.len()),
            1 => (16, usize::try_from(be64(self.0, 8)?).ok()?),
            size => (8, size as usize),
        };
        let content = self.0.get(head..size)?;
        self.0 = &self.0[size..];
        Some((kind, content))
    }
}

fn child(content: &[u8], kind: [u8; 4]) -> Option<&[u8]> {
    Boxes(content)
        .find(|(it, _)| *it == kind)
        .map(|(_, content)| content)
}

fn be32(bytes: &[u8], at: usize) -> Option<u32> {
    bytes
        .get(at..at.checked_add(4)?)?
        .try_into()
        .ok()
        .map(u32::from_be_bytes)
}

fn be64(bytes: &[u8], at: usize) -> Option<u64> {
    bytes
        .get(at..at.checked_add(8)?)?
        .try_into()
        .ok()
        .map(u64::from_be_bytes)
}

/// Timescale and duration of an mvhd or mdhd box.
fn header_times(content: &[u8]) -> Option<(u32, u64)> {
    match content.first()? {
        1 => Some((be32(content, 20)?, be64(content, 24)?)),
        _ => Some((be32(content, 12)?, u64::from(be32(content, 16)?))),
    }
}

/// The track, if it is video.
fn read_track(trak: &[u8], movie_scale: Option<u32>, file_len: u64) -> Option<Track> {
    let mdia = child(trak, *b"mdia")?;
    if child(mdia, *b"hdlr")?.get(8..12)? != b"vide" {
        return None;
    }
    let (scale, duration) = child(mdia, *b"mdhd").and_then(header_times)?;
    let stbl = child(child(mdia, *b"minf")?, *b"stbl")?;
    let sizes = child(stbl, *b"stsz")?;
    let samples = u64::from(be32(sizes, 8)?);
    let present = present_samples(stbl, sizes, file_len).unwrap_or(samples);
    let media_secs = duration as f64 / f64::from(scale.max(1));
    let shown = child(trak, *b"edts")
        .and_then(|it| child(it, *b"elst"))
        .and_then(edit_duration);
    let seconds = match (shown, movie_scale) {
        (Some(shown), Some(movie)) if movie > 0 && shown > 0 => {
            (shown as f64 / f64::from(movie)).min(media_secs)
        }
        _ => media_secs,
    };
    Some(Track {
        samples,
        present,
        // Less than half a frame's length may be missing.
        plays_all: media_secs - seconds <= 0.5 * media_secs / samples.max(1) as f64,
        seconds,
        varying_fps: child(stbl, *b"stts")
            .and_then(varies)
            .and_then(|()| fraction(samples * u64::from(scale), duration)),
    })
}

/// `Some` when frames last differently by more than rounding to a coarse clock would explain.
fn varies(stts: &[u8]) -> Option<()> {
    let entries = stts.get(8..)?.chunks_exact(8).take(be32(stts, 4)? as usize);
    let mut runs: Vec<_> = entries
        .filter_map(|it| Some((be32(it, 0)?, be32(it, 4)?)))
        .collect();
    // How long the last frame stays says nothing of the rate.
    if runs.last().is_some_and(|(count, _)| *count == 1) {
        runs.pop();
    }
    let (shortest, longest) = (
        runs.iter().map(|it| it.1).min()?,
        runs.iter().map(|it| it.1).max()?,
    );
    (longest > 2 && u64::from(longest) * 2 > u64::from(shortest) * 3).then_some(())
}

/// `num / den` in lowest terms; `None` when it is none or too large.
fn fraction(num: u64, den: u64) -> Option<(u32, u32)> {
    let (mut a, mut b) = (num, den);
    while b != 0 {
        (a, b) = (b, a % b);
    }
    let lowest = |it: u64| {
        it.checked_div(a)
            .and_then(|it| u32::try_from(it).ok())
            .filter(|it| *it > 0)
    };
    lowest(num).zip(lowest(den))
}

/// Sum of the durations of an edit list, in the movie's timescale.
fn edit_duration(elst: &[u8]) -> Option<u64> {
    let wide = *elst.first()? == 1;
    let (entry, count) = (if wide { 20 } else { 12 }, be32(elst, 4)? as usize);
    let entries = elst.get(8..)?.chunks_exact(entry).take(count);
    let durations = entries.map(|it| {
        if wide {
            be64(it, 0)
        } else {
            be32(it, 0).map(u64::from)
        }
    });
    durations
        .map(Option::unwrap_or_default)
        .try_fold(0u64, u64::checked_add)
}

/// How many samples, from the first on, end inside the file. Walks chunks (stco/co64), whose sample counts
/// are in stsc, and the samples' sizes (stsz).
fn present_samples(stbl: &[u8], stsz: &[u8], file_len: u64) -> Option<u64> {
    let (same_size, samples) = (u64::from(be32(stsz, 4)?), be32(stsz, 8)? as usize);
    let size_of = |n: usize| {
        if same_size > 0 {
            Some(same_size)
        } else {
            be32(stsz, 12 + 4 * n).map(u64::from)
        }
    };
    let stsc = child(stbl, *b"stsc")?;
    let runs = be32(stsc, 4)? as usize;
    let (offsets, wide) = match child(stbl, *b"co64") {
        Some(it) => (it, true),
        None => (child(stbl, *b"stco")?, false),
    };
    let (mut sample, mut run) = (0, 0);
    for chunk in 0..be32(offsets, 4)? as usize {
        let mut at = if wide {
            be64(offsets, 8 + 8 * chunk)?
        } else {
            u64::from(be32(offsets, 8 + 4 * chunk)?)
        };
        // The next run begins with a chunk number counted from 1.
        while run + 1 < runs && be32(stsc, 8 + 12 * (run + 1))? as usize <= chunk + 1 {
            run += 1;
        }
        for _ in 0..be32(stsc, 8 + 12 * run + 4)? {
            if sample == samples {
                return Some(sample as u64);
            }
            at = at.checked_add(size_of(sample)?)?;
            if at > file_len {
                return Some(sample as u64);
            }
            sample += 1;
        }
    }
    Some(sample as u64)
}

/// Tags of a `meta` box: iTunes' (`©cmt`) and QuickTime's (numbered, with their names in `keys`).
fn read_meta(meta: &[u8], tags: &mut Vec<(String, String)>) {
    // QuickTime's own form has no version and flags in front.
    let content = if meta.get(4..8) == Some(b"hdlr") {
        meta
    } else {
        meta.get(4..).unwrap_or_default()
    };
    let keys = child(content, *b"keys").map(read_keys).unwrap_or_default();
    for (kind, item) in child(content, *b"ilst").map(Boxes).into_iter().flatten() {
        let name = match &kind {
            b"\xa9cmt" => Some("comment".to_owned()),
            b"\xa9nam" => Some("title".to_owned()),
            _ => (u32::from_be_bytes(kind) as usize)
                .checked_sub(1)
                .and_then(|n| keys.get(n).cloned()),
        };
        // 4 bytes of type and 4 of country and language before the text.
        let text = child(item, *b"data")
            .and_then(|it| it.get(8..))
            .and_then(|it| String::from_utf8(it.to_vec()).ok());
        tags.extend(name.zip(text));
    }
}

fn read_keys(keys: &[u8]) -> Vec<String> {
    let entries = Boxes(keys.get(8..).unwrap_or_default()); // size, namespace, name: formed like boxes
    entries
        .map(|(_, name)| String::from_utf8_lossy(name).into_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn boxed(kind: [u8; 4], content: &[&[u8]]) -> Vec<u8> {
        let content = content.concat();
        let mut bytes = (content.len() as u32 + 8).to_be_bytes().to_vec();
        bytes.extend(kind);
        bytes.extend(content);
        bytes
    }

    fn words(words: &[u32]) -> Vec<u8> {
        words.iter().flat_map(|it| it.to_be_bytes()).collect()
    }

    #[test]
    fn comfyuis_tags_are_read() {
        // As ffmpeg writes them with `movflags=use_metadata_tags`, which ComfyUI's SaveVideo sets.
        let key = |name: &[u8]| boxed(*b"mdta", &[name]);
        let item = |n: u32, text: &[u8]| {
            boxed(
                n.to_be_bytes(),
                &[&boxed(*b"data", &[&words(&[1, 0]), text])],
            )
        };
        let handler = boxed(*b"hdlr", &[&[0; 8], b"mdta", &[0; 13]]);
        let keys = boxed(
            *b"keys",
            &[&words(&[0, 2]), &key(b"workflow"), &key(b"prompt")],
        );
        let list = boxed(
            *b"ilst",
            &[
                &item(2, b"{}"),
                &item(1, "[\"雨\"]".as_bytes()),
                &item(3, b"no such key"),
            ],
        );
        let expected = [("prompt", "{}"), ("workflow", "[\"雨\"]")];
        for version in [&[][..], &[0; 4]] {
            let mut tags = Vec::new();
            read_meta(&[version, &handler[..], &keys, &list].concat(), &mut tags);
            assert_eq!(
                tags,
                expected.map(|(name, text)| (name.to_owned(), text.to_owned()))
            );
        }
    }

    #[test]
    fn tracks_are_understood() {
        // Four frames of 10, 20, 30 and 40 bytes in two chunks, 100 ticks a second.
        let track = |times: &[u32], edit: &[u8]| {
            let stbl = boxed(
                *b"stbl",
                &[
                    &boxed(*b"stts", &[&words(times)]),
                    &boxed(*b"stsz", &[&words(&[0, 0, 4, 10, 20, 30, 40])]),
                    &boxed(*b"stsc", &[&words(&[0, 2, 1, 1, 1, 2, 3, 1])]),
                    &boxed(*b"stco", &[&words(&[0, 2, 1000, 2000])]),
                ],
            );
            let mdhd = boxed(*b"mdhd", &[&words(&[0, 0, 0, 100, 40, 0])]);
            let hdlr = boxed(*b"hdlr", &[&[0; 8], b"vide"]);
            [
                edit,
                &boxed(*b"mdia", &[&mdhd, &hdlr, &boxed(*b"minf", &[&stbl])]),
            ]
            .concat()
        };
        let edit = boxed(
            *b"edts",
            &[&boxed(*b"elst", &[&words(&[0, 1, 200, 10, 0x10000])])],
        );
        let even = [0, 1, 4, 10];
        for (times, edit, file_len, expected) in [
            (&even[..], &[][..], 5000, (4, true, 0.4, None)),
            (&even, &[], 2090, (4, true, 0.4, None)),
            (&even, &[], 2089, (3, true, 0.4, None)),
            (&even, &[], 1010, (1, true, 0.4, None)),
            (&even, &[], 0, (0, true, 0.4, None)),
            (&even, &edit, 5000, (4, false, 0.2, None)), // the movie has 1000 ticks a second
            (
                &[0, 2, 1, 5, 3, 12],
                &[],
                5000,
                (4, true, 0.4, Some((10, 1))),
            ),
            (&[0, 2, 3, 10, 1, 99], &[], 5000, (4, true, 0.4, None)), // only the last stays longer
        ] {
            let found = read_track(&track(times, edit), Some(1000), file_len).unwrap();
            assert_eq!(
                (
                    found.present,
                    found.plays_all,
                    found.seconds,
                    found.varying_fps
                ),
                expected,
                "{times:?} {file_len}"
            );
            assert_eq!(found.samples, 4);
        }
    }
}

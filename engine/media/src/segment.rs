//! The segment file: a shot's encoded frames, ready to be joined into a film.
//!
//! ```text
//! magic           8  b"LTsegm\0\1"
//! header size     4  little endian, as all numbers here
//! header             JSON of SegmentHeader
//! frames             encoded frames, one after the other, nothing between
//! index           12 per frame: 4 size (top bit: key frame), 8 first bytes of the frame's BLAKE3
//! trailer         8  where the index begins
//!                 4  number of frames
//!                16  first bytes of the BLAKE3 of magic, header and index
//!                 8  magic again
//! ```
//! Opening checks everything but the frames themselves; each frame is checked as it is read.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use longtake_sentence::{Sentence, say};
use serde::{Deserialize, Serialize};

use crate::error::Doing;
use crate::regular;
use crate::whole_file::WholeFile;
use crate::{MediaError, VideoFormat};

const MAGIC: &[u8; 8] = b"LTsegm\0\x01";
const ENTRY: usize = 12;
const TRAILER: usize = 8 + 4 + 16 + 8;
const KEY: u32 = 1 << 31;
/// No header comes near this; a larger number is damage.
const MAX_HEADER: u32 = 1 << 20;

/// What a segment says of its frames.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SegmentHeader {
    pub format: VideoFormat,
    /// The stream description the encoder gave, with its parameter sets, as GStreamer writes it.
    pub caps: String,
}

/// One frame as the encoder made it (for H.264: an access unit with 4-byte lengths).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EncodedFrame {
    pub data: Vec<u8>,
    /// Decoding can begin here.
    pub key: bool,
}

/// Writes the file described above.
pub(crate) struct SegmentFile {
    file: WholeFile,
    path: PathBuf,
    /// Magic and header; later the index as well: what the trailer's checksum covers.
    covered: Vec<u8>,
    head_len: usize,
    at: u64,
    frames: u32,
}

impl SegmentFile {
    pub fn create(
        path: &Path,
        file: WholeFile,
        header: &SegmentHeader,
    ) -> Result<Self, MediaError> {
        let failed = |error| MediaError::io(path, Doing::WritingSegment, error);
        let json = serde_json::to_vec(header).map_err(|error| failed(error.into()))?;
        let mut covered = MAGIC.to_vec();
        covered.extend((json.len() as u32).to_le_bytes());
        covered.extend(json);
        let (head_len, at) = (covered.len(), covered.len() as u64);
        let mut this = Self {
            file,
            path: path.to_owned(),
            covered,
            head_len,
            at,
            frames: 0,
        };
        this.file.file().write_all(&this.covered).map_err(failed)?;
        Ok(this)
    }

    pub fn push(&mut self, data: &[u8], key: bool) -> Result<(), MediaError> {
        let failed = |error| MediaError::io(&self.path, Doing::WritingSegment, error);
        let size = u32::try_from(data.len()).ok().filter(|size| *size < KEY);
        let size =
            size.ok_or_else(|| failed(io::Error::other("an encoded frame of 2 GiB or more")))?;
        self.file.file().write_all(data).map_err(failed)?;
        self.covered
            .extend((size | if key { KEY } else { 0 }).to_le_bytes());
        self.covered.extend(&blake3::hash(data).as_bytes()[..8]);
        self.at += u64::from(size);
        self.frames += 1;
        Ok(())
    }

    /// Returns the size in bytes.
    pub fn finish(mut self) -> Result<u64, MediaError> {
        let mut end = self.covered[self.head_len..].to_vec();
        end.extend(self.at.to_le_bytes());
        end.extend(self.frames.to_le_bytes());
        end.extend(&blake3::hash(&self.covered).as_bytes()[..16]);
        end.extend(MAGIC);
        let failed = |error| MediaError::io(&self.path, Doing::WritingSegment, error);
        self.file.file().write_all(&end).map_err(failed)?;
        self.file.keep()
    }
}

/// Reads a segment's encoded frames in order.
#[derive(Debug)]
pub struct SegmentReader {
    path: PathBuf,
    file: BufReader<File>,
    header: SegmentHeader,
    /// Size and flag, first bytes of the checksum.
    index: Vec<(u32, [u8; 8])>,
    next: usize,
    at: u64,
}

impl SegmentReader {
    /// Opens a segment and checks its length, header and index.
    ///
    /// # Errors
    /// [`MediaError::Missing`], [`MediaError::Empty`], [`MediaError::NotVideo`] for another kind of file,
    /// [`MediaError::Corrupt`] with the byte where it stops making sense.
    pub fn open(path: &Path) -> Result<Self, MediaError> {
        let failed = |error| MediaError::io(path, Doing::ReadingSegment, error);
        let corrupt = |byte, what: Sentence| MediaError::corrupt(path, byte, what);
        let (mut file, size) = regular::open(path)?;
        let mut head = [0; 12];
        let got = read_up_to(&mut file, &mut head).map_err(failed)?;
        if !head[..got].starts_with(MAGIC) {
            let reason = say!(
                "it does not begin as a segment of this program does",
                "Longtake の区間ファイルの始まり方ではありません"
            );
            return Err(MediaError::not_video(path, reason));
        }
        if size < (head.len() + TRAILER) as u64 {
            let what = say!(
                "the file ends before its header does",
                "ヘッダーの途中でファイルが終わっています"
            );
            return Err(corrupt(size, what));
        }
        file.seek(SeekFrom::End(-(TRAILER as i64)))
            .map_err(failed)?;
        let mut trailer = [0; TRAILER];
        file.read_exact(&mut trailer).map_err(failed)?;
        if !trailer.ends_with(MAGIC) {
            let what = say!(
                "the end of the file is missing",
                "ファイルの終わりがありません"
            );
            return Err(corrupt(size, what));
        }

        let header_size = u32::from_le_bytes(array(&head[8..]));
        let index_at = u64::from_le_bytes(array(&trailer[..8]));
        let frames = u32::from_le_bytes(array(&trailer[8..12]));
        let data_at = head.len() as u64 + u64::from(header_size);
        let index_size = u64::from(frames) * ENTRY as u64;
        if header_size > MAX_HEADER
            || data_at > index_at
            || index_at.checked_add(index_size + TRAILER as u64) != Some(size)
        {
            let what = say!(
                "the index does not lie where the file says",
                "索引がファイルの示す場所にありません"
            );
            return Err(corrupt(size - TRAILER as u64, what));
        }
        let mut covered = vec![0; data_at as usize];
        file.rewind()
            .and_then(|()| file.read_exact(&mut covered))
            .map_err(failed)?;
        let mut index = vec![0; index_size as usize];
        file.seek(SeekFrom::Start(index_at))
            .and_then(|_| file.read_exact(&mut index))
            .map_err(failed)?;
        covered.extend(&index);
        if blake3::hash(&covered).as_bytes()[..16] != trailer[12..28] {
            let what = say!(
                "header or index has changed since it was written",
                "ヘッダーか索引が、書き込まれた後に変わっています"
            );
            return Err(corrupt(index_at, what));
        }
        let header =
            serde_json::from_slice(&covered[head.len()..data_at as usize]).map_err(|error| {
                let what = say!("header: {error}", "ヘッダー: {error}");
                corrupt(head.len() as u64, what)
            })?;
        let index: Vec<_> = index
            .chunks_exact(ENTRY)
            .map(|it| (u32::from_le_bytes(array(&it[..4])), array(&it[4..])))
            .collect();
        let data: u64 = index.iter().map(|(size, _)| u64::from(size & !KEY)).sum();
        if data != index_at - data_at {
            let what = say!(
                "the frames' sizes do not add up",
                "フレームのサイズの合計が合いません"
            );
            return Err(corrupt(data_at, what));
        }
        file.seek(SeekFrom::Start(data_at)).map_err(failed)?;
        let file = BufReader::with_capacity(1 << 18, file);
        Ok(Self {
            path: path.to_owned(),
            file,
            header,
            index,
            next: 0,
            at: data_at,
        })
    }

    pub fn header(&self) -> &SegmentHeader {
        &self.header
    }

    /// Number of frames in the whole segment.
    pub fn frames(&self) -> u64 {
        self.index.len() as u64
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The next frame; `None` after the last.
    ///
    /// # Errors
    /// [`MediaError::Corrupt`] when the frame is not what was written.
    pub fn next_frame(&mut self) -> Result<Option<EncodedFrame>, MediaError> {
        let Some(&(size, sum)) = self.index.get(self.next) else {
            return Ok(None);
        };
        let mut data = vec![0; (size & !KEY) as usize];
        self.file
            .read_exact(&mut data)
            .map_err(|error| MediaError::io(&self.path, Doing::ReadingSegment, error))?;
        if blake3::hash(&data).as_bytes()[..8] != sum {
            let what = say!(
                "frame {} of {} has changed since it was written",
                "フレーム {}(全 {} フレーム)が、書き込まれた後に変わっています",
                self.next,
                self.index.len()
            );
            return Err(MediaError::corrupt(&self.path, self.at, what));
        }
        self.at += data.len() as u64;
        self.next += 1;
        Ok(Some(EncodedFrame {
            data,
            key: size & KEY != 0,
        }))
    }
}

fn array<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let mut out = [0; N];
    out.copy_from_slice(&bytes[..N]);
    out
}

/// Fills `buffer` as far as the file goes.
fn read_up_to(file: &mut File, buffer: &mut [u8]) -> io::Result<usize> {
    let mut got = 0;
    while got < buffer.len() {
        match file.read(&mut buffer[got..])? {
            0 => break,
            n => got += n,
        }
    }
    Ok(got)
}

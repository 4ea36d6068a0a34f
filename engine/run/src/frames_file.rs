//! Frames in files: a raw spool for frames on their way, and a lossless file for frames kept.
//!
//! - *Spool*: 16-bit samples, uncompressed, random access. Scratch for one run: a 5-second
//!   832×480 shot takes 194 MB and goes when its last reader is done.
//! - *Kept*: one PNG per frame behind a small index, 8 or 16 bits as the frames came. 16 bits hold
//!   a 0..1 float to 1/131,070.

use std::fs::File;
use std::io::{BufWriter, Read, Write};
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, ImageEncoder};
use longtake_graph::{Sentence, say};
use longtake_plan::{ClipInfo, Fps};

use crate::files::open_regular;
use crate::{Clip, Frame, FrameSource, Pixels, RunError};

/// Writes frames to a spool; [`Spool::finish`] gives the clip to read them from.
pub struct Spool {
    file: BufWriter<File>,
    path: PathBuf,
    info: ClipInfo,
    written: u64,
}

impl Spool {
    /// A spool in the run's scratch folder for frames of that size.
    ///
    /// # Errors
    /// The file cannot be made.
    pub fn create(folder: &Path, info: ClipInfo) -> Result<Self, RunError> {
        let (file, path) = tempfile::Builder::new()
            .prefix("frames-")
            .tempfile_in(folder)
            .map_err(|e| RunError::io(say!("writing into", "書き込み"), folder, &e))?
            .keep()
            .map_err(|e| RunError::io(say!("writing into", "書き込み"), folder, &e.error))?;
        Ok(Self {
            file: BufWriter::with_capacity(1 << 20, file),
            path,
            info,
            written: 0,
        })
    }

    /// Appends a frame.
    ///
    /// # Errors
    /// Wrong size, or the disk is full.
    pub fn push(&mut self, frame: &Frame) -> Result<(), RunError> {
        let (expected, found) = (
            (self.info.width, self.info.height, self.info.channels),
            (frame.width, frame.height, frame.channels),
        );
        if expected != found {
            return Err(RunError::failed(say!(
                "frame {}: expected {expected:?} (width, height, channels), got {found:?}",
                "フレーム {}: {expected:?}（幅、高さ、チャンネル数）が必要ですが、{found:?} です",
                self.written
            )));
        }
        let samples = frame.to_u16();
        self.file
            .write_all(bytemuck::cast_slice(&samples))
            .map_err(|e| {
                RunError::io(
                    say!("writing frames to", "フレームの書き込み"),
                    &self.path,
                    &e,
                )
            })?;
        self.written += 1;
        Ok(())
    }

    /// The frames written, as a clip that removes the file when its last handle goes.
    ///
    /// # Errors
    /// The disk is full.
    pub fn finish(mut self) -> Result<Clip, RunError> {
        self.file.flush().map_err(|e| {
            RunError::io(
                say!("writing frames to", "フレームの書き込み"),
                &self.path,
                &e,
            )
        })?;
        let file = File::open(&self.path)
            .map_err(|e| RunError::io(say!("reading", "読み込み"), &self.path, &e))?;
        let info = ClipInfo {
            frames: self.written,
            ..self.info
        };
        // From here on the file lives as long as its handle: a killed run leaves none behind.
        let _ = std::fs::remove_file(&self.path);
        Ok(Clip::new(Spooled {
            file,
            info,
            path: self.path.clone(),
        }))
    }
}

impl Drop for Spool {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

struct Spooled {
    file: File,
    info: ClipInfo,
    path: PathBuf,
}

impl FrameSource for Spooled {
    fn info(&self) -> ClipInfo {
        self.info
    }

    fn read(&self, range: Range<u64>) -> Result<Vec<Frame>, RunError> {
        let ClipInfo {
            width,
            height,
            channels,
            ..
        } = self.info;
        let samples = width as usize * height as usize * usize::from(channels);
        range
            .map(|index| {
                let mut data = vec![0u16; samples];
                self.file
                    .read_exact_at(
                        bytemuck::cast_slice_mut(&mut data),
                        index * samples as u64 * 2,
                    )
                    .map_err(|e| {
                        RunError::io(
                            say!("reading frames from", "フレームの読み込み"),
                            &self.path,
                            &e,
                        )
                    })?;
                Ok(Frame::new(width, height, channels, Pixels::U16(data)))
            })
            .collect()
    }
}

const MAGIC: &[u8; 8] = b"LTFRAME1";

/// Writes a clip losslessly (16 bits at most): magic, header length, JSON header with sizes and
/// the byte range of each frame, then the PNGs.
///
/// # Errors
/// Whatever reading the clip or writing meets.
pub fn write_kept(out: &mut impl Write, clip: &Clip, path: &Path) -> Result<(), RunError> {
    let info = clip.info();
    let mut blobs: Vec<Vec<u8>> = Vec::with_capacity(info.frames as usize);
    clip.for_each(|_, frame| {
        blobs.push(png(&frame)?);
        Ok(())
    })?;
    let lengths: Vec<usize> = blobs.iter().map(Vec::len).collect();
    let header = serde_json::json!({
        "width": info.width, "height": info.height, "channels": info.channels,
        "fps": info.fps.map(|fps| [fps.num, fps.den]), "lengths": lengths,
    })
    .to_string();
    let io =
        |e: std::io::Error| RunError::io(say!("writing frames to", "フレームの書き込み"), path, &e);
    out.write_all(MAGIC).map_err(io)?;
    out.write_all(&(header.len() as u64).to_le_bytes())
        .map_err(io)?;
    out.write_all(header.as_bytes()).map_err(io)?;
    blobs
        .iter()
        .try_for_each(|blob| out.write_all(blob).map_err(io))
}

/// A frame as PNG: 8 bits stay 8 bits, anything deeper becomes 16.
///
/// # Errors
/// The encoder's, which for valid frames has none.
pub fn png(frame: &Frame) -> Result<Vec<u8>, RunError> {
    let mut bytes = Vec::new();
    let (data, deep): (Vec<u8>, bool) = match &*frame.pixels {
        Pixels::U8(data) => (data.clone(), false),
        Pixels::U16(_) | Pixels::F32(_) => (bytemuck::cast_slice(&frame.to_u16()).to_vec(), true),
    };
    let colour = match (frame.channels, deep) {
        (1, false) => ExtendedColorType::L8,
        (1, true) => ExtendedColorType::L16,
        (3, false) => ExtendedColorType::Rgb8,
        (3, true) => ExtendedColorType::Rgb16,
        (_, false) => ExtendedColorType::Rgba8,
        (_, true) => ExtendedColorType::Rgba16,
    };
    PngEncoder::new_with_quality(&mut bytes, CompressionType::Fast, FilterType::Sub)
        .write_image(&data, frame.width, frame.height, colour)
        .map_err(|e| {
            RunError::failed(say!(
                "encoding a PNG: {e}",
                "PNG への変換に失敗しました: {e}"
            ))
        })?;
    Ok(bytes)
}

/// Opens a file written by [`write_kept`].
///
/// # Errors
/// Not such a file, or cut short.
pub fn open_kept(path: &Path) -> Result<Clip, RunError> {
    let corrupt = |what: Sentence| {
        RunError::damaged(say!(
            "{}: {what}; remove the file and render again",
            "{}: {what}。ファイルを削除して、もう一度レンダリングしてください",
            path.display();
            what
        ))
    };
    let mut file = open_regular(path)?;
    let size = file
        .metadata()
        .map_err(|e| RunError::io(say!("reading", "読み込み"), path, &e))?
        .len();
    let mut start = [0u8; 16];
    if size < start.len() as u64 {
        return Err(corrupt(say!(
            "expected stored frames, the file is too short",
            "保存されたフレームとしては短すぎます"
        )));
    }
    file.read_exact(&mut start)
        .map_err(|e| RunError::io(say!("reading", "読み込み"), path, &e))?;
    let (magic, length) = start.split_at(8);
    if magic != MAGIC {
        return Err(corrupt(say!(
            "expected stored frames, found something else at byte 0",
            "保存されたフレームではありません（先頭の 0 バイト目が違います）"
        )));
    }
    let length = u64::from_le_bytes(length.try_into().unwrap_or_default());
    if length > size - 16 {
        return Err(corrupt(say!(
            "the header at byte 8 reaches past the end of the file",
            "8 バイト目からのヘッダーがファイルの終わりを越えています"
        )));
    }
    let mut header = vec![0; length as usize];
    file.read_exact(&mut header)
        .map_err(|e| RunError::io(say!("reading", "読み込み"), path, &e))?;
    let header: Header = serde_json::from_slice(&header)
        .map_err(|e| corrupt(say!("header: {e}", "ヘッダーを読めません: {e}")))?;
    let mut offsets = vec![16 + length];
    for blob in &header.lengths {
        let next = offsets.last().copied().unwrap_or(0).saturating_add(*blob);
        offsets.push(next);
    }
    if offsets.last().copied().unwrap_or(0) != size || header.lengths.is_empty() {
        return Err(corrupt(say!(
            "the file's size is not what its header says",
            "ファイルの大きさがヘッダーの内容と合いません"
        )));
    }
    let info = ClipInfo {
        frames: header.lengths.len() as u64,
        width: header.width,
        height: header.height,
        channels: header.channels,
        fps: header
            .fps
            .filter(|fps| fps[0] > 0 && fps[1] > 0)
            .map(|[num, den]| Fps { num, den }),
    };
    Ok(Clip::new(Kept {
        file,
        path: path.to_path_buf(),
        info,
        offsets,
    }))
}

#[derive(serde::Deserialize)]
struct Header {
    width: u32,
    height: u32,
    channels: u8,
    fps: Option<[u32; 2]>,
    lengths: Vec<u64>,
}

struct Kept {
    file: File,
    path: PathBuf,
    info: ClipInfo,
    offsets: Vec<u64>,
}

impl FrameSource for Kept {
    fn info(&self) -> ClipInfo {
        self.info
    }

    fn read(&self, range: Range<u64>) -> Result<Vec<Frame>, RunError> {
        range.map(|index| self.frame(index as usize)).collect()
    }
}

impl Kept {
    fn frame(&self, index: usize) -> Result<Frame, RunError> {
        let (start, end) = (self.offsets[index], self.offsets[index + 1]);
        let mut blob = vec![0; (end - start) as usize];
        self.file.read_exact_at(&mut blob, start).map_err(|e| {
            RunError::io(
                say!("reading frames from", "フレームの読み込み"),
                &self.path,
                &e,
            )
        })?;
        let picture =
            image::load_from_memory_with_format(&blob, image::ImageFormat::Png).map_err(|e| {
                RunError::failed(say!(
                    "{}: frame {index} at byte {start}: {e}; remove the file and render again",
                    "{}: フレーム {index}（{start} バイト目）を読めません: {e}。ファイルを削除して、もう一度レンダリングしてください",
                    self.path.display()
                ))
            })?;
        let frame = from_picture(picture);
        let (expected, found) = (
            (self.info.width, self.info.height, self.info.channels),
            (frame.width, frame.height, frame.channels),
        );
        if expected == found {
            return Ok(frame);
        }
        Err(RunError::failed(say!(
            "{}: frame {index}: expected {expected:?} (width, height, channels), got {found:?}",
            "{}: フレーム {index}: {expected:?}（幅、高さ、チャンネル数）が必要ですが、{found:?} です",
            self.path.display()
        )))
    }
}

/// A decoded picture as a frame, in its own depth.
pub fn from_picture(picture: image::DynamicImage) -> Frame {
    use image::DynamicImage as D;
    let (width, height) = (picture.width(), picture.height());
    let (channels, pixels) = match picture {
        D::ImageLuma8(it) => (1, Pixels::U8(it.into_raw())),
        D::ImageRgb8(it) => (3, Pixels::U8(it.into_raw())),
        D::ImageRgba8(it) => (4, Pixels::U8(it.into_raw())),
        D::ImageLuma16(it) => (1, Pixels::U16(it.into_raw())),
        D::ImageRgb16(it) => (3, Pixels::U16(it.into_raw())),
        D::ImageRgba16(it) => (4, Pixels::U16(it.into_raw())),
        other => (4, Pixels::U16(other.into_rgba16().into_raw())),
    };
    Frame::new(width, height, channels, pixels)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frames() -> Vec<Frame> {
        (0..5u16)
            .map(|n| {
                let data = (0..24).map(|i| n * 1000 + i * 7).collect();
                Frame::new(4, 2, 3, Pixels::U16(data))
            })
            .collect()
    }

    #[test]
    fn spooled_and_kept_frames_come_back_equal_in_any_order() {
        let dir = tempfile::tempdir().unwrap();
        let frames = frames();
        let mut spool = Spool::create(dir.path(), frames[0].info(0)).unwrap();
        for frame in &frames {
            spool.push(frame).unwrap();
        }
        let spooled = spool.finish().unwrap();
        assert_eq!(spooled.info().frames, 5);
        let path = dir.path().join("kept");
        crate::files::write_atomic(&path, |out| write_kept(out, &spooled, &path)).unwrap();
        let kept = open_kept(&path).unwrap();
        for clip in [spooled, kept] {
            assert_eq!(clip.read(3..5).unwrap(), frames[3..5]);
            assert_eq!(clip.read(0..2).unwrap(), frames[0..2]);
            assert!(clip.read(4..6).is_err());
        }
        assert_eq!(
            std::fs::read_dir(dir.path()).unwrap().count(),
            1,
            "the spool is gone"
        );
    }

    #[test]
    fn damaged_files_are_told_apart() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("kept");
        let clip = Clip::from_frames(frames());
        crate::files::write_atomic(&path, |out| write_kept(out, &clip, &path)).unwrap();
        let whole = std::fs::read(&path).unwrap();
        for cut in [0, 5, 20, whole.len() - 1] {
            std::fs::write(&path, &whole[..cut]).unwrap();
            assert!(open_kept(&path).is_err(), "cut at {cut}");
        }
        let mut long = whole.clone();
        long[8..16].copy_from_slice(&u64::MAX.to_le_bytes());
        std::fs::write(&path, &long).unwrap();
        assert!(
            open_kept(&path)
                .unwrap_err()
                .message
                .en
                .contains("past the end")
        );
    }
}

//! Frames with a number in them that survives encoding, and short cuts.

#![allow(dead_code)] // each test program uses a part
#![allow(clippy::unwrap_used)] // only tests come here

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use longtake_media::{
    Container, FileInfo, MediaError, Metadata, SegmentInfo, SegmentReader, SegmentWriter,
    VideoFormat, assemble,
};

pub const W: u32 = 128;
pub const H: u32 = 72;

pub fn small() -> VideoFormat {
    VideoFormat::h264(W, H, (24, 1))
}

/// 16 bars, black or white, spell `code`; above them a moving slope, so that there is something to encode.
pub fn frame(format: &VideoFormat, code: u16) -> Vec<u8> {
    let (w, h) = (format.width as usize, format.height as usize);
    let mut pixels = Vec::with_capacity(w * h * 3);
    for y in 0..h {
        for x in 0..w {
            if y < h / 2 {
                let v = (x * 2 + y + code as usize * 3) as u8;
                pixels.extend([v, v.wrapping_mul(3), 255 - v]);
            } else {
                let bit = code >> (x * 16 / w) & 1;
                pixels.extend([if bit == 1 { 235 } else { 16 }; 3]);
            }
        }
    }
    pixels
}

/// Reads the bars back.
pub fn code(format: &VideoFormat, pixels: &[u8]) -> u16 {
    let (w, h) = (format.width as usize, format.height as usize);
    (0..16).fold(0, |code, bit| {
        let (x, y) = ((2 * bit + 1) * w / 32, h * 3 / 4);
        code | u16::from(pixels[(y * w + x) * 3 + 1] > 128) << bit
    })
}

pub fn encode(
    path: &Path,
    format: &VideoFormat,
    codes: impl IntoIterator<Item = u16>,
) -> SegmentInfo {
    let mut writer = SegmentWriter::create(path, format).unwrap();
    for n in codes {
        writer.push_rgb(&frame(format, n)).unwrap();
    }
    writer.finish().unwrap()
}

/// Encodes one segment for each range, named by its place.
pub fn segments(
    folder: &Path,
    format: &VideoFormat,
    ranges: &[std::ops::Range<u16>],
) -> Vec<PathBuf> {
    let each = ranges.iter().enumerate().map(|(i, range)| {
        let path = folder.join(format!("{i}.seg"));
        encode(&path, format, range.clone());
        path
    });
    each.collect()
}

pub fn join(
    out: &Path,
    parts: &[PathBuf],
    format: &VideoFormat,
    metadata: &Metadata,
) -> Result<FileInfo, MediaError> {
    let container = if out.extension().is_some_and(|it| it == "mkv") {
        Container::Mkv
    } else {
        Container::Mp4
    };
    assemble(out, parts, format, container, metadata, &mut |_| {
        ControlFlow::Continue(())
    })
}

/// Every encoded frame of a segment.
pub fn encoded(path: &Path) -> Vec<Vec<u8>> {
    let mut reader = SegmentReader::open(path).unwrap();
    std::iter::from_fn(|| reader.next_frame().unwrap())
        .map(|it| it.data)
        .collect()
}

/// Names in a folder, sorted.
pub fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> = folder
        .read_dir()
        .unwrap()
        .map(|it| it.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// A grey texture of fine noise that moves and flickers: hard to encode, as real footage is and slopes are not.
pub fn texture(format: &VideoFormat, n: u32) -> Vec<u8> {
    let hash = |x: u32, y: u32, z: u32| {
        let mut it = x
            .wrapping_mul(0x9E37_79B1)
            .wrapping_add(y.wrapping_mul(0x85EB_CA77))
            .wrapping_add(z.wrapping_mul(0xC2B2_AE3D));
        for _ in 0..2 {
            it = (it ^ it >> 15).wrapping_mul(0x2C1B_3C6D);
        }
        it >> 16
    };
    let mut pixels = Vec::with_capacity(format.frame_bytes());
    for y in 0..format.height {
        for x in 0..format.width {
            let (u, v) = (x + 3 * n, y + 2 * n);
            let near = [(0, 0), (1, 0), (0, 1), (1, 1)];
            let sum: u32 = near.iter().map(|(i, j)| hash(u + i, v + j, 0) % 256).sum();
            let moving = (sum as i32 / 4 - 128) * 2 + 128;
            let flicker = (hash(x, y, n + 1) % 13) as i32 - 6;
            pixels.extend([(moving + flicker).clamp(0, 255) as u8; 3]);
        }
    }
    pixels
}

/// Encodes `frames` frames of [`texture`].
pub fn encode_texture(path: &Path, format: &VideoFormat, frames: u32) -> SegmentInfo {
    let mut writer = SegmentWriter::create(path, format).unwrap();
    for n in 0..frames {
        writer.push_rgb(&texture(format, n)).unwrap();
    }
    writer.finish().unwrap()
}

//! Pictures from files: PNG, JPEG and WebP, turned upright as their EXIF data asks.

use std::path::Path;

use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageError, ImageReader};
use longtake_graph::say;
use longtake_run::{Frame, Pixels, RunError, frames_file};

/// What a picture's header says, upright.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
    /// Whether pixels can be transparent.
    pub alpha: bool,
}

/// A decoded picture.
pub struct Picture {
    /// Three channels, in the file's depth.
    pub colour: Frame,
    /// One channel, 1 where the picture is opaque; none when the file has no transparency.
    pub alpha: Option<Frame>,
}

fn decoder(path: &Path) -> Result<impl ImageDecoder, ImageError> {
    ImageReader::open(path)?
        .with_guessed_format()?
        .into_decoder()
}

fn unreadable(path: &Path, error: &ImageError) -> RunError {
    RunError::failed(say!(
        "{}: expected a PNG, JPEG or WebP picture: {error}",
        "{}: PNG、JPEG、WebP の画像として読み込めません: {error}",
        path.display()
    ))
}

/// Size and kind of a picture, without decoding it.
///
/// # Errors
/// Not a picture, or not readable.
pub fn header(path: &Path) -> Result<Header, RunError> {
    let read = || -> Result<Header, ImageError> {
        let mut decoder = decoder(path)?;
        let (width, height) = decoder.dimensions();
        let turned = matches!(
            decoder.orientation()?,
            Orientation::Rotate90
                | Orientation::Rotate270
                | Orientation::Rotate90FlipH
                | Orientation::Rotate270FlipH
        );
        let (width, height) = if turned {
            (height, width)
        } else {
            (width, height)
        };
        Ok(Header {
            width,
            height,
            alpha: decoder.color_type().has_alpha(),
        })
    };
    read().map_err(|e| unreadable(path, &e))
}

/// Decodes a picture.
///
/// # Errors
/// Not a picture, cut short, or too large to decode.
pub fn picture(path: &Path) -> Result<Picture, RunError> {
    let read = || -> Result<DynamicImage, ImageError> {
        let mut decoder = decoder(path)?;
        let orientation = decoder.orientation()?;
        let mut picture = DynamicImage::from_decoder(decoder)?;
        picture.apply_orientation(orientation);
        Ok(picture)
    };
    let picture = read().map_err(|e| unreadable(path, &e))?;
    let frame = frames_file::from_picture(picture);
    let alpha = (frame.channels == 4).then(|| alpha(&frame));
    Ok(Picture {
        colour: frame.to_rgb(),
        alpha,
    })
}

fn alpha(frame: &Frame) -> Frame {
    fn fourth<T: Copy>(data: &[T]) -> Vec<T> {
        data.iter().skip(3).step_by(4).copied().collect()
    }
    let pixels = match &*frame.pixels {
        Pixels::U8(data) => Pixels::U8(fourth(data)),
        Pixels::U16(data) => Pixels::U16(fourth(data)),
        Pixels::F32(data) => Pixels::F32(fourth(data)),
    };
    Frame::new(frame.width, frame.height, 1, pixels)
}
/// A picture file as a clip of one frame, decoded when it is read.
///
/// # Errors
/// Not a picture, or not readable.
pub fn clip(path: &Path) -> Result<longtake_run::Clip, RunError> {
    let header = header(path)?;
    let path = path.to_path_buf();
    let info = longtake_plan::ClipInfo {
        frames: 1,
        width: header.width,
        height: header.height,
        channels: 3,
        fps: None,
    };
    Ok(crate::film::recipe::Drawn::new(move || Ok(picture(&path)?.colour)).clip(info))
}

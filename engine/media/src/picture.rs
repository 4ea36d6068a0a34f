//! Pictures in GStreamer's memory from and to tightly packed RGB.

use gst_video::prelude::*;
use gstreamer as gst;
use gstreamer_video as gst_video;
use longtake_sentence::Sentence;

use crate::yuv::{Matrix, Planes, PlanesMut, planes_to_rgb, rgb_to_420};
use crate::{Codec, MediaError, VideoFormat};

/// The raw formats that [`rgb_pixels`] takes; `videoconvert` brings others to the nearest of them. It cuts off
/// what 10 bits have more than 8, so that is done here, rounded.
pub(crate) const DECODED: &str =
    "video/x-raw,format=(string){I420,Y42B,Y444,RGB,BGRx,I420_10LE,I422_10LE,Y444_10LE}";

/// What an encoder is given: 4:2:0 BT.709 for H.264, RGB with a spare byte for FFV1.
pub(crate) fn input_info(format: &VideoFormat) -> Result<gst_video::VideoInfo, MediaError> {
    let raw = match format.codec {
        Codec::H264 { .. } => gst_video::VideoFormat::I420,
        Codec::Ffv1 => gst_video::VideoFormat::Bgrx,
    };
    let builder = gst_video::VideoInfo::builder(raw, format.width, format.height)
        .fps(gst::Fraction::new(format.fps.0 as i32, format.fps.1 as i32));
    let bt709 = gst_video::VideoColorimetry::new(
        gst_video::VideoColorRange::Range16_235,
        gst_video::VideoColorMatrix::Bt709,
        gst_video::VideoTransferFunction::Bt709,
        gst_video::VideoColorPrimaries::Bt709,
    );
    let built = match format.codec {
        Codec::H264 { .. } => builder
            .colorimetry(&bt709)
            .chroma_site(gst_video::VideoChromaSite::MPEG2)
            .build(),
        Codec::Ffv1 => builder.build(),
    };
    built.map_err(|error| MediaError::BadFormat(Sentence::same(error)))
}

/// The encoder's picture of an RGB frame of `width * height * 3` bytes.
pub(crate) fn encoder_input(info: &gst_video::VideoInfo, frame: &[u8]) -> gst::Buffer {
    let mut data = vec![0; info.size()];
    let (width, stride) = (info.width() as usize, info.stride());
    if info.format() == gst_video::VideoFormat::I420 {
        let (luma, chroma) = data.split_at_mut(info.offset()[1]);
        let (cb, cr) = chroma.split_at_mut(info.offset()[2] - info.offset()[1]);
        let stride = [0, 1, 2].map(|i| stride[i] as usize);
        rgb_to_420(
            frame,
            width,
            PlanesMut {
                data: [luma, cb, cr],
                stride,
            },
        );
    } else {
        for (to, from) in data
            .chunks_mut(stride[0] as usize)
            .zip(frame.chunks_exact(3 * width))
        {
            for (to, [r, g, b]) in to
                .as_chunks_mut::<4>()
                .0
                .iter_mut()
                .zip(from.as_chunks::<3>().0)
            {
                *to = [*b, *g, *r, 0];
            }
        }
    }
    gst::Buffer::from_slice(data)
}

/// The RGB pixels of a decoded sample in one of [`DECODED`], tightly packed; `None` if it is no such picture.
pub(crate) fn rgb_pixels(sample: &gst::Sample) -> Option<Vec<u8>> {
    let info = gst_video::VideoInfo::from_caps(sample.caps()?).ok()?;
    let frame = gst_video::VideoFrameRef::from_buffer_ref_readable(sample.buffer()?, &info).ok()?;
    let (width, height) = (info.width() as usize, info.height() as usize);
    let stride = |plane: usize| frame.plane_stride()[plane] as usize;
    let rows = |bytes: usize| {
        let data = frame.plane_data(0).unwrap_or_default();
        data.chunks(stride(0))
            .take(height)
            .map(move |row| row.get(..bytes).unwrap_or(row))
    };
    let (shift_x, shift_y) = match info.format() {
        gst_video::VideoFormat::Rgb => return Some(rows(3 * width).flatten().copied().collect()),
        gst_video::VideoFormat::Bgrx => {
            let mut pixels = vec![0; 3 * width * height];
            for (to, from) in pixels.chunks_exact_mut(3 * width).zip(rows(4 * width)) {
                for (to, [b, g, r, _]) in to
                    .as_chunks_mut::<3>()
                    .0
                    .iter_mut()
                    .zip(from.as_chunks::<4>().0)
                {
                    *to = [*r, *g, *b];
                }
            }
            return Some(pixels);
        }
        gst_video::VideoFormat::I420 | gst_video::VideoFormat::I42010le => (1, 1),
        gst_video::VideoFormat::Y42b | gst_video::VideoFormat::I42210le => (1, 0),
        gst_video::VideoFormat::Y444 | gst_video::VideoFormat::Y44410le => (0, 0),
        _ => return None,
    };
    let deep = info.comp_depth(0) == 10;
    let mut narrowed: [Vec<u8>; 3] = Default::default();
    let mut data: [&[u8]; 3] = Default::default();
    for (n, small) in narrowed.iter_mut().enumerate() {
        data[n] = frame.plane_data(n as u32).ok()?;
        if deep {
            *small = to_8_bits(data[n]);
        }
    }
    let mut stride = [stride(0), stride(1), stride(2)];
    if deep {
        data = [&narrowed[0], &narrowed[1], &narrowed[2]];
        stride = stride.map(|it| it / 2);
    }
    let planes = Planes {
        data,
        stride,
        shift_x,
        shift_y,
    };
    Some(planes_to_rgb(planes, matrix_of(&info), width, height))
}

/// 10-bit samples, each in two bytes, rounded to 8 bits.
fn to_8_bits(samples: &[u8]) -> Vec<u8> {
    let samples = samples.as_chunks::<2>().0.iter();
    samples
        .map(|it| (u16::from_le_bytes(*it).saturating_add(2) >> 2).min(255) as u8)
        .collect()
}

/// The matrix a stream is tagged with; untagged, the one usual for its height.
fn matrix_of(info: &gst_video::VideoInfo) -> Matrix {
    let colour = info.colorimetry();
    let (kr, kb) = match colour.matrix() {
        gst_video::VideoColorMatrix::Bt709 => (0.2126, 0.0722),
        gst_video::VideoColorMatrix::Bt601 => (0.299, 0.114),
        gst_video::VideoColorMatrix::Bt2020 => (0.2627, 0.0593),
        gst_video::VideoColorMatrix::Fcc => (0.30, 0.11),
        gst_video::VideoColorMatrix::Smpte240m => (0.212, 0.087),
        _ if info.height() >= 720 => (0.2126, 0.0722),
        _ => (0.299, 0.114),
    };
    Matrix {
        kr,
        kb,
        full_range: colour.range() == gst_video::VideoColorRange::Range0_255,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A picture 1024 wide, whose column `n` has the luma `n`, without colour.
    fn ramp(format: gst_video::VideoFormat) -> gst::Sample {
        crate::init().unwrap();
        let info = gst_video::VideoInfo::builder(format, 1024, 2)
            .build()
            .unwrap();
        let mut data = vec![0; info.size()];
        let (luma, chroma) = data.split_at_mut(info.offset()[1]);
        for row in luma.chunks_mut(info.stride()[0] as usize) {
            for (n, it) in row.as_chunks_mut::<2>().0.iter_mut().enumerate() {
                *it = (n as u16).to_le_bytes();
            }
        }
        for it in chroma.as_chunks_mut::<2>().0 {
            *it = 512_u16.to_le_bytes();
        }
        let buffer = gst::Buffer::from_slice(data);
        let caps = info.to_caps().unwrap();
        gst::Sample::builder().buffer(&buffer).caps(&caps).build()
    }

    #[test]
    fn ten_bits_are_rounded_and_not_cut_off() {
        for format in [
            gst_video::VideoFormat::I42010le,
            gst_video::VideoFormat::I42210le,
            gst_video::VideoFormat::Y44410le,
        ] {
            let pixels = rgb_pixels(&ramp(format)).unwrap();
            assert_eq!(pixels.len(), 1024 * 2 * 3);
            // Between black (64) and white (940), where nothing is clipped.
            let errors = (64..=940).map(|n| {
                let [r, g, b] = pixels.as_chunks::<3>().0[n];
                assert!(r == g && g == b, "{format:?} column {n}: {r} {g} {b}");
                f64::from(r) - (n as f64 - 64.0) * 255.0 / 876.0
            });
            let errors: Vec<f64> = errors.collect();
            let mean = errors.iter().sum::<f64>() / errors.len() as f64;
            assert!(mean.abs() < 0.15, "{format:?}: {mean}");
            assert!(errors.iter().all(|it| it.abs() <= 1.2), "{format:?}");
        }
    }
}

//! Video files in and out: encode segments, join them into a film, decode.
//!
//! A film is joined from *segments*: each shot's frames are encoded once into a [`SegmentWriter`] file, and
//! [`assemble`] copies the encoded frames into an MP4 or MKV without encoding again. Changing one shot
//! therefore re-encodes one segment.
//!
//! **Invariant:** this crate alone names GStreamer, and no GStreamer type is in its interface.
//! **Invariant:** nothing here holds more than a few frames, however long the film.
//! **Invariant:** files appear whole or not at all: a temporary name in the same folder, fsync, rename.

mod assemble;
mod error;
mod ffv1;
mod format;
mod install;
mod metadata;
mod mkv;
mod mp4;
mod picture;
mod pipe;
mod reader;
mod regular;
mod segment;
mod segment_frames;
mod whole_file;
mod writer;
mod yuv;

pub use assemble::{Container, FileInfo, assemble};
pub use error::{Doing, MediaError, Pipeline};
pub use format::{Codec, Preset, SETTINGS, VideoFormat};
pub use install::{check_installation, init};
pub use metadata::{Metadata, read_metadata};
pub use reader::{VideoInfo, VideoReader, probe};
pub use segment::{EncodedFrame, SegmentHeader, SegmentReader};
pub use segment_frames::{SegmentFrames, decode_segment};
pub use writer::{SegmentInfo, SegmentWriter};

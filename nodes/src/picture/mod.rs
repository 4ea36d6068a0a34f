//! Pixels: resizing, text, camera moves, blends, cards. Pure functions over frames; no node
//! knows how.
//!
//! - [`axis`]: filter weights along one axis, and the two passes that use them.
//! - [`resize`]: ComfyUI's `ImageScale` methods.
//! - [`camera`]: moves of a virtual camera over a larger picture.
//! - [`blend`]: dissolves, fades, easing.
//! - [`canvas`], [`text`]: drawing. [`backdrop`], [`card`], [`words`]: what an animatic shows.
//! - [`load`]: pictures from files.

pub mod axis;
pub mod backdrop;
pub mod blend;
pub mod camera;
pub mod canvas;
pub mod card;
pub mod clip_pixels;
pub mod load;
pub mod palette;
pub mod resize;
pub mod text;
pub mod words;

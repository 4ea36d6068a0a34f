//! The canvas driven as a person drives it: by mouse and keys, without a window.

mod gestures;
mod look;
mod splice;
mod stage;

//! The UMT5 text encoder.

//! Pixels: resizing, text, camera moves, blends. Pure functions over frames; no node knows how.

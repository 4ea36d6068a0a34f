//! The Wan video autoencoders.

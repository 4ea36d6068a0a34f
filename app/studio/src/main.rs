//! The `longtake` program.

fn main() {}

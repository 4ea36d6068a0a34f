//! Memory that every frame takes and gives back.

/// Tells the C library to keep what a frame gave back for the next one. The vertices of a graph of
/// thousands of nodes take megabytes; handed back to the system after each frame they cost half of
/// the frame again (page faults: `make bench-canvas`, 5,000 nodes in view, 7 ms without this and 4
/// with it). The limits are those that glibc comes to by itself once 32 MB were freed at a time
/// (`mallopt(3)`), so no more is kept than before. Elsewhere nothing is done.
pub fn keep_between_frames() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    #[allow(unsafe_code, reason = "the C library's own setting")]
    // SAFETY: takes two numbers; called while one thread runs.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, 32 << 20);
        libc::mallopt(libc::M_TRIM_THRESHOLD, 64 << 20);
    }
}

/// Gives freed memory back to the system: once what took much is over, as the start is with the presets
/// and fonts that it read.
pub fn give_back() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    #[allow(unsafe_code, reason = "the C library's own function")]
    // SAFETY: takes a number, and only frees pages that hold nothing.
    unsafe {
        libc::malloc_trim(0);
    }
}

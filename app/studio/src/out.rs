//! Lines for whoever listens: a render goes on when its reader went away.
//!
//! `println!` and `eprintln!` panic when they cannot write. Commands whose whole point is what they
//! print end at a closed pipe, as other tools do ([`end_at_closed_pipe`]); a render does not, since what
//! it writes to the disk counts, and not who reads its progress.

use std::fmt::Arguments;
use std::io::Write;

/// A line to standard output, if someone still reads it.
pub fn line(text: Arguments<'_>) {
    let _ = writeln!(std::io::stdout().lock(), "{text}");
}

/// A line to standard error, if someone still reads it.
pub fn note(text: Arguments<'_>) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

/// From here on a reader that goes away (`| head`) ends the program quietly. For commands that only
/// print: Rust's default, to be told of it by an error, holds for all others.
#[cfg(unix)]
#[allow(unsafe_code, reason = "the action of a signal is the C library's")]
pub fn end_at_closed_pipe() {
    // SAFETY: sets the default action; no handler of ours runs.
    unsafe {
        libc::signal(libc::SIGPIPE, libc::SIG_DFL);
    }
}

/// Other systems have no such signal.
#[cfg(not(unix))]
pub fn end_at_closed_pipe() {}

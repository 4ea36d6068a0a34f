//! How much memory the program and the machine use, from `/proc`.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

/// Bytes of this program in memory now; 0 where it cannot be told.
pub fn resident_bytes() -> u64 {
    let Ok(text) = std::fs::read_to_string("/proc/self/statm") else {
        return 0;
    };
    let pages = text
        .split_whitespace()
        .nth(1)
        .and_then(|it| it.parse::<u64>().ok());
    pages.unwrap_or(0) * page_bytes()
}

#[allow(unsafe_code, reason = "asking the system for its page size")]
fn page_bytes() -> u64 {
    // SAFETY: sysconf only reads a constant of the system.
    let bytes = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    u64::try_from(bytes).unwrap_or(4096)
}

/// Most bytes this program has had in memory; 0 where it cannot be told.
pub fn peak_resident_bytes() -> u64 {
    field("/proc/self/status", "VmHWM:")
}

/// Bytes the machine could still give out.
pub fn available_bytes() -> u64 {
    field("/proc/meminfo", "MemAvailable:")
}

/// Bytes of memory the machine has.
pub fn total_bytes() -> u64 {
    field("/proc/meminfo", "MemTotal:")
}

fn field(path: &str, name: &str) -> u64 {
    let Ok(text) = std::fs::read_to_string(path) else {
        return 0;
    };
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    let kib = line.and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok());
    kib.unwrap_or(0) * 1024
}

/// Hands freed heap pages back to the system, so that what a step freed is not counted against the
/// next one.
#[allow(unsafe_code, reason = "the allocator's own function")]
pub fn give_back() {
    #[cfg(target_env = "gnu")]
    // SAFETY: malloc_trim may be called at any time from any thread.
    unsafe {
        libc::malloc_trim(0);
    }
}

/// Watches [`resident_bytes`] while steps run.
#[derive(Default)]
pub struct Watch {
    stop: AtomicBool,
    peak: AtomicU64,
}

impl Watch {
    /// Samples every 10 ms until [`Watch::stop`]; run it on a thread of its own.
    pub fn sample(&self, mut seen: impl FnMut(u64)) {
        while !self.stop.load(Ordering::Relaxed) {
            let now = resident_bytes();
            self.peak.fetch_max(now, Ordering::Relaxed);
            seen(now);
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Ends the sampling.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    /// Highest sample so far.
    pub fn peak(&self) -> u64 {
        self.peak.load(Ordering::Relaxed)
    }
}

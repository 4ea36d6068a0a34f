//! How large the store may grow.

use std::ffi::CString;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// What the store may take of the disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Limit {
    /// A quarter of what is free or its own already, but no less than [`FLOOR`].
    #[default]
    Auto,
    /// That many bytes.
    Bytes(u64),
    /// Whatever there is.
    Unlimited,
}

/// What the store may take even on a nearly full disk: about one film of ten minutes with all its shots.
pub const FLOOR: u64 = 4 << 30;
/// The part of the disk that is the store's, where nobody said otherwise: one in so many.
const SHARE: u64 = 4;

impl Limit {
    /// The limit in bytes for a store of that size on a disk with that much free; `None`: no limit.
    pub fn bytes(self, used: u64, free: Option<u64>) -> Option<u64> {
        match self {
            Self::Bytes(bytes) => Some(bytes),
            Self::Unlimited => None,
            // A disk that does not tell what is free is not ours to judge.
            Self::Auto => free.map(|free| (used.saturating_add(free) / SHARE).max(FLOOR)),
        }
    }
}

/// Bytes that may still be written where that folder lies; `None` where it cannot be told.
#[allow(unsafe_code, reason = "asking the system for free space")]
pub fn free_bytes(folder: &Path) -> Option<u64> {
    let name = CString::new(folder.as_os_str().as_bytes()).ok()?;
    let mut found = std::mem::MaybeUninit::<libc::statvfs>::zeroed();
    // SAFETY: a path that ends with a zero byte, and room for the answer, which is plain numbers.
    let found = unsafe {
        if libc::statvfs(name.as_ptr(), found.as_mut_ptr()) != 0 {
            return None;
        }
        found.assume_init()
    };
    // Their widths differ between systems.
    #[allow(clippy::useless_conversion, clippy::unnecessary_cast)]
    let (blocks, size) = (found.f_bavail as u64, found.f_frsize as u64);
    Some(blocks.saturating_mul(size))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GIB: u64 = 1 << 30;

    #[test]
    fn the_store_takes_a_quarter_of_what_could_be_its_own() {
        assert_eq!(
            Limit::Auto.bytes(20 * GIB, Some(380 * GIB)),
            Some(100 * GIB)
        );
        // Full: what is there already counts too, and the floor holds.
        assert_eq!(Limit::Auto.bytes(100 * GIB, Some(0)), Some(25 * GIB));
        assert_eq!(Limit::Auto.bytes(0, Some(0)), Some(FLOOR));
        assert_eq!(Limit::Auto.bytes(u64::MAX, Some(1)), Some(u64::MAX / 4));
        assert_eq!(Limit::Auto.bytes(0, None), None);
        assert_eq!(Limit::Bytes(7).bytes(9, Some(1)), Some(7));
        assert_eq!(Limit::Unlimited.bytes(9, Some(1)), None);
    }

    #[test]
    fn the_disk_tells_what_is_free() {
        let dir = tempfile::tempdir().unwrap();
        assert!(free_bytes(dir.path()).unwrap() > 0);
        assert_eq!(free_bytes(&dir.path().join("none")), None);
    }
}

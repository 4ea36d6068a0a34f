//! What was chosen on a machine, kept so that its next run computes with the same kernels.
//!
//! One small file for a processor, a library and a version of this program. The first to write it
//! wins: whoever measured at the same time takes what stands there.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::Kind;

/// Time of the library in times of the `gemm` crate, per kind as in [`Kind::ALL`].
pub type Ratios = [f64; Kind::ALL.len()];

/// What the measurements depend on, in one line.
pub fn key(library: &str) -> String {
    let version = env!("CARGO_PKG_VERSION");
    let line = format!("longtake {version}; {}; {library}", processor());
    line.replace(['\n', '\r'], " ")
}

/// The processor's name; its architecture where the system does not say.
fn processor() -> String {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let names = info.lines().filter_map(|line| line.split_once(':'));
    let name = names
        .into_iter()
        .find(|(key, _)| key.trim() == "model name");
    name.map_or(std::env::consts::ARCH, |(_, name)| name.trim())
        .to_owned()
}

/// The file for `key` in `folder`.
fn file(folder: &Path, key: &str) -> PathBuf {
    // FNV-1a; the key itself stands in the file.
    let hash = key.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    folder.join(format!("products-{hash:016x}.txt"))
}

/// What was measured before; `None` if nothing was, or if the file is not one of ours.
pub fn recall(folder: &Path, key: &str) -> Option<Ratios> {
    let text = fs::read_to_string(file(folder, key)).ok()?;
    let mut lines = text.lines();
    if lines.next() != Some(key) {
        return None;
    }
    let mut ratios: Ratios = [0.0; Kind::ALL.len()];
    for (kind, ratio) in Kind::ALL.iter().zip(&mut ratios) {
        let (name, number) = lines.next()?.split_once(' ')?;
        *ratio = number.parse().ok()?;
        if name != kind.name() || !(ratio.is_finite() && *ratio > 0.0) {
            return None;
        }
    }
    lines.next().is_none().then_some(ratios)
}

/// Keeps what was measured, and gives what is kept: that of another process, if it was first.
///
/// # Errors
/// The folder cannot be written.
pub fn keep(folder: &Path, key: &str, ratios: Ratios) -> io::Result<Ratios> {
    fs::create_dir_all(folder)?;
    let path = file(folder, key);
    let part = path.with_extension(format!("{}.part", std::process::id()));
    let write = || {
        let mut out = fs::File::create(&part)?;
        writeln!(out, "{key}")?;
        for (kind, ratio) in Kind::ALL.iter().zip(ratios) {
            writeln!(out, "{} {ratio:.3}", kind.name())?;
        }
        out.sync_all()?;
        // Unlike a rename, a link does not replace what another process has put there.
        match fs::hard_link(&part, &path) {
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists && recall(folder, key).is_some() => {
                Ok(())
            }
            // What stands there is damaged, or this file system has no links.
            Err(_) => fs::rename(&part, &path),
            Ok(()) => Ok(()),
        }
    };
    let written = write();
    let _ = fs::remove_file(&part);
    written.map(|()| recall(folder, key).unwrap_or(ratios))
}

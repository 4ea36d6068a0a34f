//! The window: `longtake`, `longtake edit FILE`.

mod dialogs;
pub mod engine;
mod media;
mod presets;
mod shell;
#[cfg(test)]
mod tests;

use anyhow::{Result, anyhow};

use crate::Ended;
use crate::args::Edit;

pub use engine::Machinery;

/// Opens the window and returns when it is closed.
///
/// # Errors
/// No display, a device that is not there, a store that cannot be made.
pub fn run(args: &Edit) -> Result<Ended> {
    let began = std::time::Instant::now();
    let machinery = Machinery::open(&args.place)?;
    shell::open(machinery, args.file.clone(), began).map_err(|error| {
        anyhow!(
            "the window cannot be opened: {error}. On a machine without a display use \
             `longtake render`, or start a virtual one (`xvfb-run longtake`)"
        )
    })?;
    Ok(Ended::Done)
}

//! The window: `longtake`, `longtake edit FILE`.

mod dialogs;
pub mod engine;
mod media;
mod outside;
mod presets;
#[cfg(feature = "vulkan")]
mod screen;
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
    longtake_ui::memory::keep_between_frames();
    let began = std::time::Instant::now();
    let machinery = Machinery::open(&args.window.place)?;
    let one_device = one_device(args, &machinery)?;
    shell::open(machinery, args.file.clone(), began, one_device).map_err(|error| {
        anyhow!(
            "the window cannot be opened: {error}. On a machine without a display use \
             `longtake render`, or start a virtual one (`xvfb-run longtake`)"
        )
    })?;
    Ok(Ended::Done)
}

/// Whether the window draws with the device that computes.
fn one_device(args: &Edit, machinery: &Machinery) -> Result<bool> {
    let device = machinery.opened.device;
    if args.window.share_device && !device.is_vulkan() {
        return Err(anyhow!(
            "--share-device: windows can draw with a Vulkan device only, and this session computes \
             on {}; add --device vulkan, or leave --share-device out",
            device.describe()
        ));
    }
    Ok(args.window.share_device)
}

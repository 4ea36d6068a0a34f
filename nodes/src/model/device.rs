//! The device handle the executor carries for us.

use std::sync::Arc;

use longtake_graph::say;
use longtake_models::Device as Handle;
pub use longtake_models::device::{
    DeviceInfo, DeviceSpec, ProductReport, list, product_report, product_report_so_far,
    remember_products_in,
};
use longtake_run::{Device, RunError};

use crate::failure::OrFail;

/// Opens a device by its name on the command line (`auto`, `cpu`, `cuda:1`, `vulkan`).
///
/// # Errors
/// Unknown name, a device this build or this machine does not have.
pub fn open(spec: &DeviceSpec) -> Result<Device, RunError> {
    let handle = spec.open().or_fail()?;
    Ok(Device {
        handle: Arc::new(handle),
        name: spec.to_string(),
    })
}

/// The handle inside.
///
/// # Errors
/// The executor was given another kind of handle: a bug of ours.
pub fn handle(device: &Device) -> Result<&Handle, RunError> {
    device.handle.downcast_ref::<Handle>().ok_or_else(|| {
        RunError::failed(say!(
            "the device {} was not opened by the node layer; this is a bug in Longtake",
            "デバイス {} がノード層で開かれていません。Longtake の不具合です",
            device.name
        ))
    })
}

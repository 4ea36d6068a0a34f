//! Devices.
use crate::Device;

/// Whether tensors on it live in host memory and are computed by the CPU.
pub fn is_cpu(device: &Device) -> bool {
    matches!(device, Device::Flex(_))
}

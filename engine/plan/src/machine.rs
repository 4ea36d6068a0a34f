//! The machine a plan is made for: what its memory holds and how fast it is.

use serde::Serialize;

/// Where models run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum DeviceKind {
    /// The host's processors: device memory *is* host memory.
    Cpu,
    /// An NVIDIA GPU.
    Cuda,
    /// Any GPU with Vulkan.
    Vulkan,
}

/// Memory and speed. Budgets are what the plan may use, not what is built in.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Machine {
    /// Where models run.
    pub device: DeviceKind,
    /// Name for people.
    pub device_name: String,
    /// Bytes the plan may use on the device (`--vram`; by default 92 % of it). On
    /// [`DeviceKind::Cpu`] this is not used: everything counts against `host_budget`.
    pub device_budget: u64,
    /// Bytes the plan may use on the host (`--ram`; by default 92 % of it).
    pub host_budget: u64,
    /// Bytes of one weight value when loaded (4 on the CPU, 2 for bf16 on a GPU).
    pub weight_bytes: u64,
    /// Sustained speed in matrix products, FLOP/s; for estimates of time only.
    pub flops_per_second: f64,
    /// Bytes per second from disk into memory; for estimates of time only.
    pub load_bytes_per_second: f64,
    /// Bytes the program itself takes before any step (code, allocator, libraries).
    pub base_host_bytes: u64,
}

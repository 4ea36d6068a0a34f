//! Which device models run on: named on the command line, probed, and only then opened.
//!
//! Burn 0.21 panics when it is given a CUDA or Vulkan device that does not exist, so drivers are
//! asked first, through their own libraries loaded at run time. No probing creates a GPU context.

mod cuda;
mod fault;
mod vulkan;

use std::fmt;
use std::str::FromStr;

use longtake_sentence::{Sentence, say};

pub use fault::DeviceFault;
pub use longtake_shaders::{
    ProductReport, product_report, product_report_so_far, remember_products_in,
};

use crate::Device;

/// A device as the command line names it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum DeviceSpec {
    /// CUDA if there is one, else Vulkan on a real GPU, else the CPU; of those compiled in.
    #[default]
    Auto,
    Cpu,
    /// The CUDA device of this index, in the driver's order (`CUDA_VISIBLE_DEVICES` applies).
    Cuda(usize),
    /// Vulkan's preferred device.
    Vulkan,
}

/// A device that cannot be had.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.sentence())]
pub enum DeviceError {
    Unknown(String),
    NotBuilt {
        name: &'static str,
        feature: &'static str,
    },
    NoDriver {
        name: &'static str,
        reason: Sentence,
    },
    NoSuchIndex {
        index: usize,
        count: usize,
    },
}

impl DeviceError {
    /// The message in both languages.
    pub fn sentence(&self) -> Sentence {
        match self {
            Self::Unknown(name) => say!(
                "no device is called `{name}`; choose auto, cpu, cuda, cuda:N or vulkan",
                "「{name}」というデバイスはありません。auto、cpu、cuda、cuda:N、vulkan から選んでください"
            ),
            Self::NotBuilt { name, feature } => say!(
                "this build has no {name} support; use a build with `--features {feature}`, or --device cpu",
                "このビルドは {name} に対応していません。「--features {feature}」でビルドしたものを使うか、--device cpu を指定してください"
            ),
            Self::NoDriver { name, reason } => say!(
                "no {name} driver: {reason}; install the driver, or use --device cpu",
                "{name} のドライバーがありません: {reason}。ドライバーをインストールするか、--device cpu を指定してください";
                reason
            ),
            Self::NoSuchIndex { index, count } => say!(
                "cuda:{index}: there are {count} CUDA devices, counted from 0; choose another index",
                "cuda:{index}: CUDA デバイスは {count} 個で、0 から数えます。別の番号を指定してください"
            ),
        }
    }
}

/// A device of this machine, for listings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceInfo {
    pub spec: DeviceSpec,
    pub name: String,
    /// Memory of the device; of the host for the CPU.
    pub memory_bytes: Option<u64>,
    /// Why it cannot be opened by this build, if so.
    pub problem: Option<DeviceError>,
}

impl fmt::Display for DeviceSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Cpu => f.write_str("cpu"),
            Self::Cuda(index) => write!(f, "cuda:{index}"),
            Self::Vulkan => f.write_str("vulkan"),
        }
    }
}

impl FromStr for DeviceSpec {
    type Err = DeviceError;

    fn from_str(text: &str) -> Result<Self, DeviceError> {
        Self::parse(text)
    }
}

impl DeviceSpec {
    /// `auto`, `cpu`, `cuda`, `cuda:N` or `vulkan`. `cuda` is `cuda:0`.
    ///
    /// # Errors
    /// [`DeviceError::Unknown`].
    pub fn parse(text: &str) -> Result<Self, DeviceError> {
        match text {
            "auto" => Ok(Self::Auto),
            "cpu" => Ok(Self::Cpu),
            "cuda" => Ok(Self::Cuda(0)),
            "vulkan" => Ok(Self::Vulkan),
            _ => {
                let index = text
                    .strip_prefix("cuda:")
                    .filter(|n| n.bytes().all(|b| b.is_ascii_digit()));
                // Burn keeps the index in 16 bits.
                let index = index.and_then(|n| n.parse::<u16>().ok());
                index
                    .map(|n| Self::Cuda(n.into()))
                    .ok_or_else(|| DeviceError::Unknown(text.chars().take(60).collect()))
            }
        }
    }

    /// The device that is meant, known to be there: never `Auto`.
    ///
    /// # Errors
    /// [`DeviceError`] says what is missing: support in this build, a driver, or the index.
    pub fn resolve(self) -> Result<Self, DeviceError> {
        match self {
            Self::Auto if cuda::BUILT && cuda::devices().is_ok_and(|it| !it.is_empty()) => {
                Ok(Self::Cuda(0))
            }
            Self::Auto
                if vulkan::BUILT
                    && vulkan::devices().is_ok_and(|it| it.iter().any(|gpu| gpu.is_real)) =>
            {
                Ok(Self::Vulkan)
            }
            Self::Auto | Self::Cpu => Ok(Self::Cpu),
            Self::Cuda(index) => {
                if !cuda::BUILT {
                    return Err(DeviceError::NotBuilt {
                        name: "CUDA",
                        feature: "cuda",
                    });
                }
                let count = cuda::devices()?.len();
                if index >= count {
                    return Err(DeviceError::NoSuchIndex { index, count });
                }
                cuda::check_compiler()?;
                Ok(self)
            }
            Self::Vulkan => {
                if !vulkan::BUILT {
                    return Err(DeviceError::NotBuilt {
                        name: "Vulkan",
                        feature: "vulkan",
                    });
                }
                if vulkan::devices()?.is_empty() {
                    return Err(DeviceError::NoDriver {
                        name: "Vulkan",
                        reason: say!("it lists no device", "デバイスが一つも見つかりません"),
                    });
                }
                Ok(self)
            }
        }
    }

    /// The handle tensors are made with.
    ///
    /// # Errors
    /// As [`DeviceSpec::resolve`].
    pub fn open(self) -> Result<Device, DeviceError> {
        match self.resolve()? {
            Self::Cuda(index) => {
                fault::watch();
                cuda::open(index)
            }
            Self::Vulkan => {
                fault::watch();
                vulkan::open()
            }
            Self::Auto | Self::Cpu => Ok(cpu()),
        }
    }

    pub fn is_cpu(self) -> bool {
        self == Self::Cpu
    }

    pub fn is_cuda(self) -> bool {
        matches!(self, Self::Cuda(_))
    }

    pub fn is_vulkan(self) -> bool {
        self == Self::Vulkan
    }

    /// Memory of the device in all, of the host for the CPU. `None` if nobody says.
    pub fn memory_bytes(self) -> Option<u64> {
        self.info().and_then(|info| info.memory_bytes)
    }

    /// One line for people: `cuda:0 (NVIDIA H100, 79.1 GiB)`.
    pub fn describe(self) -> String {
        let Some(info) = self.info() else {
            return self.to_string();
        };
        let memory = info
            .memory_bytes
            .map(|bytes| format!(", {:.1} GiB", bytes as f64 / (1u64 << 30) as f64));
        format!(
            "{} ({}{})",
            info.spec,
            info.name,
            memory.unwrap_or_default()
        )
    }

    fn info(self) -> Option<DeviceInfo> {
        let spec = self.resolve().ok()?;
        list().into_iter().find(|info| info.spec == spec)
    }
}

/// All devices of this machine, the CPU first. GPUs that this build cannot use are listed with the
/// reason; of Vulkan's devices only the one it prefers.
pub fn list() -> Vec<DeviceInfo> {
    let mut out = vec![DeviceInfo {
        spec: DeviceSpec::Cpu,
        name: cpu_name(),
        memory_bytes: host_memory_bytes(),
        problem: None,
    }];
    for (index, gpu) in cuda::devices().unwrap_or_default().into_iter().enumerate() {
        let problem = DeviceSpec::Cuda(index).resolve().err();
        out.push(DeviceInfo {
            spec: DeviceSpec::Cuda(index),
            name: gpu.name,
            memory_bytes: gpu.memory_bytes,
            problem,
        });
    }
    let mut gpus = vulkan::devices().unwrap_or_default();
    gpus.sort_by_key(|gpu| std::cmp::Reverse((gpu.is_real, gpu.is_discrete)));
    if let Some(gpu) = gpus.into_iter().next() {
        let problem = DeviceSpec::Vulkan.resolve().err();
        out.push(DeviceInfo {
            spec: DeviceSpec::Vulkan,
            name: gpu.name,
            memory_bytes: gpu.memory_bytes,
            problem,
        });
    }
    out
}

/// The CPU.
pub fn cpu() -> Device {
    Device::Flex(burn::backend::flex::FlexDevice)
}

/// Whether tensors on it live in host memory and are computed by the CPU.
pub fn is_cpu(device: &Device) -> bool {
    matches!(device, Device::Flex(_))
}

/// Memory of this machine, from `/proc/meminfo`; `None` where there is no such file.
pub fn host_memory_bytes() -> Option<u64> {
    field(&std::fs::read_to_string("/proc/meminfo").ok()?, "MemTotal")?
        .strip_suffix("kB")?
        .trim()
        .parse::<u64>()
        .ok()?
        .checked_mul(1024)
}

fn cpu_name() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    format!(
        "{}, {cores} cores",
        field(&info, "model name").unwrap_or("CPU")
    )
}

/// Value of the first line `key : value`.
fn field<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    let lines = text.lines().filter_map(|line| line.split_once(':'));
    lines
        .into_iter()
        .find(|(name, _)| name.trim() == key)
        .map(|(_, value)| value.trim())
}

/// A driver's function that failed.
fn gives_error(call: &str, code: i32) -> Sentence {
    say!(
        "{call} gives error {code}",
        "{call} がエラー {code} を返しました"
    )
}

/// A library that the system's loader refused, in its words.
fn not_loaded(error: &str) -> Sentence {
    say!("{error}", "ライブラリを読み込めません（{error}）")
}

/// What a driver says of one GPU.
#[derive(Clone, Debug)]
struct Gpu {
    name: String,
    memory_bytes: Option<u64>,
    /// Hardware, not a rasteriser on the CPU.
    is_real: bool,
    is_discrete: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for (text, spec) in [
            ("auto", DeviceSpec::Auto),
            ("cpu", DeviceSpec::Cpu),
            ("cuda:0", DeviceSpec::Cuda(0)),
            ("cuda:12", DeviceSpec::Cuda(12)),
            ("vulkan", DeviceSpec::Vulkan),
        ] {
            assert_eq!(DeviceSpec::parse(text), Ok(spec));
            assert_eq!(spec.to_string(), text);
        }
        assert_eq!(DeviceSpec::parse("cuda"), Ok(DeviceSpec::Cuda(0)));
        for text in [
            "",
            "gpu",
            "cuda:",
            "cuda:-1",
            "cuda:+1",
            "cuda:99999",
            "cuda:1.0",
            "CPU",
            "vulkan:0",
        ] {
            assert_eq!(
                DeviceSpec::parse(text),
                Err(DeviceError::Unknown(text.into()))
            );
        }
    }

    #[test]
    fn the_cpu_is_always_there() {
        assert!(is_cpu(&DeviceSpec::Cpu.open().unwrap()));
        assert_ne!(DeviceSpec::Auto.resolve().unwrap(), DeviceSpec::Auto);
        assert!(DeviceSpec::Cpu.describe().starts_with("cpu ("));
        assert_eq!(list()[0].spec, DeviceSpec::Cpu);
        assert!(
            DeviceSpec::Cpu
                .memory_bytes()
                .is_none_or(|bytes| bytes > 1 << 28)
        );
    }

    /// Whatever this machine has, what opens was probed, and what does not says why.
    #[test]
    fn missing_devices_are_errors() {
        let error = DeviceSpec::Cuda(4000).resolve().unwrap_err();
        match (cuda::BUILT, cuda::devices()) {
            (false, _) => assert_eq!(
                error,
                DeviceError::NotBuilt {
                    name: "CUDA",
                    feature: "cuda"
                }
            ),
            (true, Ok(gpus)) => assert_eq!(
                error,
                DeviceError::NoSuchIndex {
                    index: 4000,
                    count: gpus.len()
                }
            ),
            (true, Err(no_driver)) => assert_eq!(error, no_driver),
        }
        assert!(error.to_string().contains(';'), "a remedy: {error}");
        if !vulkan::BUILT {
            assert!(matches!(
                DeviceSpec::Vulkan.open(),
                Err(DeviceError::NotBuilt { .. })
            ));
        }
    }
}

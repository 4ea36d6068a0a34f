//! What the CUDA driver says, asked through `libcuda` (CUDA driver API, "Initialization" and
//! "Device Management").
#![allow(unsafe_code, reason = "calls into the CUDA driver")]

use std::ffi::{CStr, c_char, c_int, c_uint};

use libloading::{Library, Symbol};
use longtake_sentence::{Sentence, say};

use super::{DeviceError, Gpu};
use crate::Device;

/// Whether Burn's CUDA backend is compiled in.
pub(super) const BUILT: bool = cfg!(feature = "cuda");

#[cfg(windows)]
const DRIVER: &[&str] = &["nvcuda.dll"];
#[cfg(not(windows))]
const DRIVER: &[&str] = &["libcuda.so.1", "libcuda.so"];

/// The run-time compiler that Burn's kernels need.
#[cfg(windows)]
const COMPILER: &[&str] = &[
    "nvrtc64_130_0.dll",
    "nvrtc64_120_0.dll",
    "nvrtc64_112_0.dll",
];
#[cfg(not(windows))]
const COMPILER: &[&str] = &[
    "libnvrtc.so",
    "libnvrtc.so.13",
    "libnvrtc.so.12",
    "libnvrtc.so.11.2",
];

type Init = unsafe extern "C" fn(c_uint) -> c_int;
type GetCount = unsafe extern "C" fn(*mut c_int) -> c_int;
type GetDevice = unsafe extern "C" fn(*mut c_int, c_int) -> c_int;
type GetName = unsafe extern "C" fn(*mut c_char, c_int, c_int) -> c_int;
type TotalMem = unsafe extern "C" fn(*mut usize, c_int) -> c_int;

/// `CUDA_ERROR_NO_DEVICE`: a sound driver with nothing to drive.
const NO_DEVICE: c_int = 100;

/// The devices in the driver's order; an error if there is no usable driver.
pub(super) fn devices() -> Result<Vec<Gpu>, DeviceError> {
    let library = load(DRIVER)?;
    // SAFETY: names and signatures are the driver API's; out-pointers point to live locals of the
    // right type, the name buffer has the length passed, and the library is never unloaded, since
    // Burn will use the same driver in this process.
    unsafe {
        let init: Symbol<Init> = symbol(library, c"cuInit")?;
        let get_count: Symbol<GetCount> = symbol(library, c"cuDeviceGetCount")?;
        match init(0) {
            0 => {}
            NO_DEVICE => return Ok(Vec::new()),
            code => return Err(gives("cuInit", code)),
        }
        let mut count = 0;
        match get_count(&raw mut count) {
            0 => (0..count).map(|index| device(library, index)).collect(),
            NO_DEVICE => Ok(Vec::new()),
            code => Err(gives("cuDeviceGetCount", code)),
        }
    }
}

/// SAFETY: `cuInit` has succeeded.
unsafe fn device(library: &Library, index: c_int) -> Result<Gpu, DeviceError> {
    // SAFETY: as in `devices`.
    unsafe {
        let get: Symbol<GetDevice> = symbol(library, c"cuDeviceGet")?;
        let get_name: Symbol<GetName> = symbol(library, c"cuDeviceGetName")?;
        let total: Symbol<TotalMem> = symbol(library, c"cuDeviceTotalMem_v2")?;
        let (mut handle, mut bytes, mut name) = (0, 0usize, [0 as c_char; 256]);
        if get(&raw mut handle, index) != 0 {
            return Err(no_driver(say!(
                "cuDeviceGet refuses device {index}",
                "cuDeviceGet がデバイス {index} を拒みました"
            )));
        }
        // One byte less than the buffer: it stays terminated whatever the driver writes.
        let named = get_name(name.as_mut_ptr(), name.len() as c_int - 1, handle) == 0;
        let name = if named {
            CStr::from_ptr(name.as_ptr()).to_string_lossy().into_owned()
        } else {
            "NVIDIA GPU".into()
        };
        let memory_bytes = (total(&raw mut bytes, handle) == 0).then_some(bytes as u64);
        Ok(Gpu {
            name,
            memory_bytes,
            is_real: true,
            is_discrete: true,
        })
    }
}

/// Burn compiles its kernels when they are first used, and panics where it cannot.
pub(super) fn check_compiler() -> Result<(), DeviceError> {
    load(COMPILER).map(|_| ()).map_err(|_| {
        let names = COMPILER.join(", ");
        no_driver(say!(
            "the driver is there, but not NVRTC ({names}), of the CUDA toolkit",
            "ドライバーはありますが、CUDA ツールキットの NVRTC（{names}）がありません"
        ))
    })
}

#[cfg(feature = "cuda")]
#[allow(clippy::unnecessary_wraps)] // the twin without the feature fails
pub(super) fn open(index: usize) -> Result<Device, DeviceError> {
    Ok(Device::Cuda(burn::backend::cuda::CudaDevice::new(index)))
}

#[cfg(not(feature = "cuda"))]
pub(super) fn open(_: usize) -> Result<Device, DeviceError> {
    Err(DeviceError::NotBuilt {
        name: "CUDA",
        feature: "cuda",
    })
}

/// The first of `names` that loads, kept for the rest of the program.
fn load(names: &[&str]) -> Result<&'static Library, DeviceError> {
    let mut reason = String::new();
    for &name in names {
        // SAFETY: the drivers' initialisers run; that is what asking for CUDA means.
        match unsafe { Library::new(name) } {
            Ok(library) => return Ok(Box::leak(Box::new(library))),
            Err(error) if reason.is_empty() => reason = error.to_string(),
            Err(_) => {}
        }
    }
    Err(no_driver(super::not_loaded(&reason)))
}

/// SAFETY: `T` must be the type of the function called `name`.
unsafe fn symbol<'a, T>(library: &'a Library, name: &CStr) -> Result<Symbol<'a, T>, DeviceError> {
    // SAFETY: handed on to the caller.
    unsafe { library.get(name) }.map_err(|_| {
        let name = name.to_string_lossy();
        no_driver(say!(
            "libcuda lacks {name}",
            "libcuda に {name} がありません"
        ))
    })
}

fn gives(call: &str, code: c_int) -> DeviceError {
    no_driver(super::gives_error(call, code))
}

fn no_driver(reason: Sentence) -> DeviceError {
    DeviceError::NoDriver {
        name: "CUDA",
        reason,
    }
}

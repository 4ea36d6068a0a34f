//! What Vulkan's loader says, asked through `libvulkan` (Vulkan 1.0 specification, "Devices and
//! Queues" and "Memory Allocation").
#![allow(unsafe_code, reason = "calls into Vulkan's loader")]

use std::ffi::{CStr, c_char, c_void};
use std::ptr;

use libloading::{Library, Symbol};
use longtake_sentence::{Sentence, say};

use super::{DeviceError, Gpu};
use crate::Device;

/// Whether Burn's Vulkan backend is compiled in.
pub(super) const BUILT: bool = cfg!(feature = "vulkan");

#[cfg(windows)]
const LOADER: &str = "vulkan-1.dll";
#[cfg(not(windows))]
const LOADER: &str = "libvulkan.so.1";

/// Most devices asked for.
const MAX_DEVICES: usize = 16;

type Handle = *mut c_void;

/// `VkInstanceCreateInfo` with nothing asked for.
#[repr(C)]
struct InstanceInfo {
    kind: u32, // VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO
    next: *const c_void,
    flags: u32,
    application: *const c_void,
    n_layers: u32,
    layers: *const *const c_char,
    n_extensions: u32,
    extensions: *const *const c_char,
}

/// The head of `VkPhysicalDeviceProperties`, and room for its limits (824 bytes in all).
#[repr(C, align(8))]
struct Properties {
    api: u32,
    driver: u32,
    vendor: u32,
    device: u32,
    kind: u32,
    name: [c_char; 256],
    rest: [u8; 1024],
}

/// `VkPhysicalDeviceMemoryProperties`.
#[repr(C)]
struct Memory {
    n_types: u32,
    types: [[u32; 2]; 32],
    n_heaps: u32,
    heaps: [Heap; 16],
}

#[repr(C)]
#[derive(Clone, Copy)]
struct Heap {
    bytes: u64,
    flags: u32,
}

const DEVICE_LOCAL: u32 = 1;
const INTEGRATED: u32 = 1;
const DISCRETE: u32 = 2;
const VIRTUAL: u32 = 3;

type CreateInstance =
    unsafe extern "system" fn(*const InstanceInfo, *const c_void, *mut Handle) -> i32;
type DestroyInstance = unsafe extern "system" fn(Handle, *const c_void);
type Enumerate = unsafe extern "system" fn(Handle, *mut u32, *mut Handle) -> i32;
type GetProperties = unsafe extern "system" fn(Handle, *mut Properties);
type GetMemory = unsafe extern "system" fn(Handle, *mut Memory);

/// The loader's devices; an error if there is no loader or no driver behind it.
pub(super) fn devices() -> Result<Vec<Gpu>, DeviceError> {
    // SAFETY: names and signatures are Vulkan 1.0's and exported by the loader; structures have the
    // specified layout (`Properties` is longer, which only leaves room); out-pointers point to live
    // locals; the instance is destroyed before the devices' handles go out of use. The library is
    // leaked, since drivers do not all survive being unloaded.
    unsafe {
        let library =
            Library::new(LOADER).map_err(|e| no_driver(super::not_loaded(&e.to_string())))?;
        let library: &'static Library = Box::leak(Box::new(library));
        let create: Symbol<CreateInstance> = symbol(library, c"vkCreateInstance")?;
        let destroy: Symbol<DestroyInstance> = symbol(library, c"vkDestroyInstance")?;
        let enumerate: Symbol<Enumerate> = symbol(library, c"vkEnumeratePhysicalDevices")?;
        let info = InstanceInfo {
            kind: 1,
            next: ptr::null(),
            flags: 0,
            application: ptr::null(),
            n_layers: 0,
            layers: ptr::null(),
            n_extensions: 0,
            extensions: ptr::null(),
        };
        let mut instance = ptr::null_mut();
        let code = create(&raw const info, ptr::null(), &raw mut instance);
        if code != 0 {
            return Err(no_driver(super::gives_error("vkCreateInstance", code)));
        }
        let mut handles = [ptr::null_mut(); MAX_DEVICES];
        let mut count = MAX_DEVICES as u32;
        let code = enumerate(instance, &raw mut count, handles.as_mut_ptr());
        // Positive codes say that there are more than asked for.
        let out = if code >= 0 {
            handles
                .iter()
                .take(count as usize)
                .map(|&handle| device(library, handle))
                .collect()
        } else {
            Err(no_driver(super::gives_error(
                "vkEnumeratePhysicalDevices",
                code,
            )))
        };
        destroy(instance, ptr::null());
        out
    }
}

/// SAFETY: `handle` is a physical device of a live instance.
unsafe fn device(library: &Library, handle: Handle) -> Result<Gpu, DeviceError> {
    // SAFETY: as in `devices`; all-zero is a value of both structures.
    unsafe {
        let get: Symbol<GetProperties> = symbol(library, c"vkGetPhysicalDeviceProperties")?;
        let get_memory: Symbol<GetMemory> =
            symbol(library, c"vkGetPhysicalDeviceMemoryProperties")?;
        let (mut properties, mut memory): (Properties, Memory) =
            (std::mem::zeroed(), std::mem::zeroed());
        get(handle, &raw mut properties);
        get_memory(handle, &raw mut memory);
        properties.name[255] = 0;
        let heaps = memory.heaps.iter().take(memory.n_heaps as usize);
        let local = heaps
            .filter(|heap| heap.flags & DEVICE_LOCAL != 0)
            .map(|heap| heap.bytes)
            .max();
        Ok(Gpu {
            name: CStr::from_ptr(properties.name.as_ptr())
                .to_string_lossy()
                .into_owned(),
            memory_bytes: local,
            is_real: matches!(properties.kind, INTEGRATED | DISCRETE | VIRTUAL),
            is_discrete: properties.kind == DISCRETE,
        })
    }
}

#[cfg(feature = "vulkan")]
#[allow(clippy::unnecessary_wraps)] // the twin without the feature fails
pub(super) fn open() -> Result<Device, DeviceError> {
    Ok(Device::Vulkan(
        burn::backend::wgpu::WgpuDevice::DefaultDevice,
    ))
}

#[cfg(not(feature = "vulkan"))]
pub(super) fn open() -> Result<Device, DeviceError> {
    Err(DeviceError::NotBuilt {
        name: "Vulkan",
        feature: "vulkan",
    })
}

/// SAFETY: `T` must be the type of the function called `name`.
unsafe fn symbol<'a, T>(library: &'a Library, name: &CStr) -> Result<Symbol<'a, T>, DeviceError> {
    // SAFETY: handed on to the caller.
    unsafe { library.get(name) }.map_err(|_| {
        let name = name.to_string_lossy();
        no_driver(say!(
            "the loader lacks {name}",
            "ローダーに {name} がありません"
        ))
    })
}

fn no_driver(reason: Sentence) -> DeviceError {
    DeviceError::NoDriver {
        name: "Vulkan",
        reason,
    }
}

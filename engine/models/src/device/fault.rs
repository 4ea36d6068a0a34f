//! What a device's failure was: memory used up, or the device lost.
//!
//! Burn 0.21 tells of neither by a type: a failed allocation is unwrapped on the device's own thread,
//! and what the caller sees is a later panic about the thing that was never made. So panics are
//! told apart by the exact forms in which the libraries print these errors ([`FORMS`]), wherever
//! such a form may begin, and those of other threads are noted as they happen ([`watch`]).

use std::any::Any;
use std::collections::TryReserveError;
use std::error::Error;
use std::io;
use std::sync::{Mutex, Once, PoisonError};

use burn::tensor::backend::ExecutionError;
use longtake_sentence::{Sentence, say};

/// A failure of the device, or of the host's memory.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.sentence())]
pub enum DeviceFault {
    /// There is no room for what was asked for.
    OutOfMemory {
        /// How much that was, where it is told.
        bytes: Option<u64>,
    },
    /// The device, or the thread that serves it, answers no more: what it held is gone.
    Lost {
        /// The first line of what was said.
        reason: String,
    },
}

impl DeviceFault {
    /// What a caught panic means; `None` if it is about no device.
    pub fn of_panic(payload: &(dyn Any + Send)) -> Option<Self> {
        if let Some(fault) = payload.downcast_ref::<Self>() {
            return Some(fault.clone());
        }
        let fault = Self::of_text(text(payload)?)?;
        match fault {
            Self::OutOfMemory { .. } => Some(fault),
            // The cause, if the device's thread told of it.
            Self::Lost { .. } => Some(take_noted().unwrap_or(fault)),
        }
    }

    /// What an error means, or one that it comes from; `None` if it is about no device and no memory.
    pub fn of_error(error: &(dyn Error + 'static)) -> Option<Self> {
        let mut next = Some(error);
        while let Some(error) = next {
            if let Some(fault) = error.downcast_ref::<Self>() {
                return Some(fault.clone());
            }
            let is_full = error.is::<TryReserveError>()
                || (error.downcast_ref::<io::Error>())
                    .is_some_and(|it| it.kind() == io::ErrorKind::OutOfMemory);
            if is_full {
                return Some(Self::OutOfMemory { bytes: None });
            }
            // Burn's error of a read or a synchronisation has but a text.
            if let Some(error) = error.downcast_ref::<ExecutionError>() {
                return Self::of_text(&error.to_string());
            }
            next = error.source();
        }
        None
    }

    /// The fault that a library's message tells of.
    fn of_text(text: &str) -> Option<Self> {
        let starts = text.match_indices(is_break).map(|(at, c)| at + c.len());
        let mut lost = false;
        for start in [0].into_iter().chain(starts) {
            let text = &text[start..];
            for form in FORMS {
                let Some(rest) = text.strip_prefix(form.begin) else {
                    continue;
                };
                let goes_on = rest.starts_with(|c: char| c.is_alphanumeric() || c == '_');
                if !rest.starts_with(form.then) || (form.then.is_empty() && goes_on) {
                    continue;
                }
                match form.means {
                    Means::Full => return Some(Self::OutOfMemory { bytes: None }),
                    Means::FullOf => {
                        let digits = rest[form.then.len()..].split(|c: char| !c.is_ascii_digit());
                        if let Some(bytes) =
                            digits.into_iter().next().and_then(|it| it.parse().ok())
                        {
                            return Some(Self::OutOfMemory { bytes: Some(bytes) });
                        }
                    }
                    Means::Lost => lost = true,
                }
            }
        }
        let first = || text.lines().next().unwrap_or_default();
        lost.then(|| Self::Lost {
            reason: first().chars().take(200).collect(),
        })
    }

    /// The message in both languages.
    pub fn sentence(&self) -> Sentence {
        match self {
            Self::OutOfMemory { bytes: None } => {
                say!("out of memory", "メモリが足りません")
            }
            Self::OutOfMemory { bytes: Some(bytes) } => {
                let mib = bytes.div_ceil(1 << 20);
                say!(
                    "out of memory: there is no room for {mib} MiB on the device",
                    "メモリが足りません: デバイスに {mib} MiB の空きがありません"
                )
            }
            Self::Lost { reason } => say!(
                "the device answers no more: {reason}",
                "デバイスが応答しなくなりました: {reason}"
            ),
        }
    }
}

/// What a form means.
#[derive(Clone, Copy)]
enum Means {
    Full,
    /// Followed by how many bytes.
    FullOf,
    Lost,
}

/// How a library prints an error.
struct Form {
    begin: &'static str,
    /// What follows at once.
    then: &'static str,
    means: Means,
}

const fn form(begin: &'static str, then: &'static str, means: Means) -> Form {
    Form { begin, then, means }
}

const FORMS: &[Form] = &[
    // cubecl-runtime 0.10 `server/base.rs`, `IoError::BufferTooBig`: what cubecl-cuda
    // `compute/storage/gpu.rs` makes of CUDA_ERROR_OUT_OF_MEMORY, and pools of a page too large.
    form("can't allocate buffer of size:", " ", Means::FullOf),
    // The same file, `LaunchError::OutOfMemory`.
    form(
        "An out-of-memory error happened during launch",
        "\nCaused by:",
        Means::Full,
    ),
    // wgpu 29 `api/device.rs` (`Error::OutOfMemory`) through `backend/wgpu_core.rs`
    // (`default_error_handler`).
    form("wgpu error: Out of Memory", "\n", Means::Full),
    // wgpu-core 29 `device/mod.rs`, `DeviceError::OutOfMemory`, where wgpu prints causes.
    form("Not enough memory left.", "", Means::Full),
    // cudarc 0.19 `driver/result.rs`, `DriverError`; codes of the CUDA driver API.
    form("DriverError(CUDA_ERROR_OUT_OF_MEMORY", ",", Means::Full),
    form("DriverError(CUDA_ERROR_ILLEGAL_ADDRESS", ",", Means::Lost),
    form("DriverError(CUDA_ERROR_LAUNCH_FAILED", ",", Means::Lost),
    form("DriverError(CUDA_ERROR_LAUNCH_TIMEOUT", ",", Means::Lost),
    form("DriverError(CUDA_ERROR_ECC_UNCORRECTABLE", ",", Means::Lost),
    form(
        "DriverError(CUDA_ERROR_HARDWARE_STACK_ERROR",
        ",",
        Means::Lost,
    ),
    form(
        "DriverError(CUDA_ERROR_DEVICE_UNAVAILABLE",
        ",",
        Means::Lost,
    ),
    // wgpu-core 29 `device/mod.rs`, `DeviceError::Lost`.
    form("Parent device is lost", "", Means::Lost),
    // cubecl-common 0.10 `device/handle/base.rs`, unwrapped by cubecl-runtime `client.rs`: the
    // device's thread panicked in what it was asked.
    form("CallError", "", Means::Lost),
    // cubecl-runtime 0.10 `server/base.rs`, `ServerError::ServerUnhealthy`.
    form(
        "The server is in an invalid state",
        "\nCaused by:",
        Means::Lost,
    ),
    // burn-ir 0.21 `handle.rs`: a tensor that such a panic kept from being made.
    form("Should have handle for tensor", " TensorId", Means::Lost),
];

/// Whether an error's text may begin behind this: that of one in which it is wrapped ends there
/// (`Result::unwrap` and `expect` write `…: `, thiserror's causes stand on lines of their own, and
/// `Debug` puts it into parentheses or a list).
fn is_break(c: char) -> bool {
    matches!(c, '\n' | ' ' | '(' | '[')
}

/// The message of a panic.
fn text(payload: &(dyn Any + Send)) -> Option<&str> {
    let owned = payload.downcast_ref::<String>().map(String::as_str);
    owned.or_else(|| payload.downcast_ref::<&str>().copied())
}

/// The last time that memory ran out on a thread of a device.
static NOTED: Mutex<Option<DeviceFault>> = Mutex::new(None);

fn take_noted() -> Option<DeviceFault> {
    NOTED.lock().unwrap_or_else(PoisonError::into_inner).take()
}

fn note(payload: &(dyn Any + Send)) {
    let fault = text(payload).and_then(DeviceFault::of_text);
    if let Some(fault @ DeviceFault::OutOfMemory { .. }) = fault {
        *NOTED.lock().unwrap_or_else(PoisonError::into_inner) = Some(fault);
    }
}

/// From now on notes what panics tell of memory, on whichever thread: Burn's devices have threads of
/// their own, whose panics no caller sees. The hook that was there is called first.
pub(super) fn watch() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            before(info);
            note(info.payload());
        }));
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn full(bytes: Option<u64>) -> DeviceFault {
        DeviceFault::OutOfMemory { bytes }
    }

    /// As the libraries print them, wrapped as they arrive.
    #[test]
    fn memory_that_ran_out_is_told_by_the_libraries_own_forms() {
        let cases = [
            (
                "called `Result::unwrap()` on an `Err` value: can't allocate buffer of size: 51527024640\n   0: <backtrace disabled>",
                Some(51_527_024_640),
            ),
            (
                "Error while reading data: use `try_into_data` instead to catch the error at runtime: An error happened during execution\nCaused by:\n  An execution error happened during profiling\nCaused by:\n  can't allocate buffer of size: 4096\n",
                Some(4096),
            ),
            (
                "An error happened during execution\nCaused by:\n  The server is in an invalid state\nCaused by:\n  [Io(can't allocate buffer of size: 7\nbacktrace)]",
                Some(7),
            ),
            (
                "called `Result::unwrap()` on an `Err` value: An out-of-memory error happened during launch\nCaused by:\n  no page\nBacktrace\n",
                None,
            ),
            ("wgpu error: Out of Memory\n", None),
            (
                "Error in Device::create_buffer: Validation Error\n\nCaused by:\n  Not enough memory left.\n",
                None,
            ),
            (
                "called `Result::unwrap()` on an `Err` value: DriverError(CUDA_ERROR_OUT_OF_MEMORY, \"out of memory\")",
                None,
            ),
        ];
        for (text, bytes) in cases {
            assert_eq!(DeviceFault::of_text(text), Some(full(bytes)), "{text}");
            let payload: Box<dyn Any + Send> = Box::new(text.to_owned());
            assert_eq!(
                DeviceFault::of_panic(&*payload),
                Some(full(bytes)),
                "{text}"
            );
        }
    }

    #[test]
    fn words_that_look_like_it_are_no_fault() {
        for text in [
            "no room for the bloom pass",
            "zoom out of range",
            "boom",
            "oom-pah",
            "OOM",
            "index out of bounds: the len is 3 but the index is 7",
            "this is not out of memory",
            "/films/out of memory/shot 1.png: cannot read",
            "models/can't allocate buffer.safetensors: cannot read",
            "can't allocate buffer of size: many",
            "An out-of-memory error happened during launching",
            "wgpu error: Out of Memoryville",
            "CUDA_ERROR_OUT_OF_MEMORY_MAP",
            "MyDriverError(CUDA_ERROR_OUT_OF_MEMORY, \"\")",
            "RecallError",
            "node `CallErrors` is not known",
            "a CallErrors node",
            "the device is lost in the woods",
            "",
        ] {
            let payload: Box<dyn Any + Send> = Box::new(text.to_owned());
            assert_eq!(DeviceFault::of_panic(&*payload), None, "{text}");
        }
        let payload: Box<dyn Any + Send> = Box::new(7_u32);
        assert_eq!(DeviceFault::of_panic(&*payload), None);
    }

    #[test]
    fn a_lost_device_is_told_from_a_full_one() {
        for text in [
            "called `Result::unwrap()` on an `Err` value: CallError",
            "Should have handle for tensor TensorId { value: 12 }",
            "Error in Queue::submit: Parent device is lost",
            "called `Result::unwrap()` on an `Err` value: DriverError(CUDA_ERROR_ILLEGAL_ADDRESS, \"an illegal memory access was encountered\")",
        ] {
            let fault = DeviceFault::of_text(text);
            assert_eq!(
                fault,
                Some(DeviceFault::Lost {
                    reason: text.into()
                })
            );
        }
    }

    /// The device's thread runs out of memory, its caller sees a later panic: the cause counts, once.
    #[test]
    fn a_panic_on_the_devices_thread_is_the_cause_of_its_callers() {
        watch();
        let device = || {
            panic!(
                "called `Result::unwrap()` on an `Err` value: can't allocate buffer of size: 99\n"
            )
        };
        assert!(std::thread::spawn(device).join().is_err());
        let later = "called `Result::unwrap()` on an `Err` value: CallError";
        let seen = || DeviceFault::of_panic(&later.to_owned());
        assert_eq!(seen(), Some(full(Some(99))));
        assert_eq!(
            seen(),
            Some(DeviceFault::Lost {
                reason: later.into()
            })
        );
    }

    #[test]
    fn faults_with_a_type_are_known_by_it() {
        let fault = DeviceFault::OutOfMemory { bytes: Some(5) };
        assert_eq!(DeviceFault::of_panic(&fault.clone()), Some(fault.clone()));
        assert_eq!(DeviceFault::of_error(&fault), Some(fault));
        let refused = Vec::<u64>::new().try_reserve(usize::MAX / 16).unwrap_err();
        assert_eq!(DeviceFault::of_error(&refused), Some(full(None)));
        let refused = io::Error::from(io::ErrorKind::OutOfMemory);
        assert_eq!(DeviceFault::of_error(&refused), Some(full(None)));
        let read = ExecutionError::WithContext {
            reason: "can't allocate buffer of size: 8\n".into(),
        };
        assert_eq!(DeviceFault::of_error(&read), Some(full(Some(8))));
        let other = io::Error::other("out of memory");
        assert_eq!(DeviceFault::of_error(&other), None);
    }

    #[test]
    fn faults_are_said_in_both_languages() {
        for fault in [
            DeviceFault::OutOfMemory { bytes: None },
            DeviceFault::OutOfMemory {
                bytes: Some(5 << 30),
            },
            DeviceFault::Lost {
                reason: "CallError 3".into(),
            },
        ] {
            assert_eq!(fault.sentence().lacks(), None);
        }
    }
}

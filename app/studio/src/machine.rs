//! The machine a plan is made for, from the command line and from what is built in.

use std::path::PathBuf;

use anyhow::{Context, Result};
use longtake_nodes::model::device::{DeviceSpec, ProductReport, remember_products_in};
use longtake_plan::{DeviceKind, Machine};
use longtake_run::{Places, Roots, Store, memory};

use crate::args::{Place, Shelf};

/// Share of memory used unless told otherwise (design §5).
const SHARE: f64 = 0.92;

/// Everything opened for one command.
pub struct Opened {
    /// Folders.
    pub roots: Roots,
    /// The store.
    pub store: Store,
    /// The machine.
    pub machine: Machine,
    /// The device asked for, resolved (`auto` is settled).
    pub device: DeviceSpec,
}

/// Opens folders and store, and looks at the device. Creates no GPU context.
///
/// # Errors
/// Unknown device, one that is not there, a store that cannot be made.
pub fn open(place: &Place) -> Result<Opened> {
    let asked = DeviceSpec::parse(&place.device)
        .map_err(|e| anyhow::anyhow!("--device {}: {e}", place.device))?;
    let device = asked
        .resolve()
        .map_err(|e| anyhow::anyhow!("--device {}: {e}", place.device))?;
    remember_products_in(&Places::of_machine().cache);
    let roots = Roots {
        input: absolute(&place.input)?,
        models: absolute(&place.models)?,
        output: absolute(&place.output)?,
        store: store_folder(&place.shelf)?,
    };
    let store = store(&place.shelf)?;
    let machine = machine(place, &device);
    Ok(Opened {
        roots,
        store,
        machine,
        device,
    })
}

/// Opens the store alone.
///
/// # Errors
/// It cannot be made.
pub fn store(shelf: &Shelf) -> Result<Store> {
    Ok(Store::open(&store_folder(shelf)?)?.limited(shelf.store_limit))
}

fn store_folder(shelf: &Shelf) -> Result<PathBuf> {
    let folder = shelf.store.clone();
    absolute(&folder.unwrap_or_else(|| Places::of_machine().store()))
}

fn machine(place: &Place, device: &DeviceSpec) -> Machine {
    let share = |bytes: u64| (bytes as f64 * SHARE) as u64;
    let host = memory::total_bytes();
    let kind = if device.is_cuda() {
        DeviceKind::Cuda
    } else if device.is_vulkan() {
        DeviceKind::Vulkan
    } else {
        DeviceKind::Cpu
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    Machine {
        device: kind,
        device_name: device.describe(),
        device_budget: match kind {
            DeviceKind::Cpu => 0,
            // 8 GiB where the driver does not say.
            _ => place
                .vram
                .unwrap_or_else(|| share(device.memory_bytes().unwrap_or(8 << 30))),
        },
        host_budget: place.ram.unwrap_or_else(|| share(host)),
        weight_bytes: if kind == DeviceKind::Cpu { 4 } else { 2 },
        // For estimates of time only: what this project measured (engine/BENCHMARKS.md), per core
        // on a CPU, and a middling card.
        flops_per_second: if kind == DeviceKind::Cpu {
            4e10 * cores as f64
        } else {
            4e13
        },
        load_bytes_per_second: 1e9,
        base_host_bytes: 96 << 20,
    }
}

/// What multiplies matrices on the CPU, as reports carry it.
pub fn products(report: &ProductReport) -> serde_json::Value {
    let kinds = report.kinds.iter().map(|it| {
        serde_json::json!({
            "kind": it.kind.name(),
            "engine": it.engine.name(),
            "times_the_built_in": it.ratio,
        })
    });
    serde_json::json!({
        "library": report.library,
        "why": report.why,
        "kinds": kinds.collect::<Vec<_>>(),
    })
}

fn absolute(path: &std::path::Path) -> Result<PathBuf> {
    std::path::absolute(path).with_context(|| format!("the folder {}", path.display()))
}

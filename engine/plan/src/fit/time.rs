//! Estimates of time. They order nothing: they are for people.

use crate::{Cost, Machine, Plan};

/// Host to device over PCIe 4.0 ×16, sustained, bytes per second.
const HOST_TO_DEVICE: f64 = 20e9;

/// Seconds a cost takes.
pub(super) fn of(cost: &Cost, machine: &Machine) -> f64 {
    finite(cost.flops / machine.flops_per_second) + finite(cost.seconds)
}

/// Seconds to bring checkpoints in.
pub(super) fn loading(from_disk: f64, from_host: f64, machine: &Machine) -> f64 {
    finite(from_disk / machine.load_bytes_per_second) + finite(from_host / HOST_TO_DEVICE)
}

fn finite(seconds: f64) -> f64 {
    if seconds.is_finite() && seconds > 0.0 {
        seconds
    } else {
        0.0
    }
}

/// When the last step ends, with one step at a time on each lane, in order.
pub(super) fn makespan(plan: &Plan) -> f64 {
    plan.schedule().iter().map(|it| it.end).fold(0.0, f64::max)
}

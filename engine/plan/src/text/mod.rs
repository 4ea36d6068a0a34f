//! A plan as text for people and goldens, and as JSON for programs.
//!
//! The text has a header, the checkpoints with how often each is loaded, the steps, and memory over
//! time. Plans of many steps are gathered: between two moves of checkpoints, steps of one node
//! done one way are one row with a count, and stretches that repeat are written once.

#![allow(
    clippy::format_push_string,
    reason = "`write!` into a String would leave a result that cannot fail to be dropped"
)]

mod json;
mod steps;
mod timeline;
pub mod units;

use crate::plan::Move;
use crate::{DeviceKind, Plan, Step};
pub use units::bytes;

/// Widest line, columns.
const WIDTH: usize = 118;
/// Plans of more steps than this are gathered.
const GATHER_FROM: usize = 48;

impl Plan {
    /// The plan for people: gathered when it is long.
    pub fn to_text(&self) -> String {
        self.text(self.steps.len() > GATHER_FROM)
    }

    /// The plan with every step on its own line.
    pub fn to_full_text(&self) -> String {
        self.text(false)
    }

    fn text(&self, gather: bool) -> String {
        let mut text = header(self);
        text += &weights(self);
        text += &steps::table(self, gather);
        text += &timeline::chart(self, gather);
        text
    }

    /// The plan for programs: everything, sizes in bytes, times in seconds, ids as positions.
    pub fn to_json(&self) -> serde_json::Value {
        json::plan(self)
    }

    /// How often each checkpoint is read from its file.
    pub fn loads(&self) -> Vec<u32> {
        let mut loads = vec![0; self.weights.len()];
        let mut parked = vec![false; self.weights.len()];
        for action in self.steps.iter().flat_map(|step| &step.moves) {
            match action {
                Move::Load(id) => {
                    let index = id.0 as usize;
                    loads[index] += u32::from(!std::mem::take(&mut parked[index]));
                }
                Move::Park(id) => parked[id.0 as usize] = true,
                Move::Drop(id) => parked[id.0 as usize] = false,
            }
        }
        loads
    }
}

fn header(plan: &Plan) -> String {
    let count = |of: fn(&Step) -> bool| plan.steps.iter().filter(|step| of(step)).count();
    let mut kinds = Vec::new();
    for (count, what) in [
        (count(Step::is_stored), "in the store"),
        (count(|it| it.cached && !it.is_stored()), "not needed"),
        (count(|it| it.lazy && !it.cached), "lazy"),
    ] {
        if count > 0 {
            kinds.push(format!("{count} {what}"));
        }
    }
    let kinds = if kinds.is_empty() {
        String::new()
    } else {
        format!(" ({})", kinds.join(", "))
    };
    let count = units::count(plan.steps.len(), "step");
    let machine = &plan.machine;
    let peak = |peak, budget| format!("{} of {}", bytes(peak), bytes(budget));
    let mut text = format!(
        "{count}{kinds} on {}, {}\n",
        machine.device_name,
        units::about(plan.seconds)
    );
    if machine.device != DeviceKind::Cpu {
        text += &format!(
            "peak on the device {}\n",
            peak(plan.peak_device_bytes, machine.device_budget)
        );
    }
    text + &format!(
        "peak on the host {}\n",
        peak(plan.peak_host_bytes, machine.host_budget)
    )
}

fn weights(plan: &Plan) -> String {
    if plan.weights.is_empty() {
        return String::new();
    }
    let mut rows = vec![["weights", "size", "loads", "family"].map(str::to_owned)];
    for (info, loads) in plan.weights.iter().zip(plan.loads()) {
        let name = units::clip(&info.name, 56);
        rows.push([
            name,
            bytes(info.bytes),
            loads.to_string(),
            units::clip(&info.family, 24),
        ]);
    }
    format!("\n{}", units::table(&rows, &[false, true, true, false]))
}

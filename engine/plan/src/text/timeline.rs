//! Memory over time as bars against the budget.

use crate::{DeviceKind, Lane, Plan, Step};

use super::units;

/// Columns a bar may take.
const BAR: usize = 64;
/// Most lines when the plan is gathered.
const LINES: usize = 32;

/// One step's memory.
#[derive(Clone, Copy)]
struct Use {
    step: usize,
    weights: u64,
    all: u64,
}

/// A line per step that runs, or per stretch of steps with the largest among them.
pub(super) fn chart(plan: &Plan, gather: bool) -> String {
    let gpu = plan.machine.device != DeviceKind::Cpu;
    let uses = uses(plan, gpu);
    let peak = uses.iter().map(|it| it.all).max().unwrap_or(0);
    if peak == 0 {
        return String::new();
    }
    let budget = if gpu {
        plan.machine.device_budget
    } else {
        plan.machine.host_budget
    };
    // A budget far beyond the peak would leave no bars to see.
    let full = if budget / 2 > peak {
        peak + peak / 4
    } else {
        budget.max(peak)
    };
    let column = |amount: u64| (amount as f64 / full as f64 * BAR as f64).round() as usize;
    let place = if gpu { "device" } else { "host" };
    let edge = if full == budget {
        format!("│ budget {}", units::bytes(budget))
    } else {
        format!(
            "full width {}, budget {}",
            units::bytes(full),
            units::bytes(budget)
        )
    };
    let mut text = format!("\n{place} memory: █ weights, ▒ work and values, {edge}\n");
    let digits = plan.steps.len().to_string().len();
    for group in groups(&uses, gather, |it| (column(it.weights), column(it.all))) {
        let Some(most) = group
            .iter()
            .max_by_key(|it| (it.all, std::cmp::Reverse(it.step)))
        else {
            continue;
        };
        let (first, last) = (group[0].step + 1, group[group.len() - 1].step + 1);
        let label = match (gather, first == last) {
            (false, _) => format!("{first:>digits$}"),
            (true, true) => format!("{first:>digits$} {:digits$}", ""),
            (true, false) => format!("{first:>digits$}–{last:<digits$}"),
        };
        let solid = column(most.weights);
        let work = column(most.all).saturating_sub(solid);
        let mut bar: String = "█".repeat(solid) + &"▒".repeat(work);
        if full == budget {
            bar += &" ".repeat(BAR.saturating_sub(solid + work));
            bar.push('│');
        }
        text += &format!("{label} {bar} {}\n", units::bytes(most.all));
    }
    text
}

/// Steps by line: each alone, or stretches of equal bars, and no more than [`LINES`] of them.
fn groups<T: PartialEq>(uses: &[Use], gather: bool, bar: impl Fn(&Use) -> T) -> Vec<&[Use]> {
    if !gather {
        return uses.chunks(1).collect();
    }
    let equal: Vec<&[Use]> = uses.chunk_by(|a, b| bar(a) == bar(b)).collect();
    if equal.len() <= LINES {
        return equal;
    }
    uses.chunks(uses.len().div_ceil(LINES)).collect()
}

fn uses(plan: &Plan, gpu: bool) -> Vec<Use> {
    // What runs beside the device does not change what is on it.
    let counts = |step: &Step| !step.cached && !step.lazy && (!gpu || step.lane == Lane::Device);
    let of = |(step, held): (&Step, crate::usage::Use)| {
        let (weights, all) = if gpu {
            (held.device_weights, step.device_bytes)
        } else {
            (held.host_weights, step.host_bytes)
        };
        counts(step).then_some(Use {
            step: step.id.0 as usize,
            weights,
            all,
        })
    };
    plan.steps.iter().zip(plan.uses()).filter_map(of).collect()
}

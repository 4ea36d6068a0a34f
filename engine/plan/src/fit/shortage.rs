//! What is said when no way of doing a step fits.

use crate::text::bytes;
use crate::{Machine, Plan, Step};

/// No way of doing a step fits.
pub(super) struct Shortage {
    /// The most modest way.
    pub rung: String,
    pub device: bool,
    pub needed: u64,
    pub weights: u64,
    pub values: u64,
    pub budget: u64,
}

impl Shortage {
    pub fn message(&self, plan: &Plan, step: &Step, machine: &Machine) -> String {
        let (memory, option) = match (self.device, machine.device) {
            (true, _) => ("device memory", "--vram"),
            (false, _) => ("host memory", "--ram"),
        };
        let names: Vec<&str> = step
            .weights
            .iter()
            .map(|id| plan.weight(*id).name.as_str())
            .collect();
        let mut parts = Vec::new();
        if self.weights > 0 {
            parts.push(format!(
                "{} of it {}",
                bytes(self.weights),
                names.join(" and ")
            ));
        }
        if self.values > 0 {
            parts.push(format!(
                "{} the program and values kept for later",
                bytes(self.values)
            ));
        }
        let parts = if parts.is_empty() {
            String::new()
        } else {
            format!(", {}", parts.join(", "))
        };
        let way = if self.rung.is_empty() {
            String::new()
        } else {
            format!(" even as `{}`", self.rung)
        };
        // Smaller frames are no remedy when the checkpoints alone are too much.
        let remedy = if self.weights >= self.budget {
            "Use a smaller checkpoint"
        } else {
            "Lower the width, the height or the length"
        };
        format!(
            "Step {} ({}) needs {} of {memory}{way}{parts}; the budget is {}. {remedy}, or raise {option}.",
            step.path,
            step.class,
            bytes(self.needed),
            bytes(self.budget),
        )
    }
}

//! Names of samplers and schedules as the nodes offer them.

use longtake_sampling::{Scheduler, Solver};

/// Names of the samplers, ComfyUI's first, then Wan's own.
pub const SAMPLERS: &[&str] = &{
    let mut names = [""; Solver::ALL.len()];
    let mut at = 0;
    while at < names.len() {
        names[at] = Solver::ALL[at].name();
        at += 1;
    }
    names
};

/// Names of the schedules, ComfyUI's first, then Wan's and distilled models' own.
pub const SCHEDULERS: &[&str] = &{
    let mut names = [""; Scheduler::ALL.len()];
    let mut at = 0;
    while at < names.len() {
        names[at] = Scheduler::ALL[at].name();
        at += 1;
    }
    names
};

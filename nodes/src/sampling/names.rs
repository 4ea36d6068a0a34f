//! Names of samplers and schedules as the nodes offer them.

use longtake_sampling::{Scheduler, Solver};

/// The names of all kinds of a type with `ALL` and a constant `name`, as a constant list.
macro_rules! names_of {
    ($kind:ty) => {
        &{
            let mut names = [""; <$kind>::ALL.len()];
            let mut at = 0;
            while at < names.len() {
                names[at] = <$kind>::ALL[at].name();
                at += 1;
            }
            names
        }
    };
}
pub(super) use names_of;

/// Names of the samplers, ComfyUI's first, then Wan's own.
pub const SAMPLERS: &[&str] = names_of!(Solver);

/// Names of the schedules, ComfyUI's first, then Wan's and distilled models' own.
pub const SCHEDULERS: &[&str] = names_of!(Scheduler);

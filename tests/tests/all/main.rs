//! All end-to-end tests in one binary: linking Burn once is enough.
#![allow(clippy::unwrap_used, reason = "tests: a panic is a failed test")]
#![allow(
    clippy::case_sensitive_file_extension_comparisons,
    reason = "Longtake writes these names itself"
)]

mod around;
mod bad_input;
mod cli;
mod encoding;
mod film;
mod flat;
mod interrupted;
mod layers;
mod nodes;
mod pose;
mod presets;
mod store;
mod studio;
mod tidy;
mod wan;
mod wan_family;
mod wan_presets;

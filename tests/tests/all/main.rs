//! All end-to-end tests in one binary: linking Burn once is enough.

mod bad_input;
mod cli;
mod film;
mod interrupted;
mod layers;
mod nodes;
mod presets;
mod tidy;
mod wan;

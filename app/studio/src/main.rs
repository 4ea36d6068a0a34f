//! The program `longtake`: renders graphs from the command line. (The window comes with the
//! feature `studio`.)
//!
//! Exit codes: 0 done, 1 render failed, 2 bad usage or graph, 130 cancelled.

mod args;
mod command;
mod document;
mod machine;
mod units;
mod view;

use std::process::ExitCode;

use clap::Parser;

use crate::args::{Args, Command};

/// How a command ended, as the shell sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// As asked.
    Done,
    /// A step failed.
    Failed,
    /// The graph or the command line cannot be used.
    Unusable,
    /// A person stopped it.
    Cancelled,
}

impl From<Ended> for ExitCode {
    fn from(ended: Ended) -> Self {
        Self::from(match ended {
            Ended::Done => 0,
            Ended::Failed => 1,
            Ended::Unusable => 2,
            Ended::Cancelled => 130,
        })
    }
}

fn main() -> ExitCode {
    // A reader that went away (`| head`) ends the program quietly, as other tools end.
    // SAFETY: called before any thread starts.
    #[cfg(unix)]
    unsafe {
        libc::signal(libc::SIGPIPE, libc::SIG_DFL);
    }
    let args = Args::parse();
    let outcome = match &args.command {
        Command::Render(it) => command::render::run(it),
        Command::Plan(it) => command::plan::run(it),
        Command::Check(it) => command::check::run(it),
        Command::Nodes(it) => command::nodes::run(it),
        Command::Models(it) => command::models::run(it),
        Command::Convert(it) => command::convert::run(it),
        Command::Pin(it) => command::pin::run(it),
    };
    match outcome {
        Ok(ended) => ended.into(),
        Err(error) => {
            eprintln!("error: {error:#}");
            Ended::Unusable.into()
        }
    }
}

//! The program `longtake`: opens the studio (feature `studio`), or renders, plans, checks from the
//! command line.
//!
//! Exit codes: 0 done, 1 render failed, 2 bad usage or graph, 130 cancelled.

pub mod args;
mod command;
mod document;
mod library;
mod machine;
mod out;
#[cfg(feature = "studio")]
pub mod studio;
mod units;
mod view;

use std::process::ExitCode;

use clap::Parser;

use crate::args::{Args, Command, Edit};

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

/// The program: reads the command line, runs the command.
pub fn main() -> ExitCode {
    let args = Args::parse();
    let bare = Edit {
        file: None,
        window: args.window,
    };
    let command = args.command.unwrap_or(Command::Edit(bare));
    match &command {
        Command::Edit(_) | Command::Render(_) => {}
        Command::Plan(_)
        | Command::Check(_)
        | Command::Nodes(_)
        | Command::Models(_)
        | Command::Convert(_)
        | Command::Pin(_)
        | Command::Store(_) => out::end_at_closed_pipe(),
    }
    let outcome = match &command {
        Command::Edit(it) => edit(it),
        Command::Render(it) => command::render::run(it),
        Command::Plan(it) => command::plan::run(it),
        Command::Check(it) => command::check::run(it),
        Command::Nodes(it) => command::nodes::run(it),
        Command::Models(it) => command::models::run(it),
        Command::Convert(it) => command::convert::run(it),
        Command::Pin(it) => command::pin::run(it),
        Command::Store(it) => command::store::run(it),
    };
    match outcome {
        Ok(ended) => ended.into(),
        Err(error) => {
            out::note(format_args!("error: {error:#}"));
            Ended::Unusable.into()
        }
    }
}

#[cfg(feature = "studio")]
fn edit(args: &Edit) -> anyhow::Result<Ended> {
    studio::run(args)
}

#[cfg(not(feature = "studio"))]
fn edit(_: &Edit) -> anyhow::Result<Ended> {
    anyhow::bail!(
        "this build has no window (it was built without the feature `studio`); `longtake --help` \
         lists what it can do"
    )
}

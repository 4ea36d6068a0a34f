//! The command line.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args as Group, Parser, Subcommand, ValueEnum};
use longtake_run::store::Limit;

use crate::units::{parse_age, parse_size};

#[cfg(feature = "studio")]
const AFTER: &str = "\
Without a command the studio opens.

LONGTAKE_HOME: where settings, recovered work, the queue and the store lie, instead of the usual folders.
LONGTAKE_PRESETS: the gallery's folder.

Exit codes: 0 done, 1 render failed, 2 bad usage or graph, 130 cancelled.";
#[cfg(not(feature = "studio"))]
const AFTER: &str = "\
This build has no window: `edit`, and no command at all, say so and end.

LONGTAKE_HOME: where the store lies, instead of the usual folder.

Exit codes: 0 done, 1 render failed, 2 bad usage or graph, 130 cancelled.";

/// Renders long AI video from node graphs.
#[derive(Debug, Parser)]
#[command(name = "longtake", version, about, propagate_version = true)]
#[command(args_conflicts_with_subcommands = true, after_help = AFTER)]
pub struct Args {
    /// What to do; without a command the studio opens.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// For the studio, when there is no command.
    #[command(flatten)]
    pub window: Window,
}

/// Subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Open the studio: the graph on a canvas, its plan, a queue, a viewer.
    Edit(Edit),
    /// Render a graph: a project (.longtake), ComfyUI's workflow or prompt JSON, or a PNG, WebP, MP4,
    /// MKV or .latent file that carries one.
    Render(Render),
    /// Show what a render would do: steps, memory over time, what is stored already.
    Plan(Plan),
    /// Find everything that is wrong with a graph.
    Check(Check),
    /// List the nodes.
    Nodes(Nodes),
    /// List the checkpoints in the models tree.
    Models(Models),
    /// Convert between project and prompt JSON. Reads all that `render` does.
    Convert(Convert),
    /// Keep finished shots as they are, whatever changes before them.
    Pin(Pin),
    /// Show what finished work the store holds, make room in it, or read it through.
    Store(Store),
}

/// Where files lie and what the machine may use. Stands last wherever it is used: a help heading
/// holds for all that follows.
#[derive(Debug, Clone, Group)]
#[command(next_help_heading = "Machine")]
pub struct Place {
    /// Checkpoints, in ComfyUI's folders (diffusion_models, text_encoders, vae, …)
    #[arg(
        long,
        value_name = "DIR",
        default_value = "models",
        env = "LONGTAKE_MODELS"
    )]
    pub models: PathBuf,
    /// Images, videos and latents that the graph names
    #[arg(
        long,
        value_name = "DIR",
        default_value = "input",
        env = "LONGTAKE_INPUT"
    )]
    pub input: PathBuf,
    /// Where results are written
    #[arg(
        long,
        value_name = "DIR",
        default_value = "output",
        env = "LONGTAKE_OUTPUT"
    )]
    pub output: PathBuf,
    #[command(flatten)]
    pub shelf: Shelf,
    /// Where models run: auto, cpu, cuda, cuda:N or vulkan
    #[arg(
        long,
        value_name = "DEVICE",
        default_value = "auto",
        env = "LONGTAKE_DEVICE"
    )]
    pub device: String,
    /// Device memory to use [default: 92 % of it]
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    pub vram: Option<u64>,
    /// Host memory to use [default: 92 % of it]
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    pub ram: Option<u64>,
}

/// Where finished work is kept, and how much of it.
#[derive(Debug, Clone, Group)]
pub struct Shelf {
    /// Finished work, by content [default: store in the folder for caches, ~/.cache/longtake]
    #[arg(long, value_name = "DIR", env = "LONGTAKE_STORE")]
    pub store: Option<PathBuf>,
    /// Most that the store may take: a size, none, or auto, which is a quarter of what is free or its
    /// own already, at least 4 GiB. At the end of a run, what was not used for longest goes first; what
    /// open projects and pinned shots need stays
    #[arg(
        long,
        value_name = "SIZE",
        default_value = "auto",
        env = "LONGTAKE_STORE_LIMIT",
        value_parser = parse_limit
    )]
    pub store_limit: Limit,
}

/// What to take of a graph.
#[derive(Debug, Clone, Group)]
pub struct Choice {
    /// The graph
    pub file: PathBuf,
    /// Set an input: a node's id or title, an input, a JSON value (plain text is taken as text)
    #[arg(long = "set", value_name = "NODE.INPUT=JSON")]
    pub set: Vec<String>,
    /// Only these shots, counted from 1: 3,7-9
    #[arg(long, value_name = "LIST", value_parser = parse_shots)]
    pub shots: Option<BTreeSet<u32>>,
}

/// `edit`.
#[derive(Debug, Clone, Group)]
pub struct Edit {
    /// The graph to open: anything that `render` takes
    pub file: Option<PathBuf>,
    #[command(flatten)]
    pub window: Window,
}

/// What the window is opened with: by `edit`, and by `longtake` alone.
#[derive(Debug, Clone, Group)]
pub struct Window {
    /// Draw with the Vulkan device that computes: previews stay on it, and the window waits for the
    /// model's work more often
    #[arg(long)]
    pub share_device: bool,
    #[command(flatten)]
    pub place: Place,
}

/// `render`.
#[derive(Debug, Group)]
pub struct Render {
    #[command(flatten)]
    pub choice: Choice,
    /// The film's file, instead of a counted name under --output
    #[arg(short = 'o', value_name = "OUT")]
    pub out: Option<PathBuf>,
    /// Write a report here, also when the render fails
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
    /// How to show progress
    #[arg(long, value_enum, default_value_t = Show::Auto)]
    pub progress: Show,
    /// Plan, and render nothing
    #[arg(long)]
    pub dry_run: bool,
    #[command(flatten)]
    pub place: Place,
}

/// Ways to show progress.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Show {
    /// A live view on a terminal, plain lines elsewhere
    Auto,
    /// A line per finished step
    Plain,
    /// A JSON object per event
    Json,
}

/// `plan`.
#[derive(Debug, Group)]
pub struct Plan {
    #[command(flatten)]
    pub choice: Choice,
    /// Every step, instead of one line for shots that are alike
    #[arg(long)]
    pub full: bool,
    /// As JSON
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub place: Place,
}

/// `check`.
#[derive(Debug, Group)]
pub struct Check {
    #[command(flatten)]
    pub choice: Choice,
    /// As JSON
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub place: Place,
}

/// `nodes`.
#[derive(Debug, Group)]
pub struct Nodes {
    /// Only classes and titles that contain this
    pub filter: Option<String>,
    /// In the shape of ComfyUI's /object_info
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub place: Place,
}

/// `models`.
#[derive(Debug, Group)]
pub struct Models {
    /// As JSON
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub place: Place,
}

/// `convert`.
#[derive(Debug, Group)]
pub struct Convert {
    /// The graph: .longtake, ComfyUI's workflow or prompt JSON, or a picture or video that carries one
    pub input: PathBuf,
    /// What to write: *.longtake becomes a project, anything else a prompt; - prints the prompt
    pub output: PathBuf,
}

/// `pin`.
#[derive(Debug, Group)]
pub struct Pin {
    /// The project, which is changed
    pub file: PathBuf,
    /// The shots, counted from 1: 3,7-9
    #[arg(long, value_name = "LIST", value_parser = parse_shots)]
    pub shots: BTreeSet<u32>,
    /// Let them go again
    #[arg(long)]
    pub release: bool,
    #[command(flatten)]
    pub place: Place,
}

/// `store`.
#[derive(Debug, Group)]
pub struct Store {
    /// What to do
    #[arg(value_enum, default_value_t = StoreWork::Show)]
    pub work: StoreWork,
    /// prune: until the store is no larger than this, instead of its limit
    #[arg(long, value_name = "SIZE", value_parser = parse_room)]
    pub to: Option<u64>,
    /// prune: what was not used for that long: 30d, 12h, 2w
    #[arg(long, value_name = "TIME", value_parser = parse_age)]
    pub older_than: Option<Duration>,
    /// prune: only tell what would go
    #[arg(long)]
    pub dry_run: bool,
    /// prune: let go of what only projects that are not there any more have pinned
    #[arg(long)]
    pub forget_missing: bool,
    /// As JSON
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub shelf: Shelf,
}

/// What to do with the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum StoreWork {
    /// Its size, limit and entries, and what is kept for whom
    Show,
    /// Remove what was not used for longest, down to the limit
    Prune,
    /// Read every entry to its last frame, and set damaged ones aside
    Verify,
}

fn parse_limit(text: &str) -> Result<Limit, String> {
    match text.trim() {
        "auto" => Ok(Limit::Auto),
        "none" => Ok(Limit::Unlimited),
        size => parse_size(size)
            .map(Limit::Bytes)
            .map_err(|_| format!("expected a size such as 200GiB, auto or none, found `{text}`")),
    }
}

/// A size, of which nothing is one too.
fn parse_room(text: &str) -> Result<u64, String> {
    if text.trim() == "0" {
        return Ok(0);
    }
    parse_size(text)
}

/// Most shots a film may have; keeps a slip of the finger (`1-999999999`) from filling the memory.
const MOST_SHOTS: u32 = 100_000;

fn parse_shots(text: &str) -> Result<BTreeSet<u32>, String> {
    let mut shots = BTreeSet::new();
    let number = |text: &str| match text.trim().parse::<u32>() {
        Ok(number) if (1..=MOST_SHOTS).contains(&number) => Ok(number),
        _ => Err(format!("expected shots such as 3,7-9, found `{text}`")),
    };
    for part in text.split(',') {
        let (first, last) = match part.split_once('-') {
            Some((first, last)) => (number(first)?, number(last)?),
            None => (number(part)?, number(part)?),
        };
        if first > last {
            return Err(format!("`{part}` ends before it begins"));
        }
        shots.extend(first..=last);
    }
    Ok(shots)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_sound() {
        Args::command().debug_assert();
    }

    #[test]
    fn limits() {
        assert_eq!(parse_limit("auto"), Ok(Limit::Auto));
        assert_eq!(parse_limit("none"), Ok(Limit::Unlimited));
        assert_eq!(parse_limit("2GiB"), Ok(Limit::Bytes(2 << 30)));
        for bad in ["", "0", "all", "-1"] {
            assert!(parse_limit(bad).is_err(), "{bad}");
        }
        assert_eq!(parse_room("0"), Ok(0));
        assert!(parse_room("-1").is_err());
    }

    #[test]
    fn shots() {
        let list = |text: &str| parse_shots(text).map(|it| it.into_iter().collect::<Vec<_>>());
        assert_eq!(list("3,7-9, 1"), Ok(vec![1, 3, 7, 8, 9]));
        for bad in ["", "0", "a", "3-", "9-7", "1-999999999", "-1"] {
            assert!(list(bad).is_err(), "{bad}");
        }
    }
}

//! `longtake convert`: project ⇄ prompt JSON; a ComfyUI workflow, or the graph out of a picture or film.

use std::path::Path;

use anyhow::Result;
use longtake_graph::{Format, format};
use longtake_nodes::Registry;

use crate::args::Convert;
use crate::{Ended, document};

/// Reads one form and writes the other.
///
/// # Errors
/// Not a graph, or the file cannot be written.
pub fn run(args: &Convert) -> Result<Ended> {
    let registry = Registry::new();
    let (project, mut found) = document::read(&args.input)?;
    if args.output == Path::new("-") {
        let (text, more) = format::to_text(&project, Format::Prompt, &registry);
        found.extend(more);
        print!("{text}");
    } else {
        let form = Format::of_path(&args.output);
        found.extend(format::write(&args.output, &project, form, &registry)?);
    }
    document::print(&found);
    Ok(Ended::Done)
}

//! `LoadLatent`: a latent from a `.latent` file.

use longtake_graph::declare::{FileKind, input_file, output};
use longtake_graph::{Declaration, Kind};
use longtake_plan::{Cost, InferCx, InferError, Info, Keep, Lane};
use longtake_run::{RunCx, RunError, Value, paths};

use super::file;
use crate::Node;
use crate::failure::OrFail;
use crate::node::{fact_error, one_way};

const DECLARATION: Declaration = Declaration {
    class: "LoadLatent",
    title: "Load latent",
    title_ja: "潜在表現を読み込む",
    category: "_for_testing",
    category_ja: "試験中",
    help: "Reads a .latent file from --input.",
    help_ja: "--input の .latent ファイルを読み込みます。",
    inputs: &[
        input_file("latent", FileKind::Latent).help("File under --input", "--input の中のファイル")
    ],
    outputs: &[output("LATENT", Kind::LATENT)],
    ..Declaration::EMPTY
};

/// The node.
pub const NODE: Node = Node::work(
    &DECLARATION,
    infer,
    Lane::Cpu,
    Keep::Memory,
    |_| one_way(Cost::default()),
    run,
);

fn infer(cx: &InferCx<'_>) -> Result<Vec<Info>, InferError> {
    let facts = cx.facts.media(FileKind::Latent, cx.text("latent")?);
    Ok(vec![
        facts.map_err(|e| fact_error("latent", e))?.info.clone(),
    ])
}

fn run(cx: &mut RunCx<'_>) -> Result<Vec<Value>, RunError> {
    let name = cx.text("latent")?;
    let path = paths::find(&cx.env.roots.input, name).or_fail()?;
    Ok(vec![Value::Latent(file::read(&path)?)])
}

//! `SaveLatent`: a latent as a `.latent` file.

use longtake_graph::declare::{socket, text};
use longtake_graph::{Declaration, Kind};
use longtake_plan::{Cost, InferCx, InferError, Info, Keep, Lane};
use longtake_run::{RunCx, RunError, Value};

use super::file;
use crate::Node;
use crate::node::one_way;
use crate::output::Numbered;

const DECLARATION: Declaration = Declaration {
    class: "SaveLatent",
    title: "Save latent",
    title_ja: "潜在表現を保存",
    category: "_for_testing",
    category_ja: "試験中",
    help: "Writes a latent under --output, as ComfyUI does.",
    help_ja: "ComfyUI と同じ形式で、潜在表現を --output に書き出します。",
    inputs: &[
        socket("samples", Kind::LATENT).help("The latent", "潜在表現"),
        text("filename_prefix", "latents/ComfyUI").help(
            "Folder and name under --output",
            "--output の中のフォルダーと名前",
        ),
    ],
    output_node: true,
    ..Declaration::EMPTY
};

/// The node.
pub const NODE: Node = Node::work(
    &DECLARATION,
    infer,
    Lane::Cpu,
    Keep::Output,
    |_| one_way(Cost::default()),
    run,
);

fn infer(cx: &InferCx<'_>) -> Result<Vec<Info>, InferError> {
    crate::output::check_prefix(cx)?;
    cx.latent("samples").map(|_| Vec::new())
}

fn run(cx: &mut RunCx<'_>) -> Result<Vec<Value>, RunError> {
    let latent = cx.latent("samples")?;
    let prefix = cx.text("filename_prefix")?;
    let size = (latent.info.width * 8, latent.info.height * 8);
    let path = Numbered::new(&cx.env.roots.output, prefix, Some(size))?.next("latent");
    file::write(&path, &latent, cx.env.prompt.as_ref())?;
    Ok(vec![Value::Files(vec![path])])
}

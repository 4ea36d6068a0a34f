//! Lists of files for combos, read at most every few seconds while they are looked at.

use std::sync::Arc;

use egui::{Context, Id};
use longtake_graph::ModelFolder;
use longtake_graph::declare::FileKind;

use crate::Cx;

/// Seconds after which a folder is listed again.
const FRESH: f64 = 5.0;

#[derive(Clone)]
struct Kept {
    at: f64,
    names: Arc<Vec<String>>,
}

/// Names of the checkpoints in a folder.
pub fn models(ctx: &Context, cx: &Cx<'_>, folder: ModelFolder) -> Arc<Vec<String>> {
    let id = Id::new(("model names", folder));
    kept(ctx, id, || cx.studio.engine.model_names(folder))
}

/// Names of the files that an input of that kind can take.
pub fn files(ctx: &Context, cx: &Cx<'_>, what: FileKind) -> Arc<Vec<String>> {
    kept(ctx, file_id(what), || cx.studio.engine.input_files(what))
}

/// The input folder changed: list it again.
pub fn forget_files(ctx: &Context, what: FileKind) {
    ctx.data_mut(|it| it.remove::<Kept>(file_id(what)));
}

fn file_id(what: FileKind) -> Id {
    Id::new(("file names", what as u8))
}

fn kept(ctx: &Context, id: Id, list: impl FnOnce() -> Vec<String>) -> Arc<Vec<String>> {
    let now = ctx.input(|it| it.time);
    let kept = ctx.data(|it| it.get_temp::<Kept>(id));
    if let Some(kept) = kept
        && now - kept.at < FRESH
    {
        return kept.names;
    }
    let names = Arc::new(list());
    let kept = Kept {
        at: now,
        names: names.clone(),
    };
    ctx.data_mut(|it| it.insert_temp(id, kept));
    names
}

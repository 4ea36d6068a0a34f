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
    /// How many files had been brought in.
    imported: u64,
    names: Arc<Vec<String>>,
}

/// Names of the checkpoints in a folder.
pub fn models(ctx: &Context, cx: &Cx<'_>, folder: ModelFolder) -> Arc<Vec<String>> {
    let id = Id::new(("model names", folder));
    kept(ctx, cx, id, || cx.studio.engine.model_names(folder))
}

/// Names of the files that an input of that kind can take.
pub fn files(ctx: &Context, cx: &Cx<'_>, what: FileKind) -> Arc<Vec<String>> {
    let id = Id::new(("file names", what as u8));
    kept(ctx, cx, id, || cx.studio.engine.input_files(what))
}

fn kept(
    ctx: &Context,
    cx: &Cx<'_>,
    id: Id,
    list: impl FnOnce() -> Vec<String>,
) -> Arc<Vec<String>> {
    let now = ctx.input(|it| it.time);
    let imported = cx.studio.files.imported;
    let kept = ctx.data(|it| it.get_temp::<Kept>(id));
    if let Some(kept) = kept
        && now - kept.at < FRESH
        && kept.imported == imported
    {
        return kept.names;
    }
    let names = Arc::new(list());
    let kept = Kept {
        at: now,
        imported,
        names: names.clone(),
    };
    ctx.data_mut(|it| it.insert_temp(id, kept));
    names
}

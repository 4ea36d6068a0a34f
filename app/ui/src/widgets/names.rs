//! Lists of files for combos, read at most every few seconds while they are looked at. The first time a
//! list is read at once; later on a thread, and the old one stands until the new one is there.

use std::sync::Arc;

use crossbeam::channel::{Receiver, bounded};
use egui::{Context, Id};
use longtake_editor::engine::Engine;
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
    /// The list that is being read.
    coming: Option<Receiver<Vec<String>>>,
}

/// Names of the checkpoints in a folder.
pub fn models(ctx: &Context, cx: &Cx<'_>, folder: ModelFolder) -> Arc<Vec<String>> {
    let id = Id::new(("model names", folder));
    kept(ctx, cx, id, move |engine| engine.model_names(folder))
}

/// Names of the files that an input of that kind can take.
pub fn files(ctx: &Context, cx: &Cx<'_>, what: FileKind) -> Arc<Vec<String>> {
    let id = Id::new(("file names", what as u8));
    kept(ctx, cx, id, move |engine| engine.input_files(what))
}

fn kept(
    ctx: &Context,
    cx: &Cx<'_>,
    id: Id,
    list: impl Fn(&dyn Engine) -> Vec<String> + Send + 'static,
) -> Arc<Vec<String>> {
    let now = ctx.input(|it| it.time);
    let imported = cx.studio.files.imported;
    let kept = ctx.data(|it| it.get_temp::<Kept>(id));
    // What was just brought in must be among the names.
    let Some(mut kept) = kept.filter(|it| it.imported == imported) else {
        let names = Arc::new(list(&*cx.studio.engine));
        let kept = Kept {
            at: now,
            imported,
            names: names.clone(),
            coming: None,
        };
        ctx.data_mut(|it| it.insert_temp(id, kept));
        return names;
    };
    if let Some(coming) = &kept.coming {
        match coming.try_recv() {
            Ok(names) => kept.names = Arc::new(names),
            Err(error) if error.is_empty() => return kept.names,
            Err(_) => {}
        }
        kept.coming = None;
        kept.at = now;
    } else if now - kept.at >= FRESH {
        let (send, coming) = bounded(1);
        let (engine, ctx) = (cx.studio.engine.clone(), ctx.clone());
        let work = move || {
            let _ = send.send(list(&*engine));
            ctx.request_repaint();
        };
        // Without a thread the old list stays.
        let _ = std::thread::Builder::new()
            .name("names".to_owned())
            .spawn(work);
        kept.coming = Some(coming);
    } else {
        return kept.names;
    }
    let names = kept.names.clone();
    ctx.data_mut(|it| it.insert_temp(id, kept));
    names
}

//! What is half typed in a field that is drawn no more, because its node was moved out of view or its
//! panel closed: it is taken in at once, neither lost nor written when the field comes back.

use egui::{Context, Id};
use longtake_editor::{Action, Studio, Text};
use longtake_graph::Edit;

use crate::Cx;

/// The field that is being typed in; there is one focus.
#[derive(Clone)]
struct Kept {
    field: Id,
    /// The document it was drawn for.
    opened: u64,
    /// When it was drawn last.
    pass: u64,
    label: Text,
    /// What it would write, as an edit of the whole document; nothing while it cannot be read.
    edit: Option<Edit>,
    /// Drops what the field remembers.
    forget: fn(&Context, Id),
}

fn slot() -> Id {
    Id::new("unfinished field")
}

/// Tells what a field would write (in the open graph), each time it is drawn half typed.
pub fn keep(
    ctx: &Context,
    cx: &Cx<'_>,
    field: Id,
    (label, edit): (Text, Option<Edit>),
    forget: fn(&Context, Id),
) {
    let session = &cx.studio.session;
    let kept = Kept {
        field,
        opened: session.opened(),
        pass: ctx.cumulative_pass_nr(),
        label,
        edit: edit.map(|it| session.scoped(it)),
        forget,
    };
    ctx.data_mut(|it| it.insert_temp(slot(), kept));
}

/// The field was left in the usual way.
pub fn done(ctx: &Context, field: Id) {
    let kept = ctx.data(|it| it.get_temp::<Kept>(slot()));
    if kept.is_some_and(|it| it.field == field) {
        ctx.data_mut(|it| it.remove::<Kept>(slot()));
    }
}

/// After everything was drawn: what a field wrote that was not among it.
pub fn left(ctx: &Context, studio: &Studio) -> Option<Action> {
    let kept = ctx.data(|it| it.get_temp::<Kept>(slot()))?;
    if kept.pass == ctx.cumulative_pass_nr() {
        return None;
    }
    ctx.data_mut(|it| it.remove::<Kept>(slot()));
    (kept.forget)(ctx, kept.field);
    let edit = kept
        .edit
        .filter(|_| kept.opened == studio.session.opened())?;
    Some(Action::EditRoot(kept.label, edit))
}

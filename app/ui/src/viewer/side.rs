//! One side of the viewer: what it shows, and its frames.

use std::path::PathBuf;
use std::sync::Arc;

use egui::Context;
use longtake_editor::Studio;
use longtake_editor::queue::{Job, JobId};
use longtake_graph::{NodeId, Sentence};

use super::reel::{Opening, Reel, Shown, Stage, Wish};
use super::screen::Screen;
use super::words;
use crate::Cx;
use crate::pictures::finder::Source;
use crate::titles::Titles;

/// What a side shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// What a node (lowered id) made; of several shots, one.
    Node {
        node: NodeId,
        shot: Option<Arc<str>>,
    },
    /// A file.
    File(PathBuf),
    /// The first output of a job.
    Job(JobId),
}

/// One side.
pub struct Side {
    /// What it shows.
    pub what: What,
    /// Its texture.
    pub screen: Screen,
    reel: Option<Reel>,
    /// What takes the reel's place once it is open: the picture stays until then.
    next: Option<Reel>,
    /// What was known of the document and its runs when the result was looked for.
    seen: (u64, u64),
}

impl Side {
    /// A side that shows this.
    pub fn new(what: What) -> Self {
        Self {
            what,
            screen: Screen::default(),
            reel: None,
            next: None,
            seen: (u64::MAX, u64::MAX),
        }
    }

    /// Once per frame: opens, opens anew when there may be a newer result, takes in frames.
    pub fn tick(&mut self, cx: &mut Cx<'_>, ctx: &Context, wish: Wish) {
        let now = self.known(cx.studio);
        if self.next.is_none() && now != self.seen {
            self.seen = now;
            let opening = self.opening(cx);
            let engine = cx.studio.engine.clone();
            self.next = opening.map(|it| Reel::open(engine, it, ctx.clone()));
        }
        if let Some(reel) = &mut self.reel {
            reel.tick(wish);
        }
        if let Some(next) = &mut self.next {
            next.tick(wish);
            self.take_next();
        }
    }

    /// The frame to show now.
    pub fn show(&mut self, wish: Wish) -> Option<Shown> {
        self.reel.as_mut()?.show(wish)
    }

    /// Its clip, once there is one.
    pub fn reel(&self) -> Option<&Reel> {
        self.reel.as_ref()
    }

    /// Files written since the last call.
    pub fn saved(&mut self) -> Vec<(PathBuf, Result<(), Sentence>)> {
        let reel = self.reel.as_mut();
        reel.map(|it| std::mem::take(&mut it.saved))
            .unwrap_or_default()
    }

    /// What to say in place of a picture.
    pub fn wordless(&self, studio: &Studio) -> String {
        match self
            .reel
            .as_ref()
            .or(self.next.as_ref())
            .map(|it| &it.stage)
        {
            Some(Stage::Opening | Stage::Open(_)) => studio.tr(words::OPENING).to_owned(),
            Some(Stage::Failed(error)) => studio.language().sentence(error).to_owned(),
            Some(Stage::Nothing) | None => studio.tr(words::NOTHING).to_owned(),
        }
    }

    /// What it shows, for people.
    pub fn label(&self, studio: &Studio) -> String {
        let name = label(&self.what, studio);
        let old = self.reel.as_ref().is_some_and(
            |it| matches!(&it.stage, Stage::Open(open) if open.step.is_some_and(|it| it.0 > 0)),
        );
        if old {
            format!("{name} ({})", studio.tr(words::LAST))
        } else {
            name
        }
    }

    fn take_next(&mut self) {
        let Some(next) = &self.next else { return };
        let better = match (&next.stage, self.reel.as_ref().map(|it| &it.stage)) {
            (Stage::Opening, _) => return,
            (Stage::Open(new), Some(Stage::Open(old))) => match (new.step, old.step) {
                (Some(new), Some(old)) => new.1 != old.1,
                _ => true,
            },
            // What was made before stays in sight.
            (_, Some(Stage::Open(_))) => false,
            _ => true,
        };
        let next = self.next.take();
        if better {
            self.reel = next;
        }
    }

    fn opening(&self, cx: &mut Cx<'_>) -> Option<Opening> {
        match &self.what {
            What::File(path) => Some(Opening::File(path.clone())),
            What::Node { node, shot } => {
                let finder = cx.pictures.finder();
                Some(Opening::Steps(finder.sources(
                    cx.studio,
                    node,
                    shot.as_deref(),
                )))
            }
            What::Job(id) => of_job(cx.studio.queue.job(*id)?),
        }
    }

    fn known(&self, studio: &Studio) -> (u64, u64) {
        match &self.what {
            What::Node { node, .. } => (
                // Each answer of the compiler has findings of its own.
                Arc::as_ptr(&studio.planned.diagnostics) as u64,
                crate::pictures::epoch(studio, node),
            ),
            What::File(_) | What::Job(_) => (0, 0),
        }
    }
}

/// The first output of a job: what its plan's step made, or, of an older job, the file it wrote.
fn of_job(job: &Job) -> Option<Opening> {
    if let Some(plan) = &job.plan {
        let step = *plan.outputs.first()?;
        return Some(Opening::Steps(vec![Source {
            plan: plan.clone(),
            step,
            shot: None,
        }]));
    }
    let output = job.report()?.outputs.first()?;
    Some(Opening::File(output.path.clone()))
}

/// A thing to look at, for people.
pub fn label(what: &What, studio: &Studio) -> String {
    match what {
        What::File(path) => path.file_name().map_or_else(
            || path.display().to_string(),
            |name| name.to_string_lossy().into_owned(),
        ),
        What::Job(id) => {
            let title = studio.queue.job(*id).map_or("?", |job| job.title.as_str());
            let name = format!("{title} #{}", id.0);
            words::JOB.with(studio.language(), &[&name])
        }
        What::Node { node, shot } => {
            let title = node_title(studio, node);
            match shot {
                Some(shot) => format!("{title} · {shot}"),
                None => title,
            }
        }
    }
}

/// The title of a node by its lowered id, with the id: a graph may have several of one title.
pub fn node_title(studio: &Studio, id: &NodeId) -> String {
    let title = Titles::new(studio).of(id);
    if title == id.as_str() {
        return title;
    }
    format!("{title} #{id}")
}

//! Images and clips of any node, whole frames in their own pixels: zoom, play, scrub, compare.
//!
//! - [`side`]: what is shown; [`reel`]: a clip decoded on a thread; [`ring`]: its frames in bounded
//!   memory.
//! - [`transport`]: which frame; [`view`]: where it lies; [`screen`]: as a texture.
//! - [`stage`]: the picture; [`top`]: what stands above it; [`bar`]: below; [`picks`]: choosing.

mod bar;
mod picks;
pub mod reel;
mod ring;
mod screen;
mod side;
mod stage;
#[cfg(test)]
mod tests;
mod top;
mod transport;
mod view;
mod words;

use std::path::PathBuf;
use std::sync::Arc;

use egui::{ColorImage, Context, Ui};
use longtake_editor::queue::JobId;
use longtake_editor::{Action, Studio, ViewerAction};
use longtake_graph::{InputType, Kind, NodeId, Sentence};
use longtake_plan::StepId;
use longtake_run::Preview;

use crate::pictures::Picture;
use crate::pictures::shrink::full;
use crate::{Cx, Pictures, theme};
use reel::{Shown, Wish};
use screen::{Difference, Screen};
use side::Side;
use transport::{Transport, rate, same_moment};
use view::View;

pub use side::What;

/// How two sides are shown together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Compare {
    /// A to the left of a divider, B to its right.
    #[default]
    Wipe,
    /// Beside each other.
    Beside,
    /// How they differ.
    Difference,
}

/// A frame of work under way.
struct Live {
    node: NodeId,
    number: u64,
    picture: Picture,
    size: [u32; 2],
    /// Its pixels; none of one that never left the device.
    image: Option<Arc<ColorImage>>,
}

/// Images and clips of any node.
pub struct Viewer {
    a: Option<Side>,
    b: Option<Side>,
    transport: Transport,
    view: View,
    compare: Compare,
    /// Where the divider stands, part of the area's width.
    wipe: f32,
    gain: u8,
    difference: Difference,
    difference_screen: Screen,
    /// Shows what the running node is at.
    follow: bool,
    live: Option<Live>,
    /// The running job that is followed.
    followed: Option<JobId>,
    /// One screen pixel per pixel, at the next drawing.
    one_to_one: bool,
    /// Pixel values under the mouse are told.
    values: bool,
    /// Frames on show, A and B, for tests and for saving.
    shown: [Option<Shown>; 2],
}

impl Default for Viewer {
    fn default() -> Self {
        Self {
            a: None,
            b: None,
            transport: Transport::default(),
            view: View::default(),
            compare: Compare::default(),
            wipe: 0.5,
            gain: 4,
            difference: Difference::default(),
            difference_screen: Screen::default(),
            follow: true,
            live: None,
            followed: None,
            one_to_one: false,
            values: false,
            shown: [None, None],
        }
    }
}

impl Viewer {
    /// Does what was asked of the viewer.
    pub fn wish(&mut self, wish: &ViewerAction, studio: &Studio) {
        let (what, second) = match wish {
            ViewerAction::Node { node, second } => {
                let node = node_to_show(node, studio);
                (What::Node { node, shot: None }, *second)
            }
            ViewerAction::File { path, second } => (What::File(path.clone()), *second),
            ViewerAction::Jobs(a, b) => {
                self.show(What::Job(*a));
                (What::Job(*b), true)
            }
        };
        if second && self.a.is_some() {
            self.b = Some(Side::new(what));
        } else {
            self.show(what);
        }
    }

    /// Another document was opened: what nodes of the old one made is not this one's.
    pub fn begin_document(&mut self) {
        let node = |side: &Option<Side>| {
            matches!(
                side,
                Some(Side {
                    what: What::Node { .. },
                    ..
                })
            )
        };
        if node(&self.a) {
            self.a = self.b.take();
        }
        if node(&self.a) {
            self.a = None;
        }
        if node(&self.b) {
            self.b = None;
        }
    }

    /// Shows this alone; a comparison is over.
    pub fn show(&mut self, what: What) {
        self.b = None;
        self.set_a(what);
        self.view.fit();
    }

    /// A name for the frame on show, for the dialog that asks where to save it.
    pub fn frame_name(&self, studio: &Studio) -> String {
        let label = self.a.as_ref().map(|it| side::label(&it.what, studio));
        let label = label.unwrap_or_else(|| "frame".to_owned());
        let plain: String = label
            .chars()
            .map(|c| if c.is_alphanumeric() { c } else { '-' })
            .collect();
        format!(
            "{}-{:04}.png",
            plain.trim_matches('-'),
            self.transport.frame() + 1
        )
    }

    /// Writes the frame of A that is on show; told in a message when it is done.
    pub fn save_frame(&self, path: PathBuf) {
        if let (Some(reel), Some(shown)) = (self.a.as_ref().and_then(Side::reel), &self.shown[0]) {
            reel.save(shown.frame, path);
        }
    }

    /// Draws it.
    pub fn ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        self.tick(ui, cx);
        ui.spacing_mut().item_spacing = egui::vec2(theme::UNIT, theme::UNIT);
        egui::Frame::NONE
            .inner_margin(egui::Margin::symmetric(8, 4))
            .show(ui, |ui| self.top_ui(ui, cx));
        let frames = self.frames();
        let below = if frames > 1 {
            theme::ROW + 2.0 * theme::UNIT
        } else {
            0.0
        };
        let size = ui.available_size() - egui::vec2(0.0, below);
        let (area, _) =
            ui.allocate_exact_size(size.max(egui::Vec2::splat(1.0)), egui::Sense::hover());
        self.stage_ui(ui, cx, area);
        if frames > 1 {
            egui::Frame::NONE
                .inner_margin(egui::Margin::symmetric(8, 0))
                .show(ui, |ui| self.bar_ui(ui, cx.studio));
        }
    }

    fn bar_ui(&mut self, ui: &mut Ui, studio: &Studio) {
        let reel = self.a.as_ref().and_then(Side::reel);
        let runs = reel.map(reel::Reel::runs).unwrap_or_default();
        let info = reel.and_then(reel::Reel::info);
        let bar = bar::Bar {
            frames: self.frames(),
            rate: rate(info.and_then(|it| it.fps)),
            runs: &runs,
        };
        bar::bar_ui(ui, studio, &mut self.transport, &bar);
    }

    /// Frames of A.
    fn frames(&self) -> u64 {
        let info = self.a.as_ref().and_then(|it| it.reel()?.info());
        info.map_or(0, |it| it.frames)
    }

    fn set_a(&mut self, what: What) {
        // A file may be another one by now.
        let file = matches!(what, What::File(_));
        if file || self.a.as_ref().is_none_or(|it| it.what != what) {
            self.a = Some(Side::new(what));
        }
        self.transport.go(0);
    }

    /// The clock, the frames of both sides, the running node.
    fn tick(&mut self, ui: &Ui, cx: &mut Cx<'_>) {
        let ctx = ui.ctx().clone();
        self.follow(&ctx, cx);
        let info = |side: &Option<Side>| side.as_ref().and_then(|it| it.reel()?.info());
        let (a, b) = (info(&self.a), info(&self.b));
        let fps = a.and_then(|it| it.fps);
        let speed = rate(fps);
        if let Some(a) = a {
            let now = ui.input(|it| it.time);
            if let Some(due) = self.transport.advance(now, speed, a.frames) {
                ctx.request_repaint_after_secs(due as f32);
            }
        }
        let wish = Wish {
            frame: self.transport.frame(),
            rate: self.transport.playing().then_some(speed),
            looping: self.transport.looping,
        };
        let wish_b = b.map_or(wish, |b| Wish {
            frame: same_moment(wish.frame, fps, b.fps, b.frames),
            ..wish
        });
        let sides = [(&mut self.a, wish), (&mut self.b, wish_b)];
        for ((side, wish), shown) in sides.into_iter().zip(&mut self.shown) {
            *shown = None;
            if let Some(side) = side {
                side.tick(cx, &ctx, wish);
                *shown = side.show(wish);
                for (path, outcome) in side.saved() {
                    tell(cx, &path, outcome);
                }
            }
        }
    }

    /// While a job runs: the newest preview of it. When it is over: what it made.
    fn follow(&mut self, ctx: &Context, cx: &mut Cx<'_>) {
        let studio = cx.studio;
        if let Some(job) = studio.queue.running() {
            self.followed = Some(job.id);
            match newest_preview(studio).filter(|it| self.wants_live(&it.0)) {
                Some(newest) => self.go_live(newest, ctx, cx),
                None => self.live = None,
            }
            return;
        }
        self.live = None;
        let Some(over) = self.followed.take() else {
            return;
        };
        // Of another document, or failed: the picture stays.
        let job = studio.queue.last_done().filter(|it| it.id == over);
        if let Some(job) = job.filter(|it| self.follow && studio.queue.is_of_open(it))
            && let Some(node) = output_node(job, studio)
        {
            self.set_a(What::Node { node, shot: None });
        }
    }

    fn go_live(&mut self, (node, number, preview): Newest, ctx: &Context, cx: &mut Cx<'_>) {
        if self.live.as_ref().is_some_and(|it| it.number == number) {
            return;
        }
        let image = match &preview {
            Preview::Frame(frame) => Some(Arc::new(full(frame))),
            Preview::Device(_) => None,
        };
        self.live = Some(Live {
            picture: Pictures::preview(cx, ctx, &node),
            size: preview.size(),
            node,
            number,
            image,
        });
    }

    /// Whether the preview of a node takes the picture's place: when it is followed, or when it is
    /// what A shows and A has nothing better.
    fn wants_live(&self, node: &NodeId) -> bool {
        let of_a =
            matches!(&self.a, Some(Side { what: What::Node { node: it, .. }, .. }) if it == node);
        self.follow || (of_a && self.shown[0].is_none())
    }
}

fn tell(cx: &mut Cx<'_>, path: &std::path::Path, outcome: Result<(), Sentence>) {
    let language = cx.studio.language();
    let name = path.display().to_string();
    cx.act(match outcome {
        Ok(()) => Action::Told(words::SAVED.with(language, &[&name])),
        Err(error) => {
            let why = language.sentence(&error);
            Action::Tell(words::UNSAVED.with(language, &[&name, why]))
        }
    });
}

/// A node, the number of its preview, the preview.
type Newest = (NodeId, u64, Preview);

/// The newest preview of the running job.
fn newest_preview(studio: &Studio) -> Option<Newest> {
    studio.queue.running()?;
    let (node, (number, preview)) = studio.status.newest_preview()?;
    Some((node.clone(), *number, preview.clone()))
}

/// The node itself, or, of an instance of a subgraph, the last node inside it that has steps.
fn node_to_show(node: &NodeId, studio: &Studio) -> NodeId {
    let steps = studio.planned.plan.iter().flat_map(|plan| &plan.steps);
    let nodes = || steps.clone().map(|step| &step.path.node);
    if nodes().any(|it| it == node) {
        return node.clone();
    }
    let inside = |it: &&NodeId| {
        let rest = it.as_str().strip_prefix(node.as_str());
        rest.is_some_and(|rest| rest.starts_with(':'))
    };
    nodes().rfind(inside).unwrap_or(node).clone()
}

/// The output to look at: the first one that takes frames.
fn output_node(job: &longtake_editor::queue::Job, studio: &Studio) -> Option<NodeId> {
    let plan = job.plan.as_ref()?;
    let takes_frames = |step: &&StepId| {
        let class = &plan.step(**step).class;
        let declaration = studio.engine.catalog().declaration(class);
        let mut inputs = declaration.into_iter().flat_map(|it| it.inputs);
        inputs.any(|it| matches!(it.ty, InputType::Socket(Kind::IMAGE | Kind::VIDEO)))
    };
    let frames = plan.outputs.iter().find(takes_frames);
    let step = frames.or_else(|| plan.outputs.first())?;
    Some(plan.step(*step).path.node.clone())
}

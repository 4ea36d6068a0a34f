//! Textures of files, results and previews: loaded on threads, kept while they are looked at.
//!
//! - [`finder`]: which step of a plan made what a node shows.
//! - [`loader`]: the threads; [`shrink`]: frames as textures want them.
//! - [`device`]: previews that stay on the window's own device.
//! - [`paint`]: a picture within a rectangle.

pub mod device;
pub mod finder;
pub mod loader;
pub mod paint;
pub mod shrink;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use egui::{TextureHandle, TextureOptions};
use longtake_editor::{Engine, Studio};
use longtake_graph::{NodeId, Sentence};
use longtake_plan::ClipInfo;
use longtake_run::Preview;

use crate::Cx;
use device::{DeviceTextures, Registered, Texture};
use finder::{Finder, Source};
use loader::{Answer, Key, Loader, Made, Of, Reading, Request, Stamp};

pub use paint::picture_ui;

/// Bytes of textures kept.
const LIMIT: usize = 96 << 20;
/// Textures uploaded in one frame; the rest follow in the next.
const UPLOADS: usize = 4;
/// How often a file on show is looked at again.
const RECHECK: Duration = Duration::from_secs(2);
/// Sides are rounded up to a power of two in this range, so that zooming does not load anew.
const SIDES: [u32; 2] = [64, 1024];
/// Live previews kept.
const PREVIEWS: usize = 32;

/// A picture that may still be on its way.
#[derive(Clone)]
pub enum Picture {
    /// There is nothing to show.
    None,
    /// It is being read.
    Loading,
    /// Here it is; its own size in pixels may be larger than the texture.
    Ready { texture: Texture, size: [u32; 2] },
    /// It cannot be read, and why.
    Failed(Sentence),
}

/// What a file is, as far as it is known by now.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct FileFacts {
    /// Whether it was looked at: until then nothing is known.
    pub seen: bool,
    /// Its size in bytes; `None`: it is not there.
    pub bytes: Option<u64>,
    /// Its frames, of a picture or a film.
    pub clip: Option<ClipInfo>,
}

impl Picture {
    /// Whether there is something to show.
    pub fn is_ready(&self) -> bool {
        matches!(self, Self::Ready { .. })
    }
}

/// Of how many frames, and the newest texture: kept on show while a larger one is read.
enum State {
    Waiting,
    Ready {
        texture: TextureHandle,
        size: [u32; 2],
        clip: ClipInfo,
    },
    Nothing,
    Failed(Sentence),
}

struct Entry {
    state: State,
    /// Longest side asked for.
    side: u32,
    /// On its way.
    asked: bool,
    /// The file, as it was when it was read.
    stamp: Stamp,
    checked: Instant,
    /// What was known of the run when it was asked for: a result may be there later.
    epoch: u64,
    /// Pass in which it was last wanted.
    used: u64,
}

impl Entry {
    fn new(side: u32) -> Self {
        Self {
            state: State::Waiting,
            side,
            asked: false,
            stamp: None,
            checked: Instant::now(),
            epoch: 0,
            used: 0,
        }
    }

    fn bytes(&self) -> usize {
        match &self.state {
            State::Ready { texture, .. } => texture.byte_size(),
            State::Waiting | State::Nothing | State::Failed(_) => 0,
        }
    }

    fn facts(&self) -> FileFacts {
        FileFacts {
            seen: !matches!(self.state, State::Waiting),
            bytes: self.stamp.map(|it| it.1),
            clip: match &self.state {
                State::Ready { clip, .. } => Some(*clip),
                State::Waiting | State::Nothing | State::Failed(_) => None,
            },
        }
    }

    fn picture(&self) -> (Picture, u64) {
        match &self.state {
            State::Waiting => (Picture::Loading, 0),
            State::Nothing => (Picture::None, 0),
            State::Failed(error) => (Picture::Failed(error.clone()), 0),
            State::Ready {
                texture,
                size,
                clip,
            } => {
                let (texture, size) = (texture.clone().into(), *size);
                (Picture::Ready { texture, size }, clip.frames)
            }
        }
    }
}

struct Live {
    number: u64,
    picture: Picture,
    used: u64,
}

/// The textures.
pub struct Pictures {
    engine: Option<Arc<dyn Engine>>,
    loader: Option<Loader>,
    entries: HashMap<Key, Entry>,
    previews: HashMap<NodeId, Live>,
    device: Option<Rc<dyn DeviceTextures>>,
    finder: Finder,
    limit: usize,
    pass: u64,
}

impl Default for Pictures {
    fn default() -> Self {
        Self::with_limit(LIMIT)
    }
}

impl Pictures {
    /// Textures that take at most so many bytes, besides those on show.
    pub fn with_limit(limit: usize) -> Self {
        Self {
            engine: None,
            loader: None,
            entries: HashMap::new(),
            previews: HashMap::new(),
            device: None,
            finder: Finder::default(),
            limit,
            pass: u64::MAX,
        }
    }

    /// Once per frame, before anything is drawn: says who reads the files. Until then there are no
    /// pictures.
    pub fn begin(&mut self, ctx: &egui::Context, studio: &Studio) {
        self.engine.get_or_insert_with(|| studio.engine.clone());
        self.turn(ctx);
    }

    /// A thumbnail of a picture or video file (its first frame), at most `side` pixels long (or the
    /// next power of two).
    pub fn file(&mut self, ctx: &egui::Context, path: &Path, side: u32) -> Picture {
        let key = Key {
            of: Of::File(path.to_owned()),
            frame: 0,
        };
        self.get(ctx, key, None, side, 0).0
    }

    /// As [`Self::file`], with what the file is: looked at again from time to time, as it may be
    /// moved or written anew.
    pub fn file_with_facts(
        &mut self,
        ctx: &egui::Context,
        path: &Path,
        side: u32,
    ) -> (Picture, FileFacts) {
        let picture = self.file(ctx, path, side);
        let key = Key {
            of: Of::File(path.to_owned()),
            frame: 0,
        };
        let facts = self.entries.get(&key).map(Entry::facts);
        (picture, facts.unwrap_or_default())
    }

    /// Thumbnail of frame `frame` of what a node (lowered id) made, at most `side` pixels long, with the number
    /// of frames there are. Of several shots, the first.
    pub fn result(
        cx: &mut Cx<'_>,
        ctx: &egui::Context,
        node: &NodeId,
        frame: u64,
        side: u32,
    ) -> (Picture, u64) {
        Self::shot(cx, ctx, node, None, frame, side)
    }

    /// As [`Self::result`], of the shot of that id.
    pub fn shot(
        cx: &mut Cx<'_>,
        ctx: &egui::Context,
        node: &NodeId,
        shot: Option<&str>,
        frame: u64,
        side: u32,
    ) -> (Picture, u64) {
        let pictures = &mut *cx.pictures;
        pictures.begin(ctx, cx.studio);
        let epoch = epoch(cx.studio, node);
        let mut best = (Picture::None, 0);
        for source in pictures.finder.sources(cx.studio, node, shot) {
            let key = Key {
                of: Of::Step(source.plan.step(source.step).signature),
                frame,
            };
            let found = pictures.get(ctx, key, Some(&source), side, epoch);
            if !matches!(found.0, Picture::None) {
                best = found;
                break;
            }
        }
        best
    }

    /// The shots that a node (lowered id) is repeated for, in the film's order; empty when it is
    /// not.
    pub fn shots(cx: &mut Cx<'_>, node: &NodeId) -> Vec<Arc<str>> {
        cx.pictures.finder.shots(cx.studio, node)
    }

    /// Previews may be on this device.
    pub fn share(&mut self, device: Rc<dyn DeviceTextures>) {
        self.device = Some(device);
    }

    /// The live preview of a node (lowered id) that is being made.
    pub fn preview(cx: &mut Cx<'_>, ctx: &egui::Context, node: &NodeId) -> Picture {
        let status = cx.studio.status.node(node);
        let Some((number, preview)) = status.and_then(|it| it.preview.as_ref()) else {
            cx.pictures.previews.remove(node);
            return Picture::None;
        };
        let pictures = &mut *cx.pictures;
        pictures.turn(ctx);
        let (used, device) = (pictures.pass, &pictures.device);
        let show = || Live {
            number: *number,
            picture: live(ctx, device.as_ref(), preview),
            used,
        };
        let held = pictures.previews.entry(node.clone()).or_insert_with(&show);
        if held.number != *number {
            *held = show();
        }
        held.used = used;
        held.picture.clone()
    }

    /// Bytes of the textures held, for tests.
    pub fn bytes(&self) -> usize {
        self.entries.values().map(Entry::bytes).sum()
    }

    pub(crate) fn finder(&mut self) -> &mut Finder {
        &mut self.finder
    }

    fn get(
        &mut self,
        ctx: &egui::Context,
        key: Key,
        source: Option<&Source>,
        side: u32,
        epoch: u64,
    ) -> (Picture, u64) {
        self.turn(ctx);
        let Some(engine) = &self.engine else {
            return (Picture::None, 0);
        };
        let side = side.clamp(SIDES[0], SIDES[1]).next_power_of_two();
        let entry = self
            .entries
            .entry(key.clone())
            .or_insert_with(|| Entry::new(side));
        entry.used = self.pass;
        if !entry.asked
            && let Some(reading) = wanted(entry, &key, side, epoch)
        {
            entry.asked = true;
            entry.side = entry.side.max(side);
            entry.epoch = epoch;
            self.loader.get_or_insert_default().ask(Request {
                side: entry.side,
                step: source.map(|it| (it.plan.clone(), it.step)),
                key,
                reading,
                engine: engine.clone(),
                ctx: ctx.clone(),
            });
        }
        entry.picture()
    }

    /// The first call of a frame takes in what was read, and drops what nobody looks at.
    fn turn(&mut self, ctx: &egui::Context) {
        let pass = ctx.cumulative_pass_nr();
        if pass == self.pass {
            return;
        }
        self.pass = pass;
        let mut uploads = 0;
        while uploads < UPLOADS {
            let Some(answer) = self.loader.as_ref().and_then(Loader::answer) else {
                break;
            };
            uploads += usize::from(matches!(answer.made, Made::Picture { .. }));
            self.take_in(ctx, answer);
        }
        if self.loader.as_ref().is_some_and(Loader::has_answers) {
            ctx.request_repaint();
        }
        self.forget();
    }

    fn take_in(&mut self, ctx: &egui::Context, answer: Answer) {
        let Some(entry) = self.entries.get_mut(&answer.key) else {
            return;
        };
        entry.asked = false;
        entry.checked = Instant::now();
        match answer.made {
            Made::Dropped => return,
            Made::Same => {}
            Made::Nothing => entry.state = State::Nothing,
            Made::Failed(error) => entry.state = State::Failed(error),
            Made::Picture { image, size, clip } => {
                let name = "picture";
                entry.side = answer.side;
                entry.state = State::Ready {
                    texture: ctx.load_texture(name, image, TextureOptions::LINEAR),
                    size,
                    clip,
                };
            }
        }
        entry.stamp = answer.stamp;
    }

    /// Least wanted first, until the rest fits. What was wanted in the last two frames stays.
    fn forget(&mut self) {
        let recent = self.pass.saturating_sub(2);
        if self.previews.len() > PREVIEWS {
            self.previews.retain(|_, it| it.used >= recent);
        }
        let mut bytes = self.bytes();
        let many = self.entries.len() > 4096;
        if bytes <= self.limit && !many {
            return;
        }
        let mut old: Vec<(u64, Key)> = self
            .entries
            .iter()
            .filter(|(_, it)| it.used < recent && !it.asked)
            .map(|(key, it)| (it.used, key.clone()))
            .collect();
        old.sort_unstable_by_key(|it| it.0);
        for (_, key) in old {
            if bytes <= self.limit && self.entries.len() <= 2048 {
                break;
            }
            bytes -= self.entries.remove(&key).map_or(0, |it| it.bytes());
        }
    }
}

/// A preview as a picture: uploaded, or where it is.
fn live(
    ctx: &egui::Context,
    device: Option<&Rc<dyn DeviceTextures>>,
    preview: &Preview,
) -> Picture {
    let texture = match preview {
        Preview::Frame(frame) => {
            let image = shrink::shrink(frame, SIDES[1]);
            Some(
                ctx.load_texture("preview", image, TextureOptions::LINEAR)
                    .into(),
            )
        }
        Preview::Device(picture) => device
            .and_then(|it| Registered::new(it, picture))
            .map(|it| Texture::Device(Rc::new(it))),
    };
    let size = preview.size();
    texture.map_or(Picture::None, |texture| Picture::Ready { texture, size })
}

/// Whether to ask for a picture (again), and how.
fn wanted(entry: &Entry, key: &Key, side: u32, epoch: u64) -> Option<Reading> {
    let file = matches!(key.of, Of::File(_));
    match &entry.state {
        State::Waiting => Some(Reading::Anew),
        State::Ready { .. } if entry.side < side => Some(Reading::Anew),
        State::Nothing | State::Failed(_) if !file && entry.epoch != epoch => Some(Reading::Anew),
        State::Ready { .. } | State::Nothing | State::Failed(_) => {
            let again = file && entry.checked.elapsed() > RECHECK;
            again.then_some(Reading::Changed(entry.stamp))
        }
    }
}

/// Changes when a node may have made something new.
pub(crate) fn epoch(studio: &Studio, node: &NodeId) -> u64 {
    let over = studio.status.node(node).map_or(0, |it| it.over as u64);
    let newest = studio.queue.ended.front().map_or(0, |it| it.id.0);
    (newest << 20) | over
}

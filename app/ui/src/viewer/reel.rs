//! A clip that is looked at: opened and decoded on a thread of its own, one read in flight, the
//! newest wish first.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::Instant;

use crossbeam::channel::{Receiver, Sender, unbounded};
use egui::ColorImage;
use longtake_editor::Engine;
use longtake_editor::files::system_error;
use longtake_graph::{Sentence, say};
use longtake_plan::{ClipInfo, Signature};
use longtake_run::Clip;

use super::ring::Ring;
use crate::pictures::finder::Source;
use crate::pictures::shrink::full;

/// Bytes of decoded frames per reel.
pub const LIMIT: usize = 256 << 20;
/// Seconds that one read may take before fewer frames are asked for at once.
const READ_SECS: f64 = 0.1;
/// Most frames asked for at once.
const READ_MOST: u64 = 8;
/// Frames read ahead while it plays.
const MOST_AHEAD: u64 = 240;
/// Frames read ahead of one that stands still.
const STILL_AHEAD: u64 = 8;

/// What to open.
#[derive(Clone)]
pub enum Opening {
    /// A file.
    File(PathBuf),
    /// The first of these steps that has a result.
    Steps(Vec<Source>),
    /// A clip that is there already.
    Clip(Clip),
}

/// What is wanted of a reel now.
#[derive(Clone, Copy, Debug)]
pub struct Wish {
    /// The frame to show.
    pub frame: u64,
    /// Frames per second while it plays.
    pub rate: Option<f64>,
    /// The start follows the end.
    pub looping: bool,
}

/// A frame on show.
#[derive(Clone)]
pub struct Shown {
    /// Its number.
    pub frame: u64,
    /// Its pixels.
    pub image: Arc<ColorImage>,
}

enum Ask {
    Read(Range<u64>),
    Save(u64, PathBuf),
}

enum Told {
    Opened(Result<Option<Opened>, Sentence>),
    Read {
        range: Range<u64>,
        made: Result<Vec<Arc<ColorImage>>, Sentence>,
        seconds: f64,
    },
    Saved(PathBuf, Result<(), Sentence>),
}

/// A clip that is open.
#[derive(Clone, Copy, Debug)]
pub struct Opened {
    /// Sizes and rate.
    pub info: ClipInfo,
    /// Which of the steps it was, and its signature.
    pub step: Option<(usize, Signature)>,
}

/// How far the opening is.
pub enum Stage {
    /// On its way.
    Opening,
    /// Open.
    Open(Opened),
    /// None of the steps has a result.
    Nothing,
    /// It cannot be read.
    Failed(Sentence),
}

/// A clip that is looked at. Its thread ends when this is dropped.
pub struct Reel {
    /// How far the opening is.
    pub stage: Stage,
    /// Files written since they were last taken.
    pub saved: Vec<(PathBuf, Result<(), Sentence>)>,
    ask: Sender<Ask>,
    told: Receiver<Told>,
    ring: Ring,
    busy: bool,
    shown: Option<Shown>,
    /// Frames that cannot be read, and why.
    bad: BTreeMap<u64, Sentence>,
    /// A read of several frames failed: from then on one at a time, so that the rest shows.
    careful: bool,
    /// Seconds a frame takes, smoothed.
    cost: f64,
}

impl Reel {
    /// Begins to open a clip.
    pub fn open(engine: Arc<dyn Engine>, opening: Opening, ctx: egui::Context) -> Self {
        Self::with_limit(engine, opening, ctx, LIMIT)
    }

    /// As [`Self::open`], with that many bytes of frames.
    pub fn with_limit(
        engine: Arc<dyn Engine>,
        opening: Opening,
        ctx: egui::Context,
        limit: usize,
    ) -> Self {
        let (ask, asked) = unbounded();
        let (tell, told) = unbounded();
        let work = move || work(&*engine, opening, &asked, &tell, &ctx);
        let spawned = thread::Builder::new()
            .name("viewer".to_owned())
            .stack_size(16 << 20)
            .spawn(work);
        let stage = match spawned {
            Ok(_) => Stage::Opening,
            Err(error) => {
                let why = system_error(&error);
                Stage::Failed(say!(
                    "no thread to read it on: {why}; close other programs and try again",
                    "読み込むスレッドを開始できません: {why}。他のプログラムを閉じて、もう一度試してください。";
                    why
                ))
            }
        };
        Self {
            stage,
            saved: Vec::new(),
            ask,
            told,
            ring: Ring::new(limit),
            busy: false,
            shown: None,
            bad: BTreeMap::new(),
            careful: false,
            cost: 0.0,
        }
    }

    /// Sizes and rate, once it is open.
    pub fn info(&self) -> Option<ClipInfo> {
        match &self.stage {
            Stage::Open(opened) => Some(opened.info),
            Stage::Opening | Stage::Nothing | Stage::Failed(_) => None,
        }
    }

    /// Takes in what was told. Call before asking for anything.
    pub fn tick(&mut self, wish: Wish) {
        while let Ok(told) = self.told.try_recv() {
            self.take_in(told, wish);
        }
    }

    /// The frame to show: the wanted one if it is there, else the last before it that is, else what
    /// was shown before. Begins to read what is missing.
    pub fn show(&mut self, wish: Wish) -> Option<Shown> {
        self.tick(wish);
        self.read_on(wish);
        let held = match wish.rate {
            None => self.ring.get(wish.frame).map(|image| (wish.frame, image)),
            Some(_) => self.ring.at_or_before(wish.frame),
        };
        let held = held.map(|(frame, image)| Shown {
            frame,
            image: image.clone(),
        });
        // Playing, an older frame never takes the place of a newer one.
        let newer = |it: &Shown| match &self.shown {
            Some(shown) if it.frame != wish.frame => {
                shown.frame > wish.frame || it.frame >= shown.frame
            }
            _ => true,
        };
        if let Some(held) = held.filter(newer) {
            self.shown = Some(held);
        }
        self.shown.clone()
    }

    /// Why the frame cannot be read.
    pub fn failure(&self, frame: u64) -> Option<&Sentence> {
        self.bad.get(&frame)
    }

    /// Writes a frame, in the depth it came in, to a file; the outcome comes in [`Self::saved`].
    pub fn save(&self, frame: u64, path: PathBuf) {
        let _ = self.ask.send(Ask::Save(frame, path));
    }

    /// Runs of frames that are decoded.
    pub fn runs(&self) -> Vec<Range<u64>> {
        self.ring.runs()
    }

    /// Bytes of decoded frames.
    pub fn bytes(&self) -> usize {
        self.ring.bytes()
    }

    fn take_in(&mut self, told: Told, wish: Wish) {
        match told {
            Told::Opened(opened) => {
                self.stage = match opened {
                    Ok(Some(opened)) => Stage::Open(opened),
                    Ok(None) => Stage::Nothing,
                    Err(error) => Stage::Failed(error),
                };
            }
            Told::Saved(path, outcome) => self.saved.push((path, outcome)),
            Told::Read {
                range,
                made,
                seconds,
            } => {
                self.busy = false;
                let count = (range.end - range.start).max(1);
                let cost = seconds / count as f64;
                self.cost = if self.cost == 0.0 {
                    cost
                } else {
                    self.cost * 0.7 + cost * 0.3
                };
                let total = self.info().filter(|_| wish.looping).map(|it| it.frames);
                match made {
                    Err(_) if count > 1 => self.careful = true,
                    Err(error) => {
                        self.bad.insert(range.start, error);
                    }
                    Ok(images) => {
                        for (frame, image) in range.zip(images) {
                            self.ring.put(frame, image, wish.frame, total);
                        }
                    }
                }
            }
        }
    }

    fn read_on(&mut self, wish: Wish) {
        if self.busy {
            return;
        }
        let Some(range) = self.info().and_then(|info| self.next(wish, info)) else {
            return;
        };
        self.busy = self.ask.send(Ask::Read(range)).is_ok();
    }

    /// The next frames to read: the wanted one, then what follows it. When reading is slower than
    /// playing, as far ahead as the clip will be by the time they are there.
    fn next(&self, wish: Wish, info: ClipInfo) -> Option<Range<u64>> {
        let ahead = self.ring.ahead([info.width, info.height]).min(MOST_AHEAD);
        let (lead, ahead) = match wish.rate {
            Some(rate) => ((self.cost * rate) as u64, ahead),
            None => (0, ahead.min(STILL_AHEAD)),
        };
        let place = |n: u64| {
            let at = wish.frame + n;
            if at < info.frames {
                Some(at)
            } else {
                (wish.looping && info.frames > 0 && at - wish.frame < info.frames)
                    .then(|| at % info.frames)
            }
        };
        let missing = |at: u64| self.ring.get(at).is_none() && self.failure(at).is_none();
        let first = (lead..=ahead.max(lead))
            .map_while(place)
            .find(|&at| missing(at))?;
        let fast = (READ_SECS / self.cost.max(1e-4)) as u64;
        let scrubbing = wish.rate.is_none() && first == wish.frame;
        let most = if scrubbing || self.careful {
            1
        } else {
            fast.clamp(1, READ_MOST).min(ahead.max(1))
        };
        let end = (first..info.frames.min(first + most))
            .take_while(|&at| missing(at))
            .last()?;
        Some(first..end + 1)
    }
}

fn work(
    engine: &dyn Engine,
    opening: Opening,
    asked: &Receiver<Ask>,
    tell: &Sender<Told>,
    ctx: &egui::Context,
) {
    let opened = open(engine, opening);
    let told = match &opened {
        Ok(found) => Ok(found.as_ref().map(|it| it.1)),
        Err(error) => Err(error.clone()),
    };
    if tell.send(Told::Opened(told)).is_err() {
        return;
    }
    ctx.request_repaint();
    let Ok(Some((clip, _))) = opened else {
        return;
    };
    for ask in asked {
        let told = match ask {
            Ask::Read(range) => read(&clip, range),
            Ask::Save(frame, path) => {
                let outcome = save(engine, &clip, frame, &path);
                Told::Saved(path, outcome)
            }
        };
        if tell.send(told).is_err() {
            return;
        }
        ctx.request_repaint();
    }
}

fn open(engine: &dyn Engine, opening: Opening) -> Result<Option<(Clip, Opened)>, Sentence> {
    let found = match opening {
        Opening::File(path) => Some((engine.open_media(&path)?, None)),
        Opening::Clip(clip) => Some((clip, None)),
        Opening::Steps(sources) => sources.iter().enumerate().find_map(|(at, it)| {
            let clip = engine.result(&it.plan, it.step)?;
            Some((clip, Some((at, it.plan.step(it.step).signature))))
        }),
    };
    let found = found.map(|(clip, step)| {
        let info = clip.info();
        (clip, Opened { info, step })
    });
    Ok(found.filter(|it| it.1.info.frames > 0))
}

fn read(clip: &Clip, range: Range<u64>) -> Told {
    let began = Instant::now();
    let made = clip.read(range.clone()).map_err(|error| error.message);
    let made = made.map(|frames| frames.iter().map(|it| Arc::new(full(it))).collect());
    Told::Read {
        range,
        made,
        seconds: began.elapsed().as_secs_f64(),
    }
}

fn save(
    engine: &dyn Engine,
    clip: &Clip,
    frame: u64,
    path: &std::path::Path,
) -> Result<(), Sentence> {
    let frames = clip.read(frame..frame + 1).map_err(|error| error.message)?;
    match frames.first() {
        Some(frame) => engine.save_frame(frame, path),
        None => Err(say!(
            "there is no frame {frame}",
            "フレーム {frame} はありません"
        )),
    }
}

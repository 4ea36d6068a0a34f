//! What the graph says of its films: which storyboard, which ops belong to one shot, which shots are
//! wanted, and what each output of `EachShot` is for a shot.

use longtake_graph::{Diagnostic, Place, Shot, Storyboard, TransitionKind, say};
use serde_json::Value as Json;

use super::infer::infer_op;
use crate::compile::{Arg, Label, Op, State};
use crate::{Info, Role};

/// Input of `EachShot` and `CollectFilm` that names the film.
pub(crate) const STORYBOARD: &str = "storyboard";
/// Input of `CollectFilm` that takes one shot's clip.
pub(crate) const CLIP: &str = "clip";
/// Output of `EachShot`: last frame of the shot before.
pub(crate) const PREVIOUS_FRAME: &str = "previous_frame";
/// Input of `EachShot`: what stands for the previous frame of the first shot.
pub(crate) const FIRST_FRAME: &str = "first_frame";

/// A film of the graph.
pub(crate) struct Film {
    /// Its shots and sizes.
    pub board: Storyboard,
    /// The op whose output is the storyboard.
    pub source: (u32, u32),
    /// Positions of the shots that are expanded, ascending: the wanted ones, and with continuity
    /// all before them.
    pub instances: Vec<u32>,
    /// Which of `instances` the film is made of.
    pub chosen: Vec<usize>,
    /// Index into [`State::labels`] of the first instance.
    pub first_label: u32,
    /// The first `CollectFilm` of this film: what a shot's clip is, for continuity.
    pub collect: Option<u32>,
}

impl Film {
    /// The shot of an instance.
    pub fn shot(&self, instance: usize) -> &Shot {
        &self.board.shots[self.instances[instance] as usize]
    }

    fn fps(&self) -> f64 {
        f64::from(self.board.fps.0) / f64::from(self.board.fps.1.max(1))
    }

    /// A time in frames.
    fn frames(&self, seconds: f64) -> u64 {
        (seconds * self.fps()).round().max(0.0) as u64
    }

    /// Frames shared with the next shot.
    pub fn transition_frames(&self, instance: usize) -> u64 {
        let shot = self.shot(instance);
        match shot.transition {
            TransitionKind::Cut => 0,
            TransitionKind::Fade | TransitionKind::Dissolve => self.frames(shot.transition_seconds),
        }
    }

    /// What an output of `EachShot` is for a shot; `None` for names that are not known and for
    /// [`PREVIOUS_FRAME`], which is no constant.
    pub fn field(&self, instance: usize, name: &str) -> Option<Json> {
        let shot = self.shot(instance);
        // At least one frame, however short.
        let frames = self.frames(shot.seconds).max(1);
        Some(match name {
            "prompt" => shot.prompt.as_str().into(),
            "negative" => shot.negative.as_str().into(),
            "caption" => shot.caption.as_str().into(),
            "title" => shot.title.as_str().into(),
            "camera" => shot.camera.as_str().into(),
            "image" => shot.image.as_str().into(),
            "pose" => shot.pose.as_str().into(),
            "id" => shot.id.as_str().into(),
            "seed" => shot.seed.into(),
            "frames" => frames.into(),
            // Wan's VAE makes 4k+1 frames of k+1 latent frames.
            "length" => (frames.saturating_sub(1).div_ceil(4) * 4 + 1).into(),
            "index" => (self.instances[instance] + 1).into(),
            "seconds" => shot.seconds.into(),
            _ => return self.film_field(name),
        })
    }

    /// What the film as a whole says under that name.
    pub fn film_field(&self, name: &str) -> Option<Json> {
        Some(match name {
            "width" => self.board.width.into(),
            "height" => self.board.height.into(),
            "fps" => self.fps().into(),
            "film_title" => self.board.title.as_str().into(),
            "shots" => self.board.shots.len().into(),
            _ => return None,
        })
    }
}

/// The films, and for each op the film it is repeated in.
pub(crate) struct Films {
    pub all: Vec<Film>,
    /// Film that `EachShot`, `CollectFilm` and repeated ops belong to.
    pub of: Vec<Option<u32>>,
    /// Whether the op is repeated per shot.
    pub repeated: Vec<bool>,
}

/// Finds films and what is repeated.
pub(crate) fn find(state: &mut State<'_>) -> Films {
    let count = state.ops.len();
    let mut found = Films {
        all: Vec::new(),
        of: vec![None; count],
        repeated: vec![false; count],
    };
    let mut sources: Vec<((u32, u32), Option<u32>)> = Vec::new();
    for at in 0..count {
        let role = state.ops[at].spec.map_or(Role::Plain, |spec| spec.role);
        match role {
            Role::EachShot | Role::CollectFilm => {
                found.of[at] = film_at(state, &mut found.all, &mut sources, at);
                if found.of[at].is_none() {
                    state.ops[at].failed = true;
                }
                let film = found.of[at].map(|film| &mut found.all[film as usize]);
                if let (Role::CollectFilm, Some(film)) = (role, film) {
                    film.collect.get_or_insert(at as u32);
                }
                only_film_inputs(state, &found, at, role);
            }
            Role::Plain | Role::Bundle | Role::FrameLocal { .. } | Role::Assemble { .. } => {
                repeat(state, &mut found, at);
            }
        }
    }
    let continuity = continuity(state, &found);
    for (film, continuity) in found.all.iter_mut().zip(continuity) {
        choose(state, film, continuity);
    }
    found
}

/// The film of an `EachShot` or `CollectFilm`.
fn film_at(
    state: &mut State<'_>,
    films: &mut Vec<Film>,
    sources: &mut Vec<((u32, u32), Option<u32>)>,
    at: usize,
) -> Option<u32> {
    let Some(&Arg::Out(op, output)) = state.ops[at].arg(STORYBOARD) else {
        if !state.ops[at].failed {
            let place = state.place(&state.ops[at]).input(STORYBOARD);
            let message = say!(
                "Link the output of a `Storyboard` node here.",
                "ここに Storyboard ノードの出力をリンクしてください。"
            );
            state.fail("required_input_missing", place, message);
        }
        return None;
    };
    let source = (op, output);
    if let Some((_, film)) = sources.iter().find(|(known, _)| *known == source) {
        return *film;
    }
    let board = board_of(state, source);
    let film = board.map(|board| {
        films.push(Film {
            board,
            source,
            instances: Vec::new(),
            chosen: Vec::new(),
            first_label: 0,
            collect: None,
        });
        films.len() as u32 - 1
    });
    sources.push((source, film));
    film
}

/// Infers a storyboard's node and what it stands on: shots must be known before anything runs.
fn board_of(state: &mut State<'_>, (source, output): (u32, u32)) -> Option<Storyboard> {
    let mut needed = vec![source];
    let mut next = 0;
    while let Some(&at) = needed.get(next) {
        next += 1;
        if needed.len() > 1_000 {
            break; // no person computes a title from a thousand nodes
        }
        state.ops[at as usize].each_ref(|from, _| {
            if !needed.contains(&from) {
                needed.push(from);
            }
        });
    }
    let of_a_shot = |at: &&u32| {
        let op = &state.ops[**at as usize];
        is_each_shot(op) || is_collect(op)
    };
    if needed.iter().find(of_a_shot).is_some() {
        let place = state.place(&state.ops[source as usize]);
        let message = say!(
            "A storyboard cannot depend on a film's shots; write its values here.",
            "絵コンテは映像のショットに依存できません。ここに値を直接書いてください。"
        );
        state.fail("differs_by_shot", place, message);
        return None;
    }
    needed.sort_unstable();
    for at in needed {
        infer_op(state, at as usize);
    }
    let op = &state.ops[source as usize];
    if op.failed {
        return None;
    }
    match op.outputs.get(output as usize) {
        Some(Info::Storyboard(board)) if !board.shots.is_empty() => Some(board.clone()),
        Some(Info::Storyboard(_)) => {
            let place = state.place(op).input("shots");
            state.fail(
                "no_shots",
                place,
                say!(
                    "The storyboard has no shots; add at least one.",
                    "絵コンテにショットがありません。1 つ以上追加してください。"
                ),
            );
            None
        }
        _ => {
            let place = state.place(op);
            let message = say!(
                "A storyboard must be known before the run; link a `Storyboard` node.",
                "絵コンテは実行前に決まっている必要があります。Storyboard ノードをリンクしてください。"
            );
            state.fail("return_type_mismatch", place, message);
            None
        }
    }
}

/// `EachShot` and `CollectFilm` stand once for the whole film: what they take beside a shot's clip
/// must not differ from shot to shot.
fn only_film_inputs(state: &mut State<'_>, found: &Films, at: usize, role: Role) {
    let mut wrong = None;
    for (name, arg) in &state.ops[at].inputs {
        if role == Role::CollectFilm && *name == CLIP {
            continue;
        }
        arg.each(|from, _| {
            if found.repeated[from as usize] || is_each_shot(&state.ops[from as usize]) {
                wrong = Some(*name);
            }
        });
    }
    if let Some(name) = wrong {
        state.ops[at].failed = true;
        let place = state.place(&state.ops[at]).input(name);
        let message = say!(
            "This input takes one value for the whole film, and what is linked differs from shot to shot.",
            "この入力は映像全体で 1 つの値を受け取りますが、リンクされた値はショットごとに異なります。"
        );
        state.fail("differs_by_shot", place, message);
    }
}

fn is_each_shot(op: &Op<'_>) -> bool {
    op.spec.is_some_and(|spec| spec.role == Role::EachShot)
}

fn is_collect(op: &Op<'_>) -> bool {
    op.spec.is_some_and(|spec| spec.role == Role::CollectFilm)
}

/// Marks an op as repeated when anything it reads is.
fn repeat(state: &mut State<'_>, found: &mut Films, at: usize) {
    let (mut film, mut second, mut failed) = (None, None, false);
    state.ops[at].each_ref(|from, _| {
        let from = from as usize;
        let op = &state.ops[from];
        failed |= op.failed;
        if found.repeated[from] || is_each_shot(op) && !is_collect(op) {
            match (film, found.of[from]) {
                (None, of) => film = of,
                (Some(a), Some(b)) if a != b => second = Some(b),
                _ => {}
            }
        }
    });
    found.of[at] = film;
    found.repeated[at] = film.is_some();
    if second.is_some() {
        state.ops[at].failed = true;
        let place = state.place(&state.ops[at]);
        let message = say!(
            "Shots of two storyboards meet in this node; gather one of the films with `CollectFilm` first.",
            "このノードで 2 つの絵コンテのショットが混ざっています。先に一方を CollectFilm でまとめてください。"
        );
        state.fail("two_films", place, message);
    }
}

/// For each film, whether any op takes the frame of the shot before.
fn continuity(state: &State<'_>, found: &Films) -> Vec<bool> {
    let mut takes = vec![false; found.all.len()];
    for op in &state.ops {
        op.each_ref(|from, output| {
            let source = &state.ops[from as usize];
            let name = source
                .spec
                .and_then(|spec| spec.decl.outputs.get(output as usize));
            if is_each_shot(source)
                && name.is_some_and(|it| it.name == PREVIOUS_FRAME)
                && let Some(film) = found.of[from as usize]
            {
                takes[film as usize] = true;
            }
        });
    }
    takes
}

/// Settles which shots are expanded and wanted.
fn choose(state: &mut State<'_>, film: &mut Film, continuity: bool) {
    let count = film.board.shots.len() as u32;
    let wanted: Vec<u32> = match &state.options.shots {
        None => (0..count).collect(),
        Some(only) => {
            let beyond: Vec<String> = only
                .iter()
                .filter(|&&position| position == 0 || position > count)
                .map(u32::to_string)
                .collect();
            if !beyond.is_empty() || only.is_empty() {
                let place = state
                    .place(&state.ops[film.source.0 as usize])
                    .input("shots");
                let named = if beyond.is_empty() {
                    say!("no shot", "ショットを 1 つも指定していません")
                } else {
                    say!("{0}", "{0} を指定しています", beyond.join(", "))
                };
                let message = say!(
                    "--shots names {named}, and the film has shots 1 to {count}.",
                    "--shots は{named}が、映像のショットは 1 から {count} までです。";
                    named
                );
                state.broken = true;
                state
                    .diagnostics
                    .push(Diagnostic::error("unknown_shot", place, message));
            }
            let within = only
                .iter()
                .filter(|&&position| (1..=count).contains(&position));
            within.map(|position| position - 1).collect()
        }
    };
    film.instances = match wanted.last() {
        Some(&last) if continuity => (0..=last).collect(),
        _ => wanted.clone(),
    };
    let chosen =
        (0..film.instances.len()).filter(|&at| wanted.binary_search(&film.instances[at]).is_ok());
    film.chosen = chosen.collect();
    film.first_label = state.labels.len() as u32;
    for &position in &film.instances {
        let id = film.board.shots[position as usize].id.as_str().into();
        state.labels.push(Label { position, id });
    }
}

/// `--shots` without a film does nothing, which a person should hear.
pub(crate) fn warn_no_film(state: &mut State<'_>, films: &Films) {
    if state.options.shots.is_some() && films.all.is_empty() && !state.broken {
        state.diagnostics.push(Diagnostic::warning(
            "no_film",
            Place::default(),
            say!(
                "--shots was given, and the graph has no film (no `Storyboard` with `EachShot`); everything is made.",
                "--shots が指定されましたが、グラフに映像(Storyboard と EachShot)がありません。すべてを作成します。"
            ),
        ));
    }
}

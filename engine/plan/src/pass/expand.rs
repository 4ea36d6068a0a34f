//! *expand*: what depends on a shot is repeated per shot; the film becomes pieces, and pieces
//! become encoded segments.
//!
//! Between shot i and the next lies a transition of tᵢ frames (0 for a cut). The film is
//! body₀, join₀, body₁, join₁, …: a body is its shot's clip without the tᵢ₋₁ frames at its start and
//! the tᵢ at its end, a join mixes tᵢ frames of both neighbours. So a change to one shot touches its
//! own body and two joins, and no other piece.

use std::collections::HashMap;
use std::rc::Rc;

use longtake_graph::{InputType, Kind, TransitionKind, literal};
use serde_json::{Value as Json, json};

use super::film::{self, CLIP, FIRST_FRAME, Film, Films, PREVIOUS_FRAME};
use super::resolve::compact;
use crate::compile::{Arg, Op, State};
use crate::{Role, Signature};

/// Classes the compiler makes steps of; the node layer declares them.
pub mod internal {
    /// `{clip}` → its last frame.
    pub const LAST_FRAME: &str = "LastFrame";
    /// `{signature}` → a clip the store holds.
    pub const STORED_CLIP: &str = "StoredClip";
    /// `{clip, trim_start, trim_end}` → the clip without its ends.
    pub const SHOT_BODY: &str = "ShotBody";
    /// `{a, b, kind, frames, join}` → with `join`, exactly `frames` frames out of the last of `a`
    /// and the first of `b`.
    pub const TRANSITION: &str = "Transition";
    /// `{clips}` → all clips as one.
    pub const CONCAT_CLIPS: &str = "ConcatClips";
}

/// A piece of film, in order.
#[derive(Clone, Copy)]
struct Piece {
    at: (u32, u32),
    label: u32,
    part: &'static str,
}

/// What an op of the graph has become.
#[derive(Clone)]
enum Made {
    /// Nothing, because of an error.
    Nothing,
    /// `EachShot`: its outputs are looked up.
    Fields,
    /// The same op once.
    One(u32),
    /// One op per instance of its film, from this index on.
    Shots(u32),
    /// `CollectFilm`.
    Film(Rc<Vec<Piece>>),
    /// A frame-local op, once per piece.
    Local(Rc<Vec<Piece>>),
}

/// What is found at an input.
enum Found {
    Arg(Arg),
    Absent,
    Failed,
}

struct Expander<'s, 'a> {
    state: &'s mut State<'a>,
    old: Vec<Op<'a>>,
    films: Films,
    made: Vec<Made>,
    new: Vec<Op<'a>>,
    concats: HashMap<(u32, u32), u32>,
    /// Clips by `CollectFilm` op and instance.
    clips: HashMap<(u32, usize), Option<(u32, u32)>>,
    /// `LastFrame` ops by film and instance; linked once all shots are made.
    last_frames: HashMap<(u32, usize), u32>,
    waiting: Vec<(u32, u32, usize)>,
}

/// Expands films and assembles segments.
pub(crate) fn expand(state: &mut State<'_>) {
    let films = film::find(state);
    film::warn_no_film(state, &films);
    let old = std::mem::take(&mut state.ops);
    let outputs = std::mem::take(&mut state.outputs);
    let mut expander = Expander {
        state,
        made: vec![Made::Nothing; old.len()],
        new: Vec::with_capacity(old.len()),
        old,
        films,
        concats: HashMap::new(),
        clips: HashMap::new(),
        last_frames: HashMap::new(),
        waiting: Vec::new(),
    };
    for at in 0..expander.old.len() {
        expander.made[at] = expander.make(at);
    }
    expander.link_last_frames();
    let outputs = outputs
        .into_iter()
        .flat_map(|at| expander.outputs_of(at))
        .collect();
    let new = expander.new;
    state.ops = new;
    state.outputs = outputs;
    state.broken |= state.ops.iter().any(|op| op.failed);
    compact(state);
}

impl<'a> Expander<'_, 'a> {
    fn role(&self, at: usize) -> Role {
        self.old[at].spec.map_or(Role::Plain, |spec| spec.role)
    }

    fn make(&mut self, at: usize) -> Made {
        match self.role(at) {
            Role::EachShot if self.films.of[at].is_some() && !self.old[at].failed => Made::Fields,
            Role::EachShot => Made::Nothing,
            Role::CollectFilm => match self.films.of[at] {
                Some(film) if !self.old[at].failed => Made::Film(Rc::new(self.pieces(at, film))),
                _ => Made::Nothing,
            },
            _ if self.films.repeated[at] => self.per_shot(at),
            Role::FrameLocal { input } => match self.pieces_for(at, input) {
                Some(pieces) => self.per_piece(at, input, &pieces),
                None => self.once(at),
            },
            _ => self.once(at),
        }
    }

    fn push(&mut self, op: Op<'a>) -> u32 {
        self.new.push(op);
        self.new.len() as u32 - 1
    }

    fn once(&mut self, at: usize) -> Made {
        let op = self.instance(at, None);
        Made::One(self.push(op))
    }

    fn per_shot(&mut self, at: usize) -> Made {
        let Some(film) = self.films.of[at] else {
            return Made::Nothing;
        };
        let count = self.films.films[film as usize].instances.len();
        // Built first, pushed together: what an instance needs made on the way comes before.
        let ops: Vec<_> = (0..count)
            .map(|instance| self.instance(at, Some((film, instance))))
            .collect();
        let base = self.new.len() as u32;
        self.new.extend(ops);
        Made::Shots(base)
    }

    /// A copy of an op with its inputs looked up; for a shot if one is given.
    fn instance(&mut self, at: usize, shot: Option<(u32, usize)>) -> Op<'a> {
        let source = self.old[at].clone();
        let mut op = Op {
            inputs: Vec::with_capacity(source.inputs.len()),
            ..source.clone()
        };
        op.shot = shot
            .map(|(film, instance)| self.films.films[film as usize].first_label + instance as u32);
        let assemble = match self.role(at) {
            Role::Assemble { input, .. } => Some(input),
            _ => None,
        };
        for (name, arg) in &source.inputs {
            if assemble == Some(*name) && matches!(arg, Arg::Out(..)) {
                continue; // becomes segments below
            }
            self.fill(&mut op, name, arg, shot);
        }
        if assemble.is_some() {
            self.assemble(at, &mut op, shot);
        }
        op
    }

    /// Looks an input up and writes it into `op`.
    fn fill(&mut self, op: &mut Op<'a>, name: &'static str, arg: &Arg, shot: Option<(u32, usize)>) {
        let decl = op.spec.and_then(|spec| spec.decl.input(name));
        match self.lookup(arg, shot) {
            Found::Failed => op.failed = true,
            Found::Arg(Arg::Literal(value)) if matches!(arg, Arg::Out(..)) => {
                let Some(decl) = decl else { return };
                let file = matches!(decl.ty, InputType::File { .. } | InputType::Model { .. });
                if file && !decl.required && value.as_str() == Some("") {
                    return; // a shot without a reference image
                }
                match literal::fit(decl, &value) {
                    Ok(value) => op.inputs.push((name, Arg::Literal(value))),
                    Err(misfit) => {
                        op.failed = true;
                        let place = self.state.place(op).input(name);
                        let message =
                            format!("What the shot says does not fit here: {}.", misfit.message);
                        self.state.fail(misfit.code, place, message);
                    }
                }
            }
            Found::Arg(arg) => op.inputs.push((name, arg)),
            Found::Absent => {
                if decl.is_some_and(|decl| decl.required) {
                    op.failed = true;
                    let place = self.state.place(op).input(name);
                    let message = "The first shot has no frame before it: link an image to `first_frame` of `EachShot`.";
                    self.state.fail("required_input_missing", place, message);
                }
            }
        }
    }

    fn lookup(&mut self, arg: &Arg, shot: Option<(u32, usize)>) -> Found {
        let Arg::Out(from, output) = *arg else {
            return Found::Arg(arg.clone());
        };
        match &self.made[from as usize] {
            Made::Nothing => Found::Failed,
            Made::One(op) => Found::Arg(Arg::Out(*op, output)),
            Made::Shots(base) => match shot {
                Some((_, instance)) => Found::Arg(Arg::Out(base + instance as u32, output)),
                None => Found::Failed,
            },
            Made::Fields => match shot {
                Some((film, instance)) => self.field(from as usize, output, film, instance),
                None => Found::Failed,
            },
            Made::Film(_) | Made::Local(_) => self.whole(from, output),
        }
    }

    /// An output of `EachShot` for one shot.
    fn field(&mut self, each: usize, output: u32, film: u32, instance: usize) -> Found {
        let decl = self.old[each]
            .spec
            .and_then(|spec| spec.decl.outputs.get(output as usize));
        let Some(name) = decl.map(|decl| decl.name) else {
            return Found::Failed;
        };
        if name != PREVIOUS_FRAME {
            return match self.films.films[film as usize].field(instance, name) {
                Some(value) => Found::Arg(Arg::Literal(value)),
                None => Found::Failed,
            };
        }
        if self.films.films[film as usize].instances[instance] == 0 {
            return match self.old[each].arg(FIRST_FRAME).cloned() {
                Some(arg) => self.lookup(&arg, None),
                None => Found::Absent,
            };
        }
        let before = instance - 1;
        if let Some(&op) = self.last_frames.get(&(film, before)) {
            return Found::Arg(Arg::Out(op, 0));
        }
        let label = self.films.films[film as usize].first_label + before as u32;
        let origin = self.old[each].origin;
        let op = self.add(
            internal::LAST_FRAME,
            origin,
            Some(label),
            "last_frame",
            Vec::new(),
        );
        self.last_frames.insert((film, before), op);
        self.waiting.push((op, film, before));
        Found::Arg(Arg::Out(op, 0))
    }

    /// Gives every `LastFrame` its clip, now that all shots are made.
    fn link_last_frames(&mut self) {
        for (op, film, instance) in std::mem::take(&mut self.waiting) {
            let clip = match self.films.films[film as usize].collect {
                Some(collect) => self.clip_of(collect, film, instance),
                None => {
                    let place = self.state.place(&self.new[op as usize]);
                    let message = "`previous_frame` needs to know what a shot's clip is: gather the clips with `CollectFilm`.";
                    self.state.fail("no_collect_film", place, message);
                    None
                }
            };
            let op = &mut self.new[op as usize];
            match clip {
                Some((from, output)) => op.inputs.push((CLIP, Arg::Out(from, output))),
                None => op.failed = true,
            }
        }
    }

    /// An op of a class that the compiler adds, defaults filled in.
    fn add(
        &mut self,
        class: &'static str,
        origin: u32,
        shot: Option<u32>,
        part: &'static str,
        mut inputs: Vec<(&'static str, Arg)>,
    ) -> u32 {
        let mut op = Op::new(origin, class, self.state.specs.spec(class));
        op.shot = shot;
        op.part = Some(part);
        if let Some(spec) = op.spec {
            for decl in spec.decl.inputs {
                if !inputs.iter().any(|(name, _)| *name == decl.name)
                    && let Some(value) = decl.default_value()
                {
                    inputs.push((decl.name, Arg::Literal(value)));
                }
            }
        } else {
            let place = self.state.place(&op);
            self.state.lacks(class, place);
        }
        op.inputs = inputs;
        self.push(op)
    }

    /// The clip of a shot: what feeds `CollectFilm`, or what the store holds for a pinned shot.
    fn clip_of(&mut self, collect: u32, film: u32, instance: usize) -> Option<(u32, u32)> {
        if let Some(&known) = self.clips.get(&(collect, instance)) {
            return known;
        }
        let arg = self.old[collect as usize].arg(CLIP).cloned();
        let found = match arg.map(|arg| (self.lookup(&arg, Some((film, instance))), arg)) {
            Some((Found::Arg(Arg::Out(op, output)), _)) => self
                .pinned(collect, film, instance, output)
                .unwrap_or(Some((op, output))),
            _ => None,
        };
        self.clips.insert((collect, instance), found);
        found
    }

    /// The stored clip of a pinned shot; `None` when it is not pinned.
    fn pinned(
        &mut self,
        collect: u32,
        film: u32,
        instance: usize,
        output: u32,
    ) -> Option<Option<(u32, u32)>> {
        let film = &self.films.films[film as usize];
        let pinned = film.shot(instance).pinned.clone()?;
        let label = film.first_label + instance as u32;
        let signature = Signature::from_hex(&pinned);
        let stored = signature.is_some_and(|it| self.state.facts.stored(&it).is_some());
        let origin = self.old[collect as usize].origin;
        let inputs = vec![("signature", Arg::Literal(Json::from(pinned.as_str())))];
        let op = self.add(internal::STORED_CLIP, origin, Some(label), "pinned", inputs);
        if !stored {
            self.new[op as usize].failed = true;
            let place = self.state.place(&self.new[op as usize]);
            let (code, message) = match signature {
                None => (
                    "pinned_invalid",
                    format!(
                        "The shot is pinned to `{pinned}`, which is no signature (64 hex digits); unpin it."
                    ),
                ),
                Some(_) => (
                    "pinned_missing",
                    format!(
                        "The shot is pinned to {pinned}, and the store has no such clip; unpin it to make it again."
                    ),
                ),
            };
            self.state.fail(code, place, message);
        }
        // Standing in for the very step that made the clip, what reads it keeps its signature.
        if output == 0 {
            self.new[op as usize].pinned = signature;
        }
        Some(Some((op, 0)))
    }

    /// The film as pieces.
    fn pieces(&mut self, at: usize, film: u32) -> Vec<Piece> {
        let chosen = self.films.films[film as usize].chosen.clone();
        let origin = self.old[at].origin;
        let clips: Vec<_> = chosen
            .iter()
            .map(|&it| self.clip_of(at as u32, film, it))
            .collect();
        let mut pieces = Vec::with_capacity(2 * chosen.len());
        let mut trim_start = 0;
        for (position, &instance) in chosen.iter().enumerate() {
            let is_last = position + 1 == chosen.len();
            let this = &self.films.films[film as usize];
            let label = this.first_label + instance as u32;
            let kind = this.shot(instance).transition;
            let trim_end = if is_last {
                0
            } else {
                this.transition_frames(instance)
            };
            let Some(clip) = clips[position] else {
                trim_start = trim_end;
                continue; // the error stands at the shot
            };
            let body = self.body(origin, clip, label, (trim_start, trim_end));
            pieces.push(Piece {
                at: body,
                label,
                part: "body",
            });
            trim_start = trim_end;
            if trim_end == 0 {
                continue;
            }
            let Some(next) = clips[position + 1] else {
                continue;
            };
            let join = self.join(origin, label, (clip, next), kind, trim_end);
            pieces.push(Piece {
                at: (join, 0),
                label,
                part: "join",
            });
        }
        pieces
    }

    fn body(&mut self, origin: u32, clip: (u32, u32), label: u32, trims: (u64, u64)) -> (u32, u32) {
        if trims == (0, 0) {
            return clip;
        }
        let inputs = vec![
            (CLIP, Arg::Out(clip.0, clip.1)),
            ("trim_start", Arg::Literal(json!(trims.0))),
            ("trim_end", Arg::Literal(json!(trims.1))),
        ];
        let op = self.add(internal::SHOT_BODY, origin, Some(label), "body", inputs);
        self.new[op as usize].trims = Some(trims);
        (op, 0)
    }

    fn join(
        &mut self,
        origin: u32,
        label: u32,
        (a, b): ((u32, u32), (u32, u32)),
        kind: TransitionKind,
        frames: u64,
    ) -> u32 {
        let kind = match kind {
            TransitionKind::Cut => "cut",
            TransitionKind::Fade => "fade",
            TransitionKind::Dissolve => "dissolve",
        };
        let inputs = vec![
            ("a", Arg::Out(a.0, a.1)),
            ("b", Arg::Out(b.0, b.1)),
            ("kind", Arg::Literal(kind.into())),
            ("frames", Arg::Literal(json!(frames))),
            ("join", Arg::Literal(true.into())),
        ];
        self.add(internal::TRANSITION, origin, Some(label), "join", inputs)
    }

    /// Pieces of film at an output, if it carries any.
    fn pieces_at(&self, from: u32, output: u32) -> Option<Vec<Piece>> {
        match &self.made[from as usize] {
            Made::Film(pieces) if output == 0 => Some(pieces.to_vec()),
            Made::Local(pieces) => {
                let decl = self.old[from as usize]
                    .spec?
                    .decl
                    .outputs
                    .get(output as usize)?;
                let frames = [Kind::IMAGE, Kind::MASK, Kind::VIDEO].contains(&decl.kind);
                let piece = |it: &Piece| Piece {
                    at: (it.at.0, output),
                    ..*it
                };
                frames.then(|| pieces.iter().map(piece).collect())
            }
            _ => None,
        }
    }

    /// Pieces at the frame-local input of an op. With pieces at a second input too, frames would no
    /// longer match, and the op takes whole films instead.
    fn pieces_for(&self, at: usize, input: &str) -> Option<Vec<Piece>> {
        let mut found = None;
        for (name, arg) in &self.old[at].inputs {
            if let Arg::Out(from, output) = arg
                && let Some(pieces) = self.pieces_at(*from, *output)
            {
                if *name != input {
                    return None;
                }
                found = Some(pieces);
            }
        }
        found
    }

    fn per_piece(&mut self, at: usize, input: &'static str, pieces: &[Piece]) -> Made {
        let mut whole = self.old[at].clone();
        whole.inputs.retain(|(name, _)| *name != input);
        let rest = std::mem::take(&mut whole.inputs);
        for (name, arg) in rest {
            self.fill(&mut whole, name, &arg, None);
        }
        let made = pieces.iter().map(|piece| {
            let mut op = whole.clone();
            op.inputs
                .insert(0, (input, Arg::Out(piece.at.0, piece.at.1)));
            op.shot = Some(piece.label);
            op.part = Some(piece.part);
            self.new.push(op);
            Piece {
                at: (self.new.len() as u32 - 1, 0),
                ..*piece
            }
        });
        Made::Local(Rc::new(made.collect()))
    }

    /// All pieces as one clip, for nodes that know nothing of pieces; other outputs of a film or of
    /// a frame-local node as they are for the whole.
    fn whole(&mut self, from: u32, output: u32) -> Found {
        if let Some(&op) = self.concats.get(&(from, output)) {
            return Found::Arg(Arg::Out(op, 0));
        }
        let Some(pieces) = self.pieces_at(from, output) else {
            return self.beside(from, output);
        };
        if pieces.is_empty() {
            return Found::Failed;
        }
        let list = pieces.iter().map(|piece| piece.at).collect();
        let origin = self.old[from as usize].origin;
        let op = self.add(
            internal::CONCAT_CLIPS,
            origin,
            None,
            "film",
            vec![("clips", Arg::List(list))],
        );
        self.concats.insert((from, output), op);
        Found::Arg(Arg::Out(op, 0))
    }

    fn beside(&self, from: u32, output: u32) -> Found {
        let at = from as usize;
        let name = self.old[at]
            .spec
            .and_then(|spec| spec.decl.outputs.get(output as usize))
            .map(|it| it.name);
        match (&self.made[at], name, self.films.of[at]) {
            (Made::Film(_), Some(name), Some(film)) => {
                let film: &Film = &self.films.films[film as usize];
                let value = film.film_field(name);
                value.map_or(Found::Failed, |value| Found::Arg(Arg::Literal(value)))
            }
            (Made::Local(pieces), ..) => match pieces.first() {
                Some(piece) => Found::Arg(Arg::Out(piece.at.0, output)),
                None => Found::Failed,
            },
            _ => Found::Failed,
        }
    }

    /// Gives an assembling op its segments: one encoding step per piece of film, or one in all.
    fn assemble(&mut self, at: usize, op: &mut Op<'a>, shot: Option<(u32, usize)>) {
        let Role::Assemble {
            encode,
            input,
            list,
            strip,
        } = self.role(at)
        else {
            return;
        };
        let Some(Arg::Out(from, output)) = self.old[at].arg(input).cloned() else {
            return;
        };
        let pieces = match self.pieces_at(from, output) {
            Some(pieces) => pieces,
            None => match self.lookup(&Arg::Out(from, output), shot) {
                Found::Arg(Arg::Out(from, output)) => {
                    vec![Piece {
                        at: (from, output),
                        label: u32::MAX,
                        part: "",
                    }]
                }
                _ => Vec::new(),
            },
        };
        if pieces.is_empty() {
            op.failed = true;
            return;
        }
        let decl = self.state.specs.spec(encode).map(|spec| spec.decl);
        let settings: Vec<_> = (op.inputs.iter())
            .filter(|(name, _)| {
                !strip.contains(name) && decl.is_none_or(|it| it.input(name).is_some())
            })
            .cloned()
            .collect();
        let mut segments = Vec::with_capacity(pieces.len());
        for piece in pieces {
            let (label, part) = match piece.part {
                "" => (op.shot, "encode"),
                "join" => (Some(piece.label), "join.encode"),
                _ => (Some(piece.label), "encode"),
            };
            let mut inputs = vec![(input, Arg::Out(piece.at.0, piece.at.1))];
            inputs.extend(settings.iter().cloned());
            let segment = self.add(encode, op.origin, label, part, inputs);
            segments.push((segment, 0));
        }
        op.inputs.push((list, Arg::List(segments)));
    }

    fn outputs_of(&self, at: u32) -> Vec<u32> {
        match &self.made[at as usize] {
            Made::Nothing | Made::Fields | Made::Film(_) => Vec::new(),
            Made::One(op) => vec![*op],
            Made::Shots(base) => {
                let film = self.films.of[at as usize].map(|film| &self.films.films[film as usize]);
                let chosen = film.map_or(&[][..], |film| &film.chosen);
                chosen
                    .iter()
                    .map(|&instance| base + instance as u32)
                    .collect()
            }
            Made::Local(pieces) => pieces.iter().map(|piece| piece.at.0).collect(),
        }
    }
}

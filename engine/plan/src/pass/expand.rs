//! *expand*: what depends on a shot is repeated per shot; the film becomes pieces, and pieces
//! become encoded segments.
//!
//! Between shot i and the next lies a transition of tᵢ frames (0 for a cut). The film is
//! body₀, join₀, body₁, join₁, …: a body is its shot's clip without the tᵢ₋₁ frames at its start and
//! the tᵢ at its end, a join mixes tᵢ frames of both neighbours. So a change to one shot touches its
//! own body and two joins, and no other piece.

use std::collections::HashMap;
use std::rc::Rc;

use longtake_graph::{InputType, literal, say};

use super::film::{self, CLIP, FIRST_FRAME, Films, PREVIOUS_FRAME};
use super::resolve::compact;
use crate::Role;
use crate::compile::{Arg, Op, State};

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
pub(super) struct Piece {
    pub(super) at: (u32, u32),
    pub(super) label: u32,
    pub(super) part: &'static str,
}

/// What an op of the graph has become.
#[derive(Clone)]
pub(super) enum Made {
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
pub(super) enum Found {
    Arg(Arg),
    Absent,
    Failed,
}

pub(super) struct Expander<'s, 'a> {
    pub(super) state: &'s mut State<'a>,
    pub(super) old: Vec<Op<'a>>,
    pub(super) films: Films,
    pub(super) made: Vec<Made>,
    pub(super) new: Vec<Op<'a>>,
    pub(super) concats: HashMap<(u32, u32), u32>,
    /// Clips by `CollectFilm` op and instance.
    pub(super) clips: HashMap<(u32, usize), Option<(u32, u32)>>,
    /// `LastFrame` ops by film and instance; linked once all shots are made.
    pub(super) last_frames: HashMap<(u32, usize), u32>,
    pub(super) waiting: Vec<(u32, u32, usize)>,
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
    pub(super) fn role(&self, at: usize) -> Role {
        self.old[at].spec.map_or(Role::Plain, |spec| spec.role)
    }

    fn make(&mut self, at: usize) -> Made {
        match self.role(at) {
            Role::EachShot if self.films.of[at].is_some() && !self.old[at].failed => Made::Fields,
            Role::EachShot => Made::Nothing,
            Role::CollectFilm => match self.films.of[at] {
                Some(film) if !self.old[at].failed => Made::Film(Rc::new(self.pieces(at, film))),
                Some(_) | None => Made::Nothing,
            },
            Role::Plain | Role::Bundle | Role::FrameLocal { .. } | Role::Assemble { .. }
                if self.films.repeated[at] =>
            {
                self.per_shot(at)
            }
            Role::FrameLocal { input } => match self.pieces_for(at, input) {
                Some(pieces) => self.per_piece(at, input, &pieces),
                None => self.once(at),
            },
            Role::Plain | Role::Bundle | Role::Assemble { .. } => self.once(at),
        }
    }

    pub(super) fn push(&mut self, op: Op<'a>) -> u32 {
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
        let count = self.films.all[film as usize].instances.len();
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
            .map(|(film, instance)| self.films.all[film as usize].first_label + instance as u32);
        let assemble = match self.role(at) {
            Role::Assemble { input, .. } => Some(input),
            Role::Plain
            | Role::Bundle
            | Role::EachShot
            | Role::CollectFilm
            | Role::FrameLocal { .. } => None,
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
    pub(super) fn fill(
        &mut self,
        op: &mut Op<'a>,
        name: &'static str,
        arg: &Arg,
        shot: Option<(u32, usize)>,
    ) {
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
                        let why = misfit.message;
                        let message = say!(
                            "What the shot says does not fit here: {why}.",
                            "ショットの値がここに合いません: {why}";
                            why
                        );
                        self.state.fail(misfit.code, place, message);
                    }
                }
            }
            Found::Arg(arg) => op.inputs.push((name, arg)),
            Found::Absent => {
                if decl.is_some_and(|decl| decl.required) {
                    op.failed = true;
                    let place = self.state.place(op).input(name);
                    let message = say!(
                        "The first shot has no frame before it: link an image to `first_frame` of `EachShot`.",
                        "最初のショットには前のフレームがありません。EachShot の「first_frame」に画像をリンクしてください。"
                    );
                    self.state.fail("required_input_missing", place, message);
                }
            }
        }
    }

    pub(super) fn lookup(&mut self, arg: &Arg, shot: Option<(u32, usize)>) -> Found {
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
            return match self.films.all[film as usize].field(instance, name) {
                Some(value) => Found::Arg(Arg::Literal(value)),
                None => Found::Failed,
            };
        }
        if self.films.all[film as usize].instances[instance] == 0 {
            return match self.old[each].arg(FIRST_FRAME).cloned() {
                Some(arg) => self.lookup(&arg, None),
                None => Found::Absent,
            };
        }
        let Some(before) = instance.checked_sub(1) else {
            // Shots before the wanted ones are made only for a film whose own `EachShot` asks.
            let place = self.state.place(&self.old[each]);
            let message = say!(
                "`previous_frame` is taken by the shots of another film than this node's: give each film its own `EachShot`.",
                "「previous_frame」が別の映像のショットで使われています。映像ごとに EachShot を置いてください。"
            );
            self.state.fail("two_films", place, message);
            return Found::Failed;
        };
        if let Some(&op) = self.last_frames.get(&(film, before)) {
            return Found::Arg(Arg::Out(op, 0));
        }
        let label = self.films.all[film as usize].first_label + before as u32;
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
            let clip = if let Some(collect) = self.films.all[film as usize].collect {
                self.clip_of(collect, film, instance)
            } else {
                let place = self.state.place(&self.new[op as usize]);
                let message = say!(
                    "`previous_frame` needs to know what a shot's clip is: gather the clips with `CollectFilm`.",
                    "「previous_frame」には各ショットのクリップが必要です。CollectFilm でクリップをまとめてください。"
                );
                self.state.fail("no_collect_film", place, message);
                None
            };
            let op = &mut self.new[op as usize];
            match clip {
                Some((from, output)) => op.inputs.push((CLIP, Arg::Out(from, output))),
                None => op.failed = true,
            }
        }
    }

    /// An op of a class that the compiler adds, defaults filled in.
    pub(super) fn add(
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

    fn outputs_of(&self, at: u32) -> Vec<u32> {
        match &self.made[at as usize] {
            Made::Nothing | Made::Fields | Made::Film(_) => Vec::new(),
            Made::One(op) => vec![*op],
            Made::Shots(base) => {
                let film = self.films.of[at as usize].map(|film| &self.films.all[film as usize]);
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

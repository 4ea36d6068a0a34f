//! The film as pieces: bodies and joins, steps repeated per piece, segments.

use std::rc::Rc;

use longtake_graph::{Kind, TransitionKind, say};
use serde_json::{Value as Json, json};

use super::expand::{Expander, Found, Made, Piece, internal};
use super::film::{CLIP, Film};
use crate::compile::{Arg, Op};
use crate::{Role, Signature};

impl<'a> Expander<'_, 'a> {
    /// The clip of a shot: what feeds `CollectFilm`, or what the store holds for a pinned shot.
    pub(super) fn clip_of(
        &mut self,
        collect: u32,
        film: u32,
        instance: usize,
    ) -> Option<(u32, u32)> {
        if let Some(&known) = self.clips.get(&(collect, instance)) {
            return known;
        }
        let arg = self.old[collect as usize].arg(CLIP).cloned();
        let looked_up = arg.map(|arg| self.lookup(&arg, Some((film, instance))));
        let found = match looked_up {
            Some(Found::Arg(Arg::Out(op, output))) => self
                .pinned(collect, film, instance, output)
                .or(Some((op, output))),
            Some(Found::Failed) => None,
            Some(Found::Absent | Found::Arg(Arg::Literal(_) | Arg::List(_))) | None => {
                let place = self.state.place(&self.old[collect as usize]).input(CLIP);
                let shot = &self.films.all[film as usize].shot(instance).id;
                let message = say!(
                    "This shot has no clip: what is linked here makes no frames for it.",
                    "このショットにはクリップがありません。リンクされたノードがこのショットのフレームを作りません。"
                );
                self.state
                    .fail("required_input_missing", place.shot(shot), message);
                None
            }
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
    ) -> Option<(u32, u32)> {
        let film = &self.films.all[film as usize];
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
                    say!(
                        "The shot is pinned to `{pinned}`, which is no signature (64 hex digits); unpin it.",
                        "ショットが「{pinned}」に固定されていますが、これは署名(16 進数 64 桁)ではありません。固定を解除してください。"
                    ),
                ),
                Some(_) => (
                    "pinned_missing",
                    say!(
                        "The shot is pinned to {pinned}, and the store has no such clip; unpin it to make it again.",
                        "ショットが {pinned} に固定されていますが、保存領域にそのクリップがありません。固定を解除すると作り直せます。"
                    ),
                ),
            };
            self.state.fail(code, place, message);
        }
        // Standing in for the very step that made the clip, what reads it keeps its signature.
        if output == 0 {
            self.new[op as usize].pinned = signature;
        }
        Some((op, 0))
    }

    /// The film as pieces.
    pub(super) fn pieces(&mut self, at: usize, film: u32) -> Vec<Piece> {
        let chosen = self.films.all[film as usize].chosen.clone();
        let origin = self.old[at].origin;
        let clips: Vec<_> = chosen
            .iter()
            .map(|&it| self.clip_of(at as u32, film, it))
            .collect();
        let mut pieces = Vec::with_capacity(2 * chosen.len());
        let mut trim_start = 0;
        for (position, &instance) in chosen.iter().enumerate() {
            let is_last = position + 1 == chosen.len();
            let this = &self.films.all[film as usize];
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
            Made::Film(_) | Made::Nothing | Made::Fields | Made::One(_) | Made::Shots(_) => None,
        }
    }

    /// Pieces at the frame-local input of an op. With pieces at a second input too, frames would no
    /// longer match, and the op takes whole films instead.
    pub(super) fn pieces_for(&self, at: usize, input: &str) -> Option<Vec<Piece>> {
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

    pub(super) fn per_piece(&mut self, at: usize, input: &'static str, pieces: &[Piece]) -> Made {
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
    pub(super) fn whole(&mut self, from: u32, output: u32) -> Found {
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
                let film: &Film = &self.films.all[film as usize];
                let value = film.film_field(name);
                value.map_or(Found::Failed, |value| Found::Arg(Arg::Literal(value)))
            }
            (Made::Local(pieces), ..) => match pieces.first() {
                Some(piece) => Found::Arg(Arg::Out(piece.at.0, output)),
                None => Found::Failed,
            },
            (Made::Film(_) | Made::Nothing | Made::Fields | Made::One(_) | Made::Shots(_), ..) => {
                Found::Failed
            }
        }
    }

    /// Gives an assembling op its segments: one encoding step per piece of film, or one in all.
    pub(super) fn assemble(&mut self, at: usize, op: &mut Op<'a>, shot: Option<(u32, usize)>) {
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
                Found::Arg(Arg::Literal(_) | Arg::List(_)) | Found::Absent | Found::Failed => {
                    Vec::new()
                }
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
}

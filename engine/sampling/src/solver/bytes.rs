//! [`SolverState`] as bytes, for a file between two steps of a plan.
//!
//! Little endian: `LTSOLVER`, version, the sampler, sigmas, step, x, history, generator, and at
//! the end the FNV-1a hash of everything before. Lists carry their length in front.

use longtake_sentence::{Sentence, say};

use super::{Sampler, Solver, SolverState, run};
use crate::names::UnknownName;
use crate::noise::{FreshNoise, TorchRng};

const MAGIC: &[u8; 8] = b"LTSOLVER";
/// Goes up with every change of the layout or of what a solver keeps in its history.
const VERSION: u32 = 1;

/// Bytes that are no solver state this version can go on from.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.sentence())]
pub enum StateError {
    /// Something else, or nothing.
    NotAState {
        /// How many came.
        len: usize,
    },
    /// Written by another version of Longtake.
    OtherVersion {
        /// The version in the bytes.
        found: u32,
    },
    /// Cut off or changed since it was written.
    Damaged {
        /// What does not hold.
        what: Sentence,
    },
}

impl StateError {
    /// The message in both languages.
    pub fn sentence(&self) -> Sentence {
        match self {
            Self::NotAState { len } => say!(
                "these {len} bytes are not a solver state; it starts with `LTSOLVER`",
                "この {len} バイトは「LTSOLVER」で始まるソルバーの状態ではありません"
            ),
            Self::OtherVersion { found } => say!(
                "the solver state has version {found}, this program reads {VERSION}; sample again from the first step",
                "ソルバーの状態のバージョンは {found} ですが、このプログラムが読めるのは {VERSION} です。\
                 最初のステップからサンプリングし直してください"
            ),
            Self::Damaged { what } => {
                say!("the solver state is damaged: {what}; sample again from the first step",
                "ソルバーの状態が壊れています: {what}。最初のステップからサンプリングし直してください"; what)
            }
        }
    }
}

fn damaged(what: Sentence) -> StateError {
    StateError::Damaged { what }
}

impl SolverState {
    /// The state as bytes: what [`SolverState::from_bytes`] reads. About
    /// `4 * elements * (1 + history)` of them.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(4 * self.x.len() * (1 + self.history.len()) + 4096);
        out.extend(MAGIC);
        out.extend(VERSION.to_le_bytes());
        let name = self.sampler.solver.name();
        put_count(&mut out, name.len());
        out.extend(name.as_bytes());
        out.extend(self.sampler.shift.to_le_bytes());
        for setting in [self.sampler.eta, self.sampler.s_noise, self.top] {
            out.extend(setting.to_le_bytes());
        }
        put_floats(&mut out, &self.sigmas);
        put_count(&mut out, self.step);
        put_floats(&mut out, &self.x);
        put_count(&mut out, self.history.len());
        for values in &self.history {
            put_floats(&mut out, values);
        }
        let (seed, rng) = self.noise.parts();
        out.extend(seed.to_le_bytes());
        let (words, next, cached) = rng.parts();
        out.extend(words.iter().flat_map(|it| it.to_le_bytes()));
        put_count(&mut out, next);
        out.push(u8::from(cached.is_some()));
        out.extend(cached.unwrap_or(0.0).to_le_bytes());
        let hash = fnv1a(&out);
        out.extend(hash.to_le_bytes());
        out
    }

    /// Reads what [`SolverState::to_bytes`] wrote; the run goes on bit for bit as it would have.
    ///
    /// # Errors
    /// [`StateError`]: not a state, of another version, or damaged.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, StateError> {
        let mut reader = Reader { rest: bytes };
        if reader.take(MAGIC.len()) != Ok(MAGIC) {
            return Err(StateError::NotAState { len: bytes.len() });
        }
        let found = u32::from_le_bytes(reader.array()?);
        if found != VERSION {
            return Err(StateError::OtherVersion { found });
        }
        let body = bytes.len().saturating_sub(8);
        if bytes[body..] != fnv1a(&bytes[..body]).to_le_bytes() {
            return Err(damaged(say!(
                "its check sum does not fit",
                "チェックサムが合いません"
            )));
        }
        reader.rest = &reader.rest[..reader.rest.len().saturating_sub(8)];
        let state = read(&mut reader)?;
        if !reader.rest.is_empty() {
            return Err(damaged(say!(
                "{} bytes too many",
                "{} バイト余っています",
                reader.rest.len()
            )));
        }
        check(&state)?;
        Ok(state)
    }
}

fn read(reader: &mut Reader<'_>) -> Result<SolverState, StateError> {
    let len = reader.count()?;
    let name = std::str::from_utf8(reader.take(len)?)
        .map_err(|e| damaged(say!("{e}", "名前が UTF-8 ではありません（{e}）")))?;
    let solver: Solver = name
        .parse()
        .map_err(|e: UnknownName| damaged(e.sentence()))?;
    let shift = f64::from_le_bytes(reader.array()?);
    let [eta, s_noise, top] = [reader.float()?, reader.float()?, reader.float()?];
    let sigmas = reader.floats()?;
    let step = reader.count()?;
    let x = reader.floats()?;
    let expected = if step < sigmas.len().saturating_sub(1) {
        solver.history_at(step)
    } else {
        0
    };
    let kept = reader.count()?;
    if kept != expected {
        return Err(damaged(say!(
            "{solver} keeps {expected} latents after {step} steps, found {kept}",
            "{solver} は {step} ステップ後に {expected} 個の潜在表現を持つはずですが、{kept} 個でした"
        )));
    }
    let history = (0..kept)
        .map(|_| reader.floats())
        .collect::<Result<_, _>>()?;
    let seed = u64::from_le_bytes(reader.array()?);
    let mut words = Box::new([0; TorchRng::WORDS]);
    for word in words.iter_mut() {
        *word = u32::from_le_bytes(reader.array()?);
    }
    let next = reader.count()?;
    let has_cached = reader.array::<1>()? != [0];
    let cached = f64::from_le_bytes(reader.array()?);
    let rng = TorchRng::from_parts(words, next, has_cached.then_some(cached)).ok_or_else(|| {
        damaged(say!(
            "the generator stands at word {next}",
            "乱数生成器の位置が {next} です"
        ))
    })?;
    Ok(SolverState {
        sampler: Sampler {
            solver,
            shift,
            eta,
            s_noise,
        },
        sigmas,
        step,
        top,
        x,
        history,
        noise: FreshNoise::from_parts(seed, rng),
    })
}

/// Whatever the solvers take for granted.
fn check(state: &SolverState) -> Result<(), StateError> {
    run::check(&state.sigmas).map_err(|stop| damaged(stop.sentence()))?;
    if super::visited(&state.sampler, &state.sigmas) != state.sigmas {
        return Err(damaged(say!(
            "its sigmas go on behind 0 or repeat where its solver cannot",
            "シグマが 0 の先へ続いているか、繰り返せない所で繰り返しています"
        )));
    }
    if !(0.0..=1.0).contains(&state.top) {
        return Err(damaged(say!(
            "it began at sigma {}",
            "シグマ {} から始まっています",
            state.top
        )));
    }
    if state.step > state.steps() {
        let (step, steps) = (state.step, state.steps());
        return Err(damaged(say!(
            "{step} steps taken of {steps}",
            "{steps} ステップのうち {step} ステップ進んだことになっています"
        )));
    }
    let len = state.x.len();
    match state.history.iter().find(|it| it.len() != len) {
        None => Ok(()),
        Some(other) => Err(damaged(say!(
            "its latent has {len} elements and one of its history {}",
            "潜在表現の要素は {len} 個ですが、履歴の一つは {} 個です",
            other.len()
        ))),
    }
}

fn put_count(out: &mut Vec<u8>, count: usize) {
    out.extend((count as u64).to_le_bytes());
}

fn put_floats(out: &mut Vec<u8>, values: &[f32]) {
    put_count(out, values.len());
    out.extend(values.iter().flat_map(|it| it.to_le_bytes()));
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn take(&mut self, n: usize) -> Result<&'a [u8], StateError> {
        let (taken, rest) = self.rest.split_at_checked(n).ok_or_else(|| {
            let early = n - self.rest.len();
            damaged(say!(
                "it ends {early} bytes early",
                "{early} バイト足りません"
            ))
        })?;
        self.rest = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], StateError> {
        let mut out = [0; N];
        out.copy_from_slice(self.take(N)?);
        Ok(out)
    }

    fn count(&mut self) -> Result<usize, StateError> {
        let count = u64::from_le_bytes(self.array()?);
        usize::try_from(count)
            .map_err(|_| damaged(say!("a count of {count}", "個数が {count} です")))
    }

    fn float(&mut self) -> Result<f32, StateError> {
        Ok(f32::from_le_bytes(self.array()?))
    }

    fn floats(&mut self) -> Result<Vec<f32>, StateError> {
        let count = self.count()?;
        let bytes = self.take(count.saturating_mul(4))?;
        let (values, _) = bytes.as_chunks::<4>();
        Ok(values.iter().map(|it| f32::from_le_bytes(*it)).collect())
    }
}

/// FNV-1a, 64 bits: finds damage, not forgery; [`check`] sees to it that a forgery does no harm.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::noise::SeedOffset;
    use crate::solver::{Denoiser, StepInfo, Stop};
    use std::ops::ControlFlow;

    struct Half;
    impl Denoiser for Half {
        fn denoise(&mut self, x: &[f32], sigma: f32) -> Result<Vec<f32>, Stop> {
            Ok(x.iter().map(|x| x * 0.5 * sigma).collect())
        }
    }

    fn state(solver: Solver) -> SolverState {
        let sigmas = [1.0, 0.9, 0.7, 0.5, 0.2, 0.0];
        let noise = FreshNoise::new(5, SeedOffset::One);
        let mut state = SolverState::start(solver, &sigmas, noise, vec![0.5; 3]).unwrap();
        let go_on = &mut |_: StepInfo<'_>| ControlFlow::Continue(());
        state.run(&mut Half, 3, go_on).unwrap();
        state
    }

    #[test]
    fn any_changed_byte_and_any_cut_is_found() {
        let bytes = state(Solver::WanUniPc).to_bytes();
        for i in 0..bytes.len() {
            assert!(SolverState::from_bytes(&bytes[..i]).is_err(), "cut at {i}");
            let mut changed = bytes.clone();
            changed[i] ^= 0x10;
            assert!(SolverState::from_bytes(&changed).is_err(), "changed at {i}");
        }
        let mut newer = bytes;
        newer[8] = 9;
        let error = SolverState::from_bytes(&newer).unwrap_err();
        assert_eq!(error, StateError::OtherVersion { found: 9 });
    }

    /// With a right check sum over wrong bytes: refused, or run without a panic.
    #[test]
    fn forged_bytes_do_no_harm() {
        for solver in Solver::ALL {
            let bytes = state(solver).to_bytes();
            let body = bytes.len() - 8;
            // The generator's words can be anything; skip most of them.
            let generator = body - 17 - 4 * TorchRng::WORDS;
            for i in (12..generator + 8).chain(body - 17..body) {
                for flip in [0x01, 0x80] {
                    let mut forged = bytes[..body].to_vec();
                    forged[i] ^= flip;
                    forged.extend(fnv1a(&forged).to_le_bytes());
                    if let Ok(mut state) = SolverState::from_bytes(&forged) {
                        let go_on = &mut |_: StepInfo<'_>| ControlFlow::Continue(());
                        let _ = state.run(&mut Half, 9, go_on);
                    }
                }
            }
        }
    }
}

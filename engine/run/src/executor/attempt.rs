//! One step: weights in place, inputs gathered, code called; retries and the out-of-memory ladder.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use indexmap::IndexMap;
use longtake_graph::{Sentence, say};
use longtake_plan::plan::Move;
use longtake_plan::{Info, Step, StepId, StepInput, ValueId, WeightsId};

use super::{RETRIES, Shared, lock};
use crate::cx::gather;
use crate::{Event, Failure, Loading, Nodes, Resident, RunCx, RunError, Said, Value};

impl Shared<'_> {
    /// Runs a step until its results are where they belong, or nothing is left to try.
    pub(super) fn attempt(&self, id: StepId) -> Result<Vec<Value>, RunError> {
        let mut step = self.plan.step(id).clone();
        self.move_weights(&step)?;
        // From here on its memory is watched: what the weights before it took is not its own.
        lock(&self.running).insert(id, crate::memory::resident_bytes());
        let mut tries = 0;
        let mut emptied = false;
        // What was made and could not be put away yet: hours of work, maybe.
        let mut made = None;
        loop {
            if made.is_none() {
                self.descend_if_tight(&mut step);
            }
            let error = match self.make_and_keep(&step, &mut made) {
                Ok(values) => return Ok(values),
                Err(error) => error,
            };
            match error.failure {
                Failure::Cancelled | Failure::Failed => return Err(error),
                Failure::Transient if tries < RETRIES => {
                    tries += 1;
                    let after = self.options.back_off * 2u32.pow(tries - 1);
                    let error = error.message;
                    self.tell(Event::Retrying {
                        step: id,
                        attempt: tries + 1,
                        after,
                        error,
                    });
                    self.sleep(after)?;
                }
                Failure::Transient => {
                    let error = error.message;
                    return Err(RunError::failed(say!(
                        "{error} (tried {} times)",
                        "{error}（{} 回試しました）",
                        tries + 1;
                        error
                    )));
                }
                // First make room, then do less.
                Failure::OutOfMemory if !emptied => {
                    emptied = true;
                    self.models.clear();
                    crate::memory::give_back();
                    let error = error.message;
                    let why = say!(
                        "{error}; other models were unloaded",
                        "{error}。ほかのモデルをメモリから降ろしました";
                        error
                    );
                    self.tell(Event::Adapted {
                        step: id,
                        rung: step.rung.clone(),
                        why,
                    });
                }
                Failure::OutOfMemory => {
                    let error = error.message;
                    made = None;
                    if !self.descend(&mut step, &error) {
                        return Err(RunError::failed(say!(
                            "{error}; no lesser way is left: lower the resolution or the length, \
                             or give it more memory (--vram, --ram)",
                            "{error}。これより軽い方法は残っていません。解像度か長さを下げるか、メモリを増やしてください (--vram, --ram)";
                            error
                        )));
                    }
                }
            }
        }
    }

    /// Makes a step's values, unless they are made, and puts them away. Recipes of frames are followed
    /// there, so that is code of the node layer too.
    fn make_and_keep(
        &self,
        step: &Step,
        made: &mut Option<Vec<Value>>,
    ) -> Result<Vec<Value>, RunError> {
        let values = match made.take() {
            Some(values) => values,
            None => guarded(self.nodes, || self.once(step))?,
        };
        let values = made.insert(values);
        guarded(self.nodes, || self.keep(step.id, values))
    }

    fn sleep(&self, time: Duration) -> Result<(), RunError> {
        let until = Instant::now() + time;
        while Instant::now() < until {
            self.env.cancel.check()?;
            std::thread::sleep(Duration::from_millis(20).min(time));
        }
        Ok(())
    }

    /// Takes the next lesser way, if there is one.
    fn descend(&self, step: &mut Step, why: &Sentence) -> bool {
        if step.fallbacks.is_empty() {
            return false;
        }
        let rung = step.fallbacks.remove(0);
        self.tell(Event::Adapted {
            step: step.id,
            rung: rung.name.clone(),
            why: why.clone(),
        });
        step.rung = rung.name;
        step.settings = rung.settings;
        step.cost = rung.cost;
        true
    }

    /// On the CPU a failed allocation ends the program, so look before leaping: while the machine
    /// has less to give than the step will take, take a lesser way.
    fn descend_if_tight(&self, step: &mut Step) {
        let free = crate::memory::available_bytes();
        while free > 0 && step.cost.host_bytes > free {
            let why = say!(
                "the step takes {} MiB and the machine has {} MiB left",
                "このステップには {} MiB 必要ですが、残りは {} MiB です",
                step.cost.host_bytes >> 20,
                free >> 20
            );
            if !self.descend(step, &why) {
                return;
            }
        }
    }

    fn move_weights(&self, step: &Step) -> Result<(), RunError> {
        for action in &step.moves {
            match action {
                // A parked checkpoint stays in the system's page cache, from where it is mapped
                // again: that is its place on the host.
                Move::Park(id) | Move::Drop(id) => {
                    self.models.drop(*id);
                    crate::memory::give_back();
                }
                Move::Load(id) => {
                    self.load(step.id, *id, step.streamed.contains(id))?;
                }
            }
        }
        Ok(())
    }

    fn load(&self, step: StepId, id: WeightsId, streamed: bool) -> Result<Resident, RunError> {
        let info = self.plan.weight(id);
        self.models.load(id, || {
            self.env.cancel.check()?;
            let name = info.name.clone();
            let mut tell = |said| {
                self.tell(match said {
                    Loading::Part(fraction) => Event::Loading {
                        name: name.clone(),
                        fraction,
                    },
                    Loading::Note(text) => Event::Note { step, text },
                });
            };
            guarded(self.nodes, || {
                self.nodes
                    .load_weights(info, &self.env.device, streamed, &mut tell)
            })
        })
    }

    /// The checkpoints at a step's inputs, loaded if they are not.
    fn models_of(&self, step: &Step) -> Result<IndexMap<String, Resident>, RunError> {
        let mut models = IndexMap::new();
        for (name, input) in &step.inputs {
            let StepInput::Value(value) = input else {
                continue;
            };
            let (name, info) = match &self.plan.value(*value).info {
                Info::Weights(info) => (name.clone(), info),
                Info::Conditioning { extras, .. } => match &extras.control {
                    Some(control) => (format!("{name}.control"), control),
                    None => continue,
                },
                Info::Clip(_)
                | Info::Latent(_)
                | Info::Constant(_)
                | Info::Storyboard(_)
                | Info::Segment(_)
                | Info::Nothing => continue,
            };
            // One file may stand in the plan twice, with settings that change what is loaded.
            let id = step
                .weights
                .iter()
                .chain(&step.streamed)
                .copied()
                .find(|id| self.plan.weight(*id).loads_as(info));
            if let Some(id) = id {
                models.insert(name, self.load(step.id, id, step.streamed.contains(&id))?);
            }
        }
        Ok(models)
    }

    fn once(&self, step: &Step) -> Result<Vec<Value>, RunError> {
        self.env.cancel.check()?;
        let Some(runner) = self.nodes.runner(&step.class) else {
            return Err(RunError::failed(say!(
                "this build cannot run {}",
                "このビルドでは {} を実行できません",
                step.class
            )));
        };
        let models = self.models_of(step)?;
        for id in super::board::reads(self.plan, step.id) {
            self.recall(id)?;
        }
        let inputs = gather(self.plan, step, |id| lock(&self.board).value(id))?;
        let mut report = |said| {
            let step = step.id;
            self.tell(match said {
                Said::Progress(progress) => Event::Progress { step, progress },
                Said::Note(text) => Event::Note { step, text },
            });
        };
        let mut cx = RunCx {
            step,
            plan: self.plan,
            env: self.env,
            inputs,
            models,
            report: &mut report,
        };
        runner(&mut cx)
    }

    /// Reads a value from the store when its step was not run this time.
    fn recall(&self, id: ValueId) -> Result<(), RunError> {
        let value = self.plan.value(id);
        let Some(maker) = value
            .step
            .map(|step| self.plan.step(step))
            .filter(|it| it.cached)
        else {
            return Ok(());
        };
        if lock(&self.board).value(id).is_some() {
            return Ok(());
        }
        let mut stored = self.env.store.load(&maker.signature)?;
        let index = value.output as usize;
        if index >= stored.len() {
            return Err(RunError::failed(say!(
                "the stored result of {} has {} values, expected more than {index}",
                "{} の保存済みの結果には値が {} 個しかなく、{index} 番の値がありません",
                maker.path,
                stored.len()
            )));
        }
        lock(&self.board).remember(id, stored.swap_remove(index));
        Ok(())
    }
}

/// Calls code of the node layer; a panic becomes an error, so that one shot does not take the film
/// with it.
pub(super) fn guarded<T>(
    nodes: &dyn Nodes,
    call: impl FnOnce() -> Result<T, RunError>,
) -> Result<T, RunError> {
    catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(|panic| {
        // Asking is code of the node layer too.
        let ask = AssertUnwindSafe(|| nodes.fault(&*panic));
        Err(catch_unwind(ask)
            .ok()
            .flatten()
            .unwrap_or_else(|| bug(&*panic)))
    })
}

/// A panic that nobody knows.
pub(super) fn bug(panic: &(dyn Any + Send)) -> RunError {
    let text = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied());
    let text = text.map_or_else(
        || say!("no message", "メッセージはありません"),
        Sentence::same,
    );
    RunError::failed(say!(
        "{text} (a panic: this is a bug of Longtake)",
        "{text}（プログラムが異常を検出しました。Longtake の不具合です）";
        text
    ))
}

//! Which steps wait, run and are done. Pure bookkeeping: no thread, no clock.

use std::collections::BTreeMap;

use longtake_plan::{Lane, Plan, StepId, StepInput, ValueId};

use crate::Value;

/// Where a step stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Needs that many more steps.
    Waiting(usize),
    /// Taken by a lane.
    Running,
    /// Its values are there (or in the store).
    Done,
    /// Failed, or needs one that did.
    Lost,
}

/// What a lane should do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// This.
    Step(StepId),
    /// Nothing yet.
    Wait,
    /// Nothing ever.
    Over,
}

/// What the end of a step brings with it.
#[derive(Default)]
pub struct Ended {
    /// Recipes that are ready now, or steps that are lost.
    pub steps: Vec<StepId>,
    /// Values that nobody reads any more. To be dropped once the board is let go: that may take its
    /// time, and runs code of the node layer.
    pub freed: Vec<Value>,
}

/// The state of a run.
pub struct Board {
    states: Vec<State>,
    lanes: Vec<Lane>,
    lazy: Vec<bool>,
    readers: Vec<Vec<StepId>>,
    /// Steps that still need a value; at zero it is dropped.
    pending: BTreeMap<ValueId, usize>,
    values: BTreeMap<ValueId, Value>,
    /// Every step before this one is over.
    first_open: usize,
    stopped: bool,
}

/// Values a step reads that other steps make.
pub fn reads(plan: &Plan, id: StepId) -> Vec<ValueId> {
    let mut ids: Vec<ValueId> = plan
        .step(id)
        .inputs
        .values()
        .flat_map(|input| match input {
            StepInput::Literal(_) => Vec::new(),
            StepInput::Value(id) => vec![*id],
            StepInput::List(ids) => ids.clone(),
        })
        .filter(|id| plan.value(*id).step.is_some())
        .collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

impl Board {
    /// A board with nothing begun.
    pub fn new(plan: &Plan) -> Self {
        let count = plan.steps.len();
        let mut readers: Vec<Vec<StepId>> = vec![Vec::new(); count];
        let mut pending: BTreeMap<ValueId, usize> = BTreeMap::new();
        let mut states = Vec::with_capacity(count);
        for step in &plan.steps {
            if step.cached {
                states.push(State::Done);
                continue;
            }
            let mut makers = Vec::new();
            for value in reads(plan, step.id) {
                *pending.entry(value).or_default() += 1;
                makers.extend(plan.value(value).step.filter(|id| !plan.step(*id).cached));
            }
            makers.sort_unstable();
            makers.dedup();
            for maker in &makers {
                readers[maker.0 as usize].push(step.id);
            }
            states.push(State::Waiting(makers.len()));
        }
        Self {
            states,
            lanes: plan.steps.iter().map(|it| it.lane).collect(),
            lazy: plan.steps.iter().map(|it| it.lazy).collect(),
            readers,
            pending,
            values: BTreeMap::new(),
            first_open: 0,
            stopped: false,
        }
    }

    /// Takes the next step of a lane. The device lane keeps the plan's order, on which the moves of
    /// weights rest; the others take whatever is ready first.
    pub fn take(&mut self, lane: Lane) -> Next {
        if self.stopped {
            return Next::Over;
        }
        let over = |state: &&State| matches!(state, State::Done | State::Lost);
        let ended = self.states[self.first_open..].iter().take_while(over);
        self.first_open += ended.count();
        let mut open = false;
        for index in self.first_open..self.states.len() {
            let State::Waiting(needs) = self.states[index] else {
                // A running step may still make recipes ready for this lane.
                open |= self.states[index] == State::Running;
                continue;
            };
            open = true;
            if !self.takes(lane, index) {
                continue;
            }
            if needs == 0 {
                self.states[index] = State::Running;
                return Next::Step(StepId(index as u32));
            }
            if lane == Lane::Device {
                return Next::Wait;
            }
        }
        if open { Next::Wait } else { Next::Over }
    }

    /// A step's values are there. Gives the recipes that are ready now, marked as running.
    pub fn done(&mut self, plan: &Plan, id: StepId, values: Vec<Value>) -> Ended {
        self.states[id.0 as usize] = State::Done;
        let mut ended = Ended::default();
        for (value, slot) in values.into_iter().zip(&plan.step(id).writes) {
            if self.pending.get(slot).is_some_and(|&n| n > 0) {
                self.values.insert(*slot, value);
            } else {
                ended.freed.push(value);
            }
        }
        self.release(plan, id, &mut ended.freed);
        for reader in std::mem::take(&mut self.readers[id.0 as usize]) {
            let index = reader.0 as usize;
            if let State::Waiting(needs) = &mut self.states[index] {
                *needs -= 1;
                if *needs == 0 && self.lazy[index] && !self.stopped {
                    self.states[index] = State::Running;
                    ended.steps.push(reader);
                }
            }
        }
        ended
    }

    /// Takes out values whose last reader was this step.
    fn release(&mut self, plan: &Plan, id: StepId, freed: &mut Vec<Value>) {
        for value in reads(plan, id) {
            if let Some(left) = self.pending.get_mut(&value) {
                *left = left.saturating_sub(1);
                if *left == 0 {
                    freed.extend(self.values.remove(&value));
                }
            }
        }
    }

    /// A step failed: everything that needs it is lost. Gives those, and what only they would have
    /// read; `None` when it had ended already.
    pub fn fail(&mut self, plan: &Plan, id: StepId) -> Option<Ended> {
        let mut ended = Ended::default();
        if matches!(self.states[id.0 as usize], State::Done | State::Lost) {
            return None;
        }
        self.states[id.0 as usize] = State::Lost;
        let mut queue = vec![id];
        while let Some(id) = queue.pop() {
            self.release(plan, id, &mut ended.freed);
            for reader in std::mem::take(&mut self.readers[id.0 as usize]) {
                let state = &mut self.states[reader.0 as usize];
                if matches!(state, State::Waiting(_)) {
                    *state = State::Lost;
                    ended.steps.push(reader);
                    queue.push(reader);
                }
            }
        }
        Some(ended)
    }

    /// The first step that waits for a lane, whatever else it waits for.
    pub fn first_of(&self, lane: Lane) -> Option<StepId> {
        let waits = |index: &usize| {
            let index = *index;
            matches!(self.states[index], State::Waiting(_)) && self.takes(lane, index)
        };
        let first = (self.first_open..self.states.len()).find(waits);
        first.map(|index| StepId(index as u32))
    }

    /// Whether a step is for that lane to take. Recipes are built by whoever makes them ready; those
    /// that need nothing, by the processor pool.
    fn takes(&self, lane: Lane, index: usize) -> bool {
        if self.lazy[index] {
            lane == Lane::Cpu
        } else {
            self.lanes[index] == lane
        }
    }

    /// Hands out nothing more.
    pub fn stop(&mut self) {
        self.stopped = true;
    }

    /// Steps never taken.
    pub fn unfinished(&self) -> Vec<StepId> {
        (0u32..)
            .zip(&self.states)
            .filter(|(_, state)| matches!(state, State::Waiting(_)))
            .map(|(index, _)| StepId(index))
            .collect()
    }

    /// A value made in this run.
    pub fn value(&self, id: ValueId) -> Option<Value> {
        self.values.get(&id).cloned()
    }

    /// Remembers a value read from the store.
    pub fn remember(&mut self, id: ValueId, value: Value) {
        if self.pending.get(&id).is_some_and(|&n| n > 0) {
            self.values.insert(id, value);
        }
    }

    /// Takes out all that is left.
    pub fn empty(&mut self) -> Vec<Value> {
        std::mem::take(&mut self.values).into_values().collect()
    }
}

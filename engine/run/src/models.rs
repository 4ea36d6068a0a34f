//! Checkpoints in memory: opaque handles that the node layer loads and reads.

use std::any::Any;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use longtake_plan::WeightsId;

use crate::RunError;

/// A loaded checkpoint, whatever the node layer made of it.
pub type Resident = Arc<dyn Any + Send + Sync>;

/// The device models run on: the node layer's handle, and a name for people.
#[derive(Clone)]
pub struct Device {
    /// What the node layer opened.
    pub handle: Resident,
    /// `cpu`, `cuda:0`, …
    pub name: String,
}

/// What is resident now, and how often each checkpoint was read.
#[derive(Default)]
pub struct Models {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    resident: BTreeMap<WeightsId, Resident>,
    loads: BTreeMap<WeightsId, u32>,
}

impl Models {
    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A resident checkpoint.
    pub fn get(&self, id: WeightsId) -> Option<Resident> {
        self.state().resident.get(&id).cloned()
    }

    /// Makes a checkpoint resident, unless it is already.
    ///
    /// # Errors
    /// What `load` returns.
    pub fn load(
        &self,
        id: WeightsId,
        load: impl FnOnce() -> Result<Resident, RunError>,
    ) -> Result<Resident, RunError> {
        if let Some(resident) = self.get(id) {
            return Ok(resident);
        }
        let resident = load()?;
        let mut state = self.state();
        state.resident.insert(id, Arc::clone(&resident));
        *state.loads.entry(id).or_default() += 1;
        Ok(resident)
    }

    /// Forgets a checkpoint; its memory goes with the last step that uses it.
    pub fn drop(&self, id: WeightsId) {
        self.state().resident.remove(&id);
    }

    /// Forgets all checkpoints.
    pub fn clear(&self) {
        self.state().resident.clear();
    }

    /// How often a checkpoint was read from disk.
    pub fn loads(&self, id: WeightsId) -> u32 {
        self.state().loads.get(&id).copied().unwrap_or(0)
    }
}

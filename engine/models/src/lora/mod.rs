//! LoRAs: small changes to a checkpoint's tensors, put on without touching its file.
//!
//! [`put_on`] gives a view of a checkpoint whose tensors answer changed. Low-rank changes of linear
//! layers stay beside the weight (`y = W x + s·B(A x)`); the others are made in f32 when a tensor is
//! read, or, where the weight is kept packed, each time it is widened. Nothing is ever rounded back
//! into eight bits.

mod bind;
mod change;
mod keys;
mod survey;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use bind::{Report, Wish, put_on};
pub(crate) use change::{Change, Delta};
pub use keys::{Key, Role, split};
pub use survey::Survey;

use crate::weights::{Checkpoint, WeightsError};

/// A LoRA that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LoraError {
    #[error(transparent)]
    Weights(#[from] WeightsError),
    /// No tensor has a name that any LoRA family uses.
    #[error("{}: expected LoRA keys such as `blocks.0.self_attn.q.lora_A.weight`, found {found}; choose a LoRA file", file.display())]
    NoLora { file: PathBuf, found: String },
    /// None of its modules is in the checkpoint.
    #[error("{}: none of its {modules} modules is in {}; the first is `{first}`. {hint}", file.display(), base.display())]
    NoMatch {
        file: PathBuf,
        base: PathBuf,
        modules: usize,
        first: String,
        hint: String,
    },
    /// The shapes of a module's tensors fit neither each other nor the weight.
    #[error("{}: `{module}`: expected {expected}, found {found}; the LoRA was trained on another model or is damaged", file.display())]
    Shape {
        file: PathBuf,
        module: String,
        expected: String,
        found: String,
    },
    /// One half of a pair is missing.
    #[error("{}: `{module}` has {has} but {lacks} is missing; the file is damaged: fetch it again", file.display())]
    Incomplete {
        file: PathBuf,
        module: String,
        has: &'static str,
        lacks: &'static str,
    },
}

/// What a file says of one module: tensor names by role.
pub(crate) type Parts = BTreeMap<Role, String>;

/// An opened LoRA file: modules by spelling.
#[derive(Clone, Debug)]
pub struct Lora {
    pub(crate) file: Arc<Checkpoint>,
    pub(crate) modules: BTreeMap<String, Parts>,
    /// Modules of the low-noise expert, where the file has both.
    pub(crate) second: BTreeMap<String, Parts>,
}

impl Lora {
    /// Opens a LoRA file of any of the families.
    ///
    /// # Errors
    /// [`WeightsError`] of an unsound file; [`LoraError::NoLora`] if no key is a LoRA's.
    pub fn open(path: &Path) -> Result<Self, LoraError> {
        let file = Checkpoint::open(path)?;
        let (mut modules, mut second) = (BTreeMap::new(), BTreeMap::new());
        for name in file.names() {
            let Some(key) = split(name) else { continue };
            let side = if key.second_expert {
                &mut second
            } else {
                &mut modules
            };
            let parts: &mut Parts = side.entry(key.module).or_default();
            parts.insert(key.role, name.to_owned());
        }
        if modules.is_empty() {
            // Only one expert in the file: whichever it is, it is the one meant.
            modules = std::mem::take(&mut second);
        }
        if modules.is_empty() {
            let found = file.names().next().map_or_else(
                || "no tensors".to_owned(),
                |name| format!("`{}` and the like", name.escape_debug()),
            );
            return Err(LoraError::NoLora {
                file: path.into(),
                found,
            });
        }
        Ok(Self {
            file: Arc::new(file),
            modules,
            second,
        })
    }

    /// The file it came from.
    pub fn path(&self) -> &Path {
        self.file.path()
    }

    /// The modules meant for a checkpoint: those of the low-noise expert if the file has both and the
    /// checkpoint's path says `low` (or is diffusers' `transformer_2`).
    pub(crate) fn modules_for(&self, base: &Path) -> &BTreeMap<String, Parts> {
        let name = base
            .file_name()
            .map(|it| it.to_string_lossy().to_lowercase());
        let low = name.is_some_and(|it| it.contains("low") || it == "transformer_2");
        if low && !self.second.is_empty() {
            &self.second
        } else {
            &self.modules
        }
    }
}

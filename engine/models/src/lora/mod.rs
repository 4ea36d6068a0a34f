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

use longtake_sentence::{Sentence, say};

use crate::weights::{Checkpoint, Clash, WeightsError};

/// A LoRA that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{}", self.sentence())]
pub enum LoraError {
    #[error(transparent)]
    Weights(#[from] WeightsError),
    /// No tensor has a name that any LoRA family uses.
    NoLora {
        file: PathBuf,
        /// A name that it has instead, if any.
        found: Option<String>,
    },
    /// None of its modules is in the checkpoint.
    NoMatch {
        file: PathBuf,
        base: PathBuf,
        modules: usize,
        first: String,
        /// What it is made for.
        hint: Box<Sentence>,
    },
    /// The shapes of a module's tensors fit neither each other nor the weight.
    Shape {
        file: PathBuf,
        module: String,
        clash: Box<Clash>,
    },
    /// One half of a pair is missing.
    Incomplete {
        file: PathBuf,
        module: String,
        lacks: Half,
    },
}

/// Of a low-rank pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Half {
    Up,
    Down,
}

impl LoraError {
    /// The message in both languages.
    pub fn sentence(&self) -> Sentence {
        match self {
            Self::Weights(error) => error.sentence(),
            Self::NoLora { file, found } => {
                let file = file.display();
                let found = match found {
                    None => say!("no tensors", "テンソルは一つもありません"),
                    Some(name) => say!(
                        "`{name}` and the like",
                        "あるのは「{name}」のような名前です"
                    ),
                };
                say!("{file}: expected LoRA keys such as `blocks.0.self_attn.q.lora_A.weight`, found {found}; choose a LoRA file",
                    "{file}: 「blocks.0.self_attn.q.lora_A.weight」のような LoRA のキーがありません。{found}。LoRA のファイルを選んでください"; found)
            }
            Self::NoMatch {
                file,
                base,
                modules,
                first,
                hint,
            } => {
                let (file, base) = (file.display(), base.display());
                say!("{file}: none of its {modules} modules is in {base}; the first is `{first}`. {hint}",
                    "{file}: {modules} 個のモジュールのどれも {base} にありません。最初のものは「{first}」です。{hint}"; hint)
            }
            Self::Shape {
                file,
                module,
                clash,
            } => {
                let (file, clash) = (file.display(), clash.sentence());
                say!("{file}: `{module}`: {clash}", "{file}: 「{module}」: {clash}"; clash)
            }
            Self::Incomplete {
                file,
                module,
                lacks,
            } => {
                let file = file.display();
                let (has, lacks) = match lacks {
                    Half::Up => (
                        say!("a down matrix", "down 行列"),
                        say!("the up matrix", "up 行列"),
                    ),
                    Half::Down => (
                        say!("an up matrix", "up 行列"),
                        say!("the down matrix", "down 行列"),
                    ),
                };
                say!("{file}: `{module}` has {has} but {lacks} is missing; the file is damaged: fetch it again",
                    "{file}: 「{module}」には{has}がありますが、{lacks}がありません。ファイルが壊れています。もう一度入手してください"; has, lacks)
            }
        }
    }
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
            let found = file.names().next();
            return Err(LoraError::NoLora {
                file: path.into(),
                found: found.map(|name| name.escape_debug().to_string()),
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

//! Leases: what living programs need of the store. While a lease is held, nothing it names is removed.
//!
//! `leases/NAME.lease` names signatures, one a line, and is locked by its holder. Leases are given
//! under a shared turn at `leases.turn`; removing takes it alone, so that a lease given is a lease kept.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use longtake_graph::say;
use longtake_plan::{Keep, Plan, Signature};

use super::Store;
use super::lock::{LockFile, Turn, unique};
use super::pins::STORED_CLIP;
use crate::RunError;

/// Removing goes in small portions; whoever waits longer waits for a program that stands still.
const PATIENCE: Duration = Duration::from_secs(10);

/// A program's need of entries, also of those that are still to be made. Dropped, it has none.
#[derive(Debug)]
pub struct Lease {
    _file: LockFile,
}

impl Store {
    /// Has entries kept for as long as the lease is held. An entry may be gone already: look after
    /// this, not before.
    ///
    /// # Errors
    /// The disk, or a file system that knows no locks; there nothing is ever removed.
    pub fn lease(&self, needs: impl IntoIterator<Item = Signature>) -> Result<Lease, RunError> {
        let folder = self.leases();
        let writing = |e: io::Error| {
            let doing = say!("noting what is needed in", "必要なデータの登録");
            RunError::io(doing, &folder, &e)
        };
        let mut lines: Vec<String> = needs.into_iter().map(|it| format!("{it}\n")).collect();
        lines.sort_unstable();
        lines.dedup();
        fs::create_dir_all(&folder).map_err(writing)?;
        let turn = Turn::shared(&self.turn(), PATIENCE).map_err(writing)?;
        let Some(_turn) = turn else {
            return Err(RunError::transient(say!(
                "another program has been removing results from {} for {} seconds",
                "別のプログラムが {} の結果を {} 秒以上削除し続けています",
                self.root.display(),
                PATIENCE.as_secs()
            )));
        };
        let path = folder.join(unique()).with_extension("lease");
        let file = LockFile::take(&path).map_err(writing)?;
        let taken = || writing(io::Error::from(io::ErrorKind::AlreadyExists));
        let mut file = file.ok_or_else(taken)?;
        file.write(lines.concat().as_bytes()).map_err(writing)?;
        Ok(Lease { _file: file })
    }

    /// Has all kept that a plan reads, makes and shows.
    ///
    /// # Errors
    /// As [`Store::lease`].
    pub fn lease_plan(&self, plan: &Plan) -> Result<Lease, RunError> {
        let kept = plan.steps.iter().filter(|it| match it.keep {
            Keep::Store | Keep::Output => true,
            Keep::Memory => it.class == STORED_CLIP,
        });
        self.lease(kept.map(|it| it.signature))
    }

    fn leases(&self) -> PathBuf {
        self.root.join("leases")
    }

    fn turn(&self) -> PathBuf {
        self.root.join("leases.turn")
    }

    /// No lease is given while this is held.
    pub(super) fn alone(&self) -> io::Result<Option<Turn>> {
        Turn::alone(&self.turn(), PATIENCE)
    }

    /// Entries are not removed while this is held.
    pub(super) fn unmoved(&self) -> io::Result<Option<Turn>> {
        Turn::shared(&self.turn(), PATIENCE)
    }

    /// What living programs need. Leases of dead ones are removed. To be asked while [`Store::alone`]
    /// is held.
    pub(super) fn leased(&self) -> io::Result<HashSet<Signature>> {
        let mut needed = HashSet::new();
        let entries = match fs::read_dir(self.leases()) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(needed),
            Err(error) => return Err(error),
        };
        for entry in entries {
            let path = entry?.path();
            if path.extension().is_none_or(|it| it != "lease") || LockFile::take(&path)?.is_some() {
                continue;
            }
            match fs::read_to_string(&path) {
                Ok(text) => needed.extend(text.lines().filter_map(Signature::from_hex)),
                // Its holder has just let go.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Ok(needed)
    }
}

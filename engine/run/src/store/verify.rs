//! Whether what the store holds can be read.

use std::fs;

use longtake_graph::{Sentence, say};
use longtake_plan::Signature;

use super::{Entry, Store};
use crate::{RunError, Value};

/// An entry that cannot be read.
#[derive(Clone, Debug)]
pub struct Damage {
    /// Which.
    pub signature: Signature,
    /// The step that made it.
    pub node: String,
    /// What is wrong.
    pub why: Sentence,
    /// Whether it was set aside, so that the next run that needs it makes it anew. What a shot is pinned
    /// to is left as it is: it cannot be made again.
    pub set_aside: bool,
}

impl Store {
    /// Reads entries to their last frame. Damaged ones are set aside, unless a shot is pinned to them.
    /// `each` is told before an entry is read; when it says no, the reading ends there.
    ///
    /// # Errors
    /// The disk.
    pub fn verify(
        &self,
        entries: &[Entry],
        each: &mut dyn FnMut(&Entry) -> bool,
    ) -> Result<Vec<Damage>, RunError> {
        let pinned = self.pins_held()?;
        let mut damaged = Vec::new();
        for entry in entries {
            if !each(entry) {
                break;
            }
            let Err(error) = self.read_through(&entry.signature) else {
                continue;
            };
            let path = self.manifest_path(&entry.signature);
            // Removed meanwhile by another program: nothing is wrong with it.
            if !path.exists() {
                continue;
            }
            let free = !pinned.contains_key(&entry.signature);
            damaged.push(Damage {
                signature: entry.signature,
                node: entry.node.clone(),
                why: error.message,
                set_aside: free && fs::remove_file(path).is_ok(),
            });
        }
        Ok(damaged)
    }

    fn read_through(&self, signature: &Signature) -> Result<(), RunError> {
        for value in self.look(signature)? {
            match value {
                Value::Clip(clip) => clip.for_each(|_, _| Ok(()))?,
                Value::Segment(segment) => {
                    let about = fs::metadata(&segment.path);
                    let bytes = about.map_or(0, |it| if it.is_file() { it.len() } else { 0 });
                    if bytes == 0 {
                        return Err(RunError::failed(say!(
                            "{}: expected an encoded segment, found nothing",
                            "{} にエンコード済みの区間がありません",
                            segment.path.display()
                        )));
                    }
                }
                // Read whole by the look; files given to the person are the person's.
                Value::Latent(_) | Value::Conditioning(_) | Value::Files(_) | Value::Json(_) => {}
            }
        }
        Ok(())
    }
}

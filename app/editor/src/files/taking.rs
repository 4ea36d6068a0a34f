//! Bringing a file into the input folder and writing its name at a parameter.

use std::path::PathBuf;
use std::time::Instant;

use longtake_graph::{Edit, Input, NodeId, Sentence};
use serde_json::Value;

use super::tasks::{Done, Task};
use crate::language::{Text, t};
use crate::studio::Studio;

const SET: Text = t("Choose a file", "ファイルを選択");

/// A file on its way into the input folder.
pub(crate) struct Importing {
    number: u64,
    pub(super) path: PathBuf,
    pub(super) began: Instant,
    /// Which document asked for it, [`crate::Session::opened`].
    opened: u64,
    /// What to change once it is there: the subgraph, the node, its input.
    scope: Option<String>,
    node: NodeId,
    input: String,
}

impl Studio {
    /// Brings a file into the input folder, on a thread, then writes its name at a parameter.
    pub(crate) fn take_file(&mut self, node: NodeId, input: String, path: PathBuf) {
        let number = self.files.tasks.number();
        let (engine, from) = (self.engine.clone(), path.clone());
        let work = move || Done::Imported(number, engine.import_file(&from));
        if let Err(error) = self.files.tasks.start(Task::Import(number), work) {
            return self.no_thread(&path, &error);
        }
        self.files.importing.push(Importing {
            number,
            path,
            began: Instant::now(),
            opened: self.session.opened(),
            scope: self.session.subgraph().map(str::to_owned),
            node,
            input,
        });
    }

    /// Takes in what came of it. Where another document is open by now, the file lies in the folder
    /// and nothing else happens.
    pub(super) fn imported(&mut self, number: u64, outcome: Result<String, Sentence>) {
        let list = &mut self.files.importing;
        let Some(place) = list.iter().position(|it| it.number == number) else {
            return;
        };
        let asked = list.remove(place);
        self.files.imported += 1;
        let name = match outcome {
            Ok(name) => name,
            Err(error) => return self.tell_error(&error),
        };
        if self.session.opened() != asked.opened {
            return;
        }
        let edit = Edit::SetInput {
            node: asked.node,
            input: asked.input,
            value: Some(Input::Literal(Value::from(name))),
        };
        let edit = match asked.scope {
            None => edit,
            Some(subgraph) => Edit::Within {
                subgraph,
                edit: Box::new(edit),
            },
        };
        if let Err(error) = self.session.edit_root(SET, edit) {
            self.tell_error(&error.sentence());
        }
    }
}

//! What the studio asks of the machine it runs on. The program implements it with the real nodes,
//! models and files; tests with a small one.

use std::path::{Path, PathBuf};

use crossbeam::channel::Sender;
use longtake_graph::declare::FileKind;
use longtake_graph::{Catalog, Diagnostic, ModelFolder, Project, Sentence, say};
use longtake_plan::{Compiled, Machine, Options, Plan, StepId};
use longtake_run::{Cancel, Clip, Event, Frame, Report};

/// A preset that the gallery shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preset {
    /// The graph's file.
    pub path: PathBuf,
    /// Its title, English then Japanese.
    pub title: [String; 2],
    /// One or two sentences, English then Japanese.
    pub about: [String; 2],
    /// A picture of what it makes.
    pub picture: Option<PathBuf>,
    /// Checkpoints it names that this machine lacks.
    pub missing: usize,
}

/// A checkpoint in the models tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelFile {
    /// Its folder.
    pub folder: ModelFolder,
    /// Name as graphs write it.
    pub name: String,
    /// The file.
    pub path: PathBuf,
    /// Bytes.
    pub bytes: u64,
    /// What it is (`Wan 2.1 1.3B, fp8`), if its header could be read.
    pub what: Result<String, Sentence>,
}

/// Folders a person wants to see or open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folders {
    /// Pictures, videos, keypoints that graphs read.
    pub input: PathBuf,
    /// Checkpoints.
    pub models: PathBuf,
    /// What graphs write.
    pub output: PathBuf,
    /// Results by content.
    pub store: PathBuf,
    /// The ready graphs, where there are any.
    pub presets: Option<PathBuf>,
}

/// The machine. Every method may be called from any thread; those that may take long say so.
pub trait Engine: Send + Sync {
    /// Every node class.
    fn catalog(&self) -> &(dyn Catalog + Send + Sync);

    /// What plans are made for.
    fn machine(&self) -> Machine;

    /// Where things lie.
    fn folders(&self) -> Folders;

    /// Compiles. May take long the first time a large checkpoint is fingerprinted.
    fn compile(&self, project: &Project, options: &Options) -> Compiled;

    /// Runs a plan to its end, on the caller's thread.
    ///
    /// # Errors
    /// The device cannot be opened, or there is no room for scratch files. Failures of steps are in
    /// the report.
    fn run(
        &self,
        project: &Project,
        plan: &Plan,
        cancel: Cancel,
        events: Sender<Event>,
    ) -> Result<Report, Sentence>;

    /// The frames a step made, if they are still there: its stored clip, the file it wrote, a
    /// latent as colours. `None` when it has not run or makes nothing to look at. May take a moment.
    fn result(&self, plan: &Plan, step: StepId) -> Option<Clip>;

    /// A picture or a video as a clip. May take a moment.
    ///
    /// # Errors
    /// The file cannot be read, with what to do.
    fn open_media(&self, path: &Path) -> Result<Clip, Sentence>;

    /// Writes a picture as PNG, in the depth it has, replacing what is there only once it is whole.
    /// May take a moment.
    ///
    /// # Errors
    /// The file cannot be written, with what to do.
    fn save_frame(&self, frame: &Frame, path: &Path) -> Result<(), Sentence> {
        let _ = frame;
        Err(say!(
            "{}: this program cannot write pictures",
            "{}: このプログラムは画像を書き出せません。",
            path.display()
        ))
    }

    /// Opens a file or a folder with the program that the desktop has for it, and returns once that
    /// is on its way. May take a moment.
    ///
    /// # Errors
    /// There is no such file, or nothing to open it with, with what to do.
    fn open_outside(&self, path: &Path) -> Result<(), Sentence> {
        Err(say!(
            "{}: this program cannot open other programs",
            "{}: このプログラムからは他のプログラムを開けません。",
            path.display()
        ))
    }

    /// Shows a file in the desktop's file manager, selected in its folder where the desktop can do
    /// that. May take a moment.
    ///
    /// # Errors
    /// There is no such file, or no file manager, with what to do.
    fn show_in_folder(&self, path: &Path) -> Result<(), Sentence> {
        self.open_outside(path.parent().unwrap_or(path))
    }

    /// Reads a graph from any file that holds one. May take a moment.
    ///
    /// # Errors
    /// Not a graph, or no file.
    fn read_graph(&self, path: &Path) -> Result<(Project, Vec<Diagnostic>), Sentence>;

    /// Names under the input folder that an input of that kind can take, sorted.
    fn input_files(&self, kind: FileKind) -> Vec<String>;

    /// Brings a file into the input folder, unless it lies there already, and gives the name that
    /// graphs write. A file of the same name and other content there stays; the new one gets
    /// another name.
    ///
    /// # Errors
    /// It cannot be read, or the folder cannot be written, with what to do.
    fn import_file(&self, path: &Path) -> Result<String, Sentence> {
        let folder = self.folders().input;
        let name = path.strip_prefix(&folder).ok().and_then(Path::to_str);
        name.map(|it| it.replace('\\', "/")).ok_or_else(|| {
            say!(
                "{} lies outside {}; copy it there first",
                "{} は {} の外にあります。先にそこへコピーしてください。",
                path.display(),
                folder.display()
            )
        })
    }

    /// Names of the checkpoints in a folder, sorted.
    fn model_names(&self, folder: ModelFolder) -> Vec<String>;

    /// The whole models tree with what each file is. May take long.
    fn models(&self) -> Vec<ModelFile>;

    /// The presets.
    fn presets(&self) -> Vec<Preset>;
}

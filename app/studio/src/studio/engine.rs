//! The studio's engine: the real nodes, models and files behind the window.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;
use crossbeam::channel::Sender;
use longtake_editor::engine::{Engine, Folders, ModelFile, Preset};
use longtake_editor::files::system_error;
use longtake_graph::declare::FileKind;
use longtake_graph::{Catalog, Diagnostic, ModelFolder, Project, Sentence, say};
use longtake_nodes::{DiskFacts, Looked, Registry, model};
use longtake_plan::{Compiled, Machine, Options, Plan, StepId, compile};
use longtake_run::store::Lease;
use longtake_run::{Cancel, Clip, Device, Env, Event, Frame, Report, Scratch};

use super::{media, outside, presets};
use crate::args::Place;
use crate::library;
use crate::machine::{self, Opened};

/// Nodes, folders, store and device of one session.
pub struct Machinery {
    pub(super) registry: Registry,
    pub(super) opened: Opened,
    /// Opened by the first run: a window that only looks needs no context on a GPU.
    device: Mutex<Option<Device>>,
    presets: Option<PathBuf>,
    /// What input files were found to be: each change of the document asks anew.
    looked: Arc<Looked>,
    /// What the newest plans need of the store: the open document's, a queued one's, and those of the
    /// last edits, which undo brings back.
    needs: Mutex<VecDeque<Lease>>,
}

/// Plans whose results are held.
const PLANS: usize = 4;

impl Machinery {
    /// Opens folders and store; no context on a GPU yet.
    ///
    /// # Errors
    /// Unknown device, one that is not there, a store that cannot be made.
    pub fn open(place: &Place) -> Result<Self> {
        Ok(Self {
            registry: Registry::new(),
            opened: machine::open(place)?,
            device: Mutex::new(None),
            presets: library::presets_folder(),
            looked: Arc::default(),
            needs: Mutex::default(),
        })
    }

    fn device(&self) -> Result<Device, Sentence> {
        let mut device = self.device.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(device) = &*device {
            return Ok(device.clone());
        }
        let opened = model::device::open(&self.opened.device).map_err(|e| e.message)?;
        *device = Some(opened.clone());
        Ok(opened)
    }

    /// Has the store keep what a plan needs. False when something that the plan counts on went before.
    fn hold(&self, plan: &Plan) -> bool {
        let store = &self.opened.store;
        // Where that cannot be noted, a run tells why.
        let _ = store.pin_plan(plan, None);
        let Ok(lease) = store.lease_plan(plan) else {
            return true;
        };
        let mut needs = self.needs.lock().unwrap_or_else(PoisonError::into_inner);
        needs.push_back(lease);
        while needs.len() > PLANS {
            needs.pop_front();
        }
        !store.lacks(plan)
    }

    /// The world around a run, or around a look at what one made.
    pub(super) fn env(&self, device: Device, cancel: Cancel, scratch: Scratch) -> Env {
        Env {
            roots: self.opened.roots.clone(),
            store: self.opened.store.clone(),
            scratch,
            device,
            cancel,
            output_file: None,
            prompt: None,
        }
    }
}

impl Engine for Machinery {
    fn catalog(&self) -> &(dyn Catalog + Send + Sync) {
        &self.registry
    }

    fn machine(&self) -> Machine {
        self.opened.machine.clone()
    }

    fn folders(&self) -> Folders {
        let roots = &self.opened.roots;
        Folders {
            input: roots.input.clone(),
            models: roots.models.clone(),
            output: roots.output.clone(),
            store: roots.store.clone(),
            presets: self.presets.clone(),
        }
    }

    fn compile(&self, project: &Project, options: &Options) -> Compiled {
        let opened = &self.opened;
        let planned = || {
            let facts = DiskFacts::new(opened.roots.clone(), opened.store.clone(), None)
                .sharing(self.looked.clone());
            compile(project, &self.registry, &facts, &opened.machine, options)
        };
        let compiled = planned();
        match &compiled.plan {
            Some(plan) if !self.hold(plan) => planned(),
            Some(_) | None => compiled,
        }
    }

    fn run(
        &self,
        project: &Project,
        plan: &Plan,
        cancel: Cancel,
        events: Sender<Event>,
    ) -> Result<Report, Sentence> {
        let output = &self.opened.roots.output;
        std::fs::create_dir_all(output).map_err(|e| {
            let why = system_error(&e);
            say!(
                "results go to {}, which cannot be made: {why}; start with another --output",
                "結果の保存先 {} を作れません: {why}。別の --output を指定して起動してください。",
                output.display();
                why
            )
        })?;
        let scratch = self.opened.store.scratch().map_err(|e| e.message)?;
        let mut env = self.env(self.device()?, cancel, scratch);
        env.prompt = crate::document::prompt(project, &self.registry);
        let options = longtake_run::Options::default();
        Ok(longtake_run::run(
            plan,
            &self.registry,
            &env,
            &options,
            events,
        ))
    }

    fn result(&self, plan: &Plan, step: StepId) -> Option<Clip> {
        media::result(self, plan, step)
    }

    fn open_media(&self, path: &Path) -> Result<Clip, Sentence> {
        media::open(path)
    }

    fn save_frame(&self, frame: &Frame, path: &Path) -> Result<(), Sentence> {
        longtake_nodes::image::save_image::write_png(path, frame, None).map_err(|e| e.message)
    }

    fn open_outside(&self, path: &Path) -> Result<(), Sentence> {
        outside::open(path)
    }

    fn show_in_folder(&self, path: &Path) -> Result<(), Sentence> {
        outside::show(path)
    }

    fn import_file(&self, path: &Path) -> Result<String, Sentence> {
        library::import(&self.opened.roots.input, path)
    }

    fn read_graph(&self, path: &Path) -> Result<(Project, Vec<Diagnostic>), Sentence> {
        let read = longtake_graph::format::read_with(path, &self.registry);
        let loaded = read.map_err(|error| error.sentence())?;
        Ok((loaded.project, loaded.diagnostics))
    }

    fn input_files(&self, kind: FileKind) -> Vec<String> {
        library::input_files(&self.opened.roots.input, kind)
    }

    fn model_names(&self, folder: ModelFolder) -> Vec<String> {
        library::model_names(&self.opened.roots.models, folder)
    }

    fn models(&self) -> Vec<ModelFile> {
        presets::models(&self.opened.roots, &self.opened.store)
    }

    fn presets(&self) -> Vec<Preset> {
        presets::list(self)
    }
}

/// The engine behind a shared pointer, as the studio takes it.
pub fn shared(machinery: Machinery) -> Arc<dyn Engine> {
    Arc::new(machinery)
}

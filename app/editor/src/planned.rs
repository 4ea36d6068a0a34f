//! The plan of the present document, made on a thread of its own after every change, before
//! anything runs.

use std::sync::Arc;
use std::thread;

use crossbeam::channel::{Receiver, Sender, unbounded};
use longtake_graph::{Diagnostic, NodeId, Project, Severity};
use longtake_plan::{Options, Plan};

use crate::engine::Engine;

/// What is known of a document before it runs.
#[derive(Clone, Debug, Default)]
pub struct Planned {
    /// [`crate::Session::revision`] it was made for.
    pub revision: u64,
    /// The plan, unless an error stands in its way.
    pub plan: Option<Arc<Plan>>,
    /// Everything found wrong, by lowered node id.
    pub diagnostics: Arc<Vec<Diagnostic>>,
}

impl Planned {
    /// What was found at a node (lowered id), or inside it when it is a subgraph.
    pub fn findings<'a>(&'a self, id: &'a NodeId) -> impl Iterator<Item = &'a Diagnostic> {
        let at = move |found: &&Diagnostic| {
            found.place.node.as_ref().is_some_and(|node| {
                let inside = node.as_str().strip_prefix(id.as_str());
                inside.is_some_and(|rest| rest.is_empty() || rest.starts_with(':'))
            })
        };
        self.diagnostics.iter().filter(at)
    }

    /// How many errors.
    pub fn errors(&self) -> usize {
        let error = |it: &&Diagnostic| it.severity == Severity::Error;
        self.diagnostics.iter().filter(error).count()
    }
}

struct Asked {
    revision: u64,
    project: Arc<Project>,
    options: Options,
}

/// The compiler's thread. Only the newest question is answered.
pub struct Compiler {
    ask: Sender<Asked>,
    answers: Receiver<Planned>,
    asked: u64,
}

/// Called on other threads when there is something new to draw.
pub type Wake = Arc<dyn Fn() + Send + Sync>;

impl Compiler {
    /// Starts the thread. It ends when this is dropped.
    pub fn new(engine: Arc<dyn Engine>, wake: Wake) -> Self {
        let (ask, asked) = unbounded::<Asked>();
        let (answer, answers) = unbounded();
        let work = move || {
            while let Ok(first) = asked.recv() {
                let newest = asked.try_iter().last().unwrap_or(first);
                let compiled = engine.compile(&newest.project, &newest.options);
                let planned = Planned {
                    revision: newest.revision,
                    plan: compiled.plan.map(Arc::new),
                    diagnostics: Arc::new(compiled.diagnostics),
                };
                if answer.send(planned).is_err() {
                    return;
                }
                wake();
            }
        };
        // Without a thread there are no plans, and a click on Run says so.
        let _ = thread::Builder::new()
            .name("compile".to_owned())
            .stack_size(16 << 20)
            .spawn(work);
        Self {
            ask,
            answers,
            asked: u64::MAX,
        }
    }

    /// Asks for the plan of a document, once per revision.
    pub fn ask(&mut self, revision: u64, project: &Arc<Project>, options: &Options) {
        if self.asked == revision {
            return;
        }
        self.asked = revision;
        let _ = self.ask.send(Asked {
            revision,
            project: project.clone(),
            options: options.clone(),
        });
    }

    /// What the store holds has changed: the same document is asked about again.
    pub fn again(&mut self) {
        self.asked = u64::MAX;
    }

    /// The newest answer, if one came.
    pub fn answer(&self) -> Option<Planned> {
        self.answers.try_iter().last()
    }
}

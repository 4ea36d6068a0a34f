//! The plan of the present document, made on a thread of its own after every change, before
//! anything runs.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use crossbeam::channel::{Receiver, Sender, bounded, unbounded};
use longtake_graph::{Diagnostic, NodeId, Place, Project, Severity, say};
use longtake_plan::{Compiled, Options, Plan};

use crate::engine::Engine;
use crate::session::Session;

/// What is known of a document before it runs.
#[derive(Clone, Debug, Default)]
pub struct Planned {
    /// The newest [`crate::Session::revision`] that it holds for.
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

/// [`Session::meaning`] of a document.
type Meaning = (u64, u64);

struct Asked {
    /// Counts the questions.
    number: u64,
    revision: u64,
    meaning: Meaning,
    project: Arc<Project>,
    options: Options,
}

/// The compiler's thread. Only the newest question is kept and answered: the document of each is a
/// copy of its own once it is changed.
pub struct Compiler {
    newest: Arc<Mutex<Option<Asked>>>,
    /// Says that there is a question.
    nudge: Sender<()>,
    answers: Receiver<(u64, Meaning, Planned)>,
    /// What the newest question was about, unless it is to be asked again.
    asked: Option<Meaning>,
    questions: u64,
    answered: u64,
    /// What the newest answer was about.
    known: Option<Meaning>,
}

/// Called on other threads when there is something new to draw.
pub type Wake = Arc<dyn Fn() + Send + Sync>;

impl Compiler {
    /// Starts the thread. It ends when this is dropped.
    pub fn new(engine: Arc<dyn Engine>, wake: Wake) -> Self {
        let newest = Arc::new(Mutex::new(None::<Asked>));
        let (nudge, nudged) = bounded(1);
        let (answer, answers) = unbounded();
        let slot = newest.clone();
        let work = move || {
            while nudged.recv().is_ok() {
                let asked = slot.lock().unwrap_or_else(PoisonError::into_inner).take();
                let Some(asked) = asked else { continue };
                let compiled = compile(&*engine, &asked);
                let planned = Planned {
                    revision: asked.revision,
                    plan: compiled.plan.map(Arc::new),
                    diagnostics: Arc::new(compiled.diagnostics),
                };
                if answer.send((asked.number, asked.meaning, planned)).is_err() {
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
            newest,
            nudge,
            answers,
            asked: None,
            questions: 0,
            answered: 0,
            known: None,
        }
    }

    /// Asks for the plan of a document, once per change of what runs.
    pub fn ask(&mut self, session: &Session, options: &Options) {
        let meaning = session.meaning();
        if self.asked == Some(meaning) {
            return;
        }
        self.asked = Some(meaning);
        self.questions += 1;
        let asked = Asked {
            number: self.questions,
            revision: session.revision(),
            meaning,
            project: session.project().clone(),
            options: options.clone(),
        };
        *self.newest.lock().unwrap_or_else(PoisonError::into_inner) = Some(asked);
        // When it is full, the thread will look anyway.
        let _ = self.nudge.try_send(());
    }

    /// What the disk or the store holds may have changed: the same document is asked about again.
    pub fn again(&mut self) {
        self.asked = None;
    }

    /// Whether the newest answer holds for a document, however it looks by now.
    pub fn holds_for(&self, session: &Session) -> bool {
        self.known == Some(session.meaning())
    }

    /// Whether an answer is still to come, also to a question that is about to be asked.
    pub fn is_busy(&self) -> bool {
        self.asked.is_none() || self.answered != self.questions
    }

    /// The newest answer, if one came.
    pub fn answer(&mut self) -> Option<Planned> {
        let (number, meaning, planned) = self.answers.try_iter().last()?;
        self.answered = number;
        self.known = Some(meaning);
        Some(planned)
    }
}

/// A panic is an error of this document, and the next is compiled again.
fn compile(engine: &dyn Engine, asked: &Asked) -> Compiled {
    let work = || engine.compile(&asked.project, &asked.options);
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let text = panic_text(&*panic);
        let message = say!(
            "the compiler stopped: {text} (a bug of Longtake); undo the last change and save your work",
            "コンパイラーが停止しました: {text}(Longtake の不具合です)。直前の変更を元に戻し、作業を保存してください。"
        );
        Compiled {
            plan: None,
            diagnostics: vec![Diagnostic::error("compiler_panic", Place::default(), message)],
        }
    })
}

/// What a panic said.
pub(crate) fn panic_text(panic: &(dyn Any + Send)) -> String {
    let owned = panic.downcast_ref::<String>().cloned();
    let fixed = || panic.downcast_ref::<&str>().map(|it| (*it).to_owned());
    owned
        .or_else(fixed)
        .unwrap_or_else(|| "no reason was given".to_owned())
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::{Duration, Instant};

    use longtake_graph::{Edit, Mode};

    use super::*;
    use crate::testing::{Fake, small};

    fn wait(compiler: &mut Compiler) -> Planned {
        let begun = Instant::now();
        loop {
            if let Some(planned) = compiler.answer() {
                return planned;
            }
            assert!(begun.elapsed() < Duration::from_secs(20), "no answer");
            thread::sleep(Duration::from_millis(2));
        }
    }

    #[test]
    fn while_the_compiler_is_slow_only_the_newest_question_is_kept() {
        let (go, gate) = bounded::<()>(0);
        let engine = Fake {
            on_compile: Some(Box::new(move |_| {
                let _ = gate.recv();
                None
            })),
            ..Fake::default()
        };
        let mut compiler = Compiler::new(Arc::new(engine), Arc::new(|| {}));
        let questions: Vec<_> = (0..100).map(|_| Session::new(small(), None)).collect();
        for session in &questions {
            compiler.ask(session, &Options::default());
        }
        let kept = questions
            .iter()
            .filter(|it| Arc::strong_count(it.project()) > 1);
        assert!(kept.count() <= 2, "the one compiled and the newest");
        assert!(compiler.is_busy());
        drop(go);
        let begun = Instant::now();
        while compiler.is_busy() {
            assert!(begun.elapsed() < Duration::from_secs(20), "no answer");
            wait(&mut compiler);
        }
        assert!(compiler.holds_for(&questions[99]));
    }

    #[test]
    fn what_only_moves_is_not_compiled_again() {
        let times = Arc::new(AtomicUsize::new(0));
        let counted = times.clone();
        let engine = Arc::new(Fake {
            on_compile: Some(Box::new(move |_| {
                counted.fetch_add(1, Ordering::Relaxed);
                None
            })),
            ..Fake::default()
        });
        let mut studio = crate::testing::studio(small());
        studio.compiler = Compiler::new(engine, Arc::new(|| {}));
        let edit = |studio: &mut crate::Studio, edit: Edit| {
            let label = crate::t("Change", "変更");
            studio.act(crate::Action::Edit(label, edit));
        };
        let wait = |studio: &mut crate::Studio, compiled: usize| {
            let begun = Instant::now();
            loop {
                studio.tick();
                let known = studio.planned.revision == studio.session.revision();
                if known && studio.planned.plan.is_some() && !studio.compiler.is_busy() {
                    break;
                }
                assert!(begun.elapsed() < Duration::from_secs(20), "no plan");
                thread::sleep(Duration::from_millis(2));
            }
            assert_eq!(times.load(Ordering::Relaxed), compiled);
        };
        wait(&mut studio, 1);
        let (id, pos) = (NodeId::new("6"), Some([1.0, 2.0]));
        edit(
            &mut studio,
            Edit::Move {
                id: id.clone(),
                pos,
            },
        );
        wait(&mut studio, 1);
        studio.session.undo();
        wait(&mut studio, 1);
        let mode = Mode::Bypass;
        edit(&mut studio, Edit::SetMode { id, mode });
        wait(&mut studio, 2);
        studio.session.undo();
        wait(&mut studio, 3);
    }

    #[test]
    fn a_panic_is_told_and_the_next_question_is_answered() {
        let times = AtomicUsize::new(0);
        let engine = Fake {
            on_compile: Some(Box::new(move |_| {
                let first = times.fetch_add(1, Ordering::Relaxed) == 0;
                assert!(!first, "index out of bounds");
                None
            })),
            ..Fake::default()
        };
        let mut compiler = Compiler::new(Arc::new(engine), Arc::new(|| {}));
        compiler.ask(&Session::new(small(), None), &Options::default());
        let planned = wait(&mut compiler);
        assert_eq!(planned.errors(), 1);
        assert!(
            planned.diagnostics[0]
                .to_string()
                .contains("index out of bounds")
        );
        assert_eq!(planned.diagnostics[0].message.lacks(), None);
        compiler.ask(&Session::new(small(), None), &Options::default());
        assert!(wait(&mut compiler).plan.is_some());
    }
}

//! The compiler: passes in one list over one state, a check after each.
//!
//! The state holds nodes as *ops*: dense indices, borrowed classes and input names, so that no pass
//! hashes a string per link. Every pass leaves ops in topological order (what an op reads has a lower
//! index) except where its own page says otherwise, and no pass recurses.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::Arc;

use longtake_graph::{Diagnostic, Lowered, NodeId, Place, Project, Sentence, Severity, lower, say};
use serde_json::Value as Json;

use crate::pass::{expand, infer, order, prune, resolve, sign, stage};
use crate::uses::Uses;
use crate::{Facts, Info, Machine, NodePath, NodeSpec, Plan, Signature, Specs, check, fit};

/// What to compile of a project.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Positions of shots, from 1 (`--shots 3,7-9`): the film is made of those only. `None`: all.
    pub shots: Option<BTreeSet<u32>>,
    /// Output nodes wanted; an instance of a subgraph stands for all of its own. `None`: all.
    pub outputs: Option<Vec<NodeId>>,
    /// Position of the shot under the playhead, from 1: shots near it come first where the order is
    /// otherwise free.
    pub playhead_shot: Option<u32>,
    /// Keep what stands behind stored results in the plan, as stored: the whole of it is shown, also
    /// when a render is finished. Without it such steps are left out.
    pub whole: bool,
}

/// A compiled project.
#[derive(Clone, Debug, PartialEq)]
pub struct Compiled {
    /// The plan; `None` when an error stands before a wanted output.
    pub plan: Option<Plan>,
    /// All findings, errors elsewhere in the graph included.
    pub diagnostics: Vec<Diagnostic>,
}

/// What stands at an op's input.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Arg {
    /// A constant.
    Literal(Json),
    /// An output of another op.
    Out(u32, u32),
    /// Several outputs, in order.
    List(Vec<(u32, u32)>),
}

impl Arg {
    /// Calls `f` with every output read.
    pub fn each(&self, mut f: impl FnMut(u32, u32)) {
        match self {
            Self::Literal(_) => {}
            Self::Out(op, output) => f(*op, *output),
            Self::List(list) => list.iter().for_each(|&(op, output)| f(op, output)),
        }
    }
}

/// One node on its way to becoming a step.
#[derive(Clone)]
pub(crate) struct Op<'a> {
    /// Index of the document's node.
    pub origin: u32,
    /// Index into [`State::labels`].
    pub shot: Option<u32>,
    /// What the compiler added.
    pub part: Option<&'static str>,
    /// Class that runs.
    pub class: &'a str,
    /// Its spec; `None` only where `failed`.
    pub spec: Option<&'a NodeSpec>,
    /// Inputs in declared order. Names outlive the compilation: they come from declarations.
    pub inputs: Vec<(&'static str, Arg)>,
    /// A finding was made here, or at something this op needs.
    pub failed: bool,
    /// Inference is done.
    pub inferred: bool,
    /// A piece of film without frames: nothing is made of it.
    pub empty: bool,
    /// Frames cut off at the start and end, on a shot's body.
    pub trims: Option<(u64, u64)>,
    /// Signature of the stored result that stands for this op.
    pub pinned: Option<Signature>,
    /// What is known of each output.
    pub outputs: Vec<Info>,
    /// Content hash.
    pub signature: Signature,
    /// Someone needs it.
    pub needed: bool,
    /// It is not run: the store has its result, or that of all that reads it.
    pub cached: bool,
}

impl<'a> Op<'a> {
    pub fn new(origin: u32, class: &'a str, spec: Option<&'a NodeSpec>) -> Self {
        Self {
            origin,
            shot: None,
            part: None,
            class,
            spec,
            inputs: Vec::new(),
            failed: spec.is_none(),
            inferred: false,
            empty: false,
            trims: None,
            pinned: None,
            outputs: Vec::new(),
            signature: Signature([0; 32]),
            needed: false,
            cached: false,
        }
    }

    /// Calls `f` with every output read.
    pub fn each_ref(&self, mut f: impl FnMut(u32, u32)) {
        for (_, arg) in &self.inputs {
            arg.each(&mut f);
        }
    }

    /// What stands at the input of that name.
    pub fn arg(&self, name: &str) -> Option<&Arg> {
        self.inputs
            .iter()
            .find(|(at, _)| *at == name)
            .map(|(_, arg)| arg)
    }

    /// Whether it makes a step.
    pub fn is_step(&self) -> bool {
        self.spec
            .is_some_and(|spec| !matches!(spec.work, crate::Work::Constant))
    }

    /// Whether it is a lazy recipe.
    pub fn is_lazy(&self) -> bool {
        self.spec
            .is_some_and(|spec| matches!(spec.work, crate::Work::Lazy { .. }))
    }
}

/// A shot that ops belong to.
#[derive(Clone, Debug)]
pub(crate) struct Label {
    /// Position in the film, from 0.
    pub position: u32,
    /// Its id.
    pub id: Arc<str>,
}

/// All that passes share.
pub(crate) struct State<'a> {
    /// The project without subgraphs and reroutes: ids are those of `lowered`.
    pub project: &'a Project,
    pub lowered: &'a Lowered<'a>,
    pub specs: &'a dyn Specs,
    pub facts: &'a dyn Facts,
    pub machine: &'a Machine,
    pub options: &'a Options,
    pub diagnostics: Vec<Diagnostic>,
    /// An error stands before a wanted output: later passes that need whole data are left out.
    pub broken: bool,
    pub ops: Vec<Op<'a>>,
    pub labels: Vec<Label>,
    /// Ops of output nodes.
    pub outputs: Vec<u32>,
    /// Steps in running order, as op indices.
    pub order: Vec<u32>,
    /// Which weights each op needs while it runs, recipes it reads included.
    pub uses: Uses,
    pub plan: Option<Plan>,
}

impl State<'_> {
    /// Where an op comes from.
    pub fn path(&self, op: &Op<'_>) -> NodePath {
        NodePath {
            node: self.node_id(op.origin),
            shot: op.shot.map(|label| {
                let label = &self.labels[label as usize];
                (label.position, label.id.clone())
            }),
            part: op.part.map(Arc::from),
        }
    }

    /// Id of a document's node.
    pub fn node_id(&self, origin: u32) -> NodeId {
        self.project
            .nodes
            .get_index(origin as usize)
            .map_or_else(|| NodeId::new("?"), |(id, _)| id.clone())
    }

    /// The place of an op, for findings: the person's node, its class in the document, the shot.
    pub fn place(&self, op: &Op<'_>) -> Place {
        let (id, class) = self
            .project
            .nodes
            .get_index(op.origin as usize)
            .map_or((NodeId::new("?"), op.class), |(id, node)| {
                (id.clone(), node.class.as_str())
            });
        let place = Place::node(&id, class);
        match op.shot {
            Some(label) => place.shot(&self.labels[label as usize].id),
            None => place,
        }
    }

    /// Notes an error that stands before a wanted output.
    pub fn fail(&mut self, code: &'static str, place: Place, message: Sentence) {
        self.broken = true;
        self.diagnostics
            .push(Diagnostic::error(code, place, message));
    }

    /// Notes that this program lacks an internal class.
    pub fn lacks(&mut self, class: &str, place: Place) {
        self.fail(
            "internal_class_missing",
            place,
            say!(
                "A film needs steps of class `{class}`, and this program is built without it.",
                "映像にはクラス「{class}」のステップが必要ですが、このプログラムには組み込まれていません。"
            ),
        );
    }
}

type Pass = for<'s, 'a> fn(&'s mut State<'a>);

/// Every pass, in order. A pass marked `true` runs even after errors, to find more of them.
const PASSES: &[(&str, bool, Pass)] = &[
    ("resolve", true, resolve::resolve),
    ("expand", true, expand::expand),
    ("stage", true, stage::stage),
    ("infer", true, infer::infer),
    ("sign", false, sign::sign),
    ("share_equal_work", false, prune::share_equal_work),
    ("prune", false, prune::prune),
    ("order", false, order::order),
    ("fit", false, fit::fit),
];

/// Compiles a project into a plan for a machine.
///
/// Subgraphs are expanded first: steps, findings and `options.outputs` speak of nodes as
/// [`longtake_graph::lower()`] names them. Never panics on a project's content: what is wrong comes back as diagnostics, all of it at once.
pub fn compile(
    project: &Project,
    specs: &dyn Specs,
    facts: &dyn Facts,
    machine: &Machine,
    options: &Options,
) -> Compiled {
    let lowered = lower(project, specs);
    let mut state = State {
        project: &lowered.project,
        lowered: &lowered,
        specs,
        facts,
        machine,
        options,
        diagnostics: Vec::new(),
        broken: false,
        ops: Vec::new(),
        labels: Vec::new(),
        outputs: Vec::new(),
        order: Vec::new(),
        uses: Uses::default(),
        plan: None,
    };
    for (name, always, pass) in PASSES {
        if state.broken && !always {
            break;
        }
        pass(&mut state);
        if let Err(problem) = check::draft(&state) {
            internal_error(&mut state, name, &problem);
            break;
        }
    }
    if let Some(plan) = state.plan.take().filter(|_| !state.broken) {
        match check::plan(&plan) {
            Ok(()) => state.plan = Some(plan),
            Err(problem) => internal_error(&mut state, "fit", &problem),
        }
    }
    if state.plan.is_none()
        && !state
            .diagnostics
            .iter()
            .any(|it| it.severity == Severity::Error)
    {
        internal_error(&mut state, "fit", "no plan was made and nothing said why");
    }
    Compiled {
        plan: state.plan.filter(|_| !state.broken),
        diagnostics: tidy(state.diagnostics),
    }
}

/// A check failed: a bug of ours. It is said rather than run.
fn internal_error(state: &mut State<'_>, pass: &str, problem: &str) {
    state.plan = None;
    state.fail(
        "internal_error",
        Place::default(),
        say!(
            "The compiler's check after `{pass}` failed: {problem}. This is a bug in Longtake, please report it with the graph.",
            "「{pass}」の後のコンパイラーの検査に失敗しました: {problem}。Longtake の不具合です。グラフを添えて報告してください。"
        ),
    );
}

/// Errors before warnings, document order kept, and the same finding in many shots said once.
fn tidy(diagnostics: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let mut seen = std::collections::BTreeMap::new();
    let mut kept: Vec<(Diagnostic, usize)> = Vec::new();
    for diagnostic in diagnostics {
        let mut place = diagnostic.place.clone();
        let in_shot = place.shot.take().is_some();
        let key = (diagnostic.code, place, diagnostic.message.clone());
        if let Some(&at) = seen.get(&key) {
            let (_, more): &mut (Diagnostic, usize) = &mut kept[at];
            *more += usize::from(in_shot);
        } else {
            seen.insert(key, kept.len());
            kept.push((diagnostic, 0));
        }
    }
    let mut kept: Vec<Diagnostic> = kept
        .into_iter()
        .map(|(mut diagnostic, more)| {
            if more > 0 {
                let shots = if more == 1 { "shot" } else { "shots" };
                let message = &mut diagnostic.message;
                let _ = write!(message.en, " (The same in {more} more {shots}.)");
                let _ = write!(message.ja, "(ほか {more} ショットでも同じです)");
            }
            diagnostic
        })
        .collect();
    kept.sort_by_key(|it| it.severity != Severity::Error);
    kept
}

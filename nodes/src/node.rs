//! A node as the registry holds it: what the compiler needs, and the code that runs.

use longtake_graph::Declaration;
use longtake_graph::declare::OutputDecl;
use longtake_plan::{
    Cost, CostCx, Front, InferCx, InferError, Info, Keep, Lane, NodeSpec, Role, Rung, Work,
};
use longtake_run::RunFn;

/// A node class: one constant per file.
#[derive(Clone, Copy)]
pub struct Node {
    /// What the compiler needs.
    pub spec: NodeSpec,
    /// The code, for nodes that become steps.
    pub run: Option<RunFn>,
}

type Infer = fn(&InferCx<'_>) -> Result<Vec<Info>, InferError>;

impl Node {
    /// A node that is wholly known before the run.
    pub const fn constant(decl: &'static Declaration, infer: Infer) -> Self {
        Self {
            spec: NodeSpec {
                decl,
                infer,
                work: Work::Constant,
                role: Role::Plain,
                front: None,
            },
            run: None,
        }
    }

    /// A recipe for frames.
    pub const fn lazy(
        decl: &'static Declaration,
        infer: Infer,
        cost: fn(&CostCx<'_>) -> Cost,
        run: RunFn,
    ) -> Self {
        let work = Work::Lazy { cost };
        Self {
            spec: NodeSpec {
                decl,
                infer,
                work,
                role: Role::Plain,
                front: None,
            },
            run: Some(run),
        }
    }

    /// A node that does real work.
    pub const fn work(
        decl: &'static Declaration,
        infer: Infer,
        lane: Lane,
        keep: Keep,
        rungs: fn(&CostCx<'_>) -> Vec<Rung>,
        run: RunFn,
    ) -> Self {
        let work = Work::Run { lane, keep, rungs };
        Self {
            spec: NodeSpec {
                decl,
                infer,
                work,
                role: Role::Plain,
                front: None,
            },
            run: Some(run),
        }
    }

    /// With a part in a film's expansion.
    #[must_use]
    pub const fn role(mut self, role: Role) -> Self {
        self.spec.role = role;
        self
    }

    /// With a first stage.
    #[must_use]
    pub const fn front(mut self, front: Front) -> Self {
        self.spec.front = Some(front);
        self
    }

    /// Class name.
    pub const fn class(&self) -> &'static str {
        self.spec.decl.class
    }

    /// Declared outputs.
    pub const fn outputs(&self) -> &'static [OutputDecl] {
        self.spec.decl.outputs
    }
}

/// The only way to do a step.
pub fn one_way(cost: Cost) -> Vec<Rung> {
    vec![Rung {
        name: "whole".to_owned(),
        settings: std::collections::BTreeMap::new(),
        cost,
        streams: Vec::new(),
    }]
}

/// The error for a missing fact, at an input.
pub fn fact_error(input: &str, error: longtake_plan::FactError) -> InferError {
    InferError {
        code: error.code,
        input: Some(input.to_owned()),
        message: error.message,
    }
}

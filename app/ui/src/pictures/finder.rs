//! Which steps of a plan made what a node shows.

use std::collections::HashMap;
use std::sync::Arc;

use longtake_editor::Studio;
use longtake_editor::queue::{Job, JobState};
use longtake_graph::NodeId;
use longtake_plan::{Info, Plan, Step, StepId};

/// A step whose result can be looked at.
#[derive(Clone, Debug)]
pub struct Source {
    /// The plan it belongs to.
    pub plan: Arc<Plan>,
    /// The step.
    pub step: StepId,
    /// The shot it was repeated for.
    pub shot: Option<Arc<str>>,
}

/// An index of plans by node, kept as long as the plans are current.
#[derive(Default)]
pub struct Finder {
    indexed: Vec<Index>,
}

/// The step of each shot (`None`: there are no shots), in the film's order.
type ByNode = HashMap<NodeId, Vec<(Option<Arc<str>>, StepId)>>;

struct Index {
    plan: Arc<Plan>,
    by_node: ByNode,
}

impl Finder {
    /// What a node (lowered id) makes for a shot (`None`: the first, or the only one), newest plan
    /// first: the document's as it stands, the running job's, the newest finished job's. An edited
    /// node so goes on showing what it made last.
    pub fn sources(&mut self, studio: &Studio, node: &NodeId, shot: Option<&str>) -> Vec<Source> {
        let plans = plans(studio);
        self.indexed
            .retain(|index| plans.iter().any(|plan| Arc::ptr_eq(plan, &index.plan)));
        let find = |plan: &Arc<Plan>| {
            let steps = self.index(plan).by_node.get(node)?;
            let (shot, step) = match shot {
                None => steps.first()?,
                Some(wanted) => steps.iter().find(|it| it.0.as_deref() == Some(wanted))?,
            };
            Some(Source {
                plan: plan.clone(),
                step: *step,
                shot: shot.clone(),
            })
        };
        plans.iter().filter_map(find).collect()
    }

    /// The shots a node is repeated for, in the film's order; empty when it is not.
    pub fn shots(&mut self, studio: &Studio, node: &NodeId) -> Vec<Arc<str>> {
        let plans = plans(studio);
        let steps = plans
            .iter()
            .find_map(|plan| self.index(plan).by_node.get(node).cloned());
        steps.into_iter().flatten().filter_map(|it| it.0).collect()
    }

    /// Every node (lowered id) of the newest plan whose result can be looked at, in its order.
    pub fn nodes(&mut self, studio: &Studio) -> Vec<NodeId> {
        let Some(plan) = plans(studio).into_iter().next() else {
            return Vec::new();
        };
        let by_node = &self.index(&plan).by_node;
        let mut nodes: Vec<NodeId> = Vec::new();
        for step in &plan.steps {
            let node = &step.path.node;
            if by_node.contains_key(node) && !nodes.contains(node) {
                nodes.push(node.clone());
            }
        }
        nodes
    }

    fn index(&mut self, plan: &Arc<Plan>) -> &Index {
        let known = self
            .indexed
            .iter()
            .position(|index| Arc::ptr_eq(&index.plan, plan));
        let at = known.unwrap_or_else(|| {
            self.indexed.push(Index {
                plan: plan.clone(),
                by_node: by_node(plan),
            });
            self.indexed.len() - 1
        });
        &self.indexed[at]
    }
}

fn plans(studio: &Studio) -> Vec<Arc<Plan>> {
    let queue = &studio.queue;
    // A run of another document says nothing of this one's nodes.
    let done = |it: &&Job| matches!(it.state, JobState::Done(_)) && it.plan.is_some();
    let running = queue.running().filter(|it| queue.is_of_open(it));
    let mut ended = queue.ended.iter().filter(|it| queue.is_of_open(it));
    let runs = [running, ended.find(done)];
    let ran = runs.into_iter().flatten().filter_map(|it| it.plan.clone());
    studio.planned.plan.clone().into_iter().chain(ran).collect()
}

/// One step per node and shot: the output step if there is one, else the last that makes pictures
/// (what the compiler added before it, such as pieces of a film, makes parts of the same).
fn by_node(plan: &Plan) -> ByNode {
    let mut found = ByNode::new();
    let shown = plan.steps.iter().filter_map(|step| {
        let output = plan.outputs.contains(&step.id);
        (output || makes_pictures(plan, step)).then_some((step, output))
    });
    let mut shown: Vec<(&Step, bool)> = shown.collect();
    // Stable: within a shot steps stay in the order of the plan.
    shown.sort_by_key(|(step, _)| step.path.shot.as_ref().map(|(at, _)| *at));
    for (step, output) in shown {
        let shot = step.path.shot.as_ref().map(|(_, id)| id.clone());
        let steps = found.entry(step.path.node.clone()).or_default();
        match steps.iter_mut().find(|it| it.0 == shot) {
            Some(at) if output || !plan.outputs.contains(&at.1) => at.1 = step.id,
            Some(_) => {}
            None => steps.push((shot, step.id)),
        }
    }
    found
}

fn makes_pictures(plan: &Plan, step: &Step) -> bool {
    step.writes.iter().any(|&id| {
        let info = &plan.value(id).info;
        matches!(info, Info::Clip(_) | Info::Latent(_) | Info::Segment(_))
    })
}

//! `longtake pin`: finished shots stay as they are, whatever changes before them.
//!
//! The shot's frames go losslessly into the store; the project remembers the signature.

use std::collections::BTreeMap;

use anyhow::{Context, Result, anyhow, bail};
use longtake_graph::{Edit, Format, Input, Link, Node, NodeId, Project, apply, format, shot_edit};
use longtake_nodes::Registry;
use longtake_plan::{Options, Plan, Signature, Step, StepInput};
use serde_json::{Value as Json, json};

use crate::args::{Pin, Show};
use crate::command::{render, store};
use crate::{Ended, document, machine, view};

/// Pins or releases shots of a project file.
///
/// # Errors
/// Not a project with one film, a shot that is not there, a device that is not there.
pub fn run(args: &Pin) -> Result<Ended> {
    if Format::of_path(&args.file) != Format::Project {
        bail!(
            "{}: expected a project (*.longtake), which remembers pins",
            args.file.display()
        );
    }
    let (mut project, found) = document::read(&args.file)?;
    let (collect, storyboard) = film(&project)?;
    let ids = shot_ids(&project, &storyboard, args)?;
    let mut pins: BTreeMap<String, Option<Json>> =
        ids.iter().map(|id| (id.clone(), None)).collect();
    // Held until the project names what is kept.
    let (mut keeps, mut leases) = (Vec::new(), Vec::new());
    if !args.release {
        let registry = Registry::new();
        let opened = machine::open(&args.place)?;
        let keeper = with_keeper(&project, &collect)?;
        let options = Options {
            shots: Some(args.shots.clone()),
            outputs: Some(vec![NodeId::new(KEEPER)]),
            ..Options::default()
        };
        let planned = |found| document::plan(&keeper, found, &registry, &opened, &options, None);
        let held = planned(found)
            .and_then(|plan| store::held(&opened.store, &args.file, plan, || planned(Vec::new())));
        let Some((plan, lease)) = held else {
            return Ok(Ended::Unusable);
        };
        let report = render::execute(&plan, &keeper, &registry, &opened, None, Show::Auto)?;
        view::summary(&report, Show::Auto);
        if report.error.is_some() {
            return Ok(render::ended(&report));
        }
        for step in plan.steps.iter().filter(|it| it.class == "StoreClip") {
            let (_, shot) = step
                .path
                .shot
                .clone()
                .context("a kept clip belongs to no shot")?;
            let kept = kept_under(&plan, step);
            opened.store.alias(&step.signature, &kept)?;
            keeps.push((opened.store.clone(), kept));
            pins.insert(shot.to_string(), Some(json!(kept.to_string())));
        }
        leases.extend(lease);
    }
    for (id, pin) in &pins {
        let edit = shot_edit(&project, &storyboard, id, &[("pinned", pin.clone())])?;
        apply(&mut project, edit)?;
    }
    format::write(&args.file, &project, Format::Project, &Registry::new())?;
    let file = std::path::absolute(&args.file)?;
    for (store, kept) in &keeps {
        store.pin(kept, &file)?;
    }
    drop(leases);
    let word = if args.release { "released" } else { "pinned" };
    println!(
        "{word}: {}",
        pins.keys().cloned().collect::<Vec<_>>().join(", ")
    );
    Ok(Ended::Done)
}

const KEEPER: &str = "longtake:keep";

/// What a kept clip is remembered by: the signature of the step that makes it, so that pinning
/// changes nothing that is encoded already. A step whose second output it is cannot stand for it.
fn kept_under(plan: &Plan, keeper: &Step) -> Signature {
    let source = match keeper.inputs.get("clip") {
        Some(StepInput::Value(id)) => Some(plan.value(*id)),
        _ => None,
    };
    let maker = source.filter(|it| it.output == 0).and_then(|it| it.step);
    maker.map_or(keeper.signature, |id| plan.step(id).signature)
}

/// The one film of a project: its `CollectFilm` and the storyboard before it.
fn film(project: &Project) -> Result<(NodeId, NodeId)> {
    let mut films = project
        .nodes
        .iter()
        .filter(|(_, node)| node.class == "CollectFilm");
    let (id, node) = films
        .next()
        .context("the graph has no CollectFilm, so it has no shots")?;
    if films.next().is_some() {
        bail!("the graph has several CollectFilm nodes; pin shots in the editor");
    }
    match node.inputs.get("storyboard") {
        Some(Input::Link(link)) => Ok((id.clone(), link.node.clone())),
        _ => bail!("node {id} (CollectFilm): no storyboard is linked to it"),
    }
}

fn shot_ids(project: &Project, storyboard: &NodeId, args: &Pin) -> Result<Vec<String>> {
    let shots = project
        .nodes
        .get(storyboard)
        .and_then(|node| node.inputs.get("shots"));
    let Some(Input::Literal(Json::Array(shots))) = shots else {
        bail!("node {storyboard}: expected a list of shots");
    };
    let id = |position: &u32| {
        let shot = shots.get(*position as usize - 1);
        let id = shot.and_then(|shot| shot.get("id")?.as_str());
        id.map(str::to_owned)
            .ok_or_else(|| anyhow!("--shots {position}: the film has {} shots", shots.len()))
    };
    args.shots.iter().map(id).collect()
}

/// The project with a node that keeps what feeds the film.
fn with_keeper(project: &Project, collect: &NodeId) -> Result<Project> {
    let mut project = project.clone();
    let clip: Option<Link> = match project
        .nodes
        .get(collect)
        .and_then(|it| it.inputs.get("clip"))
    {
        Some(Input::Link(link)) => Some(link.clone()),
        _ => None,
    };
    let clip = clip.with_context(|| format!("node {collect} (CollectFilm): no clip is linked"))?;
    let mut node = Node {
        class: "StoreClip".to_owned(),
        ..Node::default()
    };
    node.inputs.insert("clip".to_owned(), Input::Link(clip));
    let at = project.nodes.len();
    apply(
        &mut project,
        Edit::AddNode {
            id: NodeId::new(KEEPER),
            node,
            at: Some(at),
        },
    )?;
    Ok(project)
}

//! `longtake render`: a graph becomes a film.

use std::path::Path;
use std::thread;

use anyhow::{Context, Result, bail};
use crossbeam::channel::unbounded;
use longtake_graph::Project;
use longtake_nodes::{Registry, model};
use longtake_plan::{Options, Plan};
use longtake_run::{Cancel, Env, Failure, Report, files};
use serde_json::json;

use crate::args::Render;
use crate::command::store;
use crate::machine::Opened;
use crate::{Ended, document, machine, out, view};

/// Renders.
///
/// # Errors
/// Not a graph, a device that is not there, a report that cannot be written.
pub fn run(args: &Render) -> Result<Ended> {
    let registry = Registry::new();
    let (project, found) = document::open(&args.choice)?;
    let opened = machine::open(&args.place)?;
    let options = Options {
        shots: args.choice.shots.clone(),
        whole: args.dry_run,
        ..Options::default()
    };
    let out = args.out.as_deref().map(std::path::absolute).transpose()?;
    let planned = |found| {
        let out = out.as_deref();
        document::plan(&project, found, &registry, &opened, &options, out)
    };
    let Some(plan) = planned(found.clone()) else {
        write_unusable(args, &project, "the graph cannot run; see `longtake check`")?;
        return Ok(Ended::Unusable);
    };
    let films = plan
        .outputs
        .iter()
        .filter(|id| plan.step(**id).class == "SaveVideo")
        .count();
    if out.is_some() && films != 1 {
        bail!(
            "-o names one film, and the graph writes {films}; leave -o out, or name them by --output"
        );
    }
    if args.dry_run {
        out::line(format_args!("{}", plan.to_text().trim_end()));
        return Ok(Ended::Done);
    }
    let writes = plan.outputs.iter().any(|id| !plan.step(*id).cached);
    if writes {
        let folder = out
            .as_deref()
            .and_then(Path::parent)
            .unwrap_or(&opened.roots.output);
        if let Err(error) = ready(folder, out.as_deref()) {
            write_unusable(args, &project, &format!("{error:#}"))?;
            return Err(error);
        }
    }
    let again = || planned(Vec::new());
    let Some((plan, _lease)) = store::held(&opened.store, &args.choice.file, plan, again) else {
        return Ok(Ended::Unusable);
    };
    let report = execute(
        &plan,
        &project,
        &registry,
        &opened,
        out.as_deref(),
        args.progress,
    )?;
    if let Some(path) = &args.report {
        write_report(path, report.clone(), &project, &registry, &opened)?;
    }
    view::summary(&report, args.progress);
    Ok(ended(&report))
}

/// Makes the folder results go to, and tries it: a night of sampling must not end at a folder that
/// cannot be written.
fn ready(folder: &Path, film: Option<&Path>) -> Result<()> {
    if let Some(film) = film.filter(|film| film.is_dir()) {
        bail!("-o {} is a folder; name the film's file", film.display());
    }
    let refused = || {
        format!(
            "results go to {}, which cannot be written; name another folder by -o or --output",
            folder.display()
        )
    };
    std::fs::create_dir_all(folder).with_context(refused)?;
    let probe = folder.join(format!(".longtake-{}.tmp", std::process::id()));
    std::fs::write(&probe, b"").with_context(refused)?;
    std::fs::remove_file(&probe).with_context(refused)?;
    Ok(())
}

/// Runs a plan with a view of its progress; Ctrl-C cancels.
///
/// # Errors
/// The device cannot be opened, or scratch cannot be made.
pub fn execute(
    plan: &Plan,
    project: &Project,
    registry: &Registry,
    opened: &Opened,
    out: Option<&Path>,
    show: crate::args::Show,
) -> Result<Report> {
    let cancel = Cancel::default();
    let asked = cancel.clone();
    // The first Ctrl-C asks, the second insists. A handler that is set already (in tests) is fine.
    let _ = ctrlc::set_handler(move || {
        if asked.is_cancelled() {
            std::process::exit(130);
        }
        asked.cancel();
    });
    let env = Env {
        roots: opened.roots.clone(),
        store: opened.store.clone(),
        scratch: opened.store.scratch()?,
        device: model::device::open(&opened.device)?,
        cancel,
        output_file: out.map(Path::to_path_buf),
        prompt: document::prompt(project, registry),
    };
    let (events, seen) = unbounded();
    let options = longtake_run::Options::default();
    Ok(thread::scope(|scope| {
        let viewer = scope.spawn(|| view::follow(plan, &seen, show));
        let report = longtake_run::run(plan, registry, &env, &options, events);
        let _ = viewer.join();
        report
    }))
}

/// How a render ended, from its report.
pub fn ended(report: &Report) -> Ended {
    match report.error.as_ref().map(|it| it.kind) {
        None => Ended::Done,
        Some(Failure::Cancelled) => Ended::Cancelled,
        Some(_) => Ended::Failed,
    }
}

fn write_report(
    path: &Path,
    mut report: Report,
    project: &Project,
    registry: &Registry,
    opened: &Opened,
) -> Result<()> {
    report.reproduce = json!({
        "version": env!("CARGO_PKG_VERSION"),
        "arguments": std::env::args().collect::<Vec<_>>(),
        "folder": std::env::current_dir().ok(),
        "machine": opened.machine,
        "products": model::device::product_report_so_far().as_ref().map(machine::products),
        "prompt": document::prompt(project, registry),
    });
    files::write_bytes(path, &serde_json::to_vec_pretty(&report)?)?;
    Ok(())
}

/// What cannot run still gets its report: what was asked, and why not.
fn write_unusable(args: &Render, project: &Project, message: &str) -> Result<()> {
    let Some(path) = &args.report else {
        return Ok(());
    };
    let report = json!({
        "plan": null, "steps": [], "weights": [], "outputs": [], "measured": {},
        "error": {"kind": "unusable", "message": message},
        "reproduce": {"nodes": project.nodes.len(), "arguments": std::env::args().collect::<Vec<_>>()},
    });
    files::write_bytes(path, &serde_json::to_vec_pretty(&report)?)?;
    Ok(())
}

//! What a person sees of a render: a live view on a terminal, plain lines or JSON elsewhere.

mod json;
mod live;
mod plain;
mod written;

use std::io::IsTerminal;
use std::time::Duration;

use crossbeam::channel::Receiver;
use longtake_plan::Plan;
use longtake_run::report::Status;
use longtake_run::{Event, Report};

use crate::args::Show;
use crate::{out, units};

/// Something that draws events.
pub trait View {
    /// Draws an event.
    fn see(&mut self, event: &Event);
}

/// Draws events until the run is over.
pub fn follow(plan: &Plan, events: &Receiver<Event>, show: Show) {
    let mut view: Box<dyn View + '_> = match show {
        Show::Json => Box::new(json::JsonLines::new(plan)),
        Show::Auto if std::io::stderr().is_terminal() => Box::new(live::Live::new(plan)),
        Show::Auto | Show::Plain => Box::new(plain::Plain::new(plan)),
    };
    for event in events {
        view.see(&event);
        if matches!(event, Event::Finished { .. }) {
            break;
        }
    }
}

/// The last lines: what was written, what went wrong.
pub fn summary(report: &Report, show: Show) {
    if show == Show::Json {
        return;
    }
    for output in &report.outputs {
        out::line(format_args!("{}", output.path.display()));
        if let Some(text) = written::told(&output.path) {
            out::note(format_args!("  {text}"));
        }
    }
    let count = |status| report.steps.iter().filter(|it| it.status == status).count();
    let mut parts = vec![format!("{} done", count(Status::Done))];
    for (status, word) in [
        (Status::Cached, "from the store"),
        (Status::Failed, "failed"),
        (Status::Skipped, "not run"),
    ] {
        let n = count(status);
        if n > 0 {
            parts.push(format!("{n} {word}"));
        }
    }
    out::note(format_args!(
        "{} in {}, peak memory {}",
        parts.join(", "),
        units::time(Duration::from_secs_f64(report.measured.seconds)),
        units::size(report.measured.peak_rss_bytes),
    ));
    for step in report.steps.iter().filter(|it| it.status == Status::Failed) {
        out::note(format_args!(
            "error: {}",
            step.error.as_deref().unwrap_or("unknown")
        ));
    }
}

/// A step's name for people: title of the class, shot, part.
pub fn step_name(plan: &Plan, id: longtake_plan::StepId) -> String {
    let step = plan.step(id);
    match &step.path.shot {
        Some((_, shot)) => format!("{} · shot {shot}", step.class),
        None => format!("{} · node {}", step.class, step.path.node),
    }
}

//! For each command: a situation in which it can be done, and how to see that it was.

use std::time::Duration;

use longtake_editor::settings::Theme;
use longtake_editor::testing::{self, Fake};
use longtake_editor::{Action, Command, Item, Selection, t};
use longtake_graph::{Edit, Input, Mode, NodeId, Project};

use super::stage::Stage;

/// What is known before a command is given.
pub struct Before {
    pub project: Project,
    opened: u64,
    labels: usize,
    sampler: Option<egui::Rect>,
    settings: longtake_editor::Settings,
    asked: usize,
    jobs: usize,
}

impl Before {
    pub fn of(stage: &Stage) -> Self {
        let studio = stage.studio();
        Self {
            project: (**studio.session.project()).clone(),
            opened: studio.session.opened(),
            labels: stage.labels().len(),
            sampler: stage.sampler(),
            settings: studio.settings.clone(),
            asked: stage.asked().len(),
            jobs: studio.queue.jobs.len() + studio.queue.ended.len(),
        }
    }

    fn asked(&self, stage: &Stage, what: &str) -> bool {
        stage.asked()[self.asked..]
            .iter()
            .any(|it| it.starts_with(what))
    }
}

/// The small graph with a picture scaled on its way: one more node, of which a link can heal.
fn scaled() -> Project {
    let mut project = testing::small();
    let node = testing::node("ImageScale", [1200.0, 400.0], &[]);
    project.nodes.insert("9".into(), node);
    testing::link(&mut project, "9", "image", "7", 0);
    testing::link(&mut project, "8", "images", "9", 0);
    project
}

fn subgraph(stage: &mut Stage) -> NodeId {
    stage.select(&["5", "6"]);
    stage.command(Command::MakeSubgraph);
    let id = stage.studio().session.selection.focus_node().cloned();
    id.expect("the instance is selected")
}

fn ran(stage: &mut Stage) {
    stage.command(Command::Run);
    stage.until(|it| !it.queue.ended.is_empty() && it.queue.running().is_none());
}

/// A window in which that command can be done.
#[allow(clippy::too_many_lines, reason = "one arm for each command")]
pub fn situation(command: Command) -> Stage {
    let engine = match command {
        Command::Cancel => Fake {
            pause: Duration::from_millis(200),
            ..Fake::default()
        },
        _ => Fake::default(),
    };
    let mut stage = Stage::with(scaled(), engine);
    match command {
        Command::New
        | Command::Open
        | Command::Gallery
        | Command::SaveAs
        | Command::Export
        | Command::Quit
        | Command::SelectAll
        | Command::Settings
        | Command::AddNode
        | Command::AddNote
        | Command::Palette
        | Command::AutoLayout
        | Command::TogglePlan
        | Command::ToggleQueue
        | Command::ToggleViewer
        | Command::ToggleModels
        | Command::ToggleHistory
        | Command::ToggleMinimap
        | Command::ToggleTheme
        | Command::Run
        | Command::Pause => {}
        Command::Save => {
            let folder = std::env::temp_dir().join(format!("longtake-walk-{}", std::process::id()));
            std::fs::create_dir_all(&folder).unwrap();
            stage.act(Action::SaveAs(folder.join("walk.longtake")));
            stage.studio_mut().finish_files();
            stage.select(&["6"]);
            stage.command(Command::Mute);
        }
        Command::Undo => {
            stage.select(&["6"]);
            stage.command(Command::Delete);
        }
        Command::Redo => {
            stage.select(&["6"]);
            stage.command(Command::Delete);
            stage.command(Command::Undo);
        }
        Command::Paste | Command::PasteLinked => {
            stage.select(&["6"]);
            stage.command(Command::Copy);
        }
        Command::DeleteHeal => stage.select(&["9"]),
        Command::Cut
        | Command::Copy
        | Command::Duplicate
        | Command::Delete
        | Command::Rename
        | Command::Mute
        | Command::Bypass
        | Command::Collapse
        | Command::ResetValues
        | Command::ToggleInspector => stage.select(&["6"]),
        Command::Group | Command::MakeSubgraph => stage.select(&["5", "6"]),
        Command::UnpackSubgraph | Command::EnterSubgraph => {
            subgraph(&mut stage);
        }
        Command::RemoveUnused => {
            subgraph(&mut stage);
            stage.command(Command::UnpackSubgraph);
        }
        Command::LeaveSubgraph => {
            let id = subgraph(&mut stage);
            stage.act(Action::Enter(id));
        }
        Command::AlignLeft
        | Command::AlignRight
        | Command::AlignTop
        | Command::AlignBottom
        | Command::SpaceAcross
        | Command::SpaceDown => {
            // Not in a line, and not at equal distances.
            let edits = [
                ("5", [11.0, 23.0]),
                ("6", [410.0, 317.0]),
                ("7", [1900.0, 2290.0]),
            ];
            let edits = edits.map(|(id, at)| Edit::Move {
                id: id.into(),
                pos: Some(at),
            });
            stage.act(Action::Edit(t("Move", "移動"), Edit::Batch(edits.into())));
            stage.select(&["5", "6", "7"]);
        }
        Command::Fit => stage.command(Command::ZoomOne),
        Command::FitSelection => {
            stage.select(&["6"]);
            stage.command(Command::Fit);
        }
        Command::ZoomOne => stage.command(Command::Fit),
        Command::ViewResult | Command::CompareResult => {
            ran(&mut stage);
            stage.select(&["6"]);
        }
        Command::ResetPanels => stage.command(Command::ToggleHistory),
        Command::RunSelected => stage.select(&["8"]),
        Command::Cancel => {
            stage.command(Command::Run);
            stage.until(|it| it.queue.running().is_some_and(|job| job.plan.is_some()));
        }
    }
    stage.steps(40);
    stage
}

/// Whether the command was done.
#[allow(clippy::match_same_arms, reason = "in the order of the menus")]
pub fn done(command: Command, before: &Before, stage: &mut Stage) -> bool {
    let hidden =
        |settings: &longtake_editor::Settings| settings.extra.get("hidden_panels").cloned();
    let studio = stage.studio();
    let (now, old) = (&**studio.session.project(), &before.project);
    let (nodes, olds) = (now.nodes.len(), old.nodes.len());
    let sampler = |project: &Project| project.nodes.get("6").cloned().unwrap_or_default();
    match command {
        Command::New => studio.session.opened() != before.opened && nodes == 0,
        Command::Open => before.asked(stage, "open: Open a graph"),
        Command::Gallery => stage.shows("Start"),
        Command::Save => {
            stage.studio_mut().finish_files();
            !stage.studio().session.dirty()
        }
        Command::SaveAs => before.asked(stage, "save: Save the graph"),
        Command::Export => before.asked(stage, "save: Export prompt JSON"),
        Command::Quit => before.asked(stage, "close"),
        Command::Undo => nodes == olds + 1,
        Command::Redo => nodes + 1 == olds,
        Command::Cut => nodes + 1 == olds && before.asked(stage, "copy: {"),
        Command::Copy => nodes == olds && before.asked(stage, "copy: {"),
        Command::Paste => nodes == olds + 1 && links_of_last(now) == 0,
        Command::PasteLinked => nodes == olds + 1 && links_of_last(now) > 0,
        Command::Duplicate => nodes == olds + 1,
        Command::Delete => nodes + 1 == olds && !now.nodes.contains_key("6"),
        Command::DeleteHeal => {
            let healed = now.nodes["8"].inputs.get("images");
            matches!(healed, Some(Input::Link(link)) if link.node.as_str() == "7")
        }
        Command::SelectAll => studio.session.selection.nodes().count() == nodes,
        Command::Settings => stage.shows("As the desktop"),
        Command::AddNode => stage.shows("Search nodes…"),
        Command::AddNote => now.notes.len() == 1,
        Command::Rename => stage.shows("Rename"),
        Command::Mute => sampler(now).mode == Mode::Mute,
        Command::Bypass => sampler(now).mode == Mode::Bypass,
        Command::Collapse => sampler(now).collapsed,
        Command::ResetValues => sampler(now).inputs.len() < sampler(old).inputs.len(),
        Command::Group => now.groups.len() == 1,
        Command::MakeSubgraph => now.subgraphs.len() == 1,
        Command::UnpackSubgraph => nodes == olds + 1,
        Command::EnterSubgraph => studio.session.scope().len() == 1,
        Command::RemoveUnused => old.subgraphs.len() == 1 && now.subgraphs.is_empty(),
        Command::LeaveSubgraph => studio.session.scope().is_empty(),
        Command::AutoLayout
        | Command::AlignLeft
        | Command::AlignRight
        | Command::AlignTop
        | Command::AlignBottom
        | Command::SpaceAcross
        | Command::SpaceDown => moved(old, now),
        Command::Palette => stage.shows("Type a command"),
        Command::Fit | Command::FitSelection | Command::ZoomOne => {
            stage.sampler() != before.sampler
        }
        Command::ViewResult => stage.shows("KSampler #6 ⏷"),
        Command::CompareResult => {
            stage.shows("B  KSampler #6 ⏷") && stage.shows("Close the comparison")
        }
        Command::ToggleInspector
        | Command::TogglePlan
        | Command::ToggleQueue
        | Command::ToggleViewer
        | Command::ToggleModels
        | Command::ToggleHistory => {
            let kept = hidden(&studio.settings) != hidden(&before.settings);
            kept && stage.labels().len() != before.labels
        }
        Command::ResetPanels => hidden(&studio.settings).is_none(),
        Command::ToggleMinimap => studio.settings.minimap != before.settings.minimap,
        Command::ToggleTheme => {
            let light = stage.harness.ctx.theme() == egui::Theme::Light;
            studio.settings.theme == Theme::Light && light
        }
        Command::Run => studio.queue.jobs.len() + studio.queue.ended.len() == before.jobs + 1,
        Command::RunSelected => {
            let mut jobs = studio.queue.jobs.iter().chain(&studio.queue.ended);
            jobs.any(|it| it.options.outputs == Some(vec!["8".into()]))
        }
        Command::Cancel => {
            stage.until(|it| it.queue.running().is_none());
            let ended = &stage.studio().queue.ended;
            matches!(
                ended[0].state,
                longtake_editor::queue::JobState::Cancelled(_)
            )
        }
        Command::Pause => studio.queue.paused,
    }
}

fn links_of_last(project: &Project) -> usize {
    let last = project.nodes.values().next_back().unwrap();
    let links = last
        .inputs
        .values()
        .filter(|it| matches!(it, Input::Link(_)));
    links.count()
}

fn moved(old: &Project, now: &Project) -> bool {
    let places = |it: &Project| it.nodes.values().map(|it| it.pos).collect::<Vec<_>>();
    places(old) != places(now)
}

/// A note, to have something that is no node.
pub fn with_note(stage: &mut Stage) {
    stage.command(Command::AddNote);
    let note = Item::Note("n1".to_owned());
    stage.act(Action::Select(Selection::of([note])));
}

//! The whole window as pictures, drawn by the software rasteriser: dark with a plan, light with a
//! question over it.

#![allow(clippy::unwrap_used, reason = "tests: a panic is a failed test")]

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use egui_kittest::Harness;
use longtake_editor::selection::Item;
use longtake_editor::settings::Theme;
use longtake_editor::{Action, Command, Selection, Studio, testing};
use longtake_graph::{Edit, NodeId};
use longtake_ui::{Dialogs, Window};

struct NoDesktop;

impl Dialogs for NoDesktop {
    fn answer(&self) -> bool {
        false
    }
    fn open(&mut self, _: &str, _: &[&str]) -> Option<PathBuf> {
        None
    }
    fn save(&mut self, _: &str, _: &Path, _: &[&str]) -> Option<PathBuf> {
        None
    }
    fn show_folder(&mut self, _: &Path) {}
}

fn window(studio: Studio) -> Harness<'static, Option<Window>> {
    let mut studio = Some(studio);
    let app = move |ui: &mut egui::Ui, window: &mut Option<Window>| {
        let window = window.get_or_insert_with(|| {
            let studio = studio.take().unwrap();
            Window::new(ui.ctx(), studio, Box::new(NoDesktop))
        });
        window.ui(ui);
    };
    let mut harness = Harness::builder()
        .with_size([1100.0, 680.0])
        .with_step_dt(1.0 / 60.0)
        .wgpu()
        .build_ui_state(app, None);
    let end = Instant::now() + Duration::from_secs(30);
    loop {
        harness.run_steps(2);
        let studio = &harness.state().as_ref().unwrap().studio;
        if studio.planned.revision == studio.session.revision() && studio.planned.plan.is_some() {
            break;
        }
        assert!(Instant::now() < end, "no plan");
        std::thread::sleep(Duration::from_millis(10));
    }
    harness.run_steps(6);
    harness
}

fn act(harness: &mut Harness<'_, Option<Window>>, action: Action) {
    let window = harness.state_mut().as_mut().unwrap();
    window.studio.act(action);
    harness.run_steps(4);
}

#[test]
fn a_graph_its_plan_and_a_node() {
    let mut harness = window(testing::studio(testing::small()));
    let chosen = Selection::of([Item::Node(NodeId::new("6"))]);
    act(&mut harness, Action::Select(chosen));
    harness.snapshot("window-dark");
}

#[test]
fn a_question_before_work_is_lost() {
    let mut studio = testing::studio(testing::small());
    studio.settings.theme = Theme::Light;
    let mut harness = window(studio);
    let title = Edit::SetProjectTitle {
        title: "Changed".to_owned(),
    };
    let label = longtake_editor::t("Title", "題名");
    act(&mut harness, Action::Edit(label, title));
    act(&mut harness, Action::Command(Command::New));
    harness.snapshot("window-light-question");
    act(&mut harness, Action::Answer(usize::MAX));
    let studio = &harness.state().as_ref().unwrap().studio;
    assert_eq!(studio.session.name().as_deref(), Some("Changed"), "kept");
}

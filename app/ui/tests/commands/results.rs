//! Space and Shift+Space on a node, and the theme: what the README promises.

use longtake_editor::settings::Theme;
use longtake_editor::{Command, testing};

use super::stage::Stage;

#[test]
fn space_on_a_node_shows_its_result_and_shift_space_compares_another() {
    let mut stage = Stage::new(testing::small());
    stage.command(Command::Run);
    stage.until(|it| !it.queue.ended.is_empty() && it.queue.running().is_none());
    stage.select(&["7"]);
    stage.press("Space");
    assert!(
        stage.shows("VAE decode #7 ⏷") || stage.shows("#7 ⏷"),
        "{:?}",
        stage.labels()
    );
    assert!(!stage.shows("Close the comparison"));
    stage.select(&["6"]);
    stage.press("Shift+Space");
    assert!(stage.shows("A  ") && stage.shows("B  KSampler #6 ⏷"));
    assert!(stage.shows("Divider of A and B"), "both have frames");
    stage.press("Space");
    assert!(stage.shows("KSampler #6 ⏷"));
    assert!(!stage.shows("Close the comparison"), "shown alone");
}

#[test]
fn a_hidden_viewer_comes_up_for_a_result() {
    let mut stage = Stage::new(testing::small());
    stage.command(Command::ToggleViewer);
    assert!(!stage.shows("Choose… ⏷"));
    stage.select(&["6"]);
    stage.press("Space");
    assert!(stage.shows("KSampler #6 ⏷"), "{:?}", stage.labels());
}

#[test]
fn the_theme_is_toggled_kept_and_starts_from_what_the_desktop_shows() {
    let mut stage = Stage::new(testing::small());
    for wanted in [Theme::Light, Theme::Dark] {
        stage.choose(Command::ToggleTheme);
        assert_eq!(stage.studio().settings.theme, wanted);
    }
    let mut settings = stage.studio().settings.clone();
    settings.theme = Theme::System;
    stage.harness.input_mut().system_theme = Some(egui::Theme::Light);
    stage.act(longtake_editor::Action::SetSettings(Box::new(settings)));
    stage.choose(Command::ToggleTheme);
    assert_eq!(stage.studio().settings.theme, Theme::Dark);
    assert_eq!(stage.harness.ctx.theme(), egui::Theme::Dark);
}

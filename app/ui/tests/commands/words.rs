//! What a run says reaches the person in the language of the window.

use std::sync::Mutex;

use longtake_editor::testing::{self, Fake};
use longtake_editor::{Action, Command, Language};

use super::stage::Stage;

#[test]
fn a_failed_step_speaks_the_language_of_the_window() {
    let engine = Fake {
        fails: Mutex::new(vec!["7".to_owned()]),
        ..Fake::default()
    };
    let mut stage = Stage::with(testing::small(), engine);
    stage.act(Action::SetLanguage(Language::Ja));
    stage.command(Command::Run);
    stage.until(|it| !it.queue.ended.is_empty());
    stage.select(&["7"]);
    stage.command(Command::ToggleQueue);
    let (ja, en) = ("ノード 7 (VAEDecode): 失敗させました", "asked to fail");
    let shown = |stage: &Stage, text: &str| {
        let labels = stage.labels();
        labels.iter().filter(|it| it.contains(text)).count()
    };
    assert_eq!(shown(&stage, ja), 1, "{:?}", stage.labels());
    assert_eq!(shown(&stage, en), 0);
    // It is kept in both, and follows the window.
    stage.act(Action::SetLanguage(Language::En));
    assert_eq!((shown(&stage, ja), shown(&stage, en)), (0, 1));
}

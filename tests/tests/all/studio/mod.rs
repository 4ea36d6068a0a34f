//! The studio with its real engine, driven by mouse and keyboard, without a window system.

mod gestures;
mod render;

use std::sync::Arc;
use std::time::{Duration, Instant};

use egui::{Event, Key, Modifiers, PointerButton, Pos2};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;
use longtake::args::{Place, Shelf};
use longtake::studio::Machinery;
use longtake_editor::{Action, Language, Settings, Studio};
use longtake_run::store::Limit;
use longtake_ui::{Dialogs, Window};

/// A desktop without dialogs: the window shows its own.
struct NoDesktop;

impl Dialogs for NoDesktop {
    fn answer(&self) -> bool {
        false
    }
    fn open(&mut self, _: &str, _: &[&str], _: longtake_ui::Told) {}
    fn save(&mut self, _: &str, _: &std::path::Path, _: &[&str], _: longtake_ui::Told) {}
}

/// A studio in a folder of its own.
pub struct Desk {
    pub harness: Harness<'static, Option<Window>>,
    pub folder: tempfile::TempDir,
}

impl Desk {
    /// Opens the studio, with the gallery as a person sees it at first.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        let place = Place {
            models: root.join("models"),
            input: root.join("input"),
            output: root.join("output"),
            shelf: Shelf {
                store: Some(root.join("store")),
                store_limit: Limit::Unlimited,
            },
            device: "cpu".to_owned(),
            vram: None,
            ram: None,
        };
        let engine = Arc::new(Machinery::open(&place).unwrap());
        let settings = Settings {
            language: Some(Language::En),
            ..Settings::default()
        };
        let mut studio = Some(Studio::new(engine, settings, Arc::new(|| {})));
        let app = move |ui: &mut egui::Ui, window: &mut Option<Window>| {
            window
                .get_or_insert_with(|| {
                    let studio = studio.take().unwrap();
                    Window::new(ui.ctx(), studio, Box::new(NoDesktop))
                })
                .ui(ui);
        };
        let harness = Harness::builder()
            .with_size([1600.0, 960.0])
            .with_max_steps(64)
            .with_step_dt(1.0 / 60.0)
            .build_ui_state(app, None);
        let mut this = Self { harness, folder };
        this.steps(3);
        this
    }

    /// Draws some frames.
    pub fn steps(&mut self, count: usize) {
        self.harness.run_steps(count);
    }

    /// What the window shows.
    pub fn studio(&self) -> &Studio {
        &self.harness.state().as_ref().unwrap().studio
    }

    /// Asks for something as a panel would.
    pub fn act(&mut self, action: Action) {
        self.harness
            .state_mut()
            .as_mut()
            .unwrap()
            .studio
            .act(action);
        self.steps(2);
    }

    /// Clicks what has this label.
    pub fn click(&mut self, label: &str) {
        self.harness.get_by_label_contains(label).click();
        self.steps(3);
    }

    /// Presses a key.
    pub fn press(&mut self, modifiers: Modifiers, key: Key) {
        self.harness.key_press_modifiers(modifiers, key);
        self.steps(3);
    }

    /// Types a text.
    pub fn type_text(&mut self, text: &str) {
        self.harness.event(Event::Text(text.to_owned()));
        self.steps(3);
    }

    /// Presses a mouse button at a point and releases it at another.
    pub fn drag(&mut self, from: Pos2, to: Pos2) {
        self.harness.hover_at(from);
        self.steps(2);
        self.harness.drag_at(from);
        self.steps(2);
        for part in 1..=4u8 {
            self.harness
                .hover_at(from + (to - from) * (f32::from(part) / 4.0));
            self.steps(1);
        }
        self.harness.drop_at(to);
        self.steps(3);
    }

    /// Clicks twice at a point.
    pub fn double_click(&mut self, at: Pos2) {
        for pressed in [true, false, true, false] {
            self.harness.event(Event::PointerMoved(at));
            self.harness.event(Event::PointerButton {
                pos: at,
                button: PointerButton::Primary,
                pressed,
                modifiers: Modifiers::NONE,
            });
        }
        self.steps(3);
    }

    /// Draws until something holds, or fails with `what` after a while.
    pub fn until(&mut self, what: &str, seconds: u64, holds: impl Fn(&Studio) -> bool) {
        let end = Instant::now() + Duration::from_secs(seconds);
        while !holds(self.studio()) {
            let studio = self.studio();
            assert!(
                Instant::now() < end,
                "{what}: not within {seconds} s; found {:?}, told {:?}, revision {} of {}",
                studio.planned.diagnostics,
                studio.messages,
                studio.planned.revision,
                studio.session.revision(),
            );
            std::thread::sleep(Duration::from_millis(20));
            self.steps(1);
        }
        self.steps(2);
    }
}

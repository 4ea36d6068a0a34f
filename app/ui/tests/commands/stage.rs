//! The real window under a test's hands, and what can be seen of it.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use egui::{Event, Key, Modifiers, OutputCommand, Rect, ViewportCommand};
use egui_kittest::Harness;
use egui_kittest::kittest::{By, NodeT, Queryable};
use longtake_editor::testing::Fake;
use longtake_editor::{Action, Command, Item, Language, Selection, Session, Settings, Studio};
use longtake_graph::{NodeId, Project};
use longtake_ui::{Dialogs, Told, Window};

/// A desktop that writes down what it is asked for.
struct Recorder(Rc<RefCell<Vec<String>>>);

impl Dialogs for Recorder {
    fn answer(&self) -> bool {
        true
    }
    fn open(&mut self, title: &str, _: &[&str], told: Told) {
        self.0.borrow_mut().push(format!("open: {title}"));
        std::mem::forget(told);
    }
    fn save(&mut self, title: &str, _: &Path, _: &[&str], told: Told) {
        self.0.borrow_mut().push(format!("save: {title}"));
        std::mem::forget(told);
    }
}

/// The window, and what it asked of the world around it.
pub struct Stage {
    pub harness: Harness<'static, Option<Window>>,
    asked: Rc<RefCell<Vec<String>>>,
}

impl Stage {
    pub fn new(project: Project) -> Self {
        Self::with(project, Fake::default())
    }

    pub fn with(project: Project, engine: Fake) -> Self {
        let settings = Settings {
            language: Some(Language::En),
            ..Settings::default()
        };
        let mut studio = Studio::new(Arc::new(engine), settings, Arc::new(|| {}));
        studio.session = Session::new(project, None);
        let asked = Rc::new(RefCell::new(Vec::new()));
        let mut parts = Some((studio, Box::new(Recorder(asked.clone()))));
        let app = move |ui: &mut egui::Ui, window: &mut Option<Window>| {
            let window = window.get_or_insert_with(|| {
                let (studio, desktop) = parts.take().unwrap();
                Window::new(ui.ctx(), studio, desktop)
            });
            window.ui(ui);
        };
        let harness = Harness::builder()
            .with_size([1500.0, 900.0])
            .with_step_dt(1.0 / 60.0)
            .build_ui_state(app, None);
        let mut stage = Self { harness, asked };
        stage.steps(4);
        stage.until(|it| it.planned.revision == it.session.revision());
        stage.steps(4);
        stage
    }

    /// Draws frames, and writes down what the window asks of the desktop in each.
    pub fn steps(&mut self, count: usize) {
        for _ in 0..count {
            self.harness.step();
            let output = self.harness.output();
            let mut asked = self.asked.borrow_mut();
            for command in &output.platform_output.commands {
                if let OutputCommand::CopyText(text) = command {
                    asked.push(format!("copy: {text}"));
                }
            }
            let viewports = output.viewport_output.values();
            for command in viewports.flat_map(|it| &it.commands) {
                match command {
                    ViewportCommand::Close => asked.push("close".to_owned()),
                    ViewportCommand::RequestPaste => asked.push("clipboard?".to_owned()),
                    _ => {}
                }
            }
        }
    }

    pub fn until(&mut self, done: impl Fn(&Studio) -> bool) {
        let end = Instant::now() + Duration::from_secs(30);
        while !done(self.studio()) {
            assert!(Instant::now() < end, "never came");
            std::thread::sleep(Duration::from_millis(5));
            self.steps(1);
        }
        self.steps(6);
    }

    pub fn studio(&self) -> &Studio {
        &self.harness.state().as_ref().unwrap().studio
    }

    pub fn studio_mut(&mut self) -> &mut Studio {
        &mut self.harness.state_mut().as_mut().unwrap().studio
    }

    pub fn act(&mut self, action: Action) {
        self.studio_mut().act(action);
        self.steps(6);
    }

    pub fn command(&mut self, command: Command) {
        self.act(Action::Command(command));
    }

    pub fn select(&mut self, nodes: &[&str]) {
        let items = nodes.iter().map(|id| Item::Node(NodeId::new(id)));
        self.act(Action::Select(Selection::of(items)));
    }

    /// What the window asked of the desktop so far.
    pub fn asked(&self) -> Vec<String> {
        self.asked.borrow().clone()
    }

    /// Presses the first of a command's default keys, as the keyboard sends it.
    pub fn press(&mut self, keys: &str) {
        let chord = keys.split(' ').next().unwrap();
        let parts: Vec<&str> = chord.split('+').collect();
        let (key, held) = parts.split_last().unwrap();
        let mut modifiers = Modifiers::NONE;
        for name in held {
            modifiers |= match *name {
                "Ctrl" => Modifiers::COMMAND,
                "Shift" => Modifiers::SHIFT,
                "Alt" => Modifiers::ALT,
                other => panic!("{other}"),
            };
        }
        let key = Key::from_name(key).unwrap();
        // The window system has words of its own for two of them.
        match (key, modifiers) {
            (Key::C, Modifiers::COMMAND) => self.harness.event(Event::Copy),
            (Key::X, Modifiers::COMMAND) => self.harness.event(Event::Cut),
            // One event a frame, so that what is asked in any of them is seen.
            _ => {
                self.harness.input_mut().modifiers = modifiers;
                for pressed in [true, false] {
                    self.harness.event(Event::Key {
                        key,
                        physical_key: None,
                        pressed,
                        repeat: false,
                        modifiers,
                    });
                    self.steps(1);
                }
                self.harness.input_mut().modifiers = Modifiers::NONE;
            }
        }
        self.steps(40);
    }

    /// Chooses a command in the palette by its title.
    pub fn choose(&mut self, command: Command) {
        self.harness
            .key_press_modifiers(Modifiers::COMMAND | Modifiers::SHIFT, Key::P);
        self.steps(4);
        let title = command.title().en.trim_end_matches('…').to_owned();
        self.harness.event(Event::Text(title));
        self.steps(4);
        self.harness.key_press(Key::Enter);
        self.steps(40);
    }

    /// Every text on the screen that a screen reader could read.
    pub fn labels(&self) -> BTreeSet<String> {
        let all = self.harness.query_all(By::new().predicate(|_| true));
        let text = |it: egui_kittest::Node<'_>| {
            let node = it.accesskit_node();
            node.label().or(node.value())
        };
        all.filter_map(text).collect()
    }

    pub fn shows(&self, label: &str) -> bool {
        self.labels().iter().any(|it| it.contains(label))
    }

    /// Where the sampler stands on the screen.
    pub fn sampler(&self) -> Option<Rect> {
        let found = self.harness.query_all_by_label("KSampler");
        let rects = found.map(|it| it.rect());
        rects.min_by(|a, b| a.left().total_cmp(&b.left()))
    }
}

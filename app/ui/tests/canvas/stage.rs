//! A canvas on a stage, and a hand that moves things there.

use egui::{Modifiers, PointerButton, Pos2, vec2};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;
use longtake_editor::testing::{node, studio};
use longtake_editor::{Action, Studio, WindowAction};
use longtake_graph::{Input, NodeId, Project};
use longtake_ui::canvas::Canvas;
use longtake_ui::{Cx, Pictures, theme};

/// A canvas over a studio, and what a window does with both.
pub struct Stage {
    pub studio: Studio,
    pub canvas: Canvas,
    pub pictures: Pictures,
    pub lit: std::collections::HashSet<NodeId>,
    pub styled: bool,
    pub frames: usize,
    /// No plan is made: what is drawn does not depend on when it comes.
    pub unplanned: bool,
}

impl Stage {
    pub fn new(project: Project) -> Self {
        Self {
            studio: studio(project),
            canvas: Canvas::default(),
            pictures: Pictures::default(),
            lit: std::collections::HashSet::new(),
            styled: false,
            frames: 0,
            unplanned: false,
        }
    }

    pub fn ui(&mut self, ui: &mut egui::Ui) {
        if !self.styled {
            theme::fonts(ui.ctx());
            theme::apply(ui.ctx(), self.studio.settings.theme, 1.0);
            self.styled = true;
        }
        self.frames += 1;
        if !self.unplanned {
            self.studio.tick();
        }
        let mut actions: Vec<Action> = Vec::new();
        let mut cx = Cx {
            studio: &self.studio,
            actions: &mut actions,
            pictures: &mut self.pictures,
            lit: &mut self.lit,
        };
        self.canvas.ui(ui, &mut cx);
        for action in actions {
            self.studio.act(action);
        }
        for wish in self.studio.window_wishes() {
            ui.ctx().request_repaint();
            if let WindowAction::Canvas(wish) = wish {
                self.canvas.wish(wish);
            }
        }
    }

    pub fn node(&self, id: &str) -> &longtake_graph::Node {
        &self.studio.session.graph().nodes[id]
    }

    pub fn input(&self, id: &str, input: &str) -> Option<&Input> {
        self.node(id).inputs.get(input)
    }

    pub fn units(&self) -> usize {
        self.studio.session.history().done().len()
    }
}

pub fn stage(project: Project) -> Harness<'static, Stage> {
    let mut harness = Harness::builder()
        .with_size(vec2(1280.0, 800.0))
        .with_max_steps(120)
        .with_step_dt(1.0 / 60.0)
        .build_ui_state(|ui, stage: &mut Stage| stage.ui(ui), Stage::new(project));
    harness.run();
    harness
}

pub fn settle(harness: &mut Harness<'_, Stage>) {
    harness.run_ok();
}

pub fn drag(harness: &mut Harness<'_, Stage>, from: Pos2, to: Pos2, modifiers: Modifiers) {
    let button = |pos, pressed| egui::Event::PointerButton {
        pos,
        button: PointerButton::Primary,
        pressed,
        modifiers,
    };
    harness.hover_at(from);
    harness.step();
    harness.event_modifiers(button(from, true), modifiers);
    harness.step();
    for part in 1..=4 {
        let at = from + (to - from) * (part as f32 / 4.0);
        harness.event_modifiers(egui::Event::PointerMoved(at), modifiers);
        harness.step();
    }
    harness.event_modifiers(button(to, false), modifiers);
    settle(harness);
}

pub fn click(harness: &mut Harness<'_, Stage>, at: Pos2, times: usize, modifiers: Modifiers) {
    harness.hover_at(at);
    harness.step();
    for _ in 0..times {
        for pressed in [true, false] {
            let event = egui::Event::PointerButton {
                pos: at,
                button: PointerButton::Primary,
                pressed,
                modifiers,
            };
            harness.event_modifiers(event, modifiers);
        }
        harness.step();
    }
    settle(harness);
}

pub fn at(harness: &Harness<'_, Stage>, label: &str) -> Pos2 {
    harness.get_by_label(label).rect().center()
}

/// A point of a node's title.
pub fn title(harness: &Harness<'_, Stage>, label: &str) -> Pos2 {
    let rect = harness.get_by_label(label).rect();
    let zoom = harness.state().canvas.view().zoom;
    rect.left_top() + vec2(60.0, 14.0) * zoom
}

pub fn selected(harness: &Harness<'_, Stage>) -> Vec<String> {
    let selection = &harness.state().studio.session.selection;
    selection.nodes().map(ToString::to_string).collect()
}

/// Two nodes that a model link could join, at 1:1.
pub fn pair() -> Project {
    let mut project = Project::default();
    let loader = node("UNETLoader", [0.0, 0.0], &[]);
    let sampler = node("KSampler", [400.0, 0.0], &[]);
    project.nodes.insert("1".into(), loader);
    project.nodes.insert("2".into(), sampler);
    project
}

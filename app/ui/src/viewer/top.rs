//! What stands above the picture: what A and B show, how they are compared, zoom.

use egui::Ui;
use longtake_editor::{Action, WindowAction};

use super::bar::sign;
use super::picks::{pick_ui, shot_ui};
use super::side::Side;
use super::{Compare, Viewer, words};
use crate::Cx;

/// How much a difference may be amplified.
const GAINS: [u8; 4] = [1, 4, 16, 64];

impl Viewer {
    pub(super) fn top_ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        ui.horizontal_wrapped(|ui| {
            self.picks_ui(ui, cx);
            if self.a.is_none() {
                return;
            }
            if self.b.is_some() {
                self.compare_ui(ui, cx);
            }
            ui.separator();
            if sign(ui, cx.studio, "⛶", words::FIT, self.view.fits()).clicked() {
                self.view.fit();
            }
            if sign(ui, cx.studio, "1:1", words::ONE, false).clicked() {
                self.one_to_one = true;
            }
            if sign(ui, cx.studio, "⌖", words::VALUES, self.values).clicked() {
                self.values = !self.values;
            }
            if sign(ui, cx.studio, "👁", words::FOLLOW, self.follow).clicked() {
                self.follow = !self.follow;
            }
            let ready = self.shown[0].is_some();
            let save = |ui: &mut Ui| sign(ui, cx.studio, "💾", words::SAVE, false);
            if ui.add_enabled_ui(ready, save).inner.clicked() {
                cx.act(Action::Window(WindowAction::AskSaveFrame));
            }
        });
    }

    fn picks_ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        let face = |side: &Option<Side>, empty, letter: &str| match side {
            Some(side) => format!("{letter}{} ⏷", side.label(cx.studio)),
            None => format!("{} ⏷", cx.tr(empty)),
        };
        let letter = if self.b.is_some() { "A  " } else { "" };
        let (a, b) = (
            face(&self.a, words::CHOOSE, letter),
            face(&self.b, words::COMPARE, "B  "),
        );
        if let Some(what) = pick_ui(ui, cx, &a) {
            self.set_a(what);
        }
        if let Some(side) = &self.a
            && let Some(what) = shot_ui(ui, cx, &side.what, "a")
        {
            self.set_a(what);
        }
        if self.a.is_none() {
            return;
        }
        if let Some(what) = pick_ui(ui, cx, &b) {
            self.b = Some(Side::new(what));
        }
        if let Some(side) = &self.b
            && let Some(what) = shot_ui(ui, cx, &side.what, "b")
        {
            self.b = Some(Side::new(what));
        }
    }

    fn compare_ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        for (face, name, way) in [
            ("A|B", words::WIPE, Compare::Wipe),
            ("A B", words::BESIDE, Compare::Beside),
            ("A−B", words::DIFFERENCE, Compare::Difference),
        ] {
            if sign(ui, cx.studio, face, name, self.compare == way).clicked() {
                self.compare = way;
            }
        }
        if self.compare == Compare::Difference {
            let next = GAINS.iter().position(|it| *it == self.gain).unwrap_or(0) + 1;
            let face = format!("×{}", self.gain);
            if sign(ui, cx.studio, &face, words::GAIN, false).clicked() {
                self.gain = GAINS[next % GAINS.len()];
            }
        }
        if sign(ui, cx.studio, "⇄", words::SWAP, false).clicked() {
            std::mem::swap(&mut self.a, &mut self.b);
        }
        if sign(ui, cx.studio, "×", words::CLOSE, false).clicked() {
            self.b = None;
        }
    }
}

//! The window itself: eframe around [`longtake_ui::Window`].

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use eframe::egui;
use longtake_editor::files::{Places, load_settings};
use longtake_editor::{Action, Studio};
use longtake_ui::Window;

use super::dialogs::Desktop;
use super::engine::{self, Machinery};

struct Shell {
    window: Window,
    focused: bool,
    /// When the program began, until the first frame.
    began: Option<Instant>,
}

impl eframe::App for Shell {
    fn ui(&mut self, ui: &mut egui::Ui, _: &mut eframe::Frame) {
        let ctx = ui.ctx().clone();
        if ctx.input(|input| input.viewport().close_requested()) && !self.window.may_close() {
            ctx.send_viewport_cmd(egui::ViewportCommand::CancelClose);
        }
        // A window in the background may get no further frame for hours.
        let focused = ctx.input(|input| input.focused);
        if self.focused && !focused {
            self.window.studio.autosave_now();
        }
        self.focused = focused;
        self.window.ui(ui);
        if let Some(began) = self.began.take()
            && std::env::var_os("LONGTAKE_TIMES").is_some()
        {
            eprintln!("first frame after {} ms", began.elapsed().as_millis());
        }
    }

    /// No frame comes after this one: what is not in a file goes to the recovery folder.
    fn on_exit(&mut self) {
        self.window.studio.autosave_now();
    }
}

/// Opens the window; returns when it is closed. With `LONGTAKE_TIMES` set, standard error says how
/// long after `began` the first frame was drawn.
///
/// # Errors
/// No display, no way to draw.
pub fn open(machinery: Machinery, file: Option<PathBuf>, began: Instant) -> eframe::Result {
    let engine = engine::shared(machinery);
    let viewport = egui::ViewportBuilder::default()
        .with_title("Longtake")
        .with_app_id("longtake")
        .with_inner_size([1600.0, 960.0])
        .with_min_inner_size([800.0, 500.0]);
    let options = eframe::NativeOptions {
        viewport,
        renderer: eframe::Renderer::Wgpu,
        ..eframe::NativeOptions::default()
    };
    let create = move |cc: &eframe::CreationContext<'_>| {
        let ctx = cc.egui_ctx.clone();
        let wake = Arc::new(move || ctx.request_repaint());
        let places = Places::of_machine();
        let (settings, broken) = load_settings(&places.settings());
        let mut studio = Studio::new(engine, settings, wake);
        studio.settle_in(places, broken.as_ref());
        if let Some(file) = file {
            studio.act(Action::Open(file));
        }
        let window = Window::new(&cc.egui_ctx, studio, Box::new(Desktop));
        Ok(Box::new(Shell {
            window,
            focused: true,
            began: Some(began),
        }) as Box<dyn eframe::App>)
    };
    eframe::run_native("longtake", options, Box::new(create))
}

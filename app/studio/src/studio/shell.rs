//! The window itself: eframe around [`longtake_ui::Window`].

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use eframe::egui;
use eframe::egui_wgpu::WgpuConfiguration;
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
/// long after `began` the first frame was drawn. With `one_device` it draws with Burn's.
///
/// # Errors
/// No display, no way to draw.
pub fn open(
    machinery: Machinery,
    file: Option<PathBuf>,
    began: Instant,
    one_device: bool,
) -> eframe::Result {
    let engine = engine::shared(machinery);
    let viewport = egui::ViewportBuilder::default()
        .with_title("Longtake")
        .with_app_id("longtake")
        .with_inner_size([1600.0, 960.0])
        .with_min_inner_size([800.0, 500.0]);
    let options = eframe::NativeOptions {
        viewport,
        renderer: eframe::Renderer::Wgpu,
        wgpu_options: wgpu_options(one_device),
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
        let mut window = Window::new(&cc.egui_ctx, studio, Box::new(Desktop));
        if one_device {
            share(&mut window, cc);
        }
        Ok(Box::new(Shell {
            window,
            focused: true,
            began: Some(began),
        }) as Box<dyn eframe::App>)
    };
    eframe::run_native("longtake", options, Box::new(create))
}

#[cfg(feature = "vulkan")]
fn wgpu_options(one_device: bool) -> WgpuConfiguration {
    let mut options = WgpuConfiguration::default();
    if one_device {
        options.wgpu_setup = super::screen::setup();
    }
    options
}

#[cfg(not(feature = "vulkan"))]
fn wgpu_options(_: bool) -> WgpuConfiguration {
    WgpuConfiguration::default()
}

/// Previews may be textures of the window's device.
fn share(window: &mut Window, cc: &eframe::CreationContext<'_>) {
    #[cfg(feature = "vulkan")]
    if let Some(state) = &cc.wgpu_render_state {
        window.share(super::screen::textures(state));
    }
    #[cfg(not(feature = "vulkan"))]
    let _ = (window, cc);
}

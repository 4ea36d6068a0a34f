//! The window itself: eframe around [`longtake_ui::Window`].

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use eframe::egui;
use eframe::egui_wgpu::{WgpuConfiguration, WgpuSetup, WgpuSetupCreateNew};
use eframe::wgpu;
use longtake_editor::engine::Engine;
use longtake_editor::files::{Places, load_settings};
use longtake_editor::{Action, Studio};
use longtake_ui::Window;

use super::dialogs::Desktop;
use super::engine::{self, Machinery};

/// When the start is over: the gallery has its pictures.
const SETTLED: Duration = Duration::from_secs(2);

struct Shell {
    window: Window,
    focused: bool,
    /// When the program began, until the first frame.
    began: Option<Instant>,
}

impl eframe::App for Shell {
    /// Comes before each frame, and instead of it while the window is minimised or covered: the queue
    /// goes on, work is kept, and closing from the task bar asks.
    fn logic(&mut self, ctx: &egui::Context, _: &mut eframe::Frame) {
        self.window.studio.tick();
        if ctx.input(|input| input.viewport().close_requested()) && !self.window.may_close() {
            ctx.send_viewport_cmd(egui::ViewportCommand::CancelClose);
            ctx.send_viewport_cmd(egui::ViewportCommand::Minimized(false));
            ctx.send_viewport_cmd(egui::ViewportCommand::Focus);
        }
    }

    fn ui(&mut self, ui: &mut egui::Ui, _: &mut eframe::Frame) {
        let ctx = ui.ctx().clone();
        // A window in the background may get no further frame for hours.
        let focused = ctx.input(|input| input.focused);
        if self.focused && !focused {
            self.window.studio.autosave_now();
        }
        self.focused = focused;
        self.window.ui(ui);
        if let Some(began) = self.began.take() {
            if std::env::var_os("LONGTAKE_TIMES").is_some() {
                eprintln!("first frame after {} ms", began.elapsed().as_millis());
            }
            std::thread::spawn(|| {
                std::thread::sleep(SETTLED);
                longtake_ui::memory::give_back();
            });
        }
    }

    /// No frame comes after this one: what is not in a file goes to the recovery folder.
    fn on_exit(&mut self) {
        self.window.studio.autosave_now();
    }
}

/// Which device the window draws with, tried in turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Drawing {
    /// Burn's.
    Shared,
    /// One of its own, by Vulkan. To look for others takes 20 MB and half of the time that the first
    /// frame takes.
    Vulkan,
    /// One of its own, by whatever there is.
    Any,
}

/// Opens the window; returns when it is closed. With `LONGTAKE_TIMES` set, standard error says how
/// long after `began` the first frame was drawn. With `one_device` it draws with Burn's, if that can
/// draw on this display.
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
    let chosen = std::env::var_os("WGPU_BACKEND").is_some();
    let vulkan = (cfg!(target_os = "linux") && !chosen).then_some(Drawing::Vulkan);
    let first = one_device.then_some(Drawing::Shared);
    for drawing in first.into_iter().chain(vulkan) {
        let opened = window(&engine, file.as_ref(), began, drawing);
        match opened {
            Err(error @ eframe::Error::Wgpu(_)) if drawing == Drawing::Shared => {
                eprintln!("warning: --share-device: this display needs another device: {error}");
            }
            Err(eframe::Error::Wgpu(_)) => {}
            done => return done,
        }
    }
    window(&engine, file.as_ref(), began, Drawing::Any)
}

fn window(
    engine: &Arc<dyn Engine>,
    file: Option<&PathBuf>,
    began: Instant,
    drawing: Drawing,
) -> eframe::Result {
    let viewport = egui::ViewportBuilder::default()
        .with_title("Longtake")
        .with_app_id("longtake")
        .with_inner_size([1600.0, 960.0])
        .with_min_inner_size([800.0, 500.0]);
    let defaults = eframe::NativeOptions::default();
    let options = eframe::NativeOptions {
        viewport,
        renderer: eframe::Renderer::Wgpu,
        wgpu_options: WgpuConfiguration {
            wgpu_setup: setup(drawing),
            ..defaults.wgpu_options
        },
        ..eframe::NativeOptions::default()
    };
    let (engine, file) = (Arc::clone(engine), file.cloned());
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
        if drawing == Drawing::Shared {
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

fn setup(drawing: Drawing) -> WgpuSetup {
    #[cfg(feature = "vulkan")]
    if drawing == Drawing::Shared {
        return super::screen::setup();
    }
    let mut setup = WgpuSetupCreateNew::without_display_handle();
    if drawing == Drawing::Vulkan {
        setup.instance_descriptor.backends = wgpu::Backends::VULKAN;
    }
    // The memory of the graphics card is the models'.
    let descriptor = setup.device_descriptor;
    setup.device_descriptor = Arc::new(move |adapter| wgpu::DeviceDescriptor {
        memory_hints: wgpu::MemoryHints::MemoryUsage,
        ..descriptor(adapter)
    });
    WgpuSetup::CreateNew(setup)
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

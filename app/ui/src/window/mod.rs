//! The whole window: menu bar, docked panels, dialogs, messages.

mod arrangement;
mod browse;
mod dock;
mod keys;
mod messages;
mod question;
mod wishes;

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use egui_tiles::Tree;
use longtake_editor::{Action, CanvasAction, Command, Language, Studio};
use longtake_graph::NodeId;

use crate::canvas::Canvas;
use crate::gallery::Gallery;
use crate::history_panel::HistoryPanel;
use crate::inspector::Inspector;
use crate::models_panel::ModelsPanel;
use crate::palette::Palette;
use crate::pictures::device::DeviceTextures;
use crate::plan_view::PlanView;
use crate::queue_panel::QueuePanel;
use crate::settings_window::SettingsWindow;
use crate::viewer::Viewer;
use crate::widgets::unfinished;
use crate::{Cx, Pictures, menu, theme};

pub use dock::Pane;

/// What a desktop's dialog tells: a file, or that there is none.
pub type Told = Box<dyn FnOnce(Option<PathBuf>) + Send>;

/// The desktop's dialogs. They do not hold the window up: what was chosen is told when it was. A test
/// answers them itself.
pub trait Dialogs {
    /// Whether the desktop has dialogs; without them the window shows its own. One that tells of no
    /// file sooner than a person can cancel is taken for none.
    fn answer(&self) -> bool;
    /// A file to open; endings that can be.
    fn open(&mut self, title: &str, endings: &[&str], told: Told);
    /// Where to save; what is proposed, a path or a name.
    fn save(&mut self, title: &str, proposed: &Path, endings: &[&str], told: Told);
}

/// The panels' own state: what is open, scrolled, zoomed. The document is not in it.
#[derive(Default)]
pub(crate) struct Panels {
    pub canvas: Canvas,
    pub inspector: Inspector,
    pub plan: PlanView,
    pub queue: QueuePanel,
    pub viewer: Viewer,
    pub models: ModelsPanel,
    pub history: HistoryPanel,
}

/// The window.
pub struct Window {
    /// Everything it shows.
    pub studio: Studio,
    pictures: Pictures,
    panels: Panels,
    gallery: Gallery,
    palette: Palette,
    settings: SettingsWindow,
    tree: Tree<Pane>,
    lit: HashSet<NodeId>,
    dialogs: Box<dyn Dialogs>,
    /// The gallery covers the canvas.
    show_gallery: bool,
    /// The document that was asked for at the start is still being read.
    waiting: bool,
    /// The desktop's dialog that is open.
    asking: Option<wishes::Asking>,
    /// It did not answer: our own is shown from now on.
    mute: bool,
    /// Our own file dialog and what it is open for.
    browse: Option<(wishes::Purpose, browse::Browse)>,
    /// What had the focus when the last frame ended.
    focused: Option<egui::Id>,
    /// Commands that wait until what is being typed was taken in.
    waiting_commands: Vec<Command>,
    /// The desktop was asked for what was copied last.
    pasting: Option<wishes::Pasting>,
    /// Closing the window needs no more asking.
    quitting: bool,
    /// Which document was drawn last: a new one is shown whole.
    shown: u64,
    /// It has just been opened: its nodes may need places.
    fresh: bool,
    title: String,
    drawn: Option<Drawn>,
}

/// What the style was last made for.
#[derive(Clone, PartialEq)]
struct Drawn {
    theme: longtake_editor::settings::Theme,
    scale: f32,
    language: Language,
}

impl Window {
    /// A window of that studio. The gallery shows when nothing is open.
    pub fn new(ctx: &egui::Context, studio: Studio, dialogs: Box<dyn Dialogs>) -> Self {
        theme::fonts(ctx);
        let waiting = studio.files.opening();
        let show_gallery = !waiting && is_empty(&studio);
        Self {
            pictures: Pictures::default(),
            panels: Panels::default(),
            gallery: Gallery::default(),
            palette: Palette::default(),
            settings: SettingsWindow::default(),
            tree: dock::tree(&studio.settings),
            lit: HashSet::new(),
            dialogs,
            show_gallery,
            waiting,
            asking: None,
            mute: false,
            browse: None,
            focused: None,
            waiting_commands: Vec::new(),
            pasting: None,
            quitting: false,
            shown: studio.session.opened(),
            fresh: true,
            title: String::new(),
            drawn: None,
            studio,
        }
    }

    /// Shows previews that stay on the device that the window draws with.
    pub fn share(&mut self, device: Rc<dyn DeviceTextures>) {
        self.pictures.share(device);
    }

    /// Draws one frame and does what was asked in it.
    pub fn ui(&mut self, ui: &mut egui::Ui) {
        let ctx = ui.ctx().clone();
        self.restyle(&ctx);
        let back = |event: &egui::Event| matches!(event, egui::Event::WindowFocused(true));
        if ctx.input(|input| input.events.iter().any(back)) {
            self.studio.look_again();
        }
        self.studio.tick();
        self.came_back(&ctx);
        let held = self.held(&ctx);
        let commands = self.first_commands(&ctx, held);
        let mut actions = Vec::new();
        self.draw(ui, &mut actions);
        actions.extend(dropped(&ctx, &self.studio));
        actions.extend(unfinished::left(&ctx, &self.studio));
        actions.extend(commands.into_iter().map(Action::Command));
        actions.extend(keys::rest(&ctx, &self.studio, held));
        self.hear_clipboard(&ctx, &mut actions);
        for action in actions {
            self.studio.act(action);
        }
        self.focused = ctx.memory(egui::Memory::focused);
        self.grant(&ctx);
        self.hear_dialog();
        self.browse_ui(&ctx);
        self.begin_document();
        self.retitle(&ctx);
    }

    /// The window comes back to front: that is when a checkpoint was put into its folder, whichever
    /// panel shows.
    fn came_back(&mut self, ctx: &egui::Context) {
        let back = |event: &egui::Event| matches!(event, egui::Event::WindowFocused(true));
        if ctx.input(|it| it.raw.events.iter().any(back)) {
            self.panels.models.again();
            self.gallery.again();
        }
    }

    /// Who has the keyboard.
    fn held(&self, ctx: &egui::Context) -> keys::Held {
        let picking = self.palette.is_open() || self.panels.canvas.searching();
        let held = keys::Held {
            all: self.studio.question.is_some()
                || self.browse.is_some()
                || picking
                || self.settings.records(),
            escape: self.panels.canvas.busy(),
            gallery: self.show_gallery,
            ..keys::Held::default()
        };
        held.see(ctx, self.focused)
    }

    /// Commands to run after this frame's edits. One that is pressed while something is half typed
    /// waits a frame, in which the field has lost the focus and tells what was typed.
    fn first_commands(&mut self, ctx: &egui::Context, held: keys::Held) -> Vec<Command> {
        let mut ready = std::mem::take(&mut self.waiting_commands);
        if !ready.is_empty()
            && let Some(id) = ctx.memory(egui::Memory::focused)
        {
            ctx.memory_mut(|it| it.surrender_focus(id));
        }
        let pressed = keys::first(ctx, &self.studio, held);
        if held.typing && ready.is_empty() && !pressed.is_empty() {
            self.waiting_commands = pressed;
            ctx.request_repaint();
        } else {
            ready.extend(pressed);
        }
        ready
    }

    /// The person closes the window from outside: false when a question comes first.
    pub fn may_close(&mut self) -> bool {
        if !self.quitting {
            self.studio.act(Action::Command(Command::Quit));
        }
        self.quitting
    }

    /// A document that was just opened is shown whole, without the gallery.
    fn begin_document(&mut self) {
        if self.waiting && !self.studio.files.opening() {
            self.waiting = false;
            // It could not be read: the gallery shows after all.
            self.show_gallery = is_empty(&self.studio);
        }
        let opened = self.studio.session.opened();
        if opened != self.shown {
            self.shown = opened;
            self.show_gallery = false;
            self.fresh = true;
            self.panels.plan.begin_document();
            self.panels.viewer.begin_document();
            self.panels.canvas.wish(CanvasAction::Fit);
        }
        if self.fresh && self.studio.untangle() {
            self.fresh = false;
            self.panels.canvas.wish(CanvasAction::Fit);
        }
    }

    fn draw(&mut self, ui: &mut egui::Ui, actions: &mut Vec<Action>) {
        let ctx = ui.ctx().clone();
        self.pictures.begin(&ctx, &self.studio);
        let mut lit = std::mem::take(&mut self.lit);
        let mut cx = Cx {
            studio: &self.studio,
            actions,
            pictures: &mut self.pictures,
            lit: &mut lit,
        };
        egui::Panel::top("menu").show(ui, |ui| menu::menu_ui(ui, &mut cx));
        if self.show_gallery {
            let frame = egui::Frame::central_panel(ui.style()).fill(theme::of(ui).canvas);
            egui::CentralPanel::default()
                .frame(frame)
                .show(ui, |ui| self.gallery.ui(ui, &mut cx));
        } else {
            let frame = egui::Frame::NONE.fill(theme::of(ui).canvas);
            egui::CentralPanel::default().frame(frame).show(ui, |ui| {
                let mut behavior = dock::Panes {
                    panels: &mut self.panels,
                    cx: &mut cx,
                    edited: false,
                };
                self.tree.ui(&mut behavior, ui);
                if behavior.edited {
                    let mut settings = cx.studio.settings.clone();
                    dock::keep(&self.tree, &mut settings);
                    if settings != cx.studio.settings {
                        cx.act(Action::SetSettings(Box::new(settings)));
                    }
                }
            });
        }
        self.palette.ui(&ctx, &mut cx);
        self.settings.ui(&ctx, &mut cx);
        messages::ui(&ctx, &mut cx);
        question::ui(&ctx, &mut cx);
        self.lit = lit;
    }

    fn restyle(&mut self, ctx: &egui::Context) {
        let wanted = Drawn {
            theme: self.studio.settings.theme,
            scale: self.studio.settings.scale,
            language: self.studio.language(),
        };
        if self.drawn.as_ref() != Some(&wanted) {
            theme::apply(ctx, wanted.theme, wanted.scale);
            self.drawn = Some(wanted);
        }
    }

    /// The desktop's title bar names the document, with a dot while it differs from its file.
    fn retitle(&mut self, ctx: &egui::Context) {
        let title = self.studio.title();
        if title != self.title {
            ctx.send_viewport_cmd(egui::ViewportCommand::Title(title.clone()));
            self.title = title;
        }
    }
}

/// Whether nothing is open.
fn is_empty(studio: &Studio) -> bool {
    studio.session.path.is_none() && studio.session.project().nodes.is_empty()
}

/// A file dropped onto the window that no parameter took: opened; with Alt held, put into the open
/// graph.
fn dropped(ctx: &egui::Context, studio: &Studio) -> Option<Action> {
    let (files, alt) = ctx.input(|it| (it.raw.dropped_files.clone(), it.modifiers.alt));
    let path = files.into_iter().find_map(|file| file.path)?;
    Some(if alt {
        Action::Insert(path, studio.mouse)
    } else {
        Action::Open(path)
    })
}

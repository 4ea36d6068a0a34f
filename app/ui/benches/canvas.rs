//! What the canvas costs: `make bench-canvas`. Headless: one frame is `run_ui` and tessellation at
//! 1920×1080; what the graphics card does then is not in it. Medians of 50 frames, the mouse moving.
//! In brackets the mean time this thread had a processor, which a busy machine does not stretch (the
//! system counts it in steps of up to 4 ms, so a single frame of it says nothing).
//!
//! Nodes have eight parameters on average (samplers and a node with one of each kind) and two links.

use std::time::{Duration, Instant};

use egui::{Context, Event, Pos2, RawInput, Rect, pos2, vec2};
use longtake_editor::testing::{link, node, studio};
use longtake_editor::{Action, CanvasAction, Item, Selection, Studio};
use longtake_graph::{Project, read_bytes};
use longtake_ui::canvas::Canvas;
use longtake_ui::{Cx, Dialogs, Pictures, Window, theme};

/// Frames a figure is the median of.
const FRAMES: usize = 50;
/// Nodes in a column.
const COLUMN: usize = 25;

/// A desktop without dialogs.
struct NoDesktop;

impl Dialogs for NoDesktop {
    fn answer(&self) -> bool {
        false
    }
    fn open(&mut self, _: &str, _: &[&str], _: longtake_ui::Told) {}
    fn save(&mut self, _: &str, _: &std::path::Path, _: &[&str], _: longtake_ui::Told) {}
}

fn main() {
    longtake_ui::memory::keep_between_frames();
    let began = Instant::now();
    let ctx = Context::default();
    let mut window = Window::new(&ctx, studio(graph(100)), Box::new(NoDesktop));
    let input = RawInput {
        screen_rect: Some(Rect::from_min_size(Pos2::ZERO, vec2(1920.0, 1080.0))),
        ..RawInput::default()
    };
    let output = ctx.run_ui(input, |ui| window.ui(ui));
    let shapes = ctx.tessellate(output.shapes, output.pixels_per_point);
    assert!(!shapes.is_empty());
    let first = millis(began.elapsed());
    println!("whole window, first frame, 100 nodes {first:8.1} ms   (goal < 1000)");
    println!(
        "resident memory          {:8.1} MB   (goal < 150)",
        resident() / 1e6
    );
    println!();
    println!("ms a frame: median (mean on the processor)");
    println!("nodes   in view      at 1:1         in view   all in view");
    let mut times = Vec::new();
    for count in [100, 500, 1000, 5000] {
        let near = measure(graph(count), CanvasAction::ZoomOne);
        let far = measure(graph(count), CanvasAction::Fit);
        println!("{count:5}  {near}  {far}");
        times.push((count, near, far));
    }
    println!();
    let of = |wanted: usize| times.iter().find(|it| it.0 == wanted);
    if let (Some((_, near, far)), Some((_, half_near, half_far))) = (of(1000), of(500)) {
        println!(
            "t(1000)/t(500)           {:.2} at 1:1, {:.2} all in view   (goal < 2.2)",
            near.median / half_near.median,
            far.median / half_far.median
        );
        println!(
            "goals at 1000            1:1 < 8 ms {}, all in view < 16 ms {}",
            met(near.median < 8.0),
            met(far.median < 16.0)
        );
    }
    most_widgets();
    gestures();
    idle();
    files();
}

fn met(goal: bool) -> &'static str {
    if goal { "met" } else { "MISSED" }
}

/// What frames of one kind take.
struct Took {
    seen: usize,
    median: f64,
    processor: f64,
}

impl std::fmt::Display for Took {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            seen,
            median,
            processor,
        } = self;
        write!(f, "{seen:8} {median:8.2} ({processor:5.2})")
    }
}

/// A canvas over a studio, without a window.
struct Stage {
    ctx: Context,
    studio: Studio,
    canvas: Canvas,
    pictures: Pictures,
    lit: std::collections::HashSet<longtake_graph::NodeId>,
    time: f64,
    events: Vec<Event>,
    asked: Duration,
}

impl Stage {
    fn new(project: Project) -> Self {
        let ctx = Context::default();
        theme::fonts(&ctx);
        theme::apply(&ctx, longtake_editor::settings::Theme::Dark, 1.0);
        Self {
            ctx,
            studio: studio(project),
            canvas: Canvas::default(),
            pictures: Pictures::default(),
            lit: std::collections::HashSet::new(),
            time: 0.0,
            events: Vec::new(),
            asked: Duration::ZERO,
        }
    }

    /// One frame, tessellated; how long it took, milliseconds.
    fn frame(&mut self) -> f64 {
        self.time += 1.0 / 60.0;
        let input = RawInput {
            screen_rect: Some(Rect::from_min_size(Pos2::ZERO, vec2(1920.0, 1080.0))),
            time: Some(self.time),
            events: std::mem::take(&mut self.events),
            focused: true,
            ..RawInput::default()
        };
        let began = Instant::now();
        let mut actions: Vec<Action> = Vec::new();
        let (studio, canvas, pictures, lit) = (
            &self.studio,
            &mut self.canvas,
            &mut self.pictures,
            &mut self.lit,
        );
        let output = self.ctx.run_ui(input, |ui| {
            let mut cx = Cx {
                studio,
                actions: &mut actions,
                pictures,
                lit,
            };
            canvas.ui(ui, &mut cx);
        });
        for action in actions {
            self.studio.act(action);
        }
        let delays = output.viewport_output.values().map(|it| it.repaint_delay);
        self.asked = delays.min().unwrap_or(Duration::MAX);
        let meshes = self.ctx.tessellate(output.shapes, output.pixels_per_point);
        let passed = millis(began.elapsed());
        std::hint::black_box(meshes);
        passed
    }

    /// The document's plan, as it would be known a moment after opening.
    fn plan(&mut self) {
        let until = Instant::now() + Duration::from_secs(20);
        self.studio.tick();
        while self.studio.planned.revision != self.studio.session.revision()
            || self.studio.planned.plan.is_none() && self.studio.planned.diagnostics.is_empty()
        {
            std::thread::sleep(Duration::from_millis(5));
            self.studio.tick();
            if Instant::now() > until {
                println!("(no plan came within 20 s)");
                return;
            }
        }
    }

    /// What frames take while the mouse moves, and how many nodes show.
    fn took(&mut self) -> Took {
        let mut times = Vec::new();
        let began = on_processor();
        for n in 0..FRAMES {
            let at = pos2(400.0 + n as f32 * 20.0, 300.0 + (n % 7) as f32 * 60.0);
            self.events.push(Event::PointerMoved(at));
            times.push(self.frame());
        }
        let processor = (on_processor() - began) / 1e6 / FRAMES as f64;
        let shown = self.canvas.view().shown(vec2(1920.0, 1080.0));
        let nodes = self.canvas.layout().nodes.iter();
        Took {
            seen: nodes.filter(|it| it.rect.intersects(shown)).count(),
            median: median(times),
            processor,
        }
    }

    fn wish(&mut self, wish: CanvasAction) {
        self.canvas.wish(wish);
        for _ in 0..40 {
            self.frame();
        }
    }
}

/// What a graph takes in that view, and how many nodes show.
fn measure(project: Project, wish: CanvasAction) -> Took {
    let mut stage = Stage::new(project);
    stage.plan();
    stage.frame();
    stage.wish(wish);
    stage.took()
}

/// As far out as widgets are drawn: twelve columns of four nodes.
fn most_widgets() {
    let mut stage = Stage::new(graph(1000));
    stage.plan();
    stage.frame();
    let block = (0..12 * COLUMN).filter(|n| n % COLUMN < 4);
    let items = block.map(|n| Item::Node(n.to_string().as_str().into()));
    stage.studio.act(Action::Select(Selection::of(items)));
    stage.wish(CanvasAction::FitSelection);
    println!(
        "most widgets, 1,000     {}   nodes in view, ms",
        stage.took()
    );
}

/// The frame right after an edit, which lays everything out anew.
fn gestures() {
    let mut stage = Stage::new(graph(1000));
    stage.plan();
    stage.frame();
    stage.wish(CanvasAction::ZoomOne);
    let mut times = Vec::new();
    for n in 0..FRAMES {
        let edit = longtake_graph::Edit::Move {
            id: "500".into(),
            pos: Some([n as f32, 0.0]),
        };
        let label = longtake_editor::t("Move", "移動");
        stage.studio.act(Action::Edit(label, edit));
        times.push(stage.frame());
    }
    println!(
        "frame after an edit       {:7.2} ms   1,000 nodes at 1:1",
        median(times)
    );
}

fn idle() {
    let mut stage = Stage::new(graph(1000));
    for _ in 0..60 {
        stage.frame();
    }
    let still = stage.asked > Duration::from_hours(1);
    println!(
        "idle                      {}",
        if still {
            "no repaint is asked for"
        } else {
            "REPAINTS"
        }
    );
}

fn files() {
    let project = graph(1000);
    let began = Instant::now();
    let text = project.to_json();
    let save = millis(began.elapsed());
    let began = Instant::now();
    let read = read_bytes("bench", text.as_bytes());
    let load = millis(began.elapsed());
    let whole = read.is_ok_and(|(again, ..)| again == project);
    println!(
        "1,000 nodes as a file     save {save:.1} ms, load {load:.1} ms, {:.0} kB, {}",
        text.len() as f64 / 1e3,
        if whole {
            "the same after"
        } else {
            "NOT THE SAME"
        },
    );
}

/// Samplers and nodes with a parameter of each kind by turns, a text every twentieth.
fn graph(count: usize) -> Project {
    let mut project = Project::default();
    let class_of = |n: usize| match n {
        n if n % 20 == 0 => "CLIPTextEncode",
        n if n % 2 == 0 => "KSampler",
        _ => "Everything",
    };
    for n in 0..count {
        let pos = [(n / COLUMN) as f32 * 330.0, (n % COLUMN) as f32 * 520.0];
        let node = node(class_of(n), pos, &[]);
        project.nodes.insert(n.to_string().as_str().into(), node);
    }
    for n in 0..count {
        let to = n.to_string();
        let text = (n / 20 * 20).to_string();
        match class_of(n) {
            "KSampler" => {
                for input in ["positive", "negative"] {
                    link(&mut project, &to, input, &text, 0);
                }
                if n > 4 && class_of(n - 2) == "KSampler" {
                    link(&mut project, &to, "latent_image", &(n - 2).to_string(), 0);
                }
            }
            "Everything" if n > 2 => link(&mut project, &to, "images", &(n - 2).to_string(), 0),
            _ => {}
        }
    }
    project
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

/// Nanoseconds this thread has had a processor; of the clock where the system does not tell.
fn on_processor() -> f64 {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let first = told.and_then(|it| it.split(' ').next()?.parse::<f64>().ok());
    first.unwrap_or_else(|| {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        now.unwrap_or_default().as_nanos() as f64
    })
}

/// Bytes of memory this process holds.
fn resident() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kb = line.and_then(|it| it.trim().trim_end_matches(" kB").trim().parse::<f64>().ok());
    kb.unwrap_or(f64::NAN) * 1024.0
}

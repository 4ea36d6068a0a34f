//! The graph on a canvas of our own.
//!
//! **Why our own.** egui-snarl 0.12 was measured first: it does not cull. Every node runs its whole
//! UI each frame, also out of view: 1,000 nodes with three widgets each took 108 ms a frame at 1:1
//! with ten in view, and 157 ms with all in view; its lookup of links scans them all for every pin.
//! Told what is in view it still took 19 ms, and it has ids, an order and link sets of its own,
//! which our document would have to mirror. This canvas knows each node's size without drawing it
//! ([`measure`]), so what is out of view costs a comparison, and it has nothing to keep in step.
//! `make bench-canvas` prints what it costs: in the dev profile (our crates and egui at opt-level 2) on
//! two cores, nodes of eight parameters, 2.7 ms a frame at 1:1 and 1.3 ms with all 1,000 in view.
//!
//! **Invariants.** It holds view state only: what shows, what the mouse holds, open menus. Every
//! gesture becomes one `Edit` when it ends. It asks for a repaint only while something moves.
//!
//! - [`view`]: pan, zoom, glide. [`layout`], [`measure`], [`outlook`]: where everything stands, made
//!   once per change. [`hit`]: what is under a point.
//! - [`mouse`], [`gestures`], `finish`: from the mouse to edits. [`guides`]: what is dragged lines up.
//! - [`lod`]: nodes from far. [`node`], [`rows`], [`picture`], [`status`], [`rename`]: nodes from
//!   near, drawn at 1:1 in a layer that is then transformed, [`crisp`]. [`links`], [`strokes`]: one
//!   mesh for all links. [`groups`], [`notes`], [`minimap`].
//! - [`search`], [`menu`]: what opens at the mouse. `border`: a subgraph's ports.

mod border;
pub mod crisp;
mod finish;
pub mod gestures;
pub mod groups;
pub mod guides;
pub mod hit;
pub mod layout;
pub mod links;
pub mod lod;
pub mod measure;
pub mod menu;
pub mod minimap;
pub mod mouse;
pub mod node;
pub mod notes;
pub mod outlook;
mod paint;
pub mod picture;
pub mod rename;
pub mod rows;
mod scene;
pub mod search;
pub mod status;
pub mod strokes;
mod texts;
pub mod view;

use std::collections::HashMap;

use egui::{Context, Id, Pos2, Rect, Sense, Ui, Vec2};
use longtake_editor::{Action, CanvasAction, Item, LooseLink, Selection, Studio};
use longtake_graph::{InputType, NodeId};

use self::gestures::Gesture;
use self::hit::Hit;
use self::layout::Layout;
use self::menu::{Menu, Wish};
use self::mouse::Mouse;
use self::rename::Editing;
use self::search::Search;
use self::view::{Glide, View};
use crate::Cx;
use crate::widgets::dropping;

/// The graph on a canvas.
#[derive(Default)]
pub struct Canvas {
    view: View,
    glide: Option<Glide>,
    /// Views of graphs that were open before, by the instances entered.
    views: HashMap<Vec<NodeId>, View>,
    /// Which graph is open: the document, and the instances entered.
    open: Option<(u64, Vec<NodeId>)>,
    layout: Layout,
    /// Nodes in the order they are drawn, lowest first.
    order: Vec<usize>,
    /// Nodes brought to the front, the newest last.
    front: Vec<NodeId>,
    gesture: Gesture,
    hover: Hit,
    /// What was under the mouse when its button went down.
    pressed: Hit,
    /// What that belongs to: positions change when the layout is made anew.
    pressed_of: Option<Pressed>,
    /// That press selected something, so its release must not unselect it.
    fresh_press: bool,
    /// The middle button pans.
    middle: bool,
    /// The wheel is two fingers on a pad.
    fingers: bool,
    last_mouse: Pos2,
    menu: Option<Menu>,
    search: Option<Search>,
    editing: Option<Editing>,
    /// Heights of the pictures below nodes.
    pictures: HashMap<NodeId, f32>,
    /// The canvas on the screen: its corner and size.
    place: (Pos2, Vec2),
    /// Ids of the nodes drawn in the last frame.
    parts: Vec<Id>,
    /// Wishes that wait for a size to be known.
    wishes: Vec<CanvasAction>,
}

/// What the mouse went down on, whatever its position in the layout.
#[derive(Debug, PartialEq)]
enum Pressed {
    Item(Item),
    /// A link, by the input it stands at.
    Wire(NodeId, String),
}

impl Canvas {
    /// Draws it.
    pub fn ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        let area = ui.available_rect_before_wrap();
        ui.allocate_rect(area, Sense::hover());
        let asked = cx.actions.len();
        let resized = self.place.1 != area.size();
        self.place = (area.min, area.size());
        self.refresh(cx);
        self.changed_graph(cx.studio, resized);
        self.grant(ui.ctx(), cx);
        self.glide_on(ui.ctx());
        let background = ui.id().with("canvas");
        let mouse = Mouse::read(ui.ctx(), background, &self.parts);
        if mouse.over || !self.gesture.idle() {
            self.last_mouse = mouse.at;
        }
        self.mouse(ui.ctx(), cx, &mouse);
        scene::draw(self, ui, cx, background);
        self.take_dropped(ui.ctx(), cx);
        self.finish_unseen(cx);
        self.popups(ui, cx);
        let told = |it: &Action| !matches!(it, Action::Mouse(_) | Action::Sizes(_));
        if cx.actions[asked..].iter().any(told) {
            ui.ctx().request_repaint();
        }
    }

    /// Does what only the canvas can do, when it is drawn next.
    pub fn wish(&mut self, wish: CanvasAction) {
        self.wishes.push(wish);
    }

    /// Whether the node search is open.
    pub fn searching(&self) -> bool {
        self.search.is_some()
    }

    /// Whether Escape is the canvas' own: it ends a gesture, a menu, a title being written.
    pub fn busy(&self) -> bool {
        !self.gesture.idle()
            || self.menu.is_some()
            || self.search.is_some()
            || self.editing.is_some()
    }

    /// The canvas on the screen.
    pub fn area(&self) -> Rect {
        Rect::from_min_size(self.place.0, self.place.1)
    }

    /// What part of the graph shows.
    pub fn view(&self) -> View {
        self.view
    }

    /// The point of the graph under a point of the screen.
    pub fn graph_at(&self, screen: Pos2) -> Pos2 {
        let at = (screen - self.area().min - self.view.offset) / self.view.zoom;
        at.to_pos2()
    }

    /// The point of the screen over a point of the graph.
    pub fn screen_at(&self, graph: Pos2) -> Pos2 {
        self.area().min + self.view.offset + graph.to_vec2() * self.view.zoom
    }

    /// Where everything stands.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Lays out what changed, unless a gesture shows its own picture of it.
    fn refresh(&mut self, cx: &mut Cx<'_>) {
        let studio = cx.studio;
        let busy = matches!(
            self.gesture,
            Gesture::Moving { .. } | Gesture::Resizing { .. }
        );
        if !busy {
            let salt = self.salt();
            if self.layout.refresh(studio, &self.pictures, salt) {
                if self.pressed_of() != self.pressed_of {
                    self.pressed = Hit::Nothing;
                }
                let sizes = self.layout.nodes.iter();
                let sizes = sizes.map(|it| (it.id.clone(), it.rect.size().into()));
                cx.act(Action::Sizes(sizes.collect()));
            }
        }
        let front = &self.front;
        let raised: Vec<usize> = front
            .iter()
            .filter_map(|id| self.layout.index.get(id).copied())
            .collect();
        self.order.clear();
        let rest = 0..self.layout.nodes.len();
        if raised.is_empty() {
            self.order.extend(rest);
        } else {
            let above: std::collections::HashSet<usize> = raised.iter().copied().collect();
            self.order.extend(rest.filter(|it| !above.contains(it)));
            self.order.extend(raised);
        }
    }

    /// What the mouse went down on.
    fn pressed_of(&self) -> Option<Pressed> {
        if let Hit::Wire(wire) = self.pressed {
            let (node, input) = self.wire_end(wire)?;
            return Some(Pressed::Wire(node, input));
        }
        self.pressed.item(&self.layout).map(Pressed::Item)
    }

    /// Changes with the heights of pictures.
    fn salt(&self) -> u64 {
        let sum: f32 = self.pictures.values().sum();
        (self.pictures.len() as u64) << 32 | u64::from(sum.to_bits())
    }

    /// Another graph is open: the view it had, or all of it.
    fn changed_graph(&mut self, studio: &Studio, resized: bool) {
        let session = &studio.session;
        let scope: Vec<NodeId> = session
            .scope()
            .iter()
            .map(|it| it.instance.clone())
            .collect();
        let now = (session.opened(), scope);
        let Some(before) = self.open.replace(now.clone()) else {
            self.jump_to_fit();
            return;
        };
        if before.0 != now.0 {
            self.views.clear();
            self.front.clear();
            self.pictures.clear();
            self.let_go();
            self.menu = None;
            self.search = None;
            self.layout.forget();
            self.jump_to_fit();
        } else if before.1 != now.1 {
            self.views.insert(before.1, self.view);
            self.let_go();
            match self.views.get(&now.1) {
                Some(&view) => {
                    self.view = view;
                    self.glide = None;
                }
                None => self.jump_to_fit(),
            }
        } else if resized && self.layout.nodes.is_empty() {
            self.jump_to_fit();
        }
    }

    /// Another graph shows: nothing of the one before is in hand.
    fn let_go(&mut self) {
        self.gesture = Gesture::Idle;
        self.pressed = Hit::Nothing;
        self.pressed_of = None;
        self.editing = None;
    }

    fn jump_to_fit(&mut self) {
        self.glide = None;
        self.view = match self.layout.bounds() {
            Some(bounds) => View::fitting(bounds, self.area().size()),
            None => View {
                offset: self.area().size() / 2.0,
                zoom: 1.0,
            },
        };
    }

    fn glide_to(&mut self, to: View) {
        self.glide = (to != self.view).then(|| Glide::new(self.view, to));
    }

    fn glide_on(&mut self, ctx: &Context) {
        let size = self.place.1;
        let Some(glide) = &mut self.glide else { return };
        let dt = ctx.input(|input| input.stable_dt);
        let (view, over) = glide.step(dt, size);
        self.view = view;
        if over {
            self.glide = None;
        }
        ctx.request_repaint();
    }

    /// Grants wishes of the window.
    fn grant(&mut self, ctx: &Context, cx: &mut Cx<'_>) {
        let size = self.area().size();
        for wish in std::mem::take(&mut self.wishes) {
            ctx.request_repaint();
            match wish {
                CanvasAction::Fit => {
                    if let Some(bounds) = self.layout.bounds() {
                        self.glide_to(View::fitting(bounds, size));
                    }
                }
                CanvasAction::FitSelection => {
                    let items = cx.studio.session.selection.items();
                    let rects = items.filter_map(|it| self.layout.rect_of(it));
                    let bounds = rects.reduce(|a, b| a.union(b)).or(self.layout.bounds());
                    if let Some(bounds) = bounds {
                        self.glide_to(View::fitting(bounds, size));
                    }
                }
                CanvasAction::ZoomOne => {
                    let middle = self.view.shown(size).center();
                    self.glide_to(self.view.centred(middle, size, 1.0));
                }
                CanvasAction::Reveal(id) => self.reveal(cx, &id),
                CanvasAction::SearchNode => self.open_search(None),
                CanvasAction::SearchFor(link, kind) => self.open_search(Some((link, kind))),
                CanvasAction::Rename => {
                    let graph = cx.studio.session.graph();
                    if let Some(item) = cx.studio.session.selection.focus().cloned() {
                        self.rename(graph, item);
                    }
                }
            }
        }
    }

    /// A file dropped onto a node that has a parameter for it becomes that parameter's.
    fn take_dropped(&self, ctx: &Context, cx: &mut Cx<'_>) {
        let dropped = ctx.input(|input| !input.raw.dropped_files.is_empty());
        let Some(node) = self.hover.node().filter(|_| dropped) else {
            return;
        };
        let node = &self.layout.nodes[node];
        for input in &node.shape.inputs {
            let kind = input.decl.map(|it| &it.ty);
            if let Some(InputType::File { what }) = kind
                && let Some(path) = dropping::taken(ctx, &[*what])
            {
                return cx.act(Action::TakeFile {
                    node: node.id.clone(),
                    input: input.name.clone(),
                    path,
                });
            }
        }
    }

    /// Opens the search at the mouse, or where it can be seen.
    fn open_search(&mut self, link: Option<(LooseLink, String)>) {
        let inside = self.area().shrink(40.0).contains(self.last_mouse);
        let at = if inside {
            self.last_mouse
        } else {
            self.area().center() - egui::vec2(200.0, 120.0)
        };
        self.search = Some(Search::open(self.graph_at(at), at, link));
    }

    fn reveal(&mut self, cx: &mut Cx<'_>, id: &NodeId) {
        let item = Item::Node(id.clone());
        let Some(rect) = self.layout.rect_of(&item) else {
            return;
        };
        self.raise(id);
        self.bring_near(rect);
        cx.act(Action::Select(Selection::of([item])));
    }

    /// Moves the view to a place, unless it shows from near.
    fn bring_near(&mut self, rect: Rect) {
        let size = self.area().size();
        let shown = self.view.shown(size).contains_rect(rect);
        if !shown || lod::Detail::of(self.view.zoom) < lod::Detail::Full {
            let zoom = self.view.zoom.clamp(0.7, 1.0);
            self.glide_to(self.view.centred(rect.center(), size, zoom));
        }
    }

    /// What is written where nobody can see it any more is taken in.
    fn finish_unseen(&mut self, cx: &mut Cx<'_>) {
        let coming = self.glide.is_some();
        let unseen = self.editing.as_mut().is_some_and(|it| !it.seen(coming));
        let done = unseen.then(|| self.editing.take()).flatten();
        if let Some(action) = done.and_then(Editing::done) {
            cx.act(action);
        }
    }

    /// Begins to write an item's title or text, where it can be seen.
    fn rename(&mut self, graph: &longtake_graph::Project, item: Item) {
        if let Some(mut rect) = self.layout.rect_of(&item) {
            if !matches!(item, Item::Note(_)) {
                rect.max.y = rect.min.y + measure::TITLE;
            }
            self.bring_near(rect);
        }
        let fallback = match &item {
            Item::Node(id) => self
                .layout
                .index
                .get(id)
                .map(|&at| self.layout.nodes[at].title.clone()),
            Item::Group(_) | Item::Note(_) => None,
        };
        self.editing = Editing::begin(graph, item, &fallback.unwrap_or_default());
    }

    /// Brings a node to the front.
    fn raise(&mut self, id: &NodeId) {
        self.front
            .retain(|it| it != id && self.layout.index.contains_key(it));
        self.front.push(id.clone());
    }

    /// What opens at the mouse.
    fn popups(&mut self, ui: &Ui, cx: &mut Cx<'_>) {
        if let Some(mut menu) = self.menu.take() {
            let (wish, open) = menu::menu_ui(ui, cx, &mut menu);
            if open {
                self.menu = Some(menu);
            }
            match wish {
                Some(Wish::Rename(item)) => self.rename(cx.studio.session.graph(), item),
                Some(Wish::Search(at)) => {
                    self.search = Some(Search::open(at, self.screen_at(at), None));
                }
                None => {}
            }
        }
        if let Some(mut search) = self.search.take()
            && search.ui(ui, cx, self.area())
        {
            self.search = Some(search);
        }
    }
}

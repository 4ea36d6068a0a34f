//! The mouse on the canvas: which gesture it begins, how that goes on, what it becomes.

use egui::{
    Context, CursorIcon, Id, Key, Modifiers, MouseWheelUnit, PointerButton, Pos2, Rect, Vec2,
};
use longtake_editor::{Action, Item, LooseLink, Selection};
use longtake_graph::Edit;

use super::gestures::{self, Gesture, Linking};
use super::hit::{self, Hit, Socket};
use super::menu::{Menu, Of};
use super::search::Search;
use super::{Canvas, links, texts};
use crate::Cx;

/// What the mouse did to the canvas in this frame, over its own parts: not over a widget on a node,
/// nor over a window above.
#[derive(Clone, Copy, Debug, Default)]
pub struct Mouse {
    /// Where it is, points of the screen.
    pub at: Pos2,
    /// It rests on the canvas or something of it.
    pub over: bool,
    /// The primary button went down here.
    pressed: bool,
    drag_started: bool,
    /// The primary button is down.
    down: bool,
    clicked: bool,
    double_clicked: bool,
    menu: bool,
    /// Where the button went down.
    origin: Pos2,
    pub(super) modifiers: Modifiers,
    delta: Vec2,
}

impl Mouse {
    /// Reads what egui found for the canvas' parts, by their places in the last frame.
    pub fn read(ctx: &Context, background: Id, parts: &[Id]) -> Self {
        let mut mouse = ctx.input(|input| Self {
            at: input.pointer.latest_pos().unwrap_or_default(),
            origin: input
                .pointer
                .press_origin()
                .or(input.pointer.latest_pos())
                .unwrap_or_default(),
            modifiers: input.modifiers,
            delta: input.pointer.delta(),
            pressed: input.pointer.primary_pressed(),
            down: input.pointer.primary_down(),
            ..Self::default()
        });
        let mut down = false;
        for id in std::iter::once(&background).chain(parts) {
            let Some(part) = ctx.read_response(*id) else {
                continue;
            };
            // A quick click goes down and up within a frame.
            down |= part.is_pointer_button_down_on() || part.clicked() || part.drag_started();
            mouse.over |= *id == background && part.contains_pointer();
            mouse.drag_started |= part.drag_started_by(PointerButton::Primary);
            mouse.clicked |= part.clicked();
            mouse.double_clicked |= part.double_clicked();
            mouse.menu |= part.secondary_clicked();
        }
        mouse.pressed &= down;
        mouse
    }

    fn adding(&self) -> bool {
        self.modifiers.command || self.modifiers.shift
    }
}

impl Canvas {
    /// Takes in what the mouse did.
    pub(super) fn mouse(&mut self, ctx: &Context, cx: &mut Cx<'_>, mouse: &Mouse) {
        self.hover = if mouse.over || !self.gesture.idle() {
            hit::hit(
                &self.layout,
                &self.order,
                self.graph_at(mouse.at),
                self.view.zoom,
            )
        } else {
            Hit::Nothing
        };
        self.tell_where(cx, mouse);
        self.wheel(ctx, mouse);
        self.pan_buttons(ctx, mouse);
        if mouse.pressed {
            self.press(cx, mouse);
        }
        if mouse.drag_started && self.gesture.idle() {
            self.begin(cx, mouse);
        }
        self.go_on(ctx, cx, mouse);
        // Not egui's word for it: a node that scrolled out of view cannot hear that its drag ended.
        if !mouse.down && !self.middle && !self.gesture.idle() {
            self.end(cx);
        }
        if mouse.double_clicked {
            self.double_click(cx, mouse);
        } else if mouse.clicked {
            self.click(cx, mouse);
        }
        if mouse.menu {
            self.open_menu(cx, mouse);
        }
        self.cursor(ctx, mouse);
    }

    fn tell_where(&mut self, cx: &mut Cx<'_>, mouse: &Mouse) {
        let at: [f32; 2] = self.graph_at(mouse.at).into();
        if mouse.over && at != cx.studio.mouse {
            cx.act(Action::Mouse(at));
        }
    }

    /// A wheel zooms to the mouse; two fingers pan, and zoom with Ctrl or by pinching.
    fn wheel(&mut self, ctx: &Context, mouse: &Mouse) {
        if !mouse.over {
            return;
        }
        let (scroll, zoom) = ctx.input(|input| {
            for event in &input.events {
                if let egui::Event::MouseWheel { unit, .. } = event {
                    self.fingers = *unit == MouseWheelUnit::Point;
                }
            }
            (input.smooth_scroll_delta(), input.zoom_delta())
        });
        if zoom == 1.0 && scroll == Vec2::ZERO {
            return;
        }
        self.glide = None;
        let at = mouse.at - self.area().min;
        if zoom != 1.0 {
            self.view.zoom_about(at, zoom);
        } else if self.fingers || mouse.modifiers.shift {
            self.view.offset += scroll;
        } else {
            self.view.zoom_about(at, (scroll.y * 0.0045).exp());
        }
    }

    /// The middle button pans wherever it goes down, over a widget too.
    fn pan_buttons(&mut self, ctx: &Context, mouse: &Mouse) {
        let (pressed, down) = ctx.input(|input| {
            let middle = PointerButton::Middle;
            (
                input.pointer.button_pressed(middle),
                input.pointer.button_down(middle),
            )
        });
        if pressed && mouse.over && self.gesture.idle() {
            self.gesture = Gesture::Panning;
            self.middle = true;
        }
        if self.middle && !down {
            self.middle = false;
            self.gesture = Gesture::Idle;
        }
    }

    /// What goes under the mouse is selected at once, not when the button is let go.
    fn press(&mut self, cx: &mut Cx<'_>, mouse: &Mouse) {
        self.glide = None;
        self.fresh_press = false;
        let at = self.graph_at(mouse.origin);
        self.pressed = hit::hit(&self.layout, &self.order, at, self.view.zoom);
        self.pressed_of = self.pressed_of();
        let Some(item) = self.pressed.item(&self.layout) else {
            return;
        };
        if let Item::Node(id) = &item {
            self.raise(id);
        }
        if matches!(self.pressed, Hit::Socket(_)) || cx.studio.session.selection.has(&item) {
            return;
        }
        self.fresh_press = true;
        cx.act(if mouse.adding() {
            Action::Toggle(item)
        } else {
            Action::Select(Selection::of([item]))
        });
    }

    /// A drag begins: which gesture depends on where.
    fn begin(&mut self, cx: &mut Cx<'_>, mouse: &Mouse) {
        let from = self.graph_at(mouse.origin);
        let hit = self.pressed;
        let graph = cx.studio.session.graph();
        self.gesture = match hit {
            Hit::Socket(socket) => {
                let all = mouse
                    .modifiers
                    .shift
                    .then(|| Linking::all_of(&self.layout, socket));
                let one = || Linking::begin(&self.layout, graph, socket);
                let linking = all.flatten().or_else(one);
                linking.map_or(Gesture::Idle, Gesture::Linking)
            }
            Hit::Corner(_) | Hit::GroupCorner(_) | Hit::NoteCorner(_) => {
                let item = hit.item(&self.layout);
                let start = item.as_ref().and_then(|it| self.layout.rect_of(it));
                match (item, start) {
                    (Some(item), Some(start)) => Gesture::Resizing {
                        item,
                        from,
                        start,
                        now: start,
                    },
                    _ => Gesture::Idle,
                }
            }
            Hit::Wire(_) | Hit::Nothing if mouse.adding() => {
                let before = if mouse.modifiers.shift {
                    cx.studio.session.selection.clone()
                } else {
                    Selection::default()
                };
                Gesture::Boxing { from, before }
            }
            Hit::Wire(_) | Hit::Nothing => Gesture::Panning,
            Hit::Node(_) | Hit::Title(_) | Hit::Fold(_) | Hit::Group(_) | Hit::Note(_) => {
                self.begin_move(cx, mouse, from)
            }
        };
    }

    fn begin_move(&self, cx: &Cx<'_>, mouse: &Mouse, from: Pos2) -> Gesture {
        let Some(item) = self.pressed.item(&self.layout) else {
            return Gesture::Panning;
        };
        let selection = &cx.studio.session.selection;
        let mut roots = vec![item.clone()];
        if selection.has(&item) {
            roots.extend(selection.items().filter(|it| **it != item).cloned());
        }
        Gesture::Moving {
            items: gestures::moving(&self.layout, &roots, mouse.modifiers.alt),
            from,
            moved: Vec2::ZERO,
            guides: Vec::new(),
            into: None,
        }
    }

    /// A gesture goes on while the button is down.
    fn go_on(&mut self, ctx: &Context, cx: &mut Cx<'_>, mouse: &Mouse) {
        if self.gesture.idle() {
            return;
        }
        if ctx.input(|input| input.key_pressed(Key::Escape)) {
            self.cancel(cx);
            return;
        }
        self.follow_edge(ctx, mouse);
        let at = self.graph_at(mouse.at);
        let snap = cx.studio.settings.snap != mouse.modifiers.shift;
        match &mut self.gesture {
            Gesture::Idle => {}
            Gesture::Panning => self.view.offset += mouse.delta,
            Gesture::Boxing { from, before } => {
                let area = Rect::from_two_pos(*from, at);
                let mut selection = before.clone();
                for item in gestures::boxed(&self.layout, area) {
                    selection.add(item);
                }
                if selection != cx.studio.session.selection {
                    cx.act(Action::Select(selection));
                }
            }
            Gesture::Moving { .. } => self.go_on_moving(cx, mouse),
            Gesture::Resizing {
                item,
                from,
                start,
                now,
            } => {
                *now = gestures::resized(*start, at - *from, snap);
                self.layout.place(item, *now);
            }
            Gesture::Linking(linking) => {
                let socket = self.hover.socket();
                let socket = socket.filter(|it| linking.fits(&self.layout, *it));
                let node = || self.hover.node();
                let landing = || node().and_then(|it| linking.landing(&self.layout, it));
                linking.target = socket.or_else(landing);
            }
        }
    }

    /// At the canvas' edge the view goes along.
    fn follow_edge(&mut self, ctx: &Context, mouse: &Mouse) {
        if matches!(self.gesture, Gesture::Panning) {
            return;
        }
        let inner = self.area().shrink(16.0);
        let out = mouse.at - inner.clamp(mouse.at);
        if out == Vec2::ZERO {
            return;
        }
        let dt = ctx.input(|input| input.stable_dt).min(0.05);
        self.view.offset -= out.clamp(Vec2::splat(-40.0), Vec2::splat(40.0)) * dt * 14.0;
        ctx.request_repaint();
    }

    fn click(&mut self, cx: &mut Cx<'_>, mouse: &Mouse) {
        let hit = self.pressed;
        if let Hit::Wire(wire) = hit
            && mouse.modifiers.alt
        {
            if let Some((to, input)) = self.wire_end(wire) {
                cx.act(Action::Disconnect { to, input });
            }
            return;
        }
        if let Hit::Fold(at) = hit {
            let Some(node) = self.layout.nodes.get(at) else {
                return;
            };
            let edit = Edit::Collapse {
                id: node.id.clone(),
                collapsed: !node.collapsed,
            };
            cx.act(Action::Edit(texts::COLLAPSE, edit));
            return;
        }
        match hit.item(&self.layout) {
            None if !mouse.adding() && !cx.studio.session.selection.is_empty() => {
                cx.act(Action::Select(Selection::default()));
            }
            Some(item) if !self.fresh_press => cx.act(if mouse.adding() {
                Action::Toggle(item)
            } else {
                Action::Select(Selection::of([item]))
            }),
            _ => {}
        }
    }

    fn double_click(&mut self, cx: &mut Cx<'_>, mouse: &Mouse) {
        let session = &cx.studio.session;
        match self.pressed {
            Hit::Nothing | Hit::Wire(_) => {
                let graph = self.graph_at(mouse.at);
                self.search = Some(Search::open(graph, mouse.at, None));
            }
            Hit::Title(at) => {
                if let Some(item) = Hit::Title(at).item(&self.layout) {
                    self.rename(session.graph(), item);
                }
            }
            Hit::Node(at) => {
                let Some(node) = self.layout.nodes.get(at) else {
                    return;
                };
                let class = session.graph().nodes.get(&node.id).map(|it| &it.class);
                if class.is_some_and(|it| session.project().subgraphs.contains_key(it)) {
                    cx.act(Action::Enter(node.id.clone()));
                } else if self.pictures.contains_key(&node.flat) {
                    super::picture::view(cx, node);
                }
            }
            hit @ (Hit::Note(_) | Hit::Group(_)) => {
                if let Some(item) = hit.item(&self.layout) {
                    self.rename(session.graph(), item);
                }
            }
            Hit::Fold(_)
            | Hit::Corner(_)
            | Hit::Socket(_)
            | Hit::GroupCorner(_)
            | Hit::NoteCorner(_) => {}
        }
    }

    fn open_menu(&mut self, cx: &mut Cx<'_>, mouse: &Mouse) {
        let graph = self.graph_at(mouse.at);
        let hit = hit::hit(&self.layout, &self.order, graph, self.view.zoom);
        let of = match hit {
            Hit::Nothing => Of::Canvas,
            Hit::Wire(at) => {
                let middle = links::middle(&self.layout, &self.layout.wires[at]);
                match self.wire_end(at) {
                    Some((node, input)) => Of::Wire(node, input, middle),
                    None => Of::Canvas,
                }
            }
            Hit::Node(_)
            | Hit::Title(_)
            | Hit::Fold(_)
            | Hit::Corner(_)
            | Hit::Socket(_)
            | Hit::Group(_)
            | Hit::GroupCorner(_)
            | Hit::Note(_)
            | Hit::NoteCorner(_) => match hit.item(&self.layout) {
                Some(Item::Node(id)) => match self.port_at(hit) {
                    Some((side, index, name)) => Of::Port(side, index, name),
                    None => Of::Node(id),
                },
                Some(item @ (Item::Group(_) | Item::Note(_))) => Of::Frame(item),
                None => Of::Canvas,
            },
        };
        if let Some(item) = hit.item(&self.layout)
            && !cx.studio.session.selection.has(&item)
        {
            cx.act(Action::Select(Selection::of([item])));
        }
        self.menu = Some(Menu {
            of,
            at: mouse.at,
            graph,
        });
    }

    fn cursor(&self, ctx: &Context, mouse: &Mouse) {
        let icon = match (&self.gesture, self.hover) {
            (Gesture::Panning, _) => CursorIcon::Grabbing,
            (Gesture::Moving { .. }, _) => CursorIcon::Move,
            (Gesture::Resizing { .. }, _) => CursorIcon::ResizeNwSe,
            (Gesture::Linking(_) | Gesture::Boxing { .. }, _) => CursorIcon::Crosshair,
            _ if !mouse.over => return,
            (_, Hit::Corner(_) | Hit::GroupCorner(_) | Hit::NoteCorner(_)) => {
                CursorIcon::ResizeNwSe
            }
            (_, Hit::Socket(_)) => CursorIcon::Crosshair,
            (_, Hit::Fold(_) | Hit::Wire(_)) => CursorIcon::PointingHand,
            (
                Gesture::Idle,
                Hit::Nothing | Hit::Node(_) | Hit::Title(_) | Hit::Group(_) | Hit::Note(_),
            ) => return,
        };
        ctx.set_cursor_icon(icon);
    }

    /// The end of the link in hand that stays put, as a socket.
    pub(super) fn loose_socket(&self, link: &LooseLink) -> Option<Socket> {
        match link {
            LooseLink::FromOutput { node, output } => {
                let at = *self.layout.index.get(node)?;
                Some(Socket::Out(at, *output as usize))
            }
            LooseLink::FromInput { node, input } => {
                let at = *self.layout.index.get(node)?;
                let input = self.layout.nodes[at].shape.input_index(input)?;
                Some(Socket::In(at, input))
            }
        }
    }
}

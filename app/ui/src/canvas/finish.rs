//! How a move goes on, and what a gesture becomes when the button is let go.

use egui::{Rect, Vec2};
use longtake_editor::splice::between;
use longtake_editor::{Action, Item};
use longtake_graph::Link;

use super::gestures::{self, Gesture, Linking};
use super::hit::Socket;
use super::layout::Wire;
use super::mouse::Mouse;
use super::search::Search;
use super::{Canvas, guides, links, texts};
use crate::Cx;

/// How near to a link a node must be let go to be put into it, points of the screen.
const INTO: f32 = 14.0;

impl Canvas {
    /// Things follow the mouse: on the grid, or along what stands near; over a link that takes it, a
    /// node shows that it would go into it.
    pub(super) fn go_on_moving(&mut self, cx: &Cx<'_>, mouse: &Mouse) {
        let at = self.graph_at(mouse.at);
        let settings = &cx.studio.settings;
        let snap = settings.snap != mouse.modifiers.shift;
        let shown = self.view.shown(self.area().size());
        let zoom = self.view.zoom;
        let Gesture::Moving { items, from, .. } = &self.gesture else {
            return;
        };
        let by = gestures::snapped(items, at - *from, snap);
        let lines = settings.guides && !snap && !mouse.modifiers.alt;
        let (by, lines) = if lines {
            guides::lined_up(&self.layout, items, by, shown, zoom)
        } else {
            (by, Vec::new())
        };
        let wire = self.wire_for(items, by, mouse);
        if let Gesture::Moving {
            items,
            moved,
            guides,
            into,
            ..
        } = &mut self.gesture
        {
            (*moved, *guides, *into) = (by, lines, wire);
            for (item, rect) in items.iter() {
                self.layout.place(item, rect.translate(by));
            }
        }
    }

    /// The link into which a single node would go: one below the mouse or the node's middle that has
    /// room for it. A node that has links already goes into another one with Alt only.
    fn wire_for(&self, items: &[(Item, Rect)], by: Vec2, mouse: &Mouse) -> Option<usize> {
        let [(Item::Node(id), rect)] = items else {
            return None;
        };
        if by == Vec2::ZERO {
            return None;
        }
        let own = *self.layout.index.get(id)?;
        let node = &self.layout.nodes[own];
        let linked = node.linked.iter().chain(&node.feeds).any(|it| *it);
        if linked && !mouse.modifiers.alt {
            return None;
        }
        let reach = INTO / self.view.zoom;
        let points = [self.graph_at(mouse.at), rect.translate(by).center()];
        points.into_iter().find_map(|at| {
            let takes = |wire: &Wire| {
                let (from, to) = (wire.from.0, wire.to.0);
                from != own && to != own && self.room(own, wire).is_some()
            };
            links::nearest_of(&self.layout, at, reach, takes)
        })
    }

    /// The sockets by which a node would stand in a link.
    fn room(&self, node: usize, wire: &Wire) -> Option<(usize, usize)> {
        let node = &self.layout.nodes[node];
        let (from, to) = (
            &self.layout.nodes[wire.from.0],
            &self.layout.nodes[wire.to.0],
        );
        let carried = &from.shape.outputs.get(wire.from.1)?.kind;
        let wanted = &to.shape.inputs.get(wire.to.1)?.kind;
        between(&node.shape, |it| !node.linked[it], carried, wanted)
    }

    fn put_into(&self, cx: &mut Cx<'_>, items: &[(Item, Rect)], moved: Vec2, wire: usize) {
        let end = self.wire_end(wire);
        if let ([(Item::Node(node), rect)], Some((to, input))) = (items, end) {
            cx.act(Action::PutInto {
                node: node.clone(),
                pos: rect.translate(moved).min.into(),
                to,
                input,
            });
        }
    }

    /// The button is let go: the gesture becomes an edit.
    pub(super) fn end(&mut self, cx: &mut Cx<'_>) {
        let gesture = std::mem::take(&mut self.gesture);
        let graph = cx.studio.session.graph();
        match gesture {
            Gesture::Moving {
                items,
                moved,
                into: Some(wire),
                ..
            } => self.put_into(cx, &items, moved, wire),
            Gesture::Moving {
                mut items, moved, ..
            } if moved != Vec2::ZERO => {
                // A key may have deleted some of them meanwhile.
                items.retain(|(item, _)| item.exists(graph));
                let edit = gestures::move_edit(graph, &items, moved);
                cx.act(Action::Edit(texts::MOVE, edit));
            }
            Gesture::Resizing {
                item, start, now, ..
            } if start != now => {
                if let Some(edit) = gestures::resize_edit(graph, &item, now) {
                    cx.act(Action::Edit(texts::RESIZE, edit));
                }
            }
            Gesture::Linking(linking) => self.land(cx, linking),
            // Nothing came of it, or what did was done on the way.
            Gesture::Idle
            | Gesture::Panning
            | Gesture::Boxing { .. }
            | Gesture::Moving { .. }
            | Gesture::Resizing { .. } => {}
        }
    }

    /// A link is let go: on a socket or node, or over nothing, where the search opens.
    fn land(&mut self, cx: &mut Cx<'_>, linking: Linking) {
        if let Some(bundle) = linking.bundle {
            // Let go over nothing, the links stay where they were.
            if let Some(Socket::Out(node, output)) = linking.target {
                let node = self.layout.nodes[node].id.clone();
                let output = output as u32;
                let from = bundle.from;
                cx.act(Action::MoveLinks {
                    from,
                    to: Link { node, output },
                });
            }
            return;
        }
        let over = self.hover.node();
        let border = over.is_some_and(|it| linking.makes_port(&self.layout, it));
        let target = linking.target.and_then(|it| linking.link(&self.layout, it));
        match (target, linking.taken) {
            (Some((to, input, _)), Some(from)) if from == (to.clone(), input.clone()) => {}
            (Some((to, input, _)), Some(from)) => cx.act(Action::Relink {
                from,
                to: (to, input),
            }),
            (Some((to, input, from)), None) => cx.act(Action::Connect { to, input, from }),
            (None, taken) if border => {
                if let Some((to, input)) = taken {
                    cx.act(Action::Disconnect { to, input });
                }
                cx.act(Action::AddPort(linking.loose));
            }
            (None, Some((to, input))) => cx.act(Action::Disconnect { to, input }),
            (None, None) if self.hover.node().is_none() => {
                let at = self.last_mouse;
                let link = Some((linking.loose, linking.kind));
                self.search = Some(Search::open(self.graph_at(at), at, link));
            }
            (None, None) => {}
        }
    }

    /// Escape: as if the gesture never was.
    pub(super) fn cancel(&mut self, cx: &mut Cx<'_>) {
        if let Gesture::Boxing { before, .. } = &self.gesture {
            cx.act(Action::Select(before.clone()));
        }
        self.gesture = Gesture::Idle;
        self.layout.forget();
    }
}

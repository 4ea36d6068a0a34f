//! How the panels lie and how large they are, as the settings keep it from one start to the next.
//!
//! A panel is its key; a container is an object: `{"across": [..], "shares": [..]}`, the same with
//! `down`, or `{"tabs": [..], "active": 1}`. Whatever in it makes no sense is left out, and without a
//! graph in it the first layout is used: no settings keep the window from opening.

use egui_tiles::{Container, Linear, LinearDir, Tabs, Tile, TileId, Tiles, Tree};
use serde_json::{Map, Value, json};

use super::dock::Pane;

/// Containers within containers that are followed.
const DEPTH: usize = 12;
/// No panel is given less of its neighbours' room than this part of the usual, or more than that.
const SHARES: std::ops::RangeInclusive<f32> = 0.02..=50.0;

/// What the settings keep.
pub fn write(tree: &Tree<Pane>) -> Value {
    let root = tree.root().and_then(|root| tile(&tree.tiles, root));
    root.unwrap_or(Value::Null)
}

fn tile(tiles: &Tiles<Pane>, id: TileId) -> Option<Value> {
    let container = match tiles.get(id)? {
        Tile::Pane(pane) => return Some(Value::from(pane.key())),
        Tile::Container(container) => container,
    };
    let children: Vec<TileId> = container.children_vec();
    let inner = |id: &TileId| tile(tiles, *id).unwrap_or(Value::Null);
    let list: Vec<Value> = children.iter().map(inner).collect();
    Some(match container {
        Container::Tabs(tabs) => {
            let active = children.iter().position(|it| tabs.active == Some(*it));
            json!({"tabs": list, "active": active})
        }
        Container::Linear(linear) => {
            let shares: Vec<Value> = children
                .iter()
                .map(|it| json!((f64::from(linear.shares[*it]) * 1000.0).round() / 1000.0))
                .collect();
            match linear.dir {
                LinearDir::Horizontal => json!({"across": list, "shares": shares}),
                LinearDir::Vertical => json!({"down": list, "shares": shares}),
            }
        }
        // The window makes none.
        Container::Grid(_) => json!({"across": list}),
    })
}

/// The panels as they were kept, with those added that the settings do not know; `None` when the
/// graph is not among them.
pub fn read(kept: &Value) -> Option<Tree<Pane>> {
    let mut reading = Reading {
        tiles: Tiles::default(),
        left: Pane::ALL.to_vec(),
    };
    let root = reading.tile(kept, DEPTH)?;
    if reading.left.contains(&Pane::Canvas) {
        return None;
    }
    reading.add_missing()?;
    Some(Tree::new("panels", root, reading.tiles))
}

struct Reading {
    tiles: Tiles<Pane>,
    /// Panels that did not come yet: each lies in one place.
    left: Vec<Pane>,
}

impl Reading {
    fn tile(&mut self, value: &Value, depth: usize) -> Option<TileId> {
        match value {
            Value::String(key) => {
                let at = self.left.iter().position(|it| it.key() == key)?;
                let pane = self.left.swap_remove(at);
                Some(self.tiles.insert_pane(pane))
            }
            Value::Object(object) if depth > 0 => self.container(object, depth - 1),
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::Array(_)
            | Value::Object(_) => None,
        }
    }

    fn container(&mut self, object: &Map<String, Value>, depth: usize) -> Option<TileId> {
        let list = |key: &str| object.get(key).and_then(Value::as_array);
        if let Some(children) = list("tabs") {
            let active = object.get("active").and_then(Value::as_u64);
            let found = self.children(children, depth);
            let front = found.iter().find(|it| Some(it.0 as u64) == active);
            let front = front.or(found.first()).map(|it| it.1);
            let mut tabs = Tabs::new(found.into_iter().map(|it| it.1).collect());
            tabs.active = Some(front?);
            return Some(self.tiles.insert_container(tabs));
        }
        let (dir, children) = match (list("across"), list("down")) {
            (Some(children), _) => (LinearDir::Horizontal, children),
            (_, Some(children)) => (LinearDir::Vertical, children),
            _ => return None,
        };
        let shares = list("shares");
        let found = self.children(children, depth);
        if found.is_empty() {
            return None;
        }
        let mut linear = Linear::new(dir, found.iter().map(|it| it.1).collect());
        for (at, id) in found {
            let share = shares.and_then(|it| it.get(at)?.as_f64()).unwrap_or(1.0) as f32;
            let share = share.clamp(*SHARES.start(), *SHARES.end());
            linear.shares.set_share(id, share);
        }
        Some(self.tiles.insert_container(linear))
    }

    /// Those that can be read, with their places in the list.
    fn children(&mut self, list: &[Value], depth: usize) -> Vec<(usize, TileId)> {
        let list = list.iter().enumerate();
        list.filter_map(|(at, it)| Some((at, self.tile(it, depth)?)))
            .collect()
    }

    /// Panels of a newer version than the settings become tabs beside others, not beside the graph.
    fn add_missing(&mut self) -> Option<()> {
        if self.left.is_empty() {
            return Some(());
        }
        let canvas = self.tiles.find_pane(&Pane::Canvas)?;
        let others = self.tiles.iter().find_map(|(id, tile)| match tile {
            Tile::Container(Container::Tabs(tabs)) if !tabs.children.contains(&canvas) => Some(*id),
            Tile::Container(_) | Tile::Pane(_) => None,
        });
        let others = others?;
        for pane in std::mem::take(&mut self.left) {
            let id = self.tiles.insert_pane(pane);
            if let Some(Tile::Container(container)) = self.tiles.get_mut(others) {
                container.add_child(id);
            }
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use longtake_editor::Settings;

    use super::super::dock;
    use super::*;

    fn first() -> Tree<Pane> {
        dock::tree(&Settings::default())
    }

    #[test]
    fn what_was_kept_comes_back() {
        let mut tree = first();
        let plan = tree.tiles.find_pane(&Pane::Plan).expect("a plan");
        let below = tree.tiles.parent_of(plan).expect("tabs");
        let middle = tree.tiles.parent_of(below).expect("a column");
        tree.make_active(|_, tile| *tile == Tile::Pane(Pane::Queue));
        if let Some(Tile::Container(Container::Linear(column))) = tree.tiles.get_mut(middle) {
            column.shares.set_share(below, 0.6);
        }
        let kept = write(&tree);
        let again = read(&kept).expect("whole");
        assert_eq!(write(&again), kept);
        assert!(kept.to_string().contains("0.6"), "{kept}");
        assert!(kept.to_string().contains("\"active\":1"), "{kept}");
    }

    #[test]
    fn what_makes_no_sense_is_left_out_and_the_graph_is_always_there() {
        for nothing in [
            json!(null),
            json!(7),
            json!("plan"),
            json!({"tabs": []}),
            json!({"across": ["plan", {"down": ["queue", 5]}]}),
            json!({"across": "canvas"}),
        ] {
            assert!(read(&nothing).is_none(), "{nothing}");
        }
        let mut deep = json!("canvas");
        for _ in 0..200 {
            deep = json!({"tabs": [deep]});
        }
        assert!(read(&deep).is_none());
        let odd = json!({
            "across": [
                "canvas", "canvas", "newer", null,
                {"tabs": ["plan", "canvas", {"down": []}, "queue"], "active": 99},
            ],
            "shares": [-4.0, 1, "x", 2, 1e30],
        });
        let tree = read(&odd).expect("a graph and two more");
        let panes = tree.tiles.tiles().filter(|it| it.is_pane()).count();
        assert_eq!(panes, Pane::ALL.len(), "those that were missing came along");
        let kept = write(&tree);
        assert_eq!(kept["shares"], json!([0.02, 50.0]));
        assert_eq!(kept["across"][1]["active"], 0);
        assert_eq!(kept["across"][0], "canvas");
    }
}

//! Putting another graph into the open one: pasted, duplicated, dropped as a file.

use std::collections::HashMap;

use indexmap::IndexMap;
use longtake_graph::{Edit, Input, Link, NodeId, Project, Subgraph};

use crate::arrange::layout::layout_graph;
use crate::connect::{fits, take_link};
use crate::draft::{Draft, Ids, fresh_key};
use crate::group::around;
use crate::refusal::Refusal;
use crate::scene::{Scene, is_border};
use crate::selection::Item;

/// Where a graph is put.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Placement {
    /// Its top left corner at a point of the open graph.
    At([f32; 2]),
    /// Moved by that much.
    By([f32; 2]),
}

/// The edit of the whole document that puts `fragment` into the open graph, and what is new there.
/// Definitions come along; one that the document has already is shared. With `linked`, links from
/// outside of the fragment stay where the open graph has a node of that id with a fitting output.
///
/// # Errors
/// A subgraph would contain itself.
pub fn insert(
    scene: &Scene<'_>,
    mut fragment: Project,
    placement: Placement,
    linked: bool,
) -> Result<(Edit, Vec<Item>), Refusal> {
    fragment.nodes.retain(|_, node| !is_border(node));
    if fragment.nodes.values().any(|node| node.pos.is_none()) {
        layout_graph(&mut fragment);
    }
    let mut draft = Draft::of_all(scene);
    bring_definitions(scene, &mut draft, &mut fragment)?;
    for node in fragment.nodes.values() {
        if draft.scene(scene.catalog).would_contain_itself(&node.class) {
            return Err(Refusal::Recursion(title(&draft, &node.class, scene)));
        }
    }
    let by = shift(scene.graph(), &fragment, placement);
    let ids = new_ids(scene.graph(), &fragment);
    let mut items = Vec::new();
    put_frames(&mut draft, &fragment, by, &mut items)?;
    for (old, node) in &fragment.nodes {
        let mut node = node.clone();
        let pos = node.pos.unwrap_or_default();
        node.pos = Some([pos[0] + by[0], pos[1] + by[1]]);
        for input in node.inputs.values_mut() {
            if let Input::Link(link) = input
                && let Some(id) = ids.get(&link.node)
            {
                link.node = id.clone();
            }
        }
        let id = ids[old].clone();
        items.push(Item::Node(id.clone()));
        draft.push(Edit::AddNode { id, node, at: None })?;
    }
    cut_loose_ends(scene, &mut draft, &fragment, &ids, linked)?;
    Ok((draft.finish(), items))
}

fn title(draft: &Draft, class: &str, scene: &Scene<'_>) -> String {
    let definition = draft.scene(scene.catalog).root.subgraphs.get(class);
    let title = definition.map_or("", |it| it.graph.title.as_str());
    if title.is_empty() { class } else { title }.to_owned()
}

/// Ids as they came in an empty graph, otherwise the next free numbers.
fn new_ids(graph: &Project, fragment: &Project) -> HashMap<NodeId, NodeId> {
    let mut ids = Ids::of(graph);
    let keep = graph.nodes.is_empty();
    let mut new = |id: &NodeId| if keep { id.clone() } else { ids.take() };
    let pairs = fragment.nodes.keys().map(|id| (id.clone(), new(id)));
    pairs.collect()
}

fn shift(graph: &Project, fragment: &Project, placement: Placement) -> [f32; 2] {
    let [x, y] = match placement {
        Placement::By(by) => return by,
        Placement::At(point) => point,
    };
    let corner = corner(fragment).unwrap_or_default();
    let mut by = [(x - corner[0]).round(), (y - corner[1]).round()];
    // Pasted twice at one place: beside the first, not over it.
    if let Some(pos) = fragment.nodes.values().find_map(|it| it.pos) {
        let taken = |by: [f32; 2]| {
            let there = [pos[0] + by[0], pos[1] + by[1]];
            graph.nodes.values().any(|it| it.pos == Some(there))
        };
        let most = graph.nodes.len();
        for _ in 0..=most {
            if !taken(by) {
                break;
            }
            by = [by[0] + 24.0, by[1] + 24.0];
        }
    }
    by
}

/// Top left corner of all there is.
fn corner(graph: &Project) -> Option<[f32; 2]> {
    let nodes = graph.nodes.values().filter_map(|it| it.pos);
    let nodes = nodes.map(|[x, y]| [x, y, 0.0, 0.0]);
    let groups = graph.groups.values().map(|it| it.bounds);
    let notes = graph.notes.values().map(|it| it.bounds);
    around(nodes.chain(groups).chain(notes)).map(|[x, y, ..]| [x, y])
}

/// Groups and notes of a graph, moved.
pub(crate) fn put_frames(
    draft: &mut Draft,
    fragment: &Project,
    by: [f32; 2],
    items: &mut Vec<Item>,
) -> Result<(), Refusal> {
    let moved = |[x, y, width, height]: [f32; 4]| [x + by[0], y + by[1], width, height];
    for group in fragment.groups.values() {
        let mut group = group.clone();
        group.bounds = moved(group.bounds);
        let id = fresh_key("g", |key| draft.graph().groups.contains_key(key));
        items.push(Item::Group(id.clone()));
        draft.push(Edit::AddGroup {
            id,
            group,
            at: None,
        })?;
    }
    for note in fragment.notes.values() {
        let mut note = note.clone();
        note.bounds = moved(note.bounds);
        let id = fresh_key("n", |key| draft.graph().notes.contains_key(key));
        items.push(Item::Note(id.clone()));
        draft.push(Edit::AddNote { id, note, at: None })?;
    }
    Ok(())
}

/// Links that lead out of the fragment: kept where they fit and are wanted, else taken away.
fn cut_loose_ends(
    scene: &Scene<'_>,
    draft: &mut Draft,
    fragment: &Project,
    ids: &HashMap<NodeId, NodeId>,
    linked: bool,
) -> Result<(), Refusal> {
    for (old, node) in &fragment.nodes {
        for (name, input) in &node.inputs {
            let Input::Link(Link { node: source, .. }) = input else {
                continue;
            };
            if ids.contains_key(source) {
                continue;
            }
            let id = &ids[old];
            let now = draft.scene(scene.catalog);
            let stays = linked
                && match now.node(id).and_then(|it| it.inputs.get(name)) {
                    Some(Input::Link(link)) => {
                        scene.node(&link.node).is_some() && fits(&now, id, name, link).is_ok()
                    }
                    Some(Input::Literal(_)) | None => false,
                };
            if !stays {
                take_link(draft, id, name)?;
            }
        }
    }
    Ok(())
}

/// Adds the definitions of a fragment that the document lacks. One of the same key but another
/// content gets a new key, and so does what uses it.
fn bring_definitions(
    scene: &Scene<'_>,
    draft: &mut Draft,
    fragment: &mut Project,
) -> Result<(), Refusal> {
    let brought = std::mem::take(&mut fragment.subgraphs);
    let renamed = renames(scene, &brought);
    let rename = |graph: &mut Project| {
        for node in graph.nodes.values_mut() {
            if let Some(key) = renamed.get(&node.class) {
                node.class.clone_from(key);
            }
        }
    };
    rename(fragment);
    for (key, mut definition) in brought {
        let key = renamed.get(&key).cloned().unwrap_or(key);
        if scene.root.subgraphs.contains_key(&key) {
            continue;
        }
        rename(&mut definition.graph);
        draft.push_root(Edit::AddSubgraph {
            id: key,
            subgraph: Box::new(definition),
            at: None,
        })?;
    }
    Ok(())
}

fn renames(scene: &Scene<'_>, brought: &IndexMap<String, Subgraph>) -> HashMap<String, String> {
    let mut renamed: HashMap<String, String> = HashMap::new();
    loop {
        let clash = brought.iter().find(|(key, definition)| {
            let there = scene.root.subgraphs.get(*key);
            let mut classes = definition.graph.nodes.values().map(|it| &it.class);
            let differs = there.is_some_and(|it| it != *definition)
                || (there.is_some() && classes.any(|class| renamed.contains_key(class)))
                || (there.is_none() && scene.catalog.declaration(key).is_some());
            differs && !renamed.contains_key(*key)
        });
        let Some((key, _)) = clash else {
            return renamed;
        };
        let taken = |new: &str| {
            let by_class = scene.catalog.declaration(new).is_some();
            let given = brought
                .keys()
                .any(|it| renamed.get(it).is_some_and(|it| it == new));
            by_class || given || scene.root.subgraphs.contains_key(new) || brought.contains_key(new)
        };
        let new = fresh_key(&format!("{key}-"), taken);
        renamed.insert(key.clone(), new);
    }
}

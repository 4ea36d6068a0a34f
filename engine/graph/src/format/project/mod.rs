//! The project file, `*.longtake`: the whole document, versioned, in document order.
//!
//! ```json
//! {
//!   "longtake": 1,
//!   "title": "Rain",
//!   "nodes": {
//!     "7": {
//!       "class": "KSampler", "title": "Shot sampler", "pos": [40, 80], "mode": "mute",
//!       "inputs": {
//!         "model": {"link": ["3", 0]},
//!         "seed": 5
//!       }
//!     }
//!   },
//!   "groups": {"g1": {"title": "Sampling", "bounds": [0, 0, 400, 300]}},
//!   "notes": {"n1": {"text": "try 20 steps", "bounds": [0, 320, 200, 80]}},
//!   "subgraphs": {
//!     "soften": {
//!       "inputs": [{"name": "image", "kind": "IMAGE"}],
//!       "outputs": [{"name": "image", "kind": "IMAGE", "label": "soft"}],
//!       "graph": {"title": "Soften", "nodes": {…}, "groups": {…}, "notes": {…}}
//!     }
//!   }
//! }
//! ```
//!
//! A literal stands as itself. Only an object whose single key is `link` or `literal` could be
//! taken for something else, so it is wrapped: `{"literal": {"link": …}}`. Keys that this version
//! does not know are kept (`extra`) and written back behind the known ones.

mod read;
mod write;

use serde_json::Value;

pub(super) use read::from_json;
pub use write::to_text;

/// The version written, and the newest one read. Subgraphs did not raise it: a program from before
/// them keeps the definitions as unknown keys and the instances as unknown nodes.
pub const VERSION: u64 = 1;

/// What the top of a file holds besides the graph.
const FILE_KEYS: [&str; 2] = ["longtake", "subgraphs"];
const GRAPH_KEYS: [&str; 4] = ["title", "nodes", "groups", "notes"];
/// The fields of a node.
pub(crate) const NODE_KEYS: [&str; 8] = [
    "class",
    "title",
    "pos",
    "size",
    "mode",
    "colour",
    "collapsed",
    "inputs",
];
const GROUP_KEYS: [&str; 3] = ["title", "bounds", "colour"];
const NOTE_KEYS: [&str; 2] = ["text", "bounds"];
const SUBGRAPH_KEYS: [&str; 3] = ["inputs", "outputs", "graph"];
const PORT_KEYS: [&str; 3] = ["name", "kind", "label"];

/// The single key and its value, of an object that could be taken for a link or a wrapped literal.
fn wrapper(value: &Value) -> Option<(&str, &Value)> {
    let map = value.as_object().filter(|map| map.len() == 1)?;
    let (key, inner) = map.iter().next()?;
    matches!(key.as_str(), "link" | "literal").then_some((key.as_str(), inner))
}

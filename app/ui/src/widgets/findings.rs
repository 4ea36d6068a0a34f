//! Findings by node: each visible parameter asks for its own in every frame, and a document may have
//! thousands.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use longtake_graph::{Diagnostic, NodeId};

/// Where the findings at each node stand in a list. It holds the list, so that another one cannot be taken
/// for it.
struct Index {
    of: Arc<Vec<Diagnostic>>,
    by_node: HashMap<NodeId, Vec<usize>>,
}

thread_local! {
    /// Of the newest list that was asked about; a window has one.
    static NEWEST: RefCell<Option<Index>> = const { RefCell::new(None) };
}

/// Positions of the findings at a node (lowered id).
pub fn at(list: &Arc<Vec<Diagnostic>>, node: &NodeId) -> Vec<usize> {
    NEWEST.with_borrow_mut(|newest| {
        if !newest.as_ref().is_some_and(|it| Arc::ptr_eq(&it.of, list)) {
            *newest = Some(index(list));
        }
        let found = newest.as_ref().and_then(|it| it.by_node.get(node));
        found.cloned().unwrap_or_default()
    })
}

fn index(list: &Arc<Vec<Diagnostic>>) -> Index {
    let mut by_node: HashMap<NodeId, Vec<usize>> = HashMap::new();
    for (at, finding) in list.iter().enumerate() {
        if let Some(node) = &finding.place.node {
            by_node.entry(node.clone()).or_default().push(at);
        }
    }
    Index {
        of: list.clone(),
        by_node,
    }
}

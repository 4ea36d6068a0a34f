//! Ordered maps changed with the errors of edits.

use std::hash::Hash;

use indexmap::IndexMap;

use super::{EditError, Part, missing};

pub fn insert<K: Hash + Eq + ToString, V>(
    map: &mut IndexMap<K, V>,
    what: Part,
    key: K,
    value: V,
    at: Option<usize>,
) -> Result<(), EditError> {
    let len = map.len();
    let at = at.unwrap_or(len);
    if map.contains_key(&key) {
        return Err(EditError::Exists {
            what,
            id: key.to_string(),
        });
    }
    if at > len {
        return Err(EditError::Position { at, len });
    }
    map.shift_insert(at, key, value);
    Ok(())
}

pub fn remove<K: Hash + Eq + ToString, V>(
    map: &mut IndexMap<K, V>,
    what: Part,
    key: &K,
) -> Result<(usize, V), EditError> {
    let (at, _, value) = map
        .shift_remove_full(key)
        .ok_or_else(|| missing(what, &key.to_string()))?;
    Ok((at, value))
}

pub fn replace<K: Hash + Eq + ToString, V>(
    map: &mut IndexMap<K, V>,
    what: Part,
    key: &K,
    value: V,
) -> Result<V, EditError> {
    let old = map
        .get_mut(key)
        .ok_or_else(|| missing(what, &key.to_string()))?;
    Ok(std::mem::replace(old, value))
}

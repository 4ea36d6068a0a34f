//! Looking up a name that a person or a workflow file wrote, with a helpful error.

/// A sampler or scheduler name that is not known here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown {kind} `{name}`; {}", hint(near, known))]
pub struct UnknownName {
    /// What was looked up: `sampler` or `scheduler`.
    pub kind: &'static str,
    /// The name as it came.
    pub name: String,
    /// Known names that look like it, nearest first; may be empty.
    pub near: Vec<&'static str>,
    /// All names that would have been accepted.
    pub known: Vec<&'static str>,
}

fn hint(near: &[&str], known: &[&str]) -> String {
    if near.is_empty() {
        format!("known: {}", known.join(", "))
    } else {
        format!("did you mean {}?", near.join(" or "))
    }
}

/// Finds the item whose name is exactly `name`.
pub(crate) fn find<T: Copy>(
    kind: &'static str,
    name: &str,
    all: &[T],
    name_of: fn(T) -> &'static str,
) -> Result<T, UnknownName> {
    if let Some(found) = all.iter().copied().find(|&it| name_of(it) == name) {
        return Ok(found);
    }
    let known: Vec<_> = all.iter().map(|&it| name_of(it)).collect();
    // A workflow file may hold anything; do not measure distances to a megabyte.
    let shown: String = name.chars().take(60).collect();
    let mut near: Vec<_> = known
        .iter()
        .map(|&it| (edit_distance(&shown.to_lowercase(), it), it))
        .filter(|&(distance, it)| distance <= it.len().div_ceil(3))
        .collect();
    near.sort_unstable();
    Err(UnknownName {
        kind,
        name: shown,
        near: near.into_iter().map(|(_, it)| it).take(3).collect(),
        known,
    })
}

/// Levenshtein distance in characters.
fn edit_distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, &to) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(from != to);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

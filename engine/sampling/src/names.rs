//! Looking up a name that a person or a workflow file wrote, with a helpful error.

use longtake_sentence::{Sentence, say};

/// A sampler or scheduler name that is not known here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.sentence())]
pub struct UnknownName {
    /// What was looked up.
    pub kind: NameKind,
    /// The name as it came.
    pub name: String,
    /// Known names that look like it, nearest first; may be empty.
    pub near: Vec<&'static str>,
    /// All names that would have been accepted.
    pub known: Vec<&'static str>,
}

/// What a name can be of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameKind {
    /// See [`crate::Solver`].
    Sampler,
    /// See [`crate::Scheduler`].
    Scheduler,
    /// See [`crate::WindowSchedule`].
    WindowSchedule,
    /// See [`crate::Fuse`].
    FuseMethod,
}

impl NameKind {
    fn sentence(self) -> Sentence {
        match self {
            Self::Sampler => say!("sampler", "サンプラー"),
            Self::Scheduler => say!("scheduler", "スケジューラー"),
            Self::WindowSchedule => say!("window schedule", "ウィンドウのスケジュール"),
            Self::FuseMethod => say!("fuse method", "融合の方法"),
        }
    }
}

impl UnknownName {
    /// The message in both languages.
    pub fn sentence(&self) -> Sentence {
        let (kind, name) = (self.kind.sentence(), &self.name);
        let hint = if self.near.is_empty() {
            let known = self.known.join(", ");
            say!("known: {known}", "使えるのは {known} です")
        } else {
            say!("did you mean {}?", "もしかして: {}", self.near.join(" or "))
        };
        say!("unknown {kind} `{name}`; {hint}", "{kind}「{name}」はありません。{hint}"; kind, hint)
    }
}

/// Finds the item whose name is exactly `name`.
pub(crate) fn find<T: Copy>(
    kind: NameKind,
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

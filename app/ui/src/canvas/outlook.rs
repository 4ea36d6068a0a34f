//! What is known of a node before it runs: findings at its inputs, predicted memory and time.

use std::collections::HashMap;

use longtake_editor::language::Language;
use longtake_editor::planned::Planned;
use longtake_graph::Severity;

/// Something wrong with a node.
#[derive(Clone, Debug)]
pub struct Finding {
    /// At this input; `None`: the node itself.
    pub input: Option<String>,
    /// Nothing runs that needs it.
    pub error: bool,
    /// A sentence.
    pub text: String,
}

/// What is known of a node before it runs.
#[derive(Clone, Debug, Default)]
pub struct Outlook {
    /// What is wrong.
    pub findings: Vec<Finding>,
    /// The plan has steps of it.
    pub planned: bool,
    /// Every step of it is in the store.
    pub cached: bool,
    /// Predicted seconds.
    pub seconds: f64,
    /// Largest predicted bytes while one of its steps runs: on the device, else on the host.
    pub bytes: u64,
}

impl Outlook {
    /// Whether an error is among the findings.
    pub fn broken(&self) -> bool {
        self.findings.iter().any(|it| it.error)
    }
}

/// The outlook of every node that has one, by lowered id; a subgraph's instance gathers what is
/// inside it.
pub fn outlook(planned: &Planned, language: Language) -> HashMap<&str, Outlook> {
    let mut all: HashMap<&str, Outlook> = HashMap::new();
    for found in planned.diagnostics.iter() {
        let Some(node) = &found.place.node else {
            continue;
        };
        for (id, inside) in owners(node.as_str()) {
            let input = found.place.input.clone().filter(|_| !inside);
            all.entry(id).or_default().findings.push(Finding {
                input,
                error: found.severity == Severity::Error,
                text: language.sentence(&found.message).to_owned(),
            });
        }
    }
    for step in planned.plan.iter().flat_map(|plan| &plan.steps) {
        for (id, _) in owners(step.path.node.as_str()) {
            let entry = all.entry(id).or_default();
            entry.cached = step.cached && (entry.cached || !entry.planned);
            entry.planned = true;
            entry.seconds += if step.cached { 0.0 } else { step.seconds };
            let bytes = step.device_bytes.max(step.host_bytes);
            entry.bytes = entry.bytes.max(bytes);
        }
    }
    all
}

/// The node itself, then each instance around it (`true`): `a:b:c` → `a:b:c`, `a`, `a:b`.
fn owners(id: &str) -> impl Iterator<Item = (&str, bool)> {
    let around = id.match_indices(':').map(move |(at, _)| (&id[..at], true));
    std::iter::once((id, false)).chain(around)
}

/// `1.4 GiB`, as the plan says it.
pub fn bytes_text(bytes: u64) -> String {
    crate::theme::bytes(bytes)
}

/// `4.2 s`, `3 min 05 s`, `2 h 10 min`.
pub fn seconds_text(seconds: f64) -> String {
    let whole = seconds.round() as u64;
    match seconds {
        s if s < 0.095 => "<0.1 s".to_owned(),
        s if s < 10.0 => format!("{s:.1} s"),
        s if s < 60.0 => format!("{whole} s"),
        s if s < 3600.0 => format!("{} min {:02} s", whole / 60, whole % 60),
        _ => format!("{} h {:02} min", whole / 3600, whole / 60 % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instances_around_a_node_hear_of_it() {
        let all: Vec<_> = owners("a:b:c").collect();
        assert_eq!(all, [("a:b:c", false), ("a", true), ("a:b", true)]);
    }

    #[test]
    fn figures_are_short() {
        for (seconds, text) in [
            (0.01, "<0.1 s"),
            (4.21, "4.2 s"),
            (59.6, "60 s"),
            (185.0, "3 min 05 s"),
            (7800.0, "2 h 10 min"),
        ] {
            assert_eq!(seconds_text(seconds), text);
        }
        assert_eq!(bytes_text(1_440_000_000), "1.3 GiB");
    }
}

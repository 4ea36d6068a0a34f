//! What is wrong with a graph: every finding names a place, what was expected and what came.

use std::fmt::{self, Write as _};

use serde::Serialize;

use crate::literal::shorten;
use crate::{NodeId, Sentence};

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The graph runs; a person may want to know.
    Warning,
    /// The nodes that depend on this place cannot run.
    Error,
}

/// Where it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Place {
    /// The node, if one is to blame.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node: Option<NodeId>,
    /// Its class, so that a message can be read without the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
    /// The input socket or parameter.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input: Option<String>,
    /// The shot's name, if the finding belongs to one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shot: Option<String>,
}

impl Place {
    /// A node.
    pub fn node(id: &NodeId, class: &str) -> Self {
        Self {
            node: Some(id.clone()),
            class: Some(class.to_owned()),
            ..Self::default()
        }
    }

    /// An input of that node.
    #[must_use]
    pub fn input(mut self, name: &str) -> Self {
        self.input = Some(name.to_owned());
        self
    }

    /// A shot.
    #[must_use]
    pub fn shot(mut self, name: &str) -> Self {
        self.shot = Some(name.to_owned());
        self
    }
}

impl Place {
    /// Its name in both languages.
    pub fn sentence(&self) -> Sentence {
        Sentence {
            en: self.to_string(),
            ja: self.japanese(),
        }
    }

    fn japanese(&self) -> String {
        let short = |text: &str| shorten(text, 80);
        let node = self.node.as_ref().map(|it| short(it.as_str()));
        let mut text = match (node, &self.class) {
            (Some(node), Some(class)) => format!("ノード {node} ({})", short(class)),
            (Some(node), None) => format!("ノード {node}"),
            _ => "グラフ".to_owned(),
        };
        if let Some(input) = &self.input {
            let _ = write!(text, "、入力「{}」", short(input));
        }
        if let Some(shot) = &self.shot {
            let _ = write!(text, "、ショット {}", short(shot));
        }
        text
    }
}

/// In English.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let short = |text: &str| shorten(text, 80);
        let node = self.node.as_ref().map(|it| short(it.as_str()));
        match (node, &self.class) {
            (Some(node), Some(class)) => write!(f, "node {node} ({})", short(class))?,
            (Some(node), None) => write!(f, "node {node}")?,
            _ => f.write_str("graph")?,
        }
        if let Some(input) = &self.input {
            write!(f, ", input `{}`", short(input))?;
        }
        if let Some(shot) = &self.shot {
            write!(f, ", shot {}", short(shot))?;
        }
        Ok(())
    }
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Diagnostic {
    /// How bad.
    pub severity: Severity,
    /// A stable word for programs (`unknown_class`, `required_input_missing`, …; ComfyUI's
    /// `node_errors` types where one fits).
    pub code: &'static str,
    /// Where.
    pub place: Place,
    /// A full sentence: what was expected, what came, what to do.
    pub message: Sentence,
}

impl Diagnostic {
    /// An error.
    pub fn error(code: &'static str, place: Place, message: Sentence) -> Self {
        Self {
            severity: Severity::Error,
            code,
            place,
            message,
        }
    }

    /// A warning.
    pub fn warning(code: &'static str, place: Place, message: Sentence) -> Self {
        Self {
            severity: Severity::Warning,
            code,
            place,
            message,
        }
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match self.severity {
            Severity::Warning => "warning",
            Severity::Error => "error",
        };
        write!(f, "{word}: {}: {}", self.place, self.message)
    }
}

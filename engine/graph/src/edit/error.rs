//! Why a change cannot be made.

use crate::format::MAX_LITERAL_DEPTH;
use crate::{NodeId, Sentence, say};

/// What an edit is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// A node.
    Node,
    /// An input of a node.
    Input,
    /// A key that is no field of a node.
    Key,
    /// A group.
    Group,
    /// A note.
    Note,
    /// A definition.
    Subgraph,
    /// A shot of a storyboard.
    Shot,
}

impl Part {
    /// What it is called in both languages.
    fn sentence(self) -> Sentence {
        match self {
            Self::Node => say!("node", "ノード"),
            Self::Input => say!("input", "入力"),
            Self::Key => say!("key", "キー"),
            Self::Group => say!("group", "グループ"),
            Self::Note => say!("note", "メモ"),
            Self::Subgraph => say!("subgraph", "サブグラフ"),
            Self::Shot => say!("shot", "ショット"),
        }
    }
}

/// Why an edit cannot be applied. The project is untouched then.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.sentence())]
pub enum EditError {
    /// There is nothing of that id.
    Missing { what: Part, id: String },
    /// The id is in use.
    Exists { what: Part, id: String },
    /// A position behind the end.
    Position { at: usize, len: usize },
    /// Canvas points must be finite.
    NotFinite { found: String },
    /// The key belongs to a field of the node.
    FieldKey { key: String },
    /// A definition, or a change of one, inside a definition.
    NestedDefinition { subgraph: String },
    /// A literal that the file's reader would refuse.
    TooDeep,
    /// The shot list is not what the edit needs.
    Shots { node: NodeId, reason: Sentence },
}

impl EditError {
    /// The error in both languages.
    pub fn sentence(&self) -> Sentence {
        match self {
            Self::Missing { what, id } => {
                let what = what.sentence();
                say!("there is no {what} `{id}`", "{what}「{id}」はありません。"; what)
            }
            Self::Exists { what, id } => {
                let what = what.sentence();
                say!(
                    "there is a {what} `{id}` already; choose another id",
                    "{what}「{id}」は既にあります。別の ID を選んでください。";
                    what
                )
            }
            Self::Position { at, len } => say!(
                "position {at} is behind the end; there are {len}",
                "位置 {at} は末尾より後です。全部で {len} 個です。"
            ),
            Self::NotFinite { found } => say!(
                "expected finite numbers of points, found {found}",
                "座標は有限の数にしてください(現在: {found})。"
            ),
            Self::FieldKey { key } => say!(
                "`{key}` is a field of the node itself; use the edit for that field",
                "「{key}」はノード自身の項目です。その項目の編集を使ってください。"
            ),
            Self::NestedDefinition { subgraph } => say!(
                "subgraphs are defined at the root of the project, not within subgraph `{subgraph}`",
                "サブグラフはプロジェクトの最上位で定義します。サブグラフ「{subgraph}」の中では定義できません。"
            ),
            Self::TooDeep => say!(
                "the value is nested deeper than {MAX_LITERAL_DEPTH} levels, which no file could hold",
                "値の入れ子が {MAX_LITERAL_DEPTH} 段を超えているため、ファイルに書き込めません。"
            ),
            Self::Shots { node, reason } => say!(
                "node {node}: {reason}",
                "ノード {node}: {reason}";
                reason
            ),
        }
    }
}

/// There is no such part.
pub(crate) fn missing(what: Part, id: &str) -> EditError {
    EditError::Missing {
        what,
        id: id.to_owned(),
    }
}

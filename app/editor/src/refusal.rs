//! Why something a person asked for cannot be done: where, what was expected, what came.

use longtake_graph::{Catalog, EditError, NodeId, Sentence};

use crate::language::{Language, Text, t};
use crate::session::Session;

/// Why something cannot be done. Nothing changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// There is no such node in the open graph.
    NoNode(NodeId),
    /// No class and no subgraph has that name.
    NoClass(String),
    /// The node has no such input.
    NoInput { node: NodeId, input: String },
    /// The node has no such output.
    NoOutput { node: NodeId, output: u32 },
    /// The input takes something else.
    Kind {
        node: NodeId,
        input: String,
        expected: String,
        found: String,
    },
    /// The nodes would need each other.
    Cycle(Vec<NodeId>),
    /// A subgraph would contain itself.
    Recursion(String),
    /// No socket of the new node fits the loose link.
    NothingFits { class: String, kind: String },
    /// Nothing that this could be done to is selected.
    NothingSelected,
    /// What was to be pasted is no graph; why.
    NoGraph(Sentence),
    /// The document refused.
    Edit(EditError),
}

const NO_NODE: Text = t(
    "There is no node {} here any more.",
    "ノード {} はもうありません。",
);
const NO_CLASS: Text = t(
    "There is no node class {}; choose one from the list.",
    "ノードの種類 {} がありません。一覧から選んでください。",
);
const NO_INPUT: Text = t("{} has no input {}.", "{} に入力 {} はありません。");
const NO_OUTPUT: Text = t("{} has no output {}.", "{} に出力 {} はありません。");
const KIND: Text = t(
    "{}: the input {} takes {}, this link carries {}.",
    "{}: 入力 {} は {} を受け取りますが、このリンクは {} です。",
);
const CYCLE: Text = t(
    "This link would make nodes need each other: {}.",
    "このリンクではノードが互いを必要とします: {}。",
);
const RECURSION: Text = t(
    "The subgraph {} would contain itself.",
    "サブグラフ {} が自分自身を含むことになります。",
);
const NOTHING_FITS: Text = t(
    "{} has no socket for {}; it was added without a link.",
    "{} には {} に合うソケットがないため、リンクせずに追加しました。",
);
const NOTHING_SELECTED: Text = t(
    "Nothing is selected that this could be done to.",
    "対象が選択されていません。",
);
const NO_GRAPH: Text = t(
    "What was copied is no graph: {}",
    "コピーされた内容はグラフではありません: {}",
);

impl Refusal {
    /// The sentence for the person.
    pub fn text(&self, session: &Session, catalog: &dyn Catalog, language: Language) -> String {
        let scene = session.scene(catalog);
        let name = |id: &NodeId| scene.name(id, language);
        match self {
            Self::NoNode(id) => NO_NODE.with(language, &[id.as_str()]),
            Self::NoClass(class) => NO_CLASS.with(language, &[class]),
            Self::NoInput { node, input } => NO_INPUT.with(language, &[&name(node), input]),
            Self::NoOutput { node, output } => {
                NO_OUTPUT.with(language, &[&name(node), &output.to_string()])
            }
            Self::Kind {
                node,
                input,
                expected,
                found,
            } => KIND.with(language, &[&name(node), input, expected, found]),
            Self::Cycle(nodes) => {
                let names: Vec<String> = nodes.iter().map(name).collect();
                CYCLE.with(language, &[&names.join(" → ")])
            }
            Self::Recursion(title) => RECURSION.with(language, &[title]),
            Self::NothingFits { class, kind } => NOTHING_FITS.with(language, &[class, kind]),
            Self::NothingSelected => NOTHING_SELECTED.get(language).to_owned(),
            Self::NoGraph(why) => NO_GRAPH.with(language, &[language.sentence(why)]),
            Self::Edit(error) => language.sentence(&error.sentence()).to_owned(),
        }
    }
}

impl From<EditError> for Refusal {
    fn from(error: EditError) -> Self {
        Self::Edit(error)
    }
}

//! `CollectFilm`: the shots' clips as one film. The compiler replaces it by the film's pieces.

use longtake_graph::declare::{output, socket};
use longtake_graph::{Declaration, Kind, say};
use longtake_plan::{InferCx, InferError, Info, Role};

use crate::Node;

const DECLARATION: Declaration = Declaration {
    class: "CollectFilm",
    title: "Collect film",
    title_ja: "ショットをまとめる",
    category: "film",
    category_ja: "映像",
    help: "Gathers the clips of all shots, with the storyboard's transitions between them.",
    help_ja: "すべてのショットのクリップを、絵コンテのトランジションでつないでまとめます。",
    inputs: &[
        socket("storyboard", Kind::STORYBOARD).help("The film", "映像"),
        socket("clip", Kind::IMAGE).help("The frames of one shot", "1 ショットのフレーム"),
    ],
    outputs: &[output("frames", Kind::IMAGE), output("fps", Kind::FLOAT)],
    ..Declaration::EMPTY
};

/// The node.
pub const NODE: Node = Node::constant(&DECLARATION, infer).role(Role::CollectFilm);

/// Never asked once a film is expanded.
fn infer(_: &InferCx<'_>) -> Result<Vec<Info>, InferError> {
    Err(InferError::at(
        "not_a_film",
        "storyboard",
        say!(
            "CollectFilm was not expanded: link its `storyboard` to a Storyboard",
            "CollectFilm を展開できませんでした。「storyboard」に Storyboard をリンクしてください。"
        ),
    ))
}

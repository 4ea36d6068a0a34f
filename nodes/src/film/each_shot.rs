//! `EachShot`: the fields of one shot. The compiler replaces it by every shot's own values.

use longtake_graph::declare::{output, socket};
use longtake_graph::{Declaration, Kind, say};
use longtake_plan::{InferCx, InferError, Info, Role};

use crate::Node;

const DECLARATION: Declaration = Declaration {
    class: "EachShot",
    title: "Each shot",
    title_ja: "各ショット",
    category: "film",
    category_ja: "映像",
    help: "What stands between this node and Collect film is made once for every shot of the storyboard; \
           the outputs are that shot's own values.",
    help_ja: "このノードから CollectFilm までの間は、絵コンテのショットごとに 1 \
              回ずつ作られます。出力はそのショットの値です。",
    inputs: &[
        socket("storyboard", Kind::STORYBOARD).help("The film", "映像"),
        socket("first_frame", Kind::IMAGE).optional().help(
            "What the first shot gets as previous_frame",
            "最初のショットが previous_frame として受け取る画像",
        ),
    ],
    outputs: &[
        output("prompt", Kind::STRING),
        output("negative", Kind::STRING),
        output("caption", Kind::STRING),
        output("title", Kind::STRING),
        output("camera", Kind::STRING),
        output("image", Kind::STRING),
        output("pose", Kind::STRING),
        output("seed", Kind::INT),
        output("frames", Kind::INT),
        output("length", Kind::INT),
        output("index", Kind::INT),
        output("width", Kind::INT),
        output("height", Kind::INT),
        output("seconds", Kind::FLOAT),
        output("fps", Kind::FLOAT),
        output("previous_frame", Kind::IMAGE),
        output("film_title", Kind::STRING),
        output("shots", Kind::INT),
        output("id", Kind::STRING),
    ],
    ..Declaration::EMPTY
};

/// The node.
pub const NODE: Node = Node::constant(&DECLARATION, infer).role(Role::EachShot);

/// Never asked once a film is expanded.
fn infer(_: &InferCx<'_>) -> Result<Vec<Info>, InferError> {
    Err(InferError::at(
        "not_a_film",
        "storyboard",
        say!(
            "EachShot was not expanded: link its `storyboard` to a Storyboard and gather the clips with CollectFilm",
            "EachShot を展開できませんでした。「storyboard」に Storyboard をリンクし、クリップを CollectFilm でまとめてください。"
        ),
    ))
}

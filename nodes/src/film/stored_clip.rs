//! `StoredClip`: the clip that a pinned shot stands for, out of the store.

use longtake_graph::declare::{output, text};
use longtake_graph::{Declaration, Kind, Sentence, say};
use longtake_plan::{Cost, InferCx, InferError, Info, Keep, Lane, Signature};
use longtake_run::{RunCx, RunError, Value};

use crate::Node;
use crate::node::one_way;

const DECLARATION: Declaration = Declaration {
    class: "StoredClip",
    title: "Stored clip",
    title_ja: "保存済みクリップ",
    category: "film",
    category_ja: "映像",
    help: "Frames kept in the store under a signature.",
    help_ja: "署名を付けて保存領域に残したフレームです。",
    inputs: &[text("signature", "").help(
        "64 hex digits, as `longtake pin` prints them",
        "`longtake pin` が表示する 16 進数 64 桁",
    )],
    outputs: &[output("IMAGE", Kind::IMAGE)],
    internal: true,
    ..Declaration::EMPTY
};

/// The node.
pub const NODE: Node = Node::work(
    &DECLARATION,
    infer,
    Lane::Cpu,
    Keep::Memory,
    |_| one_way(Cost::default()),
    run,
);

fn infer(cx: &InferCx<'_>) -> Result<Vec<Info>, InferError> {
    let text = cx.text("signature")?;
    let error = |code, message: Sentence| InferError::at(code, "signature", message);
    let signature = Signature::from_hex(text).ok_or_else(|| {
        error(
            "pinned_invalid",
            say!(
                "expected 64 hex digits, found `{text}`",
                "16 進数 64 桁を指定してください(現在: 「{text}」)。"
            ),
        )
    })?;
    let stored = cx.facts.stored(&signature);
    match stored.and_then(|it| it.info) {
        Some(Info::Clip(clip)) => Ok(vec![Info::Clip(clip)]),
        Some(_) => Err(error(
            "pinned_invalid",
            say!(
                "{text}: the store holds no frames under it, but something else",
                "{text}: 保存領域にあるのはフレームではなく別のものです。"
            ),
        )),
        None => Err(error(
            "pinned_missing",
            say!(
                "{text} is not in the store; unpin the shot to make it again",
                "{text} は保存領域にありません。ショットの固定を解除すると作り直せます。"
            ),
        )),
    }
}

fn run(cx: &mut RunCx<'_>) -> Result<Vec<Value>, RunError> {
    let text = cx.text("signature")?;
    let missing = || {
        RunError::failed(say!(
            "the clip {text} is not in the store any more; unpin the shot to make it again",
            "クリップ {text} は保存領域からなくなっています。ショットの固定を解除すると作り直せます"
        ))
    };
    let signature = Signature::from_hex(text).ok_or_else(missing)?;
    let values = cx.env.store.load(&signature)?;
    let clip = values.into_iter().find(|it| matches!(it, Value::Clip(_)));
    Ok(vec![clip.ok_or_else(missing)?])
}

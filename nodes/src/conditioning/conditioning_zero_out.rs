//! `ConditioningZeroOut`: the text of a conditioning, all zeros.

use longtake_graph::declare::{output, socket};
use longtake_graph::{Declaration, Kind};
use longtake_plan::{Cost, InferCx, InferError, Info, Keep, Lane};
use longtake_run::{RunCx, RunError, Value};

use crate::Node;
use crate::node::one_way;

const DECLARATION: Declaration = Declaration {
    class: "ConditioningZeroOut",
    title: "Zero out conditioning",
    title_ja: "コンディショニングをゼロ化",
    category: "advanced/conditioning",
    category_ja: "詳細/コンディショニング",
    help: "Text of zeros in place of the prompt, for a negative that says nothing. What stands \
           beside the text stays.",
    help_ja: "プロンプトの代わりに、すべて 0 のテキストを渡します。\
              何も指定しないネガティブに使います。テキスト以外の情報は残ります。",
    inputs: &[socket("conditioning", Kind::CONDITIONING)
        .help("The encoded text", "エンコード済みのテキスト")],
    outputs: &[output("CONDITIONING", Kind::CONDITIONING)],
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
    cx.extras("conditioning")?;
    Ok(vec![cx.info("conditioning")?.clone()])
}

fn run(cx: &mut RunCx<'_>) -> Result<Vec<Value>, RunError> {
    let mut it = cx.conditioning("conditioning")?;
    it.data = vec![0.0; it.data.len()].into();
    Ok(vec![Value::Conditioning(it)])
}

//! `BasicScheduler`: a schedule for a model.

use longtake_graph::declare::{choice, float, int, output, socket};
use longtake_graph::{Declaration, Kind};
use longtake_plan::{InferCx, InferError, Info};
use longtake_sampling::{ScheduleRequest, Solver};

use super::values::{SIGMAS, of_schedule};
use crate::Node;
use crate::sampling::job::{build, scheduler, shift};
use crate::sampling::names::SCHEDULERS;

const DECLARATION: Declaration = Declaration {
    class: "BasicScheduler",
    title: "Basic scheduler",
    title_ja: "基本スケジューラー",
    category: "sampling/custom",
    category_ja: "サンプリング/カスタム",
    help: "The sigmas of a schedule at the model's shift.",
    help_ja: "モデルのシフトに合わせたスケジュールのシグマです。",
    inputs: &[
        socket("model", Kind::MODEL).help("Gives the shift", "シフトを決めるモデル"),
        choice("scheduler", "simple", SCHEDULERS).help("Where the steps lie", "ステップの配置"),
        int("steps", 20)
            .within(1, 10_000)
            .unit("steps")
            .help("Steps of the schedule", "スケジュールのステップ数"),
        float("denoise", 1.0).within_f(0.0, 1.0).help(
            "Below 1 only the end of a longer schedule",
            "1 未満なら、長いスケジュールの終わりの部分だけ",
        ),
    ],
    outputs: &[output("SIGMAS", SIGMAS)],
    ..Declaration::EMPTY
};

/// The node.
pub const NODE: Node = Node::constant(&DECLARATION, infer);

fn infer(cx: &InferCx<'_>) -> Result<Vec<Info>, InferError> {
    let shift = shift(cx.weights("model")?)?;
    let scheduler = scheduler(cx.text("scheduler")?)?;
    let steps = cx.int("steps")?.max(0) as usize;
    // The solver has a say only where ComfyUI's KSampler drops a sigma for it, not here.
    let mut request = ScheduleRequest::new(Solver::Euler, scheduler, steps, shift);
    request.denoise = cx.float("denoise")?;
    Ok(vec![Info::Constant(of_schedule(&build(&request)?))])
}

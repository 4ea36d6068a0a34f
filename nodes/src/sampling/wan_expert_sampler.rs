//! `WanExpertSampler`: Wan 2.2's two experts in one run.
//!
//! It becomes two steps of the plan: all steps of the schedule at or above the boundary with the
//! high-noise expert, and the rest with the low-noise one. The solver's history goes from one to the
//! other, so the run is one run; each step needs one expert in memory, and in a film all shots pass
//! the first expert before the second is loaded.

use longtake_graph::declare::{choice, float, int, output, seed, socket};
use longtake_graph::{Declaration, Kind};
use longtake_plan::{Constants, CostCx, Front, InferCx, InferError, Info, Keep, Lane, Rung};
use longtake_run::{RunCx, RunError, Value};
use longtake_sampling::{ScheduleRequest, Scheduler, Solver};

use super::check::{Names, check};
use super::cost;
use super::job::{Job, Part, build, plain, request};
use super::names::{SAMPLERS, SCHEDULERS};
use super::run::run as sample;
use crate::Node;
use crate::inputs::Inputs;

/// Class of the first stage.
pub const HIGH: &str = "WanExpertHighNoise";

const LOW_NAMES: Names = Names {
    model: "low_model",
    latent: "latent_image",
    positive: "positive",
    negative: Some("negative"),
};
const HIGH_NAMES: Names = Names {
    model: "high_model",
    ..LOW_NAMES
};

const INPUTS: &[longtake_graph::InputDecl] = &[
    socket("high_model", Kind::MODEL).help("The high-noise expert", "高ノイズ側のエキスパート"),
    socket("low_model", Kind::MODEL).help("The low-noise expert", "低ノイズ側のエキスパート"),
    seed("seed").help(
        "The same seed gives the same film",
        "同じシードからは同じ映像ができます。",
    ),
    int("steps", 20).within(1, 10_000).unit("steps").help(
        "Steps of the whole schedule, over both experts",
        "両方のエキスパートを合わせたスケジュール全体のステップ数",
    ),
    float("cfg_high", 3.5)
        .within_f(0.0, 100.0)
        .step_f(0.1)
        .help(
            "Guidance of the high-noise expert; 1 skips the negative",
            "高ノイズ側のガイダンスの強さ(CFG)。1 ならネガティブを省きます。",
        ),
    float("cfg_low", 3.5).within_f(0.0, 100.0).step_f(0.1).help(
        "Guidance of the low-noise expert; 1 skips the negative",
        "低ノイズ側のガイダンスの強さ(CFG)。1 ならネガティブを省きます。",
    ),
    float("boundary", 0.9)
        .within_f(0.0, 1.0)
        .step_f(0.005)
        .help(
            "Noise level at which the low-noise expert takes over: 0.875 for text to video, 0.9 \
             for image to video",
            "低ノイズ側に切り替えるノイズ量。テキストから動画は 0.875、画像から動画は 0.9",
        ),
    float("shift", 5.0).within_f(0.01, 100.0).help(
        "Shift of the schedule, for both experts: 5 for image to video, 12 for text to video",
        "両方のエキスパートに使うスケジュールのシフト。画像から動画は 5、テキストから動画は \
             12",
    ),
    choice("sampler_name", "wan_unipc", SAMPLERS).help(
        "How one step goes to the next",
        "1 ステップを次へ進める方法",
    ),
    choice("scheduler", "wan_unipc", SCHEDULERS).help("Where the steps lie", "ステップの配置"),
    socket("positive", Kind::CONDITIONING).help("What is to be seen", "映したいもの"),
    socket("negative", Kind::CONDITIONING).help("What is not to be seen", "映したくないもの"),
    socket("latent_image", Kind::LATENT)
        .help("Size, or what to start from", "サイズ、または出発点"),
    float("denoise", 1.0).within_f(0.0, 1.0).help(
        "Below 1 keeps part of the latent",
        "1 未満なら潜在表現の一部を残します。",
    ),
];

const DECLARATION: Declaration = Declaration {
    class: "WanExpertSampler",
    title: "Wan expert sampler",
    title_ja: "Wan エキスパートサンプラー",
    category: "sampling",
    category_ja: "サンプリング",
    help: "Wan 2.2 A14B: draws with the high-noise expert down to the boundary, then with the \
           low-noise one, as one run. Guidance switches with the expert; the solver goes on.",
    help_ja: "Wan 2.2 A14B 用です。境界まで高ノイズのエキスパートで、\
              そこから低ノイズのエキスパートで、1 回の実行として描きます。\
              ガイダンスはエキスパートとともに切り替わり、ソルバーは続きます。",
    inputs: INPUTS,
    outputs: &[output("LATENT", Kind::LATENT)],
    ..Declaration::EMPTY
};

const FIRST: Declaration = Declaration {
    class: HIGH,
    title: "Wan high-noise expert",
    title_ja: "Wan 高ノイズエキスパート",
    category: "sampling",
    category_ja: "サンプリング",
    help: "The first stage of WanExpertSampler.",
    help_ja: "WanExpertSampler の最初の段階です。",
    inputs: INPUTS,
    outputs: &[output("LATENT", Kind::LATENT)],
    internal: true,
    ..Declaration::EMPTY
};

/// The node: its second stage.
pub const NODE: Node = Node::work(&DECLARATION, infer, Lane::Device, Keep::Store, rungs, run)
    .front(Front {
        class: HIGH,
        part: "high",
        without: &["low_model"],
        only: &["high_model"],
        input: "state",
        needed: high_is_needed,
    });

/// The first stage.
pub const NODE_HIGH: Node = Node::work(
    &FIRST,
    infer_high,
    Lane::Device,
    Keep::Store,
    rungs_high,
    run_high,
);

/// Whether any step lies at or above the boundary: with `denoise` well below 1 none may. What is
/// not known yet, or is wrong and will be told, counts as needed.
fn high_is_needed(of: Constants<'_>) -> bool {
    let read = || -> Option<bool> {
        let text = |name: &str| Some(of(name)?.as_str()?.to_owned());
        let solver: Solver = text("sampler_name")?.parse().ok()?;
        let scheduler: Scheduler = text("scheduler")?.parse().ok()?;
        let steps = usize::try_from(of("steps")?.as_i64()?).ok()?;
        let mut request = ScheduleRequest::new(solver, scheduler, steps, of("shift")?.as_f64()?);
        request.denoise = of("denoise")?.as_f64()?;
        let first = *request.build().ok()?.sigmas.first()?;
        Some(first >= of("boundary")?.as_f64()? as f32)
    };
    read().unwrap_or(true)
}

fn job(cx: &dyn Inputs, high: bool) -> Result<Job, InferError> {
    let mut request = request(cx, cx.float("shift").map_err(plain)?)?;
    request.denoise = cx.float("denoise").map_err(plain)?;
    let boundary = cx.float("boundary").map_err(plain)?;
    let (cfg, part) = if high {
        ("cfg_high", Part::From { boundary })
    } else {
        ("cfg_low", Part::Below { boundary })
    };
    Ok(Job {
        solver: request.solver,
        schedule: build(&request)?,
        cfg: cx.float(cfg).map_err(plain)?,
        seed: cx.seed("seed").map_err(plain)?,
        add_noise: true,
        shift: request.shift,
        part,
    })
}

fn low_job(cx: &dyn Inputs) -> Result<Job, InferError> {
    job(cx, false)
}

fn high_job(cx: &dyn Inputs) -> Result<Job, InferError> {
    job(cx, true)
}

fn infer(cx: &InferCx<'_>) -> Result<Vec<Info>, InferError> {
    low_job(cx)?;
    Ok(vec![Info::Latent(check(cx, LOW_NAMES)?)])
}

fn infer_high(cx: &InferCx<'_>) -> Result<Vec<Info>, InferError> {
    high_job(cx)?;
    Ok(vec![Info::Latent(check(cx, HIGH_NAMES)?)])
}

fn rungs(cx: &CostCx<'_>) -> Vec<Rung> {
    cost::rungs(cx, LOW_NAMES, low_job)
}

fn rungs_high(cx: &CostCx<'_>) -> Vec<Rung> {
    cost::rungs(cx, HIGH_NAMES, high_job)
}

fn run(cx: &mut RunCx<'_>) -> Result<Vec<Value>, RunError> {
    sample(cx, LOW_NAMES, low_job)
}

fn run_high(cx: &mut RunCx<'_>) -> Result<Vec<Value>, RunError> {
    sample(cx, HIGH_NAMES, high_job)
}

//! What the plan view says.

use longtake_editor::{Text, t};

pub const NOTHING: Text = t(
    "What the graph compiles into is shown here, before anything runs.",
    "グラフのコンパイル結果が、実行前にここに表示されます。",
);
pub const COMPILING: Text = t("compiling…", "コンパイル中…");
pub const FILTER: Text = t("Filter", "絞り込み");
pub const BY_TIME: Text = t("By time", "時間軸");
pub const BY_STEP: Text = t("By step", "ステップ軸");
pub const STEPS: Text = t("{} steps", "{}ステップ");
pub const STEP: Text = t("1 step", "1ステップ");
pub const CACHED: Text = t("{} in the store", "{}件は保存済み");
pub const ABOUT: Text = t("about {}", "約{}");
pub const DEVICE_OF: Text = t("device {} of {}", "デバイス {} / {}");
pub const HOST_OF: Text = t("host {} of {}", "ホスト {} / {}");
pub const LAST_RUN: Text = t(
    "Last run: {} (predicted {}), host {} (predicted {})",
    "前回の実行: {}(予測 {})、ホスト {}(予測 {})",
);
pub const NO_MATCH: Text = t("No step matches.", "一致するステップはありません。");
pub const ERRORS: Text = t("{} to mend before this can run", "実行前に直す問題が{}件");
pub const WARNINGS: Text = t("{} to know", "お知らせ{}件");
pub const MORE: Text = t("and {} more", "ほか{}件");

pub const NODE: Text = t("Node", "ノード");
pub const SHOT: Text = t("Shot", "ショット");
pub const LANE: Text = t("Lane", "レーン");
pub const WAY: Text = t("Way", "方法");
pub const SECONDS: Text = t("Time", "時間");
pub const MEASURED: Text = t("Took", "実測");
pub const RATIO: Text = t("Ratio", "比");
pub const DEVICE: Text = t("Device", "デバイス");
pub const HOST: Text = t("Host", "ホスト");
pub const MEASURED_HOST: Text = t("Used", "実測");
pub const STORED: Text = t("stored", "保存済み");
pub const DEVICE_MEMORY: Text = t("Device memory", "デバイスメモリ");
pub const HOST_MEMORY: Text = t("Host memory", "ホストメモリ");
pub const BUDGET: Text = t("budget {}", "上限 {}");
pub const PEAK: Text = t("peak {}", "最大 {}");
pub const WORK: Text = t("work and values", "作業と値");
pub const STREAMED: Text = t("read block by block", "ブロックごとに読み込み");
pub const PARKED: Text = t("parked on the host", "ホストに退避");
pub const LOADS: Text = t("loads {}", "{} を読み込み");
pub const WHY: Text = t("because {}", "理由: {}");
pub const LANE_DEVICE: Text = t("Device", "デバイス");
pub const LANE_CPU: Text = t("CPU", "CPU");
pub const LANE_API: Text = t("API", "API");

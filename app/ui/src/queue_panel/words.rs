//! What the queue panel says.

use longtake_editor::{Text, t};

pub const RUN: Text = t("Run", "実行");
pub const PAUSE: Text = t("Pause", "一時停止");
pub const RESUME: Text = t("Resume", "再開");
pub const CANCEL: Text = t("Cancel", "中止");
pub const PAUSED: Text = t("paused", "一時停止中");
pub const EMPTY: Text = t(
    "Jobs appear here. Run queues the graph.",
    "ジョブがここに表示されます。「実行」でグラフをキューに入れます。",
);
pub const PREPARING: Text = t("preparing…", "準備中…");
pub const LOADING: Text = t("loading {} {} %", "{} を読み込み中 {} %");
pub const LEFT: Text = t("about {} left", "残り約{}");
pub const OF_STEPS: Text = t("step {} of {}", "ステップ {}/{}");
pub const WAITING: Text = t("Waiting", "待機中");
pub const ENDED: Text = t("History", "履歴");
pub const CLEAR: Text = t("Clear", "消去");
pub const UP: Text = t("Up", "上へ");
pub const DOWN: Text = t("Down", "下へ");
pub const REMOVE: Text = t("Remove", "取り除く");
pub const INTERRUPTED: Text = t(
    "interrupted; finished steps are kept",
    "中断されました。完了したステップは残っています",
);
pub const DONE: Text = t("done", "完了");
pub const FAILED: Text = t("failed", "失敗");
pub const CANCELLED: Text = t("cancelled", "中止");
pub const TOOK: Text = t("{} (predicted {})", "{}(予測 {})");
pub const RETRY: Text = t("Retry", "再実行");
pub const REOPEN: Text = t("Open", "開く");
pub const VIEW: Text = t("View", "見る");
pub const COMPARE: Text = t("Compare", "比較");
pub const COMPARE_WITH: Text = t("Compare with this", "これと比較");
pub const FORGET: Text = t("Forget", "消す");
pub const SHOW_NODE: Text = t("Show node", "ノードを表示");
pub const JUST_NOW: Text = t("just now", "たった今");
pub const MINUTES_AGO: Text = t("{} min ago", "{} 分前");
pub const HOURS_AGO: Text = t("{} h ago", "{} 時間前");
pub const DAYS_AGO: Text = t("{} d ago", "{} 日前");
pub const NO_FILES: Text = t("no files were written", "書き出したファイルはありません");
pub const MORE_FILES: Text = t("{} more files", "他 {} 個のファイル");
pub const NOT_THERE: Text = t("no longer there", "見つかりません");
pub const OPEN_OUTSIDE: Text = t("Open in another program", "別のプログラムで開く");
pub const SHOW_IN_FOLDER: Text = t("Show in folder", "フォルダーで表示");
pub const COPY_PATH: Text = t("Copy path", "パスをコピー");
pub const COPIED: Text = t("Copied: {}", "コピーしました: {}");
pub const REOPEN_HELP: Text = t(
    "Opens the document as it was when it was queued.",
    "キューに入れたときのドキュメントを開きます。",
);
pub const PAUSE_HELP: Text = t(
    "Holds the running job after its present sampler step, with its memory kept.",
    "実行中のジョブを現在のサンプラーステップの後で止め、メモリは保持します。",
);

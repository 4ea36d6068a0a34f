//! What the queue tells.

use crate::language::{Text, t};

pub(super) const UNTITLED: Text = t("Untitled", "無題");
pub(super) const NO_OUTPUT: Text = t(
    "Nothing here saves or shows a result. Add an output node, such as Save video.",
    "結果を保存・表示するノードがありません。「動画を保存」などの出力ノードを追加してください。",
);
pub(super) const NOTHING_SELECTED: Text = t(
    "Select an output node, or a node that one depends on.",
    "出力ノード、または出力ノードにつながるノードを選択してください。",
);
pub(super) const ERRORS: Text = t("Not queued: {}", "キューに入れませんでした: {}");
pub(super) const ERRORS_MORE: Text = t(
    "Not queued: {} ({} more in the plan view)",
    "キューに入れませんでした: {}(プラン表示にあと{}件)",
);
pub(super) const QUEUED: Text = t("Queued: {}", "キューに追加: {}");
pub(super) const RESTORED: Text = t(
    "{} jobs of last time wait; the queue is paused.",
    "前回のジョブが{}件待っています。キューは一時停止中です。",
);
pub(super) const INTERRUPTED: Text = t(
    "{} jobs of last time wait; the first was interrupted, and its finished steps are kept. The queue is paused.",
    "前回のジョブが{}件待っています。先頭のジョブは中断されましたが、完了したステップは残っています。キューは一時停止中です。",
);
pub(super) const BROKEN: Text = t(
    "Queue files that could not be read were set aside: {}",
    "読み込めないキューのファイルを退避しました: {}",
);
pub(super) const NO_DISK: Text = t(
    "The queue cannot be kept on disk and will be lost when the program ends: {}",
    "キューをディスクに保存できません。終了すると失われます: {}",
);
pub(super) const NOT_KEPT: Text = t(
    "The queue could not be written to disk: {}. Free some space; the jobs go on.",
    "キューをディスクに書き込めません: {}。空き容量を確保してください。ジョブは続きます。",
);
pub(super) const GONE: Text = t(
    "the job is no longer in the queue",
    "ジョブはもうキューにありません",
);
pub(super) const NO_DOCUMENT: Text = t(
    "the job's document was not kept",
    "ジョブの文書は残っていません",
);
pub(super) const CANNOT_REOPEN: Text = t(
    "The job's document cannot be opened: {}",
    "ジョブの文書を開けません: {}",
);
pub(super) const CANNOT_RETRY: Text = t(
    "The job cannot be queued again: {}",
    "ジョブを再度キューに入れられません: {}",
);

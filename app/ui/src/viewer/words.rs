//! What the viewer says.

use longtake_editor::{Text, t};

pub const EMPTY: Text = t(
    "Choose what to look at above, or press Space on a node.",
    "上で表示するものを選ぶか、ノード上でスペースキーを押してください。",
);
pub const STAGE: Text = t("Picture", "映像");
pub const NOTHING: Text = t("Nothing rendered yet.", "まだ結果がありません。");
pub const OPENING: Text = t("Opening…", "開いています…");
pub const CHOOSE: Text = t("Choose…", "選択…");
pub const COMPARE: Text = t("Compare with…", "比較する…");
pub const NO_RESULTS: Text = t(
    "No node has a result yet. Run the graph first.",
    "結果のあるノードがありません。先に実行してください。",
);
pub const SHOT: Text = t("Shot", "ショット");
pub const LAST: Text = t("last render", "前回の結果");
pub const LIVE: Text = t("live", "生成中");
pub const SWAP: Text = t("Swap A and B", "AとBを入れ替える");
pub const CLOSE: Text = t("Close the comparison", "比較を閉じる");
pub const WIPE: Text = t("Wipe", "ワイプ");
pub const BESIDE: Text = t("Side by side", "並べる");
pub const DIFFERENCE: Text = t("Difference", "差分");
pub const GAIN: Text = t("How much the difference is amplified", "差分を強調する倍率");
pub const FIT: Text = t("Fit", "全体");
pub const ONE: Text = t("1:1", "等倍");
pub const VALUES: Text = t("Pixel values under the mouse", "マウス位置の画素値");
pub const FOLLOW: Text = t("Follow the node that is running", "実行中のノードを追う");
pub const SAVE: Text = t("Save this frame as PNG…", "このフレームをPNGで保存…");
pub const SAVED: Text = t("Saved {}.", "{}を保存しました。");
pub const UNSAVED: Text = t("{} was not saved: {}", "{}を保存できません：{}");
pub const FIRST: Text = t("First frame", "最初のフレーム");
pub const BACK: Text = t("One frame back", "1フレーム戻る");
pub const PLAY: Text = t("Play", "再生");
pub const PAUSE: Text = t("Pause", "一時停止");
pub const ON: Text = t("One frame on", "1フレーム進む");
pub const END: Text = t("Last frame", "最後のフレーム");
pub const LOOP: Text = t("Loop", "ループ");
pub const FRAME: Text = t("Frame", "フレーム");
pub const DIVIDER: Text = t("Divider of A and B", "AとBの境");
pub const JOB: Text = t("Render of {}", "{}の結果");

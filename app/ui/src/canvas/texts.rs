//! What the canvas says.

use longtake_editor::{Text, t};

pub const MOVE: Text = t("Move", "移動");
pub const RESIZE: Text = t("Resize", "大きさを変える");
pub const UNLINK: Text = t("Remove link", "リンクを外す");
pub const RENAME: Text = t("Rename", "名前を変える");
pub const WRITE_NOTE: Text = t("Write note", "メモを書く");
pub const PORT_NAME: Text = t("Name of the port", "ポートの名前");
pub const REMOVE_PORT: Text = t("Remove port", "ポートを削除");
pub const INSERT: Text = t("Insert a graph…", "グラフを挿入…");
pub const MINIMAP: Text = t("Map of the graph", "グラフの全体図");
pub const COLLAPSE: Text = t("Collapse", "折りたたむ");
pub const ADD_REROUTE: Text = t("Insert reroute", "中継点を挿入");
pub const COLOUR: Text = t("Colour", "色");
pub const NO_COLOUR: Text = t("No colour", "色なし");
pub const MODE: Text = t("Mode", "モード");
pub const ACTIVE: Text = t("Active", "有効");
pub const ADD_NODE: Text = t("Add node", "ノードを追加");
pub const ALIGN: Text = t("Align", "整列");
pub const MAIN: Text = t("Main graph", "メイングラフ");
pub const SEARCH: Text = t("Search nodes…", "ノードを検索…");
pub const NOTHING_FOUND: Text = t("No node of that name", "該当するノードがありません");
pub const NOTHING_FITS: Text = t("No node takes that link", "接続できるノードがありません");
pub const UNKNOWN: Text = t("unknown class", "不明なクラス");
pub const EMPTY_NOTE: Text = t("Double-click to write", "ダブルクリックで記入");
pub const EMPTY_HINT: Text = t(
    "Double-click or press Tab to add a node",
    "ダブルクリックか Tab でノードを追加",
);
pub const EMPTY_HINT_2: Text = t(
    "or drop a project, a workflow, a picture or a video here",
    "プロジェクト・ワークフロー・画像・動画をここにドロップ",
);
pub const QUEUED: Text = t("queued", "待機中");
pub const RUNNING: Text = t("running", "実行中");
pub const CACHED: Text = t("cached", "保存済み");
pub const DONE: Text = t("done", "完了");
pub const FAILED: Text = t("failed", "失敗");
pub const SKIPPED: Text = t("skipped", "スキップ");
pub const MUTED: Text = t("muted", "ミュート");
pub const BYPASSED: Text = t("bypassed", "バイパス");
pub const FRAMES: Text = t("{} frames", "{} フレーム");

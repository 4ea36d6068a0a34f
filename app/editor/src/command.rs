//! Named commands: one list feeds the menus, the command palette and the keys.

use serde::{Deserialize, Serialize};

use fuzzy_matcher::FuzzyMatcher;
use fuzzy_matcher::skim::SkimMatcherV2;

use crate::language::{Language, Text, t};

/// Where a command stands in the menu bar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Menu {
    /// File.
    File,
    /// Edit.
    Edit,
    /// Node.
    Node,
    /// Arrange.
    Arrange,
    /// View.
    View,
    /// Run.
    Run,
}

impl Menu {
    /// In the order of the menu bar.
    pub const ALL: [Self; 6] = [
        Self::File,
        Self::Edit,
        Self::Node,
        Self::Arrange,
        Self::View,
        Self::Run,
    ];

    /// Its title.
    pub const fn title(self) -> Text {
        match self {
            Self::File => t("File", "ファイル"),
            Self::Edit => t("Edit", "編集"),
            Self::Node => t("Node", "ノード"),
            Self::Arrange => t("Arrange", "整列"),
            Self::View => t("View", "表示"),
            Self::Run => t("Run", "実行"),
        }
    }
}

/// The commands whose title in either language matches what was typed, best first; all of them, in
/// menu order, for nothing typed.
pub fn find(query: &str, language: Language) -> Vec<Command> {
    let query = query.trim();
    if query.is_empty() {
        return Command::ALL.to_vec();
    }
    let matcher = SkimMatcherV2::default();
    let score = |command: Command| {
        let menu = command.menu().title().get(language);
        let texts = Language::ALL.map(|it| command.title().get(it));
        let own = texts
            .iter()
            .filter_map(|text| matcher.fuzzy_match(text, query));
        let full = texts.map(|text| format!("{menu} {text}"));
        let full = full
            .iter()
            .filter_map(|text| matcher.fuzzy_match(text, query));
        own.map(|it| it + 10).chain(full).max()
    };
    let mut found: Vec<(i64, Command)> = Command::ALL
        .iter()
        .filter_map(|&command| Some((score(command)?, command)))
        .collect();
    found.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
    found.into_iter().map(|(_, command)| command).collect()
}

/// A key with its modifiers, as text in the settings (`Ctrl+Shift+G`). `Ctrl` is Cmd on a Mac.
pub type Keys = &'static str;

macro_rules! commands {
    ($($name:ident $menu:ident $keys:literal $en:literal $ja:literal $doc:literal $doc_ja:literal)*) => {
        /// Something a person can ask for by name.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum Command {
            $(#[doc = $doc] $name,)*
        }

        impl Command {
            /// Every command, in menu order.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// Its name in the settings file.
            pub const fn id(self) -> &'static str {
                match self { $(Self::$name => stringify!($name),)* }
            }

            /// Its title.
            pub const fn title(self) -> Text {
                match self { $(Self::$name => t($en, $ja),)* }
            }

            /// What it does, in a sentence.
            pub const fn help(self) -> Text {
                match self { $(Self::$name => t($doc, $doc_ja),)* }
            }

            /// Where it stands.
            pub const fn menu(self) -> Menu {
                match self { $(Self::$name => Menu::$menu,)* }
            }

            /// Its keys unless the person chose others; several are separated by a space.
            pub const fn default_keys(self) -> Keys {
                match self { $(Self::$name => $keys,)* }
            }
        }
    };
}

commands! {
    New File "Ctrl+N" "New" "新規" "A new, empty graph."
        "空のグラフを新しく作ります。"
    Open File "Ctrl+O" "Open…" "開く…" "Opens a graph: project, prompt, ComfyUI workflow, or a picture or video that carries one."
        "グラフを開きます。プロジェクト、プロンプト、ComfyUI のワークフロー、グラフの入った画像や動画を読めます。"
    Gallery File "" "Presets…" "プリセット…" "Shows the ready graphs."
        "すぐに使えるグラフを表示します。"
    Save File "Ctrl+S" "Save" "保存" "Saves the document."
        "文書を保存します。"
    SaveAs File "Ctrl+Shift+S" "Save as…" "名前を付けて保存…" "Saves the document under another name."
        "文書を別の名前で保存します。"
    Export File "Ctrl+Shift+E" "Export for headless render…" "ヘッドレス用に書き出す…" "Writes prompt JSON, which `longtake render` and ComfyUI read."
        "`longtake render` と ComfyUI が読めるプロンプト JSON を書き出します。"
    Quit File "Ctrl+Q" "Quit" "終了" "Closes the window."
        "ウィンドウを閉じます。"

    Undo Edit "Ctrl+Z" "Undo" "元に戻す" "Takes the last change back."
        "最後の変更を取り消します。"
    Redo Edit "Ctrl+Shift+Z Ctrl+Y" "Redo" "やり直す" "Does again what was taken back."
        "取り消した変更をもう一度行います。"
    Cut Edit "Ctrl+X" "Cut" "切り取り" "Copies what is selected, then deletes it."
        "選択したものをコピーしてから削除します。"
    Copy Edit "Ctrl+C" "Copy" "コピー" "Copies what is selected."
        "選択したものをコピーします。"
    Paste Edit "Ctrl+V" "Paste" "貼り付け" "Pastes at the mouse, with the links among what was copied."
        "コピーしたもの同士のリンクごと、マウスの位置に貼り付けます。"
    PasteLinked Edit "Ctrl+Shift+V" "Paste with links" "リンクごと貼り付け" "Pastes, and also links to what the copied nodes were linked from."
        "貼り付けて、コピー元のノードがリンクされていた先にもリンクします。"
    Duplicate Edit "Ctrl+D" "Duplicate" "複製" "A copy beside what is selected."
        "選択したもののコピーを隣に作ります。"
    Delete Edit "Delete Backspace" "Delete" "削除" "Deletes what is selected."
        "選択したものを削除します。"
    DeleteHeal Edit "Ctrl+Delete" "Delete and reconnect" "つなぎ直して削除" "Deletes what is selected and links what fed it to what it fed."
        "選択したものを削除し、その前後を直接リンクします。"
    SelectAll Edit "Ctrl+A" "Select all" "すべて選択" "Selects everything in the open graph."
        "開いているグラフのすべてを選択します。"
    Settings Edit "Ctrl+Comma" "Settings…" "設定…" "Language, theme, scale and keys."
        "言語、テーマ、表示倍率、キーを設定します。"

    AddNode Node "Tab" "Add node…" "ノードを追加…" "Searches all nodes by English, Japanese or ComfyUI name."
        "すべてのノードを、英語、日本語、ComfyUI の名前で検索します。"
    AddNote Node "" "Add note" "メモを追加" "A text on the canvas."
        "キャンバスにテキストを置きます。"
    Rename Node "F2" "Rename" "名前を変える" "Gives the focused node, group or note a title."
        "フォーカスのあるノード、グループ、メモにタイトルを付けます。"
    Mute Node "Ctrl+M" "Mute" "ミュート" "As if absent, with all that needs it."
        "それを必要とするものも含めて、ないものとして扱います。"
    Bypass Node "Ctrl+B" "Bypass" "バイパス" "Passes its input on."
        "入力をそのまま次に渡します。"
    Collapse Node "Alt+C" "Collapse" "折りたたむ" "Draws the title only."
        "タイトルだけを表示します。"
    ResetValues Node "" "Restore default values" "値を既定に戻す" "Every parameter of what is selected to its default."
        "選択したもののパラメーターをすべて既定値にします。"
    Group Node "Ctrl+G" "Group" "グループ化" "A frame around what is selected."
        "選択したものを枠で囲みます。"
    MakeSubgraph Node "Ctrl+Shift+G" "Make subgraph" "サブグラフにする" "Puts what is selected into a subgraph."
        "選択したものをサブグラフに入れます。"
    UnpackSubgraph Node "" "Unpack subgraph" "サブグラフを展開" "Puts a subgraph's nodes in its place."
        "サブグラフの場所に、中のノードを取り出します。"
    EnterSubgraph Node "" "Enter subgraph" "サブグラフを開く" "Opens the focused subgraph (or double-click)."
        "フォーカスのあるサブグラフを開きます(ダブルクリックでも開けます)。"
    RemoveUnused Node "" "Remove unused subgraphs" "未使用のサブグラフを削除" "Removes subgraphs of the document that no node uses."
        "どのノードも使っていないサブグラフを文書から削除します。"
    LeaveSubgraph Node "Escape" "Leave subgraph" "サブグラフを閉じる" "Goes back out."
        "外側のグラフに戻ります。"

    AutoLayout Arrange "Ctrl+L" "Auto-layout" "自動レイアウト" "Places what is selected, or all, in columns along the links."
        "選択したもの、またはすべてを、リンクに沿って列に並べます。"
    AlignLeft Arrange "" "Align left" "左揃え" "Left edges in a line."
        "左端を揃えます。"
    AlignRight Arrange "" "Align right" "右揃え" "Right edges in a line."
        "右端を揃えます。"
    AlignTop Arrange "" "Align top" "上揃え" "Top edges in a line."
        "上端を揃えます。"
    AlignBottom Arrange "" "Align bottom" "下揃え" "Bottom edges in a line."
        "下端を揃えます。"
    SpaceAcross Arrange "" "Distribute across" "横に等間隔" "Equal gaps from left to right."
        "左から右へ等間隔に並べます。"
    SpaceDown Arrange "" "Distribute down" "縦に等間隔" "Equal gaps from top to bottom."
        "上から下へ等間隔に並べます。"

    Palette View "Ctrl+Shift+P F1" "Command palette…" "コマンドパレット…" "Every command by name."
        "すべてのコマンドを名前で選べます。"
    Fit View "Home" "Fit all" "全体を表示" "Shows the whole graph."
        "グラフ全体を表示します。"
    FitSelection View "F" "Fit selection" "選択を表示" "Shows what is selected."
        "選択したものを表示します。"
    ZoomOne View "Ctrl+0" "Zoom 1:1" "等倍" "One point a pixel."
        "等倍で表示します。"
    ViewResult View "Space" "View result" "結果を見る" "Shows what the focused node made in the viewer."
        "フォーカスのあるノードの結果をビューアーに表示します。"
    CompareResult View "Shift+Space" "View as B" "Bとして見る" "Compares what the focused node made with what the viewer shows."
        "フォーカスのあるノードの結果を、ビューアーの表示と比較します。"
    ToggleInspector View "Ctrl+1" "Inspector" "インスペクター" "Shows or hides the inspector."
        "インスペクターの表示を切り替えます。"
    TogglePlan View "Ctrl+2" "Plan" "プラン" "Shows or hides the plan."
        "プランの表示を切り替えます。"
    ToggleQueue View "Ctrl+3" "Queue" "キュー" "Shows or hides the queue."
        "キューの表示を切り替えます。"
    ToggleViewer View "Ctrl+4" "Viewer" "ビューアー" "Shows or hides the viewer."
        "ビューアーの表示を切り替えます。"
    ToggleModels View "Ctrl+5" "Models" "モデル" "Shows or hides the models."
        "モデルの表示を切り替えます。"
    ToggleHistory View "Ctrl+6" "History" "履歴" "Shows or hides the undo history."
        "変更履歴の表示を切り替えます。"
    ResetPanels View "" "Reset panels" "パネルを初期配置に戻す" "Every panel in the place and size it had at the first start."
        "すべてのパネルを最初の位置と大きさに戻します。"
    ToggleMinimap View "M" "Minimap" "ミニマップ" "Shows or hides the minimap."
        "ミニマップの表示を切り替えます。"
    ToggleTheme View "" "Light or dark" "明暗を切り替え" "Changes the theme."
        "テーマを切り替えます。"

    Run Run "Ctrl+Enter" "Run" "実行" "Queues the graph."
        "グラフをキューに入れます。"
    RunSelected Run "Ctrl+Shift+Enter" "Run selected outputs" "選択した出力を実行" "Queues only what the selected output nodes need."
        "選択した出力ノードに必要なものだけをキューに入れます。"
    Cancel Run "Ctrl+Period" "Cancel" "中止" "Stops the running job; finished steps stay finished."
        "実行中のジョブを止めます。完了したステップは残ります。"
    Pause Run "" "Pause or resume" "一時停止・再開" "Holds the running job after its present sampler step."
        "実行中のジョブを、現在のサンプラーのステップが終わったところで一時停止します。"
}

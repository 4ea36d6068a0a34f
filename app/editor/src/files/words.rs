//! What a person reads about files.

use crate::language::{Text, t};

pub const UNTITLED: Text = t("Untitled", "無題");
pub const SAVED: Text = t("Saved {}", "{} を保存しました");
pub const OPENING: Text = t("Opening {}…", "{} を開いています…");
pub const SAVING: Text = t("Saving {}…", "{} を保存しています…");
pub const IMPORTING: Text = t(
    "Copying {} into the input folder…",
    "{} を入力フォルダーにコピーしています…",
);
pub const EXPORTED: Text = t("Exported {}", "{} を書き出しました");
pub const LEFT_OUT: Text = t("Not in the export: {}", "書き出しに含まれません: {}");
pub const IMPORTED: Text = t(
    "Opened a copy of {}. Saving asks for a name; the file itself stays as it is.",
    "{} の内容を開きました。保存時に名前を尋ねます。元のファイルは変わりません。",
);
pub const FOUND_IN_FILE: Text = t("{}: {}", "{}: {}");
pub const MORE_FOUND: Text = t("… and {} more", "… 他 {} 件");
pub const OPEN_ELSEWHERE: Text = t(
    "{} is open in another window ({}). Saving here asks first.",
    "{} は別のウィンドウで開かれています({})。ここで保存するときは確認します。",
);
pub const WAS_GONE: Text = t(
    "{} was no longer there; it was written anew.",
    "{} が無くなっていたため、新しく書き込みました。",
);

pub const HANDED_OVER: Text = t(
    "Opening {} in another program…",
    "{} を別のプログラムで開いています…",
);

// Errors.
pub const A_BUG: Text = t(
    "Longtake made a mistake of its own here. Your work is still open; please report this.",
    "Longtake の不具合です。作業内容は開いたままです。この不具合を報告してください。",
);
pub const NO_THREAD: Text = t(
    "{} was left alone: the system gives no further thread ({}). Close other programs and try again.",
    "{} には何もしていません。システムがこれ以上スレッドを作れません({})。他のプログラムを閉じて、もう一度試してください。",
);
pub const EMPTY: Text = t(
    "{} is empty (0 bytes): it holds no graph. Restore it from a backup, or delete it.",
    "{} は空(0 バイト)で、グラフが入っていません。バックアップから戻すか、削除してください。",
);
pub const NOT_THERE: Text = t(
    "{} is not there any more. It may have been moved or renamed.",
    "{} が見つかりません。移動または名前が変更された可能性があります。",
);
pub const NOT_SAVED: Text = t(
    "{} was not saved: {} What was there is untouched, and your work is still open here.",
    "{} を保存できませんでした: {} 元のファイルはそのままで、作業内容はここに残っています。",
);
pub const DISK_FULL: Text = t(
    "the disk is full. Make room and save again, or save in another place.",
    "ディスクに空きがありません。空きを作って保存し直すか、別の場所に保存してください。",
);
pub const MAY_NOT: Text = t(
    "the file or its folder {} may not be written by you. Use Save as… with another place.",
    "ファイルまたはフォルダー {} に書き込む権限がありません。「名前を付けて保存…」で別の場所を選んでください。",
);
pub const NO_FOLDER: Text = t(
    "the folder {} is not there. Use Save as… with another place.",
    "フォルダー {} がありません。「名前を付けて保存…」で別の場所を選んでください。",
);
pub const IS_FOLDER: Text = t(
    "a folder has this name. Choose another name.",
    "同じ名前のフォルダーがあります。別の名前を選んでください。",
);
pub const OTHER_REASON: Text = t("{}.", "{}。");
pub const EXPORT_ONTO_ITSELF: Text = t(
    "{} is the open document itself, and a prompt cannot hold all of it. Choose another name.",
    "{} は開いている文書そのものです。プロンプトには全部を入れられません。別の名前を選んでください。",
);
pub const OWN_FILE_FAILED: Text = t(
    "Longtake could not keep {}: {}",
    "{} を書き込めませんでした: {}",
);
pub const SETTINGS_BROKEN: Text = t(
    "The settings in {} could not all be read ({}). The file is kept as {}; what could not be read is at its default.",
    "設定 {} の一部を読めませんでした({})。元のファイルは {} に残し、読めない項目は既定値にしました。",
);
pub const SETTINGS_UNREADABLE: Text = t(
    "The settings in {} could not be read ({}). The defaults are used.",
    "設定 {} を読めませんでした({})。既定値を使います。",
);

// Questions.
pub const CANCEL: Text = t("Cancel", "キャンセル");
pub const SAVE: Text = t("Save", "保存");
pub const SAVE_AS: Text = t("Save as…", "名前を付けて保存…");
pub const DO_NOT_SAVE: Text = t("Don't save", "保存しない");
pub const UNSAVED: Text = t("Save changes?", "変更を保存しますか?");
pub const UNSAVED_TEXT: Text = t(
    "“{}” has changes that are in no file yet.",
    "「{}」には、まだ保存していない変更があります。",
);
pub const CHANGED: Text = t("Changed on disk", "ディスク上で変更されています");
pub const CHANGED_TEXT: Text = t(
    "{} was changed by another program since it was opened here. Overwriting it loses those changes; reloading loses yours.",
    "{} は、ここで開いた後に別のプログラムが変更しました。上書きするとその変更が、読み直すとここでの変更が失われます。",
);
pub const OVERWRITE: Text = t("Overwrite", "上書き");
pub const RELOAD: Text = t("Reload", "読み直す");
pub const ELSEWHERE: Text = t("Open in another window", "別のウィンドウで開かれています");
pub const ELSEWHERE_TEXT: Text = t(
    "{} is open in another window ({}), which may save it too. The one who saves last wins.",
    "{} は別のウィンドウ({})でも開かれており、そちらからも保存される可能性があります。最後の保存が残ります。",
);
pub const SAVE_ANYWAY: Text = t("Save anyway", "それでも保存");
pub const EXISTS: Text = t("Replace the file?", "ファイルを置き換えますか?");
pub const EXISTS_TEXT: Text = t(
    "A project's name ends in .longtake, and {} is there already.",
    "プロジェクト名は .longtake で終わります。{} は既に存在します。",
);
pub const EXPORT_EXISTS_TEXT: Text = t(
    "A prompt's name ends in .json, and {} is there already.",
    "プロンプト名は .json で終わります。{} は既に存在します。",
);
pub const EXPORT_AS: Text = t("Another name…", "別の名前…");
pub const REPLACE: Text = t("Replace", "置き換え");
pub const RECOVERED: Text = t("Unsaved work was found", "保存されていない作業があります");
pub const RECOVERED_TEXT: Text = t(
    "Longtake ended before this was saved. Nothing is overwritten: recovered work opens unsaved.",
    "保存前に Longtake が終了しました。復元した作業は未保存として開き、何も上書きしません。",
);
pub const RECOVER: Text = t("Open “{}”, {}", "「{}」を開く({})");
pub const KEEP: Text = t("Keep for later", "後で決める");
pub const DISCARD: Text = t("Delete", "削除");
pub const DISCARD_ALL: Text = t("Delete all of these", "これらをすべて削除");
pub const RECOVERED_NOTE: Text = t(
    "Recovered. Save it to keep it.",
    "復元しました。残すには保存してください。",
);
pub const STILL_KEPT: Text = t(
    "{} more unsaved works are kept and offered at the next start.",
    "他に {} 件の未保存の作業があり、次の起動時に表示します。",
);
pub const PID: Text = t("process {}", "プロセス {}");
pub const UNKNOWN_PID: Text = t("process unknown", "プロセス不明");
pub const JUST_NOW: Text = t("just now", "たった今");
pub const MINUTES: Text = t("{} min ago", "{} 分前");
pub const HOURS: Text = t("{} h ago", "{} 時間前");
pub const DAYS: Text = t("{} days ago", "{} 日前");

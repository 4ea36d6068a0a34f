//! What the system says of a file, for a person: it speaks English only.

use std::io::{self, ErrorKind};
use std::path::Path;

use longtake_graph::{Sentence, say};

/// A system's error in both languages; a rare one stays as it came.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the system's own enum, which grows"
)]
pub fn system_error(error: &io::Error) -> Sentence {
    let en = error.to_string();
    let ja = match error.kind() {
        ErrorKind::NotFound => "ファイルまたはフォルダーがありません",
        ErrorKind::PermissionDenied => "アクセスが許可されていません",
        ErrorKind::AlreadyExists => "同じ名前のものが既にあります",
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "空き容量がありません",
        ErrorKind::FileTooLarge => "ファイルが大きすぎます",
        ErrorKind::ReadOnlyFilesystem => "書き込めない場所です",
        ErrorKind::IsADirectory => "フォルダーです",
        ErrorKind::NotADirectory => "フォルダーではありません",
        ErrorKind::InvalidData => "内容が壊れています",
        ErrorKind::UnexpectedEof => "途中で終わっています",
        ErrorKind::ResourceBusy => "使用中です",
        ErrorKind::TimedOut => "時間切れです",
        ErrorKind::OutOfMemory => "メモリが足りません",
        _ => return Sentence::same(en),
    };
    Sentence {
        ja: format!("{ja}({en})"),
        en,
    }
}

/// The same of a file.
pub fn file_error(path: &Path, error: &io::Error) -> Sentence {
    let (path, why) = (path.display(), system_error(error));
    say!("{path}: {why}", "{path}: {why}"; why)
}

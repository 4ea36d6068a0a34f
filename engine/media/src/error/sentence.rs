//! The errors' words, English and Japanese.

use std::fmt;
use std::io;
use std::path::Path;

use longtake_sentence::{Sentence, say};

use super::{Doing, MediaError, Pipeline};

impl fmt::Display for MediaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence().en)
    }
}

impl MediaError {
    /// The error in both languages. What the system, GStreamer or a JSON reader says of it stays in their words.
    pub fn sentence(&self) -> Sentence {
        match self {
            Self::Missing { path } => at(
                path,
                &say!(
                    "there is no such file; check the name and the input folder",
                    "ファイルがありません。名前と入力フォルダーを確認してください。"
                ),
            ),
            Self::Empty { path } => at(
                path,
                &say!(
                    "the file is empty (0 bytes); copy or download it again",
                    "ファイルが空です(0 バイト)。もう一度コピーするか、ダウンロードしてください。"
                ),
            ),
            Self::NotVideo { path, reason } => at(path, &not_video(reason)),
            Self::Corrupt { path, byte, what } => at(path, &corrupt(*byte, what)),
            Self::Damaged { path, frame } => at(path, &damaged(*frame)),
            Self::Truncated {
                path,
                expected,
                found,
            } => at(path, &truncated(*expected, *found)),
            Self::NoSuchFrame {
                path,
                frame,
                frames,
            } => at(path, &no_such_frame(*frame, *frames)),
            Self::Unwritable { path, source } => at(path, &unwritable(source)),
            Self::NotAFile { path, is } => at(path, &not_a_file(is)),
            Self::DiskFull { path } => at(path, &disk_full()),
            Self::Io {
                path,
                doing,
                source,
            } => at(path, &failed(*doing, source)),
            Self::BadFormat(what) => say!("video format: {what}", "動画の形式: {what}"; what),
            Self::OddSize {
                width,
                height,
                even_width,
                even_height,
            } => odd_size((*width, *height), (*even_width, *even_height)),
            Self::FrameSize {
                width,
                height,
                expected,
                found,
            } => say!(
                "a {width}×{height} RGB frame has {expected} bytes, got {found}",
                "{width}×{height} の RGB フレームは {expected} バイトです(現在: {found})。"
            ),
            Self::NoFrames { path } => at(
                path,
                &say!("no frames to write", "書き込むフレームがありません。"),
            ),
            Self::SegmentMismatch {
                path,
                what,
                expected,
                found,
            } => at(path, &mismatch(what, expected, found)),
            Self::BadMetadata { field, reason } => say!(
                "metadata: `{field}` is not valid JSON: {reason}",
                "メタデータの「{field}」は正しい JSON ではありません: {reason}"
            ),
            Self::MissingElement { element, package } => missing_element(element, package),
            Self::Init(why) => say!(
                "GStreamer did not start: {why}",
                "GStreamer を起動できません: {why}"
            ),
            Self::Pipeline {
                pipeline,
                path,
                message,
            } => at(path, &in_pipeline(*pipeline, message)),
            Self::Timeout {
                pipeline,
                path,
                doing,
                seconds,
            } => at(path, &in_pipeline(*pipeline, &timeout(*doing, *seconds))),
            Self::Cancelled { path } => at(path, &say!("cancelled", "キャンセルしました。")),
        }
    }
}

fn at(path: &Path, what: &Sentence) -> Sentence {
    say!("{}: {what}", "{}: {what}", path.display(); what)
}

fn not_video(reason: &Sentence) -> Sentence {
    say!(
        "not a video that can be read here: {reason}",
        "読み込める動画ではありません: {reason}";
        reason
    )
}

fn corrupt(byte: u64, what: &Sentence) -> Sentence {
    say!(
        "damaged at byte {byte}: {what}; make or copy the file again",
        "{byte} バイト目で壊れています: {what}。ファイルを作り直すか、もう一度コピーしてください。";
        what
    )
}

fn damaged(frame: u64) -> Sentence {
    say!(
        "frame {frame} is damaged and can only be guessed at; copy or render the file again",
        "フレーム {frame} は壊れていて、推測でしか表示できません。もう一度コピーするか、レンダリングし直してください。"
    )
}

fn truncated(expected: u64, found: u64) -> Sentence {
    say!(
        "cut short: {found} of {expected} frames can be read; copy or render the file again",
        "途中で切れています。{expected} フレームのうち {found} フレームしか読み込めません。\
         もう一度コピーするか、レンダリングし直してください。"
    )
}

fn no_such_frame(frame: u64, frames: u64) -> Sentence {
    let last = frames.saturating_sub(1);
    say!(
        "frame {frame} is outside the video, which has {frames} frames (0 to {last})",
        "フレーム {frame} は動画の範囲外です。動画は {frames} フレーム(0～{last})です。"
    )
}

fn unwritable(source: &io::Error) -> Sentence {
    say!(
        "cannot write here: {source}; check that the folder exists and may be written to",
        "ここには書き込めません: {source}。フォルダーがあることと、書き込みの権限を確認してください。"
    )
}

fn not_a_file(is: &Sentence) -> Sentence {
    say!(
        "cannot write here: it is {is}; give the name of a file",
        "ここには書き込めません。{is}です。ファイルの名前を指定してください。";
        is
    )
}

fn disk_full() -> Sentence {
    say!(
        "the disk is full; free some space and run again, nothing half-written was left",
        "ディスクがいっぱいです。空き容量を作ってから、もう一度実行してください。書きかけのファイルは残っていません。"
    )
}

fn failed(doing: Doing, source: &io::Error) -> Sentence {
    let doing = doing.sentence();
    say!("{doing} failed: {source}", "{doing}に失敗しました: {source}"; doing)
}

fn odd_size((width, height): (u32, u32), (even_width, even_height): (u32, u32)) -> Sentence {
    say!(
        "H.264 needs an even width and height, got {width}×{height}; the nearest even size is {even_width}×{even_height} (pad or crop the frames)",
        "H.264 の幅と高さは偶数にしてください(現在: {width}×{height})。最も近い偶数のサイズは {even_width}×{even_height} です。\
         フレームに余白を足すか、切り抜いてください。"
    )
}

fn mismatch(what: &Sentence, expected: &str, found: &str) -> Sentence {
    say!(
        "segment does not fit the film: {what} is {found}, the film has {expected}; encode this segment again",
        "区間が映像に合いません。{what}は {found}、映像は {expected} です。この区間をもう一度エンコードしてください。";
        what
    )
}

fn missing_element(element: &str, package: &str) -> Sentence {
    say!(
        "GStreamer has no element `{element}`; install the Debian package {package} (apt-get install {package})",
        "GStreamer に「{element}」がありません。Debian パッケージ {package} をインストールしてください(apt-get install {package})。"
    )
}

fn in_pipeline(pipeline: Pipeline, message: &Sentence) -> Sentence {
    let name = pipeline.sentence();
    say!("{name} pipeline: {message}", "{name}のパイプライン: {message}"; name, message)
}

fn timeout(doing: Doing, seconds: u64) -> Sentence {
    let doing = doing.sentence();
    say!(
        "nothing came for {seconds} s while {doing}",
        "{doing}で {seconds} 秒間応答がありません。";
        doing
    )
}

impl Pipeline {
    fn sentence(self) -> Sentence {
        match self {
            Self::Encoding => say!("encoding", "エンコード"),
            Self::Decoding => say!("decoding", "デコード"),
            Self::Joining => say!("joining", "結合"),
        }
    }
}

impl Doing {
    fn sentence(self) -> Sentence {
        match self {
            Self::OpeningFile => say!("opening the file", "ファイルを開く処理"),
            Self::ReadingFile => say!("reading the file", "ファイルの読み込み"),
            Self::ReadingSegment => say!("reading the segment", "区間の読み込み"),
            Self::WritingSegment => say!("writing the segment", "区間の書き込み"),
            Self::WritingToDisk => say!("writing to disk", "ディスクへの書き込み"),
            Self::WaitingForRoom => {
                say!(
                    "waiting for room for the next frame",
                    "次のフレームの空き待ち"
                )
            }
            Self::WaitingForLastFrames => say!(
                "waiting for the encoder's last frames",
                "エンコーダーの最後のフレーム待ち"
            ),
            Self::DecodingNextFrame => say!("decoding the next frame", "次のフレームのデコード"),
            Self::Seeking => say!("seeking", "シーク"),
            Self::FinishingFile => say!("finishing the file", "ファイルの仕上げ"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One of each kind.
    fn all() -> Vec<MediaError> {
        let path = || Path::new("films/rain 3.mp4").to_owned();
        let inner = || say!("it is 12 bytes", "12 バイトです");
        let refused = || io::Error::from(io::ErrorKind::PermissionDenied);
        let (width, height) = (853, 481);
        let mut all = vec![
            MediaError::Missing { path: path() },
            MediaError::Empty { path: path() },
            MediaError::not_video(&path(), inner()),
            MediaError::corrupt(&path(), 77, inner()),
            MediaError::Damaged {
                path: path(),
                frame: 12,
            },
            MediaError::Truncated {
                path: path(),
                expected: 120,
                found: 43,
            },
            MediaError::NoSuchFrame {
                path: path(),
                frame: 100,
                frames: 90,
            },
            MediaError::unwritable(&path(), refused()),
            MediaError::unwritable(&path(), io::ErrorKind::StorageFull.into()),
            MediaError::NotAFile {
                path: path(),
                is: say!("a folder", "フォルダー"),
            },
            MediaError::BadFormat(inner()),
            MediaError::OddSize {
                width,
                height,
                even_width: 852,
                even_height: 480,
            },
            MediaError::FrameSize {
                width,
                height,
                expected: 1_230_879,
                found: 7,
            },
            MediaError::NoFrames { path: path() },
            MediaError::SegmentMismatch {
                path: path(),
                what: say!("the size", "サイズ"),
                expected: "64×72".into(),
                found: "128×72".into(),
            },
            MediaError::BadMetadata {
                field: "prompt",
                reason: "key must be a string at line 1 column 2".into(),
            },
            MediaError::MissingElement {
                element: "x264enc".into(),
                package: "gstreamer1.0-plugins-ugly",
            },
            MediaError::Init("no plugins".into()),
            MediaError::Cancelled { path: path() },
        ];
        for doing in [
            Doing::OpeningFile,
            Doing::ReadingFile,
            Doing::ReadingSegment,
            Doing::WritingSegment,
            Doing::WritingToDisk,
            Doing::WaitingForRoom,
            Doing::WaitingForLastFrames,
            Doing::DecodingNextFrame,
            Doing::Seeking,
            Doing::FinishingFile,
        ] {
            all.push(MediaError::io(&path(), doing, refused()));
            all.push(MediaError::Timeout {
                pipeline: Pipeline::Joining,
                path: path(),
                doing,
                seconds: 60,
            });
        }
        for pipeline in [Pipeline::Encoding, Pipeline::Decoding, Pipeline::Joining] {
            all.push(MediaError::Pipeline {
                pipeline,
                path: path(),
                message: Sentence::same("mux: 3 streams"),
            });
        }
        all
    }

    #[test]
    fn every_error_is_said_in_both_languages() {
        for error in all() {
            let sentence = error.sentence();
            assert_eq!(sentence.lacks(), None, "{error:?}");
            assert_eq!(error.to_string(), sentence.en);
        }
    }
}

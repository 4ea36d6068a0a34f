//! What can be wrong with a checkpoint, said so that the reader knows what to do next.

use std::path::PathBuf;

use longtake_sentence::{Sentence, say};

/// A checkpoint that cannot be used. Every message names the file, the place in it, what was
/// expected, what came, and a remedy.
#[derive(Debug, thiserror::Error)]
#[error("{}", self.sentence())]
pub enum WeightsError {
    /// The file or folder could not be opened or read.
    Io {
        file: PathBuf,
        action: Action,
        source: std::io::Error,
    },
    /// A folder, a device or a socket where a file is expected.
    NotAFile { file: PathBuf },
    /// The bytes are no safetensors file, or one that was cut short.
    Malformed {
        file: PathBuf,
        /// Offset from the start of the file.
        byte: u64,
        clash: Box<Clash>,
    },
    /// The header's entry for one tensor contradicts itself, its neighbours or the file.
    BadTensor {
        file: PathBuf,
        tensor: String,
        clash: Box<Clash>,
    },
    /// A module asked for a tensor the checkpoint does not have.
    Missing {
        file: PathBuf,
        tensor: String,
        /// Names like it that the file has, nearest first; may be empty.
        near: Vec<String>,
    },
    /// The index of a folder names a tensor that none of its shards has.
    NotInShards { folder: PathBuf, tensor: String },
    /// The tensor is there in another shape than the module needs.
    Shape {
        file: PathBuf,
        tensor: String,
        expected: Vec<usize>,
        found: Vec<usize>,
    },
    /// The tensor is there in a dtype that is no weight.
    Dtype {
        file: PathBuf,
        tensor: String,
        found: &'static str,
    },
    /// Two tensors would answer to one name (two shards, or two layouts in one file).
    Duplicate {
        file: PathBuf,
        tensor: String,
        other: String,
        other_file: PathBuf,
    },
    /// A folder that is no diffusers component.
    Folder { folder: PathBuf, clash: Box<Clash> },
    /// A sound checkpoint of a model that is not the one asked for.
    WrongFamily {
        file: PathBuf,
        expected: Sentence,
        found: Sentence,
    },
}

/// What was expected, what came instead, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clash {
    pub expected: Sentence,
    pub found: Sentence,
    pub remedy: Sentence,
}

impl Clash {
    pub(crate) fn sentence(&self) -> Sentence {
        let Self {
            expected,
            found,
            remedy,
        } = self;
        say!("expected {expected}, found {found}; {remedy}",
            "{expected}が必要ですが、{found}でした。{remedy}"; expected, found, remedy)
    }
}

/// What was done to a file when the system refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    Open,
    Read,
    List,
    Map,
}

impl Action {
    fn sentence(self) -> Sentence {
        match self {
            Self::Open => say!("open", "開けません"),
            Self::Read => say!("read", "読み込めません"),
            Self::List => say!("list", "一覧を取得できません"),
            Self::Map => say!("map", "メモリにマップできません"),
        }
    }
}

impl WeightsError {
    /// The message in both languages.
    pub fn sentence(&self) -> Sentence {
        match self {
            Self::Io {
                file,
                action,
                source,
            } => {
                let (file, action) = (file.display(), action.sentence());
                say!("{file}: cannot {action}: {source}", "{file}: {action}: {source}"; action)
            }
            Self::NotAFile { file } => {
                let file = file.display();
                say!(
                    "{file}: cannot open: not a regular file",
                    "{file}: 開けません: 通常のファイルではありません"
                )
            }
            Self::Malformed { file, byte, clash } => {
                let file = file.display();
                let clash = clash.sentence();
                say!("{file}: byte {byte}: {clash}", "{file}: {byte} バイト目: {clash}"; clash)
            }
            Self::BadTensor {
                file,
                tensor,
                clash,
            } => {
                let file = file.display();
                let clash = clash.sentence();
                say!("{file}: tensor `{tensor}`: {clash}", "{file}: テンソル「{tensor}」: {clash}"; clash)
            }
            Self::Missing { file, tensor, near } => missing(&file.display(), tensor, near),
            Self::NotInShards { folder, tensor } => {
                let folder = folder.display();
                say!(
                    "{folder}: tensor `{tensor}` is missing though the index names it; the file is \
                     incomplete or of another model",
                    "{folder}: インデックスにあるテンソル「{tensor}」がどのファイルにもありません。\
                     ファイルが不完全か、別のモデルのものです"
                )
            }
            Self::Shape {
                file,
                tensor,
                expected,
                found,
            } => {
                let file = file.display();
                say!(
                    "{file}: tensor `{tensor}`: expected shape {expected:?}, found {found:?}; the \
                     file is of another model or size",
                    "{file}: テンソル「{tensor}」の形状は {expected:?} でなければなりませんが、\
                     {found:?} でした。別のモデルか別のサイズのファイルです"
                )
            }
            Self::Dtype {
                file,
                tensor,
                found,
            } => {
                let file = file.display();
                say!(
                    "{file}: tensor `{tensor}`: expected floating-point weights, found {found}; use \
                     a checkpoint in f32, bf16, f16 or fp8",
                    "{file}: テンソル「{tensor}」は浮動小数点の重みでなければなりませんが、{found} \
                     でした。f32、bf16、f16、fp8 のいずれかのチェックポイントを使ってください"
                )
            }
            Self::Duplicate {
                file,
                tensor,
                other,
                other_file,
            } => {
                let (file, other_file) = (file.display(), other_file.display());
                say!(
                    "{file}: tensor `{tensor}` stands twice (also as `{other}` in {other_file}); \
                     remove one of the two",
                    "{file}: テンソル「{tensor}」が二つあります（{other_file} の「{other}」も同じものです）。\
                     どちらか一方を取り除いてください"
                )
            }
            Self::Folder { folder, clash } => {
                let folder = folder.display();
                let clash = clash.sentence();
                say!("{folder}: {clash}", "{folder}: {clash}"; clash)
            }
            Self::WrongFamily {
                file,
                expected,
                found,
            } => {
                let file = file.display();
                say!("{file}: expected a checkpoint of {expected}, found {found}; choose another file",
                    "{file}: {expected}のチェックポイントが必要ですが、{found}でした。別のファイルを選んでください";
                    expected, found)
            }
        }
    }
}

fn missing(file: &dyn std::fmt::Display, tensor: &str, near: &[String]) -> Sentence {
    let near = if near.is_empty() {
        Sentence::default()
    } else {
        let names = near.join(", ");
        say!(" (nearest names: {names})", "（近い名前: {names}）")
    };
    say!("{file}: tensor `{tensor}` is missing{near}; the file is incomplete or of another model",
        "{file}: テンソル「{tensor}」がありません{near}。ファイルが不完全か、別のモデルのものです"; near)
}

//! Prompts to token ids, exactly as SentencePiece computes them.
//!
//! The model comes from the `spiece_model` tensor of ComfyUI's single-file encoders, from the metadata
//! of a GGUF file, from `spiece.model`, or from `tokenizer.json` of a diffusers folder. All but the last are read by our
//! own code: besides ids equal to SentencePiece's, that takes a tenth of the memory of the
//! `tokenizers` crate's trie; the last goes through that crate.

mod charsmap;
mod gguf;
mod prompt;
mod proto;
mod unigram;

use std::path::{Path, PathBuf};

use charsmap::Normalizer;
use longtake_sentence::{Sentence, say};
pub use prompt::{clean_prompt, parse_weights};
use proto::{ModelProto, PieceKind};
use unigram::Unigram;

use crate::weights::Checkpoint;

/// Name of the tensor in which ComfyUI's encoder files carry their tokenizer.
pub const SPIECE_TENSOR: &str = "spiece_model";
/// End of sequence, where the model itself does not say.
const DEFAULT_EOS: u32 = 1;
/// Largest tokenizer file read; UMT5's `tokenizer.json` has 17 MB.
const MAX_FILE_BYTES: u64 = 256 << 20;

/// A tokenizer that cannot be used, or a text it cannot take.
#[derive(Debug, thiserror::Error)]
#[error("{}", self.sentence())]
pub enum TokenizerError {
    Io {
        file: PathBuf,
        source: std::io::Error,
    },
    Damaged {
        file: PathBuf,
        reason: Sentence,
    },
    /// A sound model that works in another way.
    Unsupported {
        file: PathBuf,
        reason: Sentence,
    },
    Missing {
        file: PathBuf,
        looked: Vec<String>,
    },
    /// The `tokenizers` crate refuses a text.
    Encode {
        file: PathBuf,
        reason: String,
    },
}

impl TokenizerError {
    /// The message in both languages.
    pub fn sentence(&self) -> Sentence {
        match self {
            Self::Io { file, source } => {
                let file = file.display();
                say!(
                    "{file}: cannot read: {source}",
                    "{file}: 読み込めません: {source}"
                )
            }
            Self::Damaged { file, reason } => {
                let file = file.display();
                say!("{file}: no SentencePiece model: {reason}; fetch the text encoder again",
                    "{file}: SentencePiece のモデルとして読めません: {reason}。テキストエンコーダーをもう一度入手してください"; reason)
            }
            Self::Unsupported { file, reason } => {
                let file = file.display();
                say!("{file}: a SentencePiece model of another kind: {reason}; Wan needs UMT5's unigram model",
                    "{file}: 種類の違う SentencePiece モデルです: {reason}。Wan には UMT5 のユニグラムモデルが必要です"; reason)
            }
            Self::Missing { file, looked } => {
                let (file, looked) = (file.display(), looked.join(", "));
                say!(
                    "{file}: no tokenizer: expected a `{SPIECE_TENSOR}` tensor or `tokenizer.ggml` metadata in the file, or spiece.model or tokenizer.json in one of: {looked}; use ComfyUI's umt5_xxl file, or keep the tokenizer folder beside the text encoder",
                    "{file}: トークナイザーがありません。ファイル内の「{SPIECE_TENSOR}」テンソルか「tokenizer.ggml」メタデータ、または次のいずれかにある spiece.model か tokenizer.json が必要です: {looked}。ComfyUI の umt5_xxl ファイルを使うか、テキストエンコーダーの隣に tokenizer フォルダーを置いてください"
                )
            }
            Self::Encode { file, reason } => {
                let file = file.display();
                say!(
                    "{file}: cannot tokenise this prompt: {reason}",
                    "{file}: このプロンプトをトークンに分けられません: {reason}"
                )
            }
        }
    }
}

/// Turns text into ids.
#[derive(Debug)]
pub struct Tokenizer {
    kind: Kind,
    eos: u32,
    source: PathBuf,
}

#[derive(Debug)]
enum Kind {
    SentencePiece {
        normalizer: Normalizer,
        unigram: Unigram,
        pieces: usize,
    },
    Json(Box<tokenizers::Tokenizer>),
}

impl Tokenizer {
    /// The tokenizer that belongs to a text encoder: its `spiece_model` tensor or GGUF metadata, or a file in its
    /// folder, in `tokenizer/` or `../tokenizer/` (diffusers).
    ///
    /// # Errors
    /// [`TokenizerError`] if there is none or it is damaged.
    pub fn of_checkpoint(checkpoint: &Checkpoint) -> Result<Self, TokenizerError> {
        let path = checkpoint.path();
        if let Ok(bytes) = checkpoint.bytes_of(SPIECE_TENSOR) {
            return Self::from_sentencepiece(bytes, path);
        }
        if let Some(model) = gguf::model(checkpoint) {
            let damaged = |reason| TokenizerError::Damaged {
                file: path.into(),
                reason,
            };
            return Self::from_model(&model.map_err(damaged)?, path);
        }
        let folder = if path.is_dir() {
            path
        } else {
            path.parent().unwrap_or(Path::new("."))
        };
        let places = [
            folder.to_path_buf(),
            folder.join("tokenizer"),
            folder.join("../tokenizer"),
        ];
        let find = |name: &str| {
            places
                .iter()
                .map(|place| place.join(name))
                .find(|file| file.is_file())
        };
        if let Some(file) = find("spiece.model") {
            return Self::from_sentencepiece(&read(&file)?, &file);
        }
        if let Some(file) = find("tokenizer.json") {
            return Self::from_json(&file);
        }
        let looked = places
            .iter()
            .map(|place| place.display().to_string())
            .collect();
        Err(TokenizerError::Missing {
            file: path.into(),
            looked,
        })
    }

    /// A serialised SentencePiece model; `source` is the file named in errors.
    ///
    /// # Errors
    /// [`TokenizerError::Damaged`] or [`TokenizerError::Unsupported`].
    pub fn from_sentencepiece(bytes: &[u8], source: &Path) -> Result<Self, TokenizerError> {
        let damaged = |reason: Sentence| TokenizerError::Damaged {
            file: source.into(),
            reason,
        };
        let model = ModelProto::parse(bytes).map_err(|e| damaged(e.sentence()))?;
        Self::from_model(&model, source)
    }

    fn from_model(model: &ModelProto<'_>, source: &Path) -> Result<Self, TokenizerError> {
        let damaged = |reason: Sentence| TokenizerError::Damaged {
            file: source.into(),
            reason,
        };
        let unsupported = |reason| TokenizerError::Unsupported {
            file: source.into(),
            reason,
        };
        if model.model_type != 1 {
            return Err(unsupported(say!(
                "it is not a unigram model",
                "ユニグラムモデルではありません"
            )));
        }
        if model.whitespace_as_suffix {
            return Err(unsupported(say!(
                "it puts spaces behind words",
                "空白を単語の後ろに付けるモデルです"
            )));
        }
        let protected = model
            .pieces
            .iter()
            .filter(|piece| piece.kind == PieceKind::UserDefined);
        let protected = protected.map(|piece| piece.text.to_owned()).collect();
        let normalizer = Normalizer::new(model, protected).ok_or_else(|| {
            damaged(say!(
                "its character map is cut short",
                "文字の変換表が途中で切れています"
            ))
        })?;
        let unigram = Unigram::new(model).map_err(damaged)?;
        let eos = model
            .pieces
            .iter()
            .position(|piece| piece.kind == PieceKind::Control && piece.text == model.eos_piece);
        let pieces = model.pieces.len();
        Ok(Self {
            kind: Kind::SentencePiece {
                normalizer,
                unigram,
                pieces,
            },
            eos: eos.map_or(DEFAULT_EOS, |id| id as u32),
            source: source.into(),
        })
    }

    /// A `tokenizer.json` of the `tokenizers` crate. Where it differs from SentencePiece (a voiced
    /// mark written as a character of its own, for one) its ids are what diffusers would get.
    ///
    /// # Errors
    /// [`TokenizerError::Damaged`].
    pub fn from_json(file: &Path) -> Result<Self, TokenizerError> {
        let inner = tokenizers::Tokenizer::from_bytes(read(file)?).map_err(|e| {
            TokenizerError::Damaged {
                file: file.into(),
                reason: say!("{e}", "tokenizer.json を読めません（{e}）"),
            }
        })?;
        let eos = inner.token_to_id("</s>").unwrap_or(DEFAULT_EOS);
        Ok(Self {
            kind: Kind::Json(Box::new(inner)),
            eos,
            source: file.into(),
        })
    }

    /// Ids of `text`, end of sequence included; an empty text is that alone.
    ///
    /// # Errors
    /// [`TokenizerError::Encode`], only with a `tokenizer.json` that lacks an unknown token.
    pub fn encode(&self, text: &str) -> Result<Vec<u32>, TokenizerError> {
        let mut ids = self.pieces_of(text)?;
        ids.push(self.eos);
        Ok(ids)
    }

    /// Ids of a prompt with ComfyUI's weights, end of sequence included. Each run is tokenised by
    /// itself, as ComfyUI does. Its `embedding:name` is not known here and stays text.
    ///
    /// # Errors
    /// As [`Tokenizer::encode`].
    pub fn encode_weighted(&self, prompt: &str) -> Result<Vec<(u32, f32)>, TokenizerError> {
        let mut out = Vec::new();
        for (text, weight) in parse_weights(prompt) {
            out.extend(self.pieces_of(&text)?.into_iter().map(|id| (id, weight)));
        }
        out.push((self.eos, 1.0));
        Ok(out)
    }

    /// The text as the vocabulary sees it, spaces as U+2581; `None` for a `tokenizer.json`.
    pub fn normalize(&self, text: &str) -> Option<String> {
        match &self.kind {
            Kind::SentencePiece { normalizer, .. } => Some(normalizer.normalize(text)),
            Kind::Json(_) => None,
        }
    }

    /// Size of the vocabulary. The encoder's table may have more rows, never fewer.
    pub fn vocab(&self) -> usize {
        match &self.kind {
            Kind::SentencePiece { pieces, .. } => *pieces,
            Kind::Json(inner) => inner.get_vocab_size(true),
        }
    }

    /// Id of the end of sequence.
    pub fn eos(&self) -> u32 {
        self.eos
    }

    fn pieces_of(&self, text: &str) -> Result<Vec<u32>, TokenizerError> {
        match &self.kind {
            Kind::SentencePiece {
                normalizer,
                unigram,
                ..
            } => Ok(unigram.encode(&normalizer.normalize(text))),
            Kind::Json(inner) => {
                let encoding = inner.encode(text, false);
                let encoding = encoding.map_err(|e| TokenizerError::Encode {
                    file: self.source.clone(),
                    reason: e.to_string(),
                })?;
                Ok(encoding.get_ids().to_vec())
            }
        }
    }
}

fn read(file: &Path) -> Result<Vec<u8>, TokenizerError> {
    let io = |source| TokenizerError::Io {
        file: file.into(),
        source,
    };
    let meta = std::fs::metadata(file).map_err(io)?;
    if !meta.is_file() {
        return Err(TokenizerError::Damaged {
            file: file.into(),
            reason: say!(
                "it is no file, but a folder, a pipe or a device",
                "ファイルではありません(フォルダー、パイプ、またはデバイス)"
            ),
        });
    }
    let bytes = meta.len();
    if bytes > MAX_FILE_BYTES {
        return Err(TokenizerError::Damaged {
            file: file.into(),
            reason: say!(
                "{bytes} bytes, more than {MAX_FILE_BYTES}",
                "{bytes} バイトで、{MAX_FILE_BYTES} を超えています"
            ),
        });
    }
    std::fs::read(file).map_err(io)
}

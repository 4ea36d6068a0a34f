//! The tokenizer inside a GGUF file: llama.cpp keeps a SentencePiece model's parts as metadata
//! (ggml-org/llama.cpp, `convert_hf_to_gguf.py`, `T5EncoderModel`), from which city96/ComfyUI-GGUF
//! (`loader.py`, `gguf_tokenizer_loader`) builds it again, and so does this.

use longtake_sentence::{Sentence, say};

use super::proto::{ModelProto, Piece, PieceKind};
use crate::weights::Checkpoint;

const PREFIX: &str = "tokenizer.ggml.";

/// The model in `checkpoint`'s metadata; `None` if there is no tokenizer in it.
///
/// # Errors
/// What is wrong with it.
pub(super) fn model(checkpoint: &Checkpoint) -> Option<Result<ModelProto<'_>, Sentence>> {
    let kind = checkpoint.metadata().get("tokenizer.ggml.model")?;
    if kind != "t5" {
        let kind = kind.escape_debug();
        return Some(Err(say!(
            "tokenizer.ggml.model is `{kind}`, expected `t5`",
            "tokenizer.ggml.model が「t5」ではなく「{kind}」です"
        )));
    }
    Some(read(checkpoint))
}

fn read(checkpoint: &Checkpoint) -> Result<ModelProto<'_>, Sentence> {
    let array = |name: &str| {
        let key = format!("{PREFIX}{name}");
        let missing = || say!("`{key}` is missing", "「{key}」がありません");
        checkpoint.array(&key).ok_or_else(missing)
    };
    let wrong = |name: &str| {
        say!(
            "`{PREFIX}{name}` is damaged or of another type",
            "「{PREFIX}{name}」が壊れているか、別の型です"
        )
    };
    let (tokens, file) = array("tokens")?;
    let texts = tokens.texts(file).ok_or_else(|| wrong("tokens"))?;
    let (scores, file) = array("scores")?;
    let scores = scores.reals(file).ok_or_else(|| wrong("scores"))?;
    let (kinds, file) = array("token_type")?;
    let kinds = kinds.wholes(file).ok_or_else(|| wrong("token_type"))?;
    if scores.len() != texts.len() || kinds.len() != texts.len() {
        return Err(say!(
            "{} tokens with {} scores and {} types",
            "トークン {} 個に対してスコアが {} 個、型が {} 個です",
            texts.len(),
            scores.len(),
            kinds.len()
        ));
    }
    let charsmap = match array("precompiled_charsmap") {
        Ok((map, file)) => map
            .octets(file)
            .ok_or_else(|| wrong("precompiled_charsmap"))?,
        Err(_) => &[],
    };
    let entry = |name: &str| checkpoint.metadata().get(&format!("{PREFIX}{name}"));
    let flag = |name: &str| entry(name).is_none_or(|text| text == "true");
    let eos = entry("eos_token_id").and_then(|id| id.parse::<usize>().ok());
    let eos = eos.and_then(|id| texts.get(id).copied()).unwrap_or("</s>");
    let pieces = texts.into_iter().zip(scores).zip(kinds);
    let pieces = pieces.enumerate().map(|(id, ((text, score), kind))| {
        let number = u64::from(kind.unsigned_abs());
        let kind = PieceKind::of(number).filter(|_| score.is_finite());
        let kind = kind.ok_or_else(|| {
            say!(
                "piece {id} of type {number} and score {score}",
                "ピース {id} の型が {number}、スコアが {score} です"
            )
        })?;
        Ok(Piece { text, score, kind })
    });
    let pieces = pieces.collect::<Result<Vec<Piece<'_>>, Sentence>>()?;
    Ok(ModelProto {
        byte_fallback: pieces.iter().any(|piece| piece.kind == PieceKind::Byte),
        pieces,
        model_type: 1,
        whitespace_as_suffix: false,
        eos_piece: eos,
        charsmap,
        add_dummy_prefix: flag("add_space_prefix"),
        remove_extra_whitespaces: flag("remove_extra_whitespaces"),
        escape_whitespaces: true,
    })
}

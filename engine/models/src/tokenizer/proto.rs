//! SentencePiece's model file: just enough of the protobuf wire format to read it, trusting nothing.
//!
//! Field numbers are those of google/sentencepiece, `src/sentencepiece_model.proto`.

use longtake_sentence::{Sentence, say};

/// What a piece of the vocabulary is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PieceKind {
    Normal,
    Unknown,
    Control,
    UserDefined,
    Unused,
    Byte,
}

impl PieceKind {
    /// The kind with this number in the file.
    pub fn of(number: u64) -> Option<Self> {
        match number {
            1 => Some(Self::Normal),
            2 => Some(Self::Unknown),
            3 => Some(Self::Control),
            4 => Some(Self::UserDefined),
            5 => Some(Self::Unused),
            6 => Some(Self::Byte),
            _ => None,
        }
    }
}

/// One piece of the vocabulary; its position is its id.
#[derive(Clone, Debug, PartialEq)]
pub struct Piece<'a> {
    pub text: &'a str,
    pub score: f32,
    pub kind: PieceKind,
}

/// The parts of a `ModelProto` that encoding needs.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelProto<'a> {
    pub pieces: Vec<Piece<'a>>,
    /// 1 is unigram.
    pub model_type: u64,
    pub byte_fallback: bool,
    pub whitespace_as_suffix: bool,
    pub eos_piece: &'a str,
    pub charsmap: &'a [u8],
    pub add_dummy_prefix: bool,
    pub remove_extra_whitespaces: bool,
    pub escape_whitespaces: bool,
}

/// Where and why the bytes are no SentencePiece model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProtoError {
    pub byte: usize,
    pub flaw: Flaw,
}

/// What does not hold there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    TooManyPieces,
    WireType,
    PieceWireType,
    PieceKind,
    Score,
    End,
    LongNumber,
    LongField,
    UnknownWireType,
    FieldZero,
    NotUtf8,
}

impl ProtoError {
    /// The message in both languages.
    pub fn sentence(&self) -> Sentence {
        let flaw = match self.flaw {
            Flaw::TooManyPieces => {
                say!("more pieces than any vocabulary has", "ピースが多すぎます")
            }
            Flaw::WireType => say!(
                "a field of the wrong wire type",
                "フィールドのワイヤータイプが違います"
            ),
            Flaw::PieceWireType => say!(
                "a piece field of the wrong wire type",
                "ピースのフィールドのワイヤータイプが違います"
            ),
            Flaw::PieceKind => say!("a piece of unknown type", "ピースの型が不明です"),
            Flaw::Score => say!(
                "a score that is not finite",
                "スコアが有限の数ではありません"
            ),
            Flaw::End => say!(
                "the data ends inside a field",
                "データがフィールドの途中で終わっています"
            ),
            Flaw::LongNumber => say!(
                "a number longer than ten bytes",
                "数値が十バイトを超えています"
            ),
            Flaw::LongField => say!("a length beyond memory", "長さがメモリを超えています"),
            Flaw::UnknownWireType => {
                say!("an unknown wire type", "不明なワイヤータイプです")
            }
            Flaw::FieldZero => say!("field number 0", "フィールド番号が 0 です"),
            Flaw::NotUtf8 => say!("text that is not UTF-8", "テキストが UTF-8 ではありません"),
        };
        let byte = self.byte;
        say!("byte {byte}: {flaw}", "{byte} バイト目: {flaw}"; flaw)
    }
}

/// Most pieces accepted; the largest public vocabularies have about a million.
const MAX_PIECES: usize = 1 << 22;

impl<'a> ModelProto<'a> {
    /// Reads a serialised `ModelProto`.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, ProtoError> {
        let mut model = Self {
            pieces: Vec::new(),
            model_type: 1,
            byte_fallback: false,
            whitespace_as_suffix: false,
            eos_piece: "</s>",
            charsmap: &[],
            add_dummy_prefix: true,
            remove_extra_whitespaces: true,
            escape_whitespaces: true,
        };
        let mut reader = Reader {
            bytes,
            at: 0,
            base: 0,
        };
        while let Some((field, value)) = reader.next()? {
            match (field, value) {
                (1, Value::Bytes(message)) => {
                    if model.pieces.len() == MAX_PIECES {
                        return Err(reader.error(Flaw::TooManyPieces));
                    }
                    model.pieces.push(piece(message)?);
                }
                (2, Value::Bytes(message)) => trainer(message, &mut model)?,
                (3, Value::Bytes(message)) => normalizer(message, &mut model)?,
                (1..=3, _) => return Err(reader.error(Flaw::WireType)),
                _ => {}
            }
        }
        Ok(model)
    }
}

fn piece(mut reader: Reader<'_>) -> Result<Piece<'_>, ProtoError> {
    let mut piece = Piece {
        text: "",
        score: 0.0,
        kind: PieceKind::Normal,
    };
    while let Some((field, value)) = reader.next()? {
        match (field, value) {
            (1, Value::Bytes(message)) => piece.text = message.text()?,
            (2, Value::Fixed32(bits)) => piece.score = f32::from_bits(bits),
            (3, Value::Varint(kind)) => {
                let kind = PieceKind::of(kind);
                piece.kind = kind.ok_or_else(|| reader.error(Flaw::PieceKind))?;
            }
            (1..=3, _) => return Err(reader.error(Flaw::PieceWireType)),
            _ => {}
        }
    }
    if !piece.score.is_finite() {
        return Err(reader.error(Flaw::Score));
    }
    Ok(piece)
}

fn trainer<'a>(mut reader: Reader<'a>, model: &mut ModelProto<'a>) -> Result<(), ProtoError> {
    while let Some((field, value)) = reader.next()? {
        match (field, value) {
            (3, Value::Varint(it)) => model.model_type = it,
            (24, Value::Varint(it)) => model.whitespace_as_suffix = it != 0,
            (35, Value::Varint(it)) => model.byte_fallback = it != 0,
            (47, Value::Bytes(it)) => model.eos_piece = it.text()?,
            _ => {}
        }
    }
    Ok(())
}

fn normalizer<'a>(mut reader: Reader<'a>, model: &mut ModelProto<'a>) -> Result<(), ProtoError> {
    while let Some((field, value)) = reader.next()? {
        match (field, value) {
            (2, Value::Bytes(it)) => model.charsmap = it.bytes,
            (3, Value::Varint(it)) => model.add_dummy_prefix = it != 0,
            (4, Value::Varint(it)) => model.remove_extra_whitespaces = it != 0,
            (5, Value::Varint(it)) => model.escape_whitespaces = it != 0,
            _ => {}
        }
    }
    Ok(())
}

enum Value<'a> {
    Varint(u64),
    Fixed32(u32),
    Fixed64,
    Bytes(Reader<'a>),
}

/// A message being read; `base` is where it starts in the whole file, for errors.
struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    base: usize,
}

impl<'a> Reader<'a> {
    fn error(&self, flaw: Flaw) -> ProtoError {
        ProtoError {
            byte: self.base + self.at,
            flaw,
        }
    }

    fn take(&mut self, n: usize) -> Result<&'a [u8], ProtoError> {
        let end = self
            .at
            .checked_add(n)
            .filter(|&end| end <= self.bytes.len());
        let Some(end) = end else {
            return Err(self.error(Flaw::End));
        };
        let out = &self.bytes[self.at..end];
        self.at = end;
        Ok(out)
    }

    fn varint(&mut self) -> Result<u64, ProtoError> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.take(1)?[0];
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(self.error(Flaw::LongNumber))
    }

    /// The next field, `None` at the end. Groups (wire types 3 and 4) do not occur in this format.
    fn next(&mut self) -> Result<Option<(u64, Value<'a>)>, ProtoError> {
        if self.at == self.bytes.len() {
            return Ok(None);
        }
        let tag = self.varint()?;
        let value = match tag & 7 {
            0 => Value::Varint(self.varint()?),
            1 => {
                self.take(8)?;
                Value::Fixed64
            }
            2 => {
                let len =
                    usize::try_from(self.varint()?).map_err(|_| self.error(Flaw::LongField))?;
                let base = self.base + self.at;
                Value::Bytes(Self {
                    bytes: self.take(len)?,
                    at: 0,
                    base,
                })
            }
            5 => {
                let bytes = self.take(4)?;
                Value::Fixed32(u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
            }
            _ => return Err(self.error(Flaw::UnknownWireType)),
        };
        match tag >> 3 {
            0 => Err(self.error(Flaw::FieldZero)),
            field => Ok(Some((field, value))),
        }
    }

    fn text(&self) -> Result<&'a str, ProtoError> {
        std::str::from_utf8(self.bytes).map_err(|_| self.error(Flaw::NotUtf8))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_pieces_and_flags() {
        // piece {text "a", score -1.5, type USER_DEFINED}; normalizer {add_dummy_prefix false}
        let bytes = [
            0x0a, 0x0a, 0x0a, 1, b'a', 0x15, 0, 0, 0xc0, 0xbf, 0x18, 4, 0x1a, 2, 0x18, 0,
        ];
        let model = ModelProto::parse(&bytes).unwrap();
        assert_eq!(
            model.pieces,
            [Piece {
                text: "a",
                score: -1.5,
                kind: PieceKind::UserDefined
            }]
        );
        assert!(!model.add_dummy_prefix && model.remove_extra_whitespaces);
    }

    #[test]
    fn hostile_bytes_are_refused_with_their_place() {
        for (bytes, byte, what) in [
            (&[0x0a, 5, 0x0a][..], 2, "the data ends inside a field"),
            (&[0x0a, 2, 0x0a, 9], 4, "the data ends inside a field"),
            (
                &[
                    0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1,
                ],
                11,
                "the data ends inside a field",
            ),
            (&[0x80; 11], 10, "a number longer than ten bytes"),
            (&[0x0b], 1, "an unknown wire type"),
            (&[0x08, 1], 2, "a field of the wrong wire type"),
            (&[0x0a, 3, 0x0a, 1, 0xff], 4, "text that is not UTF-8"),
            (
                &[0x0a, 5, 0x15, 0, 0, 0xc0, 0x7f],
                7,
                "a score that is not finite",
            ),
            (&[0x0a, 2, 0x18, 9], 4, "a piece of unknown type"),
        ] {
            let said = ModelProto::parse(bytes).unwrap_err().sentence();
            assert_eq!(said.en, format!("byte {byte}: {what}"), "{bytes:x?}");
            assert_eq!(said.lacks(), None);
        }
    }
}

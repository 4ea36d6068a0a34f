//! The unigram language model: the split of a text into vocabulary pieces with the best total score.
//!
//! Follows `Model::EncodeOptimized` of google/sentencepiece, `src/unigram_model.cc`, down to where
//! it rounds to f32, since near ties are decided there.

use longtake_sentence::{Sentence, say};

use super::proto::{ModelProto, PieceKind};

/// Taken off the lowest score for a character that no piece covers (`kUnkPenalty`).
const UNKNOWN_PENALTY: f32 = 10.0;

/// A vocabulary ready for encoding.
#[derive(Clone, Debug)]
pub(super) struct Unigram {
    /// All matchable pieces end to end, in byte order.
    bytes: Vec<u8>,
    /// The piece at each place of that order.
    entries: Vec<Entry>,
    unknown: u32,
    unknown_score: f32,
    max_score: f32,
    /// Ids of the 256 byte pieces, if unknown characters are spelt out.
    byte_ids: Option<Vec<u32>>,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    start: u32,
    len: u32,
    id: u32,
    score: f32,
    user_defined: bool,
    unused: bool,
}

/// Best way to reach a position of the text.
#[derive(Clone, Copy)]
struct Node {
    id: u32,
    score: f32,
    from: Option<usize>,
}

impl Unigram {
    /// # Errors
    /// What is wrong with the vocabulary.
    pub fn new(model: &ModelProto<'_>) -> Result<Self, Sentence> {
        let mut order: Vec<u32> = Vec::new();
        let (mut min, mut max) = (f32::MAX, f32::MIN_POSITIVE);
        for (id, piece) in model.pieces.iter().enumerate() {
            if piece.kind == PieceKind::Normal {
                (min, max) = (min.min(piece.score), max.max(piece.score));
            }
            if matches!(
                piece.kind,
                PieceKind::Normal | PieceKind::UserDefined | PieceKind::Unused
            ) {
                if piece.text.is_empty() {
                    return Err(say!("piece {id} is empty", "ピース {id} が空です"));
                }
                order.push(id as u32);
            }
        }
        let text = |id: u32| model.pieces[id as usize].text;
        order.sort_unstable_by_key(|&id| text(id).as_bytes());
        if let Some(pair) = order.windows(2).find(|pair| text(pair[0]) == text(pair[1])) {
            let twice = text(pair[0]).escape_debug();
            return Err(say!(
                "piece `{twice}` stands twice",
                "ピース「{twice}」が二つあります"
            ));
        }
        let unknown = model
            .pieces
            .iter()
            .position(|piece| piece.kind == PieceKind::Unknown);
        let no_unknown = || {
            say!(
                "no piece for the unknown",
                "未知の文字のためのピースがありません"
            )
        };
        let mut out = Self {
            bytes: Vec::new(),
            entries: Vec::with_capacity(order.len()),
            unknown: unknown.ok_or_else(no_unknown)? as u32,
            unknown_score: min - UNKNOWN_PENALTY,
            max_score: max,
            byte_ids: if model.byte_fallback {
                Some(byte_ids(model)?)
            } else {
                None
            },
        };
        for id in order {
            let piece = &model.pieces[id as usize];
            let start = u32::try_from(out.bytes.len())
                .map_err(|_| say!("more than 4 GiB of pieces", "ピースが 4 GiB を超えています"))?;
            out.bytes.extend(piece.text.as_bytes());
            out.entries.push(Entry {
                start,
                len: piece.text.len() as u32,
                id,
                score: piece.score,
                user_defined: piece.kind == PieceKind::UserDefined,
                unused: piece.kind == PieceKind::Unused,
            });
        }
        Ok(out)
    }

    /// Ids of `text`, already normalised. A run of unknown characters is one id, or their bytes.
    pub fn encode(&self, text: &str) -> Vec<u32> {
        let nodes = self.best_paths(text);
        let mut spans = Vec::new();
        let mut end = text.len();
        while let Some(start) = nodes[end].from {
            spans.push((nodes[end].id, start, end));
            end = start;
        }
        let mut ids: Vec<u32> = Vec::with_capacity(spans.len());
        let mut after_unknown = false;
        for &(id, start, end) in spans.iter().rev() {
            let unknown = id == self.unknown;
            match &self.byte_ids {
                Some(table) if unknown => ids.extend(
                    text.as_bytes()[start..end]
                        .iter()
                        .map(|&b| table[usize::from(b)]),
                ),
                _ if unknown && after_unknown => {}
                _ => ids.push(id),
            }
            after_unknown = unknown;
        }
        ids
    }

    /// For each byte position the best path that ends there; positions inside characters stay empty.
    fn best_paths(&self, text: &str) -> Vec<Node> {
        let mut nodes = vec![
            Node {
                id: 0,
                score: 0.0,
                from: None
            };
            text.len() + 1
        ];
        for (start, ch) in text.char_indices() {
            let here = nodes[start].score;
            let mut single = false;
            self.matches(&text.as_bytes()[start..], |entry| {
                let len = entry.len as usize;
                // f64 only where C++ promotes: a user-defined piece's score is a double there.
                let candidate = if entry.user_defined {
                    f64::from(len as f32 * self.max_score) - 0.1 + f64::from(here)
                } else {
                    f64::from(entry.score) + f64::from(here)
                };
                relax(&mut nodes[start + len], candidate, entry.id, start);
                single |= len == ch.len_utf8();
            });
            if !single {
                let candidate = f64::from(self.unknown_score + here);
                relax(
                    &mut nodes[start + ch.len_utf8()],
                    candidate,
                    self.unknown,
                    start,
                );
            }
        }
        nodes
    }

    /// Calls `found` for every usable piece that `text` starts with, shortest first.
    fn matches(&self, text: &[u8], mut found: impl FnMut(&Entry)) {
        let mut range = self.entries.as_slice();
        for (depth, &byte) in text.iter().enumerate() {
            let at = |entry: &Entry| {
                (depth < entry.len as usize).then(|| self.bytes[entry.start as usize + depth])
            };
            range = &range[range.partition_point(|entry| at(entry).is_none_or(|b| b < byte))..];
            range = &range[..range.partition_point(|entry| at(entry) == Some(byte))];
            let Some(first) = range.first() else { return };
            if first.len as usize == depth + 1 && !first.unused {
                found(first);
            }
        }
    }
}

fn relax(node: &mut Node, candidate: f64, id: u32, from: usize) {
    if node.from.is_none() || candidate > f64::from(node.score) {
        *node = Node {
            id,
            score: candidate as f32,
            from: Some(from),
        };
    }
}

/// Ids of `<0x00>` … `<0xFF>`.
fn byte_ids(model: &ModelProto<'_>) -> Result<Vec<u32>, Sentence> {
    let id = |byte: u8| {
        let name = format!("<0x{byte:02X}>");
        let found = model
            .pieces
            .iter()
            .position(|piece| piece.kind == PieceKind::Byte && piece.text == name);
        found.map(|id| id as u32).ok_or_else(|| {
            say!(
                "byte fallback without piece `{name}`",
                "バイト単位で表すためのピース「{name}」がありません"
            )
        })
    };
    (0..=255).map(id).collect()
}

#[cfg(test)]
mod tests {
    use super::super::proto::Piece;
    use super::*;

    fn model<'a>(pieces: &[(&'a str, f32, PieceKind)]) -> ModelProto<'a> {
        let mut model = ModelProto::parse(&[]).unwrap();
        model.pieces = pieces
            .iter()
            .map(|&(text, score, kind)| Piece { text, score, kind })
            .collect();
        model
    }

    #[test]
    fn best_total_score_wins_and_unknown_runs_fuse() {
        use PieceKind::{Normal, Unknown, Unused, UserDefined};
        let model = model(&[
            ("<unk>", 0.0, Unknown),
            ("a", -1.0, Normal),
            ("b", -1.0, Normal),
            ("ab", -1.5, Normal),
            ("abab", -9.0, Normal),
            ("aba", -0.1, Unused),
            ("[x]", 0.0, UserDefined),
        ]);
        let unigram = Unigram::new(&model).unwrap();
        for (text, ids) in [
            ("abab", &[3, 3][..]),
            ("aab", &[1, 3]),
            ("a猫犬b", &[1, 0, 2]),
            ("", &[]),
            ("[x]a", &[6, 1]),
            ("[x", &[0]),
        ] {
            assert_eq!(unigram.encode(text), ids, "{text}");
        }
    }

    #[test]
    fn byte_fallback_spells_unknown_characters() {
        let names: Vec<String> = (0..=255).map(|b: u8| format!("<0x{b:02X}>")).collect();
        let mut pieces = vec![
            ("<unk>", 0.0, PieceKind::Unknown),
            ("a", -1.0, PieceKind::Normal),
        ];
        pieces.extend(
            names
                .iter()
                .map(|name| (name.as_str(), 0.0, PieceKind::Byte)),
        );
        let mut model = model(&pieces);
        model.byte_fallback = true;
        assert_eq!(
            Unigram::new(&model).unwrap().encode("aé"),
            [1, 2 + 0xc3, 2 + 0xa9]
        );
        model.pieces.pop();
        assert_eq!(
            Unigram::new(&model).unwrap_err().en,
            "byte fallback without piece `<0xFF>`"
        );
    }

    #[test]
    fn broken_vocabularies_are_named() {
        use PieceKind::{Normal, Unknown};
        for (pieces, error) in [
            (&[("a", 0.0, Normal)][..], "no piece for the unknown"),
            (
                &[("u", 0.0, Unknown), ("a", 0.0, Normal), ("a", 0.0, Normal)],
                "piece `a` stands twice",
            ),
            (
                &[("u", 0.0, Unknown), ("", 0.0, Normal)],
                "piece 1 is empty",
            ),
        ] {
            let said = Unigram::new(&model(pieces)).unwrap_err();
            assert_eq!((said.en.as_str(), said.lacks()), (error, None));
        }
    }
}

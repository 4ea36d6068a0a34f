//! SentencePiece's text normalisation: longest-match replacement of characters by a compiled map,
//! and its treatment of spaces.
//!
//! Follows google/sentencepiece, `src/normalizer.cc`. The `Precompiled` normaliser of the
//! `tokenizers` crate looks at grapheme clusters shorter than six bytes instead of the longest
//! match, and so leaves か + ゙ uncomposed; hence our own.

use std::collections::HashSet;

use super::proto::ModelProto;

/// The visible space, U+2581.
pub(super) const SPACE: &str = "\u{2581}";
/// Matches looked at per position, as upstream.
const MAX_MATCHES: usize = 32;

/// Turns a text into what the vocabulary's pieces are made of.
#[derive(Clone, Debug)]
pub(super) struct Normalizer {
    /// Units of a darts-clone double array over the bytes to replace.
    trie: Vec<u32>,
    /// The replacements, each ended by a zero byte.
    replacements: Vec<u8>,
    /// User-defined pieces pass unchanged.
    protected: HashSet<String>,
    longest_protected: usize,
    add_dummy_prefix: bool,
    remove_extra_whitespaces: bool,
    escape_whitespaces: bool,
}

impl Normalizer {
    /// `None` if the compiled map is damaged.
    pub fn new(model: &ModelProto<'_>, protected: HashSet<String>) -> Option<Self> {
        let (trie, replacements) = split_map(model.charsmap)?;
        Some(Self {
            trie,
            replacements,
            longest_protected: protected.iter().map(String::len).max().unwrap_or(0),
            protected,
            add_dummy_prefix: model.add_dummy_prefix,
            remove_extra_whitespaces: model.remove_extra_whitespaces,
            escape_whitespaces: model.escape_whitespaces,
        })
    }

    /// The normalised text, spaces made visible. Empty for a text of nothing but space.
    pub fn normalize(&self, text: &str) -> String {
        let mut rest = text;
        if self.remove_extra_whitespaces {
            while !rest.is_empty() {
                let (new, len) = self.step(rest);
                if new != " " {
                    break;
                }
                rest = &rest[len..];
            }
        }
        let mut out = String::with_capacity(rest.len() + SPACE.len());
        if rest.is_empty() {
            return out;
        }
        let space = if self.escape_whitespaces { SPACE } else { " " };
        if self.add_dummy_prefix {
            out.push_str(space);
        }
        let mut after_space = self.remove_extra_whitespaces;
        while !rest.is_empty() {
            let (new, len) = self.step(rest);
            let new = if after_space {
                new.trim_start_matches(' ')
            } else {
                new
            };
            for (i, part) in new.split(' ').enumerate() {
                if i > 0 {
                    out.push_str(space);
                }
                out.push_str(part);
            }
            if !new.is_empty() {
                after_space = self.remove_extra_whitespaces && new.ends_with(' ');
            }
            rest = &rest[len..];
        }
        if self.remove_extra_whitespaces {
            out.truncate(out.trim_end_matches(space).len());
        }
        out
    }

    /// What the head of `text` (not empty) becomes, and how many bytes of it that takes.
    fn step<'a>(&'a self, text: &'a str) -> (&'a str, usize) {
        if let Some(len) = self.protected_prefix(text) {
            return (&text[..len], len);
        }
        if let Some((len, value)) = self.longest_match(text)
            && let Some(new) = self.replacement(value)
        {
            return (new, len);
        }
        let len = text.chars().next().map_or(1, char::len_utf8);
        (&text[..len], len)
    }

    fn protected_prefix(&self, text: &str) -> Option<usize> {
        let longest = self.longest_protected.min(text.len());
        (1..=longest).rev().find(|&len| {
            text.get(..len)
                .is_some_and(|head| self.protected.contains(head))
        })
    }

    /// Length and value of the longest key that `text` starts with and that ends between characters.
    fn longest_match(&self, text: &str) -> Option<(usize, usize)> {
        let mut unit = Unit(*self.trie.first()?);
        let mut node = unit.offset();
        let mut best = None;
        let mut matches = 0;
        for (i, byte) in text.bytes().enumerate() {
            node ^= usize::from(byte);
            unit = Unit(*self.trie.get(node)?);
            if unit.label() != u32::from(byte) {
                break;
            }
            node ^= unit.offset();
            if unit.has_leaf() && matches < MAX_MATCHES {
                let Some(&leaf) = self.trie.get(node) else {
                    break;
                };
                matches += 1;
                if text.is_char_boundary(i + 1) {
                    best = Some((i + 1, Unit(leaf).value()));
                }
            }
        }
        best
    }

    fn replacement(&self, value: usize) -> Option<&str> {
        let tail = self.replacements.get(value..)?;
        let end = tail.iter().position(|&b| b == 0)?;
        std::str::from_utf8(&tail[..end]).ok()
    }
}

/// The two parts of a compiled map: `u32` size of the trie, the trie, the replacements.
fn split_map(map: &[u8]) -> Option<(Vec<u32>, Vec<u8>)> {
    if map.is_empty() {
        return Some((Vec::new(), Vec::new())); // the identity
    }
    let (size, rest) = map.split_first_chunk::<4>()?;
    let size = u32::from_le_bytes(*size) as usize;
    let (trie, replacements) = rest.split_at_checked(size)?;
    if !size.is_multiple_of(4) || replacements.last() != Some(&0) {
        return None;
    }
    let (units, _) = trie.as_chunks::<4>();
    Some((
        units.iter().map(|&b| u32::from_le_bytes(b)).collect(),
        replacements.to_vec(),
    ))
}

/// One cell of a darts-clone double array (s-yata/darts-clone, `include/darts.h`,
/// `DoubleArrayUnit`).
#[derive(Clone, Copy)]
struct Unit(u32);

impl Unit {
    fn has_leaf(self) -> bool {
        self.0 >> 8 & 1 == 1
    }

    fn value(self) -> usize {
        (self.0 & 0x7fff_ffff) as usize
    }

    fn label(self) -> u32 {
        self.0 & 0x8000_00ff
    }

    fn offset(self) -> usize {
        ((self.0 >> 10) << ((self.0 & 1 << 9) >> 6)) as usize
    }
}

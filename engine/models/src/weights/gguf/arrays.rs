//! Arrays of a GGUF file's metadata, read from the mapped file when they are asked for.

use super::types::Kind;

/// Where an array lies; its length was checked when the header was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Array {
    pub(super) kind: Kind,
    /// Elements.
    pub(super) count: u64,
    pub(super) start: u64,
    pub(super) end: u64,
}

impl Array {
    fn bytes(self, file: &[u8]) -> Option<&[u8]> {
        file.get(self.start as usize..self.end as usize)
    }

    /// Its texts; `None` if it is of something else, or if one is not UTF-8.
    pub fn texts(self, file: &[u8]) -> Option<Vec<&str>> {
        let mut rest = self.bytes(file).filter(|_| self.kind == Kind::Text)?;
        let mut texts = Vec::new();
        for _ in 0..self.count {
            let (length, tail) = rest.split_first_chunk::<8>()?;
            let length = usize::try_from(u64::from_le_bytes(*length)).ok()?;
            let (text, tail) = tail.split_at_checked(length)?;
            texts.push(std::str::from_utf8(text).ok()?);
            rest = tail;
        }
        Some(texts)
    }

    /// Its numbers of four bytes, as they stand there.
    fn words(self, file: &[u8]) -> Option<impl Iterator<Item = [u8; 4]>> {
        Some(self.bytes(file)?.as_chunks::<4>().0.iter().copied())
    }

    /// Its real numbers; `None` if it is of something else.
    pub fn reals(self, file: &[u8]) -> Option<Vec<f32>> {
        let words = self.words(file).filter(|_| self.kind == Kind::F32)?;
        Some(words.map(f32::from_le_bytes).collect())
    }

    /// Its whole numbers; `None` if it is of something else.
    pub fn wholes(self, file: &[u8]) -> Option<Vec<i32>> {
        let fits = matches!(self.kind, Kind::I32 | Kind::U32);
        let words = self.words(file).filter(|_| fits)?;
        Some(words.map(i32::from_le_bytes).collect())
    }

    /// Its bytes; `None` if it is of something else.
    pub fn octets(self, file: &[u8]) -> Option<&[u8]> {
        let fits = matches!(self.kind, Kind::U8 | Kind::I8);
        self.bytes(file).filter(|_| fits)
    }
}

//! WebP (RFC 9649): a RIFF file whose `EXIF` chunk holds texts.

use std::io::{self, Read, Seek};

use super::{Source, Texts, exif, le32};

pub(super) fn read<F: Read + Seek>(
    source: &mut Source<'_, F>,
    texts: &mut Texts,
) -> io::Result<()> {
    let mut at = 12; // `RIFF`, its length, `WEBP`
    loop {
        let head = source.head::<8>(at)?;
        let (Some(kind), Some(len)) = (head.get(..4), le32(&head, 4)) else {
            return Ok(());
        };
        let len = u64::from(len);
        if kind == b"EXIF"
            && let Some(chunk) = source.whole(at + 8, len)?
        {
            exif::read(&chunk, texts);
        }
        at += 8 + len + len % 2; // chunks are padded to even lengths
    }
}

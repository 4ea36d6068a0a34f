//! Safetensors, and ComfyUI's `.latent`: the texts in the header's `__metadata__`.

use std::collections::BTreeMap;
use std::io::{self, Read, Seek};

use serde::Deserialize;
use serde_json::value::Value;

use super::{MAX_TEXT, Source, Texts};

/// Whether a file begins as one: the header's length, then a brace. No JSON text begins so, since
/// its first characters would make a length of many terabytes.
pub(super) fn begins(head: &[u8]) -> bool {
    length(head).is_some_and(|it| (2..=MAX_TEXT).contains(&it)) && head.get(8) == Some(&b'{')
}

fn length(head: &[u8]) -> Option<u64> {
    Some(u64::from_le_bytes(head.get(..8)?.try_into().ok()?))
}

/// The header without the tensors.
#[derive(Deserialize)]
struct Header {
    #[serde(default, rename = "__metadata__")]
    metadata: BTreeMap<String, Value>,
}

pub(super) fn read<F: Read + Seek>(
    source: &mut Source<'_, F>,
    texts: &mut Texts,
) -> io::Result<()> {
    let head = source.head::<8>(0)?;
    let Some(len) = length(&head) else {
        return Ok(());
    };
    let Some(header) = source.whole(8, len)? else {
        return Ok(());
    };
    if let Ok(header) = serde_json::from_slice::<Header>(&header) {
        for (name, value) in header.metadata {
            if let Value::String(text) = value {
                texts.take(&name, text.into_bytes());
            }
        }
    }
    Ok(())
}

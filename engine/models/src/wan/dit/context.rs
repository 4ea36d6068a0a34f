//! Text, and the image beside it, made ready for the blocks.

use longtake_sentence::{Sentence, say};
use longtake_shaders::Tensor;

use super::block::{Block, ContextKeys};
use super::dims::DitDims;
use super::ends::Ends;
use super::pass::ForwardError;

/// A context made ready for the blocks. It depends on text and image alone, so a sampling run
/// makes it once; its size is [`DitDims::context_bytes`].
#[derive(Clone)]
pub struct PreparedContext {
    batch: usize,
    kind: Kind,
}

#[derive(Clone)]
enum Kind {
    /// Keys and values of every block.
    Keys(Vec<ContextKeys>),
    /// Keys are made when a streamed block is there.
    Embedded(Box<Embedded>),
}

/// Text `[b, rows, dim]` and image `[b or 1, rows, dim]`, as wide as the stream.
#[derive(Clone)]
pub struct Embedded {
    pub text: Tensor<3>,
    pub image: Option<Tensor<3>>,
}

impl PreparedContext {
    /// Embeds text and image; `blocks` are the resident ones, if they are.
    pub(super) fn new(
        text: Tensor<3>,
        image: Option<Tensor<3>>,
        dims: &DitDims,
        ends: &Ends,
        blocks: Option<&[Block]>,
    ) -> Result<Self, ForwardError> {
        let [batch, rows, width] = text.dims();
        if width != dims.text_dim {
            return Err(ForwardError::input(
                say!("text context", "テキストの条件"),
                say!("[batch, rows, {}]", "[batch, rows, {}] ", dims.text_dim),
                Sentence::same(format!("[{batch}, {rows}, {width}]")),
            ));
        }
        let embedded = Embedded {
            text: ends.embed_text(text),
            image: match image {
                Some(image) => Some(embed_image(image, batch, dims, ends)?),
                None => None,
            },
        };
        let kind = match blocks {
            Some(blocks) => Kind::Keys(blocks.iter().map(|it| it.keys(&embedded)).collect()),
            None => Kind::Embedded(Box::new(embedded)),
        };
        Ok(Self { batch, kind })
    }

    /// What block `index` attends to.
    pub(super) fn keys(&self, index: usize, block: &Block) -> ContextKeys {
        match &self.kind {
            Kind::Keys(keys) => keys[index].clone(),
            Kind::Embedded(embedded) => block.keys(embedded),
        }
    }

    pub(super) fn check(&self, batch: usize, dims: &DitDims) -> Result<(), ForwardError> {
        if let Kind::Keys(keys) = &self.kind
            && keys.len() != dims.layers
        {
            return Err(ForwardError::input(
                say!("text context", "テキストの条件"),
                say!(
                    "prepared for {} blocks",
                    "{} ブロック用に準備されたもの",
                    dims.layers
                ),
                say!("for {}", "{} ブロック用", keys.len()),
            ));
        }
        if self.batch != batch {
            return Err(ForwardError::input(
                say!("text context's batch", "テキストの条件のバッチ"),
                say!("{batch}, the latent's", "潜在表現と同じ {batch} "),
                Sentence::same(self.batch),
            ));
        }
        Ok(())
    }
}

fn embed_image(
    image: Tensor<3>,
    batch: usize,
    dims: &DitDims,
    ends: &Ends,
) -> Result<Tensor<3>, ForwardError> {
    let found = image.dims();
    let Some(embedding) = &ends.image else {
        return Err(ForwardError::input(
            say!("image context", "画像の条件"),
            say!(
                "none: this checkpoint has no image branch (`img_emb`)",
                "画像ブランチ「img_emb」のないこのチェックポイントには指定しないこと"
            ),
            Sentence::same(format!("{found:?}")),
        ));
    };
    let [b, rows, width] = found;
    let (positions, wide) = (dims.image_positions, dims.image_dim);
    let most = if positions == 0 {
        usize::MAX
    } else {
        positions
    };
    if (b == 1 || b == batch) && (1..=most).contains(&rows) && width == wide {
        let tokens = embedding.embed(image);
        return Ok(if b < batch {
            let [_, rows, dim] = tokens.dims();
            tokens.expand([batch, rows, dim])
        } else {
            tokens
        });
    }
    let rows = match positions {
        0 => say!("rows", "行数"),
        most => say!("1 to {most}", "1 から {most} まで"),
    };
    Err(ForwardError::input(
        say!("image context", "画像の条件"),
        say!("[1 or {batch}, {rows}, {wide}]", "[1 か {batch}, {rows}, {wide}] "; rows),
        Sentence::same(format!("{found:?}")),
    ))
}

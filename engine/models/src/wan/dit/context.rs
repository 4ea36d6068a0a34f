//! Text, and the image beside it, made ready for the blocks.

use longtake_shaders::Tensor;

use super::block::TextKeys;
use super::dims::DitDims;
use super::pass::ForwardError;

/// A context made ready for the blocks. It depends on text and image alone, so a sampling run
/// makes it once; its size is [`DitDims::context_bytes`].
#[derive(Clone)]
pub struct PreparedContext {
    pub(super) batch: usize,
    pub(super) text: PreparedText,
}

#[derive(Clone)]
pub(super) enum PreparedText {
    /// Keys and values of every block.
    Keys(Vec<TextKeys>),
    /// The embedded text `[batch, rows, dim]`; keys are made when a streamed block is there.
    Embedded(Tensor<3>),
}

impl PreparedContext {
    pub(super) fn check(&self, batch: usize, dims: &DitDims) -> Result<(), ForwardError> {
        if let PreparedText::Keys(keys) = &self.text
            && keys.len() != dims.layers
        {
            return Err(ForwardError::input(
                "text context",
                format!("prepared for {} blocks", dims.layers),
                format!("for {}", keys.len()),
            ));
        }
        if self.batch != batch {
            return Err(ForwardError::input(
                "text context's batch",
                format!("{batch}, the latent's"),
                self.batch.to_string(),
            ));
        }
        Ok(())
    }
}

//! Fused tensor operations of the video models, for [`burn::Dispatch`].
//!
//! Each public function looks at where its tensors live. On the CPU with f32 it runs our own
//! kernel (rayon threads, run-time AVX-512/AVX2, a system BLAS for the products, see [`blas_name`]);
//! anywhere else it is a handful of Burn calls (`portable.rs`). Model code stays free of
//! backend parameters. Beside every CPU kernel stands a plain twin in [`twin`], which the tests
//! hold it against.
//!
//! Functions take tensors by value: a buffer that nobody else holds is reused for the result
//! where the shapes allow it. Wrong shapes are a fault of the calling code, not of a user's
//! file, and panic with the shapes in the message, as Burn's own operations do.

mod attention;
mod blas;
mod conv;
mod host;
mod im2col;
mod linear;
mod norm;
mod pointwise;
#[doc(hidden)]
pub mod portable;
mod rope;
#[cfg(feature = "vulkan")]
pub mod screen;
mod simd;
pub mod twin;

pub use attention::{attention, attention_workspace};
pub use blas::{
    Engine, Kind, KindReport, ProductReport, blas_name, product_report, product_report_so_far,
    remember_products_in, use_blas,
};
pub use conv::{causal_conv3d, conv_workspace, conv2d, upsample_nearest2x_conv2d};
pub use linear::{linear, linear_act, linear_gelu};
pub use norm::{channel_rms_norm_silu, layer_norm, layer_norm_modulate, rms_norm};
pub use pointwise::{activate, gate_residual, gated_gelu, gelu_tanh, silu, softmax_last};
pub use rope::{rms_norm_rope, rope};

/// A float tensor of rank `D` on whichever device it was made.
pub type Tensor<const D: usize> = burn::tensor::Tensor<burn::Dispatch, D>;

/// Pointwise function applied to the result of [`linear_act`] or by [`activate`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activation {
    None,
    /// `0.5 x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3)))`, the feed-forward of Wan and UMT5.
    GeluTanh,
    /// `x Phi(x)` with the exact error function, as in Wan's image embedding.
    GeluErf,
    /// `x sigmoid(x)`.
    Silu,
}

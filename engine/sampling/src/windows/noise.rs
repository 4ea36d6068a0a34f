//! FreeNoise, <https://arxiv.org/abs/2310.15169>: later windows start from the first one's noise with
//! its frames shuffled, so that windows agree with each other.

use super::ContextWindows;
use crate::noise::TorchRng;

/// Rearranges the noise a run starts from: ComfyUI's `apply_freenoise`, bit for bit.
///
/// - `noise`: `[batch and channels, frames, height * width]` by way of `shape`, row-major, changed in
///   place; frames beyond the first window become shuffled copies of frames before them.
/// - `seed`: the run's own.
///
/// Nothing happens when the clip fits in one window or windows cannot be laid like this.
pub fn free_noise(noise: &mut [f32], shape: [usize; 3], context: &ContextWindows, seed: u64) {
    let [_, frames, plane] = shape;
    if context.check().is_err() || !context.applies(frames) {
        return;
    }
    let mut rng = TorchRng::new(seed);
    let delta = context.length - context.overlap;
    for start in (0..frames - context.length).step_by(delta) {
        let place = start + context.length;
        let count = delta.min(frames - place);
        let order = rng.randperm(count);
        for channel in noise.chunks_exact_mut((frames * plane).max(1)) {
            let (before, after) = channel.split_at_mut(place * plane);
            for (i, from) in order.iter().enumerate() {
                let from = &before[(start + from) * plane..][..plane];
                after[i * plane..][..plane].copy_from_slice(from);
            }
        }
    }
}

//! What a VAE costs before it is loaded: bytes of weights, bytes at work, floating point operations.
//!
//! The formulas walk the same layer list from which the networks are built, so they hold for any
//! size. On the CPU [`VaeDims::cpu_scratch_bytes`] comes on top of every workspace.
//! `tests/vae_memory.rs` holds the bytes against a counting allocator.

use super::structure::{GRID, Layer, TEMPORAL, VaeDims, channels};
use super::tiles::Tiling;
use super::{Parts, frames_of, latent_frames_of};

/// Values that a causal convolution remembers: two frames of its input.
const HISTORY: u64 = 2;

/// Numbers of one layer at work on one chunk, all in elements.
#[derive(Clone, Copy, Debug)]
struct Step {
    /// Most values alive at once, input and output included.
    live: u64,
    /// Values kept for the next chunk.
    kept: u64,
    flops: u64,
}

/// Size of a chunk between two layers.
#[derive(Clone, Copy, Debug)]
struct Extent {
    frames: u64,
    /// Positions of a frame.
    area: u64,
}

impl VaeDims {
    /// Bytes of the weights of `parts`, at `bytes_per_value` (4 on the CPU, 2 for bf16 on a GPU).
    pub fn weight_bytes(&self, parts: Parts, bytes_per_value: u64) -> u64 {
        let z = self.z as u64;
        let of = |layers: &[Layer]| layers.iter().map(parameters).sum::<u64>();
        let mut values = 0;
        if parts.encoder() {
            values += of(&self.encoder) + dense(2 * z, 2 * z);
        }
        if parts.decoder() {
            values += of(&self.decoder) + dense(z, z);
        }
        values * bytes_per_value
    }

    /// Peak bytes of a running decode beyond weights, latent and the frames already handed out,
    /// for pictures of `height` by `width` pixels. Does not depend on the number of frames.
    pub fn decode_workspace_bytes(
        &self,
        height: usize,
        width: usize,
        tiling: Option<Tiling>,
        bytes_per_value: u64,
    ) -> u64 {
        let frames = (TEMPORAL * self.image * height * width) as u64;
        let at_work = |h, w| self.decode_steps(h, w, false);
        bytes_per_value * self.workspace([height, width], tiling, frames, at_work)
    }

    /// Peak bytes on the device of [`super::Decoder::tile_by_tile`], beyond weights and latent: one
    /// tile's history and work; later one chunk of whole frames on its way out of the scratch file
    /// (there, and in a copy that is clamped).
    pub fn decode_by_tile_device_bytes(
        &self,
        height: usize,
        width: usize,
        tiling: Tiling,
        bytes_per_value: u64,
    ) -> u64 {
        let [h, w] = self.tile_pixels(height, width, tiling);
        let one_tile = self.decode_workspace_bytes(h, w, None, bytes_per_value);
        let chunk = (2 * TEMPORAL * self.image * height * width) as u64 * bytes_per_value;
        one_tile.max(chunk)
    }

    /// Bytes of the scratch file of [`super::Decoder::tile_by_tile`]: all frames, f32.
    pub fn decode_by_tile_scratch_bytes(
        &self,
        latent_frames: usize,
        height: usize,
        width: usize,
    ) -> u64 {
        (frames_of(latent_frames) * self.image * height * width) as u64 * 4
    }

    /// Height and width of a tile of a picture of `height` by `width` pixels.
    pub fn tile_pixels(&self, height: usize, width: usize, tiling: Tiling) -> [usize; 2] {
        let spatial = self.spatial();
        let tile = tiling
            .on(spatial)
            .tile_size(height / spatial, width / spatial);
        tile.map(|n| n * spatial)
    }

    /// How many tiles a picture of `height` by `width` pixels is cut into.
    pub fn tile_count(&self, height: usize, width: usize, tiling: Tiling) -> usize {
        let spatial = self.spatial();
        tiling.on(spatial).count(height / spatial, width / spatial)
    }

    /// Peak bytes of a running encode beyond weights and the frames given.
    pub fn encode_workspace_bytes(
        &self,
        height: usize,
        width: usize,
        tiling: Option<Tiling>,
        bytes_per_value: u64,
    ) -> u64 {
        let latent = (2 * self.z * height * width / self.spatial().pow(2)) as u64;
        let at_work = |h, w| self.encode_steps(h, w, false);
        bytes_per_value * self.workspace([height, width], tiling, latent, at_work)
    }

    /// Peak bytes on the device of [`super::TileEncoder`], beyond weights and the frames given. The
    /// latent adds up in host memory.
    pub fn encode_by_tile_device_bytes(
        &self,
        height: usize,
        width: usize,
        tiling: Tiling,
        bytes_per_value: u64,
    ) -> u64 {
        let [h, w] = self.tile_pixels(height, width, tiling);
        self.encode_workspace_bytes(h, w, None, bytes_per_value)
    }

    /// Bytes that the convolutions take on the CPU besides the above, with `threads` workers
    /// (`rayon::current_num_threads()`): a few MiB each, whatever the size of the picture.
    pub fn cpu_scratch_bytes(&self, threads: usize) -> u64 {
        let layers = self.encoder.iter().chain(&self.decoder);
        let depths = layers.map(|layer| 27 * channels(layer).0);
        let scratch = depths.map(|depth| longtake_shaders::conv_workspace(depth, threads));
        scratch.max().unwrap_or(0) as u64
    }

    /// Floating point operations (a multiplication and an addition are two) of decoding
    /// `latent_frames` to pictures of `height` by `width` pixels, in one piece.
    pub fn decode_flops(&self, latent_frames: usize, height: usize, width: usize) -> u64 {
        chunks(latent_frames, |first| {
            self.decode_steps(height / self.spatial(), width / self.spatial(), first)
        })
    }

    /// Floating point operations of encoding `frames` pictures of `height` by `width` pixels.
    pub fn encode_flops(&self, frames: usize, height: usize, width: usize) -> u64 {
        chunks(latent_frames_of(frames), |first| {
            self.encode_steps(height / self.spatial(), width / self.spatial(), first)
        })
    }

    /// Steps of one chunk of a latent of `h` by `w`.
    fn decode_steps(&self, h: usize, w: usize, first: bool) -> Vec<Step> {
        steps(&self.decoder, 1, (h * w) as u64, first)
    }

    fn encode_steps(&self, h: usize, w: usize, first: bool) -> Vec<Step> {
        let frames = if first { 1 } else { TEMPORAL as u64 };
        steps(&self.encoder, frames, (h * w * GRID * GRID) as u64, first)
    }

    /// Values of what all tiles remember, and the most that one tile has alive. `output`: values of a
    /// whole chunk of output, which a tiled run holds twice while it blends.
    fn workspace(
        &self,
        [height, width]: [usize; 2],
        tiling: Option<Tiling>,
        output: u64,
        steps: impl Fn(usize, usize) -> Vec<Step>,
    ) -> u64 {
        let (h, w) = (height / self.spatial(), width / self.spatial());
        let cut = tiling.map(|it| it.on(self.spatial()));
        let (tile, blend) = match cut {
            Some(it) if it.count(h, w) > 1 => (it.tile_size(h, w), 2 * output),
            _ => ([h, w], output),
        };
        let tiles = cut.map_or(1, |it| it.count(h, w)) as u64;
        let steps = steps(tile[0], tile[1]);
        let kept: u64 = steps.iter().map(|it| it.kept).sum();
        let live = steps.iter().map(|it| it.live).max().unwrap_or(0);
        tiles * kept + live + blend
    }
}

/// Every layer's step for one chunk of `frames` frames of `area` positions.
fn steps(layers: &[Layer], frames: u64, area: u64, first: bool) -> Vec<Step> {
    let mut at = Extent { frames, area };
    // What a fork holds until its join, from the layer on that no longer has it as input.
    let (mut held, mut forked) = (0, 0);
    layers
        .iter()
        .map(|layer| {
            if let Layer::Fork { channels } = *layer {
                forked = at.frames * at.area * channels as u64;
            }
            let mut step = step(layer, &mut at, first);
            step.live += held;
            held = match layer {
                Layer::Fork { .. } => 0,
                Layer::JoinMeans { .. } | Layer::JoinRepeats { .. } => {
                    forked = 0;
                    0
                }
                Layer::Conv { .. }
                | Layer::Res { .. }
                | Layer::Attention { .. }
                | Layer::Up { .. }
                | Layer::Down { .. }
                | Layer::Head { .. } => forked,
            };
            step
        })
        .collect()
}

/// First chunk once, then the steady state.
fn chunks(latent_frames: usize, steps: impl Fn(bool) -> Vec<Step>) -> u64 {
    let flops = |first| steps(first).iter().map(|it| it.flops).sum::<u64>();
    match latent_frames {
        0 => 0,
        n => flops(true) + (n as u64 - 1) * flops(false),
    }
}

fn step(layer: &Layer, at: &mut Extent, first: bool) -> Step {
    let Extent { frames, area } = *at;
    let values = frames * area;
    let frame = |channels: usize| HISTORY * channels as u64 * area;
    let conv = |from: usize, to: usize, kernel: u64| 2 * kernel * (from * to) as u64;
    match *layer {
        Layer::Conv { from, to } | Layer::Head { from, to } => Step {
            live: values * (2 * from + to) as u64,
            kept: frame(from),
            flops: values * conv(from, to, 27),
        },
        Layer::Res { from, to } => {
            let shortcut = if from == to { 0 } else { conv(from, to, 1) };
            Step {
                live: values * (from + 2 * to) as u64 + frame(from.max(to)),
                kept: frame(from) + frame(to),
                flops: values * (conv(from, to, 27) + conv(to, to, 27) + shortcut),
            }
        }
        Layer::Attention { channels } => {
            let c = channels as u64;
            Step {
                live: 6 * values * c,
                kept: 0,
                flops: frames * (2 * 4 * c * c * area + 4 * c * area * area),
            }
        }
        Layer::Fork { .. } => Step {
            live: 0,
            kept: 0,
            flops: 0,
        },
        // The fork's values come on top.
        Layer::JoinMeans {
            from, to, space, ..
        } => {
            let blocks = if space { values * 2 * from as u64 } else { 0 };
            Step {
                live: 2 * values * to as u64 + blocks,
                kept: 0,
                flops: values * to as u64,
            }
        }
        Layer::JoinRepeats { to, .. } => Step {
            live: 2 * values * to as u64,
            kept: 0,
            flops: values * to as u64,
        },
        Layer::Up { from, to, time } => {
            let doubled = time && !first;
            let frames_out = if doubled { 2 * frames } else { frames };
            *at = Extent {
                frames: frames_out,
                area: 4 * area,
            };
            let out = frames_out * 4 * area;
            let time_flops = if doubled {
                values * conv(from, 2 * from, 3)
            } else {
                0
            };
            Step {
                live: frames_out * area * 2 * from as u64 + 2 * out * to as u64,
                kept: if time { frame(from) } else { 0 },
                flops: time_flops + out * conv(from, to, 9),
            }
        }
        Layer::Down { from, to, time } => {
            let halved = time && !first;
            let frames_out = if halved { frames.div_ceil(2) } else { frames };
            *at = Extent {
                frames: frames_out,
                area: area / 4,
            };
            let mid = values / 4;
            let time_flops = if halved {
                frames_out * area / 4 * conv(to, to, 3)
            } else {
                0
            };
            Step {
                live: 2 * values * from as u64 + mid * to as u64,
                kept: if time { to as u64 * area / 4 } else { 0 },
                flops: mid * conv(from, to, 9) + time_flops,
            }
        }
    }
}

/// Weights and biases of a layer.
fn parameters(layer: &Layer) -> u64 {
    match *layer {
        Layer::Fork { .. } | Layer::JoinMeans { .. } | Layer::JoinRepeats { .. } => 0,
        Layer::Conv { from, to } => kernel(from, to, 27),
        Layer::Head { from, to } => from as u64 + kernel(from, to, 27),
        Layer::Res { from, to } => {
            let shortcut = if from == to { 0 } else { kernel(from, to, 1) };
            (from + to) as u64 + kernel(from, to, 27) + kernel(to, to, 27) + shortcut
        }
        Layer::Attention { channels: c } => c as u64 + kernel(c, 3 * c, 1) + kernel(c, c, 1),
        Layer::Up { from, to, time } => {
            kernel(from, to, 9) + if time { kernel(from, 2 * from, 3) } else { 0 }
        }
        Layer::Down { from, to, time } => {
            kernel(from, to, 9) + if time { kernel(to, to, 3) } else { 0 }
        }
    }
}

fn kernel(from: usize, to: usize, size: u64) -> u64 {
    (from * to) as u64 * size + to as u64
}

fn dense(from: u64, to: u64) -> u64 {
    from * to + to
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_vae_has_its_published_size() {
        // wan_2.1_vae.safetensors: 126,892,531 parameters (253.8 MB in bf16).
        assert_eq!(
            VaeDims::wan21(96, 16).weight_bytes(Parts::Both, 1),
            126_892_531
        );
    }

    #[test]
    fn costs_grow_with_area_and_chunks() {
        let vae = VaeDims::wan21(96, 16);
        let one = vae.decode_flops(1, 480, 832);
        let two = vae.decode_flops(2, 480, 832);
        assert_eq!(vae.decode_flops(5, 480, 832), one + 4 * (two - one));
        assert!(two - one > 3 * one, "a later chunk has four frames");
        assert!(
            vae.decode_workspace_bytes(480, 832, None, 2) * 2
                == vae.decode_workspace_bytes(480, 832, None, 4)
        );
        // What tiles are for: 720p with a fifth of the memory of whole frames.
        let tiling = Tiling::new(256, 64).unwrap();
        let whole = vae.decode_workspace_bytes(720, 1280, None, 4);
        let tiled = vae.decode_by_tile_device_bytes(720, 1280, tiling, 4);
        assert!(5 * tiled < whole, "{tiled} {whole}");
    }
}

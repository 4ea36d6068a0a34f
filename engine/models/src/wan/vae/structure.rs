//! What a Wan VAE is made of: its layers in order, as data.
//!
//! No Burn here: the planner reads sizes from the header of a file without loading it, and costs
//! walk the same list from which the networks are built. The layers are those of
//! `wan/modules/vae2_1.py` and `vae2_2.py` (Wan-Video/Wan2.2).

/// One step of the encoder or decoder; numbers are channels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layer {
    /// Causal 3x3x3 convolution.
    Conv { from: usize, to: usize },
    /// Twice (norm, SiLU, causal 3x3x3 convolution) beside a shortcut, which is a 1x1x1
    /// convolution where `from != to`.
    Res { from: usize, to: usize },
    /// Single-head self-attention over the positions of each frame.
    Attention { channels: usize },
    /// Doubles height and width; with `time`, also the frames of every chunk after the first.
    Up { from: usize, to: usize, time: bool },
    /// Halves height and width; with `time`, also the frames of every chunk after the first.
    Down { from: usize, to: usize, time: bool },
    /// Remembers its input for the next join (Wan 2.2: a shortcut around a whole level).
    Fork { channels: usize },
    /// Adds means of what the fork remembered: over blocks of 2x2 positions with `space`, of two
    /// frames with `time` (`AvgDown3D`).
    JoinMeans {
        from: usize,
        to: usize,
        time: bool,
        space: bool,
    },
    /// Adds what the fork remembered, each value repeated over 2x2 positions and, with `time`, two
    /// frames (`DupUp3D`).
    JoinRepeats { from: usize, to: usize, time: bool },
    /// Norm, SiLU, causal 3x3x3 convolution.
    Head { from: usize, to: usize },
}

/// The sizes of a VAE: all that costs and checks depend on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VaeDims {
    /// Channels of a latent (16; Wan 2.2: 48).
    pub z: usize,
    /// Channels of a picture (3).
    pub image: usize,
    /// Side of the square of pixels that goes into the layers as one position (1; Wan 2.2: 2).
    pub patch: usize,
    /// From (patches of) pictures to `2 z` channels, in order.
    pub encoder: Vec<Layer>,
    /// From `z` channels to (patches of) pictures, in order.
    pub decoder: Vec<Layer>,
}

/// Positions that the layers fold into one, on both axes; with patches more pixels.
pub(super) const GRID: usize = 8;
/// Frames per latent frame, after the first, which stands for one frame.
pub const TEMPORAL: usize = 4;

impl VaeDims {
    /// The published Wan 2.1 VAE, `dim = 96`, `z = 16`; smaller numbers give test models.
    /// Channel multipliers [1, 2, 4, 4], two residual blocks a level (three in the decoder).
    pub fn wan21(dim: usize, z: usize) -> Self {
        let [a, b, c] = [dim, 2 * dim, 4 * dim];
        let mut encoder = vec![Layer::Conv { from: 3, to: a }];
        for (from, to, down) in downwards(dim) {
            encoder.extend([res(from, to), res(to, to)]);
            encoder.extend(down.map(|time| Layer::Down { from: to, to, time }));
        }
        encoder.extend(middle(c));
        encoder.push(Layer::Head { from: c, to: 2 * z });

        let mut decoder = vec![Layer::Conv { from: z, to: c }];
        decoder.extend(middle(c));
        for (from, to, up) in [
            (c, c, Some(true)),
            (b, c, Some(true)),
            (b, b, Some(false)),
            (a, a, None),
        ] {
            decoder.extend([res(from, to), res(to, to), res(to, to)]);
            let half = to / 2;
            decoder.extend(up.map(|time| Layer::Up {
                from: to,
                to: half,
                time,
            }));
        }
        decoder.push(Layer::Head { from: a, to: 3 });
        Self {
            z,
            image: 3,
            patch: 1,
            encoder,
            decoder,
        }
    }

    /// The published Wan 2.2 VAE of TI2V-5B, `dim = 160`, `decoder_dim = 256`, `z = 48`. Levels as in
    /// [`VaeDims::wan21`] but with shortcuts around them, upsampling that keeps channels, and
    /// pictures in patches of 2x2.
    pub fn wan22(dim: usize, decoder_dim: usize, z: usize) -> Self {
        const PATCH: usize = 2;
        let image = 3 * PATCH * PATCH;
        let mut encoder = vec![Layer::Conv {
            from: image,
            to: dim,
        }];
        for (from, to, down) in downwards(dim) {
            encoder.push(Layer::Fork { channels: from });
            encoder.extend([res(from, to), res(to, to)]);
            encoder.extend(down.map(|time| Layer::Down { from: to, to, time }));
            encoder.push(Layer::JoinMeans {
                from,
                to,
                time: down == Some(true),
                space: down.is_some(),
            });
        }
        encoder.extend(middle(4 * dim));
        encoder.push(Layer::Head {
            from: 4 * dim,
            to: 2 * z,
        });

        let [a, b, c] = [decoder_dim, 2 * decoder_dim, 4 * decoder_dim];
        let mut decoder = vec![Layer::Conv { from: z, to: c }];
        decoder.extend(middle(c));
        for (from, to, up) in [
            (c, c, Some(true)),
            (c, c, Some(true)),
            (c, b, Some(false)),
            (b, a, None),
        ] {
            decoder.extend(up.map(|_| Layer::Fork { channels: from }));
            decoder.extend([res(from, to), res(to, to), res(to, to)]);
            if let Some(time) = up {
                decoder.push(Layer::Up { from: to, to, time });
                decoder.push(Layer::JoinRepeats { from, to, time });
            }
        }
        decoder.push(Layer::Head { from: a, to: image });
        Self {
            z,
            image: 3,
            patch: PATCH,
            encoder,
            decoder,
        }
    }

    /// Pixels per latent position, on both axes: 8, for Wan 2.2 16.
    pub fn spatial(&self) -> usize {
        GRID * self.patch
    }

    /// Whether levels have shortcuts around them, as in Wan 2.2.
    pub(super) fn residual(&self) -> bool {
        let fork = |layer: &Layer| matches!(layer, Layer::Fork { .. });
        self.encoder.iter().any(fork)
    }
}

/// Channels in, channels out and whether a level of the encoder halves space, and time with it.
fn downwards(dim: usize) -> [(usize, usize, Option<bool>); 4] {
    let [a, b, c] = [dim, 2 * dim, 4 * dim];
    [
        (a, a, Some(false)),
        (a, b, Some(true)),
        (b, c, Some(true)),
        (c, c, None),
    ]
}

fn middle(channels: usize) -> [Layer; 3] {
    let block = res(channels, channels);
    [block, Layer::Attention { channels }, block]
}

fn res(from: usize, to: usize) -> Layer {
    Layer::Res { from, to }
}

/// Channels that enter and leave a layer.
pub(super) fn channels(layer: &Layer) -> (usize, usize) {
    match *layer {
        Layer::Conv { from, to }
        | Layer::Res { from, to }
        | Layer::Up { from, to, .. }
        | Layer::Down { from, to, .. }
        | Layer::Head { from, to } => (from, to),
        Layer::Attention { channels } | Layer::Fork { channels } => (channels, channels),
        // What comes along the layers has the right width already.
        Layer::JoinMeans { to, .. } | Layer::JoinRepeats { to, .. } => (to, to),
    }
}

/// How channels and the places of a block (frames, rows, columns) trade in a shortcut: of `axes`,
/// the leading ones whose product is `ratio` turn into channels, the others are averaged away or
/// repeated. Their sizes, 1 for the others; `None` if no leading axes make up `ratio`.
///
/// The reference reshapes to `[channels x block]` and groups neighbours, which for the sizes in use
/// comes to this.
pub(super) fn leading(axes: [usize; 3], ratio: usize) -> Option<[usize; 3]> {
    let mut left = ratio;
    let mut kept = [1; 3];
    for (axis, kept) in axes.into_iter().zip(&mut kept) {
        if left > 1 && axis > 1 {
            *kept = axis;
            left = left.checked_div(axis).filter(|n| n * axis == left)?;
        }
    }
    (left == 1).then_some(kept)
}

//! What a Wan 2.1 VAE checkpoint is made of: layers and their names, read off its tensors.
//!
//! No Burn here: the planner reads sizes from the header of a file without loading it.
//! The layers are those of `wan/modules/vae2_1.py` (Wan-Video/Wan2.2); the two ways to name them
//! are that repository's (and ComfyUI's) and that of diffusers' `AutoencoderKLWan`.

use super::VaeError;

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
    /// Norm, SiLU, causal 3x3x3 convolution.
    Head { from: usize, to: usize },
}

/// The sizes of a VAE: all that costs and checks depend on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VaeDims {
    /// Channels of a latent (16).
    pub z: usize,
    /// Channels of a picture (3).
    pub image: usize,
    /// From pictures to `2 z` channels, in order.
    pub encoder: Vec<Layer>,
    /// From `z` channels to pictures, in order.
    pub decoder: Vec<Layer>,
}

/// Pixels per latent position, on both axes.
pub const SPATIAL: usize = 8;
/// Frames per latent frame, after the first, which stands for one frame.
pub const TEMPORAL: usize = 4;

impl VaeDims {
    /// The published Wan 2.1 VAE, `dim = 96`, `z = 16`; smaller numbers give test models.
    /// Channel multipliers [1, 2, 4, 4], two residual blocks a level (three in the decoder).
    pub fn wan21(dim: usize, z: usize) -> Self {
        let [a, b, c] = [dim, 2 * dim, 4 * dim];
        let res = |from, to| Layer::Res { from, to };
        let middle = [res(c, c), Layer::Attention { channels: c }, res(c, c)];
        let mut encoder = vec![Layer::Conv { from: 3, to: a }];
        for (from, to, down) in [
            (a, a, Some(false)),
            (a, b, Some(true)),
            (b, c, Some(true)),
            (c, c, None),
        ] {
            encoder.extend([res(from, to), res(to, to)]);
            encoder.extend(down.map(|time| Layer::Down { from: to, to, time }));
        }
        encoder.extend(middle);
        encoder.push(Layer::Head { from: c, to: 2 * z });

        let mut decoder = vec![Layer::Conv { from: z, to: c }];
        decoder.extend(middle);
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
            encoder,
            decoder,
        }
    }
}

/// How a file names its tensors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layout {
    Original,
    Diffusers,
}

/// A layer and the name it stands under.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Named {
    pub layer: Layer,
    pub name: String,
}

/// The whole structure with names, as found in a file.
#[derive(Clone, Debug)]
pub(super) struct Structure {
    pub layout: Layout,
    pub z: usize,
    pub image: usize,
    pub encoder: Vec<Named>,
    pub decoder: Vec<Named>,
}

/// Looks up the shape of a tensor by name.
pub(super) type Shapes<'a> = dyn Fn(&str) -> Option<Vec<usize>> + 'a;

impl Structure {
    pub fn read(shapes: &Shapes) -> Result<Self, VaeError> {
        // ComfyUI tells the two VAEs apart by this name (comfy/sd.py).
        let wan22 = [
            "decoder.upsamples.0.upsamples.0.residual.2.weight",
            "decoder.up_blocks.0.upsampler.resample.1.weight",
        ];
        if let Some(key) = wan22.iter().find(|key| shapes(key).is_some()) {
            return Err(VaeError::Wan22 {
                key: (*key).to_owned(),
            });
        }
        let layout = if shapes("decoder.conv_in.weight").is_some() {
            Layout::Diffusers
        } else if shapes("decoder.conv1.weight").is_some() {
            Layout::Original
        } else {
            return Err(VaeError::NotAVae {
                missing: "decoder.conv1.weight".to_owned(),
            });
        };
        let reader = Reader { layout, shapes };
        let encoder = reader.side("encoder")?;
        let decoder = reader.side("decoder")?;
        let (z, image) = (channels(&decoder[0].layer).0, channels(&encoder[0].layer).0);
        let structure = Self {
            layout,
            z,
            image,
            encoder,
            decoder,
        };
        structure.check()?;
        Ok(structure)
    }

    pub fn dims(&self) -> VaeDims {
        let layers = |side: &[Named]| side.iter().map(|it| it.layer).collect();
        VaeDims {
            z: self.z,
            image: self.image,
            encoder: layers(&self.encoder),
            decoder: layers(&self.decoder),
        }
    }

    /// The chunk arithmetic is that of 8x8 pixels and 4 frames per latent position; a file with
    /// another grid, or whose layers do not meet, is of another family.
    fn check(&self) -> Result<(), VaeError> {
        for (side, first, last) in [
            (&self.encoder, self.image, 2 * self.z),
            (&self.decoder, self.z, self.image),
        ] {
            let mut at = first;
            for Named { layer, name } in side {
                let (from, to) = channels(layer);
                if from != at {
                    return Err(VaeError::Chain {
                        name: name.clone(),
                        expected: at,
                        found: from,
                    });
                }
                at = to;
            }
            let end = side.last().map_or("", |it| &it.name);
            if at != last {
                return Err(VaeError::Chain {
                    name: end.to_owned(),
                    expected: last,
                    found: at,
                });
            }
            let scaled = |time_only: bool| {
                side.iter()
                    .filter(|it| match it.layer {
                        Layer::Up { time, .. } | Layer::Down { time, .. } => time || !time_only,
                        _ => false,
                    })
                    .count()
            };
            let (space, time) = (
                1_usize << scaled(false).min(20),
                1_usize << scaled(true).min(20),
            );
            if (space, time) != (SPATIAL, TEMPORAL) {
                return Err(VaeError::Grid { space, time });
            }
        }
        Ok(())
    }
}

/// Channels that enter and leave a layer.
pub(super) fn channels(layer: &Layer) -> (usize, usize) {
    match *layer {
        Layer::Conv { from, to }
        | Layer::Res { from, to }
        | Layer::Up { from, to, .. }
        | Layer::Down { from, to, .. }
        | Layer::Head { from, to } => (from, to),
        Layer::Attention { channels } => (channels, channels),
    }
}

struct Reader<'a> {
    layout: Layout,
    shapes: &'a Shapes<'a>,
}

impl Reader<'_> {
    /// Output and input channels of a weight.
    fn pair(&self, weight: &str) -> Result<(usize, usize), VaeError> {
        match (self.shapes)(weight).as_deref() {
            Some([to, from, ..]) if *to > 0 && *from > 0 => Ok((*from, *to)),
            Some(found) => Err(VaeError::Rank {
                name: weight.to_owned(),
                found: found.to_vec(),
            }),
            None => Err(VaeError::NotAVae {
                missing: weight.to_owned(),
            }),
        }
    }

    fn side(&self, side: &str) -> Result<Vec<Named>, VaeError> {
        let original = self.layout == Layout::Original;
        let pick = |a: &str, b: &str| format!("{side}.{}", if original { a } else { b });
        let (conv_in, head) = (pick("conv1", "conv_in"), pick("head.2", "conv_out"));
        let middle = [
            pick("middle.0", "mid_block.resnets.0"),
            pick("middle.1", "mid_block.attentions.0"),
            pick("middle.2", "mid_block.resnets.1"),
        ];
        let (from, to) = self.pair(&format!("{conv_in}.weight"))?;
        let mut out = vec![Named {
            layer: Layer::Conv { from, to },
            name: conv_in,
        }];
        let mut mid = vec![self.required(&middle[0])?];
        let (channels, _) = self.pair(&format!("{}.to_qkv.weight", middle[1]))?;
        let name = middle[1].clone();
        mid.push(Named {
            layer: Layer::Attention { channels },
            name,
        });
        mid.push(self.required(&middle[2])?);
        let levels = self.levels(side)?;
        if side == "encoder" {
            out.extend(levels);
            out.extend(mid);
        } else {
            out.extend(mid);
            out.extend(levels);
        }
        let (from, to) = self.pair(&format!("{head}.weight"))?;
        out.push(Named {
            layer: Layer::Head { from, to },
            name: head,
        });
        Ok(out)
    }

    /// The residual and resampling layers of all levels, as far as names go on.
    fn levels(&self, side: &str) -> Result<Vec<Named>, VaeError> {
        let mut out = Vec::new();
        if side == "decoder" && self.layout == Layout::Diffusers {
            for level in 0.. {
                let before = out.len();
                let block = format!("decoder.up_blocks.{level}");
                self.run(&format!("{block}.resnets"), &mut out)?;
                out.extend(self.at(&format!("{block}.upsamplers.0"))?);
                if out.len() == before {
                    break;
                }
            }
        } else {
            let list = match (side, self.layout) {
                ("encoder", Layout::Original) => "encoder.downsamples",
                ("encoder", Layout::Diffusers) => "encoder.down_blocks",
                _ => "decoder.upsamples",
            };
            self.run(list, &mut out)?;
        }
        Ok(out)
    }

    /// `list.0`, `list.1`, ... as far as they exist.
    fn run(&self, list: &str, out: &mut Vec<Named>) -> Result<(), VaeError> {
        for i in 0.. {
            match self.at(&format!("{list}.{i}"))? {
                Some(named) => out.push(named),
                None => break,
            }
        }
        Ok(())
    }

    fn required(&self, name: &str) -> Result<Named, VaeError> {
        self.at(name)?.ok_or_else(|| VaeError::NotAVae {
            missing: format!("{name}.{}.weight", self.layout.res_conv1()),
        })
    }

    fn at(&self, name: &str) -> Result<Option<Named>, VaeError> {
        let has = |part: &str| (self.shapes)(&format!("{name}.{part}.weight")).is_some();
        let (conv1, conv2) = (self.layout.res_conv1(), self.layout.res_conv2());
        let layer = if has(conv1) {
            let (from, _) = self.pair(&format!("{name}.{conv1}.weight"))?;
            let (_, to) = self.pair(&format!("{name}.{conv2}.weight"))?;
            Layer::Res { from, to }
        } else if has("resample.1") {
            let (from, to) = self.pair(&format!("{name}.resample.1.weight"))?;
            let time = has("time_conv");
            if name.starts_with("encoder") {
                Layer::Down { from, to, time }
            } else {
                Layer::Up { from, to, time }
            }
        } else {
            return Ok(None);
        };
        Ok(Some(Named {
            layer,
            name: name.to_owned(),
        }))
    }
}

impl Layout {
    pub fn res_norm1(self) -> &'static str {
        self.pick("residual.0", "norm1")
    }
    pub fn res_conv1(self) -> &'static str {
        self.pick("residual.2", "conv1")
    }
    pub fn res_norm2(self) -> &'static str {
        self.pick("residual.3", "norm2")
    }
    pub fn res_conv2(self) -> &'static str {
        self.pick("residual.6", "conv2")
    }
    pub fn res_shortcut(self) -> &'static str {
        self.pick("shortcut", "conv_shortcut")
    }
    /// The norm before the last convolution of `side` (`encoder`, `decoder`).
    pub fn head_norm(self, side: &str) -> String {
        format!("{side}.{}", self.pick("head.0", "norm_out"))
    }
    /// The 1x1x1 convolution after the encoder.
    pub fn after_encoder(self) -> &'static str {
        self.pick("conv1", "quant_conv")
    }
    /// The 1x1x1 convolution before the decoder.
    pub fn before_decoder(self) -> &'static str {
        self.pick("conv2", "post_quant_conv")
    }
    fn pick(self, original: &'static str, diffusers: &'static str) -> &'static str {
        match self {
            Self::Original => original,
            Self::Diffusers => diffusers,
        }
    }
}

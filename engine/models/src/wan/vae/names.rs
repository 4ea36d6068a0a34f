//! The layers of a VAE read off a checkpoint, with the names they stand under.
//!
//! There are two ways to name them: that of the original repository (and ComfyUI) and that of
//! diffusers' `AutoencoderKLWan`.

use super::VaeError;
use super::structure::{GRID, Layer, TEMPORAL, VaeDims, channels, leading};

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
    pub patch: usize,
    pub encoder: Vec<Named>,
    pub decoder: Vec<Named>,
}

/// Looks up the shape of a tensor by name.
pub(super) type Shapes<'a> = dyn Fn(&str) -> Option<Vec<usize>> + 'a;

impl Structure {
    pub fn read(shapes: &Shapes) -> Result<Self, VaeError> {
        let layout = if shapes("decoder.conv_in.weight").is_some() {
            Layout::Diffusers
        } else if shapes("decoder.conv1.weight").is_some() {
            Layout::Original
        } else {
            return Err(VaeError::NotAVae {
                missing: "decoder.conv1.weight".to_owned(),
            });
        };
        // ComfyUI tells the two VAEs apart by this name (comfy/sd.py).
        let wan22 = layout.pick(
            "decoder.upsamples.0.upsamples.0.residual.2.weight",
            "decoder.up_blocks.0.upsampler.resample.1.weight",
        );
        let residual = shapes(wan22).is_some();
        let reader = Reader {
            layout,
            residual,
            shapes,
        };
        let encoder = reader.side("encoder")?;
        let decoder = reader.side("decoder")?;
        let patch = if residual { 2 } else { 1 };
        let (z, into) = (channels(&decoder[0].layer).0, channels(&encoder[0].layer).0);
        if into % (patch * patch) != 0 {
            return Err(VaeError::Chain {
                name: encoder[0].name.clone(),
                expected: 3 * patch * patch,
                found: into,
            });
        }
        let structure = Self {
            layout,
            z,
            image: into / (patch * patch),
            patch,
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
            patch: self.patch,
            encoder: layers(&self.encoder),
            decoder: layers(&self.decoder),
        }
    }

    /// The chunk arithmetic is that of 8x8 positions and 4 frames per latent position; a file with
    /// another grid, or whose layers do not meet, is of another family.
    fn check(&self) -> Result<(), VaeError> {
        let into = self.image * self.patch * self.patch;
        for (side, first, last) in [
            (&self.encoder, into, 2 * self.z),
            (&self.decoder, self.z, into),
        ] {
            check_chain(side, first, last)?;
            let scaled = |time_only: bool| {
                side.iter()
                    .filter(|it| match it.layer {
                        Layer::Up { time, .. } | Layer::Down { time, .. } => time || !time_only,
                        Layer::Conv { .. }
                        | Layer::Res { .. }
                        | Layer::Attention { .. }
                        | Layer::Fork { .. }
                        | Layer::JoinMeans { .. }
                        | Layer::JoinRepeats { .. }
                        | Layer::Head { .. } => false,
                    })
                    .count()
            };
            let (space, time) = (
                1_usize << scaled(false).min(20),
                1_usize << scaled(true).min(20),
            );
            if (space, time) != (GRID, TEMPORAL) {
                return Err(VaeError::Grid { space, time });
            }
        }
        Ok(())
    }
}

/// Each layer takes what the one before gives, and shortcuts have a block to fold or to repeat.
fn check_chain(side: &[Named], first: usize, last: usize) -> Result<(), VaeError> {
    let mut at = first;
    for Named { layer, name } in side {
        let (from, to) = channels(layer);
        let wrong = |expected, found| {
            Err(VaeError::Chain {
                name: name.clone(),
                expected,
                found,
            })
        };
        if from != at {
            return wrong(at, from);
        }
        if shortcut(layer).is_none() {
            return wrong(from, to);
        }
        at = to;
    }
    if at != last {
        return Err(VaeError::Chain {
            name: side.last().map_or(String::new(), |it| it.name.clone()),
            expected: last,
            found: at,
        });
    }
    Ok(())
}

/// The axes of a block that a shortcut trades for channels; `[1; 3]` where there is nothing to trade.
pub(super) fn shortcut(layer: &Layer) -> Option<[usize; 3]> {
    let size = |doubled: bool| if doubled { 2 } else { 1 };
    match *layer {
        Layer::JoinMeans {
            from,
            to,
            time,
            space,
        } if to % from == 0 => leading([size(time), size(space), size(space)], to / from),
        Layer::JoinRepeats { from, to, time } if from % to == 0 => {
            leading([size(time), 2, 2], from / to)
        }
        Layer::JoinMeans { .. } | Layer::JoinRepeats { .. } => None,
        Layer::Conv { .. }
        | Layer::Res { .. }
        | Layer::Attention { .. }
        | Layer::Up { .. }
        | Layer::Down { .. }
        | Layer::Fork { .. }
        | Layer::Head { .. } => Some([1; 3]),
    }
}

struct Reader<'a> {
    layout: Layout,
    /// Whether levels have shortcuts around them and names of their own (Wan 2.2).
    residual: bool,
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
        let list = match (side, self.layout) {
            ("encoder", Layout::Original) => "encoder.downsamples",
            ("encoder", Layout::Diffusers) => "encoder.down_blocks",
            (_, Layout::Original) => "decoder.upsamples",
            (_, Layout::Diffusers) => "decoder.up_blocks",
        };
        let mut out = Vec::new();
        let nested = self.residual || list == "decoder.up_blocks";
        if !nested {
            self.run(list, &mut out)?;
            return Ok(out);
        }
        for i in 0.. {
            let block = format!("{list}.{i}");
            let level = self.level(side, &block)?;
            let (Some(first), Some(last)) = (level.first(), level.last()) else {
                break;
            };
            let (from, to) = (channels(&first.layer).0, channels(&last.layer).1);
            let (fork, join) = self.around(side, from, to, last.layer);
            let named = |layer| Named {
                layer,
                name: block.clone(),
            };
            out.extend(fork.map(named));
            out.extend(level);
            out.extend(join.map(named));
        }
        Ok(out)
    }

    /// The layers of one level that has a name of its own.
    fn level(&self, side: &str, block: &str) -> Result<Vec<Named>, VaeError> {
        let mut out = Vec::new();
        match self.layout {
            Layout::Original => {
                let part = block.rsplit_once('.').map_or(block, |(list, _)| list);
                let list = part.trim_start_matches(side).trim_start_matches('.');
                self.run(&format!("{block}.{list}"), &mut out)?;
            }
            Layout::Diffusers => {
                self.run(&format!("{block}.resnets"), &mut out)?;
                let last = match (self.residual, side) {
                    (false, _) => "upsamplers.0",
                    (true, "encoder") => "downsampler",
                    (true, _) => "upsampler",
                };
                out.extend(self.at(&format!("{block}.{last}"))?);
            }
        }
        Ok(out)
    }

    /// The shortcut around a level that ends in `last`.
    fn around(
        &self,
        side: &str,
        from: usize,
        to: usize,
        last: Layer,
    ) -> (Option<Layer>, Option<Layer>) {
        let join = match last {
            _ if !self.residual => None,
            Layer::Up { time, .. } => Some(Layer::JoinRepeats { from, to, time }),
            Layer::Down { time, .. } => Some(Layer::JoinMeans {
                from,
                to,
                time,
                space: true,
            }),
            // The last level of the encoder has one, that of the decoder has none.
            _ if side == "encoder" => Some(Layer::JoinMeans {
                from,
                to,
                time: false,
                space: false,
            }),
            _ => None,
        };
        (join.map(|_| Layer::Fork { channels: from }), join)
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

//! Filling the networks from a checkpoint.

use std::sync::Arc;

use super::decoder::DecoderNet;
use super::encoder::EncoderNet;
use super::layers::{CausalConv, Downsample, FrameAttention, NormSilu, ResBlock, Stage, Upsample};
use super::names::{Named, Structure, shortcut};
use super::shortcut::{Means, Repeats};
use super::structure::{Layer, channels};
use super::{Parts, VaeError, WanVae};
use crate::weights::{Checkpoint, WeightsError};
use crate::{Device, Tensor};

/// Names under which all-in-one files keep the VAE.
const PREFIXES: &[&str] = &["", "vae.", "first_stage_model."];

/// The checkpoint with any prefix taken off, and its structure.
pub(super) fn structure(checkpoint: &Checkpoint) -> Result<(Checkpoint, Structure), VaeError> {
    let marks = ["decoder.conv1.weight", "decoder.conv_in.weight"];
    let prefix = PREFIXES
        .iter()
        .find(|prefix| {
            marks
                .iter()
                .any(|mark| checkpoint.has(&format!("{prefix}{mark}")))
        })
        .unwrap_or(&"");
    let view = if prefix.is_empty() {
        checkpoint.clone()
    } else {
        checkpoint.prefix(prefix)
    };
    let structure = Structure::read(&|name| view.shape(name).map(<[usize]>::to_vec))?;
    Ok((view, structure))
}

pub(super) fn load(
    checkpoint: &Checkpoint,
    parts: Parts,
    device: &Device,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<WanVae, VaeError> {
    let (view, structure) = structure(checkpoint)?;
    let mut total = 0;
    if parts.encoder() {
        total += structure.encoder.len();
    }
    if parts.decoder() {
        total += structure.decoder.len();
    }
    let mut loader = Loader {
        view: &view,
        structure: &structure,
        device,
        progress,
        done: 0,
        total,
    };
    let encoder = parts
        .encoder()
        .then(|| loader.encoder())
        .transpose()?
        .map(Arc::new);
    let decoder = parts
        .decoder()
        .then(|| loader.decoder())
        .transpose()?
        .map(Arc::new);
    Ok(WanVae {
        dims: structure.dims(),
        encoder,
        decoder,
    })
}

struct Loader<'a> {
    view: &'a Checkpoint,
    structure: &'a Structure,
    device: &'a Device,
    progress: &'a mut dyn FnMut(usize, usize),
    done: usize,
    total: usize,
}

impl Loader<'_> {
    fn encoder(&mut self) -> Result<EncoderNet, VaeError> {
        let structure = self.structure;
        let z2 = 2 * structure.z;
        let stages = self.stages(&structure.encoder)?;
        let (norm_out, conv_in, conv_out) = self.ends("encoder", &structure.encoder)?;
        let after = self.conv(structure.layout.after_encoder(), z2, z2, [1; 3])?;
        Ok(EncoderNet {
            conv_in,
            stages,
            norm_out,
            conv_out,
            after,
            patch: structure.patch,
        })
    }

    fn decoder(&mut self) -> Result<DecoderNet, VaeError> {
        let structure = self.structure;
        let z = structure.z;
        let before = self.conv(structure.layout.before_decoder(), z, z, [1; 3])?;
        let stages = self.stages(&structure.decoder)?;
        let (norm_out, conv_in, conv_out) = self.ends("decoder", &structure.decoder)?;
        Ok(DecoderNet {
            before,
            conv_in,
            stages,
            norm_out,
            conv_out,
            patch: structure.patch,
        })
    }

    /// All layers but the first and the last convolution.
    fn stages(&mut self, layers: &[Named]) -> Result<Vec<Stage>, VaeError> {
        let mut stages = Vec::new();
        for named in layers {
            let kept = shortcut(&named.layer).unwrap_or([1; 3]);
            stages.push(match named.layer {
                Layer::Conv { .. } | Layer::Head { .. } => continue,
                Layer::Res { .. } => Stage::Res(Box::new(self.res(named)?)),
                Layer::Attention { channels } => {
                    Stage::Attention(self.attention(&named.name, channels)?)
                }
                Layer::Up { from, to, time } => Stage::Up(Upsample {
                    weight: self.resample(&named.name, from, to)?,
                    bias: self.get(&format!("{}.resample.1.bias", named.name), [to])?,
                    time_conv: self.time_conv(time, &named.name, from, 2 * from)?,
                }),
                Layer::Down { from, to, time } => Stage::Down(Downsample {
                    weight: self.resample(&named.name, from, to)?,
                    bias: self.get(&format!("{}.resample.1.bias", named.name), [to])?,
                    time_conv: self.time_conv(time, &named.name, to, to)?,
                }),
                Layer::Fork { .. } => Stage::Fork,
                Layer::JoinMeans { time, space, .. } => {
                    let [time, side] = [time, space].map(|two| if two { 2 } else { 1 });
                    let block = [time, side, side];
                    Stage::JoinMeans(Means { block, kept })
                }
                Layer::JoinRepeats { time, .. } => {
                    let block = [if time { 2 } else { 1 }, 2, 2];
                    Stage::JoinRepeats(Repeats { block, kept })
                }
            });
            self.step();
        }
        Ok(stages)
    }

    fn step(&mut self) {
        self.done += 1;
        (self.progress)(self.done, self.total);
    }

    /// The norm before the last convolution, the first and the last convolution.
    fn ends(
        &mut self,
        side: &str,
        layers: &[Named],
    ) -> Result<(NormSilu, CausalConv, CausalConv), VaeError> {
        let mut ends = Vec::new();
        let mut norm = None;
        for named in layers {
            if let Layer::Conv { from, to } | Layer::Head { from, to } = named.layer {
                ends.push(self.conv(&named.name, from, to, [3; 3])?);
                self.step();
                if let Layer::Head { .. } = named.layer {
                    norm = Some(self.gamma(&self.structure.layout.head_norm(side), from)?);
                }
            }
        }
        match (norm, <[CausalConv; 2]>::try_from(ends)) {
            (Some(norm), Ok([first, last])) => Ok((NormSilu(norm), first, last)),
            _ => Err(VaeError::NotAVae {
                missing: format!("{side}: first and last convolution"),
            }),
        }
    }

    fn res(&self, named: &Named) -> Result<ResBlock, VaeError> {
        let (layout, name) = (self.structure.layout, &named.name);
        let (from, to) = channels(&named.layer);
        let part = |part: &str| format!("{name}.{part}");
        let shortcut = (from != to)
            .then(|| self.conv(&part(layout.res_shortcut()), from, to, [1; 3]))
            .transpose()?;
        Ok(ResBlock {
            norm1: NormSilu(self.gamma(&part(layout.res_norm1()), from)?),
            conv1: self.conv(&part(layout.res_conv1()), from, to, [3; 3])?,
            norm2: NormSilu(self.gamma(&part(layout.res_norm2()), to)?),
            conv2: self.conv(&part(layout.res_conv2()), to, to, [3; 3])?,
            shortcut,
        })
    }

    fn attention(&self, name: &str, c: usize) -> Result<FrameAttention, VaeError> {
        let qkv: Tensor<4> = self.get(&format!("{name}.to_qkv.weight"), [3 * c, c, 1, 1])?;
        let proj: Tensor<4> = self.get(&format!("{name}.proj.weight"), [c, c, 1, 1])?;
        Ok(FrameAttention {
            norm: self.gamma(&format!("{name}.norm"), c)?,
            qkv: qkv.reshape([3 * c, c]),
            qkv_bias: self.get(&format!("{name}.to_qkv.bias"), [3 * c])?,
            proj: proj.reshape([c, c]),
            proj_bias: self.get(&format!("{name}.proj.bias"), [c])?,
        })
    }

    fn resample(&self, name: &str, from: usize, to: usize) -> Result<Tensor<4>, WeightsError> {
        self.get(&format!("{name}.resample.1.weight"), [to, from, 3, 3])
    }

    fn time_conv(
        &self,
        time: bool,
        name: &str,
        from: usize,
        to: usize,
    ) -> Result<Option<CausalConv>, WeightsError> {
        time.then(|| self.conv(&format!("{name}.time_conv"), from, to, [3, 1, 1]))
            .transpose()
    }

    fn conv(
        &self,
        name: &str,
        from: usize,
        to: usize,
        kernel: [usize; 3],
    ) -> Result<CausalConv, WeightsError> {
        let [t, h, w] = kernel;
        Ok(CausalConv {
            weight: self.get(&format!("{name}.weight"), [to, from, t, h, w])?,
            bias: self.get(&format!("{name}.bias"), [to])?,
        })
    }

    /// A norm's gain: `[c, 1, 1, 1]` or `[c, 1, 1]` in the file.
    fn gamma(&self, name: &str, c: usize) -> Result<Tensor<1>, WeightsError> {
        let name = format!("{name}.gamma");
        if self.view.shape(&name).is_some_and(|shape| shape.len() == 3) {
            return Ok(self.get(&name, [c, 1, 1])?.reshape([c]));
        }
        Ok(self.get(&name, [c, 1, 1, 1])?.reshape([c]))
    }

    fn get<const D: usize>(
        &self,
        name: &str,
        shape: [usize; D],
    ) -> Result<Tensor<D>, WeightsError> {
        self.view.tensor(name, shape, self.device)
    }
}

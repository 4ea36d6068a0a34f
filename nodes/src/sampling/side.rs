//! One side of the guidance made ready for the network: text, image, streams, control.

use std::sync::Arc;

use longtake_graph::say;
use longtake_models::wan::dit::{
    DitDims, PoseRope, PreparedContext, ScailMode, ScailStreams, WanDit,
};
use longtake_models::{Device, Tensor};
use longtake_plan::{ExtrasInfo, LatentInfo};
use longtake_run::{Conditioning, RunCx, RunError};
use longtake_sampling::flow;

use super::check::{CONCAT_CHANNELS, MASK_CHANNELS};
use super::control::ControlSide;
use super::planes::Planes;
use super::settings::ScailSettings;
use crate::failure::OrFail;

/// What a conditioning gives to every pass of its side.
pub struct Side {
    /// Embedded text and image.
    pub context: PreparedContext,
    /// Channels behind the noisy latent.
    pub beside: Option<Planes>,
    scail: Option<Scail>,
    /// Uni3C.
    pub control: Option<ControlSide>,
}

struct Scail {
    reference: Option<Planes>,
    pose: Option<Planes>,
    reference_mask: Option<Planes>,
    pose_mask: Option<Planes>,
    mode: ScailMode,
    rope: PoseRope,
    range: Range,
}

/// Sigmas between which something is at work.
#[derive(Clone, Copy, Debug)]
pub struct Range {
    start: f32,
    end: f32,
}

impl Range {
    /// Between two fractions of the schedule.
    pub fn new([start, end]: [f64; 2], shift: f64) -> Self {
        Self {
            start: flow::percent_to_sigma(shift, start) as f32,
            end: flow::percent_to_sigma(shift, end) as f32,
        }
    }

    /// Whether a sigma lies in it.
    pub fn holds(&self, sigma: f32) -> bool {
        self.end <= sigma && sigma <= self.start
    }
}

/// What making a side ready takes, beside the conditioning itself.
pub struct Making<'a> {
    /// The network.
    pub model: &'a WanDit,
    /// Where it computes.
    pub device: &'a Device,
    /// Sizes of the latent.
    pub latent: LatentInfo,
    /// `[frames, height, width]`, 1 where something is to be made.
    pub mask: Option<&'a [f32]>,
    /// Shift of the schedule.
    pub shift: f64,
}

impl Making<'_> {
    /// Both sides of the guidance; one when the scale is 1.
    ///
    /// # Errors
    /// Something beside the text does not fit the network.
    pub fn sides(
        &self,
        cx: &RunCx<'_>,
        positive: &str,
        negative: Option<&str>,
        cfg: f64,
    ) -> Result<Vec<Side>, RunError> {
        let mut sides = vec![self.side(cx, positive)?];
        if let Some(negative) = negative.filter(|_| flow::needs_uncond(cfg)) {
            sides.push(self.side(cx, negative)?);
        }
        Ok(sides)
    }

    fn side(&self, cx: &RunCx<'_>, input: &str) -> Result<Side, RunError> {
        let text = cx.conditioning(input)?;
        let extras = cx.extras(input)?;
        let dims = self.model.dims();
        Ok(Side {
            context: self.context(&text, &dims)?,
            beside: self.beside(&text, &dims)?,
            scail: self.scail(&text, &extras, &dims)?,
            control: ControlSide::of(cx, input, &text, &extras, self.shift)?,
        })
    }

    fn context(&self, text: &Conditioning, dims: &DitDims) -> Result<PreparedContext, RunError> {
        let rows = |data: &[f32], tokens: u32, dim: u32| {
            let shape = [1, tokens as usize, dim as usize];
            Tensor::<1>::from_floats(data, self.device).reshape(shape)
        };
        // ComfyUI hands CLIP tokens to models that have a place for them, and to no other.
        let image = text
            .arrays
            .get("clip_vision")
            .filter(|_| dims.image_dim > 0);
        let image = image.map(|it| match it.shape[..] {
            [tokens, dim] => Ok(rows(&it.data, tokens, dim)),
            _ => Err(RunError::failed(say!(
                "`clip_vision`: expected [tokens, width], found {:?}; make it with CLIPVisionEncode",
                "「clip_vision」は [tokens, width] の形でなければなりませんが、{:?} です。CLIPVisionEncode で作ってください",
                it.shape
            ))),
        });
        self.model
            .prepare_context(rows(&text.data, text.tokens, text.dim), image.transpose()?)
            .or_fail()
    }

    fn sizes(&self, channels: usize) -> [usize; 4] {
        let it = self.latent;
        let [frames, height, width] = [it.frames, it.height, it.width].map(|n| n as usize);
        [channels, frames, height, width]
    }

    /// Mask and picture for image to video, the history mask for SCAIL (ComfyUI
    /// `comfy/model_base.py`, `WAN21.concat_cond`, `WAN21_SCAIL2.concat_cond`).
    fn beside(&self, text: &Conditioning, dims: &DitDims) -> Result<Option<Planes>, RunError> {
        match dims.in_dim - dims.out_dim {
            CONCAT_CHANNELS => {
                let mask = match text.arrays.get("concat_mask") {
                    Some(mask) => Planes::of("concat_mask", mask)?,
                    None => Planes::filled(self.sizes(MASK_CHANNELS), 0.0),
                };
                let latent = match text.arrays.get("concat_latent") {
                    Some(latent) => Planes::normalised("concat_latent", latent)?,
                    None => Planes::filled(self.sizes(CONCAT_CHANNELS - MASK_CHANNELS), 0.0),
                };
                Ok(Some(mask.then(&latent)))
            }
            MASK_CHANNELS => {
                let known: Option<Vec<f32>> =
                    self.mask.map(|it| it.iter().map(|m| 1.0 - m).collect());
                let Some(known) = known else {
                    return Ok(Some(Planes::filled(self.sizes(MASK_CHANNELS), 0.0)));
                };
                let [_, frames, height, width] = self.sizes(1).map(|n| n as u32);
                let one = longtake_run::Array {
                    shape: vec![1, frames, height, width],
                    data: Arc::new(known),
                };
                let one = Planes::of("history mask", &one)?;
                Ok(Some(one.clone().then(&one).then(&one).then(&one)))
            }
            _ => Ok(None),
        }
    }

    fn scail(
        &self,
        text: &Conditioning,
        extras: &ExtrasInfo,
        dims: &DitDims,
    ) -> Result<Option<Scail>, RunError> {
        if dims.pose_dim == 0 {
            return Ok(None);
        }
        let stream = |name: &str| -> Result<Option<Planes>, RunError> {
            let Some(array) = text.arrays.get(name) else {
                return Ok(None);
            };
            let latent = Planes::normalised(name, array)?;
            let [_, frames, height, width] = [0, 1, 2, 3].map(|axis| array.shape[axis] as usize);
            let ones = Planes::filled([MASK_CHANNELS, frames, height, width], 1.0);
            Ok(Some(latent.then(&ones)))
        };
        let mask = |name: &str| -> Result<Option<Planes>, RunError> {
            let array = text.arrays.get(name).filter(|_| dims.mask_dim > 0);
            array.map(|it| Planes::of(name, it)).transpose()
        };
        let settings = ScailSettings::of(extras).or_fail()?;
        Ok(Some(Scail {
            reference: stream("scail_reference")?,
            pose: stream("scail_pose")?,
            reference_mask: mask("scail_reference_mask")?,
            pose_mask: mask("scail_pose_mask")?,
            mode: if settings.replacement {
                ScailMode::Replacement
            } else {
                ScailMode::Animation
            },
            rope: if settings.midpoint_rope {
                PoseRope::Midpoint
            } else {
                PoseRope::Pooled
            },
            range: Range::new(settings.range, self.shift),
        }))
    }
}

impl Side {
    /// The streams of a pass over these frames.
    pub fn streams(&self, frames: &[usize], sigma: f32, device: &Device) -> Option<ScailStreams> {
        let scail = self.scail.as_ref()?;
        let at_work = scail.range.holds(sigma);
        let all = |planes: &Option<Planes>| planes.as_ref().map(|it| it.all(device));
        let cut = |planes: &Option<Planes>| {
            let planes = planes.as_ref().filter(|_| at_work);
            planes.map(|it| it.at(frames, device))
        };
        Some(ScailStreams {
            reference: all(&scail.reference),
            pose: cut(&scail.pose),
            reference_mask: all(&scail.reference_mask),
            pose_mask: cut(&scail.pose_mask),
            mode: scail.mode,
            pose_rope: scail.rope,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_covers_what_it_says() {
        let all = Range::new([0.0, 1.0], 8.0);
        assert!(all.holds(1.0) && all.holds(0.0) && all.holds(0.3));
        // Half of a schedule shifted by 5 is sigma 5/6.
        let second = Range::new([0.5, 1.0], 5.0);
        assert!(!second.holds(0.84) && second.holds(0.833));
    }
}

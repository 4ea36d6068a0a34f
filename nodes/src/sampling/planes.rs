//! Channels beside the latent, kept on the host and cut to the frames of a pass.

use longtake_graph::say;
use longtake_models::wan::vae::latent_stats::process_in;
use longtake_models::{Device, Tensor};
use longtake_plan::LatentInfo;
use longtake_run::{Array, RunError};
use longtake_sampling::windows::take_frames;

use crate::failure::OrFail;
/// `[channels, frames, height, width]` on the host.
#[derive(Clone, Debug)]
pub struct Planes {
    shape: [usize; 4],
    data: Vec<f32>,
}

impl Planes {
    /// One value everywhere.
    pub fn filled(shape: [usize; 4], value: f32) -> Self {
        let data = vec![value; shape.iter().product()];
        Self { shape, data }
    }

    /// An array as it stands.
    ///
    /// # Errors
    /// It has not four axes.
    pub fn of(name: &str, array: &Array) -> Result<Self, RunError> {
        let shape: Vec<usize> = array.shape.iter().map(|&n| n as usize).collect();
        let found = format!("{shape:?}");
        let shape: [usize; 4] = shape.try_into().map_err(|_| {
            RunError::failed(say!(
                "`{name}`: expected [channels, frames, height, width], found {found}; this is a bug \
                 in Longtake",
                "「{name}」は [channels, frames, height, width] の形でなければなりませんが、{found} です。\
                 Longtake の不具合です"
            ))
        })?;
        Ok(Self {
            shape,
            data: array.data.to_vec(),
        })
    }

    /// A raw latent in the model's own space.
    ///
    /// # Errors
    /// As [`Planes::of`]; a number of channels that no Wan VAE has.
    pub fn normalised(name: &str, array: &Array) -> Result<Self, RunError> {
        let mut planes = Self::of(name, array)?;
        process_in(&mut planes.data, planes.shape[0]).or_fail()?;
        Ok(planes)
    }

    /// These channels, then `more`; of the same frames and sides.
    #[must_use]
    pub fn then(mut self, more: &Self) -> Self {
        debug_assert_eq!(self.shape[1..], more.shape[1..]);
        self.shape[0] += more.shape[0];
        self.data.extend_from_slice(&more.data);
        self
    }

    /// The frames of a pass, as a tensor of batch 1.
    pub fn at(&self, frames: &[usize], device: &Device) -> Tensor<5> {
        tensor(&self.data, self.shape, frames, device)
    }

    /// All frames, as a tensor of batch 1.
    pub fn all(&self, device: &Device) -> Tensor<5> {
        let frames: Vec<usize> = (0..self.shape[1]).collect();
        self.at(&frames, device)
    }
}

/// Frames of one sample of a latent, as a tensor of batch 1.
pub fn of_latent(x: &[f32], shape: LatentInfo, frames: &[usize], device: &Device) -> Tensor<5> {
    let shape = [shape.channels, shape.frames, shape.height, shape.width].map(|n| n as usize);
    tensor(x, shape, frames, device)
}

fn tensor(data: &[f32], shape: [usize; 4], frames: &[usize], device: &Device) -> Tensor<5> {
    let [channels, all, height, width] = shape;
    let dims = [1, channels, frames.len(), height, width];
    let whole = frames.len() == all && frames.iter().enumerate().all(|(at, &it)| at == it);
    if whole {
        return Tensor::<1>::from_floats(data, device).reshape(dims);
    }
    let cut = take_frames(data, shape, frames);
    Tensor::<1>::from_floats(cut.as_slice(), device).reshape(dims)
}

//! `.latent` files: safetensors with the tensor `latent_tensor` (ComfyUI `nodes.py`, `SaveLatent`).

use std::path::Path;

use longtake_graph::{Sentence, say};
use longtake_models::weights::Checkpoint;
use longtake_plan::{FactError, Info, LatentInfo};
use longtake_run::{Latent, RunError, files};
use safetensors::tensor::{Dtype, TensorView};
use serde_json::Value as Json;

use crate::failure::OrFail;
const TENSOR: &str = "latent_tensor";
/// Its presence says that the latent is stored as it is; older files were scaled by 0.18215.
const VERSION: &str = "latent_format_version_0";
const OLD_SCALE: f32 = 1.0 / 0.18215;

/// Sizes in a file's header.
///
/// # Errors
/// Not such a file.
pub fn probe(path: &Path) -> Result<Info, FactError> {
    let bad = |message: Sentence| FactError {
        code: "latent_unreadable",
        message,
    };
    let file = Checkpoint::open(path).map_err(|e| bad(e.sentence()))?;
    info(&file, path).map(Info::Latent).map_err(bad)
}

fn info(file: &Checkpoint, path: &Path) -> Result<LatentInfo, Sentence> {
    let shape = file.shape(TENSOR).ok_or_else(|| {
        say!(
            "{}: expected a tensor `{TENSOR}`, found none",
            "{}: テンソル「{TENSOR}」がありません。",
            path.display()
        )
    })?;
    let size = |n: usize| {
        u32::try_from(n).map_err(|_| {
            say!(
                "{}: {shape:?} is too large",
                "{}: {shape:?} は大きすぎます。",
                path.display()
            )
        })
    };
    if shape.contains(&0) {
        return Err(say!(
            "{}: expected sizes above 0, found {shape:?}",
            "{}: サイズは 0 より大きい必要があります(現在: {shape:?})。",
            path.display()
        ));
    }
    // Pictures have no time axis.
    let (batch, channels, frames, height, width) = match *shape {
        [b, c, f, h, w] => (b, c, f, h, w),
        [b, c, h, w] => (b, c, 1, h, w),
        _ => {
            return Err(say!(
                "{}: expected [batch, channels, frames, height, width], found {shape:?}",
                "{}: [batch, channels, frames, height, width] の形が必要です(現在: {shape:?})。",
                path.display()
            ));
        }
    };
    Ok(LatentInfo {
        batch: size(batch)?,
        channels: size(channels)?,
        frames: size(frames)?,
        height: size(height)?,
        width: size(width)?,
    })
}

/// Reads a latent.
///
/// # Errors
/// Not such a file, or damaged.
pub fn read(path: &Path) -> Result<Latent, RunError> {
    let file = Checkpoint::open(path).or_fail()?;
    let info = info(&file, path).or_fail()?;
    let shape = file.shape(TENSOR).unwrap_or_default().to_vec();
    let mut data = file.vec_f32(TENSOR, &shape).or_fail()?;
    if !file.has(VERSION) {
        for value in &mut data {
            *value *= OLD_SCALE;
        }
    }
    Ok(Latent::new(info, data))
}

/// Writes a latent with the graph that made it.
///
/// # Errors
/// The disk.
pub fn write(path: &Path, latent: &Latent, prompt: Option<&Json>) -> Result<(), RunError> {
    let failed = |e: safetensors::SafeTensorError| {
        RunError::failed(say!(
            "writing {}: {e}",
            "{} に書き込めません: {e}",
            path.display()
        ))
    };
    let it = latent.info;
    let shape = [it.batch, it.channels, it.frames, it.height, it.width].map(|n| n as usize);
    let bytes: Vec<u8> = latent.data.iter().flat_map(|v| v.to_le_bytes()).collect();
    let tensor = TensorView::new(Dtype::F32, shape.to_vec(), &bytes).map_err(failed)?;
    let version = TensorView::new(Dtype::F32, vec![0], &[]).map_err(failed)?;
    let metadata = prompt.map(|prompt| [("prompt".to_owned(), prompt.to_string())].into());
    let whole =
        safetensors::serialize([(TENSOR, tensor), (VERSION, version)], metadata).map_err(failed)?;
    files::write_bytes(path, &whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn latents_come_back_equal() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.latent");
        let info = LatentInfo {
            batch: 1,
            channels: 2,
            frames: 1,
            height: 1,
            width: 3,
        };
        let latent = Latent::new(info, vec![1.0, -2.5, 3.0, 0.0, f32::MIN, 9.0]);
        write(&path, &latent, Some(&serde_json::json!({"1": {}}))).unwrap();
        assert_eq!(read(&path).unwrap(), latent);
        assert_eq!(probe(&path).unwrap(), Info::Latent(info));
        std::fs::write(&path, b"{}").unwrap();
        assert!(probe(&path).is_err());
    }
}

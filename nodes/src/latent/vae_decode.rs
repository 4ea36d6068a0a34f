//! `VAEDecode`: a latent to frames, one latent frame at a time.

use longtake_graph::declare::{output, socket};
use longtake_graph::{Declaration, Kind};
use longtake_models::Tensor;
use longtake_models::wan::vae::{Decoder, Tiling, VaeDims, WanVae, frames_of};
use longtake_plan::{
    ClipInfo, Cost, CostCx, InferCx, InferError, Info, Keep, Lane, Rung, WeightsInfo,
};
use longtake_run::{Frame, Latent, Pixels, RunCx, RunError, Value, frames_file::Spool};
use serde_json::json;

use crate::Node;

const DECLARATION: Declaration = Declaration {
    class: "VAEDecode",
    title: "VAE decode",
    title_ja: "VAE デコード",
    category: "latent",
    help: "Turns a latent into frames. Frames go to scratch as they come, so memory does not grow \
           with the length.",
    inputs: &[
        socket("samples", Kind::LATENT).help("The latent"),
        socket("vae", Kind::VAE).help("The VAE"),
    ],
    outputs: &[output("IMAGE", Kind::IMAGE)],
    ..Declaration::EMPTY
};

/// The node.
pub const NODE: Node = Node::work(&DECLARATION, infer, Lane::Device, Keep::Memory, rungs, run);

/// Tiles tried when whole frames do not fit: side and overlap, pixels (ComfyUI's tiled node and
/// its fall-back).
const TILES: [(usize, usize); 2] = [(512, 64), (256, 64)];

/// Sizes of the VAE in a checkpoint the planner knows.
pub fn dims(weights: &WeightsInfo) -> VaeDims {
    let z = weights.dims.get("z_dim").copied().unwrap_or(16) as usize;
    let dim = weights.dims.get("dim").copied().unwrap_or(96) as usize;
    VaeDims::wan21(dim, z)
}

fn infer(cx: &InferCx<'_>) -> Result<Vec<Info>, InferError> {
    let latent = cx.latent("samples")?;
    let vae = cx.weights("vae")?;
    let z = dims(vae).z as u32;
    if latent.channels != z {
        return Err(InferError::at(
            "channels_do_not_fit",
            "samples",
            format!(
                "expected {z} latent channels for {}, found {}",
                vae.name, latent.channels
            ),
        ));
    }
    let frames = frames_of(latent.frames as usize) as u64 * u64::from(latent.batch);
    Ok(vec![Info::Clip(ClipInfo {
        frames,
        width: latent.width * 8,
        height: latent.height * 8,
        channels: 3,
        fps: None,
    })])
}

fn rungs(cx: &CostCx<'_>) -> Vec<Rung> {
    let (Ok(vae), Ok(latent)) = (cx.weights("vae"), cx.latent("samples")) else {
        return crate::node::one_way(Cost::default());
    };
    let dims = dims(vae);
    let (h, w) = (latent.height as usize, latent.width as usize);
    let frames = latent.frames as usize * latent.batch as usize;
    let flops = dims.decode_flops(frames, h * 8, w * 8) as f64;
    let value = cx.machine.weight_bytes;
    let frame = latent.height as u64 * latent.width as u64 * 64 * 3;
    // A chunk of four frames on its way: floats from the device, 16 bits for the spool.
    let host_bytes = 4 * frame * 6;
    let way = |name: String, tile: Option<(usize, usize)>| {
        let tiling = tile.and_then(|(side, overlap)| Tiling::new(side, overlap).ok());
        let device_bytes = dims.decode_workspace_bytes(h * 8, w * 8, tiling, value);
        let mut settings = std::collections::BTreeMap::new();
        if let Some((side, overlap)) = tile {
            settings.insert("tile".to_owned(), json!([side, overlap]));
        }
        let cost = Cost {
            flops,
            device_bytes,
            host_bytes,
            ..Cost::default()
        };
        Rung {
            name,
            settings,
            cost,
            streams: Vec::new(),
        }
    };
    let tiles = TILES.iter().filter(|(side, _)| h.max(w) * 8 > *side);
    std::iter::once(way("whole".to_owned(), None))
        .chain(tiles.map(|&(side, overlap)| way(format!("tiled {side}"), Some((side, overlap)))))
        .collect()
}

fn run(cx: &mut RunCx<'_>) -> Result<Vec<Value>, RunError> {
    let failed = |e: &dyn std::fmt::Display| RunError::failed(e.to_string());
    let vae = cx.model::<WanVae>("vae")?;
    let latent = cx.latent("samples")?;
    let device = crate::model::device::handle(&cx.env.device)?.clone();
    let tile = tile(cx);
    let Some(Info::Clip(info)) = cx.output_info(0).cloned() else {
        return Err(RunError::failed("the plan does not know the frames' size"));
    };
    let mut spool = Spool::create(&cx.env.scratch, info)?;
    let mut done = 0;
    for sample in samples(&latent) {
        let tensor = Tensor::<1>::from_floats(sample, &device).reshape(shape(&latent));
        let decoder = match tile {
            Some((side, overlap)) => vae.decode_tiled(tensor, side, overlap),
            None => vae.decode(tensor),
        };
        let mut decoder = decoder.map_err(|e| failed(&e))?;
        while let Some(frames) = frames(&mut decoder)? {
            for frame in &frames {
                spool.push(frame)?;
                done += 1;
            }
            let preview = frames.into_iter().next();
            cx.progress_with(done, info.frames, "frame", preview)?;
        }
    }
    Ok(vec![Value::Clip(spool.finish()?)])
}

fn tile(cx: &RunCx<'_>) -> Option<(usize, usize)> {
    let tile = cx.setting("tile")?.as_array()?;
    Some((
        tile.first()?.as_u64()? as usize,
        tile.get(1)?.as_u64()? as usize,
    ))
}

/// The samples of a batch.
fn samples(latent: &Latent) -> impl Iterator<Item = &[f32]> {
    let one = latent.data.len() / latent.info.batch.max(1) as usize;
    latent.data.chunks(one.max(1))
}

/// Shape of one sample.
fn shape(latent: &Latent) -> [usize; 5] {
    let it = latent.info;
    [
        1,
        it.channels as usize,
        it.frames as usize,
        it.height as usize,
        it.width as usize,
    ]
}

fn frames(decoder: &mut Decoder) -> Result<Option<Vec<Frame>>, RunError> {
    let Some(tensor) = decoder.next_frames() else {
        return Ok(None);
    };
    let [_, height, width, channels] = tensor.dims();
    let data: Vec<f32> = tensor
        .into_data()
        .convert::<f32>()
        .into_vec()
        .map_err(|e| RunError::failed(format!("reading decoded frames: {e:?}")))?;
    let one = height * width * channels;
    let frame = |it: &[f32]| {
        let pixels = Pixels::F32(it.to_vec());
        Frame::new(width as u32, height as u32, channels as u8, pixels)
    };
    Ok(Some(data.chunks(one).map(frame).collect()))
}

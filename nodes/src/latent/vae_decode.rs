//! `VAEDecode`: a latent to frames, one latent frame at a time.

use longtake_graph::declare::{output, socket};
use longtake_graph::{Declaration, Kind};
use longtake_models::Tensor;
use longtake_models::wan::vae::{DecodeStep, Decoder, Tiling, VaeDims, WanVae, frames_of};
use longtake_plan::{
    ClipInfo, Cost, CostCx, DeviceKind, InferCx, InferError, Info, Keep, Lane, Rung, WeightsInfo,
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
    let (height, width) = (latent.height as usize * 8, latent.width as usize * 8);
    let frames = latent.frames as usize;
    let value = cx.machine.weight_bytes;
    let scratch = match cx.machine.device {
        DeviceKind::Cpu => {
            dims.cpu_scratch_bytes(std::thread::available_parallelism().map_or(1, usize::from))
        }
        _ => 0,
    };
    let whole = Cost {
        flops: dims.decode_flops(frames, height, width) as f64 * f64::from(latent.batch),
        device_bytes: dims.decode_workspace_bytes(height, width, None, value) + scratch,
        // A chunk of four frames on its way: floats from the device, 16 bits for the spool.
        host_bytes: 4 * (height * width * 3 * 6) as u64,
        ..Cost::default()
    };
    let mut rungs = crate::node::one_way(whole);
    for (side, overlap) in TILES
        .into_iter()
        .filter(|(side, _)| height.max(width) > *side)
    {
        let Ok(tiling) = Tiling::new(side, overlap) else {
            continue;
        };
        rungs.push(Rung {
            name: format!("tiled {side}"),
            settings: [("tile".to_owned(), json!([side, overlap]))].into(),
            cost: Cost {
                device_bytes: dims.decode_by_tile_device_bytes(height, width, tiling, value)
                    + scratch,
                host_bytes: whole.host_bytes
                    + dims.decode_by_tile_host_bytes(frames, height, width),
                // Overlaps are decoded twice.
                flops: whole.flops * 1.2,
                ..whole
            },
            streams: Vec::new(),
        });
    }
    rungs
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
        let mut decoder = match tile {
            Some((side, overlap)) => Tiling::new(side, overlap)
                .and_then(|tiling| Decoder::tile_by_tile(&vae, tensor, tiling)),
            None => vae.decode(tensor),
        }
        .map_err(|e| failed(&e))?;
        while let Some(step) = decoder.step() {
            let frames = match step {
                DecodeStep::Working { done, total } => {
                    cx.progress(done as u64, total as u64, "tile")?;
                    continue;
                }
                DecodeStep::Chunk(chunk) => frames(chunk)?,
            };
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

/// Frames `[1, 3, n, height, width]` in -1..1 as pictures in 0..1.
fn frames(chunk: Tensor<5>) -> Result<Vec<Frame>, RunError> {
    let [_, channels, n, height, width] = chunk.dims();
    let data: Vec<f32> = chunk
        .add_scalar(1.0)
        .mul_scalar(0.5)
        .permute([0, 2, 3, 4, 1])
        .reshape([n * height * width * channels])
        .into_data()
        .convert::<f32>()
        .into_vec()
        .map_err(|e| RunError::failed(format!("reading decoded frames: {e:?}")))?;
    let frame = |it: &[f32]| {
        let pixels = Pixels::F32(it.to_vec());
        Frame::new(width as u32, height as u32, channels as u8, pixels)
    };
    Ok(data.chunks(height * width * channels).map(frame).collect())
}

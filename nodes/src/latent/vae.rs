//! What the VAE nodes share: sizes of the VAE, checks, costs, and the work itself.

use longtake_graph::literal::describe;
use longtake_graph::{Sentence, say};
use longtake_models::Tensor;
use longtake_models::wan::vae::{
    DecodeStep, Decoder, TileEncoder, Tiling, VaeDims, WanVae, frames_of, latent_frames_of,
};
use longtake_plan::{
    ClipInfo, Cost, CostCx, DeviceKind, InferCx, InferError, Info, LatentInfo, Rung, WeightsInfo,
};
use longtake_run::{
    Clip, Frame, Latent, Pixels, Preview, RunCx, RunError, Value, frames_file::Spool,
};
use serde_json::json;

use crate::failure::{OrFail, off_device, unplanned, unreadable};
use crate::node::one_way;

/// Overlap of tiles in latent positions from which seams do not show: the border of a tile reaches
/// less far through the layers. Measured in `engine/models/tests/vae_tiles.rs`.
const HIDES_SEAMS: usize = 12;

/// Tiles tried when whole frames do not fit: side and overlap, pixels. ComfyUI's sides, but Wan
/// 2.2's VAE, whose latent positions are larger, gets none as small as 256.
fn own_tiles(dims: &VaeDims) -> [(usize, usize); 2] {
    let overlap = HIDES_SEAMS * dims.spatial();
    [512, (2 * overlap).max(256)].map(|side| (side, overlap))
}

/// Sizes of the VAE in a checkpoint the planner knows.
///
/// # Errors
/// Its file does not tell one of them.
pub fn dims(weights: &WeightsInfo) -> Result<VaeDims, Sentence> {
    let (dim, z) = (weights.dim("dim")?, weights.dim("z_dim")?);
    Ok(if weights.family == "wan-vae-2.2" {
        VaeDims::wan22(dim, weights.dim("decoder_dim")?, z)
    } else {
        VaeDims::wan21(dim, z)
    })
}

/// Frames that a latent decodes to.
///
/// # Errors
/// `channels_do_not_fit`.
pub fn infer_decode(cx: &InferCx<'_>) -> Result<Vec<Info>, InferError> {
    let latent = cx.latent("samples")?;
    let vae = cx.weights("vae")?;
    let dims = dims(vae).map_err(unreadable("vae"))?;
    let z = dims.z as u32;
    if latent.channels != z {
        let other = match latent.channels {
            16 => say!(
                "; this latent needs the Wan 2.1 VAE (wan_2.1_vae.safetensors)",
                "この潜在表現には Wan 2.1 の VAE(wan_2.1_vae.safetensors)が必要です。"
            ),
            48 => say!(
                "; this latent needs the Wan 2.2 VAE (wan2.2_vae.safetensors)",
                "この潜在表現には Wan 2.2 の VAE(wan2.2_vae.safetensors)が必要です。"
            ),
            _ => Sentence::default(),
        };
        return Err(InferError::at(
            "channels_do_not_fit",
            "samples",
            say!(
                "expected {z} latent channels for {}, found {}{other}",
                "{} には {z} チャンネルの潜在表現が必要ですが、{} チャンネルです。{other}",
                vae.name,
                latent.channels;
                other
            ),
        ));
    }
    let frames = frames_of(latent.frames as usize) as u64 * u64::from(latent.batch);
    let spatial = dims.spatial() as u32;
    Ok(vec![Info::Clip(ClipInfo {
        frames,
        width: latent.width * spatial,
        height: latent.height * spatial,
        channels: 3,
        fps: None,
    })])
}

/// The latent that frames encode to. Sizes off the VAE's grid are cropped.
///
/// # Errors
/// `size_too_small`.
pub fn infer_encode(cx: &InferCx<'_>) -> Result<Vec<Info>, InferError> {
    let clip = cx.clip("pixels")?;
    let dims = dims(cx.weights("vae")?).map_err(unreadable("vae"))?;
    let spatial = dims.spatial() as u32;
    let (height, width) = (clip.height / spatial, clip.width / spatial);
    if clip.frames == 0 || height == 0 || width == 0 {
        let nearest = |n: u32| (n / spatial).max(1) * spatial;
        return Err(InferError::at(
            "size_too_small",
            "pixels",
            say!(
                "expected at least one frame of {spatial}×{spatial} pixels, found {} of {}×{}; the \
                 nearest size is {}×{}",
                "{spatial}×{spatial} ピクセル以上のフレームが 1 つ以上必要です(現在: {} フレーム、{}×{})。\
                 近いサイズは {}×{} です。",
                clip.frames,
                clip.width,
                clip.height,
                nearest(clip.width),
                nearest(clip.height)
            ),
        ));
    }
    Ok(vec![Info::Latent(LatentInfo {
        batch: 1,
        channels: dims.z as u32,
        frames: latent_frames_of(clip.frames as usize) as u32,
        height,
        width,
    })])
}

/// Side and overlap that a tiled node asks for, in pixels, as ComfyUI reads them (`nodes.py`,
/// `VAEDecodeTiled`): an overlap above a quarter of the tile becomes a quarter. One that would show
/// is widened, up to half of the tile; 0 stays a hard cut.
///
/// # Errors
/// Not numbers known before the run.
pub fn asked(cx: &CostCx<'_>) -> Result<(usize, usize), InferError> {
    let size = |name| cx.int(name).map(|n| n.max(0) as usize);
    let (tile, overlap) = (size("tile_size")?.max(64) / 8 * 8, size("overlap")?);
    let dims = dims(cx.weights("vae")?).map_err(unreadable("vae"))?;
    let spatial = dims.spatial();
    let overlap = match overlap.min(tile / 4) {
        0 => 0,
        some => some.max(HIDES_SEAMS * spatial).min(tile / 2),
    };
    Ok((tile, overlap / 8 * 8))
}

/// Ways to decode: whole frames where `first` is `None`, then tiles, `first` before the others.
pub fn decode_rungs(cx: &CostCx<'_>, first: Option<(usize, usize)>) -> Vec<Rung> {
    let (Ok(vae), Ok(latent)) = (cx.weights("vae"), cx.latent("samples")) else {
        return one_way(Cost::default());
    };
    let Ok(dims) = dims(vae) else {
        return one_way(Cost::default());
    };
    let size = [latent.height, latent.width].map(|n| n as usize * dims.spatial());
    let [height, width] = size;
    let (value, scratch) = (cx.machine.weight_bytes, scratch(cx, &dims));
    let frames = latent.frames as usize;
    let whole = Cost {
        flops: dims.decode_flops(frames, height, width) as f64 * f64::from(latent.batch),
        device_bytes: dims.decode_workspace_bytes(height, width, None, value) + scratch,
        // A chunk of four frames on its way: floats from the device, 16 bits for the spool; in
        // tiles, before that, the floats of the scratch file.
        host_bytes: 4 * (height * width * 3 * 6) as u64,
        ..Cost::default()
    };
    let tiled = |tiling| Cost {
        device_bytes: dims.decode_by_tile_device_bytes(height, width, tiling, value) + scratch,
        ..whole
    };
    rungs(&dims, size, first, whole, tiled)
}

/// Ways to encode `pixels`; see [`decode_rungs`].
pub fn encode_rungs(cx: &CostCx<'_>, first: Option<(usize, usize)>) -> Vec<Rung> {
    match cx.clip("pixels") {
        Ok(clip) => clip_rungs(cx, &[clip], first),
        Err(_) => one_way(Cost::default()),
    }
}

/// Ways to encode clips one after the other, all in the same tiles; see [`decode_rungs`].
pub fn clip_rungs(cx: &CostCx<'_>, clips: &[ClipInfo], first: Option<(usize, usize)>) -> Vec<Rung> {
    let Ok(vae) = cx.weights("vae") else {
        return one_way(Cost::default());
    };
    let Ok(dims) = dims(vae) else {
        return one_way(Cost::default());
    };
    let spatial = dims.spatial();
    let sizes: Vec<(usize, [usize; 2])> = clips
        .iter()
        .map(|it| {
            let size = [it.height, it.width].map(|n| n as usize / spatial * spatial);
            (it.frames as usize, size)
        })
        .collect();
    // Tiles are those of the largest picture; they cost what it does.
    let Some(&(_, largest)) = sizes.iter().max_by_key(|(_, [h, w])| h * w) else {
        return one_way(Cost::default());
    };
    let [height, width] = largest;
    let (value, scratch) = (cx.machine.weight_bytes, scratch(cx, &dims));
    // Four frames as they are read, and as floats; on the device a portion and those that wait.
    let pixels = |h: usize, w: usize| (2 * 4 * h * w * 3) as u64;
    let flops = |&(frames, [h, w]): &(usize, [usize; 2])| dims.encode_flops(frames, h, w) as f64;
    let whole = Cost {
        flops: sizes.iter().map(flops).sum(),
        device_bytes: dims.encode_workspace_bytes(height, width, None, value)
            + pixels(height, width) * value
            + scratch,
        host_bytes: pixels(height, width) * 4,
        ..Cost::default()
    };
    let tiled = |tiling| {
        let [h, w] = dims.tile_pixels(height, width, tiling);
        Cost {
            device_bytes: dims.encode_by_tile_device_bytes(height, width, tiling, value)
                + pixels(h, w) * value
                + scratch,
            ..whole
        }
    };
    rungs(&dims, largest, first, whole, tiled)
}

/// Buffers of the convolutions on the CPU.
fn scratch(cx: &CostCx<'_>, dims: &VaeDims) -> u64 {
    match cx.machine.device {
        DeviceKind::Cpu => {
            dims.cpu_scratch_bytes(std::thread::available_parallelism().map_or(1, usize::from))
        }
        DeviceKind::Cuda | DeviceKind::Vulkan => 0,
    }
}

fn rungs(
    dims: &VaeDims,
    [height, width]: [usize; 2],
    first: Option<(usize, usize)>,
    whole: Cost,
    tiled: impl Fn(Tiling) -> Cost,
) -> Vec<Rung> {
    let mut rungs = Vec::new();
    if first.is_none() {
        rungs = one_way(whole);
    }
    let smaller = own_tiles(dims).into_iter().filter(|(side, _)| match first {
        Some((asked, _)) => *side < asked,
        None => true,
    });
    for (side, overlap) in first.into_iter().chain(smaller) {
        let Ok(tiling) = Tiling::new(side, overlap) else {
            continue;
        };
        let tiles = dims.tile_count(height, width, tiling);
        if tiles == 1 && first != Some((side, overlap)) {
            continue;
        }
        let [h, w] = dims.tile_pixels(height, width, tiling);
        // Overlaps are worked on twice.
        let share = (tiles * h * w) as f64 / (height * width).max(1) as f64;
        let cost = tiled(tiling);
        rungs.push(Rung {
            name: format!("tiled {side}"),
            settings: [("tile".to_owned(), json!([side, overlap]))].into(),
            cost: Cost {
                flops: whole.flops * share,
                ..cost
            },
            streams: Vec::new(),
        });
    }
    rungs
}

/// The tiling of the way chosen, if it is one in tiles.
fn tiling(cx: &RunCx<'_>) -> Result<Option<Tiling>, RunError> {
    let Some(json) = cx.setting("tile") else {
        return Ok(None);
    };
    let at = |i: usize| usize::try_from(json.get(i)?.as_u64()?).ok();
    let (Some(tile), Some(overlap)) = (at(0), at(1)) else {
        let found = describe(json);
        return Err(RunError::failed(say!(
            "the plan's setting `tile`: expected side and overlap in pixels, found {found}; make the plan \
             anew",
            "プランの設定「tile」には辺と重なりのピクセル数が必要です(現在: {found})。プランを作り直してください";
            found
        )));
    };
    Tiling::new(tile, overlap).map(Some).or_fail()
}

/// Decodes `samples` into a spool, chunk by chunk.
///
/// # Errors
/// Shapes that do not fit, disk full, cancelled.
pub fn decode(cx: &mut RunCx<'_>) -> Result<Vec<Value>, RunError> {
    let vae = cx.model::<WanVae>("vae")?;
    let latent = cx.latent("samples")?;
    let device = crate::model::device::handle(&cx.env.device)?.clone();
    let tiling = tiling(cx)?;
    let Some(Info::Clip(info)) = cx.output_info(0).cloned() else {
        return Err(unplanned(&say!("the frames' size", "フレームのサイズ")));
    };
    let mut spool = Spool::create(&cx.env.scratch, info)?;
    let mut done = 0;
    for sample in samples(&latent) {
        let tensor = Tensor::<1>::from_floats(sample, &device).reshape(shape(&latent));
        let mut decoder = match tiling {
            Some(tiling) => Decoder::tile_by_tile(&vae, tensor, tiling, &cx.env.scratch),
            None => vae.decode(tensor),
        }
        .or_fail()?;
        while let Some(step) = decoder.step().or_fail()? {
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
            cx.progress_with(done, info.frames, "frame", preview.map(Preview::Frame))?;
        }
    }
    Ok(vec![Value::Clip(spool.finish()?)])
}

/// The samples of a batch.
fn samples(latent: &Latent) -> impl Iterator<Item = &[f32]> {
    let one = latent.data.len() / latent.info.batch.max(1) as usize;
    latent.data.chunks(one.max(1))
}

/// Shape of one sample.
fn shape(latent: &Latent) -> [usize; 5] {
    let it = latent.info;
    let [c, f, h, w] = [it.channels, it.frames, it.height, it.width].map(|n| n as usize);
    [1, c, f, h, w]
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
        .map_err(|e| off_device(&say!("decoded frames", "デコードしたフレーム"), &e))?;
    let frame = |it: &[f32]| {
        let pixels = Pixels::F32(it.to_vec());
        Frame::new(width as u32, height as u32, channels as u8, pixels)
    };
    Ok(data.chunks(height * width * channels).map(frame).collect())
}

/// Encodes `pixels` in portions: whole frames, or the film once per tile.
///
/// # Errors
/// Frames that cannot be read, cancelled.
pub fn encode(cx: &mut RunCx<'_>) -> Result<Vec<Value>, RunError> {
    let clip = cx.clip("pixels")?;
    let Some(Info::Latent(info)) = cx.output_info(0).cloned() else {
        return Err(unplanned(&say!("this latent's size", "潜在表現のサイズ")));
    };
    let mut meter = Meter::new(frames_of(info.frames as usize) as u64);
    let data = encode_clip(cx, &clip, &mut meter)?;
    Ok(vec![Value::Latent(Latent::new(info, data))])
}

/// How far a step is that encodes one or several clips, in frames.
pub struct Meter {
    done: u64,
    total: u64,
}

impl Meter {
    /// A meter for that many frames.
    pub fn new(total: u64) -> Self {
        Self { done: 0, total }
    }

    fn tell(&self, cx: &mut RunCx<'_>, more: u64) -> Result<(), RunError> {
        let done = self.done + more;
        cx.progress(done, self.total.max(done), "frame")
    }
}

/// Encodes a clip with the VAE at input `vae`, a few frames at a time, whole or in the tiles of the way
/// chosen: the raw latent `[z, F, h, w]`, `F = (frames - 1) / 4 + 1`. Frames beyond 4k + 1 and pixels
/// off the VAE's grid are left out.
///
/// # Errors
/// Frames that cannot be read, cancelled.
pub fn encode_clip(
    cx: &mut RunCx<'_>,
    clip: &Clip,
    meter: &mut Meter,
) -> Result<Vec<f32>, RunError> {
    let vae = cx.model::<WanVae>("vae")?;
    let device = crate::model::device::handle(&cx.env.device)?.clone();
    let spatial = vae.dims().spatial();
    let info = clip.info();
    let size = [info.height, info.width].map(|n| n as usize / spatial * spatial);
    let used = frames_of(latent_frames_of(info.frames as usize)) as u64;
    let data = if let Some(tiling) = tiling(cx)? {
        let mut encoder = TileEncoder::new(&vae, used as usize, size, tiling).or_fail()?;
        let (tiles, mut before) = (encoder.tiles() as u64, 0);
        while let Some([rows, columns]) = encoder.tile() {
            let place = [rows.start, columns.start, rows.len(), columns.len()];
            for at in (0..used).step_by(4) {
                let end = (at + 4).min(used);
                let frames = portion(clip, at..end, size, place, &device)?;
                encoder.push_frames(frames).or_fail()?;
                meter.tell(cx, (before + end) / tiles)?;
            }
            encoder.finish_tile().or_fail()?;
            before += used;
        }
        encoder.finish().or_fail()?.0
    } else {
        let mut encoder = vae.encode().or_fail()?;
        for at in (0..used).step_by(4) {
            let end = (at + 4).min(used);
            let place = [0, 0, size[0], size[1]];
            let frames = portion(clip, at..end, size, place, &device)?;
            encoder.push_frames(frames).or_fail()?;
            meter.tell(cx, end)?;
        }
        let latent = encoder.finish().or_fail()?;
        let values = latent.into_data().convert::<f32>().into_vec();
        values.map_err(|e| off_device(&say!("the latent", "潜在表現"), &e))?
    };
    meter.done += used;
    Ok(data)
}

/// Frames `[n, rows, columns, 3]` of a part of the picture: `place` is top, left, height and width
/// within the centre of `size` (ComfyUI `comfy/sd.py`, `vae_encode_crop_pixels`).
fn portion(
    clip: &Clip,
    range: std::ops::Range<u64>,
    [height, width]: [usize; 2],
    [top, left, rows, columns]: [usize; 4],
    device: &longtake_models::Device,
) -> Result<Tensor<4>, RunError> {
    let mut values = Vec::new();
    let frames = clip.read(range)?;
    for frame in &frames {
        let frame = frame.to_rgb();
        let top = top + (frame.height as usize - height) / 2;
        let left = left + (frame.width as usize - width) / 2;
        let (pixels, row) = (frame.to_f32(), frame.row_len());
        for y in top..top + rows {
            let start = y * row + left * 3;
            values.extend_from_slice(&pixels[start..start + columns * 3]);
        }
    }
    let shape = [frames.len(), rows, columns, 3];
    Ok(Tensor::<1>::from_floats(values.as_slice(), device).reshape(shape))
}

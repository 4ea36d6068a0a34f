//! Predicted and measured memory of a VAE decode at the real width, random weights, on the CPU.
//!
//! ```text
//! vae_memory                                  predictions for 81 frames, all ways
//! vae_memory 2.1 480 832 2                    whole frames: the first two chunks
//! vae_memory 2.1 480 832 3 256 96             tile after tile: three chunks of the first tile
//! vae_memory 2.1/8 480 832 4                  with 8 channels at full resolution instead of 96
//! ```
//!
//! Memory goes with channels times area, time with channels squared: a narrow model shows the bytes of
//! large frames in seconds, a small frame those of the real width.
//!
//! Measured is the resident set at its highest in each chunk, above what it was with the weights
//! loaded. After the second chunk all histories are full, and chunks are alike.

use std::io::Write;
use std::path::Path;
use std::time::Instant;

use burn::backend::flex::FlexDevice;
use longtake_models::wan::vae::{DecodeStep, Decoder, Parts, Tiling, VaeDims, WanVae};
use longtake_models::weights::Checkpoint;
use longtake_models::{Device, Tensor};

type Failed = Box<dyn std::error::Error>;

const GIB: f64 = (1_u64 << 30) as f64;
/// What 81 frames are in latent frames.
const LATENT_FRAMES: usize = 21;

fn main() -> Result<(), Failed> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let Some((version, numbers)) = args.split_first() else {
        for version in ["2.1", "2.2"] {
            predict(version)?;
        }
        return Ok(());
    };
    let numbers: Result<Vec<usize>, _> = numbers.iter().map(|it| it.parse()).collect();
    match numbers?[..] {
        [height, width, chunks] => measure(version, [height, width], chunks, None),
        [height, width, chunks, tile, overlap] => {
            let tiling = Tiling::new(tile, overlap)?;
            measure(version, [height, width], chunks, Some(tiling))
        }
        _ => Err("usage: vae_memory [2.1|2.2 HEIGHT WIDTH CHUNKS [TILE OVERLAP]]".into()),
    }
}

/// `2.1`, `2.2`, or with another width, `2.1/8`.
fn dims(version: &str) -> Result<VaeDims, Failed> {
    let (version, width) = match version.split_once('/') {
        Some((version, width)) => (version, Some(width.parse::<usize>()?)),
        None => (version, None),
    };
    match (version, width) {
        ("2.1", width) => Ok(VaeDims::wan21(width.unwrap_or(96), 16)),
        ("2.2", None) => Ok(VaeDims::wan22(160, 256, 48)),
        ("2.2", Some(width)) => Ok(VaeDims::wan22(width, width, 48)),
        _ => Err(format!("version {version}: expected 2.1 or 2.2").into()),
    }
}

/// The planner's overlap, which hides seams.
fn tilings(dims: &VaeDims) -> Result<[Tiling; 2], Failed> {
    let overlap = 12 * dims.spatial();
    let small = Tiling::new((2 * overlap).max(256), overlap)?;
    Ok([Tiling::new(512, overlap)?, small])
}

fn predict(version: &str) -> Result<(), Failed> {
    let dims = dims(version)?;
    let gib = |bytes: u64| bytes as f64 / GIB;
    println!("VAE {version}, 81 frames, GiB beyond weights: f32, bf16; tiles; scratch file; TFLOP");
    for [height, width] in [[480, 832], [720, 1280]] {
        // Wan 2.2 has 704 rows where others have 720.
        let height = height / dims.spatial() * dims.spatial();
        let flops = dims.decode_flops(LATENT_FRAMES, height, width) as f64 / 1e12;
        let [f32, bf16] =
            [4, 2].map(|bytes| gib(dims.decode_workspace_bytes(height, width, None, bytes)));
        println!("{width}x{height} whole      {f32:6.2} {bf16:6.2}   1  0.00 {flops:7.1}");
        for tiling in tilings(&dims)? {
            let [f32, bf16] = [4, 2]
                .map(|bytes| gib(dims.decode_by_tile_device_bytes(height, width, tiling, bytes)));
            let tiles = dims.tile_count(height, width, tiling);
            let [h, w] = dims.tile_pixels(height, width, tiling);
            let file = gib(dims.decode_by_tile_scratch_bytes(LATENT_FRAMES, height, width));
            let flops = tiles as f64 * dims.decode_flops(LATENT_FRAMES, h, w) as f64 / 1e12;
            println!(
                "{width}x{height} {w:4}x{h:<4}  {f32:6.2} {bf16:6.2} {tiles:3}  {file:.2} {flops:7.1}"
            );
        }
    }
    Ok(())
}

fn measure(
    version: &str,
    [height, width]: [usize; 2],
    chunks: usize,
    tiling: Option<Tiling>,
) -> Result<(), Failed> {
    let dims = dims(version)?;
    let device = Device::Flex(FlexDevice);
    let folder = tempfile::tempdir()?;
    let vae = random_vae(&dims, folder.path(), &device)?;
    let spatial = dims.spatial();
    let shape = [1, dims.z, chunks, height / spatial, width / spatial];
    let latent = Tensor::<5>::ones(shape, &device);
    let scratch = dims.cpu_scratch_bytes(rayon::current_num_threads());
    let (mut decoder, predicted) = match tiling {
        None => (
            Decoder::new(&vae, latent, None)?,
            dims.decode_workspace_bytes(height, width, None, 4),
        ),
        Some(tiling) => (
            Decoder::tile_by_tile(&vae, latent, tiling, folder.path())?,
            dims.decode_by_tile_device_bytes(height, width, tiling, 4),
        ),
    };
    let predicted = (predicted + scratch) as f64 / GIB;
    println!("VAE {version}, {width}x{height}: predicted {predicted:.3} GiB");
    let before = status("VmRSS:")?;
    for chunk in 0..chunks {
        std::fs::write("/proc/self/clear_refs", "5")?;
        let start = Instant::now();
        let step = decoder.step()?.ok_or("no chunk left")?;
        let seconds = start.elapsed().as_secs_f64();
        if let DecodeStep::Chunk(frames) = step {
            drop(frames);
        }
        let peak = status("VmHWM:")?.saturating_sub(before) as f64 / GIB;
        let ratio = peak / predicted;
        println!("chunk {chunk}: peak {peak:.3} GiB, {ratio:.3} of predicted, {seconds:.1} s");
    }
    Ok(())
}

/// Bytes of a line of this process's status.
fn status(name: &str) -> Result<u64, Failed> {
    let text = std::fs::read_to_string("/proc/self/status")?;
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    let kib = line.and_then(|line| line.split_whitespace().next());
    Ok(kib
        .ok_or("no such line in /proc/self/status")?
        .parse::<u64>()?
        * 1024)
}

/// Small random weights, bf16 in the file.
fn random_vae(dims: &VaeDims, folder: &Path, device: &Device) -> Result<WanVae, Failed> {
    let path = folder.join("vae.safetensors");
    let mut header = serde_json::Map::new();
    let mut end = 0_usize;
    for (name, shape) in dims.tensors(Parts::Both) {
        let start = end;
        end += 2 * shape.iter().product::<usize>();
        let entry =
            serde_json::json!({"dtype": "BF16", "shape": shape, "data_offsets": [start, end]});
        header.insert(name, entry);
    }
    let header = serde_json::to_vec(&header)?;
    let mut file = std::io::BufWriter::new(std::fs::File::create(&path)?);
    file.write_all(&(header.len() as u64).to_le_bytes())?;
    file.write_all(&header)?;
    let mut state = 1_u32;
    for _ in 0..end / 2 {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let value = half::bf16::from_f32((state >> 8) as f32 / 1e9 - 0.008);
        file.write_all(&value.to_le_bytes())?;
    }
    file.flush()?;
    drop(file);
    let checkpoint = Checkpoint::open(&path)?;
    let vae = WanVae::load(&checkpoint, Parts::Decoder, device, |_, _| {})?;
    drop(checkpoint);
    std::fs::remove_file(&path)?;
    Ok(vae)
}

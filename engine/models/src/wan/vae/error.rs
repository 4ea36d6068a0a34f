//! What can be wrong with a VAE file, a latent or a clip: what was expected, what came, what to do.

use std::path::PathBuf;

use longtake_sentence::{Sentence, say};

use super::structure::{GRID, TEMPORAL};
use crate::weights::WeightsError;

#[derive(Debug, thiserror::Error)]
#[error("{}", self.sentence())]
pub enum VaeError {
    #[error(transparent)]
    Weights(#[from] WeightsError),
    NotAVae {
        missing: String,
    },
    /// A weight without output and input channels.
    Rank {
        name: String,
        found: Vec<usize>,
    },
    /// A layer that takes another number of channels than the one before it gives.
    Chain {
        name: String,
        expected: usize,
        found: usize,
    },
    /// Another grid than Wan's.
    Grid {
        space: usize,
        time: usize,
    },
    PartNotLoaded {
        part: &'static str,
    },
    LatentShape {
        z: usize,
        spatial: usize,
        found: [usize; 5],
    },
    FrameShape {
        channels: usize,
        spatial: usize,
        found: [usize; 5],
    },
    FrameSizeChanged {
        height: usize,
        width: usize,
        found_height: usize,
        found_width: usize,
    },
    NoFrames,
    Tile {
        tile_px: usize,
        overlap_px: usize,
    },
    /// The file that frames wait in cannot be written or read.
    Scratch {
        folder: PathBuf,
        source: std::io::Error,
    },
    Order(TileOrder),
}

/// What a caller of the tiled encoder got wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TileOrder {
    FramesAfterLast,
    NoTileLeft,
    OtherFrames,
    TilesMissing,
}

impl VaeError {
    /// The message in both languages.
    pub fn sentence(&self) -> Sentence {
        match self {
            Self::Weights(error) => error.sentence(),
            Self::NotAVae { missing } => say!(
                "not a Wan VAE: tensor `{missing}` is missing; expected wan_2.1_vae.safetensors, \
                 wan2.2_vae.safetensors or the `vae` folder of a diffusers model",
                "Wan の VAE ではありません: テンソル「{missing}」がありません。wan_2.1_vae.safetensors、\
                 wan2.2_vae.safetensors、または diffusers のモデルの「vae」フォルダーが必要です"
            ),
            Self::Rank { name, found } => say!(
                "VAE tensor `{name}`: expected [out, in, ..] channels, found shape {found:?}",
                "VAE のテンソル「{name}」のチャンネルは [out, in, ..] でなければなりませんが、形状は {found:?} でした"
            ),
            Self::Chain {
                name,
                expected,
                found,
            } => say!(
                "VAE layer `{name}`: expected {expected} channels from its neighbour, found {found}",
                "VAE の層「{name}」は隣の層から {expected} チャンネルを受け取るはずですが、{found} チャンネルでした"
            ),
            Self::Grid { space, time } => say!(
                "VAE grid: this file scales {space}x in space and {time}x in time; \
                 the layers of Wan's have {GRID}x and {TEMPORAL}x",
                "VAE の倍率: このファイルは空間が {space} 倍、時間が {time} 倍ですが、\
                 Wan の層は {GRID} 倍と {TEMPORAL} 倍です"
            ),
            Self::PartNotLoaded { part } => say!(
                "the VAE was loaded without its {part}: load it with `Parts::Both` or `Parts::{part}`",
                "VAE の {part} が読み込まれていません。「Parts::Both」か「Parts::{part}」で読み込んでください"
            ),
            Self::Tile {
                tile_px,
                overlap_px,
            } => say!(
                "VAE tile: {tile_px} px with {overlap_px} px overlap; both must be multiples of {GRID}, \
                 the tile at least {GRID} px and the overlap at most half of it",
                "VAE のタイル: {tile_px} px、重なり {overlap_px} px。どちらも {GRID} の倍数で、\
                 タイルは {GRID} px 以上、重なりはその半分以下でなければなりません"
            ),
            Self::Scratch { folder, source } => {
                let folder = folder.display();
                say!(
                    "frames of tiles in {folder}: {source}; is the disk full?",
                    "タイルのフレームを {folder} に置けません: {source}。ディスクの空きを確かめてください"
                )
            }
            Self::Order(order) => {
                let order = order.sentence();
                say!("tiles: {order}", "タイル: {order}"; order)
            }
            Self::LatentShape { z, spatial, found } => say!(
                "latent: expected [1, {z}, frames, height/{spatial}, width/{spatial}] with no axis empty, \
                 found {found:?}",
                "潜在表現はどの軸も空でない [1, {z}, frames, height/{spatial}, width/{spatial}] でなければなりませんが、\
                 {found:?} でした"
            ),
            Self::FrameShape {
                channels,
                spatial,
                found,
            } => frame_shape(*channels, *spatial, *found),
            Self::FrameSizeChanged {
                height,
                width,
                found_height,
                found_width,
            } => say!(
                "frames: expected {height}x{width} (height x width) as before, found {found_height}x{found_width}",
                "フレームは前と同じ {height}x{width}（高さ x 幅）でなければなりませんが、{found_height}x{found_width} でした"
            ),
            Self::NoFrames => say!(
                "encode: no frame was given; at least one is needed",
                "エンコード: フレームがありません。少なくとも一つ必要です"
            ),
        }
    }
}

fn frame_shape(channels: usize, spatial: usize, found: [usize; 5]) -> Sentence {
    let (height, width) = (nearest(found[3], spatial), nearest(found[4], spatial));
    say!(
        "frames: expected [1, {channels}, frames, height, width], height and width multiples of \
         {spatial} and no axis empty, found {found:?}; scale or crop them first, the nearest size \
         (height x width) is {height}x{width}",
        "フレームは、高さと幅が {spatial} の倍数でどの軸も空でない [1, {channels}, frames, height, width] \
         でなければなりませんが、{found:?} でした。先に拡大縮小するか切り抜いてください。最も近い大きさ\
         （高さ x 幅）は {height}x{width} です"
    )
}

impl TileOrder {
    fn sentence(self) -> Sentence {
        match self {
            Self::FramesAfterLast => say!(
                "frames came after the last tile",
                "最後のタイルの後にフレームが来ました"
            ),
            Self::NoTileLeft => say!(
                "there is no tile left to finish",
                "終えるタイルが残っていません"
            ),
            Self::OtherFrames => say!(
                "every tile needs the same frames",
                "どのタイルにも同じフレームが必要です"
            ),
            Self::TilesMissing => say!(
                "not all tiles were encoded",
                "エンコードされていないタイルがあります"
            ),
        }
    }
}

/// The multiple of `step` next to `n`, at least one.
fn nearest(n: usize, step: usize) -> usize {
    ((n + step / 2) / step).max(1) * step
}

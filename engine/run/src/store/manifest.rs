//! What stands in a manifest: the values of an entry, and the files that hold them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use longtake_plan::{ClipInfo, ExtrasInfo, Fps, Info, LatentInfo};
use serde::{Deserialize, Serialize};

use crate::frames_file::open_kept;
use crate::tensor_file::{read_conditioning, read_latent};
use crate::{RunError, Segment, Value};

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Manifest {
    pub longtake_store: u32,
    pub class: String,
    pub node: String,
    pub values: Vec<Kept>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Kept {
    Latent {
        file: String,
        shape: [u32; 5],
    },
    Conditioning {
        file: String,
        tokens: u32,
        dim: u32,
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        arrays: BTreeMap<String, Vec<u32>>,
    },
    Clip {
        file: String,
        info: Sizes,
    },
    Segment {
        file: String,
        info: Sizes,
    },
    Files(Vec<Written>),
    Json(serde_json::Value),
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Sizes {
    frames: u64,
    width: u32,
    height: u32,
    channels: u8,
    fps: Option<[u32; 2]>,
}

/// A file given to the person, as it was when written.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Written {
    pub path: PathBuf,
    bytes: u64,
    /// Nanoseconds since 1970.
    modified: u64,
}

impl From<ClipInfo> for Sizes {
    fn from(it: ClipInfo) -> Self {
        let fps = it.fps.map(|fps| [fps.num, fps.den]);
        Self {
            frames: it.frames,
            width: it.width,
            height: it.height,
            channels: it.channels,
            fps,
        }
    }
}

impl From<Sizes> for ClipInfo {
    fn from(it: Sizes) -> Self {
        let fps = it.fps.map(|[num, den]| Fps { num, den });
        Self {
            frames: it.frames,
            width: it.width,
            height: it.height,
            channels: it.channels,
            fps,
        }
    }
}

/// Written into every manifest; another number is another layout.
pub(super) const VERSION: u32 = 1;

impl Manifest {
    /// Reads a manifest's text; `None` when it is damaged or of another layout.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let manifest: Self = serde_json::from_slice(text).ok()?;
        (manifest.longtake_store == VERSION).then_some(manifest)
    }

    /// Whether that is the manifest of a program with another layout.
    pub fn is_foreign(text: &[u8]) -> bool {
        let json: Option<serde_json::Value> = serde_json::from_slice(text).ok();
        let version = json.and_then(|it| it.get("longtake_store")?.as_u64());
        version.is_some_and(|it| it != u64::from(VERSION))
    }

    /// Data files, as named from the entry's shelf.
    pub fn files(&self) -> impl Iterator<Item = &str> {
        self.values.iter().filter_map(Kept::file)
    }
}

impl Kept {
    /// The data file, if the value has one.
    pub fn file(&self) -> Option<&str> {
        match self {
            Self::Latent { file, .. }
            | Self::Conditioning { file, .. }
            | Self::Clip { file, .. }
            | Self::Segment { file, .. } => Some(file),
            Self::Files(_) | Self::Json(_) => None,
        }
    }

    /// As [`Kept::file`], to be changed.
    pub fn file_mut(&mut self) -> Option<&mut String> {
        match self {
            Self::Latent { file, .. }
            | Self::Conditioning { file, .. }
            | Self::Clip { file, .. }
            | Self::Segment { file, .. } => Some(file),
            Self::Files(_) | Self::Json(_) => None,
        }
    }

    /// Sizes of the value, where a plan may know them.
    pub fn info(&self) -> Option<Info> {
        match self {
            Self::Latent {
                shape: [batch, channels, frames, height, width],
                ..
            } => Some(Info::Latent(LatentInfo {
                batch: *batch,
                channels: *channels,
                frames: *frames,
                height: *height,
                width: *width,
            })),
            Self::Conditioning {
                tokens,
                dim,
                arrays,
                ..
            } => Some(Info::Conditioning {
                tokens: *tokens,
                dim: *dim,
                extras: Arc::new(ExtrasInfo {
                    arrays: arrays.clone(),
                    ..ExtrasInfo::default()
                }),
            }),
            Self::Clip { info, .. } => Some(Info::Clip((*info).into())),
            Self::Segment { info, .. } => Some(Info::Segment((*info).into())),
            Self::Files(_) | Self::Json(_) => None,
        }
    }
}

impl Written {
    pub fn of(path: &Path) -> Self {
        let path = path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
        let (bytes, modified) = facts(&path).unwrap_or_default();
        Self {
            path,
            bytes,
            modified,
        }
    }

    pub fn stands(&self) -> bool {
        facts(&self.path) == Some((self.bytes, self.modified))
    }
}

fn facts(path: &Path) -> Option<(u64, u64)> {
    let meta = fs::metadata(path).ok()?;
    let modified = meta
        .modified()
        .ok()?
        .duration_since(SystemTime::UNIX_EPOCH)
        .ok()?;
    Some((meta.len(), modified.as_nanos() as u64))
}

/// Reads a value; `shelf` is the folder its entry lies in.
pub(super) fn read_kept(shelf: &Path, kept: &Kept) -> Result<Value, RunError> {
    Ok(match kept {
        Kept::Latent { file, shape } => {
            let [batch, channels, frames, height, width] = *shape;
            let info = LatentInfo {
                batch,
                channels,
                frames,
                height,
                width,
            };
            Value::Latent(read_latent(&shelf.join(file), info)?)
        }
        Kept::Conditioning {
            file,
            tokens,
            dim,
            arrays,
        } => Value::Conditioning(read_conditioning(
            &shelf.join(file),
            [*tokens, *dim],
            arrays,
        )?),
        Kept::Clip { file, .. } => Value::Clip(open_kept(&shelf.join(file))?),
        Kept::Segment { file, info } => Value::Segment(Segment {
            path: shelf.join(file),
            info: (*info).into(),
        }),
        Kept::Files(files) => Value::Files(files.iter().map(|it| it.path.clone()).collect()),
        Kept::Json(json) => Value::Json(json.clone()),
    })
}

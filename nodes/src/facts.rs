//! The compiler's questions, answered from the disk: checkpoint headers, picture sizes, the store.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use longtake_graph::declare::FileKind;
use longtake_graph::{ModelFolder, Sentence, say};
use longtake_models::lora::{Lora, Survey};
use longtake_models::weights::{Family, Kept, Probe, probe};
use longtake_plan::facts::WeightsFacts;
use longtake_plan::{ClipInfo, FactError, Facts, Info, MediaFacts, Signature, Stored};
use longtake_run::seen::Seen;
use longtake_run::{PathError, Roots, Store, paths};

/// Answers from the folders of a run. Each file is looked at once.
pub struct DiskFacts {
    roots: Roots,
    store: Store,
    /// A film asked for by name (`-o`): an output elsewhere does not count as done.
    only_output: Option<PathBuf>,
    weights: Mutex<BTreeMap<(ModelFolder, String), Answer<WeightsFacts>>>,
    media: Mutex<BTreeMap<String, Answer<MediaFacts>>>,
    looked: Arc<Looked>,
}

/// What pictures, videos and latents were found to be, kept from one compilation to the next: a video
/// is hashed whole, which takes seconds. A file that was touched since is looked at anew.
pub type Looked = Seen<FileKind, MediaFacts>;

type Answer<T> = Result<Arc<T>, FactError>;

impl DiskFacts {
    /// Answers about these folders.
    pub fn new(roots: Roots, store: Store, only_output: Option<PathBuf>) -> Self {
        Self {
            roots,
            store,
            only_output,
            weights: Mutex::default(),
            media: Mutex::default(),
            looked: Arc::default(),
        }
    }

    /// Knows what others found, and tells them what it finds.
    #[must_use]
    pub fn sharing(self, looked: Arc<Looked>) -> Self {
        Self { looked, ..self }
    }
}

fn remembered<K: Ord + Clone, T>(
    cache: &Mutex<BTreeMap<K, Answer<T>>>,
    key: K,
    ask: impl FnOnce() -> Result<T, FactError>,
) -> Answer<T> {
    if let Some(known) = cache
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .get(&key)
    {
        return known.clone();
    }
    let answer = ask().map(Arc::new);
    cache
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .insert(key, answer.clone());
    answer
}

impl Facts for DiskFacts {
    fn weights(&self, folder: ModelFolder, name: &str) -> Answer<WeightsFacts> {
        remembered(&self.weights, (folder, name.to_owned()), || {
            let path = find_model(&self.roots.models, folder, name)?;
            let found = probe(&path).map_err(|e| FactError {
                code: "checkpoint_unreadable",
                message: e.sentence(),
            })?;
            weights_facts(path, &found)
        })
    }

    fn media(&self, what: FileKind, name: &str) -> Answer<MediaFacts> {
        remembered(&self.media, name.to_owned(), || {
            let path = paths::find(&self.roots.input, name).map_err(path_error)?;
            if what == FileKind::Keypoints {
                // May be a folder.
                return crate::pose::file::facts(path);
            }
            self.looked
                .or_look(what, &path, || media_facts(what, path.clone()))
        })
    }

    fn stored(&self, signature: &Signature) -> Option<Stored> {
        let output = &self.roots.output.canonicalize().ok();
        let accept = |path: &Path| match &self.only_output {
            Some(only) => only.canonicalize().is_ok_and(|only| only == path),
            None => output.as_ref().is_some_and(|root| path.starts_with(root)),
        };
        let has = self.store.has(signature, &accept);
        has.then(|| Stored {
            info: self.store.info(signature),
        })
    }
}

/// What a file is, with the hash of all that is in it.
fn media_facts(what: FileKind, path: PathBuf) -> Result<MediaFacts, FactError> {
    let unreadable = |e: std::io::Error| FactError {
        code: "file_unreadable",
        message: say!(
            "reading {}: {e}",
            "{} を読み込めません: {e}",
            path.display()
        ),
    };
    let info = match what {
        FileKind::Image => image_info(&path)?,
        FileKind::Video => crate::video::probe(&path)?,
        FileKind::Latent => crate::latent::file::probe(&path)?,
        FileKind::Keypoints => Info::Nothing,
    };
    let mut hasher = blake3::Hasher::new();
    let file = longtake_run::files::open_regular(&path).map_err(|error| FactError {
        code: "file_unreadable",
        message: error.message,
    })?;
    hasher.update_reader(file).map_err(unreadable)?;
    Ok(MediaFacts {
        path,
        hash: hasher.finalize().to_hex().to_string(),
        info,
    })
}

/// A path error as the compiler tells it.
pub fn path_error(error: PathError) -> FactError {
    let code = match error {
        PathError::Refused { .. } => "path_refused",
        PathError::Missing { .. } => "file_missing",
    };
    FactError {
        code,
        message: error.sentence(),
    }
}

/// A checkpoint under the models tree, in any of the folder's names.
///
/// # Errors
/// Refused, or in none of them; names the folders and near names.
pub fn find_model(models: &Path, folder: ModelFolder, name: &str) -> Result<PathBuf, FactError> {
    let mut missing = None;
    for sub in folder.names() {
        match paths::find(&models.join(sub), name) {
            Ok(path) => return Ok(path),
            Err(error @ PathError::Refused { .. }) => return Err(path_error(error)),
            Err(error) => {
                // Of several folders, the one that exists tells the more useful near names.
                if missing.is_none() || models.join(sub).is_dir() {
                    missing = Some(error);
                }
            }
        }
    }
    let what = missing.map_or_else(
        || say!("`{name}` is missing", "「{name}」がありません。"),
        |e| e.sentence(),
    );
    Err(FactError {
        code: "checkpoint_missing",
        message: say!(
            "the checkpoint {what} (put it there, or name another --models)",
            "チェックポイント{what}(そこに置くか、別の --models を指定してください)";
            what
        ),
    })
}

/// Size of a picture, upright; 4 channels when it can be transparent.
fn image_info(path: &Path) -> Result<Info, FactError> {
    let bad = |message: Sentence| FactError {
        code: "image_unreadable",
        message,
    };
    let header = crate::picture::load::header(path).map_err(|e| bad(e.message))?;
    let (width, height) = (header.width, header.height);
    if u64::from(width) * u64::from(height) > 1 << 28 {
        return Err(bad(say!(
            "{}: {width}×{height} is more than 268 million pixels",
            "{}: {width}×{height} は上限の 268 メガピクセルを超えています。",
            path.display()
        )));
    }
    Ok(Info::Clip(ClipInfo {
        frames: 1,
        width,
        height,
        channels: if header.alpha { 4 } else { 3 },
        fps: None,
    }))
}

/// What a LoRA is made for.
///
/// # Errors
/// Its tensors are no pairs of a LoRA.
fn lora_dims(path: &Path) -> Result<BTreeMap<String, u64>, FactError> {
    let lora = Lora::open(path).map_err(|error| FactError {
        code: "checkpoint_unreadable",
        message: error.sentence(),
    })?;
    Ok(Survey::of(&lora).to_dims())
}

/// What is kept of a checkpoint, as named numbers; [`crate::model::loading`] turns them into bytes.
fn kept_dims(kept: &Kept) -> BTreeMap<String, u64> {
    let (whole, block) = (kept.whole, kept.block);
    let pairs = [
        ("packed", u64::from(whole.packed > 0)),
        ("packed_bytes", whole.packed),
        ("packed_bytes_gpu", whole.packed_gpu),
        ("linear_elements", whole.linear),
        ("block_elements", block.dense),
        ("block_packed_bytes", block.packed),
        ("block_packed_bytes_gpu", block.packed_gpu),
        ("block_linear_elements", block.linear),
    ];
    pairs.map(|(name, n)| (name.to_owned(), n)).into()
}

/// What the planner needs of a probed checkpoint.
fn weights_facts(path: PathBuf, found: &Probe) -> Result<WeightsFacts, FactError> {
    let dims = |pairs: &[(&str, usize)]| -> BTreeMap<String, u64> {
        pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), *value as u64))
            .collect()
    };
    let (family, mut dims) = match &found.family {
        Some(Family::WanDit(it)) => (
            "wan-dit",
            dims(&[
                ("dim", it.d),
                ("ffn_dim", it.ffn),
                ("heads", it.heads),
                ("layers", it.layers),
                ("in_dim", it.in_dim),
                ("out_dim", it.out_dim),
                ("text_dim", it.text_dim),
                ("i2v", usize::from(it.i2v)),
                ("image_dim", it.image_dim),
                ("image_positions", it.image_positions),
                ("pose_dim", it.pose_dim),
                ("mask_dim", it.mask_dim),
            ]),
        ),
        Some(Family::WanVae21 {
            latent_channels,
            dim,
        }) => (
            "wan-vae-2.1",
            dims(&[("dim", *dim), ("z_dim", *latent_channels)]),
        ),
        Some(Family::WanVae22 {
            latent_channels,
            dim,
            decoder_dim,
        }) => (
            "wan-vae-2.2",
            dims(&[
                ("dim", *dim),
                ("decoder_dim", *decoder_dim),
                ("z_dim", *latent_channels),
            ]),
        ),
        Some(Family::Umt5(it)) => (
            "umt5",
            dims(&[
                ("vocab", it.vocab),
                ("dim", it.d),
                ("ffn_dim", it.d_ff),
                ("heads", it.heads),
                ("head_dim", it.d_kv),
                ("layers", it.layers),
                ("buckets", it.buckets),
            ]),
        ),
        Some(Family::T5) => ("t5", BTreeMap::new()),
        Some(Family::ClipVision(it)) => (
            "clip-vision",
            dims(&[
                ("dim", it.width),
                ("ffn_dim", it.mlp),
                ("heads", it.heads),
                ("layers", it.layers),
                ("patch", it.patch),
                ("tokens", it.tokens),
            ]),
        ),
        Some(Family::Uni3c(it)) => (
            "uni3c",
            dims(&[
                ("in_dim", it.in_dim),
                ("conv_dim", it.conv_dim),
                ("dim", it.dim),
                ("ffn_dim", it.ffn_dim),
                ("heads", it.heads),
                ("layers", it.layers),
                ("time_dim", it.time_dim),
                ("out_dim", it.out_dim),
                ("add_dim", it.add_dim),
                ("mid_dim", it.mid_dim),
            ]),
        ),
        Some(Family::Lora) => ("lora", lora_dims(&path)?),
        None => ("unknown", BTreeMap::new()),
    };
    let mut elements = found.tensor_bytes_f32 / 4;
    // Linear layers of these two stay packed where the file has them so; all others are widened.
    if let Some(Family::WanDit(_) | Family::Umt5(_)) = found.family {
        dims.extend(kept_dims(&found.kept));
        elements = found.kept.whole.dense;
    }
    Ok(WeightsFacts {
        path,
        fingerprint: found.fingerprint.to_hex().to_string(),
        file_bytes: found.bytes,
        elements,
        family: family.to_owned(),
        dims,
    })
}

//! Which files a path stands for: one safetensors file, or the shards of a diffusers folder.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::error::WeightsError;

/// Largest `config.json` or index read.
const MAX_JSON_BYTES: u64 = 64 << 20;

/// The files of one checkpoint.
pub(super) struct Parts {
    pub root: PathBuf,
    pub files: Vec<PathBuf>,
    /// Tensor → shard, if the folder has an index.
    pub index: Option<BTreeMap<String, String>>,
    pub config: Option<serde_json::Value>,
}

#[derive(Deserialize)]
struct Index {
    weight_map: BTreeMap<String, String>,
}

/// Looks at `path`; opens no weights.
pub(super) fn parts(path: &Path) -> Result<Parts, WeightsError> {
    if !path.is_dir() {
        return Ok(Parts {
            root: path.into(),
            files: vec![path.into()],
            index: None,
            config: None,
        });
    }
    let mut names = Vec::new();
    let io = |source| WeightsError::Io {
        file: path.into(),
        action: "list",
        source,
    };
    for item in std::fs::read_dir(path).map_err(io)? {
        names.push(item.map_err(io)?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    let config = if names.iter().any(|n| n == "config.json") {
        Some(read_json(&path.join("config.json"))?)
    } else {
        None
    };
    let indices: Vec<&String> = names
        .iter()
        .filter(|n| n.ends_with(".safetensors.index.json"))
        .collect();
    let weights: Vec<&String> = names
        .iter()
        .filter(|n| n.ends_with(".safetensors"))
        .collect();
    let (files, index) = match (indices.as_slice(), weights.as_slice()) {
        ([], [one]) => (vec![path.join(one)], None),
        ([one], _) => {
            let index: Index = read_json(&path.join(one))?;
            (shards(path, &index)?, Some(index.weight_map))
        }
        ([], []) => {
            return Err(folder(
                path,
                "a *.safetensors file",
                "none".into(),
                "point at the component's folder (transformer, vae, text_encoder)",
            ));
        }
        _ => {
            return Err(folder(
                path,
                "one checkpoint",
                format!("{} of them", weights.len().max(indices.len())),
                "name the file itself",
            ));
        }
    };
    Ok(Parts {
        root: path.into(),
        files,
        index,
        config,
    })
}

/// The shards an index names, each once. They must lie in the folder itself.
fn shards(root: &Path, index: &Index) -> Result<Vec<PathBuf>, WeightsError> {
    let mut names: Vec<&str> = index.weight_map.values().map(String::as_str).collect();
    names.sort_unstable();
    names.dedup();
    for name in &names {
        let plain = Path::new(name).file_name().is_some_and(|n| n == *name);
        if !plain || !name.ends_with(".safetensors") {
            return Err(folder(
                root,
                "shards in this folder",
                format!("`{}` in the index", name.escape_debug()),
                "fetch the model again",
            ));
        }
        if !root.join(name).is_file() {
            return Err(folder(
                root,
                &format!("the shard `{name}` that the index names"),
                "no such file".into(),
                "download the missing shard",
            ));
        }
    }
    if names.is_empty() {
        return Err(folder(
            root,
            "tensors in the index",
            "none".into(),
            "fetch the model again",
        ));
    }
    Ok(names.iter().map(|name| root.join(name)).collect())
}

/// Every tensor of the index must have turned up in a shard.
pub(super) fn check_index(parts: &Parts, has: impl Fn(&str) -> bool) -> Result<(), WeightsError> {
    let names = parts.index.iter().flat_map(BTreeMap::keys);
    match names.into_iter().find(|name| !has(name)) {
        None => Ok(()),
        Some(name) => Err(WeightsError::Missing {
            file: parts.root.clone(),
            tensor: name.clone(),
            near: " though the index names it".into(),
        }),
    }
}

pub(super) fn read_json<T: for<'de> Deserialize<'de>>(path: &Path) -> Result<T, WeightsError> {
    let (file, bytes) = super::header::open(path)?;
    let malformed = |byte, expected: &str, found| WeightsError::Malformed {
        file: path.into(),
        byte,
        expected: expected.into(),
        found,
        remedy: "fetch the model again",
    };
    if bytes > MAX_JSON_BYTES {
        return Err(malformed(
            0,
            "at most 64 MiB of JSON",
            format!("{bytes} bytes"),
        ));
    }
    serde_json::from_reader(std::io::BufReader::new(file))
        .map_err(|e| malformed(0, "JSON of a diffusers folder", e.to_string()))
}

fn folder(path: &Path, expected: &str, found: String, remedy: &'static str) -> WeightsError {
    WeightsError::Folder {
        folder: path.into(),
        expected: expected.into(),
        found,
        remedy,
    }
}

//! Which files a path stands for: one safetensors file, or the shards of a diffusers folder.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use longtake_sentence::{Sentence, say};
use serde::Deserialize;

use super::error::{Action, Clash, WeightsError};
use super::header::json_error;

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
        action: Action::List,
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
            let remedy = say!(
                "point at the component's folder (transformer, vae, text_encoder)",
                "部品のフォルダー（transformer、vae、text_encoder）を指定してください"
            );
            let expected = say!("a *.safetensors file", "*.safetensors ファイル");
            return Err(folder(path, expected, none(), remedy));
        }
        _ => {
            let count = weights.len().max(indices.len());
            return Err(folder(
                path,
                say!("one checkpoint", "一つのチェックポイント"),
                say!("{count} of them", "{count} 個"),
                say!("name the file itself", "ファイルそのものを指定してください"),
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
            let name = name.escape_debug();
            let expected = say!("shards in this folder", "このフォルダー内の分割ファイル");
            let found = say!("`{name}` in the index", "インデックスにあるのは「{name}」");
            return Err(folder(root, expected, found, fetch_again()));
        }
        if !root.join(name).is_file() {
            return Err(folder(
                root,
                say!(
                    "the shard `{name}` that the index names",
                    "インデックスにある分割ファイル「{name}」"
                ),
                say!("no such file", "そのファイルはない状態"),
                say!(
                    "download the missing shard",
                    "足りない分割ファイルをダウンロードしてください"
                ),
            ));
        }
    }
    if names.is_empty() {
        let expected = say!("tensors in the index", "インデックスにあるテンソル");
        return Err(folder(root, expected, none(), fetch_again()));
    }
    Ok(names.iter().map(|name| root.join(name)).collect())
}

/// Every tensor of the index must have turned up in a shard.
pub(super) fn check_index(parts: &Parts, has: impl Fn(&str) -> bool) -> Result<(), WeightsError> {
    let names = parts.index.iter().flat_map(BTreeMap::keys);
    match names.into_iter().find(|name| !has(name)) {
        None => Ok(()),
        Some(name) => Err(WeightsError::NotInShards {
            folder: parts.root.clone(),
            tensor: name.clone(),
        }),
    }
}

pub(super) fn read_json<T: for<'de> Deserialize<'de>>(path: &Path) -> Result<T, WeightsError> {
    let (file, bytes) = super::header::open(path)?;
    let malformed = |expected, found| WeightsError::Malformed {
        file: path.into(),
        byte: 0,
        clash: Box::new(Clash {
            expected,
            found,
            remedy: fetch_again(),
        }),
    };
    if bytes > MAX_JSON_BYTES {
        let expected = say!("at most 64 MiB of JSON", "64 MiB 以下の JSON");
        let found = say!("{bytes} bytes", "{bytes} バイト");
        return Err(malformed(expected, found));
    }
    serde_json::from_reader(std::io::BufReader::new(file)).map_err(|e| {
        let expected = say!(
            "JSON of a diffusers folder",
            "diffusers のフォルダーの JSON"
        );
        malformed(expected, json_error(&e))
    })
}

fn none() -> Sentence {
    say!("none", "何もない状態")
}

fn fetch_again() -> Sentence {
    say!("fetch the model again", "モデルをもう一度入手してください")
}

fn folder(path: &Path, expected: Sentence, found: Sentence, remedy: Sentence) -> WeightsError {
    WeightsError::Folder {
        folder: path.into(),
        clash: Box::new(Clash {
            expected,
            found,
            remedy,
        }),
    }
}

//! Keypoint files and folders on disk: one JSON, or a folder with one JSON per frame.

use std::fs;
use std::path::{Path, PathBuf};

use longtake_graph::{Sentence, say};
use longtake_plan::{ClipInfo, FactError, Info, MediaFacts};

use super::error::{PoseError, Spot};
use super::read::{self, RawFrame};
use crate::failure::outside;

/// Bytes of keypoints read at once; an hour of one body with hands and face takes less.
const LARGEST: u64 = 256 << 20;
/// Frames of a motion.
const MOST_FRAMES: usize = 200_000;

/// Keypoints as they lie on disk.
#[derive(Debug)]
pub struct Loaded {
    /// Every frame in order.
    pub frames: Vec<RawFrame>,
    /// Hash of the content (hex).
    pub hash: String,
}

/// Reads a JSON file, or a folder of OpenPose's `*_keypoints.json` (any `.json` when it has none such)
/// in the order of the last number in their names.
///
/// # Errors
/// Unreadable or malformed: file, frame and person are named.
pub fn load(path: &Path) -> Result<Loaded, PoseError> {
    let mut hasher = blake3::Hasher::new();
    let mut frames = Vec::new();
    let mut bytes = 0;
    let folder = path.is_dir();
    let files = if folder {
        listed(path)?
    } else {
        vec![path.to_path_buf()]
    };
    for file in files {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        let unreadable =
            |e: std::io::Error| PoseError::in_file(&file, outside("読み込めません", &e));
        bytes += fs::metadata(&file).map_err(unreadable)?.len();
        if bytes > LARGEST {
            let what = say!(
                "more than {} MiB of keypoints; cut the motion",
                "キーポイントが {} MiB を超えています。動きを短くしてください。",
                LARGEST >> 20
            );
            return Err(PoseError::in_file(path, what));
        }
        let text = fs::read(&file).map_err(unreadable)?;
        hasher
            .update(&(text.len() as u64).to_le_bytes())
            .update(&text);
        let read = read::frames(&name, &text)?;
        if folder && read.len() != 1 {
            let what = say!(
                "expected one frame per file of a folder, found {}",
                "フォルダー内の各ファイルは 1 フレームにしてください(現在: {})。",
                read.len()
            );
            return Err(PoseError::at(Spot::file(&name), what));
        }
        frames.extend(read);
        if frames.len() > MOST_FRAMES {
            let what = say!(
                "more than {MOST_FRAMES} frames; cut the motion",
                "{MOST_FRAMES} フレームを超えています。動きを短くしてください。"
            );
            return Err(PoseError::in_file(path, what));
        }
    }
    Ok(Loaded {
        frames,
        hash: hasher.finalize().to_hex().to_string(),
    })
}

fn listed(folder: &Path) -> Result<Vec<PathBuf>, PoseError> {
    let failed = |what: Sentence| PoseError::in_file(folder, what);
    let unreadable = |e: std::io::Error| failed(outside("読み込めません", &e));
    let entries = fs::read_dir(folder).map_err(unreadable)?;
    let entries: Vec<fs::DirEntry> = entries.collect::<Result<_, _>>().map_err(unreadable)?;
    let mut names: Vec<String> = entries
        .into_iter()
        .filter(|it| it.path().is_file())
        .map(|it| it.file_name().to_string_lossy().into_owned())
        .filter(|it| Path::new(it).extension().is_some_and(|it| it == "json"))
        .collect();
    if names.iter().any(|it| it.ends_with("_keypoints.json")) {
        names.retain(|it| it.ends_with("_keypoints.json"));
    }
    if names.is_empty() {
        return Err(failed(say!(
            "expected `*_keypoints.json`, found none",
            "`*_keypoints.json` がありません。"
        )));
    }
    names.sort_by_cached_key(|name| (last_number(name), name.clone()));
    Ok(names.iter().map(|it| folder.join(it)).collect())
}

/// The last run of digits in a name, as a number.
fn last_number(name: &str) -> u64 {
    let digits = name
        .rsplit(|c: char| !c.is_ascii_digit())
        .find(|it| !it.is_empty());
    digits.and_then(|it| it.parse().ok()).unwrap_or(u64::MAX)
}

/// What the compiler asks about keypoints: frames, canvas (0×0 when the file does not tell it), content.
///
/// # Errors
/// As [`load`].
pub fn facts(path: PathBuf) -> Result<MediaFacts, FactError> {
    let loaded = load(&path)?;
    let canvas = loaded.frames.iter().find_map(|it| it.canvas);
    let [width, height] = canvas.unwrap_or([0.0; 2]).map(|side| side.round() as u32);
    Ok(MediaFacts {
        path,
        hash: loaded.hash,
        info: Info::Clip(ClipInfo {
            frames: loaded.frames.len() as u64,
            width,
            height,
            channels: 3,
            fps: None,
        }),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(people: usize) -> String {
        format!("{{\"people\": [{}]}}", vec!["{}"; people].join(","))
    }

    #[test]
    fn folders_are_read_in_the_order_of_their_numbers() {
        let dir = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| fs::write(dir.path().join(name), text).unwrap();
        write("walk_2_keypoints.json", &frame(2));
        write("walk_10_keypoints.json", &frame(3));
        write("walk_1_keypoints.json", &frame(1));
        write("notes.json", "not keypoints");
        let people = |it: &Loaded| {
            it.frames
                .iter()
                .map(|it| it.people.len())
                .collect::<Vec<_>>()
        };
        let loaded = load(dir.path()).unwrap();
        assert_eq!(people(&loaded), [1, 2, 3]);
        write("walk_10_keypoints.json", &frame(0));
        let changed = load(dir.path()).unwrap();
        assert_ne!(changed.hash, loaded.hash);
        write("walk_2_keypoints.json", &format!("[{0},{0}]", frame(1)));
        let error = load(dir.path()).unwrap_err().to_string();
        assert_eq!(
            error,
            "walk_2_keypoints.json: expected one frame per file of a folder, found 2"
        );
    }

    #[test]
    fn what_is_not_there_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let error = load(dir.path()).unwrap_err().to_string();
        assert!(
            error.ends_with("expected `*_keypoints.json`, found none"),
            "{error}"
        );
        let error = load(&dir.path().join("a.json")).unwrap_err().to_string();
        assert!(error.contains("a.json"), "{error}");
        assert_eq!(last_number("a_12_b3_keypoints.json"), 3);
        assert_eq!(last_number("a.json"), u64::MAX);
    }

    #[test]
    fn facts_tell_frames_and_canvas() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.json");
        fs::write(
            &path,
            "[{\"people\": []}, {\"people\": [], \"canvas_width\": 512, \"canvas_height\": 896}]",
        )
        .unwrap();
        let Info::Clip(info) = facts(path).unwrap().info else {
            panic!("no clip")
        };
        assert_eq!((info.frames, info.width, info.height), (2, 512, 896));
    }
}

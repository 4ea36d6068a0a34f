//! What lies in the folders: checkpoints, inputs, presets. For `longtake models` and the window.

use std::path::Path;
#[cfg(feature = "studio")]
use std::path::PathBuf;

#[cfg(feature = "studio")]
use longtake_editor::files::system_error;
use longtake_graph::ModelFolder;
#[cfg(feature = "studio")]
use longtake_graph::declare::FileKind;
#[cfg(feature = "studio")]
use longtake_graph::{Sentence, say};
use longtake_run::paths;

/// Names of the checkpoints in a folder of the models tree, sorted.
pub fn model_names(models: &Path, folder: ModelFolder) -> Vec<String> {
    let mut names: Vec<String> = folder
        .names()
        .iter()
        .flat_map(|sub| checkpoints(&paths::list(&models.join(sub))))
        .collect();
    names.sort();
    names.dedup();
    names
}

/// Names of checkpoints among files: single files, and folders in diffusers' layout.
fn checkpoints(files: &[String]) -> Vec<String> {
    files
        .iter()
        .filter(|name| {
            let ending = Path::new(name).extension();
            ending.is_some_and(|it| it == "safetensors" || it == "gguf")
        })
        .map(|name| {
            let folder = name.rsplit_once('/').map(|(folder, _)| folder);
            let whole = folder.filter(|it| files.contains(&format!("{it}/config.json")));
            whole.map_or_else(|| name.clone(), str::to_owned)
        })
        .collect()
}

/// Names under the input folder that an input of that kind can take, sorted.
#[cfg(feature = "studio")]
pub fn input_files(input: &Path, kind: FileKind) -> Vec<String> {
    let endings = longtake_ui::widgets::file::extensions(kind);
    let fits = |name: &String| {
        let ending = Path::new(name)
            .extension()
            .map(|it| it.to_string_lossy().to_ascii_lowercase());
        ending.is_some_and(|it| endings.contains(&it.as_str()))
    };
    let mut names: Vec<String> = paths::list(input).into_iter().filter(fits).collect();
    names.sort();
    names
}

/// Brings a file into the input folder and gives its name there. The same bytes are not copied twice;
/// another file of that name gets a number, as ComfyUI's upload does.
///
/// # Errors
/// The file cannot be read, or the folder not be written, with what to do.
#[cfg(feature = "studio")]
pub fn import(input: &Path, path: &Path) -> Result<String, Sentence> {
    let inside = path.canonicalize().ok().zip(input.canonicalize().ok());
    if let Some((path, input)) = inside
        && let Ok(name) = path.strip_prefix(&input)
    {
        return Ok(name.to_string_lossy().replace('\\', "/"));
    }
    let failed = |what: &Path, e: std::io::Error| {
        let why = system_error(&e);
        say!(
            "{}: {why}; choose another file, or start with another --input",
            "{}: {why}。別のファイルを選ぶか、別の --input を指定して起動してください。",
            what.display();
            why
        )
    };
    if path.metadata().map_err(|e| failed(path, e))?.is_dir() {
        return Err(failed(path, std::io::ErrorKind::IsADirectory.into()));
    }
    std::fs::create_dir_all(input).map_err(|e| failed(input, e))?;
    let stem = path
        .file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let ending = path
        .extension()
        .map(|it| format!(".{}", it.to_string_lossy()))
        .unwrap_or_default();
    let names = std::iter::once(format!("{stem}{ending}"))
        .chain((1..).map(|n| format!("{stem} ({n}){ending}")));
    for name in names {
        let target = input.join(&name);
        match same(path, &target) {
            Ok(true) => return Ok(name),
            Ok(false) => {}
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
                let copied = longtake_graph::format::replace_with(&target, |file| {
                    std::io::copy(&mut std::fs::File::open(path)?, file).map(drop)
                });
                copied.map_err(|e| failed(&target, e))?;
                return Ok(name);
            }
            Err(e) => return Err(failed(&target, e)),
        }
    }
    Err(say!(
        "{}: no free name in {}",
        "{}: {} に空いている名前がありません",
        path.display(),
        input.display()
    ))
}

/// Whether two files hold the same bytes. Sizes first; never more than a piece in memory: a video may be
/// larger than that.
#[cfg(feature = "studio")]
fn same(a: &Path, b: &Path) -> std::io::Result<bool> {
    use std::io::{BufRead, BufReader};
    const PIECE: usize = 1 << 18;
    if b.metadata()?.len() != a.metadata()?.len() {
        return Ok(false);
    }
    let open = |path| std::fs::File::open(path).map(|it| BufReader::with_capacity(PIECE, it));
    let (mut a, mut b) = (open(a)?, open(b)?);
    loop {
        let (left, right) = (a.fill_buf()?, b.fill_buf()?);
        let count = left.len().min(right.len());
        if count == 0 {
            return Ok(left.is_empty() && right.is_empty());
        }
        if left[..count] != right[..count] {
            return Ok(false);
        }
        a.consume(count);
        b.consume(count);
    }
}

/// The folder of presets: `LONGTAKE_PRESETS`, else `presets` here, beside the program, or in the
/// source tree it was built from.
#[cfg(feature = "studio")]
pub fn presets_folder() -> Option<PathBuf> {
    let beside = std::env::current_exe().ok().and_then(|exe| {
        let folder = exe.parent()?.to_path_buf();
        Some([
            folder.join("presets"),
            folder.join("../share/longtake/presets"),
        ])
    });
    let named = std::env::var_os("LONGTAKE_PRESETS").map(PathBuf::from);
    named
        .into_iter()
        .chain([PathBuf::from("presets")])
        .chain(beside.into_iter().flatten())
        .chain(option_env!("LONGTAKE_CHECKOUT").map(|it| Path::new(it).join("presets")))
        .find(|it| it.is_dir())
}

//! Files and folders in other programs: the desktop's own for a film, its file manager.

use std::path::Path;

use longtake_graph::{Sentence, say};
use opener::OpenError;

/// Opens a file or a folder with the program that the desktop has for it, and returns once that is
/// started: how it ends is its own affair.
///
/// # Errors
/// There is no such file, or nothing that opens it.
pub fn open(path: &Path) -> Result<(), Sentence> {
    there(path)?;
    opener::open(path).map_err(|error| failed(path, &error))
}

/// Shows a file in the file manager, selected where the desktop can do that (`ShowItems` on the
/// session bus, the portal); else opens its folder.
///
/// # Errors
/// There is no such file, or no file manager.
pub fn show(path: &Path) -> Result<(), Sentence> {
    there(path)?;
    opener::reveal(path).map_err(|error| failed(path, &error))
}

fn there(path: &Path) -> Result<(), Sentence> {
    if path.exists() {
        return Ok(());
    }
    Err(say!(
        "{} is not there any more: it was moved or deleted. Run the graph again to write it anew.",
        "{} はもうありません。移動または削除されています。グラフを再実行すると書き出し直せます。",
        path.display()
    ))
}

fn failed(path: &Path, error: &OpenError) -> Sentence {
    say!(
        "{}: the desktop has no program for it ({error}). Copy the path and open it by hand.",
        "{}: 開けるプログラムがデスクトップにありません({error})。パスをコピーして手動で開いてください。",
        path.display()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_there_is_an_error_in_both_languages() {
        for refused in [
            open(Path::new("/nowhere/a.mp4")),
            show(Path::new("/nowhere/a.mp4")),
        ] {
            let error = refused.unwrap_err();
            assert!(error.en.contains("/nowhere/a.mp4") && error.ja.contains("/nowhere/a.mp4"));
            assert_eq!(error.lacks(), None);
        }
    }
}

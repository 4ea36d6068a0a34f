//! Files end to end: a studio without a window, real folders, and children that are killed.

mod commands;
mod disk;
mod kill;
mod recovery;
mod threads;
mod windows;

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command as Process, Stdio};

use longtake_graph::{Edit, Project, format};

use crate::language::t;
use crate::testing;
use crate::{Action, Command, Places, Studio, WindowAction};

/// A folder with a project in it, and the program's own folders beside.
struct Desk {
    dir: tempfile::TempDir,
    film: PathBuf,
}

impl Desk {
    fn new(project: &Project) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let film = dir.path().canonicalize().unwrap().join("film.longtake");
        fs::write(&film, text(project)).unwrap();
        Self { dir, film }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.film.with_file_name(name)
    }

    fn places(&self) -> Places {
        Places::under(&self.dir.path().join("home"))
    }

    /// A window with nothing open.
    fn window(&self) -> Studio {
        window(&self.places())
    }

    /// A window with the film open.
    fn opened(&self) -> Studio {
        let mut studio = self.window();
        act(&mut studio, Action::Open(self.film.clone()));
        assert_eq!(studio.session.path.as_ref(), Some(&self.film));
        studio.window_wishes();
        studio
    }

    /// What the file holds.
    fn on_disk(&self) -> String {
        fs::read_to_string(&self.film).unwrap()
    }

    /// Names in the folder of the film, without the program's own.
    fn names(&self) -> Vec<String> {
        names(self.film.parent().unwrap())
    }
}

fn window(places: &Places) -> Studio {
    let mut studio = testing::studio(Project::default());
    studio.settle_in(places.clone(), None);
    studio
}

fn text(project: &Project) -> String {
    format::project::to_text(project)
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    let name = |it: std::io::Result<fs::DirEntry>| it.unwrap().file_name().into_string().unwrap();
    let mut names: Vec<String> = entries.map(name).filter(|it| it != "home").collect();
    names.sort();
    names
}

/// Changes the document.
fn retitle(studio: &mut Studio, title: &str) {
    let edit = Edit::SetProjectTitle {
        title: title.to_owned(),
    };
    studio.act(Action::Edit(t("Title", "題名"), edit));
    assert_eq!(studio.session.project().title, title);
}

/// Does something, and waits until what it reads or writes is done.
fn act(studio: &mut Studio, action: Action) {
    studio.act(action);
    studio.finish_files();
}

fn command(studio: &mut Studio, command: Command) -> Vec<WindowAction> {
    act(studio, Action::Command(command));
    studio.window_wishes()
}

/// Answers the question that shows by the text on a button.
fn answer(studio: &mut Studio, label: &str) -> Vec<WindowAction> {
    let question = studio.question.as_ref().expect("a question");
    let labels: Vec<&str> = question.choices.iter().map(|it| &*it.label).collect();
    let at = labels.iter().position(|it| it.starts_with(label));
    let at = at.unwrap_or_else(|| panic!("`{label}` among {labels:?}"));
    act(studio, Action::Answer(at));
    studio.window_wishes()
}

fn last_message(studio: &Studio) -> &str {
    studio.messages.list.back().map_or("", |it| &it.text)
}

const CHILD: &str = "LONGTAKE_TEST_CHILD";

/// The folder a child works in; `None` in the ordinary run of that test.
fn child_folder() -> Option<PathBuf> {
    std::env::var_os(CHILD).map(PathBuf::from)
}

/// Runs a test of this program as another process, in that folder.
fn child(test: &str, folder: &Path) -> Process {
    let mut process = Process::new(std::env::current_exe().unwrap());
    let test = format!("files::tests::{test}");
    process
        .args(["--exact", &test, "--nocapture", "--test-threads=1"])
        .env(CHILD, folder)
        .stdout(Stdio::piped());
    process
}

/// Says that the child did what it had to.
fn ready() {
    println!("\nready");
}

/// Waits for [`ready`].
fn wait_ready(child: &mut Child) {
    let out = child.stdout.take().unwrap();
    let ready = BufReader::new(out).lines().any(|it| it.unwrap() == "ready");
    assert!(ready, "the child ended early");
}

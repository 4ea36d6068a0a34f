//! A folder to render in, and the program run in it.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

use longtake_run::Roots;
use serde_json::Value as Json;

use crate::{data, root};

/// The program `longtake`, built when it is not there yet.
pub fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        // target/debug/deps/this-test → target/debug/longtake
        let test = std::env::current_exe().unwrap();
        let program = test
            .parent()
            .and_then(Path::parent)
            .unwrap()
            .join("longtake");
        if !program.exists() {
            let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
            let target = program.parent().and_then(Path::parent).unwrap();
            let status = Command::new(cargo)
                .args([
                    "build",
                    "--locked",
                    "--offline",
                    "-p",
                    "longtake",
                    "--target-dir",
                ])
                .arg(target)
                .current_dir(root())
                .status()
                .unwrap();
            assert!(status.success(), "building longtake");
        }
        program
    })
}

/// Folder, tiny file and published name of what the presets of the Wan family load.
#[rustfmt::skip]
const PUBLISHED: &[(&str, &str, &str)] = &[
    ("diffusion_models", "scail2_tiny_bf16.safetensors", "wan21_14B_SCAIL_preview_fp8_scaled.safetensors"),
    ("diffusion_models", "wan_tiny_bf16.safetensors", "wan2.2_t2v_high_noise_14B_fp8_scaled.safetensors"),
    ("diffusion_models", "wan_tiny_bf16.safetensors", "wan2.2_t2v_low_noise_14B_fp8_scaled.safetensors"),
    ("diffusion_models", "wan22_i2v_high_tiny.safetensors", "wan2.2_i2v_high_noise_14B_fp8_scaled.safetensors"),
    ("diffusion_models", "wan22_i2v_low_tiny.safetensors", "wan2.2_i2v_low_noise_14B_fp8_scaled.safetensors"),
    ("diffusion_models", "wan22_ti2v_tiny.safetensors", "wan2.2_ti2v_5B_fp16.safetensors"),
    ("text_encoders", "umt5_tiny_bf16.safetensors", "umt5_xxl_fp8_e4m3fn_scaled.safetensors"),
    ("vae", "wan_tiny_vae.safetensors", "wan_2.1_vae.safetensors"),
    ("vae", "wan22_tiny_vae.safetensors", "wan2.2_vae.safetensors"),
    ("clip_vision", "clip_vision_tiny.safetensors", "clip_vision_h.safetensors"),
    ("controlnet", "uni3c_tiny_bf16.safetensors", "Wan21_Uni3C_controlnet_fp16.safetensors"),
];

/// Folders of one test: `input`, `output`, `store`; models are the tiny Wan family.
pub struct Workplace {
    dir: tempfile::TempDir,
    models: PathBuf,
}

/// How the program ended.
#[derive(Debug)]
pub struct Ran {
    /// Exit code; 128 + signal where a signal ended it.
    pub code: i32,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Ran {
    /// Checks the exit code, and that nothing panicked.
    #[track_caller]
    #[allow(
        clippy::must_use_candidate,
        clippy::return_self_not_must_use,
        reason = "the check is the point"
    )]
    pub fn exits(self, code: i32) -> Self {
        let both = format!("{}\n{}", self.stdout, self.stderr);
        assert!(!both.contains("panicked"), "{both}");
        assert_eq!(self.code, code, "{both}");
        self
    }

    /// Standard output as JSON.
    #[track_caller]
    pub fn json(&self) -> Json {
        serde_json::from_str(&self.stdout).unwrap_or_else(|e| panic!("{e}: {}", self.stdout))
    }
}

impl Default for Workplace {
    fn default() -> Self {
        Self::new()
    }
}

impl Workplace {
    /// Empty folders.
    pub fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        for name in ["input", "output", "store"] {
            fs::create_dir(dir.path().join(name)).unwrap();
        }
        Self {
            dir,
            models: data("wan-tiny/models"),
        }
    }

    /// With models of its own: the tiny family, copied, for tests that damage it.
    #[must_use]
    pub fn with_own_models(mut self) -> Self {
        self.models = self.path("models");
        for folder in ["diffusion_models", "text_encoders", "vae"] {
            let from = data("wan-tiny/models").join(folder);
            copy_files(&from, &self.models.join(folder));
        }
        self
    }

    /// With the tiny models under the names of published files, as the presets ask for them, and the
    /// presets' inputs.
    #[must_use]
    pub fn with_published_names(mut self) -> Self {
        self.models = self.path("models");
        for (folder, tiny, name) in PUBLISHED {
            let to = self.models.join(folder);
            fs::create_dir_all(&to).unwrap();
            let from = data("wan-tiny/models").join(folder).join(tiny);
            fs::copy(from, to.join(name)).unwrap();
        }
        copy_files(&root().join("presets/input"), &self.path("input"));
        self
    }

    /// With the pictures of the Wan family's chains in `input`.
    #[must_use]
    pub fn with_pictures(self) -> Self {
        copy_files(&data("wan-tiny/family/input"), &self.path("input"));
        self
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        self.dir.path()
    }

    /// A path in it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// The folders as the engine knows them.
    pub fn roots(&self) -> Roots {
        Roots {
            input: self.path("input"),
            models: self.models.clone(),
            output: self.path("output"),
            store: self.path("store"),
        }
    }

    /// Writes a file in it.
    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        path
    }

    /// Writes a graph in it.
    pub fn graph(&self, name: &str, graph: &Json) -> PathBuf {
        self.write(name, serde_json::to_string_pretty(graph).unwrap())
    }

    /// A command of the program with this workplace's folders, run in its folder.
    pub fn command(&self, subcommand: &str, args: &[&str]) -> Command {
        let mut command = Command::new(program());
        command.current_dir(self.folder()).arg(subcommand);
        if subcommand != "convert" {
            let places = ["input", "output", "store"].map(|it| (it, self.path(it)));
            let places = places
                .into_iter()
                .chain([("models", self.models.clone()), ("device", "cpu".into())]);
            for (name, value) in places {
                let flag = format!("--{name}");
                if !args.contains(&flag.as_str()) {
                    command.arg(flag).arg(value);
                }
            }
        }
        command.args(args).env("RUST_BACKTRACE", "0");
        // Tests run side by side: two threads each are enough.
        command
            .env("RAYON_NUM_THREADS", "2")
            .env("OPENBLAS_NUM_THREADS", "2");
        command
    }

    /// Runs the program to its end.
    pub fn run(&self, subcommand: &str, args: &[&str]) -> Ran {
        run(&mut self.command(subcommand, args))
    }

    /// Renders with a report, whatever the end.
    pub fn render(&self, args: &[&str]) -> (Ran, Json) {
        let _ = fs::remove_file(self.path("report.json"));
        let report = self.path("report.json");
        let mut all = args.to_vec();
        let report_name = report.to_string_lossy().into_owned();
        all.extend(["--report", &report_name, "--progress", "plain"]);
        let ran = self.run("render", &all);
        let report =
            fs::read(report).map_or(Json::Null, |text| serde_json::from_slice(&text).unwrap());
        (ran, report)
    }

    /// Renders, which must succeed; gives the report.
    #[track_caller]
    pub fn rendered(&self, args: &[&str]) -> Json {
        let (ran, report) = self.render(args);
        ran.exits(0);
        report
    }

    /// Starts the program and lets it run.
    pub fn spawn(&self, subcommand: &str, args: &[&str]) -> Child {
        self.command(subcommand, args)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap()
    }

    /// Every file below a folder, by name relative to it, with its length.
    pub fn files(&self, folder: &str) -> BTreeMap<String, u64> {
        let mut found = BTreeMap::new();
        walk(&self.path(folder), &mut |path, bytes| {
            let name = path.strip_prefix(self.path(folder)).unwrap();
            found.insert(name.to_string_lossy().into_owned(), bytes);
        });
        found
    }

    /// The only file below `output` with this ending.
    #[track_caller]
    pub fn only(&self, ending: &str) -> PathBuf {
        let files = self.files("output");
        let mut names = files.keys().filter(|it| it.ends_with(ending));
        let name = names
            .next()
            .unwrap_or_else(|| panic!("no {ending} in {files:?}"));
        assert!(names.next().is_none(), "several {ending} in {files:?}");
        self.path("output").join(name)
    }
}

/// Copies the files of a folder into another one.
pub fn copy_files(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for file in fs::read_dir(from).unwrap() {
        let file = file.unwrap();
        fs::copy(file.path(), to.join(file.file_name())).unwrap();
    }
}

fn walk(folder: &Path, see: &mut dyn FnMut(&Path, u64)) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let Ok(meta) = entry.metadata() else { continue };
        if meta.is_symlink() {
            continue;
        }
        if meta.is_dir() {
            walk(&entry.path(), see);
        } else {
            see(&entry.path(), meta.len());
        }
    }
}

/// Runs a command to its end.
pub fn run(command: &mut Command) -> Ran {
    let output = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Ran {
        code: output
            .status
            .code()
            .unwrap_or_else(|| 128 + output.status.signal().unwrap_or(0)),
        stdout: text(output.stdout),
        stderr: text(output.stderr),
    }
}

/// The steps of a report that ended so, as `id class`, sorted.
pub fn steps(report: &Json, status: &str) -> Vec<String> {
    let mut found: Vec<String> = report["steps"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|it| it["status"] == status)
        .map(|it| {
            format!(
                "{} {}",
                it["id"].as_str().unwrap(),
                it["class"].as_str().unwrap()
            )
        })
        .collect();
    found.sort();
    found
}

/// How often each checkpoint was read in a run.
pub fn loads(report: &Json) -> BTreeMap<String, u64> {
    let weights = report["weights"].as_array().into_iter().flatten();
    weights
        .map(|it| {
            (
                it["name"].as_str().unwrap().to_owned(),
                it["loads"].as_u64().unwrap(),
            )
        })
        .collect()
}

//! The queue in files: per job `ID.json` and the document, `ID.longtake`; `order.json`.
//!
//! A file is written under another name, then renamed: whatever happens, the old or the new one is
//! there. Each window has a folder of its own, locked while it lives, so that two never run one job.
//! What a window that has ended left in another folder is taken over by the next that begins.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use longtake_graph::{NodeId, Project, Sentence, format, say};
use longtake_plan::Options;
use longtake_run::Report;
use serde::{Deserialize, Serialize};

use super::{Job, JobId, JobState};
use crate::files::file_error;

/// Most windows with a queue of their own.
const MOST_WINDOWS: usize = 16;

/// Largest job file read, bytes.
const MOST_BYTES: u64 = 64 << 20;

/// A folder of jobs.
pub(super) struct Disk {
    folder: PathBuf,
    /// Freed by the system when the program ends, however it ends.
    _lock: File,
}

/// What lay there.
#[derive(Default)]
pub(super) struct Loaded {
    pub jobs: Vec<Job>,
    /// The newest first.
    pub ended: Vec<Job>,
    pub next: u64,
    pub broken: Vec<PathBuf>,
    /// Why jobs of other folders stayed there.
    pub refused: Vec<Sentence>,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Stage {
    Waiting,
    Running,
    Done,
    Failed,
    Cancelled,
}

/// A job in its file. Times are seconds since 1970.
#[derive(Serialize, Deserialize)]
struct Record {
    id: u64,
    title: String,
    #[serde(default)]
    outputs: Option<Vec<NodeId>>,
    #[serde(default)]
    shots: Option<BTreeSet<u32>>,
    #[serde(default)]
    playhead_shot: Option<u32>,
    stage: Stage,
    /// Why it failed, in English.
    #[serde(default)]
    message: String,
    /// The same in Japanese; files of older programs have none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    message_ja: String,
    queued: f64,
    #[serde(default)]
    began: Option<f64>,
    #[serde(default)]
    ended: Option<f64>,
    #[serde(default)]
    interrupted: bool,
    #[serde(default)]
    report: Option<Report>,
}

#[derive(Default, Serialize, Deserialize)]
struct Order {
    waiting: Vec<u64>,
    next: u64,
}

/// The folders that windows take: the one named, then `NAME-2`, `NAME-3`, …
fn folders(first: &Path) -> impl Iterator<Item = PathBuf> {
    (1..=MOST_WINDOWS).map(move |n| match n {
        1 => first.to_owned(),
        n => {
            let name = first.file_name().unwrap_or_default().to_string_lossy();
            first.with_file_name(format!("{name}-{n}"))
        }
    })
}

impl Disk {
    /// Takes a folder: the one named, or when another window has it the next free one beside it.
    pub fn open(folder: &Path) -> Result<Self, Sentence> {
        let mut refused = say!(
            "{}: {MOST_WINDOWS} windows have a queue already",
            "{}: 既に {MOST_WINDOWS} 個のウィンドウがキューを使っています",
            folder.display()
        );
        for folder in folders(folder) {
            fs::create_dir_all(&folder).map_err(|error| file_error(&folder, &error))?;
            match Self::take(folder.clone()) {
                Ok(taken) => return Ok(taken),
                Err(fs::TryLockError::WouldBlock) => {}
                Err(fs::TryLockError::Error(error)) => refused = file_error(&folder, &error),
            }
        }
        Err(refused)
    }

    fn take(folder: PathBuf) -> Result<Self, fs::TryLockError> {
        let lock = File::create(folder.join("lock")).map_err(fs::TryLockError::Error)?;
        lock.try_lock()?;
        Ok(Self {
            folder,
            _lock: lock,
        })
    }

    /// Reads everything, and takes over what lies in the folders beside that no window has now.
    /// `first` is what was asked of [`Self::open`].
    pub fn load_all(&self, first: &Path) -> Loaded {
        let mut loaded = self.load();
        let others = folders(first).filter(|it| *it != self.folder && it.is_dir());
        for from in others.filter_map(|it| Self::take(it).ok()) {
            let left = from.load();
            loaded.broken.extend(left.broken);
            for mut job in left.jobs.into_iter().chain(left.ended) {
                let old = std::mem::replace(&mut job.id, JobId(loaded.next));
                match self.adopt(&from, old, &job) {
                    Ok(()) => loaded.next += 1,
                    Err(error) => {
                        loaded.refused.push(error);
                        continue;
                    }
                }
                if job.is_over() {
                    loaded.ended.push(job);
                } else {
                    loaded.jobs.push(job);
                }
            }
        }
        // What ran comes first.
        loaded.jobs.sort_by_key(|job| !job.interrupted);
        loaded
            .ended
            .sort_by_key(|job| std::cmp::Reverse((job.ended, job.id)));
        loaded
    }

    /// Takes a job over from another folder, under the number it has now. When that fails it stays
    /// there; when the program dies on the way it is in both, never in none.
    fn adopt(&self, from: &Self, old: JobId, job: &Job) -> Result<(), Sentence> {
        // An ended job may have lost its document; a waiting one that had was not loaded.
        match fs::read(from.document(old)) {
            Ok(bytes) => write(&self.document(job.id), &bytes)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(file_error(&from.document(old), &error)),
        }
        self.save(job)?;
        from.remove(old);
        Ok(())
    }

    fn record(&self, id: JobId) -> PathBuf {
        self.folder.join(format!("{}.json", id.0))
    }

    fn document(&self, id: JobId) -> PathBuf {
        self.folder.join(format!("{}.longtake", id.0))
    }

    /// Writes a job. The document goes first: a record without one would be of no use.
    pub fn save(&self, job: &Job) -> Result<(), Sentence> {
        let document = self.document(job.id);
        if let Some(project) = job.project.as_ref().filter(|_| !document.exists()) {
            let text = format::project::to_text(project);
            write(&document, text.as_bytes())?;
        }
        let text = serde_json::to_vec(&Record::of(job)).map_err(Sentence::same)?;
        write(&self.record(job.id), &text)
    }

    /// Writes the order of what waits, and the next number.
    pub fn save_order(&self, waiting: &[u64], next: u64) -> Result<(), Sentence> {
        let order = Order {
            waiting: waiting.to_vec(),
            next,
        };
        let text = serde_json::to_vec(&order).map_err(Sentence::same)?;
        write(&self.folder.join("order.json"), &text)
    }

    /// Forgets a job. What cannot be removed comes back next time: no harm.
    pub fn remove(&self, id: JobId) {
        let _ = fs::remove_file(self.record(id));
        let _ = fs::remove_file(self.document(id));
    }

    /// Reads a job's document.
    pub fn project(&self, id: JobId) -> Result<Project, Sentence> {
        let read = format::read(&self.document(id)).map_err(|error| error.sentence())?;
        Ok(read.0)
    }

    /// Reads everything here. What cannot be read is renamed to `….broken` and left alone.
    fn load(&self) -> Loaded {
        let mut loaded = Loaded::default();
        let order: Order = read_json(&self.folder.join("order.json")).unwrap_or_default();
        loaded.next = order.next.max(1);
        let names = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        let numbered = names.filter_map(|entry| {
            let name = entry.file_name();
            let (id, ending) = name.to_str()?.split_once('.')?;
            Some((id.parse::<u64>().ok()?, ending == "json"))
        });
        let mut ids = Vec::new();
        for (id, is_record) in numbered {
            // A document that a killed program wrote before its record has a number too: a job that
            // got it again would run that document.
            loaded.next = loaded.next.max(id.saturating_add(1));
            if is_record {
                ids.push(JobId(id));
            }
        }
        ids.sort_unstable();
        for id in ids {
            match self.load_one(id) {
                Ok(job) if job.is_over() => loaded.ended.push(job),
                Ok(job) => loaded.jobs.push(job),
                Err(_) => loaded.broken.extend(self.set_aside(id)),
            }
        }
        let place = |id: u64| order.waiting.iter().position(|it| *it == id);
        // What the order does not know comes last.
        loaded.jobs.sort_by_key(|job| {
            let place = place(job.id.0).unwrap_or(usize::MAX);
            (place, job.id)
        });
        loaded
    }

    fn load_one(&self, id: JobId) -> Result<Job, String> {
        let record: Record = read_json(&self.record(id))?;
        if record.id != id.0 {
            return Err("the number is another".to_owned());
        }
        let mut job = record.job()?;
        if !job.is_over() {
            job.project = Some(Arc::new(self.project(id).map_err(String::from)?));
        }
        Ok(job)
    }

    /// Renames what cannot be read, so that it is neither lost nor in the way.
    fn set_aside(&self, id: JobId) -> Vec<PathBuf> {
        let files = [self.record(id), self.document(id)];
        let aside = files.into_iter().filter_map(|path| {
            let mut name = path.clone().into_os_string();
            name.push(".broken");
            fs::rename(&path, &name).ok()?;
            Some(PathBuf::from(name))
        });
        aside.collect()
    }
}

impl Record {
    fn of(job: &Job) -> Self {
        let (stage, message) = match &job.state {
            JobState::Waiting => (Stage::Waiting, Sentence::default()),
            JobState::Running => (Stage::Running, Sentence::default()),
            JobState::Done(_) => (Stage::Done, Sentence::default()),
            JobState::Failed(message, _) => (Stage::Failed, message.clone()),
            JobState::Cancelled(_) => (Stage::Cancelled, Sentence::default()),
        };
        // The document lies beside it.
        let report = job.report().map(|report| Report {
            reproduce: serde_json::Value::Null,
            ..Report::clone(report)
        });
        Self {
            id: job.id.0,
            title: job.title.clone(),
            outputs: job.options.outputs.clone(),
            shots: job.options.shots.clone(),
            playhead_shot: job.options.playhead_shot,
            stage,
            message: message.en,
            message_ja: message.ja,
            queued: seconds(job.queued),
            began: job.began.map(seconds),
            ended: job.ended.map(seconds),
            interrupted: job.interrupted,
            report,
        }
    }

    fn job(self) -> Result<Job, String> {
        let state = match (self.stage, self.report.map(Arc::new)) {
            (Stage::Waiting | Stage::Running, _) => JobState::Waiting,
            (Stage::Done, Some(report)) => JobState::Done(report),
            (Stage::Done, None) => return Err("a finished job has a report".to_owned()),
            (Stage::Failed, report) => {
                JobState::Failed(both(self.message, self.message_ja), report)
            }
            (Stage::Cancelled, report) => JobState::Cancelled(report),
        };
        Ok(Job {
            id: JobId(self.id),
            title: self.title,
            project: None,
            options: Options {
                shots: self.shots,
                outputs: self.outputs,
                playhead_shot: self.playhead_shot,
                ..Options::default()
            },
            state,
            queued: time(self.queued),
            began: self.began.map(time),
            ended: self.ended.map(time),
            interrupted: self.interrupted || self.stage == Stage::Running,
            plan: None,
            document: 0,
        })
    }
}

/// A kept sentence; one that was kept in English only reads the same in both languages.
pub(super) fn both(en: String, ja: String) -> Sentence {
    if ja.is_empty() {
        return Sentence::same(en);
    }
    Sentence { en, ja }
}

fn seconds(time: SystemTime) -> f64 {
    time.duration_since(UNIX_EPOCH)
        .map_or(0.0, |it| it.as_secs_f64())
}

fn time(seconds: f64) -> SystemTime {
    let since = Duration::try_from_secs_f64(seconds).unwrap_or_default();
    UNIX_EPOCH.checked_add(since).unwrap_or(UNIX_EPOCH)
}

fn read_json<T: for<'a> Deserialize<'a>>(path: &Path) -> Result<T, String> {
    let size = fs::metadata(path).map_err(|error| error.to_string())?.len();
    if size > MOST_BYTES {
        return Err("too large".to_owned());
    }
    let bytes = fs::read(path).map_err(|error| error.to_string())?;
    serde_json::from_slice(&bytes).map_err(|error| error.to_string())
}

/// Writes a file at once or not at all.
fn write(path: &Path, bytes: &[u8]) -> Result<(), Sentence> {
    format::replace(path, bytes).map_err(|error| file_error(path, &error))
}

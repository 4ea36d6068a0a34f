//! What goes, what stays, and that nothing is ever half there.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use indexmap::IndexMap;
use longtake_graph::NodeId;
use longtake_plan::{Cost, Keep, Lane, LatentInfo, NodePath, Signature, Step, StepId};

use super::lock::Turn;
use super::{Goal, Limit, PinnedBy, Pruned, Store};
use crate::{Clip, Frame, Latent, Pixels, RunError, Value};

/// Bytes of each latent.
const LATENT: u64 = 4000;
const NONE: [u8; 0] = [];

struct Shelf {
    dir: tempfile::TempDir,
    store: Store,
}

fn step(n: u8) -> Step {
    Step {
        id: StepId(0),
        path: NodePath {
            node: NodeId::new(n.to_string()),
            shot: None,
            part: None,
        },
        class: "KSampler".to_owned(),
        inputs: IndexMap::new(),
        writes: Vec::new(),
        frees: Vec::new(),
        lane: Lane::Cpu,
        lazy: false,
        keep: Keep::Store,
        signature: Signature([n; 32]),
        weights: Vec::new(),
        streamed: Vec::new(),
        moves: Vec::new(),
        rung: "whole".to_owned(),
        settings: BTreeMap::new(),
        why: None,
        fallbacks: Vec::new(),
        cost: Cost::default(),
        device_bytes: 0,
        host_bytes: 0,
        seconds: 0.0,
        cached: false,
    }
}

fn latent() -> Value {
    let width = LATENT as u32 / 4;
    let info = LatentInfo {
        batch: 1,
        channels: 1,
        frames: 1,
        height: 1,
        width,
    };
    Value::Latent(Latent::new(info, vec![0.5; width as usize]))
}

impl Shelf {
    /// Entries 1..=n, entry n used n hours ago.
    fn with(n: u8) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&dir.path().join("store")).unwrap();
        let shelf = Self { dir, store };
        for n in 1..=n {
            shelf.save(n);
            shelf.used(n, Duration::from_hours(u64::from(n)));
        }
        shelf
    }

    fn save(&self, n: u8) {
        self.store.save(&step(n), &[latent()]).unwrap();
    }

    fn used(&self, n: u8, ago: Duration) {
        let path = self.store.manifest_path(&Signature([n; 32]));
        let file = File::open(path).unwrap();
        file.set_modified(SystemTime::now() - ago).unwrap();
    }

    fn has(&self, n: u8) -> bool {
        self.store.has(&Signature([n; 32]), &|_| true)
    }

    /// Entries that stand, by their number; a look at them is no use.
    fn left(&self) -> Vec<u8> {
        let contents = self.store.contents().unwrap();
        let mut left: Vec<u8> = contents
            .entries
            .iter()
            .map(|it| it.signature.0[0])
            .collect();
        left.sort_unstable();
        for n in &left {
            self.store.look(&Signature([*n; 32])).unwrap();
        }
        left
    }

    fn bytes(&self) -> u64 {
        self.store.contents().unwrap().bytes
    }

    fn prune(&self, bytes: u64) -> Pruned {
        let goal = Goal {
            bytes: Some(bytes),
            ..Goal::default()
        };
        self.store.prune(goal).unwrap().expect("nobody else prunes")
    }

    /// Data files are made a week old.
    fn aged(&self) {
        let week = SystemTime::now() - Duration::from_hours(24 * 7);
        for found in self.store.walk().unwrap() {
            if found.path.extension().is_none_or(|it| it != "json") {
                File::open(found.path).unwrap().set_modified(week).unwrap();
            }
        }
    }

    fn project(&self, name: &str, text: &str) -> PathBuf {
        let path = self.dir.path().join(name);
        fs::write(&path, text).unwrap();
        path
    }
}

#[test]
fn what_was_not_used_for_longest_goes_first_until_the_limit_holds() {
    let shelf = Shelf::with(5);
    let (all, each) = (shelf.bytes(), shelf.bytes() / 5);
    // Asked for by a plan: it is in use again.
    assert!(shelf.has(5));
    let pruned = shelf.prune(all - each - 1);
    assert_eq!(shelf.left(), [1, 2, 5]);
    assert_eq!(pruned.entries, 2);
    assert_eq!(pruned.left, shelf.bytes());
    assert_eq!(pruned.bytes, all - shelf.bytes());
    // Read: likewise.
    shelf.store.load(&Signature([2; 32])).unwrap();
    shelf.prune(2 * each);
    assert_eq!(shelf.left(), [2, 5]);
    assert_eq!(shelf.prune(2 * each).entries, 0);
    assert_eq!(shelf.prune(0).left, 0);
    assert_eq!(shelf.bytes(), 0);
}

#[test]
fn what_is_older_goes_whatever_the_size_and_a_dry_run_removes_nothing() {
    let shelf = Shelf::with(4);
    let goal = Goal {
        older_than: Some(Duration::from_mins(150)),
        dry_run: true,
        ..Goal::default()
    };
    let told = shelf.store.prune(goal).unwrap().unwrap();
    assert_eq!(shelf.left(), [1, 2, 3, 4]);
    let goal = Goal {
        dry_run: false,
        ..goal
    };
    assert_eq!(shelf.store.prune(goal).unwrap().unwrap(), told);
    assert_eq!(shelf.left(), [1, 2]);
}

#[test]
fn what_a_living_program_needs_stays() {
    let shelf = Shelf::with(4);
    // A store of its own, as another program has it. One of the two is still to be made.
    let other = Store::open(shelf.store.root()).unwrap();
    let lease = other.lease([3, 9].map(|n| Signature([n; 32]))).unwrap();
    shelf.prune(0);
    assert_eq!(shelf.left(), [3]);
    shelf.save(9);
    shelf.prune(0);
    assert_eq!(shelf.left(), [3, 9]);
    drop(lease);
    shelf.prune(0);
    assert_eq!(shelf.left(), NONE);
    // Nothing stays of it.
    let leases = shelf.store.root().join("leases");
    assert_eq!(fs::read_dir(leases).unwrap().count(), 0);
}

#[test]
fn a_lease_of_a_dead_program_holds_nothing() {
    let shelf = Shelf::with(1);
    let leases = shelf.store.root().join("leases");
    fs::create_dir_all(&leases).unwrap();
    let text = format!("{}\n", Signature([1; 32]));
    fs::write(leases.join("dead.lease"), text).unwrap();
    shelf.prune(0);
    assert_eq!(shelf.left(), NONE);
    assert_eq!(fs::read_dir(leases).unwrap().count(), 0);
}

#[test]
fn what_a_shot_is_pinned_to_stays_until_its_project_lets_go() {
    let shelf = Shelf::with(3);
    let [one, two, three] = [1, 2, 3].map(|n| Signature([n; 32]));
    let project = shelf.project("a.longtake", &format!("{{\"pinned\": \"{two}\"}}"));
    let film = shelf.project("film.mkv", "a film that carries its graph");
    shelf.store.pin(&two, &project).unwrap();
    shelf.store.pin(&three, &film).unwrap();
    shelf.prune(0);
    assert_eq!(shelf.left(), [2, 3]);
    let pins = shelf.store.pins_held().unwrap();
    assert_eq!(pins[&two], [PinnedBy::Project(project.clone())]);
    assert!(!pins.contains_key(&one));
    // Moved away, or its disk is not plugged in: nobody can tell.
    let away = shelf.dir.path().join("away");
    fs::rename(&project, &away).unwrap();
    shelf.prune(0);
    assert_eq!(shelf.left(), [2, 3]);
    let pins = shelf.store.pins_held().unwrap();
    assert_eq!(pins[&two], [PinnedBy::Missing(project.clone())]);
    // Back, and unpinned.
    shelf.project("a.longtake", "{\"pinned\": null}");
    shelf.prune(0);
    assert_eq!(shelf.left(), [3]);
    fs::remove_file(film).unwrap();
    assert_eq!(shelf.store.forget_missing().unwrap(), 1);
    shelf.prune(0);
    assert_eq!(shelf.left(), NONE);
}

#[test]
fn an_entry_and_its_other_name_go_without_each_other() {
    for kept in [1, 2] {
        let shelf = Shelf::with(1);
        let [one, two] = [1, 2].map(|n| Signature([n; 32]));
        let alone = shelf.bytes();
        shelf.store.alias(&one, &two).unwrap();
        assert!(shelf.bytes() < alone + LATENT, "the data is there once");
        shelf.used(2, Duration::from_hours(1));
        let lease = shelf.store.lease([Signature([kept; 32])]).unwrap();
        // For room neither goes: nothing would be given back.
        shelf.prune(0);
        assert_eq!(shelf.left(), [1, 2]);
        let goal = Goal {
            older_than: Some(Duration::ZERO),
            ..Goal::default()
        };
        let pruned = shelf.store.prune(goal).unwrap().unwrap();
        assert_eq!((shelf.left(), pruned.entries), (vec![kept], 1));
        assert!(pruned.bytes < LATENT, "{}", pruned.bytes);
        drop(lease);
        shelf.prune(0);
        assert_eq!((shelf.left(), shelf.bytes()), (vec![], 0));
    }
}

#[test]
fn an_entry_and_its_other_name_that_nobody_needs_go_together() {
    let shelf = Shelf::with(3);
    let [one, four] = [1, 4].map(|n| Signature([n; 32]));
    shelf.store.alias(&one, &four).unwrap();
    shelf.used(1, Duration::from_hours(9));
    shelf.used(4, Duration::from_hours(8));
    // One of the two alone would make no room; with both gone there is room for the others.
    let pruned = shelf.prune(shelf.bytes() - LATENT);
    assert_eq!((shelf.left(), pruned.entries), (vec![2, 3], 2));
    assert!(pruned.bytes > LATENT, "{}", pruned.bytes);
    assert_eq!(pruned.left, shelf.bytes());
}

/// As older programs wrote it: the manifest names the file on the other entry's shelf.
#[test]
fn a_file_named_from_another_shelf_goes_with_the_last_that_names_it() {
    for kept in [1, 2] {
        let shelf = Shelf::with(1);
        let [one, two] = [1, 2].map(|n| Signature([n; 32]));
        let text = fs::read_to_string(shelf.store.manifest_path(&one)).unwrap();
        let other = shelf.store.manifest_path(&two);
        fs::create_dir_all(other.parent().unwrap()).unwrap();
        fs::write(
            other,
            text.replace(&format!("{one}.0"), &format!("../01/{one}.0")),
        )
        .unwrap();
        shelf.used(2, Duration::from_hours(1));
        assert_eq!(shelf.left(), [1, 2]);
        let lease = shelf.store.lease([Signature([kept; 32])]).unwrap();
        let goal = Goal {
            older_than: Some(Duration::ZERO),
            ..Goal::default()
        };
        shelf.store.prune(goal).unwrap();
        shelf.aged();
        shelf.store.prune(goal).unwrap();
        assert_eq!(shelf.left(), [kept]);
        drop(lease);
        shelf.prune(0);
        assert_eq!((shelf.left(), shelf.bytes()), (vec![], 0));
    }
}

#[test]
fn a_program_that_dies_while_it_prunes_leaves_no_half_entry() {
    for at in 0.. {
        let shelf = Shelf::with(3);
        let mut removals = 0;
        let goal = Goal {
            bytes: Some(0),
            ..Goal::default()
        };
        let died = catch_unwind(AssertUnwindSafe(|| {
            shelf.store.prune_with(goal, &mut |_| {
                assert!(removals < at, "killed here");
                removals += 1;
            })
        }));
        // What is listed can be read (`left` looks), what cannot is not listed.
        let left = shelf.left();
        if died.is_ok() {
            assert_eq!((left, at), (vec![], 6), "three manifests, three files");
            break;
        }
        // And what it left lying about goes with a later one.
        shelf.aged();
        shelf.prune(0);
        assert_eq!(shelf.bytes(), 0, "killed at removal {at}");
    }
}

#[test]
fn only_one_program_prunes_at_a_time() {
    let shelf = Shelf::with(1);
    let turn = shelf.store.root().join("prune.turn");
    let other = Turn::alone(&turn, Duration::ZERO).unwrap().unwrap();
    assert_eq!(shelf.store.prune(Goal::default()).unwrap(), None);
    drop(other);
    assert!(shelf.store.prune(Goal::default()).unwrap().is_some());
}

#[test]
fn programs_that_save_read_and_prune_at_once_lose_nothing_they_need() {
    let shelf = Shelf::with(0);
    let over = AtomicBool::new(false);
    let root = shelf.store.root().to_path_buf();
    std::thread::scope(|scope| {
        let pruner = || {
            let store = Store::open(&root).unwrap();
            let mut gone = 0;
            while !over.load(Ordering::Relaxed) {
                for older_than in [None, Some(Duration::ZERO)] {
                    let goal = Goal {
                        bytes: Some(0),
                        older_than,
                        dry_run: false,
                    };
                    gone += store.prune(goal).unwrap().map_or(0, |it| it.entries);
                }
            }
            gone
        };
        let pruners = [scope.spawn(pruner), scope.spawn(pruner)];
        let workers: Vec<_> = (0..2u8)
            .map(|worker| {
                let root = &root;
                scope.spawn(move || {
                    let store = Store::open(root).unwrap();
                    for round in 0..60u8 {
                        let [mine, kept, shared] =
                            [10 + worker, 20 + worker, 30 + round % 3].map(|n| Signature([n; 32]));
                        let lease = store.lease([mine, kept]).unwrap();
                        store.save(&step(mine.0[0]), &[latent()]).unwrap();
                        store.alias(&mine, &kept).unwrap();
                        store.save(&step(shared.0[0]), &[latent()]).unwrap();
                        // Ours stand; the other is whole, or it is not there.
                        store.load(&mine).unwrap();
                        store.load(&kept).unwrap();
                        match store.load(&shared) {
                            Ok(values) => assert_eq!(values.len(), 1),
                            Err(error) => absent(&error),
                        }
                        drop(lease);
                    }
                })
            })
            .collect();
        for worker in workers {
            worker.join().unwrap();
        }
        over.store(true, Ordering::Relaxed);
        let gone: usize = pruners.map(|it| it.join().unwrap()).iter().sum();
        assert!(gone > 0, "nothing was pruned meanwhile");
    });
    shelf.left();
}

/// The manifest was gone, or its file between the two reads; never damaged content.
fn absent(error: &RunError) {
    let text = &error.message.en;
    assert!(
        text.contains("has no") || text.contains("No such file"),
        "{text}"
    );
}

#[test]
fn the_limit_is_looked_after_when_something_was_saved() {
    let shelf = Shelf::with(3);
    let each = shelf.bytes() / 3;
    let store = shelf.store.clone().limited(Limit::Bytes(2 * each));
    let pruned = store.keep_limit().unwrap().unwrap();
    assert_eq!((pruned.entries, pruned.left), (1, 2 * each));
    assert_eq!(shelf.left(), [1, 2]);
    let told = pruned.told().unwrap();
    assert_eq!(told.lacks(), None);
    assert!(
        told.en.contains("made room by removing") && told.en.contains("(1 of"),
        "{told}"
    );
    // Nothing was saved since: it is not even looked at.
    let store = store.limited(Limit::Bytes(0));
    assert_eq!(store.keep_limit().unwrap(), None);
    shelf.save(4);
    let lease = store.lease([1, 2, 4].map(|n| Signature([n; 32]))).unwrap();
    let pruned = store.keep_limit().unwrap().unwrap();
    assert_eq!(pruned.entries, 0);
    let told = pruned.told().unwrap();
    assert_eq!(told.lacks(), None);
    assert!(told.en.contains("needed by open or pinned work"), "{told}");
    drop(lease);
    shelf.save(5);
    let unlimited = store.limited(Limit::Unlimited);
    assert_eq!(unlimited.keep_limit().unwrap(), None);
    assert_eq!(shelf.left(), [1, 2, 4, 5]);
}

#[test]
fn files_nobody_names_go_after_a_day_and_those_of_others_stay() {
    let shelf = Shelf::with(1);
    let [one, two, three, four] = [1, 2, 3, 4].map(|n| Signature([n; 32]));
    let put = |signature: &Signature, ending: &str| {
        let path = shelf.store.data_path(signature, ending).unwrap();
        fs::write(&path, b"x").unwrap();
        path
    };
    let unfinished = put(&two, ".segment");
    let damaged = put(&three, ".json");
    let foreign = put(&four, ".json");
    fs::write(&foreign, br#"{"longtake_store": 2}"#).unwrap();
    let of_foreign = put(&four, ".0.new");
    let strange = shelf.store.root().join("objects/01/notes.txt");
    fs::write(&strange, b"x").unwrap();
    let goal = Goal::default();
    shelf.store.prune(goal).unwrap();
    assert!(
        unfinished.exists() && damaged.exists(),
        "someone may be at it"
    );
    shelf.aged();
    let week = SystemTime::now() - Duration::from_hours(24 * 7);
    for path in [&damaged, &foreign] {
        File::open(path).unwrap().set_modified(week).unwrap();
    }
    let lease = shelf.store.lease([two]).unwrap();
    shelf.store.prune(goal).unwrap();
    assert!(unfinished.exists(), "a run is making it");
    assert!(!damaged.exists());
    drop(lease);
    shelf.store.prune(goal).unwrap();
    assert!(!unfinished.exists());
    assert!(foreign.exists() && of_foreign.exists() && strange.exists());
    shelf.store.look(&one).unwrap();
}

#[test]
fn damage_is_found_and_set_aside_unless_it_is_pinned() {
    let shelf = Shelf::with(0);
    let frame = Frame::new(8, 8, 1, Pixels::U8((0..64).collect()));
    for n in 1..=3 {
        let clip = Clip::from_frames(vec![frame.clone(); 2]);
        shelf.store.save(&step(n), &[Value::Clip(clip)]).unwrap();
    }
    let [two, three] = [2, 3].map(|n| Signature([n; 32]));
    for signature in [&two, &three] {
        let path = shelf.store.data_path(signature, ".0.frames").unwrap();
        let mut bytes = fs::read(&path).unwrap();
        // Within the last picture: the file is as long as before.
        let at = bytes.len() - 20;
        bytes[at] ^= 0xff;
        fs::write(&path, bytes).unwrap();
    }
    let project = shelf.project("a.longtake", &three.to_string());
    shelf.store.pin(&three, &project).unwrap();
    let entries = shelf.store.contents().unwrap().entries;
    let damaged = shelf.store.verify(&entries, &mut |_| true).unwrap();
    let mut found: Vec<_> = damaged
        .iter()
        .map(|it| (it.signature, it.set_aside))
        .collect();
    found.sort_unstable();
    assert_eq!(found, [(two, true), (three, false)]);
    assert!(
        damaged.iter().all(|it| it.why.lacks().is_none()),
        "{damaged:?}"
    );
    assert!(shelf.has(1) && !shelf.has(2) && shelf.has(3));
}

#[test]
fn what_the_store_says_goes_wrong_is_said_in_both_languages() {
    let shelf = Shelf::with(1);
    let none = Signature([7; 32]);
    let missing = shelf.store.load(&none).unwrap_err();
    let alias = shelf.store.alias(&none, &Signature([8; 32])).unwrap_err();
    let path = shelf
        .store
        .data_path(&Signature([1; 32]), ".0.latent")
        .unwrap();
    fs::write(&path, b"short").unwrap();
    let damaged = shelf.store.load(&Signature([1; 32])).unwrap_err();
    fs::write(shelf.dir.path().join("file"), b"x").unwrap();
    let unmade = Store::open(&shelf.dir.path().join("file")).unwrap_err();
    for error in [missing, alias, damaged, unmade] {
        assert_eq!(error.message.lacks(), None);
    }
}

//! `longtake store`: what finished work there is, room for more, and whether it can be read.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use anyhow::{Result, bail};
use longtake_plan::{Plan, Signature};
use longtake_run::Store;
use longtake_run::store::{Contents, Entry, Goal, Lease, Limit, PinnedBy, Pruned};
use serde_json::{Value as Json, json};

use crate::args::{self, StoreWork};
use crate::{Ended, machine, out, units};

/// Shows, prunes or verifies the store.
///
/// # Errors
/// The store cannot be opened, read or written; options that do not belong together.
pub fn run(args: &args::Store) -> Result<Ended> {
    let pruning =
        args.to.is_some() || args.older_than.is_some() || args.dry_run || args.forget_missing;
    if pruning && args.work != StoreWork::Prune {
        bail!("--to, --older-than, --dry-run and --forget-missing go with `longtake store prune`");
    }
    let store = machine::store(&args.shelf)?;
    match args.work {
        StoreWork::Show => show(&store, args),
        StoreWork::Prune => prune(&store, args),
        StoreWork::Verify => verify(&store, args.json),
    }
}

/// Has the store keep what a plan needs while the lease is held, and, for good, the clips of pinned
/// shots. When another program has removed something that the plan counts on, it is made anew.
///
/// # Errors
/// Those of planning.
pub fn held(
    store: &Store,
    project: &Path,
    mut plan: Plan,
    mut again: impl FnMut() -> Option<Plan>,
) -> Option<(Plan, Option<Lease>)> {
    // What can be lost between a look and a lease is lost once; a second time, the run tells.
    for _ in 0..2 {
        let Ok(lease) = store.lease_plan(&plan) else {
            // The run tells why, and goes on.
            return Some((plan, None));
        };
        if !store.lacks(&plan) {
            let project = std::path::absolute(project).unwrap_or_else(|_| project.to_path_buf());
            if let Err(error) = store.pin_plan(&plan, Some(&project)) {
                out::note(format_args!("{error}"));
            }
            return Some((plan, Some(lease)));
        }
        plan = again()?;
    }
    Some((plan, None))
}

/// What is kept, and for whom.
struct Kept {
    /// By programs that run now.
    leased: BTreeSet<Signature>,
    pinned: BTreeMap<Signature, Vec<PinnedBy>>,
}

impl Kept {
    fn of(store: &Store) -> Result<Self> {
        Ok(Self {
            leased: store.leases_held()?.into_iter().collect(),
            pinned: store.pins_held()?,
        })
    }

    /// Entries and their bytes, of those that pass.
    fn sum(contents: &Contents, pass: impl Fn(&Signature) -> bool) -> (usize, u64) {
        let entries = contents.entries.iter().filter(|it| pass(&it.signature));
        entries.fold((0, 0), |(n, bytes), it| (n + 1, bytes + it.bytes))
    }

    /// Projects that pin something, with what it takes.
    fn projects(&self, contents: &Contents) -> BTreeMap<PinnedBy, (usize, u64)> {
        let mut projects: BTreeMap<PinnedBy, (usize, u64)> = BTreeMap::new();
        for entry in &contents.entries {
            for by in self.pinned.get(&entry.signature).into_iter().flatten() {
                let sum = projects.entry(by.clone()).or_default();
                *sum = (sum.0 + 1, sum.1 + entry.bytes);
            }
        }
        projects
    }
}

fn by_class(entries: &[Entry]) -> Vec<(&str, usize, u64)> {
    let mut classes: BTreeMap<&str, (usize, u64)> = BTreeMap::new();
    for entry in entries {
        let sum = classes.entry(&entry.class).or_default();
        *sum = (sum.0 + 1, sum.1 + entry.bytes);
    }
    let mut classes: Vec<_> = classes.into_iter().map(|(it, (n, b))| (it, n, b)).collect();
    classes.sort_by_key(|(_, _, bytes)| std::cmp::Reverse(*bytes));
    classes
}

fn ago(time: SystemTime) -> Duration {
    SystemTime::now().duration_since(time).unwrap_or_default()
}

fn show(store: &Store, args: &args::Store) -> Result<Ended> {
    let (_, limit) = store.usage()?;
    let contents = store.contents()?;
    let kept = Kept::of(store)?;
    if args.json {
        let shown = shown(store, &contents, &kept, limit);
        out::line(format_args!("{}", serde_json::to_string_pretty(&shown)?));
        return Ok(Ended::Done);
    }
    let of = match limit {
        None => "no limit".to_owned(),
        Some(limit) => {
            let why = match args.shelf.store_limit {
                Limit::Auto => " (a quarter of what is free or its own already)",
                Limit::Bytes(_) | Limit::Unlimited => "",
            };
            format!("limit {}{why}", units::size(limit))
        }
    };
    let used = match (contents.entries.first(), contents.entries.last()) {
        (Some(oldest), Some(newest)) => format!(
            "; last used: {} (oldest), {} (newest)",
            units::age(ago(oldest.used)),
            units::age(ago(newest.used))
        ),
        (None, _) | (_, None) => String::new(),
    };
    out::line(format_args!("store    {}", store.root().display()));
    out::line(format_args!(
        "size     {}, {of}",
        units::size(contents.bytes)
    ));
    out::line(format_args!("entries  {}{used}", contents.entries.len()));
    for (class, n, bytes) in by_class(&contents.entries) {
        out::line(format_args!(
            "  {class:<28} {n:>7} {:>10}",
            units::size(bytes)
        ));
    }
    let (n, bytes) = Kept::sum(&contents, |it| kept.leased.contains(it));
    if n > 0 {
        let bytes = units::size(bytes);
        out::line(format_args!(
            "in use   {}, {bytes}: programs that run now need them",
            counted(n)
        ));
    }
    let projects = kept.projects(&contents);
    let mut missing = false;
    for (by, (n, bytes)) in &projects {
        let who = match by {
            PinnedBy::Project(path) => path.display().to_string(),
            PinnedBy::Missing(path) => {
                missing = true;
                format!("{} (not there)", path.display())
            }
            PinnedBy::Document => "a document open in the last 90 days".to_owned(),
        };
        out::line(format_args!(
            "pinned   {n} entries, {}: {who}",
            units::size(*bytes)
        ));
    }
    if missing {
        out::line(format_args!(
            "         gone for good? `longtake store prune --forget-missing` lets go of its pins"
        ));
    }
    Ok(Ended::Done)
}

fn shown(store: &Store, contents: &Contents, kept: &Kept, limit: Option<u64>) -> Json {
    let seconds = |entry: Option<&Entry>| entry.map(|it| ago(it.used).as_secs());
    let sum = |(n, bytes): (usize, u64)| json!({"entries": n, "bytes": bytes});
    let classes = by_class(&contents.entries);
    let classes = classes
        .into_iter()
        .map(|(class, n, bytes)| json!({"class": class, "entries": n, "bytes": bytes}));
    let path = |it: &PathBuf| it.to_string_lossy().into_owned();
    let pins = kept.projects(contents).into_iter().map(|(by, (n, bytes))| {
        let (project, there) = match &by {
            PinnedBy::Project(it) => (Some(path(it)), true),
            PinnedBy::Missing(it) => (Some(path(it)), false),
            PinnedBy::Document => (None, true),
        };
        json!({"project": project, "there": there, "entries": n, "bytes": bytes})
    });
    json!({
        "store": store.root(),
        "bytes": contents.bytes,
        "limit": limit,
        "entries": contents.entries.len(),
        "classes": classes.collect::<Vec<_>>(),
        "oldest_use_seconds_ago": seconds(contents.entries.first()),
        "newest_use_seconds_ago": seconds(contents.entries.last()),
        "in_use": sum(Kept::sum(contents, |it| kept.leased.contains(it))),
        "pinned": sum(Kept::sum(contents, |it| kept.pinned.contains_key(it))),
        "pins": pins.collect::<Vec<_>>(),
    })
}

fn prune(store: &Store, args: &args::Store) -> Result<Ended> {
    let bytes = match (args.to, args.older_than) {
        (Some(bytes), _) => Some(bytes),
        // By age alone.
        (None, Some(_)) => None,
        (None, None) => store.usage()?.1,
    };
    if args.forget_missing && !args.dry_run {
        let gone = store.forget_missing()?;
        if !args.json {
            out::note(format_args!(
                "{gone} pins of projects that are not there are forgotten"
            ));
        }
    }
    let goal = Goal {
        bytes,
        older_than: args.older_than,
        dry_run: args.dry_run,
    };
    let Some(pruned) = store.prune(goal)? else {
        bail!("another program is making room in this store now; wait for it");
    };
    if args.json {
        out::line(format_args!("{}", serde_json::to_string_pretty(&pruned)?));
        return Ok(Ended::Done);
    }
    out::line(format_args!("{}", told(&pruned, args.dry_run)));
    Ok(Ended::Done)
}

fn told(pruned: &Pruned, dry_run: bool) -> String {
    let would = if dry_run { "would be " } else { "" };
    let over = pruned.limit.filter(|it| pruned.left > *it);
    let over = over.map_or(String::new(), |limit| {
        format!(
            ", {} more than asked for: what running programs and pinned shots need stays, and so do notes \
             of what was written (`longtake store` shows them)",
            units::size(pruned.left - limit)
        )
    });
    format!(
        "{} {would}removed, {}; {} left{over}",
        counted(pruned.entries),
        units::size(pruned.bytes),
        units::size(pruned.left)
    )
}

/// `1 entry`, `2 entries`.
fn counted(entries: usize) -> String {
    match entries {
        1 => "1 entry".to_owned(),
        n => format!("{n} entries"),
    }
}

fn verify(store: &Store, json: bool) -> Result<Ended> {
    let entries = store.contents()?.entries;
    let damaged = store.verify(&entries, &mut |_| true)?;
    if json {
        let list = damaged.iter().map(|it| {
            json!({
                "signature": it.signature.to_string(), "node": it.node, "why": it.why,
                "set_aside": it.set_aside,
            })
        });
        let found = json!({"entries": entries.len(), "damaged": list.collect::<Vec<_>>()});
        out::line(format_args!("{}", serde_json::to_string_pretty(&found)?));
    } else {
        for it in &damaged {
            let then = if it.set_aside {
                "set aside: the next run that needs it makes it anew"
            } else {
                "a shot is pinned to it: unpin the shot to make it anew"
            };
            out::line(format_args!(
                "{} ({}): {}; {then}",
                it.node, it.signature, it.why
            ));
        }
        let (all, bad) = (entries.len(), damaged.len());
        out::line(format_args!("{} read, {bad} damaged", counted(all)));
    }
    Ok(if damaged.is_empty() {
        Ended::Done
    } else {
        Ended::Failed
    })
}

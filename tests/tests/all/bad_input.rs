//! Bad input through the program: a clear error, no panic, nothing half-written, the store whole.

#![allow(clippy::too_many_lines, reason = "tables")]

mod checkpoints;
mod disk;
mod files;
mod graphs;

use longtake_graph::{Sentence, format};
use longtake_nodes::{DiskFacts, Registry};
use longtake_plan::{DeviceKind, Machine, Options, compile};
use longtake_run::Store;
use longtake_tests::place::Workplace;

/// One bad input: how it comes about and what is said.
struct Row {
    /// What is wrong.
    name: &'static str,
    /// Prepares the workplace; gives the arguments of `render`.
    arrange: fn(&Workplace) -> Vec<String>,
    /// Exit code: 2 where it is seen before anything runs, else 1.
    code: i32,
    /// Pieces of the message.
    says: &'static [&'static str],
}

/// Renders every row. All complaints are collected, so that one run shows them all.
fn check(rows: &[Row]) {
    let mut complaints = Vec::new();
    for row in rows {
        let place = Workplace::new().with_own_models();
        let args = (row.arrange)(&place);
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let inputs = place.files("input");
        let lacking = findings(&place, args[0]);
        let (ran, report) = place.render(&args);
        let mut complain =
            |what: String| complaints.push(format!("{}: {what}\n{}", row.name, ran.stderr));
        lacking.into_iter().for_each(&mut complain);
        if ran.code != row.code {
            complain(format!(
                "expected exit code {}, found {}",
                row.code, ran.code
            ));
        }
        for piece in row.says {
            if !ran.stderr.contains(piece) {
                complain(format!("expected the words `{piece}`"));
            }
        }
        let text = ran.stdout.clone() + &ran.stderr;
        if text.contains("panicked") || text.contains("RUST_BACKTRACE") {
            complain("it panicked".to_owned());
        }
        if text.len() > 20_000 {
            complain(format!("{} bytes of words", text.len()));
        }
        if ran.code == 1 {
            match failure(&report["error"]) {
                Some(failure) => failure.lacks().into_iter().for_each(&mut complain),
                None => complain("the report tells no error".to_owned()),
            }
        }
        let left: Vec<String> = place
            .files("output")
            .into_keys()
            .filter(|it| !it.ends_with("here-before"))
            .collect();
        if !left.is_empty() {
            complain(format!("left in output: {left:?}"));
        }
        let half: Vec<String> = place
            .files("store")
            .into_keys()
            .filter(|it| !it.ends_with(".json") && (it.contains(".tmp") || it.contains("/.")))
            .collect();
        if !half.is_empty() {
            complain(format!("half-written in the store: {half:?}"));
        }
        if place.files("input") != inputs {
            complain("it changed the input folder".to_owned());
        }
    }
    assert!(
        complaints.is_empty(),
        "{} complaints:\n\n{}",
        complaints.len(),
        complaints.join("\n")
    );
}

/// What a report tells of a run that failed.
fn failure(error: &serde_json::Value) -> Option<Sentence> {
    let text = |name: &str| Some(error[name].as_str()?.to_owned());
    Some(Sentence {
        en: text("message")?,
        ja: text("message_ja")?,
    })
}

/// What the Japanese of the graph's findings lacks, as the window would show them.
fn findings(place: &Workplace, graph: &str) -> Vec<String> {
    let registry = Registry::new();
    let loaded = match format::read_with(&place.path(graph), &registry) {
        Ok(loaded) => loaded,
        Err(error) => return error.sentence().lacks().into_iter().collect(),
    };
    let roots = place.roots();
    let facts = DiskFacts::new(roots.clone(), Store::open(&roots.store).unwrap(), None);
    let machine = Machine {
        device: DeviceKind::Cpu,
        device_name: "cpu".to_owned(),
        device_budget: 0,
        host_budget: 8 << 30,
        weight_bytes: 4,
        flops_per_second: 1e11,
        load_bytes_per_second: 1e9,
        base_host_bytes: 96 << 20,
    };
    let options = Options::default();
    let compiled = compile(&loaded.project, &registry, &facts, &machine, &options);
    let found = loaded.diagnostics.iter().chain(&compiled.diagnostics);
    found.filter_map(|it| it.message.lacks()).collect()
}

/// Owned arguments.
fn args(list: &[&str]) -> Vec<String> {
    list.iter().map(|&it| it.to_owned()).collect()
}

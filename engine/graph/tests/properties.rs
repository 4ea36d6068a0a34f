//! What must hold for any project: files give it back, edits can be taken back, nothing panics.

mod common;
#[path = "common/random.rs"]
mod random;

use common::Shelf;
use longtake_graph::document::is_virtual;
use longtake_graph::format::{Format, to_text};
use longtake_graph::{Mode, Project, apply, check, lower, read_bytes, resolve};
use proptest::prelude::*;

fn read(text: &str) -> Result<Project, TestCaseError> {
    read_bytes("test", text.as_bytes())
        .map(|it| it.0)
        .map_err(|error| TestCaseError::fail(format!("{error}\n{text}")))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_project_file_gives_the_project_back(project in random::project()) {
        let text = project.to_json();
        let again = read(&text)?;
        prop_assert_eq!(&again, &project);
        // Equality of maps does not see their order; the text does.
        prop_assert_eq!(again.to_json(), text);
    }

    #[test]
    fn a_prompt_keeps_nodes_and_inputs(mut project in random::project()) {
        project.subgraphs.clear();
        for node in project.nodes.values_mut() {
            node.mode = Mode::Active;
            if is_virtual(&node.class) {
                node.class = "Mystery".to_owned();
            }
        }
        let (text, found) = to_text(&project, Format::Prompt, &Shelf);
        prop_assert_eq!(found, []);
        let again = read(&text)?;
        prop_assert!(again.nodes.keys().eq(project.nodes.keys()));
        for (got, had) in again.nodes.values().zip(project.nodes.values()) {
            prop_assert_eq!((&got.class, &got.title), (&had.class, &had.title));
            prop_assert!(got.inputs.iter().eq(had.inputs.iter()), "{:?}\n{:?}", got, had);
        }
        prop_assert_eq!(to_text(&again, Format::Prompt, &Shelf).0, text);
    }

    /// What runs is the same whether it is taken from the project or from its prompt.
    #[test]
    fn a_prompt_runs_as_its_project_does(project in random::project()) {
        let prompt = read(&to_text(&project, Format::Prompt, &Shelf).0)?;
        let (a, b) = (resolve(&project, &Shelf), resolve(&prompt, &Shelf));
        prop_assert!(a.nodes.keys().eq(b.nodes.keys()));
        for (a, b) in a.nodes.values().zip(b.nodes.values()) {
            prop_assert_eq!((&a.class, a.mode), (&b.class, b.mode));
            prop_assert!(a.inputs.iter().eq(b.inputs.iter()));
        }
    }

    #[test]
    fn every_edit_can_be_taken_back(
        mut project in random::project(),
        edits in proptest::collection::vec(random::edit(), 1..12),
    ) {
        let mut undo = vec![];
        for edit in edits {
            let (before, text) = (project.clone(), project.to_json());
            match apply(&mut project, edit.clone()) {
                Err(_) => prop_assert_eq!(project.to_json(), text, "an error leaves all as it was"),
                Ok(inverse) => {
                    let after = project.to_json();
                    let redo = apply(&mut project, inverse.clone()).map_err(|e| TestCaseError::fail(e.to_string()))?;
                    prop_assert_eq!(project.to_json(), text, "{:?}", edit);
                    prop_assert_eq!(&project, &before);
                    apply(&mut project, redo).map_err(|e| TestCaseError::fail(e.to_string()))?;
                    prop_assert_eq!(project.to_json(), after);
                    undo.push((before, inverse));
                }
            }
        }
        for (before, inverse) in undo.into_iter().rev() {
            apply(&mut project, inverse).map_err(|e| TestCaseError::fail(e.to_string()))?;
            prop_assert_eq!(&project, &before);
        }
    }

    /// What is lowered stays as it is, and names only what it holds or what never was.
    #[test]
    fn lowering_is_done_once(project in random::project()) {
        let once = lower(&project, &Shelf);
        prop_assert!(once.project.subgraphs.is_empty() || once.project.as_ref() == &project);
        let twice = lower(&once.project, &Shelf);
        if once.instances.is_empty() {
            prop_assert!(twice.project.as_ref() == once.project.as_ref());
        }
    }

    #[test]
    fn a_check_answers_for_any_graph(project in random::project()) {
        check(&project, &Shelf);
    }
}

/// xorshift64*: the mutations are the same on every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) as usize % bound
    }
}

/// Bytes changed, put in, cut out, doubled and cut off: an answer each time, never a panic, and
/// what is accepted can be saved and read again.
#[test]
fn damaged_files_are_answered() {
    let project = r#"{"longtake": 1, "title": "t", "nodes": {
        "1": {"class": "Storyboard", "pos": [1, 2.5], "inputs": {"title": "\u00e9", "shots": [{"id": "a", "seconds": 2,
              "transition": "fade", "transition_seconds": 0.5}, {"id": "b", "seconds": 1e1, "seed": 18446744073709551615}]}},
        "2": {"class": "KSampler", "mode": "bypass", "collapsed": true, "inputs": {"model": {"link": ["1", 0]}, "cfg": -6.5}},
        "3": {"class": "Save", "inputs": {"samples": {"link": ["2", 0]}, "x": {"literal": {"link": null}}}}},
        "groups": {"g": {"title": "", "bounds": [0, 0, 1, 1]}}, "notes": {"n": {"text": "x", "bounds": [0, 0, 1, 1]}}, "k": [],
        "subgraphs": {"s": {"inputs": [{"name": "a", "kind": "LATENT", "k": 1}], "outputs": [{"name": "b", "label": "x"}],
            "graph": {"title": "S", "nodes": {"-10": {"class": "SubgraphInput"}, "-20": {"class": "SubgraphOutput",
            "inputs": {"b": {"link": ["-10", 0]}}}}}}}}"#;
    let prompt = r#"{"12:98": {"class_type": "KSampler", "_meta": {"title": "s"}, "inputs": {"model": ["1", 0], "seed": 5,
        "l": {"__value__": [1, [2, null]]}}}, "1": {"class_type": "Loader", "inputs": {"unet_name": "w"}}}"#;
    let chunks: [&[u8]; 12] = [
        b"\"",
        b"{",
        b"}",
        b"[",
        b"]",
        b",",
        b":",
        b"NaN",
        b"1e999",
        b"99999999999999999999",
        b"null",
        b"\\ud800",
    ];
    let mut dice = Dice(0x9E37_79B9_7F4A_7C15);
    let mut accepted = 0;
    for round in 0..6000 {
        let mut bytes = [project, prompt][round % 2].as_bytes().to_vec();
        for _ in 0..=dice.below(3) {
            if bytes.is_empty() {
                break;
            }
            let at = dice.below(bytes.len());
            let end = (at + 1 + dice.below(12)).min(bytes.len());
            match dice.below(5) {
                0 => bytes[at] = dice.below(256) as u8,
                1 => drop(bytes.splice(at..at, chunks[dice.below(chunks.len())].iter().copied())),
                2 => drop(bytes.drain(at..end)),
                3 => {
                    let copy = bytes[at..end].to_vec();
                    drop(bytes.splice(at..at, copy));
                }
                _ => bytes.truncate(at.max(1)),
            }
        }
        match read_bytes("damaged", &bytes) {
            Err(error) => assert_eq!(error.sentence().lacks(), None),
            Ok((graph, ..)) => {
                accepted += 1;
                check(&graph, &Shelf);
                let again = read_bytes("again", graph.to_json().as_bytes()).map(|it| it.0);
                assert_eq!(
                    again.as_ref(),
                    Ok(&graph),
                    "{}",
                    String::from_utf8_lossy(&bytes)
                );
                let (text, _) = to_text(&graph, Format::Prompt, &Shelf);
                read_bytes("as prompt", text.as_bytes())
                    .unwrap_or_else(|error| panic!("{error}\n{text}"));
            }
        }
    }
    assert!(
        (300..5500).contains(&accepted),
        "the mutations are neither all fatal nor all harmless: {accepted}"
    );
}

//! The checks: one small graph per mistake, and the sentence a person reads.

mod common;

use common::{Shelf, project};
use longtake_graph::check;
use longtake_graph::format::{Format, to_text};

/// The findings of a graph, one line each: `W` or `E`, code, place and message.
fn findings(text: &str) -> Vec<String> {
    check(&project(text), &Shelf)
        .iter()
        .map(|it| {
            assert_eq!(it.message.lacks(), None);
            format!("{} {}", it.code, it)
        })
        .collect()
}

/// A working graph, with the node `4` (Save) last and replacements made in its text.
fn graph(replace: &[(&str, &str)]) -> String {
    let mut text = r#"{"longtake": 1, "nodes": {
        "1": {"class": "Loader", "inputs": {"unet_name": "wan.safetensors"}},
        "2": {"class": "EmptyLatent", "inputs": {"width": 832, "height": 480}},
        "3": {"class": "KSampler", "inputs": {"model": {"link": ["1", 0]}, "latent_image": {"link": ["2", 0]},
              "seed": 5, "steps": "20", "cfg": 6, "sampler_name": "heun"}},
        "4": {"class": "Save", "inputs": {"samples": {"link": ["3", 0]}}}}}"#
        .to_owned();
    for (from, to) in replace {
        assert!(text.contains(from), "{from}");
        text = text.replace(from, to);
    }
    text
}

#[test]
fn a_good_graph_has_no_findings() {
    assert_eq!(findings(&graph(&[])), Vec::<String>::new());
}

/// What is replaced in the good graph, and a finding that must come of it.
const MISTAKES: &[(&[(&str, &str)], &str)] = &[
    (
        &[("\"KSampler\"", "\"KSamper\"")],
        "unknown_class error: node 3 (KSamper): there is no node class `KSamper` in this program; did you mean `KSampler`?",
    ),
    (
        &[("\"class\": \"Loader\"", "\"class\": \"\"")],
        "unknown_class error: node 1 (): expected a node class",
    ),
    (
        &[("\"class\": \"Loader\"", "\"class\": \"Secret\"")],
        "unknown_class error: node 1 (Secret): this class is made by the compiler",
    ),
    (
        &[("\"unet_name\"", "\"unet_nam\"")],
        "unknown_input warning: node 1 (Loader), input `unet_nam`: Loader has no such input, it is not used; did you mean `unet_name`?",
    ),
    (
        &[("\"unet_name\"", "\"unet_nam\"")],
        "required_input_missing error: node 1 (Loader), input `unet_name`: this input is required: expected the name of a file in the folder diffusion_models, found nothing",
    ),
    (
        &[("\"latent_image\": {\"link\": [\"2\", 0]},", "")],
        "required_input_missing error: node 3 (KSampler), input `latent_image`: this input is required: expected a link to a LATENT output",
    ),
    (
        &[("[\"1\", 0]", "[\"11\", 0]")],
        "bad_linked_input error: node 3 (KSampler), input `model`: linked to node 11, which does not exist",
    ),
    (
        &[("[\"1\", 0]", "[\"1\", 7]")],
        "bad_linked_input error: node 3 (KSampler), input `model`: linked to output 7 of node 1 (Loader), which has only output 0",
    ),
    (
        &[("[\"1\", 0]", "[\"2\", 0]")],
        "return_type_mismatch error: node 3 (KSampler), input `model`: expected MODEL, found LATENT from output `LATENT` of node 2 (EmptyLatent)",
    ),
    (
        &[("{\"link\": [\"1\", 0]}", "3")],
        "invalid_input_type error: node 3 (KSampler), input `model`: expected a link to a MODEL output",
    ),
    (
        &[("\"20\"", "\"many\"")],
        "invalid_input_type error: node 3 (KSampler), input `steps`: expected a whole number, found the text \"many\"",
    ),
    (
        &[("\"20\"", "0")],
        "value_smaller_than_min error: node 3 (KSampler), input `steps`: expected at least 1, found 0",
    ),
    (
        &[("\"seed\": 5", "\"seed\": 18446744073709551616")],
        "value_bigger_than_max error: node 3 (KSampler), input `seed`: expected at most 18446744073709551615, found 18446744073709551616",
    ),
    (
        &[("\"heun\"", "\"huen\"")],
        "value_not_in_list error: node 3 (KSampler), input `sampler_name`: expected one of euler, heun, uni_pc; found the text \"huen\"; did you mean `heun`?",
    ),
    (
        &[("832", "833")],
        "off_step warning: node 2 (EmptyLatent), input `width`: expected 16 or a number of steps of 16 above it, found 833; near are 832 and 848",
    ),
    (
        &[("[\"2\", 0]", "[\"3\", 0]")],
        "dependency_cycle error: node 3 (KSampler): these nodes need each other: 3 ← 3; cut",
    ),
    (
        &[("\"Save\"", "\"Mix\"")],
        "prompt_no_outputs error: graph: expected a node that saves or shows something",
    ),
    (
        &[(
            "\"class\": \"Save\"",
            "\"class\": \"Save\", \"mode\": \"mute\"",
        )],
        "prompt_no_outputs error: graph: every node that saves or shows",
    ),
    (
        &[(
            "\"class\": \"Loader\"",
            "\"class\": \"Loader\", \"mode\": \"mute\"",
        )],
        "muted_input warning: node 3 (KSampler), input `model`: linked to node 1 (Loader), which is muted: so this node is left out too",
    ),
    (
        &[(
            "\"class\": \"Loader\"",
            "\"class\": \"Loader\", \"mode\": \"mute\"",
        )],
        "muted_input warning: node 4 (Save), input `samples`: linked to node 3 (KSampler), which needs a muted node: so this node is left out too",
    ),
    (
        &[(
            "\"class\": \"Loader\"",
            "\"class\": \"Loader\", \"mode\": \"bypass\"",
        )],
        "required_input_missing error: node 3 (KSampler), input `model`: linked to the bypassed node 1 (Loader), which has no MODEL input",
    ),
    (
        &[
            ("\"cfg\": 6", "\"cfg\": {\"link\": [\"9\", 0]}"),
            (
                "\"4\":",
                "\"9\": {\"class\": \"Number\", \"mode\": \"mute\"}, \"4\":",
            ),
        ],
        "muted_input warning: node 3 (KSampler), input `cfg`: linked to node 9 (Number), which is muted: the default value is used",
    ),
];

#[test]
fn each_mistake_is_found() {
    for (replace, wanted) in MISTAKES {
        let found = findings(&graph(replace));
        assert!(
            found.iter().any(|it| it.starts_with(wanted)),
            "wanted {wanted}\nfound {found:#?}"
        );
    }
}

#[test]
fn mistakes_nobody_needs_are_warnings() {
    let aside = |class: &str| {
        graph(&[(
            "\"4\":",
            &format!("\"8\": {{\"class\": \"{class}\"}}, \"4\":"),
        )])
    };
    for class in ["Mystery", "KSampler"] {
        let found = findings(&aside(class));
        assert!(
            !found.is_empty() && found.iter().all(|it| it.contains(" warning: node 8")),
            "{found:#?}"
        );
    }
}

#[test]
fn what_comfyui_accepts_is_accepted() {
    for replace in [
        ("\"cfg\": 6", "\"cfg\": {\"link\": [\"9\", 0]}"), // INT into FLOAT
        ("\"seed\": 5", "\"seed\": {\"link\": [\"9\", 0]}"), // a parameter can be linked
        ("\"seed\": 5", "\"seed\": 5.9"),
        (
            "{\"link\": [\"3\", 0]}",
            "{\"link\": [\"3\", 0]}, \"anything\": {\"link\": [\"9\", 0]}",
        ),
    ] {
        let found = findings(&graph(&[
            replace,
            ("\"4\":", "\"9\": {\"class\": \"Number\"}, \"4\":"),
        ]));
        assert_eq!(found, Vec::<String>::new(), "{replace:?}");
    }
}

#[test]
fn shots_are_checked_in_their_place() {
    let text = graph(&[(
        "\"4\":",
        r#""8": {"class": "Storyboard", "inputs": {"shots": [{"id": "a", "seconds": 0}]}},
        "5": {"class": "Save", "inputs": {"samples": {"link": ["3", 0]}, "anything": {"link": ["8", 0]}}}, "4":"#,
    )]);
    let found = findings(&text);
    assert_eq!(found.len(), 1, "{found:#?}");
    assert!(
        found[0].starts_with(
            "value_smaller_than_min error: node 8 (Storyboard), input `shots`, shot a: "
        ),
        "{found:#?}"
    );
}

#[test]
fn knots_are_named_once_each() {
    let text = r#"{"longtake": 1, "nodes": {
        "s": {"class": "Save", "inputs": {"samples": {"link": ["a", 0]}}},
        "a": {"class": "Mix", "inputs": {"a": {"link": ["b", 0]}}},
        "b": {"class": "Mix", "inputs": {"a": {"link": ["a", 0]}}},
        "c": {"class": "Mix", "inputs": {"a": {"link": ["d", 0]}}},
        "d": {"class": "Mix", "inputs": {"a": {"link": ["c", 0]}}}}}"#;
    let found = findings(text);
    assert_eq!(found.len(), 2, "{found:#?}");
    assert!(found[0].starts_with(
        "dependency_cycle error: node a (Mix): these nodes need each other: a ← b ← a"
    ));
    assert!(
        found[1].starts_with("dependency_cycle warning: node c (Mix)"),
        "no output needs c and d"
    );
}

#[test]
fn a_broken_link_behind_a_bypassed_node_is_told_apart() {
    let text = r#"{"longtake": 1, "nodes": {
        "x": {"class": "Mix", "mode": "bypass", "inputs": {"a": {"link": ["gone", 0]}}},
        "s": {"class": "Save", "inputs": {"samples": {"link": ["x", 0]}}}}}"#;
    assert_eq!(
        findings(text),
        [
            "bad_linked_input error: node s (Save), input `samples`: linked through the bypassed node x \
            to a node that does not exist"
        ]
    );
}

/// Bypass, mute and what the prompt holds then: `4` takes from `x`.
fn samples_of_save(x: &str, more: &str) -> String {
    let text = format!(
        r#"{{"longtake": 1, "nodes": {{
        "m": {{"class": "Loader", "inputs": {{"unet_name": "w"}}}},
        "a": {{"class": "EmptyLatent"}}, "b": {{"class": "EmptyLatent"}},
        "x": {x}, {more}
        "4": {{"class": "Save", "inputs": {{"samples": {{"link": ["x", 0]}}}}}}}}}}"#
    );
    let (text, _) = to_text(&project(&text), Format::Prompt, &Shelf);
    let prompt: serde_json::Value = serde_json::from_str(&text).expect("a prompt is JSON");
    assert!(prompt.get("x").is_none() || x.contains("active"), "{text}");
    match prompt.get("4") {
        None => "gone".to_owned(),
        Some(save) => save["inputs"]
            .get("samples")
            .map_or("left out".to_owned(), ToString::to_string),
    }
}

#[test]
fn bypass_and_mute_are_resolved_away() {
    let mix = |mode: &str, inputs: &str| {
        format!(r#"{{"class": "Mix", "mode": "{mode}", "inputs": {{{inputs}}}}}"#)
    };
    let (a, b, m) = (
        r#""a": {"link": ["a", 0]}"#,
        r#""b": {"link": ["b", 0]}"#,
        r#""model": {"link": ["m", 0]}"#,
    );
    let hop = r#""y": {"class": "Mix", "mode": "bypass", "inputs": {"a": {"link": ["x", 0]}}},"#;
    for (x, more, wanted) in [
        (mix("active", &[m, a].join(",")), "", r#"["x",0]"#),
        (mix("mute", a), "", "gone"),
        // The input with the output's index is a MODEL: the first LATENT is taken, `b` never.
        (mix("bypass", &[m, b, a].join(",")), "", r#"["a",0]"#),
        (mix("bypass", b), "", "left out"),
        (mix("bypass", r#""a": {"link": ["y", 0]}"#), hop, "left out"),
        // Kept as it is, to be reported by whoever reads the prompt.
        (
            mix("bypass", r#""a": {"link": ["gone", 0]}"#),
            "",
            r#"["x",0]"#,
        ),
        (
            r#"{"class": "Unknown", "mode": "bypass", "inputs": {"a": {"link": ["a", 0]}}}"#
                .to_owned(),
            "",
            "left out",
        ),
    ] {
        assert_eq!(samples_of_save(&x, more), wanted, "{x}");
    }
    let x = mix("bypass", r#""a": {"link": ["y", 0]}"#);
    let y = r#""y": {"class": "Mix", "mode": "bypass", "inputs": {"a": {"link": ["b", 0]}}},"#;
    assert_eq!(samples_of_save(&x, y), r#"["b",0]"#);
}

#[test]
fn a_bypassed_node_of_unknown_class_passes_on_by_the_sockets_its_file_lists() {
    let unknown = |inputs: &str, output: &str| {
        let links = r#""m": {"link": ["m", 0]}, "p": {"link": ["a", 0]}, "q": {"link": ["b", 0]}"#;
        format!(
            r#"{{"class": "Unknown", "mode": "bypass", "inputs": {{{links}}}, "comfyui":
            {{"inputs": [{inputs}], "outputs": [{{"name": "out", "type": "{output}"}}]}}}}"#
        )
    };
    let slot = |name: &str, kind: &str| format!(r#"{{"name": "{name}", "type": "{kind}"}}"#);
    for (inputs, output, wanted) in [
        (
            [slot("m", "MODEL"), slot("q", "LATENT")],
            "LATENT",
            r#"["b",0]"#,
        ),
        (
            [slot("p", "LATENT"), slot("q", "LATENT")],
            "LATENT",
            r#"["a",0]"#,
        ),
        ([slot("m", "MODEL"), slot("q", "*")], "*", r#"["b",0]"#),
        (
            [slot("m", "MODEL"), slot("q", "IMAGE,LATENT")],
            "LATENT",
            r#"["b",0]"#,
        ),
        (
            [slot("m", "MODEL"), slot("q", "IMAGE")],
            "IMAGE",
            "left out",
        ),
    ] {
        let x = unknown(&inputs.join(","), output);
        assert_eq!(samples_of_save(&x, ""), wanted, "{x}");
    }
}

#[test]
fn in_the_place_of_a_link_to_a_muted_node_stands_what_stood_there_before() {
    let text = graph(&[
        (
            "\"unet_name\": \"wan.safetensors\"}",
            "\"unet_name\": {\"link\": [\"9\", 0]}}, \"values\": {\"unet_name\": \"w\"}",
        ),
        ("\"cfg\": 6", "\"cfg\": {\"link\": [\"8\", 0]}"),
        ("\"heun\"}", "\"heun\"}, \"values\": {\"cfg\": 3.5}"),
        (
            "\"4\":",
            "\"9\": {\"class\": \"Number\", \"mode\": \"mute\"}, \"8\": {\"class\": \"Number\", \"mode\": \"bypass\"}, \"4\":",
        ),
    ]);
    let found = findings(&text);
    let wanted = [
        "node 1 (Loader), input `unet_name`",
        "node 3 (KSampler), input `cfg`",
    ];
    assert_eq!(found.len(), 2, "{found:#?}");
    for (found, wanted) in found.iter().zip(wanted) {
        assert!(
            found.starts_with(&format!("muted_input warning: {wanted}")),
            "{found}"
        );
    }
    assert!(
        found[0].ends_with("which is muted: the value that stood here before the link is used")
    );
    let (prompt, _) = to_text(&project(&text), Format::Prompt, &Shelf);
    let prompt: serde_json::Value = serde_json::from_str(&prompt).unwrap();
    assert_eq!(prompt["1"]["inputs"]["unet_name"], "w");
    assert_eq!(prompt["3"]["inputs"]["cfg"], 3.5);
    // What does not fit there is reported, as anywhere.
    let found = findings(&text.replace("3.5", "\"many\""));
    assert!(
        found
            .iter()
            .any(|it| it.starts_with("invalid_input_type error: node 3")),
        "{found:#?}"
    );
}

#[test]
fn a_bypassed_pair_passes_each_on_in_its_place() {
    let text = r#"{"longtake": 1, "nodes": {"a": {"class": "EmptyLatent"}, "b": {"class": "EmptyLatent"},
        "p": {"class": "Pair", "mode": "bypass", "inputs": {"a": {"link": ["a", 0]}, "b": {"link": ["b", 0]}}},
        "s": {"class": "Save", "inputs": {"samples": {"link": ["p", 1]}, "anything": {"link": ["p", 0]}}}}}"#;
    let (prompt, _) = to_text(&project(text), Format::Prompt, &Shelf);
    let prompt: serde_json::Value = serde_json::from_str(&prompt).unwrap();
    assert_eq!(
        prompt["s"]["inputs"].to_string(),
        r#"{"samples":["b",0],"anything":["a",0]}"#
    );
}

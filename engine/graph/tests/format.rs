//! Project and prompt files: their golden text, what survives, what is refused and how.

mod common;

use common::{Shelf, project};
use expect_test::expect;
use longtake_graph::format::{Format, to_text};
use longtake_graph::{Input, ReadErrorKind, read, read_bytes, write};
use serde_json::json;

const PROMPT: &str = r#"{
  "1": {"class_type": "Loader", "inputs": {"unet_name": "wan.safetensors"}},
  "12:98": {"class_type": "KSampler", "_meta": {"title": "Shot 12", "k": 1}, "is_changed": [0.5],
    "inputs": {"model": ["1", 0], "seed": 18446744073709551615, "cfg": 6.0, "list": {"__value__": ["1", 0]},
               "odd": {"__value__": {"__value__": 3}}, "link": {"link": ["1", 0]}}},
  "9": {"class_type": "FancyUnknown", "inputs": {"x": {"deep": [1, [2, {"y": null}]]}, "from": ["12:98", 3]}}
}"#;

#[test]
fn project_text_is_stable_and_nice_to_diff() {
    let mut film = project(PROMPT);
    film.title = "雨 \"rain\"".to_owned();
    let node = film.nodes.get_mut("12:98").unwrap();
    (node.pos, node.size, node.collapsed) = (Some([40.0, 80.5]), Some([210.0, 0.1]), true);
    node.mode = longtake_graph::Mode::Bypass;
    node.colour = Some("#334455".to_owned());
    film.nodes.get_mut("9").unwrap().inputs.insert(
        "shots".to_owned(),
        Input::Literal(json!([{"id": "01", "prompt": "p".repeat(90), "seconds": 2.0}, {"id": "02", "seconds": 1}])),
    );
    film.groups.insert(
        "g".into(),
        longtake_graph::Group {
            title: "G".into(),
            ..Default::default()
        },
    );
    film.notes.insert(
        "n".into(),
        longtake_graph::Note {
            text: "a\nb".into(),
            ..Default::default()
        },
    );
    film.extra.insert("future".to_owned(), json!({"a": 1}));
    let text = film.to_json();
    expect![[r##"
        {
          "longtake": 1,
          "title": "雨 \"rain\"",
          "nodes": {
            "1": {
              "class": "Loader",
              "inputs": {
                "unet_name": "wan.safetensors"
              }
            },
            "12:98": {
              "class": "KSampler", "title": "Shot 12", "pos": [40, 80.5], "size": [210, 0.1], "mode": "bypass", "colour": "#334455", "collapsed": true,
              "inputs": {
                "model": {"link": ["1", 0]},
                "seed": 18446744073709551615,
                "cfg": 6.0,
                "list": ["1", 0],
                "odd": {"__value__": 3},
                "link": {
                  "literal": {"link": ["1", 0]}
                }
              },
              "comfyui": {"_meta": {"k": 1}, "is_changed": [0.5]}
            },
            "9": {
              "class": "FancyUnknown",
              "inputs": {
                "x": {"deep": [1, [2, {"y": null}]]},
                "from": {"link": ["12:98", 3]},
                "shots": [
                  {
                    "id": "01",
                    "prompt": "pppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppp",
                    "seconds": 2.0
                  },
                  {"id": "02", "seconds": 1}
                ]
              }
            }
          },
          "groups": {
            "g": {
              "title": "G", "bounds": [0, 0, 0, 0]
            }
          },
          "notes": {
            "n": {
              "text": "a\nb",
              "bounds": [0, 0, 0, 0]
            }
          },
          "future": {"a": 1}
        }
    "##]]
    .assert_eq(&text);
    assert_eq!(project(&text), film);
    assert_eq!(project(&text).to_json(), text);
}

#[test]
fn subgraphs_are_saved_at_the_root() {
    let text = expect![[r#"
        {
          "longtake": 1,
          "title": "",
          "nodes": {
            "5": {"class": "soft"}
          },
          "subgraphs": {
            "soft": {
              "inputs": [
                {"name": "image", "kind": "IMAGE", "label": "picture", "later": [1]}
              ],
              "outputs": [],
              "graph": {
                "title": "Soften",
                "nodes": {
                  "-10": {"class": "SubgraphInput", "pos": [0, 0]}
                },
                "groups": {
                  "g": {
                    "title": "", "bounds": [0, 0, 1, 1]
                  }
                },
                "longtake": "kept"
              },
              "uuid": 7
            }
          }
        }
    "#]];
    text.assert_eq(&project(text.data()).to_json());
    let bare = project(r#"{"longtake": 1, "subgraphs": {"s": {"inputs": [{"name": "x"}]}}}"#);
    assert_eq!(bare.subgraphs["s"].inputs[0].kind, "*");
}

#[test]
fn prompt_text_is_stable() {
    let (text, found) = to_text(&project(PROMPT), Format::Prompt, &Shelf);
    assert_eq!(found, []);
    expect![[r#"
        {
          "1": {
            "class_type": "Loader",
            "inputs": {
              "unet_name": "wan.safetensors"
            }
          },
          "12:98": {
            "class_type": "KSampler", "_meta": {"title": "Shot 12", "k": 1},
            "inputs": {
              "model": ["1", 0],
              "seed": 18446744073709551615,
              "cfg": 6.0,
              "list": {"__value__": ["1", 0]},
              "odd": {"__value__": {"__value__": 3}},
              "link": {"link": ["1", 0]}
            },
            "is_changed": [0.5]
          },
          "9": {
            "class_type": "FancyUnknown",
            "inputs": {
              "x": {"deep": [1, [2, {"y": null}]]},
              "from": ["12:98", 3]
            }
          }
        }
    "#]]
    .assert_eq(&text);
    assert_eq!(project(&text), project(PROMPT));
}

#[test]
fn unknown_keys_survive_everywhere() {
    let text = r#"{"longtake": 1, "top": [1], "nodes": {"a": {"class": "X", "later": {"k": 1.5}, "mode": "active"}},
        "groups": {"g": {"title": "t", "bounds": [1, 2, 3, 4], "locked": true}},
        "notes": {"n": {"text": "t", "bounds": [1, 2, 3, 4], "font": 3}}}"#;
    let once = project(text);
    assert_eq!(once.extra["top"], json!([1]));
    assert_eq!(once.nodes["a"].extra["later"], json!({"k": 1.5}));
    assert_eq!(once.groups["g"].extra["locked"], json!(true));
    assert_eq!(once.notes["n"].extra["font"], json!(3));
    assert_eq!(project(&once.to_json()), once);
    // A prompt's foreign entries too, through both formats.
    let odd = project(r#"{"a": {"class_type": "X", "class": 1, "inputs": {}}, "version": 0.4}"#);
    assert_eq!(project(&odd.to_json()), odd);
    let (prompt, _) = to_text(&odd, Format::Prompt, &Shelf);
    assert_eq!(project(&prompt), odd);
}

#[test]
fn refusals_name_place_expectation_and_finding() {
    let nested = |depth: usize| {
        format!(
            r#"{{"1": {{"class_type": "X", "inputs": {{"a": {{"__value__": {}{}}}}}}}}}"#,
            "[".repeat(depth),
            "]".repeat(depth)
        )
    };
    let rows: &[(&[u8], ReadErrorKind, &str)] = &[
        (b"", ReadErrorKind::Syntax, "test:1:0: the file ends too early"),
        (b"{\"longtake\": 1, \"nodes\": {\n  \"1\": {\"cl", ReadErrorKind::Syntax, "test:2:11: the file ends too early"),
        (b"[]", ReadErrorKind::NotAGraph, "expected an object"),
        (b"{\"a\": 1}", ReadErrorKind::NotAGraph, "found none of them"),
        (b"{\"1\": {\"class_type\": \"X\"}} x", ReadErrorKind::Syntax, "test:1:28: this is not JSON: trailing characters"),
        (b"\xff\xfe{\x00}\x00", ReadErrorKind::Text, "test:1:1: expected JSON in UTF-8, found a byte that is not; it looks like UTF-16"),
        (b"{\n \"a\xc3\": 1}", ReadErrorKind::Text, "test:2:4: expected JSON in UTF-8"),
        (br#"{"1": {"class_type": "X", "inputs": {"cfg": NaN}}}"#, ReadErrorKind::Syntax, "JSON has no NaN"),
        (br#"{"1": {"class_type": "X", "inputs": {"cfg": -Infinity}}}"#, ReadErrorKind::Syntax, "JSON has no NaN"),
        (br#"{"1": {"class_type": "X", "inputs": {"cfg": 1e999}}}"#, ReadErrorKind::Syntax, "number out of range"),
        (b"{\"longtake\": 1,\n\"nodes\": {\"1\": {\"class\": \"X\"},\n \"1\": {\"class\": \"Y\"}}}", ReadErrorKind::DuplicateKey, "test:3:4: duplicate key \"1\""),
        (br#"{"1": {"class_type": "X", "inputs": {"a": 1, "a": 1}}}"#, ReadErrorKind::DuplicateKey, "duplicate key \"a\""),
        (br#"{"longtake": 2}"#, ReadErrorKind::Newer, "test:1:14: `longtake`: this project was saved by a newer Longtake (file version 2"),
        (br#"{"longtake": "x"}"#, ReadErrorKind::Shape, "expected a file version, 1 or more, found the text \"x\""),
        (br#"{"longtake": 1, "nodes": []}"#, ReadErrorKind::Shape, "`nodes`: expected an object"),
        (b"{\"longtake\": 1,\n\"nodes\": {\"7\": {}}}", ReadErrorKind::Shape, "test:2:17: `nodes.7`: expected a `class`"),
        (b"{\"longtake\": 1,\n\"nodes\": {\"7\": {\"class\": 5}}}", ReadErrorKind::Shape, "test:2:26: `nodes.7.class`: expected a text, found 5"),
        (br#"{"longtake": 1, "nodes": {"7": {"class": "X", "pos": [1]}}}"#, ReadErrorKind::Shape, "`nodes.7.pos`: expected a list of 2 numbers"),
        (br#"{"longtake": 1, "nodes": {"7": {"class": "X", "pos": [1, 1e300]}}}"#, ReadErrorKind::Shape, "`nodes.7.pos`"),
        (b"{\"longtake\": 1,\n\"subgraphs\": {\"s\": {\"outputs\": [{\"name\": 1}]}}}", ReadErrorKind::Shape, "test:2:42: `subgraphs.s.outputs.0.name`: expected a text, found 1"),
        (br#"{"longtake": 1, "subgraphs": {"s": {"inputs": [{}]}}}"#, ReadErrorKind::Shape, "`subgraphs.s.inputs.0`: expected the port's `name`"),
        (br#"{"longtake": 1, "subgraphs": {"s": {"graph": {"nodes": {"7": {}}}}}}"#, ReadErrorKind::Shape, "`subgraphs.s.graph.nodes.7`: expected a `class`"),
        (br#"{"longtake": 1, "nodes": {"7": {"class": "X", "mode": 4}}}"#, ReadErrorKind::Shape, "expected one of \"active\", \"mute\", \"bypass\", found 4"),
        (br#"{"longtake": 1, "nodes": {"7": {"class": "X", "inputs": {"a": {"link": ["1"]}}}}}"#, ReadErrorKind::Shape, "`nodes.7.inputs.a`: expected a link"),
        (br#"{"longtake": 1, "nodes": {"7": {"class": "X", "inputs": {"a": {"link": ["1", -1]}}}}}"#, ReadErrorKind::Shape, "expected a link"),
        (br#"{"1": {"class_type": 5}}"#, ReadErrorKind::Shape, "`1.class_type`: expected the name of a node class, found 5"),
        (br#"{"1": {"class_type": "X", "inputs": []}}"#, ReadErrorKind::Shape, "`1.inputs`: expected an object of inputs, found an empty list"),
        (br#"{"nodes": {}, "links": [], "version": 0.4}"#, ReadErrorKind::NotAGraph, "a ComfyUI workflow (a list of `nodes`)"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\0IEND", ReadErrorKind::NotAGraph, "this PNG picture carries no graph"),
        (br#"{"prompt": {"1": {"class_type": "X"}}}"#, ReadErrorKind::NotAGraph, "under its `prompt` key"),
        (nested(65).leak().as_bytes(), ReadErrorKind::TooDeep, "`1.inputs.a`: this value is nested deeper than 64 levels"),
        (nested(10_000).leak().as_bytes(), ReadErrorKind::TooDeep, "more than 128 levels"),
        ("[".repeat(10_000).leak().as_bytes(), ReadErrorKind::TooDeep, "more than 128 levels"),
        ("{\"a\":".repeat(10_000).leak().as_bytes(), ReadErrorKind::TooDeep, "more than 128 levels"),
    ];
    for (bytes, kind, wanted) in rows {
        let error = read_bytes("test", bytes).expect_err(wanted);
        let shown: String = error.to_string();
        assert_eq!(error.kind, *kind, "{shown}");
        assert_eq!(error.sentence().lacks(), None);
        assert!(shown.contains(wanted), "wanted `{wanted}` in `{shown}`");
    }
}

#[test]
fn what_is_read_at_the_depth_limit_can_be_written_and_read_again() {
    let depth = longtake_graph::format::MAX_LITERAL_DEPTH;
    let text = format!(
        r#"{{"1": {{"class_type": "X", "inputs": {{"a": {{"__value__": {}{}}}}}}}}}"#,
        "[".repeat(depth),
        "]".repeat(depth)
    );
    let graph = project(&text);
    assert_eq!(project(&graph.to_json()), graph);
    assert_eq!(project(&to_text(&graph, Format::Prompt, &Shelf).0), graph);
}

#[test]
fn numbers_and_marks() {
    let (_, _, found) = read_bytes("test", br#"{"1": {"class_type": "X", "inputs":
        {"a": 18446744073709551616, "b": 18446744073709551615, "c": "99999999999999999999", "d": 1e30}}}"#).unwrap();
    let text: Vec<String> = found.iter().map(ToString::to_string).collect();
    assert_eq!(text.len(), 1, "{text:?}");
    assert!(
        text[0].contains("test:2:15: 18446744073709551616 does not fit in 64 bits"),
        "{text:?}"
    );
    let marked = read_bytes("test", b"\xef\xbb\xbf{\"longtake\": 1}").unwrap();
    assert_eq!(marked.1, Format::Project);
}

#[test]
fn half_links_are_kept_and_reported() {
    for literal in [
        "[]",
        "[\"1\"]",
        "[1, 0]",
        "[\"1\", \"0\"]",
        "[\"1\", 0.5]",
        "[\"1\", -1]",
        "[\"1\", 0, 0]",
        "[\"1\", 1e20]",
    ] {
        let text = format!(r#"{{"2": {{"class_type": "X", "inputs": {{"a": {literal}}}}}}}"#);
        let (graph, _, found) = read_bytes("test", text.as_bytes()).unwrap();
        assert_eq!(
            found.iter().map(|it| it.code).collect::<Vec<_>>(),
            ["bad_linked_input"],
            "{literal}"
        );
        let wanted: serde_json::Value = serde_json::from_str(literal).unwrap();
        assert_eq!(graph.nodes["2"].inputs["a"], Input::Literal(wanted));
    }
}

#[test]
fn files_are_written_at_once_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let graph = project(PROMPT);
    for (name, format) in [("a.longtake", Format::Project), ("a.json", Format::Prompt)] {
        let path = folder.path().join(name);
        assert_eq!(Format::of_path(&path), format);
        write(&path, &graph, format, &Shelf).unwrap();
        let (again, found, _) = read(&path).unwrap();
        assert_eq!((again, found), (graph.clone(), format));
    }
    let gone = folder.path().join("no/such/folder.longtake");
    let error = write(&gone, &graph, Format::Project, &Shelf)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("cannot write") && error.contains("folder.longtake"),
        "{error}"
    );
    assert_eq!(read(&gone).unwrap_err().kind, ReadErrorKind::Io);
    assert_eq!(read(folder.path()).unwrap_err().kind, ReadErrorKind::Io);
    // A folder cannot be replaced by a file: nothing is left behind.
    let taken = folder.path().join("taken");
    std::fs::create_dir(&taken).unwrap();
    write(&taken, &graph, Format::Project, &Shelf).unwrap_err();
    let names = std::fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(names, 3, "two files and the folder");
}

#[cfg(unix)]
#[test]
fn a_link_to_a_file_stays_a_link_and_modes_are_kept() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let folder = tempfile::tempdir().unwrap();
    let (file, link) = (
        folder.path().join("real.longtake"),
        folder.path().join("link.longtake"),
    );
    std::fs::write(&file, "old").unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o640)).unwrap();
    symlink(&file, &link).unwrap();
    write(&link, &project(PROMPT), Format::Project, &Shelf).unwrap();
    assert!(link.is_symlink());
    assert_eq!(read(&file).unwrap().0, project(PROMPT));
    assert_eq!(
        std::fs::metadata(&file).unwrap().permissions().mode() & 0o777,
        0o640
    );
}

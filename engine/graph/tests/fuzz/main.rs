//! Every importer against damaged files: an answer each time, in bounded memory, and what is
//! accepted can be written and read again as the same document.
//!
//! The damage is the same on every run. `LONGTAKE_FUZZ=100000` damages each kind of file that often.

#[path = "../common/comfy.rs"]
mod comfy;
#[path = "../../../models/tests/counting/mod.rs"]
mod counting;
mod mutate;

use std::sync::{Mutex, PoisonError};

use comfy::{Comfy, corpus};
use longtake_graph::format::carrier::MAX_TEXT;
use longtake_graph::format::{Format, to_text};
use longtake_graph::{check, read_bytes_with};
use mutate::Dice;
use serde_json::Value;

/// Every test measures memory: one at a time where they share a process.
static ALONE: Mutex<()> = Mutex::new(());

/// Most memory to read `len` bytes with. An object takes two bytes in a file and a few hundred in
/// a document; a carrier's text may be packed.
fn allowed(len: usize) -> u64 {
    (16 << 20) + 600 * len as u64
}

fn cases() -> usize {
    let asked = std::env::var("LONGTAKE_FUZZ").ok();
    asked.and_then(|it| it.parse().ok()).unwrap_or(2000)
}

/// Reads bytes and holds the answer to what must be true. Whether they were accepted.
fn read(case: &dyn Fn() -> String, bytes: &[u8]) -> bool {
    let (answer, peak, _) = counting::measure(|| read_bytes_with("damaged", bytes, &Comfy));
    assert!(
        peak <= allowed(bytes.len()),
        "{}: {peak} bytes for {}",
        case(),
        bytes.len()
    );
    let loaded = match answer {
        Ok(loaded) => loaded,
        Err(error) => {
            assert!(
                error.sentence().lacks().is_none() && error.to_string().len() < 2000,
                "{}: {error}",
                case()
            );
            return false;
        }
    };
    let text = loaded.project.to_json();
    let again = read_bytes_with("again", text.as_bytes(), &Comfy);
    let again = again.unwrap_or_else(|error| panic!("{}: {error}\n{text}", case()));
    assert!(
        again.project == loaded.project,
        "{}: written and read, it differs\n{text}",
        case()
    );
    for finding in check(&loaded.project, &Comfy)
        .iter()
        .chain(&loaded.diagnostics)
    {
        assert!(finding.to_string().len() < 4000, "{}: {finding}", case());
    }
    let (prompt, _) = to_text(&loaded.project, Format::Prompt, &Comfy);
    if let Err(error) = read_bytes_with("as prompt", prompt.as_bytes(), &Comfy) {
        panic!("{}: {error}\n{prompt}", case());
    }
    true
}

/// Damages the files of a folder. Some of it must be harmless and some not, or nothing is tried.
fn fuzz(kind: &str) {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let files: Vec<_> = corpus(kind)
        .iter()
        .map(|it| std::fs::read(it).expect("a file of the corpus"))
        .collect();
    let documents: Vec<Value> = (files
        .iter()
        .filter_map(|it| serde_json::from_slice(it).ok()))
    .collect();
    let cases = cases();
    let mut accepted = 0;
    for case in 0..cases {
        let mut dice = Dice::new(case as u64);
        let pick = |dice: &mut Dice, len| (dice.below(len), dice.below(len));
        let bytes = if case % 2 == 0 && !documents.is_empty() {
            let (at, other) = pick(&mut dice, documents.len());
            mutate::json(&mut dice, &documents[at], &documents[other])
                .to_string()
                .into_bytes()
        } else {
            let (at, other) = pick(&mut dice, files.len());
            mutate::bytes(&mut dice, &files[at], &files[other])
        };
        accepted += usize::from(read(&|| format!("{kind} {case}"), &bytes));
    }
    println!("{kind}: {accepted} of {cases} accepted");
    assert!(
        accepted > cases / 50 && accepted < cases - cases / 50,
        "{kind}: {accepted} of {cases}"
    );
}

#[test]
fn project() {
    fuzz("project");
}

#[test]
fn prompt() {
    fuzz("prompt");
}

#[test]
fn workflow() {
    fuzz("workflow");
}

#[test]
fn png() {
    fuzz("png");
}

#[test]
fn webp() {
    fuzz("webp");
}

#[test]
fn mp4() {
    fuzz("mp4");
}

#[test]
fn mkv() {
    fuzz("mkv");
}

#[test]
fn safetensors() {
    fuzz("safetensors");
}

/// Every file of the corpus cut off after each of its bytes.
#[test]
fn cut_off_anywhere() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    for kind in ["png", "webp", "mp4", "mkv", "safetensors"] {
        for file in corpus(kind) {
            let bytes = std::fs::read(&file).unwrap();
            for end in (0..bytes.len()).step_by(7) {
                read(&|| format!("{} to {end}", file.display()), &bytes[..end]);
            }
        }
    }
}

/// Whole files, undamaged. `LONGTAKE_WORKFLOWS` names a folder of further workflows (ComfyUI's
/// templates, say) to be read as well.
#[test]
fn whole_files() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let mut files = corpus("workflow");
    if let Some(folder) = std::env::var_os("LONGTAKE_WORKFLOWS") {
        let entries = std::fs::read_dir(folder).unwrap();
        files.extend(entries.map(|it| it.unwrap().path()));
    }
    let (mut nodes, mut read_files, mut told) = (0, 0, (0, Vec::new()));
    for file in files {
        let bytes = std::fs::read(&file).unwrap();
        let Ok(saved) = serde_json::from_slice::<Value>(&bytes) else {
            continue;
        };
        let Some(saved) = saved["nodes"].as_array() else {
            continue;
        };
        assert!(
            read(&|| file.display().to_string(), &bytes),
            "{}",
            file.display()
        );
        agree(&file.display().to_string(), &bytes, &mut told);
        let loaded = read_bytes_with("", &bytes, &Comfy).unwrap();
        let kept = loaded.project.nodes.len() + loaded.project.notes.len();
        let objects = saved.iter().filter(|it| it.is_object()).count();
        let primitive = |it: &&Value| it["type"] == "PrimitiveNode";
        let primitives = saved.iter().filter(primitive).count();
        assert!(kept + primitives >= objects, "{}", file.display());
        read_files += 1;
        nodes += objects;
    }
    let (compared, wrong) = told;
    println!(
        "{read_files} workflows, {nodes} nodes; {compared} named, {}",
        wrong.len()
    );
    assert!(wrong.len() * 100 <= compared, "{wrong:#?}");
}

/// Where a file names its values, their order alone must say the same: known nodes are compared.
fn agree(file: &str, bytes: &[u8], told: &mut (usize, Vec<String>)) {
    let Ok(mut saved) = serde_json::from_slice::<Value>(bytes) else {
        return;
    };
    let mut open = vec![&mut saved];
    while let Some(value) = open.pop() {
        match value {
            Value::Array(items) => open.extend(items),
            Value::Object(map) => {
                map.shift_remove("widgets_values_named");
                open.extend(map.values_mut());
            }
            _ => {}
        }
    }
    let read = |bytes: &[u8]| {
        let loaded = read_bytes_with(file, bytes, &Comfy);
        loaded.expect("it was read before").project
    };
    let (named, listed) = (read(bytes), read(saved.to_string().as_bytes()));
    let inside = |it: &longtake_graph::Project| -> Vec<longtake_graph::Node> {
        let graphs = it.subgraphs.values().map(|it| &it.graph).chain([it]);
        graphs.flat_map(|it| it.nodes.values().cloned()).collect()
    };
    for (a, b) in inside(&named).iter().zip(&inside(&listed)) {
        if !a.extra.contains_key("comfyui") {
            told.0 += 1;
            if a.inputs != b.inputs {
                told.1.push(format!("{file}: {a:?}\n{b:?}"));
            }
        }
    }
}

/// A small picture whose text unpacks to more than any graph has.
#[test]
fn a_bomb_is_left_alone() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let spaces = vec![b' '; MAX_TEXT as usize + 1];
    let packed = miniz_oxide::deflate::compress_to_vec_zlib(&spaces, 1);
    drop(spaces);
    let chunk = [b"workflow\0\0", packed.as_slice()].concat();
    let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
    for _ in 0..3 {
        png.extend((chunk.len() as u32).to_be_bytes());
        png.extend([b"zTXt", chunk.as_slice(), &[0; 4]].concat());
    }
    let (answer, peak, live) = counting::measure(|| read_bytes_with("bomb", &png, &Comfy).is_ok());
    assert!(
        !answer && peak < 4 * MAX_TEXT && live < 1 << 20,
        "{peak} {live}"
    );
}

/// Lists as long as a file can make them: time and memory grow with the file, and no faster.
#[test]
fn many_of_everything() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let list = |count: usize, item: &str| vec![item; count].join(",");
    let chain: Vec<_> = (1..20_000)
        .map(|at| format!(r#"{{"id":{at},"parentId":{}}}"#, at + 1))
        .collect();
    let links: Vec<_> = (1..20_000)
        .map(|at| format!(r#"{{"id":{at},"origin_id":1,"origin_slot":0,"target_id":1,"target_slot":0,"parentId":1}}"#))
        .collect();
    for text in [
        format!(r#"{{"nodes":[{}]}}"#, list(60_000, "{}")),
        format!(
            r#"{{"nodes":[{}]}}"#,
            list(30_000, r#"{"id":1,"type":"Note"}"#)
        ),
        format!(
            r#"{{"nodes":[{{"id":1}}],"links":[{}],"reroutes":[{}]}}"#,
            links.join(","),
            chain.join(",")
        ),
        format!(
            r#"{{"nodes":[],"definitions":{{"subgraphs":[{}]}}}}"#,
            list(30_000, r#"{"id":"a"}"#)
        ),
        format!(
            r#"{{"nodes":[],"groups":[{}]}}"#,
            list(60_000, r#"{"id":1}"#)
        ),
        format!(
            r#"{{"nodes":[{{"type":"KSampler","widgets_values":[{}]}}]}}"#,
            list(200_000, "[]")
        ),
    ] {
        let began = std::time::Instant::now();
        read(&|| text.chars().take(60).collect(), text.as_bytes());
        assert!(began.elapsed().as_secs() < 20, "{:?}", began.elapsed());
    }
}

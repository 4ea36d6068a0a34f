//! Reading a project file.

use indexmap::IndexMap;
use serde_json::{Map, Value};

use super::{VERSION, wrapper};
use crate::format::{ReadErrorKind, Wrong, shallow};
use crate::say;
use crate::{Group, Input, Kind, Link, Mode, Node, NodeId, Note, Port, Project, Subgraph};

/// Reads the top object of a project file.
pub(in crate::format) fn from_json(mut top: Map<String, Value>) -> Result<Project, Wrong> {
    version(top.shift_remove("longtake").unwrap_or_default())?;
    let mut subgraphs = IndexMap::new();
    for (id, value) in object(&["subgraphs"], top.shift_remove("subgraphs"))? {
        let subgraph = subgraph(value).map_err(|wrong| wrong.within(&["subgraphs", &id]))?;
        subgraphs.insert(id, subgraph);
    }
    Ok(Project {
        subgraphs,
        ..graph(top)?
    })
}

/// The graph in these fields; what is no part of one is kept. Paths of errors start here.
fn graph(mut fields: Map<String, Value>) -> Result<Project, Wrong> {
    let mut graph = Project {
        title: text(&["title"], fields.shift_remove("title"))?.unwrap_or_default(),
        ..Project::default()
    };
    for (id, value) in object(&["nodes"], fields.shift_remove("nodes"))? {
        let node = node(&["nodes", &id], value)?;
        graph.nodes.insert(NodeId::new(&id), node);
    }
    for (id, value) in object(&["groups"], fields.shift_remove("groups"))? {
        let path = ["groups", &id];
        let mut own = object(&path, Some(value))?;
        let group = Group {
            title: text(&["groups", &id, "title"], own.shift_remove("title"))?.unwrap_or_default(),
            bounds: points(&["groups", &id, "bounds"], own.shift_remove("bounds"))?
                .unwrap_or_default(),
            colour: text(&["groups", &id, "colour"], own.shift_remove("colour"))?,
            extra: kept(&path, own)?,
        };
        graph.groups.insert(id, group);
    }
    for (id, value) in object(&["notes"], fields.shift_remove("notes"))? {
        let path = ["notes", &id];
        let mut own = object(&path, Some(value))?;
        let note = Note {
            text: text(&["notes", &id, "text"], own.shift_remove("text"))?.unwrap_or_default(),
            bounds: points(&["notes", &id, "bounds"], own.shift_remove("bounds"))?
                .unwrap_or_default(),
            extra: kept(&path, own)?,
        };
        graph.notes.insert(id, note);
    }
    graph.extra = kept(&[], fields)?;
    Ok(graph)
}

fn subgraph(value: Value) -> Result<Subgraph, Wrong> {
    let mut fields = object(&[], Some(value))?;
    let inner = object(&["graph"], fields.shift_remove("graph"))?;
    Ok(Subgraph {
        inputs: ports("inputs", fields.shift_remove("inputs"))?,
        outputs: ports("outputs", fields.shift_remove("outputs"))?,
        graph: graph(inner).map_err(|wrong| wrong.within(&["graph"]))?,
        extra: kept(&[], fields)?,
    })
}

fn ports(side: &str, value: Option<Value>) -> Result<Vec<Port>, Wrong> {
    let items = match value {
        None => Vec::new(),
        Some(Value::Array(items)) => items,
        Some(other) => {
            return Err(Wrong::ty(
                &[side],
                &say!("a list of ports `[{{…}}]`", "ポートのリスト `[{{…}}]` "),
                &other,
            ));
        }
    };
    let port = |(at, value): (usize, Value)| {
        let path = [side, &at.to_string()];
        let mut fields = object(&path, Some(value))?;
        let mut field = |key| text(&[path[0], path[1], key], fields.shift_remove(key));
        let Some(name) = field("name")? else {
            let message = say!(
                "expected the port's `name`, found none",
                "ポートの「name」がありません"
            );
            return Err(Wrong::new(&path, message));
        };
        Ok(Port {
            name,
            kind: field("kind")?.unwrap_or_else(|| Kind::ANY.as_str().to_owned()),
            label: field("label")?,
            extra: kept(&path, fields)?,
        })
    };
    items.into_iter().enumerate().map(port).collect()
}

fn version(found: Value) -> Result<(), Wrong> {
    match found.as_u64() {
        Some(VERSION) => Ok(()),
        Some(newer) if newer > VERSION => Err(Wrong {
            kind: ReadErrorKind::Newer,
            ..Wrong::new(
                &["longtake"],
                say!(
                    "this project was saved by a newer Longtake (file version {newer}, this \
                    program reads up to {VERSION}); update Longtake to open it",
                    "このプロジェクトは新しい版の Longtake で保存されています(ファイルのバージョン {newer}、\
                    このプログラムが読めるのは {VERSION} まで)。Longtake を更新してください"
                ),
            )
        }),
        _ => Err(Wrong::ty(
            &["longtake"],
            &say!("a file version, 1 or more", "1 以上のファイルのバージョン"),
            &found,
        )),
    }
}

fn node(path: &[&str; 2], value: Value) -> Result<Node, Wrong> {
    let mut fields = object(path, Some(value))?;
    let at = |key: &'static str| [path[0], path[1], key];
    let class = text(&at("class"), fields.shift_remove("class"))?.ok_or_else(|| {
        let message = say!(
            "expected a `class`, the name of a node class; found none",
            "ノードのクラス名「class」がありません"
        );
        Wrong::new(path, message)
    })?;
    let mut node = Node {
        class,
        title: text(&at("title"), fields.shift_remove("title"))?,
        pos: points(&at("pos"), fields.shift_remove("pos"))?,
        size: points(&at("size"), fields.shift_remove("size"))?,
        mode: mode(&at("mode"), fields.shift_remove("mode"))?,
        colour: text(&at("colour"), fields.shift_remove("colour"))?,
        collapsed: truth(&at("collapsed"), fields.shift_remove("collapsed"))?,
        inputs: IndexMap::new(),
        extra: Map::new(),
    };
    for (name, value) in object(&at("inputs"), fields.shift_remove("inputs"))? {
        let input = input(&[path[0], path[1], "inputs", &name], value)?;
        node.inputs.insert(name, input);
    }
    node.extra = kept(path, fields)?;
    Ok(node)
}

fn input(path: &[&str], value: Value) -> Result<Input, Wrong> {
    let input = match wrapper(&value) {
        Some(("link", end)) => Input::Link(link(path, end)?),
        Some((_, literal)) => Input::Literal(literal.clone()),
        None => Input::Literal(value),
    };
    if let Input::Literal(value) = &input {
        shallow(path, value)?;
    }
    Ok(input)
}

fn link(path: &[&str], end: &Value) -> Result<Link, Wrong> {
    let parts = end.as_array().map(Vec::as_slice);
    if let Some([Value::String(node), output]) = parts
        && let Some(output) = output.as_u64().and_then(|at| u32::try_from(at).ok())
    {
        return Ok(Link {
            node: NodeId::new(node),
            output,
        });
    }
    let expected = say!(
        "a link [\"node id\", output number] (an object literal with the key `link` is \
        written `{{\"literal\": {{…}}}}`)",
        "リンク [\"ノード ID\", 出力番号] (キー「link」を持つオブジェクトの値は `{{\"literal\": {{…}}}}` と書きます)"
    );
    Err(Wrong::ty(path, &expected, end))
}

fn object(path: &[&str], value: Option<Value>) -> Result<Map<String, Value>, Wrong> {
    match value {
        None => Ok(Map::new()),
        Some(Value::Object(map)) => Ok(map),
        Some(other) => Err(Wrong::ty(
            path,
            &say!("an object `{{…}}`", "オブジェクト `{{…}}` "),
            &other,
        )),
    }
}

fn text(path: &[&str], value: Option<Value>) -> Result<Option<String>, Wrong> {
    match value {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(other) => Err(Wrong::ty(path, &say!("a text", "テキスト"), &other)),
    }
}

fn truth(path: &[&str], value: Option<Value>) -> Result<bool, Wrong> {
    match value {
        None => Ok(false),
        Some(Value::Bool(truth)) => Ok(truth),
        Some(other) => Err(Wrong::ty(
            path,
            &say!("true or false", "true か false "),
            &other,
        )),
    }
}

fn mode(path: &[&str], value: Option<Value>) -> Result<Mode, Wrong> {
    let Some(value) = value else {
        return Ok(Mode::Active);
    };
    match value.as_str() {
        Some("active") => Ok(Mode::Active),
        Some("mute") => Ok(Mode::Mute),
        Some("bypass") => Ok(Mode::Bypass),
        _ => Err(Wrong::ty(
            path,
            &say!(
                "one of \"active\", \"mute\", \"bypass\"",
                "\"active\"、\"mute\"、\"bypass\" のいずれか"
            ),
            &value,
        )),
    }
}

fn points<const N: usize>(path: &[&str], value: Option<Value>) -> Result<Option<[f32; N]>, Wrong> {
    let Some(value) = value else {
        return Ok(None);
    };
    let numbers = value
        .as_array()
        .filter(|items| items.len() == N)
        .and_then(|items| {
            let number = |item: &Value| item.as_f64().map(|n| n as f32).filter(|n| n.is_finite());
            items.iter().map(number).collect::<Option<Vec<f32>>>()
        });
    match numbers.and_then(|numbers| <[f32; N]>::try_from(numbers).ok()) {
        Some(points) => Ok(Some(points)),
        None => Err(Wrong::ty(
            path,
            &say!(
                "a list of {N} numbers (points on the canvas)",
                "{N} 個の数値のリスト(キャンバス上の位置)"
            ),
            &value,
        )),
    }
}

/// The keys that no field took.
fn kept(path: &[&str], fields: Map<String, Value>) -> Result<Map<String, Value>, Wrong> {
    for (key, value) in &fields {
        shallow(&[path, &[key.as_str()]].concat(), value)?;
    }
    Ok(fields)
}

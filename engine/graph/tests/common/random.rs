//! Random projects and edits. Ids come from a small pool, so that edits meet, and links too.

use indexmap::IndexMap;
use longtake_graph::{Edit, Group, Input, Link, Mode, Node, NodeId, Note, Port, Project, Subgraph};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use serde_json::{Map, Number, Value};

/// Any JSON, with the keys that could be taken for something else.
pub fn literal() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(|it| Number::from_f64(it).map_or(Value::Null, Value::Number)),
        any::<String>().prop_map(Value::from),
        id().prop_map(|it| Value::from(it.as_str())),
    ];
    let key = prop_oneof![
        Just("link".to_owned()),
        Just("literal".to_owned()),
        Just("__value__".to_owned()),
        "[a-c]",
        any::<String>(),
    ];
    leaf.prop_recursive(3, 24, 4, move |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            vec((key.clone(), inner), 0..3).prop_map(|it| Value::Object(it.into_iter().collect())),
        ]
    })
}

pub fn id() -> impl Strategy<Value = NodeId> {
    prop_oneof![
        Just("1"),
        Just("2"),
        Just("7"),
        Just("12:98"),
        Just("あ\"\\"),
        Just("")
    ]
    .prop_map(NodeId::from)
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof!["[a-d]", Just("link".to_owned()), Just("k.é\n".to_owned())]
}

pub fn input() -> impl Strategy<Value = Input> {
    prop_oneof![
        literal().prop_map(Input::Literal),
        (id(), 0u32..4).prop_map(|(node, output)| Input::Link(Link { node, output })),
    ]
}

fn points<const N: usize>() -> impl Strategy<Value = [f32; N]> {
    let number = prop_oneof![
        (-500i16..500).prop_map(f32::from),
        any::<f32>().prop_filter("finite", |it| it.is_finite())
    ];
    vec(number, N).prop_map(|it| it.try_into().expect("as many as asked for"))
}

fn mode() -> impl Strategy<Value = Mode> {
    prop_oneof![Just(Mode::Active), Just(Mode::Mute), Just(Mode::Bypass)]
}

/// Keys of `extra`, and one that is a field's.
fn key() -> impl Strategy<Value = String> {
    prop_oneof![9 => "later[0-9]", 1 => Just("class".to_owned())]
}

/// Keys that no version has used yet.
fn extra() -> impl Strategy<Value = Map<String, Value>> {
    vec(("later[0-9]", literal()), 0..2).prop_map(|it| it.into_iter().collect())
}

pub fn node() -> impl Strategy<Value = Node> {
    let class = prop_oneof![
        Just("Mix"),
        Just("KSampler"),
        Just("Save"),
        Just("Mystery"),
        Just("Reroute"),
        Just("SubgraphInput"),
        Just("SubgraphOutput"),
        Just("s"),
        Just("t"),
    ];
    let look = (
        mode(),
        option::of(points()),
        option::of(points()),
        option::of(any::<String>()),
        any::<bool>(),
    );
    let inputs =
        vec((name(), input()), 0..5).prop_map(|it| it.into_iter().collect::<IndexMap<_, _>>());
    (class, option::of(any::<String>()), inputs, look, extra()).prop_map(
        |(class, title, inputs, (mode, pos, size, colour, collapsed), extra)| Node {
            class: class.to_owned(),
            title,
            inputs,
            mode,
            pos,
            size,
            colour,
            collapsed,
            extra,
        },
    )
}

fn group() -> impl Strategy<Value = Group> {
    (
        any::<String>(),
        points(),
        option::of(any::<String>()),
        extra(),
    )
        .prop_map(|(title, bounds, colour, extra)| Group {
            title,
            bounds,
            colour,
            extra,
        })
}

fn note() -> impl Strategy<Value = Note> {
    (any::<String>(), points(), extra()).prop_map(|(text, bounds, extra)| Note {
        text,
        bounds,
        extra,
    })
}

fn port() -> impl Strategy<Value = Port> {
    let kind = prop_oneof![Just("LATENT"), Just("INT"), Just("*")];
    (name(), kind, option::of(any::<String>()), extra()).prop_map(|(name, kind, label, extra)| {
        Port {
            name,
            kind: kind.to_owned(),
            label,
            extra,
        }
    })
}

fn ports() -> impl Strategy<Value = Vec<Port>> {
    vec(port(), 0..3)
}

fn subgraph() -> impl Strategy<Value = Subgraph> {
    (ports(), ports(), graph(), extra()).prop_map(|(inputs, outputs, graph, extra)| Subgraph {
        inputs,
        outputs,
        graph,
        extra,
    })
}

/// Definitions use each other, and themselves.
fn subgraph_id() -> impl Strategy<Value = String> {
    "[s-u]"
}

pub fn project() -> impl Strategy<Value = Project> {
    (graph(), vec((subgraph_id(), subgraph()), 0..3)).prop_map(|(graph, subgraphs)| Project {
        subgraphs: subgraphs.into_iter().collect(),
        ..graph
    })
}

/// A project without definitions.
pub fn graph() -> impl Strategy<Value = Project> {
    (
        any::<String>(),
        vec((id(), node()), 0..6),
        vec(("[g-i]", group()), 0..3),
        vec(("[n-p]", note()), 0..3),
        extra(),
    )
        .prop_map(|(title, nodes, groups, notes, extra)| Project {
            title,
            nodes: nodes.into_iter().collect(),
            groups: groups.into_iter().collect(),
            notes: notes.into_iter().collect(),
            extra,
            ..Project::default()
        })
}

pub fn edit() -> impl Strategy<Value = Edit> {
    let at = || option::of(0usize..7);
    let nodes = prop_oneof![
        (id(), node(), at()).prop_map(|(id, node, at)| Edit::AddNode { id, node, at }),
        id().prop_map(|id| Edit::RemoveNode { id }),
        id().prop_map(|id| Edit::TakeNode { id }),
        (id(), 0usize..7).prop_map(|(id, at)| Edit::ReorderNode { id, at }),
        (id(), name(), option::of(input())).prop_map(|(node, input, value)| Edit::SetInput {
            node,
            input,
            value
        }),
        (id(), name(), input(), 0usize..5).prop_map(|(node, input, value, at)| Edit::InsertInput {
            node,
            input,
            value,
            at
        }),
        (id(), option::of(any::<String>())).prop_map(|(id, title)| Edit::SetTitle { id, title }),
        (id(), mode()).prop_map(|(id, mode)| Edit::SetMode { id, mode }),
        (id(), option::of(any::<[f32; 2]>())).prop_map(|(id, pos)| Edit::Move { id, pos }),
        (id(), option::of(any::<[f32; 2]>())).prop_map(|(id, size)| Edit::Resize { id, size }),
        (id(), option::of(any::<String>())).prop_map(|(id, colour)| Edit::Colour { id, colour }),
        (id(), any::<bool>()).prop_map(|(id, collapsed)| Edit::Collapse { id, collapsed }),
        (id(), key(), option::of(literal())).prop_map(|(id, key, value)| Edit::SetExtra {
            id,
            key,
            value
        }),
        (id(), key(), literal(), 0usize..3).prop_map(|(id, key, value, at)| Edit::InsertExtra {
            id,
            key,
            value,
            at
        }),
    ];
    let canvas = prop_oneof![
        ("[g-i]", group(), at()).prop_map(|(id, group, at)| Edit::AddGroup { id, group, at }),
        "[g-i]".prop_map(|id| Edit::RemoveGroup { id }),
        ("[g-i]", group()).prop_map(|(id, group)| Edit::SetGroup { id, group }),
        ("[n-p]", note(), at()).prop_map(|(id, note, at)| Edit::AddNote { id, note, at }),
        "[n-p]".prop_map(|id| Edit::RemoveNote { id }),
        ("[n-p]", note()).prop_map(|(id, note)| Edit::SetNote { id, note }),
        any::<String>().prop_map(|title| Edit::SetProjectTitle { title }),
    ];
    let definitions = prop_oneof![
        (subgraph_id(), subgraph(), at()).prop_map(|(id, subgraph, at)| Edit::AddSubgraph {
            id,
            subgraph: Box::new(subgraph),
            at
        }),
        subgraph_id().prop_map(|id| Edit::RemoveSubgraph { id }),
        (subgraph_id(), ports(), ports()).prop_map(|(subgraph, inputs, outputs)| Edit::SetPorts {
            subgraph,
            inputs,
            outputs
        }),
    ];
    let single = prop_oneof![6 => nodes, 2 => canvas, 1 => definitions];
    single.prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Edit::Batch),
            (subgraph_id(), inner).prop_map(|(subgraph, edit)| Edit::Within {
                subgraph,
                edit: Box::new(edit)
            }),
        ]
    })
}

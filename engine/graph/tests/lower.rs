//! Subgraphs and reroutes: what stands in their place, and what is said where none can.

mod common;
#[path = "common/notation.rs"]
mod notation;

use common::Shelf;
use expect_test::{Expect, expect};
use longtake_graph::format::{Format, to_text};
use longtake_graph::{check, lower};
use notation::{graph, shown};

/// What `text` lowers to, then what is found.
fn lowers(text: &str, wanted: &Expect) {
    let project = graph(text);
    let lowered = lower(&project, &Shelf);
    let mut got = shown(&lowered.project);
    for finding in &lowered.diagnostics {
        assert_eq!(finding.message.lacks(), None);
        got += &finding.to_string();
        got.push('\n');
    }
    wanted.assert_eq(&got);
    // Lowering is done once and for all, where everything could be expanded.
    if lowered.instances.is_empty() {
        assert_eq!(
            shown(&lower(&lowered.project, &Shelf).project),
            shown(&lowered.project)
        );
    }
}

fn lines(numbers: std::ops::Range<usize>, line: impl Fn(usize) -> String) -> String {
    let mut lines: Vec<_> = numbers.map(line).collect();
    lines.push(String::new());
    lines.join("\n")
}

const SOFT: &str = "
    [soft image:LATENT amount:FLOAT -> out:LATENT]
    -10 SubgraphInput
    5 Mix a<-10.0 amount<-10.1 @amount=0.25
    6 Mix a<5.0 b<-10.0 amount<-10.1
    -20 SubgraphOutput out<6.0
";

#[test]
fn two_instances_of_one_definition() {
    lowers(
        &format!(
            "1 EmptyLatent
            2 soft image<1.0 amount=0.75
            3 soft image<2.0
            4 Save samples<3.0 {SOFT}"
        ),
        &expect![[r"
            1 EmptyLatent
            2:5 Mix a<1.0 amount=0.75
            2:6 Mix a<2:5.0 b<1.0 amount=0.75
            3:5 Mix a<2:6.0 amount=0.25
            3:6 Mix a<3:5.0 b<2:6.0
            4 Save samples<3:6.0
        "]],
    );
}

#[test]
fn nested_two_levels_with_links_through_both() {
    lowers(
        &format!(
            "1 EmptyLatent
            2 twice x<1.0 n<7.0
            7 Number
            4 Save samples<2.0 anything<2.1 {SOFT}
            [twice x:LATENT n:FLOAT -> y:LATENT same:LATENT]
            -10 SubgraphInput
            a soft image<-10.0 amount<-10.1
            b soft image<a.0 amount=1
            -20 SubgraphOutput y<b.0 same<-10.0"
        ),
        &expect![[r"
            1 EmptyLatent
            2:a:5 Mix a<1.0 amount<7.0
            2:a:6 Mix a<2:a:5.0 b<1.0 amount<7.0
            2:b:5 Mix a<2:a:6.0 amount=1
            2:b:6 Mix a<2:b:5.0 b<2:a:6.0 amount=1
            7 Number
            4 Save samples<2:b:6.0 anything<1.0
        "]],
    );
}

#[test]
fn muted_and_bypassed_instances_and_nodes_inside() {
    // A bypassed instance passes on the input of the type that the consumer takes.
    lowers(
        &format!(
            "1 EmptyLatent
            2! soft image<1.0
            3? soft image<1.0 amount=1
            4 Save samples<2.0 anything<3.0
            5 Save samples<3.0
            6 Mix amount<3.0 b<9.0
            9? pair a<1.0 b<2.0 n<1.0
            10 Save samples<9.1 {SOFT}
            [pair n:INT a:LATENT b:LATENT -> A:LATENT B:LATENT]
            1! Mix"
        ),
        &expect![[r"
            1 EmptyLatent
            2! soft
            3? soft
            4 Save samples<2.0 anything<1.0
            5 Save samples<1.0
            6 Mix amount<3.0 b<1.0
            9? pair
            10 Save samples<1.0
        "]],
    );
    lowers(
        "2 s x<1.0
        1 EmptyLatent
        3 Save samples<2.0 anything<2.1
        [s x:LATENT -> y:LATENT z:LATENT]
        -10 SubgraphInput
        5! Mix a<-10.0
        6? Mix a<-10.0
        -20 SubgraphOutput y<6.0 z<5.0",
        &expect![[r"
            2:5! Mix a<1.0
            2:6? Mix a<1.0
            1 EmptyLatent
            3 Save samples<2:6.0 anything<2:5.0
        "]],
    );
}

#[test]
fn reroutes_are_followed() {
    lowers(
        "1 EmptyLatent
        a Reroute <1.0
        b Reroute <a.0
        c! Reroute <b.0
        d? Reroute <b.0
        e Reroute
        f Reroute <gone.3
        2 Mix a<b.0 b<d.0 model<c.0 amount<e.0 @amount=0.5 tint<e.0 x<f.0",
        &expect![[r"
            1 EmptyLatent
            c! Reroute
            2 Mix a<1.0 b<1.0 model<c.0 amount=0.5 x<gone.3
        "]],
    );
}

#[test]
fn what_leads_nowhere_is_said_at_the_consumer() {
    lowers(
        "a Reroute <b.0
        b Reroute <s.0
        s loop x<a.0
        1 Mix a<a.0 b<s.3
        2 Save samples<b.0 anything<in.0
        in SubgraphInput
        [loop x:LATENT -> y:LATENT]
        -10 SubgraphInput
        n Mix a<-10.1 b<-20.0 model<gone.0
        -20 SubgraphOutput y<-10.0",
        &expect![[r"
            s:n Mix model<s:gone.0
            1 Mix
            2 Save
            error: node s:n (Mix), input `a`: linked to input 1 of the subgraph `loop`, which has only input 0
            error: node s:n (Mix), input `b`: linked to the output of a subgraph from within it
            error: node 1 (Mix), input `a`: the link comes back to where it was and no node on its way makes a value: a ← b ← s ← s:-10 ← a; cut one of the links
            error: node 1 (Mix), input `b`: linked to output 3 of the subgraph `loop`, which has only output 0
            error: node 2 (Save), input `samples`: the link comes back to where it was and no node on its way makes a value: a ← b ← s ← s:-10 ← a; cut one of the links
            error: node 2 (Save), input `anything`: linked to the input of a subgraph, outside of any
        "]],
    );
}

#[test]
fn a_subgraph_in_itself_is_named() {
    lowers(
        "1 a x=1
        2 a
        [a x:INT -> y:INT]
        5 Number
        6 b
        -20 SubgraphOutput y<6.0
        [b -> y:INT]
        7 a
        8 b
        -20 SubgraphOutput y<7.0",
        &expect![[r"
            1:5 Number
            1:6:7 a
            1:6:8 b
            2:5 Number
            2:6:7 a
            2:6:8 b
            error: node 1:6:7 (a): a subgraph cannot contain itself: a → b → a; remove one of these instances
            error: node 1:6:8 (b): a subgraph cannot contain itself: b → b; remove one of these instances
        "]],
    );
}

#[test]
fn what_would_not_fit_in_memory_is_not_expanded() {
    // 2^60 nodes.
    let level = |at: usize| format!("[s{at} -> ]\na s{0}\nb s{0}", at + 1);
    let levels = lines(0..60, level);
    let project = graph(&format!("1 s0\n{levels}[s60 -> ]\n1 Number\n"));
    let lowered = lower(&project, &Shelf);
    assert!(lowered.project.nodes.len() <= lower::MAX_NODES);
    assert_eq!(lowered.diagnostics.len(), 1);
    assert_eq!(lowered.diagnostics[0].code, "subgraphs_too_large");
    // A chain of definitions, deeper than any person makes.
    let levels = lines(0..5000, |at| format!("[s{at} -> ]\n1 s{}", at + 1));
    let found = lower(&graph(&format!("1 s0\n{levels}")), &Shelf).diagnostics;
    assert_eq!(found[0].code, "subgraphs_too_deep");
    // A long text in 1000 instances.
    let long = format!("\"{}\"", "x".repeat(1 << 20));
    let instances = lines(0..1000, |at| format!("{at} s"));
    let found = lower(&graph(&format!("{instances}[s -> ]\n1 X t={long}")), &Shelf).diagnostics;
    assert_eq!(found[0].code, "subgraphs_too_large");
    // And one that a port hands to 1000 inputs.
    let readers = lines(0..1000, |at| format!("{at} X t<-10.0"));
    let text = format!("1 s t={long}\n[s t:STRING -> ]\n-10 SubgraphInput\n{readers}");
    let found = lower(&graph(&text), &Shelf).diagnostics;
    assert_eq!((found.len(), found[0].code), (1, "subgraphs_too_large"));
}

#[test]
fn ids_that_meet_are_told_apart() {
    lowers(
        "12:5 Number
        12 s
        [s -> ]
        5 Number",
        &expect![[r"
            12:5 Number
            12:5~ Number
        "]],
    );
}

#[test]
fn a_long_chain_of_reroutes_with_many_consumers() {
    const MANY: usize = 30_000;
    let link = |at: usize| format!("r{at} Reroute <r{}.0\nm{at} Mix a<r{at}.0", at - 1);
    let links = lines(1..MANY, link);
    let project = graph(&format!("r0 Reroute <1.0\n1 EmptyLatent\n{links}"));
    let lowered = lower(&project, &Shelf);
    assert_eq!(lowered.project.nodes.len(), MANY);
    assert!(shown(&lowered.project).ends_with(&format!("m{} Mix a<1.0\n", MANY - 1)));
}

#[test]
fn the_check_and_the_prompt_see_through() {
    let text = format!(
        "1 EmptyLatent
        2 soft image<r.0 amount=0.75
        r Reroute <1.0
        3? soft image<2.0
        4 Save samples<3.0 {SOFT}"
    );
    assert_eq!(check(&graph(&text), &Shelf), []);
    let (prompt, found) = to_text(&graph(&text), Format::Prompt, &Shelf);
    assert_eq!(found, []);
    let flat = common::project(&prompt);
    expect![[r"
        1 EmptyLatent
        2:5 Mix a<1.0 amount=0.75
        2:6 Mix a<2:5.0 b<1.0 amount=0.75
        4 Save samples<2:6.0
    "]]
    .assert_eq(&shown(&flat));
    let wrong = "2 s
        4 Save samples<2.0
        5 Save samples<r.0
        r Reroute <r.0
        [s -> y:LATENT]
        5 KSampler steps=0
        6 Mystery
        -20 SubgraphOutput y<5.0";
    let found = check(&graph(wrong), &Shelf);
    let found = lines(0..found.len(), |at| {
        format!("{} {}", found[at].code, found[at].place)
    });
    expect![[r"
        value_smaller_than_min node 2:5 (KSampler), input `steps`
        required_input_missing node 2:5 (KSampler), input `model`
        required_input_missing node 2:5 (KSampler), input `latent_image`
        unknown_class node 2:6 (Mystery)
        dependency_cycle node 5 (Save), input `samples`
    "]]
    .assert_eq(&found);
}

//! Large graphs: no recursion, linear time.

use crate::toy::{Toy, World, chain, cpu, diamonds, fan_out};
use crate::{Options, Plan, compile};

fn plan(project: &longtake_graph::Project) -> Plan {
    let machine = cpu(u64::MAX / 2);
    let result = compile(
        project,
        &Toy::default(),
        &World::default(),
        &machine,
        &Options::default(),
    );
    assert!(
        result.diagnostics.is_empty(),
        "{:?}",
        result.diagnostics.first()
    );
    result.plan.expect("a plan")
}

#[test]
fn chain_of_100_000() {
    let plan = plan(&chain(100_000));
    assert_eq!(plan.steps.len(), 100_000);
    assert!(plan.to_text().len() > 1_000);
}

#[test]
fn fan_out_of_100_000() {
    assert_eq!(plan(&fan_out(100_000)).outputs.len(), 99_999);
}

#[test]
fn ladder_of_60_diamonds() {
    let plan = plan(&diamonds(182));
    assert_eq!(plan.steps.len(), 182);
    // 2^60 ways lead through, and each recipe is still counted once: 32 MiB a chunk.
    let save = plan.steps.last().expect("an output");
    assert_eq!(save.cost.host_bytes, (181 * 32 + 16) << 20);
}

#[test]
fn circle_is_an_error() {
    let mut project = chain(10);
    let last = longtake_graph::Link {
        node: "8".into(),
        output: 0,
    };
    project.nodes[1]
        .inputs
        .insert("image".to_owned(), longtake_graph::Input::Link(last));
    let result = compile(
        &project,
        &Toy::default(),
        &World::default(),
        &cpu(1 << 40),
        &Options::default(),
    );
    assert!(result.plan.is_none());
    assert_eq!(result.diagnostics[0].code, "dependency_cycle");
}

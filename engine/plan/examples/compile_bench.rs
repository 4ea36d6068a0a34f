//! Times the compiler on large toy graphs and prints medians:
//! `cargo run -p longtake-plan --features toy --example compile_bench`.

use std::time::Instant;

use longtake_graph::Project;
use longtake_plan::toy::{Toy, World, chain, cpu, diamonds, fan_out};
use longtake_plan::{Options, compile};

type Build = fn(usize) -> Project;

fn main() {
    let kinds: [(&str, Build); 3] = [
        ("chain", chain),
        ("fan-out", fan_out),
        ("diamonds", diamonds),
    ];
    println!("| graph | nodes | first, ms | again, ms |");
    println!("|---|---:|---:|---:|");
    for (name, build) in kinds {
        for (nodes, rounds) in [(1_000, 41), (100_000, 5)] {
            let project = build(nodes);
            let first = time(&project);
            let mut again: Vec<f64> = (0..rounds).map(|_| time(&project)).collect();
            again.sort_by(f64::total_cmp);
            println!(
                "| {name} | {nodes} | {first:.1} | {:.1} |",
                again[rounds / 2]
            );
        }
    }
}

/// Milliseconds of one compilation.
fn time(project: &Project) -> f64 {
    // Every filter holds a chunk while the output reads through it, so a long chain takes much memory.
    let (specs, world, machine) = (Toy::default(), World::default(), cpu(u64::MAX / 2));
    let start = Instant::now();
    let compiled = compile(project, &specs, &world, &machine, &Options::default());
    let elapsed = start.elapsed();
    assert!(
        compiled.plan.is_some(),
        "{:?}",
        compiled.diagnostics.first()
    );
    elapsed.as_secs_f64() * 1e3
}

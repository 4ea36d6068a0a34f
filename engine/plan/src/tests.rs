//! Whole compilations of small toy graphs.

use serde_json::{Value as Json, json};

use crate::toy::{GIB, Toy, World, cpu, gpu, project};
use crate::{Compiled, Machine, Options, Plan, compile};

fn compiled(prompt: &Json, world: &World, machine: &Machine, options: &Options) -> Compiled {
    compile(&project(prompt), &Toy::default(), world, machine, options)
}

fn plan(prompt: &Json, machine: &Machine) -> Plan {
    let result = compiled(prompt, &World::default(), machine, &Options::default());
    assert!(result.diagnostics.is_empty(), "{:#?}", result.diagnostics);
    result.plan.expect("a plan")
}

/// One line per step: path, class, what it reads by path.
fn steps(plan: &Plan) -> String {
    let name = |id: &crate::ValueId| {
        plan.value(*id)
            .step
            .map_or("const".to_owned(), |it| plan.step(it).path.to_string())
    };
    let mut text = String::new();
    for step in &plan.steps {
        let reads: Vec<String> = step
            .inputs
            .values()
            .flat_map(|input| match input {
                crate::StepInput::Literal(_) => Vec::new(),
                crate::StepInput::Value(id) => vec![name(id)],
                crate::StepInput::List(ids) => vec![format!(
                    "[{}]",
                    ids.iter().map(name).collect::<Vec<_>>().join(" ")
                )],
            })
            .collect();
        let cached = if step.cached { " (cached)" } else { "" };
        text += &format!(
            "{} = {} {}{cached}\n",
            step.path,
            step.class,
            reads.join(" ")
        )
        .replace(" \n", "\n");
    }
    text
}

fn t2v() -> Json {
    json!({
        "m": {"class_type": "LoadModel", "inputs": {"name": "dit"}},
        "c": {"class_type": "LoadClip", "inputs": {"name": "t5"}},
        "v": {"class_type": "LoadVae", "inputs": {"name": "vae"}},
        "p": {"class_type": "Encode", "inputs": {"clip": ["c", 0], "text": "a cat"}},
        "s": {"class_type": "Sample", "inputs": {"model": ["m", 0], "cond": ["p", 0], "seed": 7}},
        "d": {"class_type": "Decode", "inputs": {"vae": ["v", 0], "samples": ["s", 0]}},
        "o": {"class_type": "SaveVideo", "inputs": {"images": ["d", 0]}}
    })
}

#[test]
fn one_clip() {
    let plan = plan(&t2v(), &gpu(24 * GIB));
    expect_test::expect![[r#"
        p = Encode const
        s = Sample const p
        d = Decode const s
        o.encode = EncodeSegment d
        o = SaveVideo [o.encode]
    "#]]
    .assert_eq(&steps(&plan));
    println!("{}", cpu(1).device_name);
}

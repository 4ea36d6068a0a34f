//! The node list in the shape of ComfyUI's `/object_info` (facts: server.py, `node_info`).

use longtake_graph::declare::InputType;
use longtake_graph::{Declaration, InputDecl};
use serde_json::{Map, Value, json};

/// All nodes that people may use, by class. `options` lists the files a combo offers.
pub fn object_info(
    declarations: impl IntoIterator<Item = &'static Declaration>,
    options: &dyn Fn(&InputDecl) -> Vec<String>,
) -> Value {
    let entries = declarations
        .into_iter()
        .filter(|it| !it.internal)
        .map(|it| (it.class.to_owned(), one(it, options)));
    Value::Object(entries.collect())
}

fn one(it: &Declaration, options: &dyn Fn(&InputDecl) -> Vec<String>) -> Value {
    let (mut required, mut optional) = (Map::new(), Map::new());
    for input in it.inputs {
        let list = if input.required {
            &mut required
        } else {
            &mut optional
        };
        list.insert(input.name.to_owned(), input_info(input, options));
    }
    let names = |list: &Map<String, Value>| list.keys().cloned().collect::<Vec<_>>();
    let order = json!({"required": names(&required), "optional": names(&optional)});
    json!({
        "input": {"required": required, "optional": optional},
        "input_order": order,
        "output": it.outputs.iter().map(|out| out.kind.as_str()).collect::<Vec<_>>(),
        "output_is_list": vec![false; it.outputs.len()],
        "output_name": it.outputs.iter().map(|out| out.name).collect::<Vec<_>>(),
        "output_tooltips": vec![Value::Null; it.outputs.len()],
        "name": it.class,
        "display_name": it.title,
        "display_name_ja": it.title_ja,
        "description": it.help,
        "category": it.category,
        "python_module": "longtake",
        "output_node": it.output_node,
    })
}

fn input_info(input: &InputDecl, options: &dyn Fn(&InputDecl) -> Vec<String>) -> Value {
    let mut extra = Map::new();
    if !input.help.is_empty() {
        extra.insert("tooltip".to_owned(), json!(input.help));
    }
    if let Some(default) = input.default_value() {
        extra.insert("default".to_owned(), default);
    }
    let kind = match &input.ty {
        InputType::Socket(kind) => json!(kind.as_str()),
        InputType::Int {
            min,
            max,
            step,
            seed,
            ..
        } => {
            extra.insert("min".to_owned(), whole(*min));
            extra.insert("max".to_owned(), whole(*max));
            extra.insert("step".to_owned(), whole(*step));
            if *seed {
                extra.insert("control_after_generate".to_owned(), json!(true));
            }
            json!("INT")
        }
        InputType::Float { min, max, step, .. } => {
            extra.insert("min".to_owned(), json!(min));
            extra.insert("max".to_owned(), json!(max));
            extra.insert("step".to_owned(), json!(step));
            json!("FLOAT")
        }
        InputType::Text { multiline, .. } => {
            extra.insert("multiline".to_owned(), json!(multiline));
            json!("STRING")
        }
        InputType::Bool { .. } => json!("BOOLEAN"),
        InputType::Choice { options, .. } => json!(options),
        InputType::Model { .. } | InputType::File { .. } => json!(options(input)),
        InputType::Colour { .. } => json!("STRING"),
        InputType::Curve { .. } => json!("CURVE"),
        InputType::Shots => json!("STORYBOARD_SHOTS"),
    };
    json!([kind, extra])
}

fn whole(value: i128) -> Value {
    i64::try_from(value).map_or_else(|_| json!(value as u64), |it| json!(it))
}

//! `longtake nodes`: what nodes there are.

use anyhow::Result;
use longtake_graph::InputDecl;
use longtake_graph::declare::InputType;
use longtake_nodes::{Registry, object_info};
use longtake_run::paths;

use crate::Ended;
use crate::args::Nodes;

/// Prints the list.
///
/// # Errors
/// None in practice.
pub fn run(args: &Nodes) -> Result<Ended> {
    let registry = Registry::new();
    let wanted = args.filter.as_deref().unwrap_or("").to_lowercase();
    let declarations = registry.nodes().map(|node| node.spec.decl).filter(|it| {
        !it.internal
            && [it.class, it.title, it.title_ja]
                .iter()
                .any(|name| name.to_lowercase().contains(&wanted))
    });
    if args.json {
        let files = |input: &InputDecl| match &input.ty {
            InputType::Model { folder } => folder
                .names()
                .iter()
                .flat_map(|name| paths::list(&args.place.models.join(name)))
                .collect(),
            InputType::File { .. } => paths::list(&args.place.input),
            _ => Vec::new(),
        };
        let info = object_info::object_info(declarations, &files);
        println!("{}", serde_json::to_string_pretty(&info)?);
        return Ok(Ended::Done);
    }
    let mut category = "";
    let mut list: Vec<_> = declarations.collect();
    list.sort_by_key(|it| (it.category, it.class));
    for it in list {
        if it.category != category {
            category = it.category;
            println!("{}{category}", if category.is_empty() { "" } else { "\n" });
        }
        println!("  {:<26} {}", it.class, it.help);
    }
    Ok(Ended::Done)
}

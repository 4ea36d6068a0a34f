//! `longtake models`: what is in the models tree.

use anyhow::Result;
use longtake_graph::ModelFolder;
use longtake_nodes::DiskFacts;
use longtake_nodes::model::device::{list as list_devices, product_report};
use longtake_plan::Facts;
use longtake_run::Roots;
use serde_json::json;

use crate::args::Models;
use crate::{Ended, library, machine, units};

/// Prints devices, and every checkpoint with what it is.
///
/// # Errors
/// The store cannot be opened.
pub fn run(args: &Models) -> Result<Ended> {
    let opened = machine::open(&args.place)?;
    let facts = DiskFacts::new(opened.roots.clone(), opened.store.clone(), None);
    let rows = list(&opened.roots, &facts);
    if args.json {
        println!("{}", serde_json::to_string_pretty(&rows)?);
        return Ok(Ended::Done);
    }
    for device in list_devices() {
        let problem = device
            .problem
            .map(|it| format!("  ({it})"))
            .unwrap_or_default();
        println!(
            "device  {:<8} {}{problem}",
            device.spec.to_string(),
            device.spec.describe()
        );
    }
    print_products();
    println!("models  {}", opened.roots.models.display());
    for row in &rows {
        let text = |key: &str| row[key].as_str().unwrap_or("").to_owned();
        let bytes = row["bytes"].as_u64().map(units::size).unwrap_or_default();
        let what = if row["error"].is_null() {
            text("family")
        } else {
            text("error")
        };
        println!(
            "  {:<18} {:<44} {bytes:>9}  {what}",
            text("folder"),
            text("name")
        );
    }
    if rows.is_empty() {
        println!("  no checkpoints; each kind has its folder:");
        for folder in ModelFolder::ALL {
            println!(
                "    {}",
                opened.roots.models.join(folder.names()[0]).display()
            );
        }
    }
    Ok(Ended::Done)
}

/// What multiplies matrices on the CPU, and where it was measured how well it does.
fn print_products() {
    let report = product_report();
    let library = report.library.as_deref().unwrap_or("built in");
    println!("products  {library}");
    if let Some(why) = &report.why {
        println!("  {why}");
    }
    for it in &report.kinds {
        let ratio = it.ratio.map(|ratio| {
            format!("  the library takes {ratio:.2} times the built-in product's time")
        });
        println!(
            "  {:<18} {:<9}{}",
            it.kind.name(),
            it.engine.name(),
            ratio.unwrap_or_default()
        );
    }
}

fn list(roots: &Roots, facts: &DiskFacts) -> Vec<serde_json::Value> {
    let mut rows = Vec::new();
    for folder in ModelFolder::ALL {
        for name in library::model_names(&roots.models, folder) {
            let known = facts.weights(folder, &name);
            rows.push(json!({
                "folder": folder.names()[0],
                "name": name,
                "bytes": known.as_ref().ok().map(|it| it.file_bytes),
                "family": known.as_ref().ok().map(|it| it.family.clone()),
                "dims": known.as_ref().ok().map(|it| it.dims.clone()),
                "fingerprint": known.as_ref().ok().map(|it| it.fingerprint.clone()),
                "error": known.as_ref().err().map(ToString::to_string),
            }));
        }
    }
    rows
}

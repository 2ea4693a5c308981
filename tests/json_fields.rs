//! docs/json.md names every command that answers with JSON, and every field of its answers.

#![allow(clippy::unwrap_used, reason = "a test")]

#[path = "common/tools.rs"]
mod tools;

mod asked;

use asked::World;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Field names per command.
type Fields = BTreeMap<String, BTreeSet<String>>;

/// Collects field names. What other pages document is left out: decisions and rows.
fn collect(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Array(list) => list.iter().for_each(|value| collect(value, found)),
        Value::Object(fields) => {
            for (name, value) in fields {
                found.insert(name.clone());
                let elsewhere = ["before", "after", "decision", "example"].contains(&name.as_str());
                let decisions = value[0].get("op").is_some() && name == "decisions";
                if !elsewhere && !decisions {
                    collect(value, found);
                }
            }
        }
        _ => {}
    }
}

fn ask(world: &World, found: &mut Fields, arguments: &[&str]) {
    let mut answer = world.json(arguments);
    let command = answer["command"].as_str().unwrap().to_owned();
    if command == "state" && answer["table"].is_string() {
        answer["rows"] = Value::Null;
    }
    collect(&answer, found.entry(command).or_default());
}

/// The part of the page below a command's heading.
fn section<'p>(page: &'p str, command: &str) -> &'p str {
    let heading = format!("\n## `{command}`\n");
    let at = page.find(&heading);
    let at = at.unwrap_or_else(|| panic!("docs/json.md has no section `{command}`"));
    let rest = &page[at + heading.len()..];
    rest.split("\n## ").next().unwrap()
}

#[test]
fn every_field_is_documented() {
    if tools::lacks_ssh_keygen() {
        return;
    }
    let world = World::new();
    let mut found = Fields::new();
    for line in asked::QUESTIONS {
        let arguments: Vec<&str> = line.split(' ').collect();
        ask(&world, &mut found, &arguments);
    }
    asked::change(&world, &mut |world, arguments| {
        ask(world, &mut found, arguments);
    });
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/json.md");
    let page = std::fs::read_to_string(path).unwrap();
    for (command, fields) in found {
        let section = section(&page, &command);
        for field in fields {
            let general = field == "version" || field == "command";
            let named = section.contains(&format!("`{field}`"));
            assert!(
                general || named,
                "docs/json.md: {command} does not name `{field}`"
            );
        }
    }
}

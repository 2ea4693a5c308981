//! Pages that are made from the code are what the code makes.

#![allow(clippy::unwrap_used, reason = "a test")]

use std::path::Path;
use std::process::Command;

fn is_made_by(page: &str, arguments: &[&str]) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(page);
    let found = std::fs::read_to_string(path).unwrap();
    let folio = Command::new(env!("CARGO_BIN_EXE_folio"))
        .args(arguments)
        .output()
        .unwrap();
    assert!(folio.status.success());
    let made = String::from_utf8(folio.stdout).unwrap();
    let command = arguments.join(" ");
    assert!(
        found == made,
        "{page} is out of date: cargo run -- {command} > {page}"
    );
}

#[test]
fn decisions() {
    is_made_by("docs/decisions.md", &["help", "decisions", "--markdown"]);
}

#[test]
fn codes() {
    is_made_by("docs/codes.md", &["help", "codes", "--markdown"]);
}

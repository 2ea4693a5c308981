//! What is in a directory, from its manifest.

use crate::artifact::directory::Directory;
use crate::artifact::{ArtifactFault, Shelves};
use crate::cli::error::Problem;
use crate::cli::exit::Exit;
use crate::cli::ui::{Ui, escape};
use crate::codec::manifest::{Entry, What};
use crate::model::{Code, ContentDigest};
use serde::Serialize;
use std::io::{self, Write as _};

#[derive(Serialize)]
struct Answer {
    key: String,
    entries: Vec<View>,
}

#[derive(Serialize)]
struct View {
    path: String,
    mode: &'static str,
    key: Option<String>,
    size: Option<u64>,
    target: Option<String>,
}

impl View {
    fn of(entry: &Entry) -> Self {
        let mut view = Self {
            path: entry.path.to_string(),
            mode: entry.what.mode(),
            key: None,
            size: None,
            target: None,
        };
        match &entry.what {
            What::File { key, size, .. } => {
                (view.key, view.size) = (Some(key.to_hex()), Some(*size))
            }
            What::Link(target) => view.target = Some(target.as_str().to_owned()),
            What::Directory => {}
        }
        view
    }

    fn line(&self) -> String {
        let size = self.size.map_or("-".to_owned(), |size| size.to_string());
        let key = self.key.as_deref().unwrap_or("-");
        let target = self.target.as_ref();
        let target = target.map_or(String::new(), |target| format!(" -> {}", escape(target)));
        format!(
            "{} {size:>10} {key:64} {}{target}",
            self.mode,
            escape(&self.path)
        )
    }
}

/// Lists the entries of a directory.
pub fn list(ui: &Ui, shelves: &Shelves, key: ContentDigest) -> anyhow::Result<Exit> {
    if !shelves.read(&key)?.is_manifest() {
        return Err(Problem::new(Code::BadRequest, format!("{key} is a file"))
            .hint("`folio artifact stat KEY` says what is known of it")
            .into());
    }
    let directory = Directory::new(shelves, key);
    if ui.json() {
        let mut entries = Vec::new();
        directory.entries(&mut |entry| {
            entries.push(View::of(&entry));
            Ok(())
        })?;
        let key = key.to_hex();
        ui.answer("artifact-ls", &Answer { key, entries })?;
        return Ok(Exit::Done);
    }
    let mut out = io::BufWriter::new(io::stdout().lock());
    directory.entries(&mut |entry| {
        let line = writeln!(out, "{}", View::of(&entry).line());
        line.map_err(|err| ArtifactFault::from_io("write", err))
    })?;
    out.flush()?;
    Ok(Exit::Done)
}

//! `folio evidence show`: what is in a file, without saying what it proves.

use super::args::Global;
use super::evidence;
use super::exit::Exit;
use super::ui::{Style, Ui, escape};
use crate::codec::evidence::{Claim, Evidence, Part};
use crate::store::{Kind, object_id};
use serde::Serialize;
use std::path::PathBuf;

/// Show what is in a file
#[derive(Debug, clap::Args)]
#[command(after_help = "`folio evidence check FILE` says what it proves.")]
pub struct Arguments {
    /// The evidence file
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

#[derive(Serialize)]
struct Shown {
    file: String,
    kind: &'static str,
    number: u64,
    object_format: &'static str,
    code: Option<String>,
    page: Option<String>,
    hearsay: Option<String>,
    objects: Vec<Object>,
}

#[derive(Serialize)]
struct Object {
    id: String,
    object: &'static str,
    size: usize,
    text: Option<String>,
}

impl Shown {
    fn of(file: String, evidence: &Evidence) -> Self {
        let (mut code, mut page, mut hearsay) = (None, None, None);
        match &evidence.claim {
            Claim::TwoPages { .. } => {}
            Claim::InvalidPage {
                code: word,
                page: id,
                ..
            } => {
                code = Some(word.clone());
                page = Some(id.clone());
            }
            Claim::WentBack { words, .. } | Claim::Frozen { words, .. } => {
                hearsay = Some(words.clone());
            }
        }
        let objects = evidence.objects.iter();
        Self {
            file,
            kind: evidence.claim.kind(),
            number: evidence.claim.number().0,
            object_format: evidence.format.as_str(),
            code,
            page,
            hearsay,
            objects: objects.map(|object| Object::of(evidence, object)).collect(),
        }
    }
}

impl Object {
    fn of(evidence: &Evidence, (part, bytes): &(Part, Vec<u8>)) -> Self {
        let (kind, object) = match part {
            Part::Blob => (Kind::Blob, "blob"),
            Part::Commit => (Kind::Commit, "commit"),
            Part::Tree => (Kind::Tree, "tree"),
        };
        let text = String::from_utf8(bytes.clone()).ok();
        Self {
            id: object_id(evidence.format, kind, bytes).to_hex(),
            object,
            size: bytes.len(),
            text: text.filter(|_| *part != Part::Tree),
        }
    }
}

/// Runs it.
pub fn run(arguments: &Arguments, global: &Global, ui: &Ui) -> anyhow::Result<Exit> {
    let read = evidence::read(&global.dir().join(&arguments.file))?;
    let shown = Shown::of(arguments.file.display().to_string(), &read);
    match ui.json() {
        true => ui.answer("evidence-show", &shown)?,
        false => print(ui, &shown)?,
    }
    Ok(Exit::Done)
}

fn print(ui: &Ui, shown: &Shown) -> anyhow::Result<()> {
    let kind = ui.paint(Style::Bold, shown.kind);
    ui.line(format!("{kind} common@{}", shown.number))?;
    if let (Some(page), Some(code)) = (&shown.page, &shown.code) {
        ui.line(format!("page {page}: {code}"))?;
    }
    if let Some(words) = &shown.hearsay {
        ui.line(format!("the sender says: {}", escape(words)))?;
    }
    for object in &shown.objects {
        let id = ui.paint(Style::Id, &object.id);
        ui.line(format!("{} {id} {} bytes", object.object, object.size))?;
        if object.object == "commit" {
            let text = object.text.as_deref().unwrap_or_default();
            for line in text.lines() {
                ui.line(format!("    {}", escape(line)))?;
            }
        }
    }
    Ok(())
}

//! `folio artifact verify`: every byte against the key.

use super::key;
use crate::artifact::directory::Directory;
use crate::artifact::{ArtifactFault, Reader, Shelf, Shelves};
use crate::cli::args::Global;
use crate::cli::error::Problem;
use crate::cli::exit::Exit;
use crate::cli::report::count;
use crate::cli::ui::{Progress, Ui};
use crate::model::{Code, ContentDigest};
use serde::Serialize;

/// Read artifacts and compare every byte with the key
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The artifacts: keys, or 6 or more digits of each [default: all that are here]
    #[arg(value_name = "KEY")]
    keys: Vec<String>,
}

#[derive(Serialize, Default)]
struct Answer {
    checked: usize,
    bytes: u64,
    damaged: Vec<Damaged>,
    unreadable: Vec<Unreadable>,
}

/// A file of a directory.
#[derive(Serialize)]
struct Unreadable {
    manifest: String,
    path: String,
    key: String,
    code: &'static str,
    what: String,
}

#[derive(Serialize)]
struct Damaged {
    key: String,
    shelf: &'static str,
    code: &'static str,
    what: String,
}

/// Runs it.
pub fn run(arguments: &Arguments, global: &Global, ui: &Ui) -> anyhow::Result<Exit> {
    let (context, _) = super::open(global)?;
    let shelves = Shelves::open(&context.store)?;
    let both = [shelves.internal(), shelves.published()];
    let mut answer = Answer::default();
    let mut progress = ui.progress("Verifying");
    for text in &arguments.keys {
        let key = key::named(&shelves, text)?;
        let before = answer.checked;
        for shelf in both {
            if shelf.find_surely(&key)?.is_some() {
                answer.check(shelf, &key)?;
            }
        }
        answer.check_files(&shelves, &key)?;
        if answer.checked == before {
            let what = format!("there are no bytes of {key} here");
            return Err(Problem::new(Code::NotFound, what).into());
        }
    }
    if arguments.keys.is_empty() {
        for shelf in both {
            all(shelf, &mut answer, &mut progress)?;
        }
    }
    drop(progress);
    report(ui, &answer)
}

fn all(shelf: &Shelf, answer: &mut Answer, progress: &mut Progress) -> anyhow::Result<()> {
    let total = shelf.keys()?.count() as u64;
    for (n, key) in shelf.keys()?.enumerate() {
        progress.at(n as u64, total);
        answer.check(shelf, &key?.key)?;
    }
    Ok(())
}

impl Answer {
    fn check(&mut self, shelf: &Shelf, key: &ContentDigest) -> anyhow::Result<()> {
        self.checked += 1;
        match read(shelf, key) {
            Ok(bytes) => self.bytes += bytes,
            Err(fault) if fault.code == Code::ArtifactDamaged => self.damaged.push(Damaged {
                key: key.to_hex(),
                shelf: shelf.place().word(),
                code: fault.code.as_str(),
                what: fault.what,
            }),
            Err(fault) => return Err(fault.into()),
        }
        Ok(())
    }
}

impl Answer {
    /// Reads the files of a directory too, wherever they are.
    fn check_files(&mut self, shelves: &Shelves, key: &ContentDigest) -> anyhow::Result<()> {
        match shelves.find(key)? {
            Some(found) if found.record.manifest => {}
            _ => return Ok(()),
        }
        if self
            .damaged
            .iter()
            .any(|damaged| damaged.key == key.to_hex())
        {
            return Ok(());
        }
        let directory = Directory::new(shelves, *key);
        let (files, bytes) = directory.verify(&mut |bad| {
            self.unreadable.push(Unreadable {
                manifest: key.to_hex(),
                path: bad.path.to_string(),
                key: bad.key.to_hex(),
                code: bad.fault.code.as_str(),
                what: bad.fault.what,
            });
        })?;
        self.checked += usize::try_from(files)?;
        self.bytes += bytes;
        Ok(())
    }
}

fn read(shelf: &Shelf, key: &ContentDigest) -> Result<u64, ArtifactFault> {
    let Some(record) = shelf.find(key)? else {
        // Collected since it was listed.
        return Ok(0);
    };
    let mut reader = Reader::open(shelf, record)?;
    while reader.piece()?.is_some() {}
    Ok(reader.size())
}

fn report(ui: &Ui, answer: &Answer) -> anyhow::Result<Exit> {
    if ui.json() {
        ui.answer("artifact-verify", answer)?;
    }
    for damaged in &answer.damaged {
        ui.error(
            damaged.code,
            &format!("{} shelf: {}", damaged.shelf, damaged.what),
        );
    }
    for file in &answer.unreadable {
        ui.error(file.code, &format!("`{}`: {}", file.path, file.what));
    }
    let checked = count(answer.checked, "artifact");
    let bytes = answer.bytes;
    match answer.damaged.len() + answer.unreadable.len() {
        0 => ui.say(format!(
            "{checked} of {bytes} bytes: every byte is what its key says"
        )),
        n => ui.hint(&format!(
            "{n} of {checked} cannot be read whole; another clone may have them"
        )),
    }
    Ok(
        match answer.damaged.is_empty() && answer.unreadable.is_empty() {
            true => Exit::Done,
            false => Exit::Invalid,
        },
    )
}

//! `folio log`: the numbered snapshots.

use crate::cli::args::{At, Global};
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::numbered::{Decided, Numbered, print_text};
use crate::cli::report::count;
use crate::cli::ui::{Style, Ui, escape};
use crate::cli::view;
use crate::journal::{Page, Space};
use crate::store::GitStore;
use serde::ser::{Error as _, SerializeSeq as _};
use serde::{Serialize, Serializer};
use std::cell::RefCell;

/// The numbered snapshots
#[derive(Debug, clap::Args)]
#[command(
    after_help = "The newest comes first. With --reverse the chosen ones are turned around, as in git."
)]
pub struct Arguments {
    /// At most so many, from the newest
    #[arg(short = 'n', long, value_name = "N")]
    limit: Option<u64>,
    /// One line each
    #[arg(long)]
    oneline: bool,
    /// The oldest first
    #[arg(long)]
    reverse: bool,
    #[command(flatten)]
    at: At,
}

#[derive(Serialize)]
struct Entry {
    #[serde(flatten)]
    decided: Decided,
    decisions: usize,
    text: String,
}

#[derive(Serialize)]
struct Log<'a> {
    at: view::At,
    snapshots: Entries<'a>,
}

/// Entries that are read while they are written.
struct Entries<'a> {
    walk: Walk<'a>,
    /// Why reading ended early: serde's own error carries text only.
    fault: RefCell<Option<anyhow::Error>>,
}

/// Along first parents from a snapshot. The index is not needed.
struct Walk<'a> {
    space: &'a Space<'a, GitStore>,
    newest: Page,
    limit: u64,
    reverse: bool,
}

impl Walk<'_> {
    fn each(&self, each: &mut dyn FnMut(&Numbered) -> anyhow::Result<()>) -> anyhow::Result<()> {
        let mut kept = Vec::new();
        let mut next = (self.limit > 0).then(|| self.newest.clone());
        let mut seen = 0;
        while let Some(page) = next {
            seen += 1;
            next = match page.previous() {
                Some(previous) if seen < self.limit => {
                    Some(Page::read(self.space.store, previous)?)
                }
                _ => None,
            };
            match self.reverse {
                true => kept.push(page.id),
                false => each(&Numbered::read(self.space, page)?)?,
            }
        }
        for id in kept.into_iter().rev() {
            let page = Page::read(self.space.store, id)?;
            each(&Numbered::read(self.space, page)?)?;
        }
        Ok(())
    }
}

impl Serialize for Entries<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(None)?;
        let mut broken = None;
        let walked = self.walk.each(&mut |numbered| {
            let entry = Entry {
                decided: Decided::of(numbered),
                decisions: numbered.proposal.decisions().len(),
                text: numbered.proposal.text().to_owned(),
            };
            list.serialize_element(&entry).map_err(|error| {
                let words = anyhow::anyhow!("{error}");
                broken = Some(error);
                words
            })
        });
        if let Some(error) = broken {
            return Err(error);
        }
        if let Err(error) = walked {
            let words = S::Error::custom(&error);
            self.fault.replace(Some(error));
            return Err(words);
        }
        list.end()
    }
}

/// Runs it.
pub fn run(arguments: &Arguments, global: &Global, ui: &Ui) -> anyhow::Result<Exit> {
    let context = Context::open(global)?;
    let space = context.space()?;
    let page = context.asked(&space, arguments.at.at.as_deref(), ui)?;
    let at = view::At::of(&page);
    let walk = Walk {
        space: &space,
        newest: page,
        limit: arguments.limit.unwrap_or(u64::MAX),
        reverse: arguments.reverse,
    };
    if !ui.json() {
        walk.each(&mut |numbered| print(ui, numbered, arguments.oneline))?;
        return Ok(Exit::Done);
    }
    let snapshots = Entries {
        walk,
        fault: RefCell::new(None),
    };
    let log = Log { at, snapshots };
    ui.answer("log", &log)
        .map_err(|error| log.snapshots.fault.take().unwrap_or(error))?;
    Ok(Exit::Done)
}

fn print(ui: &Ui, numbered: &Numbered, oneline: bool) -> anyhow::Result<()> {
    let decided = Decided::of(numbered);
    let commit = ui.paint(Style::Dim, &numbered.page.id.short());
    let decisions = count(numbered.proposal.decisions().len(), "decision");
    if oneline {
        let number = ui.paint(Style::Id, &format!("@{}", decided.number));
        let (author, subject) = (escape(&decided.author), escape(&decided.subject));
        let day = &decided.date[..10];
        return ui.line(format!(
            "{number} {commit} {day} {author}: {subject} ({decisions})"
        ));
    }
    let number = ui.paint(Style::Id, &format!("common@{}", decided.number));
    ui.line(format!("{number} {commit}"))?;
    let email = escape(&numbered.proposal.commit().author.email);
    ui.line(format!("Author: {} <{email}>", escape(&decided.author)))?;
    ui.line(format!("Date:   {}", decided.date))?;
    ui.line(format!("Holds:  {decisions}"))?;
    ui.line("")?;
    print_text(ui, numbered.proposal.text().trim_start())?;
    ui.line("")
}

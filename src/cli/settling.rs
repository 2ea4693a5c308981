//! The published shelf follows the state: after pages were numbered, and whenever a command passes by that sends
//! or brings. Nothing that is decided depends on it.

use super::args::Global;
use super::artifact::internal_imprint;
use super::context::{Context, view_of};
use super::imprint;
use super::signing;
use super::ui::{Ui, escape};
use crate::artifact::collect::lists::{self, List};
use crate::artifact::settle::{self, Settled, Wanted};
use crate::artifact::{Imprint, Shelves, offer};
use crate::codec::rows;
use crate::crypto::Sign;
use crate::journal::{Page, Space, check};
use crate::model::rows::ArtifactRow;
use crate::model::{Code, ContentDigest, Oid, Row, RowKey, Table};
use crate::state::RowChange;
use crate::store::GitStore;
use std::ops::ControlFlow;
use std::path::PathBuf;

/// Who signs what has to be signed.
#[derive(Clone, Copy)]
pub enum Hand<'a> {
    /// This key, where it is the one that holds the pen.
    Key(&'a dyn Sign),
    /// The key that signs here, opened where it holds the pen and there is something to sign.
    Ask,
}

/// Copies what the state publishes and the published shelf lacks, from the internal shelf or from an offer, and
/// removes the offers of proposals that wait no more. Says what could not be copied.
///
/// # Errors
/// Those of reading the state and of writing. A crash, or an error, is made up for by the next run.
pub fn settle(context: &Context, global: &Global, ui: &Ui, hand: Hand<'_>) -> anyhow::Result<()> {
    let space = context.space()?;
    let page = Page::read(&context.store, space.tip()?)?;
    let shelves = Shelves::open(&context.store)?;
    let pen = check::pen_of(&view_of(&space.tables, &page))?.key;
    let holds = match hand {
        Hand::Key(signer) => signer.public_key() == pen,
        Hand::Ask => signing::public_key(Some(context), global).is_ok_and(|key| key == pen),
    };
    let mark = match shelves.published().catalog()?.commit {
        // Somebody took the shelf away, which others need: what was settled is to be looked at again.
        None if holds => Mark::default(),
        _ => Mark::read(context),
    };
    let mut wanted = mark.wanted(&space, &page)?;
    // What was erased here is not to come back.
    let purged = lists::read(&context.folio_dir(), List::Purged)?;
    wanted.retain(|wanted| !purged.contains(&wanted.key));
    let pending = settle::pending(&shelves, &wanted)?;
    let unsigned = holds && !settle::is_signed(&shelves, &context.store, &space.id, &pen)?;
    let mut settled = Settled::default();
    if unsigned || !pending.is_empty() {
        let asked = match hand {
            Hand::Ask if holds => Some(signing::signer(Some(context), global)?),
            _ => None,
        };
        let signer = match hand {
            Hand::Key(signer) if holds => Some(signer),
            _ => asked.as_deref(),
        };
        let imprint = match holds {
            true => imprint::of_key(&space, &page, global, signer, &pen)?,
            false => internal_imprint(space.id, global)?,
        };
        settled = copy(context, &shelves, &pending, &imprint)?;
        if holds {
            settle::sign_again(&shelves, &context.store, &imprint, &pen)?;
        }
    }
    let left: Vec<ContentDigest> = settled.left.iter().map(|(one, _)| one.key).collect();
    offer::tidy(&shelves, &context.store, &left)?;
    say(ui, &settled, holds);
    mark.follow(context, &page, &wanted, if holds { &left } else { &[] })
}

fn copy(
    context: &Context,
    shelves: &Shelves,
    pending: &[Wanted],
    imprint: &Imprint<'_>,
) -> anyhow::Result<Settled> {
    Ok(settle::settle(shelves, &context.store, pending, imprint)?)
}

/// Whoever does not hold the pen need not have what others published.
fn say(ui: &Ui, settled: &Settled, holds: bool) {
    for (_, fault) in &settled.left {
        if holds || fault.code != Code::ArtifactMissing {
            ui.warn(format!("{}: {}", fault.code, escape(&fault.what)));
        }
    }
}

/// How far the shelf followed: the newest page that was looked at, and keys that are still to come. Derived: without
/// it the whole table is looked at.
#[derive(Debug, Default)]
struct Mark {
    page: Option<Oid>,
    left: Vec<ContentDigest>,
}

impl Mark {
    fn path(context: &Context) -> PathBuf {
        context.folio_dir().join("artifacts").join("settled")
    }

    fn read(context: &Context) -> Self {
        let text = std::fs::read_to_string(Self::path(context)).unwrap_or_default();
        let mut lines = text.lines();
        let page = lines.next().and_then(|line| line.parse().ok());
        let left: Result<Vec<ContentDigest>, _> = lines.map(str::parse).collect();
        match (page, left) {
            (Some(page), Ok(left)) => Self {
                page: Some(page),
                left,
            },
            _ => Self::default(),
        }
    }

    /// What the state of a page publishes that was not looked at before, or not found.
    fn wanted(&self, space: &Space<'_, GitStore>, page: &Page) -> anyhow::Result<Vec<Wanted>> {
        let tables = &space.tables;
        let before = self.page.and_then(|id| Page::read(space.store, id).ok());
        let Some(before) = before else {
            return all(space, page);
        };
        let mut wanted = Vec::new();
        for key in &self.left {
            let key = RowKey::of(key.to_hex());
            let row = tables.row(Some(page.tree()), Table::Artifacts, &key)?;
            wanted.extend(row.as_ref().map(wanted_by).transpose()?.flatten());
        }
        let (from, to) = (Some(before.tree()), Some(page.tree()));
        for RowChange { after, .. } in tables.diff_of(Table::Artifacts, from, to)? {
            wanted.extend(after.as_ref().map(wanted_by).transpose()?.flatten());
        }
        wanted.sort_by_key(|one| one.key);
        wanted.dedup();
        Ok(wanted)
    }

    /// Remembers what was looked at, where that is news.
    fn follow(
        &self,
        context: &Context,
        page: &Page,
        wanted: &[Wanted],
        left: &[ContentDigest],
    ) -> anyhow::Result<()> {
        if wanted.is_empty() && left == self.left && self.page.is_some() {
            return Ok(());
        }
        let mut text = format!("{}\n", page.id);
        for key in left {
            text.push_str(&format!("{key}\n"));
        }
        let path = Self::path(context);
        let dir = path.parent().expect("it lies in a directory");
        std::fs::create_dir_all(dir)?;
        let file = tempfile::NamedTempFile::new_in(dir)?;
        std::fs::write(file.path(), text)?;
        file.persist(path).map_err(|error| error.error)?;
        Ok(())
    }
}

fn all(space: &Space<'_, GitStore>, page: &Page) -> anyhow::Result<Vec<Wanted>> {
    let mut wanted = Vec::new();
    let flow = space.tables.iter(
        Some(page.tree()),
        Table::Artifacts,
        |_, row| match wanted_by(row) {
            Ok(one) => {
                wanted.extend(one);
                ControlFlow::Continue(())
            }
            Err(error) => ControlFlow::Break(error),
        },
    )?;
    match flow {
        ControlFlow::Continue(()) => Ok(wanted),
        ControlFlow::Break(error) => Err(error),
    }
}

/// What a row publishes; nothing while it is withdrawn.
fn wanted_by(row: &Row) -> anyhow::Result<Option<Wanted>> {
    let row: ArtifactRow = rows::decode(row)?;
    let size = row.size.filter(|_| row.tombstone.is_none());
    Ok(size.map(|size| Wanted {
        key: row.artifact,
        size,
    }))
}

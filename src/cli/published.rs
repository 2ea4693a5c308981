//! What the state publishes, as far as somebody has not looked at it before.

use super::context::Context;
use crate::artifact::settle::Wanted;
use crate::codec::rows;
use crate::fold::artifacts;
use crate::journal::{Page, Space};
use crate::model::rows::ArtifactRow;
use crate::model::{ContentDigest, Oid, Row, Table};
use crate::state::RowChange;
use crate::store::GitStore;
use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::path::PathBuf;

/// How far the published shelf followed the state: the newest page that was looked at, and keys that are still to
/// come. Derived: without it the whole table is looked at.
#[derive(Debug)]
pub struct Mark {
    name: &'static str,
    page: Option<Oid>,
    left: Vec<ContentDigest>,
}

impl Mark {
    /// Of a shelf that nothing is remembered of.
    pub fn new(name: &'static str) -> Self {
        let (page, left) = (None, Vec::new());
        Self { name, page, left }
    }

    /// As it was left under that name.
    pub fn read(context: &Context, name: &'static str) -> Self {
        let text = std::fs::read_to_string(path(context, name)).unwrap_or_default();
        let mut lines = text.lines();
        let page = lines.next().and_then(|line| line.parse().ok());
        let left: Result<Vec<ContentDigest>, _> = lines.map(str::parse).collect();
        match (page, left) {
            (Some(page), Ok(left)) => Self {
                name,
                page: Some(page),
                left,
            },
            _ => Self::new(name),
        }
    }

    /// What the state of a page publishes that was not looked at before, or not found.
    pub fn wanted(&self, space: &Space<'_, GitStore>, page: &Page) -> anyhow::Result<Vec<Wanted>> {
        let before = self.page.and_then(|id| Page::read(space.store, id).ok());
        let Some(before) = before else {
            return all(space, page);
        };
        let mut wanted = Vec::new();
        for key in &self.left {
            wanted.extend(one(space, page, key)?);
        }
        let (from, to) = (Some(before.tree()), Some(page.tree()));
        for RowChange { after, .. } in space.tables.diff_of(Table::Artifacts, from, to)? {
            wanted.extend(after.as_ref().map(wanted_by).transpose()?.flatten());
        }
        wanted.sort_by_key(|one| one.key);
        wanted.dedup();
        Ok(wanted)
    }

    /// Remembers what was looked at, where that is news.
    pub fn follow(
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
        let path = path(context, self.name);
        let dir = path.parent().expect("it lies in a directory");
        std::fs::create_dir_all(dir)?;
        let file = tempfile::NamedTempFile::new_in(dir)?;
        std::fs::write(file.path(), text)?;
        file.persist(path).map_err(|error| error.error)?;
        Ok(())
    }
}

/// Forgets how far the shelf followed: the next one to ask looks at the whole table.
pub fn forget(context: &Context, name: &str) -> anyhow::Result<()> {
    match std::fs::remove_file(path(context, name)) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}

fn path(context: &Context, name: &str) -> PathBuf {
    context.folio_dir().join("artifacts").join(name)
}

/// What the state of a page says of one artifact; nothing where it is not published, or withdrawn.
pub fn one(
    space: &Space<'_, GitStore>,
    page: &Page,
    key: &ContentDigest,
) -> anyhow::Result<Option<Wanted>> {
    let key = artifacts::place(key);
    let row = space
        .tables
        .row(Some(page.tree()), Table::Artifacts, &key)?;
    Ok(row.as_ref().map(wanted_by).transpose()?.flatten())
}

/// Keys whose bytes were erased here on purpose.
pub fn purged(context: &Context) -> anyhow::Result<BTreeSet<ContentDigest>> {
    let text = match std::fs::read_to_string(context.folio_dir().join("purged")) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(BTreeSet::new()),
        Err(error) => return Err(error.into()),
    };
    Ok(text.lines().filter_map(|line| line.parse().ok()).collect())
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

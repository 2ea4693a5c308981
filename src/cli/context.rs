//! What commands stand on: the space in this directory, its history, and the snapshot that is asked about.

use super::args::Global;
use super::error::Problem;
use super::ui::{Ui, escape};
use crate::journal::history::History;
use crate::journal::{Page, Space, refs};
use crate::model::{Code, Number, Oid};
use crate::remote::partial;
use crate::state::{Tables, TreeView};
use crate::store::{GitStore, Index, Kind, Objects as _, Refs as _};
use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};

/// Where a command runs.
pub struct Context {
    /// The repository.
    pub store: GitStore,
}

impl Context {
    /// Finds the repository as git does: from `-C DIR`, else from here, upwards. `GIT_DIR` is honoured.
    pub fn open(global: &Global) -> anyhow::Result<Self> {
        let start = global.dir();
        let store = match std::env::var_os("GIT_DIR") {
            Some(dir) if global.directory.is_empty() => GitStore::open(Path::new(&dir))?,
            _ => GitStore::discover(&start)?,
        };
        let prompt = std::io::stdin().is_terminal();
        let store = partial::with_promised(store, prompt);
        Ok(Self { store })
    }

    /// Where Folio keeps what is derived and what is not yet proposed.
    pub fn folio_dir(&self) -> PathBuf {
        self.store.common_dir().join("folio")
    }

    /// The space.
    pub fn space(&self) -> anyhow::Result<Space<'_, GitStore>> {
        self.newest().map(|(space, _)| space)
    }

    /// The space, and its newest snapshot.
    pub fn newest(&self) -> anyhow::Result<(Space<'_, GitStore>, Page)> {
        Space::open_newest(&self.store).map_err(|fault| match fault.code {
            Code::NotASpace => Problem::new(
                Code::NotASpace,
                format!(
                    "`{}` is a git repository without a Folio space",
                    self.store.git_dir().display()
                ),
            )
            .into(),
            _ => fault.into(),
        })
    }

    /// The derived index.
    pub fn index(&self) -> anyhow::Result<Index> {
        Ok(Index::open(&self.folio_dir(), self.store.object_format())?)
    }

    /// The history up to `main`, with the index brought up to date.
    pub fn history<'i>(
        &self,
        space: &Space<'_, GitStore>,
        index: &'i mut Index,
        ui: &Ui,
    ) -> anyhow::Result<History<'i>> {
        let mut progress = ui.progress("Indexing");
        let report = &mut |done, total| progress.at(done, total);
        Ok(History::open(
            &space.tables,
            &self.store,
            Some(space.tip()?),
            index,
            report,
        )?)
    }

    /// The snapshot that `--at` names: `N`, `@N`, `common@N`, `main`, a tag or other ref, or a commit id or
    /// the beginning of one. Without it, the newest.
    pub fn page(
        &self,
        space: &Space<'_, GitStore>,
        at: Option<&str>,
        ui: &Ui,
    ) -> anyhow::Result<Page> {
        let tip = space.tip()?;
        let Some(at) = at.filter(|at| !matches!(*at, "main" | "HEAD" | refs::MAIN)) else {
            return Ok(Page::read(&self.store, tip)?);
        };
        match number_of(at) {
            Some(number) => self.page_by_number(space, number, tip, ui),
            None => self.page_by_name(at),
        }
    }

    /// As [`Context::page`], for commands that ask: without `--at` they stand on the pin, where there is one.
    pub fn asked(
        &self,
        space: &Space<'_, GitStore>,
        at: Option<&str>,
        ui: &Ui,
    ) -> anyhow::Result<Page> {
        match (at, self.store.get(refs::PIN)?) {
            (None, Some(pin)) => Ok(Page::read(&self.store, pin)?),
            _ => self.page(space, at, ui),
        }
    }

    fn page_by_number(
        &self,
        space: &Space<'_, GitStore>,
        number: Number,
        tip: Oid,
        ui: &Ui,
    ) -> anyhow::Result<Page> {
        let newest = Page::read(&self.store, tip)?;
        if newest.number() == number {
            return Ok(newest);
        }
        let mut index = self.index()?;
        let history = self.history(space, &mut index, ui)?;
        Ok(Page::read(&self.store, history.commit_of(number)?)?)
    }

    fn page_by_name(&self, at: &str) -> anyhow::Result<Page> {
        let id = self.commit_by_name(at)?.ok_or_else(|| {
            let what = format!("no snapshot is called `{}`", escape(at));
            Problem::new(Code::NotFound, what).hint(
                "name one as `N`, `@N`, `common@N`, a tag or a commit id; `folio log` lists them",
            )
        })?;
        Ok(Page::read(&self.store, id)?)
    }

    /// The commit that a ref, a tag or (the beginning of) an id names.
    pub fn commit_by_name(&self, name: &str) -> anyhow::Result<Option<Oid>> {
        for prefix in ["", "refs/", "refs/tags/", "refs/heads/", "refs/remotes/"] {
            let full = format!("{prefix}{name}");
            if full.starts_with("refs/")
                && let Some(id) = self.store.get(&full)?
            {
                return Ok(Some(self.store.peel(id)?));
            }
        }
        let is_hex = name.len() >= 4 && name.bytes().all(|b| b.is_ascii_hexdigit());
        match is_hex {
            true => self.commit_by_prefix(&name.to_ascii_lowercase()),
            false => Ok(None),
        }
    }
}

impl Context {
    fn commit_by_prefix(&self, hex: &str) -> anyhow::Result<Option<Oid>> {
        if hex.len() > 2 * self.store.object_format().id_len() {
            return Ok(None);
        }
        let Some(id) = self.store.resolve_prefix(hex)? else {
            return Ok(None);
        };
        let id = self.store.peel(id)?;
        let is_commit = matches!(self.store.header(&id)?, Some((Kind::Commit, _)));
        Ok(is_commit.then_some(id))
    }
}

/// `N`, `@N` or `common@N`.
pub fn number_of(text: &str) -> Option<Number> {
    let digits = text
        .strip_prefix("common@")
        .or(text.strip_prefix('@'))
        .unwrap_or(text);
    let plain =
        !digits.is_empty() && digits.len() <= 15 && digits.bytes().all(|b| b.is_ascii_digit());
    plain.then(|| digits.parse().ok().map(Number)).flatten()
}

/// The state of a snapshot, to read from.
pub fn view_of<'t, 's>(
    tables: &'t Tables<'s, GitStore>,
    page: &Page,
) -> TreeView<'t, 's, GitStore> {
    TreeView::new(tables, Some(page.tree()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn snapshots_have_three_spellings() {
        for text in ["7", "@7", "common@7"] {
            assert_eq!(number_of(text), Some(Number(7)), "{text}");
        }
        for text in ["", "@", "7a", "-7", "common@", "99999999999999999999"] {
            assert_eq!(number_of(text), None, "{text}");
        }
    }
}

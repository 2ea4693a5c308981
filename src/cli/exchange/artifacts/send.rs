//! Sending artifacts: what is published by whoever holds the pen, what goes with one's own proposals before them.

use super::of_artifacts;
use crate::artifact::Shelves;
use crate::artifact::foreign::Foreign;
use crate::cli::args::Global;
use crate::cli::context::{Context, view_of};
use crate::cli::error::Problem;
use crate::cli::exchange::Remote;
use crate::cli::exchange::push::{Sent, What};
use crate::cli::offers;
use crate::cli::published;
use crate::cli::report::count;
use crate::cli::ui::Ui;
use crate::journal::reconcile::RefMap;
use crate::journal::shelf::{Catalog, Published};
use crate::journal::{Page, Space, check, refs};
use crate::model::{Code, Oid};
use crate::remote::{Push, Transport};
use crate::store::{Expect, GitStore, RefEdit, Refs as _};

/// Who sends to whom.
pub struct Sender<'a> {
    /// From where.
    pub context: &'a Context,
    /// The options of every command.
    pub global: &'a Global,
    /// The space.
    pub space: &'a Space<'a, GitStore>,
    /// To whom.
    pub remote: &'a Remote,
    /// How.
    pub transport: &'a Transport,
    /// The refs of artifacts there.
    pub there: &'a RefMap,
    /// Who is told.
    pub ui: &'a Ui,
}

impl Sender<'_> {
    /// Sends what is published, where our own catalog is signed by the key that holds the pen: both refs or none.
    ///
    /// # Errors
    /// `race-lost` where the other side publishes artifacts that are not here; `remote-failed`.
    pub fn shelf(&self, sent: &mut Sent) -> anyhow::Result<()> {
        let store = &self.context.store;
        let (Some(catalog), Some(published)) =
            (store.get(refs::CATALOG)?, store.get(refs::PUBLISHED)?)
        else {
            return Ok(());
        };
        let old = [refs::CATALOG, refs::PUBLISHED].map(|name| self.there.get(name).copied());
        if old == [Some(catalog), Some(published)] || !self.is_signed(catalog, published)? {
            return Ok(());
        }
        if let Some(theirs) = old[0] {
            self.require_all(theirs)?;
        }
        let edit = |name: &str, new, old| Push {
            name: name.to_owned(),
            new: Some(new),
            old,
            replace: true,
        };
        let edits = [
            edit(refs::CATALOG, catalog, old[0]),
            edit(refs::PUBLISHED, published, old[1]),
        ];
        if self.push(&edits, sent)? {
            self.remember(catalog)?;
        }
        Ok(())
    }

    fn is_signed(&self, catalog: Oid, published: Oid) -> anyhow::Result<bool> {
        let (store, space) = (&self.context.store, self.space);
        let page = Page::read(store, space.tip()?)?;
        let pen = check::pen_of(&view_of(&space.tables, &page))?.key;
        let keys = [
            Catalog::read(store, &space.id, catalog)?.key,
            Published::read(store, &space.id, published)?.key,
        ];
        Ok(keys == [Some(pen); 2])
    }

    /// What the other side has is here too, or published no more: nothing gets lost by replacing it. A catalog that we
    /// sent or brought last was looked at then.
    fn require_all(&self, theirs: Oid) -> anyhow::Result<()> {
        let (store, key) = (&self.context.store, &self.remote.key);
        let local = refs::sent_to(key);
        if store.get(&local)? == Some(theirs) {
            return Ok(());
        }
        let into = refs::catalog_of(key);
        if store.get(&into)? != Some(theirs) {
            let _waiting = self.ui.spinner("Asking");
            let wanted = [(refs::CATALOG.to_owned(), into.clone())];
            self.transport.fetch(&wanted, None)?;
        }
        let Some(theirs) = store.get(&into)? else {
            return Ok(());
        };
        // What nobody can read nobody can lose.
        let Ok(foreign) = Foreign::open(store, &self.space.id, key, theirs) else {
            return Ok(());
        };
        let page = Page::read(store, self.space.tip()?)?;
        let purged = published::purged(self.context)?;
        let shelves = Shelves::open(store)?;
        let mut lacking = 0;
        for one in foreign.keys()? {
            let key = one?.key;
            let gone = purged.contains(&key) || shelves.published().find(&key)?.is_some();
            if !gone && published::one(self.space, &page, &key)?.is_some() {
                lacking += 1;
            }
        }
        if lacking == 0 {
            return Ok(());
        }
        let name = &self.remote.name;
        let artifacts = count(lacking, "artifact");
        let what = format!("`{name}` publishes {artifacts}, not here yet");
        let hint = format!("folio fetch {name} --artifacts all, then push again");
        Err(Problem::new(Code::RaceLost, what).hint(hint).into())
    }

    fn remember(&self, catalog: Oid) -> anyhow::Result<()> {
        let edit = RefEdit {
            name: refs::sent_to(&self.remote.key),
            expect: Expect::Any,
            new: Some(catalog),
            message: "folio: sent".into(),
        };
        Ok(self.context.store.apply(&[edit])?)
    }

    /// Sends what goes with these proposals, where it is not there: before them, so that nobody finds a proposal
    /// without its bytes.
    ///
    /// # Errors
    /// `artifact-damaged`, `remote-failed`, those of signing.
    pub fn offers(&self, proposals: &[String], sent: &mut Sent) -> anyhow::Result<()> {
        if proposals.is_empty() {
            return Ok(());
        }
        let offers = offers::prepare(self.context, self.global, self.ui, proposals)?;
        for offer in offers {
            let old = self.there.get(&offer.name).copied();
            if old != Some(offer.commit) {
                let edit = Push {
                    name: offer.name,
                    new: Some(offer.commit),
                    old,
                    replace: true,
                };
                self.push(&[edit], sent)?;
            }
        }
        Ok(())
    }

    /// Removes there the offers of proposals that wait no more: of those that were just removed, of those that were
    /// there when we last looked, and our own.
    ///
    /// # Errors
    /// `remote-failed`.
    pub fn tidy(
        &self,
        what: What<'_>,
        branches: &RefMap,
        before: &RefMap,
        sent: &mut Sent,
    ) -> anyhow::Result<()> {
        let mut edits = Vec::new();
        for (name, old) in self.there {
            let Ok((author, slug)) = refs::parse_offer(name) else {
                continue;
            };
            let proposal = refs::proposal(&author, &slug);
            let removed = sent.removed.contains(&proposal);
            let waits = branches.contains_key(&proposal)
                || sent.refs.iter().any(|one| one.name == proposal)
                || self.context.store.get(&proposal)?.is_some();
            let known = match what {
                What::Everything => before.contains_key(&proposal),
                What::Own(handle) => author == *handle,
            };
            if removed || (!waits && known) {
                edits.push(Push {
                    name: name.clone(),
                    new: None,
                    old: Some(*old),
                    replace: true,
                });
            }
        }
        if !edits.is_empty() {
            self.push(&edits, sent)?;
        }
        Ok(())
    }

    /// Sends these together; whether they are there now.
    fn push(&self, edits: &[Push], sent: &mut Sent) -> anyhow::Result<bool> {
        let (mut results, words) = {
            let _waiting = self.ui.spinner("Pushing");
            self.transport.push_together(edits)?
        };
        crate::cli::exchange::say_remote(self.ui, &words);
        if results.iter().any(|one| one.refused.is_some()) {
            // Somebody may have been faster, or the answer to an earlier push was lost.
            let now = of_artifacts(&self.transport.list()?);
            for one in &mut results {
                let edit = edits.iter().find(|edit| edit.name == one.name);
                if edit.is_some_and(|edit| now.get(&one.name).copied() == edit.new) {
                    one.refused = None;
                }
            }
        }
        let good = results.iter().all(|one| one.refused.is_none());
        for one in results {
            let gone = edits
                .iter()
                .any(|edit| edit.name == one.name && edit.new.is_none());
            match (gone, &one.refused) {
                (true, None) => sent.removed.push(one.name),
                _ => sent.refs.push(one),
            }
        }
        Ok(good)
    }
}

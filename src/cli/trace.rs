//! Which snapshot, and which decision in it, last changed a row. Found through the derived index and
//! checked against the states before and after.

use super::context::Context;
use super::error::Problem;
use super::numbered::{Decided, Numbered};
use crate::crypto::digest;
use crate::fold::apply::fold_rules;
use crate::fold::{Decision, Submission};
use crate::journal::history::History;
use crate::journal::pages::change_key;
use crate::journal::{Fault, Page, Space};
use crate::model::{Code, Number, Oid, Row, RowKey, Table};
use crate::state::TreeView;
use crate::store::GitStore;
use std::collections::BTreeMap;
use std::rc::Rc;

/// One change of one row.
#[derive(Debug, Clone)]
pub struct Change {
    /// The snapshot and the proposal that made it.
    pub by: Rc<Folded>,
    /// The index of the decision there.
    pub index: usize,
    /// The row before.
    pub before: Option<Row>,
    /// The row afterwards.
    pub after: Option<Row>,
}

impl Change {
    /// The decision that made it.
    pub fn decision(&self) -> &Decision {
        &self.by.numbered.proposal.decisions()[self.index]
    }

    /// The snapshot and the proposal, for an answer.
    pub fn decided(&self) -> Decided {
        Decided::of(&self.by.numbered)
    }
}

/// A proposal, folded again on the state that it was numbered on.
#[derive(Debug)]
pub struct Folded {
    /// The snapshot and its proposal.
    pub numbered: Numbered,
    /// The state before.
    before: Option<Oid>,
    /// Per decision, the keys it wrote.
    touched: Vec<Vec<(Table, RowKey)>>,
}

/// Looks up changes. A proposal that is met again is not folded again.
pub struct Tracer<'a, 's, 'h, 'i> {
    space: &'a Space<'s, GitStore>,
    /// None where the history is not here: then nothing is found.
    history: Option<&'h History<'i>>,
    up_to: Number,
    known: BTreeMap<Number, Rc<Folded>>,
}

impl<'a, 's, 'h, 'i> Tracer<'a, 's, 'h, 'i> {
    /// Looks at the snapshots up to a page, which must be one of the history.
    pub fn new(
        space: &'a Space<'s, GitStore>,
        history: &'h History<'i>,
        page: &Page,
    ) -> anyhow::Result<Self> {
        if !history.contains(page.number(), &page.id) {
            let what = format!(
                "commit {} is not the common@{} of this journal",
                page.id.short(),
                page.number()
            );
            return Err(Problem::new(Code::NotFound, what)
                .hint("folio log lists the snapshots")
                .into());
        }
        Ok(Self {
            space,
            history: Some(history),
            up_to: page.number(),
            known: BTreeMap::new(),
        })
    }

    /// The newest change of a row.
    pub fn last(&mut self, table: Table, key: &RowKey) -> anyhow::Result<Option<Change>> {
        Ok(self.changes(table, key, false)?.pop())
    }

    /// The changes of a row, newest first; only the newest unless `all`.
    pub fn changes(
        &mut self,
        table: Table,
        key: &RowKey,
        all: bool,
    ) -> anyhow::Result<Vec<Change>> {
        let mut found = Vec::new();
        let Some(history) = self.history else {
            return Ok(found);
        };
        let numbers = history.changes(&change_key(table, key), self.up_to)?;
        for number in numbers {
            let by = self.folded(number, history.commit_of(number)?)?;
            let tables = &self.space.tables;
            let before = tables.row(by.before, table, key)?;
            let after = tables.row(Some(by.numbered.page.tree()), table, key)?;
            // The index knows rows by a short hash; the states have the last word.
            if before == after {
                continue;
            }
            let wrote =
                |keys: &Vec<(Table, RowKey)>| keys.iter().any(|k| k.0 == table && k.1 == *key);
            let index = by.touched.iter().rposition(wrote).ok_or_else(|| {
                let what = format!("{table} `{key}` changed and no decision wrote it");
                Fault::new(Code::TreeMismatch, what).at(number)
            })?;
            found.push(Change {
                by,
                index,
                before,
                after,
            });
            if !all {
                break;
            }
        }
        Ok(found)
    }

    fn folded(&mut self, number: Number, commit: Oid) -> anyhow::Result<Rc<Folded>> {
        if let Some(known) = self.known.get(&number) {
            return Ok(Rc::clone(known));
        }
        let store = self.space.store;
        let page = Page::read(store, commit)?;
        let previous = page.previous().map(|id| Page::read(store, id));
        let previous = previous.transpose()?;
        let before = previous.as_ref().map(Page::tree);
        let after = match &previous {
            Some(page) => page.message.chain,
            None => digest::chain_start(&self.space.id),
        };
        let numbered = Numbered::read(self.space, page)?;
        let submission = Submission {
            digest: numbered.proposal.digest(),
            author: numbered.proposal.author(),
            after,
            decisions: numbered.proposal.decisions(),
            votes: &[],
        };
        let view = TreeView::new(&self.space.tables, before);
        let outcome = fold_rules(&view, &submission)
            .map_err(|stop| Fault::from(stop).at(number).in_commit(numbered.page.id))?;
        let folded = Rc::new(Folded {
            before,
            touched: outcome.touched,
            numbered,
        });
        self.known.insert(number, Rc::clone(&folded));
        Ok(folded)
    }
}

/// Opens the index and the history, and hands over a tracer that looks up to `page`.
pub fn with_tracer<T>(
    context: &Context,
    space: &Space<'_, GitStore>,
    page: &Page,
    ui: &super::ui::Ui,
    work: impl FnOnce(&mut Tracer<'_, '_, '_, '_>) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let mut index = context.index()?;
    let mut history = context.history(space, &mut index, ui)?;
    know_changes(context, &mut history, ui)?;
    work(&mut Tracer::new(space, &history, page)?)
}

/// What pages changed is found out when it is asked for.
fn know_changes(
    context: &Context,
    history: &mut History<'_>,
    ui: &super::ui::Ui,
) -> anyhow::Result<()> {
    let mut progress = ui.progress("Indexing");
    let report = &mut |done, total| progress.at(done, total);
    Ok(history.know_changes(&context.store, report)?)
}

/// Likewise, for answers that do not stand on who decided: in a shallow clone they are given without it.
pub fn with_tracer_if_here<T>(
    context: &Context,
    space: &Space<'_, GitStore>,
    page: &Page,
    ui: &super::ui::Ui,
    work: impl FnOnce(&mut Tracer<'_, '_, '_, '_>) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let mut index = context.index()?;
    let history = context.history(space, &mut index, ui);
    let known = history.and_then(|mut history| {
        know_changes(context, &mut history, ui)?;
        Ok(history)
    });
    match known {
        Ok(history) => work(&mut Tracer::new(space, &history, page)?),
        Err(error) if super::error::parts(&error).0 == Some(Code::ObjectMissing) => {
            ui.say("note: the history is not here (a shallow clone?), so who decided is left out");
            work(&mut Tracer {
                space,
                history: None,
                up_to: page.number(),
                known: BTreeMap::new(),
            })
        }
        Err(error) => Err(error),
    }
}

//! The order in which aliases of a file are drafted, so that each decision is accepted where it stands.
//!
//! Every alias waits for its target, where that is an alias of the file too. A name that rows treat as an
//! entity has become another name for a second one: a merge, and whatever pointed at it follows without a
//! decision of its own. So an alias is as the file says when both lead to the same entity, and what is
//! drafted is smaller than the difference of the rows.

use super::alias_file::{Aliases, Wanted};
use super::draft::Drafting;
use super::error::{self, Problem};
use super::ui::Progress;
use crate::fold::rules::{AliasSet, Merge};
use crate::fold::{Decision, graph};
use crate::model::rows::{AliasRow, MergeRow};
use crate::model::{Code, Name, RowKey, limits};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// How many aliases of each sort there were.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Counts {
    /// New aliases.
    pub set: usize,
    /// Aliases with another target.
    pub changed: usize,
    /// Aliases that are not in the file.
    pub dropped: usize,
    /// Entities that became another name.
    pub merged: usize,
    /// Redirects that are not in the file.
    pub unmerged: usize,
    /// What leads where the file says.
    pub unchanged: usize,
}

/// Drafts what a file says, on top of a draft.
pub struct Plan<'p, 'd, 's> {
    drafting: &'p mut Drafting<'s>,
    aliases: &'d Aliases,
    /// Not yet as the file says.
    pending: BTreeSet<&'d Name>,
    /// Who waits for a name that is pending.
    waiting: BTreeMap<&'d Name, Vec<&'d Name>>,
    /// Who can be tried.
    ready: VecDeque<&'d Name>,
    /// Who was refused and why.
    refused: BTreeMap<&'d Name, Code>,
    /// What was counted.
    pub counts: Counts,
}

impl<'p, 'd, 's> Plan<'p, 'd, 's> {
    /// Everything of the file is still to be done.
    pub fn new(drafting: &'p mut Drafting<'s>, aliases: &'d Aliases, counts: Counts) -> Self {
        let mut waiting: BTreeMap<&Name, Vec<&Name>> = BTreeMap::new();
        let mut ready = VecDeque::new();
        for (alias, wanted) in aliases {
            match aliases.get_key_value(&wanted.target) {
                Some((target, _)) => waiting.entry(target).or_default().push(alias),
                None => ready.push_back(alias),
            }
        }
        Self {
            drafting,
            aliases,
            pending: aliases.keys().collect(),
            waiting,
            ready,
            refused: BTreeMap::new(),
            counts,
        }
    }

    /// Drafts all of it, or says which line cannot be drafted and why.
    pub fn run(&mut self, progress: &mut Progress) -> anyhow::Result<()> {
        let total = self.aliases.len() as u64;
        let mut done_before = None;
        loop {
            while let Some(alias) = self.ready.pop_front() {
                self.attempt(alias)?;
                progress.at(total - self.pending.len() as u64, total);
            }
            if self.pending.is_empty() {
                return self.settle();
            }
            if done_before == Some(self.pending.len()) {
                return Err(self.stuck());
            }
            // Something changed since these were refused.
            done_before = Some(self.pending.len());
            self.ready.extend(self.refused.keys());
        }
    }

    /// Nothing more can be drafted: why not.
    fn stuck(&mut self) -> anyhow::Error {
        let first = self.refused.keys().next().copied();
        let alias = first.expect("what is pending and not waiting was refused");
        let wanted = &self.aliases[alias];
        match self.draft(alias, wanted) {
            Err(error) => in_line(&error, wanted.line),
            Ok(_) => Problem::new(Code::BadRequest, "the draft changed meanwhile").into(),
        }
    }

    /// An alias that led where it should may have been led astray by a later one on its way.
    fn settle(&mut self) -> anyhow::Result<()> {
        for _ in 0..limits::CHAIN {
            let mut astray = Vec::new();
            for (alias, wanted) in self.aliases {
                if self.end_of(alias)? != self.end_of(&wanted.target)? {
                    astray.push((alias, wanted));
                }
            }
            if astray.is_empty() {
                return Ok(());
            }
            for (alias, wanted) in astray {
                self.counts.unchanged -= 1;
                self.draft(alias, wanted)
                    .map_err(|error| in_line(&error, wanted.line))?;
            }
        }
        let what = "the aliases of the file lead through more than 16 others";
        Err(Problem::new(Code::ChainTooLong, what).into())
    }

    fn attempt(&mut self, alias: &'d Name) -> anyhow::Result<()> {
        if !self.pending.contains(alias) {
            return Ok(());
        }
        let wanted = &self.aliases[alias];
        match self.draft(alias, wanted) {
            Ok(left) => {
                self.done(alias, left);
                Ok(())
            }
            Err(error) => match error::parts(&error).0 {
                Some(code @ (Code::AliasCycle | Code::ChainTooLong | Code::MergeCycle)) => {
                    self.refused.insert(alias, code);
                    Ok(())
                }
                _ => Err(in_line(&error, wanted.line)),
            },
        }
    }

    /// Drafts one line: a merge where the name is an entity, else an alias; what it stood for before.
    fn draft(&mut self, alias: &Name, wanted: &Wanted) -> anyhow::Result<Option<Name>> {
        let scene = self.drafting.scene();
        let is_alias = scene.has::<AliasRow>(&RowKey::of(alias))?;
        match !is_alias && graph::treated_as_entity(scene, alias)?.is_some() {
            true => self.merge(alias, wanted),
            false => self.set(alias, wanted),
        }
    }

    /// Where aliases and redirects lead from a name, with the draft applied.
    fn end_of(&self, name: &Name) -> anyhow::Result<Name> {
        let scene = self.drafting.scene();
        let steps = graph::alias_chain(scene, name)?;
        let end = steps.last().map_or(name, |step| &step.to);
        let steps = graph::redirect_chain(scene, end)?;
        Ok(steps.last().map_or(end, |step| &step.to).clone())
    }

    /// An alias is as the file says: who waited for it, and who was in the way of what it left, can be tried.
    fn done(&mut self, alias: &'d Name, left: Option<Name>) {
        self.pending.remove(alias);
        self.refused.remove(alias);
        self.ready
            .extend(self.waiting.remove(alias).unwrap_or_default());
        if let Some(left) = left
            && let Some((freed, _)) = self.refused.remove_entry(&left)
        {
            self.ready.push_back(freed);
        }
    }

    /// Drafts an alias; what it stood for before.
    fn set(&mut self, alias: &Name, wanted: &Wanted) -> anyhow::Result<Option<Name>> {
        let key = RowKey::of(alias);
        let old: Option<AliasRow> = self.drafting.scene().get(&key)?;
        if old.is_some() && self.end_of(alias)? == self.end_of(&wanted.target)? {
            self.counts.unchanged += 1;
            return Ok(None);
        }
        let decision = Decision::AliasSet(AliasSet {
            alias: alias.clone(),
            target: wanted.target.clone(),
            was: None,
        });
        self.drafting.add(decision, true)?;
        match old {
            Some(_) => self.counts.changed += 1,
            None => self.counts.set += 1,
        }
        Ok(old.map(|row| row.target))
    }

    /// Drafts a merge into what the target stands for.
    fn merge(&mut self, from: &Name, wanted: &Wanted) -> anyhow::Result<Option<Name>> {
        let scene = self.drafting.scene();
        let steps = graph::alias_chain(scene, &wanted.target)?;
        let into = steps.last().map_or(&wanted.target, |step| &step.to).clone();
        let old: Option<MergeRow> = scene.get(&RowKey::of(from))?;
        let old = old.map(|row| row.into);
        if old.is_some() && self.end_of(from)? == self.end_of(&into)? {
            self.counts.unchanged += 1;
            return Ok(None);
        }
        let decision = Decision::Merge(Merge {
            from: from.clone(),
            resolved: into.clone(),
            into,
            was: None,
        });
        self.drafting.add(decision, true)?;
        self.counts.merged += 1;
        Ok(old)
    }
}

fn in_line(error: &anyhow::Error, line: u64) -> anyhow::Error {
    let (code, what, hint) = error::parts(error);
    let code = code.unwrap_or(Code::BadRequest);
    let hint = hint.unwrap_or_else(|| code.help().to_owned());
    Problem::new(code, format!("line {line}: {what}"))
        .hint(hint)
        .into()
}

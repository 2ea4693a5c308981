//! The order in which aliases of a file are drafted, so that each decision is accepted where it stands.
//!
//! Every alias waits for its target, where that is an alias of the file too. One that is refused because
//! rows still treat it as an entity waits until an alias that pointed at it points elsewhere; what is
//! refused in the end as an entity has become another name for a second one: a merge. A name is tried
//! again only after something it waited for has changed, so the work grows with the file and no faster.

use super::alias_file::{Aliases, Wanted};
use super::draft::Drafting;
use super::error::{self, Problem};
use super::ui::Progress;
use crate::fold::rules::{AliasSet, Merge};
use crate::fold::{Decision, graph};
use crate::model::rows::{AliasRow, MergeRow};
use crate::model::{Code, Name, RowKey};
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
    /// What is as the file says.
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
                self.attempt(alias, false)?;
                progress.at(total - self.pending.len() as u64, total);
            }
            if self.pending.is_empty() {
                return Ok(());
            }
            if done_before != Some(self.pending.len()) {
                // Something changed since these were refused. Entities are left out: what frees one is
                // known when it happens.
                done_before = Some(self.pending.len());
                let again = self.refused.iter();
                let again = again.filter(|(_, code)| **code != Code::IsEntity);
                self.ready.extend(again.map(|(alias, _)| alias));
                continue;
            }
            self.merge_one()?;
        }
    }

    /// The next name that stays an entity becomes a merge; where there is none, nothing helps.
    fn merge_one(&mut self) -> anyhow::Result<()> {
        let mut refused = self.refused.iter();
        let entity = refused.find(|(_, code)| **code == Code::IsEntity);
        match entity.map(|(alias, _)| *alias) {
            Some(alias) => self.attempt(alias, true),
            None => {
                let first = self.refused.keys().next().copied();
                let alias = first.expect("what is pending and not waiting was refused");
                let wanted = &self.aliases[alias];
                let error = self.set(alias, wanted).err();
                Err(error.map_or_else(
                    || Problem::new(Code::BadRequest, "the draft changed meanwhile").into(),
                    |error| in_line(&error, wanted.line),
                ))
            }
        }
    }

    fn attempt(&mut self, alias: &'d Name, as_merge: bool) -> anyhow::Result<()> {
        if !self.pending.contains(alias) {
            return Ok(());
        }
        let wanted = &self.aliases[alias];
        let key = RowKey::of(alias.as_str());
        let redirected = self.drafting.scene().has::<MergeRow>(&key)?;
        let tried = match as_merge || redirected {
            true => self.merge(alias, wanted),
            false => self.set(alias, wanted),
        };
        match tried {
            Ok(left) => {
                self.done(alias, left);
                Ok(())
            }
            Err(error) => match error::parts(&error).0 {
                Some(
                    code @ (Code::IsEntity
                    | Code::AliasCycle
                    | Code::ChainTooLong
                    | Code::MergeCycle),
                ) if !as_merge => {
                    self.refused.insert(alias, code);
                    Ok(())
                }
                _ => Err(in_line(&error, wanted.line)),
            },
        }
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
        let key = RowKey::of(alias.as_str());
        let old: Option<AliasRow> = self.drafting.scene().get(&key)?;
        if old.as_ref().is_some_and(|row| row.target == wanted.target) {
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
        let old: Option<MergeRow> = scene.get(&RowKey::of(from.as_str()))?;
        let old = old.map(|row| row.into);
        if old.as_ref() == Some(&into) || old.as_ref() == Some(&wanted.target) {
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

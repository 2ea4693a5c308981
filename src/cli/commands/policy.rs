//! `folio policy`: draft who may propose what, and show what holds.

use crate::cli::args::{At, Global};
use crate::cli::error::Problem;
use crate::cli::exit::Exit;
use crate::cli::ui::{Ui, escape};
use crate::cli::{one, policy_pen, policy_show};
use crate::fold::Decision;
use crate::fold::rules::PolicySet;
use crate::model::rows::{Approvals, Tier};
use crate::model::{Code, Handle, Name, Prefix};
use clap::{Subcommand, ValueEnum};
use std::collections::{BTreeMap, BTreeSet};

/// Draft who may propose what
#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Draft one row: it decides alone for what it covers
    Set(Set),
    /// Draft who may take the pen
    #[command(
        after_help = "TERMS: `released`: only after it was released; `appointed`: any appointed witness at any \
time; `approvals:K:ROLE`: with K approvals of a role, at any time. A released pen is any appointed witness's."
    )]
    Pen {
        /// released, appointed, or approvals:K:ROLE
        terms: String,
        /// Others wait until the holder was silent for so long; manners
        #[arg(long, value_name = "SECONDS")]
        ttl: Option<u64>,
        /// Takers wait for so long after the pen last moved; manners
        #[arg(long, value_name = "SECONDS")]
        lock_delay: Option<u64>,
    },
    /// The rows, or the one that decides
    #[command(after_help = "`folio policy show alias.set US/Eastern` shows the row that decides.")]
    Show {
        /// Only this kind, family or `*`
        scope: Option<String>,
        /// With a kind of decision: which row decides about this name
        name: Option<String>,
        #[command(flatten)]
        at: At,
    },
}

/// A kind's own rows come before its family's before `*`; the longest prefix decides.
#[derive(Debug, clap::Args)]
struct Set {
    /// A kind of decision, a family (charter, names, equivalence, overlays, pen), or `*`
    scope: String,
    /// Only for names that start so
    #[arg(long, default_value = "")]
    prefix: String,
    /// A role that may propose; may be given again
    #[arg(long, required_unless_present = "nobody")]
    role: Vec<String>,
    /// Nobody may propose it
    #[arg(long, conflicts_with = "role")]
    nobody: bool,
    /// So many approvals of a role; may be given again
    #[arg(long, value_name = "N:ROLE")]
    approvals: Vec<String>,
    /// As many approvals as bear F liars among those who hold the role, however many they are
    #[arg(long, value_name = "F", requires = "approvals")]
    safe: Option<u64>,
    /// How it becomes final [default: witness; with approvals quorum]
    #[arg(long)]
    tier: Option<TierWord>,
    /// The author's own approval counts
    #[arg(long)]
    self_approval: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum TierWord {
    Local,
    Eventual,
    Witness,
    Quorum,
}

/// Runs it.
pub fn run(arguments: &Arguments, global: &Global, ui: &Ui) -> anyhow::Result<Exit> {
    match &arguments.action {
        Action::Set(set) => one::draft(global, ui, |_| set.decision()),
        Action::Pen {
            terms,
            ttl,
            lock_delay,
        } => policy_pen::run(terms, *ttl, *lock_delay, global, ui),
        Action::Show { scope, name, at } => {
            policy_show::run(scope.as_deref(), name.as_deref(), at, global, ui)
        }
    }
}

impl Set {
    fn decision(&self) -> anyhow::Result<Decision> {
        let roles: BTreeSet<Handle> = self
            .role
            .iter()
            .map(|role| Handle::new(role.as_str()))
            .collect::<Result<_, _>>()?;
        let tier = match self.tier {
            Some(TierWord::Local) => Tier::Local,
            Some(TierWord::Eventual) => Tier::Eventual,
            Some(TierWord::Witness) => Tier::Witness,
            Some(TierWord::Quorum) => Tier::Quorum,
            None if self.approvals.is_empty() => Tier::Witness,
            None => Tier::Quorum,
        };
        Ok(Decision::PolicySet(PolicySet {
            approvals: self.approvals()?,
            lock_delay: None,
            prefix: Prefix::new(self.prefix.as_str())?,
            roles: roles.into_iter().collect(),
            safe: self.safe,
            scope: Name::new(self.scope.as_str())?,
            self_approval: self.self_approval,
            tier,
            ttl: None,
            was: None,
        }))
    }

    /// Sorted by role, each once.
    fn approvals(&self) -> anyhow::Result<Vec<Approvals>> {
        let mut sorted = BTreeMap::new();
        for words in &self.approvals {
            let parts = words.split_once(':');
            let count = parts.and_then(|(count, _)| count.parse::<u64>().ok());
            let (Some(count), Some((_, role))) = (count, parts) else {
                let what = format!("expected N:ROLE, found `{}`", escape(words));
                return Err(Problem::new(Code::BadRequest, what)
                    .hint("--approvals 2:reviewer")
                    .into());
            };
            if sorted.insert(Handle::new(role)?, count).is_some() {
                let what = format!("--approvals names the role `{role}` twice");
                return Err(Problem::new(Code::BadRequest, what).into());
            }
        }
        let rows = sorted.into_iter();
        Ok(rows
            .map(|(role, count)| Approvals { count, role })
            .collect())
    }
}

//! Co-signed changes: who changes the policy, or who holds roles, needs the approvals that were asked for
//! before and, where it changes them, those that are asked for afterwards. So nobody lowers a threshold by
//! fewer than it, and nobody sets one that those who are to meet it do not meet.

use super::apply::{Outcome, Submission};
use super::decision::Decision;
use super::policy;
use super::refusal::Stop;
use super::scene::Scene;
use super::view::{View, ViewFault};
use crate::model::rows::{MemberRow, PolicyRow};
use crate::model::{Row, RowEdits, RowKey, Table};
use std::collections::BTreeMap;

/// A state with changes on top.
struct After<'a> {
    before: &'a dyn View,
    edits: &'a RowEdits,
}

impl View for After<'_> {
    fn row(&self, table: Table, key: &RowKey) -> Result<Option<Row>, ViewFault> {
        match self.edits.get(table, key) {
            Some(row) => Ok(row.clone()),
            None => self.before.row(table, key),
        }
    }

    fn rows(&self, table: Table, subject: &str) -> Result<Vec<(RowKey, Row)>, ViewFault> {
        let mut rows: BTreeMap<RowKey, Row> =
            self.before.rows(table, subject)?.into_iter().collect();
        for (key, row) in self.edits.of(table).of_subject(subject) {
            match row {
                Some(row) => rows.insert(key.clone(), row.clone()),
                None => rows.remove(key),
            };
        }
        Ok(rows.into_iter().collect())
    }
}

/// Asks for the approvals of the policy that a proposal makes, on each of its decisions that changed the policy
/// or who holds roles, where that is another policy than before or others hold its roles.
pub(super) fn require(
    view: &dyn View,
    author: &MemberRow,
    submission: &Submission<'_>,
    outcome: &Outcome,
) -> Result<(), Stop> {
    // Who has a say is judged in the state before, as all authority: nobody brings their own voters.
    let mut approving = None;
    asked(
        view,
        submission.decisions,
        outcome,
        &mut |index, after, rule| {
            let approving = match &mut approving {
                Some(approving) => approving,
                none => none.insert(policy::approving(&Scene::new(view), submission.votes)?),
            };
            let whose = " by the policy that this proposal makes";
            policy::require_approvals(after, author, rule, approving, whose)
                .map_err(|stop| stop.at(index))
        },
    )
}

/// Calls `each` with the rows that `require` asks for approvals by: which decision, the state afterwards, the row.
pub fn asked(
    view: &dyn View,
    decisions: &[Decision],
    outcome: &Outcome,
    each: &mut dyn FnMut(usize, &Scene<'_>, &PolicyRow) -> Result<(), Stop>,
) -> Result<(), Stop> {
    let decides = |table: Table| matches!(table, Table::Policy | Table::Roles);
    if !outcome.edits.keys().any(|(table, _)| decides(table)) {
        return Ok(());
    }
    let after = After {
        before: view,
        edits: &outcome.edits,
    };
    let (before, after) = (Scene::new(view), Scene::new(&after));
    for (index, decision) in decisions.iter().enumerate() {
        let changes = matches!(
            decision,
            Decision::PolicySet(_) | Decision::MemberAdd(_) | Decision::MemberRemove(_)
        );
        if !changes
            || !outcome.touched[index]
                .iter()
                .any(|(table, _)| decides(*table))
        {
            continue;
        }
        for key in decision.policy_keys() {
            let Some(rule) = policy::governing(&after, decision, &key)? else {
                continue;
            };
            if is_new(&before, &after, decision, &key, &rule)? {
                each(index, &after, &rule)?;
            }
        }
    }
    Ok(())
}

/// Whether another row decides afterwards, or others hold a role whose approval it asks for.
fn is_new(
    before: &Scene<'_>,
    after: &Scene<'_>,
    decision: &Decision,
    key: &str,
    rule: &PolicyRow,
) -> Result<bool, Stop> {
    if policy::governing(before, decision, key)?.as_ref() != Some(rule) {
        return Ok(true);
    }
    for needed in &rule.approvals {
        if policy::holders(before, &needed.role)? != policy::holders(after, &needed.role)? {
            return Ok(true);
        }
    }
    Ok(false)
}

//! `policy.set`: who may propose what.

use super::roster;
use super::*;
use crate::fold::Decision;
use crate::fold::policy;
use crate::model::rows::{Approvals, PolicyRow, TableRow, Tier};
use crate::model::{Handle, Note, RowDigest, RowKey, Table, limits};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Payload of `policy.set`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicySet {
    /// Approvals needed, sorted by role.
    pub approvals: Vec<Approvals>,
    /// The beginning of the keys it is about.
    pub prefix: Note,
    /// Roles that may propose, sorted; one of them suffices.
    pub roles: Vec<Handle>,
    /// A kind of decision, a family, or `*`.
    pub scope: Name,
    /// Whether the author's own approval counts.
    pub self_approval: bool,
    /// How such a decision becomes final.
    pub tier: Tier,
    /// The row it replaces.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub was: Option<RowDigest>,
}

impl PolicySet {
    fn row(&self) -> PolicyRow {
        PolicyRow {
            approvals: self.approvals.clone(),
            prefix: self.prefix.clone(),
            roles: self.roles.clone(),
            scope: self.scope.clone(),
            self_approval: self.self_approval,
            tier: self.tier,
        }
    }
}

impl Kind for PolicySet {
    const OP: &'static str = "policy.set";
    const FAMILY: Family = Family::Charter;
    const ABOUT: &'static str = "Says who may propose a kind of decision on keys with a prefix, how many approvals of which role it needs, and its tier. The kind's own rows come before its family's before `*`; among those of one scope the longest prefix decides alone. No roles means nobody.";
    const FIELDS: &'static [Field] = &[
        Field {
            name: "approvals",
            shape: "list of {count, role}, sorted by role, may be empty",
            about: "approvals needed",
        },
        Field {
            name: "prefix",
            shape: "text, may be empty",
            about: "the beginning of the keys it is about",
        },
        Field {
            name: "roles",
            shape: "list of handles, sorted",
            about: "who may propose; one of the roles suffices",
        },
        Field {
            name: "scope",
            shape: "kind, family or `*`",
            about: "which decisions it is about",
        },
        Field {
            name: "self_approval",
            shape: "true or false",
            about: "whether the author's own approval counts",
        },
        Field {
            name: "tier",
            shape: "`local`, `eventual`, `witness` or `quorum`",
            about: "how such a decision becomes final",
        },
        WAS,
    ];
    const CODES: &'static [Code] = &[Code::Stale, Code::PolicyUnsafe, Code::TooLarge];

    fn example() -> Self {
        let role = |name: &str| Handle::new(name).expect("a valid role");
        Self {
            approvals: vec![Approvals {
                count: 2,
                role: role("reviewer"),
            }],
            prefix: Note::new("US/").expect("a valid text"),
            roles: vec![role("admin"), role("member")],
            scope: example_name("alias.set"),
            self_approval: false,
            tier: Tier::Quorum,
            was: Some(RowDigest([1; 32])),
        }
    }

    fn policy_keys(&self) -> Vec<&str> {
        vec![self.scope.as_str()]
    }

    fn guarded(&self) -> Option<(Table, RowKey)> {
        Some((Table::Policy, self.row().key()))
    }

    fn was_mut(&mut self) -> Option<&mut Option<RowDigest>> {
        Some(&mut self.was)
    }

    fn validate(&self) -> Result<(), Stop> {
        roster::require_role_list(&self.roles)?;
        let scope = self.scope.as_str();
        let known = scope == "*"
            || Decision::OPS.contains(&scope)
            || Family::ALL.iter().any(|family| family.as_str() == scope);
        if !known {
            let what = format!("`{scope}` is neither a kind of decision, a family nor `*`");
            return Stop::refuse(Code::PolicyUnsafe, what);
        }
        if self.approvals.len() > limits::ROLES {
            return Stop::refuse(
                Code::TooLarge,
                format!("expected at most {} entries", limits::ROLES),
            );
        }
        if !self.approvals.is_sorted_by(|a, b| a.role < b.role) {
            return Stop::refuse(
                Code::JsonMalformed,
                "expected approvals sorted by role, each once",
            );
        }
        let sensible = |a: &Approvals| (1..=limits::GROUP as u64).contains(&a.count);
        if !self.approvals.iter().all(sensible) {
            return Stop::refuse(
                Code::PolicyUnsafe,
                "expected 1 to 1,024 approvals of a role",
            );
        }
        Ok(())
    }

    fn apply(&self, scene: &mut Scene<'_>, _place: Place) -> Result<(), Stop> {
        let row = self.row();
        if let Guard::Already = scene.guard(&row.key(), self.was, Some(&row))? {
            return Ok(());
        }
        scene.put(&row);
        require_changeable(scene)
    }
}

/// Policy must stay changeable: some member must be able to propose a change of `policy.set` itself, in a
/// tier that is numbered, and others must be able to give the approvals it then needs.
fn require_changeable(scene: &Scene<'_>) -> Result<(), Stop> {
    let rule = policy::rule_of(
        scene,
        PolicySet::OP,
        PolicySet::FAMILY.as_str(),
        PolicySet::OP,
    )?;
    if let Some(rule) = rule
        && matches!(rule.tier, Tier::Witness | Tier::Quorum)
        && somebody_can(scene, &rule)?
    {
        return Ok(());
    }
    let what =
        "nobody could change the policy any more: by role, by tier, or for want of approvals";
    Stop::refuse(Code::PolicyUnsafe, what)
}

/// Whether some member may propose under this rule, and enough others could approve it.
fn somebody_can(scene: &Scene<'_>, rule: &PolicyRow) -> Result<bool, Stop> {
    let mut approvers = Vec::new();
    for needed in &rule.approvals {
        let holders: BTreeSet<Handle> = policy::holders(scene, &needed.role)?.into_iter().collect();
        approvers.push((needed.count, holders));
    }
    let enough = |author: &Handle| {
        approvers.iter().all(|(count, holders)| {
            let own = !rule.self_approval && holders.contains(author);
            holders.len() as u64 - u64::from(own) >= *count
        })
    };
    for role in &rule.roles {
        if policy::holders(scene, role)?.iter().any(enough) {
            return Ok(true);
        }
    }
    Ok(false)
}

//! `policy.set`: who may propose what.

use super::roster;
use super::*;
use crate::fold::Decision;
use crate::model::rows::{Approvals, PolicyRow, TableRow, Tier};
use crate::model::{Handle, Prefix, RowDigest, RowKey, Table, limits};
use serde::{Deserialize, Serialize};

/// Payload of `policy.set`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicySet {
    /// Approvals needed, sorted by role.
    pub approvals: Vec<Approvals>,
    /// The beginning of the keys it is about.
    pub prefix: Prefix,
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
    const CODES: &'static [Code] = &[
        Code::Stale,
        Code::PolicyUnsafe,
        Code::TooLarge,
        Code::JsonMalformed,
    ];

    fn example() -> Self {
        let role = |name: &str| Handle::new(name).expect("a valid role");
        Self {
            approvals: vec![Approvals {
                count: 2,
                role: role("reviewer"),
            }],
            prefix: Prefix::new("US/").expect("a valid text"),
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
        if self.tier == Tier::Quorum && self.approvals.is_empty() {
            let what = "the tier `quorum` without approvals would be `witness` by another name";
            return Stop::refuse(Code::PolicyUnsafe, what);
        }
        let sensible = |a: &Approvals| (1..=limits::APPROVALS).contains(&a.count);
        if !self.approvals.iter().all(sensible) {
            return Stop::refuse(Code::PolicyUnsafe, "expected 1 to 64 approvals of a role");
        }
        Ok(())
    }

    fn apply(&self, scene: &mut Scene<'_>, _place: Place) -> Result<(), Stop> {
        let row = self.row();
        if let Guard::Already = scene.guard(&row.key(), self.was, Some(&row))? {
            return Ok(());
        }
        scene.put(&row);
        Ok(())
    }
}

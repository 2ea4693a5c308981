//! `policy.set`: who may propose what.

use super::roster;
use super::*;
use crate::fold::{Decision, policy};
use crate::model::rows::{Approvals, PolicyRow, TableRow, Tier};
use crate::model::{Handle, Prefix, RowDigest, RowKey, Table, limits};
use serde::{Deserialize, Serialize};

/// Payload of `policy.set`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicySet {
    /// Approvals needed, sorted by role.
    pub approvals: Vec<Approvals>,
    /// Seconds that a taker waits after the pen last moved; manners.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lock_delay: Option<u64>,
    /// The beginning of the keys it is about.
    pub prefix: Prefix,
    /// Roles that may propose, sorted; one of them suffices.
    pub roles: Vec<Handle>,
    /// How many holders of a role may lie without harm.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub safe: Option<u64>,
    /// A kind of decision, a family, or `*`.
    pub scope: Name,
    /// Whether the author's own approval counts.
    pub self_approval: bool,
    /// How such a decision becomes final.
    pub tier: Tier,
    /// Seconds without a sign of the holder before others take the pen; manners.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttl: Option<u64>,
    /// The row it replaces.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub was: Option<RowDigest>,
}

impl PolicySet {
    fn row(&self) -> PolicyRow {
        PolicyRow {
            approvals: self.approvals.clone(),
            lock_delay: self.lock_delay,
            prefix: self.prefix.clone(),
            roles: self.roles.clone(),
            safe: self.safe,
            scope: self.scope.clone(),
            self_approval: self.self_approval,
            tier: self.tier,
            ttl: self.ttl,
        }
    }
}

impl Kind for PolicySet {
    const OP: &'static str = "policy.set";
    const FAMILY: Family = Family::Charter;
    const ABOUT: &'static str = "Says who may propose a kind of decision on keys with a prefix, how many approvals of which role it needs, and its tier. The kind's own rows come before its family's before `*`; among those of one scope the longest prefix decides alone. No roles means nobody. With `safe` the approvals grow with the number of those who hold the role. `pen.take` is covered by rows of its own scope only.";
    const FIELDS: &'static [Field] = &[
        Field {
            name: "approvals",
            shape: "list of {count, role}, sorted by role, may be empty",
            about: "approvals needed",
        },
        Field {
            name: "lock_delay",
            shape: "seconds, left out for none",
            about: "with the scope `pen.take`: how long a taker waits after the pen last moved; manners",
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
            name: "safe",
            shape: "number, left out for none",
            about: "how many holders of a role may lie: approvals are then more than half of them and that many",
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
        Field {
            name: "ttl",
            shape: "seconds, left out for none",
            about: "with the scope `pen.take`: how long the holder is silent before others take; manners",
        },
        WAS,
    ];
    const CODES: &'static [Code] = &[
        Code::Stale,
        Code::PolicyUnsafe,
        Code::QuorumUnsafe,
        Code::ApprovalsMissing,
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
            lock_delay: None,
            prefix: Prefix::new("US/").expect("a valid text"),
            roles: vec![role("admin"), role("member")],
            safe: None,
            scope: example_name("alias.set"),
            self_approval: false,
            tier: Tier::Quorum,
            ttl: None,
            was: Some(RowDigest([1; 32])),
        }
    }

    fn policy_keys(&self) -> Vec<Cow<'_, str>> {
        vec![self.scope.as_str().into()]
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
        if scope == PenRelease::OP {
            let what = "the pen is laid down by its holder alone: no policy covers `pen.release`";
            return Stop::refuse(Code::PolicyUnsafe, what);
        }
        self.require_manners()?;
        self.require_quorum()?;
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
        for needed in &row.approvals {
            let floor = policy::floor(scene, &row, needed)?;
            if needed.count < floor {
                let what = format!(
                    "expected at least {floor} approvals of role `{}` to be safe, found {}",
                    needed.role, needed.count
                );
                return Stop::refuse(Code::QuorumUnsafe, what);
            }
        }
        scene.put(&row);
        Ok(())
    }
}

impl PolicySet {
    /// Times are about taking the pen, and bounded as all numbers are.
    fn require_manners(&self) -> Result<(), Stop> {
        let times = [self.ttl, self.lock_delay];
        if times.iter().all(Option::is_none) {
            return Ok(());
        }
        if self.scope.as_str() != PenTake::OP {
            let what = "`ttl` and `lock_delay` are for the scope `pen.take` only";
            return Stop::refuse(Code::PolicyUnsafe, what);
        }
        let bounded = |time: &Option<u64>| time.is_none_or(|time| time < limits::INTEGER);
        if !times.iter().all(bounded) {
            return Stop::refuse(Code::TooLarge, "expected seconds below 2^53");
        }
        Ok(())
    }

    /// A quorum that bears liars needs approvals, and so many liars as can be counted.
    fn require_quorum(&self) -> Result<(), Stop> {
        let Some(safe) = self.safe else {
            return Ok(());
        };
        if self.approvals.is_empty() {
            let what = "`safe` without approvals: a quorum of nobody bears no liar";
            return Stop::refuse(Code::QuorumUnsafe, what);
        }
        if safe > limits::APPROVALS {
            let what = format!(
                "expected `safe` for at most {} liars, found {safe}",
                limits::APPROVALS
            );
            return Stop::refuse(Code::QuorumUnsafe, what);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::Bench;
    use super::*;

    fn row(rest: &str) -> String {
        format!(
            r#"{{"op":"policy.set","prefix":"","roles":["admin"],"self_approval":false,"tier":"witness",{rest}}}"#
        )
    }

    fn member(n: u8, roles: &str) -> String {
        let key = crate::crypto::keyfile::KeyPair::from_seed([n; 32]);
        let key = crate::crypto::Sign::public_key(&key);
        format!(
            r#"{{"op":"member.add","email":"m{n}@example.org","handle":"m{n}","key":"{key}","name":"M","roles":[{roles}]}}"#
        )
    }

    #[test]
    fn manners_are_about_taking_the_pen() {
        let mut bench = Bench::default();
        let take = row(r#""scope":"pen.take","approvals":[],"ttl":60,"lock_delay":5"#);
        assert_eq!(bench.run(&take), Ok(1));
        for rest in [
            r#""scope":"pen","approvals":[],"ttl":60"#,
            r#""scope":"*","approvals":[],"lock_delay":60"#,
            r#""scope":"pen.release","approvals":[]"#,
        ] {
            assert_eq!(bench.run(&row(rest)), Err(Code::PolicyUnsafe), "{rest}");
        }
        let large = row(r#""scope":"pen.take","approvals":[],"ttl":9007199254740992"#);
        assert_eq!(bench.run(&large), Err(Code::TooLarge));
    }

    #[test]
    fn a_safe_quorum_is_more_than_half_of_all_and_the_liars() {
        let mut bench = Bench::default();
        for n in 1..=4 {
            bench.run(&member(n, r#""reviewer""#)).unwrap();
        }
        let with = |count: u64, safe: &str| {
            row(&format!(
                r#""scope":"pin","approvals":[{{"count":{count},"role":"reviewer"}}],"safe":{safe}"#
            ))
        };
        // (4 + 1) / 2 + 1 = 3 of 4 bear one liar; (4 + 0) / 2 + 1 = 3 bear none; (4 + 2) / 2 + 1 = 4 two.
        assert_eq!(bench.run(&with(2, "1")), Err(Code::QuorumUnsafe));
        assert_eq!(bench.run(&with(3, "1")), Ok(1));
        assert_eq!(bench.run(&with(2, "0")), Err(Code::QuorumUnsafe));
        assert_eq!(bench.run(&with(3, "2")), Err(Code::QuorumUnsafe));
        assert_eq!(bench.run(&with(4, "2")), Ok(1));
        assert_eq!(bench.run(&with(4, "65")), Err(Code::QuorumUnsafe));
        let none = row(r#""scope":"pin","approvals":[],"safe":1"#);
        assert_eq!(bench.run(&none), Err(Code::QuorumUnsafe));
    }
}

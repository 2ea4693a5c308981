//! Quorums: whose approvals count, how many are needed, and who must sign a change of the rules themselves.
#![allow(clippy::unwrap_used, reason = "a test")]

mod common;

use common::pens::*;
use common::{Actor, TestSpace};
use folio::codec::message::Verdict;
use folio::crypto::Sign as _;
use folio::model::{Code, ObjectFormat, Oid};
use folio::store::MemoryStore;

/// A row that asks for reviewers.
fn row(scope: &str, count: u64, more: &str) -> String {
    format!(
        r#"{{"op":"policy.set","approvals":[{{"count":{count},"role":"reviewer"}}],"prefix":"","roles":["admin"],"scope":"{scope}","self_approval":false,"tier":"quorum"{more}}}"#
    )
}

fn open(scope: &str) -> String {
    format!(
        r#"{{"op":"policy.set","approvals":[],"prefix":"","roles":["admin"],"scope":"{scope}","self_approval":false,"tier":"witness"}}"#
    )
}

fn reviewer(n: usize) -> Actor {
    Actor::new(["r0", "r1", "r2", "r3", "r4", "r5"][n])
}

/// With so many members who hold the role `reviewer`.
fn with_reviewers(count: usize) -> Memory {
    let mut space = TestSpace::found(MemoryStore::new(ObjectFormat::Sha1)).unwrap();
    let lines: Vec<String> = (0..count)
        .map(|n| reviewer(n).member_add(r#""reviewer""#))
        .collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    number(&mut space, "alice", "reviewers", &lines);
    space
}

fn propose(space: &Memory, line: &str) -> Oid {
    space.propose(&space.alice, "change", &[line]).unwrap().0
}

/// Whether the proposal of alice is numbered now.
fn passes(space: &mut Memory) -> bool {
    let report = accept_as(space, &Actor::new("wanda")).unwrap();
    if report.numbered.is_empty() {
        assert_eq!(refused_with(&report, "change"), Code::ApprovalsMissing);
    }
    report.numbered.len() == 1
}

const PIN: &str = r#"{"op":"pin","name":"kyiv"}"#;

#[test]
fn each_member_counts_once() {
    let mut space = with_reviewers(3);
    number(&mut space, "alice", "policy", &[&row("pin", 2, "")]);
    let pin = propose(&space, PIN);
    // Twice under another name, a stranger, one without the role, the author.
    for _ in 0..2 {
        approve(&space, &reviewer(0), pin);
    }
    for who in ["bob", "alice", "stranger"] {
        approve(&space, &Actor::new(who), pin);
    }
    assert!(!passes(&mut space));
    // One who approves and rejects.
    review(&space, &reviewer(1), pin, Verdict::Approve);
    review(&space, &reviewer(1), pin, Verdict::Reject);
    assert!(!passes(&mut space));
    approve(&space, &reviewer(2), pin);
    assert!(passes(&mut space));
}

#[test]
fn approvals_of_removed_members_and_retired_keys_do_not_count() {
    for how in [
        r#"{"op":"member.remove","handle":"r1"}"#.to_owned(),
        format!(
            r#"{{"op":"member.rotate","handle":"r1","key":"{}"}}"#,
            Actor::new("r1-new").key.public_key()
        ),
        reviewer(1).member_add(r#""reader""#),
    ] {
        let mut space = with_reviewers(3);
        number(&mut space, "alice", "policy", &[&row("pin", 2, "")]);
        number(&mut space, "alice", "gone", &[&how]);
        let pin = propose(&space, PIN);
        approve(&space, &reviewer(0), pin);
        approve(&space, &reviewer(1), pin);
        assert!(!passes(&mut space), "{how}");
        approve(&space, &reviewer(2), pin);
        assert!(passes(&mut space), "{how}");
        space.verify().unwrap();
    }
}

#[test]
fn a_review_of_an_older_version_of_the_proposal_does_not_count() {
    let mut space = with_reviewers(1);
    number(&mut space, "alice", "policy", &[&row("pin", 1, "")]);
    let old = propose(&space, PIN);
    approve(&space, &reviewer(0), old);
    let new = propose(&space, r#"{"op":"pin","name":"odesa"}"#);
    assert!(!passes(&mut space));
    approve(&space, &reviewer(0), new);
    assert!(passes(&mut space));
}

#[test]
fn a_safe_quorum_grows_with_the_role() {
    let mut space = with_reviewers(4);
    // 4 reviewers, 1 liar: 3.
    let made = space.propose(&space.alice, "x", &[&row("pin", 2, r#","safe":1"#)]);
    assert_eq!(made.unwrap_err().code, Code::QuorumUnsafe);
    number(
        &mut space,
        "alice",
        "policy",
        &[&row("pin", 3, r#","safe":1"#)],
    );
    // Two more: (6 + 1) / 2 + 1 = 4.
    let more = [4, 5].map(|n| reviewer(n).member_add(r#""reviewer""#));
    number(&mut space, "alice", "more", &[&more[0], &more[1]]);
    let pin = propose(&space, PIN);
    for n in 0..3 {
        approve(&space, &reviewer(n), pin);
    }
    assert!(!passes(&mut space));
    approve(&space, &reviewer(5), pin);
    assert!(passes(&mut space));
    assert_eq!(space.tip().reviews().len(), 4);
    space.verify().unwrap();
}

#[test]
fn a_lower_threshold_needs_the_old_one() {
    let mut space = with_reviewers(3);
    let change = propose(&space, &row("policy.set", 2, ""));
    for n in 0..2 {
        approve(&space, &reviewer(n), change);
    }
    assert!(passes(&mut space));
    let change = propose(&space, &row("policy.set", 1, ""));
    approve(&space, &reviewer(0), change);
    assert!(!passes(&mut space));
    approve(&space, &reviewer(1), change);
    assert!(passes(&mut space));
    let change = propose(&space, &open("policy.set"));
    assert!(!passes(&mut space));
    approve(&space, &reviewer(2), change);
    assert!(passes(&mut space));
    space.verify().unwrap();
}

#[test]
fn a_higher_threshold_needs_the_new_one() {
    let mut space = with_reviewers(3);
    let change = propose(&space, &row("policy.set", 2, ""));
    let report = accept_as(&mut space, &Actor::new("wanda")).unwrap();
    let fault = &report.refused[0].1;
    assert_eq!(fault.code, Code::ApprovalsMissing);
    assert!(
        fault
            .what
            .contains("by the policy that this proposal makes"),
        "{fault}"
    );
    approve(&space, &reviewer(0), change);
    assert!(!passes(&mut space));
    approve(&space, &reviewer(2), change);
    assert!(passes(&mut space));
    // What does not govern the decision itself needs no more than before.
    let change = propose(&space, &row("pin", 3, ""));
    for n in 0..2 {
        approve(&space, &reviewer(n), change);
    }
    assert!(passes(&mut space));
    space.verify().unwrap();
}

#[test]
fn who_changes_the_voters_needs_those_who_vote_afterwards() {
    let mut space = with_reviewers(2);
    let change = propose(&space, &row("charter", 1, ""));
    approve(&space, &reviewer(0), change);
    assert!(passes(&mut space));
    // The role moves from r0 to bob: r0 has a say before, and bob or r1 afterwards.
    let bob = Actor::new("bob").member_add(r#""member","reviewer""#);
    let lines = [reviewer(0).member_add(r#""reader""#), bob];
    let lines = lines.each_ref().map(String::as_str);
    let (change, _) = space.propose(&space.alice, "change", &lines).unwrap();
    approve(&space, &reviewer(0), change);
    assert!(!passes(&mut space), "r0 does not vote afterwards");
    approve(&space, &Actor::new("bob"), change);
    assert!(passes(&mut space));
    // Nobody brings their own voters: a newcomer's approval does not count in the page that adds them.
    let newcomer = reviewer(5);
    let lines = [newcomer.member_add(r#""reviewer""#), row("charter", 2, "")];
    let lines = lines.each_ref().map(String::as_str);
    let (change, _) = space.propose(&space.alice, "change", &lines).unwrap();
    approve(&space, &newcomer, change);
    approve(&space, &reviewer(1), change);
    assert!(!passes(&mut space));
    approve(&space, &Actor::new("bob"), change);
    assert!(passes(&mut space));
    space.verify().unwrap();
}

#[test]
fn nobody_is_locked_out_by_a_quorum_that_cannot_be_met() {
    let space = with_reviewers(2);
    for line in [
        row("policy.set", 3, ""),
        row("policy.set", 3, r#","safe":3"#),
        row("*", 3, ""),
    ] {
        let made = space.propose(&space.alice, "x", &[&line]);
        assert!(
            matches!(made.as_ref().unwrap_err().code, Code::PolicyUnsafe),
            "{line}: {made:?}"
        );
    }
}

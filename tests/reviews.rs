//! Approvals that count, and what others can do about them.

mod common;

use common::{Actor, TestSpace, when};
use folio::codec::message::Verdict;
use folio::journal::accept::Report;
use folio::journal::proposal::Proposal;
use folio::journal::refs;
use folio::journal::review::{Opinion, write_review};
use folio::model::rows::MemberRow;
use folio::model::{Code, Handle, Number, ObjectFormat, Oid};
use folio::state::Tables;
use folio::store::{Expect, Kind, MemoryStore, Objects, RefEdit, Refs};

/// From now on a pin needs an approval by an admin.
const GUARDED: &str = r#"{"op":"policy.set","approvals":[{"count":1,"role":"admin"}],"prefix":"","roles":["member"],"scope":"pin","self_approval":false,"tier":"quorum"}"#;

struct Case {
    space: TestSpace<MemoryStore>,
    proposal: Oid,
}

impl Case {
    fn new() -> Self {
        let mut space = TestSpace::found(MemoryStore::new(ObjectFormat::Sha1)).unwrap();
        space.propose(&space.alice, "policy", &[GUARDED]).unwrap();
        assert_eq!(space.accept_all().unwrap().numbered.len(), 1);
        let line = r#"{"op":"pin","name":"kyiv"}"#;
        let (proposal, _) = space.propose(&space.bob, "pin", &[line]).unwrap();
        let mut case = Self { space, proposal };
        let report = case.accept();
        assert_eq!(report.refused[0].1.code, Code::ApprovalsMissing);
        case
    }

    fn accept(&mut self) -> Report {
        self.space.accept_all().unwrap()
    }

    /// A review by somebody, signed under an address, on a branch of any name.
    fn review(&self, by: &Actor, verdict: Verdict, email_of: &Actor, branch: &str) {
        let store = &self.space.store;
        let tables = Tables::new(store);
        let proposal = Proposal::authenticate(&tables, store, None, self.proposal).unwrap();
        let person = email_of.person();
        let member = MemberRow {
            email: person.email,
            handle: person.handle,
            key: person.key,
            name: person.name,
            roles: vec![],
        };
        let opinion = Opinion {
            verdict,
            reason: None,
            text: "I looked\n".into(),
        };
        let (id, bytes) =
            write_review(store, &proposal, opinion, &member, &by.key, &when()).unwrap();
        store.write_all(&[(id, Kind::Commit, bytes)]).unwrap();
        let edit = RefEdit {
            name: refs::review(&Handle::new(branch).unwrap(), &proposal.digest()),
            expect: Expect::Any,
            new: Some(id),
            message: String::new(),
        };
        store.apply(&[edit]).unwrap();
    }
}

#[test]
fn an_approval_of_the_role_lets_it_pass() {
    let mut case = Case::new();
    case.review(
        &Actor::new("alice"),
        Verdict::Approve,
        &Actor::new("alice"),
        "alice",
    );
    assert_eq!(case.accept().numbered.len(), 1);
    assert_eq!(case.space.tip().reviews().len(), 1);
    assert_eq!(case.space.verify().unwrap(), Number(3));
}

#[test]
fn approvals_that_do_not_count_change_nothing() {
    let (alice, bob, wanda) = (Actor::new("alice"), Actor::new("bob"), Actor::new("wanda"));
    let mallory = Actor::new("mallory");
    // The author, somebody without the role, a stranger, a stranger under alice's address, and alice
    // under another's: blame would name the wrong person.
    for (by, email_of) in [
        (&bob, &bob),
        (&wanda, &wanda),
        (&mallory, &mallory),
        (&mallory, &alice),
        (&alice, &bob),
    ] {
        let mut case = Case::new();
        case.review(by, Verdict::Approve, email_of, "alice");
        let report = case.accept();
        assert!(
            report.numbered.is_empty(),
            "{} as {}",
            by.handle,
            email_of.handle
        );
        assert_eq!(report.refused[0].1.code, Code::ApprovalsMissing);
    }
}

#[test]
fn an_approval_beside_a_rejection_of_the_same_key_does_not_count() {
    let mut case = Case::new();
    let alice = Actor::new("alice");
    case.review(&alice, Verdict::Approve, &alice, "alice");
    case.review(&alice, Verdict::Reject, &alice, "alice-too");
    assert!(case.accept().numbered.is_empty());
}

#[test]
fn strangers_cannot_crowd_out_an_approval() {
    let mut case = Case::new();
    let alice = Actor::new("alice");
    case.review(&alice, Verdict::Approve, &alice, "alice");
    // More than a commit has room for among its parents.
    for n in 0..200 {
        let stranger = Actor::new(format!("stranger-{n}").leak());
        case.review(&stranger, Verdict::Approve, &stranger, stranger.handle);
    }
    assert_eq!(case.accept().numbered.len(), 1);
    assert_eq!(case.space.tip().reviews().len(), 1);
    assert_eq!(case.space.verify().unwrap(), Number(3));
}

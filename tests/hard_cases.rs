//! Cases that once went wrong, or would lock everybody out.

mod common;

use common::{Actor, TestSpace};
use folio::crypto::Sign;
use folio::fold::{MemoryView, View};
use folio::model::rows::{AliasTargetRow, TableRow};
use folio::model::{Code, Name, Number, ObjectFormat, RowEdits, RowKey, Table, limits};
use folio::state::{Tables, TreeView};
use folio::store::MemoryStore;

fn space() -> TestSpace<MemoryStore> {
    TestSpace::found(MemoryStore::new(ObjectFormat::Sha1)).unwrap()
}

/// The pen stays with the old key when its holder's key is rotated; pages go on under the address that
/// this key signed with last, whatever the holder's address is today.
#[test]
fn a_holder_whose_key_and_address_changed_numbers_pages_that_verify() {
    let mut space = space();
    let fresh = Actor {
        handle: "wanda",
        key: Actor::new("wanda-2").key,
    };
    let rotate = format!(
        r#"{{"op":"member.rotate","handle":"wanda","key":"{}"}}"#,
        fresh.key.public_key()
    );
    space.propose(&space.alice, "rotate", &[&rotate]).unwrap();
    assert_eq!(space.accept_all().unwrap().numbered.len(), 1);
    let moved = fresh
        .member_add(r#""witness""#)
        .replace("wanda@example.org", "wanda@example.net");
    space.propose(&space.alice, "move", &[&moved]).unwrap();
    assert_eq!(space.accept_all().unwrap().numbered.len(), 1);
    space
        .propose(&space.alice, "pin", &[r#"{"op":"pin","name":"a"}"#])
        .unwrap();
    assert_eq!(space.accept_all().unwrap().numbered.len(), 1);
    assert_eq!(space.verify().unwrap(), Number(4));
}

fn policy(scope: &str, prefix: &str, roles: &str, approvals: &str, tier: &str) -> String {
    format!(
        r#"{{"op":"policy.set","approvals":[{approvals}],"prefix":"{prefix}","roles":[{roles}],"scope":"{scope}","self_approval":false,"tier":"{tier}"}}"#
    )
}

/// Whoever may change the policy must be able to do so: by role, by tier, and with approvals that
/// members can give.
#[test]
fn a_policy_that_nobody_could_change_is_refused() {
    let admin = r#""admin""#;
    let locking = [
        policy("policy.set", "", "", "", "witness"),
        policy("policy.set", "policy.set", r#""nobody""#, "", "witness"),
        policy("policy.set", "", admin, "", "local"),
        policy("policy.set", "", admin, "", "eventual"),
        policy("charter", "policy", admin, "", "local"),
        policy(
            "policy.set",
            "",
            admin,
            r#"{"count":3,"role":"admin"}"#,
            "quorum",
        ),
        policy(
            "policy.set",
            "",
            admin,
            r#"{"count":1,"role":"nobody"}"#,
            "quorum",
        ),
        // Alice is the only admin, and her own approval would not count.
        policy(
            "policy.set",
            "",
            admin,
            r#"{"count":1,"role":"admin"}"#,
            "quorum",
        ),
    ];
    for line in locking {
        let space = space();
        let said = space.propose(&space.alice, "lock", &[&line]).map(|_| ());
        assert_eq!(
            said.map_err(|fault| fault.code),
            Err(Code::PolicyUnsafe),
            "{line}"
        );
    }
    let fine = [
        policy(
            "policy.set",
            "",
            admin,
            r#"{"count":1,"role":"member"}"#,
            "quorum",
        ),
        policy("pin", "", "", "", "witness"),
        policy("pin", "", admin, "", "local"),
    ];
    for line in fine {
        let space = space();
        space.propose(&space.alice, "fine", &[&line]).unwrap();
    }
}

/// A map and a tree of the same rows answer the same also where there are too many.
#[test]
fn too_many_rows_of_one_subject_are_too_many_for_every_view() {
    let store = MemoryStore::new(ObjectFormat::Sha1);
    let tables = Tables::new(&store);
    let row = |n: usize| {
        let row = AliasTargetRow {
            alias: Name::new(format!("n{n}")).unwrap(),
            target: Name::new("t").unwrap(),
        };
        (
            (Table::AliasesByTarget, row.key()),
            Some(folio::codec::rows::encode(&row)),
        )
    };
    let most: RowEdits = (0..limits::SUBJECT_ROWS).map(row).collect();
    let mut memory = MemoryView::default();
    memory.apply(most.clone());
    let root = tables.edit(None, &most).unwrap();
    let said = |view: &dyn View| {
        let rows = view
            .rows(Table::AliasesByTarget, "t")
            .map(|rows| rows.len());
        (
            rows.map_err(|fault| fault.code),
            view.has_rows(Table::AliasesByTarget, "t").unwrap(),
        )
    };
    assert_eq!(said(&memory), (Ok(limits::SUBJECT_ROWS), true));
    assert_eq!(said(&TreeView::new(&tables, Some(root))), said(&memory));
    let one_more: RowEdits = [row(limits::SUBJECT_ROWS)].into_iter().collect();
    memory.apply(one_more.clone());
    let root = tables.edit(Some(root), &one_more).unwrap();
    assert_eq!(
        said(&TreeView::new(&tables, Some(root))),
        (Err(Code::SubjectTooLarge), true)
    );
    assert_eq!(said(&memory), (Err(Code::SubjectTooLarge), true));
    let key = RowKey::pair("t", "n7");
    assert!(memory.row(Table::AliasesByTarget, &key).unwrap().is_some());
}

//! One proposal of many decisions.

use super::common::{TestSpace, when};
use folio::fold::Decision;
use folio::journal::proposal::Base;
use folio::journal::propose::{Intent, prepare};
use folio::journal::{judge, refs};
use folio::model::Slug;
use folio::state::TreeView;
use folio::store::{Expect, GitStore};

/// Decisions that add so many aliases, eight to a target.
pub fn decisions(count: usize) -> Vec<Decision> {
    let line = |at: usize| {
        let line = format!(
            r#"{{"op":"alias.set","alias":"registry.example.org/more/{at:08}","target":"registry.example.org/works/of/{:08}"}}"#,
            at / 8
        );
        Decision::parse_lenient(&line).expect("a decision")
    };
    (0..count).map(line).collect()
}

/// Proposes so many of them as `alice/many`, on the newest snapshot.
pub fn propose(store: &GitStore, count: usize) {
    let test = TestSpace::reopen(store.clone());
    let (space, base) = (test.space(), test.tip());
    let view = TreeView::new(&space.tables, Some(base.tree()));
    let alice = &test.alice.key;
    let author = judge::member_of(&view, &test.alice.person().key).expect("alice");
    let intent = Intent {
        base: Base::of(&base),
        author: &author,
        decisions: &decisions(count),
        text: "Decide many things\n",
        when: when(),
    };
    let prepared = prepare(&space.tables, store, test.id, &intent, alice).expect("a proposal");
    let slug = Slug::new("many").expect("a slug");
    let name = refs::proposal(&author.handle, &slug);
    prepared
        .publish(&space, name, Expect::Any)
        .expect("a branch");
}

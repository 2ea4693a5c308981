//! What a replay takes on trust, and what it does not.

use crate::bench::{Bench, put, update_ref};
use crate::blocks::Block;
use crate::bytes::signed_otherwise;
use crate::cli::{Fixture, Ran, finish};
use crate::pages::review;
use folio::codec::message::Verdict;
use folio::model::{ChainDigest, Code, Number, Oid};

/// One bit of the signature is another; the key that it names is the same.
fn bend(block: &mut Block) {
    block.signature[0] ^= 1;
}

/// `common@3` over a proposal of bob's with a bad signature, by an honest witness.
fn badly_proposed(bench: &Bench) -> Oid {
    let like = bench.proposal(bench.next);
    let bytes = signed_otherwise(like.commit(), bench.bob(), bend);
    let altered = put(bench.path(), "commit", &bytes);
    bench
        .page_over(altered, &like, bench.next_tree(), &[])
        .sealed(bench, bench.wanda())
}

#[test]
fn signatures_are_checked_but_for_what_was_verified_here() {
    let bench = Bench::new();
    let (tip, second) = (badly_proposed(&bench), bench.pages[1].id);
    let wrong = Err(Code::SignatureWrong);
    assert_eq!(bench.replay_main(tip, None), wrong);
    assert_eq!(bench.replay_main(tip, Some((Number(2), second))), wrong);
    let not_there = [(Number(3), second), (Number(2), tip), (Number(4), tip)];
    for other in not_there {
        assert_eq!(bench.replay_main(tip, Some(other)), wrong, "{other:?}");
    }
    // A reader that says so has seen it with a good one.
    let told = bench.replay_main(tip, Some((Number(3), tip)));
    assert_eq!(told, Ok(bench.next_tree()));
}

#[test]
fn signatures_of_reviews_are_checked_but_for_what_was_verified_here() {
    let bench = Bench::new();
    let proposal = bench.proposal(bench.next);
    let alice = &bench.space.alice;
    let good = review(&bench, alice, Verdict::Approve, alice);
    let bytes = signed_otherwise(good.commit(), alice, bend);
    let bent = put(bench.path(), "commit", &bytes);
    let mut page = bench.page_over(bench.next, &proposal, bench.next_tree(), &[good]);
    page.commit.parents[2] = bent;
    let tip = page.sealed(&bench, bench.wanda());
    assert_eq!(bench.replay_main(tip, None), Err(Code::SignatureWrong));
    let told = bench.replay_main(tip, Some((Number(3), tip)));
    assert_eq!(told, Ok(bench.next_tree()));
}

#[test]
fn pages_that_are_no_chain_are_refused_also_where_they_were_verified() {
    let bench = Bench::new();
    let mut page = bench.good();
    page.message.chain = ChainDigest([0; 32]);
    let tip = page.sealed(&bench, bench.wanda());
    for verified in [None, Some((Number(3), tip))] {
        let said = bench.replay_main(tip, verified);
        assert_eq!(said, Err(Code::ChainMismatch), "{verified:?}");
    }
}

#[test]
fn the_command_trusts_what_it_verified_itself_and_nothing_else() {
    let bench = Bench::new();
    let tip = badly_proposed(&bench);
    let fixture = Fixture::home();
    let run = |word: &str| -> Ran { finish(fixture.command(bench.path(), None).arg(word), b"") };
    run("verify").ok();
    assert!(run("replay").ok().ends_with("equal\n"));
    update_ref(bench.path(), "refs/heads/main", tip);
    // What it remembers is the page before.
    run("replay").refused("signature-wrong", 4);
    run("verify").refused("signature-wrong", 4);
    run("replay").refused("signature-wrong", 4);
    let memory = bench.path().join("folio/verified");
    for other in [
        format!("3 {}\n", bench.pages[1].id),
        "3\n".into(),
        String::new(),
    ] {
        std::fs::write(&memory, other).unwrap();
        run("replay").refused("signature-wrong", 4);
    }
    std::fs::write(&memory, format!("3 {tip}\n")).unwrap();
    assert!(run("replay").ok().ends_with("equal\n"));
    run("verify").refused("signature-wrong", 4);
}

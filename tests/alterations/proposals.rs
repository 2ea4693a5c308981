//! Proposals whose signature is good and whose contents are not, and good ones in the wrong place.

use crate::bench::{Bench, git, ident, put, update_ref};
use crate::common::{Actor, POLICY, charter, decision, when};
use folio::codec::commit::Commit;
use folio::codec::message::Message;
use folio::journal::found::{self, Charter};
use folio::model::{Code, Nonce, Number, ObjectFormat, Oid, ProposalDigest, SpaceId};
use folio::store::GitStore;

/// Bob's next proposal after one change, signed by him again: what the witness says, and what a reader
/// says once a page is made over it.
fn altered(bench: &Bench, change: impl Fn(&mut Commit)) -> [Result<(), Code>; 2] {
    let mut commit = bench.commit(bench.next);
    change(&mut commit);
    judged(bench, bench.sealed(commit, bench.bob()))
}

fn judged(bench: &Bench, commit: Oid) -> [Result<(), Code>; 2] {
    let like = bench.proposal(bench.next);
    let page = bench.page_over(commit, &like, bench.next_tree(), &[]);
    [
        bench.read_branch(commit),
        bench.read_main(page.sealed(bench, bench.wanda())),
    ]
}

fn both(code: Code) -> [Result<(), Code>; 2] {
    [Err(code), Err(code)]
}

fn with_block(commit: &mut Commit, change: impl Fn(&mut folio::codec::message::ProposalBlock)) {
    let Message::Proposal(mut message) = Message::parse(&commit.message).unwrap() else {
        unreachable!("a proposal has the message of one")
    };
    change(message.block.as_mut().unwrap());
    commit.message = Message::Proposal(message).encode();
}

#[test]
fn trailers_that_lie_are_refused() {
    let bench = Bench::new();
    assert_eq!(altered(&bench, |_| {}), [Ok(()), Ok(())]);
    let base = |c: &mut Commit| with_block(c, |block| block.base = Number(1));
    assert_eq!(altered(&bench, base), both(Code::BaseMismatch));
    let space = |c: &mut Commit| with_block(c, |block| block.space = SpaceId([0; 32]));
    assert_eq!(altered(&bench, space), both(Code::SpaceMismatch));
    let digest = |c: &mut Commit| with_block(c, |block| block.proposal = ProposalDigest([0; 32]));
    assert_eq!(altered(&bench, digest), both(Code::ProposalMismatch));
    let words = |c: &mut Commit| c.message = format!("Other words\n\n{}", c.message);
    assert_eq!(altered(&bench, words), both(Code::ProposalMismatch));
    let case = |c: &mut Commit| c.message = c.message.replace("Folio: 1", "folio: 1");
    assert_eq!(altered(&bench, case), both(Code::TrailersMalformed));
    let more = |c: &mut Commit| c.message.push_str("Signed-off-by: Bob <bob@example.org>\n");
    assert_eq!(altered(&bench, more), both(Code::TrailersMalformed));
}

#[test]
fn the_base_is_a_page_of_this_chain() {
    let bench = Bench::new();
    let (first, earlier) = (bench.pages[0].id, bench.pages[1].proposal());
    let moved = |c: &mut Commit| c.parents = vec![first];
    assert_eq!(altered(&bench, moved), both(Code::BaseMismatch));
    let on_proposal = |c: &mut Commit| c.parents = vec![earlier];
    assert_eq!(altered(&bench, on_proposal), both(Code::BaseUnknown));
    let two = |c: &mut Commit| c.parents.push(first);
    assert_eq!(altered(&bench, two), both(Code::ParentsWrong));
    let none = |c: &mut Commit| c.parents.clear();
    assert_eq!(altered(&bench, none), both(Code::SpaceMismatch));
    // A second `common@2` of the witness's own: the same number, another commit.
    let mut twin = bench.commit(bench.pages[1].id);
    twin.author.seconds += 1;
    let twin = bench.sealed(twin, bench.wanda());
    assert_eq!(bench.read_main(twin), Ok(()), "the twin is good by itself");
    let on_twin = |c: &mut Commit| c.parents = vec![twin];
    assert_eq!(altered(&bench, on_twin), both(Code::BaseUnknown));
}

#[test]
fn a_proposal_of_another_space_is_not_one_of_this() {
    let bench = Bench::new();
    let dir = tempfile::tempdir().unwrap();
    let store = GitStore::init(dir.path(), true, ObjectFormat::Sha1, &[]).unwrap();
    let (alice, wanda) = (Actor::new("alice"), Actor::new("wanda"));
    let mut found = charter(&alice, &wanda, ObjectFormat::Sha1);
    found.nonce = Nonce([8; 32]);
    let mut rest: Vec<_> = POLICY.iter().map(|line| decision(line)).collect();
    rest.push(decision(&Actor::new("bob").member_add(r#""member""#)));
    let charter = Charter {
        found,
        rest,
        text: "Found another\n",
        when: when(),
    };
    let (id, page) = found::found(&store, &charter, &alice.key, &wanda.key).unwrap();
    assert_ne!(id, bench.space.id);
    // The very proposal that is good here, on the other space's page and with its trailers left out.
    let from = dir.path().to_str().unwrap();
    git(
        bench.path(),
        &["fetch", "-q", from, "refs/heads/main:refs/other/main"],
        b"",
    );
    let foreign = |c: &mut Commit| {
        c.parents = vec![page];
        c.message = "Replayed\n".into();
    };
    assert_eq!(altered(&bench, foreign), both(Code::SpaceMismatch));
}

/// A tree with one entry more, or another one of that name.
fn with(bench: &Bench, tree: Oid, mode: &str, name: &str, id: &str) -> Oid {
    let listed = git(bench.path(), &["ls-tree", &tree.to_hex()], b"");
    let kind = if mode == "160000" { "commit" } else { "blob" };
    let keep = listed
        .lines()
        .filter(|l| !l.ends_with(&format!("\t{name}")));
    let lines: Vec<&str> = keep.collect();
    let all = format!("{}\n{mode} {kind} {id}\t{name}\n", lines.join("\n"));
    git(bench.path(), &["mktree", "--missing"], all.as_bytes())
        .parse()
        .unwrap()
}

fn decisions_of(bench: &Bench, proposal: Oid) -> String {
    let place = format!("{proposal}:decisions.jsonl");
    git(bench.path(), &["rev-parse", &place], b"")
}

/// Previews of a queue are looked at on all cores, before it is known on what each will be judged.
#[test]
fn a_preview_that_lies_is_refused_wherever_it_stands_in_a_queue() {
    const MANY: usize = 6;
    for liar in 0..MANY {
        let mut bench = Bench::new();
        let proposed = (0..MANY).map(|n| {
            let line = format!(r#"{{"op":"alias.set","alias":"a{n}","target":"t{n}"}}"#);
            let slug = format!("q{n}");
            bench.space.propose(bench.bob(), &slug, &[&line]).unwrap().0
        });
        let proposed: Vec<Oid> = proposed.collect();
        let others = bench.commit(proposed[(liar + 1) % MANY]).tree;
        let mut lie = bench.commit(proposed[liar]);
        let own = decisions_of(&bench, proposed[liar]);
        lie.tree = with(&bench, others, "100644", "decisions.jsonl", &own);
        let lie = bench.sealed(lie, bench.bob());
        update_ref(
            bench.path(),
            &format!("refs/heads/proposals/bob/q{liar}"),
            lie,
        );
        let report = bench.space.accept_all().unwrap();
        let refused = report
            .refused
            .iter()
            .map(|(candidate, fault)| (candidate.branch.commit, fault.code));
        assert_eq!(
            refused.collect::<Vec<_>>(),
            [(lie, Code::PreviewFalse)],
            "{liar}"
        );
        // All the others, and the one that waited before; whatever they are made of is there.
        assert_eq!(report.numbered.len(), MANY);
        assert_eq!(bench.space.verify().unwrap(), Number(2 + MANY as u64));
        git(bench.path(), &["rev-list", "--objects", "main"], b"");
    }
}

#[test]
fn a_preview_that_lies_is_refused() {
    let bench = Bench::new();
    let decisions = decisions_of(&bench, bench.next);
    let with = |tree, mode: &str, name: &str, id: &str| with(&bench, tree, mode, name, id);
    let honest = bench.commit(bench.next).tree;
    let tree_of = |tree: Oid| move |c: &mut Commit| c.tree = tree;
    // The base's own tree beside the decisions is fine; that of another page is not.
    let plain = with(
        bench.pages[1].tree(),
        "100644",
        "decisions.jsonl",
        &decisions,
    );
    assert_eq!(altered(&bench, tree_of(plain)), [Ok(()), Ok(())]);
    let older = with(
        bench.pages[0].tree(),
        "100644",
        "decisions.jsonl",
        &decisions,
    );
    assert_eq!(altered(&bench, tree_of(older)), both(Code::PreviewFalse));
    let blob = put(
        bench.path(),
        "blob",
        b"{\"alias\":\"moskau\",\"target\":\"moscow\"}\n",
    );
    let lie = with(honest, "100644", "aliases.jsonl", &blob.to_hex());
    assert_eq!(altered(&bench, tree_of(lie)), both(Code::PreviewFalse));
    let dir = bench.pages[0].id.to_hex();
    for (mode, name) in [
        ("160000", "vendor"),
        ("120000", "readme"),
        ("100755", "decisions.jsonl"),
        ("100644", "README.md"),
    ] {
        let id = if mode == "160000" {
            dir.clone()
        } else {
            blob.to_hex()
        };
        let tree = with(honest, mode, name, &id);
        assert_eq!(
            altered(&bench, tree_of(tree)),
            both(Code::TreeMalformed),
            "{mode} {name}"
        );
    }
    let none = bench.pages[1].tree();
    assert_eq!(
        altered(&bench, tree_of(none)),
        both(Code::TreeMalformed),
        "no decisions"
    );
}

#[test]
fn who_proposes_under_which_address_and_with_which_key() {
    let mut bench = Bench::new();
    let alice = ident(&bench.space.alice);
    let author = |c: &mut Commit| c.author = alice.clone();
    assert_eq!(altered(&bench, author), both(Code::EmailMismatch));
    let committer = |c: &mut Commit| c.committer = alice.clone();
    assert_eq!(altered(&bench, committer), both(Code::EmailMismatch));
    // Signed by alice and under her address, but on bob's branch, and by nobody's key.
    let sealed_by = |who: &Actor| {
        let mut commit = bench.commit(bench.next);
        commit.message = "Mine\n".into();
        (commit.author, commit.committer) = (ident(who), ident(who));
        bench.sealed(commit, who)
    };
    assert_eq!(
        bench.read_branch(sealed_by(&bench.space.alice)),
        Err(Code::RefInvalid)
    );
    assert_eq!(
        bench.read_branch(sealed_by(&Actor::new("mallory"))),
        Err(Code::NotAMember)
    );
    // Bob's key was rotated after he proposed and before his proposal is numbered.
    let fresh = Actor::new("bob-with-a-new-key");
    let line = format!(
        r#"{{"op":"member.rotate","handle":"bob","key":"{}"}}"#,
        folio::crypto::Sign::public_key(&fresh.key)
    );
    bench
        .space
        .propose(&bench.space.bob, "rotate", &[&line])
        .unwrap();
    let report = bench.space.accept_all().unwrap();
    let code = report
        .refused
        .iter()
        .map(|(_, fault)| fault.code)
        .collect::<Vec<_>>();
    let numbered = report.numbered.len();
    // In whichever order the two are taken, nothing that bob's old key signed follows the rotation.
    assert!((numbered == 1 && code == [Code::KeyRetired]) || (numbered == 2 && code.is_empty()));
    let (tip, like) = (bench.space.tip(), bench.pages[1].clone());
    bench.pages[1] = tip;
    let old = bench.commit(bench.next);
    let mut again = old;
    again.parents = vec![like.id];
    again.message = "With the old key\n".into();
    let again = bench.sealed(again, bench.bob());
    assert_eq!(bench.read_branch(again), Err(Code::KeyRetired));
}

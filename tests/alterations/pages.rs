//! Pages whose signature is good and whose contents are not.

use crate::bench::{Bench, Forged, git, ident, put, update_ref};
use crate::common::{Actor, when};
use folio::codec::message::Verdict;
use folio::crypto::Sign;
use folio::journal::check::{chain_of, check_page};
use folio::journal::judge;
use folio::journal::review::{Opinion, Review, write_review};
use folio::model::{ChainDigest, Code, Epoch, Number, Oid, ProposalDigest, SpaceId};
use folio::state::{Tables, TreeView};

/// A good `common@3` after one change, signed by the holder of the pen.
fn altered(bench: &Bench, change: impl Fn(&mut Forged)) -> Result<(), Code> {
    let mut page = bench.good();
    change(&mut page);
    bench.read_main(page.sealed(bench, bench.wanda()))
}

/// The chain digest follows from the rest, so that nothing but the rest is wrong.
fn rechain(bench: &Bench, page: &mut Forged, by: &Actor) {
    let proposal = bench.proposal(bench.next);
    let (epoch, key) = (page.message.epoch, by.key.public_key());
    page.message.chain = chain_of(epoch, Some(&bench.pages[1]), &proposal, &[], key);
}

#[test]
fn trailers_that_lie_are_refused() {
    let bench = Bench::new();
    assert_eq!(altered(&bench, |_| {}), Ok(()));
    let epoch = |page: &mut Forged| {
        page.message.epoch = Epoch(2);
        rechain(&bench, page, bench.wanda());
    };
    assert_eq!(altered(&bench, epoch), Err(Code::EpochMismatch));
    let skipped = |page: &mut Forged| page.message.number = Number(4);
    assert_eq!(altered(&bench, skipped), Err(Code::NumberMismatch));
    let again = |page: &mut Forged| page.message.number = Number(2);
    assert_eq!(altered(&bench, again), Err(Code::NumberMismatch));
    let chain = |page: &mut Forged| page.message.chain = ChainDigest([0; 32]);
    assert_eq!(altered(&bench, chain), Err(Code::ChainMismatch));
    let digest = |page: &mut Forged| page.message.proposal = ProposalDigest([0; 32]);
    assert_eq!(altered(&bench, digest), Err(Code::ProposalMismatch));
    let space = |page: &mut Forged| page.message.space = SpaceId([0; 32]);
    assert_eq!(altered(&bench, space), Err(Code::SpaceMismatch));
}

#[test]
fn who_signs_and_under_which_address_is_checked() {
    let bench = Bench::new();
    for other in [&bench.space.alice, &bench.space.bob, &Actor::new("mallory")] {
        let mut page = bench.good();
        rechain(&bench, &mut page, other);
        page.commit.author = ident(other);
        page.commit.committer = ident(other);
        let page = page.sealed(&bench, other);
        assert_eq!(
            bench.read_main(page),
            Err(Code::SignerWrong),
            "{}",
            other.handle
        );
    }
    let alice = ident(&bench.space.alice);
    let author = |page: &mut Forged| page.commit.author = alice.clone();
    assert_eq!(altered(&bench, author), Err(Code::EmailMismatch));
    let committer = |page: &mut Forged| page.commit.committer = alice.clone();
    assert_eq!(altered(&bench, committer), Err(Code::EmailMismatch));
}

/// The state tree of the next page with one entry more.
fn with_entry(bench: &Bench, mode: &str, name: &str, id: Oid) -> Oid {
    let listed = git(
        bench.path(),
        &["ls-tree", &bench.next_tree_written().to_hex()],
        b"",
    );
    let kind = match mode {
        "160000" => "commit",
        "040000" => "tree",
        _ => "blob",
    };
    let keep = listed
        .lines()
        .filter(|line| !line.ends_with(&format!("\t{name}")));
    let mut lines: Vec<String> = keep.map(str::to_owned).collect();
    lines.push(format!("{mode} {kind} {id}\t{name}"));
    let tree = git(
        bench.path(),
        &["mktree", "--missing"],
        (lines.join("\n") + "\n").as_bytes(),
    );
    tree.parse().unwrap()
}

impl Bench {
    /// The tree that the good page has, really in the repository.
    fn next_tree_written(&self) -> Oid {
        let tables = Tables::new(&self.space.store);
        let proposal = self.proposal(self.next);
        let judged = judge::judge(
            &tables,
            Some(self.pages[1].tree()),
            self.pages[1].message.chain,
            &proposal,
            &[],
        )
        .unwrap();
        folio::store::Objects::write_all(&self.space.store, &tables.take()).unwrap();
        judged.tree
    }
}

#[test]
fn trees_changed_by_hand_are_refused() {
    let bench = Bench::new();
    let same = bench.pages[1].tree();
    let nothing = |page: &mut Forged| page.commit.tree = same;
    assert_eq!(altered(&bench, nothing), Err(Code::TreeMismatch));
    let blob = put(
        bench.path(),
        "blob",
        b"{\"alias\":\"moskau\",\"target\":\"moscow\"}\n",
    );
    let link = put(bench.path(), "blob", b"/etc/passwd");
    let page = bench.pages[0].id;
    let cases = [
        ("100644", "aliases.jsonl", blob, Code::TreeMismatch),
        ("100755", "aliases.jsonl", blob, Code::TreeMalformed),
        ("120000", "aliases.jsonl", link, Code::TreeMalformed),
        ("160000", "aliases.jsonl", page, Code::TreeMalformed),
        ("160000", "vendor", page, Code::TreeMalformed),
        ("120000", "readme", link, Code::TreeMalformed),
        ("100644", "README.md", blob, Code::TreeMalformed),
        ("100644", "Aliases.jsonl", blob, Code::TreeMalformed),
        ("100644", "decisions.jsonl", blob, Code::TreeMismatch),
        ("100644", "pins.jsonl", link, Code::TreeMalformed),
    ];
    for (mode, name, id, code) in cases {
        let tree = with_entry(&bench, mode, name, id);
        let said = altered(&bench, |page| page.commit.tree = tree);
        assert_eq!(said, Err(code), "{mode} {name}");
    }
}

#[test]
fn a_proposal_is_numbered_once() {
    let bench = Bench::new();
    // An alias that is already so: numbering it again would change nothing, and is still refused.
    let earlier = bench.pages[1].proposal();
    let (like, tree) = (bench.proposal(earlier), bench.pages[1].tree());
    let page = bench
        .page_over(earlier, &like, tree, &[])
        .sealed(&bench, bench.wanda());
    assert_eq!(bench.read_main(page), Err(Code::DuplicateProposal));
    assert_eq!(bench.read_branch(earlier), Err(Code::DuplicateProposal));
}

#[test]
fn main_on_anything_but_a_page_is_refused() {
    let bench = Bench::new();
    assert_eq!(bench.read_main(bench.next), Err(Code::NotASnapshot));
    // What a forge's merge button makes.
    let mut button = bench.good().commit;
    button.message = "Merge branch 'proposals/bob/altered'\n".into();
    let button = bench.sealed(button, bench.wanda());
    assert_eq!(bench.read_main(button), Err(Code::NotASnapshot));
    let merged = |page: &mut Forged| page.commit.parents.truncate(1);
    assert_eq!(altered(&bench, merged), Err(Code::ParentsWrong));
    let (first, second) = (bench.pages[0].id, bench.pages[1].id);
    let swapped = |page: &mut Forged| page.commit.parents.reverse();
    assert_eq!(altered(&bench, swapped), Err(Code::NotASnapshot));
    let skipped = |page: &mut Forged| page.commit.parents[0] = first;
    assert_eq!(altered(&bench, skipped), Err(Code::NumberMismatch));
    let extra = |page: &mut Forged| page.commit.parents.push(first);
    assert_eq!(altered(&bench, extra), Err(Code::ReviewInvalid));
    let numbered = |page: &mut Forged| page.commit.parents[1] = first;
    assert_eq!(altered(&bench, numbered), Err(Code::TrailersMalformed));
    assert_eq!(bench.read_main(second), Ok(()));
}

#[test]
fn replaced_objects_are_refused_and_never_honoured() {
    let bench = Bench::new();
    let name = format!("refs/replace/{}", bench.pages[0].id);
    update_ref(bench.path(), &name, bench.next);
    assert_eq!(
        bench.read_main(bench.pages[1].id),
        Err(Code::ReplacedObjects)
    );
    git(bench.path(), &["update-ref", "-d", &name], b"");
    assert_eq!(bench.read_main(bench.pages[1].id), Ok(()));
    // An unsigned page that is replaced by a good one looks good to git only.
    let mut page = bench.commit(bench.good().sealed(&bench, bench.wanda()));
    let good = put(bench.path(), "commit", &page.encode());
    page.armor = None;
    let bad = put(bench.path(), "commit", &page.encode());
    let name = format!("refs/replace/{bad}");
    update_ref(bench.path(), &name, good);
    let shown = git(bench.path(), &["cat-file", "commit", &bad.to_hex()], b"");
    assert!(shown.contains("gpgsig"), "git itself shows the replacement");
    assert!(matches!(
        bench.read_main(bad),
        Err(Code::ReplacedObjects | Code::SignatureMissing)
    ));
}

pub fn review(bench: &Bench, by: &Actor, verdict: Verdict, email_of: &Actor) -> Review {
    let store = &bench.space.store;
    let tables = Tables::new(store);
    let view = TreeView::new(&tables, Some(bench.pages[1].tree()));
    let mut member = judge::member_of(&view, &bench.space.alice.key.public_key()).unwrap();
    member.email = email_of.person().email;
    let opinion = Opinion {
        verdict,
        reason: None,
        text: "I looked\n".into(),
    };
    let proposal = bench.proposal(bench.next);
    let (_, bytes) = write_review(store, &proposal, opinion, &member, &by.key, &when()).unwrap();
    let id = put(bench.path(), "commit", &bytes);
    Review::authenticate(store, &proposal, id).unwrap()
}

#[test]
fn reviews_among_the_parents_are_approvals_sorted_and_under_their_own_address() {
    let bench = Bench::new();
    let proposal = bench.proposal(bench.next);
    let over = |reviews: &[Review]| {
        let page = bench.page_over(bench.next, &proposal, bench.next_tree(), reviews);
        bench.read_main(page.sealed(&bench, bench.wanda()))
    };
    let (alice, wanda) = (&bench.space.alice, &bench.space.wanda);
    let mut two = vec![
        review(&bench, alice, Verdict::Approve, alice),
        review(&bench, wanda, Verdict::Approve, wanda),
    ];
    two.sort_by_key(Review::digest);
    assert_eq!(over(&two), Ok(()));
    two.reverse();
    assert_eq!(over(&two), Err(Code::ParentsWrong));
    assert_eq!(
        over(&[review(&bench, alice, Verdict::Reject, alice)]),
        Err(Code::ReviewInvalid)
    );
    assert_eq!(
        over(&[review(&bench, alice, Verdict::Approve, wanda)]),
        Err(Code::EmailMismatch)
    );
}

#[test]
fn damaged_rows_are_refused_by_who_reads_a_history_and_by_who_relies_on_the_pages_before() {
    let bench = Bench::new();
    let good = bench.good();
    let listed = git(
        bench.path(),
        &[
            "show",
            &format!("{}:aliases.jsonl", bench.next_tree_written()),
        ],
        b"",
    );
    let (first, other) = (
        listed.lines().next().unwrap(),
        r#"{"alias":"zz","target":"z"}"#,
    );
    let damaged = [
        (format!("{listed}{first}\n"), "unsorted, and there twice"),
        (format!("{first}\n{listed}"), "there twice"),
        (listed.replace(':', ": "), "spelt otherwise"),
        (
            format!("{listed}{}\n", other.replace("zz", "z\u{e9}\u{301}")),
            "no name",
        ),
        (
            format!("{listed}{}\n", other.replace('}', r#","x":1}"#)),
            "one field more",
        ),
        (format!("{listed}{other}"), "without its end"),
    ];
    for (text, what) in damaged {
        let blob = put(bench.path(), "blob", text.as_bytes());
        let tree = with_entry(&bench, "100644", "aliases.jsonl", blob);
        let said = altered(&bench, |page| page.commit.tree = tree);
        assert_eq!(said, Err(Code::TreeMalformed), "{what}");
        let mut page = bench.good();
        page.commit.tree = tree;
        let id = page.sealed(&bench, bench.wanda());
        assert_eq!(relying(&bench, id), Err(Code::TreeMismatch), "{what}");
    }
    let id = good.sealed(&bench, bench.wanda());
    assert_eq!(relying(&bench, id), Ok(()));
}

/// What checking one page says where nobody has looked at its tree before, as one thread of many does it.
fn relying(bench: &Bench, page: Oid) -> Result<(), Code> {
    let store = &bench.space.store;
    let tables = Tables::new(store);
    tables.rely_on_chain();
    let (number, before) = (Number(3), Some(bench.pages[1].id));
    let checked = check_page(store, &tables, &bench.space.id, number, page, before);
    checked.map(drop).map_err(|fault| fault.code)
}

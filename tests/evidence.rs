//! Caught red-handed: each kind of evidence made of a real history, and checked where nothing else is. What
//! nobody did is never shown, whatever is done to a file.

#[path = "alterations/bench.rs"]
#[allow(dead_code, reason = "a part of it is used here")]
mod bench;
#[path = "common/cli.rs"]
mod cli;
mod common;

use bench::{Bench, Forged, put, update_ref};
use cli::{Fixture, Ran, finish};
use common::{Actor, DATE};
use folio::codec::commit::Commit;
use folio::crypto::Sign;
use folio::journal::evidence::{Claim, Evidence, Finding, Part, Verdict, check};
use folio::model::{Code, Epoch, Number, ObjectFormat, Oid, PublicKey};
use folio::store::{self, Kind, MemoryStore, Objects};
use proptest::prelude::*;
use std::path::Path;
use std::sync::LazyLock;

/// What a stranger finds who has the file and nothing else.
fn found(evidence: &Evidence) -> Finding {
    let read = Evidence::parse(&evidence.encode()).unwrap();
    assert_eq!(&read, evidence);
    check(&read, &MemoryStore::new(read.format)).unwrap()
}

fn key(of: &Actor) -> PublicKey {
    of.key.public_key()
}

fn later(page: &mut Forged) {
    page.commit.committer.seconds += 60;
}

/// `common@3` by the holder of the pen after a change, or as it should be.
fn third(bench: &Bench, change: impl Fn(&mut Forged)) -> Oid {
    let mut page = bench.good();
    change(&mut page);
    page.sealed(bench, bench.wanda())
}

fn bad_tree(bench: &Bench) -> Oid {
    let tree = bench.pages[1].tree();
    third(bench, |page| page.commit.tree = tree)
}

fn rechained(bench: &Bench, by: &Actor, change: impl Fn(&mut Forged)) -> Oid {
    let mut page = bench.good();
    change(&mut page);
    let proposal = bench.proposal(bench.next);
    let (epoch, signer) = (page.message.epoch, key(by));
    let previous = Some(&bench.pages[1]);
    page.message.chain = folio::journal::check::chain_of(epoch, previous, &proposal, &[], signer);
    page.sealed(bench, by)
}

#[test]
fn two_pages_with_one_number_accuse_the_key_that_signed_both() {
    let bench = Bench::new();
    let (one, other) = (third(&bench, |_| {}), third(&bench, later));
    let evidence = Evidence::two_pages(&bench.space.store, one, other)
        .unwrap()
        .unwrap();
    let turned = Evidence::two_pages(&bench.space.store, other, one).unwrap();
    assert_eq!(turned.as_ref(), Some(&evidence));
    assert_eq!(evidence.objects.len(), 2);
    let said = found(&evidence);
    assert_eq!(said.verdict, Verdict::Equivocation);
    assert_eq!(said.accused, Some(key(bench.wanda())));
    assert_eq!(
        (said.space, said.number),
        (Some(bench.space.id), Some(Number(3)))
    );
    let start = format!(
        "equivocation: key {} signed two different pages",
        key(bench.wanda())
    );
    assert!(said.words.starts_with(&start), "{}", said.words);
    assert!(said.words.contains("common@3 in epoch 1"), "{}", said.words);
}

#[test]
fn two_keys_or_two_epochs_are_a_conflict_and_accuse_nobody() {
    let bench = Bench::new();
    let store = &bench.space.store;
    let honest = third(&bench, |_| {});
    let mallory = Actor::new("mallory");
    let foreign = rechained(&bench, &mallory, |_| {});
    let epoch = rechained(&bench, bench.wanda(), |page| page.message.epoch = Epoch(2));
    for other in [foreign, epoch] {
        let said = found(&Evidence::two_pages(store, honest, other).unwrap().unwrap());
        assert_eq!((said.verdict, said.accused), (Verdict::Conflict, None));
        assert!(
            said.words.starts_with("two children of one page"),
            "{}",
            said.words
        );
        assert!(said.words.contains(&key(bench.wanda()).to_string()));
    }
    let first = bench.pages[0].id;
    let elsewhere = third(&bench, |page| {
        page.commit.parents[0] = first;
        page.message.epoch = Epoch(2);
    });
    let said = found(
        &Evidence::two_pages(store, honest, elsewhere)
            .unwrap()
            .unwrap(),
    );
    assert!(said.words.starts_with("two chains"), "{}", said.words);
}

#[test]
fn pages_of_other_numbers_or_spaces_and_other_commits_are_no_pair() {
    let bench = Bench::new();
    let store = &bench.space.store;
    let honest = third(&bench, |_| {});
    let other_space = third(&bench, |page| {
        page.message.space = folio::model::SpaceId([1; 32])
    });
    let none = [bench.pages[1].id, other_space, honest, bench.next];
    for other in none {
        assert_eq!(Evidence::two_pages(store, honest, other).unwrap(), None);
        // Put together by hand it shows no more.
        let commits = [honest, other].map(|id| (Part::Commit, raw(&bench, id)));
        let mut objects = commits.to_vec();
        objects.sort();
        objects.dedup();
        let by_hand = Evidence {
            format: ObjectFormat::Sha1,
            claim: Claim::TwoPages { number: 3 },
            objects,
        };
        let said = found(&by_hand);
        assert_eq!(
            (said.verdict, said.accused),
            (Verdict::Nothing, None),
            "{}",
            said.words
        );
    }
}

fn raw(bench: &Bench, id: Oid) -> Vec<u8> {
    bench.space.store.read(&id, Kind::Commit, 1 << 20).unwrap()
}

/// Every way in which a signed page is wrong, and the code that says so.
fn wrong_pages(bench: &Bench) -> Vec<(&'static str, Oid, Code)> {
    let first = bench.pages[0].id;
    let wanda = bench.wanda();
    let earlier = bench.pages[1].proposal();
    let again = bench.page_over(
        earlier,
        &bench.proposal(earlier),
        bench.pages[1].tree(),
        &[],
    );
    let strange = bench.good();
    vec![
        (
            "a tree changed by hand",
            bad_tree(bench),
            Code::TreeMismatch,
        ),
        (
            "a number skipped",
            third(bench, |page| page.message.number = Number(4)),
            Code::NumberMismatch,
        ),
        (
            "a page left out",
            third(bench, |page| page.commit.parents[0] = first),
            Code::NumberMismatch,
        ),
        (
            "an epoch of one's own",
            rechained(bench, wanda, |page| page.message.epoch = Epoch(2)),
            Code::EpochMismatch,
        ),
        (
            "the pen taken without right",
            rechained(bench, &bench.space.bob, |page| {
                page.commit.author = bench::ident(&bench.space.bob);
                page.commit.committer = bench::ident(&bench.space.bob);
            }),
            Code::SignerWrong,
        ),
        (
            "a rewritten history",
            third(bench, |page| {
                page.message.chain = folio::model::ChainDigest([0; 32])
            }),
            Code::ChainMismatch,
        ),
        (
            "another space",
            third(bench, |page| {
                page.message.space = folio::model::SpaceId([0; 32])
            }),
            Code::SpaceMismatch,
        ),
        (
            "a proposal numbered twice",
            again.sealed(bench, wanda),
            Code::DuplicateProposal,
        ),
        (
            "a page without a proposal",
            third(bench, |page| page.commit.parents.truncate(1)),
            Code::ParentsWrong,
        ),
        (
            "a page on a proposal",
            {
                let mut page = strange;
                page.commit.parents.reverse();
                page.sealed(bench, wanda)
            },
            Code::NotASnapshot,
        ),
    ]
}

#[test]
fn a_signed_page_that_the_rules_refuse_accuses_its_signer() {
    let bench = Bench::new();
    for (what, page, code) in wrong_pages(&bench) {
        let evidence = Evidence::invalid_page(&bench.space.store, page).unwrap();
        let evidence = evidence.unwrap_or_else(|| panic!("{what}"));
        let said = found(&evidence);
        assert_eq!(said.verdict, Verdict::Invalid, "{what}: {}", said.words);
        let signer = folio::crypto::seal::open(&bench.commit(page)).unwrap();
        assert_eq!(said.accused, Some(signer), "{what}");
        let words = format!("which the rules refuse: {code}: ");
        assert!(said.words.contains(&words), "{what}: {}", said.words);
        assert!(
            evidence.encode().len() < 64 * 1024,
            "{what}: evidence is small"
        );
    }
}

#[test]
fn a_base_on_another_chain_is_shown_by_the_pages_down_to_it() {
    let bench = Bench::new();
    // A page of the same number by the same proposal, one minute later, is of another chain.
    let mut second = Forged {
        commit: bench.commit(bench.pages[1].id),
        message: bench.pages[1].message.clone(),
    };
    later(&mut second);
    let other = second.sealed(&bench, bench.wanda());
    let page = third(&bench, |page| page.commit.parents[0] = other);
    let said = found(
        &Evidence::invalid_page(&bench.space.store, page)
            .unwrap()
            .unwrap(),
    );
    assert!(said.words.contains("base-unknown"), "{}", said.words);
}

#[test]
fn good_pages_and_pages_that_nobody_signed_make_no_evidence() {
    let bench = Bench::new();
    let store = &bench.space.store;
    let unsigned = |id: Oid| {
        let mut commit: Commit = bench.commit(id);
        commit.armor = None;
        put(bench.path(), "commit", &commit.encode())
    };
    let bad = bad_tree(&bench);
    let good = [bench.pages[0].id, bench.pages[1].id, third(&bench, |_| {})];
    for page in good.into_iter().chain([bench.next, unsigned(bad)]) {
        assert_eq!(Evidence::invalid_page(store, page).unwrap(), None, "{page}");
    }
    // The page above a wrong one is made honestly by somebody who could know better, and is not the culprit.
    let space = bench.space.id;
    assert_eq!(
        Evidence::invalid_page(store, bad)
            .unwrap()
            .map(|e| found(&e).space),
        Some(Some(space))
    );
}

#[test]
fn a_page_withheld_is_shown_and_the_reporters_word_is_told_apart() {
    let bench = Bench::new();
    let store = &bench.space.store;
    let (newer, older) = (bench.pages[1].id, bench.pages[0].id);
    let words = "origin\u{1b}[2J on Monday";
    let made = Evidence::went_back(store, newer, older, words)
        .unwrap()
        .unwrap();
    let said = found(&made);
    assert_eq!((said.verdict, said.accused), (Verdict::Withheld, None));
    assert_eq!(said.number, Some(Number(2)));
    assert_eq!(said.hearsay.as_deref(), Some("origin\\u{1b}[2J on Monday"));
    let start = format!(
        "common@2 exists, signed by key {}; whoever shows only common@1",
        key(bench.wanda())
    );
    assert!(said.words.starts_with(&start), "{}", said.words);
    let frozen = Evidence::frozen(store, newer, older, "").unwrap().unwrap();
    assert_eq!(
        (found(&frozen).verdict, found(&frozen).hearsay),
        (Verdict::Withheld, None)
    );
    assert_eq!(Evidence::went_back(store, older, newer, "").unwrap(), None);
    assert_eq!(Evidence::went_back(store, newer, newer, "").unwrap(), None);
    assert_eq!(
        Evidence::went_back(store, newer, bench.next, "").unwrap(),
        None
    );
    let long = "\u{202e}".repeat(5_000);
    let long = Evidence::went_back(store, newer, older, &long)
        .unwrap()
        .unwrap();
    assert!(found(&long).hearsay.unwrap().len() <= folio::model::limits::EVIDENCE_WORDS);
}

#[test]
fn files_are_written_once_and_never_over_another() {
    let bench = Bench::new();
    let store = &bench.space.store;
    let made = Evidence::frozen(store, bench.pages[1].id, bench.pages[0].id, "")
        .unwrap()
        .unwrap();
    let home = tempfile::tempdir().unwrap();
    let dir = home.path().join("folio/evidence");
    let path = store::evidence::keep(&dir, &made).unwrap();
    let name = path.file_name().unwrap().to_str().unwrap();
    assert!(
        name.starts_with("frozen-2-") && name.len() == "frozen-2-.json".len() + 12,
        "{name}"
    );
    assert_eq!(std::fs::read(&path).unwrap(), made.encode());
    assert_eq!(store::evidence::keep(&dir, &made).unwrap(), path);
    assert_eq!(std::fs::read_dir(&dir).unwrap().count(), 1);
    std::fs::rename(&path, home.path().join("aside")).unwrap();
    std::fs::write(&path, "something else").unwrap();
    let other = store::evidence::keep(&dir, &made).unwrap();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "something else");
    assert_eq!(std::fs::read(&other).unwrap(), made.encode());
    std::fs::write(&other, "something else too").unwrap();
    assert_eq!(
        store::evidence::keep(&dir, &made).unwrap_err().code,
        Code::Io
    );
}

/// Every object of the repository, as a file has them.
fn everything(bench: &Bench) -> Vec<(Part, Vec<u8>)> {
    let store = &bench.space.store;
    let listed = bench::git(
        bench.path(),
        &["cat-file", "--batch-all-objects", "--batch-check"],
        b"",
    );
    let mut objects: Vec<(Part, Vec<u8>)> = listed
        .lines()
        .map(|line| {
            let mut words = line.split(' ');
            let id: Oid = words.next().unwrap().parse().unwrap();
            let (part, kind) = match words.next().unwrap() {
                "blob" => (Part::Blob, Kind::Blob),
                "tree" => (Part::Tree, Kind::Tree),
                _ => (Part::Commit, Kind::Commit),
            };
            (part, store.read(&id, kind, 1 << 20).unwrap())
        })
        .collect();
    objects.sort();
    objects
}

/// Numbers two proposals that stand on older pages than the one before.
fn two_more(bench: &mut Bench) {
    let base = &bench.pages[0];
    let line = r#"{"op":"pin","name":"kyiv"}"#;
    bench
        .space
        .propose_on(base, &bench.space.bob, "old", &[line])
        .unwrap();
    assert_eq!(bench.space.accept_all().unwrap().numbered.len(), 2);
}

/// [S1] A reader takes a missing base for no snapshot at all. Evidence must not.
#[test]
fn a_base_that_was_left_out_accuses_nobody() {
    let mut bench = Bench::new();
    two_more(&mut bench);
    for (page, number) in [
        (bench.space.tip().previous().unwrap(), 3),
        (bench.space.tip().id, 4),
    ] {
        let commit = bench.commit(page);
        let proposal = bench.proposal(commit.parents[1]);
        assert!(proposal.base().number < Number(number));
        let missing = Evidence {
            format: ObjectFormat::Sha1,
            claim: Claim::InvalidPage {
                code: "base-unknown".into(),
                number,
                page: page.to_hex(),
            },
            objects: everything(&bench)
                .into_iter()
                .filter(|(_, bytes)| *bytes != raw(&bench, proposal.base().commit.unwrap()))
                .collect(),
        };
        let said = found(&missing);
        assert_eq!(said.verdict, Verdict::Inconclusive, "{}", said.words);
    }
}

/// Pages and files that the properties below bend: made once, because founding a space takes a while.
struct Seeds {
    /// All objects of the repository.
    objects: Vec<(Part, Vec<u8>)>,
    honest: Vec<(Oid, Number)>,
    files: Vec<Evidence>,
    wanda: PublicKey,
    bob: PublicKey,
}

static SEEDS: LazyLock<Seeds> = LazyLock::new(|| {
    let mut bench = Bench::new();
    let store = &bench.space.store;
    let wrong = wrong_pages(&bench);
    let mut files: Vec<Evidence> = wrong
        .iter()
        .map(|(_, page, _)| Evidence::invalid_page(store, *page).unwrap().unwrap())
        .collect();
    let good = third(&bench, |_| {});
    let (newer, older) = (bench.pages[1].id, bench.pages[0].id);
    files.push(
        Evidence::two_pages(store, good, third(&bench, later))
            .unwrap()
            .unwrap(),
    );
    files.push(
        Evidence::went_back(store, newer, older, "origin")
            .unwrap()
            .unwrap(),
    );
    files.push(
        Evidence::frozen(store, newer, older, "a heartbeat")
            .unwrap()
            .unwrap(),
    );
    two_more(&mut bench);
    let (last, before) = (bench.space.tip(), bench.space.tip().previous().unwrap());
    Seeds {
        objects: everything(&bench),
        honest: vec![
            (older, Number(1)),
            (newer, Number(2)),
            (good, Number(3)),
            (before, Number(3)),
            (last.id, Number(4)),
        ],
        files,
        wanda: key(bench.wanda()),
        bob: key(&bench.space.bob),
    }
});

const CODES: &[&str] = &[
    "tree-mismatch",
    "base-unknown",
    "object-missing",
    "number-mismatch",
    "not-a-snapshot",
    "tree-malformed",
];

proptest! {
    /// [S1] What an honest page stands on follows from its bytes. So leaving out is all that is left to
    /// whoever wants to frame its signer, and it comes to nothing.
    #[test]
    fn no_choice_of_objects_makes_an_honest_page_invalid(
        which in any::<prop::sample::Index>(),
        kept in prop::collection::vec(prop::bool::weighted(0.97), SEEDS.objects.len()),
        code in prop::sample::select(CODES),
    ) {
        let (page, number) = *which.get(&SEEDS.honest);
        let kept = SEEDS.objects.iter().zip(kept).filter(|(_, kept)| *kept);
        let framed = Evidence {
            format: ObjectFormat::Sha1,
            claim: Claim::InvalidPage { code: code.into(), number: number.0, page: page.to_hex() },
            objects: kept.map(|(object, _)| object.clone()).collect(),
        };
        let said = found(&framed);
        prop_assert!(!said.proves() && said.accused.is_none(), "{}", said.words);
    }

    /// What an honest page needs, one object less each time.
    #[test]
    fn one_object_less_is_inconclusive(which in any::<prop::sample::Index>(), out in any::<prop::sample::Index>()) {
        let mut evidence = which.get(&SEEDS.files[..SEEDS.files.len() - 3]).clone();
        let out = out.index(evidence.objects.len());
        evidence.objects.remove(out);
        let said = found(&evidence);
        prop_assert_eq!(said.verdict, Verdict::Inconclusive, "{}", said.words);
    }

    /// A file that was changed on its way is refused, or shows nothing, or shows what it showed.
    #[test]
    fn a_changed_byte_never_accuses_somebody_else(
        which in any::<prop::sample::Index>(),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let file = which.get(&SEEDS.files);
        let mut bytes = file.encode();
        *at.get_mut(&mut bytes) = byte;
        bounded(&bytes, file);
    }

    /// Objects of one file in another, under another claim.
    #[test]
    fn swapped_objects_never_accuse_somebody_else(
        one in any::<prop::sample::Index>(),
        other in any::<prop::sample::Index>(),
        take in prop::collection::vec(any::<bool>(), 80),
    ) {
        let (claim, from) = (one.get(&SEEDS.files), other.get(&SEEDS.files));
        let mut objects = claim.objects.clone();
        objects.extend(from.objects.iter().cloned());
        objects.sort();
        objects.dedup();
        let mut take = take.into_iter().chain(std::iter::repeat(true));
        objects.retain(|_| take.next().unwrap());
        let mixed = Evidence { objects, ..claim.clone() };
        let said = found(&mixed);
        match mixed.claim {
            Claim::TwoPages { .. } | Claim::WentBack { .. } | Claim::Frozen { .. } => {
                // Two commits that happen to be left are what they are.
                prop_assert!(!said.proves() || mixed.objects.len() == 2);
            }
            _ => prop_assert!(!said.proves() || said == found(claim), "{}", said.words),
        }
    }

    #[test]
    fn noise_is_no_evidence(bytes in prop::collection::vec(any::<u8>(), 0..300), text in any::<String>()) {
        prop_assert!(Evidence::parse(&bytes).is_err());
        prop_assert!(Evidence::parse(text.as_bytes()).is_err());
    }
}

fn bounded(bytes: &[u8], original: &Evidence) {
    let Ok(read) = Evidence::parse(bytes) else {
        return;
    };
    assert!(
        read.encode() == bytes,
        "one spelling: {:?}",
        String::from_utf8_lossy(bytes)
    );
    let said = check(&read, &MemoryStore::new(read.format)).unwrap();
    let accused = found(original).accused;
    assert!(
        said.accused.is_none() || said.accused == accused,
        "{}",
        said.words
    );
    if said.proves() && read.objects != original.objects {
        panic!("other objects prove the same: {}", said.words);
    }
}

#[test]
fn every_single_byte_of_a_file_counts() {
    // All bytes of the smallest file, and every third bit: a whole file for each would take minutes.
    let file = SEEDS
        .files
        .iter()
        .min_by_key(|file| file.encode().len())
        .unwrap();
    let good = file.encode();
    for at in 0..good.len() {
        for bit in [0, 1, 5] {
            let mut bytes = good.clone();
            bytes[at] ^= 1 << bit;
            bounded(&bytes, file);
        }
    }
    let accused = |n: usize| found(&SEEDS.files[n]).accused;
    assert_eq!(accused(0), Some(SEEDS.wanda));
    assert_eq!(
        accused(4),
        Some(SEEDS.bob),
        "who takes the pen is accused, not who holds it"
    );
}

#[test]
fn a_true_page_under_a_wrong_code_or_number_shows_nothing() {
    for file in &SEEDS.files {
        let claim = match file.claim.clone() {
            Claim::InvalidPage { number, page, .. } => Claim::InvalidPage {
                code: "stale".into(),
                number,
                page,
            },
            Claim::TwoPages { number } => Claim::TwoPages { number: number + 1 },
            Claim::WentBack { number, words } => Claim::WentBack {
                number: number + 1,
                words,
            },
            Claim::Frozen { number, words } => Claim::Frozen {
                number: number - 1,
                words,
            },
        };
        let bent = Evidence {
            claim,
            ..file.clone()
        };
        assert_eq!(found(&bent).verdict, Verdict::Nothing);
    }
}

/// Somebody with the binary, the file, and an empty directory.
struct Stranger {
    home: Fixture,
    dir: tempfile::TempDir,
}

impl Stranger {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        Self {
            home: Fixture::home(),
            dir,
        }
    }

    fn run(&self, args: &[&str]) -> Ran {
        finish(self.home.command(self.dir.path(), None).args(args), b"")
    }

    fn given(&self, bytes: &[u8]) -> Ran {
        std::fs::write(self.dir.path().join("file.json"), bytes).unwrap();
        self.run(&["evidence", "check", "file.json"])
    }
}

#[test]
fn the_command_line_checks_a_file_where_no_space_is() {
    let stranger = Stranger::new();
    for file in &SEEDS.files {
        let said = found(file);
        let out = stranger.given(&file.encode()).ok();
        assert!(out.starts_with(&format!("proved: {}", said.words)), "{out}");
        assert!(out.contains("Accused:"), "{out}");
        let json = stranger
            .run(&["--json", "evidence", "check", "file.json"])
            .json();
        assert_eq!(json["verdict"], said.verdict.as_str());
        assert_eq!(json["proves"], true);
        assert_eq!(
            json["accused"].as_str().map(str::to_owned),
            said.accused.map(|key| key.to_string())
        );
        let shown = stranger
            .run(&["--json", "evidence", "show", "file.json"])
            .json();
        assert_eq!(
            shown["objects"].as_array().unwrap().len(),
            file.objects.len()
        );
    }
    let mut poor = SEEDS.files[0].clone();
    poor.objects.pop();
    let ran = stranger.given(&poor.encode());
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.out.starts_with("undecided: "), "{}", ran.out);
    stranger.given(b"{}\n").refused("evidence-malformed", 4);
    stranger
        .given(&vec![b' '; folio::model::limits::EVIDENCE_BYTES + 1])
        .refused("evidence-malformed", 4);
    stranger
        .run(&["evidence", "check", "nothing.json"])
        .refused("io", 6);
}

/// Points a fixture's `main` at a page that wanda signed over whatever `main` has, after a change.
fn forge(fixture: &Fixture, change: impl Fn(&mut Commit)) -> Oid {
    let dir = fixture.space.as_path();
    let tip = fixture.git(&["rev-parse", "main"]);
    let bytes = fixture.git(&["cat-file", "commit", tip.trim()]);
    let mut page = Commit::parse(bytes.as_bytes(), ObjectFormat::Sha1).unwrap();
    page.armor = None;
    change(&mut page);
    let page = folio::crypto::seal::seal(page, &cli::pair("wanda")).unwrap();
    let id = put(dir, "commit", &page.encode());
    update_ref(dir, "refs/heads/main", id);
    id
}

fn kept(dir: &Path) -> Vec<String> {
    let dir = dir.join("folio/evidence");
    let Ok(entries) = std::fs::read_dir(dir) else {
        return Vec::new();
    };
    entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

#[test]
fn verify_keeps_evidence_and_says_where() {
    let fixture = Fixture::bare();
    fixture.propose(
        "bob",
        "one",
        r#"{"op":"alias.set","alias":"kiev","target":"kyiv"}"#,
    );
    fixture.accept_all();
    let first = fixture.git(&["rev-parse", "main^"]);
    let tree = fixture.git(&["rev-parse", "main^^{tree}"]);
    let good = fixture.git(&["rev-parse", "main"]);
    forge(&fixture, |page| page.tree = tree.trim().parse().unwrap());
    let said = fixture.run("bob", &["verify"]).refused("tree-mismatch", 4);
    assert!(said.contains("evidence: "), "{said}");
    let names = kept(&fixture.space);
    assert_eq!(names.len(), 1, "{names:?}");
    assert!(names[0].starts_with("invalid-page-2-"), "{names:?}");
    let bytes = std::fs::read(fixture.space.join("folio/evidence").join(&names[0])).unwrap();
    let proved = Stranger::new().given(&bytes).ok();
    assert!(
        proved.contains("which the rules refuse: tree-mismatch"),
        "{proved}"
    );
    // Once is enough.
    fixture.run("bob", &["verify"]).refused("tree-mismatch", 4);
    assert_eq!(kept(&fixture.space), names);
    let listed = fixture.run("bob", &["--json", "evidence", "list"]).json();
    assert_eq!(listed["evidence"][0]["verdict"], "invalid");
    // A chain that cannot even be walked: common@3 on top of common@1.
    let skipped = forge(&fixture, |page| {
        page.parents[0] = first.trim().parse().unwrap();
        page.message = page.message.replace("Snapshot: 2", "Snapshot: 3");
    });
    let said = fixture
        .run("bob", &["verify"])
        .refused("number-mismatch", 4);
    assert!(said.contains("invalid-page-3-"), "{said}");
    let made = fixture
        .run("bob", &["evidence", "make", &skipped.to_hex()])
        .ok();
    assert!(made.contains("invalid-page-3-"), "{made}");
    // What nobody signed accuses nobody.
    let mut unsigned = Commit::parse(
        fixture.git(&["cat-file", "commit", good.trim()]).as_bytes(),
        ObjectFormat::Sha1,
    )
    .unwrap();
    unsigned.armor = None;
    unsigned.author.seconds += 1;
    let unsigned = put(&fixture.space, "commit", &unsigned.encode());
    update_ref(&fixture.space, "refs/heads/main", unsigned);
    let said = fixture
        .run("bob", &["verify"])
        .refused("signature-missing", 4);
    assert!(!said.contains("evidence: "), "{said}");
    assert_eq!(kept(&fixture.space).len(), 2);
}

#[test]
fn people_with_two_clones_make_evidence_by_hand() {
    let fixture = Fixture::bare();
    let one = fixture.git(&["rev-parse", "main"]);
    let other = forge(&fixture, |page| page.committer.seconds += 1);
    update_ref(
        &fixture.space,
        "refs/heads/main",
        one.trim().parse().unwrap(),
    );
    let other = other.to_hex();
    let made = fixture
        .run("bob", &["--json", "evidence", "make", one.trim(), &other])
        .json();
    assert_eq!(
        (made["kind"].as_str(), made["number"].as_u64()),
        (Some("two-pages"), Some(1))
    );
    let bytes = std::fs::read(made["file"].as_str().unwrap()).unwrap();
    let proved = Stranger::new().given(&bytes).ok();
    assert!(proved.contains("equivocation"), "{proved}");
    fixture.propose(
        "bob",
        "one",
        r#"{"op":"alias.set","alias":"kiev","target":"kyiv"}"#,
    );
    fixture.accept_all();
    let args = [
        "evidence",
        "make",
        "1",
        "2",
        "-m",
        "the mirror\u{1b} on Monday",
    ];
    let made = fixture.run("bob", &args).ok();
    assert!(made.contains("frozen-2-"), "{made}");
    let checked = fixture.run("bob", &["evidence", "check", made.trim()]).ok();
    assert!(checked.contains("Accused:  nobody"), "{checked}");
    assert!(
        checked.contains("Reported: the mirror\\u{1b} on Monday"),
        "{checked}"
    );
    let ran = fixture.run("bob", &["evidence", "make", "2"]);
    assert_eq!((ran.code, ran.out.as_str()), (1, ""), "a good page");
    fixture
        .run("bob", &["evidence", "make", "no-such"])
        .refused("not-found", 1);
    let listed = fixture.run("bob", &["evidence", "list"]).ok();
    assert_eq!(listed.lines().count(), 4, "{listed}");
    std::fs::write(fixture.space.join("folio/evidence/junk.json"), "junk").unwrap();
    let listed = fixture.run("bob", &["evidence", "list"]);
    assert!(listed.err.contains("junk.json"), "{listed:?}");
}

#[test]
fn status_says_how_old_the_newest_verified_page_is() {
    let fixture = Fixture::bare();
    let fresh = fixture.run("bob", &["--json", "status"]).json();
    assert_eq!(fresh["verified_age_seconds"], serde_json::Value::Null);
    fixture.run("bob", &["verify"]).ok();
    let at = |seconds: u64| format!("{seconds} +0000");
    let three_days = at(DATE + 3 * 86_400 + 7);
    let said = fixture.run("bob", &["--date", &three_days, "status"]).ok();
    assert!(
        said.contains("Verified:  up to common@1, made 3 days ago"),
        "{said}"
    );
    let json = fixture
        .run("bob", &["--json", "--date", &three_days, "status"])
        .json();
    assert_eq!(json["verified_age_seconds"], 3 * 86_400 + 7);
    let said = fixture
        .run("bob", &["--date", &at(DATE - 300), "status"])
        .ok();
    assert!(
        said.contains("made 5 minutes ahead of this clock"),
        "{said}"
    );
}

/// Written once, read for ever: `FOLIO_WRITE_VECTORS=1` writes those that are missing. What a file proves
/// today it proves in every later version.
#[test]
fn golden_files_prove_what_they_proved() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/evidence");
    let of = |kind: &str, code: &str| {
        let is = |file: &&Evidence| {
            file.claim.kind() == kind
                && (code.is_empty() || String::from_utf8(file.encode()).unwrap().contains(code))
        };
        SEEDS.files.iter().find(is).unwrap().clone()
    };
    let wanda = Some(SEEDS.wanda);
    // The chain is compared last: whoever comes so far has read everything else.
    let cases = [
        ("two-pages", "", Verdict::Equivocation, wanda),
        ("invalid-page", "chain-mismatch", Verdict::Invalid, wanda),
        ("went-back", "", Verdict::Withheld, None),
        ("frozen", "", Verdict::Withheld, None),
    ];
    for (kind, code, verdict, accused) in cases {
        let path = dir.join(format!("{kind}.json"));
        if !path.exists() && std::env::var_os("FOLIO_WRITE_VECTORS").is_some_and(|on| on == "1") {
            std::fs::create_dir_all(&dir).unwrap();
            std::fs::write(&path, of(kind, code).encode()).unwrap();
        }
        let bytes = std::fs::read(&path).unwrap();
        let read = Evidence::parse(&bytes).unwrap();
        let said = found(&read);
        assert_eq!(read.claim.kind(), kind);
        assert_eq!(
            (said.verdict, said.accused),
            (verdict, accused),
            "{}",
            said.words
        );
        assert!(said.words.contains(code), "{}", said.words);
    }
}

//! Arbitrary and bent bytes into everything that reads: nothing panics, and what is taken is written again
//! as it was.

mod common;

use common::recorder::Recorder;
use common::{TestSpace, when};
use folio::codec::commit::Commit;
use folio::codec::message::{self, Message, Verdict};
use folio::crypto::{Namespace, Sign, keyfile, seal, sshsig};
use folio::fold::{Decision, MemoryView, Scene, decision, kind::Place};
use folio::journal::proposal::Proposal;
use folio::journal::review::{Opinion, Review, write_review};
use folio::journal::{Page, judge, refs};
use folio::model::{ChainDigest, ObjectFormat, Oid, ProposalDigest, PublicKey};
use folio::state::{Tables, TreeView};
use folio::store::{Kind, MemoryStore, Objects};
use proptest::prelude::*;
use std::sync::LazyLock;

/// What is done to a good input: a byte changed, put in, taken out, a part doubled or cut off.
#[derive(Debug, Clone)]
struct Bend(u8, usize, u8, usize);

fn bends() -> impl Strategy<Value = Vec<Bend>> {
    // Bytes that mean something to one of the grammars come up more often than others.
    let telling = prop::sample::select(b"\n \t\r\0\"\\{}[]:,<>0-+=/xA\xff\xc3".to_vec());
    let byte = prop_oneof![telling, any::<u8>()];
    let bend = (0..5u8, any::<usize>(), byte, 1..40usize);
    prop::collection::vec(
        bend.prop_map(|(how, at, byte, len)| Bend(how, at, byte, len)),
        1..4,
    )
}

fn bent(good: &[u8], bends: &[Bend]) -> Vec<u8> {
    let mut bytes = good.to_vec();
    for Bend(how, at, byte, len) in bends {
        if bytes.is_empty() {
            break;
        }
        let at = at % bytes.len();
        let end = (at + len).min(bytes.len());
        match how {
            0 => bytes[at] = *byte,
            1 => bytes.insert(at, *byte),
            2 => drop(bytes.drain(at..end)),
            3 => {
                let part = bytes[at..end].to_vec();
                bytes.splice(at..at, part);
            }
            _ => bytes.truncate(at),
        }
    }
    bytes
}

/// A small space and one good input of every kind.
struct Seeds {
    objects: Vec<(Oid, Kind, Vec<u8>)>,
    proposal: Proposal,
    review: Oid,
    page: Page,
}

static SEEDS: LazyLock<Seeds> = LazyLock::new(|| {
    let store = Recorder::new(MemoryStore::new(ObjectFormat::Sha1));
    let space = TestSpace::found(store.clone()).unwrap();
    let line = r#"{"op":"alias.set","alias":"kiev","target":"kyiv"}"#;
    let (id, _) = space.propose(&space.bob, "one", &[line]).unwrap();
    let tables = Tables::new(&store);
    let proposal = Proposal::authenticate(&tables, &store, None, id).unwrap();
    let view = TreeView::new(&tables, Some(space.tip().tree()));
    let member = judge::member_of(&view, &space.alice.key.public_key()).unwrap();
    let opinion = Opinion {
        verdict: Verdict::Reject,
        reason: None,
        text: "No\n".into(),
    };
    let (review, bytes) = write_review(
        &store,
        &proposal,
        opinion,
        &member,
        &space.alice.key,
        &when(),
    )
    .unwrap();
    store.write_all(&[(review, Kind::Commit, bytes)]).unwrap();
    let page = space.tip();
    let written = std::mem::take(&mut store.seen.lock().unwrap().written);
    let objects = written
        .into_iter()
        .map(|(id, (kind, bytes))| (id, kind, bytes))
        .collect();
    Seeds {
        objects,
        proposal,
        review,
        page,
    }
});

impl Seeds {
    fn store(&self) -> MemoryStore {
        let store = MemoryStore::new(ObjectFormat::Sha1);
        store.write_all(&self.objects).unwrap();
        store
    }

    fn bytes(&self, id: Oid) -> &[u8] {
        &self
            .objects
            .iter()
            .find(|(other, ..)| *other == id)
            .unwrap()
            .2
    }
}

fn put(store: &MemoryStore, kind: Kind, bytes: Vec<u8>) -> Oid {
    let id = store.id_of(kind, &bytes);
    store.write_all(&[(id, kind, bytes)]).unwrap();
    id
}

fn reads_decisions(bytes: &[u8]) {
    if let Ok(all) = decision::parse_all(bytes) {
        assert_eq!(decision::encode_all(&all), bytes);
    }
    let text = String::from_utf8_lossy(bytes);
    for line in text.lines() {
        if let Ok(read) = Decision::parse(line) {
            assert_eq!(read.to_line(), line);
        }
        if let Ok(mut read) = Decision::parse_lenient(line) {
            assert_eq!(Decision::parse(&read.to_line()), Ok(read.clone()));
            // Whatever can be read can be judged.
            let view = MemoryView::default();
            let mut scene = Scene::new(&view);
            let place = Place {
                proposal: ProposalDigest([0; 32]),
                index: 0,
                author: PublicKey([0; 32]),
                after: ChainDigest([0; 32]),
            };
            let _ = read.refresh(&scene, false);
            let _ = folio::fold::apply::step(&mut scene, &read, place);
        }
    }
}

fn reads_commit(bytes: &[u8]) {
    for format in [ObjectFormat::Sha1, ObjectFormat::Sha256] {
        if let Ok(commit) = Commit::parse(bytes, format) {
            assert_eq!(commit.encode(), bytes);
            let _ = seal::open(&commit);
        }
    }
}

fn reads_message(text: &str) {
    if let Ok(message) = Message::parse(text) {
        assert_eq!(message.encode(), text);
    }
    if let Ok(clean) = message::clean_text(text) {
        assert_eq!(message::clean_text(&clean).as_ref(), Ok(&clean));
        let with_block = format!(
            "{clean}\nFolio: 1\nSpace: {0}\nBase: 1\nProposal: {0}\n",
            "0".repeat(64)
        );
        assert!(
            matches!(Message::parse(&with_block), Ok(Message::Proposal(read)) if read.text == clean)
        );
    }
}

fn reads_keys(text: &str) {
    if let Ok((key, signature)) = sshsig::dearmor(Namespace::Git, text) {
        assert_eq!(sshsig::armor(Namespace::Git, &key, &signature), text);
    }
    if let Ok(key) = keyfile::parse_public(text) {
        assert_eq!(
            keyfile::parse_public(&keyfile::public_line(&key, "")).unwrap(),
            key
        );
    }
    if let Ok(pair) = keyfile::load(text, |_| None) {
        let again = keyfile::load(&pair.to_openssh(""), |_| None).unwrap();
        assert_eq!(again.public_key(), pair.public_key());
    }
}

fn reads_ref(name: &str) {
    if let Ok((author, slug)) = refs::parse_proposal(name) {
        assert_eq!(refs::proposal(&author, &slug), name);
        assert_eq!(name.matches('/').count(), 4);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..Default::default() })]

    #[test]
    fn noise_is_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..400), text in any::<String>()) {
        reads_decisions(&bytes);
        reads_commit(&bytes);
        reads_message(&text);
        reads_keys(&text);
        reads_ref(&text);
        reads_ref(&format!("refs/heads/proposals/{text}"));
    }

    #[test]
    fn bent_decisions(which in any::<prop::sample::Index>(), bends in bends()) {
        let kinds = Decision::kinds();
        let good = which.get(&kinds).example.to_line() + "\n";
        prop_assert!(decision::parse_all(good.as_bytes()).is_ok());
        reads_decisions(&bent(good.as_bytes(), &bends));
    }

    #[test]
    fn bent_keys_and_blocks(bends in bends()) {
        let key = keyfile::KeyPair::from_seed([3; 32]);
        let armor = Commit::parse(SEEDS.bytes(SEEDS.page.id), ObjectFormat::Sha1).unwrap().armor.unwrap();
        for good in [&*key.to_openssh("me"), &keyfile::public_line(&key.public_key(), "me"), &armor] {
            reads_keys(good);
            reads_keys(&String::from_utf8_lossy(&bent(good.as_bytes(), &bends)));
        }
    }

    #[test]
    fn bent_commits(bends in bends()) {
        let store = SEEDS.store();
        let tables = Tables::new(&store);
        for id in [SEEDS.page.id, SEEDS.proposal.id(), SEEDS.review] {
            let good = SEEDS.bytes(id);
            let bytes = bent(good, &bends);
            reads_commit(&bytes);
            let message = Commit::parse(good, ObjectFormat::Sha1).unwrap().message;
            reads_message(&String::from_utf8_lossy(&bent(message.as_bytes(), &bends)));
            let altered = put(&store, Kind::Commit, bytes.clone());
            // A changed commit is nobody's: what authenticates is what was signed.
            let read = Proposal::authenticate(&tables, &store, None, altered);
            prop_assert!(read.is_err() || bytes == good, "{:?}", read);
            let read = Review::authenticate(&store, &SEEDS.proposal, altered);
            prop_assert!(read.is_err() || bytes == good, "{:?}", read);
            let _ = Page::read(&store, altered);
        }
    }

    #[test]
    fn bent_trees_and_tables(which in any::<prop::sample::Index>(), bends in bends()) {
        // Each object of the space in turn is bent, and everything above it made again.
        let store = SEEDS.store();
        let tables = Tables::new(&store);
        let root = SEEDS.bytes(SEEDS.page.tree());
        let below: Vec<_> = SEEDS.objects.iter().filter(|(id, kind, _)| {
            *kind == Kind::Blob && root.windows(20).any(|part| part == id.as_bytes())
        }).collect();
        let (id, _, blob) = which.get(&below);
        let other = put(&store, Kind::Blob, bent(blob, &bends));
        let at = root.windows(20).position(|part| part == id.as_bytes()).unwrap();
        let mut pointed = root.to_vec();
        pointed[at..at + 20].copy_from_slice(other.as_bytes());
        for tree in [pointed, bent(root, &bends)] {
            let tree = put(&store, Kind::Tree, tree);
            let checked = tables.check(Some(tree));
            let _ = judge::judge(&tables, Some(tree), SEEDS.page.message.chain, &SEEDS.proposal, &[]);
            let diff = tables.diff(Some(SEEDS.page.tree()), Some(tree));
            let _ = tables.split_decisions(tree);
            if let (Ok(_), Ok(diff)) = (checked, diff) {
                // A good tree is the one that its rows make.
                let edits = diff.into_iter().map(|c| ((c.table, c.key), c.after)).collect();
                prop_assert_eq!(tables.edit(Some(SEEDS.page.tree()), &edits).unwrap(), tree);
            }
        }
    }
}

//! Golden vectors: written once, read for ever. `FOLIO_WRITE_VECTORS=1` writes the files that are missing
//! and never touches one that is there: a difference is a change of the format.

#[path = "vectors/refusals.rs"]
mod refusals;

mod common;

use common::recorder::Recorder;
use common::{TestSpace, when};
use data_encoding::HEXLOWER;
use folio::codec::commit::Commit;
use folio::codec::message::{Message, ProposalMessage, Verdict};
use folio::codec::rows;
use folio::crypto::{Sign, digest, seal};
use folio::fold::Decision;
use folio::journal::proposal::Proposal;
use folio::journal::review::{Opinion, Review, write_review};
use folio::journal::{judge, refs::MAIN};
use folio::model::rows::{AliasRow, ArtifactRow, Source, TableRow};
use folio::model::{
    ChainDigest, ContentDigest, Epoch, MediaType, Name, Note, Number, ObjectFormat, Oid,
    ProposalDigest, PublicKey, ReviewDigest, RowEdits, SpaceId, limits,
};
use folio::state::{Tables, TreeView};
use folio::store::{Expect, Kind, MemoryStore, Objects, RefEdit, Refs};
use serde_json::{Value, json};
use std::path::PathBuf;

/// What the file says; written first where it is missing and that was asked for.
pub fn golden(name: &str, make: impl FnOnce() -> Value) -> Value {
    let path: PathBuf = [env!("CARGO_MANIFEST_DIR"), "tests/vectors", name]
        .iter()
        .collect();
    if !path.exists() && std::env::var_os("FOLIO_WRITE_VECTORS").is_some_and(|on| on == "1") {
        let text = serde_json::to_string_pretty(&make()).unwrap() + "\n";
        std::fs::write(&path, text).unwrap();
    }
    let text = std::fs::read_to_string(&path)
        .unwrap_or_else(|_| panic!("{name} is missing: run once with FOLIO_WRITE_VECTORS=1"));
    serde_json::from_str(&text).unwrap()
}

fn held(name: &str, make: impl Fn() -> Value) -> Value {
    let found = golden(name, &make);
    assert_eq!(make(), found, "{name}");
    found
}

const FORMATS: [ObjectFormat; 2] = [ObjectFormat::Sha1, ObjectFormat::Sha256];

#[test]
fn decisions() {
    let made = || {
        let lines = Decision::kinds().into_iter().map(|kind| {
            let line = kind.example.to_line();
            let jsonl = format!("{line}\n");
            (
                kind.op.to_owned(),
                json!({"line": line, "blake3": digest::space_id(jsonl.as_bytes()).to_hex()}),
            )
        });
        Value::Object(lines.collect())
    };
    let only = |prefixes: &[&str]| {
        let mut all = made();
        all.as_object_mut()
            .unwrap()
            .retain(|op, _| prefixes.iter().any(|prefix| op.starts_with(prefix)));
        all
    };
    let found = [
        golden("decisions.json", made),
        golden("decisions-pen.json", || only(&["pen.", "witness."])),
        golden("decisions-artifacts.json", || only(&["artifact."])),
    ];
    // New kinds may come; those that are here stay as they are.
    for (op, vector) in found.iter().flat_map(|file| file.as_object().unwrap()) {
        let line = vector["line"].as_str().unwrap();
        let read = Decision::parse(line).unwrap();
        assert_eq!((read.op(), read.to_line().as_str()), (op.as_str(), line));
        assert_eq!(&made()[op], vector, "{op}");
    }
    for op in Decision::OPS {
        let known = found.iter().any(|file| file.get(*op).is_some());
        assert!(known, "{op} has no vector yet");
    }
}

/// Aliases `n0`, `n1`, ... of seven targets.
fn aliases(count: usize) -> RowEdits {
    let row = |n: usize| AliasRow {
        alias: Name::new(format!("n{n}")).unwrap(),
        target: Name::new(format!("t{}", n % 7)).unwrap(),
    };
    let placed = |row: AliasRow| ((AliasRow::TABLE, row.key()), Some(rows::encode(&row)));
    (0..count).map(row).map(placed).collect()
}

#[test]
fn tables() {
    held("tables.json", || {
        let ids = |format: ObjectFormat| -> Value {
            let store = MemoryStore::new(format);
            let tables = Tables::new(&store);
            let tree = |n: usize| {
                (
                    n.to_string(),
                    tables.edit(None, &aliases(n)).unwrap().to_hex().into(),
                )
            };
            Value::Object([0, 1, 64, 65, 5_000].into_iter().map(tree).collect())
        };
        Value::Object(
            FORMATS
                .iter()
                .map(|f| (f.as_str().to_owned(), ids(*f)))
                .collect(),
        )
    });
}

/// Rows of artifacts: published, with a source, withdrawn, and withdrawn without ever having been published.
fn artifacts() -> Vec<ArtifactRow> {
    let published = ArtifactRow {
        artifact: ContentDigest([0xa1; 32]),
        media: Some(MediaType::new("application/octet-stream").unwrap()),
        size: Some(limits::ARTIFACT),
        source: None,
        tombstone: None,
    };
    let imported = ArtifactRow {
        artifact: ContentDigest([0xb2; 32]),
        media: Some(MediaType::new("image/svg+xml").unwrap()),
        size: Some(0),
        source: Some(Source {
            domain: SpaceId([4; 32]),
            snapshot: Number(7),
        }),
        tombstone: None,
    };
    let withdrawn = ArtifactRow {
        artifact: ContentDigest([0xc3; 32]),
        tombstone: Some(Note::new("Не та").unwrap()),
        ..imported.clone()
    };
    let bare = ArtifactRow {
        artifact: ContentDigest([0xd4; 32]),
        media: None,
        size: None,
        source: None,
        tombstone: Some(Note::new("never here").unwrap()),
    };
    vec![published, imported, withdrawn, bare]
}

#[test]
fn rows_of_artifacts() {
    held("rows-artifacts.json", || {
        let one = |row: &ArtifactRow| {
            let (key, line) = (row.key(), rows::encode(row));
            json!({
                "line": line.as_str(),
                "row": digest::row(ArtifactRow::TABLE, &line).to_hex(),
                "subject_place": HEXLOWER.encode(&digest::subject_place(ArtifactRow::TABLE, key.subject())),
                "key_place": HEXLOWER.encode(&digest::key_place(ArtifactRow::TABLE, &key)),
            })
        };
        let tree = |format: ObjectFormat| {
            let store = MemoryStore::new(format);
            let placed =
                |row: ArtifactRow| ((ArtifactRow::TABLE, row.key()), Some(rows::encode(&row)));
            let edits: RowEdits = artifacts().into_iter().map(placed).collect();
            Tables::new(&store).edit(None, &edits).unwrap().to_hex()
        };
        json!({
            "rows": artifacts().iter().map(one).collect::<Vec<_>>(),
            "trees": FORMATS.map(tree),
        })
    });
}

#[test]
fn digests() {
    held("digests.json", || {
        let (space, key) = (SpaceId([1; 32]), PublicKey([2; 32]));
        let start = digest::chain_start(&space);
        let reviews: Vec<_> = (1..=3).map(|n| ReviewDigest([n; 32])).collect();
        let next = |reviews: &[ReviewDigest], number, epoch| {
            let proposal = ProposalDigest([3; 32]);
            let link = digest::Link {
                number: Number(number),
                epoch: Epoch(epoch),
                signer: key,
                proposal,
                reviews,
            };
            digest::chain_next(&start, &link).to_hex()
        };
        let proposal = digest::proposal(&digest::ProposalFields {
            space,
            base: Number(4),
            base_chain: ChainDigest([5; 32]),
            author: key,
            text: "Words\n",
            decisions: b"{}\n",
        });
        let review = digest::review(&digest::ReviewFields {
            space,
            proposal,
            reviewer: key,
            verdict: "reject",
            reason: "stale",
            text: "Words\n",
        });
        let aliases = aliases(1);
        let ((table, key), row) = aliases.iter().next().unwrap();
        json!({
            "chain_start": start.to_hex(),
            "chain_next": next(&[], 1, 1),
            "chain_next_number": next(&[], 2, 1),
            "chain_next_epoch": next(&[], 1, 2),
            "chain_next_one_review": next(&reviews[..1], 1, 1),
            "chain_next_three_reviews": next(&reviews, 1, 1),
            "proposal": proposal.to_hex(),
            "review": review.to_hex(),
            "layer": digest::layer(&proposal, 7).to_hex(),
            "row": digest::row(table, row.as_ref().unwrap()).to_hex(),
            "subject_place": HEXLOWER.encode(&digest::subject_place(table, "n0")),
            "key_place": HEXLOWER.encode(&digest::key_place(table, key)),
        })
    });
}

/// A charter, two pages, a proposal as `folio` makes it, one as plain git does, and a rejection.
fn small_space(format: ObjectFormat) -> Value {
    let store = Recorder::new(MemoryStore::new(format));
    let mut space = TestSpace::found(store.clone()).unwrap();
    let first = space.tip();
    let line = r#"{"op":"alias.set","alias":"kiev","target":"kyiv"}"#;
    space.propose(&space.bob, "one", &[line]).unwrap();
    space.accept_all().unwrap();
    let second = space.tip();
    let line = r#"{"op":"bind","a":"kyiv","b":"wikidata:Q1899"}"#;
    let (next, _) = space.propose(&space.bob, "two", &[line]).unwrap();
    let tables = Tables::new(&store);
    let proposal = Proposal::authenticate(&tables, &store, Some(&space.id), next).unwrap();
    let mut plain: Commit = proposal.commit().clone();
    plain.armor = None;
    plain.message = Message::Proposal(ProposalMessage {
        text: "By hand\n\nSigned-off-by: Bob <b@example.org>\n".into(),
        block: None,
    })
    .encode();
    let plain = seal::seal(plain, &space.bob.key).unwrap().encode();
    let view = TreeView::new(&tables, Some(second.tree()));
    let alice = judge::member_of(&view, &space.alice.key.public_key()).unwrap();
    let opinion = Opinion {
        verdict: Verdict::Reject,
        reason: Some(folio::model::Code::Stale.into()),
        text: "Not so\n".into(),
    };
    let (review, bytes) = write_review(
        &store,
        &proposal,
        opinion,
        &alice,
        &space.alice.key,
        &when(),
    )
    .unwrap();
    let by_hand = store.id_of(Kind::Commit, &plain);
    store
        .write_all(&[
            (review, Kind::Commit, bytes),
            (by_hand, Kind::Commit, plain),
        ])
        .unwrap();
    let digest_of = |id| {
        Proposal::authenticate(&tables, &store, Some(&space.id), id)
            .unwrap()
            .digest()
            .to_hex()
    };
    let named = json!({
        "space": space.id.to_hex(),
        "charter": {"id": first.proposal().to_hex(), "digest": digest_of(first.proposal())},
        "first": {"id": first.id.to_hex(), "tree": first.tree().to_hex(), "chain": first.message.chain.to_hex()},
        "second": {"id": second.id.to_hex(), "tree": second.tree().to_hex(), "chain": second.message.chain.to_hex()},
        "proposal": {"id": next.to_hex(), "digest": digest_of(next)},
        "by_hand": {"id": by_hand.to_hex(), "digest": digest_of(by_hand)},
        "review": {"id": review.to_hex(), "digest": Review::authenticate(&store, &proposal, review).unwrap().digest().to_hex()},
    });
    let seen = store.seen.lock().unwrap();
    let object = |(id, (kind, bytes)): (&Oid, &(Kind, Vec<u8>))| match std::str::from_utf8(bytes) {
        Ok(text) if *kind != Kind::Tree => {
            json!({"id": id.to_hex(), "kind": word(*kind), "text": text})
        }
        _ => json!({"id": id.to_hex(), "kind": word(*kind), "hex": HEXLOWER.encode(bytes)}),
    };
    json!({"named": named, "objects": seen.written.iter().map(object).collect::<Vec<_>>()})
}

fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::Blob => "blob",
        Kind::Tree => "tree",
        Kind::Commit => "commit",
        Kind::Tag => "tag",
    }
}

/// A store that holds what the file says, every id being right.
fn load(format: ObjectFormat, vector: &Value) -> MemoryStore {
    let store = MemoryStore::new(format);
    for object in vector["objects"].as_array().unwrap() {
        let kind = [Kind::Blob, Kind::Tree, Kind::Commit]
            .into_iter()
            .find(|k| object["kind"] == word(*k));
        let bytes = match object["text"].as_str() {
            Some(text) => text.as_bytes().to_vec(),
            None => HEXLOWER
                .decode(object["hex"].as_str().unwrap().as_bytes())
                .unwrap(),
        };
        let kind = kind.unwrap();
        let id = store.id_of(kind, &bytes);
        assert_eq!(id.to_hex(), object["id"]);
        store.write_all(&[(id, kind, bytes)]).unwrap();
    }
    store
}

#[test]
fn spaces_and_every_kind_of_commit() {
    for format in FORMATS {
        let found = held(&format!("space-{}.json", format.as_str()), || {
            small_space(format)
        });
        let store = load(format, &found);
        let named = &found["named"];
        let id = |what: &str| -> Oid { named[what]["id"].as_str().unwrap().parse().unwrap() };
        let main = RefEdit {
            name: MAIN.into(),
            expect: Expect::Absent,
            new: Some(id("second")),
            message: String::new(),
        };
        store.apply(&[main]).unwrap();
        let space = common::disk::space_in(
            store.clone(),
            named["space"].as_str().unwrap().parse().unwrap(),
        );
        assert_eq!(space.verify().unwrap(), Number(2));
        assert_eq!(space.tip().message.chain.to_hex(), named["second"]["chain"]);
        let tables = Tables::new(&store);
        for what in ["charter", "proposal", "by_hand"] {
            let read = Proposal::authenticate(&tables, &store, Some(&space.id), id(what)).unwrap();
            assert_eq!(read.digest().to_hex(), named[what]["digest"], "{what}");
        }
        let proposal = Proposal::authenticate(&tables, &store, None, id("proposal")).unwrap();
        let review = Review::authenticate(&store, &proposal, id("review")).unwrap();
        assert_eq!(review.digest().to_hex(), named["review"]["digest"]);
        assert!(!review.approves());
        assert!(store.get(MAIN).unwrap().is_some());
    }
}

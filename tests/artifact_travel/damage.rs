//! A server that lies about bytes, or lost some, and transfers that end early.

use crate::world::{World, key, noise};
use folio::artifact::Shelves;
use folio::codec::sheet::{self, Record};
use folio::codec::shelf;
use folio::model::{ContentDigest, ObjectFormat, Oid};
use folio::store::{GitStore, Kind, Objects as _};
use serde_json::json;

/// Makes the hub's catalog say what these records say. No rule of a hub's checks who moves its refs.
fn lie(world: &World, change: &dyn Fn(&mut Vec<Record>)) {
    let net = &world.net;
    let store = GitStore::open(&net.path("hub.git")).unwrap();
    let shelves = Shelves::open(&store).unwrap();
    let published = shelves.published();
    let keys = published.keys().unwrap().map(|one| one.unwrap().key);
    let mut records: Vec<Record> = keys
        .map(|key| published.find(&key).unwrap().unwrap())
        .collect();
    change(&mut records);
    let bytes = sheet::encode(ObjectFormat::Sha1, records).unwrap();
    let blocks = sheet::Sheet::parse(ObjectFormat::Sha1, &bytes).unwrap();
    let list = shelf::blocks_tree(blocks.blocks());
    let write = |kind, bytes: Vec<u8>| {
        let id = store.id_of(kind, &bytes);
        store.write_all(&[(id, kind, bytes)]).unwrap();
        id
    };
    let sheet = write(Kind::Blob, bytes.clone());
    let list = write(Kind::Tree, list);
    let tree = |mode: &str, id: &Oid| {
        let line = format!(
            "{mode} {} {id}\t{sheet}\n",
            if mode == "100644" { "blob" } else { "tree" }
        );
        let mut git = net.fixture.bare_command("git", &net.path("hub.git"));
        let made = crate::cli::finish(git.args(["mktree", "--missing"]), line.as_bytes());
        made.ok().trim().to_owned()
    };
    let commit = |tree: &str, parent: Option<&str>, of: &str| {
        let message = net.git("hub.git", &["log", "-1", "--format=%B", of]);
        let who = ["-c", "user.name=eve", "-c", "user.email=eve@example.org"];
        let mut args = [&who[..], &["commit-tree", tree, "-m", &message]].concat();
        args.extend(parent.iter().flat_map(|parent| ["-p", parent]));
        net.git("hub.git", &args)
    };
    let catalog = commit(&tree("100644", &sheet), None, "refs/artifacts/catalog");
    let placement = commit(
        &tree("040000", &list),
        Some(&catalog),
        "refs/artifacts/published",
    );
    net.git(
        "hub.git",
        &["update-ref", "refs/artifacts/catalog", &catalog],
    );
    net.git(
        "hub.git",
        &["update-ref", "refs/artifacts/published", &placement],
    );
}

fn digest(bytes: &[u8]) -> ContentDigest {
    key(bytes).parse().unwrap()
}

#[test]
fn what_is_not_what_its_key_says_is_named_and_not_taken_and_the_rest_is() {
    let world = World::new();
    let net = &world.net;
    let (good, bad, large) = (
        noise("good", 300),
        noise("bad", 300_000),
        noise("large", 3 << 20),
    );
    world.publish("good", &[&good]);
    world.publish("bad", &[&bad]);
    world.publish("large", &[&large]);
    net.clone_to("b", &["--artifacts", "none"]);
    lie(&world, &|records| {
        let at = |key| {
            records
                .iter()
                .position(|one: &Record| one.key == key)
                .unwrap()
        };
        let (bad, large) = (at(digest(&bad)), at(digest(&large)));
        // Somebody else's block, and two chunks that changed places.
        let other = records[large].extents[0];
        let length = records[bad].extents[0].length.min(other.length);
        records[bad].extents[0].length = length;
        records[bad].extents[0].block = other.block;
        let rest = 300_000
            - records[bad]
                .extents
                .iter()
                .map(|one| one.length)
                .sum::<u32>();
        if rest > 0 {
            let mut more = records[bad].extents[0];
            more.length = rest;
            records[bad].extents.push(more);
        }
        records[large].extents.swap(1, 2);
    });
    let before = net.refs("hub.git");
    let ran = net.run("b", "", &["--json", "fetch", "--artifacts", "all"]);
    assert_eq!(ran.code, 4, "{ran:?}");
    assert!(ran.err.contains("error: artifact-damaged: "), "{}", ran.err);
    let answer: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    let artifacts = &answer["fetched"][0]["artifacts"];
    assert_eq!(artifacts["came"], json!(1));
    let refused = artifacts["refused"].as_array().unwrap();
    assert_eq!(refused.len(), 2, "{artifacts}");
    for one in refused {
        assert_eq!(one["code"], "artifact-damaged");
        let what = one["what"].as_str().unwrap();
        assert!(
            what.contains(one["name"].as_str().unwrap()) && what.contains("block "),
            "{what}"
        );
    }
    world.has("b", &[&good]);
    for bytes in [&bad, &large] {
        assert_eq!(world.read("b", &key(bytes)), None);
    }
    assert_eq!(world.published("b"), [key(&good)]);
    net.run("b", "", &["artifact", "verify"]).ok();
    // Another remote has them whole; nothing that was refused stands in the way.
    assert_eq!(net.refs("hub.git"), before);
    let came = world.fetch("b", &["../space"]);
    assert_eq!((&came["came"], &came["missing"]), (&json!(2), &json!([])));
    world.has("b", &[&good, &bad, &large]);
}

#[test]
fn a_wrong_size_and_a_catalog_that_is_none_are_named() {
    let world = World::new();
    let net = &world.net;
    let (one, two) = (noise("one", 300), noise("two", 400));
    world.publish("one", &[&one]);
    world.publish("two", &[&two]);
    net.clone_to("b", &["--artifacts", "none"]);
    lie(&world, &|records| {
        let short = records.iter_mut().find(|one| one.size == 400).unwrap();
        short.size = 399;
        short.extents[0].length = 399;
    });
    let ran = net.run("b", "", &["fetch", "--artifacts", "all"]);
    assert_eq!(ran.code, 3, "{ran:?}");
    assert!(
        ran.err.contains("error: artifact-mismatch: "),
        "{}",
        ran.err
    );
    world.has("b", &[&one]);
    let main = net.git("hub.git", &["rev-parse", "main"]);
    net.git("hub.git", &["update-ref", "refs/artifacts/catalog", &main]);
    let came = world.fetch("b", &[]);
    assert_eq!(came["refused"][0]["name"], "catalog", "{came}");
    assert_eq!(came["missing"], json!([key(&two)]));
    net.git("hub.git", &["update-ref", "-d", "refs/artifacts/catalog"]);
    assert_eq!(world.fetch("b", &[])["missing"], json!([key(&two)]));
    world.has("b", &[&one]);
}

#[test]
fn what_came_before_a_transfer_ended_is_not_asked_for_again() {
    let world = World::new();
    let net = &world.net;
    let (one, two) = (noise("one", 3 << 20), noise("two", 2 << 20));
    world.publish("one", &[&one]);
    world.publish("two", &[&two]);
    net.clone_to("b", &["--artifacts", "none"]);
    // A server that lost the blocks of one of them, but for the first ones.
    let store = GitStore::open(&net.path("hub.git")).unwrap();
    let shelves = Shelves::open(&store).unwrap();
    let record = shelves.published().find(&digest(&two)).unwrap().unwrap();
    let blocks: Vec<String> = record
        .extents
        .iter()
        .map(|one| one.block.to_hex())
        .collect();
    let kept = net.path("kept");
    net.git("hub.git", &["config", "gc.auto", "0"]);
    std::fs::create_dir(&kept).unwrap();
    let unpacked = net.path("hub.git/objects/pack");
    let packs: Vec<_> = std::fs::read_dir(&unpacked)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "pack"))
        .collect();
    for pack in &packs {
        let moved = kept.join(pack.file_name().unwrap());
        for end in ["pack", "idx", "rev"] {
            let _ = std::fs::rename(pack.with_extension(end), moved.with_extension(end));
        }
        let bytes = std::fs::read(&moved).unwrap();
        let mut git = net.fixture.bare_command("git", &net.path("hub.git"));
        crate::cli::finish(git.args(["unpack-objects", "-q"]), &bytes).ok();
    }
    let loose = |id: &str| net.path(&format!("hub.git/objects/{}/{}", &id[..2], &id[2..]));
    for id in &blocks[1..] {
        std::fs::rename(loose(id), kept.join(id)).unwrap();
    }
    let came = world.fetch("b", &["--artifacts", "all"]);
    assert_eq!(
        (&came["came"], &came["missing"]),
        (&json!(1), &json!([key(&two)]))
    );
    world.has("b", &[&one]);
    assert_eq!(world.read("b", &key(&two)), None);
    // What came stays: the next run asks for the rest, and for nothing else.
    for id in &blocks[1..] {
        std::fs::rename(kept.join(id), loose(id)).unwrap();
    }
    std::fs::remove_file(loose(&blocks[0])).unwrap();
    let came = world.fetch("b", &[]);
    assert_eq!(
        (&came["came"], &came["missing"]),
        (&json!(1), &json!([])),
        "{came}"
    );
    world.has("b", &[&one, &two]);
    net.sound("b");
}

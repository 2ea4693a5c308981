//! The commands.

use super::cli::{Fixture, finish};
use super::world::{flip, key_of, noise};
use std::fs;

#[test]
fn files_go_in_and_come_out() {
    let fixture = Fixture::with_work_tree();
    let large = noise(1, 3_000_000);
    fs::write(fixture.path("large"), &large).unwrap();
    fixture.write("small", "a few words\n");
    fixture.write("empty", "");
    let args = ["artifact", "add", "../large", "../small", "-", "../empty"];
    let out = fixture.run_with("alice", &args, "from a pipe").ok();
    let lines: Vec<&str> = out.lines().collect();
    let key = |bytes: &[u8]| key_of(bytes).to_hex();
    let expected = [
        format!("{}  ../large", key(&large)),
        format!("{}  ../small", key(b"a few words\n")),
        format!("{}  -", key(b"from a pipe")),
        format!("{}  ../empty", key(b"")),
    ];
    assert_eq!(lines, expected);
    let again = fixture.run_with("alice", &args, "from a pipe");
    assert!(
        again.err.contains("4 artifacts here already"),
        "{}",
        again.err
    );

    fixture
        .run("alice", &["artifact", "get", &key(&large), "-o", "../back"])
        .ok();
    assert!(fs::read(fixture.path("back")).unwrap() == large);
    let part = [
        "artifact",
        "get",
        &key(&large)[..8],
        "-o",
        "../part",
        "--range",
        "1048000..2000000",
        "--json",
    ];
    let answer = fixture.run("alice", &part).json();
    assert_eq!(answer["written"], 952_000);
    assert!(fs::read(fixture.path("part")).unwrap() == large[1_048_000..2_000_000]);
    fixture.run("alice", &["artifact", "get", &key(b"")]).ok();
    assert_eq!(fs::read(fixture.space.join(key(b""))).unwrap(), b"");
    let cat = [
        "artifact",
        "cat",
        &key(b"a few words\n")[..6],
        &key(b"from a pipe"),
    ];
    assert_eq!(fixture.run("alice", &cat).ok(), "a few words\nfrom a pipe");
    let piped = [
        "artifact",
        "get",
        &key(b"from a pipe"),
        "-o",
        "-",
        "--range",
        "5..",
    ];
    assert_eq!(fixture.run("alice", &piped).ok(), "a pipe");

    let stat = fixture
        .run("alice", &["artifact", "stat", &key(&large), "--json"])
        .json();
    assert_eq!(
        (&stat["size"], &stat["kind"]),
        (&3_000_000.into(), &"file".into())
    );
    assert_eq!(stat["shelves"][0]["shelf"], "internal");
    let listed = fixture.run("alice", &["artifact", "ls"]).ok();
    assert_eq!(listed.lines().count(), 4);
    assert!(listed.lines().is_sorted());
    assert_eq!(
        fixture
            .run("alice", &["artifact", "ls", "--published"])
            .ok(),
        ""
    );
    let verified = fixture
        .run("alice", &["artifact", "verify", "--json"])
        .json();
    assert_eq!(
        (&verified["checked"], &verified["bytes"]),
        (&4.into(), &3_000_023.into())
    );
}

#[test]
fn what_makes_no_sense_is_refused_and_changes_nothing() {
    let fixture = Fixture::bare();
    let run = |args: &[&str]| fixture.run("alice", args);
    fixture.write("file", "text");
    run(&["artifact", "add", "../file", "../missing"]).refused("io", 6);
    std::fs::create_dir_all(fixture.path("tree/.git")).unwrap();
    run(&["artifact", "add", "../file", "../tree"]).refused("path-unsafe", 3);
    run(&["artifact", "add", "-", "-"]).refused("bad-request", 2);
    assert_eq!(run(&["artifact", "ls"]).ok(), "");
    assert!(!fixture.space.join("folio/internal.git").exists());
    run(&["artifact", "add", "../file"]).ok();
    run(&["artifact", "get", &"0".repeat(64)]).refused("not-found", 1);
    run(&["artifact", "get", "abcde"]).refused("bad-request", 2);
    run(&["artifact", "get", "000000"]).refused("not-found", 1);
    run(&["artifact", "stat", &"0".repeat(64)]).refused("not-found", 1);
    run(&["artifact", "verify", &"0".repeat(64)]).refused("not-found", 1);
    let key = key_of(b"text").to_hex();
    assert_eq!(run(&["artifact", "get", &key, "--range", "3..1"]).code, 2);
    run(&["artifact", "get", &key, "-o", "missing/dir/file"]).refused("io", 6);
    let plain = tempfile::tempdir().unwrap();
    let mut elsewhere = fixture.command(plain.path(), None);
    finish(elsewhere.args(["artifact", "ls"]), b"").refused("not-a-space", 6);
}

#[test]
fn damage_is_named_and_nothing_appears() {
    let fixture = Fixture::bare();
    let large = noise(1, 2_500_000);
    fs::write(fixture.path("large"), &large).unwrap();
    fixture.run("alice", &["artifact", "add", "../large"]).ok();
    let packs = fs::read_dir(fixture.space.join("folio/internal.git/objects/pack")).unwrap();
    let packs = packs.map(|entry| entry.unwrap().path());
    let pack = packs
        .max_by_key(|path| path.metadata().unwrap().len())
        .unwrap();
    flip(&pack, 2_000_000);
    let key = key_of(&large).to_hex();
    let words = fixture
        .run("alice", &["artifact", "get", &key, "-o", "../back"])
        .refused("artifact-damaged", 4);
    assert!(words.contains(&key) && words.contains("block "), "{words}");
    assert!(!fixture.path("back").exists());
    let left = fs::read_dir(fixture.home.path())
        .unwrap()
        .map(|e| e.unwrap().file_name());
    assert!(
        !left
            .into_iter()
            .any(|name| name.to_string_lossy().starts_with(".folio-get-"))
    );
    fixture
        .run("alice", &["artifact", "verify"])
        .refused("artifact-damaged", 4);
    let answer = fixture.run("alice", &["artifact", "verify", "--json"]);
    assert!(
        answer.out.contains(r#""code":"artifact-damaged""#),
        "{}",
        answer.out
    );
    // The part before the damage is still to be had.
    let part = [
        "artifact",
        "get",
        &key,
        "-o",
        "../part",
        "--range",
        "0..1000000",
    ];
    fixture.run("alice", &part).ok();
    assert!(fs::read(fixture.path("part")).unwrap() == large[..1_000_000]);
}

//! First contact.

use crate::cli::{Fixture, finish, pair};
use crate::net::Net;
use folio::crypto::{Sign as _, sshsig};

fn fingerprint(who: &str) -> String {
    sshsig::fingerprint(&pair(who).public_key())
}

fn entries(net: &Net, dir: &str) -> usize {
    std::fs::read_dir(net.path(dir)).map_or(0, Iterator::count)
}

#[test]
fn the_id_or_a_fingerprint_of_founder_or_witness_opens_the_door() {
    let net = Net::new();
    let id = net.space_id();
    let clone = |name: &str, more: &[&str]| {
        let args = ["clone", "hub.git", name];
        net.run(".", "", &[&args[..], more].concat())
    };
    let out = clone("by-id", &["--space", &id]).ok();
    assert!(out.contains("Cloned common@2 into "), "{out}");
    assert!(out.contains("2 pages verified"), "{out}");
    assert!(out.contains(&id), "{out}");
    clone("by-founder", &["--witness", &fingerprint("alice")]).ok();
    clone("by-witness", &["--witness", &fingerprint("wanda")]).ok();
    clone(
        "by-both",
        &["--space", &id, "--witness", &fingerprint("wanda")],
    )
    .ok();
    for name in ["by-id", "by-founder", "by-witness", "by-both"] {
        net.sound(name);
        assert_eq!(
            net.at(name, "refs/heads/main"),
            net.at("hub.git", "refs/heads/main")
        );
        let status = net.try_git(name, &["status", "--porcelain"]);
        assert_eq!((status.code, status.out.as_str()), (0, ""), "{name}");
        assert!(net.path(name).join("aliases.jsonl").exists());
    }
}

#[test]
fn a_wrong_id_or_fingerprint_leaves_nothing() {
    let net = Net::new();
    let id = net.space_id();
    let wrong = "0".repeat(64);
    let bob = fingerprint("bob");
    let cases: [(&[&str], &str, i32); 6] = [
        (&["--space", &wrong], "trust-mismatch", 4),
        (&["--witness", &bob], "trust-mismatch", 4),
        (&["--space", &id, "--witness", &bob], "trust-mismatch", 4),
        (&["--witness", "SHA256:nonsense"], "trust-mismatch", 4),
        (&["--space", "nonsense"], "bad-request", 2),
        // Nobody to ask.
        (&[], "trust-needed", 3),
    ];
    for (more, code, exit) in cases {
        let args = [&["clone", "hub.git", "new"], more].concat();
        let words = net.run(".", "", &args).refused(code, exit);
        assert!(!net.path("new").exists(), "{more:?}");
        if code == "trust-needed" {
            // What there is to compare.
            for shown in [&id, &fingerprint("alice"), &fingerprint("wanda")] {
                assert!(words.contains(shown.as_str()), "{words}");
            }
        }
    }
    // An empty directory that was there stays, empty.
    std::fs::create_dir(net.path("empty")).unwrap();
    let args = ["clone", "hub.git", "empty", "--space", &wrong];
    net.run(".", "", &args).refused("trust-mismatch", 4);
    assert!(net.path("empty").exists());
    assert_eq!(entries(&net, "empty"), 0);
}

#[test]
fn a_directory_with_something_in_it_is_left_alone() {
    let net = Net::new();
    let id = net.space_id();
    let clone = |name: &str| net.run(".", "", &["clone", "hub.git", name, "--space", &id]);
    std::fs::create_dir(net.path("full")).unwrap();
    net.fixture.write("full/novel.txt", "once");
    clone("full").refused("not-empty", 6);
    assert_eq!(entries(&net, "full"), 1);
    clone("space").refused("already-a-repository", 6);
    net.sound("space");
    net.fixture.write("file", "");
    let ran = clone("file");
    assert_eq!(ran.code, 6, "{ran:?}");
    assert!(net.path("file").is_file());
    std::fs::create_dir(net.path("empty")).unwrap();
    clone("empty").ok();
    net.sound("empty");
    clone("deep/er/still").ok();
    net.sound("deep/er/still");
    // Without a name: as it is called there.
    net.run("deep", "", &["clone", "../hub.git", "--space", &id])
        .ok();
    net.sound("deep/hub");
}

#[test]
fn what_is_no_space_is_not_cloned() {
    let net = Net::new();
    let id = net.space_id();
    net.git(".", &["init", "-q", "--bare", "nothing.git"]);
    let clone = |from: &str| net.run(".", "", &["clone", from, "new", "--space", &id]);
    clone("nothing.git").refused("not-a-space", 6);
    clone("nowhere.git").refused("remote-failed", 6);
    clone("ext::touch proof").refused("url-invalid", 3);
    clone("fd::7").refused("url-invalid", 3);
    assert!(!net.path("proof").exists());
    // Somebody's project.
    net.git(".", &["init", "-q", "-b", "main", "project"]);
    let person = ["-c", "user.name=n", "-c", "user.email=n@example.org"];
    let commit = ["commit", "-q", "--allow-empty", "-m", "x"];
    net.git("project", &[&person[..], &commit[..]].concat());
    clone("project").refused("not-a-snapshot", 4);
    assert!(!net.path("new").exists());
}

#[test]
fn without_a_work_tree_and_without_history() {
    let net = Net::new();
    net.number("two");
    net.run("space", "wanda", &["push"]).ok();
    net.clone_to("bare", &["--bare"]);
    assert_eq!(
        net.git("bare", &["rev-parse", "--is-bare-repository"]),
        "true"
    );
    net.sound("bare");

    let id = net.space_id();
    let shallow = ["clone", "hub.git", "shallow", "--depth", "1"];
    let ran = net.run(".", "", &shallow);
    assert_eq!(ran.code, 2, "{ran:?}");
    let ran = net.run(".", "", &[&shallow[..], &["--space", &id]].concat());
    assert!(ran.err.contains("not verified: "), "{ran:?}");
    ran.ok();
    let count = net.git("shallow", &["rev-list", "--count", "main"]);
    assert_eq!(count, "1");
    let resolve = |dir: &str, name: &str| net.run(dir, "", &["resolve", name]).ok();
    assert_eq!(resolve("shallow", "two"), "t\n");
    // It follows, and says what it cannot know.
    net.number("three");
    net.run("space", "wanda", &["push"]).ok();
    let answer = net.json("shallow", "", &["fetch"]);
    assert_eq!(answer["fetched"][0]["course"], "shallow");
    assert_eq!(
        answer["fetched"][0]["unchecked"].as_array().unwrap().len(),
        1
    );
    assert_eq!(resolve("shallow", "three"), "t\n");
    assert_eq!(net.git("shallow", &["rev-list", "--count", "main"]), "1");
    // A wrong id is seen without history too; a server that goes back as well.
    let other = "1".repeat(64);
    let args = ["clone", "hub.git", "no", "--depth", "1", "--space", &other];
    net.run(".", "", &args).refused("space-mismatch", 4);
    assert!(!net.path("no").exists());
    net.git("hub.git", &["update-ref", "refs/heads/main", "main~1"]);
    net.run("shallow", "", &["fetch"]).refused("went-back", 4);
    assert_eq!(resolve("shallow", "three"), "t\n");
}

#[test]
fn a_space_of_sha256_travels_too() {
    let fixture = Fixture::founded(&["--bare", "--object-format", "sha256"]);
    let net = Net::of(fixture, &["--object-format=sha256"]);
    net.clone_to("a", &[]);
    net.sound("a");
    assert_eq!(
        net.git("a", &["rev-parse", "--show-object-format"]),
        "sha256"
    );
    net.propose("a", "bob", "two");
    net.run("a", "bob", &["submit"]).ok();
    net.run("space", "wanda", &["fetch"]).ok();
    net.run("space", "wanda", &["accept", "--all"]).ok();
    net.run("space", "wanda", &["sync"]).ok();
    net.run("a", "bob", &["fetch"]).ok();
    assert_eq!(net.run("a", "bob", &["resolve", "two"]).ok(), "t\n");
    // A remote with the other format is refused in words.
    net.git(".", &["init", "-q", "--bare", "sha1.git"]);
    let ran = net.run("a", "bob", &["push", "../sha1.git"]);
    assert_eq!(ran.code, 6, "{ran:?}");
}

#[test]
fn the_answer_of_a_clone_as_json() {
    let net = Net::new();
    let id = net.space_id();
    let mut run = net.command(
        ".",
        "",
        &["--json", "clone", "hub.git", "a", "--space", &id],
    );
    let answer = finish(&mut run, b"").json();
    assert_eq!(answer["space"], id);
    assert_eq!(answer["newest"], 2);
    assert_eq!(
        answer["commit"].as_str(),
        net.at("a", "refs/heads/main").as_deref()
    );
    assert_eq!(answer["unchecked"].as_array().unwrap().len(), 0);
}

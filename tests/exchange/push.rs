//! Sending.

use crate::cli::finish;
use crate::net::Net;
use std::os::unix::fs::PermissionsExt as _;

const TWO: &str = "refs/heads/proposals/bob/two";

/// Home has a proposal of bob's, from the clone `a`.
fn sent() -> Net {
    let net = Net::new();
    net.clone_to("a", &[]);
    net.propose("a", "bob", "two");
    net.run("a", "bob", &["submit"]).ok();
    net
}

/// Replaces a proposal by another one of the same name, on the same page.
fn again(net: &Net, dir: &str, target: &str) {
    net.git(dir, &["update-ref", "-d", TWO]);
    let line = format!(r#"{{"op":"alias.set","alias":"two","target":"{target}"}}"#);
    net.propose_lines(dir, "bob", "two", &line);
}

#[test]
fn a_replaced_proposal_replaces_it_there() {
    let net = sent();
    again(&net, "a", "other");
    let out = net.run("a", "bob", &["submit"]).ok();
    assert_eq!(out, "sent proposals/bob/two to origin\n");
    assert_eq!(net.at("hub.git", TWO), net.at("a", TWO));
    let ran = net.run("a", "bob", &["submit"]);
    assert!(ran.err.contains("lacks nothing of ours"), "{ran:?}");
}

#[test]
fn what_both_changed_waits_for_a_fetch() {
    let net = Net::new();
    net.clone_to("a", &[]);
    net.clone_to("b", &[]);
    net.propose("a", "bob", "two");
    net.run("a", "bob", &["submit"]).ok();
    net.run("b", "bob", &["fetch"]).ok();
    again(&net, "a", "from-a");
    net.run("a", "bob", &["submit"]).ok();
    let there = net.at("hub.git", TWO);
    again(&net, "b", "from-b");
    let ran = net.run("b", "bob", &["submit"]);
    assert_eq!(
        net.at("hub.git", TWO),
        there,
        "nothing is overwritten unseen"
    );
    assert_ne!(ran.code, 0, "and it is said: {ran:?}");
    ran.refused("race-lost", 5);
    let answer = net.run("b", "bob", &["--json", "submit"]);
    let answer: serde_json::Value = serde_json::from_str(&answer.out).unwrap();
    assert_eq!(answer["pushed"][0]["held"][0], "proposals/bob/two");
    // Fetching settles it, one way or the other; then all agree.
    net.run("b", "bob", &["fetch"]).ok();
    net.run("b", "bob", &["submit"]).ok();
    net.run("a", "bob", &["fetch"]).ok();
    assert_eq!(net.at("b", TWO), net.at("hub.git", TWO));
    assert_eq!(net.at("a", TWO), net.at("hub.git", TWO));
}

#[test]
fn a_push_whose_answer_was_lost_is_seen_by_looking_again() {
    let net = Net::new();
    net.clone_to("a", &[]);
    net.propose("a", "bob", "two");
    net.number("three");
    let (main, two) = (
        net.at("space", "refs/heads/main").unwrap(),
        net.at("a", TWO).unwrap(),
    );
    // It arrived, and nobody here knows.
    net.git("a", &["push", "-q", "origin", &format!("{two}:{TWO}")]);
    net.git(
        "space",
        &["push", "-q", "origin", &format!("{main}:refs/heads/main")],
    );
    let out = net.run("space", "wanda", &["push"]);
    assert!(out.err.contains("lacks nothing of ours"), "{out:?}");
    assert_eq!(net.at("space", "refs/folio/home"), Some(main));
    let out = net.run("a", "bob", &["submit"]);
    assert!(out.err.contains("lacks nothing of ours"), "{out:?}");
    // What was replaced since is known to replace that one.
    again(&net, "a", "other");
    net.run("a", "bob", &["submit"]).ok();
    assert_eq!(net.at("hub.git", TWO), net.at("a", TWO));
}

#[test]
fn an_answer_that_is_cut_off_is_asked_for_again() {
    let net = Net::new();
    net.number("two");
    // The other side does its work and the line breaks.
    let script = "#!/bin/sh\ngit-receive-pack \"$@\" >/dev/null\n";
    let _ = script;
    let hook = "#!/bin/sh\nkill -9 $PPID\n";
    let path = net.fixture.write("hub.git/hooks/post-receive", hook);
    assert!(path.exists());
    let ran = net.run("space", "wanda", &["push"]);
    assert_eq!(
        net.at("hub.git", "refs/heads/main"),
        net.at("space", "refs/heads/main")
    );
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(
        net.at("space", "refs/folio/home"),
        net.at("space", "refs/heads/main")
    );
}

#[test]
fn main_is_never_forced() {
    let net = Net::new();
    net.clone_to("a", &[]);
    net.number("two");
    net.run("space", "wanda", &["push"]).ok();
    let there = net.at("hub.git", "refs/heads/main");
    // A clone that is behind, and one that the other side is behind of, are told apart.
    net.run("a", "bob", &["push"]).refused("race-lost", 5);
    assert_eq!(net.at("hub.git", "refs/heads/main"), there);
    // Home was put back: a push brings it forward again.
    net.git("hub.git", &["update-ref", "refs/heads/main", "main~1"]);
    net.run("space", "wanda", &["push"]).ok();
    assert_eq!(net.at("hub.git", "refs/heads/main"), there);
    // Another child of a page there.
    net.git("hub.git", &["update-ref", "refs/heads/main", "main~1"]);
    let tree = net.git("hub.git", &["rev-parse", "main^{tree}"]);
    let person = ["-c", "user.name=n", "-c", "user.email=n@example.org"];
    let commit = ["commit-tree", "-m", "x", "-p", "main", &tree];
    let other = net.git("hub.git", &[&person[..], &commit[..]].concat());
    net.git("hub.git", &["update-ref", "refs/heads/main", &other]);
    net.run("space", "wanda", &["push"]).refused("race-lost", 5);
    assert_eq!(net.at("hub.git", "refs/heads/main"), Some(other));
}

#[test]
fn submit_sends_ones_own_and_nothing_else() {
    let net = Net::new();
    net.clone_to("a", &[]);
    net.propose("a", "bob", "two");
    net.propose("a", "alice", "three");
    net.run("a", "bob", &["approve", "alice/three"]).ok();
    let out = net.run("a", "bob", &["submit"]).ok();
    let sent: Vec<&str> = out.lines().collect();
    assert_eq!(sent.len(), 2, "{out}");
    assert!(net.at("hub.git", TWO).is_some());
    assert_eq!(net.at("hub.git", "refs/heads/proposals/alice/three"), None);
    net.run("a", "eve", &["submit"]).refused("not-a-member", 3);
    // To a repository that is no space yet nothing can be submitted.
    net.git(".", &["init", "-q", "--bare", "-b", "main", "new.git"]);
    net.run("a", "bob", &["submit", "../new.git"])
        .refused("not-a-space", 6);
    net.run("a", "bob", &["push", "../new.git"]).ok();
    assert!(
        net.at("new.git", "refs/heads/proposals/alice/three")
            .is_some()
    );
    net.run("a", "bob", &["submit", "../new.git"]).ok();
}

#[test]
fn to_every_remote_though_one_refuses() {
    let net = Net::new();
    net.clone_to("a", &[]);
    net.git(".", &["init", "-q", "--bare", "-b", "main", "deaf.git"]);
    net.fixture.write(
        "deaf.git/hooks/pre-receive",
        "#!/bin/sh\necho 'no: go away'\nexit 1\n",
    );
    net.git("a", &["remote", "add", "deaf", "../deaf.git"]);
    net.propose("a", "bob", "two");
    let ran = net.run("a", "bob", &["push", "--all"]);
    assert!(ran.err.contains("remote: no: go away"), "{ran:?}");
    assert_eq!(net.at("hub.git", TWO), net.at("a", TWO));
    assert_eq!(ran.err.matches("error: ").count(), 1, "{ran:?}");
    ran.refused("push-refused", 6);
    let ran = net.run("a", "bob", &["--json", "push", "deaf"]);
    let answer: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(answer["pushed"][0]["main"], false);
    assert_eq!(answer["pushed"][0]["refused"][0]["name"], "main");
}

#[test]
fn a_sync_of_everybody_makes_them_the_same() {
    let net = Net::new();
    net.clone_to("a", &[]);
    net.clone_to("b", &[]);
    net.propose("a", "bob", "two");
    net.propose("b", "alice", "three");
    for (dir, who) in [
        ("a", "bob"),
        ("b", "alice"),
        ("a", "bob"),
        ("space", "wanda"),
    ] {
        net.run(dir, who, &["sync"]).ok();
    }
    assert!(net.at("a", "refs/heads/proposals/alice/three").is_some());
    net.run("space", "wanda", &["accept", "--all"]).ok();
    let note = net.run("space", "wanda", &["fetch"]);
    assert!(note.err.contains("are provisional"), "{note:?}");
    net.run("space", "wanda", &["sync"]).ok();
    for dir in ["a", "b"] {
        let ran = net.run(dir, "bob", &["sync"]);
        assert!(!ran.err.contains("provisional"), "{ran:?}");
        ran.ok();
    }
    let heads = |dir: &str| {
        net.git(
            dir,
            &[
                "for-each-ref",
                "--format=%(refname) %(objectname)",
                "refs/heads",
            ],
        )
    };
    assert_eq!(heads("a"), heads("hub.git"));
    assert_eq!(heads("b"), heads("hub.git"));
    assert_eq!(heads("space"), heads("hub.git"));
    for dir in ["a", "b", "space"] {
        net.sound(dir);
    }
}

/// Pages that came from elsewhere, or that home refused, say nothing about what waits at home.
#[test]
fn what_home_has_not_numbered_stays_in_its_queue() {
    let net = sent();
    let waits = net.at("hub.git", TWO);
    assert!(waits.is_some());
    net.run("space", "wanda", &["fetch"]).ok();
    net.run("space", "wanda", &["accept", "--all"]).ok();
    // A page that home does not have, on a stick.
    net.run("a", "bob", &["fetch", "../space"]).ok();
    assert_eq!(net.at("a", "main"), net.at("space", "main"));
    assert_eq!(net.at("a", TWO), None);
    net.run("a", "bob", &["submit"]).ok();
    assert_eq!(net.at("hub.git", TWO), waits);
    // Nor when home does not take the page.
    let hooks = net.path("hub.git/hooks");
    std::fs::create_dir_all(&hooks).unwrap();
    let update = hooks.join("update");
    std::fs::write(&update, "#!/bin/sh\ntest \"$1\" != refs/heads/main\n").unwrap();
    std::fs::set_permissions(&update, std::fs::Permissions::from_mode(0o755)).unwrap();
    net.run("space", "wanda", &["push"])
        .refused("push-refused", 6);
    assert_eq!(net.at("hub.git", TWO), waits);
    std::fs::remove_file(&update).unwrap();
    net.run("space", "wanda", &["push"]).ok();
    assert_eq!(net.at("hub.git", "main"), net.at("space", "main"));
    assert_eq!(net.at("hub.git", TWO), None);
}

/// git's check of what arrives looks at all branches there, and says that objects are missing where somebody removes one
/// at that moment. Here one is broken until git looks, after the first try, whether there is something to collect.
#[test]
fn what_stumbles_over_a_branch_that_goes_is_sent_again() {
    let net = Net::new();
    net.clone_to("a", &[]);
    net.propose("a", "bob", "two");
    for (key, value) in [
        ("receive.autogc", "false"),
        ("gc.auto", "100000"),
        ("gc.autoPackLimit", "1"),
        ("gc.autoDetach", "false"),
        ("maintenance.autoDetach", "false"),
        ("maintenance.gc.enabled", "true"),
    ] {
        net.git("hub.git", &["config", key, value]);
    }
    let hub = net.path("hub.git");
    // Two packs are more than one.
    for name in ["main", "main~1"] {
        let tip = net.git("hub.git", &["rev-parse", name]);
        let mut pack = net.fixture.bare_command("git", &hub);
        pack.args(["pack-objects", "-q", "objects/pack/pack"]);
        finish(&mut pack, format!("{tip}\n").as_bytes()).ok();
    }
    let going = hub.join("refs/going");
    let hook = format!("#!/bin/sh\nrm {}\nexit 1\n", going.display());
    std::fs::write(&going, format!("{}\n", "5".repeat(40))).unwrap();
    // Without that it stays, and what is refused is said.
    let ran = net.run("a", "bob", &["submit"]);
    assert_eq!(ran.err.matches("bad object").count(), 1, "{ran:?}");
    ran.refused("push-refused", 6);
    net.git("hub.git", &["config", "receive.autogc", "true"]);
    let at = hub.join("hooks/pre-auto-gc");
    std::fs::create_dir_all(hub.join("hooks")).unwrap();
    std::fs::write(&at, hook).unwrap();
    std::fs::set_permissions(&at, std::fs::Permissions::from_mode(0o755)).unwrap();
    let ran = net.run("a", "bob", &["submit"]);
    assert_eq!(ran.ok(), "sent proposals/bob/two to origin\n");
    assert!(!going.exists());
    assert_eq!(net.at("hub.git", TWO), net.at("a", TWO));
}

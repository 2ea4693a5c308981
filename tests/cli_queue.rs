//! The queue from the command line: proposing, refusing, rebasing, numbering, and the work tree.
#![allow(clippy::unwrap_used, reason = "a test")]

#[path = "common/tools.rs"]
mod tools;

#[path = "common/cli.rs"]
mod cli;

use cli::Fixture;
use serde_json::Value;
use std::fs::File;
use std::process::Stdio;

fn set(alias: &str, target: &str) -> String {
    format!("{{\"op\": \"alias.set\", \"alias\": \"{alias}\", \"target\": \"{target}\"}}\n")
}

/// The queue's entry of that name, as somebody sees it.
fn entry(fixture: &Fixture, who: &str, name: &str) -> Value {
    let queue = fixture.run(who, &["--json", "queue"]).json();
    let mut found = queue["proposals"].as_array().unwrap().iter();
    found
        .find(|entry| entry["proposal"] == name)
        .cloned()
        .unwrap()
}

/// Whoever closed the pipe, or has no room for a log, is told nothing, and all is done as if they had been.
#[test]
fn nobody_need_listen_to_the_talk() {
    let fixture = Fixture::bare();
    let run = |stderr: Stdio, who: &str, args: &[&str]| {
        let mut command = fixture.command(&fixture.space, Some(who));
        let ran = command.args(args).stdin(Stdio::null()).stderr(stderr);
        ran.output().unwrap()
    };
    let full = File::options().write(true).open("/dev/full").ok();
    let ways = [
        Some(Stdio::piped()),
        Some(Stdio::from(std::io::pipe().unwrap().1)),
        full.map(Stdio::from),
    ];
    let mut numbered = 1;
    for (nth, stderr) in ways.into_iter().enumerate() {
        // A system may have no such device.
        let Some(stderr) = stderr else { continue };
        numbered += 1;
        fixture.propose("bob", &format!("one-{nth}"), &set(&format!("a{nth}"), "x"));
        // A warning is said before, about where to remember what is signed.
        let accept = ["--state-dir", "/dev/null/none", "accept", "--all"];
        let accepted = run(stderr, "wanda", &accept);
        assert_eq!(accepted.status.code(), Some(0), "{accepted:?}");
        let said = String::from_utf8(accepted.stdout).unwrap();
        let page = format!("common@{numbered} bob/one-{nth}");
        assert!(said.contains(&page), "{said}");
        let heard = String::from_utf8(accepted.stderr).unwrap();
        assert_eq!(heard.contains("warning: "), nth == 0, "{heard}");
    }
    // An error and its hint have their exit code, unheard.
    let deaf = Stdio::from(std::io::pipe().unwrap().1);
    let refused = run(deaf, "bob", &["show", "77"]).status.code();
    assert_eq!(refused, Some(fixture.run("bob", &["show", "77"]).code));
}

#[test]
fn what_is_replaced_is_filled_in_from_standard_input() {
    let fixture = Fixture::bare();
    fixture.propose("bob", "first", &set("a", "x"));
    assert!(fixture.accept_all().contains("common@2 bob/first"));
    fixture.propose(
        "bob",
        "second",
        &format!("{}\n{}", set("a", "y"), set("b", "z")),
    );
    let lines = fixture.git(&["show", "proposals/bob/second:decisions.jsonl"]);
    let lines: Vec<Value> = lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines[0]["was"].as_str().unwrap().len(), 64);
    assert!(lines[1].get("was").is_none());
    let ready = entry(&fixture, "bob", "bob/second");
    assert_eq!(
        (&ready["standing"], &ready["own"]),
        (&"ready".into(), &true.into())
    );
    assert_eq!(
        ready["rows"], 5,
        "two aliases, one by target gone, two by target new"
    );
    assert_eq!(entry(&fixture, "alice", "bob/second")["own"], false);
    let words = fixture
        .run_with(
            "bob",
            &["propose", "-m", "x", "-f", "-"],
            "{\"op\":\"alias.fly\"}\n",
        )
        .refused("operation-unknown", 3);
    assert!(words.contains("line 1"), "{words}");
}

#[test]
fn a_long_file_is_read_in_parts_and_its_lines_keep_their_numbers() {
    let fixture = Fixture::bare();
    let propose = |slug: &str, lines: &str| {
        let args = ["propose", "-m", "x", "--slug", slug, "-f", "-"];
        fixture.run_with("bob", &args, lines)
    };
    // More lines than are read at a time, most of them empty.
    let far = "\n".repeat(9_000);
    let words = propose("bad", &format!("{far}{{\"op\":\"alias.fly\"}}\n"));
    let words = words.refused("operation-unknown", 3);
    assert!(words.contains("line 9001"), "{words}");
    // The first that is wrong is told, whatever else is.
    let both = format!("{}{far}x\n", set("a", "a"));
    let words = propose("both", &both).refused("self-reference", 3);
    assert!(words.contains("line 1:"), "{words}");
    assert_eq!(fixture.git(&["for-each-ref", "refs/heads/proposals"]), "");
    // What stands after the break relies on what stands before it.
    let chain = format!("{}\n{far}{}\n", set("a", "b"), set("c", "a"));
    let said = propose("good", &chain).ok();
    assert!(said.contains("2 decisions"), "{said}");
    fixture.accept_all();
    assert_eq!(fixture.run("bob", &["resolve", "c"]).ok(), "b\n");
    let many = "\n".repeat(1_000_001);
    propose("many", &many).refused("too-large", 3);
}

#[test]
fn a_stale_proposal_is_rebased_and_numbered() {
    let fixture = Fixture::bare();
    fixture.propose(
        "bob",
        "mine",
        &format!("{}{}", set("a", "x"), set("b", "y")),
    );
    fixture.propose(
        "alice",
        "hers",
        &format!("{}{}", set("a", "z"), set("b", "y")),
    );
    fixture.run("wanda", &["accept", "alice/hers"]).ok();
    let stale = entry(&fixture, "bob", "bob/mine");
    assert_eq!(
        (&stale["standing"], &stale["code"]),
        (&"stale".into(), &"stale".into())
    );
    fixture
        .run("alice", &["rebase", "bob/mine"])
        .refused("not-allowed", 3);
    fixture
        .run("wanda", &["accept", "bob/mine"])
        .refused("stale", 3);
    let signed = &entry(&fixture, "bob", "bob/mine")["refusals"][0];
    assert_eq!(
        (&signed["by"], &signed["code"]),
        (&"wanda".into(), &"stale".into())
    );
    let shown = fixture.run("bob", &["rebase", "bob/mine"]).ok();
    assert!(
        shown.contains("    - aliases {\"alias\":\"a\",\"target\":\"z\"}"),
        "{shown}"
    );
    assert!(
        shown.contains("Rebased bob/mine on common@2 (1 decision"),
        "{shown}"
    );
    let ready = entry(&fixture, "bob", "bob/mine");
    assert_eq!(
        (&ready["standing"], &ready["subject"]),
        (&"ready".into(), &"mine".into())
    );
    assert!(
        ready["refusals"].as_array().unwrap().is_empty(),
        "it was about another digest"
    );
    let again = fixture.run("bob", &["rebase", "bob/mine"]);
    assert!(
        again.err.contains("stands on common@2 already"),
        "{}",
        again.err
    );
    assert!(fixture.accept_all().contains("common@3 bob/mine"));
    assert_eq!(fixture.run("bob", &["resolve", "a"]).ok(), "x\n");
    let reviews = fixture.git(&["for-each-ref", "refs/heads/reviews", "refs/heads/proposals"]);
    assert_eq!(
        reviews, "",
        "branches and the witness's own reviews are gone"
    );
}

#[test]
fn a_proposal_that_came_true_is_left_as_it_is() {
    let fixture = Fixture::bare();
    fixture.propose("bob", "mine", &set("a", "x"));
    fixture.propose("alice", "hers", &set("a", "x"));
    fixture.run("wanda", &["accept", "alice/hers"]).ok();
    let before = fixture.git(&["rev-parse", "proposals/bob/mine"]);
    let ran = fixture.run("bob", &["rebase", "bob/mine", "-m", "again"]);
    assert!(
        ran.code == 0 && ran.err.contains("true already"),
        "{}",
        ran.err
    );
    assert_eq!(before, fixture.git(&["rev-parse", "proposals/bob/mine"]));
}

#[test]
fn a_refusal_is_signed_read_and_taken_back() {
    if tools::lacks_ssh_keygen() {
        return;
    }
    let fixture = Fixture::bare();
    fixture.propose("bob", "odd", &set("a", "x"));
    fixture.propose("bob", "fine", &set("b", "y"));
    fixture
        .run("alice", &["refuse", "bob/odd", "-m", "no"])
        .refused("not-allowed", 3);
    fixture
        .run("wanda", &["refuse", "bob/odd", "-m", "no", "--code", "so"])
        .refused("bad-request", 2);
    fixture
        .run(
            "wanda",
            &[
                "refuse",
                "bob/odd",
                "-m",
                "Please cite a source.\n\nThanks.",
            ],
        )
        .ok();
    let odd = entry(&fixture, "bob", "bob/odd");
    assert_eq!(
        (&odd["standing"], &odd["code"]),
        (&"refused".into(), &"rejected".into())
    );
    assert_eq!(
        odd["refusals"][0]["words"],
        "Please cite a source.\n\nThanks."
    );
    let shown = fixture.run("bob", &["queue"]).ok();
    assert!(shown.contains("* refused  bob/odd"), "{shown}");
    assert!(
        shown.contains("signed by wanda: rejected: Please cite a source."),
        "{shown}"
    );
    let review = fixture.git(&["for-each-ref", "--format=%(refname)", "refs/heads/reviews"]);
    fixture.git(&["verify-commit", review.trim()]);

    let report = fixture.run("wanda", &["--json", "accept", "--all"]).json();
    assert_eq!(report["numbered"].as_array().unwrap().len(), 1);
    assert_eq!(report["refused"][0]["code"], "rejected");
    let numbered = fixture.run("wanda", &["accept", "bob/odd"]).ok();
    assert!(numbered.contains("common@3 bob/odd"), "{numbered}");
    assert_eq!(fixture.git(&["for-each-ref", "refs/heads/reviews"]), "");
}

#[test]
fn refusals_go_when_their_proposals_do() {
    let fixture = Fixture::bare();
    fixture.propose("bob", "odd", &set("a", "x"));
    fixture
        .run("wanda", &["refuse", "bob/odd", "-m", "no"])
        .ok();
    fixture.git(&["update-ref", "-d", "refs/heads/proposals/bob/odd"]);
    fixture.run("wanda", &["accept", "--all"]).ok();
    assert_eq!(fixture.git(&["for-each-ref", "refs/heads/reviews"]), "");
}

#[test]
fn only_the_witness_numbers_and_leaves_reasons() {
    let fixture = Fixture::bare();
    fixture.propose("bob", "first", &set("a", "x"));
    fixture.propose("alice", "second", &set("a", "y"));
    fixture
        .run("alice", &["accept", "--all"])
        .refused("signer-wrong", 4);
    fixture.run("wanda", &["accept", "bob/first"]).ok();
    let report = fixture.run("bob", &["--json", "accept", "--all"]).json();
    assert_eq!(report["refused"][0]["signed"], false);
    assert_eq!(fixture.git(&["for-each-ref", "refs/heads/reviews"]), "");
}

#[test]
fn a_hundred_proposals_are_one_pack_and_one_step_of_main() {
    let fixture = Fixture::bare();
    fixture.git(&["config", "core.logAllRefUpdates", "always"]);
    for i in 0..100 {
        let who = if i % 2 == 0 { "alice" } else { "bob" };
        fixture.propose(who, &format!("p{i}"), &set(&format!("a{i}"), "t"));
    }
    let packs = || {
        let files = std::fs::read_dir(fixture.space.join("objects/pack")).unwrap();
        let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
        names
            .filter(|name| name.ends_with(".pack"))
            .collect::<std::collections::BTreeSet<_>>()
    };
    let log = || {
        fixture
            .git(&["reflog", "show", "refs/heads/main"])
            .lines()
            .count()
    };
    let (packs_before, log_before) = (packs(), log());
    let numbered = fixture.accept_all();
    assert_eq!(numbered.lines().count(), 100);
    let after = packs();
    // Small packs are merged now and then; what came for the hundred is at most one.
    assert_eq!(
        after.difference(&packs_before).count(),
        1,
        "{packs_before:?} {after:?}"
    );
    assert_eq!(log() - log_before, 1);
    fixture.git(&["fsck", "--strict"]);
    assert_eq!(
        fixture.git(&["rev-list", "--first-parent", "--count", "main"]),
        "102\n",
        "the charter too"
    );
}

#[test]
fn a_proposal_made_with_plain_git_is_numbered() {
    if tools::lacks_ssh_keygen() {
        return;
    }
    let fixture = Fixture::with_work_tree();
    fixture.git(&["checkout", "-q", "-b", "proposals/bob/by-hand"]);
    let line = "{\"alias\":\"a\",\"op\":\"alias.set\",\"target\":\"x\"}\n";
    std::fs::write(fixture.space.join("decisions.jsonl"), line).unwrap();
    fixture.git(&["add", "decisions.jsonl"]);
    let key = format!("user.signingKey={}", fixture.path("bob.key").display());
    let who = [
        "-c",
        "user.name=Bob",
        "-c",
        "user.email=bob@example.org",
        "-c",
        &key,
    ];
    // git and ssh-keygen want nobody else to read the key.
    restrict(&fixture.path("bob.key"));
    fixture.git(&[&who[..], &["commit", "-q", "-S", "-m", "By hand"]].concat());
    fixture.git(&["checkout", "-q", "main"]);
    let ready = entry(&fixture, "bob", "bob/by-hand");
    assert_eq!(ready["standing"], "ready", "{ready}");
    assert!(
        fixture
            .accept_all()
            .contains("common@2 bob/by-hand: By hand")
    );
    assert_eq!(fixture.run("bob", &["resolve", "a"]).ok(), "x\n");
    fixture.git(&["verify-commit", "main", "main^2"]);
}

fn restrict(path: &std::path::Path) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}

#[test]
fn the_work_tree_follows_and_loses_nothing() {
    let fixture = Fixture::with_work_tree();
    fixture.propose("bob", "first", &set("a", "x"));
    fixture.accept_all();
    let table = fixture.space.join("aliases.jsonl");
    assert!(std::fs::read_to_string(&table).unwrap().contains("\"x\""));
    assert_eq!(fixture.git(&["status", "--porcelain"]), "");
    std::fs::write(&table, "mine\n").unwrap();
    fixture.propose("bob", "second", &set("b", "y"));
    let main = fixture.git(&["rev-parse", "main"]);
    fixture
        .run("wanda", &["accept", "--all"])
        .refused("worktree-changed", 6);
    assert_eq!(
        main,
        fixture.git(&["rev-parse", "main"]),
        "nothing was published"
    );
    assert_eq!(std::fs::read_to_string(&table).unwrap(), "mine\n");
    fixture.git(&["restore", "."]);
    fixture.accept_all();
    assert!(std::fs::read_to_string(&table).unwrap().contains("\"y\""));
    assert_eq!(fixture.git(&["status", "--porcelain"]), "");
}

#[test]
fn what_is_no_proposal_is_said_so() {
    let fixture = Fixture::bare();
    fixture.git(&["branch", "proposals/bob/main-itself", "main"]);
    let invalid = entry(&fixture, "bob", "bob/main-itself");
    assert_eq!(invalid["standing"], "invalid");
    assert_eq!(invalid["own"], true);
    assert_eq!(invalid["code"], "trailers-malformed");
    let shown = fixture.run("alice", &["queue"]).ok();
    assert!(shown.contains("invalid  bob/main-itself"), "{shown}");
    fixture
        .run("wanda", &["refuse", "bob/main-itself", "-m", "no"])
        .refused("trailers-malformed", 4);
}

#[test]
fn a_failure_after_publishing_hides_nothing_that_was_numbered() {
    let fixture = Fixture::bare();
    fixture.propose("bob", "first", &set("a", "x"));
    let git_dir = fixture.git(&["rev-parse", "--absolute-git-dir"]);
    let signers = std::path::Path::new(git_dir.trim()).join("folio/allowed-signers");
    std::fs::remove_file(&signers).unwrap();
    std::fs::create_dir(&signers).unwrap();
    std::fs::write(signers.join("in-the-way"), "").unwrap();
    let ran = fixture.run("wanda", &["accept", "--all"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.out.contains("common@2 bob/first"), "{}", ran.out);
    assert!(ran.err.contains("warning: io: "), "{}", ran.err);
    std::fs::remove_dir_all(&signers).unwrap();
    fixture.run("wanda", &["accept", "--all"]).ok();
    assert!(signers.is_file(), "the next run makes up for it");
}

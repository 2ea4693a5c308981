//! Attacks through what others can push, leave or type: refused by name, in bounded time, and nothing of
//! anybody else is lost.
#![allow(clippy::unwrap_used, reason = "a test")]

#[path = "common/tools.rs"]
mod tools;

#[path = "common/cli.rs"]
mod cli;

use cli::{Fixture, Ran, finish};
use std::collections::BTreeSet;
use std::os::unix::ffi::OsStringExt as _;
use std::path::Path;
use std::process::{Child, Stdio};

fn set(alias: &str, target: &str) -> String {
    format!("{{\"op\":\"alias.set\",\"alias\":\"{alias}\",\"target\":\"{target}\"}}\n")
}

/// Runs git in the space with something on standard input.
fn git_with(fixture: &Fixture, args: &[&str], input: &[u8]) -> String {
    let mut git = fixture.bare_command("git", &fixture.space);
    finish(git.args(args), input).ok().trim().to_owned()
}

fn blob(fixture: &Fixture, bytes: &[u8]) -> String {
    git_with(fixture, &["hash-object", "-w", "--stdin"], bytes)
}

fn tree(fixture: &Fixture, lines: &str) -> String {
    git_with(fixture, &["mktree", "--missing"], lines.as_bytes())
}

/// A commit signed by plain git with somebody's key.
fn commit(fixture: &Fixture, who: &str, tree: &str, parent: &str, message: &[u8]) -> String {
    let key = fixture.path(&format!("{who}.key"));
    std::fs::set_permissions(&key, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let mut git = fixture.bare_command("git", &fixture.space);
    git.args([
        "-c",
        &format!("user.name={who}"),
        "-c",
        &format!("user.email={who}@example.org"),
    ]);
    git.args([
        "-c",
        &format!("user.signingKey={}", key.display()),
        "-c",
        "gpg.format=ssh",
    ]);
    git.args(["commit-tree", "-S", "-p", parent, tree]);
    finish(&mut git, message).ok().trim().to_owned()
}

/// The state of `main` and these decisions, without a preview.
fn with_decisions(fixture: &Fixture, lines: &[u8]) -> String {
    let base = fixture.git(&["ls-tree", "main"]);
    let id = blob(fixture, lines);
    tree(
        fixture,
        &format!("{base}100644 blob {id}\tdecisions.jsonl\n"),
    )
}

/// A ref as an administrator or a hostile server leaves it.
fn write_ref(fixture: &Fixture, name: &str, text: &str) {
    let file = fixture.space.join(name);
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(file, text).unwrap();
}

/// No byte that a terminal would obey or hide.
#[track_caller]
fn plain(ran: &Ran) {
    for text in [&ran.out, &ran.err] {
        let odd = text.chars().find(|c| {
            (c.is_control() && *c != '\n')
                || ('\u{202a}'..='\u{202e}').contains(c)
                || *c == '\u{200b}'
        });
        assert_eq!(odd, None, "{text:?}");
    }
}

#[track_caller]
fn sound(fixture: &Fixture) {
    fixture.git(&["fsck", "--strict", "--no-dangling"]);
    fixture.run("bob", &["verify"]).ok();
}

#[test]
fn nothing_hostile_reaches_a_terminal() {
    if tools::lacks_ssh_keygen() {
        return;
    }
    let fixture = Fixture::bare();
    let good = String::from_utf8(set("evil", "x").into_bytes())
        .unwrap()
        .replace(
            "\"op\":\"alias.set\",\"alias\":\"evil\"",
            "\"alias\":\"evil\",\"op\":\"alias.set\"",
        );
    let message = "Sub\x1b[2J\u{202e}ject\x07\r\n\nbody \x1b]0;title\x07 \u{200b}end\n".as_bytes();
    let evil = commit(
        &fixture,
        "bob",
        &with_decisions(&fixture, good.as_bytes()),
        "main",
        message,
    );
    fixture.git(&["update-ref", "refs/heads/proposals/bob/evil", &evil]);
    // Names that git takes: bidi, zero-width, a dash in front, 40 digits, other case, other depth.
    let names = [
        "bob/\u{202e}live",
        "bob/a\u{200b}b",
        "bob/-x",
        "Bob/evil",
        "bob/deep/er",
        "\u{441}ob/x",
        "bob/\u{9b}31m",
        &"a".repeat(40),
    ];
    for name in names {
        fixture.git(&["update-ref", &format!("refs/heads/proposals/{name}"), &evil]);
    }
    // An address and a name with escapes, signed all the same.
    let lines = fixture.git(&["cat-file", "commit", &evil]);
    let forged = lines.replace("author bob <", "author b\x1b[31mob <");
    let forged = git_with(
        &fixture,
        &[
            "hash-object",
            "-t",
            "commit",
            "-w",
            "--stdin",
            "--literally",
        ],
        forged.as_bytes(),
    );
    fixture.git(&["update-ref", "refs/heads/proposals/bob/forged", &forged]);
    for args in [
        &["queue"][..],
        &["show", "bob/evil"],
        &["show", "bob/forged"],
        &["accept", "bob/\u{202e}live"],
        &["resolve", "\x1b[31m"],
        &["show", "\x1b[2J"],
        &["explain", "\r\u{202e}"],
        &["diff", "1", "\x1b[2J"],
        &["refuse", "bob/-x", "-m", "no"],
    ] {
        let ran = fixture.run("wanda", args);
        plain(&ran);
    }
    let ran = fixture.run("wanda", &["accept", "--all"]);
    plain(&ran);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.out.contains("common@2 bob/evil: "), "{ran:?}");
    for args in [
        &["log"][..],
        &["log", "-v"],
        &["log", "--oneline"],
        &["show", "2"],
        &["blame", "evil"],
        &["diff", "1", "2"],
        &["queue"],
        &["status"],
    ] {
        let ran = fixture.run("wanda", args);
        plain(&ran);
    }
    sound(&fixture);
}

#[test]
fn fifty_broken_branches_stop_no_good_one() {
    if tools::lacks_ssh_keygen() {
        return;
    }
    let fixture = Fixture::bare();
    let line = |n: usize| format!("{{\"alias\":\"n{n}\",\"op\":\"alias.set\",\"target\":\"x\"}}\n");
    let main = fixture.git(&["rev-parse", "main"]).trim().to_owned();
    let base = fixture.git(&["ls-tree", "main"]);
    let empty = tree(&fixture, "");
    let mut broken = Vec::new();
    for n in 0..48 {
        let good = with_decisions(&fixture, line(n).as_bytes());
        let at = |tree: &str| commit(&fixture, "bob", tree, &main, b"broken\n");
        let id = match n % 16 {
            0 => commit(&fixture, "eve", &good, &main, b"a stranger\n"),
            1 => commit(
                &fixture,
                "alice",
                &good,
                &main,
                b"on somebody else's branch\n",
            ),
            2 => at(&empty),
            3 => at(&with_decisions(&fixture, b"not json\n")),
            4 => at(&with_decisions(&fixture, b"\xff\xfe\n")),
            5 => at(&with_decisions(&fixture, b"")),
            6 => at(&tree(
                &fixture,
                &format!(
                    "{base}120000 blob {}\tdecisions.jsonl\n",
                    blob(&fixture, b"/etc/passwd")
                ),
            )),
            7 => at(&tree(
                &fixture,
                &format!("{base}160000 commit {main}\tdecisions.jsonl\n"),
            )),
            8 => at(&tree(
                &fixture,
                &format!("{base}40000 tree {empty}\tdecisions.jsonl\n"),
            )),
            9 => at(&tree(
                &fixture,
                &format!(
                    "{base}100644 blob {}\tzz.jsonl\n",
                    blob(&fixture, line(n).as_bytes())
                ),
            )),
            10 => at(&tree(
                &fixture,
                &format!(
                    "100644 blob {}\tdecisions.jsonl\n",
                    blob(&fixture, line(n).as_bytes())
                ),
            )),
            11 => main.clone(),
            12 => {
                let args = ["commit-tree", &good, "-p", &main];
                let mut git = fixture.bare_command("git", &fixture.space);
                git.args(["-c", "user.name=bob", "-c", "user.email=bob@example.org"])
                    .args(args);
                finish(&mut git, b"unsigned\n").ok().trim().to_owned()
            }
            13 => {
                // Its base is nobody's page.
                let other = commit(
                    &fixture,
                    "wanda",
                    &with_decisions(&fixture, line(n).as_bytes()),
                    &main,
                    b"x\n",
                );
                commit(&fixture, "bob", &good, &other, b"stands nowhere\n")
            }
            14 => blob(&fixture, b"a blob"),
            _ => git_with(
                &fixture,
                &["mktag"],
                format!("object {main}\ntype commit\ntag t\ntagger b <b> 1 +0000\n\nx\n")
                    .as_bytes(),
            ),
        };
        let name = format!("bob/broken-{n}");
        write_ref(
            &fixture,
            &format!("refs/heads/proposals/{name}"),
            &format!("{id}\n"),
        );
        broken.push(name);
    }
    // And what is not there at all.
    for (n, id) in [(48, "1".repeat(40)), (49, "0123456789".repeat(4))] {
        let name = format!("bob/broken-{n}");
        write_ref(
            &fixture,
            &format!("refs/heads/proposals/{name}"),
            &format!("{id}\n"),
        );
        broken.push(name);
    }
    for n in 0..3 {
        fixture.propose(
            "alice",
            &format!("good-{n}"),
            &set(&format!("good{n}"), "x"),
        );
        fixture.propose("bob", &format!("good-{n}"), &set(&format!("fine{n}"), "x"));
    }
    let queue = fixture.run("bob", &["--json", "queue"]).json();
    let standing = |name: &str| {
        let mut found = queue["proposals"].as_array().unwrap().iter();
        found
            .find(|entry| entry["proposal"] == name)
            .unwrap_or_else(|| panic!("{name}: {queue}"))["standing"]
            .clone()
    };
    for name in &broken {
        assert!(
            ["invalid", "refused"].contains(&standing(name).as_str().unwrap()),
            "{name}: {}",
            standing(name)
        );
    }
    let ran = fixture.run("wanda", &["accept", "--all"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(ran.out.lines().count(), 6, "{ran:?}");
    for name in &broken {
        assert!(
            ran.err.contains(&format!("refused {name}: ")),
            "{name} is not named: {}",
            ran.err
        );
    }
    for n in 0..3 {
        fixture.run("bob", &["resolve", &format!("good{n}")]).ok();
        fixture.run("bob", &["resolve", &format!("fine{n}")]).ok();
    }
    fixture.run("bob", &["verify"]).ok();
    // A second look finds the same and changes nothing.
    let tip = fixture.git(&["rev-parse", "main"]);
    assert_eq!(fixture.run("wanda", &["accept", "--all"]).code, 0);
    assert_eq!(fixture.git(&["rev-parse", "main"]), tip);
}

#[test]
fn one_refused_proposal_on_two_branches_gets_one_reason() {
    let fixture = Fixture::bare();
    fixture.propose("bob", "late", &set("a", "x"));
    fixture.propose("alice", "early", &set("a", "y"));
    let late = fixture.git(&["rev-parse", "proposals/bob/late"]);
    fixture.git(&["update-ref", "refs/heads/proposals/bob/later", late.trim()]);
    fixture.run("wanda", &["accept", "alice/early"]).ok();
    let said = fixture.run("wanda", &["--json", "accept", "--all"]).json();
    let refused = said["refused"].as_array().unwrap();
    assert_eq!(refused.len(), 2, "{said}");
    assert!(
        refused.iter().all(|entry| entry["signed"] == true),
        "{said}"
    );
    let reviews = fixture.git(&["for-each-ref", "refs/heads/reviews"]);
    assert_eq!(reviews.lines().count(), 1);
    sound(&fixture);
}

#[test]
fn many_refused_proposals_need_few_open_files() {
    if tools::lacks_ssh_keygen() {
        return;
    }
    let fixture = Fixture::bare();
    fixture.propose("alice", "early", &set("a", "y"));
    let (main, lines) = (
        fixture.git(&["rev-parse", "main"]),
        "{\"alias\":\"a\",\"op\":\"alias.set\",\"target\":\"x\"}\n",
    );
    let tree = with_decisions(&fixture, lines.as_bytes());
    for n in 0..150 {
        let id = commit(
            &fixture,
            "bob",
            &tree,
            main.trim(),
            format!("late {n}\n").as_bytes(),
        );
        write_ref(
            &fixture,
            &format!("refs/heads/proposals/bob/late-{n}"),
            &format!("{id}\n"),
        );
    }
    let folio = env!("CARGO_BIN_EXE_folio");
    let key = fixture.path("wanda.key");
    let script = format!(
        "ulimit -n 100; exec {folio} --key {} accept --all",
        key.display()
    );
    fixture.run("wanda", &["accept", "alice/early"]).ok();
    let ran = finish(
        fixture
            .bare_command("sh", &fixture.space)
            .args(["-c", &script]),
        b"",
    );
    assert_eq!(ran.code, 0, "{ran:?}");
    let reviews = fixture.git(&["for-each-ref", "refs/heads/reviews"]);
    assert_eq!(reviews.lines().count(), 150);
}

#[test]
fn a_ref_where_a_directory_of_refs_belongs_is_named() {
    for taken in [
        "refs/heads/proposals",
        "refs/heads/reviews",
        "refs/heads/proposals/bob",
        "refs/heads/reviews/wanda",
    ] {
        let fixture = Fixture::bare();
        let blocked = taken.contains("proposals");
        fixture.git(&["update-ref", taken, "main"]);
        let ran = fixture.run_with(
            "bob",
            &["propose", "-m", "x", "--slug", "x", "-f", "-"],
            &set("a", "x"),
        );
        if blocked {
            assert!(ran.refused("ref-invalid", 4).contains(taken), "{taken}");
        } else {
            ran.ok();
        }
        // What is waiting elsewhere is numbered, and what is in the way is named where it matters.
        if taken != "refs/heads/proposals" {
            fixture.propose("alice", "hers", &set("b", "x"));
            let ran = fixture.run("wanda", &["accept", "--all"]);
            assert_eq!(ran.code, 0, "{taken}: {ran:?}");
            assert!(ran.out.contains(" alice/hers: "), "{taken}: {ran:?}");
        }
        if !blocked {
            fixture.propose("bob", "late", &set("c", "x"));
            fixture.propose("alice", "early", &set("c", "y"));
            let ran = fixture.run("wanda", &["accept", "--all"]);
            // The numbered page is acknowledged whatever becomes of the reason.
            assert!(ran.out.contains(" alice/early: "), "{taken}: {ran:?}");
            assert!(ran.err.contains(taken), "{taken}: {ran:?}");
        }
        let queue = fixture.run("bob", &["queue"]);
        assert_eq!(queue.code, 0, "{taken}: {queue:?}");
        fixture.run("bob", &["verify"]).ok();
        fixture.run("bob", &["status"]).ok();
        // Git removes it, and all is well.
        fixture.git(&["update-ref", "-d", taken]);
        fixture.propose("bob", "again", &set("d", "x"));
        fixture.accept_all();
        sound(&fixture);
    }
}

#[test]
fn a_symbolic_ref_among_the_proposals_is_refused_by_name() {
    let fixture = Fixture::bare();
    fixture.propose("bob", "good", &set("a", "x"));
    fixture.git(&[
        "symbolic-ref",
        "refs/heads/proposals/bob/link",
        "refs/heads/proposals/bob/good",
    ]);
    for args in [&["queue"][..], &["accept", "--all"]] {
        let words = fixture.run("wanda", args).refused("ref-invalid", 4);
        assert!(words.contains("refs/heads/proposals/bob/link"), "{words}");
    }
    fixture.run("bob", &["verify"]).ok();
    fixture.git(&["symbolic-ref", "--delete", "refs/heads/proposals/bob/link"]);
    assert!(fixture.accept_all().contains("bob/good"));
    // `main` itself as a symbolic ref.
    fixture.git(&["update-ref", "refs/heads/other", "main"]);
    fixture.git(&["symbolic-ref", "refs/heads/main", "refs/heads/other"]);
    fixture
        .run("wanda", &["accept", "--all"])
        .refused("ref-invalid", 4);
}

/// A loose object that claims to be larger than it is.
fn claiming_blob(fixture: &Fixture, zeros: usize) -> String {
    use flate2::{Compression, write::ZlibEncoder};
    use std::io::Write as _;
    let claimed = 300 * 1024 * 1024;
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    encoder
        .write_all(format!("blob {claimed}\0").as_bytes())
        .unwrap();
    let chunk = vec![0_u8; 1 << 20];
    for _ in 0..zeros >> 20 {
        encoder.write_all(&chunk).unwrap();
    }
    let id = format!("{:040x}", 0x00ba_d000 + zeros);
    let file = fixture.space.join("objects").join(&id[..2]).join(&id[2..]);
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(file, encoder.finish().unwrap()).unwrap();
    id
}

#[test]
fn bombs_cost_neither_time_nor_memory() {
    if tools::lacks_ssh_keygen() {
        return;
    }
    let fixture = Fixture::bare();
    let main = fixture.git(&["rev-parse", "main"]).trim().to_owned();
    let base = fixture.git(&["ls-tree", "main"]);
    let mut trees = Vec::new();
    for zeros in [0, 300 << 20] {
        let id = claiming_blob(&fixture, zeros);
        trees.push(tree(
            &fixture,
            &format!("{base}100644 blob {id}\tdecisions.jsonl\n"),
        ));
        // The same where a table belongs.
        let others: String = base
            .lines()
            .filter(|line| !line.ends_with("policy.jsonl"))
            .map(|line| format!("{line}\n"))
            .collect();
        let lines = blob(
            &fixture,
            b"{\"alias\":\"a\",\"op\":\"alias.set\",\"target\":\"x\"}\n",
        );
        trees.push(tree(
            &fixture,
            &format!(
                "{others}100644 blob {id}\tpolicy.jsonl\n100644 blob {lines}\tdecisions.jsonl\n"
            ),
        ));
    }
    // A tree of trees: 16 entries on each of 40 levels, all the same object.
    let lines = blob(
        &fixture,
        b"{\"alias\":\"b\",\"op\":\"alias.set\",\"target\":\"x\"}\n",
    );
    let mut level = tree(&fixture, &format!("100644 blob {lines}\t0.jsonl\n"));
    for _ in 0..40 {
        let entries: String = (0..16)
            .map(|n| format!("40000 tree {level}\t{n:x}\n"))
            .collect();
        level = tree(&fixture, &entries);
    }
    trees.push(tree(
        &fixture,
        &format!("{base}40000 tree {level}\taliases\n100644 blob {lines}\tdecisions.jsonl\n"),
    ));
    for (n, tree) in trees.iter().enumerate() {
        let id = commit(
            &fixture,
            "bob",
            tree,
            &main,
            format!("bomb {n}\n").as_bytes(),
        );
        write_ref(
            &fixture,
            &format!("refs/heads/proposals/bob/bomb-{n}"),
            &format!("{id}\n"),
        );
    }
    fixture.propose("alice", "good", &set("good", "x"));
    // 200 MiB of address space would not hold one of the blobs; 10 s of computing is far more than needed.
    let folio = env!("CARGO_BIN_EXE_folio");
    let key = fixture.path("wanda.key");
    for words in ["queue", "show bob/bomb-4", "accept --all"] {
        let script = format!(
            "ulimit -t 10; ulimit -v 280000; exec {folio} --key {} {words}",
            key.display()
        );
        let ran = finish(
            fixture
                .bare_command("sh", &fixture.space)
                .args(["-c", &script]),
            b"",
        );
        assert!((0..=4).contains(&ran.code), "{words}: {ran:?}");
        if words == "accept --all" {
            assert!(ran.out.contains("common@2 alice/good"), "{ran:?}");
            for n in 0..trees.len() {
                assert!(
                    ran.err.contains(&format!("refused bob/bomb-{n}: ")),
                    "{n}: {ran:?}"
                );
            }
        }
    }
}

#[test]
fn a_reftable_repository_is_refused_by_name() {
    let fixture = Fixture::home();
    let mut git = fixture.bare_command("git", fixture.home.path());
    let made = finish(
        git.args(["init", "-q", "--ref-format=reftable", "space"]),
        b"",
    );
    if made.code != 0 {
        println!("skipped: this git has no reftables: {}", made.err);
        return;
    }
    for args in [
        &["status"][..],
        &["queue"],
        &["accept", "--all"],
        &["verify"],
        &["alias", "set", "a", "b"],
    ] {
        let words = fixture.run("alice", args).refused("unsupported", 6);
        assert!(words.contains("reftable"), "{words}");
    }
}

#[test]
fn main_on_a_proposal_is_refused_by_name() {
    let fixture = Fixture::bare();
    fixture.propose("bob", "mine", &set("a", "x"));
    fixture.accept_all();
    fixture.propose("bob", "next", &set("b", "x"));
    let tip = fixture.git(&["rev-parse", "main"]).trim().to_owned();
    // What a plain push does: it is a fast-forward.
    fixture.git(&["push", "-q", ".", "proposals/bob/next:main"]);
    for args in [
        &["verify"][..],
        &["accept", "--all"],
        &["status"],
        &["resolve", "a"],
        &["queue"],
        &["log"],
        &["alias", "set", "c", "d"],
        &["replay"],
    ] {
        let ran = fixture.run("wanda", args);
        let words = ran.refused("not-a-snapshot", 4);
        assert!(words.contains("main"), "{words}");
    }
    let proposal = fixture.git(&["rev-parse", "proposals/bob/next"]);
    assert_eq!(
        fixture.git(&["rev-parse", "main"]),
        proposal,
        "nothing is moved by a reader"
    );
    fixture.git(&["update-ref", "refs/heads/main", &tip]);
    assert!(fixture.accept_all().contains("common@3 bob/next"));
    sound(&fixture);
}

#[test]
fn a_shortened_main_loses_no_proposal_that_is_still_known() {
    if tools::lacks_ssh_keygen() {
        return;
    }
    let fixture = Fixture::bare();
    for n in 0..3 {
        fixture.propose("bob", &format!("p{n}"), &set(&format!("a{n}"), "x"));
        fixture.accept_all();
    }
    let newest = fixture.git(&["rev-parse", "main"]).trim().to_owned();
    // Back by two pages, as a restored backup or a forced push leaves it.
    fixture.git(&["update-ref", "refs/heads/main", "main~2"]);
    let verified = fixture.run("wanda", &["verify"]);
    assert_eq!(
        verified.code, 0,
        "the shorter chain is a chain: {verified:?}"
    );
    fixture.propose("bob", "other", &set("b", "x"));
    // What the witness signed is remembered: no second page gets one of those numbers.
    let ran = fixture.run("wanda", &["accept", "--all"]);
    let said = ran.refused("restored-backup", 6);
    assert!(said.contains("common@4"), "{said}");
    assert_eq!(fixture.run("bob", &["resolve", "a1"]).code, 1);
    assert_eq!(
        fixture.run("bob", &["--json", "log"]).json()["pages"]
            .as_array()
            .map_or(2, Vec::len),
        2
    );
    sound(&fixture);
    // The pages that were cut are still there for whoever knows them.
    fixture.git(&["verify-commit", &newest]);
    fixture.git(&["update-ref", "refs/heads/main", &newest]);
    fixture.run("bob", &["verify"]).ok();
    assert_eq!(fixture.run("bob", &["resolve", "a2"]).ok(), "x\n");
    assert_eq!(
        fixture.run("bob", &["--json", "blame", "a2"]).json()["rows"][0]["changes"][0]["number"],
        4
    );
    let numbered = fixture.accept_all();
    assert!(numbered.contains("common@5 bob/other"), "{numbered}");
    sound(&fixture);
}

#[test]
fn hostile_files_are_refused_in_bounded_memory() {
    let fixture = Fixture::bare();
    let folio = env!("CARGO_BIN_EXE_folio");
    let limited = |words: &str, feed: &str| {
        let key = fixture.path("alice.key");
        let script = format!(
            "ulimit -t 20; ulimit -v 400000; {feed} | {folio} --key {} {words}",
            key.display()
        );
        finish(
            fixture
                .bare_command("sh", &fixture.space)
                .args(["-c", &script]),
            b"",
        )
    };
    // Endless, without a line feed and with.
    for (feed, words) in [
        ("cat /dev/zero", "alias sync -"),
        ("cat /dev/zero", "propose -m x -f -"),
        ("yes", "alias sync -"),
        ("yes", "propose -m x -f -"),
        (
            "yes '{\"alias\":\"a\",\"target\":\"b\"'",
            "alias sync --format jsonl -",
        ),
        ("yes '\"'", "alias sync --format csv -"),
        ("tr '\\0' '[' </dev/zero", "propose -m x -f -"),
    ] {
        let ran = limited(words, feed);
        assert!([2, 3].contains(&ran.code), "{feed} | {words}: {ran:?}");
        assert!(
            ran.err.len() < 10_000 && ran.err.contains("line 1"),
            "{ran:?}"
        );
        plain(&ran);
    }
    // Many good lines that say the same.
    let ran = limited(
        "propose -m same -f -",
        &format!("yes '{}' | head -n 5000", set("a", "b").trim()),
    );
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(fixture.run("alice", &["draft", "show"]).code, 0);
    sound(&fixture);
}

#[test]
fn arguments_that_are_no_text_are_refused() {
    let fixture = Fixture::bare();
    let bytes = std::ffi::OsString::from_vec(vec![b'a', 0xff, 0xfe, b'b']);
    for before in [
        &["resolve"][..],
        &["alias", "set", "a"],
        &["accept"],
        &["show"],
        &["propose", "-f", "-", "-m"],
        &["init"],
        &["-C"],
        &["--key"],
        &["alias", "sync"],
    ] {
        let mut run = fixture.command(&fixture.space, None);
        let ran = finish(run.args(before).arg(&bytes), b"");
        assert!(
            (1..=6).contains(&ran.code) && !ran.err.contains("panicked"),
            "{before:?}: {ran:?}"
        );
        plain(&ran);
    }
    for dir in ["alice.key", "nowhere", ""] {
        let mut run = fixture.command(fixture.home.path(), None);
        let ran = finish(run.arg("-C").arg(dir).arg("status"), b"");
        assert!(
            [2, 6].contains(&ran.code) && ran.err.contains("error: "),
            "{dir}: {ran:?}"
        );
    }
}

fn spawn(fixture: &Fixture, who: &str, args: &[&str]) -> Child {
    let mut run = fixture.command(&fixture.space, Some(who));
    run.args(args)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    run.spawn().unwrap()
}

fn ended(child: Child) -> Ran {
    let output = child.wait_with_output().unwrap();
    Ran {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

#[test]
fn two_witnesses_at_once_number_each_page_once() {
    for fixture in [Fixture::bare(), Fixture::with_work_tree()] {
        let mut expected = 1;
        for round in 0..20 {
            for n in 0..3 {
                fixture.propose(
                    "bob",
                    &format!("p{round}-{n}"),
                    &set(&format!("r{round}n{n}"), "x"),
                );
                expected += 1;
            }
            let asking = spawn(&fixture, "bob", &["resolve", "r0n0", "--at", "1"]);
            let both = [0, 1].map(|_| spawn(&fixture, "wanda", &["accept", "--all"]));
            let both = both.map(ended);
            for ran in &both {
                assert!([0, 5].contains(&ran.code), "round {round}: {both:?}");
            }
            let asked = ended(asking);
            assert_eq!(asked.code, 1, "{asked:?}");
            // Whatever was left because somebody else held a lock.
            fixture.run("wanda", &["accept", "--all"]).ok();
            let numbered: Vec<&str> = both.iter().flat_map(|ran| ran.out.lines()).collect();
            let distinct: BTreeSet<&str> = numbered
                .iter()
                .map(|line| line.split(' ').next().unwrap())
                .collect();
            assert_eq!(distinct.len(), numbered.len(), "{both:?}");
            for n in 0..3 {
                assert_eq!(
                    fixture
                        .run("bob", &["resolve", &format!("r{round}n{n}")])
                        .ok(),
                    "x\n"
                );
            }
        }
        let pages = fixture.git(&["rev-list", "--count", "--first-parent", "main"]);
        assert_eq!(pages.trim(), (expected + 1).to_string());
        assert_eq!(fixture.git(&["for-each-ref", "refs/heads/proposals"]), "");
        assert!(
            fixture
                .git(&["fsck", "--strict", "--no-dangling"])
                .is_empty()
        );
        fixture.run("bob", &["verify"]).ok();
        fixture.run("bob", &["replay"]).ok();
    }
}

#[test]
fn two_who_draft_at_once_both_get_in() {
    let fixture = Fixture::bare();
    for round in 0..10 {
        let both = [0, 1].map(|n| {
            spawn(
                &fixture,
                "alice",
                &["alias", "set", &format!("r{round}n{n}"), "x"],
            )
        });
        for child in both {
            ended(child).ok();
        }
    }
    let shown = fixture.run("alice", &["draft", "show"]).ok();
    for round in 0..10 {
        for n in 0..2 {
            assert!(shown.contains(&format!("r{round}n{n}")), "{shown}");
        }
    }
    // And two who propose at once: one proposal, and one that finds nothing left, or one after the other.
    let both = [0, 1].map(|_| spawn(&fixture, "alice", &["propose", "-m", "all"]));
    let mut codes = both.map(|child| ended(child).code);
    codes.sort();
    assert_eq!(codes, [0, 3]);
    assert_eq!(fixture.accept_all().lines().count(), 1);
    sound(&fixture);
}

/// Takes the right to write from all directories below, or gives it back.
fn writable(dir: &Path, yes: bool) {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = if yes { 0o755 } else { 0o555 };
    if yes {
        std::fs::set_permissions(dir, std::fs::Permissions::from_mode(mode)).unwrap();
    }
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            writable(&path, yes);
        }
    }
    std::fs::set_permissions(dir, std::fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn a_repository_that_cannot_be_written_can_be_read() {
    let fixture = Fixture::bare();
    fixture.propose("bob", "good", &set("a", "x"));
    writable(&fixture.space, false);
    if std::fs::write(fixture.space.join("probe"), "").is_ok() {
        println!("skipped: this user may write everywhere (root)");
        writable(&fixture.space, true);
        return;
    }
    let asked = fixture.run("bob", &["state", "space"]);
    let ran = fixture.run("wanda", &["accept", "--all"]);
    let drafted = fixture.run("bob", &["alias", "set", "b", "c"]);
    writable(&fixture.space, true);
    asked.ok();
    assert_eq!((ran.code, drafted.code), (6, 6), "{ran:?} {drafted:?}");
    assert!(fixture.accept_all().contains("bob/good"));
    sound(&fixture);
}

#[test]
fn the_core_works_in_both_object_formats() {
    if tools::lacks_ssh_keygen() {
        return;
    }
    for format in ["sha1", "sha256"] {
        let fixture = Fixture::founded(&["--object-format", format]);
        fixture
            .run("bob", &["alias", "set", "US/Eastern", "America/New_York"])
            .ok();
        fixture
            .run("bob", &["alias", "set", "Europe/Kiev", "Europe/Kyiv"])
            .ok();
        assert!(
            fixture
                .run("bob", &["draft", "show"])
                .ok()
                .contains("US/Eastern")
        );
        fixture.run("bob", &["propose", "-m", "Two names"]).ok();
        assert!(
            fixture
                .run("bob", &["queue"])
                .ok()
                .contains("ready    bob/two-names")
        );
        assert!(fixture.accept_all().contains("common@2 bob/two-names"));
        fixture.run("alice", &["bind", "Europe/Kyiv", "Kyjiw"]).ok();
        fixture.run("alice", &["propose", "-m", "One group"]).ok();
        fixture.accept_all();
        assert!(
            fixture
                .run("bob", &["verify"])
                .ok()
                .starts_with("good common@1..common@3")
        );
        assert!(fixture.run("bob", &["replay"]).ok().ends_with("equal\n"));
        assert_eq!(
            fixture.run("bob", &["resolve", "US/Eastern"]).ok(),
            "America/New_York\n"
        );
        assert_eq!(
            fixture
                .run("bob", &["resolve", "Europe/Kiev", "--at", "1"])
                .code,
            1
        );
        fixture.run("bob", &["same", "Europe/Kiev", "Kyjiw"]).ok();
        assert!(
            fixture
                .run("bob", &["blame", "Europe/Kiev"])
                .ok()
                .contains("common@2 2026-01-01 bob: Two names")
        );
        let log = fixture.run("bob", &["--json", "log"]).ok();
        let length = if format == "sha1" { 40 } else { 64 };
        let id = fixture.git(&["rev-parse", "main"]);
        assert!(
            id.trim().len() == length && log.contains(id.trim()),
            "{log}"
        );
        assert!(
            fixture
                .run("bob", &["show", &id.trim()[..12]])
                .ok()
                .contains("One group")
        );
        let status = fixture.run("bob", &["--json", "status"]).json();
        assert_eq!(status["object_format"], format);
        fixture.git(&["fsck", "--strict"]);
        for commit in fixture.git(&["rev-list", "--all"]).lines() {
            fixture.git(&["verify-commit", commit]);
        }
    }
}

#[test]
fn an_older_reader_does_not_make_a_witness_forget() {
    use folio::journal::{Space, history::History};
    use folio::model::{Code, Number};
    use folio::store::{GitStore, Index};
    let fixture = Fixture::bare();
    for n in 0..4 {
        fixture.propose("bob", &format!("p{n}"), &set(&format!("a{n}"), "x"));
        fixture.accept_all();
    }
    let store = GitStore::open(&fixture.space).unwrap();
    let space = Space::open(&store).unwrap();
    let index = || Index::open(&fixture.space.join("folio"), store.object_format()).unwrap();
    let (mut ours, mut theirs) = (index(), index());
    let open = |tip, index| History::open(&space.tables, &store, Some(tip), index, &mut |_, _| {});
    let witness = open(space.tip().unwrap(), &mut ours).unwrap();
    let digest = witness.page(Number(4)).unwrap().proposal;
    // Somebody who read `main` a while ago looks at the index only now.
    let reader = open(witness.commit_of(Number(2)).unwrap(), &mut theirs);
    assert_eq!(reader.unwrap().len(), Number(2));
    let found = witness.numbered(&digest, Number(1)).unwrap();
    assert_eq!(found, Some(Number(4)), "it would be numbered twice");
    // Where the index is really cut, nothing is claimed.
    index().truncate_to(Number(3)).unwrap();
    let unknown = witness.numbered(&digest, Number(1)).unwrap_err();
    assert_eq!(unknown.code, Code::Busy);
}

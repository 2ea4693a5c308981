//! [T1]: what others write reaches no terminal as it is.

use crate::cli::Ran;
use crate::net::Net;

const EVIL: &str = "\u{1b}[2J\u{1b}]0;owned\u{7}\rall is well \u{202e}\u{200b}";

#[track_caller]
fn harmless(ran: &Ran) {
    for text in [&ran.out, &ran.err] {
        let bad = text
            .chars()
            .find(|c| c.is_control() && *c != '\n' || ['\u{202e}', '\u{200b}'].contains(c));
        assert_eq!(bad, None, "{text:?}");
    }
}

#[test]
fn words_of_a_servers_hook() {
    let net = Net::new();
    net.number("two");
    let print = format!("#!/bin/sh\nprintf '%s\\n' '{EVIL}; and more' 'second'\n");
    net.fixture
        .write("hub.git/hooks/pre-receive", &format!("{print}exit 1\n"));
    let ran = net.run("space", "wanda", &["push"]);
    harmless(&ran);
    assert!(ran.err.contains("remote: \\u{1b}[2J"), "{ran:?}");
    assert!(ran.err.contains("; and more"), "a whole line: {ran:?}");
    assert!(ran.err.contains("remote: second"), "{ran:?}");
    ran.refused("push-refused", 6);
    net.fixture.write("hub.git/hooks/pre-receive", &print);
    net.fixture.write("hub.git/hooks/update", &print);
    net.fixture.write("hub.git/hooks/post-receive", &print);
    for args in [
        &["push"][..],
        &["--json", "push"],
        &["-q", "push"],
        &["--color", "always", "push"],
    ] {
        net.number(&format!("n{}", args.len() + args[0].len()));
        let ran = net.run("space", "wanda", args);
        let plain = Ran {
            err: ran.err.replace("\u{1b}[", ""),
            ..ran
        };
        match args.contains(&"always") {
            true => assert!(
                !plain.err.contains('\u{7}') && !plain.err.contains('\r'),
                "{plain:?}"
            ),
            false => harmless(&plain),
        }
        plain.ok();
    }
}

#[test]
fn names_of_refs_and_remotes_and_messages() {
    let net = Net::new();
    net.clone_to("a", &[]);
    let main = net.git("hub.git", &["rev-parse", "main"]);
    for name in ["refs/heads/\u{202e}x", "refs/heads/proposals/bob/\u{200b}x"] {
        net.git("hub.git", &["update-ref", name, &main]);
    }
    net.git("a", &["config", "remote.o\u{202e}x.url", "../hub.git"]);
    net.git(
        "a",
        &["config", "remote.away\u{202e}.url", "../\u{202e}away"],
    );
    net.git("a", &["config", "remote.line.url", "../a\u{1b}[2Jway"]);
    harmless(&net.run("a", "", &["fetch", "o\u{202e}x"]));
    for command in ["fetch", "push", "sync"] {
        for remote in [
            "away\u{202e}",
            "line",
            "../\u{202e}\u{1b}[2J",
            "ext::\u{1b}[2J",
        ] {
            let ran = net.run("a", "bob", &[command, remote]);
            assert_ne!(ran.code, 0, "{ran:?}");
            harmless(&ran);
        }
    }
    // A proposal that waits, and one that is taken, whose words are not clean.
    let tree = net.git("hub.git", &["rev-parse", "main^{tree}"]);
    let person = [
        "-c",
        "user.name=n\u{1b}[2J",
        "-c",
        "user.email=n@example.org",
    ];
    let commit = ["commit-tree", "-m", EVIL, "-p", "main", &tree];
    let evil = net.git("hub.git", &[&person[..], &commit[..]].concat());
    net.git(
        "hub.git",
        &["update-ref", "refs/heads/proposals/bob/x", &evil],
    );
    let ran = net.run("a", "bob", &["fetch"]);
    assert!(ran.err.contains("not taken: proposals/bob/x"), "{ran:?}");
    harmless(&ran);
    // A name of a directory.
    let ran = net.run(
        ".",
        "",
        &[
            "clone",
            "hub.git",
            "\u{202e}x",
            "--witness",
            "SHA256:\u{1b}[2J",
        ],
    );
    harmless(&ran);
    let ran = net.run(
        ".",
        "",
        &["clone", "no\u{202e}", "x", "--witness", "SHA256:x"],
    );
    harmless(&ran);
    let ran = net.run(
        ".",
        "",
        &["clone", "hub.git", "\u{202e}y", "--space", &net.space_id()],
    );
    harmless(&ran);
    ran.ok();
}

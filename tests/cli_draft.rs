//! Drafting from the command line: every command, what is refused then, and the draft itself.
#![allow(clippy::unwrap_used, reason = "a test")]

#[path = "common/cli.rs"]
mod cli;

use cli::Fixture;

const DIGEST: &str = "0303030303030303030303030303030303030303030303030303030303030303";

/// The decisions of the draft, one line each.
fn drafted(fixture: &Fixture, who: &str) -> Vec<serde_json::Value> {
    let shown = fixture.run(who, &["--json", "draft", "show"]).json();
    assert_eq!(shown["version"], 1);
    shown["decisions"].as_array().unwrap().clone()
}

fn ops(fixture: &Fixture, who: &str) -> Vec<String> {
    let op = |entry: &serde_json::Value| entry["decision"]["op"].as_str().unwrap().to_owned();
    drafted(fixture, who).iter().map(op).collect()
}

/// Signs the draft and numbers it.
fn settle(fixture: &Fixture, who: &str, message: &str) {
    fixture.run(who, &["propose", "-m", message]).ok();
    let numbered = fixture.accept_all();
    assert!(numbered.contains(message), "{numbered}");
}

#[test]
fn names_and_equivalence() {
    let fixture = Fixture::bare();
    let bob = |args: &[&str]| fixture.run("bob", args);
    bob(&["alias", "set", "n", "a"]).ok();
    let ran = bob(&["bind", "n", "b"]);
    assert!(ran.err.contains("`n` is an alias of `a`"), "{}", ran.err);
    bob(&["bind", "b", "c"]).ok();
    bob(&["pin-name", "c"]).ok();
    bob(&["fork", "d", "--of", "a"]).ok();
    bob(&["merge", "e", "d"]).ok();
    assert_eq!(
        ops(&fixture, "bob"),
        ["alias.set", "bind", "bind", "pin", "fork", "merge"]
    );
    let first = &drafted(&fixture, "bob")[1];
    assert_eq!(
        (&first["decision"]["a"], &first["decision"]["b"]),
        (&"a".into(), &"b".into())
    );
    assert_eq!(first["changes"].as_array().unwrap().len(), 2);
    settle(&fixture, "bob", "first");
    assert!(drafted(&fixture, "bob").is_empty());

    let words = bob(&["distinct", "a", "c"]).refused("connected", 3);
    assert!(words.contains("`a` -bind- `b` -bind- `c`"), "{words}");
    bob(&["distinct", "a", "c", "--cut", "b", "c"]).ok();
    bob(&["bind", "b", "c"]).refused("distinct", 3);
    bob(&["distinct-drop", "a", "c"]).ok();
    bob(&["bind", "b", "c"]).ok();
    bob(&["unbind", "a", "b"]).ok();
    bob(&["unmerge", "e"]).ok();
    bob(&["unpin-name", "c"]).ok();
    bob(&["alias", "drop", "n"]).ok();
    bob(&["merge", "a", "a"]).refused("self-reference", 3);
    bob(&["fork", "b", "--of", "a"]).refused("exists", 3);
    bob(&["bind", "a", "b\u{200b}"]).refused("name-invalid", 3);
    let expected = [
        "distinct",
        "distinct.drop",
        "bind",
        "unbind",
        "unmerge",
        "unpin",
        "alias.drop",
    ];
    assert_eq!(ops(&fixture, "bob"), expected);
    settle(&fixture, "bob", "second");
    let ran = bob(&["unmerge", "e"]);
    assert!(ran.err.contains("1 decision true already"), "{}", ran.err);
}

#[test]
fn overlays_by_the_beginning_of_an_id() {
    let fixture = Fixture::bare();
    let bob = |args: &[&str]| fixture.run("bob", args);
    let add = ["overlay", "add", "t", "--base", "1", "--patch", DIGEST];
    bob(&add).ok();
    let words = bob(&add).refused("no-such-layer", 3);
    assert!(words.contains("folio propose -m"), "{words}");
    settle(&fixture, "bob", "layer");
    bob(&add).ok();
    settle(&fixture, "bob", "second layer");
    let rows = fixture.git(&["show", "main:overlays.jsonl"]);
    let rows: Vec<serde_json::Value> = rows
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let bottom = rows.iter().find(|row| row["after"].is_null()).unwrap();
    let id = bottom["id"].as_str().unwrap();
    bob(&[
        "overlay",
        "rebase",
        "t",
        &id[..3],
        "--base",
        "2",
        "--patch",
        DIGEST,
    ])
    .refused("bad-request", 2);
    bob(&[
        "overlay", "rebase", "t", "0000", "--base", "2", "--patch", DIGEST,
    ])
    .refused("no-such-layer", 3);
    bob(&[
        "overlay",
        "rebase",
        "t",
        &id[..6],
        "--base",
        "2",
        "--patch",
        DIGEST,
    ])
    .ok();
    settle(&fixture, "bob", "rebased");
    bob(&["overlay", "drop", "t", &id[..4], "--as", "applied"]).ok();
    settle(&fixture, "bob", "dropped");
    let rows = fixture.git(&["show", "main:overlays.jsonl"]);
    assert_eq!(rows.lines().count(), 1);
    assert!(rows.contains(r#""after":null"#), "{rows}");
}

#[test]
fn members_keep_what_is_not_said() {
    let fixture = Fixture::bare();
    let alice = |args: &[&str]| fixture.run("alice", args);
    let eve = fixture.path("eve.key.pub");
    let eve = eve.to_str().unwrap();
    alice(&["member", "add", "eve", "--email", "eve@example.org"]).refused("bad-request", 2);
    let add = [
        "member",
        "add",
        "eve",
        "--public-key",
        eve,
        "--email",
        "eve@example.org",
    ];
    alice(&[&add[..], &["--name", "Eve"]].concat()).ok();
    alice(&[
        "member",
        "add",
        "bob",
        "--name",
        "Robert",
        "--add-role",
        "reviewer",
    ])
    .ok();
    settle(&fixture, "alice", "people");
    let members = fixture.git(&["show", "main:members.jsonl"]);
    let row = |handle: &str| {
        let rows = members
            .lines()
            .map(|line| serde_json::from_str(line).unwrap());
        rows.into_iter()
            .find(|row: &serde_json::Value| row["handle"] == handle)
            .unwrap()
    };
    assert_eq!(row("eve")["roles"], serde_json::json!(["member"]));
    assert_eq!(
        row("bob")["roles"],
        serde_json::json!(["member", "reviewer"])
    );
    assert_eq!(row("bob")["email"], "bob@example.org");
    assert_eq!(row("bob")["name"], "Robert");
    let key = cli::pair("bob-2");
    use folio::crypto::Sign as _;
    let literal = key.public_key().to_string();
    alice(&["member", "add", "bob", "--public-key", &literal]).refused("key-unchanged", 3);
    fixture
        .run("bob", &["member", "add", "eve", "--add-role", "admin"])
        .refused("not-allowed", 3);
    fixture
        .run(
            "bob",
            &["member", "rotate", "bob", "--public-key", &literal],
        )
        .ok();
    settle(&fixture, "bob", "rotate");
    alice(&["member", "remove", "alice"]).refused("last-holder", 3);
    alice(&["member", "remove", "nobody"]).refused("no-such-member", 3);
    alice(&["member", "add", "bob", "--drop-role", "reviewer"]).refused("last-holder", 3);
    alice(&["member", "remove", "eve"]).ok();
    settle(&fixture, "alice", "remove");
    assert!(
        !fixture
            .git(&["show", "main:members.jsonl"])
            .contains("eve@")
    );
}

#[test]
fn policy_and_description() {
    let fixture = Fixture::bare();
    let alice = |args: &[&str]| fixture.run("alice", args);
    alice(&[
        "policy",
        "set",
        "alias.set",
        "--prefix",
        "US/",
        "--role",
        "admin",
    ])
    .ok();
    alice(&[
        "policy",
        "set",
        "merge",
        "--role",
        "member",
        "--approvals",
        "2:member",
    ])
    .ok();
    alice(&["policy", "set", "alias.fly", "--role", "admin"]).refused("policy-unsafe", 3);
    alice(&["policy", "set", "merge", "--role", "a", "--approvals", "x"]).refused("bad-request", 2);
    alice(&["describe", "--description", "Zones"]).ok();
    settle(&fixture, "alice", "rules");
    let deciding = alice(&["policy", "show", "alias.set", "US/Eastern"]).ok();
    assert_eq!(deciding, "alias.set `US/`: admin witness\n");
    let deciding = alice(&["policy", "show", "alias.set", "Europe/Kyiv"]).ok();
    assert_eq!(deciding, "names: admin,member witness\n");
    let all = alice(&["policy", "show"]).ok();
    assert_eq!(all.lines().count(), 7, "{all}");
    assert!(
        all.contains("merge: member approvals 2:member quorum"),
        "{all}"
    );
    fixture
        .run("bob", &["alias", "set", "US/Eastern", "x"])
        .refused("not-allowed", 3);
    let space = fixture.git(&["show", "main:space.jsonl"]);
    assert!(
        space.contains("Zones") && space.contains("\"tests\""),
        "{space}"
    );
}

#[test]
fn the_draft_is_shown_dropped_cleared_and_refreshed() {
    let fixture = Fixture::bare();
    let bob = |args: &[&str]| fixture.run("bob", args);
    for (alias, target) in [("a", "x"), ("b", "y"), ("c", "z")] {
        bob(&["alias", "set", alias, target]).ok();
    }
    let shown = bob(&["draft", "show"]).ok();
    assert!(shown.contains("2 {\"alias\":\"b\""), "{shown}");
    assert!(
        shown.contains("    + aliases {\"alias\":\"b\",\"target\":\"y\"}"),
        "{shown}"
    );
    bob(&["draft", "drop", "4"]).refused("bad-request", 2);
    bob(&["draft", "drop", "2"]).ok();
    assert_eq!(drafted(&fixture, "bob").len(), 2);

    // Somebody else is faster: one row is as drafted, the other is not.
    fixture.propose(
        "alice",
        "faster",
        concat!(
            r#"{"op":"alias.set","alias":"a","target":"x"}"#,
            "\n",
            r#"{"op":"alias.set","alias":"c","target":"w"}"#,
            "\n",
        ),
    );
    fixture.accept_all();
    let words = bob(&["alias", "set", "d", "e"]).refused("stale", 3);
    assert!(words.contains("folio draft drop 2"), "{words}");
    assert_eq!(drafted(&fixture, "bob")[1]["verdict"], "refused");
    let left = bob(&["--json", "draft", "refresh"]).json();
    assert_eq!((&left["dropped"], &left["left"]), (&1.into(), &1.into()));
    let shown = bob(&["draft", "show"]).ok();
    assert!(
        shown.contains("    - aliases {\"alias\":\"c\",\"target\":\"w\"}"),
        "{shown}"
    );
    bob(&["draft", "clear"]).ok();
    assert!(drafted(&fixture, "bob").is_empty());
    bob(&["propose", "-m", "nothing"]).refused("empty", 3);
}

#[test]
fn a_refused_decision_leaves_the_others_as_they_are() {
    let fixture = Fixture::bare();
    let bob = |args: &[&str]| fixture.run("bob", args);
    bob(&["bind", "c", "d"]).ok();
    bob(&["bind", "a", "b"]).ok();
    bob(&["bind", "b", "e"]).ok();
    let apart = r#"{"op":"distinct","a":"a","b":"b","cut":[]}"#;
    fixture.propose("alice", "apart", apart);
    fixture.propose("alice", "faster", r#"{"op":"bind","a":"c","b":"d"}"#);
    fixture.accept_all();
    let verdicts = |fixture: &Fixture| -> Vec<String> {
        let entries = drafted(fixture, "bob");
        let words = entries
            .iter()
            .map(|entry| entry["verdict"].as_str().unwrap().to_owned());
        words.collect()
    };
    assert_eq!(verdicts(&fixture), ["already", "refused", "changes"]);
    let ran = bob(&["draft", "refresh"]);
    assert_eq!(ran.code, 3, "{}", ran.err);
    assert!(
        ran.err.contains("decision 1 is refused: distinct"),
        "{}",
        ran.err
    );
    assert_eq!(verdicts(&fixture), ["refused", "changes"]);
    bob(&["draft", "drop", "1"]).ok();
    settle(&fixture, "bob", "the rest");
}

#[test]
fn every_command_has_a_help_of_one_screen() {
    let fixture = Fixture::home();
    let commands = [
        "bind",
        "unbind",
        "distinct",
        "distinct-drop",
        "merge",
        "unmerge",
        "fork",
        "pin-name",
        "unpin-name",
        "overlay",
        "overlay add",
        "overlay drop",
        "member",
        "member add",
        "policy",
        "policy set",
        "policy show",
        "describe",
        "draft",
        "rebase",
        "queue",
        "refuse",
        "accept",
        "alias",
        "alias sync",
        "key",
        "key new",
        "key show",
        "key list",
    ];
    for command in commands {
        let mut run = fixture.command(fixture.home.path(), None);
        run.args(command.split(' ')).arg("-h");
        let help = cli::finish(&mut run, b"").ok();
        assert!(help.lines().count() <= 40, "{command}:\n{help}");
    }
}

/// Where there are remotes, and the pen is not here.
#[test]
fn who_proposes_away_from_the_pen_is_told_how_it_gets_there() {
    let fixture = Fixture::bare();
    let line = r#"{"alias":"a","op":"alias.set","target":"b"}"#;
    let propose = |who: &str, slug: &str| {
        let args = ["propose", "-m", slug, "--slug", slug, "-f", "-"];
        let ran = fixture.run_with(who, &args, line);
        assert_eq!(ran.code, 0, "{}", ran.err);
        ran.err.contains("folio submit")
    };
    assert!(!propose("bob", "nowhere-to-send-it"));
    fixture.git(&["remote", "add", "origin", "/nowhere"]);
    assert!(propose("bob", "away"));
}

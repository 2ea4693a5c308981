//! Asking, with the real binary on a small space.

#![allow(clippy::unwrap_used, reason = "a test")]

#[path = "common/tools.rs"]
mod tools;

mod asked;

use asked::World;
use serde_json::{Value, json};

/// The strings at a key of each element.
fn column(list: &Value, key: &str) -> Vec<String> {
    let rows = list.as_array().unwrap().iter();
    rows.map(|row| row[key].to_string().replace('"', ""))
        .collect()
}

fn numbers(list: &Value) -> Vec<u64> {
    let rows = list.as_array().unwrap().iter();
    rows.map(|row| row["number"].as_u64().unwrap()).collect()
}

/// No byte that a terminal would obey.
fn is_plain(text: &str) -> bool {
    !text.contains(['\x1b', '\u{202e}', '\r'])
}

#[test]
fn everything_that_can_be_asked() {
    if tools::lacks_ssh_keygen() {
        return;
    }
    let world = World::new();
    groups(&world);
    sameness(&world);
    distinctness(&world);
    layers(&world);
    tables(&world);
    logs(&world);
    snapshots(&world);
    proposals(&world);
    differences(&world);
    blame_now_and_then(&world);
    blame_of_other_rows(&world);
    explanations(&world);
    unknown_names(&world);
    snapshots_have_many_names(&world);
    hostile_text_is_escaped(&world);
    status(&world);
}

fn groups(world: &World) {
    assert_eq!(world.says(&["group", "nicknick"]), "  a\n* b\n  c\n");
    let verbose = world.says(&["group", "-v", "a"]);
    let tail = "edges:\n  a bind b\nmerges:\n  c merge b\naliases:\n  evil alias a\n  nick alias c\n  nicknick alias nick\n";
    assert_eq!(verbose, format!("  a\n* b\n  c\n{tail}"));
    let answer = world.json(&["group", "c", "--at", "@3"]);
    assert_eq!(answer["at"]["number"], 3);
    assert_eq!(answer["members"], json!(["a", "b", "c"]));
    assert_eq!(answer["representative"], "b");
    assert_eq!(answer["edges"], json!([{"from": "a", "to": "b"}]));
    assert_eq!(column(&answer["aliases"], "from"), ["nick", "nicknick"]);
    assert_eq!(world.ask(&["group", "a", "--at", "2"]).code, 1);
}

fn sameness(world: &World) {
    let ran = world.ask(&["same", "nick", "evil"]);
    assert_eq!(ran.code, 0);
    let expected = [
        "yes",
        "`nick` is an alias of `c`",
        "common@3 2026-01-01 alice: A group",
        "`c` was merged into `b`",
        "`b` and `a` are bound",
        "`evil` is an alias of `a`",
        "common@5 2026-01-01 bob: Evil",
    ];
    let mut rest = ran.out.as_str();
    for words in expected {
        let at = rest
            .find(words)
            .unwrap_or_else(|| panic!("{words}: {}", ran.out));
        rest = &rest[at + words.len()..];
    }
    let answer = world.json(&["same", "a", "nick"]);
    assert_eq!(answer["same"], true);
    assert_eq!(column(&answer["path"], "via"), ["bind", "merge", "alias"]);
    assert_eq!(column(&answer["path"], "from"), ["a", "b", "c"]);
    assert_eq!(
        column(&answer["path"], "backwards"),
        ["false", "true", "true"]
    );
    assert_eq!(answer["path"][1]["decided"]["number"], 3);
    let itself = world.json(&["same", "a", "a"]);
    assert_eq!(
        (&itself["same"], &itself["path"]),
        (&json!(true), &json!([]))
    );
}

fn distinctness(world: &World) {
    let ran = world.ask(&["same", "nick", "z"]);
    assert_eq!(ran.code, 1);
    assert!(
        ran.out
            .starts_with("no\n`a` and `z` were declared distinct\n"),
        "{}",
        ran.out
    );
    assert!(ran.out.contains("common@4"));
    let answer = world.json(&["same", "z", "c"]);
    assert_eq!(answer["same"], false);
    assert_eq!(
        (
            &answer["distinct"][0]["a"],
            &answer["distinct"][0]["decided"]["number"]
        ),
        (&json!("z"), &json!(4))
    );
    // Not the same, and nobody said that they never will be.
    let ran = world.ask(&["same", "a", "pkg"]);
    assert_eq!((ran.code, ran.out.as_str()), (1, "no\n"));
    let ran = world.ask(&["same", "a", "nobody"]);
    assert_eq!((ran.code, ran.out.as_str()), (1, ""));
    assert!(ran.err.contains("not-found"));
}

fn layers(world: &World) {
    let answer = world.json(&["overlays", "pkg"]);
    assert_eq!(column(&answer["layers"], "base"), ["1.0", "1.1"]);
    assert_eq!(answer["layers"][0]["after"], Value::Null);
    assert_eq!(answer["layers"][1]["after"], answer["layers"][0]["id"]);
    let human = world.says(&["overlays", "pkg"]);
    let bases: Vec<&str> = human
        .lines()
        .map(|line| line.split(' ').nth(1).unwrap())
        .collect();
    assert_eq!(bases, ["1.0", "1.1"]);
    assert_eq!(world.says(&["overlays", "a"]), "");
    assert_eq!(world.ask(&["overlays", "pkg", "--at", "2"]).code, 1);
}

fn tables(world: &World) {
    let answer = world.json(&["state"]);
    let count = |name: &str| {
        let tables = answer["tables"].as_array().unwrap();
        tables.iter().find(|t| t["table"] == name).unwrap()["rows"].as_u64()
    };
    assert_eq!(
        (count("aliases"), count("edges"), count("overlays")),
        (Some(4), Some(2), Some(2))
    );
    assert!(world.says(&["state"]).contains("Redirects, by the name"));
    let old = world.says(&["state", "aliases", "--at", "2"]);
    assert_eq!(
        old,
        "{\"alias\":\"Europe/Kiev\",\"target\":\"Europe/Kyiv\"}\n{\"alias\":\"US/Eastern\",\"target\":\"America/New_York\"}\n"
    );
    let answer = world.json(&["state", "aliases", "--prefix", "nick"]);
    assert_eq!(column(&answer["rows"], "alias"), ["nick", "nicknick"]);
    let limited = world.ask(&["state", "aliases", "--limit", "1"]);
    assert_eq!(limited.out.lines().count(), 1);
    assert!(limited.err.contains("more rows"));
    assert_eq!(
        world.json(&["state", "pins", "--limit", "1"])["rows"],
        json!([{"name": "b"}])
    );
    let ran = world.ask(&["state", "alaises"]);
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("did you mean `aliases`"), "{}", ran.err);
}

fn logs(world: &World) {
    let answer = world.json(&["log"]);
    assert_eq!(numbers(&answer["snapshots"]), [6, 5, 4, 3, 2, 1]);
    assert_eq!(answer["snapshots"][3]["decisions"], 7);
    assert_eq!(answer["snapshots"][4]["author"], "bob");
    assert_eq!(answer["snapshots"][4]["date"], "2026-01-01T00:00:00+00:00");
    assert_eq!(
        numbers(&world.json(&["log", "-n", "2", "--at", "4"])["snapshots"]),
        [4, 3]
    );
    assert_eq!(
        numbers(&world.json(&["log", "-n", "2", "--reverse"])["snapshots"]),
        [5, 6]
    );
    assert_eq!(
        numbers(&world.json(&["log", "-n", "0"])["snapshots"]),
        [0u64; 0]
    );
    let human = world.says(&["log", "--at", "2"]);
    for words in [
        "common@2 ",
        "Author: bob <bob@x.org>",
        "Holds:  2 decisions",
        "    writes them so.\n",
    ] {
        assert!(human.contains(words), "{words}: {human}");
    }
    let oneline = world.says(&["log", "--oneline", "-n", "1"]);
    assert!(
        oneline.starts_with("@6 ")
            && oneline.ends_with(" 2026-01-01 alice: Second thoughts (2 decisions)\n"),
        "{oneline}"
    );
}

fn snapshots(world: &World) {
    let answer = world.json(&["show", "6"]);
    assert_eq!(answer["at"]["number"], 6);
    assert_eq!(answer["epoch"], 1);
    assert_eq!(answer["proposal"]["author"], "alice");
    assert_eq!(answer["proposal"]["base"], 5);
    assert_eq!(
        column(&answer["rows"], "change"),
        ["removed", "changed", "removed", "added", "removed"]
    );
    let human = world.says(&["show", "common@6"]);
    for words in [
        "common@6 ",
        "alias.set `US/Eastern` -> `America/Toronto`\nalias.drop `Europe/Kiev`\n",
        "-aliases {\"alias\":\"US/Eastern\",\"target\":\"America/New_York\"}\n+aliases {",
        "    Second thoughts\n",
    ] {
        assert!(human.contains(words), "{words}: {human}");
    }
    // The charter has no page before it.
    assert_eq!(world.json(&["show", "1"])["proposal"]["base"], 0);
    assert_eq!(world.json(&["show"])["at"]["number"], 6);
}

fn proposals(world: &World) {
    let waiting = world.json(&["show", "bob/still-waiting"]);
    assert_eq!(waiting["proposal"]["number"], Value::Null);
    assert_eq!(
        waiting["proposal"]["decisions"],
        json!([{"name": "a", "op": "pin"}])
    );
    let digest = waiting["proposal"]["digest"].as_str().unwrap();
    let commit = waiting["proposal"]["commit"].as_str().unwrap();
    for id in [
        &digest[..10],
        digest,
        &commit[..12],
        "proposals/bob/still-waiting",
    ] {
        assert_eq!(
            world.json(&["show", id])["proposal"]["digest"],
            digest,
            "{id}"
        );
    }
    let numbered = world.json(&["log", "--at", "2", "-n", "1"])["snapshots"][0]["proposal"].clone();
    let numbered = numbered.as_str().unwrap();
    for id in [&numbered[..12], numbered] {
        assert_eq!(world.json(&["show", id])["proposal"]["number"], 2, "{id}");
    }
    assert!(
        world
            .says(&["show", digest])
            .contains("Base:     common@6, not numbered")
    );
    let ran = world.ask(&["show", "bob/stil-waiting"]);
    assert_eq!(ran.code, 1);
    assert!(
        ran.err.contains("did you mean `bob/still-waiting`"),
        "{}",
        ran.err
    );
    // A tree has an id too, and is nothing to show.
    let tree = world.git(&["rev-parse", "main^{tree}"]);
    assert_eq!(world.ask(&["show", tree.trim()]).code, 1);
}

fn differences(world: &World) {
    let answer = world.json(&["diff", "4", "6"]);
    assert_eq!(numbers(&answer["decisions"]), [5, 6]);
    assert_eq!(answer["decisions"][1]["decisions"][1]["op"], "alias.drop");
    let changed: Vec<String> = column(&answer["rows"], "subject");
    assert!(changed.contains(&"evil".into()) && changed.contains(&"US/Eastern".into()));
    let back = world.json(&["diff", "6", "4", "--rows"]);
    assert_eq!(back["decisions"], json!([]));
    let row = |answer: &Value, side: &str| {
        let rows = answer["rows"].as_array().unwrap().clone();
        rows.into_iter()
            .find(|r| r["subject"] == "US/Eastern" && r["table"] == "aliases")
            .unwrap()[side]
            .clone()
    };
    assert_eq!(row(&answer, "before"), row(&back, "after"));
    let human = world.says(&["diff", "@5"]);
    assert!(
        human.starts_with("common@6 2026-01-01 alice: Second thoughts\n    alias.set "),
        "{human}"
    );
    assert!(human.contains("\n-aliases {\"alias\":\"Europe/Kiev\""));
    assert!(
        !world
            .says(&["diff", "5", "--decisions"])
            .contains("-aliases")
    );
    assert_eq!(world.ask(&["diff", "5", "6", "--exit-code"]).code, 1);
    assert_eq!(world.ask(&["diff", "6", "6", "--exit-code"]).code, 0);
    assert_eq!(world.ask(&["diff", "6", "7"]).code, 1);
}

fn blame_now_and_then(world: &World) {
    let row = &world.json(&["blame", "US/Eastern"])["rows"][0];
    assert_eq!(numbers(&row["changes"]), [6]);
    assert_eq!(row["changes"][0]["author"], "alice");
    assert_eq!(row["changes"][0]["decision"]["target"], "America/Toronto");
    assert_eq!(row["changes"][0]["before"]["target"], "America/New_York");
    let old = &world.json(&["blame", "US/Eastern", "--at", "5"])["rows"][0]["changes"][0];
    assert_eq!((&old["number"], &old["author"]), (&json!(2), &json!("bob")));
    assert_eq!(
        old["text"],
        "Two aliases\n\nSince everybody\nwrites them so.\n"
    );
    let all = &world.json(&["blame", "US/Eastern", "--all"])["rows"][0];
    assert_eq!(numbers(&all["changes"]), [6, 2]);
    // What is gone has somebody who took it away.
    let gone = &world.json(&["blame", "Europe/Kiev"])["rows"][0]["changes"][0];
    assert_eq!(
        (&gone["number"], &gone["after"], &gone["index"]),
        (&json!(6), &Value::Null, &json!(1))
    );
    let human = world.says(&["blame", "US/Eastern", "--at", "2"]);
    for words in [
        "aliases `US/Eastern`\ncommon@2 2026-01-01 bob: Two aliases (proposal ",
        "    writes them so.\n",
        "  decision 1: alias.set `US/Eastern`",
        "  - no row\n  + {\"alias\"",
    ] {
        assert!(human.contains(words), "{words}: {human}");
    }
}

fn blame_of_other_rows(world: &World) {
    let rows = world.json(&["blame", "b"])["rows"].clone();
    assert_eq!(column(&rows, "table"), ["edges", "pins"]);
    let rows = world.json(&["blame", "a", "z", "--table", "distinct"])["rows"].clone();
    assert_eq!(
        (&rows[0]["detail"], numbers(&rows[0]["changes"])),
        (&json!("z"), vec![4])
    );
    let rows = world.json(&["blame", "bob"])["rows"].clone();
    assert_eq!(
        (column(&rows, "table"), numbers(&rows[0]["changes"])),
        (vec!["members".into()], vec![1])
    );
    let rows = world.json(&["blame", "pkg"])["rows"].clone();
    assert_eq!(column(&rows, "table"), ["overlays", "overlays"]);
    let indexes: Vec<&Value> = rows
        .as_array()
        .unwrap()
        .iter()
        .map(|r| &r["changes"][0]["index"])
        .collect();
    assert!(
        indexes.contains(&&json!(1)) && indexes.contains(&&json!(6)),
        "{indexes:?}"
    );
    assert_eq!(world.ask(&["blame", "a", "--at", "2"]).code, 1);
    assert_eq!(
        world.ask(&["blame", "US/Eastern", "--table", "pins"]).code,
        1
    );
}

fn explanations(world: &World) {
    let answer = world.json(&["explain", "nicknick"]);
    assert_eq!(
        (&answer["entity"], &answer["representative"]),
        (&json!("b"), &json!("b"))
    );
    assert_eq!(column(&answer["path"], "to"), ["nick", "c", "b"]);
    assert_eq!(answer["facts"][0]["decided"]["number"], 3);
    let kinds = |name: &str| column(&world.json(&["explain", name])["facts"], "kind");
    assert_eq!(kinds("c"), ["merged", "target", "origin"]);
    assert_eq!(kinds("b"), ["pinned", "merged-into", "bound"]);
    assert_eq!(kinds("a"), ["target", "bound", "distinct"]);
    assert_eq!(kinds("fresh"), ["forked"]);
    assert_eq!(kinds("nick"), ["alias", "target"]);
    assert_eq!(kinds("pkg"), ["overlaid"]);
    assert_eq!(kinds("bob"), ["member"]);
    let human = world.says(&["explain", "c"]);
    assert!(
        human.starts_with("`c` is\n  merged into `b`\n    common@3"),
        "{human}"
    );
    assert!(
        human.contains("It resolves to b\n`c` was merged into `b`"),
        "{human}"
    );
    let code = world.json(&["explain", "stale"]);
    assert_eq!(
        (&code["area"], &code["exit_code"]),
        (&json!("rule"), &json!(3))
    );
    let outside = world.run_in(&world.path(""), &["explain", "stael"]);
    assert_eq!(outside.code, 1);
    assert!(
        outside.err.contains("did you mean `stale`"),
        "{}",
        outside.err
    );
    assert_eq!(world.ask(&["explain", "stale", "--name"]).code, 1);
}

fn unknown_names(world: &World) {
    for command in ["group", "blame", "explain", "overlays", "resolve"] {
        let ran = world.ask(&[command, "US/Eastren"]);
        assert_eq!((ran.code, ran.out.as_str()), (1, ""), "{command}");
        assert!(ran.err.contains("`US/Eastern`"), "{command}: {}", ran.err);
    }
    let ran = world.ask(&["group", "a\x1b[2Jb"]);
    assert_eq!(ran.code, 3);
    assert!(is_plain(&ran.err));
}

fn snapshots_have_many_names(world: &World) {
    let commit = world.git(&["rev-parse", "main~2"]);
    world.git(&["tag", "-f", "release", "main~2"]);
    for at in [
        "4",
        "@4",
        "common@4",
        "release",
        commit.trim(),
        &commit[..10],
    ] {
        assert_eq!(
            world.json(&["state", "--at", at])["at"]["number"],
            4,
            "{at}"
        );
        assert_eq!(world.json(&["show", at])["at"]["number"], 4, "{at}");
        assert_eq!(world.json(&["show", "--at", at])["at"]["number"], 4, "{at}");
        let status = world.json(&["status", "--at", at]);
        assert_eq!(status["at"]["number"], 4, "{at}");
        assert_eq!(status["newest"], false, "{at}");
        assert_eq!(
            world.json(&["blame", "a", "--at", at])["at"]["number"],
            4,
            "{at}"
        );
    }
    assert_eq!(world.json(&["status"])["newest"], true);
    assert_eq!(world.ask(&["show", "3", "--at", "4"]).code, 2);
    assert_eq!(world.ask(&["state", "--at", "99"]).code, 1);
    assert_eq!(world.ask(&["state", "--at", "nowhere"]).code, 1);
}

fn hostile_text_is_escaped(world: &World) {
    let asked: [&[&str]; 8] = [
        &["log"],
        &["log", "--oneline"],
        &["show", "5"],
        &["diff", "4", "5"],
        &["blame", "evil"],
        &["explain", "evil"],
        &["same", "evil", "b"],
        &["status"],
    ];
    for arguments in asked {
        let ran = world.ask(arguments);
        assert!(
            is_plain(&ran.out) && is_plain(&ran.err),
            "{arguments:?}: {:?}",
            ran.out
        );
    }
    assert!(
        world
            .says(&["log", "--oneline"])
            .contains("Evil \\u{1b}[2J\\u{202e}subject")
    );
    // JSON has it as it is: its own escapes keep control characters out.
    let answer = world.json(&["log", "--at", "5", "-n", "1"]);
    assert_eq!(answer["snapshots"][0]["subject"], asked::HOSTILE);
}

fn status(world: &World) {
    let answer = world.json(&["status"]);
    assert_eq!(
        (&answer["name"], &answer["at"]["number"]),
        (&json!("zones"), &json!(6))
    );
    assert_eq!(
        answer["pen"],
        json!({"member": "alice", "epoch": 1, "released": false})
    );
    assert_eq!(
        answer["you"],
        json!({"handle": "alice", "roles": ["admin", "member", "witness"]})
    );
    assert_eq!(
        (&answer["waiting"], &answer["drafted"]),
        (&json!(1), &json!(0))
    );
    assert_eq!(column(&answer["warnings"], "warning"), ["no-recovery"]);
    let human = world.ask(&["status"]);
    for words in [
        "zones ",
        "common@6 2026-01-01",
        "alice, epoch 1",
        "1 proposal\n",
        "0 decisions\n",
    ] {
        assert!(human.out.contains(words), "{words}: {}", human.out);
    }
    assert!(human.err.contains("recovery"));
}

#[test]
fn a_space_that_was_moved_checks_its_signatures_again() {
    if tools::lacks_ssh_keygen() {
        return;
    }
    let world = World::new();
    world.git(&["replace", "main~1", "main~2"]);
    world.git(&[
        "config",
        "gpg.ssh.allowedSignersFile",
        "/gone/folio/allowed-signers",
    ]);
    let answer = world.json(&["status"]);
    assert_eq!(
        column(&answer["warnings"], "warning"),
        ["replaced-objects", "no-recovery"]
    );
    let path = world.git(&["config", "gpg.ssh.allowedSignersFile"]);
    assert!(
        path.trim().ends_with("space/.git/folio/allowed-signers"),
        "{path}"
    );
    world.git(&["replace", "-d", "main~1"]);
    std::fs::remove_file(path.trim()).unwrap();
    world.says(&["status"]);
    world.git(&["verify-commit", "main"]);
    // A file that somebody chose is theirs.
    world.git(&["config", "gpg.ssh.allowedSignersFile", "/etc/signers"]);
    world.says(&["status"]);
    assert_eq!(
        world.git(&["config", "gpg.ssh.allowedSignersFile"]),
        "/etc/signers\n"
    );
}

#[test]
fn a_shallow_clone_answers_without_the_history() {
    if tools::lacks_ssh_keygen() {
        return;
    }
    let world = World::new();
    let (from, to) = (world.space(), world.path("shallow"));
    let from = format!("file://{}", from.display());
    world.git(&["clone", "-q", "--depth", "1", &from, to.to_str().unwrap()]);
    let ask = |arguments: &[&str]| world.run_in(&to, arguments);
    assert_eq!(ask(&["group", "nick"]).out, "  a\n* b\n  c\n");
    assert_eq!(ask(&["state", "pins"]).out, "{\"name\":\"b\"}\n");
    let same = ask(&["same", "c", "b"]);
    assert_eq!(
        (same.code, same.out.as_str()),
        (0, "yes\n`c` was merged into `b`\n"),
        "{}",
        same.err
    );
    assert!(same.err.contains("shallow"));
    let status = ask(&["status"]);
    assert!(status.code == 0 && status.out.contains("no member, by your key"));
    let blame = ask(&["blame", "nick"]);
    assert_eq!(blame.code, 6);
    assert!(blame.err.contains("object-missing"), "{}", blame.err);
}

#[test]
fn rows_of_a_large_table_come_whole() {
    let world = World::empty();
    let world = asked::large(world, 300);
    let out = world.says(&["state", "aliases"]);
    let mut lines: Vec<&str> = out.lines().collect();
    lines.sort_unstable();
    lines.dedup();
    assert_eq!(lines.len(), 300);
    let answer = world.json(&["state", "aliases"]);
    assert_eq!(answer["rows"].as_array().unwrap().len(), 300);
    let answer = world.json(&["state", "aliases", "--prefix", "n29", "--limit", "5"]);
    assert_eq!(answer["rows"].as_array().unwrap().len(), 5);
    let text = world.json(&["blame", "n7"])["rows"][0]["changes"][0]["index"].clone();
    assert_eq!(text, 7);
}

#[test]
fn help_fits_on_a_screen() {
    let world = World::empty();
    let help = |arguments: &[&str]| {
        let ran = world.run_in(&world.path(""), arguments);
        assert_eq!(ran.code, 0, "{arguments:?}: {}", ran.err);
        ran.out
    };
    let fits = |name: &str, text: &str, most: usize| {
        let widest = text.lines().map(|line| line.chars().count()).max().unwrap();
        let lines = text.lines().count();
        assert!(
            lines <= most && widest <= 100,
            "{name}: {lines} lines, {widest} columns"
        );
    };
    let top = help(&["-h"]);
    fits("folio", &top, 40);
    let words: Vec<&str> = top.split([' ', ',', '\n']).collect();
    let cli = <folio::cli::args::Cli as clap::CommandFactory>::command();
    let manual = std::fs::read_to_string("docs/cli.md").unwrap();
    for command in cli.get_subcommands() {
        let name = command.get_name();
        assert!(words.contains(&name), "folio -h does not list {name}");
        assert!(
            manual.contains(&format!("| `{name}")),
            "docs/cli.md does not list {name}"
        );
        fits(name, &help(&[name, "-h"]), 24);
    }
    assert_eq!(help(&["help"]), top);
    assert_eq!(
        help(&["help", "alias", "set"]),
        help(&["alias", "set", "--help"])
    );
    for topic in ["tutorial", "decisions", "codes", "exit-codes", "json"] {
        assert!(!help(&["help", topic]).is_empty());
    }
    let ran = world.run_in(&world.path(""), &["help", "decsions"]);
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("`decisions`"), "{}", ran.err);
}

#[test]
fn completions_and_manual_pages() {
    let world = World::empty();
    let home = world.path("");
    for shell in ["bash", "zsh", "fish"] {
        let ran = world.run_in(&home, &["completions", shell]);
        assert!(ran.code == 0 && ran.out.contains("unpin-name"), "{shell}");
    }
    let ran = world.run_in(&home, &["man"]);
    assert!(
        ran.code == 0 && ran.out.contains("The key to sign with"),
        "{}",
        ran.out
    );
    let ran = world.run_in(&home, &["man", "--out", "pages"]);
    assert_eq!((ran.code, ran.out.as_str()), (0, ""));
    for page in ["folio.1", "folio-blame.1", "folio-alias-set.1"] {
        assert!(home.join("pages").join(page).is_file(), "{page}");
    }
}

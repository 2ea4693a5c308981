//! Bringing what is new elsewhere.

use crate::net::Net;
use serde_json::Value;

fn fetched(net: &Net, dir: &str, args: &[&str]) -> Value {
    let answer = net.json(dir, "", &[&["fetch"], args].concat());
    answer["fetched"][0].clone()
}

fn names(value: &Value) -> Vec<&str> {
    value
        .as_array()
        .unwrap()
        .iter()
        .map(|name| name.as_str().unwrap())
        .collect()
}

#[test]
fn ahead_same_behind() {
    let net = Net::new();
    net.clone_to("a", &[]);
    net.clone_to("b", &[]);
    net.number("two");
    net.number("three");
    net.run("space", "wanda", &["push"]).ok();
    let view = fetched(&net, "a", &[]);
    assert_eq!(
        (&view["course"], &view["from"]),
        (&"ahead".into(), &2.into())
    );
    assert_eq!(view["to"], 4);
    assert_eq!(
        net.at("a", "refs/heads/main"),
        net.at("hub.git", "refs/heads/main")
    );
    // The work tree went along.
    let status = net.git("a", &["status", "--porcelain"]);
    assert_eq!(status, "");
    let lines = std::fs::read_to_string(net.path("a/aliases.jsonl")).unwrap();
    assert!(lines.contains("three"), "{lines}");
    assert_eq!(fetched(&net, "a", &[])["course"], "same");
    // From a clone that has less.
    let before = net.refs("a");
    let ran = net.run("a", "", &["fetch", "../b"]);
    assert!(
        ran.err.contains("does not have our newest pages"),
        "{ran:?}"
    );
    ran.ok();
    assert_eq!(fetched(&net, "a", &["../b"])["course"], "behind");
    let main = |refs: &str| {
        refs.lines()
            .find(|l| l.contains("heads/main"))
            .map(str::to_owned)
    };
    assert_eq!(main(&net.refs("a")), main(&before));
    // And the other way round, by path alone.
    let view = fetched(&net, "b", &["../a"]);
    assert_eq!(view["to"], 4);
    net.sound("b");
}

#[test]
fn a_second_fetch_brings_only_what_is_new() {
    let net = Net::new();
    net.clone_to("a", &[]);
    let mut lines = String::new();
    for n in 0..2000 {
        let hash = blake3::hash(format!("{n}").as_bytes()).to_hex();
        lines +=
            &format!("{{\"op\":\"alias.set\",\"alias\":\"n{hash}\",\"target\":\"t{hash}\"}}\n");
    }
    net.propose_lines("space", "bob", "many", &lines);
    net.run("space", "wanda", &["accept", "--all"]).ok();
    net.run("space", "wanda", &["push"]).ok();
    let (packs, before) = net.packs("a");
    fetched(&net, "a", &[]);
    let (more, large) = net.packs("a");
    assert!(more > packs && large - before > 50_000, "{before} {large}");
    net.number("two");
    net.run("space", "wanda", &["push"]).ok();
    fetched(&net, "a", &[]);
    let (_, now) = net.packs("a");
    assert!(
        now > large && now - large < 30_000,
        "one page of one alias: {} bytes",
        now - large
    );
    // Nothing new: nothing at all is asked for, and nothing is written.
    let before = net.packs("a");
    fetched(&net, "a", &[]);
    assert_eq!(net.packs("a"), before);
}

#[test]
fn a_branch_that_waits_is_taken_when_its_page_comes() {
    let net = Net::new();
    net.clone_to("a", &[]);
    net.clone_to("b", &[]);
    net.number("two");
    // `c` is a repository that has the proposal and, for once, not the page that it stands on.
    net.run("space", "wanda", &["push"]).ok();
    net.run("b", "bob", &["fetch"]).ok();
    net.propose("b", "bob", "late");
    let late = net.at("b", "refs/heads/proposals/bob/late").unwrap();
    net.git("b", &["update-ref", "refs/heads/main", "main~1"]);
    let view = fetched(&net, "a", &["../b"]);
    assert_eq!(view["waiting"][0]["name"], "proposals/bob/late");
    assert_eq!(view["waiting"][0]["code"], "base-unknown");
    assert_eq!(net.at("a", "refs/heads/proposals/bob/late"), None);
    // The page comes from elsewhere, and what waits is looked at again.
    let view = fetched(&net, "a", &[]);
    assert_eq!(view["to"], 3);
    assert_eq!(names(&view["taken"]), ["proposals/bob/late"]);
    assert_eq!(net.at("a", "refs/heads/proposals/bob/late"), Some(late));
    assert!(
        !net.refs("a").contains("refs/folio/incoming/"),
        "{}",
        net.refs("a")
    );
}

#[test]
fn what_a_mirror_hides_stays_and_what_waits_stays_too() {
    let net = Net::new();
    net.clone_to("a", &[]);
    net.clone_to("b", &[]);
    net.propose("b", "bob", "kept");
    net.number("two");
    net.run("space", "wanda", &["push"]).ok();
    net.run("b", "bob", &["fetch"]).ok();
    net.propose("b", "bob", "late");
    net.git("b", &["update-ref", "refs/heads/main", "main~1"]);
    let view = fetched(&net, "a", &["../b"]);
    assert_eq!(names(&view["taken"]), ["proposals/bob/kept"]);
    // As a second stick in the same place, or a server that hides branches.
    for slug in ["kept", "late"] {
        let name = format!("refs/heads/proposals/bob/{slug}");
        net.git("b", &["update-ref", "-d", &name]);
    }
    fetched(&net, "a", &["../b"]);
    assert!(net.at("a", "refs/heads/proposals/bob/kept").is_some());
    let view = fetched(&net, "a", &[]);
    assert_eq!(names(&view["taken"]), ["proposals/bob/late"], "{view}");
}

#[test]
fn foreign_refs_are_counted_and_left_there() {
    let net = Net::new();
    net.clone_to("a", &[]);
    let main = net.at("hub.git", "refs/heads/main").unwrap();
    let foreign = [
        "refs/heads/feature",
        "refs/heads/refs/heads/main",
        "refs/heads/proposals/Bob/x",
        "refs/heads/proposals/bob/x/y",
        "refs/heads/pen/wanda/x",
    ];
    for name in foreign {
        net.git("hub.git", &["update-ref", name, &main]);
    }
    net.git("hub.git", &["tag", "v1", &main]);
    net.git("hub.git", &["update-ref", "refs/folio/pin", &main]);
    let before = net.refs("a");
    let view = fetched(&net, "a", &[]);
    assert_eq!(view["foreign"], foreign.len());
    assert_eq!(net.refs("a"), before);
    let ran = net.run("a", "", &["fetch"]);
    assert!(
        ran.err.contains("5 refs that are none of a space's"),
        "{ran:?}"
    );
}

#[test]
fn one_remote_that_is_away_does_not_silence_the_others() {
    let net = Net::new();
    net.clone_to("a", &[]);
    net.clone_to("b", &[]);
    net.propose("b", "bob", "from-b");
    net.git("a", &["remote", "add", "away", "../nowhere"]);
    net.git("a", &["remote", "add", "b", "../b"]);
    let ran = net.run("a", "", &["fetch", "--all"]);
    assert_eq!(ran.code, 6, "{ran:?}");
    assert_eq!(ran.err.matches("error: ").count(), 1, "once: {ran:?}");
    assert!(ran.err.contains("remote-failed"), "{ran:?}");
    assert!(net.at("a", "refs/heads/proposals/bob/from-b").is_some());
    let ran = net.run("a", "", &["--json", "fetch", "b", "away", "origin"]);
    assert_eq!(ran.code, 6, "{ran:?}");
    let answer: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(answer["fetched"].as_array().unwrap().len(), 2);
    let ran = net.run("a", "", &["fetch", "away"]);
    ran.refused("remote-failed", 6);
    // Two that end badly: both are named.
    net.git("a", &["remote", "add", "far", "../nowhere-else"]);
    let ran = net.run("a", "", &["fetch", "--all"]);
    assert!(
        ran.err.contains("nowhere'") && ran.err.contains("nowhere-else'"),
        "{ran:?}"
    );
    // No remote at all.
    net.run("space", "", &["fetch", "b"])
        .refused("remote-failed", 6);
    net.git("space", &["remote", "rename", "origin", "hub"]);
    net.run("space", "", &["fetch"]).ok();
    net.git("space", &["remote", "add", "other", "../a"]);
    net.run("space", "", &["fetch"]).refused("bad-request", 2);
    net.git("space", &["remote", "remove", "other"]);
    net.git("space", &["remote", "remove", "hub"]);
    net.run("space", "", &["fetch"]).refused("bad-request", 2);
}

#[test]
fn changes_in_the_work_tree_stop_it_and_nothing_moves() {
    let net = Net::new();
    net.clone_to("a", &[]);
    net.number("two");
    net.run("space", "wanda", &["push"]).ok();
    let before = net.at("a", "refs/heads/main");
    let file = net.path("a/aliases.jsonl");
    let old = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, "mine\n").unwrap();
    net.run("a", "", &["fetch"]).refused("worktree-changed", 6);
    assert_eq!(net.at("a", "refs/heads/main"), before);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "mine\n");
    std::fs::write(&file, old).unwrap();
    net.run("a", "", &["fetch"]).ok();
    assert_eq!(
        net.at("a", "refs/heads/main"),
        net.at("hub.git", "refs/heads/main")
    );
}

#[test]
fn numbered_branches_go_with_the_page() {
    let net = Net::new();
    net.clone_to("a", &[]);
    net.propose("a", "bob", "two");
    net.run("a", "bob", &["submit"]).ok();
    let view = fetched(&net, "space", &[]);
    assert_eq!(names(&view["taken"]), ["proposals/bob/two"]);
    net.run("space", "wanda", &["accept", "--all"]).ok();
    let ran = net.run("space", "wanda", &["push"]).ok();
    assert!(
        ran.contains("removed proposals/bob/two at origin: it is numbered"),
        "{ran}"
    );
    assert_eq!(net.at("hub.git", "refs/heads/proposals/bob/two"), None);
    fetched(&net, "a", &[]);
    assert_eq!(net.at("a", "refs/heads/proposals/bob/two"), None);
    assert!(!net.refs("a").contains("bob/two"), "{}", net.refs("a"));
}

/// What was seen on a stick was remembered as what `origin` had shown.
#[test]
fn a_clone_from_a_stick_accuses_no_remote_that_is_late() {
    let net = Net::new();
    net.number("two");
    std::fs::create_dir(net.path("stick")).unwrap();
    net.run("space", "", &["bundle", "create", "../stick", "--full"])
        .ok();
    let id = net.space_id();
    net.run(".", "", &["clone", "stick", "a", "--space", &id])
        .ok();
    net.git("a", &["remote", "add", "origin", "../hub.git"]);
    let answer = net.json("a", "", &["fetch"]);
    let fetched = &answer["fetched"][0];
    assert_eq!(
        (&fetched["course"], &fetched["went_back"]),
        (&"behind".into(), &false.into())
    );
    assert!(!net.path("a/.git/folio/evidence").exists());
}

/// What one repository had shown was held against another one that took its name.
#[test]
fn a_remote_that_stands_for_another_place_now_is_not_accused_of_going_back() {
    let net = Net::new();
    net.git(".", &["clone", "-q", "--bare", "hub.git", "late.git"]);
    net.number("two");
    net.run("space", "wanda", &["push"]).ok();
    net.clone_to("a", &[]);
    net.git("a", &["remote", "set-url", "origin", "../late.git"]);
    let answer = net.json("a", "", &["fetch"]);
    let fetched = &answer["fetched"][0];
    assert_eq!(
        (&fetched["course"], &fetched["went_back"]),
        (&"behind".into(), &false.into())
    );
    assert!(!net.path("a/.git/folio/evidence").exists());
}

/// Who only fetched had to begin to wait when they wanted the pen.
#[test]
fn where_takers_wait_for_silence_a_fetch_looks_at_the_holder() {
    let net = Net::new();
    net.clone_to("a", &[]);
    net.run("a", "", &["fetch"]).ok();
    let seen = net.path("a/.git/folio/observed/main");
    assert!(!seen.exists(), "nobody waits here");
    let policy = ["policy", "pen", "appointed", "--ttl", "60"];
    net.run("space", "alice", &policy).ok();
    net.run("space", "alice", &["propose", "-m", "Manners"])
        .ok();
    net.run("space", "wanda", &["accept", "--all"]).ok();
    net.run("space", "wanda", &["push"]).ok();
    net.run("a", "", &["fetch"]).ok();
    let seen = std::fs::read_to_string(seen).unwrap();
    assert!(seen.contains(&net.at("a", "main").unwrap()), "{seen}");
}

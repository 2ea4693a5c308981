//! The snapshot that a consumer stands on.

use crate::cli::finish;
use crate::net::Net;

#[test]
fn who_asks_stands_on_the_pin_and_who_drafts_does_not() {
    let net = Net::new();
    net.clone_to("a", &[]);
    let resolve = |name: &str| net.run("a", "", &["resolve", name]);
    assert_eq!(net.json("a", "", &["pin"])["pin"], serde_json::Value::Null);
    net.run("a", "", &["advance"]).refused("not-found", 1);
    let pinned = net.json("a", "", &["pin", "2"]);
    assert_eq!(pinned["pin"], 2);
    assert_eq!(pinned["commit"].as_str(), net.at("a", "main").as_deref());
    net.number("two");
    net.number("three");
    net.run("space", "wanda", &["push"]).ok();
    let ran = net.run("a", "", &["fetch"]);
    ran.ok();
    // The pages are here, and nothing has changed for who asks.
    assert_eq!(resolve("one").ok(), "t\n");
    net.run("a", "", &["resolve", "two"])
        .refused("not-found", 1);
    for args in [
        &["state"][..],
        &["group", "one"],
        &["overlays", "one"],
        &["blame", "one"],
        &["same", "one", "t"],
    ] {
        let answer = net.run("a", "", &[&["--json"], args].concat());
        let answer: serde_json::Value = serde_json::from_str(&answer.out).unwrap();
        assert_eq!(answer["at"]["number"], 2, "{args:?}");
    }
    assert_eq!(
        net.json("a", "", &["resolve", "two", "--at", "main"])["entity"],
        "t"
    );
    assert_eq!(
        net.json("a", "", &["resolve", "two", "--at", "3"])["entity"],
        "t"
    );
    // Who drafts and proposes stands on the newest page.
    net.run("a", "bob", &["alias", "set", "four", "t"]).ok();
    net.run("a", "bob", &["propose", "-m", "four", "--slug", "four"])
        .ok();
    let parent = net.at("a", "refs/heads/proposals/bob/four^");
    assert_eq!(parent, net.at("a", "refs/heads/main"));
    // Forward, in steps or at once; never back by `advance`.
    assert_eq!(net.json("a", "", &["advance", "3"])["pin"], 3);
    assert_eq!(resolve("two").ok(), "t\n");
    net.run("a", "", &["advance", "2"])
        .refused("bad-request", 2);
    assert_eq!(net.json("a", "", &["advance"])["pin"], 4);
    assert_eq!(net.json("a", "", &["pin", "2"])["pin"], 2);
    assert_eq!(
        net.json("a", "", &["pin", "--clear"])["pin"],
        serde_json::Value::Null
    );
    assert_eq!(resolve("three").ok(), "t\n");
    net.run("a", "", &["pin", "9"]).refused("not-found", 1);
    // It stays here.
    net.run("a", "", &["pin", "2"]).ok();
    net.run("a", "bob", &["sync"]).ok();
    assert!(!net.refs("hub.git").contains("refs/folio"));
}

#[test]
fn only_pages_of_main_can_be_stood_on() {
    let net = Net::new();
    net.clone_to("a", &[]);
    net.propose("a", "bob", "two");
    let proposal = net.at("a", "refs/heads/proposals/bob/two").unwrap();
    let ran = net.run("a", "", &["pin", &proposal]);
    assert_ne!(ran.code, 0, "{ran:?}");
    assert_eq!(net.at("a", "refs/folio/pin"), None);
    for wrong in ["0", "-1", "x", "99999999999999999999"] {
        let ran = net.run("a", "", &["pin", "--", wrong]);
        assert_ne!(ran.code, 0, "{wrong}: {ran:?}");
    }
    assert_eq!(net.at("a", "refs/folio/pin"), None);
    let ran = net.run("a", "", &["pin", "--takeover", &"0".repeat(64)]);
    ran.refused("not-found", 1);
    net.run("a", "", &["pin", "--takeover", "x"])
        .refused("bad-request", 2);
}

/// As after a fetch that follows: a branch that stayed would say that it still waits.
#[test]
fn a_take_over_removes_the_branches_of_what_the_other_chain_numbered() {
    let net = Net::new();
    net.propose("space", "bob", "both");
    net.run("space", "alice", &["approve", "bob/both"]).ok();
    net.run("space", "bob", &["push"]).ok();
    net.clone_to("b", &["--bare"]);
    let state = net.path("elsewhere").display().to_string();
    let accept = ["--offline", "--state-dir", &state, "accept", "--all"];
    net.run("b", "wanda", &accept).ok();
    net.propose("space", "bob", "mine");
    net.run("space", "wanda", &["--offline", "accept", "bob/mine"])
        .ok();
    net.run("space", "wanda", &["fetch", "../b"])
        .refused("two-children", 4);
    let waits = "refs/heads/proposals/bob/both";
    assert!(net.at("space", waits).is_some());
    assert!(net.refs("space").contains("refs/heads/reviews/alice/"));
    let chain = net.json("b", "", &["status"])["chain"].clone();
    net.run("space", "", &["pin", "--takeover", chain.as_str().unwrap()])
        .ok();
    assert_eq!(net.at("space", "main"), net.at("b", "main"));
    assert_eq!(net.at("space", waits), None);
    let refs = net.refs("space");
    assert!(!refs.contains("refs/heads/reviews/"), "{refs}");
    // What only the pages that were cut off had numbered waits again.
    assert!(refs.contains("refs/heads/proposals/bob/again-"), "{refs}");
    net.sound("space");
}

/// Every page that was cut off gave a branch to one transaction, and each ref of a transaction keeps a file open.
#[test]
fn a_take_over_cuts_more_pages_than_a_process_may_open_files() {
    let net = Net::new();
    net.clone_to("b", &[]);
    for at in 0..200 {
        net.propose("space", "bob", &format!("mine-{at}"));
    }
    net.run("space", "wanda", &["--offline", "accept", "--all"])
        .ok();
    net.propose("b", "bob", "theirs");
    let state = net.path("elsewhere").display().to_string();
    let accept = ["--offline", "--state-dir", &state, "accept", "--all"];
    net.run("b", "wanda", &accept).ok();
    net.run("space", "wanda", &["fetch", "../b"])
        .refused("two-children", 4);
    let chain = net.json("b", "", &["status"])["chain"].clone();
    let mut follow = net.fixture.bare_command("sh", &net.path("space"));
    follow.args(["-c", "ulimit -n 180 && exec \"$@\"", "sh"]);
    follow.arg(env!("CARGO_BIN_EXE_folio"));
    follow.args(["pin", "--takeover", chain.as_str().unwrap()]);
    finish(&mut follow, b"").ok();
    assert_eq!(net.at("space", "main"), net.at("b", "main"));
    let refs = net.refs("space");
    let back = refs.lines().filter(|line| line.contains("/again-")).count();
    assert_eq!(back, 200, "{refs}");
    net.sound("space");
}

//! People with nothing but git, and clones that have less than everything.

use crate::net::Net;

#[test]
fn plain_git_clones_pulls_and_pushes() {
    let net = Net::new();
    net.git(".", &["clone", "-q", "hub.git", "plain"]);
    // The binary works there at once.
    assert_eq!(net.run("plain", "", &["resolve", "one"]).ok(), "t\n");
    net.sound("plain");
    net.number("two");
    net.run("space", "wanda", &["push"]).ok();
    net.git("plain", &["pull", "-q", "--ff-only"]);
    assert_eq!(net.run("plain", "", &["resolve", "two"]).ok(), "t\n");
    // A proposal through git alone.
    net.git("plain", &["checkout", "-q", "-b", "proposals/bob/three"]);
    let line = "{\"alias\":\"three\",\"op\":\"alias.set\",\"target\":\"t\"}\n";
    std::fs::write(net.path("plain/decisions.jsonl"), line).unwrap();
    net.git("plain", &["add", "decisions.jsonl"]);
    let key = format!("user.signingKey={}", net.path("bob.key.pub").display());
    let author = [
        "-c",
        "user.name=Bob",
        "-c",
        "user.email=bob@example.org",
        "-c",
        "gpg.format=ssh",
        "-c",
        &key,
    ];
    net.git(
        "plain",
        &[&author[..], &["commit", "-q", "-S", "-m", "three"]].concat(),
    );
    net.git("plain", &["push", "-q", "origin", "proposals/bob/three"]);
    net.git("plain", &["checkout", "-q", "main"]);
    net.run("space", "wanda", &["fetch"]).ok();
    net.run("space", "wanda", &["accept", "--all"]).ok();
    net.run("space", "wanda", &["push"]).ok();
    // And back through the binary, in the clone that git made.
    let view = net.json("plain", "", &["fetch"]);
    assert_eq!(view["fetched"][0]["to"], 4);
    assert_eq!(net.git("plain", &["status", "--porcelain"]), "");
    assert_eq!(net.run("plain", "", &["resolve", "three"]).ok(), "t\n");
    // git agrees with what the binary did.
    net.git("plain", &["fetch", "-q"]);
    assert_eq!(
        net.git("plain", &["rev-list", "--count", "main...origin/main"]),
        "0"
    );
    net.git("plain", &["pull", "-q", "--ff-only"]);
    net.sound("plain");
}

#[test]
fn a_clone_by_folio_is_one_that_git_works_with() {
    let net = Net::new();
    net.clone_to("a", &[]);
    net.number("two");
    net.run("space", "wanda", &["push"]).ok();
    net.git("a", &["pull", "-q", "--ff-only"]);
    assert_eq!(net.at("a", "main"), net.at("hub.git", "main"));
    assert_eq!(net.git("a", &["status", "--porcelain"]), "");
    let status = net.json("a", "", &["fetch"]);
    assert_eq!(status["fetched"][0]["course"], "same");
    net.sound("a");
    net.git("a", &["verify-commit", "main"]);
}

/// A space with one alias, and a clone by git that has no blobs yet, `partial`, of that address.
fn with_partial() -> (Net, String) {
    let net = Net::new();
    net.number("two");
    net.run("space", "wanda", &["push"]).ok();
    net.git("hub.git", &["config", "uploadpack.allowFilter", "true"]);
    let url = format!("file://{}", net.path("hub.git").display());
    net.git(".", &["clone", "-q", "--filter=blob:none", &url, "partial"]);
    (net, url)
}

#[test]
fn a_clone_without_blobs_is_good_for_asking() {
    let (net, url) = with_partial();
    assert_eq!(net.run("partial", "", &["resolve", "two"]).ok(), "t\n");
    net.run("partial", "", &["state", "aliases"]).ok();
    net.run("partial", "", &["status"]).ok();
    net.run("partial", "", &["log", "-n", "1"]);
    // What it lacks comes when it is asked for, and where nobody has it that is said.
    let remote = |url: &str| net.git("partial", &["config", "remote.origin.url", url]);
    remote("../nowhere.git");
    let away = net.run("partial", "", &["show", "3"]);
    assert!(
        away.code == 0 || away.err.contains("error: object-missing: "),
        "{away:?}"
    );
    remote(&url);
    net.run("partial", "", &["show", "3"]).ok();
    // It says what it cannot do, and how to become a whole one.
    let words = net
        .run("partial", "", &["verify"])
        .refused("replaced-objects", 4);
    assert!(words.contains("git fetch --refetch"), "{words}");
    net.number("three");
    net.run("space", "wanda", &["push"]).ok();
    let ran = net.run("partial", "", &["fetch"]);
    assert!(
        ran.code == 0 || ran.err.contains("hint: all of it: "),
        "{ran:?}"
    );
    let unset = |key: &str| net.git("partial", &["config", "--unset", key]);
    unset("remote.origin.partialclonefilter");
    // git packs everything anew after it, and would go on doing so while we look.
    let here = [
        "-c",
        "maintenance.autoDetach=false",
        "-c",
        "gc.autoDetach=false",
    ];
    net.git(
        "partial",
        &[&here[..], &["fetch", "-q", "--refetch"]].concat(),
    );
    unset("remote.origin.promisor");
    net.run("partial", "", &["fetch"]).ok();
    assert_eq!(net.run("partial", "", &["resolve", "three"]).ok(), "t\n");
    net.sound("partial");
}

#[test]
fn who_numbers_in_a_clone_without_blobs_need_not_have_them() {
    let (net, _) = with_partial();
    net.propose("partial", "bob", "three");
    net.run("partial", "wanda", &["accept", "--all"]).ok();
    assert_eq!(net.run("partial", "", &["resolve", "three"]).ok(), "t\n");
}

#[test]
fn a_shallow_clone_of_gits_follows_and_says_so() {
    let net = Net::new();
    net.number("two");
    net.run("space", "wanda", &["push"]).ok();
    let url = format!("file://{}", net.path("hub.git").display());
    net.git(".", &["clone", "-q", "--depth", "1", &url, "shallow"]);
    assert_eq!(net.run("shallow", "", &["resolve", "two"]).ok(), "t\n");
    net.number("three");
    net.run("space", "wanda", &["push"]).ok();
    let ran = net.run("shallow", "", &["fetch"]);
    assert!(ran.err.contains("not verified: "), "{ran:?}");
    ran.ok();
    assert_eq!(net.run("shallow", "", &["resolve", "three"]).ok(), "t\n");
    // It becomes a whole one in git's way.
    net.git("shallow", &["fetch", "-q", "--unshallow"]);
    net.sound("shallow");
    assert_eq!(
        net.json("shallow", "", &["fetch"])["fetched"][0]["course"],
        "same"
    );
}

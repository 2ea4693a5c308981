//! Readers: all, none, some; what is here already; what is damaged; what was interrupted.

use crate::world::{World, key, noise};
use serde_json::json;

#[test]
fn offered_published_and_read_by_others() {
    let world = World::new();
    let net = &world.net;
    net.clone_to("b", &[]);
    let (small, large) = (noise("small", 700), noise("large", 3 << 20));
    let keys = world.propose("bytes", &[&small, &large]);
    let secret = noise("secret", 5000);
    world.add("alice", &[&secret]);
    assert!(
        net.at("alice", "refs/artifacts/offered/alice/bytes")
            .is_none()
    );
    net.run("alice", "alice", &["submit"]).ok();
    let offer = "refs/artifacts/offered/alice/bytes";
    assert!(net.at("hub.git", offer).is_some());
    // Only whoever numbers brings what waits, and others who ask for it.
    world.fetch("b", &[]);
    assert_eq!(net.at("b", offer), None);
    let offers = world.fetch("b", &["--offers"])["offers"].clone();
    assert_eq!(offers, json!(["alice/bytes"]));
    net.run("space", "wanda", &["fetch"]).ok();
    assert_eq!(net.at("space", offer), net.at("hub.git", offer));
    net.run("space", "wanda", &["accept", "--all"]).ok();
    net.run("space", "wanda", &["push"]).ok();
    assert_eq!(net.at("hub.git", offer), None);
    for name in ["refs/artifacts/catalog", "refs/artifacts/published"] {
        assert_eq!(net.at("hub.git", name), net.at("space", name));
    }
    net.clone_to("c", &[]);
    for dir in ["b", "c"] {
        let came = world.fetch(dir, &[]);
        assert_eq!(came["missing"], json!([]));
        world.has(dir, &[&small, &large]);
        net.sound(dir);
    }
    // Nothing is asked for twice.
    let again = world.fetch("b", &[]);
    assert_eq!((&again["came"], &again["bytes"]), (&json!(0), &json!(0)));
    for dir in ["b", "c", "hub.git", "space"] {
        assert_eq!(world.read(dir, &key(&secret)), None, "{dir}");
    }
    let listed = net.run("b", "", &["artifact", "ls", "--published"]).ok();
    assert!(keys.iter().all(|key| listed.contains(key)), "{listed}");
}

#[test]
fn all_none_or_some_are_brought_and_the_rest_at_first_read() {
    let world = World::new();
    let net = &world.net;
    let (one, two, three) = (
        noise("one", 300),
        noise("two", 400_000),
        noise("three", 500),
    );
    world.publish("bytes", &[&one, &two, &three]);
    net.clone_to("b", &["--artifacts", "none"]);
    assert_eq!(net.at("b", "refs/artifacts/catalog"), None);
    let came = world.fetch("b", &[]);
    assert_eq!((&came["came"], &came["missing"]), (&json!(0), &json!([])));
    assert_eq!(world.read("b", &key(&one)), None);
    // Whoever reads it gets it, from then on without the network.
    let mut cat = net.command("b", "", &["artifact", "cat", &key(&one)]);
    assert!(cat.output().unwrap().stdout == one);
    world.has("b", &[&one]);
    assert_eq!(world.read("b", &key(&three)), None);
    // Some, with a spelling that people paste.
    let wanted = key(&two).to_uppercase();
    let came = world.fetch("b", &["--artifacts", &wanted]);
    assert_eq!(
        (&came["came"], &came["bytes"]),
        (&json!(1), &json!(400_000))
    );
    assert_eq!(net.git("b", &["config", "folio.artifacts"]), key(&two));
    world.fetch("b", &[]);
    assert_eq!(world.read("b", &key(&three)), None);
    let came = world.fetch("b", &["--artifacts", "all"]);
    assert_eq!(came["came"], json!(1));
    world.has("b", &[&one, &two, &three]);
    for bad in ["some", "all,none", "abc"] {
        let ran = net.run("b", "", &["fetch", "--artifacts", bad]);
        ran.refused("bad-request", 2);
    }
    // Later ones follow without a word.
    let four = noise("four", 600);
    world.publish("more", &[&four]);
    assert_eq!(world.fetch("b", &[])["came"], json!(1));
    world.has("b", &[&one, &four]);
    net.sound("b");
}

#[test]
fn own_bytes_are_used_and_withdrawn_or_erased_ones_are_not_asked_for() {
    let world = World::new();
    let net = &world.net;
    let (own, gone, erased) = (
        noise("own", 90_000),
        noise("gone", 400),
        noise("erased", 500),
    );
    world.publish("bytes", &[&own, &gone, &erased]);
    let tombstone = ["artifact", "tombstone", &key(&gone), "-m", "wrong"];
    net.run("space", "alice", &tombstone).ok();
    net.run("space", "alice", &["propose", "-m", "withdraw"])
        .ok();
    net.run("space", "wanda", &["accept", "--all"]).ok();
    net.run("space", "wanda", &["push"]).ok();
    net.clone_to("b", &["--artifacts", "none"]);
    world.add("b", &[&own]);
    std::fs::write(
        world.folio("b").join("purged"),
        format!("{}\n", key(&erased)),
    )
    .unwrap();
    let came = world.fetch("b", &["--artifacts", "all"]);
    assert_eq!((&came["came"], &came["missing"]), (&json!(0), &json!([])));
    assert_eq!(world.read("b", &key(&gone)), None);
    assert_eq!(world.read("b", &key(&erased)), None);
    let stat = |bytes: &[u8]| net.json("b", "", &["artifact", "stat", &key(bytes)]);
    assert_eq!(
        (&stat(&own)["bytes"], &stat(&own)["withdrawn"]),
        (&json!("here"), &json!(null))
    );
    assert_eq!(stat(&erased)["bytes"], json!("purged"));
    assert_eq!(
        (&stat(&gone)["bytes"], &stat(&gone)["withdrawn"]),
        (&json!("elsewhere"), &json!("wrong"))
    );
    assert_eq!(world.published("b"), [key(&own)]);
}

#[test]
fn clones_without_history_bring_bytes_too() {
    let world = World::new();
    let net = &world.net;
    let (one, two) = (noise("one", 300), noise("two", 2 << 20));
    world.publish("first", &[&one]);
    net.clone_to("b", &["--depth", "1"]);
    world.has("b", &[&one]);
    world.publish("second", &[&two]);
    assert_eq!(world.fetch("b", &[])["came"], json!(1));
    world.has("b", &[&one, &two]);
    // What plain git calls a partial clone.
    let url = format!("file://{}", net.path("hub.git").display());
    net.git("hub.git", &["config", "uploadpack.allowFilter", "true"]);
    net.git(".", &["clone", "-q", "--filter=blob:none", &url, "partial"]);
    assert_eq!(world.fetch("partial", &[])["came"], json!(2));
    world.has("partial", &[&one, &two]);
}

#[test]
fn a_server_that_gives_nothing_by_id_sends_all_that_is_published() {
    use std::os::unix::fs::PermissionsExt as _;
    let world = World::new();
    let net = &world.net;
    let (one, two) = (noise("one", 300), noise("two", 400_000));
    world.publish("bytes", &[&one, &two]);
    let script = "#!/bin/sh\nunset GIT_PROTOCOL\nfor last; do :; done\nexec sh -c \"$last\"\n";
    let ssh = net.fixture.write("ssh.sh", script);
    std::fs::set_permissions(&ssh, std::fs::Permissions::from_mode(0o755)).unwrap();
    net.clone_to("b", &["--artifacts", "none"]);
    let url = format!("ssh://nobody@localhost{}", net.path("hub.git").display());
    net.git("b", &["remote", "set-url", "origin", &url]);
    let fetch = |more: &[&str]| {
        let mut run = net.command("b", "", &[&["--json", "fetch"], more].concat());
        run.env("GIT_SSH", &ssh).env("GIT_SSH_VARIANT", "ssh");
        crate::cli::finish(&mut run, b"").json()["fetched"][0]["artifacts"].clone()
    };
    let came = fetch(&["--artifacts", &key(&one)]);
    assert_eq!(came["came"], json!(1), "{came}");
    world.has("b", &[&one]);
    assert_eq!(world.read("b", &key(&two)), None);
    assert!(
        !net.refs("b").contains("/published refs/folio"),
        "{}",
        net.refs("b")
    );
    assert_eq!(fetch(&["--artifacts", "all"])["came"], json!(1));
    world.has("b", &[&one, &two]);
}

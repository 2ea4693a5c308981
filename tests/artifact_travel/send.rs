//! What is sent: to a server whose hook judges it, by somebody who took over the pen, by whoever is too late.

use crate::world::{World, key, noise};
use serde_json::json;

const CATALOG: &str = "refs/artifacts/catalog";
const OFFER: &str = "refs/artifacts/offered/alice/bytes";

#[test]
fn a_servers_hook_takes_offers_and_what_is_published() {
    let world = World::new();
    let net = &world.net;
    net.run("hub.git", "", &["hook", "install"]).ok();
    let (one, two) = (noise("one", 300), noise("two", 2 << 20));
    world.propose("bytes", &[&one, &two]);
    let answer = net.json("alice", "alice", &["submit"]);
    let sent = answer["pushed"][0]["sent"].clone();
    assert_eq!(
        sent,
        json!(["artifacts/offered/alice/bytes", "proposals/alice/bytes"])
    );
    // Sent once: nothing is made or sent again.
    let again = net.json("alice", "alice", &["submit"]);
    assert_eq!(again["pushed"][0]["sent"], json!([]));
    // An offer that got lost over there goes again with the next push.
    net.git("hub.git", &["update-ref", "-d", OFFER]);
    net.run("alice", "alice", &["push"]).ok();
    assert_eq!(net.at("hub.git", OFFER), net.at("alice", OFFER));
    let round = net.json("space", "wanda", &["witness", "run"]);
    assert_eq!(round["numbered"][0]["subject"], "bytes", "{round}");
    assert_eq!(net.at("hub.git", CATALOG), net.at("space", CATALOG));
    assert!(net.at("hub.git", CATALOG).is_some());
    assert_eq!(net.at("hub.git", OFFER), None);
    // Somebody else's catalog is none that the hook would take, and nobody tries.
    net.run("alice", "alice", &["sync"]).ok();
    assert_eq!(net.at("alice", OFFER), None);
    net.clone_to("b", &[]);
    world.has("b", &[&one, &two]);
    let pushed = net.json("b", "", &["push"]);
    assert_eq!(pushed["pushed"][0]["sent"], json!([]));
    net.sound("hub.git");
}

#[test]
fn whoever_takes_the_pen_over_publishes_no_less_than_before() {
    let world = World::new();
    let net = &world.net;
    let (one, two) = (noise("one", 300), noise("two", 400));
    world.publish("bytes", &[&one]);
    // The new holder has the pages and none of the bytes.
    let fetch = [
        "clone",
        "hub.git",
        "new",
        "--space",
        &net.space_id(),
        "--artifacts",
        "none",
    ];
    net.run(".", "", &fetch).ok();
    let before = net.at("hub.git", CATALOG);
    let keys = world.add("new", &[&two]);
    net.run("new", "alice", &["artifact", "publish", &keys[0]])
        .ok();
    net.run("new", "alice", &["propose", "-m", "two", "--slug", "two"])
        .ok();
    net.run("new", "wanda", &["accept", "--all"]).ok();
    let ran = net.run("new", "wanda", &["push"]);
    let said = ran.refused("race-lost", 5);
    assert!(said.contains("1 artifact"), "{said}");
    assert_eq!(net.at("hub.git", CATALOG), before);
    assert_eq!(net.at("hub.git", "main"), net.at("new", "main"));
    net.run("new", "wanda", &["fetch", "--artifacts", "all"])
        .ok();
    net.run("new", "wanda", &["push"]).ok();
    net.clone_to("b", &[]);
    world.has("b", &[&one, &two]);
    // The one who numbered before has a catalog that is older now; it goes on from there.
    net.run("space", "wanda", &["sync"]).ok();
    world.has("space", &[&one, &two]);
    assert_eq!(world.fetch("b", &[])["missing"], json!([]));
    world.has("b", &[&one, &two]);
    assert_ne!(key(&one), key(&two));
}

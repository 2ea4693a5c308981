//! Artifacts on sticks: offered by an author, published by whoever numbers, read by those who never meet either.

use crate::world::{World, key, noise};
use serde_json::Value;

impl World {
    fn stick(&self, name: &str) -> String {
        std::fs::create_dir(self.net.path(name)).unwrap();
        self.net.path(name).to_str().unwrap().to_owned()
    }

    #[track_caller]
    fn create(&self, dir: &str, who: &str, stick: &str, more: &[&str]) -> Value {
        let args = [&["bundle", "create", stick], more].concat();
        self.net.json(dir, who, &args)
    }

    #[track_caller]
    fn apply(&self, dir: &str, who: &str, stick: &str) -> Value {
        let answer = self.net.json(dir, who, &["bundle", "apply", stick]);
        answer["applied"][0].clone()
    }
}

#[test]
fn a_stick_carries_offers_there_and_bytes_back() {
    let world = World::new();
    let net = &world.net;
    net.clone_to("b", &[]);
    let (small, large) = (noise("small", 700), noise("large", 2 << 20));
    world.propose("bytes", &[&small, &large]);
    let stick = world.stick("stick");
    world.create("alice", "alice", &stick, &[]);
    // By way of somebody who neither wrote nor numbers it.
    let applied = world.apply("b", "bob", &stick);
    assert_eq!(
        applied["artifacts"]["offers"][0], "alice/bytes",
        "{applied}"
    );
    let other = world.stick("other");
    world.create("b", "bob", &other, &["--full"]);
    world.apply("space", "wanda", &other);
    let numbered = net.run("space", "wanda", &["accept", "--all"]).ok();
    assert!(numbered.contains("bytes"), "{numbered}");
    let first = world.create("space", "wanda", &other, &[]);
    let applied = world.apply("b", "bob", &other);
    assert_eq!(applied["foreign"], 0, "{applied}");
    world.has("b", &[&small, &large]);
    net.sound("b");
    // What b said to have is left out of the next bundle.
    let more = noise("more", 10_000);
    let keys = world.add("space", &[&more]);
    net.run("space", "alice", &["artifact", "publish", &keys[0]])
        .ok();
    net.run(
        "space",
        "alice",
        &["propose", "-m", "more", "--slug", "more"],
    )
    .ok();
    net.run("space", "wanda", &["accept", "--all"]).ok();
    let second = world.create("space", "wanda", &other, &[]);
    let bytes = |created: &Value| created["bytes"].as_u64().unwrap();
    assert!(bytes(&first) > 2 << 20, "{first}");
    assert!(bytes(&second) < 100_000, "{second}");
    let applied = world.apply("b", "bob", &other);
    assert_eq!(applied["artifacts"]["came"], 1, "{applied}");
    world.has("b", &[&small, &large, &more]);
    let third = world.create("space", "wanda", &other, &[]);
    assert_eq!(third["bytes"], Value::Null, "{third}");
}

#[test]
fn a_stick_without_artifacts_and_a_clone_of_one_with_them() {
    let world = World::new();
    let net = &world.net;
    let bytes = noise("bytes", 400_000);
    world.publish("bytes", &[&bytes]);
    let (bare, full) = (world.stick("bare"), world.stick("full"));
    let without = world.create("space", "", &bare, &["--artifacts", "none"]);
    assert!(without["bytes"].as_u64().unwrap() < 100_000, "{without}");
    world.create("space", "", &full, &[]);
    let id = net.space_id();
    for (stick, name) in [(&bare, "from-bare"), (&full, "from-full")] {
        net.run(".", "", &["clone", stick, name, "--space", &id])
            .ok();
    }
    world.has("from-full", &[&bytes]);
    assert_eq!(world.read("from-bare", &key(&bytes)), None);
    // What was left there once is taken when somebody asks for it.
    let apply = ["bundle", "apply", full.as_str(), "--artifacts"];
    net.run("from-bare", "bob", &[&apply[..], &["none"]].concat())
        .ok();
    world.apply("from-bare", "bob", &full);
    assert_eq!(world.read("from-bare", &key(&bytes)), None);
    net.run("from-bare", "bob", &[&apply[..], &["all"]].concat())
        .ok();
    world.has("from-bare", &[&bytes]);
}

//! Once a decision publishes it, one artifact comes with plain git; the others stay where they are, also the one that
//! shares a block with it.

use crate::hoard::Hoard;
use crate::servers::ask_program;
use crate::wire::{has_pack, want};

#[test]
fn what_is_published_comes_and_nothing_beside_it() {
    let mut hoard = Hoard::new();
    let secret = hoard.secrets[1].clone();
    let key = blake3::hash(&secret).to_hex().to_string();
    let net = &hoard.net;
    net.run("space", "alice", &["artifact", "publish", &key])
        .ok();
    net.run(
        "space",
        "alice",
        &["propose", "-m", "publish", "--slug", "publish"],
    )
    .ok();
    // Drafted and proposed is not published: nothing is in the space's own store yet.
    hoard.is_nowhere_in(&net.path("hub.git"));
    for name in ["refs/artifacts/catalog", "refs/artifacts/published"] {
        assert_eq!(net.at("space", name), None);
    }
    net.git(".", &["clone", "-q", "--mirror", "space", "before"]);
    hoard.is_nowhere_in(&net.path("before"));
    net.run("space", "wanda", &["accept", "--all"]).ok();
    net.run("space", "wanda", &["push"]).ok();

    let id = net.space_id();
    let clone = [
        "clone",
        "hub.git",
        "reader",
        "--space",
        &id,
        "--artifacts",
        "none",
    ];
    net.run(".", "", &clone).ok();
    let cat = |offline: &[&str]| {
        let mut cat = net.command(
            "reader",
            "",
            &[offline, &["artifact", "cat", &key]].concat(),
        );
        cat.output().unwrap()
    };
    assert_ne!(cat(&["--offline"]).status.code(), Some(0));
    // Plain git brings everything that is published, and Folio reads it as it came.
    net.git(
        "reader",
        &["fetch", "-q", "origin", "refs/artifacts/*:refs/artifacts/*"],
    );
    assert_eq!(cat(&["--offline"]).stdout, secret);

    // What was published is not secret any more; the rest is.
    let open = hoard.blob(&secret);
    hoard.secrets.remove(1);
    let net = &hoard.net;
    let home = net.path("");
    let hub = net.path("hub.git");
    assert!(has_pack(&ask_program(&home, &hub, 2, &want(2, &open))));
    for id in &hoard.ids {
        for dir in [&hub, &hoard.space()] {
            assert!(!has_pack(&ask_program(&home, dir, 2, &want(2, id))));
        }
    }
    hoard.is_nowhere_in(&hub);
    hoard.is_nowhere_in(&net.path("reader"));
}

//! [R3], [R4], [R8]: names and addresses that git accepts.

use crate::bench::{git, update_ref};
use crate::net::Net;
use crate::reader::Scene;

#[test]
fn refs_with_wrong_names_are_left_there() {
    let scene = Scene::new();
    let hex = "0123456789abcdef0123456789abcdef01234567";
    let wrong = [
        "refs/heads/refs/heads/main".to_owned(),
        "refs/heads/refs/heads/proposals/bob/x".into(),
        "refs/heads/Main".into(),
        "refs/heads/PROPOSALS/bob/x".into(),
        "refs/heads/proposals/Bob/x".into(),
        "refs/heads/proposals/bob/X".into(),
        "refs/heads/proposals/-x/y".into(),
        "refs/heads/proposals/bob/\u{202e}x".into(),
        "refs/heads/proposals/b\u{43e}b/x".into(),
        "refs/heads/proposals/bob/x.y".into(),
        "refs/heads/reviews/bob".into(),
        format!("refs/heads/{hex}"),
        "refs/heads/-x".into(),
        "refs/heads/HEAD".into(),
        "refs/heads/folio/pin".into(),
    ];
    for name in &wrong {
        update_ref(scene.bench.path(), name, scene.third);
    }
    update_ref(scene.bench.path(), "refs/folio/pin", scene.third);
    update_ref(
        scene.bench.path(),
        "refs/folio/home",
        scene.bench.pages[0].id,
    );
    let before = scene.git(&["for-each-ref"]);
    let answer = scene.run(&["--json", "fetch"]).json();
    assert_eq!(answer["fetched"][0]["foreign"], wrong.len());
    assert_eq!(scene.git(&["for-each-ref"]), before);
}

#[test]
fn a_branch_that_is_not_its_authors_waits_with_the_reason() {
    let scene = Scene::new();
    // Bob's proposal under alice's name, a page as a proposal, a proposal as a review and as a heartbeat.
    let cases = [
        (
            "refs/heads/proposals/alice/x",
            scene.bench.next,
            "duplicate-proposal",
        ),
        (
            "refs/heads/proposals/bob/page",
            scene.third,
            "parents-wrong",
        ),
        (
            "refs/heads/reviews/bob/0123456789ab",
            scene.bench.next,
            "review-invalid",
        ),
        (
            "refs/heads/pen/wanda",
            scene.bench.next,
            "heartbeat-invalid",
        ),
    ];
    for (name, id, _) in cases {
        update_ref(scene.bench.path(), name, id);
    }
    let before = scene.git(&["for-each-ref", "refs/heads"]);
    let answer = scene.run(&["--json", "fetch"]).json();
    let waiting = answer["fetched"][0]["waiting"].as_array().unwrap();
    let names: Vec<&str> = waiting
        .iter()
        .map(|one| one["name"].as_str().unwrap())
        .collect();
    assert_eq!(
        names,
        [
            "pen/wanda",
            "proposals/alice/x",
            "proposals/bob/page",
            "reviews/bob/0123456789ab"
        ],
        "{answer}"
    );
    assert_eq!(scene.git(&["for-each-ref", "refs/heads"]), before);
    // Nothing of it wears the reader down: the same again.
    let again = scene.run(&["--json", "fetch"]).json();
    assert_eq!(
        again["fetched"][0]["waiting"],
        answer["fetched"][0]["waiting"]
    );
}

#[test]
fn a_branch_that_ends_like_main_diverts_no_push() {
    let net = Net::new();
    let evil = "refs/heads/refs/heads/main";
    let first = net.git("space", &["rev-parse", "main~1"]);
    net.git(".", &["init", "-q", "--bare", "-b", "main", "new.git"]);
    let objects = net.path("hub.git/objects").display().to_string();
    net.fixture
        .write("new.git/objects/info/alternates", &format!("{objects}\n"));
    net.number("two");
    // With a main beside it git refuses; without one it would move the wrong branch and be content.
    for hub in ["hub.git", "new.git"] {
        net.git(hub, &["update-ref", evil, &first]);
        let before = net.refs(hub);
        let ran = net.run("space", "wanda", &["push", &format!("../{hub}")]);
        assert!(ran.err.contains(evil), "{ran:?}");
        ran.refused("push-refused", 6);
        assert_eq!(net.refs(hub), before);
        net.git(hub, &["update-ref", "-d", evil]);
        net.run("space", "wanda", &["push", &format!("../{hub}")])
            .ok();
        assert_eq!(net.at(hub, "main"), net.at("space", "main"));
    }
    // A tag does the same where there is no main; it is seen afterwards.
    let tag = "refs/tags/refs/heads/main";
    net.git("new.git", &["update-ref", "-d", "refs/heads/main"]);
    net.git("new.git", &["update-ref", tag, &first]);
    let ran = net.run("space", "wanda", &["push", "../new.git"]);
    assert_ne!(ran.code, 0, "{ran:?}");
    ran.refused("push-refused", 6);
}

#[test]
fn a_branch_called_proposals_blocks_those_below_it_and_that_is_said() {
    let net = Net::new();
    let main = net.git("hub.git", &["rev-parse", "main"]);
    net.git("hub.git", &["update-ref", "refs/heads/proposals", &main]);
    net.propose("space", "bob", "two");
    let words = net
        .run("space", "bob", &["push"])
        .refused("push-refused", 6);
    assert!(words.contains("refs/heads/proposals"), "{words}");
    net.number("three");
    net.run("space", "wanda", &["push"]).ok();
    assert_eq!(
        net.at("hub.git", "main"),
        net.at("space", "main"),
        "pages go on"
    );
    // A reader is not blocked.
    net.clone_to("a", &[]);
}

#[test]
fn addresses_that_start_programs_are_refused_wherever_they_come_from() {
    let scene = Scene::new();
    let proof = scene.home.path("proof");
    let touch = format!("touch {}", proof.display());
    for url in [
        format!("ext::sh -c {touch}"),
        format!("-u{touch}"),
        format!("--upload-pack={touch}"),
        format!("ssh://-oProxyCommand={touch}/x"),
        "fd::7".into(),
    ] {
        scene.git(&["config", "remote.evil.url", &url]);
        scene.run(&["fetch", "evil"]).refused("url-invalid", 3);
        let ran = scene.run(&["fetch", "--", &url]);
        assert_ne!(ran.code, 0, "{ran:?}");
        let ran = scene.run(&["push", "evil"]);
        assert_ne!(ran.code, 0, "{ran:?}");
    }
    // What git would start for a remote by that name.
    scene.git(&[
        "config",
        "remote.origin.uploadpack",
        &format!("{touch}; git-upload-pack"),
    ]);
    scene.git(&["config", "remote.origin.vcs", "ext"]);
    scene.run(&["fetch"]).ok();
    assert!(!proof.exists());
    // One remote that is wrong does not keep the others from being asked.
    scene.git(&["config", "remote.evil.url", "ext::x"]);
    let ran = scene.run(&["fetch", "origin"]);
    ran.ok();
    let _ = git;
}

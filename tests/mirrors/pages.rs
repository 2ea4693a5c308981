//! [R9]: what a server can show on `main`.

use crate::bench::{git, ident, put};
use crate::common::Actor;
use crate::reader::Scene;
use folio::crypto::Sign as _;
use folio::journal::check::chain_of;
use folio::model::{Code, Epoch, Number};

#[test]
fn going_back_is_seen_by_whom_it_showed_more() {
    let scene = Scene::new();
    scene.show(scene.bench.pages[1].id);
    let words = scene.refuses("went-back");
    assert!(words.contains("`origin`"), "{words}");
    scene.proved("withheld", 3, None);
    // As often as it is asked, and one file is enough.
    scene.refuses("went-back");
    scene.proved("withheld", 3, None);
    let answer = scene.run(&["--json", "fetch"]);
    assert!(answer.out.contains("\"went_back\":true"), "{answer:?}");
    scene.repaired();
}

#[test]
fn a_main_that_is_hidden_is_one_that_went_back() {
    let scene = Scene::new();
    git(
        scene.bench.path(),
        &["config", "transfer.hideRefs", "refs/heads/main"],
        b"",
    );
    scene.refuses("went-back");
    git(
        scene.bench.path(),
        &["config", "transfer.hideRefs", "refs/heads/nothing"],
        b"",
    );
    scene.repaired();
}

#[test]
fn a_frozen_mirror_is_seen_by_whom_another_one_shows_more() {
    let scene = Scene::new();
    // Another mirror goes on; this one stays where it is.
    let honest = scene.home.path("honest.git");
    let place = honest.display().to_string();
    git(
        scene.bench.path(),
        &["clone", "-q", "--bare", ".", &place],
        b"",
    );
    scene.git(&["remote", "add", "honest", &place]);
    scene.run(&["fetch", "honest"]).ok();
    scene.show(scene.bench.pages[1].id);
    let frozen = scene.home.path("frozen.git").display().to_string();
    git(
        scene.bench.path(),
        &["clone", "-q", "--bare", ".", &frozen],
        b"",
    );
    scene.git(&["remote", "add", "frozen", &frozen]);
    scene.show(scene.third);
    // It never showed more, so at first it cannot be told from one that is late: it is said, and no more.
    let ran = scene.run(&["fetch", "--all"]);
    assert!(
        ran.err
            .contains("frozen shows common@2 and does not have our newest pages"),
        "{ran:?}"
    );
    ran.ok();
    assert!(scene.evidence().is_empty());
    // When it stands still while home has gone on, it is frozen; no key is accused.
    let answer = scene.run(&["--json", "fetch", "frozen"]).json();
    let fetched = &answer["fetched"][0];
    assert_eq!(fetched["course"], "behind");
    assert_eq!(fetched["shows"], 2);
    assert_eq!(fetched["frozen"], true);
    scene.proved("withheld", 3, None);
}

#[test]
fn a_number_that_is_skipped_accuses_who_signed_it() {
    let scene = Scene::new();
    let mut page = scene.bench.good();
    page.commit.parents[0] = scene.third;
    page.message.number = Number(5);
    let page = page.sealed(&scene.bench, scene.bench.wanda());
    scene.show(page);
    scene.refuses("number-mismatch");
    scene.proved("invalid", 5, Some(scene.bench.wanda()));
    scene.repaired();
}

#[test]
fn a_page_with_another_tree_accuses_who_signed_it() {
    let scene = Scene::new();
    let same = scene.bench.pages[1].tree();
    scene.show_altered(|page| page.commit.tree = same);
    let words = scene.refuses("tree-mismatch");
    assert!(words.contains("common@3"), "{words}");
    scene.proved("invalid", 3, Some(scene.bench.wanda()));
    scene.repaired();
}

/// A good page with the number of one that is here, signed by the same key.
fn second(scene: &Scene) -> folio::model::Oid {
    let mut page = scene.bench.good();
    let tree = scene.bench.next_tree();
    page.commit.tree = tree;
    page.commit.committer.seconds += 1;
    page.sealed(&scene.bench, scene.bench.wanda())
}

#[test]
fn two_pages_with_one_number_stop_the_reader_and_accuse_the_key() {
    let scene = Scene::new();
    let second = second(&scene);
    scene.show(second);
    let words = scene.refuses("two-children");
    assert!(words.contains("another common@3"), "{words}");
    assert!(words.contains("folio pin --takeover "), "{words}");
    scene.proved("equivocation", 3, Some(scene.bench.wanda()));
    // Both are kept, by name.
    let other = scene.git(&["for-each-ref", "--format=%(objectname)", "refs/folio/other"]);
    assert_eq!(other, second.to_hex());
    scene.refuses("two-children");
    scene.repaired();
}

#[test]
fn two_mirrors_with_two_pages_are_caught_by_one_reader() {
    let scene = Scene::new();
    // The reader saw common@2 only.
    scene.git(&[
        "update-ref",
        "refs/heads/main",
        &scene.bench.pages[1].id.to_hex(),
    ]);
    scene.git(&["reset", "-q", "--hard"]);
    scene.git(&["update-ref", "-d", "refs/folio/remotes/origin/main"]);
    scene.git(&["update-ref", "-d", "refs/folio/home"]);
    let honest = scene.home.path("honest.git").display().to_string();
    git(
        scene.bench.path(),
        &["clone", "-q", "--bare", ".", &honest],
        b"",
    );
    scene.show(second(&scene));
    scene.git(&["remote", "add", "honest", &honest]);
    let ran = scene.run(&["fetch", "--all"]);
    assert_eq!(ran.code, 4, "{ran:?}");
    assert!(ran.err.contains("error: two-children: "), "{ran:?}");
    scene.proved("equivocation", 3, Some(scene.bench.wanda()));
}

#[test]
fn a_pen_taken_without_right_accuses_the_thief() {
    let scene = Scene::new();
    let bob = &scene.bench.space.bob;
    let proposal = scene.bench.proposal(scene.bench.next);
    let mut page = scene.bench.good();
    let previous = &scene.bench.pages[1];
    let key = bob.key.public_key();
    page.message.chain = chain_of(page.message.epoch, Some(previous), &proposal, &[], key);
    page.commit.author = ident(bob);
    page.commit.committer = ident(bob);
    let page = page.sealed(&scene.bench, bob);
    scene.show(page);
    scene.refuses("signer-wrong");
    scene.proved("invalid", 3, Some(bob));
    scene.repaired();
}

#[test]
fn a_higher_epoch_wins_nothing() {
    let scene = Scene::new();
    let bob = Actor::new("bob");
    let proposal = scene.bench.proposal(scene.bench.next);
    let mut page = scene.bench.good();
    page.message.epoch = Epoch(9);
    let key = bob.key.public_key();
    let previous = &scene.bench.pages[1];
    page.message.chain = chain_of(page.message.epoch, Some(previous), &proposal, &[], key);
    page.commit.author = ident(&bob);
    page.commit.committer = ident(&bob);
    let page = page.sealed(&scene.bench, &bob);
    scene.show(page);
    let ran = scene.run(&["fetch"]);
    let said = [Code::SignerWrong, Code::EpochMismatch];
    assert!(
        said.iter()
            .any(|code| ran.err.contains(&format!("error: {code}: "))),
        "{ran:?}"
    );
    assert_eq!(scene.main(), scene.third.to_hex());
    scene.proved("invalid", 3, Some(&bob));
    scene.repaired();
}

#[test]
fn a_framed_witness_is_not_accused() {
    let scene = Scene::new();
    let honest = git(
        scene.bench.path(),
        &["cat-file", "commit", &scene.third.to_hex()],
        b"",
    ) + "\n";
    let spelt: [(&str, String); 4] = [
        (
            "an extra header",
            honest.replacen("gpgsig ", "gpgsigned by me\ngpgsig ", 1),
        ),
        (
            "one behind",
            honest.replacen(
                "-----END SSH SIGNATURE-----\n",
                "-----END SSH SIGNATURE-----\ngpgsig-extra x\n",
                1,
            ),
        ),
        (
            "text after the footer",
            honest.replacen(
                "-----END SSH SIGNATURE-----\n",
                "-----END SSH SIGNATURE-----\n and more\n",
                1,
            ),
        ),
        (
            "an encoding",
            honest.replacen("\n\n", "\nencoding UTF-8\n\n", 1),
        ),
    ];
    for (name, bytes) in spelt {
        assert_ne!(bytes, honest, "{name}");
        let page = put(scene.bench.path(), "commit", bytes.as_bytes());
        scene.show(page);
        let before = scene.main();
        let ran = scene.run(&["fetch"]);
        assert!(ran.code == 4 || ran.code == 6, "{name}: {ran:?}");
        assert_eq!(scene.main(), before, "{name}");
        assert!(
            scene.evidence().is_empty(),
            "{name}: {:?}",
            scene.evidence()
        );
        scene.repaired();
    }
}

#[test]
fn something_else_than_a_page_is_refused() {
    let scene = Scene::new();
    scene.show(scene.bench.next);
    scene.refuses("not-a-snapshot");
    assert!(
        scene.evidence().is_empty(),
        "whoever moved it there is not known"
    );
    // Another space in its place.
    let other = crate::bench::Bench::new();
    let _ = other;
    scene.repaired();
}

#[test]
fn what_one_remote_showed_wrongly_is_not_remembered_by_a_look_at_another() {
    let scene = Scene::new();
    let same = scene.bench.pages[1].tree();
    scene.show_altered(|page| page.commit.tree = same);
    scene.refuses("tree-mismatch");
    // Whatever was brought then lies there still; another remote is asked, and then the first one again.
    let honest = scene.home.path("honest.git").display().to_string();
    scene.show(scene.third);
    git(
        scene.bench.path(),
        &["clone", "-q", "--bare", ".", &honest],
        b"",
    );
    scene.git(&["remote", "add", "honest", &honest]);
    scene.run(&["fetch", "honest"]).ok();
    let seen = scene.git(&["rev-parse", "refs/folio/remotes/origin/main"]);
    assert_eq!(seen, scene.third.to_hex());
    scene.repaired();
}

/// A clone without history cannot check how a state came about, but it knows who signs in this epoch: anybody could
/// write themselves into the pen's row and be followed.
#[test]
fn a_reader_without_history_lets_nobody_else_sign_in_the_same_epoch() {
    let scene = Scene::new();
    let (bob, wanda) = (Actor::new("bob"), Actor::new("wanda"));
    let (id, place) = (scene.bench.space.id.to_hex(), scene.mirror());
    scene
        .run(&["clone", &place, "shallow", "--depth", "1", "--space", &id])
        .ok();
    let path = scene.bench.path();
    let third = scene.third.to_hex();
    let pen = git(path, &["show", &format!("{third}:pen.jsonl")], b"");
    let keys = [&wanda, &bob].map(|who| who.key.public_key().to_string());
    let forged = pen.trim_end().replace(&keys[0], &keys[1]) + "\n";
    assert_ne!(forged.trim_end(), pen.trim_end());
    let blob = put(path, "blob", forged.as_bytes()).to_hex();
    let listed = git(path, &["ls-tree", &third], b"");
    let listed = listed
        .lines()
        .map(|line| match line.ends_with("\tpen.jsonl") {
            true => format!("100644 blob {blob}\tpen.jsonl\n"),
            false => format!("{line}\n"),
        });
    let tree = git(path, &["mktree"], listed.collect::<String>().as_bytes());
    let mut page = scene.bench.good();
    page.message.number = Number(4);
    page.commit.parents[0] = scene.third;
    page.commit.tree = tree.trim().parse().unwrap();
    page.commit.author = ident(&bob);
    page.commit.committer = ident(&bob);
    scene.show(page.sealed(&scene.bench, &bob));
    scene
        .run(&["-C", "shallow", "fetch"])
        .refused("signer-wrong", 4);
    assert_eq!(scene.git(&["-C", "shallow", "rev-parse", "main"]), third);
}

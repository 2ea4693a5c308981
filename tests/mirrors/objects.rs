//! [O1], [O3]: objects that are not what they should be, or that git shows as something else.

use crate::bench::{git, put, update_ref};
use crate::reader::Scene;

#[test]
fn what_a_mirror_replaces_is_replaced_for_the_mirror_alone() {
    let scene = Scene::new();
    // An unsigned fourth page that looks good to whoever honours the replacement.
    let mut commit = scene.bench.commit(scene.third);
    commit.armor = None;
    let bad = put(scene.bench.path(), "commit", &commit.encode());
    update_ref(
        scene.bench.path(),
        &format!("refs/replace/{bad}"),
        scene.third,
    );
    scene.show(bad);
    scene.refuses("signature-missing");
    assert!(scene.evidence().is_empty());
    assert!(!scene.git(&["for-each-ref"]).contains("refs/replace"));
    scene.repaired();
}

#[test]
fn a_mirror_without_history_is_no_mirror() {
    let scene = Scene::new();
    let mirror = scene.bench.path();
    // The reader lacks page three, the mirror says that the world began with page two.
    let shallow = scene.home.path("shallow.git").display().to_string();
    let url = format!("file://{}", mirror.display());
    git(
        mirror,
        &["clone", "-q", "--bare", "--depth", "1", &url, &shallow],
        b"",
    );
    scene.git(&["remote", "add", "shallow", &shallow]);
    let fresh = [
        "clone",
        &shallow,
        "fresh",
        "--space",
        &scene.bench.space.id.to_hex(),
    ];
    let mut run = scene.home.command(scene.home.home.path(), None);
    let ran = crate::cli::finish(run.args(fresh), b"");
    assert!(ran.code == 6 || ran.code == 4, "{ran:?}");
    assert!(ran.err.contains("hint: "), "{ran:?}");
    assert!(!scene.home.path("fresh").exists());
    // Who has everything already is not made shallow by it.
    let ran = scene.run(&["fetch", "shallow"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(
        scene.git(&["rev-parse", "--is-shallow-repository"]),
        "false"
    );
    scene.run(&["verify"]).ok();
}

#[test]
fn grafts_there_hide_nothing_here() {
    let scene = Scene::new();
    let line = format!("{}\n", scene.third);
    std::fs::create_dir_all(scene.bench.path().join("info")).unwrap();
    std::fs::write(scene.bench.path().join("info/grafts"), line).unwrap();
    let fresh = [
        "clone",
        &scene.mirror(),
        "fresh",
        "--space",
        &scene.bench.space.id.to_hex(),
    ];
    let mut run = scene.home.command(scene.home.home.path(), None);
    let ran = crate::cli::finish(run.args(fresh), b"");
    match ran.code {
        0 => {
            let mut run = scene.home.command(&scene.home.path("fresh"), None);
            crate::cli::finish(run.arg("verify"), b"").ok();
        }
        _ => assert!(!scene.home.path("fresh").exists(), "{ran:?}"),
    }
    scene.run(&["fetch"]).ok();
}

#[test]
fn objects_that_git_finds_broken_do_not_come_in_and_keep_nothing_else_out() {
    let scene = Scene::new();
    let mirror = scene.bench.path();
    let blob = put(mirror, "blob", b"x\n");
    // A tree with `.git` in it, below a commit that is otherwise good.
    let mut tree = b"100644 .git\0".to_vec();
    tree.extend(blob.as_bytes());
    let tree = put(mirror, "tree", &tree);
    let mut commit = scene.bench.commit(scene.bench.next);
    commit.tree = tree;
    let evil = scene.bench.sealed(commit, scene.bench.bob());
    update_ref(mirror, "refs/heads/proposals/bob/evil", evil);
    // Anybody may have put it there; the page after and an honest proposal come all the same.
    let line = r#"{"op":"alias.set","alias":"rom","target":"rome"}"#;
    let (good, _) = scene
        .bench
        .space
        .propose(scene.bench.bob(), "good", &[line])
        .unwrap();
    let ran = scene.run(&["fetch"]);
    assert!(ran.err.contains("proposals/bob/evil"), "{ran:?}");
    ran.ok();
    assert_eq!(
        scene.git(&["rev-parse", "refs/heads/proposals/bob/good"]),
        good.to_hex()
    );
    let has = scene.git(&["cat-file", "--batch-all-objects", "--batch-check"]);
    assert!(!has.contains(&tree.to_hex()), "it came in");
    scene.run(&["verify"]).ok();
    // On main it is another matter: nothing is taken.
    scene.show_altered(|page| page.commit.tree = tree);
    scene.refuses("remote-failed");
    scene.repaired();
}

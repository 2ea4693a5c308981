//! Refs that move into `packed-refs` and out of it, one thing at a time; real git says what is there.

use super::*;
use crate::store::unnamed;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

/// All refs as git lists them, with what tags point to.
pub(super) fn shown(dir: &Path) -> String {
    git(dir, &["show-ref", "-d"])
}

/// The names of all refs that have files of their own.
fn loose_ones(dir: &Path) -> Vec<String> {
    let mut found = Vec::new();
    loose::walk(&dir.join("refs"), "refs", &mut found).unwrap();
    let mut names: Vec<String> = found.into_iter().map(|found| found.name).collect();
    names.sort();
    names
}

fn packed_text(dir: &Path) -> String {
    fs::read_to_string(dir.join("packed-refs")).unwrap_or_default()
}

/// Every file of `packed-refs` is one that git can search in: names ascend bytewise, and each is there once.
fn assert_sorted(dir: &Path) {
    let text = packed_text(dir);
    let names: Vec<&str> = text
        .lines()
        .filter(|line| !line.starts_with(['#', '^']))
        .map(|line| line.split_once(' ').unwrap().1)
        .collect();
    assert!(
        names.is_sorted_by(|a, b| a.as_bytes() < b.as_bytes()),
        "{text}"
    );
}

/// Puts refs where they are to be, without asking the store.
pub(super) fn put(dir: &Path, name: &str, text: &str) {
    let path = dir.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, format!("{text}\n")).unwrap();
}

/// It can pack everything once more, and finds nothing wrong.
fn git_is_content(dir: &Path, before: &str) {
    git(dir, &["fsck", "--strict"]);
    assert_eq!(shown(dir), before);
    git(dir, &["pack-refs", "--all", "--prune"]);
    assert_eq!(shown(dir), before);
}

fn files_in_locks(dir: &Path) -> usize {
    fs::read_dir(dir.join("folio/locks")).map_or(0, Iterator::count)
}

#[test]
fn packed_refs_are_where_they_were_and_git_says_so() {
    for format in FORMATS {
        let dir = tempfile::tempdir().unwrap();
        let store = new_store(dir.path(), true, format);
        let [a, b] = two_commits(&store);
        // In the order of their bytes `-` and `.` come before `/`, and capitals before all small letters.
        let names = [
            "refs/heads/proposals/alice/one",
            "refs/heads/proposals/alice-2/one",
            "refs/heads/proposals/alice.2/one",
            "refs/heads/proposals/Zoe/one",
            "refs/heads/proposals/žofie/one",
            "refs/remotes/origin/main",
            "refs/folio/home",
        ];
        for (n, name) in names.iter().enumerate() {
            put(dir.path(), name, &[a, b][n % 2].to_hex());
        }
        put(dir.path(), MAIN, &a.to_hex());
        put(dir.path(), "refs/heads/current", &b.to_hex());
        put(dir.path(), "refs/other/stays", &b.to_hex());
        git(dir.path(), &["tag", "-a", "-m", "x", "v1", &a.to_hex()]);
        git(dir.path(), &["symbolic-ref", "HEAD", "refs/heads/current"]);
        let before = shown(dir.path());
        let listed = store.list("refs/").unwrap();
        assert_eq!(store.unpacked().unwrap(), names.len());
        assert_eq!(store.pack_refs().unwrap(), names.len());
        assert_eq!(shown(dir.path()), before);
        assert_eq!(store.list("refs/").unwrap(), listed);
        let left = [
            "refs/heads/current",
            MAIN,
            "refs/other/stays",
            "refs/tags/v1",
        ];
        assert_eq!(loose_ones(dir.path()), left);
        assert_sorted(dir.path());
        assert!(
            packed_text(dir.path()).starts_with("# pack-refs with: peeled fully-peeled sorted \n")
        );
        for (n, name) in names.iter().enumerate() {
            let found = git(dir.path(), &["rev-parse", "--verify", name]);
            assert_eq!(found, [a, b][n % 2].to_hex());
            assert_eq!(store.get(name).unwrap(), Some([a, b][n % 2]));
        }
        assert_eq!(
            (store.unpacked().unwrap(), files_in_locks(dir.path())),
            (0, 0)
        );
        let text = packed_text(dir.path());
        assert_eq!(store.pack_refs().unwrap(), 0);
        assert_eq!(packed_text(dir.path()), text);
        git_is_content(dir.path(), &before);
    }
}

/// Nobody looks for refs in directories that hold none any more, but those that there always are stay.
#[test]
fn directories_that_packing_leaves_empty_go_and_are_made_again() {
    let dir = tempfile::tempdir().unwrap();
    let store = new_store(dir.path(), true, ObjectFormat::Sha1);
    let [a, b] = two_commits(&store);
    let names = [
        "refs/heads/proposals/alice/one",
        "refs/heads/proposals/alice/deep/one",
        "refs/heads/proposals/Zoe/one",
        "refs/remotes/origin/main",
        "refs/folio/home",
    ];
    let is_there = |name: &str| dir.path().join("refs").join(name).exists();
    names
        .iter()
        .for_each(|name| put(dir.path(), name, &a.to_hex()));
    fs::create_dir(dir.path().join("refs/heads/proposals/Zoe/held")).unwrap();
    assert_eq!(store.pack_refs().unwrap(), names.len());
    for gone in ["heads/proposals/alice", "remotes/origin"] {
        assert!(!is_there(gone), "{gone}");
    }
    for kept in ["heads", "remotes", "folio", "heads/proposals/Zoe/held"] {
        assert!(is_there(kept), "{kept}");
    }
    git(dir.path(), &["branch", "proposals/alice/two", &a.to_hex()]);
    let three = edit(
        "refs/heads/proposals/alice/deep/three",
        Expect::Absent,
        Some(b),
    );
    store.apply(&[three]).unwrap();
    assert_eq!(store.list("refs/heads/proposals/").unwrap().len(), 5);
}

#[test]
fn what_is_no_ref_to_a_commit_stays_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let store = new_store(dir.path(), true, ObjectFormat::Sha1);
    let [a, _] = two_commits(&store);
    let blob = object(&store, Kind::Blob, b"no commit");
    store.write_all(std::slice::from_ref(&blob)).unwrap();
    git(dir.path(), &["tag", "-a", "-m", "x", "v1", &a.to_hex()]);
    let tag = git(dir.path(), &["rev-parse", "v1"]);
    let odd = [
        ("refs/folio/blob", blob.0.to_hex()),
        ("refs/folio/tag", tag),
        ("refs/heads/absent", "1".repeat(40)),
        ("refs/heads/empty", String::new()),
        ("refs/heads/longer", "1".repeat(64)),
        ("refs/heads/words", "no id at all".into()),
        (
            "refs/remotes/origin/HEAD",
            "ref: refs/remotes/origin/main".into(),
        ),
    ];
    for (name, text) in &odd {
        put(dir.path(), name, text);
    }
    put(dir.path(), "refs/heads/x.lock", "somebody's");
    std::os::unix::fs::symlink("absent", dir.path().join("refs/heads/link")).unwrap();
    put(dir.path(), "refs/remotes/origin/main", &a.to_hex());
    assert_eq!(store.pack_refs().unwrap(), 1);
    for (name, text) in &odd {
        let now = fs::read_to_string(dir.path().join(name)).unwrap();
        assert_eq!(now, format!("{text}\n"), "{name}");
    }
    assert!(dir.path().join("refs/heads/link").is_symlink());
    assert!(dir.path().join("refs/heads/x.lock").exists());
    let text = packed_text(dir.path());
    assert_eq!(
        text.lines().skip(1).collect::<Vec<_>>(),
        [format!("{a} refs/remotes/origin/main")]
    );
    assert_eq!(
        git(dir.path(), &["rev-parse", "refs/remotes/origin/HEAD"]),
        a.to_hex()
    );
}

/// With a tag that has a line for what it points to, in files that say more or less about themselves.
#[test]
fn a_file_that_is_there_already_says_the_same_of_its_tags_afterwards() {
    for format in FORMATS {
        for (header, peeled, sorted) in [
            (
                "# pack-refs with: peeled fully-peeled sorted \n",
                true,
                true,
            ),
            ("# pack-refs with: peeled fully-peeled \n", true, false),
            ("# pack-refs with: peeled \n", true, false),
            ("# pack-refs with:\n", false, false),
            ("", true, true),
            // Older programs say nothing of what tags point to: nobody may take that for tags that point nowhere.
            ("", false, false),
        ] {
            let dir = tempfile::tempdir().unwrap();
            let store = new_store(dir.path(), true, format);
            let [a, b] = two_commits(&store);
            git(dir.path(), &["tag", "-a", "-m", "x", "v1", &a.to_hex()]);
            let tag = git(dir.path(), &["rev-parse", "v1"]);
            fs::remove_file(dir.path().join("refs/tags/v1")).unwrap();
            let of_tag = if peeled {
                format!("^{a}\n")
            } else {
                String::new()
            };
            let mut lines = [
                format!("{a} refs/heads/old\n"),
                format!("{a} refs/heads/stale\n"),
                format!("{tag} refs/tags/v1\n{of_tag}"),
                format!("{b} refs/tags/v2\n"),
            ];
            if !sorted {
                lines.reverse();
            }
            let text = format!("{header}{}", lines.concat());
            fs::write(dir.path().join("packed-refs"), &text).unwrap();
            for name in ["refs/heads/stale", "refs/heads/new", MAIN] {
                put(dir.path(), name, &b.to_hex());
            }
            let before = shown(dir.path());
            assert!(before.contains("refs/tags/v1^{}"), "{before}");
            assert_eq!(store.pack_refs().unwrap(), 2);
            assert_eq!(shown(dir.path()), before, "{text}");
            assert_sorted(dir.path());
            assert!(!packed_text(dir.path()).contains(&format!("{a} refs/heads/stale")));
            git_is_content(dir.path(), &before);
            // And so it does when some are taken out of it.
            store.clear(&[("refs/heads/stale".into(), b), ("refs/heads/old".into(), a)]);
            let rest: Vec<&str> = before
                .lines()
                .filter(|line| !line.ends_with("/stale") && !line.ends_with("/old"))
                .collect();
            git_is_content(dir.path(), &rest.join("\n"));
        }
    }
}

/// A repository with refs that are packed, that are not, and that are both with an old value below; what is to be
/// cleared of these, and what has to stay.
struct Mixed {
    dir: tempfile::TempDir,
    store: GitStore,
    gone: Vec<(String, Oid)>,
    stays: Vec<(String, Oid)>,
}

fn mixed(format: ObjectFormat) -> Mixed {
    let dir = tempfile::tempdir().unwrap();
    let store = new_store(dir.path(), true, format);
    let [a, b] = two_commits(&store);
    let name = |word: &str| format!("refs/heads/q/{word}");
    let packed = ["p1", "p2", "p3", "both1", "both2", "moved", "kept", "back"];
    for word in packed {
        put(dir.path(), &name(word), &a.to_hex());
    }
    assert_eq!(store.pack_refs().unwrap(), packed.len());
    for word in ["both1", "both2", "moved", "l1", "l2", "loose"] {
        put(dir.path(), &name(word), &b.to_hex());
    }
    put(dir.path(), MAIN, &b.to_hex());
    let at = |word: &str, id| (name(word), id);
    let mut gone: Vec<_> = ["p1", "p2", "p3"].map(|word| at(word, a)).into();
    gone.extend(["both1", "both2", "l1", "l2"].map(|word| at(word, b)));
    // They were seen elsewhere: these do not go.
    let others = [at("moved", a), at("back", b), at("loose", a)];
    gone.extend(others);
    let mut stays = vec![(MAIN.to_owned(), b)];
    let at = [at("back", a), at("kept", a), at("loose", b), at("moved", b)];
    stays.extend(at);
    Mixed {
        dir,
        store,
        gone,
        stays,
    }
}

#[test]
fn what_is_cleared_goes_wherever_it_stands_and_what_moved_stays() {
    for format in FORMATS {
        for foretold in [false, true] {
            let Mixed {
                dir,
                store,
                gone,
                stays,
            } = mixed(format);
            if foretold {
                unnamed::settle(vec![store.foretell_clear(&gone).unwrap()]).unwrap();
                assert_eq!(files_in_locks(dir.path()), 1);
            }
            store.clear(&gone);
            assert_eq!(store.list("refs/").unwrap(), stays);
            let shown: Vec<String> = stays
                .iter()
                .map(|(name, id)| format!("{id} {name}"))
                .collect();
            git_is_content(dir.path(), &shown.join("\n"));
            assert_eq!(files_in_locks(dir.path()), 0);
            // Again: there is nothing to write.
            let inode = || fs::metadata(dir.path().join("packed-refs")).unwrap().ino();
            let before = inode();
            store.clear(&gone[..7]);
            assert_eq!(inode(), before);
        }
    }
}

#[test]
fn what_was_foretold_takes_its_place_only_where_it_still_fits() {
    let dir = tempfile::tempdir().unwrap();
    let store = new_store(dir.path(), true, ObjectFormat::Sha1);
    let [a, b] = two_commits(&store);
    let names = ["refs/heads/q/1", "refs/heads/q/2", "refs/heads/q/3"];
    let gone: Vec<_> = names.iter().map(|name| ((*name).to_owned(), a)).collect();
    let begin = || {
        for name in names {
            put(dir.path(), name, &a.to_hex());
        }
        store.pack_refs().unwrap();
        unnamed::settle(vec![store.foretell_clear(&gone).unwrap()]).unwrap();
        let mut files = fs::read_dir(dir.path().join("folio/locks")).unwrap();
        files.next().unwrap().unwrap().metadata().unwrap().ino()
    };
    let inode = || fs::metadata(dir.path().join("packed-refs")).unwrap().ino();
    let left = || store.list("refs/").unwrap();
    let one = |name: &str, id: Oid| vec![(name.to_owned(), id)];
    let ready = begin();
    assert_eq!(left(), gone, "nothing comes of it by itself");
    store.clear(&gone);
    assert_eq!((left(), inode()), (vec![], ready));
    // Another was packed.
    begin();
    git(dir.path(), &["update-ref", "refs/tags/new", &b.to_hex()]);
    git(dir.path(), &["pack-refs", "--all", "--prune"]);
    store.clear(&gone);
    assert_eq!(left(), one("refs/tags/new", b));
    git(dir.path(), &["update-ref", "-d", "refs/tags/new"]);
    // Fewer are to go, or others.
    begin();
    store.clear(&gone[1..]);
    assert_eq!(left(), gone[..1]);
    begin();
    store.clear(&[&gone[1..], &one(names[0], b)].concat());
    assert_eq!(left(), gone[..1]);
    // One of them moved, and one moved and came back.
    begin();
    git(dir.path(), &["update-ref", names[0], &b.to_hex()]);
    git(dir.path(), &["update-ref", names[1], &b.to_hex()]);
    git(dir.path(), &["update-ref", names[1], &a.to_hex()]);
    store.clear(&gone);
    assert_eq!(left(), one(names[0], b));
    store.clear(&one(names[0], b));
    assert_eq!(
        (left(), files_in_locks(dir.path())),
        (vec![], 0),
        "the old value is gone, too"
    );
}

/// A program that another test is starting has a copy of every handle for a moment, so what the dead held may seem to
/// be held a little longer.
fn begin_anew(dir: &Path) -> GitStore {
    for _ in 0..10_000 {
        let store = GitStore::open(dir).unwrap();
        store.begin_writing().unwrap();
        if left_over(dir).is_empty() {
            return store;
        }
        std::thread::yield_now();
    }
    panic!("left: {:?}", left_over(dir));
}

/// Locks, files that were to become some, and temporary files.
fn left_over(dir: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut dirs = vec![dir.to_owned()];
    while let Some(next) = dirs.pop() {
        let in_locks = next.ends_with("folio/locks");
        for entry in fs::read_dir(next).unwrap() {
            let entry = entry.unwrap();
            let name = entry.file_name().into_string().unwrap();
            if entry.file_type().unwrap().is_dir() {
                dirs.push(entry.path());
            } else if in_locks
                || name.starts_with("tmp_")
                // The one of the sessions is no lock of a ref, and stays.
                || name.ends_with(".lock") && name != "barrier.lock"
            {
                found.push(name);
            }
        }
    }
    found
}

#[test]
fn a_packing_that_is_killed_at_any_step_loses_nothing_and_the_next_one_goes_on() {
    for n in 1.. {
        let Mixed { dir, store, .. } = mixed(ObjectFormat::Sha256);
        let before = shown(dir.path());
        let script = Script::new();
        let dying = store.clone().with_steps(Arc::new(script.clone()));
        script.fail_at(n);
        let done = dying.pack_refs();
        let died = script.is_dead();
        assert_eq!(done.is_err(), died, "{n}");
        drop((dying, store));
        assert_eq!(shown(dir.path()), before, "{n}");
        let next = begin_anew(dir.path());
        assert_eq!(shown(dir.path()), before, "{n}");
        let packed = next.pack_refs().unwrap();
        assert_eq!(packed, if died { 6 } else { 0 }, "{n}");
        assert_eq!(loose_ones(dir.path()), [MAIN]);
        assert_eq!(left_over(dir.path()), [""; 0]);
        git_is_content(dir.path(), &before);
        if !died {
            assert!(n > 3, "{n} steps are too few");
            return;
        }
    }
}

#[test]
fn a_clearing_that_is_killed_at_any_step_leaves_each_ref_as_it_was_or_gone() {
    for foretold in [false, true] {
        for n in 1.. {
            let Mixed {
                dir,
                store,
                gone,
                stays,
            } = mixed(ObjectFormat::Sha1);
            let before = store.list("refs/").unwrap();
            let script = Script::new();
            let dying = store.clone().with_steps(Arc::new(script.clone()));
            script.fail_at(n);
            let told = match foretold {
                true => dying
                    .foretell_clear(&gone)
                    .and_then(|ready| unnamed::settle(vec![ready])),
                false => Ok(()),
            };
            if told.is_ok() {
                dying.clear(&gone);
            }
            let died = script.is_dead();
            drop((dying, store));
            let next = begin_anew(dir.path());
            let now = next.list("refs/").unwrap();
            // Nothing shows that was not there before, and above all no value that another one replaced.
            assert!(now.iter().all(|one| before.contains(one)), "{n}: {now:?}");
            assert!(stays.iter().all(|one| now.contains(one)), "{n}: {now:?}");
            let as_git = git(dir.path(), &["for-each-ref", "--format=%(refname)"]);
            assert!(
                as_git.lines().eq(now.iter().map(|(name, _)| name)),
                "{n}: {as_git}"
            );
            next.clear(&gone);
            assert_eq!(next.list("refs/").unwrap(), stays, "{n}");
            assert_eq!(left_over(dir.path()), [""; 0], "{n}");
            if !died {
                assert_eq!(now, stays);
                assert!(n > 6, "{n} steps are too few");
                break;
            }
        }
    }
}

use super::*;
use crate::store::testing::{FORMATS, commit_of, git, git_output, new_store, object};
use crate::store::{Expect, Kind, Objects, RefEdit, Refs, Script};
use std::fs;
use std::process::Command;

const MAIN: &str = "refs/heads/main";

fn edit(name: &str, expect: Expect, new: Option<Oid>) -> RefEdit {
    RefEdit {
        name: name.into(),
        expect,
        new,
        message: "folio: a test".into(),
    }
}

/// Two commits that exist in the repository.
fn two_commits(store: &GitStore) -> [Oid; 2] {
    let first = commit_of(store, None, &[("a", "1\n")]);
    let parent = first.last().unwrap().0;
    let second = commit_of(store, Some(parent), &[("a", "2\n")]);
    let ids = [parent, second.last().unwrap().0];
    store.write_all(&[first, second].concat()).unwrap();
    ids
}

#[test]
fn git_is_happy_with_a_new_repository_and_reads_its_configuration() {
    for format in FORMATS {
        for bare in [false, true] {
            let dir = tempfile::tempdir().unwrap();
            let odd = "a \"quoted\" \\ value; with # and\ttab ";
            let config = [
                ("gc.auto", "0".to_owned()),
                ("gpg.ssh.allowedSignersFile", odd.to_owned()),
                ("remote.a \"b\\c.url", "x".to_owned()),
                ("core.fsync", "all".to_owned()),
            ];
            let store = GitStore::init(dir.path(), bare, format, &config).unwrap();
            assert_eq!((store.is_bare(), store.object_format()), (bare, format));
            assert_eq!(store.work_tree().is_none(), bare);
            assert_eq!(store.head().unwrap().as_deref(), Some(MAIN));
            for (key, value) in &config {
                assert_eq!(store.config_value(key).as_deref(), Some(value.as_str()));
                // Read raw: `git` trims nothing that was quoted.
                let output = git_output(dir.path(), &["config", "-z", "--get", key]);
                assert_eq!(output.stdout, format!("{value}\0").as_bytes());
            }
            let shown = git(dir.path(), &["rev-parse", "--show-object-format"]);
            assert_eq!(shown, format.as_str());
            git(dir.path(), &["fsck", "--strict"]);
            if !bare {
                assert_eq!(
                    git(dir.path(), &["status", "--porcelain=v2", "--branch"])
                        .lines()
                        .count(),
                    2
                );
            }
            let again = GitStore::init(dir.path(), bare, format, &[]);
            assert_eq!(again.err().unwrap().code, Code::AlreadyARepository);
        }
    }
}

#[test]
fn keys_and_values_that_git_cannot_read_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    for (key, value) in [
        ("nosection", "x"),
        ("a.b\nc.d", "x"),
        ("a.b", "x\0"),
        ("a b.c", "x"),
        (".a", ""),
    ] {
        let config = [(key, value.to_owned())];
        let fault = GitStore::init(dir.path(), false, ObjectFormat::Sha1, &config)
            .err()
            .unwrap();
        assert_eq!(fault.code, Code::BadRequest, "{key:?}");
    }
    assert!(
        fs::read_dir(dir.path()).unwrap().next().is_none(),
        "nothing was made"
    );
}

#[test]
fn repositories_are_found_upwards_and_reftables_are_refused_by_name() {
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(
        GitStore::open(dir.path()).err().unwrap().code,
        Code::NotASpace
    );
    let store = new_store(dir.path(), false, ObjectFormat::Sha256);
    let deep = dir.path().join("a/b");
    fs::create_dir_all(&deep).unwrap();
    let found = GitStore::discover(&deep).unwrap();
    assert_eq!(
        found.git_dir().canonicalize().unwrap(),
        store.git_dir().canonicalize().unwrap()
    );
    assert_eq!(GitStore::open(&deep).err().unwrap().code, Code::NotASpace);
    let other = tempfile::tempdir().unwrap();
    git(other.path(), &["init", "-q", "--ref-format=reftable"]);
    let fault = GitStore::discover(other.path()).err().unwrap();
    assert_eq!(fault.code, Code::Unsupported);
    assert!(fault.what.contains("reftable"), "{fault}");
}

#[test]
fn objects_of_git_are_read_loose_packed_and_as_deltas() {
    for format in FORMATS {
        let dir = tempfile::tempdir().unwrap();
        let store = new_store(dir.path(), false, format);
        let text: String = (0..300).map(|n| format!("line {n}\n")).collect();
        for tail in ["", "one more\n"] {
            fs::write(dir.path().join("f"), format!("{text}{tail}")).unwrap();
            git(dir.path(), &["add", "f"]);
            git(dir.path(), &["commit", "-qm", "x"]);
        }
        let id = |name: &str| {
            git(dir.path(), &["rev-parse", name])
                .parse::<Oid>()
                .unwrap()
        };
        for round in ["loose", "packed"] {
            for (rev, tail) in [("HEAD~1:f", ""), ("HEAD:f", "one more\n")] {
                let bytes = store.read(&id(rev), Kind::Blob, 1 << 20).unwrap();
                assert_eq!(bytes, format!("{text}{tail}").as_bytes(), "{round}");
            }
            let tree = store.read(&id("HEAD^{tree}"), Kind::Tree, 1000).unwrap();
            assert!(tree.starts_with(b"100644 f\0"));
            let (kind, size) = store.header(&id("HEAD")).unwrap().unwrap();
            assert_eq!(kind, Kind::Commit);
            assert_eq!(
                store.read(&id("HEAD"), kind, size).unwrap().len() as u64,
                size
            );
            let too_large = store.read(&id("HEAD"), kind, size - 1).unwrap_err();
            assert_eq!(too_large.code, Code::TooLarge);
            let other_kind = store.read(&id("HEAD"), Kind::Blob, size).unwrap_err();
            assert_eq!(other_kind.code, Code::ObjectDamaged);
            git(dir.path(), &["repack", "-adfq"]);
        }
        let none = store.id_of(Kind::Blob, b"not there");
        assert_eq!(
            store.read(&none, Kind::Blob, 10).unwrap_err().code,
            Code::ObjectMissing
        );
    }
}

#[test]
fn damage_and_lies_are_seen() {
    for format in FORMATS {
        let dir = tempfile::tempdir().unwrap();
        let store = new_store(dir.path(), true, format);
        let [true_blob, lie] = [b"true", b"lie!"].map(|text| object(&store, Kind::Blob, text));
        // A loose object under another one's name.
        let written = git_output_stdin(dir.path(), &["hash-object", "-w", "--stdin"], b"lie!");
        assert_eq!(written, lie.0.to_hex());
        let path = |id: &Oid| {
            let hex = id.to_hex();
            dir.path().join("objects").join(&hex[..2]).join(&hex[2..])
        };
        fs::create_dir_all(path(&true_blob.0).parent().unwrap()).unwrap();
        fs::copy(path(&lie.0), path(&true_blob.0)).unwrap();
        let fault = store.read(&true_blob.0, Kind::Blob, 10).unwrap_err();
        assert_eq!(fault.code, Code::ObjectDamaged);
        fs::remove_file(path(&lie.0)).unwrap();
        fs::write(path(&lie.0), b"not zlib").unwrap();
        let fault = store.read(&lie.0, Kind::Blob, 10).unwrap_err();
        assert_eq!(fault.code, Code::ObjectDamaged);
    }
}

fn git_output_stdin(dir: &Path, args: &[&str], input: &[u8]) -> String {
    use std::io::Write as _;
    let mut child = Command::new("git")
        .args(args)
        .current_dir(dir)
        .envs([
            ("GIT_CONFIG_GLOBAL", "/dev/null"),
            ("GIT_CONFIG_SYSTEM", "/dev/null"),
        ])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    let output = child.wait_with_output().unwrap();
    String::from_utf8(output.stdout)
        .unwrap()
        .trim_end()
        .to_owned()
}

#[test]
fn replacements_are_never_honoured() {
    for format in FORMATS {
        let dir = tempfile::tempdir().unwrap();
        let store = new_store(dir.path(), true, format);
        let [a, b] = [b"a", b"b"].map(|text| object(&store, Kind::Blob, text));
        store.write_all(&[a.clone(), b.clone()]).unwrap();
        git(dir.path(), &["replace", &a.0.to_hex(), &b.0.to_hex()]);
        assert_eq!(
            git(dir.path(), &["cat-file", "blob", &a.0.to_hex()]),
            "b",
            "git does"
        );
        let fresh = GitStore::open(dir.path()).unwrap();
        assert_eq!(fresh.read(&a.0, Kind::Blob, 10).unwrap(), b"a");
    }
}

#[test]
fn more_packs_than_gix_expects_and_packs_of_others_are_found() {
    for format in FORMATS {
        let dir = tempfile::tempdir().unwrap();
        let store = new_store(dir.path(), true, format);
        let thread = store.for_thread();
        let ids: Vec<Oid> = (0..70)
            .map(|n| {
                let blob = object(&store, Kind::Blob, format!("{n}").as_bytes());
                store.write_all(std::slice::from_ref(&blob)).unwrap();
                store.read(&blob.0, Kind::Blob, 10).unwrap();
                blob.0
            })
            .collect();
        let reader = std::thread::spawn(move || {
            for id in &ids {
                thread.read(id, Kind::Blob, 10).unwrap();
            }
        });
        reader.join().unwrap();
        let written = git_output_stdin(dir.path(), &["hash-object", "-w", "--stdin"], b"later");
        git(dir.path(), &["update-ref", "refs/keep/it", &written]);
        git(dir.path(), &["repack", "-dq"]);
        store
            .read(&written.parse().unwrap(), Kind::Blob, 10)
            .unwrap();
    }
}

#[test]
fn prefixes_name_one_object_or_none() {
    for format in FORMATS {
        let dir = tempfile::tempdir().unwrap();
        let store = new_store(dir.path(), true, format);
        // Enough objects for two of them to share four digits.
        let objects: Vec<_> = (0..2000)
            .map(|n| object(&store, Kind::Blob, format!("{n}").as_bytes()))
            .collect();
        store.write_all(&objects).unwrap();
        let mut hex: Vec<String> = objects.iter().map(|(id, ..)| id.to_hex()).collect();
        hex.sort();
        let shared = hex
            .windows(2)
            .find(|two| two[0][..4] == two[1][..4])
            .unwrap();
        let fault = store.resolve_prefix(&shared[0][..4]).unwrap_err();
        assert_eq!(fault.code, Code::BadRequest);
        for id in [&hex[0], &shared[0], &shared[1]] {
            let found = store.resolve_prefix(&id[..12]).unwrap();
            assert_eq!(found, Some(id.parse().unwrap()));
            assert_eq!(store.resolve_prefix(id).unwrap(), found);
        }
        assert_eq!(store.resolve_prefix("000000000000000").unwrap(), None);
        for bad in ["", "abc", "xyzw", "-abcd", &"a".repeat(65)] {
            assert_eq!(
                store.resolve_prefix(bad).unwrap_err().code,
                Code::BadRequest,
                "{bad}"
            );
        }
    }
}

#[test]
fn refs_are_moved_as_git_sees_it_and_logged() {
    for format in FORMATS {
        let dir = tempfile::tempdir().unwrap();
        let store = new_store(dir.path(), false, format);
        let [a, b] = two_commits(&store);
        let slug = "refs/heads/proposals/alice/kyiv";
        store
            .apply(&[
                edit(MAIN, Expect::Absent, Some(a)),
                edit(slug, Expect::Absent, Some(b)),
            ])
            .unwrap();
        assert_eq!(git(dir.path(), &["rev-parse", MAIN]), a.to_hex());
        store
            .apply(&[
                edit(MAIN, Expect::At(a), Some(b)),
                edit(slug, Expect::At(b), None),
            ])
            .unwrap();
        assert_eq!(store.list("refs/").unwrap(), [(MAIN.to_owned(), b)]);
        let log = git(dir.path(), &["reflog", "show", "--format=%H %gn %gs", MAIN]);
        assert_eq!(
            log,
            format!("{b} folio folio: a test\n{a} folio folio: a test")
        );
        assert_eq!(
            git(dir.path(), &["reflog", "show", "--format=%H", "HEAD"])
                .lines()
                .count(),
            2
        );
        let output = git_output(dir.path(), &["fsck", "--strict"]);
        assert!(output.status.success(), "{output:?}");
        assert!(store.get("HEAD").is_err());
        // Where a directory of deleted refs was, a ref can be.
        store
            .apply(&[edit("refs/heads/proposals/alice", Expect::Any, Some(a))])
            .unwrap();
    }
}

#[test]
fn expectations_are_held_for_loose_and_packed_refs() {
    for format in FORMATS {
        let dir = tempfile::tempdir().unwrap();
        let store = new_store(dir.path(), true, format);
        let [a, b] = two_commits(&store);
        let other = "refs/heads/other";
        store
            .apply(&[
                edit(MAIN, Expect::Absent, Some(a)),
                edit(other, Expect::Any, Some(a)),
            ])
            .unwrap();
        for round in ["loose", "packed"] {
            let lost = [
                edit(MAIN, Expect::Absent, Some(a)),
                edit(MAIN, Expect::Absent, Some(b)),
                edit(MAIN, Expect::At(b), Some(a)),
                edit(MAIN, Expect::At(b), Some(b)),
                edit(MAIN, Expect::At(b), None),
                edit("refs/heads/none", Expect::At(a), None),
            ];
            for one in lost {
                // The other edit would be fine, and must not be made either.
                let both = [edit(other, Expect::At(a), Some(b)), one];
                let fault = store.apply(&both).unwrap_err();
                assert_eq!(fault.code, Code::RaceLost, "{round}: {fault}");
            }
            let all = [(MAIN.to_owned(), a), (other.to_owned(), a)];
            assert_eq!(store.list("refs/heads/").unwrap(), all);
            assert_eq!(store.get(MAIN).unwrap(), Some(a));
            git(dir.path(), &["pack-refs", "--all", "--prune"]);
        }
        // Packed ones are moved and deleted, and do not come back.
        store
            .apply(&[
                edit(MAIN, Expect::At(a), Some(b)),
                edit(other, Expect::At(a), None),
            ])
            .unwrap();
        assert_eq!(
            git(dir.path(), &["for-each-ref", "--format=%(refname)"]),
            MAIN
        );
        store.apply(&[edit(MAIN, Expect::At(b), None)]).unwrap();
        assert_eq!(store.get(MAIN).unwrap(), None);
        assert_eq!(git(dir.path(), &["for-each-ref"]), "");
    }
}

#[test]
fn refs_that_conflict_or_deceive_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let store = new_store(dir.path(), true, ObjectFormat::Sha1);
    let [a, _] = two_commits(&store);
    let code = |edits: &[RefEdit]| store.apply(edits).unwrap_err().code;
    store
        .apply(&[edit("refs/heads/a/b", Expect::Absent, Some(a))])
        .unwrap();
    for packed in [false, true] {
        for name in ["refs/heads/a", "refs/heads/a/b/c"] {
            let words = store
                .apply(&[edit(name, Expect::Absent, Some(a))])
                .unwrap_err();
            assert_eq!(words.code, Code::RefInvalid, "{packed} {words}");
        }
        git(dir.path(), &["pack-refs", "--all", "--prune"]);
    }
    for name in [
        "main",
        "refs/../config",
        "refs/heads/.a",
        "refs/heads/a.lock",
        "refs//a",
        "refs/a b",
        "HEAD",
    ] {
        assert_eq!(
            code(&[edit(name, Expect::Any, Some(a))]),
            Code::RefInvalid,
            "{name}"
        );
    }
    git(
        dir.path(),
        &["symbolic-ref", "refs/heads/sym", "refs/heads/a/b"],
    );
    assert_eq!(
        store.get("refs/heads/sym").unwrap_err().code,
        Code::RefInvalid
    );
    assert_eq!(
        code(&[edit("refs/heads/sym", Expect::Any, Some(a))]),
        Code::RefInvalid
    );
    assert_eq!(
        store.list("refs/heads/").unwrap_err().code,
        Code::RefInvalid
    );
    let twice = edit(MAIN, Expect::Any, Some(a));
    assert!(store.apply(&[twice.clone(), twice]).is_err());
    fs::write(dir.path().join(MAIN), "").unwrap();
    assert_eq!(store.get(MAIN).unwrap_err().code, Code::ObjectDamaged);
}

#[test]
fn a_lock_of_git_is_busy_and_a_lock_of_a_dead_folio_is_taken() {
    let dir = tempfile::tempdir().unwrap();
    let script = Script::new();
    let store = new_store(dir.path(), true, ObjectFormat::Sha1);
    let [a, b] = two_commits(&store);
    let lock = dir.path().join("refs/heads/main.lock");
    fs::write(&lock, "").unwrap();
    let fault = store
        .apply(&[edit(MAIN, Expect::Absent, Some(a))])
        .unwrap_err();
    assert_eq!(fault.code, Code::Busy);
    assert!(lock.exists(), "it may be somebody's");
    fs::remove_file(&lock).unwrap();
    // A live Folio's lock is respected too.
    let held = lock::Lock::take(dir.path(), &dir.path().join(MAIN), &EveryStep).unwrap();
    assert_eq!(
        store
            .apply(&[edit(MAIN, Expect::Absent, Some(a))])
            .unwrap_err()
            .code,
        Code::Busy
    );
    drop(held);
    let dying = store.clone().with_steps(Arc::new(script.clone()));
    script.fail_at(2);
    dying
        .apply(&[edit(MAIN, Expect::Absent, Some(a))])
        .unwrap_err();
    assert!(lock.exists(), "the dead tidy nothing up");
    store.apply(&[edit(MAIN, Expect::Absent, Some(b))]).unwrap();
    assert_eq!(git(dir.path(), &["rev-parse", MAIN]), b.to_hex());
    let left = fs::read_dir(dir.path().join("folio/locks"))
        .unwrap()
        .count();
    assert_eq!(left, 0);
}

#[test]
fn an_apply_that_is_killed_at_any_step_leaves_whole_refs_and_can_be_run_again() {
    for packed in [false, true] {
        for n in 1.. {
            let dir = tempfile::tempdir().unwrap();
            let script = Script::new();
            let store = new_store(dir.path(), true, ObjectFormat::Sha256);
            let [a, b] = two_commits(&store);
            let gone = "refs/heads/gone";
            store
                .apply(&[
                    edit(MAIN, Expect::Absent, Some(a)),
                    edit(gone, Expect::Any, Some(a)),
                ])
                .unwrap();
            if packed {
                git(dir.path(), &["pack-refs", "--all", "--prune"]);
            }
            let dying = store.clone().with_steps(Arc::new(script.clone()));
            script.fail_at(n);
            let new = "refs/heads/new/one";
            let edits = [
                edit(new, Expect::Absent, Some(b)),
                edit(MAIN, Expect::At(a), Some(b)),
                edit(gone, Expect::At(a), None),
            ];
            let done = dying.apply(&edits).is_ok();
            script.revive();
            let state = (
                store.get(new).unwrap(),
                store.get(MAIN).unwrap(),
                store.get(gone).unwrap(),
            );
            let listed = git(dir.path(), &["for-each-ref", "--format=%(refname)"]);
            let orders = [
                (None, Some(a), Some(a)),
                (Some(b), Some(a), Some(a)),
                (Some(b), Some(b), Some(a)),
                (Some(b), Some(b), None),
            ];
            assert!(orders.contains(&state), "{n}: {state:?}");
            assert_eq!(listed.lines().count(), store.list("refs/").unwrap().len());
            // Again, from what is there now.
            let expect = |name: &str| store.get(name).unwrap().map_or(Expect::Absent, Expect::At);
            let again: Vec<RefEdit> = edits
                .iter()
                .map(|e| edit(&e.name, expect(&e.name), e.new))
                .collect();
            store.apply(&again).unwrap();
            assert_eq!(
                store.list("refs/").unwrap(),
                [(MAIN.to_owned(), b), (new.to_owned(), b)]
            );
            if done {
                assert!(n > 8, "{n} steps are too few");
                break;
            }
        }
    }
}

#[test]
fn of_many_writers_one_wins_each_round_and_git_is_one_of_them() {
    let dir = tempfile::tempdir().unwrap();
    let store = new_store(dir.path(), true, ObjectFormat::Sha1);
    let objects: Vec<_> = (0..40).map(|n| object(&store, Kind::Blob, &[n])).collect();
    store.write_all(&objects).unwrap();
    let counter = "refs/counter/of-wins";
    store
        .apply(&[edit(counter, Expect::Absent, Some(objects[0].0))])
        .unwrap();
    let ids: Vec<Oid> = objects.iter().map(|(id, ..)| *id).collect();
    let wins: usize = std::thread::scope(|scope| {
        let runs: Vec<_> = (0..3)
            .map(|_| {
                let (store, ids) = (store.for_thread(), ids.clone());
                scope.spawn(move || {
                    let mut wins = 0;
                    loop {
                        let now = store.get(counter).unwrap().unwrap();
                        let at = ids.iter().position(|id| *id == now).unwrap();
                        let Some(next) = ids.get(at + 1) else {
                            return wins;
                        };
                        match store.apply(&[edit(counter, Expect::At(now), Some(*next))]) {
                            Ok(()) => wins += 1,
                            Err(fault) => assert!(
                                matches!(fault.code, Code::RaceLost | Code::Busy),
                                "{fault}"
                            ),
                        }
                    }
                })
            })
            .collect();
        for _ in 0..10 {
            git_output(dir.path(), &["pack-refs", "--all", "--prune"]);
        }
        runs.into_iter().map(|run| run.join().unwrap()).sum()
    });
    assert_eq!(wins, 39);
}

/// Run by [`the_users_configuration_is_read_as_git_reads_it`] in an environment of its own.
#[test]
#[ignore = "needs the environment that another test gives it"]
fn print_user_configuration() {
    let dir = std::env::var_os("TEST_DIR").map(PathBuf::from);
    for key in ["user.name", "user.email", "gpg.ssh.program"] {
        println!(
            "<{key}={:?}>",
            user_config_value(dir.as_deref(), key).unwrap()
        );
    }
}

#[test]
fn the_users_configuration_is_read_as_git_reads_it() {
    let dir = tempfile::tempdir().unwrap();
    let config = [("user.email", "local@example.org".to_owned())];
    GitStore::init(&dir.path().join("r"), false, ObjectFormat::Sha1, &config).unwrap();
    let file = |name: &str, text: &str| {
        let path = dir.path().join(name);
        fs::write(&path, text).unwrap();
        path
    };
    let global = file(
        "global",
        "[user]\n\tname = Global\n\temail = global@example.org\n",
    );
    let system = file(
        "system",
        "[gpg \"ssh\"]\n\tprogram = sys\n[user]\n\tname = System\n",
    );
    let run = |repo: Option<&str>, no_system: &str| {
        let mut child = Command::new(std::env::current_exe().unwrap());
        child.args(["--exact", "store::git::tests::print_user_configuration"]);
        child.args(["--ignored", "--nocapture"]);
        child
            .env("GIT_CONFIG_GLOBAL", &global)
            .env("GIT_CONFIG_SYSTEM", &system);
        child.env("GIT_CONFIG_NOSYSTEM", no_system);
        if let Some(repo) = repo {
            child.env("TEST_DIR", dir.path().join(repo));
        }
        String::from_utf8(child.output().unwrap().stdout).unwrap()
    };
    let shows = |text: &str, key: &str, value: Option<&str>| {
        let want = format!("<{key}={value:?}>", value = value.map(str::to_owned));
        assert!(text.contains(&want), "expected {want} in {text}");
    };
    let inside = run(Some("r"), "0");
    shows(&inside, "user.name", Some("Global"));
    shows(&inside, "user.email", Some("local@example.org"));
    shows(&inside, "gpg.ssh.program", Some("sys"));
    let outside = run(None, "0");
    shows(&outside, "user.email", Some("global@example.org"));
    shows(&outside, "gpg.ssh.program", Some("sys"));
    for text in [run(Some("r"), "1"), run(None, "1")] {
        shows(&text, "gpg.ssh.program", None);
        shows(&text, "user.name", Some("Global"));
    }
    // What decides about validity never sees any of it.
    let store = GitStore::open(&dir.path().join("r")).unwrap();
    assert_eq!(store.config_value("user.name"), None);
}

#[test]
fn objects_that_are_lent_are_seen_and_nothing_is_written_beside_them() {
    let dir = tempfile::tempdir().unwrap();
    let own = new_store(&dir.path().join("own"), true, ObjectFormat::Sha1);
    let other = new_store(&dir.path().join("other"), true, ObjectFormat::Sha1);
    let write = |store: &GitStore, bytes: &[u8]| {
        let id = store.id_of(Kind::Blob, bytes);
        store
            .write_all(&[(id, Kind::Blob, bytes.to_vec())])
            .unwrap();
        id
    };
    let (mine, lent) = (write(&own, b"mine"), write(&other, b"lent"));
    let dirs = ["other/objects", "own/objects", "nowhere", "other/objects"];
    let dirs = dirs.map(|name| dir.path().join(name));
    let both = own.clone().with_objects(&dirs).unwrap();
    for store in [&both, &both.for_thread()] {
        assert_eq!(store.read(&mine, Kind::Blob, 10).unwrap(), b"mine");
        assert_eq!(store.read(&lent, Kind::Blob, 10).unwrap(), b"lent");
        assert_eq!(store.header(&lent).unwrap(), Some((Kind::Blob, 4)));
        assert_eq!(
            store.read(&lent, Kind::Blob, 3).unwrap_err().code,
            Code::TooLarge
        );
        let nothing = store.id_of(Kind::Blob, b"nothing");
        assert_eq!(store.header(&nothing).unwrap(), None);
        let fault = store.write_all(&[(nothing, Kind::Blob, b"nothing".to_vec())]);
        assert_eq!(fault.unwrap_err().code, Code::Unsupported);
        let edit = RefEdit {
            name: "refs/heads/main".into(),
            expect: Expect::Any,
            new: Some(mine),
            message: String::new(),
        };
        assert_eq!(store.apply(&[edit]).unwrap_err().code, Code::Unsupported);
    }
    // The repository itself sees what is its own.
    assert_eq!(own.header(&lent).unwrap(), None);
    let many: Vec<_> = (0..20)
        .map(|i| dir.path().join(format!("lent{i}")))
        .collect();
    for dir in &many {
        std::fs::create_dir(dir).unwrap();
    }
    let fault = own.with_objects(&many).map(drop).unwrap_err();
    assert_eq!(fault.code, Code::TooLarge);
}

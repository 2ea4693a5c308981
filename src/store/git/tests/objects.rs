//! Reading objects, whoever wrote them.

use super::*;

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

#[test]
fn the_first_objects_and_all_others_are_read_alike() {
    for format in FORMATS {
        let dir = tempfile::tempdir().unwrap();
        let store = new_store(dir.path(), false, format);
        let text: String = (0..200).map(|n| format!("line {n}\n")).collect();
        for round in 0..6 {
            for file in 0..5 {
                let name = format!("{file}");
                let tail = format!("{round} {file}\n");
                fs::write(dir.path().join(name), format!("{text}{tail}")).unwrap();
            }
            git(dir.path(), &["add", "."]);
            git(dir.path(), &["commit", "-qm", "x"]);
            if round == 3 {
                git(dir.path(), &["repack", "-adfq", "--depth=20"]);
            }
        }
        let listed = git(
            dir.path(),
            &["cat-file", "--batch-all-objects", "--batch-check"],
        );
        // A handle for another thread asks gix from the beginning.
        let other = store.for_thread();
        let mut deltas = 0;
        for line in listed.lines() {
            let id: Oid = line.split(' ').next().unwrap().parse().unwrap();
            let (kind, size) = store.header(&id).unwrap().unwrap();
            assert_eq!(other.header(&id).unwrap(), Some((kind, size)));
            let bytes = store.read(&id, kind, size).unwrap();
            assert_eq!(other.read(&id, kind, size).unwrap(), bytes);
            assert_eq!(store.id_of(kind, &bytes), id);
            deltas += usize::from(size > 1000);
        }
        assert!(deltas >= 30, "six versions of five files");
        // What another process writes after the first look is found too, and so it is beyond the first objects.
        let late = object(&store, Kind::Blob, b"late");
        let writer = GitStore::open(dir.path()).unwrap();
        writer.write_all(std::slice::from_ref(&late)).unwrap();
        for _ in 0..1100 {
            assert_eq!(store.read(&late.0, Kind::Blob, 4).unwrap(), b"late");
        }
    }
}

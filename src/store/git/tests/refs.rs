//! Moving refs, as git sees it.

use super::*;

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

/// Steps by their names.
#[derive(Default)]
struct Names(std::sync::Mutex<Vec<&'static str>>);

impl crate::store::Steps for Names {
    fn step(&self, name: &'static str) -> Result<(), crate::store::StoreFault> {
        self.0.lock().unwrap().push(name);
        Ok(())
    }
}

#[test]
fn what_is_cleared_away_goes_as_it_would_otherwise_and_is_not_waited_for() {
    let dir = tempfile::tempdir().unwrap();
    let names = std::sync::Arc::new(Names::default());
    let store = new_store(dir.path(), true, ObjectFormat::Sha1).with_steps(names.clone());
    let [a, b] = two_commits(&store);
    let slug = "refs/heads/proposals/alice/kyiv";
    let count = || {
        let names = std::mem::take(&mut *names.0.lock().unwrap());
        names.iter().filter(|name| **name == "refs-sync").count()
    };
    store.apply(&[edit(slug, Expect::Absent, Some(a))]).unwrap();
    assert!(count() > 0);
    store.clear(&[(slug.into(), b)]);
    assert_eq!(store.get(slug).unwrap(), Some(a));
    store.clear(&[(slug.into(), a)]);
    assert_eq!(store.get(slug).unwrap(), None);
    assert_eq!(count(), 0);
    let output = git_output(dir.path(), &["fsck", "--strict"]);
    assert!(output.status.success(), "{output:?}");
}

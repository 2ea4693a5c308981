use super::*;
use crate::remote::checkout::MAIN;
use crate::store::testing::{FORMATS, commit_of, git, new_store};
use crate::store::{Expect, GitStore, Objects, RefEdit, Refs};
use tempfile::TempDir;

/// A repository with three commits, `main` unborn, nothing checked out.
struct Space {
    dir: TempDir,
    store: GitStore,
    commits: Vec<Oid>,
}

/// `b` stays, `a` and `c` change, `new` comes second and `old` goes third.
const VERSIONS: [&[(&str, &str)]; 3] = [
    &[("a", "1\n"), ("b", "b\n"), ("c", "one\n"), ("old", "old\n")],
    &[
        ("a", "2\n"),
        ("b", "b\n"),
        ("c", "two\n"),
        ("new", "new\n"),
        ("old", "old\n"),
    ],
    &[
        ("a", "3\n"),
        ("b", "b\n"),
        ("c", "three\n"),
        ("new", "new\n"),
    ],
];

fn space(format: crate::model::ObjectFormat) -> Space {
    let dir = tempfile::tempdir().unwrap();
    let store = new_store(dir.path(), false, format);
    let mut commits = Vec::new();
    for files in VERSIONS {
        let objects = commit_of(&store, commits.last().copied(), files);
        commits.push(objects.last().unwrap().0);
        store.write_all(&objects).unwrap();
    }
    Space {
        dir,
        store,
        commits,
    }
}

impl Space {
    /// A space whose work tree is at the first commit.
    fn at_first(format: crate::model::ObjectFormat) -> Space {
        let space = space(format);
        space.publish(0);
        assert_eq!(space.follow(None, 0).unwrap(), Follow::Moved);
        space.assert_clean();
        space
    }

    fn publish(&self, at: usize) {
        let new = Some(self.commits[at]);
        let message = "test".to_owned();
        let edit = RefEdit {
            name: MAIN.into(),
            expect: Expect::Any,
            new,
            message,
        };
        self.store.apply(&[edit]).unwrap();
    }

    fn follow(&self, from: Option<usize>, to: usize) -> Result<Follow, StoreFault> {
        let from = from.map(|from| self.commits[from]);
        follow(
            self.store.git_dir(),
            self.store.work_tree(),
            from,
            self.commits[to],
        )
    }

    fn check(&self, from: Option<usize>, to: usize) -> Result<(), StoreFault> {
        let from = from.map(|from| self.commits[from]);
        check(
            self.store.git_dir(),
            self.store.work_tree(),
            from,
            self.commits[to],
        )
    }

    fn read(&self, name: &str) -> Option<String> {
        fs::read_to_string(self.dir.path().join(name)).ok()
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.dir.path().join(name), text).unwrap();
    }

    fn status(&self) -> String {
        git(self.dir.path(), &["status", "--porcelain"])
    }

    fn assert_clean(&self) {
        assert_eq!(self.status(), "");
    }

    /// Refused before and at the move, naming the file, and nothing is touched.
    fn assert_refused(&self, from: Option<usize>, to: usize, name: &str) {
        let before = (
            self.status(),
            self.read("a"),
            self.read("new"),
            self.read("old"),
        );
        for fault in [
            self.check(from, to).unwrap_err(),
            self.follow(from, to).unwrap_err(),
        ] {
            assert_eq!(fault.code, Code::WorktreeChanged, "{fault}");
            assert!(fault.what.contains(&format!("`{name}`")), "{fault}");
        }
        let after = (
            self.status(),
            self.read("a"),
            self.read("new"),
            self.read("old"),
        );
        assert_eq!(before, after);
    }
}

#[test]
fn a_clean_work_tree_follows_and_following_twice_does_nothing() {
    for format in FORMATS {
        let space = Space::at_first(format);
        space.check(Some(0), 1).unwrap();
        space.publish(1);
        assert_eq!(space.follow(Some(0), 1).unwrap(), Follow::Moved);
        space.assert_clean();
        assert_eq!(space.read("new").as_deref(), Some("new\n"));
        assert_eq!(space.follow(Some(0), 1).unwrap(), Follow::Already);
        assert_eq!(space.follow(Some(1), 1).unwrap(), Follow::Already);
        space.publish(2);
        assert_eq!(space.follow(Some(1), 2).unwrap(), Follow::Moved);
        space.assert_clean();
        assert_eq!(space.read("old"), None);
        assert_eq!(last_followed(space.store.git_dir()), Some(space.commits[2]));
        // Back, as when pages are cut.
        space.publish(0);
        assert_eq!(space.follow(Some(2), 0).unwrap(), Follow::Moved);
        space.assert_clean();
    }
}

#[test]
fn a_work_tree_that_plain_git_checked_out_follows() {
    for format in FORMATS {
        let space = Space::at_first(format);
        let git_dir = space.store.git_dir();
        fs::remove_file(git_dir.join("folio").join("worktree")).unwrap();
        space.check(Some(0), 1).unwrap();
        assert_eq!(last_followed(git_dir), Some(space.commits[0]));
        space.publish(1);
        assert_eq!(space.follow(Some(0), 1).unwrap(), Follow::Moved);
        space.assert_clean();
    }
}

#[test]
fn changes_to_files_that_change_are_refused_and_kept() {
    for format in FORMATS {
        let space = Space::at_first(format);
        space.write("a", "mine\n");
        space.assert_refused(Some(0), 1, "a");
        git(space.dir.path(), &["add", "a"]);
        space.assert_refused(Some(0), 1, "a");
        // Staged, and then put back in the work tree only.
        space.write("a", "1\n");
        space.assert_refused(Some(0), 1, "a");
        git(space.dir.path(), &["reset", "-q"]);
        space.write("old", "mine\n");
        space.assert_refused(Some(0), 2, "old");
    }
}

#[test]
fn changes_to_files_that_stay_are_kept_and_do_not_hinder() {
    let space = Space::at_first(crate::model::ObjectFormat::Sha1);
    space.write("b", "mine\n");
    space.write("untracked", "mine\n");
    space.check(Some(0), 1).unwrap();
    space.publish(1);
    assert_eq!(space.follow(Some(0), 1).unwrap(), Follow::Moved);
    assert_eq!(space.status(), " M b\n?? untracked");
    assert_eq!(space.read("a").as_deref(), Some("2\n"));
    assert_eq!(space.read("b").as_deref(), Some("mine\n"));
}

#[test]
fn untracked_files_in_the_way_are_kept_ignored_ones_too() {
    for ignored in [false, true] {
        let space = Space::at_first(crate::model::ObjectFormat::Sha256);
        if ignored {
            fs::create_dir_all(space.store.git_dir().join("info")).unwrap();
            fs::write(space.store.git_dir().join("info/exclude"), "new\n").unwrap();
        }
        space.write("new", "mine\n");
        space.assert_refused(Some(0), 1, "new");
        fs::remove_file(space.dir.path().join("new")).unwrap();
        fs::create_dir(space.dir.path().join("new")).unwrap();
        space.write("new/deep", "mine\n");
        let fault = space.follow(Some(0), 1).unwrap_err();
        assert!(fault.what.contains("`new/deep`"), "{fault}");
        assert_eq!(space.read("new/deep").as_deref(), Some("mine\n"));
    }
    // Before the first page, too; a file that is the same already is no loss.
    let space = space(crate::model::ObjectFormat::Sha1);
    space.write("a", "mine\n");
    space.write("b", "b\n");
    space.assert_refused(None, 0, "a");
    fs::remove_file(space.dir.path().join("a")).unwrap();
    space.check(None, 0).unwrap();
    space.publish(0);
    assert_eq!(space.follow(None, 0).unwrap(), Follow::Moved);
    space.assert_clean();
}

#[test]
fn a_staged_file_before_the_first_page_stays() {
    let space = space(crate::model::ObjectFormat::Sha1);
    space.write("draft", "mine\n");
    git(space.dir.path(), &["add", "draft"]);
    space.publish(0);
    assert_eq!(space.follow(None, 0).unwrap(), Follow::Moved);
    assert_eq!(space.status(), "A  draft");
    assert_eq!(space.read("draft").as_deref(), Some("mine\n"));
}

#[test]
fn a_symbolic_link_in_the_way_is_not_followed() {
    let space = Space::at_first(crate::model::ObjectFormat::Sha1);
    let outside = tempfile::tempdir().unwrap();
    let target = outside.path().join("precious");
    fs::write(&target, "precious\n").unwrap();
    std::os::unix::fs::symlink(&target, space.dir.path().join("new")).unwrap();
    let fault = space.follow(Some(0), 1).unwrap_err();
    assert_eq!(fault.code, Code::WorktreeChanged);
    assert_eq!(fs::read_to_string(target).unwrap(), "precious\n");
}

#[test]
fn a_crash_is_repaired_by_the_next_run_wherever_it_was() {
    for format in FORMATS {
        // Between main and the work tree; the next run may have gone on to another page already.
        for next in [1, 2] {
            let space = Space::at_first(format);
            space.publish(1);
            space.publish(next);
            let marked = last_followed(space.store.git_dir()).unwrap();
            assert_eq!(marked, space.commits[0]);
            assert_eq!(space.follow(Some(1), next).unwrap(), Follow::Moved);
            space.assert_clean();
        }
        // While files were being moved: some are new, the index is old.
        let space = Space::at_first(format);
        space.publish(2);
        space.write("a", "3\n");
        fs::remove_file(space.dir.path().join("old")).unwrap();
        space.check(Some(0), 2).unwrap();
        assert_eq!(space.follow(Some(0), 2).unwrap(), Follow::Moved);
        space.assert_clean();
        assert_eq!(space.read("new").as_deref(), Some("new\n"));
        // After the work tree, before the marker; then another page.
        mark(space.store.git_dir(), &space.commits[0]).unwrap();
        space.publish(1);
        assert_eq!(space.follow(Some(2), 1).unwrap(), Follow::Moved);
        space.assert_clean();
        // A marker that is torn, or names what is no more.
        for text in ["12345", &format!("{}\n", "1".repeat(format.id_len() * 2))] {
            fs::write(space.store.git_dir().join("folio/worktree"), text).unwrap();
            space.publish(2);
            space.follow(Some(1), 2).unwrap();
            space.assert_clean();
            space.publish(1);
            space.follow(Some(2), 1).unwrap();
        }
    }
}

#[test]
fn wherever_a_move_of_several_files_was_stopped_it_is_made_up_for() {
    let space = Space::at_first(crate::model::ObjectFormat::Sha1);
    // As it was, away, begun, and done.
    let put = |name: &str, was: Option<&str>, will: Option<&str>, state: usize| {
        let begun = will.map(|text| &text[..1]);
        match [was, None, begun, will][state] {
            Some(text) => space.write(name, text),
            None => drop(fs::remove_file(space.dir.path().join(name))),
        }
    };
    for state in 0..16 {
        space.publish(2);
        put("a", Some("1\n"), Some("3\n"), state % 4);
        put("c", Some("one\n"), Some("three\n"), state / 4);
        put("new", None, Some("new\n"), state * 5 % 4);
        put("old", Some("old\n"), None, state * 7 % 4);
        let (git_dir, to) = (space.store.git_dir(), space.commits[2]);
        let done = make_up(git_dir, space.store.work_tree(), false, to);
        assert!(done.is_ok(), "{state}: {done:?}");
        space.assert_clean();
        space.publish(0);
        space.follow(Some(2), 0).unwrap();
        space.assert_clean();
    }
}

#[test]
fn files_that_only_look_changed_do_not_hinder() {
    let space = Space::at_first(crate::model::ObjectFormat::Sha1);
    let path = space.dir.path().join("a");
    let text = fs::read(&path).unwrap();
    fs::remove_file(&path).unwrap();
    fs::write(&path, text).unwrap();
    let past = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_000);
    fs::File::options()
        .write(true)
        .open(&path)
        .unwrap()
        .set_modified(past)
        .unwrap();
    space.check(Some(0), 1).unwrap();
    fs::File::options()
        .write(true)
        .open(&path)
        .unwrap()
        .set_modified(past)
        .unwrap();
    space.publish(1);
    assert_eq!(space.follow(Some(0), 1).unwrap(), Follow::Moved);
    space.assert_clean();
}

#[test]
fn another_branch_a_bare_repository_and_a_busy_index_are_left_alone() {
    let space = Space::at_first(crate::model::ObjectFormat::Sha1);
    let lock = space.store.git_dir().join("index.lock");
    fs::write(&lock, "").unwrap();
    assert_eq!(space.follow(Some(0), 1).unwrap_err().code, Code::Busy);
    fs::remove_file(lock).unwrap();
    git(space.dir.path(), &["switch", "-q", "-c", "elsewhere"]);
    space.publish(1);
    assert_eq!(space.follow(Some(0), 1).unwrap(), Follow::NotOnMain);
    space.check(Some(0), 1).unwrap();
    assert_eq!(space.read("a").as_deref(), Some("1\n"));
    // The user comes back by hand, which no marker knows.
    git(space.dir.path(), &["switch", "-q", "main"]);
    space.publish(2);
    assert_eq!(space.follow(Some(1), 2).unwrap(), Follow::Moved);
    space.assert_clean();
    git(space.dir.path(), &["switch", "-q", "--detach"]);
    assert_eq!(space.follow(Some(2), 1).unwrap(), Follow::NotOnMain);
    let bare = follow(space.store.git_dir(), None, None, space.commits[0]).unwrap();
    assert_eq!(bare, Follow::Bare);
}

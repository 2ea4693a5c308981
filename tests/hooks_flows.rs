//! What a server with the hooks lets through: the daily life of a space, pushed by plain git.
#![allow(clippy::unwrap_used, reason = "a test")]

#[path = "common/cli.rs"]
mod cli;
#[path = "common/server.rs"]
mod server;

use cli::{Ran, finish, lock_of_the_dead};
use server::{Served, refused, set};
use std::path::Path;

#[test]
fn a_proposal_is_pushed_numbered_and_removed() {
    let served = Served::new();
    let name = "refs/heads/proposals/bob/kyiv";
    served.fixture.propose("bob", "kyiv", &set("Kiev", "Kyiv"));
    served.push(&["proposals/bob/kyiv"]).ok();
    assert!(served.at(name).is_some());
    // Replaced freely.
    served.fixture.git(&["update-ref", "-d", name]);
    served.fixture.propose("bob", "kyiv", &set("Kiev", "Kyjiw"));
    served.push(&["+proposals/bob/kyiv"]).ok();
    // Not to be deleted while it waits.
    let said = refused(served.push(&[":proposals/bob/kyiv"]), "ref-protected", name);
    assert!(said.contains("not numbered"), "{said}");
    // Numbered and removed in one push.
    served.fixture.accept_all();
    served.push(&["main", ":proposals/bob/kyiv"]).ok();
    assert_eq!(served.at(name), None);
    served.on_server(&["verify"]).ok();
    assert_eq!(served.on_server(&["resolve", "Kiev"]).ok(), "Kyjiw\n");
    assert!(served.server.join("folio/wake").exists());
}

#[test]
fn a_numbered_proposal_may_be_removed_later_too() {
    let served = Served::new();
    served.fixture.propose("bob", "kyiv", &set("Kiev", "Kyiv"));
    served.push(&["proposals/bob/kyiv"]).ok();
    served.fixture.accept_all();
    served.number("other");
    served.push(&["main"]).ok();
    served.push(&[":proposals/bob/kyiv"]).ok();
    assert_eq!(served.at("refs/heads/proposals/bob/kyiv"), None);
}

#[test]
fn what_a_folio_that_died_on_the_server_held_stops_no_push() {
    let served = Served::new();
    served.fixture.propose("bob", "kyiv", &set("Kiev", "Kyiv"));
    let lock = lock_of_the_dead(&served.server, "refs/heads/proposals/bob/kyiv");
    served.push(&["proposals/bob/kyiv"]).ok();
    assert!(!served.server.join("folio/locks/1-0").exists() && !lock.exists());
    // git's own is for people to remove.
    let lock = served.server.join("refs/heads/proposals/bob/lviv.lock");
    served.fixture.propose("bob", "lviv", &set("Lvov", "Lviv"));
    std::fs::write(&lock, "").unwrap();
    let refused = served.push(&["proposals/bob/lviv"]);
    assert!(refused.code != 0 && lock.exists(), "{refused:?}");
}

/// A clone by plain git, with the hooks of a client.
fn clone_of(served: &Served) -> std::path::PathBuf {
    let dir = served.fixture.path("clone");
    let mut git = served
        .fixture
        .bare_command("git", served.fixture.home.path());
    let url = format!("file://{}", served.server.display());
    finish(git.args(["clone", "-q", &url, "clone"]), b"").ok();
    finish(
        served.fixture.command(&dir, None).args(["hook", "install"]),
        b"",
    )
    .ok();
    dir
}

fn git_in(served: &Served, dir: &Path, args: &[&str]) -> Ran {
    let mut git = served.fixture.bare_command("git", dir);
    git.args(["-c", "user.name=eve", "-c", "user.email=eve@example.org"]);
    finish(git.args(args), b"")
}

#[test]
fn plain_git_in_a_clone_moves_main_forward_by_pages_only() {
    let served = Served::new();
    let dir = clone_of(&served);
    served.number("a");
    served.push(&["main"]).ok();
    git_in(&served, &dir, &["pull", "-q", "--ff-only"]).ok();
    served.number("b");
    served.push(&["main"]).ok();
    git_in(&served, &dir, &["pull", "-q", "--ff-only"]).ok();
    let tip = git_in(&served, &dir, &["rev-parse", "main"]).ok();
    // Other branches are nobody's business, `main` is.
    git_in(&served, &dir, &["checkout", "-q", "-b", "work"]).ok();
    git_in(
        &served,
        &dir,
        &["commit", "-q", "--allow-empty", "-m", "work"],
    )
    .ok();
    git_in(&served, &dir, &["checkout", "-q", "main"]).ok();
    for (args, code) in [
        (
            &["commit", "-q", "--allow-empty", "-m", "x"][..],
            "not-a-snapshot",
        ),
        (
            &["merge", "-q", "--no-ff", "-m", "x", "work"],
            "not-a-snapshot",
        ),
        (&["merge", "-q", "work"], "not-a-snapshot"),
        (&["reset", "-q", "--hard", "main~1"], "not-fast-forward"),
        (
            &["update-ref", "refs/heads/main", "main~2"],
            "not-fast-forward",
        ),
        (&["update-ref", "-d", "refs/heads/main"], "ref-protected"),
        (
            &["symbolic-ref", "refs/heads/main", "refs/heads/work"],
            "bad-request",
        ),
    ] {
        let ran = git_in(&served, &dir, args);
        // Older versions of git do not ask about symbolic refs.
        let symbolic = args[0] == "symbolic-ref" && ran.code == 0;
        if symbolic {
            let main = dir.join(".git/refs/heads/main");
            std::fs::write(main, &tip).unwrap();
            continue;
        }
        assert_ne!(ran.code, 0, "{args:?}");
        assert!(
            ran.err.contains(&format!("error: {code}: ")),
            "{args:?}: {}",
            ran.err
        );
        assert_eq!(
            git_in(&served, &dir, &["rev-parse", "main"]).ok(),
            tip,
            "{args:?}"
        );
        // git may have moved files and HEAD before it asked.
        git_in(&served, &dir, &["merge", "--abort"]);
        git_in(&served, &dir, &["checkout", "-q", "-f", "main"]).ok();
    }
    git_in(&served, &dir, &["checkout", "-q", "work"]).ok();
    let ran = git_in(&served, &dir, &["branch", "-D", "main"]);
    assert!(ran.err.contains("error: ref-protected: "), "{}", ran.err);
    let ran = git_in(&served, &dir, &["branch", "-m", "main", "old"]);
    assert!(ran.err.contains("error: ref-protected: "), "{ran:?}");
    assert_eq!(git_in(&served, &dir, &["rev-parse", "main"]).ok(), tip);
    // git's own housekeeping does not move anything.
    git_in(&served, &dir, &["pack-refs", "--all"]).ok();
    git_in(&served, &dir, &["gc", "-q"]).ok();
    assert_eq!(git_in(&served, &dir, &["rev-parse", "main"]).ok(), tip);
    // Packed, it is guarded as before.
    let ran = git_in(&served, &dir, &["branch", "-D", "main"]);
    assert!(ran.err.contains("error: ref-protected: "), "{ran:?}");
    assert_eq!(git_in(&served, &dir, &["rev-parse", "main"]).ok(), tip);
    git_in(&served, &dir, &["update-ref", "refs/heads/x", "main"]).ok();
}

#[test]
fn a_clone_says_before_a_push_what_would_be_refused() {
    let served = Served::new();
    let dir = clone_of(&served);
    let push = |args: &[&str]| git_in(&served, &dir, &[&["push", "origin"], args].concat());
    // Not even offered.
    let ran = push(&["main:refs/folio/pin"]);
    assert!(
        ran.err.contains("error: ref-invalid: refs/folio/pin: "),
        "{}",
        ran.err
    );
    git_in(&served, &dir, &["checkout", "-q", "-b", "work"]).ok();
    git_in(&served, &dir, &["commit", "-q", "--allow-empty", "-m", "x"]).ok();
    let ran = push(&["work:main"]);
    assert!(
        ran.err.contains("error: not-a-snapshot: refs/heads/main: "),
        "{}",
        ran.err
    );
    let ran = push(&[":main"]);
    assert!(
        ran.err.contains("error: ref-protected: refs/heads/main: "),
        "{}",
        ran.err
    );
    served.number("a");
    served.push(&["main"]).ok();
    git_in(&served, &dir, &["fetch", "-q"]).ok();
    let ran = push(&["--force", "main"]);
    assert!(
        ran.err
            .contains("error: not-fast-forward: refs/heads/main: "),
        "{}",
        ran.err
    );
    assert!(!ran.err.contains("remote:"), "{}", ran.err);
    // Offered with a warning: it may be no space at all that is pushed to.
    let ran = push(&["work"]);
    assert!(
        ran.err
            .contains("warning: refs/heads/work would be refused"),
        "{}",
        ran.err
    );
    assert!(
        ran.err.contains("remote: error: ref-invalid"),
        "{}",
        ran.err
    );
}

#[test]
fn a_pull_of_what_is_not_valid_is_stopped_and_a_merge_warns() {
    let served = Served::new();
    let dir = clone_of(&served);
    let tip = git_in(&served, &dir, &["rev-parse", "main"]).ok();
    served.fixture.propose("bob", "a", &set("a", "x"));
    served.push_past("proposals/bob/a:refs/heads/main");
    let ran = git_in(&served, &dir, &["pull", "-q", "--ff-only"]);
    assert!(
        ran.code != 0 && ran.err.contains("error: not-a-snapshot: "),
        "{}",
        ran.err
    );
    assert_eq!(git_in(&served, &dir, &["rev-parse", "main"]).ok(), tip);
    // With the guard away the merge is done; what is left to do is to warn.
    std::fs::remove_file(dir.join(".git/hooks/reference-transaction")).unwrap();
    git_in(&served, &dir, &["reset", "-q", "--hard"]).ok();
    let ran = git_in(&served, &dir, &["merge", "-q", "--ff-only", "origin/main"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.err.contains("warning: not-a-snapshot: "), "{}", ran.err);
}

#[test]
fn hooks_are_put_beside_those_that_are_there_and_taken_away_again() {
    let served = Served::new();
    let hooks = served.server.join("hooks");
    let log = served.fixture.path("log");
    let own = format!(
        "#!/bin/sh\n# mine\ncat >>'{}'\n[ ! -e no ]\n",
        log.display()
    );
    let other = served.fixture.path("other.git");
    let mut init = served
        .fixture
        .bare_command("git", served.fixture.home.path());
    finish(
        init.args(["init", "-q", "--bare", "-b", "main", "other.git"]),
        b"",
    )
    .ok();
    let hook = other.join("hooks/pre-receive");
    served.fixture.write("hook", &own);
    std::fs::copy(served.fixture.path("hook"), &hook).unwrap();
    let folio = |args: &[&str]| finish(served.fixture.command(&other, None).args(args), b"");
    let status = folio(&["hook", "status"]);
    assert_eq!(status.code, 1, "{}", status.out);
    assert!(
        status.out.contains("pre-receive            other"),
        "{}",
        status.out
    );
    let said = folio(&["hook", "install"]).ok();
    assert!(said.contains("asked after it"), "{said}");
    assert!(said.contains("receive.fsckObjects = true"), "{said}");
    assert_eq!(
        std::fs::read_to_string(other.join("hooks/pre-receive.local")).unwrap(),
        own
    );
    // Twice is once.
    let said = folio(&["hook", "install"]).ok();
    assert_eq!(said.matches("already there").count(), 3, "{said}");
    assert!(!said.contains(" = "), "{said}");
    folio(&["hook", "status"]).ok();
    // It still has its say, with the same lines, and only about what is valid.
    let space = &served.fixture.space;
    let url = format!("file://{}", other.display());
    let push = |refspec: &str| {
        let mut git = served.fixture.bare_command("git", space);
        finish(git.args(["push", &url, refspec]), b"")
    };
    assert_ne!(push("main:refs/tags/v1").code, 0);
    assert!(!log.exists());
    std::fs::write(other.join("no"), "").unwrap();
    assert_ne!(push("main").code, 0);
    std::fs::remove_file(other.join("no")).unwrap();
    push("main").ok();
    let told = std::fs::read_to_string(&log).unwrap();
    assert_eq!(told.lines().count(), 2, "{told}");
    assert!(
        told.lines().all(|line| line.ends_with(" refs/heads/main")),
        "{told}"
    );
    // And it is back afterwards.
    folio(&["hook", "uninstall"]).ok();
    assert_eq!(std::fs::read_to_string(&hook).unwrap(), own);
    assert!(!other.join("hooks/pre-receive.local").exists());
    assert!(hooks.join("pre-receive").exists());
}

#[test]
fn hooks_go_where_the_repository_says() {
    let served = Served::new();
    served.behind(&["config", "core.hooksPath", "guards"]);
    served.on_server(&["hook", "install"]).ok();
    assert!(served.server.join("guards/pre-receive").exists());
    std::fs::remove_dir_all(served.server.join("hooks")).unwrap();
    refused(
        served.push(&["main:refs/tags/v1"]),
        "ref-invalid",
        "refs/tags/v1",
    );
}

#[test]
fn a_broken_history_gets_no_hooks() {
    let served = Served::new();
    served.fixture.propose("bob", "a", &set("a", "x"));
    served.push_past("proposals/bob/a:refs/heads/main");
    served
        .on_server(&["hook", "install"])
        .refused("not-a-snapshot", 4);
}

#[test]
fn of_pushes_at_once_one_wins_and_nothing_is_torn() {
    let served = Served::new();
    let twins: Vec<_> = (0..3)
        .map(|i| served.fixture.path(&format!("twin{i}")))
        .collect();
    for (i, twin) in twins.iter().enumerate() {
        let mut copy = served
            .fixture
            .bare_command("cp", served.fixture.home.path());
        finish(copy.arg("-r").arg("space").arg(twin), b"").ok();
        let mut propose = served.fixture.command(twin, Some("bob"));
        propose.args(["propose", "-m", "p", "--slug", "p", "-f", "-"]);
        finish(&mut propose, set(&format!("n{i}"), "x").as_bytes()).ok();
        // Homes of their own: the key remembers there what it signed, and would not.
        let mut accept = served.fixture.command(twin, Some("wanda"));
        accept.env("HOME", twin);
        finish(accept.args(["accept", "--all"]), b"").ok();
    }
    let won: Vec<bool> = std::thread::scope(|scope| {
        let push = |twin: &Path| served.push_from(twin, &["--force"], &["main"]).code == 0;
        let running: Vec<_> = twins
            .iter()
            .map(|twin| scope.spawn(move || push(twin)))
            .collect();
        running.into_iter().map(|run| run.join().unwrap()).collect()
    });
    assert_eq!(won.iter().filter(|won| **won).count(), 1, "{won:?}");
    served.on_server(&["verify"]).ok();
    let winner = &twins[won.iter().position(|won| *won).unwrap()];
    let mut git = served.fixture.bare_command("git", winner);
    let tip = finish(git.args(["rev-parse", "main"]), b"").ok();
    assert_eq!(served.at("refs/heads/main").unwrap(), tip.trim());
}

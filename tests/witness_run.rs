//! `folio witness run`: once, and as a process that goes on.
#![allow(clippy::unwrap_used, reason = "a test")]

#[path = "common/cli.rs"]
mod cli;
#[path = "common/payloads.rs"]
mod payloads;
#[path = "common/travel.rs"]
mod travel;

use cli::{Fixture, Ran, finish};
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;
use travel::*;

/// Longer than anything here takes on the slowest machine.
const DEADLINE: Duration = Duration::from_secs(90);

/// A server, the witness's clone of it, and alice's.
struct World {
    fixture: Fixture,
    server: PathBuf,
    wanda: PathBuf,
    alice: PathBuf,
}

impl World {
    fn new() -> Self {
        let fixture = Fixture::bare();
        let server = fixture.space.clone();
        let wanda = clone(&fixture, &server, "wanda");
        let alice = clone(&fixture, &server, "alice");
        Self {
            fixture,
            server,
            wanda,
            alice,
        }
    }

    fn send(&self, slug: &str) {
        folio(&self.fixture, &self.alice, "alice", &["fetch"]).ok();
        propose(&self.fixture, &self.alice, "alice", slug);
        folio(&self.fixture, &self.alice, "alice", &["submit"]).ok();
    }

    fn run(&self, more: &[&str]) -> Ran {
        let args = [&["witness", "run"][..], more].concat();
        folio(&self.fixture, &self.wanda, "wanda", &args)
    }

    fn watch(&self, dir: &Path, interval: &str, more: &[&str]) -> Watch {
        let mut run = self.fixture.command(dir, Some("wanda"));
        run.args(more)
            .args(["witness", "run", "--watch", "--interval", interval]);
        Watch::start(&mut run)
    }

    fn away<T>(&self, meanwhile: impl FnOnce() -> T) -> T {
        let hidden = self.fixture.path("hidden");
        std::fs::rename(&self.server, &hidden).unwrap();
        let done = meanwhile();
        std::fs::rename(&hidden, &self.server).unwrap();
        done
    }
}

/// A witness who watches. What it prints is read line by line; who waits longer than the deadline fails.
struct Watch {
    child: Child,
    lines: Receiver<String>,
    heard: Vec<String>,
}

impl Watch {
    fn start(run: &mut Command) -> Self {
        run.stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = run.spawn().unwrap();
        let (sender, lines) = channel();
        let (out, err) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        let other = sender.clone();
        let read = move |sender: std::sync::mpsc::Sender<String>,
                         from: Box<dyn std::io::Read + Send>| {
            for line in BufReader::new(from).lines().map_while(Result::ok) {
                let _ = sender.send(line);
            }
        };
        std::thread::spawn(move || read(sender, Box::new(out)));
        std::thread::spawn(move || read(other, Box::new(err)));
        let mut this = Self {
            child,
            lines,
            heard: Vec::new(),
        };
        this.hear("watching; ");
        this
    }

    /// Waits for a line with these words.
    #[track_caller]
    fn hear(&mut self, words: &str) -> String {
        loop {
            match self.lines.recv_timeout(DEADLINE) {
                Ok(line) => {
                    self.heard.push(line.clone());
                    if line.contains(words) {
                        return line;
                    }
                }
                Err(_) => panic!("`{words}` was not said, but:\n{}", self.heard.join("\n")),
            }
        }
    }

    fn terminate(&self) {
        let id = self.child.id().to_string();
        let sent = Command::new("sh")
            .args(["-c", &format!("kill -TERM {id}")])
            .status();
        assert!(sent.unwrap().success());
    }

    /// It ends well; everything it said.
    #[track_caller]
    fn ended(mut self) -> Vec<String> {
        self.hear("ended");
        assert_eq!(
            self.child.wait().unwrap().code(),
            Some(0),
            "{:?}",
            self.heard
        );
        std::mem::take(&mut self.heard)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn locks(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        // Folio's own are held by a process, not by a file.
        match path.is_dir() {
            true if path.ends_with("folio") => {}
            true => found.extend(locks(&path)),
            false if path.extension().is_some_and(|end| end == "lock") => found.push(path),
            false => {}
        }
    }
    found
}

#[test]
fn one_round_fetches_numbers_and_pushes_and_says_a_line_for_each_page() {
    let world = World::new();
    world.send("one");
    world.send("two");
    let ran = world.run(&[]);
    assert_eq!(ran.code, 0, "{ran:?}");
    // In the order of their digests; each a line.
    let lines: Vec<&str> = ran.out.lines().collect();
    let [first, second] = lines[..] else {
        panic!("{ran:?}");
    };
    assert!(first.starts_with("common@2 alice/") && second.starts_with("common@3 alice/"));
    for slug in ["one", "two"] {
        assert!(ran.out.contains(&format!(" alice/{slug}: {slug}\n")));
    }
    assert!(!ran.err.contains("provisional"), "{}", ran.err);
    assert_eq!(newest(&world.fixture, &world.server), 3);
    assert!(queue(&world.fixture, &world.server).is_empty());
    let ran = world.run(&[]);
    assert_eq!((ran.code, ran.out.as_str()), (0, ""));
    assert!(ran.err.contains("nothing to number"), "{}", ran.err);
    // A contradiction stays refused, with a signed reason at the server.
    let clash = "{\"op\":\"alias.set\",\"alias\":\"one\",\"target\":\"x\"}\n";
    let mut run = world.fixture.command(&world.alice, Some("alice"));
    finish(
        run.args(["propose", "-m", "Clash", "--slug", "clash", "-f", "-"]),
        clash.as_bytes(),
    )
    .ok();
    folio(&world.fixture, &world.alice, "alice", &["submit"]).ok();
    let answer = world.run(&["--json"]).json();
    assert_eq!(answer["command"], "witness");
    let expected = (&json!([]), &json!(1), &json!([]), &json!(false));
    let found = (
        &answer["numbered"],
        &answer["refused"],
        &answer["away"],
        &answer["standby"],
    );
    assert_eq!(found, expected, "{answer}");
    assert!(refs(&world.fixture, &world.server).contains("refs/heads/reviews/wanda/"));
    sound(&world.fixture, &world.server);
}

#[test]
fn who_does_not_hold_the_pen_stands_by() {
    let world = World::new();
    world.send("one");
    let run = |args: &[&str]| folio(&world.fixture, &world.wanda, "bob", args);
    let said = run(&["witness", "run"]).refused("signer-wrong", 4);
    assert!(said.contains("folio pen take"), "{said}");
    let ran = run(&["--json", "witness", "run"]);
    let answer: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!((ran.code, &answer["standby"]), (4, &json!(true)));
    assert_eq!(newest(&world.fixture, &world.wanda), 1);
    // It has heard what is new all the same, and one who watches waits for the pen.
    assert_eq!(queue(&world.fixture, &world.wanda), ["alice/one"]);
    let mut command = world.fixture.command(&world.wanda, Some("bob"));
    let mut watch = Watch::start(command.args(["witness", "run", "--watch", "--interval", "1"]));
    watch.hear("standing by");
    watch.terminate();
    watch.ended();
}

#[test]
fn a_remote_that_is_away_holds_nothing_up_and_the_pages_are_called_provisional() {
    let world = World::new();
    propose(&world.fixture, &world.wanda, "alice", "one");
    let ran = world.away(|| world.run(&[]));
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(ran.out, "common@2 alice/one: one\n");
    assert!(ran.err.contains("warning: remote-failed: "), "{}", ran.err);
    assert!(ran.err.contains("common@2 is provisional"), "{}", ran.err);
    propose(&world.fixture, &world.wanda, "alice", "two");
    // Told not to ask, it asks nobody.
    let ran = world.run(&["--offline"]);
    assert!(
        ran.err.contains("common@2..common@3 are provisional"),
        "{}",
        ran.err
    );
    assert!(!ran.err.contains("warning"), "{}", ran.err);
    assert_eq!(newest(&world.fixture, &world.server), 1);
    let answer = world.away(|| world.run(&["--json"])).json();
    assert_eq!(answer["away"], json!(["origin"]));
    // It is back: the next round brings it everything.
    world.run(&[]).ok();
    assert_eq!(newest(&world.fixture, &world.server), 3);
}

#[test]
fn two_children_of_a_page_at_the_remote_are_not_numbered_over() {
    let world = World::new();
    // A second machine with the same key, that knows nothing of the first.
    let other = clone(&world.fixture, &world.server, "other");
    propose(&world.fixture, &other, "alice", "there");
    let state = world.fixture.path("state");
    let args = ["--state-dir", state.to_str().unwrap(), "accept", "--all"];
    folio(&world.fixture, &other, "wanda", &args).ok();
    propose(&world.fixture, &world.wanda, "alice", "here");
    folio(
        &world.fixture,
        &world.wanda,
        "wanda",
        &["--offline", "accept", "--all"],
    )
    .ok();
    folio(&world.fixture, &other, "wanda", &["push"]).ok();
    propose(&world.fixture, &world.wanda, "alice", "more");
    let said = world.run(&[]).refused("two-children", 4);
    assert!(said.contains("evidence about origin"), "{said}");
    assert_eq!(newest(&world.fixture, &world.wanda), 2);
    let mut run = world.fixture.command(&world.wanda, Some("wanda"));
    let ran = finish(run.args(["witness", "run", "--watch"]), b"");
    ran.refused("two-children", 4);
}

#[test]
fn who_watches_is_woken_by_the_hook() {
    let world = World::new();
    folio(&world.fixture, &world.server, "wanda", &["hook", "install"]).ok();
    // Only the hook can wake it before tomorrow.
    let mut watch = world.watch(&world.server, "86400", &[]);
    for n in 2..5 {
        world.send(&format!("p{n}"));
        let line = watch.hear("common@");
        assert_eq!(line, format!("common@{n} alice/p{n}: p{n}"));
    }
    watch.terminate();
    watch.ended();
    assert_eq!(locks(&world.server), Vec::<PathBuf>::new());
    sound(&world.fixture, &world.server);
}

#[test]
fn who_watches_survives_a_remote_that_goes_and_comes_back() {
    let world = World::new();
    let mut watch = world.watch(&world.wanda, "1", &["--json"]);
    world.send("one");
    let answer: Value = serde_json::from_str(&watch.hear("\"numbered\"")).unwrap();
    assert_eq!(answer["numbered"][0]["proposal"], "alice/one");
    world.away(|| watch.hear("warning: remote-failed"));
    world.send("two");
    let answer: Value = serde_json::from_str(&watch.hear("\"numbered\"")).unwrap();
    assert_eq!(answer["numbered"][0]["number"], 3);
    watch.terminate();
    let heard = watch.ended();
    // It did not ask again and again.
    let warned = heard
        .iter()
        .filter(|line| line.contains("remote-failed"))
        .count();
    assert!(warned <= 4, "{heard:?}");
    assert_eq!(newest(&world.fixture, &world.server), 3);
}

#[test]
fn a_burst_is_numbered_in_few_batches_and_what_stays_refused_is_said_once() {
    let world = World::new();
    world.send("one");
    world.run(&[]).ok();
    // Made before alice has heard of that page.
    let clash = "{\"op\":\"alias.set\",\"alias\":\"one\",\"target\":\"x\"}\n";
    let mut run = world.fixture.command(&world.alice, Some("alice"));
    finish(
        run.args(["propose", "-m", "Clash", "--slug", "clash", "-f", "-"]),
        clash.as_bytes(),
    )
    .ok();
    for n in 0..50 {
        propose(&world.fixture, &world.alice, "alice", &format!("b{n:02}"));
    }
    git(
        &world.fixture,
        &world.server,
        &["config", "core.logAllRefUpdates", "always"],
    );
    let mut watch = world.watch(&world.wanda, "1", &[]);
    folio(&world.fixture, &world.alice, "alice", &["submit"]).ok();
    watch.hear("common@52 ");
    // Another round comes after it.
    world.send("last");
    watch.hear("common@53 ");
    watch.terminate();
    let heard = watch.ended();
    let refused = heard
        .iter()
        .filter(|line| line.starts_with("refused alice/clash"))
        .count();
    assert_eq!(refused, 1, "{heard:?}");
    assert_eq!(
        heard
            .iter()
            .filter(|line| line.starts_with("common@"))
            .count(),
        51
    );
    let pushes = git(
        &world.fixture,
        &world.server,
        &["reflog", "show", "--format=%h", "main"],
    );
    let pushes = pushes.lines().count();
    assert!(
        (1..=6).contains(&pushes),
        "{pushes} pushes for 50 proposals"
    );
}

#[test]
fn a_signal_in_the_middle_of_a_batch_loses_nothing() {
    let world = World::new();
    for n in 0..20 {
        propose(&world.fixture, &world.wanda, "alice", &format!("b{n:02}"));
    }
    let watch = world.watch(&world.wanda, "1", &[]);
    watch.terminate();
    let heard = watch.ended();
    let pages = heard
        .iter()
        .filter(|line| line.starts_with("common@"))
        .count();
    // The round that was under way was brought to its end; or none had begun.
    assert!(pages == 20 || pages == 0, "{heard:?}");
    let waiting = queue(&world.fixture, &world.wanda).len();
    assert_eq!(pages + waiting, 20);
    assert_eq!(newest(&world.fixture, &world.server), 1 + pages as u64);
    world.run(&[]).ok();
    assert_eq!(newest(&world.fixture, &world.server), 21);
    sound(&world.fixture, &world.server);
}

#[test]
fn processes_of_one_holder_number_each_page_once() {
    let world = World::new();
    for n in 0..12 {
        propose(&world.fixture, &world.wanda, "alice", &format!("b{n:02}"));
    }
    let running: Vec<Child> = (0..3)
        .map(|n| {
            let mut run = world.fixture.command(&world.wanda, Some("wanda"));
            run.args(["--json", "witness", "run", "--date"]);
            run.arg(format!("{} +0000", 1_767_225_700 + n));
            run.stdin(Stdio::null())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped());
            run.spawn().unwrap()
        })
        .collect();
    let mut given = Vec::new();
    for child in running {
        let ran = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&ran.stderr).into_owned();
        assert!(ran.status.success(), "{said}");
        let answer: Value = serde_json::from_slice(&ran.stdout).unwrap();
        let pages = answer["numbered"].as_array().unwrap();
        given.extend(pages.iter().map(|page| page["number"].as_u64().unwrap()));
    }
    given.sort_unstable();
    assert_eq!(given, (2..14).collect::<Vec<_>>());
    payloads::never_two(&world.wanda, &world.wanda.join("folio/signed"));
    assert_eq!(newest(&world.fixture, &world.server), 13);
}

#[test]
fn a_heartbeat_is_left_where_policy_has_a_time_to_wait_and_not_in_every_round() {
    let world = World::new();
    world.send("one");
    world.run(&[]).ok();
    let pens = |dir: &Path| {
        git(
            &world.fixture,
            dir,
            &["for-each-ref", "--format=%(objectname)", "refs/heads/pen"],
        )
    };
    assert_eq!(pens(&world.wanda), "");
    folio(&world.fixture, &world.alice, "alice", &["fetch"]).ok();
    let policy = ["policy", "pen", "appointed", "--ttl", "900"];
    folio(&world.fixture, &world.alice, "alice", &policy).ok();
    folio(
        &world.fixture,
        &world.alice,
        "alice",
        &["propose", "-m", "Wait"],
    )
    .ok();
    folio(&world.fixture, &world.alice, "alice", &["submit"]).ok();
    let at = |seconds: u64| {
        let date = format!("{} +0000", 1_767_225_600 + seconds);
        world.run(&["--date", &date]).ok();
        assert_eq!(pens(&world.wanda), pens(&world.server));
        pens(&world.server)
    };
    let first = at(0);
    assert_ne!(first, "");
    assert_eq!(at(299), first, "it is fresh still");
    let second = at(301);
    assert_ne!(second, first);
    world.send("two");
    assert_ne!(at(302), second, "it stands on the newest page");
}

/// Every commit that was ever signed for one place, in several repositories and memories.
#[track_caller]
fn never_two(places: &[&Path]) {
    let mut all = payloads::Signed::new();
    for place in places {
        for (key, payloads) in payloads::signed(place, &place.join("folio/signed")) {
            all.entry(key).or_default().extend(payloads);
        }
    }
    for (place, payloads) in all {
        assert_eq!(payloads.len(), 1, "{place:?} was signed in several forms");
    }
}

/// The witness's repository before it numbered and pushed two pages, put back; other proposals wait in it.
fn restored() -> World {
    let world = World::new();
    let backup = world.fixture.path("backup");
    copy(&world.wanda, &backup);
    for slug in ["one", "two"] {
        world.send(slug);
        world.run(&[]).ok();
    }
    copy(&backup, &world.wanda);
    propose(&world.fixture, &world.wanda, "alice", "three");
    world
}

/// The same machine with a home directory that was restored too.
fn elsewhere(world: &World, args: &[&str]) -> Ran {
    let home = world.fixture.path("other-home");
    let mut run = world.fixture.command(&world.wanda, Some("wanda"));
    finish(run.env("HOME", home).args(args), b"")
}

#[test]
fn a_restored_repository_is_caught_by_the_memory_outside_of_it() {
    let world = restored();
    let accept = ["--offline", "accept", "--all"];
    let ran = folio(&world.fixture, &world.wanda, "wanda", &accept);
    let said = ran.refused("restored-backup", 6);
    assert!(said.contains("folio fetch"), "{said}");
    world
        .away(|| folio(&world.fixture, &world.wanda, "wanda", &["accept", "--all"]))
        .refused("restored-backup", 6);
    assert_eq!(newest(&world.fixture, &world.wanda), 1);
    recover(&world, &|args| {
        folio(&world.fixture, &world.wanda, "wanda", args)
    });
}

#[test]
fn a_restored_machine_is_caught_by_the_remote() {
    let world = restored();
    let said = elsewhere(&world, &["accept", "--all"]).refused("restored-backup", 6);
    assert!(said.contains("folio fetch"), "{said}");
    assert_eq!(newest(&world.fixture, &world.wanda), 1);
    recover(&world, &|args| elsewhere(&world, args));
}

fn recover(world: &World, run: &dyn Fn(&[&str]) -> Ran) {
    run(&["fetch"]).ok();
    assert_eq!(
        run(&["accept", "--all"]).ok(),
        "common@4 alice/three: three\n"
    );
    run(&["push"]).ok();
    assert_eq!(newest(&world.fixture, &world.server), 4);
    never_two(&[&world.wanda, &world.server, &world.alice]);
    sound(&world.fixture, &world.wanda);
}

#[test]
fn a_restored_machine_that_runs_a_round_hears_its_own_pages_first() {
    let world = restored();
    let ran = elsewhere(&world, &["witness", "run"]);
    assert_eq!(ran.ok(), "common@4 alice/three: three\n");
    never_two(&[&world.wanda, &world.server, &world.alice]);
    assert_eq!(newest(&world.fixture, &world.server), 4);
}

/// What home had could not be taken in, so a page was signed in its place before the work tree was looked at.
#[test]
fn a_work_tree_in_the_way_of_what_home_has_ends_the_round_before_anything_is_signed() {
    let world = World::new();
    let server = world.server.display().to_string();
    let space = folio(
        &world.fixture,
        &world.server,
        "wanda",
        &["--json", "status"],
    )
    .json();
    let space = space["space"].as_str().unwrap().to_owned();
    let desk = world.fixture.path("desk");
    let args = ["clone", &server, "desk", "--space", &space];
    folio(&world.fixture, world.fixture.home.path(), "wanda", &args).ok();
    world.send("one");
    world.run(&[]).ok();
    propose(&world.fixture, &desk, "alice", "two");
    let round = || {
        let home = world.fixture.path("other-home");
        let mut run = world.fixture.command(&desk, Some("wanda"));
        finish(run.env("HOME", home).args(["witness", "run"]), b"")
    };
    let mine = desk.join("aliases.jsonl");
    std::fs::write(&mine, "mine\n").unwrap();
    round().refused("worktree-changed", 6);
    never_two(&[&desk, &world.server]);
    std::fs::remove_file(&mine).unwrap();
    assert_eq!(round().ok(), "common@3 alice/two: two\n");
    never_two(&[&desk, &world.server]);
}

#[test]
fn who_numbers_away_from_home_is_told_that_it_is_provisional() {
    let world = World::new();
    propose(&world.fixture, &world.wanda, "alice", "one");
    let accept = |args: &[&str]| folio(&world.fixture, &world.wanda, "wanda", args);
    let ran = world.away(|| accept(&["accept", "--all"]));
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.err.contains("origin cannot be asked"), "{}", ran.err);
    assert!(ran.err.contains("common@2 is provisional"), "{}", ran.err);
    propose(&world.fixture, &world.wanda, "alice", "two");
    let ran = accept(&["--offline", "accept", "--all"]);
    assert!(!ran.err.contains("cannot be asked"), "{}", ran.err);
    assert!(ran.err.contains("provisional"), "{}", ran.err);
}

/// A mirror, and a machine of wanda's that was put back to what it was before it numbered anything.
fn put_back(world: &World) -> (PathBuf, PathBuf) {
    let mirror = clone(&world.fixture, &world.server, "mirror");
    let back = clone(&world.fixture, &world.server, "back");
    let address = mirror.to_str().unwrap();
    git(&world.fixture, &back, &["remote", "add", "mirror", address]);
    propose(&world.fixture, &back, "alice", "here");
    (mirror, back)
}

/// It only looked at the newest page of a mirror: where that was by the next holder, other pages than those below it
/// were signed.
#[test]
fn forgotten_pages_below_somebody_elses_are_seen_too() {
    let world = World::new();
    let (mirror, back) = put_back(&world);
    // Numbered in the mirror itself: home never hears of it.
    let run = |who: &str, args: &[&str]| folio(&world.fixture, &mirror, who, args);
    run("alice", &["witness", "appoint", "bob"]).ok();
    run("alice", &["propose", "-m", "A second witness"]).ok();
    run("wanda", &["--offline", "accept", "--all"]).ok();
    run("wanda", &["--offline", "pen", "release"]).ok();
    run("bob", &["--offline", "pen", "take"]).ok();
    assert_eq!(newest(&world.fixture, &mirror), 4);
    let state = world.fixture.path("empty");
    let args = ["--state-dir", state.to_str().unwrap(), "accept", "--all"];
    folio(&world.fixture, &back, "wanda", &args).refused("restored-backup", 6);
    assert_eq!(newest(&world.fixture, &back), 1);
}

/// Whoever ran a mirror could stop the witness with a page that nobody signed.
#[test]
fn a_page_that_nobody_signed_at_a_mirror_holds_nothing_up() {
    let world = World::new();
    let (mirror, back) = put_back(&world);
    page(&world.fixture, &mirror, "there");
    let raw = git(&world.fixture, &mirror, &["cat-file", "commit", "main"]);
    let raw = raw.replace("common@2", "common@2 altered") + "\n";
    let mut run = world.fixture.bare_command("git", &mirror);
    let id = finish(
        run.args(["hash-object", "-t", "commit", "-w", "--stdin"]),
        raw.as_bytes(),
    )
    .ok();
    let set = ["update-ref", "refs/heads/main", id.trim()];
    git(&world.fixture, &mirror, &set);
    let state = world.fixture.path("empty");
    let args = ["--state-dir", state.to_str().unwrap(), "accept", "--all"];
    folio(&world.fixture, &back, "wanda", &args).ok();
    assert_eq!(newest(&world.fixture, &back), 2);
}

/// A key that held the pen once stopped every later witness: one old page at any mirror was enough.
#[test]
fn what_an_old_key_signs_beside_what_home_has_does_not_stop_the_witness() {
    let world = World::new();
    let mirror = clone(&world.fixture, &world.server, "mirror");
    let state = world.fixture.path("stolen");
    propose(&world.fixture, &mirror, "alice", "there");
    let args = ["--state-dir", state.to_str().unwrap(), "accept", "--all"];
    folio(&world.fixture, &mirror, "wanda", &args).ok();
    let run = |who: &str, args: &[&str]| folio(&world.fixture, &world.wanda, who, args);
    run("alice", &["witness", "appoint", "bob"]).ok();
    run("alice", &["propose", "-m", "A second witness"]).ok();
    run("wanda", &["accept", "--all"]).ok();
    run("wanda", &["pen", "release"]).ok();
    run("bob", &["pen", "take"]).ok();
    run("bob", &["push"]).ok();
    propose(&world.fixture, &world.wanda, "alice", "here");
    let address = mirror.to_str().unwrap();
    git(
        &world.fixture,
        &world.wanda,
        &["remote", "add", "mirror", address],
    );
    let ran = run("bob", &["witness", "run"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.out.starts_with("common@5 alice/here"), "{ran:?}");
    assert!(ran.err.contains("warning: two-children: "), "{ran:?}");
    assert_eq!(newest(&world.fixture, &world.server), 5);
    // Away from home nobody has decided yet.
    propose(&world.fixture, &world.wanda, "alice", "more");
    git(
        &world.fixture,
        &world.wanda,
        &["update-ref", "-d", "refs/folio/home"],
    );
    world
        .away(|| run("bob", &["witness", "run"]))
        .refused("two-children", 4);
}

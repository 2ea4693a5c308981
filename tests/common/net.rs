//! Several repositories of one space on one machine: the founder's, a bare one that all of them know as
//! `origin`, and clones.
#![allow(dead_code, reason = "each test binary uses a part of it")]

use crate::cli::{Fixture, Ran, finish};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The founder's repository (`space`), where wanda numbers, and the home of the space (`hub.git`).
pub struct Net {
    pub fixture: Fixture,
}

impl Net {
    /// With an alias of bob's as second page, all of it at home.
    pub fn new() -> Self {
        Self::of(Fixture::bare(), &[])
    }

    /// Around a founded space; `more` goes to the `git init` of the home.
    pub fn of(fixture: Fixture, more: &[&str]) -> Self {
        let this = Self { fixture };
        let init = ["init", "-q", "--bare", "-b", "main"];
        let args = [&init[..], more, &["hub.git"]].concat();
        this.git(".", &args);
        this.git("space", &["remote", "add", "origin", "../hub.git"]);
        this.number("one");
        this.run("space", "wanda", &["push"]).ok();
        this
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.fixture.path(name)
    }

    /// The binary, in a directory below the home directory, signing as somebody.
    pub fn command(&self, dir: &str, who: &str, args: &[&str]) -> Command {
        let who = Some(who).filter(|who| !who.is_empty());
        let mut command = self.fixture.command(&self.path(dir), who);
        command.args(args);
        command
    }

    pub fn run(&self, dir: &str, who: &str, args: &[&str]) -> Ran {
        finish(&mut self.command(dir, who, args), b"")
    }

    /// Its answer as JSON; it must end well.
    #[track_caller]
    pub fn json(&self, dir: &str, who: &str, args: &[&str]) -> serde_json::Value {
        self.run(dir, who, &[&["--json"], args].concat()).json()
    }

    /// git in a directory below the home directory; it must end well.
    #[track_caller]
    pub fn git(&self, dir: &str, args: &[&str]) -> String {
        self.try_git(dir, args).ok().trim_end().to_owned()
    }

    pub fn try_git(&self, dir: &str, args: &[&str]) -> Ran {
        let mut git = self.fixture.bare_command("git", &self.path(dir));
        finish(git.args(args), b"")
    }

    /// `folio clone` of the home, by the id of the space.
    #[track_caller]
    pub fn clone_to(&self, name: &str, more: &[&str]) -> PathBuf {
        let id = self.space_id();
        let clone = ["clone", "hub.git", name, "--space", &id];
        self.run(".", "", &[&clone[..], more].concat()).ok();
        self.path(name)
    }

    pub fn space_id(&self) -> String {
        let status = self.json("space", "", &["status"]);
        status["space"].as_str().expect("an id").to_owned()
    }

    /// An alias as a proposal.
    #[track_caller]
    pub fn propose(&self, dir: &str, who: &str, slug: &str) {
        let line = format!(r#"{{"op":"alias.set","alias":"{slug}","target":"t"}}"#);
        self.propose_lines(dir, who, slug, &line);
    }

    #[track_caller]
    pub fn propose_lines(&self, dir: &str, who: &str, slug: &str, lines: &str) {
        let args = ["propose", "-m", slug, "--slug", slug, "-f", "-"];
        finish(&mut self.command(dir, who, &args), lines.as_bytes()).ok();
    }

    /// An alias as a page of the founder's repository, not yet pushed.
    #[track_caller]
    pub fn number(&self, slug: &str) {
        self.propose("space", "bob", slug);
        self.run("space", "wanda", &["accept", "--all"]).ok();
    }

    /// What a ref is, there.
    pub fn at(&self, dir: &str, name: &str) -> Option<String> {
        let ran = self.try_git(dir, &["rev-parse", "-q", "--verify", name]);
        (ran.code == 0).then(|| ran.out.trim().to_owned())
    }

    /// All refs, one a line, with what they point to.
    pub fn refs(&self, dir: &str) -> String {
        self.git(dir, &["for-each-ref", "--format=%(refname) %(objectname)"])
    }

    /// What a space must be at any time.
    #[track_caller]
    pub fn sound(&self, dir: &str) {
        let fsck = self.try_git(dir, &["fsck", "--strict", "--no-dangling"]);
        let said = format!("{}{}", fsck.out, fsck.err);
        assert_eq!(fsck.code, 0, "git fsck in {dir}: {said}");
        for word in ["error", "missing", "broken", "corrupt", "warning"] {
            assert!(!said.contains(word), "git fsck in {dir}: {said}");
        }
        self.run(dir, "", &["verify"]).ok();
    }

    /// The packs of a repository: how many, and their bytes.
    pub fn packs(&self, dir: &str) -> (usize, u64) {
        let git_dir = self.git(dir, &["rev-parse", "--absolute-git-dir"]);
        let dir = Path::new(&git_dir).join("objects/pack");
        let entries = std::fs::read_dir(dir).expect("a directory of packs");
        let packs = entries.filter_map(|entry| {
            let path = entry.expect("an entry").path();
            let is_pack = path.extension().is_some_and(|end| end == "pack");
            is_pack.then(|| path.metadata().expect("its size").len())
        });
        packs.fold((0, 0), |(count, bytes), more| (count + 1, bytes + more))
    }
}

//! A reader, and a mirror that somebody hostile runs.

use crate::bench::{Bench, Forged, update_ref};
use crate::cli::{Fixture, Ran, finish};
use folio::model::Oid;
use serde_json::Value;
use std::path::PathBuf;

/// The mirror is the bench's repository; `reader` is a clone of it, made while it was honest.
pub struct Scene {
    pub bench: Bench,
    pub home: Fixture,
    /// What the reader has: `common@3`.
    pub third: Oid,
}

impl Scene {
    pub fn new() -> Self {
        let (bench, home) = (Bench::new(), Fixture::home());
        let third = bench.good().sealed(&bench, bench.wanda());
        let this = Self { bench, home, third };
        this.show(third);
        let (id, place) = (this.bench.space.id.to_hex(), this.mirror());
        let clone = ["clone", &place, "reader", "--space", &id];
        let mut run = this.home.command(this.home.home.path(), None);
        finish(run.args(clone), b"").ok();
        assert_eq!(this.main(), third.to_hex());
        this
    }

    pub fn mirror(&self) -> String {
        self.bench.path().display().to_string()
    }

    fn reader(&self) -> PathBuf {
        self.home.path("reader")
    }

    /// What the mirror shows as `main` from now on.
    pub fn show(&self, tip: Oid) {
        update_ref(self.bench.path(), "refs/heads/main", tip);
    }

    /// Shows a third page after one change, signed by the holder of the pen.
    pub fn show_altered(&self, change: impl Fn(&mut Forged)) -> Oid {
        let mut page = self.bench.good();
        change(&mut page);
        let page = page.sealed(&self.bench, self.bench.wanda());
        self.show(page);
        page
    }

    pub fn run(&self, args: &[&str]) -> Ran {
        finish(self.home.command(&self.reader(), None).args(args), b"")
    }

    pub fn git(&self, args: &[&str]) -> String {
        let mut git = self.home.bare_command("git", &self.reader());
        finish(git.args(args), b"").ok().trim_end().to_owned()
    }

    pub fn main(&self) -> String {
        self.git(&["rev-parse", "refs/heads/main"])
    }

    /// The branches that people look at.
    fn heads(&self) -> String {
        self.git(&["for-each-ref", "refs/heads"])
    }

    /// A fetch that must be refused so; nothing moves, and the space is as sound as before.
    #[track_caller]
    pub fn refuses(&self, code: &str) -> String {
        let before = self.heads();
        let exit = match code {
            "remote-failed" => 6,
            _ => 4,
        };
        let words = self.run(&["fetch"]).refused(code, exit);
        assert_eq!(self.heads(), before);
        self.run(&["verify"]).ok();
        words
    }

    /// The evidence that is kept, as somebody far away reads it: in an empty directory, each file alone.
    pub fn evidence(&self) -> Vec<Value> {
        let kept = self.reader().join(".git/folio/evidence");
        let Ok(entries) = std::fs::read_dir(kept) else {
            return Vec::new();
        };
        let mut found = Vec::new();
        for entry in entries {
            let away = tempfile::tempdir().unwrap();
            std::fs::copy(entry.unwrap().path(), away.path().join("file.json")).unwrap();
            let mut run = self.home.command(away.path(), None);
            let ran = finish(run.args(["--json", "evidence", "check", "file.json"]), b"");
            assert_eq!(ran.code, 0, "it proves nothing: {ran:?}");
            found.push(serde_json::from_str(&ran.out).unwrap());
        }
        found
    }

    /// Exactly one file is kept: its verdict, the number, and whether somebody is accused.
    #[track_caller]
    pub fn proved(&self, verdict: &str, number: u64, accused: Option<&crate::common::Actor>) {
        use folio::crypto::Sign as _;
        let found = self.evidence();
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0]["verdict"], verdict, "{}", found[0]);
        assert_eq!(found[0]["number"], number, "{}", found[0]);
        let key = accused.map(|actor| actor.key.public_key().to_string());
        assert_eq!(found[0]["accused"].as_str(), key.as_deref());
    }

    /// The mirror is honest again: the reader goes on as if nothing had been.
    #[track_caller]
    pub fn repaired(&self) {
        self.show(self.third);
        let answer = self.run(&["--json", "fetch"]).json();
        assert_eq!(answer["fetched"][0]["course"], "same", "{answer}");
        assert!(
            !self
                .git(&["for-each-ref"])
                .contains("refs/folio/incoming/origin/main")
        );
        assert_eq!(self.main(), self.third.to_hex());
    }
}

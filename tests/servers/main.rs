//! The hooks behind every way in which git serves: sshd, gitolite, http behind nginx, git daemon. The programs
//! are those of the machine; where one is missing its test says so and is skipped.
#![allow(clippy::unwrap_used, reason = "a test")]

#[path = "../common/cli.rs"]
mod cli;
#[path = "../common/server.rs"]
mod server;

mod daemon;
mod http;
mod sockets;
mod ssh;

use cli::{Ran, finish};
use server::{Served, refused, set};
use std::path::Path;

const MAIN: &str = "refs/heads/main";

/// The path of a program, also of one that only administrators have in their `PATH`; says that the test is
/// skipped where there is none.
fn program(name: &str) -> Option<String> {
    let path = std::env::var("PATH").unwrap_or_default();
    let dirs = path.split(':').chain(["/usr/sbin", "/usr/local/sbin"]);
    let found = dirs
        .map(|dir| format!("{dir}/{name}"))
        .find(|path| Path::new(path).is_file());
    if found.is_none() {
        eprintln!("skipped: there is no {name} here");
    }
    found
}

/// A way to a server: its URL and how to get there.
struct Way<'s> {
    served: &'s Served,
    url: String,
    ssh: Option<String>,
}

impl Way<'_> {
    /// The binary in a directory, signing as somebody, with git's ways of getting there.
    fn folio(&self, dir: &Path, who: &str, args: &[&str]) -> Ran {
        let who = Some(who).filter(|who| !who.is_empty());
        let mut folio = self.served.fixture.command(dir, who);
        folio.env("GIT_TERMINAL_PROMPT", "0");
        if let Some(ssh) = &self.ssh {
            folio.env("GIT_SSH_COMMAND", ssh);
        }
        finish(folio.args(args), b"")
    }

    fn git(&self, dir: &Path, args: &[&str]) -> Ran {
        let mut git = self.served.fixture.bare_command("git", dir);
        git.env("GIT_TERMINAL_PROMPT", "0");
        if let Some(ssh) = &self.ssh {
            git.env("GIT_SSH_COMMAND", ssh);
        }
        finish(git.args(args), b"")
    }

    fn push(&self, refspec: &str) -> Ran {
        let space = &self.served.fixture.space;
        self.git(space, &["push", "--force", &self.url, refspec])
    }

    /// A day of a space with plain git: what is good is taken, what is not is refused with the reason.
    fn carries_a_space(&self) {
        let served = self.served;
        let home = served.fixture.home.path().to_owned();
        self.push("main").ok();
        self.git(&home, &["clone", "-q", &self.url, "clone"]).ok();
        let clone = home.join("clone");
        finish(served.fixture.command(&clone, None).arg("verify"), b"").ok();
        // A proposal, and the page that numbers it.
        let name = "refs/heads/proposals/bob/a";
        served.fixture.propose("bob", "a", &set("a", "x"));
        self.push("proposals/bob/a").ok();
        refused(self.push(":proposals/bob/a"), "ref-protected", name);
        let merge = merge_of(served);
        served.fixture.accept_all();
        self.push("main").ok();
        self.push(":proposals/bob/a").ok();
        self.git(&clone, &["pull", "-q", "--ff-only"]).ok();
        let resolve = ["resolve", "a"];
        let said = finish(served.fixture.command(&clone, None).args(resolve), b"");
        assert_eq!(said.ok(), "x\n");
        // A merge button, a way back, a ref of somebody's own.
        refused(
            self.push(&format!("{merge}:{MAIN}")),
            "not-a-snapshot",
            MAIN,
        );
        refused(self.push("main~1:main"), "not-fast-forward", MAIN);
        refused(
            self.push("main:refs/heads/own"),
            "ref-invalid",
            "refs/heads/own",
        );
        let here = served.fixture.git(&["rev-parse", "main"]);
        let there = self.git(&home, &["ls-remote", &self.url]).ok();
        let here = format!("{}\t{MAIN}", here.trim());
        let rest = there.lines().filter(|line| !line.ends_with("\tHEAD"));
        assert_eq!(rest.collect::<Vec<_>>(), [here], "{there}");
        self.carries_folio();
    }

    /// The same with Folio's own commands: a proposal goes there, is numbered elsewhere and comes back.
    fn carries_folio(&self) {
        let served = self.served;
        let (home, space) = (served.fixture.home.path(), &served.fixture.space);
        let status = self.folio(space, "", &["--json", "status"]).json();
        let id = status["space"].as_str().unwrap();
        let clone = ["clone", &self.url, "own", "--space", id];
        self.folio(home, "", &clone).ok();
        let own = home.join("own");
        self.folio(&own, "", &["verify"]).ok();
        let propose = |slug: &str| {
            let args = ["propose", "-m", slug, "--slug", slug, "-f", "-"];
            let mut run = served.fixture.command(&own, Some("bob"));
            finish(run.args(args), set(slug, "y").as_bytes()).ok();
        };
        propose("b");
        self.folio(&own, "bob", &["submit"]).ok();
        assert!(served.at("refs/heads/proposals/bob/b").is_some());
        self.folio(space, "wanda", &["fetch", &self.url]).ok();
        let numbered = served.fixture.accept_all();
        assert!(numbered.contains("common@3"), "{numbered}");
        self.folio(space, "wanda", &["push", &self.url]).ok();
        self.folio(&own, "", &["fetch"]).ok();
        assert_eq!(self.folio(&own, "", &["resolve", "b"]).ok(), "y\n");
        let main = served.fixture.git(&["rev-parse", "main"]);
        assert_eq!(self.git(&own, &["rev-parse", "main"]).ok(), main);
        assert_eq!(served.at(MAIN).as_deref(), Some(main.trim()));
        self.tells_what_the_hook_says(&own, &propose);
    }

    /// A server for another space: its hook refuses, and Folio says with which code.
    fn tells_what_the_hook_says(&self, own: &Path, propose: &dyn Fn(&str)) {
        let served = self.served;
        served.behind(&["config", "folio.space", &"5a".repeat(32)]);
        propose("c");
        let before = served.refs();
        for command in ["submit", "push"] {
            let ran = self.folio(own, "bob", &[command]);
            let said = ran.refused("push-refused", 6);
            assert!(said.contains("remote: error: space-mismatch: "), "{said}");
            assert_eq!(served.refs(), before);
        }
        served.behind(&["config", "--unset", "folio.space"]);
        self.folio(own, "bob", &["submit"]).ok();
        assert!(served.at("refs/heads/proposals/bob/c").is_some());
    }
}

/// What a merge button makes of bob's proposal.
fn merge_of(served: &Served) -> String {
    let who = ["-c", "user.name=f", "-c", "user.email=f@example.org"];
    let what = ["commit-tree", "-p", "main", "-p", "proposals/bob/a"];
    let message = ["-m", "Merge", "proposals/bob/a^{tree}"];
    served.git_with(&[&who[..], &what, &message].concat(), b"")
}

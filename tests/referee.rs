//! Plain git as referee: a space of real releases, made through the binary, and everything that git says
//! about it. In both object formats.
#![allow(clippy::unwrap_used, reason = "a test")]

#[path = "common/tools.rs"]
mod tools;

#[path = "common/cli.rs"]
mod cli;

use cli::{Fixture, finish};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

const RELEASES: [&str; 5] = ["2020.1", "2021.5", "2022.7", "2024.2", "2026.6"];

/// The lines of a table at a commit, as git finds them in files.
fn lines_of(fixture: &Fixture, commit: &str, table: &str) -> BTreeSet<String> {
    let (file, dir) = (format!("{table}.jsonl"), format!("{table}/"));
    let args = ["grep", "-h", "-e", "", commit, "--", &file, &dir];
    let found = finish(fixture.bare_command("git", &fixture.space).args(args), b"");
    found.out.lines().map(str::to_owned).collect()
}

fn files_of(fixture: &Fixture, table: &str) -> Vec<String> {
    let (file, dir) = (format!("{table}.jsonl"), format!("{table}/"));
    let listed = fixture.git(&["ls-tree", "-r", "--name-only", "main", "--", &file, &dir]);
    listed.lines().map(str::to_owned).collect()
}

/// Whom `git blame` names for each line of a file.
fn git_blame(fixture: &Fixture, options: &[&str], file: &str) -> Vec<(String, String)> {
    let mut args = vec!["blame", "--line-porcelain"];
    args.extend(options);
    args.extend(["main", "--", file]);
    let said = fixture.git(&args);
    let mut found = Vec::new();
    let mut mail = "";
    for line in said.lines() {
        match (line.strip_prefix("author-mail "), line.strip_prefix('\t')) {
            (Some(who), _) => mail = who,
            (_, Some(text)) => {
                found.push((text.to_owned(), mail.trim_matches(['<', '>']).to_owned()))
            }
            _ => {}
        }
    }
    found
}

/// Whom `folio blame` names for an alias.
fn folio_blame(fixture: &Fixture, alias: &str) -> String {
    let said = fixture
        .run("bob", &["--json", "blame", alias, "--table", "aliases"])
        .json();
    said["rows"][0]["changes"][0]["author"]
        .as_str()
        .unwrap_or_else(|| panic!("{said}"))
        .to_owned()
}

fn alias_of(line: &str) -> String {
    let row: Value = serde_json::from_str(line).unwrap();
    row["alias"].as_str().unwrap().to_owned()
}

#[track_caller]
fn fsck(fixture: &Fixture, dir: &Path) {
    let ran = finish(
        fixture
            .bare_command("git", dir)
            .args(["fsck", "--strict", "--no-dangling"]),
        b"",
    );
    assert_eq!((ran.code, ran.out.as_str(), ran.err.as_str()), (0, "", ""));
}

/// Five releases by two proposers, one of them between two others; who wrote which line, by comparing
/// what the files held before and after.
struct Zones {
    fixture: Fixture,
    wrote: BTreeMap<String, &'static str>,
    /// The state's lines after each page.
    pages: Vec<BTreeSet<String>>,
}

impl Zones {
    fn new(format: &str) -> Self {
        let fixture = Fixture::founded(&["--object-format", format]);
        let mut this = Self {
            fixture,
            wrote: BTreeMap::new(),
            pages: vec![BTreeSet::new()],
        };
        let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/tz");
        for (index, release) in RELEASES.iter().enumerate() {
            let who = ["alice", "bob"][index % 2];
            let file = data.join(format!("links-{release}.tsv"));
            this.fixture
                .run(who, &["alias", "sync", file.to_str().unwrap()])
                .ok();
            let words = format!("Take over the links of tzdata {release}");
            this.fixture.run(who, &["propose", "-m", &words]).ok();
            this.number(who);
        }
        // Two on one base: the second is numbered after the first, which it has never seen.
        let row = |alias: &str| {
            format!("{{\"op\":\"alias.set\",\"alias\":\"{alias}\",\"target\":\"Etc/UTC\"}}\n")
        };
        let many = |who: &str| -> String { (0..40).map(|n| row(&format!("{who}/{n}"))).collect() };
        this.fixture.propose("alice", "hers", &many("alice"));
        this.fixture.propose("bob", "his", &many("bob"));
        this.fixture.run("wanda", &["accept", "bob/his"]).ok();
        this.credit("bob");
        this.fixture.run("wanda", &["accept", "alice/hers"]).ok();
        this.credit("alice");
        // And one that is refused, with a signed reason.
        this.fixture.propose("bob", "late", &row("Late"));
        this.fixture
            .propose("alice", "early", &row("Late").replace("Etc/UTC", "Etc/GMT"));
        this.number("alice");
        assert!(
            this.fixture
                .run("bob", &["queue"])
                .ok()
                .contains("signed by wanda: stale")
        );
        this
    }

    fn number(&mut self, who: &'static str) {
        self.fixture.accept_all();
        self.credit(who);
    }

    fn credit(&mut self, who: &'static str) {
        let now = lines_of(&self.fixture, "main", "aliases");
        for line in now.difference(self.pages.last().unwrap()) {
            self.wrote.insert(line.clone(), who);
        }
        self.wrote.retain(|line, _| now.contains(line));
        self.pages.push(now);
    }
}

#[test]
fn git_agrees_about_a_sha1_space() {
    if tools::lacks_ssh_keygen() {
        return;
    }
    agrees("sha1");
}

#[test]
fn git_agrees_about_a_sha256_space() {
    if tools::lacks_ssh_keygen() {
        return;
    }
    agrees("sha256");
}

fn agrees(format: &str) {
    let zones = Zones::new(format);
    assert!(zones.wrote.len() > 250);
    assert_eq!(
        zones
            .fixture
            .git(&["rev-parse", "--show-object-format"])
            .trim(),
        format
    );
    fsck(&zones.fixture, &zones.fixture.space);
    every_commit_is_good(&zones);
    logs_and_diffs(&zones);
    blame_names_the_proposer(&zones);
    a_shallow_clone_holds_the_state(&zones);
    a_bundle_is_a_whole_space(&zones);
    collected_and_packed(&zones);
}

fn every_commit_is_good(zones: &Zones) {
    let fixture = &zones.fixture;
    let mut kinds = BTreeMap::new();
    for commit in fixture.git(&["rev-list", "--all"]).lines() {
        let ran = finish(
            fixture
                .bare_command("git", &fixture.space)
                .args(["verify-commit", "--raw", commit]),
            b"",
        );
        assert!(
            ran.code == 0 && ran.err.starts_with("Good \"git\" signature for "),
            "{ran:?}"
        );
        let header = fixture.git(&["log", "-1", "--format=%P%n%(trailers:only)", commit]);
        let kind = match () {
            () if header.contains("\nReview: reject") => "reject",
            () if header.contains("\nSnapshot: ") => "snapshot",
            () if header.starts_with('\n') => "charter",
            () => "proposal",
        };
        *kinds.entry(kind).or_insert(0) += 1;
    }
    let expected = [
        ("charter", 1),
        ("proposal", 9),
        ("reject", 1),
        ("snapshot", 9),
    ];
    assert_eq!(kinds.into_iter().collect::<Vec<_>>(), expected);
}

fn logs_and_diffs(zones: &Zones) {
    let fixture = &zones.fixture;
    let log = fixture.git(&[
        "log",
        "--first-parent",
        "--reverse",
        "--format=%an %G? %s",
        "main",
    ]);
    let lines: Vec<&str> = log.lines().collect();
    // The last line is the charter's proposal, which is the first page's only parent.
    assert_eq!(lines.len(), 10);
    assert_eq!(lines[0], "Alice G Found tests");
    for (number, line) in lines.iter().enumerate().skip(1) {
        assert!(
            line.starts_with(&format!("Wanda G common@{number}: ")),
            "{line}"
        );
    }
    // What a release changed, by plain git: as many lines as the tables say.
    for page in 1..zones.pages.len() {
        let (old, new) = (&zones.pages[page - 1], &zones.pages[page]);
        let commits = [
            format!("main~{}", zones.pages.len() - page),
            format!("main~{}", zones.pages.len() - 1 - page),
        ];
        assert_eq!(&lines_of(fixture, &commits[1], "aliases"), new);
        if page == 1 {
            // From nothing.
            continue;
        }
        let diff = fixture.git(&[
            "diff",
            "-U0",
            &commits[0],
            &commits[1],
            "--",
            "aliases",
            "aliases.jsonl",
        ]);
        let starting = |sign: &str| -> BTreeSet<String> {
            let rows = diff.lines().filter_map(|line| line.strip_prefix(sign));
            rows.filter(|line| line.starts_with('{'))
                .map(str::to_owned)
                .collect()
        };
        assert_eq!(starting("+"), new.difference(old).cloned().collect());
        assert_eq!(starting("-"), old.difference(new).cloned().collect());
    }
}

fn blame_names_the_proposer(zones: &Zones) {
    let fixture = &zones.fixture;
    let mut seen = 0;
    for file in files_of(fixture, "aliases") {
        for (line, mail) in git_blame(fixture, &[], &file) {
            assert_eq!(
                mail,
                format!("{}@example.org", zones.wrote[&line]),
                "{file}: {line}"
            );
            seen += 1;
        }
    }
    assert_eq!(seen, zones.wrote.len());
    // Every tenth, and what was changed more than once.
    let wanted = zones.wrote.iter().enumerate();
    for (_, (line, who)) in wanted.filter(|(n, (line, _))| n % 10 == 0 || line.contains("Europe/K"))
    {
        assert_eq!(folio_blame(fixture, &alias_of(line)), *who, "{line}");
    }
}

/// All lines of a checked out table.
fn checked_out(dir: &Path, table: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut dirs = vec![dir.join(table)];
    let file = dir.join(format!("{table}.jsonl"));
    let mut files: Vec<_> = file.exists().then_some(file).into_iter().collect();
    while let Some(dir) = dirs.pop() {
        for entry in std::fs::read_dir(dir).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                dirs.push(path)
            } else {
                files.push(path)
            }
        }
    }
    for file in files {
        found.extend(
            std::fs::read_to_string(file)
                .unwrap()
                .lines()
                .map(str::to_owned),
        );
    }
    found.sort();
    found
}

fn state(fixture: &Fixture, dir: &Path, table: &str) -> Vec<String> {
    let said = finish(fixture.command(dir, None).args(["state", table]), b"").ok();
    let mut lines: Vec<String> = said.lines().map(str::to_owned).collect();
    lines.sort();
    lines
}

fn a_shallow_clone_holds_the_state(zones: &Zones) {
    let fixture = &zones.fixture;
    let url = format!("file://{}", fixture.space.display());
    let args = [
        "clone", "-q", "--depth", "1", "--branch", "main", &url, "shallow",
    ];
    finish(
        fixture.bare_command("git", fixture.home.path()).args(args),
        b"",
    )
    .ok();
    let clone = fixture.path("shallow");
    let depth = finish(
        fixture
            .bare_command("git", &clone)
            .args(["rev-list", "--count", "HEAD"]),
        b"",
    )
    .ok();
    assert_eq!(depth.trim(), "1");
    for table in [
        "aliases",
        "aliases-by-target",
        "members",
        "policy",
        "keys",
        "merges",
    ] {
        let files = checked_out(&clone, table);
        assert_eq!(files, state(fixture, &fixture.space, table), "{table}");
        assert_eq!(files, state(fixture, &clone, table), "{table} in the clone");
    }
    let answer = finish(
        fixture
            .command(&clone, None)
            .args(["resolve", "US/Eastern"]),
        b"",
    );
    assert_eq!(answer.ok(), "America/New_York\n");
    // What was cut off cannot be verified, and that is said.
    finish(fixture.command(&clone, None).arg("verify"), b"").refused("replaced-objects", 4);
}

fn a_bundle_is_a_whole_space(zones: &Zones) {
    let fixture = &zones.fixture;
    fixture.git(&["bundle", "create", "-q", "../space.bundle", "--all"]);
    fixture.git(&["bundle", "verify", "-q", "../space.bundle"]);
    let args = [
        "clone",
        "-q",
        "--branch",
        "main",
        "space.bundle",
        "unbundled",
    ];
    finish(
        fixture.bare_command("git", fixture.home.path()).args(args),
        b"",
    )
    .ok();
    let clone = fixture.path("unbundled");
    fsck(fixture, &clone);
    let verified = |dir: &Path| finish(fixture.command(dir, None).arg("verify"), b"").ok();
    assert_eq!(verified(&clone), verified(&fixture.space));
    finish(fixture.command(&clone, None).arg("replay"), b"").ok();
}

fn collected_and_packed(zones: &Zones) {
    let fixture = &zones.fixture;
    let before = fixture.run("bob", &["--json", "queue"]).ok();
    fixture.git(&["pack-refs", "--all", "--prune"]);
    assert_eq!(fixture.run("bob", &["--json", "queue"]).ok(), before);
    fixture.git(&["gc", "-q", "--prune=now"]);
    fsck(fixture, &fixture.space);
    assert_eq!(fixture.run("bob", &["--json", "queue"]).ok(), before);
    fixture.run("bob", &["verify"]).ok();
    fixture.run("bob", &["replay"]).ok();
    // And it goes on: numbering on packed refs, a packed proposal that is taken away, another gc.
    fixture.run("bob", &["rebase", "bob/late"]).ok();
    fixture.git(&["pack-refs", "--all", "--prune"]);
    assert!(fixture.accept_all().contains("common@10 bob/late"));
    let left = fixture.git(&["for-each-ref", "refs/heads/proposals", "refs/heads/reviews"]);
    assert_eq!(left, "");
    assert_eq!(fixture.git(&["status", "--porcelain"]), "");
    fixture.git(&["gc", "-q", "--prune=now"]);
    fsck(fixture, &fixture.space);
    fixture.run("bob", &["verify"]).ok();
    assert_eq!(folio_blame(fixture, "Late"), "bob");
}

#[test]
fn blame_follows_rows_across_a_split() {
    let fixture = Fixture::bare();
    let rows = |names: std::ops::Range<usize>| -> String {
        let row = |n| {
            format!("{{\"op\":\"alias.set\",\"alias\":\"name-{n}\",\"target\":\"target-{n}\"}}\n")
        };
        names.map(row).collect()
    };
    fixture.propose("alice", "sixty", &rows(0..60));
    fixture.accept_all();
    assert_eq!(files_of(&fixture, "aliases"), ["aliases.jsonl"]);
    fixture.propose("bob", "ten", &rows(60..70));
    fixture.accept_all();
    let files = files_of(&fixture, "aliases");
    assert!(
        files.len() > 10 && files[0].starts_with("aliases/"),
        "{files:?}"
    );
    let mut seen = 0;
    for file in &files {
        for (line, mail) in git_blame(&fixture, &["-C1", "-C", "-C"], file) {
            let alias = alias_of(&line);
            let number: usize = alias.strip_prefix("name-").unwrap().parse().unwrap();
            let who = if number < 60 { "alice" } else { "bob" };
            assert_eq!(mail, format!("{who}@example.org"), "{file}: {line}");
            assert_eq!(folio_blame(&fixture, &alias), who);
            seen += 1;
        }
    }
    assert_eq!(seen, 70);
    // And back: rows leave until one file is left.
    let drop = |n| format!("{{\"op\":\"alias.drop\",\"alias\":\"name-{n}\"}}\n");
    let lines: String = (0..10).map(drop).collect();
    fixture.propose("bob", "fewer", &lines);
    fixture.accept_all();
    assert_eq!(files_of(&fixture, "aliases"), ["aliases.jsonl"]);
    for (line, mail) in git_blame(&fixture, &["-C1", "-C", "-C"], "aliases.jsonl") {
        let who = if alias_of(&line)[5..].parse::<usize>().unwrap() < 60 {
            "alice"
        } else {
            "bob"
        };
        assert_eq!(mail, format!("{who}@example.org"), "{line}");
    }
    for n in [10, 59, 60, 69] {
        let who = if n < 60 { "alice" } else { "bob" };
        assert_eq!(folio_blame(&fixture, &format!("name-{n}")), who);
    }
}

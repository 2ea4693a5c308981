//! The tour, run twice: the same ids come out, and it shows what it promises.
#![allow(clippy::unwrap_used, reason = "a test")]

#[path = "common/tools.rs"]
mod tools;

use std::path::{Path, PathBuf};
use std::process::Command;

/// The example's binary. `cargo test` has made it already, unless only this test was asked for; then it
/// may be missing or old.
fn binary() -> PathBuf {
    let this = std::env::current_exe().unwrap();
    let profile = this.parent().unwrap().parent().unwrap();
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(env!("CARGO_MANIFEST_DIR"));
    cargo.args(["build", "--quiet", "--offline", "--example", "tour"]);
    cargo.args(profile.ends_with("release").then_some("--release"));
    cargo.env("CARGO_TARGET_DIR", profile.parent().unwrap());
    assert!(cargo.status().unwrap().success());
    profile.join("examples/tour")
}

fn run(tour: &Path, target: &Path) -> String {
    let mut tour = Command::new(tour);
    tour.env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default());
    tour.env("HOME", target).env("CARGO_TARGET_DIR", target);
    tour.env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("LC_ALL", "C");
    let ran = tour.output().unwrap();
    assert!(
        ran.status.success(),
        "{}",
        String::from_utf8_lossy(&ran.stderr)
    );
    let shown = String::from_utf8(ran.stdout).unwrap();
    // The only thing that may differ is where it lies.
    shown.replace(target.to_str().unwrap(), "TARGET")
}

/// All refs and where they point.
fn refs(target: &Path) -> String {
    let mut git = Command::new("git");
    git.env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default());
    git.env("HOME", target)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1");
    let ran = git
        .current_dir(target.join("tour/zones"))
        .args(["for-each-ref"])
        .output()
        .unwrap();
    assert!(ran.status.success());
    String::from_utf8(ran.stdout).unwrap()
}

#[test]
fn the_tour_is_the_same_every_time() {
    if tools::lacks_ssh_keygen() {
        return;
    }
    let targets = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let tour = binary();
    let shown = [run(&tour, targets[0].path()), run(&tour, targets[1].path())];
    assert_eq!(shown[0], shown[1]);
    let ids = refs(targets[0].path());
    assert_eq!(ids, refs(targets[1].path()));
    assert!(
        ids.contains("refs/heads/main") && ids.contains("refs/heads/reviews/wes/"),
        "{ids}"
    );
    // In place of the space that stands there, again the same.
    assert_eq!(run(&tour, targets[0].path()), shown[0]);
    let mut rest = shown[0].as_str();
    for line in EXPECTED {
        let at = rest
            .find(line)
            .unwrap_or_else(|| panic!("no `{line}` (or not there) in:\n{}", shown[0]));
        rest = &rest[at + line.len()..];
    }
}

/// In this order.
const EXPECTED: &[&str] = &[
    "wes$ folio init ",
    "Founded time-zones in ",
    "ana$ folio alias sync links-2020.1.tsv",
    "common@2 ana/take-over-the-links-of-tzdata-2020-1: ",
    "ben$ folio alias sync links-2025.3.tsv",
    "nothing to propose",
    "common@9 ana/take-over-the-links-of-tzdata-2026-6: ",
    "common@10 ana/pacific-new: ",
    "ben$ folio queue",
    "ben/pacific-new",
    "stale: ",
    "signed by wes: stale",
    "ana$ folio resolve US/Eastern\nAmerica/New_York\n",
    "ana$ folio resolve US/Eastern --at 2\nAmerica/New_York\n",
    "ana$ folio resolve Europe/Kiev\nEurope/Kyiv\n",
    "ana$ folio diff common@6 common@7\n",
    "ana$ folio blame Europe/Kiev\n",
    "ben: Take over the links of tzdata 2022.2",
    "ben$ folio verify\ngood common@1..common@10",
    "ben$ folio replay\n",
    "equal",
    "$ git fsck --strict --no-dangling\n$ git rev-list --all",
    "G Wes: common@10",
    "The space lies in ",
    "git log --first-parent --show-signature",
];

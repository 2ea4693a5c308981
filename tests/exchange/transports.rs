//! The same by every way that needs git alone.

use crate::net::Net;
use std::io::Read as _;
use std::process::{Child, Stdio};

#[test]
fn a_path_and_a_file_url() {
    let net = Net::new();
    let id = net.space_id();
    let url = format!("file://{}", net.path("hub.git").display());
    net.run(".", "", &["clone", &url, "a", "--space", &id]).ok();
    net.run(".", "", &["clone", "./hub.git/", "b", "--space", &id])
        .ok();
    net.number("two");
    net.run("space", "wanda", &["push", &url]).ok();
    for dir in ["a", "b"] {
        net.run(dir, "", &["fetch"]).ok();
        assert_eq!(net.at(dir, "main"), net.at("space", "main"));
        net.propose(dir, "bob", &format!("from-{dir}"));
        net.run(dir, "bob", &["submit"]).ok();
    }
    assert!(
        net.at("hub.git", "refs/heads/proposals/bob/from-a")
            .is_some()
    );
}

#[test]
fn a_bundle_file_is_a_remote_to_fetch_from() {
    let net = Net::new();
    let id = net.space_id();
    net.propose("space", "bob", "two");
    net.git("space", &["bundle", "create", "-q", "../x.bundle", "--all"]);
    net.run(".", "", &["clone", "x.bundle", "--space", &id])
        .ok();
    net.sound("x");
    assert!(net.at("x", "refs/heads/proposals/bob/two").is_some());
    net.clone_to("a", &[]);
    net.number("three");
    net.git(
        "space",
        &["bundle", "create", "-q", "../y.bundle", "main", "^main~2"],
    );
    let answer = net.json("a", "", &["fetch", "../y.bundle"]);
    assert_eq!(answer["fetched"][0]["to"], 4, "{answer}");
    // A part of a history that does not fit onto what is here, a torn file, and no bundle at all.
    net.number("four");
    net.number("five");
    net.git(
        "space",
        &["bundle", "create", "-q", "../z.bundle", "main", "^main~1"],
    );
    let before = net.refs("a");
    net.run("a", "", &["fetch", "../z.bundle"])
        .refused("remote-failed", 6);
    let bytes = std::fs::read(net.path("x.bundle")).unwrap();
    std::fs::write(net.path("torn.bundle"), &bytes[..bytes.len() - 30]).unwrap();
    let ran = net.run(".", "", &["clone", "torn.bundle", "t", "--space", &id]);
    ran.refused("remote-failed", 6);
    assert!(!net.path("t").exists());
    net.fixture.write("no.bundle", "nothing");
    net.run("a", "", &["fetch", "../no.bundle"])
        .refused("remote-failed", 6);
    assert_eq!(net.refs("a"), before);
    let ran = net.run("space", "wanda", &["push", "../x.bundle"]);
    assert_eq!(ran.code, 6, "{ran:?}");
}

struct Daemon(Child);

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// `git daemon` on a port of its own; nothing where it cannot be started.
fn daemon(net: &Net) -> Option<(Daemon, String)> {
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let base = format!("--base-path={}", net.path("").display());
    // By its own name: `git daemon` would start it as a second process.
    let program = format!("{}/git-daemon", net.git(".", &["--exec-path"]));
    let mut run = net.fixture.bare_command(&program, &net.path(""));
    run.args(["--listen=127.0.0.1", &format!("--port={port}")]);
    run.args([
        "--export-all",
        "--reuseaddr",
        "--verbose",
        "--enable=receive-pack",
        &base,
    ]);
    let mut child = run
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .ok()?;
    // It says when it listens.
    let mut said = Vec::new();
    let mut byte = [0];
    let stderr = child.stderr.as_mut().unwrap();
    while !said.ends_with(b"Ready to rumble") {
        match stderr.read(&mut byte) {
            Ok(1) => said.push(byte[0]),
            _ => {
                eprintln!(
                    "skipped: git daemon does not start: {}",
                    String::from_utf8_lossy(&said)
                );
                let _ = child.wait();
                return None;
            }
        }
    }
    let mut rest = child.stderr.take().unwrap();
    std::thread::spawn(move || std::io::copy(&mut rest, &mut std::io::sink()));
    Some((Daemon(child), format!("git://127.0.0.1:{port}/hub.git")))
}

#[test]
fn the_git_daemon() {
    let net = Net::new();
    let Some((daemon, url)) = daemon(&net) else {
        return;
    };
    let id = net.space_id();
    net.run(".", "", &["clone", &url, "a", "--space", &id]).ok();
    net.sound("a");
    net.propose("a", "bob", "two");
    net.run("a", "bob", &["submit"]).ok();
    net.run("space", "wanda", &["fetch", &url]).ok();
    net.run("space", "wanda", &["accept", "--all"]).ok();
    net.run("space", "wanda", &["sync", &url]).ok();
    net.run("a", "bob", &["sync"]).ok();
    assert_eq!(net.at("a", "main"), net.at("space", "main"));
    drop(daemon);
    net.run("a", "bob", &["fetch"]).refused("remote-failed", 6);
}

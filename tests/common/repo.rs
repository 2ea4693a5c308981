//! Real git as referee and as forger, with nobody's configuration.

use folio::model::Oid;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

fn command(dir: &Path, args: &[&str]) -> Command {
    let mut command = Command::new("git");
    command
        .env_clear()
        .env("PATH", std::env::var_os("PATH").expect("PATH is set"))
        .env("HOME", dir)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_SYSTEM", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("LC_ALL", "C")
        .current_dir(dir)
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// Runs git whatever comes of it.
pub fn git_output(dir: &Path, args: &[&str], input: &[u8]) -> Output {
    let mut child = command(dir, args).spawn().expect("git can be started");
    let mut stdin = child.stdin.take().expect("piped");
    stdin.write_all(input).expect("git reads its input");
    drop(stdin);
    child.wait_with_output().expect("git ends")
}

/// Runs git, which must succeed; what it printed.
pub fn git(dir: &Path, args: &[&str], input: &[u8]) -> String {
    let output = git_output(dir, args, input);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "git {args:?}: {said}");
    let text = String::from_utf8(output.stdout).expect("git prints text here");
    text.trim_end().to_owned()
}

/// Writes any bytes as an object, as git would take them from a hostile server.
pub fn put(dir: &Path, kind: &str, bytes: &[u8]) -> Oid {
    let args = ["hash-object", "-t", kind, "-w", "--stdin", "--literally"];
    git(dir, &args, bytes).parse().expect("git prints an id")
}

/// Points a ref of a bare repository somewhere, as a hostile server or an administrator can: `git
/// update-ref` would look at the object first.
pub fn update_ref(dir: &Path, name: &str, to: Oid) {
    let file = dir.join(name);
    std::fs::create_dir_all(file.parent().expect("a ref lies below `refs/`")).expect("a directory");
    std::fs::write(file, format!("{to}\n")).expect("a ref");
}

/// Requires that git finds nothing wrong.
pub fn fsck(dir: &Path) {
    let output = git_output(dir, &["fsck", "--strict", "--no-dangling"], b"");
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    assert!(output.status.success(), "git fsck: {said}");
    for word in ["error", "missing", "broken", "corrupt"] {
        assert!(!said.contains(word), "git fsck: {said}");
    }
}

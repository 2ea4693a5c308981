//! Keys from the command line: made, shown, listed, found, unlocked, refused.
#![allow(clippy::unwrap_used, reason = "a test")]

#[path = "common/tools.rs"]
mod tools;

#[path = "common/cli.rs"]
mod cli;

use cli::{Fixture, Ran, finish, pair};
use folio::crypto::Sign as _;
use std::os::unix::fs::PermissionsExt as _;

/// Runs `folio key ...` at home, where no key is named.
fn key(fixture: &Fixture, args: &[&str], env: &[(&str, &str)]) -> Ran {
    let mut command = fixture.command(fixture.home.path(), None);
    command.arg("key").args(args).envs(env.iter().copied());
    finish(&mut command, b"")
}

/// A program that answers every question so.
fn askpass(fixture: &Fixture, answer: &str) -> String {
    let path = fixture.write("askpass", &format!("#!/bin/sh\necho '{answer}'\n"));
    path.to_str().unwrap().to_owned()
}

fn set(fixture: &Fixture, args: &[&str], env: &[(&str, &str)]) -> Ran {
    let mut command = fixture.command(&fixture.space, None);
    command
        .args(args)
        .args(["propose", "-m", "signed", "-f", "-"]);
    command.envs(env.iter().copied());
    finish(
        &mut command,
        b"{\"op\":\"alias.set\",\"alias\":\"a\",\"target\":\"b\"}\n",
    )
}

#[test]
fn a_new_key_is_private_and_never_overwritten() {
    if tools::lacks_ssh_keygen() {
        return;
    }
    let fixture = Fixture::home();
    let words = key(&fixture, &["new"], &[]).refused("bad-request", 2);
    assert!(words.contains("--no-passphrase"), "{words}");
    let line = key(
        &fixture,
        &["new", "--no-passphrase", "--comment", "me"],
        &[],
    )
    .ok();
    let file = fixture.path(".config/folio/key");
    assert_eq!(
        std::fs::metadata(&file).unwrap().permissions().mode() & 0o777,
        0o600
    );
    assert_eq!(
        std::fs::read_to_string(file.with_extension("pub")).unwrap(),
        line
    );
    assert!(
        line.starts_with("ssh-ed25519 AAAA") && line.ends_with(" me\n"),
        "{line}"
    );
    key(&fixture, &["new", "--no-passphrase"], &[]).refused("exists", 3);
    let xdg = fixture.path("xdg");
    key(
        &fixture,
        &["new", "--no-passphrase"],
        &[("XDG_CONFIG_HOME", xdg.to_str().unwrap())],
    )
    .ok();
    assert!(xdg.join("folio/key.pub").is_file());
    // It is what signs where nothing else is named.
    let shown = key(&fixture, &["show"], &[]).ok();
    assert_eq!(shown.lines().next(), line.trim_end().strip_suffix(" me"));
    let listed = key(&fixture, &["list"], &[]).ok();
    assert!(
        listed.contains("would sign here: the default key file"),
        "{listed}"
    );
    let mut keygen = fixture.bare_command("ssh-keygen", fixture.home.path());
    let public = finish(keygen.arg("-y").arg("-f").arg(&file), b"").ok();
    assert_eq!(public, line);
}

#[test]
fn a_new_key_with_a_passphrase_signs_after_it_is_asked_for() {
    let fixture = Fixture::home();
    let program = askpass(&fixture, "open sesame");
    let env = [
        ("SSH_ASKPASS", program.as_str()),
        ("SSH_ASKPASS_REQUIRE", "force"),
    ];
    key(&fixture, &["new", "locked", "--comment", "me"], &env).ok();
    let mut command = fixture.command(fixture.home.path(), None);
    command.args([
        "--key",
        "locked",
        "init",
        "mine",
        "--bare",
        "--user-name",
        "Me",
    ]);
    command.args(["--email", "me@example.org"]).envs(env);
    finish(&mut command, b"").ok();
}

#[test]
fn encrypted_keys_are_unlocked_through_askpass() {
    let fixture = Fixture::bare();
    let locked = pair("bob")
        .to_openssh_encrypted("bob", "sesame", [5; 20])
        .unwrap();
    let file = fixture.write("locked", &locked);
    let file = file.to_str().unwrap();
    let program = askpass(&fixture, "wrong");
    let env = [
        ("SSH_ASKPASS", program.as_str()),
        ("SSH_ASKPASS_REQUIRE", "force"),
    ];
    let words = set(&fixture, &["--key", file], &env).refused("key-unusable", 6);
    assert!(words.contains("passphrase was wrong"), "{words}");
    askpass(&fixture, "sesame");
    set(&fixture, &["--key", file], &env).ok();
    // Drafting looks at the public half only.
    let mut draft = fixture.command(&fixture.space, None);
    finish(draft.args(["--key", file, "alias", "set", "x", "y"]), b"").ok();
}

#[test]
fn gits_own_signing_key_is_the_default() {
    let fixture = Fixture::bare();
    fixture.git(&[
        "config",
        "user.signingKey",
        fixture.path("bob.key.pub").to_str().unwrap(),
    ]);
    assert!(set(&fixture, &[], &[]).ok().contains("bob/signed"));
    let mut show = fixture.command(&fixture.space, None);
    let shown = finish(show.args(["key", "show"]), b"").ok();
    assert!(shown.contains("bob (current)"), "{shown}");
    fixture.git(&["config", "gpg.format", "openpgp"]);
    set(&fixture, &[], &[]).refused("key-unusable", 6);
    fixture.git(&["config", "--unset", "user.signingKey"]);
    let words = set(&fixture, &[], &[]).refused("key-unusable", 6);
    assert!(words.contains("folio key new"), "{words}");
}

#[test]
fn strangers_are_told_what_to_ask_for() {
    let fixture = Fixture::bare();
    let eve = fixture.path("eve.key");
    let words = set(&fixture, &["--key", eve.to_str().unwrap()], &[]).refused("not-a-member", 3);
    assert!(
        words.contains("folio member add HANDLE --public-key 'ssh-ed25519 "),
        "{words}"
    );
}

#[test]
fn other_kinds_of_keys_are_refused_by_name() {
    if tools::lacks_ssh_keygen() {
        return;
    }
    let fixture = Fixture::bare();
    for kind in ["rsa", "ecdsa"] {
        let file = fixture.path(kind);
        let mut keygen = fixture.bare_command("ssh-keygen", fixture.home.path());
        keygen.args(["-q", "-N", "", "-t", kind, "-f"]).arg(&file);
        finish(&mut keygen, b"").ok();
        let public = format!("{}.pub", file.display());
        for file in [file.to_str().unwrap(), public.as_str()] {
            let words = set(&fixture, &["--key", file], &[]).refused("key-unsupported", 3);
            assert!(words.contains(&kind.to_uppercase()), "{words}");
            key(&fixture, &["show", file], &[]).refused("key-unsupported", 3);
        }
        std::fs::create_dir_all(fixture.path(".ssh")).unwrap();
        std::fs::copy(&public, fixture.path(&format!(".ssh/{kind}.pub"))).unwrap();
    }
    let listed = key(&fixture, &["list"], &[]).ok();
    assert_eq!(
        listed.matches("unusable: key-unsupported").count(),
        2,
        "{listed}"
    );
    let weak = folio::model::PublicKey([0; 32]).to_string();
    key(&fixture, &["show", &weak], &[]).refused("key-weak", 3);
    fixture.write("torn", "-----BEGIN OPENSSH PRIVATE KEY-----\nb3Bl\n");
    set(
        &fixture,
        &["--key", fixture.path("torn").to_str().unwrap()],
        &[],
    )
    .refused("key-malformed", 3);
}

/// An agent that ends with the test.
struct Agent(std::process::Child);

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn an_agent_signs() {
    if tools::lacks_ssh_keygen() {
        return;
    }
    let fixture = Fixture::bare();
    let socket = fixture.path("agent.sock");
    let socket = socket.to_str().unwrap();
    let mut agent = fixture.bare_command("ssh-agent", fixture.home.path());
    let agent = agent
        .args(["-D", "-a", socket])
        .stdout(std::process::Stdio::null())
        .spawn();
    let _agent = Agent(agent.unwrap());
    let start = std::time::Instant::now();
    while !std::path::Path::new(socket).exists() {
        assert!(start.elapsed().as_secs() < 10, "the agent does not start");
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    let env = [("SSH_AUTH_SOCK", socket)];
    let literal = format!("key::{}", pair("bob").public_key());
    set(&fixture, &["--key", &literal], &env).refused("key-unusable", 6);
    let file = fixture.path("bob.key");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    let mut add = fixture.bare_command("ssh-add", fixture.home.path());
    finish(add.args(["-q"]).arg(&file).envs(env), b"").ok();
    assert!(
        set(&fixture, &["--key", &literal], &env)
            .ok()
            .contains("bob/signed")
    );
    let listed = key(&fixture, &["list"], &env).ok();
    assert!(listed.contains("ssh-agent bob"), "{listed}");
}

/// A crash writes no memory down, for a key may be in it: what Folio starts, which has its limits, may write none either.
#[test]
fn there_is_no_core_dump_of_a_key() {
    let fixture = Fixture::bare();
    let (before, then) = (fixture.path("before"), fixture.path("then"));
    let ssh = format!("ulimit -S -c >'{}'; false", then.display());
    let words = format!(
        "ulimit -S -c $(ulimit -H -c); ulimit -S -c >'{}'; exec \"$0\" clone ssh://localhost/none",
        before.display()
    );
    let mut shell = fixture.bare_command("sh", fixture.home.path());
    shell.env("GIT_SSH_COMMAND", ssh);
    let ran = cli::finish(shell.args(["-c", &words, env!("CARGO_BIN_EXE_folio")]), b"");
    assert_ne!(ran.code, 0, "{ran:?}");
    let read = |path| std::fs::read_to_string(path).unwrap();
    assert_eq!(read(then).trim(), "0", "{} before", read(before).trim());
}

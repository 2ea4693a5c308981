//! Signatures and keys against the real `git`, `ssh-keygen`, `ssh-agent` and `ssh-add`: what they
//! make is read here, and what is made here passes there.

#![cfg(unix)]

#[path = "common/tools.rs"]
mod tools;

use folio::codec::commit::{Commit, Ident, Zone};
use folio::crypto::agent::{self, AgentSigner};
use folio::crypto::keyfile::{self, KeyPair, public_line};
use folio::crypto::{Namespace, Sign, seal, sshsig};
use folio::model::{Code, ObjectFormat, PublicKey};
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use zeroize::Zeroizing;

const FORMATS: [ObjectFormat; 2] = [ObjectFormat::Sha1, ObjectFormat::Sha256];

/// A directory that is also the home, with nothing of the user's configuration or agent in sight.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary directory"))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn command(&self, program: &str, args: &[&str]) -> Command {
        let mut command = Command::new(program);
        let path = std::env::var_os("PATH").expect("PATH is set");
        command
            .env_clear()
            .env("PATH", path)
            .env("HOME", self.0.path());
        command.env("GIT_CONFIG_GLOBAL", "/dev/null");
        command
            .env("GIT_CONFIG_SYSTEM", "/dev/null")
            .env("LC_ALL", "C");
        command.current_dir(self.0.path()).args(args);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    fn output(&self, program: &str, args: &[&str], input: &[u8]) -> Output {
        let mut command = self.command(program, args);
        let mut child = command.stdin(Stdio::piped()).spawn().expect(program);
        let mut stdin = child.stdin.take().expect("piped");
        stdin.write_all(input).expect("the program reads its input");
        drop(stdin);
        child.wait_with_output().expect("the program ends")
    }

    fn run(&self, program: &str, args: &[&str], input: &[u8]) -> Vec<u8> {
        let output = self.output(program, args, input);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{program} {args:?}: {said}");
        output.stdout
    }

    fn git(&self, args: &[&str], input: &[u8]) -> String {
        let out = self.run("git", args, input);
        String::from_utf8(out).expect("git prints text here")
    }

    /// Writes a private key and its `.pub` file as a user has them.
    fn keep(&self, name: &str, text: &str, key: &PublicKey) {
        let mut file = fs::OpenOptions::new()
            .create_new(true)
            .write(true)
            .mode(0o600)
            .open(self.path(name))
            .expect("a new file");
        file.write_all(text.as_bytes()).expect("written");
        let public = public_line(key, "alice@example.org");
        fs::write(self.path(&format!("{name}.pub")), public).expect("written");
    }

    /// A repository whose commits are signed with the key in the file `key`.
    fn repository(&self, format: ObjectFormat, key: &PublicKey) {
        let format = format!("--object-format={}", format.as_str());
        self.git(&["init", "-q", "-b", "main", &format], b"");
        fs::write(self.path("allowed"), format!("alice@example.org {key}\n")).expect("written");
        for (name, value) in [
            ("user.name", "Alice"),
            ("user.email", "alice@example.org"),
            ("gpg.format", "ssh"),
            ("user.signingKey", "key"),
            ("gpg.ssh.allowedSignersFile", "allowed"),
        ] {
            self.git(&["config", name, value], b"");
        }
    }

    fn commit(&self, format: ObjectFormat, id: &str) -> Commit {
        let bytes = self.run("git", &["cat-file", "commit", id], b"");
        let commit = Commit::parse(&bytes, format).expect("git's commits are in the grammar");
        assert_eq!(commit.encode(), bytes);
        commit
    }
}

fn pair() -> KeyPair {
    KeyPair::from_seed([42; 32])
}

fn load(path: &Path, passphrase: Option<&str>) -> Result<KeyPair, keyfile::KeyFault> {
    let text = fs::read_to_string(path).expect("a key file");
    keyfile::load(&text, |_| {
        passphrase.map(|word| Zeroizing::new(word.to_owned()))
    })
}

#[test]
fn commits_signed_by_git_open_here() {
    if tools::lacks_ssh_keygen() {
        return;
    }
    for format in FORMATS {
        let place = Place::new();
        let key = pair().public_key();
        place.keep("key", &pair().to_openssh("alice@example.org"), &key);
        place.repository(format, &key);
        for message in ["first", "second\n\nwith a body\n\nSigned-off-by: A <a@b>"] {
            place.git(&["commit", "-q", "-S", "--allow-empty", "-m", message], b"");
        }
        let commit = place.commit(format, "HEAD");
        assert_eq!(commit.parents.len(), 1);
        assert_eq!(commit.author.email, "alice@example.org");
        assert_eq!(seal::open(&commit).expect("a good signature"), key);
        let root = place.commit(format, "HEAD~1");
        assert_eq!(seal::open(&root).expect("a good signature"), key);
        let mut altered = commit;
        altered.message.insert(0, 'x');
        let fault = seal::open(&altered).expect_err("it was altered");
        assert_eq!(fault.code, Code::SignatureWrong);
    }
}

#[test]
fn commits_sealed_here_pass_git() {
    if tools::lacks_ssh_keygen() {
        return;
    }
    for format in FORMATS {
        let place = Place::new();
        let key = pair().public_key();
        place.keep("key", &pair().to_openssh("alice@example.org"), &key);
        place.repository(format, &key);
        let tree = place.git(&["mktree"], b"");
        let ident = Ident {
            name: "Alice".into(),
            email: "alice@example.org".into(),
            seconds: 1_700_000_000,
            zone: Zone::UTC,
        };
        let commit = Commit {
            tree: tree.trim().parse().expect("an id"),
            parents: Vec::new(),
            author: ident.clone(),
            committer: ident,
            armor: None,
            message: "subject\n\nbody\n".into(),
        };
        let sealed = seal::seal(commit, &pair()).expect("the key is at hand");
        let store = ["hash-object", "-t", "commit", "-w", "--stdin"];
        let id = place.git(&store, &sealed.encode());
        let verdict = place.output("git", &["verify-commit", id.trim()], b"");
        let said = String::from_utf8_lossy(&verdict.stderr).into_owned();
        assert!(
            verdict.status.success() && said.contains("Good \"git\""),
            "{said}"
        );
        place.git(&["fsck", "--strict"], b"");

        // The attack that the grammar is for: git calls this other commit good as well.
        let text = String::from_utf8(sealed.encode()).expect("text");
        let framed = text.replacen("\ngpgsig", "\ngpgsigx framed\ngpgsig", 1);
        let fault = Commit::parse(framed.as_bytes(), format).expect_err("an unknown header");
        assert_eq!(fault.code, Code::CommitGrammar);
    }
}

#[test]
fn detached_signatures_are_byte_for_byte_those_of_ssh_keygen() {
    if tools::lacks_ssh_keygen() {
        return;
    }
    let place = Place::new();
    let key = pair().public_key();
    place.keep("key", &pair().to_openssh("alice@example.org"), &key);
    let theirs = place.run(
        "ssh-keygen",
        &["-Y", "sign", "-n", "git", "-f", "key"],
        b"hello\n",
    );
    let ours = pair().sign(Namespace::Git, b"hello\n").expect("signed");
    let ours = sshsig::armor(Namespace::Git, &key, &ours);
    assert_eq!(String::from_utf8_lossy(&theirs), format!("{ours}\n"));
    let other = place.run(
        "ssh-keygen",
        &["-Y", "sign", "-n", "file", "-f", "key"],
        b"hello\n",
    );
    let other = String::from_utf8(other).expect("armor");
    let fault = sshsig::dearmor(Namespace::Git, other.trim_end()).expect_err("another purpose");
    assert_eq!(fault.code, Code::SignatureMalformed);
    let listed = place.run("ssh-keygen", &["-l", "-f", "key.pub"], b"");
    assert!(String::from_utf8_lossy(&listed).contains(&sshsig::fingerprint(&key)));
}

#[test]
fn key_files_go_both_ways() {
    if tools::lacks_ssh_keygen() {
        return;
    }
    let place = Place::new();
    let make = [
        "-q", "-t", "ed25519", "-N", "secret", "-C", "bob", "-f", "theirs",
    ];
    place.run("ssh-keygen", &make, b"");
    let loaded = load(&place.path("theirs"), Some("secret")).expect("the right passphrase");
    let public = fs::read_to_string(place.path("theirs.pub")).expect("written by ssh-keygen");
    assert_eq!(keyfile::parse_public(&public), Ok(loaded.public_key()));
    let wrong = load(&place.path("theirs"), Some("guess")).expect_err("the wrong one");
    assert_eq!(wrong.code, Code::KeyUnusable);

    let ours = pair()
        .to_openssh_encrypted("alice", "secret", [1; 20])
        .expect("encrypted");
    place.keep("ours", &ours, &pair().public_key());
    let print = ["-y", "-P", "secret", "-f", "ours"];
    let public = String::from_utf8(place.run("ssh-keygen", &print, b"")).expect("text");
    assert_eq!(keyfile::parse_public(&public), Ok(pair().public_key()));
}

#[test]
fn other_kinds_of_keys_are_refused_by_name() {
    if tools::lacks_ssh_keygen() {
        return;
    }
    let place = Place::new();
    for (kind, format, passphrase, word) in [
        ("rsa", "RFC4716", "", "RSA"),
        ("rsa", "PEM", "", "RSA"),
        ("rsa", "RFC4716", "secret", "RSA"),
        ("ecdsa", "RFC4716", "", "ECDSA"),
        ("ecdsa", "PEM", "", "ECDSA"),
    ] {
        let name = format!("{kind}-{format}-{passphrase}");
        let bits = if kind == "rsa" { "2048" } else { "256" };
        let make = [
            "-q", "-t", kind, "-b", bits, "-m", format, "-N", passphrase, "-f", &name,
        ];
        place.run("ssh-keygen", &make, b"");
        let fault = load(&place.path(&name), None).expect_err("not ed25519");
        assert_eq!(fault.code, Code::KeyUnsupported, "{name}: {fault}");
        assert!(fault.what.contains(word), "{name}: {fault}");
        let public = fs::read_to_string(place.path(&format!("{name}.pub"))).expect("written");
        let fault = keyfile::parse_public(&public).expect_err("not ed25519");
        assert!(
            fault.code == Code::KeyUnsupported && fault.what.contains(word),
            "{fault}"
        );
        let sign = ["-Y", "sign", "-n", "git", "-f", &name];
        if passphrase.is_empty() {
            let armor = String::from_utf8(place.run("ssh-keygen", &sign, b"x")).expect("armor");
            let fault = sshsig::dearmor(Namespace::Git, armor.trim_end()).expect_err("not ours");
            assert!(
                fault.code == Code::KeyUnsupported && fault.what.contains(word),
                "{fault}"
            );
        }
    }
}

/// An agent in the foreground, stopped when the test ends, however it ends.
struct Agent(Child);

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
    let place = Place::new();
    let socket = place.path("agent.sock");
    let socket_text = socket.to_str().expect("a UTF-8 path");
    let mut child = place
        .command("ssh-agent", &["-D", "-a", socket_text])
        .spawn()
        .expect("agent");
    let announced = child.stdout.take().expect("piped");
    let _agent = Agent(child);
    // It prints the socket's name once it listens there.
    let mut line = String::new();
    BufReader::new(announced)
        .read_line(&mut line)
        .expect("a line");
    assert!(line.contains("SSH_AUTH_SOCK"), "{line}");

    let key = pair().public_key();
    assert_eq!(agent::list("ssh-add", Some(&socket)), Ok(Vec::new()));
    let signer = AgentSigner::new(key, "ssh-keygen").with_socket(&socket);
    let fault = signer
        .sign(Namespace::Git, b"x")
        .expect_err("the agent is empty");
    assert!(fault.what.contains(&sshsig::fingerprint(&key)), "{fault}");

    place.keep("key", &pair().to_openssh("alice"), &key);
    place.run(
        "ssh-keygen",
        &["-q", "-t", "ecdsa", "-N", "", "-f", "other"],
        b"",
    );
    for name in ["other", "key"] {
        let mut add = place.command("ssh-add", &["-q", name]);
        let status = add
            .env("SSH_AUTH_SOCK", &socket)
            .status()
            .expect("ssh-add runs");
        assert!(status.success());
    }
    let listed = agent::list("ssh-add", Some(&socket)).expect("an agent");
    assert_eq!(listed, [(key, "alice".to_owned())]);
    let signature = signer
        .sign(Namespace::Git, b"x")
        .expect("the agent holds the key");
    assert_eq!(
        signature,
        pair().sign(Namespace::Git, b"x").expect("signed")
    );
    let big = vec![b'x'; 300_000];
    assert!(signer.sign(Namespace::Git, &big).is_ok());
}

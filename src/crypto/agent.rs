//! Signing through ssh-agent. The only file of `crypto` that starts a process.
//!
//! It runs `ssh-keygen -Y sign`, as git itself does: that speaks to every agent there is, and the
//! crates that would speak the agent's protocol here pull in `rsa` with its open advisory.

#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "the agent is found through the environment"
)]

use super::keyfile::{self, KeyFault};
use super::{Namespace, Sign, SignFault, Signature, sshsig};
use crate::model::{Code, PublicKey};
use std::ffi::{OsStr, OsString};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// The variable that names the agent's socket.
const SOCKET: &str = "SSH_AUTH_SOCK";

/// Signs with a key that an ssh-agent holds.
#[derive(Debug, Clone)]
pub struct AgentSigner {
    key: PublicKey,
    program: OsString,
    socket: Option<PathBuf>,
}

impl AgentSigner {
    /// A signer for `key`. `program` is `ssh-keygen` or what git's `gpg.ssh.program` names.
    pub fn new(key: PublicKey, program: impl Into<OsString>) -> Self {
        Self {
            key,
            program: program.into(),
            socket: None,
        }
    }

    /// The same, asking the agent at `socket` instead of the one in `SSH_AUTH_SOCK`.
    pub fn with_socket(mut self, socket: impl Into<PathBuf>) -> Self {
        self.socket = Some(socket.into());
        self
    }

    fn refused(&self, output: &Output) -> SignFault {
        let said = printable(&output.stderr);
        let fingerprint = sshsig::fingerprint(&self.key);
        let what = if self.socket.is_none() && std::env::var_os(SOCKET).is_none_or(|s| s.is_empty())
        {
            format!(
                "there is no ssh-agent: {SOCKET} is not set. Start one and `ssh-add` the key \
                 {fingerprint}, or name its file ({said})"
            )
        } else {
            format!(
                "the ssh-agent does not answer, does not hold the key {fingerprint}, or refused to \
                 sign with it; `ssh-add -l` lists what it holds ({said})"
            )
        };
        SignFault { what }
    }

    fn run(&self, namespace: Namespace, message: &[u8]) -> Result<Output, SignFault> {
        let fault = |doing: &str, error: std::io::Error| SignFault {
            what: format!("{doing}: {error}"),
        };
        // The file holds nothing secret; it goes away with the handle, after a crash with /tmp.
        let mut file = tempfile::NamedTempFile::new()
            .map_err(|error| fault("making a file for the public key", error))?;
        file.write_all(keyfile::public_line(&self.key, "").as_bytes())
            .map_err(|error| fault("writing the public key", error))?;
        let mut command = command(&self.program, self.socket.as_deref());
        command.args(["-Y", "sign", "-n", namespace.as_str(), "-f"]);
        command.arg(file.path()).stdin(Stdio::piped());
        let starting = format!("starting {}", self.program.to_string_lossy());
        let mut child = command.spawn().map_err(|error| fault(&starting, error))?;
        let mut input = child.stdin.take().expect("standard input is piped");
        let written = input.write_all(message);
        drop(input);
        let output = child.wait_with_output();
        let output = output.map_err(|error| fault("waiting for the signature", error))?;
        match written {
            // It may end without reading; then its own words say more.
            Err(error) if error.kind() != ErrorKind::BrokenPipe => {
                Err(fault("passing on what to sign", error))
            }
            _ => Ok(output),
        }
    }
}

impl Sign for AgentSigner {
    fn public_key(&self) -> PublicKey {
        self.key
    }

    fn sign(&self, namespace: Namespace, message: &[u8]) -> Result<Signature, SignFault> {
        let output = self.run(namespace, message)?;
        if !output.status.success() {
            return Err(self.refused(&output));
        }
        let text = String::from_utf8_lossy(&output.stdout).replace("\r\n", "\n");
        let armor = text.strip_suffix('\n').unwrap_or(&text);
        let fault = |error| SignFault {
            what: format!("the agent's answer is no signature: {error}"),
        };
        let (key, signature) = sshsig::dearmor(namespace, armor).map_err(fault)?;
        if key != self.key {
            let (wanted, found) = (sshsig::fingerprint(&self.key), sshsig::fingerprint(&key));
            let what = format!("expected a signature by {wanted}, found one by {found}");
            return Err(SignFault { what });
        }
        sshsig::verify(&key, namespace, message, &signature).map_err(fault)?;
        Ok(signature)
    }
}

/// A command with a fixed language, a piped output and the right agent.
fn command(program: &OsStr, socket: Option<&Path>) -> Command {
    let mut command = Command::new(program);
    command.env("LC_ALL", "C");
    if let Some(socket) = socket {
        command.env(SOCKET, socket);
    }
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    command.stderr(Stdio::piped());
    command
}

/// What a program said, on one line, without anything that a terminal would obey.
fn printable(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let line = text.trim().chars().take(400);
    line.map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// Lists the ed25519 keys that an agent holds with their comments, by `ssh-add -L`; keys of other
/// kinds are skipped. `socket` as in [`AgentSigner::with_socket`]. Comments are anybody's text:
/// escape them before showing them.
///
/// # Errors
///
/// `key-unusable` when the program cannot be started or there is no agent.
pub fn list(
    program: impl AsRef<OsStr>,
    socket: Option<&Path>,
) -> Result<Vec<(PublicKey, String)>, KeyFault> {
    let program = program.as_ref();
    let unusable = |what: String| KeyFault::new(Code::KeyUnusable, what);
    let output = command(program, socket).arg("-L").output();
    let output = output.map_err(|error| {
        let name = program.to_string_lossy();
        unusable(format!("starting {name}: {error}"))
    })?;
    // Status 1 is an agent without keys, 2 no agent.
    if !output.status.success() && output.status.code() != Some(1) {
        let said = printable(&output.stderr);
        return Err(unusable(format!(
            "expected an ssh-agent, found none ({said})"
        )));
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let keys = text.lines().filter_map(|line| {
        let key = keyfile::parse_public(line).ok()?;
        let comment = line.splitn(3, ' ').nth(2).unwrap_or_default();
        Some((key, comment.to_owned()))
    });
    Ok(keys.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_program_or_agent_the_words_say_so() {
        let dir = tempfile::tempdir().unwrap();
        let key = crate::crypto::keyfile::KeyPair::from_seed([1; 32]).public_key();
        let missing = dir.path().join("no-such-program");
        let fault = AgentSigner::new(key, &missing)
            .sign(Namespace::Git, b"x")
            .unwrap_err();
        assert!(fault.what.contains("no-such-program"), "{fault}");
        assert_eq!(list(&missing, None).unwrap_err().code, Code::KeyUnusable);
        let deaf = dir.path().join("no-socket");
        assert_eq!(
            list("ssh-add", Some(&deaf)).unwrap_err().code,
            Code::KeyUnusable
        );
        if Command::new("ssh-keygen").arg("-?").output().is_err() {
            // A machine without OpenSSH cannot be asked further.
            return;
        }
        let signer = AgentSigner::new(key, "ssh-keygen").with_socket(&deaf);
        let fault = signer.sign(Namespace::Git, b"x").unwrap_err();
        assert!(fault.what.contains("ssh-add -l"), "{fault}");
    }

    #[test]
    fn words_of_programs_are_harmless() {
        assert_eq!(printable(b"a\x1b[2Jb\r\nc\n"), "a [2Jb  c");
        assert_eq!(printable(&[b'x'; 5000]).len(), 400);
    }
}

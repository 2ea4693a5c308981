//! Which key signs: `--key` (or `FOLIO_KEY`), else git's own `user.signingKey`, else the key that
//! `folio key new` makes.

use super::args::Global;
use super::context::Context;
use super::error::Problem;
use super::keys;
use crate::crypto::agent::AgentSigner;
use crate::crypto::keyfile::{self, KEY_FILE};
use crate::crypto::{Sign, sshsig};
use crate::model::{Code, PublicKey};
use crate::store::user_config_value;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// Where a key is.
#[derive(Debug, Clone)]
pub enum Source {
    /// A private key file.
    File(PathBuf),
    /// A public key whose private half an agent holds.
    Agent(PublicKey),
}

/// Finds the key: the option, the environment, git's configuration, then Folio's own key file.
pub fn source(context: Option<&Context>, global: &Global) -> anyhow::Result<Source> {
    Ok(found(context, global)?.0)
}

/// As [`source`], with what named the key.
pub fn found(context: Option<&Context>, global: &Global) -> anyhow::Result<(Source, &'static str)> {
    if let Some(key) = &global.key {
        let from_env = std::env::var("FOLIO_KEY").is_ok_and(|value| value == *key);
        let why = if from_env { "FOLIO_KEY" } else { "--key" };
        return Ok((named(key, &global.dir())?, why));
    }
    let dir = context.map(|context| context.store.common_dir().to_owned());
    let configured = user_config_value(dir.as_deref(), "user.signingKey")?;
    let format = user_config_value(dir.as_deref(), "gpg.format")?;
    match configured {
        Some(key) if format.as_deref() == Some("ssh") => {
            Ok((named(&key, &global.dir())?, "git's user.signingKey"))
        }
        Some(_) => {
            let what = "git's user.signingKey is for another format: gpg.format is not `ssh`";
            Err(Problem::new(Code::KeyUnusable, what)
                .hint("git config gpg.format ssh, or --key FILE")
                .into())
        }
        None => own_file(),
    }
}

/// The key file that `folio key new` makes.
fn own_file() -> anyhow::Result<(Source, &'static str)> {
    if let Ok(path) = keys::default_file()
        && path.is_file()
    {
        return Ok((Source::File(path), "the default key file"));
    }
    let what = "no signing key: neither --key, FOLIO_KEY nor git's user.signingKey names one";
    Err(Problem::new(Code::KeyUnusable, what)
        .hint("`folio key new` makes one; `folio key list` shows what there is")
        .into())
}

/// A key as git writes it: a literal public key (agent), a `.pub` file (its private half beside it, else
/// the agent), or a private key file.
pub fn named(key: &str, dir: &Path) -> anyhow::Result<Source> {
    let literal = key.strip_prefix("key::").unwrap_or(key);
    if literal.starts_with("ssh-") || literal.starts_with("ecdsa-") || literal.starts_with("sk-") {
        return Ok(Source::Agent(keyfile::parse_public(literal)?));
    }
    let path = dir.join(expand_home(key));
    let text = read(&path)?;
    if text.starts_with("-----BEGIN") {
        return Ok(Source::File(path));
    }
    let public = keyfile::parse_public(&text)?;
    let private = path.with_extension("");
    if path.extension().is_some_and(|e| e == "pub") && private.is_file() {
        return Ok(Source::File(private));
    }
    Ok(Source::Agent(public))
}

/// A path with `~/` in front made whole.
pub fn expand_home(path: &str) -> PathBuf {
    match (path.strip_prefix("~/"), std::env::var_os("HOME")) {
        (Some(rest), Some(home)) => PathBuf::from(home).join(rest),
        _ => PathBuf::from(path),
    }
}

/// Reads a key file, at most 16 KiB of it.
pub fn read(path: &Path) -> anyhow::Result<Zeroizing<String>> {
    let fault =
        |what: String| Problem::new(Code::KeyUnusable, format!("{}: {what}", path.display()));
    let meta = std::fs::metadata(path).map_err(|error| fault(error.to_string()))?;
    if !meta.is_file() || meta.len() > KEY_FILE as u64 {
        return Err(fault(format!("expected a file of at most {KEY_FILE} bytes")).into());
    }
    let bytes = std::fs::read(path).map_err(|error| fault(error.to_string()))?;
    let text = String::from_utf8(bytes);
    Ok(Zeroizing::new(
        text.map_err(|_| fault("expected text".into()))?,
    ))
}

/// The public half of the key that would sign, without asking for a passphrase where that can be avoided.
pub fn public_key(context: Option<&Context>, global: &Global) -> anyhow::Result<PublicKey> {
    public_of(&source(context, global)?)
}

/// The public half of a key.
pub fn public_of(source: &Source) -> anyhow::Result<PublicKey> {
    let key = match source {
        Source::Agent(key) => *key,
        Source::File(path) => keys::in_file(path)?,
    };
    sshsig::check_key(&key)?;
    Ok(key)
}

/// The key that signs, unlocked.
pub fn signer(context: Option<&Context>, global: &Global) -> anyhow::Result<Box<dyn Sign>> {
    open(&source(context, global)?)
}

/// Unlocks a key.
pub fn open(source: &Source) -> anyhow::Result<Box<dyn Sign>> {
    match source {
        Source::Agent(key) => {
            // A program is run only where the user's own configuration names it: the repository may be
            // somebody else's.
            let program = user_config_value(None, "gpg.ssh.program")?;
            let program = program.unwrap_or_else(|| "ssh-keygen".into());
            Ok(Box::new(AgentSigner::new(*key, program)))
        }
        Source::File(path) => {
            let pair = keyfile::load(&read(path)?, |attempt| passphrase(path, attempt))?;
            Ok(Box::new(pair))
        }
    }
}

/// Asks for a passphrase: on the terminal, or through the program that `SSH_ASKPASS` names.
fn passphrase(path: &Path, attempt: u32) -> Option<Zeroizing<String>> {
    let again = if attempt > 1 { " (again)" } else { "" };
    let prompt = format!(
        "Passphrase for {}{again}: ",
        super::ui::escape(&path.display().to_string())
    );
    ask(&prompt)
}

/// Asks for a secret through the program that `SSH_ASKPASS` names, or on the terminal.
pub fn ask(prompt: &str) -> Option<Zeroizing<String>> {
    if let Some(answer) = askpass(prompt) {
        return answer;
    }
    rpassword::prompt_password(prompt).ok().map(Zeroizing::new)
}

/// Whether there is somebody to ask: a terminal, or a program as ssh would run it.
pub fn can_ask() -> bool {
    use std::io::IsTerminal as _;
    askpass_program().is_some() || std::io::stdin().is_terminal()
}

/// The program to ask, by ssh's own rules for when it is.
fn askpass_program() -> Option<std::ffi::OsString> {
    use std::io::IsTerminal as _;
    let program = std::env::var_os("SSH_ASKPASS").filter(|program| !program.is_empty())?;
    let require = std::env::var("SSH_ASKPASS_REQUIRE").unwrap_or_default();
    let wanted = match require.as_str() {
        "never" => false,
        "force" | "prefer" => true,
        _ => !std::io::stdin().is_terminal(),
    };
    wanted.then_some(program)
}

/// `None` where no program is to be asked.
fn askpass(prompt: &str) -> Option<Option<Zeroizing<String>>> {
    let program = askpass_program()?;
    let output = std::process::Command::new(program).arg(prompt).output();
    let answer = output.ok().filter(|output| output.status.success());
    Some(answer.and_then(|output| {
        let text = Zeroizing::new(String::from_utf8(output.stdout).ok()?);
        Some(Zeroizing::new(
            text.trim_end_matches(['\r', '\n']).to_owned(),
        ))
    }))
}

//! `folio key new`: make a signing key.

use super::args::Global;
use super::error::Problem;
use super::exit::Exit;
use super::keys;
use super::signing;
use super::ui::{Ui, escape};
use crate::crypto::keyfile::{self, KeyPair};
use crate::crypto::{Sign as _, sshsig};
use crate::model::Code;
use crate::store::user_config_value;
use serde::Serialize;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// Make a key
#[derive(Debug, clap::Args)]
#[command(
    after_help = "It asks for a passphrase on the terminal or through SSH_ASKPASS; an empty one means none."
)]
pub struct Arguments {
    /// Where to write it; the public half goes to FILE.pub [default: ~/.config/folio/key]
    file: Option<PathBuf>,
    /// A word about the key [default: git's user.email]
    #[arg(long)]
    comment: Option<String>,
    /// Do not protect it by a passphrase
    #[arg(long)]
    no_passphrase: bool,
}

#[derive(Serialize)]
struct Made {
    file: String,
    public: String,
    fingerprint: String,
}

/// Runs it.
pub fn run(arguments: &Arguments, global: &Global, ui: &Ui) -> anyhow::Result<Exit> {
    let file = match &arguments.file {
        Some(file) => global.dir().join(file),
        None => keys::default_file()?,
    };
    let public_file = public_file(&file);
    for path in [&file, &public_file] {
        require_absent(path)?;
    }
    let comment = match &arguments.comment {
        Some(comment) => comment.clone(),
        None => user_config_value(None, "user.email")?.unwrap_or_default(),
    };
    let passphrase = passphrase(arguments, &file)?;
    let pair = KeyPair::generate(random()?);
    let text = match passphrase {
        Some(words) => pair.to_openssh_encrypted(&comment, &words, *random()?)?,
        None => pair.to_openssh(&comment),
    };
    let line = keyfile::public_line(&pair.public_key(), &comment);
    write(&file, text.as_bytes(), 0o600)?;
    // A crash here leaves a key without its `.pub`; `folio key show FILE` prints that line.
    write(&public_file, line.as_bytes(), 0o644)?;
    show(ui, &file, &public_file, &pair, &line)
}

fn show(
    ui: &Ui,
    file: &Path,
    public_file: &Path,
    pair: &KeyPair,
    line: &str,
) -> anyhow::Result<Exit> {
    let shown = escape(&file.display().to_string());
    let fingerprint = sshsig::fingerprint(&pair.public_key());
    if ui.json() {
        let made = Made {
            file: file.display().to_string(),
            public: line.trim_end().to_owned(),
            fingerprint,
        };
        ui.answer("key-new", &made)?;
        return Ok(Exit::Done);
    }
    ui.say(format!("wrote {shown} and {shown}.pub ({fingerprint})"));
    ui.line(escape(line.trim_end()))?;
    let absolute = public_file.canonicalize();
    let absolute = absolute.unwrap_or_else(|_| public_file.to_owned());
    let public = escape(&absolute.display().to_string());
    ui.say(format!(
        "for git and folio alike: git config --global gpg.format ssh && git config --global user.signingKey '{public}'"
    ));
    Ok(Exit::Done)
}

/// FILE.pub, whatever else the name has at its end.
fn public_file(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".pub");
    name.into()
}

fn require_absent(path: &Path) -> anyhow::Result<()> {
    if path.symlink_metadata().is_err() {
        return Ok(());
    }
    let what = format!("{} is there already", path.display());
    Err(Problem::new(Code::Exists, what)
        .hint("folio key new FILE writes another one; a key is never overwritten")
        .into())
}

/// The words that protect the key, asked for twice; none where they are empty.
fn passphrase(arguments: &Arguments, file: &Path) -> anyhow::Result<Option<Zeroizing<String>>> {
    if arguments.no_passphrase {
        return Ok(None);
    }
    if !signing::can_ask() {
        let what = "there is no terminal and no SSH_ASKPASS to ask for a passphrase";
        return Err(Problem::new(Code::BadRequest, what)
            .hint("--no-passphrase makes a key without one")
            .into());
    }
    let shown = escape(&file.display().to_string());
    let ask = |prompt: String| {
        signing::ask(&prompt)
            .ok_or_else(|| Problem::new(Code::KeyUnusable, "no passphrase was given"))
    };
    let first = ask(format!(
        "Passphrase for the new key {shown} (empty for none): "
    ))?;
    let again = ask("The same passphrase again: ".into())?;
    if *first != *again {
        let what = "the two passphrases differ; no key was made";
        return Err(Problem::new(Code::BadRequest, what).into());
    }
    Ok((!first.is_empty()).then_some(first))
}

fn random<const N: usize>() -> anyhow::Result<Zeroizing<[u8; N]>> {
    let mut bytes = Zeroizing::new([0; N]);
    getrandom::fill(&mut *bytes).map_err(|error| Problem::new(Code::Io, error.to_string()))?;
    Ok(bytes)
}

/// Writes a new file whole, or not at all; nothing that is there is replaced.
fn write(path: &Path, bytes: &[u8], mode: u32) -> anyhow::Result<()> {
    let fault = |error: std::io::Error| {
        Problem::new(
            Code::Io,
            format!("cannot write {}: {error}", path.display()),
        )
    };
    let dir = match path.parent() {
        Some(dir) if !dir.as_os_str().is_empty() => dir,
        _ => Path::new("."),
    };
    std::fs::create_dir_all(dir).map_err(fault)?;
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        builder.permissions(std::fs::Permissions::from_mode(mode));
    }
    #[cfg(not(unix))]
    let _ = mode;
    let mut file = builder.tempfile_in(dir).map_err(fault)?;
    file.write_all(bytes).map_err(fault)?;
    file.as_file().sync_all().map_err(fault)?;
    file.persist_noclobber(path)
        .map_err(|error| fault(error.error))?;
    Ok(())
}

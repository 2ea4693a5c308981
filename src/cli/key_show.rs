//! `folio key show`: a public key, its fingerprint, and whose it is here.

use super::args::Global;
use super::context::{Context, view_of};
use super::exit::Exit;
use super::ui::{Style, Ui, escape};
use super::{keys, signing};
use crate::crypto::sshsig;
use crate::journal::Page;
use crate::model::PublicKey;
use serde::Serialize;

/// Show a public key, its fingerprint and whose it is
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// A key file, a .pub file or the key itself [default: the key that would sign here]
    #[arg(value_name = "FILE|KEY")]
    key: Option<String>,
}

#[derive(Serialize)]
struct Shown {
    public: String,
    fingerprint: String,
    member: Option<String>,
    status: Option<&'static str>,
}

/// Runs it.
pub fn run(arguments: &Arguments, global: &Global, ui: &Ui) -> anyhow::Result<Exit> {
    let context = Context::open(global).ok();
    let key = match &arguments.key {
        Some(words) => keys::public(words, &global.dir())?,
        None => signing::public_key(context.as_ref(), global)?,
    };
    let owner = owner(context.as_ref(), &key)?;
    let fingerprint = sshsig::fingerprint(&key);
    if ui.json() {
        let (member, status) = owner.unzip();
        let public = key.to_string();
        ui.answer(
            "key-show",
            &Shown {
                public,
                fingerprint,
                member,
                status,
            },
        )?;
        return Ok(Exit::Done);
    }
    ui.line(key.to_string())?;
    ui.line(ui.paint(Style::Id, &fingerprint))?;
    if let Some((member, status)) = owner {
        let member = ui.paint(Style::Bold, &escape(&member));
        ui.line(format!("{member} ({status})"))?;
    } else if context.is_some_and(|context| context.space().is_ok()) {
        ui.say("it is no member's here");
    }
    Ok(Exit::Done)
}

/// Whose a key is in the space we are in, if we are in one.
pub fn owner(
    context: Option<&Context>,
    key: &PublicKey,
) -> anyhow::Result<Option<(String, &'static str)>> {
    let Some(space) = context.and_then(|context| context.space().ok()) else {
        return Ok(None);
    };
    let page = Page::read(space.store, space.tip()?)?;
    keys::owner(&view_of(&space.tables, &page), key)
}

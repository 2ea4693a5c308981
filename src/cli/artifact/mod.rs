//! The actions of `folio artifact`, one file each, and what they share.

pub mod add;
pub mod cat;
pub mod decide;
pub mod dependents;
pub mod entries;
pub mod get;
pub mod keep;
pub mod key;
pub mod keys;
pub mod ls;
pub mod pour;
pub mod publish;
pub mod purge;
pub mod reasons;
pub mod restore;
pub mod stat;
pub mod tombstone;
pub mod verify;
pub mod why;
mod withdrawn;

use super::args::Global;
use super::context::Context;
use super::identity;
use crate::artifact::Imprint;
use crate::codec::commit::Ident;
use crate::model::SpaceId;

/// What the catalog of the internal shelf carries. It never leaves the repository, so it names nobody and is not
/// signed.
pub fn internal_imprint<'a>(space: SpaceId, global: &Global) -> anyhow::Result<Imprint<'a>> {
    let when = identity::when(global)?;
    let ident = Ident {
        name: "folio".to_owned(),
        email: "folio@localhost".to_owned(),
        seconds: when.seconds,
        zone: when.zone,
    };
    Ok(Imprint {
        space,
        ident,
        signer: None,
    })
}

/// The word for what an artifact is.
fn kind_word(manifest: bool) -> &'static str {
    match manifest {
        true => "manifest",
        false => "file",
    }
}

/// The space's repository; that it is a space is looked at first.
fn open(global: &Global) -> anyhow::Result<(Context, SpaceId)> {
    let context = Context::open(global)?;
    let space = context.space()?.id;
    Ok((context, space))
}

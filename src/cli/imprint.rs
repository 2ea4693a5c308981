//! Whose name the commits carry that say where artifacts are.

use super::args::Global;
use super::context::view_of;
use super::error::Problem;
use super::identity;
use crate::artifact::Imprint;
use crate::codec::commit::Ident;
use crate::crypto::Sign;
use crate::fold::Scene;
use crate::journal::{Page, Space};
use crate::model::rows::{KeyRow, MemberRow};
use crate::model::{Code, PublicKey, RowKey};
use crate::store::GitStore;

/// Of a member's key, under the address that it signs with.
pub fn of_key<'a>(
    space: &Space<'_, GitStore>,
    page: &Page,
    global: &Global,
    signer: Option<&'a dyn Sign>,
    key: &PublicKey,
) -> anyhow::Result<Imprint<'a>> {
    let view = view_of(&space.tables, page);
    let scene = Scene::new(&view);
    let row: Option<KeyRow> = scene.get(&RowKey::of(key))?;
    let row = row.ok_or_else(|| {
        let what = format!("no member ever had the key {key}");
        Problem::new(Code::NotAMember, what)
    })?;
    let member: Option<MemberRow> = scene.get(&RowKey::of(&row.member))?;
    // Whoever was removed has no name any more; the handle stands for it.
    let name = member.map_or(row.member.to_string(), |member| member.name.to_string());
    let when = identity::when(global)?;
    let ident = Ident {
        name,
        email: row.email.to_string(),
        seconds: when.seconds,
        zone: when.zone,
    };
    Ok(Imprint {
        space: space.id,
        ident,
        signer,
    })
}

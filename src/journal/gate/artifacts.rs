//! `refs/artifacts/...`: what is published moves by the hand that holds the pen; what is offered by its author,
//! and anybody deletes it once no proposal of that name waits.
//!
//! Contents are not hashed here: whoever reads an artifact verifies every byte of it by its key.

use super::Update;
use super::line::Line;
use crate::journal::fault::Fault;
use crate::journal::shelf::{Catalog, Published};
use crate::journal::{check, judge as judged, refs};
use crate::model::{Code, Handle, Oid, PublicKey, Slug};
use crate::store::Store;

pub(super) fn judge<S: Store + Clone + Send>(
    line: &Line<'_, '_, '_, S>,
    update: &Update,
    all: &[Update],
) -> Result<(), Fault> {
    match (update.name.as_str(), update.new) {
        (refs::CATALOG | refs::PUBLISHED, None) => {
            let what = "what is published is never deleted";
            Err(Fault::new(Code::RefProtected, what))
        }
        (refs::CATALOG, Some(new)) => catalog(line, new, all),
        (refs::PUBLISHED, Some(new)) => published(line, new, all),
        (name, new) => {
            let (author, slug) = refs::parse_offer(name)?;
            match new {
                Some(new) => offered(line, &author, name, new),
                None => removed(line, &author, &slug, all),
            }
        }
    }
}

/// Where a ref points once the push is through.
fn afterwards<S: Store>(
    line: &Line<'_, '_, '_, S>,
    name: &str,
    all: &[Update],
) -> Result<Option<Oid>, Fault> {
    match all.iter().find(|update| update.name == name) {
        Some(update) => Ok(update.new),
        None => Ok(line.space.store.get(name)?),
    }
}

/// Its sheets are judged with the blocks that stand on it: the two belong together.
fn catalog<S: Store + Clone + Send>(
    line: &Line<'_, '_, '_, S>,
    new: Oid,
    all: &[Update],
) -> Result<(), Fault> {
    let (store, space) = (line.space.store, &line.space.id);
    let catalog = Catalog::read(store, space, new)?;
    require_pen(line, catalog.key, &catalog.commit).map_err(|fault| fault.in_commit(new))?;
    let above = afterwards(line, refs::PUBLISHED, all)?;
    let above = above.map(|id| Published::read(store, space, id));
    match above.transpose()? {
        Some(above) if above.catalog == new => Ok(()),
        _ => Err(apart(refs::PUBLISHED, new)),
    }
}

fn published<S: Store + Clone + Send>(
    line: &Line<'_, '_, '_, S>,
    new: Oid,
    all: &[Update],
) -> Result<(), Fault> {
    let (store, space) = (line.space.store, &line.space.id);
    let published = Published::read(store, space, new)?;
    require_pen(line, published.key, &published.commit).map_err(|fault| fault.in_commit(new))?;
    if afterwards(line, refs::CATALOG, all)? != Some(published.catalog) {
        return Err(apart(refs::CATALOG, new));
    }
    let catalog = Catalog::read(store, space, published.catalog)?;
    published.check(store, &catalog, &known(line, refs::PUBLISHED)?)
}

fn apart(other: &str, commit: Oid) -> Fault {
    let what = format!(
        "it does not fit {other}; both go in one push: {} {}",
        refs::CATALOG,
        refs::PUBLISHED
    );
    Fault::new(Code::CatalogInvalid, what).in_commit(commit)
}

/// What was judged when it came; what cannot be read is not known.
fn known<S: Store>(line: &Line<'_, '_, '_, S>, name: &str) -> Result<Vec<(Oid, Oid)>, Fault> {
    let store = line.space.store;
    let old = store.get(name)?;
    let old = old.and_then(|id| Published::read(store, &line.space.id, id).ok());
    Ok(old.map_or(Vec::new(), |old| old.lists))
}

/// Signed by the key that holds the pen in the state of `main`, under its address.
fn require_pen<S: Store + Clone + Send>(
    line: &Line<'_, '_, '_, S>,
    key: Option<PublicKey>,
    commit: &crate::codec::commit::Commit,
) -> Result<(), Fault> {
    let view = line.view();
    let pen = check::pen_of(&view)?;
    let key = require_signed(key)?;
    if key != pen.key {
        let what = format!("`{}` holds the pen", pen.member);
        return Err(Fault::differs(Code::SignerWrong, &what, pen.key, key));
    }
    judged::require_address(&view, &key, commit)
}

fn require_signed(key: Option<PublicKey>) -> Result<PublicKey, Fault> {
    key.ok_or_else(|| {
        let what = "expected a signed commit, found one without a signature";
        Fault::new(Code::SignatureMissing, what)
    })
}

/// Signed by the author in its name, who is a member: both commits.
fn offered<S: Store + Clone + Send>(
    line: &Line<'_, '_, '_, S>,
    author: &Handle,
    name: &str,
    new: Oid,
) -> Result<(), Fault> {
    let (store, space) = (line.space.store, &line.space.id);
    let offered = Published::read(store, space, new)?;
    let catalog = Catalog::read(store, space, offered.catalog)?;
    for (id, key, commit) in [
        (new, offered.key, &offered.commit),
        (catalog.id, catalog.key, &catalog.commit),
    ] {
        require_signed(key)
            .and_then(|key| {
                line.member(&key, author)?;
                judged::require_address(&line.view(), &key, commit)
            })
            .map_err(|fault| fault.in_commit(id))?;
    }
    offered.check(store, &catalog, &known(line, name)?)
}

fn removed<S: Store>(
    line: &Line<'_, '_, '_, S>,
    author: &Handle,
    slug: &Slug,
    all: &[Update],
) -> Result<(), Fault> {
    match afterwards(line, &refs::proposal(author, slug), all)? {
        None => Ok(()),
        Some(_) => {
            let what = "its proposal still waits; its author may replace it";
            Err(Fault::new(Code::RefProtected, what))
        }
    }
}

//! Bringing what goes with proposals in the queue: the bytes that others offer.

use crate::cli::context::{Context, view_of};
use crate::cli::exchange::Remote;
use crate::cli::ui::Ui;
use crate::journal::reconcile::RefMap;
use crate::journal::{Fault, Page, Space, check, gate, refs};
use crate::model::{Oid, PublicKey};
use crate::remote::Transport;
use crate::store::{Expect, GitStore, RefEdit, Refs as _, StoreFault};

/// Offers that came.
#[derive(Debug, Default)]
pub struct Offers {
    /// Full names of those that are here now.
    pub taken: Vec<String>,
    /// Those that were not taken, with the reason.
    pub refused: Vec<(String, Fault)>,
}

/// Whether somebody with this key needs the offers of others: whoever numbers.
pub fn are_needed(
    context: &Context,
    space: &Space<'_, GitStore>,
    key: Option<PublicKey>,
) -> anyhow::Result<bool> {
    let page = Page::read(&context.store, space.tip()?)?;
    let pen = check::pen_of(&view_of(&space.tables, &page))?;
    Ok(key == Some(pen.key))
}

/// Brings the offers of the proposals that wait here. Each is judged as a server's hook judges it; whether the bytes
/// are what the proposal says is looked at before it is numbered.
///
/// # Errors
/// `remote-failed`; those of reading what is here.
pub fn bring(
    context: &Context,
    space: &Space<'_, GitStore>,
    remote: &Remote,
    there: &RefMap,
    ui: &Ui,
) -> anyhow::Result<Offers> {
    let store = &context.store;
    let mut wanted = Vec::new();
    for (name, new) in there {
        let Ok((author, slug)) = refs::parse_offer(name) else {
            continue;
        };
        let waits = store.get(&refs::proposal(&author, &slug))?.is_some();
        if waits && store.get(name)? != Some(*new) {
            wanted.push((name.clone(), local(remote, name)));
        }
    }
    let mut offers = Offers::default();
    if wanted.is_empty() {
        return Ok(offers);
    }
    let mut index = context.index()?;
    let history = context.history(space, &mut index, ui)?;
    let transport = remote.transport(context);
    for (name, local) in wanted {
        if let Err(fault) = fetch(&transport, &name, &local, ui) {
            offers.refused.push((name, fault.into()));
            continue;
        }
        let Some(new) = store.get(&local)? else {
            continue;
        };
        let old = store.get(&name)?;
        match gate::admit(space, &history, &name, old, new) {
            Ok(()) => {
                take(store, &name, &local, (old, Some(new)))?;
                offers.taken.push(name);
            }
            Err(fault) if fault.is_environment() => return Err(fault.into()),
            Err(fault) => {
                take(store, &name, &local, (old, old))?;
                offers.refused.push((name, fault));
            }
        }
    }
    Ok(offers)
}

fn local(remote: &Remote, name: &str) -> String {
    let rest = name.strip_prefix(refs::ARTIFACTS).unwrap_or(name);
    format!("{}{}/{rest}", refs::ELSEWHERE, remote.key)
}

fn fetch(transport: &Transport, name: &str, local: &str, ui: &Ui) -> Result<(), StoreFault> {
    let _waiting = ui.spinner("Fetching");
    transport.fetch(&[(name.to_owned(), local.to_owned())], None)?;
    Ok(())
}

/// Gives an offer its name here, where it has a new one, and drops the name under which it came.
fn take(
    store: &GitStore,
    name: &str,
    local: &str,
    (old, new): (Option<Oid>, Option<Oid>),
) -> Result<(), StoreFault> {
    let edit = |name: &str, expect, new| RefEdit {
        name: name.to_owned(),
        expect,
        new,
        message: "folio: an offer".into(),
    };
    let mut edits = vec![edit(local, Expect::Any, None)];
    if old != new {
        edits.push(edit(name, old.map_or(Expect::Absent, Expect::At), new));
    }
    store.apply(&edits)
}

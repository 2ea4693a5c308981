//! What is remembered of another repository, in local refs: what it showed when it was last looked at, and
//! which page home had.

use super::RefMap;
use crate::journal::fault::Fault;
use crate::journal::history::History;
use crate::journal::page::Page;
use crate::journal::refs;
use crate::model::{Number, Oid};
use crate::store::{Expect, RefEdit, Refs, Store};

const HEADS: &str = "refs/heads/";

/// Our own branches that travel.
pub fn ours<S: Refs>(store: &S) -> Result<RefMap, Fault> {
    let mut refs = RefMap::new();
    for prefix in [refs::PROPOSALS, refs::REVIEWS, refs::PENS] {
        refs.extend(store.list(prefix)?);
    }
    refs.extend(store.get(refs::MAIN)?.map(|id| (refs::MAIN.to_owned(), id)));
    Ok(refs)
}

/// What another repository showed when it was last looked at, by the names there.
pub fn seen<S: Refs>(store: &S, key: &str) -> Result<RefMap, Fault> {
    below(store, &format!("{}{key}/", refs::REMOTES))
}

/// What was brought from another repository, by the names there.
pub fn incoming<S: Refs>(store: &S, key: &str) -> Result<RefMap, Fault> {
    below(store, &format!("{}{key}/", refs::INCOMING))
}

fn below<S: Refs>(store: &S, prefix: &str) -> Result<RefMap, Fault> {
    let listed = store.list(prefix)?.into_iter();
    let back = |name: &str| format!("{HEADS}{}", &name[prefix.len()..]);
    Ok(listed.map(|(name, id)| (back(&name), id)).collect())
}

/// The local ref under which a branch of another repository is brought here.
pub fn incoming_ref(key: &str, name: &str) -> String {
    let rest = name.strip_prefix(HEADS).unwrap_or(name);
    format!("{}{key}/{rest}", refs::INCOMING)
}

fn seen_ref(key: &str, name: &str) -> String {
    let rest = name.strip_prefix(HEADS).unwrap_or(name);
    format!("{}{key}/{rest}", refs::REMOTES)
}

/// The changes that make `now` what was seen.
pub fn remember(key: &str, seen: &RefMap, now: &RefMap) -> Vec<RefEdit> {
    let mut edits = Vec::new();
    let mut edit = |name: &str, new: Option<Oid>| {
        edits.push(RefEdit {
            name: seen_ref(key, name),
            expect: Expect::Any,
            new,
            message: "folio: seen".into(),
        });
    };
    for (name, id) in now {
        if seen.get(name) != Some(id) {
            edit(name, Some(*id));
        }
    }
    for name in seen.keys().filter(|name| !now.contains_key(*name)) {
        edit(name, None);
    }
    edits
}

/// The newest number that home is known to have; 0 where it was never seen.
pub fn final_number<S: Store>(store: &S, history: &History<'_>) -> Result<Number, Fault> {
    let Some(home) = store.get(refs::HOME)? else {
        return Ok(Number(0));
    };
    let number = Page::read(store, home)?.number();
    match history.contains(number, &home) {
        true => Ok(number),
        // What home had was cut off by a person's own choice, or by hand: then nothing is known.
        false => Ok(Number(0)),
    }
}

/// The change that remembers a page of ours as one that home has; none where a newer one is known.
pub fn home_edit<S: Store>(
    store: &S,
    history: &History<'_>,
    main: Oid,
) -> Result<Option<RefEdit>, Fault> {
    let known = final_number(store, history)?;
    let number = Page::read(store, main)?.number();
    let newer = number > known && history.contains(number, &main);
    Ok(newer.then(|| RefEdit {
        name: refs::HOME.into(),
        expect: Expect::Any,
        new: Some(main),
        message: "folio: home has it".into(),
    }))
}

//! Proposals, reviews and heartbeats that another repository shows, merged into ours ref by ref. The base of
//! this three-way comparison is what that repository showed the last time; nothing is ever dropped because a
//! mirror hides it.

use super::RefMap;
use crate::journal::fault::Fault;
use crate::journal::page::read_commit;
use crate::journal::refs;
use crate::model::{Code, Oid};
use crate::store::{Expect, RefEdit, Store};
use std::collections::BTreeSet;

/// What one look at another repository's branches leads to.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Merged {
    /// Changes of our branches.
    pub edits: Vec<RefEdit>,
    /// Branches that were taken, new or replaced.
    pub taken: Vec<String>,
    /// Branches that cannot be taken yet, or never, with the reason. They are looked at again next time.
    pub waiting: Vec<(String, Fault)>,
    /// Branches where both sides changed and ours is the newer one.
    pub kept: Vec<String>,
    /// Branches where both sides changed and theirs is the newer one, and the local ref that keeps ours.
    pub replaced: Vec<(String, String)>,
}

/// What decides about one branch.
pub struct Rules<'a> {
    /// Whether what a ref would point to is what its name asks for.
    pub admit: &'a dyn Fn(&str, Oid) -> Result<(), Fault>,
    /// Whether a branch is settled: its proposal is numbered, and nobody needs the branch any more.
    pub settled: &'a dyn Fn(&str, Oid) -> Result<bool, Fault>,
}

/// Merges what is shown, given what was shown the last time and what is here.
pub fn merge<S: Store>(
    store: &S,
    ours: &RefMap,
    seen: &RefMap,
    shown: &RefMap,
    rules: &Rules<'_>,
) -> Result<Merged, Fault> {
    let mut merged = Merged::default();
    let names: BTreeSet<&String> = shown.keys().chain(seen.keys()).collect();
    for name in names {
        if name == refs::MAIN || !super::travels(name) {
            continue;
        }
        let (here, before, there) = (ours.get(name), seen.get(name), shown.get(name));
        match there {
            Some(new) if here != Some(new) && before != Some(new) => {
                take(
                    store,
                    name,
                    here.copied(),
                    before.copied(),
                    *new,
                    rules,
                    &mut merged,
                )?;
            }
            None if here.is_some() && here == before => {
                let old = *here.expect("just looked at");
                if (rules.settled)(name, old)? {
                    merged.edits.push(edit(name, Some(old), None));
                }
            }
            _ => {}
        }
    }
    Ok(merged)
}

fn take<S: Store>(
    store: &S,
    name: &str,
    here: Option<Oid>,
    before: Option<Oid>,
    new: Oid,
    rules: &Rules<'_>,
    merged: &mut Merged,
) -> Result<(), Fault> {
    match (rules.admit)(name, new) {
        Ok(()) => {}
        Err(fault) if fault.is_environment() => return Err(fault),
        // An older sign of life than ours.
        Err(fault) if fault.code == Code::HeartbeatInvalid && here.is_some() => {
            merged.kept.push(name.to_owned());
            return Ok(());
        }
        Err(fault) => {
            merged.waiting.push((name.to_owned(), fault));
            return Ok(());
        }
    }
    if (rules.settled)(name, new)? {
        return Ok(());
    }
    if let Some(old) = here
        && here != before
    {
        if !is_newer(store, &new, &old)? {
            merged.kept.push(name.to_owned());
            return Ok(());
        }
        // A clock decided, and clocks go wrong: what gives way keeps a name.
        let at = format!("{}{}", refs::REPLACED, old.short());
        merged.edits.push(RefEdit {
            expect: Expect::Any,
            ..edit(&at, None, Some(old))
        });
        merged.replaced.push((name.to_owned(), at));
    }
    merged.edits.push(edit(name, here, Some(new)));
    merged.taken.push(name.to_owned());
    Ok(())
}

fn edit(name: &str, old: Option<Oid>, new: Option<Oid>) -> RefEdit {
    RefEdit {
        name: name.to_owned(),
        expect: old.map_or(Expect::Absent, Expect::At),
        new,
        message: "folio: fetch".into(),
    }
}

/// Where both sides changed a branch of one author, somebody has to be first: the later date, then the larger
/// id. It is a courtesy; whichever it is, both are signed by that author, and the other one can be sent again.
fn is_newer<S: Store>(store: &S, new: &Oid, old: &Oid) -> Result<bool, Fault> {
    let of = |id: &Oid| Ok::<_, Fault>((read_commit(store, id)?.committer.seconds, *id));
    Ok(of(new)? > of(old)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ObjectFormat;
    use crate::store::{Kind, MemoryStore, Objects as _, Refs as _};

    fn id(byte: u8) -> Oid {
        Oid::from_bytes(&[byte; 20]).unwrap()
    }

    fn map(refs: &[(&str, u8)]) -> RefMap {
        let full = |name: &str| format!("refs/heads/proposals/{name}");
        refs.iter()
            .map(|(name, to)| (full(name), id(*to)))
            .collect()
    }

    fn merged(ours: &[(&str, u8)], seen: &[(&str, u8)], shown: &[(&str, u8)]) -> Merged {
        let store = MemoryStore::new(ObjectFormat::Sha1);
        assert!(store.list("refs/heads/").unwrap().is_empty());
        let rules = Rules {
            admit: &|name, _| match name.contains("mallory") {
                true => Err(Fault::new(Code::NotAMember, "nobody")),
                false => Ok(()),
            },
            settled: &|_, commit| Ok(commit == id(9)),
        };
        merge(&store, &map(ours), &map(seen), &map(shown), &rules).unwrap()
    }

    #[test]
    fn new_and_replaced_branches_are_taken() {
        let found = merged(
            &[("bob/b", 1)],
            &[("bob/b", 1)],
            &[("bob/b", 2), ("bob/c", 3)],
        );
        let names: Vec<_> = found
            .taken
            .iter()
            .map(|n| n.rsplit_once('/').unwrap().1)
            .collect();
        assert_eq!(names, ["b", "c"]);
        assert_eq!(found.edits[0].expect, Expect::At(id(1)));
        assert_eq!(found.edits[1].expect, Expect::Absent);
    }

    #[test]
    fn what_a_mirror_hides_stays_and_what_is_numbered_goes() {
        let found = merged(
            &[("bob/b", 1), ("bob/done", 9)],
            &[("bob/b", 1), ("bob/done", 9)],
            &[],
        );
        assert_eq!(found.edits.len(), 1);
        assert_eq!(found.edits[0].new, None);
        assert!(found.edits[0].name.ends_with("bob/done"));
    }

    #[test]
    fn what_was_removed_here_does_not_come_back_and_what_is_numbered_is_not_taken() {
        assert_eq!(
            merged(&[], &[("bob/b", 1)], &[("bob/b", 1)]),
            Merged::default()
        );
        assert_eq!(merged(&[], &[], &[("bob/b", 9)]), Merged::default());
    }

    #[test]
    fn what_its_name_does_not_allow_waits_with_a_reason() {
        let found = merged(&[], &[], &[("mallory/b", 1)]);
        assert!(found.edits.is_empty());
        assert_eq!(found.waiting[0].1.code, Code::NotAMember);
    }

    #[test]
    fn what_gives_way_to_a_newer_one_keeps_a_name() {
        let store = MemoryStore::new(ObjectFormat::Sha1);
        let commit = |seconds: u64| {
            let tree = store.id_of(Kind::Tree, b"");
            let text = format!(
                "tree {tree}\nauthor a <a@x> {seconds} +0000\ncommitter a <a@x> {seconds} +0000\n\nx\n"
            );
            let id = store.id_of(Kind::Commit, text.as_bytes());
            let object = (id, Kind::Commit, text.into_bytes());
            store.write_all(&[object]).unwrap();
            id
        };
        let (old, ours, theirs) = (commit(1), commit(2), commit(3));
        let name = "refs/heads/proposals/bob/b".to_owned();
        let at = |id: Oid| RefMap::from([(name.clone(), id)]);
        let rules = Rules {
            admit: &|_, _| Ok(()),
            settled: &|_, _| Ok(false),
        };
        let found = merge(&store, &at(ours), &at(old), &at(theirs), &rules).unwrap();
        let kept = format!("{}{}", refs::REPLACED, ours.short());
        assert_eq!(found.replaced, [(name.clone(), kept.clone())]);
        let edits: Vec<_> = found
            .edits
            .iter()
            .map(|e| (e.name.as_str(), e.new))
            .collect();
        assert_eq!(
            edits,
            [(kept.as_str(), Some(ours)), (name.as_str(), Some(theirs))]
        );
        let found = merge(&store, &at(theirs), &at(old), &at(ours), &rules).unwrap();
        assert_eq!((found.kept, found.edits.len()), (vec![name], 0));
    }

    #[test]
    fn only_refs_of_the_closed_list_travel() {
        for name in [
            "refs/heads/main",
            "refs/heads/proposals/a/b",
            "refs/heads/reviews/a/0123456789ab",
            "refs/heads/pen/wanda",
        ] {
            assert!(super::super::travels(name), "{name}");
        }
        for name in [
            "refs/heads/refs/heads/main",
            "refs/heads/proposals/a",
            "refs/heads/proposals/a/b/c",
            "refs/heads/proposals/A/b",
            "refs/heads/pen/a/b",
            "refs/heads/pen/",
            "refs/folio/pin",
            "refs/tags/v1",
            "refs/heads/other",
        ] {
            assert!(!super::super::travels(name), "{name}");
        }
    }
}

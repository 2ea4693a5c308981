//! What another repository lacks of ours, ref by ref.

use super::RefMap;
use crate::journal::fault::Fault;
use crate::journal::refs;
use crate::model::Oid;

/// One ref to change over there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Send {
    /// The full name.
    pub name: String,
    /// What it is now, there.
    pub old: Option<Oid>,
    /// What it is to be; `None` removes it.
    pub new: Option<Oid>,
}

/// What to change over there, and what not to touch.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outgoing {
    /// The changes.
    pub send: Vec<Send>,
    /// Branches that changed on both sides since we last looked: fetching comes first.
    pub held: Vec<String>,
}

/// What decides about one branch.
pub struct Rules<'a> {
    /// Whether it is to be sent at all.
    pub wanted: &'a dyn Fn(&str) -> bool,
    /// Whether a branch is settled: its proposal is numbered on the `main` that is sent or is there.
    pub settled: &'a dyn Fn(&str, Oid) -> Result<bool, Fault>,
}

/// The branches to send, `main` left out: what is ours and what the other side does not have, or has as it was
/// when we last looked. What both sides changed is held back.
pub fn branches(
    ours: &RefMap,
    seen: &RefMap,
    there: &RefMap,
    rules: &Rules<'_>,
) -> Result<Outgoing, Fault> {
    let mut out = Outgoing::default();
    for (name, new) in ours {
        let (old, before) = (there.get(name).copied(), seen.get(name).copied());
        let sent = name != refs::MAIN && super::travels(name) && (rules.wanted)(name);
        // What only they changed comes with the next fetch.
        if !sent || old == Some(*new) || old.is_some() && before == Some(*new) {
            continue;
        }
        if (rules.settled)(name, *new)? {
            continue;
        }
        match old.is_none() || old == before {
            true => out.send.push(Send {
                name: name.clone(),
                old,
                new: Some(*new),
            }),
            false => out.held.push(name.clone()),
        }
    }
    for (name, old) in there {
        let gone = name != refs::MAIN && super::travels(name) && !ours.contains_key(name);
        if gone && (rules.wanted)(name) && (rules.settled)(name, *old)? {
            out.send.push(Send {
                name: name.clone(),
                old: Some(*old),
                new: None,
            });
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(byte: u8) -> Oid {
        Oid::from_bytes(&[byte; 20]).unwrap()
    }

    fn map(refs: &[(&str, u8)]) -> RefMap {
        let full = |name: &str| format!("refs/heads/proposals/{name}");
        refs.iter()
            .map(|(name, to)| (full(name), id(*to)))
            .collect()
    }

    fn sent(
        ours: &[(&str, u8)],
        seen: &[(&str, u8)],
        there: &[(&str, u8)],
    ) -> Vec<(String, Option<u8>)> {
        let sent = outgoing(ours, seen, there);
        let short = |name: &str| {
            name.strip_prefix("refs/heads/proposals/")
                .unwrap()
                .to_owned()
        };
        sent.send
            .into_iter()
            .map(|send| (short(&send.name), send.new.map(|id| id.as_bytes()[0])))
            .collect()
    }

    fn outgoing(ours: &[(&str, u8)], seen: &[(&str, u8)], there: &[(&str, u8)]) -> Outgoing {
        let rules = Rules {
            wanted: &|name| !name.contains("/carol/"),
            settled: &|_, commit| Ok(commit == id(9)),
        };
        branches(&map(ours), &map(seen), &map(there), &rules).unwrap()
    }

    #[test]
    fn what_is_new_or_replaced_here_is_sent() {
        let ours = [
            ("bob/new", 1),
            ("bob/re", 2),
            ("bob/same", 3),
            ("carol/x", 4),
        ];
        let there = [("bob/re", 1), ("bob/same", 3)];
        let found = sent(&ours, &[("bob/re", 1)], &there);
        assert_eq!(
            found,
            [("bob/new".into(), Some(1)), ("bob/re".into(), Some(2))]
        );
    }

    #[test]
    fn what_both_changed_waits_for_a_fetch_and_what_is_numbered_is_removed() {
        let both = outgoing(&[("bob/b", 2)], &[("bob/b", 1)], &[("bob/b", 3)]);
        assert_eq!((both.send.len(), both.held.len()), (0, 1));
        let theirs = outgoing(&[("bob/b", 1)], &[("bob/b", 1)], &[("bob/b", 3)]);
        assert_eq!(theirs, Outgoing::default(), "only they changed it");
        assert_eq!(sent(&[("bob/b", 9)], &[], &[]), []);
        assert_eq!(sent(&[], &[], &[("bob/b", 9)]), [("bob/b".into(), None)]);
        assert_eq!(sent(&[], &[], &[("bob/b", 1)]), [], "somebody else's");
    }
}

//! Names that look like others. A warning for reviewers and never a rule: what looks alike depends on fonts,
//! and on a table that grows with every version of Unicode.

mod looks;

use super::entity;
use crate::fold::{Decision, Family, Scene, Stop};
use crate::model::{Name, Oid, RowKey, Table};
use crate::state::{StateFault, Tables};
use crate::store::Objects;
use looks::shape;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use unicode_security::MixedScript as _;

/// Rows that are compared one by one. Beyond that only look-alikes in another alphabet are found, by asking
/// for them.
pub const ROWS: usize = 20_000;

/// Tables whose keys hold names, the most likely first. Those by target hold both sides.
const TABLES: &[(Table, bool)] = &[
    (Table::AliasesByTarget, true),
    (Table::Edges, true),
    (Table::MergesByTarget, true),
    (Table::Pins, false),
    (Table::ForksByOrigin, true),
    (Table::Overlays, false),
    (Table::Distinct, true),
];

/// The table of handles.
const MEMBERS: &[(Table, bool)] = &[(Table::Members, false)];

/// Alphabets that share shapes: Latin, Greek, Cyrillic. What is written in one is looked up in the others.
const ALPHABETS: &[(u32, u32)] = &[(0x61, 0x7a), (0x41, 0x5a), (0x370, 0x3ff), (0x400, 0x52f)];

/// Two names that look alike.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Pair {
    /// The name that the proposal introduces.
    pub name: String,
    /// What it looks like.
    pub like: String,
    /// `state` or `proposal`: where that is.
    #[serde(rename = "in")]
    pub place: &'static str,
}

/// What was found, and whether all of the state was compared.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Lookalikes {
    /// Pairs of names, sorted.
    pub pairs: Vec<Pair>,
    /// New names that mix scripts, sorted.
    pub mixed: Vec<String>,
    /// Whether the state had more rows than are compared.
    pub bounded: bool,
}

/// Looks at the names that decisions introduce: at each other, and at those of a state, of which it compares
/// at most so many rows one by one.
pub fn find<S: Objects>(
    tables: &Tables<'_, S>,
    root: Oid,
    scene: &Scene<'_>,
    decisions: &[Decision],
    most: usize,
) -> anyhow::Result<Lookalikes> {
    let mut found = Lookalikes::default();
    let names = introduced(scene, decisions)?;
    found.mixed = names
        .iter()
        .filter(|name| !name.as_str().is_single_script())
        .cloned()
        .collect();
    let shapes = by_shape(&names);
    for alike in shapes.values() {
        for pair in alike.windows(2) {
            found.pairs.push(Pair {
                name: pair[1].clone(),
                like: pair[0].clone(),
                place: "proposal",
            });
        }
    }
    let mut pairs = in_other_alphabets(scene, &names)?;
    found.bounded = compare(tables, root, TABLES, &shapes, most, &mut pairs)?;
    let handles = handles(decisions);
    let shapes = by_shape(&handles);
    found.bounded |= compare(tables, root, MEMBERS, &shapes, most, &mut pairs)?;
    found.pairs.extend(pairs);
    found.pairs.sort();
    Ok(found)
}

/// Names by what they look like.
type Shapes<'n> = BTreeMap<String, Vec<&'n String>>;

fn by_shape(names: &BTreeSet<String>) -> Shapes<'_> {
    let mut shapes = Shapes::new();
    for name in names {
        shapes.entry(shape(name)).or_default().push(name);
    }
    shapes
}

/// The names that decisions mention and no row does.
fn introduced(scene: &Scene<'_>, decisions: &[Decision]) -> anyhow::Result<BTreeSet<String>> {
    let mut names = BTreeSet::new();
    for decision in decisions {
        if decision.family() == Family::Charter {
            continue;
        }
        let value = serde_json::to_value(decision)?;
        for field in ["alias", "target", "a", "b", "from", "into", "name", "of"] {
            if let Some(name) = value[field].as_str() {
                names.insert(name.to_owned());
            }
        }
    }
    let mut new = BTreeSet::new();
    for name in names {
        if !exists(scene, &name)? {
            new.insert(name);
        }
    }
    Ok(new)
}

fn exists(scene: &Scene<'_>, name: &str) -> Result<bool, Stop> {
    match Name::new(name) {
        Ok(name) => match entity::facts(scene, &name) {
            Ok(facts) => Ok(!facts.is_empty()),
            // So many rows mention it that they cannot be read at once.
            Err(Stop::Refused(_)) => Ok(true),
            Err(broken) => Err(broken),
        },
        Err(_) => Ok(false),
    }
}

/// Asks for each name as it would be written in another alphabet: a few look-ups, however large the state is.
fn in_other_alphabets(scene: &Scene<'_>, names: &BTreeSet<String>) -> Result<BTreeSet<Pair>, Stop> {
    let mut pairs = BTreeSet::new();
    for (first, last) in ALPHABETS {
        let alphabet = (*first..=*last).filter_map(char::from_u32);
        let alphabet = alphabet.map(|c| (shape(c.encode_utf8(&mut [0; 4])), c));
        let alphabet: BTreeMap<String, char> = alphabet.rev().collect();
        for name in names {
            let twin = |c: char| match (*first..=*last).contains(&(c as u32)) {
                true => c,
                false => {
                    let twin = alphabet.get(&shape(c.encode_utf8(&mut [0; 4])));
                    twin.copied().unwrap_or(c)
                }
            };
            let like: String = name.chars().map(twin).collect();
            if like != *name && shape(&like) == shape(name) && exists(scene, &like)? {
                let (name, place) = (name.clone(), "state");
                pairs.insert(Pair { name, like, place });
            }
        }
    }
    Ok(pairs)
}

/// Compares with the names in the rows of some tables until there were enough of them; whether there are more.
fn compare<S: Objects>(
    tables: &Tables<'_, S>,
    root: Oid,
    among: &[(Table, bool)],
    shapes: &Shapes<'_>,
    most: usize,
    pairs: &mut BTreeSet<Pair>,
) -> Result<bool, StateFault> {
    if shapes.is_empty() {
        return Ok(false);
    }
    let mut left = most;
    for (table, both) in among {
        let flow = tables.iter(Some(root), *table, |key: &RowKey, _| {
            if left == 0 {
                return ControlFlow::Break(());
            }
            left -= 1;
            alike(shapes, key.subject(), pairs);
            if *both {
                alike(shapes, key.detail(), pairs);
            }
            ControlFlow::Continue(())
        })?;
        if flow.is_break() {
            return Ok(true);
        }
    }
    Ok(false)
}

fn alike(shapes: &Shapes<'_>, name: &str, pairs: &mut BTreeSet<Pair>) {
    for new in shapes.get(&shape(name)).into_iter().flatten() {
        if *new != name {
            pairs.insert(Pair {
                name: (*new).clone(),
                like: name.to_owned(),
                place: "state",
            });
        }
    }
}

/// The handles that decisions give to new members: names of another kind, which only look like each other.
fn handles(decisions: &[Decision]) -> BTreeSet<String> {
    let handles = decisions.iter().filter_map(|decision| match decision {
        Decision::MemberAdd(member) => Some(member.handle.to_string()),
        _ => None,
    });
    handles.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ObjectFormat;
    use crate::model::rows::{AliasRow, AliasTargetRow};
    use crate::state::TreeView;
    use crate::store::MemoryStore;

    #[test]
    fn shapes_tell_look_alikes_and_nothing_else() {
        // Cyrillic К and а; rn and m; a Greek omicron.
        for (a, b) in [
            ("Kyiv", "\u{41a}yiv"),
            ("modern", "modem"),
            ("o", "\u{3bf}"),
        ] {
            assert_eq!(shape(a), shape(b), "{a} {b}");
        }
        assert_ne!(shape("Kyiv"), shape("Kiev"));
        assert!(!"Kyiv\u{430}".is_single_script());
        assert!("Київ-2".is_single_script() && "東京タワー".is_single_script());
    }

    #[test]
    fn a_large_state_is_compared_in_part_and_asked_for_other_alphabets() {
        let store = MemoryStore::new(ObjectFormat::Sha1);
        let tables = Tables::new(&store);
        let empty = crate::fold::MemoryView::default();
        let mut state = Scene::new(&empty);
        let mut add = |alias: String| {
            let (alias, target) = (Name::new(alias).unwrap(), Name::new("x").unwrap());
            state.put(&AliasTargetRow {
                alias: alias.clone(),
                target: target.clone(),
            });
            state.put(&AliasRow { alias, target });
        };
        (0..30).for_each(|n| add(format!("n{n}")));
        add("Kyiv".into());
        let root = tables.edit(None, &state.finish().unwrap()).unwrap();
        let view = TreeView::new(&tables, Some(root));
        let line = "{\"alias\":\"\u{41a}yiv\",\"op\":\"alias.set\",\"target\":\"x\"}";
        let decisions = [Decision::parse(line).unwrap()];
        for (most, bounded) in [(0, true), (10, true), (100, false)] {
            let found = find(&tables, root, &Scene::new(&view), &decisions, most).unwrap();
            assert_eq!(found.bounded, bounded, "{most}");
            let likes: Vec<&str> = found.pairs.iter().map(|pair| pair.like.as_str()).collect();
            assert_eq!(likes, ["Kyiv"], "{most}");
        }
    }

    #[test]
    fn look_alikes_are_of_the_version_that_names_are_of() {
        assert_eq!(unicode_security::UNICODE_VERSION, (18, 0, 0));
    }
}

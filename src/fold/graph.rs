//! Names as a graph: alias chains, redirects, groups, and the paths that explain them.

use super::refusal::Stop;
use super::scene::Scene;
use crate::model::rows::{AliasRow, AliasTargetRow, EdgeRow, MergeRow, MergeTargetRow, PinRow};
use crate::model::{Code, Name, RowKey, Table, limits};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Why one name leads to the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Via {
    /// `alias.set`
    Alias,
    /// `merge`
    Redirect,
    /// `bind`
    Edge,
}

/// One step of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Where it starts.
    pub from: Name,
    /// Where it leads.
    pub to: Name,
    /// By what. A redirect may be walked in either direction.
    pub via: Via,
}

/// What a name stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolved {
    /// The alias and redirect steps.
    pub steps: Vec<Step>,
    /// Where they end.
    pub entity: Name,
    /// The representative of that entity's group.
    pub representative: Name,
    /// Whether any row mentions the name.
    pub known: bool,
}

/// An equivalence group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Every name in it, sorted: ends of edges and redirects.
    pub members: BTreeSet<Name>,
    /// The smallest pinned member that is not redirected, else the smallest that is not.
    pub representative: Name,
}

fn key(name: &Name) -> RowKey {
    RowKey::of(name)
}

/// The words for a path, as refusals show it.
pub fn path_words(start: &Name, steps: &[Step]) -> String {
    let mut words = format!("`{start}`");
    for step in steps {
        let arrow = match step.via {
            Via::Alias => "-alias->",
            Via::Redirect => "-merge->",
            Via::Edge => "-bind-",
        };
        words.push_str(&format!(" {arrow} `{}`", step.to));
    }
    words
}

fn alias_step(scene: &Scene<'_>, name: &Name) -> Result<Option<Step>, Stop> {
    let row: Option<AliasRow> = scene.get(&key(name))?;
    Ok(row.map(|row| Step {
        from: row.alias,
        to: row.target,
        via: Via::Alias,
    }))
}

fn redirect_step(scene: &Scene<'_>, name: &Name) -> Result<Option<Step>, Stop> {
    let row: Option<MergeRow> = scene.get(&key(name))?;
    Ok(row.map(|row| Step {
        from: row.from,
        to: row.into,
        via: Via::Redirect,
    }))
}

type Next = fn(&Scene<'_>, &Name) -> Result<Option<Step>, Stop>;

/// Follows steps to their end. Rules keep chains acyclic and at most 16 long, so a longer one means that
/// the state was not made by them.
fn follow(scene: &Scene<'_>, start: &Name, next: Next) -> Result<Vec<Step>, Stop> {
    let mut steps: Vec<Step> = Vec::new();
    while let Some(step) = next(scene, steps.last().map_or(start, |step| &step.to))? {
        if steps.len() == limits::CHAIN {
            let what = format!(
                "a chain of more than {} links starts at `{start}`",
                limits::CHAIN
            );
            return Stop::refuse(Code::ChainTooLong, what);
        }
        steps.push(step);
    }
    Ok(steps)
}

/// The alias steps from a name to what is no alias.
pub fn alias_chain(scene: &Scene<'_>, name: &Name) -> Result<Vec<Step>, Stop> {
    follow(scene, name, alias_step)
}

/// The redirect steps from an entity to one that was not merged away.
pub fn redirect_chain(scene: &Scene<'_>, name: &Name) -> Result<Vec<Step>, Stop> {
    follow(scene, name, redirect_step)
}

/// How many links lead to a name at most, looking no further than the limit on chains.
pub fn depth_above(scene: &Scene<'_>, name: &Name, via: Via) -> Result<usize, Stop> {
    let mut level = BTreeSet::from([name.clone()]);
    let mut seen = 0;
    for depth in 0..=limits::CHAIN {
        let mut above = BTreeSet::new();
        for name in &level {
            if via == Via::Alias {
                let rows: Vec<AliasTargetRow> = scene.list(name.as_str())?;
                above.extend(rows.into_iter().map(|row| row.alias));
            } else {
                let rows: Vec<MergeTargetRow> = scene.list(name.as_str())?;
                above.extend(rows.into_iter().map(|row| row.from));
            }
        }
        seen += above.len();
        if seen > limits::SUBJECT_ROWS {
            let what = format!("more than {} names lead to `{name}`", limits::SUBJECT_ROWS);
            return Stop::refuse(Code::SubjectTooLarge, what);
        }
        if above.is_empty() {
            return Ok(depth);
        }
        level = above;
    }
    Ok(limits::CHAIN + 1)
}

/// Refuses a chain of aliases or redirects that would have too many links.
pub fn require_short_chain(links: usize) -> Result<(), Stop> {
    if links > limits::CHAIN {
        let what = format!(
            "expected a chain of at most {} links, found {links}",
            limits::CHAIN
        );
        return Stop::refuse(Code::ChainTooLong, what);
    }
    Ok(())
}

fn neighbours(scene: &Scene<'_>, name: &Name) -> Result<Vec<(Name, Via)>, Stop> {
    let edges: Vec<EdgeRow> = scene.list(name.as_str())?;
    let mut found: Vec<_> = edges.into_iter().map(|row| (row.b, Via::Edge)).collect();
    let away = redirect_step(scene, name)?;
    found.extend(away.map(|step| (step.to, Via::Redirect)));
    let towards: Vec<MergeTargetRow> = scene.list(name.as_str())?;
    found.extend(towards.into_iter().map(|row| (row.from, Via::Redirect)));
    found.sort();
    Ok(found)
}

/// Breadth first from a name: every name that can be reached, with the step that reached it first.
fn reach(
    scene: &Scene<'_>,
    start: &Name,
    until: Option<&Name>,
) -> Result<BTreeMap<Name, Option<Step>>, Stop> {
    let mut reached = BTreeMap::from([(start.clone(), None)]);
    let mut queue = VecDeque::from([start.clone()]);
    while let Some(from) = queue.pop_front() {
        if until == Some(&from) {
            break;
        }
        for (to, via) in neighbours(scene, &from)? {
            if reached.contains_key(&to) {
                continue;
            }
            if reached.len() == limits::GROUP {
                let what = format!(
                    "the group of `{start}` would have more than {} members",
                    limits::GROUP
                );
                return Stop::refuse(Code::GroupTooLarge, what);
            }
            let from = from.clone();
            queue.push_back(to.clone());
            reached.insert(to.clone(), Some(Step { from, to, via }));
        }
    }
    Ok(reached)
}

/// The names that edges and redirects connect with this one, itself included.
pub fn component(scene: &Scene<'_>, start: &Name) -> Result<BTreeSet<Name>, Stop> {
    Ok(reach(scene, start, None)?.into_keys().collect())
}

/// The shortest path of edges and redirects between two entities; the first in the order of names
/// among equals.
pub fn path(scene: &Scene<'_>, from: &Name, to: &Name) -> Result<Option<Vec<Step>>, Stop> {
    let reached = reach(scene, from, Some(to))?;
    if !reached.contains_key(to) {
        return Ok(None);
    }
    let mut steps = Vec::new();
    let mut at = to;
    while let Some(Some(step)) = reached.get(at) {
        steps.push(step.clone());
        at = &step.from;
    }
    steps.reverse();
    Ok(Some(steps))
}

/// The group of an entity.
pub fn group(scene: &Scene<'_>, entity: &Name) -> Result<Group, Stop> {
    let members = component(scene, entity)?;
    let mut smallest = None;
    let mut pinned = None;
    for name in &members {
        if scene.has::<MergeRow>(&key(name))? {
            continue;
        }
        smallest = smallest.or(Some(name));
        if scene.has::<PinRow>(&key(name))? {
            pinned = Some(name);
            break;
        }
    }
    // Redirects have no cycles, so some member is not redirected.
    let representative = pinned.or(smallest).unwrap_or(entity).clone();
    Ok(Group {
        members,
        representative,
    })
}

/// What a name stands for: alias steps, then redirects, then the group's representative.
pub fn resolve(scene: &Scene<'_>, name: &Name) -> Result<Resolved, Stop> {
    let mut steps = alias_chain(scene, name)?;
    let entity = steps.last().map_or(name, |step| &step.to).clone();
    steps.extend(redirect_chain(scene, &entity)?);
    let entity = steps.last().map_or(name, |step| &step.to).clone();
    let known = !steps.is_empty()
        || treated_as_entity(scene, name)?.is_some()
        || scene.any(Table::ForksByOrigin, name.as_str())?;
    let representative = group(scene, &entity)?.representative;
    Ok(Resolved {
        steps,
        entity,
        representative,
        known,
    })
}

/// Tables whose rows of a subject treat that subject as an entity of its own. Lineage is none of them: it
/// says what a fork came from then, and must not let whoever forks a name decide about that name.
const ENTITY_TABLES: &[Table] = &[
    Table::AliasesByTarget,
    Table::Edges,
    Table::Distinct,
    Table::Merges,
    Table::MergesByTarget,
    Table::Pins,
    Table::Forks,
    Table::Overlays,
];

/// The first table, if any, with a row that treats the name as an entity of its own.
pub fn treated_as_entity(scene: &Scene<'_>, name: &Name) -> Result<Option<Table>, Stop> {
    for table in ENTITY_TABLES {
        if scene.any(*table, name.as_str())? {
            return Ok(Some(*table));
        }
    }
    Ok(None)
}

/// Refuses a name that is an alias where a decision is about entities.
pub fn require_entity(scene: &Scene<'_>, name: &Name) -> Result<(), Stop> {
    match alias_step(scene, name)? {
        None => Ok(()),
        Some(step) => {
            let what = format!(
                "`{name}` is an alias of `{}`; name the entity itself",
                step.to
            );
            Stop::refuse(Code::IsAlias, what)
        }
    }
}

/// Refuses a group that is too large or in which two members were declared distinct. Called after the
/// change that joined it.
pub fn require_sound_group(scene: &Scene<'_>, member: &Name) -> Result<(), Stop> {
    use crate::model::rows::DistinctRow;
    let members = component(scene, member)?;
    for name in &members {
        let apart: Vec<DistinctRow> = scene.list(name.as_str())?;
        if let Some(row) = apart.iter().find(|row| members.contains(&row.b)) {
            let steps = path(scene, &row.a, &row.b)?.unwrap_or_default();
            let what = format!(
                "`{}` and `{}` were declared distinct, and this would connect them: {}",
                row.a,
                row.b,
                path_words(&row.a, &steps)
            );
            return Stop::refuse(Code::Distinct, what);
        }
    }
    Ok(())
}

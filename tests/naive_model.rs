//! The rules of names, a second time: plain sets, everything worked out anew at each step. Written from
//! what `folio help decisions` says, not from the rules' code; the two must agree on random logs.

mod common;

#[path = "naive_model/artifacts.rs"]
mod artifacts;

use common::moves::{self, Move, NAMES};
use folio::fold::kind::Place;
use folio::fold::{Decision, MemoryView, Scene, View, apply, graph};
use folio::model::{ChainDigest, Code, Name, ProposalDigest, PublicKey};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

type Pair = (String, String);

fn pair(a: &Name, b: &Name) -> Pair {
    let (a, b) = (a.to_string(), b.to_string());
    if a < b { (a, b) } else { (b, a) }
}

/// Everything that was decided, as sets.
#[derive(Debug, Clone, Default, PartialEq)]
struct Model {
    aliases: BTreeMap<String, String>,
    edges: BTreeSet<Pair>,
    distinct: BTreeSet<Pair>,
    redirects: BTreeMap<String, String>,
    pins: BTreeSet<String>,
    forks: BTreeMap<String, Pair>,
}

/// Whether following a map from a name comes back to it.
fn cycles(map: &BTreeMap<String, String>, start: &str) -> bool {
    let mut at = start;
    for _ in 0..=map.len() {
        match map.get(at) {
            Some(next) if next == start => return true,
            Some(next) => at = next,
            None => return false,
        }
    }
    true
}

fn end<'m>(map: &'m BTreeMap<String, String>, start: &'m str) -> &'m str {
    let mut at = start;
    while let Some(next) = map.get(at) {
        at = next;
    }
    at
}

impl Model {
    fn group(&self, start: &str) -> BTreeSet<String> {
        let mut group = BTreeSet::from([start.to_owned()]);
        loop {
            let edges = self.edges.iter().map(|(a, b)| (a, b));
            let mut more: Vec<String> = Vec::new();
            for (a, b) in edges.chain(&self.redirects) {
                if group.contains(a) != group.contains(b) {
                    more.extend([a.clone(), b.clone()]);
                }
            }
            if more.is_empty() {
                return group;
            }
            group.extend(more);
        }
    }

    fn representative(&self, name: &str) -> String {
        let group = self.group(name);
        let standing: Vec<&String> = group
            .iter()
            .filter(|n| !self.redirects.contains_key(*n))
            .collect();
        let pinned = standing.iter().find(|n| self.pins.contains(**n));
        (*pinned
            .or(standing.first())
            .expect("redirects have no cycles"))
        .clone()
    }

    fn resolve(&self, name: &str) -> String {
        self.representative(end(&self.redirects, end(&self.aliases, name)))
    }

    fn is_alias(&self, name: &str) -> bool {
        self.aliases.contains_key(name)
    }

    /// Something is decided about the name itself.
    fn is_entity(&self, name: &str) -> bool {
        let in_pair = |(a, b): &Pair| a == name || b == name;
        self.aliases.values().any(|target| target == name)
            || self.edges.iter().any(in_pair)
            || self.distinct.iter().any(in_pair)
            || self.redirects.iter().any(|(a, b)| a == name || b == name)
            || self.pins.contains(name)
            || self.forks.contains_key(name)
    }

    /// Lineage mentions a name and decides nothing about it.
    fn is_origin(&self, name: &str) -> bool {
        self.forks.values().any(|(of, _)| of == name)
    }

    fn has_conflict(&self) -> bool {
        self.distinct.iter().any(|(a, b)| self.group(a).contains(b))
    }

    /// Applies one decision, or says every reason there is against it.
    fn apply(&mut self, decision: &Decision, misled: bool) -> Result<(), BTreeSet<Code>> {
        let before = self.clone();
        let mut against = BTreeSet::new();
        self.judge(decision, misled, &mut against);
        if against.is_empty() {
            return Ok(());
        }
        *self = before;
        Err(against)
    }

    fn judge(&mut self, decision: &Decision, misled: bool, against: &mut BTreeSet<Code>) {
        let mut unless = |fine: bool, code: Code| {
            if !fine {
                against.insert(code);
            }
        };
        match decision {
            Decision::AliasSet(d) => {
                let (alias, target) = (d.alias.to_string(), d.target.to_string());
                unless(alias != target, Code::SelfReference);
                let old = self.aliases.insert(alias.clone(), target.clone());
                if old.as_ref() == Some(&target) {
                    return;
                }
                unless(!misled || old.is_none(), Code::Stale);
                self.aliases.remove(&alias);
                unless(old.is_some() || !self.is_entity(&alias), Code::IsEntity);
                self.aliases.insert(alias.clone(), target);
                unless(!cycles(&self.aliases, &alias), Code::AliasCycle);
            }
            Decision::AliasDrop(d) => {
                let gone = self.aliases.remove(d.alias.as_str());
                unless(!misled || gone.is_none(), Code::Stale);
            }
            Decision::Bind(d) => {
                unless(d.a != d.b, Code::SelfReference);
                if self.edges.insert(pair(&d.a, &d.b)) {
                    unless(
                        !self.is_alias(d.a.as_str()) && !self.is_alias(d.b.as_str()),
                        Code::IsAlias,
                    );
                    unless(!self.has_conflict(), Code::Distinct);
                }
            }
            Decision::Unbind(d) => {
                unless(d.a != d.b, Code::SelfReference);
                let gone = self.edges.remove(&pair(&d.a, &d.b));
                unless(!misled || !gone, Code::Stale);
            }
            Decision::Distinct(d) => {
                unless(d.a != d.b, Code::SelfReference);
                if self.distinct.contains(&pair(&d.a, &d.b)) {
                    return;
                }
                unless(
                    !self.is_alias(d.a.as_str()) && !self.is_alias(d.b.as_str()),
                    Code::IsAlias,
                );
                for (x, y) in &d.cut {
                    unless(self.edges.remove(&pair(x, y)), Code::NoSuchEdge);
                }
                unless(
                    !self.group(d.a.as_str()).contains(d.b.as_str()),
                    Code::Connected,
                );
                self.distinct.insert(pair(&d.a, &d.b));
            }
            Decision::DistinctDrop(d) => {
                unless(d.a != d.b, Code::SelfReference);
                let gone = self.distinct.remove(&pair(&d.a, &d.b));
                unless(!misled || !gone, Code::Stale);
            }
            Decision::Merge(d) => {
                let (from, into) = (d.from.to_string(), d.into.to_string());
                unless(from != into, Code::SelfReference);
                if self.redirects.get(&from) == Some(&into) {
                    return;
                }
                unless(
                    !self.is_alias(&from) && !self.is_alias(&into),
                    Code::IsAlias,
                );
                unless(!misled, Code::Stale);
                self.redirects.insert(from.clone(), into);
                let cyclic = cycles(&self.redirects, &from);
                unless(!cyclic, Code::MergeCycle);
                unless(cyclic || !self.has_conflict(), Code::Distinct);
            }
            Decision::Unmerge(d) => {
                let gone = self.redirects.remove(d.from.as_str());
                unless(!misled || gone.is_none(), Code::Stale);
            }
            Decision::Fork(d) => {
                let (new, of) = (d.name.to_string(), d.of.to_string());
                unless(new != of, Code::SelfReference);
                let row = (of.clone(), d.resolved.to_string());
                if self.forks.get(&new) == Some(&row) {
                    return;
                }
                let in_use = self.is_alias(&new) || self.is_entity(&new) || self.is_origin(&new);
                unless(!in_use, Code::Exists);
                unless(!self.is_alias(&of), Code::IsAlias);
                unless(!misled, Code::Stale);
                self.forks.insert(new, row);
            }
            Decision::Pin(d) => {
                if self.pins.insert(d.name.to_string()) {
                    unless(!self.is_alias(d.name.as_str()), Code::IsAlias);
                }
            }
            Decision::Unpin(d) => {
                let gone = self.pins.remove(d.name.as_str());
                unless(!misled || !gone, Code::Stale);
            }
            other => unreachable!("no move makes `{}` here", other.op()),
        }
    }
}

fn step(view: &mut MemoryView, decision: &Decision, index: u64) -> Result<(), Code> {
    let mut scene = Scene::new(view);
    let place = Place {
        proposal: ProposalDigest([0; 32]),
        index,
        author: PublicKey([0; 32]),
        after: ChainDigest([0; 32]),
    };
    apply::step(&mut scene, decision, place).map_err(|stop| stop.code())?;
    let edits = scene.finish().map_err(|stop| stop.code())?;
    view.apply(edits);
    Ok(())
}

/// Runs a log on both; how many of its decisions were accepted, and every code that was met.
fn compare(log: &[Move]) -> (usize, BTreeSet<Code>) {
    let (mut view, mut model) = (MemoryView::default(), Model::default());
    let (mut accepted, mut met) = (0, BTreeSet::new());
    for (index, step_of_log) in log.iter().enumerate() {
        let decision = step_of_log.draft(&view);
        let words = format!("{index}: {} on {model:?}", decision.to_line());
        let by_fold = step(&mut view, &decision, index as u64);
        match (by_fold, model.apply(&decision, step_of_log.blind)) {
            (Ok(()), Ok(())) => accepted += 1,
            (Err(code), Err(against)) => {
                assert!(
                    against.contains(&code),
                    "{words}: {code}, the model says {against:?}"
                );
                met.insert(code);
            }
            (fold, model) => panic!("{words}: the fold says {fold:?}, the model {model:?}"),
        }
        let scene = Scene::new(&view as &dyn View);
        for text in NAMES {
            let name = Name::new(text).unwrap();
            let resolved = graph::resolve(&scene, &name).unwrap();
            assert_eq!(
                resolved.representative.as_str(),
                model.resolve(text),
                "{words}: {text}"
            );
            let group = graph::group(&scene, &name).unwrap();
            let members: BTreeSet<String> = group.members.iter().map(Name::to_string).collect();
            assert_eq!(members, model.group(text), "{words}: {text}");
            assert_eq!(
                group.representative.as_str(),
                model.representative(text),
                "{words}: {text}"
            );
            let known = model.is_alias(text) || model.is_entity(text) || model.is_origin(text);
            assert_eq!(resolved.known, known, "{words}: {text}");
        }
    }
    (accepted, met)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 20, failure_persistence: None, ..Default::default() })]

    #[test]
    fn the_fold_agrees_with_plain_sets(log in moves::log(moves::RULES_OF_NAMES, 200..300)) {
        let (accepted, _) = compare(&log);
        prop_assert!(accepted * 4 > log.len(), "{} of {}", accepted, log.len());
    }
}

/// A long walk that is the same every time meets every refusal that the rules of names have.
#[test]
fn a_long_log_meets_every_refusal() {
    let mut met = BTreeSet::new();
    let mut bytes = blake3::Hasher::new().update(b"a long log").finalize_xof();
    for round in 0..12 {
        // A name that is bound or pinned is no alias any more, so some logs are about aliases only.
        let kinds = if round % 3 == 0 {
            2
        } else {
            moves::RULES_OF_NAMES
        };
        let mut log = Vec::new();
        for _ in 0..250 {
            let mut raw = [0; 5];
            bytes.fill(&mut raw);
            let name = |byte: u8| usize::from(byte) % 8;
            log.push(Move {
                kind: raw[0] % kinds,
                a: name(raw[1]),
                b: name(raw[2]),
                c: name(raw[3]),
                blind: raw[4] < 20,
            });
        }
        met.extend(compare(&log).1);
    }
    let all = [
        Code::SelfReference,
        Code::Stale,
        Code::IsEntity,
        Code::AliasCycle,
        Code::IsAlias,
        Code::Distinct,
        Code::Connected,
        Code::NoSuchEdge,
        Code::MergeCycle,
        Code::Exists,
    ];
    for code in all {
        assert!(met.contains(&code), "{code} was never met: {met:?}");
    }
}

//! What is decided: aliases as a register of works would have them, one decision after another.

use crate::common::rng::Rng;
use folio::fold::Decision;
use folio::fold::rules::{AliasDrop, AliasSet, Bind};
use folio::model::Name;
use std::collections::BTreeSet;

/// Words of several scripts, in normal form; names differ near their end only.
const WORDS: [&str; 8] = [
    "encyclopaedia",
    "Österreich/Straßenverzeichnis",
    "naïve-Façade",
    "Ελληνικά/Ονόματα",
    "Библиотека/Каталог",
    "東京都/図書館",
    "한국어/도서관",
    "العربية/مكتبة",
];

/// So many aliases share a target.
const SHARED: usize = 8;

/// What becomes of each alias, and what comes next.
pub struct Script {
    rng: Rng,
    /// The target of each alias; none where it was dropped.
    targets: Vec<Option<usize>>,
    /// Pairs of entities that were bound.
    bound: usize,
    /// Aliases that a proposal on the same snapshot is about already.
    busy: BTreeSet<usize>,
}

impl Script {
    pub fn new(seed: u64) -> Self {
        Self {
            rng: Rng::new(seed),
            targets: Vec::new(),
            bound: 0,
            busy: BTreeSet::new(),
        }
    }

    /// Another snapshot is stood on: everything may be decided about again.
    pub fn next_base(&mut self) {
        self.busy.clear();
    }

    /// A new alias.
    pub fn add(&mut self) -> Decision {
        let at = self.targets.len();
        let target = self.rng.below(at / SHARED + 1);
        self.targets.push(Some(target));
        self.busy.insert(at);
        Decision::AliasSet(AliasSet {
            alias: alias(at),
            target: entity(target),
            was: None,
        })
    }

    /// One decision of daily use: most add an alias, others move or drop one, or bind two entities.
    pub fn next(&mut self) -> Decision {
        let (kind, at) = (
            self.rng.below(20),
            self.rng.below(self.targets.len().max(1)),
        );
        let pairs = self.targets.len() / SHARED / 2;
        if kind < 2 && self.bound < pairs {
            let pair = self.bound;
            self.bound += 1;
            return Decision::Bind(Bind {
                a: entity(2 * pair),
                b: entity(2 * pair + 1),
            });
        }
        let there = self.targets.get(at).is_some_and(Option::is_some);
        if kind >= 8 || !there || !self.busy.insert(at) {
            return self.add();
        }
        if kind < 3 {
            self.targets[at] = None;
            return Decision::AliasDrop(AliasDrop {
                alias: alias(at),
                was: None,
            });
        }
        let target = self.rng.below(self.targets.len() / SHARED + 1);
        self.targets[at] = Some(target);
        Decision::AliasSet(AliasSet {
            alias: alias(at),
            target: entity(target),
            was: None,
        })
    }

    /// Some alias that is there, and what it stands for.
    pub fn some_alias(&self) -> Option<(Name, Name)> {
        let at = self.targets.iter().rposition(Option::is_some)?;
        Some((alias(at), entity(self.targets[at]?)))
    }
}

fn alias(at: usize) -> Name {
    let word = WORDS[at % WORDS.len()];
    name(format!("registry.example.org/names/{word}/{at:08}"))
}

fn entity(at: usize) -> Name {
    let word = WORDS[at % WORDS.len()];
    name(format!("registry.example.org/works/{word}/{at:08}"))
}

fn name(text: String) -> Name {
    Name::new(text).expect("plain words in normal form")
}

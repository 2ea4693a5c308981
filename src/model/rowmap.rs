//! Rows of one table, or changes to them, found without comparing names.
//!
//! Names begin alike, so that a sorted map of many spends its time on what all of them have in common. Here a row is
//! found by the hash of its subject, seeded anew for each map against names that were chosen to collide; the rows of one
//! subject lie together, sorted. What is walked over comes in the order in which subjects came first, so that the same
//! calls walk alike wherever and whenever they are made.

use super::RowKey;
use foldhash::fast::RandomState;
use indexmap::IndexMap;
use indexmap::map::Entry;
use std::borrow::Borrow;
use std::cmp::Ordering;
use std::collections::{BTreeMap, btree_map};
use std::hash::{Hash, Hasher};

/// Something for each of some rows of a table.
#[derive(Debug, Clone)]
pub struct RowMap<T> {
    /// Most tables of most proposals have none, and cost little to make and to move.
    subjects: Option<Box<Subjects<T>>>,
    len: usize,
}

/// Rows that are put one by one without a word before.
const FEW: usize = 64;

type Subjects<T> = IndexMap<Subject, Rows<T>, RandomState>;

/// The key of some row, as far as its subject goes.
#[derive(Debug, Clone)]
struct Subject(RowKey);

/// The rows of one subject, at least one.
#[derive(Debug, Clone)]
enum Rows<T> {
    /// The one whose key stands for the subject.
    One(T),
    /// Or any number, that key's among them or not.
    Many(BTreeMap<OfSubject, T>),
}

/// The key of a row among those of its subject, which need not be compared.
#[derive(Debug, Clone)]
struct OfSubject(RowKey);

impl Borrow<str> for OfSubject {
    fn borrow(&self) -> &str {
        self.0.detail()
    }
}

impl Ord for OfSubject {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.detail().cmp(other.0.detail())
    }
}

impl PartialOrd for OfSubject {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for OfSubject {
    fn eq(&self, other: &Self) -> bool {
        self.0.detail() == other.0.detail()
    }
}

impl Eq for OfSubject {}

impl Borrow<str> for Subject {
    fn borrow(&self) -> &str {
        self.0.subject()
    }
}

impl Hash for Subject {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.subject().hash(state);
    }
}

impl PartialEq for Subject {
    fn eq(&self, other: &Self) -> bool {
        self.0.subject() == other.0.subject()
    }
}

impl Eq for Subject {}

impl<T> Default for RowMap<T> {
    fn default() -> Self {
        Self {
            subjects: None,
            len: 0,
        }
    }
}

/// The same rows, in whatever order they came.
impl<T: PartialEq> PartialEq for RowMap<T> {
    fn eq(&self, other: &Self) -> bool {
        let same = |(key, one): (&RowKey, &T)| other.get(key) == Some(one);
        self.len == other.len && self.iter().all(same)
    }
}

impl<T: Eq> Eq for RowMap<T> {}

impl<T> RowMap<T> {
    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Makes room for so many more, where they are many: room for a few is found as they come.
    pub fn reserve(&mut self, more: usize) {
        if more > FEW {
            self.subjects.get_or_insert_default().reserve(more);
        }
    }

    /// What there is for a row.
    pub fn get(&self, key: &RowKey) -> Option<&T> {
        match self.subjects.as_ref()?.get_key_value(key.subject())? {
            (first, Rows::One(one)) => (first.0.detail() == key.detail()).then_some(one),
            (_, Rows::Many(rows)) => rows.get(key.detail()),
        }
    }

    /// Puts something for a row: what there was before.
    pub fn insert(&mut self, key: RowKey, new: T) -> Option<T> {
        let subjects = self.subjects.get_or_insert_default();
        let before = match subjects.entry(Subject(key.clone())) {
            Entry::Vacant(none) => {
                none.insert(Rows::One(new));
                None
            }
            Entry::Occupied(mut some) => {
                let first = some.key().0.clone();
                match some.get_mut() {
                    Rows::One(one) if first.detail() == key.detail() => {
                        Some(std::mem::replace(one, new))
                    }
                    Rows::One(_) => {
                        let many = BTreeMap::from([(OfSubject(key), new)]);
                        if let Rows::One(one) = some.insert(Rows::Many(many))
                            && let Rows::Many(many) = some.get_mut()
                        {
                            many.insert(OfSubject(first), one);
                        }
                        None
                    }
                    Rows::Many(rows) => rows.insert(OfSubject(key), new),
                }
            }
        };
        self.len += usize::from(before.is_none());
        before
    }

    /// Removes what there is for a row.
    pub fn remove(&mut self, key: &RowKey) -> Option<T> {
        let subjects = self.subjects.as_mut()?;
        let (at, first, rows) = subjects.get_full_mut(key.subject())?;
        let removed = match rows {
            Rows::Many(rows) if rows.len() > 1 => rows.remove(key.detail()),
            Rows::Many(rows) if !rows.contains_key(key.detail()) => None,
            Rows::One(_) if first.0.detail() != key.detail() => None,
            _ => match subjects.swap_remove_index(at)?.1 {
                Rows::One(one) => Some(one),
                Rows::Many(rows) => rows.into_values().next(),
            },
        };
        self.len -= usize::from(removed.is_some());
        removed
    }

    /// The rows of a subject, sorted.
    pub fn of_subject(&self, subject: &str) -> impl Iterator<Item = (&RowKey, &T)> {
        let subjects = self.subjects.as_ref();
        let found = subjects.and_then(|subjects| subjects.get_key_value(subject));
        found.into_iter().flat_map(|(first, rows)| rows.iter(first))
    }

    /// Every row, in no order that means anything.
    pub fn iter(&self) -> impl Iterator<Item = (&RowKey, &T)> {
        let all = self.subjects.iter().flat_map(|subjects| subjects.iter());
        all.flat_map(|(first, rows)| rows.iter(first))
    }
}

impl<T> RowMap<Option<T>> {
    /// Those that are something.
    pub fn flatten(self) -> RowMap<T> {
        let mut len = 0;
        let some = |(subject, rows): (Subject, Rows<Option<T>>)| {
            let rows = match rows {
                Rows::One(one) => Rows::One(one?),
                Rows::Many(many) => {
                    let some = many.into_iter().filter_map(|(key, one)| Some((key, one?)));
                    let some: BTreeMap<_, _> = some.collect();
                    if some.is_empty() {
                        return None;
                    }
                    Rows::Many(some)
                }
            };
            len += rows.len();
            Some((subject, rows))
        };
        let subjects = self.subjects.map(|subjects| {
            let mut all = Subjects::with_capacity_and_hasher(subjects.len(), Default::default());
            all.extend(subjects.into_iter().filter_map(some));
            Box::new(all)
        });
        RowMap { subjects, len }
    }
}

impl<T> Rows<T> {
    fn len(&self) -> usize {
        match self {
            Rows::One(_) => 1,
            Rows::Many(rows) => rows.len(),
        }
    }

    fn iter<'r>(&'r self, first: &'r Subject) -> impl Iterator<Item = (&'r RowKey, &'r T)> {
        let (one, many) = match self {
            Rows::One(one) => (Some((&first.0, one)), None),
            Rows::Many(rows) => (None, Some(rows.iter())),
        };
        let many = many.into_iter().flatten();
        one.into_iter().chain(many.map(|(key, row)| (&key.0, row)))
    }
}

impl<T> IntoIterator for RowMap<T> {
    type Item = (RowKey, T);
    type IntoIter = IntoRows<T>;

    fn into_iter(self) -> IntoRows<T> {
        let subjects = self.subjects.unwrap_or_default();
        IntoRows {
            subjects: subjects.into_iter(),
            of_one: None,
        }
    }
}

/// Hands every row over, in no order that means anything.
#[derive(Debug)]
pub struct IntoRows<T> {
    subjects: indexmap::map::IntoIter<Subject, Rows<T>>,
    /// What is left of the last subject.
    of_one: Option<btree_map::IntoIter<OfSubject, T>>,
}

impl<T> Iterator for IntoRows<T> {
    type Item = (RowKey, T);

    fn next(&mut self) -> Option<(RowKey, T)> {
        loop {
            if let Some((key, row)) = self.of_one.as_mut().and_then(Iterator::next) {
                return Some((key.0, row));
            }
            match self.subjects.next()? {
                (Subject(key), Rows::One(one)) => return Some((key, one)),
                (_, Rows::Many(rows)) => self.of_one = Some(rows.into_iter()),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Few names, so that subjects gain and lose rows, their first one too.
        #[test]
        fn it_holds_what_a_sorted_map_holds(
            steps in prop::collection::vec((0..3usize, 0..4usize, prop::option::of(0..9u8)), 0..60),
        ) {
            let (mut map, mut model) = (RowMap::default(), BTreeMap::new());
            for (subject, detail, put) in steps {
                let subject = ["a", "ab", "b"][subject];
                let key = RowKey::pair(subject, ["", "b", "c", "cc"][detail]);
                match put {
                    Some(new) => prop_assert_eq!(map.insert(key.clone(), new), model.insert(key.clone(), new)),
                    None => prop_assert_eq!(map.remove(&key), model.remove(&key)),
                }
                prop_assert_eq!(map.get(&key), model.get(&key));
                prop_assert_eq!((map.len(), map.is_empty()), (model.len(), model.is_empty()));
                let all: BTreeMap<&RowKey, &u8> = map.iter().collect();
                prop_assert!(all.into_iter().eq(&model));
                let own = model.iter().filter(|(key, _)| key.subject() == subject);
                prop_assert!(map.of_subject(subject).eq(own));
            }
            let mut again = RowMap::default();
            for (key, one) in model.iter().rev() {
                again.insert(key.clone(), *one);
            }
            prop_assert_eq!(&map, &again);
            if let Some((key, one)) = model.last_key_value() {
                again.insert(key.clone(), *one + 1);
                prop_assert_ne!(&map, &again);
            }
            let all: BTreeMap<RowKey, u8> = map.into_iter().collect();
            prop_assert_eq!(&all, &model);
            // Of some that are nothing, what is something.
            let odd = |one: u8| (one % 2 == 1).then_some(one);
            let mut some = RowMap::default();
            for (key, one) in &model {
                some.insert(key.clone(), odd(*one));
            }
            let some = some.flatten();
            model.retain(|_, one| odd(*one).is_some());
            prop_assert_eq!(some.len(), model.len());
            prop_assert!(model.iter().all(|(key, one)| some.get(key) == Some(one)));
            let all: BTreeMap<RowKey, u8> = some.into_iter().collect();
            prop_assert_eq!(all, model);
        }
    }
}

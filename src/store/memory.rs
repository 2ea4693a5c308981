//! Objects and refs that live and die with the process.

use super::{Kind, Objects, RefEdit, Refs, StoreFault, check_expectation, check_header};
use super::{git, missing};
use crate::model::{Code, ObjectFormat, Oid};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard};

/// A store in memory, for tests and for trying something out. Ids are git's; clones share it.
#[derive(Debug, Clone)]
pub struct MemoryStore {
    format: ObjectFormat,
    held: Arc<Mutex<Held>>,
}

#[derive(Debug, Default, Clone)]
struct Held {
    objects: HashMap<Oid, (Kind, Arc<[u8]>)>,
    refs: BTreeMap<String, Oid>,
}

impl MemoryStore {
    /// An empty store.
    pub fn new(format: ObjectFormat) -> Self {
        let held = Arc::default();
        Self { format, held }
    }

    /// How many objects it holds.
    pub fn object_count(&self) -> usize {
        self.held().objects.len()
    }

    /// A store with the same contents, which shares nothing with this one from here on.
    #[must_use]
    pub fn copy(&self) -> Self {
        let held = Arc::new(Mutex::new(self.held().clone()));
        Self { held, ..*self }
    }

    /// Takes over every object of another store, as a transport that is not picky.
    pub fn take_objects(&self, from: &Self) {
        if Arc::ptr_eq(&self.held, &from.held) {
            return;
        }
        let brought = from.held().objects.clone();
        self.held().objects.extend(brought);
    }

    /// Every commit in it, reachable or not, sorted by id.
    pub fn commits(&self) -> Vec<(Oid, Arc<[u8]>)> {
        let held = self.held();
        let commits = held
            .objects
            .iter()
            .filter(|(_, (kind, _))| *kind == Kind::Commit);
        let mut commits: Vec<_> = commits.map(|(id, (_, b))| (*id, b.clone())).collect();
        commits.sort_by_key(|(id, _)| *id);
        commits
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held
            .lock()
            .expect("nothing panics while it holds this lock")
    }
}

impl Objects for MemoryStore {
    fn format(&self) -> ObjectFormat {
        self.format
    }

    fn read(&self, id: &Oid, kind: Kind, max: u64) -> Result<Vec<u8>, StoreFault> {
        let (found, bytes) = {
            let held = self.held();
            held.objects.get(id).ok_or_else(|| missing(id))?.clone()
        };
        check_header(id, (found, bytes.len() as u64), kind, max)?;
        Ok(bytes.to_vec())
    }

    fn header(&self, id: &Oid) -> Result<Option<(Kind, u64)>, StoreFault> {
        let held = self.held();
        Ok(held
            .objects
            .get(id)
            .map(|(kind, bytes)| (*kind, bytes.len() as u64)))
    }

    fn is_known(&self, id: &Oid) -> bool {
        self.held().objects.contains_key(id)
    }

    fn id_of(&self, kind: Kind, bytes: &[u8]) -> Oid {
        git::object_id(self.format, kind, bytes)
    }

    fn write_all(&self, objects: &[(Oid, Kind, Vec<u8>)]) -> Result<(), StoreFault> {
        let mut held = self.held();
        for (id, kind, bytes) in objects {
            debug_assert_eq!(*id, self.id_of(*kind, bytes));
            held.objects
                .entry(*id)
                .or_insert_with(|| (*kind, bytes.as_slice().into()));
        }
        Ok(())
    }
}

impl Refs for MemoryStore {
    fn get(&self, name: &str) -> Result<Option<Oid>, StoreFault> {
        Ok(self.held().refs.get(name).copied())
    }

    fn list(&self, prefix: &str) -> Result<Vec<(String, Oid)>, StoreFault> {
        let held = self.held();
        let from = held.refs.range(prefix.to_owned()..);
        let below = from.take_while(|(name, _)| name.starts_with(prefix));
        Ok(below.map(|(name, id)| (name.clone(), *id)).collect())
    }

    fn apply(&self, edits: &[RefEdit]) -> Result<(), StoreFault> {
        let mut held = self.held();
        for edit in edits {
            let found = held.refs.get(&edit.name).copied();
            check_expectation(edit, found)?;
            if let (None, Some(_)) = (found, edit.new) {
                refuse_conflicts(&held.refs, &edit.name)?;
            }
        }
        for edit in edits {
            match edit.new {
                Some(new) => held.refs.insert(edit.name.clone(), new),
                None => held.refs.remove(&edit.name),
            };
        }
        Ok(())
    }
}

/// As with files, a ref cannot be a directory of refs too.
fn refuse_conflicts(refs: &BTreeMap<String, Oid>, name: &str) -> Result<(), StoreFault> {
    let below = |long: &str, short: &str| {
        long.strip_prefix(short)
            .is_some_and(|rest| rest.starts_with('/'))
    };
    let other = refs
        .keys()
        .find(|other| below(name, other) || below(other, name));
    let Some(other) = other else { return Ok(()) };
    let what = format!("`{name}` and `{other}` cannot both exist");
    Err(StoreFault::new(Code::RefInvalid, what))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Expect;

    fn edit(name: &str, expect: Expect, new: Option<Oid>) -> RefEdit {
        RefEdit {
            name: name.into(),
            expect,
            new,
            message: "test".into(),
        }
    }

    #[test]
    fn a_copy_goes_its_own_way_and_objects_are_taken_over() {
        let store = MemoryStore::new(ObjectFormat::Sha1);
        let id = store.id_of(Kind::Commit, b"x");
        let copy = store.copy();
        store
            .write_all(&[(id, Kind::Commit, b"x".to_vec())])
            .unwrap();
        assert_eq!((store.object_count(), copy.object_count()), (1, 0));
        copy.take_objects(&store);
        copy.take_objects(&copy.clone());
        assert_eq!(copy.commits(), [(id, b"x".as_slice().into())]);
    }

    #[test]
    fn objects_are_read_as_their_kind_and_within_bounds() {
        let store = MemoryStore::new(ObjectFormat::Sha256);
        let id = store.id_of(Kind::Blob, b"hello");
        assert_eq!(
            store.read(&id, Kind::Blob, 5).unwrap_err().code,
            Code::ObjectMissing
        );
        store
            .write_all(&[(id, Kind::Blob, b"hello".to_vec())])
            .unwrap();
        assert_eq!(store.read(&id, Kind::Blob, 5).unwrap(), b"hello");
        assert_eq!(
            store.read(&id, Kind::Blob, 4).unwrap_err().code,
            Code::TooLarge
        );
        assert_eq!(
            store.read(&id, Kind::Tree, 5).unwrap_err().code,
            Code::ObjectDamaged
        );
    }

    #[test]
    fn refs_change_together_or_not_at_all() {
        let store = MemoryStore::new(ObjectFormat::Sha1);
        let [a, b] = [b"a", b"b"].map(|text| store.id_of(Kind::Blob, text));
        let (one, two) = ("refs/heads/one", "refs/heads/two");
        store.apply(&[edit(one, Expect::Absent, Some(a))]).unwrap();
        let both = [
            edit(two, Expect::Absent, Some(b)),
            edit(one, Expect::At(b), Some(b)),
        ];
        assert_eq!(store.apply(&both).unwrap_err().code, Code::RaceLost);
        assert_eq!(store.list("refs/heads/").unwrap(), [(one.to_owned(), a)]);
        let below = edit("refs/heads/one/x", Expect::Any, Some(a));
        assert_eq!(store.apply(&[below]).unwrap_err().code, Code::RefInvalid);
        store.apply(&[edit(one, Expect::At(a), None)]).unwrap();
        assert_eq!(store.get(one).unwrap(), None);
    }
}

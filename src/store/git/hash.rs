//! git's hashes.

use crate::model::{Code, ObjectFormat, Oid};
use crate::store::{Kind, StoreFault};
use std::io::Write as _;

/// The git hash of a repository's object format, also for pack and index checksums.
pub(crate) struct Hasher {
    inner: gix::hash::Hasher,
}

impl Hasher {
    /// A hash of nothing yet.
    pub(crate) fn new(format: ObjectFormat) -> Self {
        let inner = gix::hash::hasher(gix_kind(format));
        Self { inner }
    }

    /// Hashes more bytes.
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        self.inner.update(bytes);
    }

    /// The hash. Bytes that carry a known SHA-1 collision attack are `object-damaged`.
    pub(crate) fn finish(self) -> Result<Oid, StoreFault> {
        let attack = |_| StoreFault::new(Code::ObjectDamaged, "a SHA-1 collision attack");
        let id = self.inner.try_finalize().map_err(attack)?;
        Ok(from_gix(&id))
    }
}

/// The id of an object, or `object-damaged` for one that carries a SHA-1 collision attack.
pub(crate) fn checked_id(
    format: ObjectFormat,
    kind: Kind,
    bytes: &[u8],
) -> Result<Oid, StoreFault> {
    let mut head = [0; 32];
    let mut rest = head.as_mut_slice();
    write!(rest, "{} {}\0", word(kind), bytes.len()).expect("a word of 6 bytes and 20 digits fit");
    let free = rest.len();
    let mut hasher = Hasher::new(format);
    hasher.update(&head[..32 - free]);
    hasher.update(bytes);
    hasher.finish()
}

/// The id that git gives to an object of this kind with these contents.
///
/// Contents that carry a known SHA-1 collision attack get an id that names nothing: two such files
/// must not pass for one.
pub fn object_id(format: ObjectFormat, kind: Kind, bytes: &[u8]) -> Oid {
    checked_id(format, kind, bytes).unwrap_or_else(|_| {
        let stand_in = blake3::hash(bytes);
        Oid::from_bytes(&stand_in.as_bytes()[..format.id_len()]).expect("20 or 32 bytes are an id")
    })
}

/// git's word for a kind.
pub(crate) fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::Blob => "blob",
        Kind::Tree => "tree",
        Kind::Commit => "commit",
        Kind::Tag => "tag",
    }
}

/// gix's name of an object format.
pub(super) fn gix_kind(format: ObjectFormat) -> gix::hash::Kind {
    match format {
        ObjectFormat::Sha1 => gix::hash::Kind::Sha1,
        ObjectFormat::Sha256 => gix::hash::Kind::Sha256,
    }
}

/// Our id from gix's.
pub(super) fn from_gix(id: &gix::hash::oid) -> Oid {
    Oid::from_bytes(id.as_bytes()).expect("gix knows ids of 20 and 32 bytes only")
}

/// gix's id from ours.
pub(super) fn to_gix(id: &Oid) -> gix::ObjectId {
    gix::ObjectId::from_bytes_or_panic(id.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_those_of_git() {
        // Known values: `git hash-object -t tree /dev/null` in repositories of both formats.
        let tree = |format| object_id(format, Kind::Tree, b"").to_hex();
        assert_eq!(
            tree(ObjectFormat::Sha1),
            "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
        );
        assert_eq!(
            tree(ObjectFormat::Sha256),
            "6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321"
        );
        let blob = object_id(ObjectFormat::Sha1, Kind::Blob, b"hello\n").to_hex();
        assert_eq!(blob, "ce013625030ba8dba906f756967f9e9ca394464a");
    }
}

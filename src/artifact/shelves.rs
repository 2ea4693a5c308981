//! All shelves of a space, asked in order.

use super::ArtifactFault;
use super::reader::Reader;
use super::shelf::{Place, Shelf};
use crate::codec::sheet::Record;
use crate::model::{Code, ContentDigest, Handle, Slug};
use crate::store::GitStore;

/// The shelves of a space.
pub struct Shelves {
    store: GitStore,
    internal: Shelf,
    published: Shelf,
}

/// An artifact that is here.
pub struct Found<'a> {
    /// The shelf it is on.
    pub shelf: &'a Shelf,
    /// Size, kind, and where its bytes are.
    pub record: Record,
}

impl Shelves {
    /// Opens those of a space's repository; nothing is made yet.
    ///
    /// # Errors
    /// `io`, `unsupported`.
    pub fn open(store: &GitStore) -> Result<Self, ArtifactFault> {
        Ok(Self {
            store: store.clone(),
            internal: Shelf::open(store, Place::Internal)?,
            published: Shelf::open(store, Place::Published)?,
        })
    }

    /// What never leaves this repository.
    pub fn internal(&self) -> &Shelf {
        &self.internal
    }

    /// What was published.
    pub fn published(&self) -> &Shelf {
        &self.published
    }

    /// What goes with a proposal that is not numbered yet.
    ///
    /// # Errors
    /// `io`.
    pub fn offered(&self, author: &Handle, slug: &Slug) -> Result<Shelf, ArtifactFault> {
        let (author, slug) = (author.clone(), slug.clone());
        Shelf::open(&self.store, Place::Offered { author, slug })
    }

    /// Where an artifact is: internal first, then published.
    ///
    /// # Errors
    /// `sheet-malformed`, `io`.
    pub fn find(&self, key: &ContentDigest) -> Result<Option<Found<'_>>, ArtifactFault> {
        self.look(|shelf| shelf.find(key))
    }

    /// As [`Shelves::find`], for a key that should be here: derived files are checked before it is missed.
    ///
    /// # Errors
    /// As [`Shelves::find`].
    pub fn find_surely(&self, key: &ContentDigest) -> Result<Option<Found<'_>>, ArtifactFault> {
        match self.find(key)? {
            None => self.look(|shelf| shelf.find_surely(key)),
            found => Ok(found),
        }
    }

    /// A reader of verified bytes.
    ///
    /// # Errors
    /// `not-found`; `artifact-damaged` if what says where the bytes are does not fit the key; those of `find`.
    pub fn read(&self, key: &ContentDigest) -> Result<Reader<'_>, ArtifactFault> {
        match self.find_surely(key)? {
            Some(found) => Reader::open(found.shelf, found.record),
            None => {
                let what = format!("there are no bytes of {key} here");
                Err(ArtifactFault::new(Code::NotFound, what))
            }
        }
    }

    /// The keys whose hexadecimal digits start so, ascending, at most `most` of them.
    ///
    /// # Errors
    /// `bad-request` if these are no digits or more than a key has; those of `find`.
    pub fn starting_with(
        &self,
        digits: &str,
        most: usize,
    ) -> Result<Vec<ContentDigest>, ArtifactFault> {
        let padded = |with: &str| {
            format!(
                "{digits}{}",
                with.repeat(64usize.saturating_sub(digits.len()))
            )
            .parse::<ContentDigest>()
        };
        let (Ok(first), Ok(last)) = (padded("0"), padded("f")) else {
            let what = "expected at most 64 lower-case hexadecimal digits";
            return Err(ArtifactFault::new(Code::BadRequest, what));
        };
        let mut found = std::collections::BTreeSet::new();
        for shelf in [&self.internal, &self.published] {
            for key in shelf.keys_from(&first)?.take(most) {
                let key = key?.key;
                if key > last {
                    break;
                }
                found.insert(key);
            }
        }
        Ok(found.into_iter().take(most).collect())
    }

    fn look(
        &self,
        find: impl Fn(&Shelf) -> Result<Option<Record>, ArtifactFault>,
    ) -> Result<Option<Found<'_>>, ArtifactFault> {
        for shelf in [&self.internal, &self.published] {
            if let Some(record) = find(shelf)? {
                return Ok(Some(Found { shelf, record }));
            }
        }
        Ok(None)
    }
}

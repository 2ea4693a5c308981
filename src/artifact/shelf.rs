//! A shelf: one object store, and the ref that names the sheets in it.

use super::ArtifactFault;
use super::blocks::Blocks;
use super::catalog::{self, Catalog, Composed, Imprint, Listed};
use super::index::Index;
use super::keys::Keys;
use crate::codec::sheet::Record;
use crate::model::{Code, ContentDigest, Handle, Oid, Slug};
use crate::store::disk::{create_dirs, io_fault, sync_dir};
use crate::store::locked::Locked;
use crate::store::{Expect, GitStore, Objects as _, RefEdit, Refs as _};
use std::cell::{OnceCell, RefCell};
use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// The catalog of what was published.
pub(super) const CATALOG: &str = "refs/artifacts/catalog";

/// The directory of the store that nothing ever leaves, below `<gitdir>/folio`.
const INTERNAL: &str = "internal.git";

/// Which shelf.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// What is nobody else's business: a repository of its own that plain git refuses to open.
    Internal,
    /// What was published, in the space's repository.
    Published,
    /// What goes with a proposal that is not numbered yet, in the space's repository.
    Offered {
        /// Whose proposal.
        author: Handle,
        /// Its name.
        slug: Slug,
    },
}

impl Place {
    /// The word for it, also the name of its directory of derived files.
    pub fn word(&self) -> &'static str {
        match self {
            Place::Internal => "internal",
            Place::Published => "published",
            Place::Offered { .. } => "offered",
        }
    }

    /// The ref that keeps its objects.
    pub fn reference(&self) -> String {
        match self {
            Place::Internal => "refs/artifacts/internal".to_owned(),
            Place::Published => "refs/artifacts/published".to_owned(),
            Place::Offered { author, slug } => format!("refs/artifacts/offered/{author}/{slug}"),
        }
    }

    fn travels(&self) -> bool {
        *self != Place::Internal
    }
}

/// What was on a shelf when its refs stood there.
struct Known {
    tips: [Option<Oid>; 2],
    catalog: Catalog,
    index: Rc<Index>,
}

/// A shelf.
pub struct Shelf {
    place: Place,
    /// The space's repository.
    space: GitStore,
    /// Its own repository, once it is there.
    own: OnceCell<GitStore>,
    folio: PathBuf,
    known: RefCell<Option<Known>>,
    blocks: RefCell<Option<Blocks>>,
}

impl Shelf {
    /// The shelf of a space's repository; nothing is made yet.
    ///
    /// # Errors
    /// `io`; `unsupported` if the internal repository cannot be read.
    pub fn open(space: &GitStore, place: Place) -> Result<Self, ArtifactFault> {
        let folio = space.common_dir().join("folio");
        let own = OnceCell::new();
        match place {
            Place::Internal => {
                let dir = folio.join(INTERNAL);
                if dir.join("HEAD").exists() {
                    let store = GitStore::open(&dir)?.with_steps(space.shared_steps());
                    own.set(store).unwrap_or_else(|_| unreachable!("it is new"));
                }
            }
            _ => own
                .set(space.clone())
                .unwrap_or_else(|_| unreachable!("it is new")),
        }
        Ok(Self {
            place,
            space: space.clone(),
            own,
            folio,
            known: RefCell::default(),
            blocks: RefCell::default(),
        })
    }

    /// Which one.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// Its repository, if there is one yet.
    pub fn store(&self) -> Option<&GitStore> {
        self.own.get()
    }

    /// `<gitdir>/folio` of the space.
    pub fn folio(&self) -> &Path {
        &self.folio
    }

    /// Its repository, made where it is missing.
    ///
    /// # Errors
    /// `io`.
    pub fn store_to_write(&self) -> Result<&GitStore, ArtifactFault> {
        if let Some(store) = self.own.get() {
            return Ok(store);
        }
        let store = self.make()?.with_steps(self.space.shared_steps());
        Ok(self.own.get_or_init(|| store))
    }

    fn make(&self) -> Result<GitStore, ArtifactFault> {
        for dir in create_dirs(&self.folio)? {
            sync_dir(&dir)?;
        }
        let _alone = Locked::wait(&self.folio.join("internal.lock"))?;
        let dir = self.folio.join(INTERNAL);
        if dir.join("HEAD").exists() {
            return Ok(GitStore::open(&dir)?);
        }
        let made = DirBuilder::new().recursive(true).mode(0o700).create(&dir);
        made.map_err(|err| io_fault("create", &dir, &err))?;
        sync_dir(&self.folio)?;
        // git refuses to open a repository with an extension that it does not know: nobody serves this one by
        // accident, and no git takes it for an alternate's owner.
        let config = [
            ("core.repositoryFormatVersion", "1".to_owned()),
            ("extensions.folioInternal", "true".to_owned()),
            ("gc.auto", "0".to_owned()),
        ];
        Ok(GitStore::init(
            &dir,
            true,
            self.space.object_format(),
            &config,
        )?)
    }

    /// What is on it now.
    ///
    /// # Errors
    /// `tree-malformed`, `commit-grammar`, and those of the store.
    pub fn catalog(&self) -> Result<Catalog, ArtifactFault> {
        match self.store() {
            Some(store) => Catalog::read(store, &self.place),
            None => Ok(Catalog::default()),
        }
    }

    /// The sheets of now, ready for look-ups.
    pub(super) fn index(&self) -> Result<Rc<Index>, ArtifactFault> {
        Ok(self.snapshot()?.1)
    }

    /// What is on it now, and the same ready for look-ups.
    pub(super) fn snapshot(&self) -> Result<(Catalog, Rc<Index>), ArtifactFault> {
        loop {
            // What the refs name does not change, so as long as they stay nothing is read again.
            let tips = self.tips()?;
            if let Some(known) = &*self.known.borrow()
                && known.tips == tips
            {
                return Ok((known.catalog.clone(), Rc::clone(&known.index)));
            }
            match self.look() {
                Ok((catalog, index)) => {
                    *self.known.borrow_mut() = Some(Known {
                        tips,
                        catalog: catalog.clone(),
                        index: Rc::clone(&index),
                    });
                    return Ok((catalog, index));
                }
                Err(fault) if self.tips()? == tips => return Err(fault),
                // The sheets were replaced meanwhile, and a collector may have taken the old ones.
                Err(_) => {}
            }
        }
    }

    fn look(&self) -> Result<(Catalog, Rc<Index>), ArtifactFault> {
        let catalog = self.catalog()?;
        let index = Index::open(&self.index_dir(), self.store(), &catalog.sheets)?;
        Ok((catalog, Rc::new(index)))
    }

    fn tips(&self) -> Result<[Option<Oid>; 2], ArtifactFault> {
        let Some(store) = self.store() else {
            return Ok([None, None]);
        };
        let catalog = match self.place {
            Place::Published => store.get(CATALOG)?,
            _ => None,
        };
        Ok([catalog, store.get(&self.place.reference())?])
    }

    fn index_dir(&self) -> PathBuf {
        self.folio.join("artifacts").join(self.place.word())
    }

    /// Where an artifact's bytes are; a derived file that turns out to be damaged is made again first.
    ///
    /// # Errors
    /// `sheet-malformed` if a sheet itself is damaged, `io`.
    pub fn find(&self, key: &ContentDigest) -> Result<Option<Record>, ArtifactFault> {
        match self.index()?.find(key) {
            Err(_) => {
                self.rebuild_index()?;
                self.index()?.find(key)
            }
            found => found,
        }
    }

    /// As [`Shelf::find`], for a key that should be here: a miss counts only once every derived file was compared
    /// with the sheet that it was made of.
    ///
    /// # Errors
    /// As [`Shelf::find`].
    pub fn find_surely(&self, key: &ContentDigest) -> Result<Option<Record>, ArtifactFault> {
        if let Some(found) = self.find(key)? {
            return Ok(Some(found));
        }
        match self.index()?.damaged(self.store()) {
            true => {
                self.rebuild_index()?;
                self.find(key)
            }
            false => Ok(None),
        }
    }

    /// Makes the derived files again that are not what they should be.
    ///
    /// # Errors
    /// `sheet-malformed`, `io`.
    pub fn rebuild_index(&self) -> Result<(), ArtifactFault> {
        self.known.borrow_mut().take();
        let catalog = self.catalog()?;
        match self.store() {
            Some(store) => Index::discard(&self.index_dir(), store, &catalog.sheets),
            None => Ok(()),
        }
    }

    /// Every key on it, ascending, each once.
    ///
    /// # Errors
    /// As [`Shelf::find`].
    pub fn keys(&self) -> Result<Keys, ArtifactFault> {
        self.keys_from(&ContentDigest([0; 32]))
    }

    /// Those from a key on.
    ///
    /// # Errors
    /// As [`Shelf::find`].
    pub fn keys_from(&self, first: &ContentDigest) -> Result<Keys, ArtifactFault> {
        Keys::new(self.index()?, first)
    }

    /// A block's bytes, as a pack has them; `checked` if they must have that id.
    pub(super) fn block(&self, id: &Oid, checked: bool) -> Result<Rc<Vec<u8>>, ArtifactFault> {
        let Some(store) = self.store() else {
            let what = format!("block {id} is missing");
            return Err(ArtifactFault::new(Code::ObjectMissing, what));
        };
        let mut blocks = self.blocks.borrow_mut();
        if blocks.is_none() {
            *blocks = Some(Blocks::open(store)?);
        }
        let blocks = blocks.as_mut().expect("it was just opened");
        blocks.read(store, id, checked)
    }

    /// Held while the shelf's refs are changed, so that writers wait for each other instead of losing races.
    pub(super) fn lock(&self) -> Result<Locked, ArtifactFault> {
        let dir = self.folio.join("artifacts");
        for parent in create_dirs(&dir)? {
            sync_dir(&parent)?;
        }
        Ok(Locked::wait(
            &dir.join(format!("{}.lock", self.place.word())),
        )?)
    }

    /// Makes the objects that list these sheets.
    pub(super) fn compose(
        &self,
        old: &Catalog,
        sheets: Vec<Listed>,
        imprint: &Imprint<'_>,
    ) -> Result<Composed, ArtifactFault> {
        let store = self.store_to_write()?;
        catalog::compose(store, old, sheets, self.place.travels(), imprint)
    }

    /// Moves the refs from one catalog to another whose objects are durable, all or none of them.
    pub(super) fn apply(&self, old: &Catalog, new: &Catalog) -> Result<(), ArtifactFault> {
        let edit = |name: String, from: Option<Oid>, to: Option<Oid>| RefEdit {
            name,
            expect: from.map_or(Expect::Absent, Expect::At),
            new: to,
            message: "folio: artifacts".to_owned(),
        };
        let edits = match self.place {
            Place::Internal => vec![edit(self.place.reference(), old.commit, new.commit)],
            Place::Published => vec![
                edit(CATALOG.to_owned(), old.commit, new.commit),
                edit(self.place.reference(), old.placement, new.placement),
            ],
            Place::Offered { .. } => {
                vec![edit(self.place.reference(), old.placement, new.placement)]
            }
        };
        Ok(self.store_to_write()?.apply(&edits)?)
    }

    /// Puts these sheets, whose blobs are there already, in the place of those that were there.
    ///
    /// # Errors
    /// `race-lost` if the catalog is not the old one any more; `sheet-malformed`; those of the store.
    pub fn replace(
        &self,
        old: &Catalog,
        sheets: &[Oid],
        imprint: &Imprint<'_>,
    ) -> Result<Catalog, ArtifactFault> {
        let _alone = self.lock()?;
        let store = self.store_to_write()?;
        let index = Index::open(&self.index_dir(), Some(store), sheets)?;
        let composed = self.compose(old, index.listed(), imprint)?;
        store.write_all(&composed.objects)?;
        self.apply(old, &composed.catalog)?;
        Ok(composed.catalog)
    }
}

//! One space on disk, and what readers say of whatever its refs are pointed at.

use crate::common::{self, Actor, TestSpace, when};
use folio::codec::commit::Commit;
use folio::codec::message::Message;
use folio::crypto::{Sign, seal};
use folio::journal::history::History;
use folio::journal::pages::MemoryIndex;
use folio::journal::proposal::Proposal;
use folio::journal::queue::{self, Entry, Standing};
use folio::journal::review::Review;
use folio::journal::{Fault, Page, Space, check, replay, verify};
use folio::model::{Code, Number, ObjectFormat, Oid};
use folio::state::Tables;
use folio::store::GitStore;
use std::path::Path;

pub use common::repo::{git, put, update_ref};

/// Where bob's proposals stand.
pub const BRANCH: &str = "refs/heads/proposals/bob/altered";

pub struct Bench {
    pub dir: tempfile::TempDir,
    pub space: TestSpace<GitStore>,
    /// `common@1`, `common@2` with an alias of bob's, and bob's next proposal on top of it.
    pub pages: [Page; 2],
    pub next: Oid,
}

impl Bench {
    pub fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = GitStore::init(dir.path(), true, ObjectFormat::Sha1, &[]).unwrap();
        let mut space = TestSpace::found(store).unwrap();
        let first = space.tip();
        let line = r#"{"op":"alias.set","alias":"kiev","target":"kyiv"}"#;
        space.propose(&space.bob, "one", &[line]).unwrap();
        assert_eq!(space.accept_all().unwrap().numbered.len(), 1);
        let second = space.tip();
        let line = r#"{"op":"alias.set","alias":"peking","target":"beijing"}"#;
        let (next, _) = space.propose(&space.bob, "altered", &[line]).unwrap();
        let bench = Self {
            dir,
            space,
            pages: [first, second],
            next,
        };
        assert_eq!(bench.read_main(bench.pages[1].id), Ok(()));
        assert_eq!(bench.read_branch(bench.next), Ok(()));
        bench
    }

    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    pub fn bob(&self) -> &Actor {
        &self.space.bob
    }

    pub fn wanda(&self) -> &Actor {
        &self.space.wanda
    }

    pub fn commit(&self, id: Oid) -> Commit {
        folio::journal::page::read_commit(&self.space.store, &id).unwrap()
    }

    pub fn proposal(&self, id: Oid) -> Proposal {
        Proposal::authenticate(&Tables::new(&self.space.store), &self.space.store, None, id)
            .unwrap()
    }

    /// What a reader says who meets this as `main`.
    pub fn read_main(&self, tip: Oid) -> Result<(), Code> {
        self.with_main(tip, |space, history| {
            verify::verify(space, history, Number(1), &mut |_, _| {}).map(|_| ())
        })
    }

    /// The state tree that a reader comes to who replays this `main` and remembers a page that was verified.
    pub fn replay_main(&self, tip: Oid, verified: Option<(Number, Oid)>) -> Result<Oid, Code> {
        self.with_main(tip, |space, history| {
            let view = replay::replay(space, history, history.len(), verified, &mut |_, _| {})?;
            replay::tree_of(&space.tables, &view)
        })
    }

    fn with_main<T>(
        &self,
        tip: Oid,
        work: impl FnOnce(&Space<'_, GitStore>, &History<'_>) -> Result<T, Fault>,
    ) -> Result<T, Code> {
        update_ref(self.path(), "refs/heads/main", tip);
        // A fresh store: nothing is remembered of what was there before.
        let store = GitStore::open(self.path()).unwrap();
        let read = || {
            let space = Space::open(&store)?;
            let mut index = MemoryIndex::default();
            let tip = Some(space.tip()?);
            let history = History::open(&space.tables, &store, tip, &mut index, &mut |_, _| {})?;
            work(&space, &history)
        };
        let said = read().map_err(|fault: Fault| fault.code);
        update_ref(self.path(), "refs/heads/main", self.pages[1].id);
        said
    }

    /// What the witness says who meets this as bob's branch; nothing may be numbered that is not ready.
    pub fn read_branch(&self, commit: Oid) -> Result<(), Code> {
        update_ref(self.path(), BRANCH, commit);
        let said = self.standing();
        update_ref(self.path(), BRANCH, self.next);
        said
    }

    fn standing(&self) -> Result<(), Code> {
        let store = GitStore::open(self.path()).unwrap();
        let space = Space::open(&store).unwrap();
        let mut index = MemoryIndex::default();
        let tip = space.tip().unwrap();
        let history =
            History::open(&space.tables, &store, Some(tip), &mut index, &mut |_, _| {}).unwrap();
        let page = Page::read(&store, tip).unwrap();
        for entry in queue::gather(&space, &history).unwrap() {
            match entry {
                Entry::Invalid { name, fault, .. } if name == BRANCH => return Err(fault.code),
                Entry::Authentic(candidate) if candidate.branch.name == BRANCH => {
                    let standing = queue::standing(&space.tables, &page, &history, &candidate);
                    return match standing.unwrap().0 {
                        Standing::Ready { .. } => Ok(()),
                        Standing::Accepted(_) => Err(Code::DuplicateProposal),
                        Standing::Refused(fault) => Err(fault.code),
                    };
                }
                _ => {}
            }
        }
        panic!("the branch is not in the queue");
    }

    /// `common@3` by an honest witness over any commit, as if the proposal in it were `like`.
    pub fn page_over(&self, commit: Oid, like: &Proposal, tree: Oid, reviews: &[Review]) -> Forged {
        let previous = &self.pages[1];
        let signer = self.wanda().key.public_key();
        let mut page = self.commit(previous.id);
        let Message::Snapshot(mut message) = Message::parse(&page.message).unwrap() else {
            unreachable!("a page has the message of one")
        };
        message.number = Number(3);
        message.proposal = like.digest();
        message.chain = check::chain_of(message.epoch, Some(previous), like, reviews, signer);
        page.parents = vec![previous.id, commit];
        page.parents.extend(reviews.iter().map(Review::id));
        page.tree = tree;
        page.armor = None;
        Forged {
            commit: page,
            message,
        }
    }

    /// The tree that bob's next proposal really makes.
    pub fn next_tree(&self) -> Oid {
        self.proposal(self.next).preview()
    }

    /// The good page over bob's next proposal.
    pub fn good(&self) -> Forged {
        self.page_over(self.next, &self.proposal(self.next), self.next_tree(), &[])
    }

    /// Signs and writes a commit that is in the grammar.
    pub fn sealed(&self, mut commit: Commit, by: &Actor) -> Oid {
        commit.armor = None;
        put(
            self.path(),
            "commit",
            &seal::seal(commit, &by.key).unwrap().encode(),
        )
    }
}

/// A page that is not yet signed.
pub struct Forged {
    pub commit: Commit,
    pub message: folio::codec::message::SnapshotMessage,
}

impl Forged {
    pub fn sealed(mut self, bench: &Bench, by: &Actor) -> Oid {
        self.commit.message = Message::Snapshot(self.message).encode();
        bench.sealed(self.commit, by)
    }
}

/// A person's line in a commit.
pub fn ident(of: &Actor) -> folio::codec::commit::Ident {
    folio::codec::commit::Ident {
        name: of.handle.into(),
        email: of.person().email.to_string(),
        seconds: when().seconds,
        zone: when().zone,
    }
}

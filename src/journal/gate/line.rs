//! `main` as it is and as a push would leave it.

use super::Update;
use crate::journal::fault::Fault;
use crate::journal::history::History;
use crate::journal::page::Page;
use crate::journal::pages::PageIndex;
use crate::journal::proposal::Proposal;
use crate::journal::space::Space;
use crate::journal::verify::{Branch, verify_branch};
use crate::journal::{judge, refs};
use crate::model::rows::MemberRow;
use crate::model::{Code, Number, Oid, ProposalDigest, SpaceId};
use crate::state::{Tables, TreeView};
use crate::store::Store;
use std::collections::BTreeMap;

/// The space that a push is for, opened: what the line stands on.
pub(super) struct Ground<'a, S: Store> {
    pub(super) space: Space<'a, S>,
    pub(super) history: History<'a>,
}

impl<'a, S: Store + Clone + Send> Ground<'a, S> {
    /// Reads the `main` that is there. Where there is none the push has to bring it, and says whose space it
    /// is; the inner fault says why it does not.
    pub(super) fn open(
        store: &'a S,
        index: &'a mut dyn PageIndex,
        expected: Option<SpaceId>,
        moved: Option<&Update>,
    ) -> Result<Result<Self, Fault>, Fault> {
        let here = store.get(refs::MAIN)?;
        let id = match here.or(moved.and_then(|update| update.new)) {
            Some(tip) => Page::read(store, tip).map(|page| page.message.space),
            None => Err(Fault::new(
                Code::NotASpace,
                "there is no main, and none is pushed",
            )),
        };
        let id = match id {
            Ok(id) => id,
            // A `main` that is here and is no snapshot is for whoever keeps this repository to repair.
            Err(fault) if here.is_some() => return Err(fault),
            Err(fault) => return Ok(Err(fault)),
        };
        if let Some(expected) = expected.filter(|expected| *expected != id) {
            let fault = Fault::differs(Code::SpaceMismatch, "the space", expected, id);
            return match here {
                Some(_) => Err(fault),
                None => Ok(Err(fault)),
            };
        }
        let tables = Tables::new(store);
        let history = History::open(&tables, store, here, index, &mut |_, _| {})?;
        let space = Space { store, tables, id };
        Ok(Ok(Self { space, history }))
    }
}

/// The snapshots that are there, and those that a push adds once they are verified.
pub(super) struct Line<'a, 's, 'i, S: Store> {
    pub(super) space: &'a Space<'s, S>,
    history: &'a History<'i>,
    new: Branch,
    numbered: BTreeMap<ProposalDigest, Number>,
    root: Option<Oid>,
}

impl<'a, 's, 'i, S: Store + Clone + Send> Line<'a, 's, 'i, S> {
    /// The snapshots that are there.
    pub(super) fn on(space: &'a Space<'s, S>, history: &'a History<'i>) -> Self {
        Self {
            space,
            history,
            new: Branch {
                fork: history.len(),
                pages: Vec::new(),
            },
            numbered: BTreeMap::new(),
            root: history.tip().map(Page::tree),
        }
    }

    /// Judges the move of `main`, and stands on its new pages from then on.
    pub(super) fn advance(&mut self, update: &Update) -> Result<(), Fault> {
        let here = self.history.tip().map(|page| page.id);
        // Whoever names another old value must not choose by what state the rest of the push is judged.
        if update.old != here {
            let words = |id: Option<Oid>| id.map_or("absent".to_owned(), |id| id.to_hex());
            let (expected, found) = (words(update.old), words(here));
            return Err(Fault::differs(Code::RaceLost, "main", expected, found));
        }
        let Some(tip) = update.new else {
            return Err(Fault::new(Code::RefProtected, "main is never deleted"));
        };
        let page = Page::read(self.space.store, tip)?;
        if page.message.space != self.space.id {
            let (expected, found) = (self.space.id, page.message.space);
            return Err(Fault::differs(
                Code::SpaceMismatch,
                "the space",
                expected,
                found,
            ));
        }
        let branch = Branch::read(self.space.store, self.history, tip)?;
        self.require_forward(&branch, page.number())?;
        let checked = verify_branch(self.space, self.history, &branch, &mut |_, _| {})?;
        self.numbered = checked
            .into_iter()
            .map(|page| (page.proposal, page.number))
            .collect();
        self.new = branch;
        self.root = Some(page.tree());
        Ok(())
    }

    /// The branch begins right above the newest snapshot.
    fn require_forward(&self, branch: &Branch, offered: Number) -> Result<(), Fault> {
        let (fork, here) = (branch.fork, self.history.len());
        if fork == here {
            return Ok(());
        }
        let what = match branch.pages.is_empty() {
            true => format!("main would go back from common@{here} to common@{offered}"),
            false => format!(
                "main is at common@{here} and the pushed common@{offered} does not stand on it: they part after common@{fork}"
            ),
        };
        Err(Fault::new(Code::NotFastForward, what))
    }

    /// Whether a commit is the snapshot of that number, here or in the push.
    fn contains(&self, number: Number, commit: &Oid) -> bool {
        match number.0.checked_sub(self.new.fork.0 + 1) {
            None => self.history.contains(number, commit),
            Some(at) => usize::try_from(at).is_ok_and(|at| self.new.pages.get(at) == Some(commit)),
        }
    }

    /// What others build on is a snapshot of this journal, here or in the push.
    pub(super) fn require_base(&self, number: Number, commit: Option<Oid>) -> Result<(), Fault> {
        if commit.is_some_and(|commit| self.contains(number, &commit)) {
            return Ok(());
        }
        let what = format!("it stands on common@{number}, which is no snapshot of this journal");
        Err(Fault::new(Code::BaseUnknown, what))
    }

    /// Reads a proposal of this space that stands on one of its snapshots.
    pub(super) fn proposal(&self, commit: Oid) -> Result<Proposal, Fault> {
        let (tables, store) = (&self.space.tables, self.space.store);
        let proposal = Proposal::authenticate(tables, store, Some(&self.space.id), commit)?;
        let base = proposal.base();
        self.require_base(base.number, base.commit)
            .map_err(|fault| fault.in_commit(commit))?;
        Ok(proposal)
    }

    /// Under which number a proposal stands in `main`, with what the push adds.
    pub(super) fn numbered(&self, proposal: &Proposal) -> Result<Option<Number>, Fault> {
        let digest = proposal.digest();
        match self.numbered.get(&digest) {
            Some(number) => Ok(Some(*number)),
            None => self.history.numbered(&digest, proposal.base().number),
        }
    }

    /// The newest state.
    pub(super) fn view(&self) -> TreeView<'a, 's, S> {
        TreeView::new(&self.space.tables, self.root)
    }

    /// The member whose current key this is, who also has to own the name of the ref.
    pub(super) fn member(
        &self,
        key: &crate::model::PublicKey,
        owner: &crate::model::Handle,
    ) -> Result<MemberRow, Fault> {
        let member = judge::member_of(&self.view(), key)?;
        if member.handle != *owner {
            let what = format!("a branch of `{owner}` is signed by `{}`", member.handle);
            return Err(Fault::new(Code::RefInvalid, what));
        }
        Ok(member)
    }
}

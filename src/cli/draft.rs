//! The draft: decisions that are not proposed yet, as git's index is to a commit. It is checked as it
//! grows: what would be refused is said then.

use super::context::{Context, view_of};
use super::error::Problem;
use super::identity;
use crate::fold::kind::Place;
use crate::fold::policy::{Rulebook, require_by};
use crate::fold::{Decision, Scene, Steps, Stop, decision};
use crate::journal::{Page, Space};
use crate::model::rows::MemberRow;
use crate::model::{ChainDigest, Code, ProposalDigest, PublicKey, limits};
use crate::store::locked::Locked;
use crate::store::{GitStore, StoreFault};
use std::io::Write as _;
use std::path::PathBuf;

/// Decisions in the draft, in order, in their canonical form.
#[derive(Debug)]
pub struct Draft {
    path: PathBuf,
    /// What is drafted.
    pub decisions: Vec<Decision>,
}

/// Everybody who works in this repository has a draft of their own, so that nobody signs what somebody else
/// drafted. Without a key there is one more, which whoever has a key leaves alone.
fn path_of(context: &Context, author: Option<&MemberRow>) -> PathBuf {
    let dir = context.folio_dir();
    match author {
        Some(author) => dir.join("drafts").join(format!("{}.jsonl", author.handle)),
        None => dir.join("draft.jsonl"),
    }
}

/// Whose draft it is, by the key that would sign; nobody's where there is no key.
pub fn author(
    context: &Context,
    global: &super::args::Global,
) -> anyhow::Result<Option<MemberRow>> {
    let space = context.space()?;
    let page = Page::read(&context.store, space.tip()?)?;
    identity::drafter(context, global, &view_of(&space.tables, &page))
}

/// What became of decisions that were added.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Added {
    /// How many stand in the draft now that did not before.
    pub added: usize,
    /// How many are true already, and so were left out.
    pub already: usize,
}

impl Draft {
    /// A draft without decisions; what lies on the disk is not looked at.
    pub fn empty(context: &Context, author: Option<&MemberRow>) -> Self {
        let path = path_of(context, author);
        let decisions = Vec::new();
        Self { path, decisions }
    }

    /// Reads the draft; there is an empty one where none was made.
    pub fn load(context: &Context, author: Option<&MemberRow>) -> anyhow::Result<Self> {
        let path = path_of(context, author);
        let decisions = match std::fs::metadata(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
            Ok(meta) if meta.len() > limits::DECISIONS_BYTES => {
                let what = format!(
                    "the draft {} is larger than a proposal may be",
                    path.display()
                );
                return Err(Problem::new(Code::TooLarge, what)
                    .hint("folio draft clear")
                    .into());
            }
            _ => match std::fs::read(&path)? {
                bytes if bytes.is_empty() => Vec::new(),
                bytes => decision::parse_all(&bytes)?,
            },
        };
        Ok(Self { path, decisions })
    }

    /// Writes the draft: a crash leaves the old one or the new one.
    pub fn save(&self) -> anyhow::Result<()> {
        let dir = self.path.parent().expect("the draft lies in a directory");
        std::fs::create_dir_all(dir)?;
        let mut file = tempfile::NamedTempFile::new_in(dir)?;
        file.write_all(&decision::encode_all(&self.decisions))?;
        file.as_file().sync_all()?;
        file.persist(&self.path).map_err(|error| error.error)?;
        std::fs::File::open(dir)?.sync_all()?;
        Ok(())
    }

    /// Throws the draft away.
    pub fn clear(&mut self) -> anyhow::Result<()> {
        self.decisions.clear();
        match std::fs::remove_file(&self.path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
            _ => Ok(()),
        }
    }
}

/// A draft on a state: what is drafted already is applied, new decisions are judged on top.
pub struct Drafting<'s> {
    steps: Steps<'s>,
    author: Option<MemberRow>,
    book: Rulebook,
    after: ChainDigest,
    /// The decisions so far.
    pub draft: Draft,
    added: Added,
}

/// A digest for decisions whose proposal does not exist yet.
const UNPROPOSED: ProposalDigest = ProposalDigest([0; 32]);

impl<'s> Drafting<'s> {
    /// Opens the draft on a state and the chain that leads to it. The author, where known, is judged too.
    pub fn open(
        view: &'s dyn crate::fold::View,
        after: ChainDigest,
        author: Option<MemberRow>,
        draft: Draft,
    ) -> anyhow::Result<Self> {
        let mut this = Self {
            steps: Steps::new(view),
            author,
            book: Rulebook::default(),
            after,
            draft,
            added: Added::default(),
        };
        for index in 0..this.draft.decisions.len() {
            this.load(index).map_err(|error| {
                let (code, what, _) = super::error::parts(&error);
                let what = format!(
                    "decision {} of the draft no longer holds: {what}",
                    index + 1
                );
                let hint = format!(
                    "folio draft drop {} (or `folio draft refresh` to fill it in again)",
                    index + 1
                );
                Problem::new(code.unwrap_or(Code::Stale), what).hint(hint)
            })?;
        }
        Ok(this)
    }

    fn load(&mut self, index: usize) -> anyhow::Result<()> {
        let place = self.place(index);
        let decision = &self.draft.decisions[index];
        authorise(&mut self.book, &self.steps, self.author.as_ref(), decision)?;
        Ok(self.steps.add(decision, place)?)
    }

    fn place(&self, index: usize) -> Place {
        let author = self.author.as_ref();
        Place {
            proposal: UNPROPOSED,
            index: index as u64,
            author: author.map_or(PublicKey([0; 32]), |author| author.key),
            after: self.after,
        }
    }

    /// The state with the draft applied.
    pub fn scene(&self) -> &Scene<'s> {
        self.steps.scene()
    }

    /// The draft, and its decisions as they were made on the state.
    pub fn into_parts(self) -> (Draft, Steps<'s>) {
        (self.draft, self.steps)
    }

    /// Adds a decision, with what it replaces and relies on filled in (`again`: also where something is
    /// given). One that is true already is left out. Whether it was added.
    pub fn add(&mut self, mut decision: Decision, again: bool) -> anyhow::Result<bool> {
        decision.refresh(self.steps.scene(), again)?;
        authorise(&mut self.book, &self.steps, self.author.as_ref(), &decision)?;
        let place = self.place(self.draft.decisions.len());
        if self.steps.offer(&decision, place)? {
            self.draft.decisions.push(decision);
            self.added.added += 1;
            return Ok(true);
        }
        self.added.already += 1;
        Ok(false)
    }

    /// Writes the draft and says what was added.
    pub fn save(self) -> anyhow::Result<Added> {
        if self.added.added > 0 {
            self.draft.save()?;
        }
        Ok(self.added)
    }
}

/// Judges the author, where known. Authority is judged in the state before the page, not in what the draft makes of it.
fn authorise(
    book: &mut Rulebook,
    steps: &Steps<'_>,
    author: Option<&MemberRow>,
    decision: &Decision,
) -> Result<(), Stop> {
    let Some(author) = author else {
        return Ok(());
    };
    let base = Scene::new(steps.scene().base());
    match require_by(book, &base, author, decision, &[]) {
        // Approvals come later, as reviews of the proposal.
        Err(stop) if stop.code() == Code::ApprovalsMissing => Ok(()),
        other => other,
    }
}

/// Opens everything that drafting needs and hands it over: the newest state, the author by the key that
/// would sign (not asked for its passphrase), the draft.
pub fn with_drafting<T>(
    context: &Context,
    global: &super::args::Global,
    work: impl FnOnce(&mut Drafting<'_>, &Space<'_, GitStore>, &Page) -> anyhow::Result<T>,
) -> anyhow::Result<(T, Added)> {
    // What is looked at and then named by a decision stays until the draft is written, and is kept by it then.
    context.store.begin_writing()?;
    let space = context.space()?;
    let page = Page::read(&context.store, space.tip()?)?;
    let view = view_of(&space.tables, &page);
    let author = identity::drafter(context, global, &view)?;
    let _lock = lock(context)?;
    let draft = Draft::load(context, author.as_ref())?;
    let mut drafting = Drafting::open(&view, page.message.chain, author, draft)?;
    let result = work(&mut drafting, &space, &page)?;
    Ok((result, drafting.save()?))
}

/// Two commands that draft at the same time take turns; the lock goes with the process.
pub(crate) fn lock(context: &Context) -> Result<Locked, StoreFault> {
    let dir = context.folio_dir();
    let io =
        |error: std::io::Error| StoreFault::new(Code::Io, format!("{}: {error}", dir.display()));
    std::fs::create_dir_all(&dir).map_err(io)?;
    Locked::wait(&dir.join("draft.lock"))
}

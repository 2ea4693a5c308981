//! First contact: what a clone verifies before it believes anything.

use crate::cli::error::Problem;
use crate::cli::ui::{self, Style, Ui, escape};
use crate::crypto::sshsig;
use crate::fold::Decision;
use crate::fold::rules::SpaceFound;
use crate::journal::history::History;
use crate::journal::pages::MemoryIndex;
use crate::journal::proposal::Proposal;
use crate::journal::verify::{Branch, verify_branch};
use crate::journal::{Page, Space};
use crate::model::{Code, Number, Oid, PublicKey, SpaceId};
use crate::store::GitStore;

/// What the user knows about the space beforehand.
#[derive(Debug, Clone, Default)]
pub struct Known {
    /// Its id.
    pub space: Option<SpaceId>,
    /// The fingerprint of its founder's, its first witness's or its present witness's key.
    pub fingerprint: Option<String>,
}

/// What a whole verified chain says about who is behind it.
#[derive(Debug, Clone)]
pub struct Charter {
    /// The space.
    pub space: SpaceId,
    /// Its name.
    pub name: String,
    /// Who founded it, and with which key.
    pub founder: (String, PublicKey),
    /// Who numbered its first page.
    pub witness: (String, PublicKey),
    /// Whose key signed the newest page.
    pub holder: PublicKey,
    /// The newest number.
    pub newest: Number,
}

/// Verifies every page from the charter to a tip: nothing is taken for granted.
pub fn verify_whole(store: &GitStore, tip: Oid, ui: &Ui) -> anyhow::Result<Charter> {
    let page = Page::read(store, tip)?;
    let space = Space::claimed(store, &page);
    let mut index = MemoryIndex::default();
    let none = History::open(&space.tables, store, None, &mut index, &mut |_, _| {})?;
    let branch = Branch::read(store, &none, tip)?;
    let mut progress = ui.progress("Verifying");
    verify_branch(&space, &none, &branch, &mut |done, total| {
        progress.at(done, total)
    })?;
    let first = Page::read(store, branch.pages[0])?;
    let proposal = Proposal::authenticate(&space.tables, store, None, first.proposal())?;
    let found = charter_of(&proposal)?;
    Ok(Charter {
        space: space.id,
        name: found.name.to_string(),
        founder: (found.founder.handle.to_string(), found.founder.key),
        witness: (found.witness.handle.to_string(), found.witness.key),
        holder: crate::crypto::seal::open(&page.commit).map_err(crate::journal::Fault::from)?,
        newest: page.number(),
    })
}

fn charter_of(proposal: &Proposal) -> anyhow::Result<&SpaceFound> {
    match proposal.decisions().first() {
        Some(Decision::SpaceFound(found)) => Ok(found),
        _ => Err(Problem::new(Code::CharterMisplaced, "the first page is no charter").into()),
    }
}

/// Compares a verified chain with what the user knows; asks where they know nothing and there is somebody to
/// ask.
///
/// # Errors
/// `trust-mismatch`, `trust-needed`.
pub fn require_trust(charter: &Charter, known: &Known, ui: &Ui) -> anyhow::Result<()> {
    if let Some(space) = known.space
        && space != charter.space
    {
        let what = format!("expected the space {space}, found {}", charter.space);
        return Err(Problem::new(Code::TrustMismatch, what).into());
    }
    let keys = [charter.founder.1, charter.witness.1, charter.holder];
    if let Some(wanted) = &known.fingerprint
        && !keys.iter().any(|key| sshsig::fingerprint(key) == *wanted)
    {
        let found = sshsig::fingerprint(&charter.founder.1);
        let what = format!(
            "expected the fingerprint {}, found the founder's {found}, the witness's {}",
            escape(wanted),
            sshsig::fingerprint(&charter.holder)
        );
        return Err(Problem::new(Code::TrustMismatch, what).into());
    }
    match known.space.is_some() || known.fingerprint.is_some() {
        true => Ok(()),
        false => ask(charter, ui),
    }
}

fn ask(charter: &Charter, ui: &Ui) -> anyhow::Result<()> {
    let person = |(handle, key): &(String, PublicKey)| {
        format!("{} {}", escape(handle), sshsig::fingerprint(key))
    };
    let name = ui.paint_err(Style::Bold, &escape(&charter.name));
    let about = format!(
        "Space:   {name} ({})\nFounder: {}\nWitness: {}\n",
        charter.space,
        person(&charter.founder),
        person(&charter.witness)
    );
    let question = "Is this the space you mean? Compare with somebody you trust.";
    let what = match ui::ask(&about, question).as_deref() {
        Some("y") => return Ok(()),
        Some(_) => "the answer was not `y`",
        None => {
            ui::talk(about.trim_end());
            "neither --space nor --witness says which space it is, and there is nobody to ask"
        }
    };
    Err(Problem::new(Code::TrustNeeded, what).into())
}

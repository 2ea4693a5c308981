//! What answers say of a snapshot and of the proposal that it numbers.

use super::dates;
use super::ui::{Style, Ui, escape};
use crate::codec::rows;
use crate::fold::{Scene, View};
use crate::journal::proposal::Proposal;
use crate::journal::{Fault, Page, Space};
use crate::model::rows::KeyRow;
use crate::model::{Code, Handle, PublicKey, RowKey, Table};
use crate::store::GitStore;
use serde::Serialize;

/// A snapshot with its proposal, authenticated.
#[derive(Debug, Clone)]
pub struct Numbered {
    /// The snapshot.
    pub page: Page,
    /// What it numbers.
    pub proposal: Proposal,
    /// Whose key signed the proposal.
    pub author: Handle,
}

impl Numbered {
    /// Reads the proposal of a snapshot.
    pub fn read(space: &Space<'_, GitStore>, page: Page) -> Result<Self, Fault> {
        let number = page.number();
        Self::of(space, page).map_err(|fault| fault.at(number))
    }

    fn of(space: &Space<'_, GitStore>, page: Page) -> Result<Self, Fault> {
        let of = page.message.space;
        let proposal =
            Proposal::authenticate(&space.tables, space.store, Some(&of), page.proposal())?;
        if proposal.digest() != page.message.proposal {
            let (what, found) = ("the digest of the proposal", proposal.digest());
            let expected = page.message.proposal;
            return Err(Fault::differs(
                Code::ProposalMismatch,
                what,
                expected,
                found,
            ));
        }
        // Keys are never taken out of the state, so the snapshot's own one has the row.
        let key = RowKey::of(&proposal.author());
        let row = space.tables.row(Some(page.tree()), Table::Keys, &key)?;
        let row: Option<KeyRow> = row.as_ref().map(rows::decode).transpose()?;
        let author = row.map(|row| row.member).ok_or_else(|| {
            let what = format!("no member ever had the key {}", proposal.author());
            Fault::new(Code::NotAMember, what)
        })?;
        Ok(Self {
            page,
            proposal,
            author,
        })
    }
}

/// The member whose key it is or was.
pub fn member_of_key(view: &dyn View, key: &PublicKey) -> anyhow::Result<Option<Handle>> {
    let row: Option<KeyRow> = Scene::new(view).get(&RowKey::of(key))?;
    Ok(row.map(|row| row.member))
}

/// A snapshot and its proposal, in a few fields.
#[derive(Debug, Clone, Serialize)]
pub struct Decided {
    /// The snapshot's number.
    pub number: u64,
    /// Its commit.
    pub commit: String,
    /// The proposal's digest.
    pub proposal: String,
    /// The handle of the proposal's author.
    pub author: String,
    /// When the proposal was made, as its author says.
    pub date: String,
    /// The first line of the author's words.
    pub subject: String,
}

impl Decided {
    /// Of a snapshot.
    pub fn of(numbered: &Numbered) -> Self {
        let Numbered {
            page,
            proposal,
            author,
        } = numbered;
        Self {
            number: page.number().0,
            commit: page.id.to_hex(),
            proposal: proposal.digest().to_hex(),
            author: author.to_string(),
            date: dates::moment(&proposal.commit().author),
            subject: proposal.subject().to_owned(),
        }
    }

    /// One line for a terminal.
    pub fn line(&self, ui: &Ui) -> String {
        let number = ui.paint(Style::Id, &format!("common@{}", self.number));
        let day = self.date.get(..10).unwrap_or(&self.date);
        let author = escape(&self.author);
        format!("{number} {day} {author}: {}", escape(&self.subject))
    }
}

/// Prints words of several lines, each escaped and set in.
pub fn print_text(ui: &Ui, text: &str) -> anyhow::Result<()> {
    for line in text.trim_end().lines() {
        ui.line(format!("    {}", escape(line)).trim_end())?;
    }
    Ok(())
}

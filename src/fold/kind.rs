//! What every kind of decision has: a payload, a description, a rule.

use super::refusal::Stop;
use super::scene::Scene;
use crate::model::{ChainDigest, Code, ProposalDigest, PublicKey, RowDigest, RowKey, Table};
use serde::{Serialize, de::DeserializeOwned};
use std::borrow::Cow;

/// Families of kinds, as policy names them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Family {
    /// Members, policy, the space itself.
    Charter,
    /// Aliases.
    Names,
    /// Groups, redirects, forks.
    Equivalence,
    /// Layers over what others own.
    Overlays,
    /// Bytes that are published, and withdrawn.
    Artifacts,
    /// Who numbers.
    Pen,
}

impl Family {
    /// Every family.
    pub const ALL: &'static [Family] = &[
        Family::Charter,
        Family::Names,
        Family::Equivalence,
        Family::Overlays,
        Family::Artifacts,
        Family::Pen,
    ];

    /// Its word in a policy row's scope.
    pub fn as_str(self) -> &'static str {
        match self {
            Family::Charter => "charter",
            Family::Names => "names",
            Family::Equivalence => "equivalence",
            Family::Overlays => "overlays",
            Family::Artifacts => "artifacts",
            Family::Pen => "pen",
        }
    }
}

/// One field of a payload, for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    /// Its name in JSON.
    pub name: &'static str,
    /// Its shape.
    pub shape: &'static str,
    /// What it means.
    pub about: &'static str,
}

/// The field that most kinds have.
pub const WAS: Field = Field {
    name: "was",
    shape: "row digest, left out when there is no such row",
    about: "the row it replaces or removes; filled in for you",
};

/// Where a decision stands.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    /// Its proposal.
    pub proposal: ProposalDigest,
    /// Its index there, from 0.
    pub index: u64,
    /// The key that signed the proposal.
    pub author: PublicKey,
    /// The chain digest of the page before the one that it is judged for.
    pub after: ChainDigest,
}

/// A kind of decision. The implementing type is its payload.
pub trait Kind: Serialize + DeserializeOwned + Clone {
    /// The word in the field `op`.
    const OP: &'static str;
    /// The family it belongs to.
    const FAMILY: Family;
    /// What it decides, and its rule, in a few sentences.
    const ABOUT: &'static str;
    /// Its fields, sorted by name, without `op`.
    const FIELDS: &'static [Field];
    /// Codes its rule refuses with, besides those that every kind can be refused with.
    const CODES: &'static [Code];
    /// Whether its rule asks where it stands. What the others do can be drafted before there is a proposal.
    const PLACED: bool = false;

    /// An example for the manual and the golden vectors.
    fn example() -> Self;

    /// What policy prefixes are compared with: every name the decision disposes of. Each of them needs
    /// authority, else a protected name could be bound from the other side.
    fn policy_keys(&self) -> Vec<Cow<'_, str>>;

    /// The row that `was` is about, if the kind has a `was`.
    fn guarded(&self) -> Option<(Table, RowKey)> {
        None
    }

    /// The field `was`, if the kind has one.
    fn was_mut(&mut self) -> Option<&mut Option<RowDigest>> {
        None
    }

    /// Whether something it relies on was left out where people wrote it; see [`Kind::rely`].
    fn unfilled(&self) -> bool {
        false
    }

    /// Fills in what the decision relies on besides `was`, from the state it is drafted on.
    fn rely(&mut self, _scene: &Scene<'_>) -> Result<(), Stop> {
        Ok(())
    }

    /// Checks what needs no state.
    fn validate(&self) -> Result<(), Stop> {
        Ok(())
    }

    /// Judges the decision on the scene and makes its changes there.
    fn apply(&self, scene: &mut Scene<'_>, place: Place) -> Result<(), Stop>;
}

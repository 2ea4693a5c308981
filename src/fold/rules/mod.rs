//! One file per kind of decision: payload, validation, rule, tests.

mod alias_drop;
mod alias_set;
mod artifact_publish;
mod artifact_restore;
mod artifact_tombstone;
mod bind;
mod distinct;
mod distinct_drop;
mod fork;
mod member_add;
mod member_remove;
mod member_rotate;
mod merge;
mod overlay_add;
mod overlay_drop;
mod overlay_rebase;
mod pen_release;
mod pen_take;
mod pin;
mod policy_set;
mod roster;
mod space_describe;
mod space_found;
#[cfg(test)]
mod testing;
mod unbind;
mod unmerge;
mod unpin;
mod witness_appoint;
mod witness_retire;

pub use alias_drop::AliasDrop;
pub use alias_set::AliasSet;
pub use artifact_publish::ArtifactPublish;
pub use artifact_restore::ArtifactRestore;
pub use artifact_tombstone::ArtifactTombstone;
pub use bind::Bind;
pub use distinct::Distinct;
pub use distinct_drop::DistinctDrop;
pub use fork::Fork;
pub use member_add::MemberAdd;
pub use member_remove::MemberRemove;
pub use member_rotate::MemberRotate;
pub use merge::Merge;
pub use overlay_add::{OverlayAdd, stack as overlay_stack};
pub use overlay_drop::{Ending, OverlayDrop};
pub use overlay_rebase::OverlayRebase;
pub use pen_release::PenRelease;
pub use pen_take::{PenTake, TakeFrom};
pub use pin::Pin;
pub use policy_set::PolicySet;
pub use space_describe::SpaceDescribe;
pub use space_found::{Person, SpaceFound};
pub use unbind::Unbind;
pub use unmerge::Unmerge;
pub use unpin::Unpin;
pub use witness_appoint::WitnessAppoint;
pub use witness_retire::WitnessRetire;

use super::kind::{Family, Field, Kind, Place, WAS};
use super::refusal::Stop;
use super::scene::{Guard, Scene};
use crate::model::rows::TableRow;
use crate::model::{Code, Name, RowDigest, RowKey};
use std::borrow::Cow;

/// A name in an example.
fn example_name(text: &str) -> Name {
    Name::new(text).expect("examples are valid names")
}

/// Stands where people left out a name that is filled in for them. In a signed line it cannot be left
/// out: encoding would add it, and the line would not be canonical.
fn unfilled() -> Name {
    example_name("?")
}

/// Refuses two equal names.
fn require_two(a: &Name, b: &Name) -> Result<(), Stop> {
    if a == b {
        return Stop::refuse(
            Code::SelfReference,
            format!("expected two names, found `{a}` twice"),
        );
    }
    Ok(())
}

/// Removes both half-rows of a pair, where the one of `a` is what it replaces.
fn remove_both_ways<R: TableRow>(
    scene: &mut Scene<'_>,
    a: &Name,
    b: &Name,
    was: Option<RowDigest>,
) -> Result<(), Stop> {
    let forth = RowKey::pair(a.as_str(), b.as_str());
    if let Guard::Replaces(_) = scene.guard::<R>(&forth, was, None)? {
        scene.remove::<R>(forth);
        scene.remove::<R>(RowKey::pair(b.as_str(), a.as_str()));
    }
    Ok(())
}

//! What another repository shows, and what this one makes of it. Nothing here reads from the network: the
//! objects have been brought into the store before, and lie below refs that no reader looks at.
//!
//! ```text
//! shown -> course (verify what is new on main) -> settle -> one change of refs
//!       -> branches (three-way, ref by ref)    -> outgoing: what the other side lacks
//! ```
//!
//! `main` follows only pages that are verified and that stand on its own newest page. Two children of one page
//! are never chosen between by number or epoch: see [`takeover`].

mod apply;
pub mod branches;
pub mod course;
pub mod outgoing;
pub mod peer;
pub mod receive;
pub mod settle;
pub mod settled;
pub mod takeover;

use super::refs;
use crate::model::Oid;
use std::collections::BTreeMap;

/// Refs by their full name, as one repository has or had them.
pub type RefMap = BTreeMap<String, Oid>;

/// Whether a ref of that name travels between repositories: the closed list of the format.
pub fn travels(name: &str) -> bool {
    name == refs::MAIN
        || [refs::PROPOSALS, refs::REVIEWS, refs::PENS]
            .iter()
            .any(|prefix| {
                name.strip_prefix(prefix)
                    .is_some_and(|rest| !rest.is_empty())
            })
            && refs::is_exact(name)
}

//! Caught red-handed: small files that show somebody else what was seen, and the check of them, which
//! needs neither the space nor trust in the sender.
//!
//! What a page is follows from its bytes: parents, trees and the state before are named by their hashes
//! in what its signer signed. So nobody who puts a file together can choose what an honest page stands
//! on; they can only leave objects out. A check that misses one accuses nobody.

mod chain;
mod culprit;
mod finding;
mod make;
mod pages;
mod recording;
mod signed;

pub use crate::codec::evidence::{Claim, Evidence, EvidenceFault, Part};
pub use culprit::culprit;
pub use finding::{Finding, Verdict, check};

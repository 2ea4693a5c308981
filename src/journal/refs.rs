//! The refs of a space, by full name. Fixed depth, closed list, ASCII parts.

use super::fault::Fault;
use crate::model::{Code, Handle, ProposalDigest, Slug};

/// The numbered snapshots.
pub const MAIN: &str = "refs/heads/main";
/// Below it: `<author>/<slug>`.
pub const PROPOSALS: &str = "refs/heads/proposals/";
/// Below it: `<reviewer>/<proposal12>`.
pub const REVIEWS: &str = "refs/heads/reviews/";

/// The ref of a proposal.
pub fn proposal(author: &Handle, slug: &Slug) -> String {
    format!("{PROPOSALS}{author}/{slug}")
}

/// The ref of a review.
pub fn review(reviewer: &Handle, proposal: &ProposalDigest) -> String {
    format!("{REVIEWS}{reviewer}/{}", proposal.short())
}

/// Author and slug of a proposal's ref.
pub fn parse_proposal(name: &str) -> Result<(Handle, Slug), Fault> {
    let wrong = || {
        Fault::new(
            Code::RefInvalid,
            format!("expected {PROPOSALS}<author>/<slug>, found {name}"),
        )
    };
    let rest = name.strip_prefix(PROPOSALS).ok_or_else(wrong)?;
    let (author, slug) = rest.split_once('/').ok_or_else(wrong)?;
    let author = Handle::new(author).map_err(|_| wrong())?;
    let slug = Slug::new(slug).map_err(|_| wrong())?;
    Ok((author, slug))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depth_and_characters_are_fixed() {
        let (author, slug) = parse_proposal("refs/heads/proposals/alice/kyiv-2").unwrap();
        assert_eq!(
            proposal(&author, &slug),
            "refs/heads/proposals/alice/kyiv-2"
        );
        for bad in [
            "refs/heads/proposals/alice",
            "refs/heads/proposals/a/b/c",
            "refs/heads/proposals/A/b",
            "refs/heads/main",
        ] {
            assert_eq!(
                parse_proposal(bad).unwrap_err().code,
                Code::RefInvalid,
                "{bad}"
            );
        }
    }
}

//! The refs of a space, by full name. Fixed depth, closed list, ASCII parts.

use super::fault::Fault;
use crate::model::{Code, Handle, ProposalDigest, Slug};

/// The numbered snapshots.
pub const MAIN: &str = "refs/heads/main";
/// Below it: `<author>/<slug>`.
pub const PROPOSALS: &str = "refs/heads/proposals/";
/// Below it: `<reviewer>/<proposal12>`.
pub const REVIEWS: &str = "refs/heads/reviews/";

/// Below it: `<witness>`, a sign of life.
pub const PENS: &str = "refs/heads/pen/";
/// Below it: `<author>`, what needs no order.
pub const EVENTUAL: &str = "refs/heads/eventual/";
/// Below it: artifacts that leave the space.
pub const ARTIFACTS: &str = "refs/artifacts/";
/// Below it: what is nobody else's business.
pub const LOCAL: &str = "refs/folio/";

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

/// Reviewer and the 12 digits of the proposal of a review's ref.
pub fn parse_review(name: &str) -> Result<(Handle, String), Fault> {
    let wrong = || {
        Fault::new(
            Code::RefInvalid,
            format!("expected {REVIEWS}<reviewer>/<proposal12>, found {name}"),
        )
    };
    let rest = name.strip_prefix(REVIEWS).ok_or_else(wrong)?;
    let (reviewer, short) = rest.split_once('/').ok_or_else(wrong)?;
    let reviewer = Handle::new(reviewer).map_err(|_| wrong())?;
    let digit = |b: u8| matches!(b, b'0'..=b'9' | b'a'..=b'f');
    match short.len() == 12 && short.bytes().all(digit) {
        true => Ok((reviewer, short.to_owned())),
        false => Err(wrong()),
    }
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
        let (reviewer, short) = parse_review("refs/heads/reviews/bob/0123456789ab").unwrap();
        assert_eq!((reviewer.as_str(), &*short), ("bob", "0123456789ab"));
        for bad in [
            "bob",
            "bob/0123456789a",
            "bob/0123456789AB",
            "b/0123456789ab/c",
        ] {
            let fault = parse_review(&format!("{REVIEWS}{bad}")).unwrap_err();
            assert_eq!(fault.code, Code::RefInvalid, "{bad}");
        }
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

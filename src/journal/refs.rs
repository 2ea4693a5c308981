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
/// The sheets of the published artifacts: where their bytes are.
pub const CATALOG: &str = "refs/artifacts/catalog";
/// The blocks of the published artifacts. Its only parent is the catalog.
pub const PUBLISHED: &str = "refs/artifacts/published";
/// Below it: `<author>/<slug>`, the bytes that go with the proposal of that name.
pub const OFFERED: &str = "refs/artifacts/offered/";
/// Below it: what is nobody else's business.
pub const LOCAL: &str = "refs/folio/";

/// The pages that this repository saw at home when it last asked: they are final. Never leaves it.
pub const HOME: &str = "refs/folio/home";
/// The snapshot that asking commands stand on. Never leaves this repository.
pub const PIN: &str = "refs/folio/pin";
/// Below it, by chain digest: pages that an approved take-over cut off. Never leaves this repository.
pub const LOST: &str = "refs/folio/lost/";
/// Below it, by chain digest: another child of a page that is here. Never leaves this repository.
pub const OTHER: &str = "refs/folio/other/";
/// Below it, by commit: branches of ours that gave way to a newer version from elsewhere. Never leaves this repository.
pub const REPLACED: &str = "refs/folio/replaced/";
/// Below it, by remote: what was brought and is not yet believed. Never leaves this repository.
pub const INCOMING: &str = "refs/folio/incoming/";
/// Below it, by remote: what a remote had when it was last looked at. Never leaves this repository.
pub const REMOTES: &str = "refs/folio/remotes/";

/// Below it, by remote: where artifacts are over there, as it says. Never leaves this repository.
pub const ELSEWHERE: &str = "refs/folio/artifacts/";

/// Whether a name below proposals, reviews or pens has the fixed depth and the characters of its kind, or is
/// `main`.
pub fn is_exact(name: &str) -> bool {
    let parts = |rest: &str| {
        rest.split('/')
            .map(|part| Handle::new(part).is_ok())
            .collect::<Vec<_>>()
    };
    if name == MAIN {
        return true;
    }
    if let Some(rest) = name.strip_prefix(PENS) {
        return parts(rest) == [true];
    }
    [PROPOSALS, REVIEWS]
        .iter()
        .filter_map(|prefix| name.strip_prefix(prefix))
        .any(|rest| parts(rest) == [true, true])
}

/// The local ref for the catalog of a remote.
pub fn catalog_of(remote: &str) -> String {
    format!("{ELSEWHERE}{remote}/catalog")
}

/// The local ref for the catalog that a remote was sent last.
pub fn sent_to(remote: &str) -> String {
    format!("{ELSEWHERE}{remote}/sent")
}

/// The local ref for all that a remote publishes, where it comes whole.
pub fn placement_of(remote: &str) -> String {
    format!("{ELSEWHERE}{remote}/published")
}

/// The ref of a proposal.
pub fn proposal(author: &Handle, slug: &Slug) -> String {
    format!("{PROPOSALS}{author}/{slug}")
}

/// The ref of a review.
pub fn review(reviewer: &Handle, proposal: &ProposalDigest) -> String {
    format!("{REVIEWS}{reviewer}/{}", proposal.short())
}

/// The ref of a witness's heartbeat.
pub fn heartbeat(witness: &Handle) -> String {
    format!("{PENS}{witness}")
}

/// The ref of the bytes that go with a proposal.
pub fn offer(author: &Handle, slug: &Slug) -> String {
    format!("{OFFERED}{author}/{slug}")
}

/// Author and slug of a proposal's ref.
pub fn parse_proposal(name: &str) -> Result<(Handle, Slug), Fault> {
    parse_authored(PROPOSALS, name)
}

/// Author and slug of the proposal that an offer goes with.
pub fn parse_offer(name: &str) -> Result<(Handle, Slug), Fault> {
    parse_authored(OFFERED, name)
}

/// The parts of a name below a prefix, where they are an author and a slug.
fn parse_authored(prefix: &str, name: &str) -> Result<(Handle, Slug), Fault> {
    let wrong = || {
        Fault::new(
            Code::RefInvalid,
            format!("expected {prefix}<author>/<slug>, found {name}"),
        )
    };
    let rest = name.strip_prefix(prefix).ok_or_else(wrong)?;
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
        let offered = offer(&author, &slug);
        assert_eq!(offered, "refs/artifacts/offered/alice/kyiv-2");
        assert_eq!(parse_offer(&offered).unwrap(), (author, slug));
        assert!(parse_offer("refs/artifacts/offered/alice").is_err());
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

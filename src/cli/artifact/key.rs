//! Naming an artifact: its key, or the beginning of it.

use crate::artifact::Shelves;
use crate::cli::error::Problem;
use crate::cli::ui::escape;
use crate::model::{Code, ContentDigest};

/// Fewest digits that name an artifact.
const DIGITS: usize = 6;

/// The artifact that is named; a whole key need not be here.
pub fn named(shelves: &Shelves, text: &str) -> anyhow::Result<ContentDigest> {
    let digits = text.to_ascii_lowercase();
    if let Ok(key) = digits.parse() {
        return Ok(key);
    }
    let is_hex = digits.bytes().all(|b| b.is_ascii_hexdigit());
    if !is_hex || !(DIGITS..64).contains(&digits.len()) {
        let what = format!(
            "expected a key or {DIGITS} or more digits of one, found `{}`",
            escape(text)
        );
        return Err(Problem::new(Code::BadRequest, what)
            .hint("`folio artifact ls` lists the keys that are here")
            .into());
    }
    match shelves.starting_with(&digits, 2)?[..] {
        [] => {
            let what = format!("no artifact here has a key that starts with {digits}");
            Err(Problem::new(Code::NotFound, what)
                .hint("`folio artifact ls` lists the keys that are here")
                .into())
        }
        [key] => Ok(key),
        ref several => {
            let words: Vec<String> = several.iter().map(ContentDigest::to_hex).collect();
            let what = format!("several keys start with {digits}: {}", words.join(", "));
            Err(Problem::new(Code::BadRequest, what)
                .hint("give more digits")
                .into())
        }
    }
}

/// A part of an artifact: `A..B`, counted from 0, B left out; either may be missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// The first byte.
    pub from: u64,
    /// The byte after the last one.
    pub to: u64,
}

/// Reads a span as clap asks for it.
pub fn span(text: &str) -> Result<Span, String> {
    let parse = |part: &str, missing| match part {
        "" => Some(missing),
        digits => digits.parse().ok(),
    };
    let parts = text.split_once("..");
    let span = parts.and_then(|(from, to)| {
        let (from, to) = (parse(from, 0)?, parse(to, u64::MAX)?);
        (from <= to).then_some(Span { from, to })
    });
    span.ok_or_else(|| "expected `A..B` with A <= B, bytes counted from 0".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_have_two_ends() {
        let of = |from, to| Ok(Span { from, to });
        assert_eq!(span("3..10"), of(3, 10));
        assert_eq!(span("3.."), of(3, u64::MAX));
        assert_eq!(span("..10"), of(0, 10));
        for bad in ["", "3", "10..3", "a..b", "-1..2", "1..2..3"] {
            assert!(span(bad).is_err(), "{bad}");
        }
    }
}

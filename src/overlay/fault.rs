//! Why layers cannot be laid or merged.

use crate::model::Code;
use std::fmt;

/// Why a patch, a stack or a merge came to nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OverlayFault {
    /// `patch-malformed`, `patch-fails` or `too-large`.
    pub code: Code,
    /// What was expected and found.
    pub what: String,
    /// The hunk that it is about, counted from 1.
    pub hunk: Option<usize>,
}

impl OverlayFault {
    /// A fault with words.
    pub fn new(code: Code, what: impl Into<String>) -> Self {
        Self {
            code,
            what: what.into(),
            hunk: None,
        }
    }

    /// A fault of one hunk.
    pub(super) fn at(hunk: usize, code: Code, what: impl Into<String>) -> Self {
        Self {
            hunk: Some(hunk),
            ..Self::new(code, what)
        }
    }
}

impl fmt::Display for OverlayFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl std::error::Error for OverlayFault {}

//! A refusal is a result with a stable code, not a panic and not a silent drop.

use super::view::ViewFault;
use crate::codec::json::JsonFault;
use crate::model::Code;
use std::fmt;

/// Why a proposal is not acceptable on a state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Stable code.
    pub code: Code,
    /// What was expected and found.
    pub what: String,
    /// Which decision of the proposal, counted from 0, where one is to blame.
    pub decision: Option<usize>,
}

impl Refusal {
    /// A refusal with words.
    pub fn new(code: Code, what: impl Into<String>) -> Self {
        Self {
            code,
            what: what.into(),
            decision: None,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(index) = self.decision {
            write!(f, "decision {}: ", index + 1)?;
        }
        write!(f, "{}: {}", self.code, self.what)
    }
}

impl std::error::Error for Refusal {}

/// Why a rule ended early.
#[derive(Debug, Clone)]
pub enum Stop {
    /// The decision is not acceptable.
    Refused(Refusal),
    /// The state could not be read.
    Broken(ViewFault),
}

impl Stop {
    /// A refusal with words, ready for `return Err(...)`.
    pub fn refuse<T>(code: Code, what: impl Into<String>) -> Result<T, Stop> {
        Err(Stop::Refused(Refusal::new(code, what)))
    }

    /// The stable code.
    pub fn code(&self) -> Code {
        match self {
            Stop::Refused(refusal) => refusal.code,
            Stop::Broken(fault) => fault.code,
        }
    }

    /// Says which decision it was, where that is not yet said.
    pub(crate) fn at(self, index: usize) -> Self {
        match self {
            Stop::Refused(mut refusal) => {
                refusal.decision.get_or_insert(index);
                Stop::Refused(refusal)
            }
            broken => broken,
        }
    }
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Stop::Refused(refusal) => refusal.fmt(f),
            Stop::Broken(fault) => fault.fmt(f),
        }
    }
}

impl std::error::Error for Stop {}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Stop::Refused(refusal)
    }
}

impl From<ViewFault> for Stop {
    fn from(fault: ViewFault) -> Self {
        // A subject that is too large to read is a property of the state that a decision ran into.
        match fault.code {
            Code::SubjectTooLarge => Stop::Refused(Refusal::new(fault.code, fault.what)),
            _ => Stop::Broken(fault),
        }
    }
}

impl From<JsonFault> for Stop {
    fn from(fault: JsonFault) -> Self {
        Stop::Broken(ViewFault {
            code: Code::TreeMalformed,
            what: fault.to_string(),
        })
    }
}

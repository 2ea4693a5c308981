//! Why something in the journal is not what it should be.

use crate::codec::commit::CommitFault;
use crate::codec::json::JsonFault;
use crate::codec::message::MessageFault;
use crate::crypto::SignFault;
use crate::crypto::sshsig::SigFault;
use crate::fold::{Refusal, Stop};
use crate::model::{Code, Number, Oid};
use crate::state::StateFault;
use crate::store::StoreFault;
use std::fmt;

/// A stable code, words with expected and found, and where it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Stable code.
    pub code: Code,
    /// What was expected and found.
    pub what: String,
    /// The snapshot it is about.
    pub number: Option<Number>,
    /// The commit it is about.
    pub commit: Option<Oid>,
}

impl Fault {
    /// A fault with words.
    pub fn new(code: Code, what: impl Into<String>) -> Self {
        Self {
            code,
            what: what.into(),
            number: None,
            commit: None,
        }
    }

    /// A fault that compares two values.
    pub fn differs(
        code: Code,
        what: &str,
        expected: impl fmt::Display,
        found: impl fmt::Display,
    ) -> Self {
        Self::new(code, format!("{what}: expected {expected}, found {found}"))
    }

    /// Whether it says something about the machine rather than about the journal.
    pub fn is_environment(&self) -> bool {
        matches!(
            self.code,
            Code::Io | Code::Busy | Code::RaceLost | Code::Unsupported
        )
    }

    /// Whether it says that the repository is damaged rather than what a proposal is worth.
    pub fn is_damage(&self) -> bool {
        matches!(
            self.code,
            Code::TreeMalformed | Code::ObjectMissing | Code::ObjectDamaged
        )
    }

    /// Says which commit, where that is not yet said.
    #[must_use]
    pub fn in_commit(mut self, id: Oid) -> Self {
        self.commit.get_or_insert(id);
        self
    }

    /// Says which snapshot, where that is not yet said.
    #[must_use]
    pub fn at(mut self, number: Number) -> Self {
        self.number.get_or_insert(number);
        self
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(number) = self.number {
            write!(f, "common@{number}: ")?;
        }
        write!(f, "{}: {}", self.code, self.what)?;
        if let Some(commit) = self.commit {
            write!(f, " (commit {})", commit.short())?;
        }
        Ok(())
    }
}

impl std::error::Error for Fault {}

macro_rules! from_coded {
    ($($type:ty),*) => {$(
        impl From<$type> for Fault {
            fn from(fault: $type) -> Self {
                Fault::new(fault.code, fault.what)
            }
        }
    )*};
}

from_coded!(
    CommitFault,
    JsonFault,
    MessageFault,
    SigFault,
    StateFault,
    StoreFault
);

impl From<SignFault> for Fault {
    fn from(fault: SignFault) -> Self {
        Fault::new(Code::KeyUnusable, fault.to_string())
    }
}

impl From<Refusal> for Fault {
    fn from(refusal: Refusal) -> Self {
        let what = match refusal.decision {
            Some(index) => format!("decision {}: {}", index + 1, refusal.what),
            None => refusal.what,
        };
        Fault::new(refusal.code, what)
    }
}

impl From<Stop> for Fault {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Refused(refusal) => refusal.into(),
            Stop::Broken(fault) => Fault::new(fault.code, fault.what),
        }
    }
}

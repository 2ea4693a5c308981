//! Why artifacts could not be read or written.

use crate::codec::commit::CommitFault;
use crate::codec::manifest::{ManifestFault, PathFault};
use crate::codec::message::MessageFault;
use crate::codec::sheet::SheetFault;
use crate::crypto::SignFault;
use crate::journal::Fault;
use crate::model::Code;
use crate::store::StoreFault;
use std::{fmt, io};

/// A stable code and words with expected and found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArtifactFault {
    /// `artifact-damaged`, `sheet-malformed`, `not-found`, `too-large`, and those of the store.
    pub code: Code,
    /// What was expected and found; for damage the key, the block and where in the artifact.
    pub what: String,
}

impl ArtifactFault {
    /// A fault with words.
    pub fn new(code: Code, what: impl Into<String>) -> Self {
        let what = what.into();
        Self { code, what }
    }

    /// What a reader or writer of bytes failed with. A fault that passed through one comes back as it was.
    pub fn from_io(tried: &str, error: io::Error) -> Self {
        let inner = error
            .get_ref()
            .and_then(|inner| inner.downcast_ref::<Self>());
        match inner {
            Some(fault) => fault.clone(),
            None => Self::new(Code::Io, format!("cannot {tried}: {error}")),
        }
    }
}

impl fmt::Display for ArtifactFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl std::error::Error for ArtifactFault {}

impl From<ArtifactFault> for io::Error {
    fn from(fault: ArtifactFault) -> Self {
        io::Error::other(fault)
    }
}

macro_rules! from_coded {
    ($($type:ty),*) => {$(
        impl From<$type> for ArtifactFault {
            fn from(fault: $type) -> Self {
                Self::new(fault.code, fault.what)
            }
        }
    )*};
}

from_coded!(
    StoreFault,
    SheetFault,
    CommitFault,
    MessageFault,
    Fault,
    PathFault
);

impl From<ManifestFault> for ArtifactFault {
    fn from(fault: ManifestFault) -> Self {
        let what = match fault.line {
            0 => fault.what,
            line => format!("line {line} of the manifest: {}", fault.what),
        };
        Self::new(fault.code, what)
    }
}

impl From<SignFault> for ArtifactFault {
    fn from(fault: SignFault) -> Self {
        Self::new(Code::KeyUnusable, fault.to_string())
    }
}

//! Contents of an object that several hold at once.

use std::ops::Deref;
use std::sync::Arc;

/// The contents of an object, or the text of it that others go on reading: cheap to clone.
#[derive(Debug, Clone)]
pub enum Bytes {
    /// Any bytes.
    Raw(Arc<Vec<u8>>),
    /// A text.
    Text(Arc<String>),
}

impl Bytes {
    /// The bytes by themselves: a copy, where somebody else holds them too.
    pub fn into_vec(self) -> Vec<u8> {
        match self {
            Self::Raw(bytes) => Arc::unwrap_or_clone(bytes),
            Self::Text(text) => Arc::unwrap_or_clone(text).into_bytes(),
        }
    }
}

impl Deref for Bytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Raw(bytes) => bytes,
            Self::Text(text) => text.as_bytes(),
        }
    }
}

impl From<Vec<u8>> for Bytes {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Raw(Arc::new(bytes))
    }
}

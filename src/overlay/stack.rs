//! A stack of layers over a base, laid one by one from the lowest.

use super::{LayerKind, Moved, OverlayFault, Patch, bounded};

/// Why the bytes of a layer are not used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Absent {
    /// The patch was withdrawn by a decision.
    Withdrawn,
    /// The bytes are not here.
    Missing,
}

/// What became of a layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Laid {
    /// It applies; hunks that went elsewhere than they say are named.
    Applied(Vec<Moved>),
    /// It does not apply to what lies below it.
    Fails(OverlayFault),
    /// It has no bytes to apply.
    Absent(Absent),
    /// A diff, and what lies below it is not known: no base was given, or a layer below cannot be used.
    Unknown,
}

/// What lies below the next layer.
#[derive(Debug)]
enum Below {
    Bytes(Vec<u8>),
    /// No base was given.
    Nothing,
    /// A layer could not be used.
    Broken,
}

/// A stack that grows upwards.
#[derive(Debug)]
pub struct Stack {
    below: Below,
    skip: bool,
}

impl Stack {
    /// A stack on these bytes, or on none. With `skip`, layers that cannot be used are left out.
    ///
    /// # Errors
    /// `too-large`.
    pub fn new(base: Option<Vec<u8>>, skip: bool) -> Result<Self, OverlayFault> {
        let below = match base {
            Some(bytes) => {
                bounded("the base", &bytes)?;
                Below::Bytes(bytes)
            }
            None => Below::Nothing,
        };
        Ok(Self { below, skip })
    }

    /// Lays the next layer.
    pub fn lay(&mut self, layer: Result<(LayerKind, &[u8]), Absent>) -> Laid {
        let laid = match layer {
            Err(absent) => Laid::Absent(absent),
            Ok((LayerKind::Whole, bytes)) => match bounded("the layer", bytes) {
                Ok(()) => {
                    self.below = Below::Bytes(bytes.to_vec());
                    Laid::Applied(Vec::new())
                }
                Err(fault) => Laid::Fails(fault),
            },
            Ok((LayerKind::Diff, bytes)) => self.lay_diff(bytes),
        };
        let used = matches!(laid, Laid::Applied(_) | Laid::Unknown);
        if !used && !self.skip {
            self.below = Below::Broken;
        }
        laid
    }

    fn lay_diff(&mut self, bytes: &[u8]) -> Laid {
        let Below::Bytes(below) = &self.below else {
            return Laid::Unknown;
        };
        match Patch::parse(bytes).and_then(|patch| patch.apply(below)) {
            Ok(applied) => {
                self.below = Below::Bytes(applied.bytes);
                Laid::Applied(applied.moved)
            }
            Err(fault) => Laid::Fails(fault),
        }
    }

    /// The bytes on top; `None` where there was nothing to begin with, or where a layer could not be used.
    pub fn top(self) -> Option<Vec<u8>> {
        match self.below {
            Below::Bytes(bytes) => Some(bytes),
            Below::Nothing | Below::Broken => None,
        }
    }
}

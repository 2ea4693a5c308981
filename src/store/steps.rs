//! Where a test may stop the world.

use super::StoreFault;
use std::fmt;

/// Asked before each step that changes the disk, and once more after the last. In a test it can
/// refuse, and so stop an operation exactly there.
pub trait Steps: Send + Sync {
    /// May the step of that name be taken?
    ///
    /// # Errors
    /// The fault to end the operation with.
    fn step(&self, name: &'static str) -> Result<(), StoreFault>;

    /// Whether the process is to be thought of as killed: nothing is cleaned up any more.
    fn dead(&self) -> bool {
        false
    }
}

impl fmt::Debug for dyn Steps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Steps")
    }
}

/// Takes every step.
#[derive(Debug, Clone, Copy, Default)]
pub struct EveryStep;

impl Steps for EveryStep {
    fn step(&self, _name: &'static str) -> Result<(), StoreFault> {
        Ok(())
    }
}

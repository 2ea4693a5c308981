//! What files of refs will hold: written ahead, so that whoever waits for the disk waits for these along with others.

use super::clear::WithoutThem;
use super::lock::Ready;
use std::sync::{Mutex, MutexGuard};

/// What was foretold and is yet to come. Shared by all handles; what does not come to pass goes with the last of them.
#[derive(Default)]
pub(super) struct Foretold(Mutex<Slots>);

/// One of each kind at a time: what is foretold later takes the place of what did not come to pass.
#[derive(Default)]
pub(super) struct Slots {
    /// What a ref will point to.
    pub(super) moved: Option<Ready>,
    /// What `packed-refs` will hold.
    pub(super) without: Option<WithoutThem>,
}

impl Foretold {
    pub(super) fn lock(&self) -> MutexGuard<'_, Slots> {
        self.0.lock().expect("nothing panics while it is held")
    }
}

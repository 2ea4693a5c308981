//! The pipeline: propose, verify, order, accept, replay. No git in it: objects and refs are traits.
//!
//! ```text
//! intent -> propose -> seal -> verify -> order -> fold -> commit -> publish
//! replay: history   -> verify -> order -> fold         (the same functions; law: replay == live)
//! ```

pub mod accept;
pub mod check;
pub mod evidence;
pub mod fault;
pub mod found;
pub mod gate;
pub mod heartbeat;
pub mod history;
pub mod judge;
pub mod kept;
pub mod memory;
mod numbered;
pub mod order;
pub mod page;
pub mod pages;
pub mod pen;
pub mod proposal;
pub mod propose;
pub mod queue;
pub mod reconcile;
pub mod refs;
pub mod replay;
pub mod review;
pub mod shelf;
pub mod space;
pub mod tally;
mod tidy;
pub mod verify;

pub use fault::Fault;
pub use page::Page;
pub use space::Space;

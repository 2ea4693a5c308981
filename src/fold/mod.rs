//! The fold: the pure function `(state, proposal) -> changes or refusal`.
//!
//! It reads no clock, no environment, no order that chance made, and not the proposal's base. Rules read
//! rows through a [`View`] and write them to a [`Scene`]; validation comes before any change, and
//! applying cannot fail.

pub mod apply;
pub mod artifacts;
pub mod cosign;
pub mod decision;
pub mod graph;
pub mod growing;
pub mod kind;
pub mod memo;
pub mod policy;
pub mod refusal;
pub mod rules;
pub mod scene;
pub mod steps;
pub mod view;

pub use apply::{Outcome, Submission, Vote, fold};
pub use decision::Decision;
pub use growing::GrowingView;
pub use kind::{Family, Kind};
pub use memo::{Memo, Version};
pub use refusal::{Refusal, Stop};
pub use scene::Scene;
pub use steps::Steps;
pub use view::{MemoryView, View, ViewFault};

//! The order of a queue: the witness's own choice, verified by nobody, but the same for everybody who
//! runs this program on the same queue.

use super::proposal::Proposal;
use std::collections::BTreeMap;

/// Round-robin by author, and among one author's by base, then digest. `author` tells whose a proposal is.
pub fn round_robin<T>(
    candidates: Vec<T>,
    author: impl Fn(&T) -> String,
    proposal: impl Fn(&T) -> &Proposal,
) -> Vec<T> {
    let mut by_author: BTreeMap<String, Vec<T>> = BTreeMap::new();
    for candidate in candidates {
        by_author
            .entry(author(&candidate))
            .or_default()
            .push(candidate);
    }
    let mut turns: Vec<_> = by_author
        .into_values()
        .map(|mut own| {
            own.sort_by_key(|c| (proposal(c).base().number, proposal(c).digest()));
            own.into_iter()
        })
        .collect();
    let mut ordered = Vec::new();
    loop {
        let before = ordered.len();
        ordered.extend(turns.iter_mut().filter_map(Iterator::next));
        if ordered.len() == before {
            return ordered;
        }
    }
}

//! Where an id stands in a sorted list of ids that is in memory. Of a list in a file, [`Ids`](crate::store::pack::Ids) reads
//! the neighbourhood of the place at once instead.

use std::cmp::Ordering;

/// Looks before somebody else has to find out.
const LOOKS: usize = 12;

/// What a few looks told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// It stands there, counted from 0.
    At(u32),
    /// It is not in the list.
    Nowhere,
    /// They were too few: somebody may have chosen objects for their ids.
    Unsure,
}

/// Looks for an id of at least 8 bytes among `len` sorted ones. Hashes are spread evenly, so each look tells about where the
/// next one has to be; halving a long list each time takes three times as many looks, each at memory that nobody was at.
pub(super) fn find<'i>(wanted: &[u8], len: u32, id_at: impl Fn(u32) -> &'i [u8]) -> Found {
    let (mut from, mut to) = (0, len);
    let (mut low, mut high) = (0, u64::MAX);
    for _ in 0..LOOKS {
        if from == to {
            return Found::Nowhere;
        }
        // In a damaged list, the ones may be above the others.
        let span = u128::from(high.saturating_sub(low)).max(1);
        let part = u128::from(leading(wanted).saturating_sub(low)) * u128::from(to - from) / span;
        let at = from + u32::try_from(part).unwrap_or(u32::MAX).min(to - from - 1);
        let id = id_at(at);
        match wanted.cmp(id) {
            Ordering::Equal => return Found::At(at),
            Ordering::Less => (to, high) = (at, leading(id)),
            Ordering::Greater => (from, low) = (at + 1, leading(id)),
        }
    }
    Found::Unsure
}

/// The first bytes of an id, as a number that sorts as they do.
fn leading(id: &[u8]) -> u64 {
    u64::from_be_bytes(*id.first_chunk().expect("an id has 20 bytes or more"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    type Id = [u8; 9];

    fn found(wanted: &Id, ids: &[Id]) -> Found {
        find(wanted, ids.len() as u32, |at| &ids[at as usize])
    }

    proptest! {
        /// Ids side by side too, as nobody finds them by chance.
        #[test]
        fn it_says_what_halving_says(
            mut ids in prop::collection::vec(any::<Id>(), 0..300),
            side_by_side in prop::collection::vec((0..4u8, any::<u8>()), 0..300),
            others in prop::collection::vec(any::<Id>(), 0..10),
        ) {
            ids.extend(side_by_side.iter().map(|(a, b)| [7, 7, 7, 7, 7, 7, 7, *a, *b]));
            ids.sort_unstable();
            ids.dedup();
            let near = others.iter().map(|id| [7, 7, 7, 7, 7, 7, 7, id[7], id[8]]);
            for wanted in ids.iter().copied().chain(others.iter().copied()).chain(near) {
                match found(&wanted, &ids) {
                    Found::At(at) => prop_assert_eq!(ids[at as usize], wanted),
                    Found::Nowhere => prop_assert!(ids.binary_search(&wanted).is_err()),
                    Found::Unsure => {}
                }
            }
        }

        /// A damaged list is answered somehow.
        #[test]
        fn it_ends_in_any_list(ids in prop::collection::vec(any::<Id>(), 0..100), wanted: Id) {
            if let Found::At(at) = found(&wanted, &ids) {
                prop_assert_eq!(ids[at as usize], wanted);
            }
        }
    }

    #[test]
    fn hashes_are_found_in_a_few_looks() {
        let hash = |n: u32| -> Id {
            blake3::hash(&n.to_le_bytes()).as_bytes()[..9]
                .try_into()
                .unwrap()
        };
        let mut ids: Vec<Id> = (0..100_000).map(hash).collect();
        ids.sort_unstable();
        let sure = |n: u32| match found(&hash(n), &ids) {
            Found::At(at) => ids[at as usize] == hash(n),
            Found::Nowhere => n >= 100_000,
            Found::Unsure => false,
        };
        let asked = 99_000..101_000;
        assert!(asked.clone().filter(|n| sure(*n)).count() * 100 > asked.count() * 99);
    }
}

//! Where an id stands in a sorted list of ids that is in memory. Of a list in a file, [`Ids`](crate::store::pack::Ids) reads
//! the neighbourhood of the place at once instead.

use std::cmp::Ordering;

/// Looks before somebody else has to find out.
const LOOKS: usize = 12;

/// Ids of a part, about.
const EACH: u32 = 8;

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

/// Part of a sorted list of ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Part {
    /// The places that it has, counted from 0.
    from: u32,
    to: u32,
    /// Between which first bytes its ids lie.
    low: u64,
    high: u64,
}

impl Part {
    /// All of a list.
    pub(super) fn all(len: u32) -> Self {
        Self {
            from: 0,
            to: len,
            low: 0,
            high: u64::MAX,
        }
    }
}

/// In how many parts a list falls by the first bits of its ids, and where each begins: spares whoever looks often the first
/// looks, which are at memory that nobody was at.
pub(super) struct Fan {
    /// Bits of the first 8 bytes that do not count.
    shift: u32,
    /// Of each part in its order, and at last the length of the list.
    starts: Vec<u32>,
}

impl Fan {
    /// Goes over all ids of a list.
    pub(super) fn of<'i>(len: u32, id_at: impl Fn(u32) -> &'i [u8]) -> Self {
        let bits = (len / EACH).max(2).ilog2();
        let shift = u64::BITS - bits;
        let mut starts = vec![0; (1 << bits) + 1];
        for at in 0..len {
            starts[(leading(id_at(at)) >> shift) as usize + 1] += 1;
        }
        let mut sum = 0;
        for start in &mut starts {
            sum += *start;
            *start = sum;
        }
        Self { shift, starts }
    }

    /// As an index of packs says it of the first byte: how many ids begin with that or a smaller one. `None` where it cannot
    /// be so.
    pub(super) fn of_first_bytes(upto: &[u32; 256], len: u32) -> Option<Self> {
        let sound = upto.is_sorted() && upto[255] == len;
        let starts = std::iter::once(0).chain(upto.iter().copied());
        sound.then(|| Self {
            shift: u64::BITS - 8,
            starts: starts.collect(),
        })
    }

    /// The part where an id stands, if it is in the list.
    pub(super) fn part(&self, wanted: &[u8]) -> Part {
        let at = leading(wanted) >> self.shift;
        let low = at << self.shift;
        Part {
            from: self.starts[at as usize],
            to: self.starts[at as usize + 1],
            low,
            high: low | ((1 << self.shift) - 1),
        }
    }
}

/// Looks for an id of at least 8 bytes in a part of a sorted list. Hashes are spread evenly, so each look tells about where the
/// next one has to be; halving a long list each time takes three times as many looks, each at memory that nobody was at.
pub(super) fn find<'i>(wanted: &[u8], part: Part, id_at: impl Fn(u32) -> &'i [u8]) -> Found {
    let Part {
        mut from,
        mut to,
        mut low,
        mut high,
    } = part;
    let first = leading(wanted);
    for _ in 0..LOOKS {
        if from == to {
            return Found::Nowhere;
        }
        // In a damaged list, the ones may be above the others.
        let span = u128::from(high.saturating_sub(low)).max(1);
        let part = u128::from(first.saturating_sub(low)) * u128::from(to - from) / span;
        let at = from + u32::try_from(part).unwrap_or(u32::MAX).min(to - from - 1);
        let id = id_at(at);
        let there = leading(id);
        // Nearly all ids differ in their first bytes, which are there as a number.
        match first.cmp(&there).then_with(|| wanted.cmp(id)) {
            Ordering::Equal => return Found::At(at),
            Ordering::Less => (to, high) = (at, there),
            Ordering::Greater => (from, low) = (at + 1, there),
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

    /// In the whole list, and where it is in parts, which have to agree.
    fn found(wanted: &Id, ids: &[Id]) -> Found {
        let (len, id_at) = (ids.len() as u32, |at: u32| ids[at as usize].as_slice());
        let whole = find(wanted, Part::all(len), id_at);
        let fan = Fan::of(len, id_at);
        let part = find(wanted, fan.part(wanted), id_at);
        let upto = |byte: usize| ids.partition_point(|id| usize::from(id[0]) <= byte) as u32;
        if let Some(first) = Fan::of_first_bytes(&std::array::from_fn(upto), len) {
            let first = find(wanted, first.part(wanted), id_at);
            assert!(!ids.is_sorted() || first == part || [first, part].contains(&Found::Unsure));
        }
        let sorted = ids.is_sorted();
        if sorted && whole != Found::Unsure && part != Found::Unsure {
            assert_eq!(whole, part, "{wanted:?}");
        }
        match part {
            Found::At(at) => assert_eq!(ids[at as usize], *wanted),
            Found::Nowhere if sorted => assert!(ids.binary_search(wanted).is_err()),
            _ => {}
        }
        whole
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

    #[test]
    fn what_cannot_be_so_is_no_fan() {
        let mut upto = [9; 256];
        assert!(Fan::of_first_bytes(&upto, 9).is_some());
        assert!(Fan::of_first_bytes(&upto, 8).is_none());
        assert!(Fan::of_first_bytes(&upto, 10).is_none());
        upto[7] = 10;
        assert!(Fan::of_first_bytes(&upto, 9).is_none());
    }

    #[test]
    fn a_fan_spares_looks() {
        let hash = |n: u32| *blake3::hash(&n.to_le_bytes()).as_bytes();
        let mut ids: Vec<_> = (0..100_000).map(hash).collect();
        ids.sort_unstable();
        let (len, looks) = (ids.len() as u32, std::cell::Cell::new(0));
        let id_at = |at: u32| {
            looks.set(looks.get() + 1);
            ids[at as usize].as_slice()
        };
        let fan = Fan::of(len, id_at);
        let count = |part: &dyn Fn(&[u8]) -> Part| {
            looks.set(0);
            for n in 99_000..101_000 {
                find(&hash(n), part(&hash(n)), id_at);
            }
            looks.get()
        };
        let (whole, parts) = (count(&|_| Part::all(len)), count(&|id| fan.part(id)));
        assert!(parts * 3 < whole * 2, "{parts} looks, without it {whole}");
    }
}

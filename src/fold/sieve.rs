//! Which rows were surely never changed. Names begin alike, so that a map of many is slow to search, and most look-ups of
//! a large proposal are for what is not in it.

use crate::model::Table;

/// Fewer subjects than this are not worth it.
const FEW: usize = 64;

/// Bits for each subject when the sieve is made; it is made anew when half of them are left.
const BITS: usize = 16;

/// Odd, and its bits in no order: what hashes are multiplied with.
const SPREAD: u64 = 0x517c_c1b7_2722_0a95;

/// A set of subjects that may say that it holds what it does not, and never the other way round.
#[derive(Debug, Default)]
pub(super) struct Sieve {
    /// As many as a power of two, none while there are few subjects.
    words: Vec<u64>,
    count: usize,
}

impl Sieve {
    /// Puts a subject into it. `all` are those that were put before, for when the sieve has to grow.
    pub(super) fn put<'s>(
        &mut self,
        table: Table,
        subject: &str,
        all: impl Iterator<Item = (Table, &'s str)>,
    ) {
        self.count += 1;
        if self.count >= FEW && self.count * BITS / 2 > self.words.len() * 64 {
            let words = (self.count * BITS / 64).next_power_of_two();
            self.words = vec![0; words];
            for (table, subject) in all {
                self.mark(table, subject);
            }
        }
        self.mark(table, subject);
    }

    /// Whether a subject was put into it, perhaps.
    pub(super) fn may_hold(&self, table: Table, subject: &str) -> bool {
        let Some(bits) = self.bits(table, subject) else {
            return true;
        };
        bits.iter()
            .all(|bit| self.words[bit / 64] >> (bit % 64) & 1 == 1)
    }

    fn mark(&mut self, table: Table, subject: &str) {
        for bit in self.bits(table, subject).into_iter().flatten() {
            self.words[bit / 64] |= 1 << (bit % 64);
        }
    }

    /// The two bits of a subject.
    fn bits(&self, table: Table, subject: &str) -> Option<[usize; 2]> {
        let last = (self.words.len() * 64).checked_sub(1)?;
        let hash = hash(table, subject);
        let bit = |part: u64| part as usize & last;
        Some([bit(hash >> 32), bit(hash)])
    }
}

/// Not for keeping: it decides how long something takes, and nothing else.
fn hash(table: Table, subject: &str) -> u64 {
    let mix = |hash: u64, word: u64| (hash.rotate_left(5) ^ word).wrapping_mul(SPREAD);
    let words = subject.as_bytes().chunks(8).map(|chunk| {
        let mut word = [0; 8];
        word[..chunk.len()].copy_from_slice(chunk);
        u64::from_le_bytes(word)
    });
    let hash = words.fold(table as u64 + 1, mix);
    // The low bits of a product know nothing of the high ones of what was multiplied.
    let hash = (hash ^ hash >> 32).wrapping_mul(SPREAD);
    let hash = (hash ^ hash >> 29).wrapping_mul(SPREAD);
    hash ^ hash >> 32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_put_is_held_and_little_else() {
        let name = |at: usize| format!("registry.example.org/names/{at:08}");
        let names: Vec<String> = (0..5000).map(name).collect();
        let mut sieve = Sieve::default();
        for (at, one) in names.iter().enumerate() {
            let before = names[..at]
                .iter()
                .map(|name| (Table::Aliases, name.as_str()));
            sieve.put(Table::Aliases, one, before);
            let all = [0, at / 2, at];
            assert!(
                all.iter()
                    .all(|at| sieve.may_hold(Table::Aliases, &names[*at]))
            );
        }
        let others = (5000..10_000).filter(|at| sieve.may_hold(Table::Aliases, &name(*at)));
        assert!(others.count() < 500);
        let elsewhere = names
            .iter()
            .filter(|name| sieve.may_hold(Table::Merges, name));
        assert!(elsewhere.count() < 500);
    }
}

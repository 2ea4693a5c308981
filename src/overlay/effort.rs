//! How long comparing two files may take, estimated before it is tried: two large files that have little in
//! common would be compared for hours.

use super::{OverlayFault, lines};
use crate::model::{Code, limits};
use std::collections::BTreeMap;

/// Refuses two files that would take too long to compare.
///
/// # Errors
/// `too-large`.
pub fn bearable(old: &[u8], new: &[u8]) -> Result<(), OverlayFault> {
    let old: Vec<&[u8]> = lines(old).collect();
    let new: Vec<&[u8]> = lines(new).collect();
    let changed = at_most_changed(&old, &new) as u64;
    let all = (old.len() + new.len()) as u64;
    if changed <= limits::LAYER_CHANGED && all.saturating_mul(changed) <= limits::LAYER_EFFORT {
        return Ok(());
    }
    let what =
        format!("two versions with {all} lines differ in up to {changed}: too many to compare");
    Err(OverlayFault::new(Code::TooLarge, what))
}

/// Lines in both that surely need not be called changed are left out of the count: an upper bound of what the
/// shortest diff deletes and inserts, in time O(n log n).
fn at_most_changed(old: &[&[u8]], new: &[&[u8]]) -> usize {
    let (old, new) = trimmed(old, new);
    if old.is_empty() || new.is_empty() {
        // The diff is the one block that is left.
        return 0;
    }
    let mut kept = 0;
    let (mut at, mut beside) = (0, 0);
    let mut anchors = anchors(old, new);
    anchors.push((old.len(), new.len()));
    for (a, b) in anchors {
        let gap = (&old[at..a], &new[beside..b]);
        let rest = trimmed(gap.0, gap.1);
        kept += gap.0.len() - rest.0.len();
        kept += usize::from(a < old.len());
        (at, beside) = (a + 1, b + 1);
    }
    old.len() + new.len() - 2 * kept
}

/// Without the lines that both begin with, and without those that both then end with.
fn trimmed<'s, 'l>(
    mut old: &'s [&'l [u8]],
    mut new: &'s [&'l [u8]],
) -> (&'s [&'l [u8]], &'s [&'l [u8]]) {
    while let ([a, old_rest @ ..], [b, new_rest @ ..]) = (old, new)
        && a == b
    {
        (old, new) = (old_rest, new_rest);
    }
    while let ([old_rest @ .., a], [new_rest @ .., b]) = (old, new)
        && a == b
    {
        (old, new) = (old_rest, new_rest);
    }
    (old, new)
}

/// Lines that stand once in each of both, as many as can be taken without crossing.
fn anchors(old: &[&[u8]], new: &[&[u8]]) -> Vec<(usize, usize)> {
    /// Where a line stands, if it stands there once.
    #[derive(Default, Clone, Copy)]
    struct Seen {
        count: [u32; 2],
        at: [usize; 2],
    }
    let mut seen: BTreeMap<&[u8], Seen> = BTreeMap::new();
    for (side, text) in [old, new].into_iter().enumerate() {
        for (at, line) in text.iter().enumerate() {
            let entry = seen.entry(line).or_default();
            entry.count[side] += 1;
            entry.at[side] = at;
        }
    }
    let once = seen.values().filter(|seen| seen.count == [1, 1]);
    let mut pairs: Vec<(usize, usize)> = once.map(|seen| (seen.at[0], seen.at[1])).collect();
    pairs.sort_unstable();
    longest_rising(&pairs)
}

/// The longest part of the pairs, which are sorted by the first, in which the second rises too.
fn longest_rising(pairs: &[(usize, usize)]) -> Vec<(usize, usize)> {
    // For each length, the pair with the smallest second that a rising part of this length ends with.
    let mut ends: Vec<usize> = Vec::new();
    let mut before: Vec<Option<usize>> = Vec::with_capacity(pairs.len());
    for (index, pair) in pairs.iter().enumerate() {
        let length = ends.partition_point(|end| pairs[*end].1 < pair.1);
        before.push(length.checked_sub(1).map(|shorter| ends[shorter]));
        match ends.get_mut(length) {
            Some(end) => *end = index,
            None => ends.push(index),
        }
    }
    let mut rising = Vec::with_capacity(ends.len());
    let mut next = ends.last().copied();
    while let Some(index) = next {
        rising.push(pairs[index]);
        next = before[index];
    }
    rising.reverse();
    rising
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed(old: &str, new: &str) -> usize {
        let old: Vec<&[u8]> = lines(old.as_bytes()).collect();
        let new: Vec<&[u8]> = lines(new.as_bytes()).collect();
        at_most_changed(&old, &new)
    }

    #[test]
    fn what_is_common_is_not_counted() {
        assert_eq!(changed("a\nb\nc\n", "a\nb\nc\n"), 0);
        assert_eq!(changed("a\nb\nc\n", "a\nx\nc\n"), 2);
        assert_eq!(changed("", "a\nb\n"), 0);
        assert_eq!(changed("x\na\ny\nb\nz\n", "1\na\n2\nb\n3\n"), 6);
        // Lines that stand there often are found from those that do not.
        assert_eq!(changed("x\n}\na\n}\n}\nb\n", "y\n}\na\n}\n}\nc\n"), 4);
        // Crossing: one of the two stays.
        assert_eq!(changed("1\na\nb\n2\n", "3\nb\na\n4\n"), 6);
    }

    #[test]
    fn large_files_with_few_changes_are_compared_and_strangers_are_not() {
        let text = |seed: usize, count: usize| -> Vec<u8> {
            let line = |n: usize| format!("{}\n", if n % 1000 == seed { n + count } else { n });
            (0..count).map(line).collect::<String>().into_bytes()
        };
        assert!(bearable(&text(1, 300_000), &text(2, 300_000)).is_ok());
        let other: Vec<u8> = (0..300_000)
            .flat_map(|n| format!("-{n}\n").into_bytes())
            .collect();
        let fault = bearable(&text(1, 300_000), &other).unwrap_err();
        assert_eq!(fault.code, Code::TooLarge);
    }
}

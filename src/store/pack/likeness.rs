//! Which earlier object a new one is a version of, found without knowing where either of them lies.
//!
//! Two versions of a directory have nearly all entries in common, two versions of a bucket nearly all rows. So of each
//! object two parts are remembered, those with the smallest hashes: a change leaves at least one of them in place, or
//! is one of them. Who else has that part is a version of the same thing, or near enough. Nothing depends on it but
//! how small a pack becomes.

use crate::model::ObjectFormat;
use crate::store::Kind;
use std::io::BufRead as _;

/// Larger objects are blocks of artifacts or large tables; they stay whole.
pub(super) const LARGEST: usize = 64 * 1024;

/// Smaller ones gain nothing.
const SMALLEST: usize = 48;

/// Places in the table, at most: 64 MiB.
const PLACES: usize = 1 << 22;

/// What tells an object's versions from all else.
pub(super) type Marks = [u64; 2];

/// Who was seen last with a mark. Of marks that fall together the later one is known.
pub(super) struct Likeness {
    places: Vec<(u64, u32)>,
}

impl Likeness {
    /// For about so many objects.
    pub(super) fn new(objects: usize) -> Self {
        let places = (objects * 4).next_power_of_two().clamp(64, PLACES);
        Self {
            places: vec![(0, 0); places],
        }
    }

    /// The earlier objects that a new one may be a version of, the likelier one first.
    pub(super) fn find(&self, kind: Kind, marks: &Marks) -> [Option<u32>; 2] {
        let [one, other] = marks.map(|mark| {
            let (known, n) = self.places[self.place(mark)];
            (known == mark && mark != 0).then_some(n)
        });
        match kind {
            // The first mark of a commit says more than the second.
            Kind::Commit if one == other => [one, None],
            Kind::Commit => [one.or(other), one.and(other)],
            _ if one == other => [one, None],
            _ => [one.max(other), one.and(other).and(one.min(other))],
        }
    }

    /// Remembers an object by its number.
    pub(super) fn learn(&mut self, marks: &Marks, n: u32) {
        for mark in marks {
            let place = self.place(*mark);
            self.places[place] = (*mark, n);
        }
    }

    fn place(&self, mark: u64) -> usize {
        mark as usize & (self.places.len() - 1)
    }
}

/// The marks of an object, or `None` for one that is to stay whole.
pub(super) fn marks(format: ObjectFormat, kind: Kind, bytes: &[u8]) -> Option<Marks> {
    if !(SMALLEST..=LARGEST).contains(&bytes.len()) {
        return None;
    }
    match kind {
        Kind::Commit => Some(of_commit(bytes)),
        Kind::Tree => Some(of_tree(bytes, format.id_len())),
        Kind::Blob => Some(of_lines(bytes)),
        Kind::Tag => None,
    }
}

/// Who wrote it and how many parents it has; and the latter alone.
fn of_commit(bytes: &[u8]) -> Marks {
    let mut parents = 0;
    for line in bytes.split(|byte| *byte == b'\n') {
        if line.starts_with(b"parent ") {
            parents += 1;
        } else if line.starts_with(b"author ") {
            let end = line.iter().position(|byte| *byte == b'>');
            let author = hash(&line[..end.unwrap_or(line.len())]);
            return [mix(author ^ (parents + 1)), mix(parents + 1)];
        } else if line.is_empty() {
            break;
        }
    }
    [mix(parents + 1); 2]
}

fn of_tree(bytes: &[u8], id_len: usize) -> Marks {
    let (mut least, mut rest) = (Least::default(), bytes);
    while let Some(end) = rest.iter().position(|byte| *byte == 0) {
        let Some((entry, more)) = rest.split_at_checked(end + 1 + id_len) else {
            break;
        };
        // A bucket may lie in several tables, so its name counts too.
        least.add(hash(entry));
        rest = more;
    }
    least.or_else(|| [mix(2), mix(3)])
}

fn of_lines(bytes: &[u8]) -> Marks {
    let mut least = Least::default();
    let mut lines = lines_of(bytes);
    if lines.clone().nth(1).is_none() {
        // One line: all that can be said is what it begins with.
        let line = lines.next().unwrap_or_default();
        return [
            hash(&line[..line.len().min(24)]),
            hash(&line[..line.len().min(8)]),
        ];
    }
    lines.for_each(|line| least.add(hash(line)));
    least.or_else(|| [mix(4), mix(5)])
}

/// The lines, without their line feeds.
fn lines_of(bytes: &[u8]) -> impl Iterator<Item = &[u8]> + Clone {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let line = rest;
        let len = rest.skip_until(b'\n').expect("memory can be read");
        let line = &line[..len];
        (len > 0).then(|| line.strip_suffix(b"\n").unwrap_or(line))
    })
}

/// The two smallest of some numbers.
struct Least([u64; 2]);

impl Default for Least {
    fn default() -> Self {
        Self([u64::MAX; 2])
    }
}

impl Least {
    fn add(&mut self, hash: u64) {
        let [first, second] = self.0;
        if hash < first {
            self.0 = [hash, first];
        } else if hash < second && hash != first {
            self.0[1] = hash;
        }
    }

    fn or_else(self, none: impl FnOnce() -> Marks) -> Marks {
        match self.0 {
            [u64::MAX, _] => none(),
            [one, u64::MAX] => [one, one],
            two => two,
        }
    }
}

/// Not a hash that anybody could rely on: whoever makes two parts fall together makes a pack larger.
fn hash(bytes: &[u8]) -> u64 {
    let (words, rest) = bytes.as_chunks::<8>();
    let (blocks, words) = words.as_chunks::<LANES>();
    // A product takes longer than the processor needs to begin another one.
    let mut sums = [bytes.len() as u64, 1, 2, 3];
    for block in blocks {
        sums = std::array::from_fn(|lane| step(sums[lane], &block[lane]));
    }
    let mut sum = sums[0];
    for other in &sums[1..] {
        sum = step(sum, &other.to_le_bytes());
    }
    for word in words {
        sum = step(sum, word);
    }
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    mix(sum.rotate_left(5) ^ u64::from_le_bytes(last))
}

/// Words that are hashed side by side.
const LANES: usize = 4;

fn step(sum: u64, word: &[u8; 8]) -> u64 {
    (sum.rotate_left(5) ^ u64::from_le_bytes(*word)).wrapping_mul(0x517c_c1b7_2722_0a95)
}

/// Spreads differences over all bits, the lowest ones too, by which places are chosen.
fn mix(mut sum: u64) -> u64 {
    sum = (sum ^ sum >> 32).wrapping_mul(0xd6e8_feb8_6659_fd93);
    sum = (sum ^ sum >> 32).wrapping_mul(0xd6e8_feb8_6659_fd93);
    sum ^ sum >> 32
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A bucket of rows, of which one is another in each version.
    fn bucket(name: u32, version: u32) -> Vec<u8> {
        let row = |row: u32| {
            let at = if row == version % 20 { version } else { 0 };
            format!("{{\"alias\":\"names/{name}/{row}\",\"target\":\"{at}\"}}\n")
        };
        (0..20).map(row).collect::<String>().into_bytes()
    }

    #[test]
    fn versions_find_each_other_among_many() {
        let format = ObjectFormat::Sha1;
        let mut likeness = Likeness::new(4000);
        let (mut found, mut n) = (0, 0);
        for version in 1..=40 {
            for name in 0..100 {
                let marks = marks(format, Kind::Blob, &bucket(name, version)).unwrap();
                let [first, _] = likeness.find(Kind::Blob, &marks);
                found += usize::from(first.is_some_and(|m| m % 100 == name));
                likeness.learn(&marks, n);
                n += 1;
            }
        }
        assert!(found > 3500, "{found} of 3,900");
    }

    #[test]
    fn commits_go_by_their_author_first() {
        let commit = |author: &str, parents: usize| {
            let parents = format!("parent {}\n", "1".repeat(40)).repeat(parents);
            let text = format!(
                "tree {}\n{parents}author {author} 1 +0000\n\nx",
                "0".repeat(40)
            );
            marks(ObjectFormat::Sha1, Kind::Commit, text.as_bytes()).unwrap()
        };
        let mut likeness = Likeness::new(10);
        let (alice, bob) = ("Alice <a@example.org>", "Bob <b@example.org>");
        likeness.learn(&commit(alice, 1), 7);
        likeness.learn(&commit(bob, 1), 8);
        let find = |marks| likeness.find(Kind::Commit, &marks);
        assert_eq!(find(commit(alice, 1)), [Some(7), Some(8)]);
        assert_eq!(find(commit(bob, 1)), [Some(8), None]);
        assert_eq!(find(commit("Carol <c@example.org>", 1)), [Some(8), None]);
        assert_eq!(find(commit(alice, 2)), [None, None]);
    }

    #[test]
    fn lines_end_with_their_line_feeds() {
        for (text, expected) in [
            ("", &[][..]),
            ("a", &["a"]),
            ("a\n", &["a"]),
            ("a\n\nbc\nd", &["a", "", "bc", "d"]),
        ] {
            let found: Vec<&[u8]> = lines_of(text.as_bytes()).collect();
            let expected: Vec<&[u8]> = expected.iter().map(|line| line.as_bytes()).collect();
            assert_eq!(found, expected, "{text:?}");
        }
    }

    #[test]
    fn what_is_too_small_or_too_large_stays_whole() {
        let marks = |len: usize| marks(ObjectFormat::Sha1, Kind::Blob, &vec![b'x'; len]);
        assert!(marks(SMALLEST - 1).is_none() && marks(LARGEST + 1).is_none());
        assert!(marks(SMALLEST).is_some() && marks(LARGEST).is_some());
    }
}

use super::*;

fn page(n: u64) -> PageRecord {
    let digest = |kind: &str| *blake3::hash(format!("{kind} {n}").as_bytes()).as_bytes();
    PageRecord {
        commit: Oid::from_bytes(&digest("commit")[..20]).unwrap(),
        proposal: ProposalDigest(digest("proposal")),
        chain: ChainDigest(digest("chain")),
    }
}

/// Page n changes key n mod 10, and each tenth page changes a second one.
fn pages(range: std::ops::RangeInclusive<u64>) -> Vec<(PageRecord, Vec<ChangeKey>)> {
    let keys = |n: u64| {
        if n.is_multiple_of(10) {
            vec![[0; 16], [99; 16]]
        } else {
            vec![[(n % 10) as u8; 16]]
        }
    };
    range.map(|n| (page(n), keys(n))).collect()
}

/// Adds these pages after `base`, with what they changed.
fn add(index: &Index, base: u64, range: std::ops::RangeInclusive<u64>) -> Result<(), StoreFault> {
    let (records, keys): (Vec<_>, Vec<_>) = pages(range).into_iter().unzip();
    index.append_pages(Number(base), &records)?;
    index.append_changes(Number(base), &keys)
}

fn open(dir: &Path) -> Index {
    Index::open(dir, ObjectFormat::Sha1).unwrap()
}

fn flip(path: &Path, at: usize) {
    let mut bytes = fs::read(path).unwrap();
    bytes[at] ^= 1;
    fs::write(path, bytes).unwrap();
}

#[test]
fn pages_and_changes_are_found_again() {
    let dir = tempfile::tempdir().unwrap();
    let index = open(dir.path());
    assert_eq!(index.last_change(&[1; 16]).unwrap(), None);
    add(&index, 0, 1..=5000).unwrap();
    let index = open(dir.path());
    assert_eq!(index.pages_len(), 5000);
    assert_eq!(index.page(Number(0)), None);
    assert_eq!(index.page(Number(1)), Some(page(1)));
    assert_eq!(index.page(Number(5000)), Some(page(5000)));
    assert_eq!(index.page(Number(5001)), None);
    let find = |n, after, upto| {
        let found = index.find_proposal(&page(n).proposal, Number(after), Number(upto));
        found.unwrap()
    };
    assert_eq!(find(4000, 0, 5000), Some(Number(4000)));
    assert_eq!(find(4000, 4000, 5000), None);
    assert_eq!(find(4000, 3999, 4000), Some(Number(4000)));
    assert_eq!(find(4000, 0, 3999), None);
    assert_eq!(index.last_change(&[1; 16]).unwrap(), Some(Number(4991)));
    assert_eq!(index.last_change(&[50; 16]).unwrap(), None);
    let all = index.all_changes(&[99; 16]).unwrap();
    assert_eq!(all.len(), 500);
    assert_eq!((all[0], all[499]), (Number(10), Number(5000)));
}

#[test]
fn many_pages_are_those_that_one_by_one_are_found() {
    let dir = tempfile::tempdir().unwrap();
    let index = open(dir.path());
    add(&index, 0, 1..=5000).unwrap();
    let known = |from, to| PageIndex::pages(&index, Number(from), Number(to));
    for (from, to) in [(1, 5000), (1, 1), (5000, 5000), (2048, 2049), (7, 4096)] {
        let one_by_one = (from..=to).map(page);
        assert!(known(from, to).into_iter().eq(one_by_one), "{from}..={to}");
    }
    // Where it ends, and where there is nothing.
    assert!(known(4000, 6000).into_iter().eq((4000..=5000).map(page)));
    assert_eq!(
        (known(0, 10), known(9, 8), known(5001, 5002)),
        Default::default()
    );
    flip(&dir.path().join("pages"), 2999 * PAGE as usize);
    assert!(known(1, 5000).into_iter().eq((1..=2999).map(page)));
}

#[test]
fn appending_twice_or_after_a_gap_does_no_harm() {
    let dir = tempfile::tempdir().unwrap();
    let (one, two) = (open(dir.path()), open(dir.path()));
    add(&one, 0, 1..=10).unwrap();
    add(&two, 0, 1..=12).unwrap();
    add(&two, 3, 4..=9).unwrap();
    assert_eq!(one.pages_len(), 12);
    assert_eq!(one.all_changes(&[1; 16]).unwrap(), [Number(1), Number(11)]);
    let gap = add(&one, 13, 14..=14).unwrap_err();
    assert_eq!(gap.code, Code::BadRequest);
}

#[test]
fn cutting_forgets_pages_and_their_changes() {
    let dir = tempfile::tempdir().unwrap();
    let index = open(dir.path());
    add(&index, 0, 1..=30).unwrap();
    index.truncate_to(Number(15)).unwrap();
    assert_eq!(index.pages_len(), 15);
    assert_eq!(index.last_change(&[99; 16]).unwrap(), Some(Number(10)));
    add(&index, 15, 16..=20).unwrap();
    assert_eq!(
        index.all_changes(&[99; 16]).unwrap(),
        [Number(10), Number(20)]
    );
    index.truncate_to(Number(99)).unwrap();
    assert_eq!(index.pages_len(), 20);
}

#[test]
fn torn_tails_are_cut_wherever_they_are_torn() {
    let dir = tempfile::tempdir().unwrap();
    add(&open(dir.path()), 0, 1..=25).unwrap();
    let paths = ["pages", "counts", "changes"].map(|name| dir.path().join(name));
    let whole = paths.clone().map(|path| fs::read(path).unwrap());
    for (torn, record) in [(0, PAGE), (1, COUNT), (2, CHANGE)] {
        for cut in [1, 15, 16, 50, 104, 105, 300] {
            for (path, bytes) in paths.iter().zip(&whole) {
                fs::write(path, bytes).unwrap();
            }
            fs::write(&paths[torn], &whole[torn][..whole[torn].len() - cut]).unwrap();
            let index = open(dir.path());
            let left = (whole[torn].len() - cut) as u64 / record;
            if torn == 0 {
                assert_eq!(index.pages_len(), left);
            } else {
                assert_eq!(
                    index.pages_len(),
                    25,
                    "what pages changed is another matter"
                );
                // Pages 10 and 20 have two changes each.
                let left = if torn == 2 { left - left / 11 } else { left };
                assert_eq!(index.changes_len(), left);
            }
            let known = index.changes_len();
            add(&index, known, known + 1..=25).unwrap();
            for (path, bytes) in paths.iter().zip(&whole) {
                assert_eq!(&fs::read(path).unwrap(), bytes);
            }
        }
    }
}

#[test]
fn what_pages_changed_may_be_known_later_or_never() {
    let dir = tempfile::tempdir().unwrap();
    let index = open(dir.path());
    let (records, keys): (Vec<_>, Vec<_>) = pages(1..=30).into_iter().unzip();
    index.append_pages(Number(0), &records[..20]).unwrap();
    assert_eq!((index.pages_len(), index.changes_len()), (20, 0));
    assert_eq!(index.last_change(&[1; 16]).unwrap(), None);
    // Not while it is not known what those before did; and no more than there are pages.
    index.append_changes(Number(5), &keys[5..9]).unwrap();
    assert_eq!(index.changes_len(), 0);
    index.append_changes(Number(0), &keys).unwrap();
    assert_eq!((index.pages_len(), index.changes_len()), (20, 20));
    index.append_changes(Number(3), &keys[3..20]).unwrap();
    assert_eq!(index.last_change(&[1; 16]).unwrap(), Some(Number(11)));
    let all = index.all_changes(&[99; 16]).unwrap();
    assert_eq!(all, [Number(10), Number(20)]);
}

#[test]
fn changes_of_another_history_are_seen_whatever_a_crash_left() {
    let dir = tempfile::tempdir().unwrap();
    let index = open(dir.path());
    add(&index, 0, 1..=10).unwrap();
    let counts = fs::read(dir.path().join("counts")).unwrap();
    let (others, _): (Vec<_>, Vec<_>) = pages(104..=110).into_iter().unzip();
    index.append_pages(Number(3), &others).unwrap();
    assert_eq!((index.pages_len(), index.changes_len()), (10, 3));
    // As if the process had died between cutting the one and the other.
    fs::write(dir.path().join("counts"), counts).unwrap();
    assert_eq!(index.changes_len(), 3);
    assert_eq!(index.last_change(&[9; 16]).unwrap(), None);
}

#[test]
fn damage_in_the_middle_is_never_believed() {
    let dir = tempfile::tempdir().unwrap();
    add(&open(dir.path()), 0, 1..=25).unwrap();
    flip(&dir.path().join("pages"), 5 * PAGE as usize + 3);
    flip(&dir.path().join("changes"), 5 * CHANGE as usize + 3);
    let index = open(dir.path());
    assert_eq!(index.page(Number(6)), None);
    assert_eq!(index.page(Number(7)), Some(page(7)));
    assert_eq!(index.last_change(&[5; 16]).unwrap(), Some(Number(25)));
    // It might have been changed by the damaged record; so it is not said that it was not.
    assert_eq!(
        index.last_change(&[50; 16]).unwrap_err().code,
        Code::ObjectDamaged
    );
    // Zeros, and a good record in the wrong place.
    let path = dir.path().join("pages");
    let mut bytes = fs::read(&path).unwrap();
    let len = PAGE as usize;
    bytes.copy_within(..len, len);
    bytes[2 * len..3 * len].fill(0);
    fs::write(&path, bytes).unwrap();
    assert_eq!((index.page(Number(2)), index.page(Number(3))), (None, None));
}

#[test]
fn another_version_or_format_starts_anew() {
    let dir = tempfile::tempdir().unwrap();
    add(&open(dir.path()), 0, 1..=5).unwrap();
    let other = Index::open(dir.path(), ObjectFormat::Sha256).unwrap();
    assert_eq!(other.pages_len(), 0);
    drop(other);
    add(&open(dir.path()), 0, 1..=5).unwrap();
    fs::write(dir.path().join("index-version"), "folio index 3 sha1\n").unwrap();
    assert_eq!(open(dir.path()).pages_len(), 0);
}

#[test]
fn what_is_not_known_is_not_denied() {
    let dir = tempfile::tempdir().unwrap();
    let (one, two) = (open(dir.path()), open(dir.path()));
    add(&one, 0, 1..=10).unwrap();
    let find = |n, upto| one.find_proposal(&page(n).proposal, Number(0), Number(upto));
    assert_eq!(find(99, 10).unwrap(), None);
    assert_eq!(find(99, 11).unwrap_err().code, Code::Busy);
    two.truncate_to(Number(4)).unwrap();
    assert_eq!(find(7, 10).unwrap_err().code, Code::Busy);
    add(&one, 4, 5..=10).unwrap();
    assert_eq!(find(7, 10).unwrap(), Some(Number(7)));
    // A hole in the middle, as a loss of power can leave: cut, and made again.
    let file = File::options()
        .write(true)
        .open(dir.path().join("pages"))
        .unwrap();
    file.write_all_at(&[0; 20], 5 * PAGE + 30).unwrap();
    assert_eq!(find(6, 10).unwrap_err().code, Code::Busy);
    assert_eq!(one.pages_len(), 5);
}

#[test]
fn another_history_takes_the_place_of_the_old_one() {
    let dir = tempfile::tempdir().unwrap();
    let index = open(dir.path());
    add(&index, 0, 1..=10).unwrap();
    add(&index, 3, 104..=105).unwrap();
    assert_eq!(index.pages_len(), 5);
    assert_eq!(index.page(Number(3)), Some(page(3)));
    assert_eq!(index.page(Number(4)), Some(page(104)));
    assert_eq!(index.page(Number(5)), Some(page(105)));
}

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
    index.append(Number(0), &pages(1..=5000)).unwrap();
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
fn appending_twice_or_after_a_gap_does_no_harm() {
    let dir = tempfile::tempdir().unwrap();
    let (one, two) = (open(dir.path()), open(dir.path()));
    one.append(Number(0), &pages(1..=10)).unwrap();
    two.append(Number(0), &pages(1..=12)).unwrap();
    two.append(Number(3), &pages(4..=9)).unwrap();
    assert_eq!(one.pages_len(), 12);
    assert_eq!(one.all_changes(&[1; 16]).unwrap(), [Number(1), Number(11)]);
    let gap = one.append(Number(13), &pages(14..=14)).unwrap_err();
    assert_eq!(gap.code, Code::BadRequest);
}

#[test]
fn cutting_forgets_pages_and_their_changes() {
    let dir = tempfile::tempdir().unwrap();
    let index = open(dir.path());
    index.append(Number(0), &pages(1..=30)).unwrap();
    index.truncate_to(Number(15)).unwrap();
    assert_eq!(index.pages_len(), 15);
    assert_eq!(index.last_change(&[99; 16]).unwrap(), Some(Number(10)));
    index.append(Number(15), &pages(16..=20)).unwrap();
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
    open(dir.path()).append(Number(0), &pages(1..=25)).unwrap();
    let (pages_path, changes_path) = (dir.path().join("pages"), dir.path().join("changes"));
    let (whole_pages, whole_changes) = (
        fs::read(&pages_path).unwrap(),
        fs::read(&changes_path).unwrap(),
    );
    for cut in [1, 50, 112, 113, 500, 2800] {
        fs::write(&pages_path, &whole_pages[..whole_pages.len() - cut]).unwrap();
        fs::write(&changes_path, &whole_changes).unwrap();
        let index = open(dir.path());
        let left = (whole_pages.len() - cut) as u64 / PAGE;
        assert_eq!(index.pages_len(), left);
        index.append(Number(left), &pages(left + 1..=25)).unwrap();
        assert_eq!(fs::read(&changes_path).unwrap(), whole_changes);
        assert_eq!(fs::read(&pages_path).unwrap(), whole_pages);
    }
    // The other way round: changes were lost, so the pages that need them are cut.
    fs::write(&changes_path, &whole_changes[..10 * CHANGE as usize + 3]).unwrap();
    let index = open(dir.path());
    assert_eq!(
        index.pages_len(),
        9,
        "page 10 has two changes, and one of them is lost"
    );
}

#[test]
fn damage_in_the_middle_is_never_believed() {
    let dir = tempfile::tempdir().unwrap();
    open(dir.path()).append(Number(0), &pages(1..=25)).unwrap();
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
    open(dir.path()).append(Number(0), &pages(1..=5)).unwrap();
    let other = Index::open(dir.path(), ObjectFormat::Sha256).unwrap();
    assert_eq!(other.pages_len(), 0);
    drop(other);
    open(dir.path()).append(Number(0), &pages(1..=5)).unwrap();
    fs::write(dir.path().join("index-version"), "folio index 2 sha1\n").unwrap();
    assert_eq!(open(dir.path()).pages_len(), 0);
}

#[test]
fn what_is_not_known_is_not_denied() {
    let dir = tempfile::tempdir().unwrap();
    let (one, two) = (open(dir.path()), open(dir.path()));
    one.append(Number(0), &pages(1..=10)).unwrap();
    let find = |n, upto| one.find_proposal(&page(n).proposal, Number(0), Number(upto));
    assert_eq!(find(99, 10).unwrap(), None);
    assert_eq!(find(99, 11).unwrap_err().code, Code::Busy);
    two.truncate_to(Number(4)).unwrap();
    assert_eq!(find(7, 10).unwrap_err().code, Code::Busy);
    one.append(Number(4), &pages(5..=10)).unwrap();
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
    index.append(Number(0), &pages(1..=10)).unwrap();
    index.append(Number(3), &pages(104..=105)).unwrap();
    assert_eq!(index.pages_len(), 5);
    assert_eq!(index.page(Number(3)), Some(page(3)));
    assert_eq!(index.page(Number(4)), Some(page(104)));
    assert_eq!(index.page(Number(5)), Some(page(105)));
}

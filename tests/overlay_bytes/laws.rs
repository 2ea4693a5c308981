//! Laws that hold for any bytes.

use super::texts::{any_bytes, distinct, edited, edits};
use folio::overlay::{
    Absent, Labels, Laid, LayerKind, Merged, Patch, Stack, left_marker, make, merge,
};
use proptest::prelude::*;

fn labels() -> Labels {
    Labels {
        ours: "layer 1a2b".into(),
        theirs: "3.0.14".into(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, failure_persistence: None, ..Default::default() })]

    #[test]
    fn a_diff_gives_what_it_was_made_of(old in any_bytes(), new in any_bytes()) {
        let Some(diff) = make(&old, &new, "t").unwrap() else {
            prop_assert_eq!(old, new);
            return Ok(());
        };
        prop_assert_eq!(LayerKind::of(None, &diff), LayerKind::Diff);
        let applied = Patch::parse(&diff).unwrap().apply(&old).unwrap();
        prop_assert_eq!(applied.bytes, new);
        prop_assert!(applied.moved.is_empty());
    }

    #[test]
    fn a_stack_gives_the_newest_version(versions in prop::collection::vec(any_bytes(), 2..6), whole in 0..6usize) {
        let mut stack = Stack::new(Some(versions[0].clone()), false).unwrap();
        for (index, pair) in versions.windows(2).enumerate() {
            let layer = match make(&pair[0], &pair[1], "t").unwrap() {
                Some(diff) if index != whole => (LayerKind::Diff, diff),
                _ => (LayerKind::Whole, pair[1].clone()),
            };
            let laid = stack.lay(Ok((layer.0, &layer.1)));
            prop_assert_eq!(laid, Laid::Applied(vec![]));
        }
        prop_assert_eq!(&stack.top().unwrap(), versions.last().unwrap());
    }

    #[test]
    fn changes_that_do_not_touch_merge_and_commute(
        lines in 12..60usize, ours in edits(6), theirs in edits(6),
    ) {
        let base = distinct(lines);
        // One changes the first half, the other the second; a line in between stays.
        let half = lines / 2;
        let mine: Vec<String> = [edited(&base[..half - 1], &ours), base[half - 1..].to_vec()].concat();
        let yours: Vec<String> = [base[..half].to_vec(), edited(&base[half..], &theirs)].concat();
        let both = [edited(&base[..half - 1], &ours), base[half - 1..half].to_vec(), edited(&base[half..], &theirs)].concat();
        let (base, mine, yours) = (base.concat(), mine.concat(), yours.concat());
        for (a, b) in [(&mine, &yours), (&yours, &mine)] {
            let merged = merge(base.as_bytes(), a.as_bytes(), b.as_bytes(), &labels()).unwrap();
            prop_assert_eq!(merged, Merged::Clean(both.concat().into_bytes()));
        }
    }

    #[test]
    fn merging_with_no_change_gives_the_other_side(base in any_bytes(), side in any_bytes()) {
        for (a, b) in [(&base, &side), (&side, &base), (&side, &side)] {
            let merged = merge(&base, a, b, &labels()).unwrap();
            prop_assert_eq!(merged, Merged::Clean(side.clone()));
        }
    }

    #[test]
    fn conflicts_carry_both_sides_and_are_noticed(base in any_bytes(), ours in any_bytes(), theirs in any_bytes()) {
        if let Merged::Conflicts { bytes, count } = merge(&base, &ours, &theirs, &labels()).unwrap() {
            prop_assert!(count > 0);
            prop_assert!(left_marker(&bytes, &labels()).is_some());
            // Either choice at every place gives bytes that have no marker of ours in them.
            let chosen = |ours: bool| {
                let (mut keep, mut out) = (true, Vec::new());
                for line in bytes.split_inclusive(|b| *b == b'\n') {
                    match line {
                        b"<<<<<<< layer 1a2b\n" => keep = ours,
                        b"=======\n" => keep = !ours,
                        b">>>>>>> 3.0.14\n" => keep = true,
                        _ if keep => out.extend_from_slice(line),
                        _ => {}
                    }
                }
                out
            };
            prop_assert!(left_marker(&chosen(true), &labels()).is_none());
            prop_assert!(left_marker(&chosen(false), &labels()).is_none());
        }
    }
}

#[test]
fn a_layer_without_bytes_breaks_the_stack_until_a_whole_file_or_is_skipped() {
    let diff = make(b"a\n", b"b\n", "t").unwrap().unwrap();
    let lay = |skip: bool, whole: bool| {
        let mut stack = Stack::new(Some(b"a\n".to_vec()), skip).unwrap();
        let first = stack.lay(Err(Absent::Withdrawn));
        assert_eq!(first, Laid::Absent(Absent::Withdrawn));
        let second = stack.lay(Ok((LayerKind::Diff, &diff)));
        if whole {
            stack.lay(Ok((LayerKind::Whole, b"w\n")));
        }
        (second, stack.top())
    };
    assert_eq!(lay(false, false), (Laid::Unknown, None));
    assert_eq!(lay(false, true), (Laid::Unknown, Some(b"w\n".to_vec())));
    assert_eq!(
        lay(true, false),
        (Laid::Applied(vec![]), Some(b"b\n".to_vec()))
    );
}

#[test]
fn without_a_base_only_a_whole_file_gives_bytes() {
    let diff = make(b"a\n", b"b\n", "t").unwrap().unwrap();
    let mut stack = Stack::new(None, false).unwrap();
    assert_eq!(stack.lay(Ok((LayerKind::Diff, &diff))), Laid::Unknown);
    assert_eq!(stack.top(), None);
    let mut stack = Stack::new(None, false).unwrap();
    stack.lay(Ok((LayerKind::Whole, b"a\n")));
    assert_eq!(
        stack.lay(Ok((LayerKind::Diff, &diff))),
        Laid::Applied(vec![])
    );
    assert_eq!(stack.top().unwrap(), b"b\n");
}

#[test]
fn what_a_layer_is_can_be_said_and_is_seen() {
    let diff = b"--- a\n+++ b\n@@ -1 +1 @@\n-a\n+b\n";
    let page = b"# Patches\n\n```\n--- a\n+++ b\n@@ -1 +1 @@\n```\n";
    let mail = b"From 0123\nSubject: x\n\n--- a/f\n+++ b/f\n@@ -1 +1 @@\n-a\n+b\n-- \n2.47\n";
    use LayerKind::{Diff, Whole};
    for (bytes, kind) in [
        (&diff[..], Diff),
        (&mail[..], Diff),
        (b"diff --git a/f b/f\nBinary files differ\n", Diff),
        (page, Whole),
        (b"--- a\n+++ b\n", Whole),
        (b"---\ntitle: x\n---\n", Whole),
        (b"", Whole),
        (b"From the hills\n", Whole),
    ] {
        assert_eq!(LayerKind::of(None, bytes), kind);
        assert_eq!(LayerKind::of(Some("application/octet-stream"), bytes), kind);
        assert_eq!(LayerKind::of(Some("text/plain"), bytes), Whole);
        assert_eq!(LayerKind::of(Some("text/x-diff"), bytes), Diff);
        for kind in [Diff, Whole] {
            assert_eq!(LayerKind::of(Some(kind.media(bytes)), bytes), kind);
        }
    }
}

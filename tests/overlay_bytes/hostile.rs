//! Patches that were bent, and patches that are meant to cost much.

use folio::model::{Code, limits};
use folio::overlay::{Labels, Moved, Patch, make, merge};
use proptest::prelude::*;

const GOOD: &str = "diff --git a/f b/f\nindex 1..2 100644\n--- a/f\n+++ b/f\n@@ -1,3 +1,3 @@ fn\n a\n-b\n+B\n c\n@@ -9,2 +9,3 @@\n i\n+I\n j\n\\ No newline at end of file\n";
const BASE: &[u8] = b"a\nb\nc\nd\ne\nf\ng\nh\ni\nj";

fn malformed(diff: &[u8]) -> String {
    let fault = Patch::parse(diff).expect_err("must be refused");
    assert_eq!(fault.code, Code::PatchMalformed, "{}", fault.what);
    fault.what
}

fn fails(diff: &[u8], base: &[u8]) -> usize {
    let fault = Patch::parse(diff).unwrap().apply(base).unwrap_err();
    assert_eq!(fault.code, Code::PatchFails, "{}", fault.what);
    fault.hunk.unwrap_or(0)
}

fn applies(diff: &[u8], base: &[u8]) -> Vec<u8> {
    Patch::parse(diff).unwrap().apply(base).unwrap().bytes
}

#[test]
fn malformed_diffs_are_refused() {
    assert_eq!(
        applies(GOOD.as_bytes(), BASE),
        b"a\nB\nc\nd\ne\nf\ng\nh\ni\nI\nj"
    );
    let bent = |from: &str, to: &str| malformed(GOOD.replacen(from, to, 1).as_bytes());
    malformed(b"");
    malformed(b"just a text\n");
    malformed(b"--- a\n+++ b\n");
    bent("-1,3", "-1,4");
    bent("-1,3", "-1,2");
    bent("-1,3", "-99999999999999999999999999,3");
    bent("-1,3", "-18446744073709551615,3");
    bent("-1,3", "-1,18446744073709551615");
    bent("-1,3", "-x,3");
    bent("-1,3", "--1,3");
    bent("@@ -9", "@@ -2");
    bent("@@ -9,2 +9,3 @@", "@@ -9,2 +9,3");
    bent(" c\n", "c\n");
    bent("+B\n", "+B\n\\ No newline at end of file\n");
    bent("at end of file\n", "at end of file");
    bent("+I\n", "");
    // Cut off anywhere but between the hunks.
    let between = GOOD.find("@@ -9").unwrap();
    for end in GOOD.find("@@").unwrap() + 1..GOOD.len() - 30 {
        if end != between {
            malformed(&GOOD.as_bytes()[..end]);
        }
    }
    let two = format!("{GOOD}{GOOD}");
    assert!(malformed(two.as_bytes()).contains("several files"));
    let plain = GOOD
        .lines()
        .skip(2)
        .map(|line| format!("{line}\n"))
        .collect::<String>();
    malformed(format!("{plain}{plain}").as_bytes());
    assert!(malformed(b"diff --git a/f b/f\nBinary files a/f and b/f differ\n").contains("binary"));
    assert!(
        malformed(b"diff --git a/f b/f\nGIT binary patch\nliteral 3\nKcmZQzU|?VX0\n")
            .contains("binary")
    );
}

#[test]
fn every_line_of_a_hunk_must_be_there() {
    let diff = GOOD.as_bytes();
    assert_eq!(fails(diff, b""), 1);
    assert_eq!(fails(diff, b"a\nx\nc\nd\ne\nf\ng\nh\ni\nj"), 1);
    assert_eq!(
        fails(diff, b"a\nb\nc\nd\ne\nf\ng\nh\ni\nj\n"),
        2,
        "the base ends otherwise"
    );
    assert_eq!(
        fails(diff, b"a\r\nb\r\nc\r\nd\r\ni\r\nj"),
        1,
        "other line ends"
    );
    let crlf = b"--- a\r\n+++ b\r\n@@ -1,2 +1,2 @@\r\n a\r\n-b\r\n+c\r\n";
    assert_eq!(applies(crlf, b"a\r\nb\r\n"), b"a\r\nc\r\n");
    assert_eq!(fails(crlf, b"a\nb\n"), 1);
    let binary = b"--- a\n+++ b\n@@ -1,2 +1,2 @@\n \xff\0\n-\xfe\n+\x80\n";
    assert_eq!(applies(binary, b"\xff\0\n\xfe\n"), b"\xff\0\n\x80\n");
}

#[test]
fn a_hunk_that_went_elsewhere_is_told() {
    let diff = b"--- a\n+++ b\n@@ -3,3 +3,3 @@\n c\n-d\n+D\n e\n";
    let applied = Patch::parse(diff)
        .unwrap()
        .apply(b"0\n1\na\nb\nc\nd\ne\nf\n")
        .unwrap();
    assert_eq!(applied.bytes, b"0\n1\na\nb\nc\nD\ne\nf\n");
    assert_eq!(
        applied.moved,
        [Moved {
            hunk: 1,
            stated: 3,
            found: 5
        }]
    );
    // The numbers are only where the search begins, however large.
    let far = b"--- a\n+++ b\n@@ -9223372036854775807,3 +7,3 @@\n c\n-d\n+D\n e\n";
    assert_eq!(applies(far, b"c\nd\ne\n"), b"c\nD\ne\n");
    // Without context nothing tells where, so it goes where it says or nowhere.
    let bare = b"--- a\n+++ b\n@@ -2 +2 @@\n-d\n+D\n";
    assert_eq!(applies(bare, b"c\nd\ne\n"), b"c\nD\ne\n");
    assert_eq!(fails(bare, b"d\nc\ne\n"), 1);
    let insert = b"--- a\n+++ b\n@@ -2,0 +3 @@\n+x\n";
    assert_eq!(applies(insert, b"a\nb\nc\n"), b"a\nb\nx\nc\n");
    assert_eq!(fails(insert, b"a\n"), 1);
    let end = b"--- a\n+++ b\n@@ -1 +1 @@\n-a\n+b\n\\ No newline at end of file\n";
    assert_eq!(fails(end, b"a\nc\n"), 1);
}

#[test]
fn new_files_and_mails_are_understood() {
    let new = b"--- /dev/null\n+++ b/f\n@@ -0,0 +1 @@\n+a\n";
    assert_eq!(applies(new, b""), b"a\n");
    assert_eq!(fails(new, b"b\n"), 0);
    let gone = b"--- a/f\n+++ /dev/null\n@@ -1 +0,0 @@\n-a\n";
    assert_eq!(applies(gone, b"a\n"), b"");
    assert_eq!(fails(gone, b"a\nb\n"), 0);
    let mail = "From 1 Mon Sep 17 00:00:00 2001\nSubject: x\n\n---\n f | 2 +-\n\n";
    let diff = "--- a/f\n+++ b/f\n@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+b\n\\ No newline at end of file\n";
    let whole = format!("{mail}{diff}-- \n2.47.3\n\n");
    assert_eq!(applies(whole.as_bytes(), b"a"), b"b");
}

#[test]
fn what_would_cost_too_much_is_refused_before() {
    let large = vec![b'x'; limits::LAYER_BYTES + 1];
    assert_eq!(Patch::parse(&large).unwrap_err().code, Code::TooLarge);
    let many = vec![b'\n'; limits::LAYER_LINES + 1];
    assert_eq!(Patch::parse(&many).unwrap_err().code, Code::TooLarge);
    assert_eq!(make(&many, b"", "t").unwrap_err().code, Code::TooLarge);
    let labels = Labels {
        ours: "a".into(),
        theirs: "b".into(),
    };
    assert_eq!(
        merge(b"", &many, b"", &labels).unwrap_err().code,
        Code::TooLarge
    );
    // Two strangers, each of many lines that stand there once.
    let numbers = |word: &str| {
        (0..200_000)
            .map(|n| format!("{word}{n}\n"))
            .collect::<String>()
            .into_bytes()
    };
    let fault = make(&numbers("a"), &numbers("b"), "t").unwrap_err();
    assert_eq!(fault.code, Code::TooLarge);
    // Equal lines without end, and a hunk that matches them everywhere but in its last line.
    let base = b"x\n".repeat(500_000);
    let mut diff = b"--- a\n+++ b\n@@ -200000,250001 +1,250001 @@\n".to_vec();
    diff.extend_from_slice(&b" x\n".repeat(249_998));
    diff.extend_from_slice(b"-y\n+z\n x\n x\n");
    let fault = Patch::parse(&diff).unwrap().apply(&base).unwrap_err();
    assert_eq!((fault.code, fault.hunk), (Code::TooLarge, Some(1)));
    // Many hunks on a large file cost their own lines, not the file's each time.
    let numbers: Vec<String> = (0..400_000).map(|n| format!("{n}\n")).collect();
    let mut diff = String::from("--- a\n+++ b\n");
    for n in (5..399_990).step_by(10) {
        let (line, old) = (n + 1, &numbers[n..n + 3]);
        diff += &format!(
            "@@ -{line},3 +{line},3 @@\n {}-{}+x\n {}",
            old[0], old[1], old[2]
        );
    }
    let applied = Patch::parse(diff.as_bytes())
        .unwrap()
        .apply(numbers.concat().as_bytes());
    assert!(applied.unwrap().moved.is_empty());
}

/// What is done to a good patch: a byte changed, put in, taken out, a part doubled, the rest cut off.
fn bent(good: &[u8], bends: &[(u8, usize, u8)]) -> Vec<u8> {
    let mut bytes = good.to_vec();
    for (how, at, byte) in bends {
        let at = at % bytes.len().max(1);
        let end = (at + usize::from(*byte) % 40).min(bytes.len());
        match how % 5 {
            0 if at < bytes.len() => bytes[at] = *byte,
            1 => bytes.insert(at, *byte),
            2 => drop(bytes.drain(at..end)),
            3 => {
                let part = bytes[at..end].to_vec();
                bytes.splice(at..at, part);
            }
            _ => bytes.truncate(at),
        }
    }
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, failure_persistence: None, ..Default::default() })]

    #[test]
    fn bent_patches_are_refused_or_applied(bends in prop::collection::vec((any::<u8>(), any::<usize>(), prop_oneof![prop::sample::select(b"\n @-+,0129\\".to_vec()), any::<u8>()]), 1..5)) {
        let diff = bent(GOOD.as_bytes(), &bends);
        match Patch::parse(&diff) {
            Err(fault) => prop_assert_eq!(fault.code, Code::PatchMalformed),
            Ok(patch) => match patch.apply(BASE) {
                Err(fault) => prop_assert_eq!(fault.code, Code::PatchFails),
                Ok(applied) => {
                    // Whatever it did can be undone by the diff back.
                    let back = make(&applied.bytes, BASE, "t").unwrap();
                    let undone = back.map(|back| applies(&back, &applied.bytes));
                    prop_assert_eq!(undone.unwrap_or(applied.bytes), BASE);
                }
            },
        }
    }
}

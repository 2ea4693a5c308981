//! Texts to compare: few different lines, so that much repeats, or many.

use proptest::prelude::*;

/// One change of a list of lines: where, what, and the new line.
pub type Edit = (prop::sample::Index, u8, u16);

/// Bytes with lines of every sort: empty, with carriage returns, without an end, not UTF-8.
pub fn any_bytes() -> impl Strategy<Value = Vec<u8>> {
    let line = prop_oneof![
        4 => prop::sample::select(vec!["a\n", "b\n", "\n", " a\n", "-a\n", "+a\n", "\\ No newline at end of file\n"])
            .prop_map(|line| line.as_bytes().to_vec()),
        2 => prop::sample::select(vec!["@@ -1 +1 @@\n", "--- a\n", "+++ b\n", "-- \n", "diff --git a b\n", "a\r\n", "\r\n"])
            .prop_map(|line| line.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..6),
    ];
    prop::collection::vec(line, 0..25).prop_map(|lines| lines.concat())
}

/// Lines of which each is another one.
pub fn distinct(count: usize) -> Vec<String> {
    (0..count).map(|n| format!("line {n}\n")).collect()
}

/// Changes a list of lines.
pub fn edited(lines: &[String], edits: &[Edit]) -> Vec<String> {
    let mut lines = lines.to_vec();
    for (at, what, word) in edits {
        let at = at.index(lines.len() + 1);
        let line = format!("new {word}\n");
        match what % 3 {
            0 => lines.insert(at, line),
            1 if at < lines.len() => drop(lines.remove(at)),
            _ if at < lines.len() => lines[at] = line,
            _ => {}
        }
    }
    lines
}

/// Some edits.
pub fn edits(most: usize) -> impl Strategy<Value = Vec<Edit>> {
    prop::collection::vec(
        (any::<prop::sample::Index>(), any::<u8>(), 0..2000u16),
        0..most,
    )
}

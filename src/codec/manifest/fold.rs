//! Which names are one name where file systems fold them.

use caseless::Caseless as _;
use unicode_normalization::UnicodeNormalization as _;

/// Unicode's Default_Ignorable_Code_Point: HFS+ and case-folding directories of ext4 and f2fs look past them.
fn is_ignored(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fff8}'
        | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// What a name is to a file system that looks past case, Unicode form and invisible characters: names with
/// one folded form may be one file there. It folds at least as much as APFS, HFS+, NTFS, ext4 and ZFS do.
pub fn fold(name: &str) -> String {
    if name.is_ascii() {
        return name.to_ascii_lowercase();
    }
    let seen = name.chars().filter(|c| !is_ignored(*c));
    seen.nfd().default_case_fold().nfd().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pinned_tables() {
        assert_eq!(caseless::UNICODE_VERSION, (16, 0, 0));
    }

    #[test]
    fn names_that_some_file_system_takes_for_one() {
        for (a, b) in [
            ("README", "readme"),
            ("stra\u{df}e", "STRASSE"),
            ("\u{e9}", "E\u{301}"),
            ("\u{1e9e}", "ss"),
            ("\u{212a}", "k"),
            ("\u{3c2}", "\u{3a3}"),
            ("g\u{200c}it", "GIT"),
            ("\u{fb03}", "ffi"),
            ("\u{130}", "i\u{307}"),
            ("\u{1f80}", "\u{3b1}\u{313}\u{3b9}"),
        ] {
            assert_eq!(fold(a), fold(b), "{a} {b}");
            assert_eq!(fold(&fold(a)), fold(a), "{a}");
        }
        for (a, b) in [("a", "b"), ("e", "\u{e9}"), ("i", "\u{131}"), ("a", "a.")] {
            assert_ne!(fold(a), fold(b), "{a} {b}");
        }
    }
}

//! Lines of JSON looked at without parsing them: where the fields of an object stand, as far as their values are strings,
//! numbers or words. What is said of a line is for whoever parses it afterwards, and compares.

use memchr::memchr;
use std::ops::Range;

/// One field.
pub(super) struct Field {
    /// From the quote before its name to the end of its value.
    pub(super) all: Range<usize>,
    /// Its name, without quotes.
    pub(super) name: Range<usize>,
    /// What stands between the quotes, where that is text that is spelt as it is.
    pub(super) text: Option<Range<usize>>,
}

/// The fields of an object, one after the other, up to the first that is too odd to say.
pub(super) fn fields(line: &str) -> impl Iterator<Item = Field> {
    let bytes = line.as_bytes();
    let mut at = 0;
    std::iter::from_fn(move || {
        // A brace opens the object; a comma comes before each other field.
        if *bytes.get(at)? != if at == 0 { b'{' } else { b',' } {
            return None;
        }
        let start = at + 1;
        let (name, _) = string_at(bytes, start)?;
        let colon = name.end + 1;
        if *bytes.get(colon)? != b':' {
            return None;
        }
        let text = match string_at(bytes, colon + 1) {
            Some((value, plain)) => {
                at = value.end + 1;
                plain.then_some(value)
            }
            None => {
                at = colon + 1 + word_at(&bytes[colon + 1..])?;
                None
            }
        };
        let all = start..at;
        Some(Field { all, name, text })
    })
}

/// The text of a field, and the line without that field; `None` where the line is too odd to say.
pub(crate) fn taken<'l>(line: &'l str, name: &str) -> Option<(&'l str, String)> {
    let field = fields(line).find(|field| line[field.name.clone()] == *name)?;
    let (before, after) = (&line[..field.all.start], &line[field.all.end..]);
    // One comma less.
    let (before, after) = match after.strip_prefix(',') {
        Some(after) => (before, after),
        None => (before.strip_suffix(',').unwrap_or(before), after),
    };
    Some((&line[field.text?], [before, after].concat()))
}

/// What stands between the quotes of a string that begins here, and whether all of it is spelt as it is.
fn string_at(bytes: &[u8], at: usize) -> Option<(Range<usize>, bool)> {
    if *bytes.get(at)? != b'"' {
        return None;
    }
    // Most are spelt as they are, and all bytes of one are looked at at once.
    let rest = bytes.get(at + 1..)?;
    let upto = memchr(b'"', rest).map(|len| &rest[..len]);
    if let Some(text) = upto.filter(|text| !text.iter().fold(false, |odd, b| odd | is_odd(*b))) {
        return Some((at + 1..at + 1 + text.len(), true));
    }
    string_with_escapes(bytes, at)
}

/// As [`string_at`], byte by byte.
fn string_with_escapes(bytes: &[u8], at: usize) -> Option<(Range<usize>, bool)> {
    let (mut end, mut plain) = (at + 1, true);
    loop {
        match *bytes.get(end)? {
            b'"' => return Some((at + 1..end, plain)),
            b'\\' => (end, plain) = (end + 2, false),
            0..b' ' => return None,
            _ => end += 1,
        }
    }
}

/// Whether it is spelt with an escape, or ought to be.
fn is_odd(byte: u8) -> bool {
    byte < b' ' || byte == b'\\'
}

/// How long a number or a word is that begins here.
fn word_at(bytes: &[u8]) -> Option<usize> {
    let end = bytes.iter().position(|b| !b.is_ascii_alphanumeric())?;
    (end > 0).then_some(end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const CHARS: &[char] = &['a', '"', '\\', '\0', '\u{1f}', ' ', 'é', ','];

    proptest! {
        /// What is looked at all at once is what is found byte by byte.
        #[test]
        fn a_string_ends_where_it_ends(
            text in prop::collection::vec(prop::sample::select(CHARS), 0..40),
            at in 0usize..3,
        ) {
            let text = String::from_iter(text);
            let line = format!("{}\"{text}", "x".repeat(at));
            let bytes = line.as_bytes();
            prop_assert_eq!(string_at(bytes, at), string_with_escapes(bytes, at));
        }
    }

    #[test]
    fn a_field_is_taken_wherever_it_stands() {
        for (line, rest) in [
            (r#"{"op":"x"}"#, "{}"),
            (r#"{"op":"x","was":null}"#, r#"{"was":null}"#),
            (r#"{"a":"b","op":"x"}"#, r#"{"a":"b"}"#),
            (r#"{"a":"\"","op":"x","z":12}"#, r#"{"a":"\"","z":12}"#),
            // What comes after it is not looked at.
            (r#"{"op":"x","z":[{}]}"#, r#"{"z":[{}]}"#),
        ] {
            assert_eq!(taken(line, "op"), Some(("x", rest.to_owned())), "{line}");
        }
    }

    #[test]
    fn what_is_odd_is_not_taken() {
        for line in [
            "",
            "{}",
            "{",
            r#"{"op""#,
            r#"{"op":"x"#,
            r#"{"op":1}"#,
            r#"{"op":"\u0078"}"#,
            r#"{ "op":"x"}"#,
            r#"{"a":["op"],"op":"x"}"#,
            r#"{"a":"\"op\":\"x\""}"#,
        ] {
            assert_eq!(taken(line, "op"), None, "{line}");
        }
    }
}

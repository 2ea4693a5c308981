//! Canonical JSON lines (RFC 8785): parse into a typed value, encode again, require equal bytes.
//!
//! Duplicate keys, floats, integers in another spelling, unknown fields, other escapes, spaces, a BOM
//! and trailing data all fail one of those three steps.

use super::canonical;
use crate::model::Code;
use memchr::memchr;
use serde::{Serialize, de::DeserializeOwned};
use std::fmt;

/// Why a line was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonFault {
    /// Stable code.
    pub code: Code,
    /// What was expected and found.
    pub what: String,
}

impl fmt::Display for JsonFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.what)
    }
}

impl std::error::Error for JsonFault {}

impl JsonFault {
    fn malformed(error: serde_json::Error) -> Self {
        let what = error.to_string();
        // Checked text puts its own code in front of its words: see `model::text`.
        let coded = what
            .split_once(": ")
            .and_then(|(word, rest)| Some((Code::from_word(word)?, rest)));
        match coded {
            Some((code, rest)) => Self {
                code,
                what: rest.to_owned(),
            },
            None => Self {
                code: Code::JsonMalformed,
                what,
            },
        }
    }
}

/// Encodes a value as one canonical line, without a line feed.
pub fn encode<T: Serialize>(value: &T) -> String {
    canonical::to_string(value).unwrap_or_else(|_| {
        serde_json_canonicalizer::to_string(value)
            .expect("payloads and rows hold strings, integers, lists and objects only")
    })
}

/// Reads one line leniently: any spelling of the JSON value, but the same fields and limits.
pub fn parse_lenient<T: DeserializeOwned>(line: &str, max: usize) -> Result<T, JsonFault> {
    if line.len() > max {
        let code = Code::TooLarge;
        let what = format!(
            "expected a line of at most {max} bytes, found {}",
            line.len()
        );
        return Err(JsonFault { code, what });
    }
    serde_json::from_str(line).map_err(JsonFault::malformed)
}

/// Reads one line that must be canonical, without its line feed.
pub fn parse<T: DeserializeOwned + Serialize>(line: &str, max: usize) -> Result<T, JsonFault> {
    let value = parse_lenient(line, max)?;
    let canonical = encode(&value);
    if canonical != line {
        let code = Code::JsonNotCanonical;
        let at = canonical
            .bytes()
            .zip(line.bytes())
            .take_while(|(a, b)| a == b);
        let what = format!(
            "expected the canonical form, which differs after {} bytes",
            at.count()
        );
        return Err(JsonFault { code, what });
    }
    Ok(value)
}

/// Splits bytes into lines that each end in a line feed; a missing last line feed, invalid UTF-8 or
/// an empty line is refused.
pub fn lines(bytes: &[u8]) -> Result<impl Iterator<Item = &str>, JsonFault> {
    match std::str::from_utf8(bytes) {
        Ok(text) => lines_of(text),
        Err(_) => {
            let (code, what) = (Code::JsonMalformed, "expected UTF-8".into());
            Err(JsonFault { code, what })
        }
    }
}

/// As [`lines`], of what is text already.
pub fn lines_of(text: &str) -> Result<impl Iterator<Item = &str>, JsonFault> {
    let fault = |code, what: &str| {
        Err(JsonFault {
            code,
            what: what.into(),
        })
    };
    if !text.is_empty() && !text.ends_with('\n') {
        return fault(
            Code::JsonNotCanonical,
            "expected a line feed after the last line",
        );
    }
    if text.starts_with('\n') || text.contains("\n\n") {
        return fault(Code::JsonNotCanonical, "expected no empty line");
    }
    let mut rest = text;
    Ok(std::iter::from_fn(move || {
        let end = memchr(b'\n', rest.as_bytes())?;
        let line = &rest[..end];
        rest = &rest[end + 1..];
        Some(line)
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::rows::AliasRow;

    fn code(line: &str) -> Code {
        parse::<AliasRow>(line, 1000)
            .expect_err("must be refused")
            .code
    }

    #[test]
    fn one_spelling_only() {
        let line = r#"{"alias":"a","target":"b"}"#;
        assert_eq!(encode(&parse::<AliasRow>(line, 1000).unwrap()), line);
        assert_eq!(
            code(r#"{"target":"b","alias":"a"}"#),
            Code::JsonNotCanonical
        );
        assert_eq!(
            code(r#"{"alias":"a", "target":"b"}"#),
            Code::JsonNotCanonical
        );
        assert_eq!(
            code(r#"{"alias":"\u0061","target":"b"}"#),
            Code::JsonNotCanonical
        );
        assert_eq!(
            code(r#"{"alias":"a","alias":"a","target":"b"}"#),
            Code::JsonMalformed
        );
        assert_eq!(
            code(r#"{"alias":"a","target":"b","x":1}"#),
            Code::JsonMalformed
        );
        assert_eq!(
            code(r#"{"alias":"a","target":"b"} {}"#),
            Code::JsonMalformed
        );
        assert_eq!(
            code("\u{feff}{\"alias\":\"a\",\"target\":\"b\"}"),
            Code::JsonMalformed
        );
        assert_eq!(
            code(r#"{"alias":"\ud800","target":"b"}"#),
            Code::JsonMalformed
        );
        assert_eq!(code(&"[".repeat(900)), Code::JsonMalformed);
        assert_eq!(code(&" ".repeat(1001)), Code::TooLarge);
    }

    #[test]
    fn text_faults_keep_their_code() {
        assert_eq!(code(r#"{"alias":"","target":"b"}"#), Code::NameInvalid);
    }

    #[test]
    fn lines_end_in_line_feeds() {
        assert_eq!(lines(b"a\nb\n").unwrap().collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(lines(b"").unwrap().count(), 0);
        for bad in [&b"a"[..], b"\n", b"a\n\nb\n", b"\xff\n"] {
            assert!(lines(bad).is_err());
        }
    }
}
